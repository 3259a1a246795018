// What the service's failures mean, as one table: which call, which code, reason and words, what to do, and
// who says so. The first rule that fits decides; a failure that no rule knows is given up.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "destination/error.h"

namespace hakobu {

enum class Remedy : uint8_t {
  kGiveUp,             // asking again cannot help
  kRetry,              // the same request again, after a while
  kRetryWithNewJobId,  // the job ran and failed for a reason that passes: a new job, a new id
  kAlreadyDone,        // an earlier try did it: success
  kRewind,             // storage writes: append again from the offset the server expects
  kAwaitTable,         // said of a table just made, altered or replaced, and of one that is missing or closed
                       // to the caller: tables.get tells them apart (table_watch.h)
  kTableReplaced,  // somebody replaced the table: as kAwaitTable for a writer that has written nothing yet.
                   // To others, rows acknowledged just before may be lost
  kAwaitSchema,    // a column is not everywhere yet: while tables.get has it, the target parks, up to hours
  kNewStream,      // the stream has ended: what it does not hold goes to a new one
  kLater,          // a quota is used up: 10 minutes or more, or the next run
};
std::string_view RemedyName(Remedy remedy);

// Where a failure was met. Values are bits: a rule may be of several places.
enum class Where : uint8_t {
  kRest = 1,       // any REST method
  kJobInsert = 2,  // jobs.insert with an id of our own
  kJob = 4,        // the errorResult of a job that ended
  kUnary = 8,      // the Storage Write API's unary methods
  kAppend = 16,    // AppendRows: in-band errors and the end of the call alike
};

struct FailureFacts {
  Where where = Where::kRest;
  int http_status = 0;                                 // 0: not from HTTP
  std::string reason;                                  // of REST bodies and jobs
  absl::StatusCode code = absl::StatusCode::kUnknown;  // of gRPC
  std::optional<StorageErrorCode> storage;
  std::string message;
};
// The facts of any status this folder made.
FailureFacts FactsOf(Where where, const absl::Status& status);

struct RetryRule {
  uint8_t where = 0;                             // bits of Where
  int http_status = 0;                           // 0: any
  std::string_view reason = {};                  // empty: any
  std::optional<absl::StatusCode> code = {};     // absent: any
  std::optional<StorageErrorCode> storage = {};  // absent: any
  std::string_view text = {};  // in lower case; in the message, whatever its case; empty: any
  Remedy remedy = Remedy::kGiveUp;
  std::string_view source = {};  // who says so
};
std::span<const RetryRule> RetryRules();
bool Fits(const RetryRule& rule, const FailureFacts& facts);
// Null: no rule knows it.
const RetryRule* FindRetryRule(const FailureFacts& facts);
Remedy RemedyFor(const FailureFacts& facts);

}  // namespace hakobu
