// Whether a source's log goes on where a stream stopped, and if not, what exactly is missing. Pure.
// Source: MySQL's "Replication with GTIDs" (gtid_executed, gtid_purged); docs/decisions.
#pragma once

#include <optional>
#include <set>
#include <string>
#include <string_view>

#include "absl/time/time.h"
#include "source/log_state.h"
#include "source/log_stream.h"

namespace hakobu {

// Not delivered, and in another server's log before some that were (errant.h).
struct ErrantTransactions {
  std::string gtids;                            // "": none
  std::optional<std::set<std::string>> tables;  // "shop.members": that they changed; nullopt: not known
  std::optional<absl::Time> from;               // none was committed before this
};

// What was found out beside LogState (GatherEvidence). All optional: less evidence, more gaps.
struct LogEvidence {
  LogFileIdentity stored_file;  // of the file named as the stored one, as the server has it now
  LogFileIdentity oldest_file;  // of the oldest file the server still has
  // Where a server's history parts, if it does: the oldest file made after the last transaction delivered,
  // what had been executed when it was made, and the file before it.
  std::string parting_file;
  LogFileIdentity parting_identity;
  std::optional<std::string> parting_gtids;  // PREVIOUS_GTIDS; not for MariaDB
  LogFileIdentity common_identity;
  ErrantTransactions errant;
  LogFailure refused = LogFailure::kNone;  // what the server answered when it was asked to go on from there
};

enum class ContinuityVerdict : uint8_t {
  kContinues,  // proven: start there, nothing is missing
  kWait,       // a replica that has not caught up with what was delivered: ask again later
  kGap,        // record the gap, then start there
};

enum class GapCause : uint8_t {
  kNone,
  kPurged,       // the server deleted what comes next
  kLostTail,     // the server crashed and lost transactions that were delivered (sync_binlog)
  kFork,         // another server, which lacks some of ours and has others
  kRestored,     // the server went back in time: from a snapshot or backup
  kErrant,       // another server, on which somebody had written before it had all that was delivered
  kReset,        // RESET BINARY LOGS AND GTIDS: numbering began anew
  kOtherServer,  // another server, and positions by file say nothing about it
  kUnproven,     // nothing speaks against going on, but nothing proves it either
};
std::string_view GapCauseCode(GapCause cause);  // "purged", "crash_tail", …: for ledgers, logs and metrics
std::optional<GapCause> GapCauseFromCode(std::string_view code);

struct Continuity {
  ContinuityVerdict verdict = ContinuityVerdict::kContinues;
  GapCause cause = GapCause::kNone;
  LogStart start;             // kContinues, kGap: where to go on
  std::string gtid_set;       // what counts as seen from `start` on: the stored position's new set
  bool other_server = false;  // a failover or Blue/Green switch: the identity to store is the new one
  // Bounds of a gap.
  std::string missing_gtids;  // never to be seen: changes that the destination lacks
  std::string
      phantom_gtids;  // delivered, but the source does not have them: rows that the destination has wrong
  LogPoint from_point, until_point;             // where known
  std::optional<absl::Time> from, until;        // commit times; nullopt: not known on that side
  std::optional<std::set<std::string>> tables;  // only these can be concerned; nullopt: any
  std::string explanation;                      // what was found, in a sentence or two
  std::string hint;                             // what to do on the source so that it does not happen again
};

// Without evidence of the parting, what is found to part is taken to have parted as early as can be.
Continuity JudgeContinuity(const DeliveredPoint& stored, const LogState& state, const LogEvidence& evidence);

// Whether the parting is to be looked for: on the same server, something has changed that must not.
bool SuspectsParting(const DeliveredPoint& stored, const LogState& state, const LogFileIdentity& stored_file);

// Whether errant transactions are to be looked for: another server has all that was delivered, and more.
bool SuspectsErrant(const DeliveredPoint& stored, const LogState& state);

}  // namespace hakobu
