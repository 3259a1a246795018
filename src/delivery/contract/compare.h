// The one answer to "does what is recorded of a table, what is wanted of it and what is there still fit
// together?". Pure: the same question has the same answer, at a start, at a statement of the log, when
// BigQuery answers with another schema, and in `plan`.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "delivery/contract/contract.h"

namespace hakobu {

// In the order of their gravity: of several findings the gravest decides.
enum class ContractAction : uint8_t {
  kFollow,  // the table goes on; what differs is brought in step in place
  kAnew,    // its rows are put in place anew, in the table that is there
  kStop,    // it is not delivered until somebody has decided; nothing of it is touched
  kRefuse,  // what is wanted would lose or expose what is there: exit code 4; nothing of it is touched
};
std::string_view ContractActionName(
    ContractAction action);  // "follow", "put in place anew", "stop", "refuse"

// Why is asked.
enum class ContractOccasion : uint8_t {
  kStart,     // a run or a stream begins; also `plan`
  kAltered,   // a statement of the log changed the source's table
  kReplaced,  // another table took its name at the source, or all its rows went
  kAnswered,  // BigQuery has told of another schema, or the target was looked at while rows are written to it
  // `hakobu repair --recopy`: somebody has decided that the rows come anew; of an append, which has no rows
  // anew, that what is there is taken for what was delivered.
  kAsked,
};

struct ContractQuestion {
  ContractOccasion occasion = ContractOccasion::kStart;
  std::optional<TableContract> recorded;  // absent: none was ever kept
  TableContract wanted;                   // configuration and source, now
  std::optional<TargetIdentity> found;    // BigQuery, now; absent: no such table
  // Without a record: the same ledger delivered the target before (an installation older than the records).
  bool delivered_before = false;
  std::optional<bool> target_is_empty;  // absent: not asked
  // Whether there is nothing that the target could hold; of an append: no run has added a row yet. Absent:
  // not asked.
  std::optional<bool> source_is_empty;
  // What would go with the target's object: WhatHangsOn, its row policies, its own grants.
  std::vector<std::string> hangs;
  // Source columns that the configuration names by themselves, not by a pattern: somebody has decided on
  // them.
  std::set<std::string> named;
  // What a statement renamed, new name to old; nothing at a start, where places and types must tell.
  std::map<std::string, std::string> renamed;
};

struct ContractFinding {
  ContractAction action = ContractAction::kFollow;
  std::string
      what;  // a sentence: "column `email` of the source is `mail` now, and would be delivered in clear"
  std::string expected;  // may be empty
  std::string found;     // may be empty
  std::string hint;      // what helps when followed; may be empty
};

struct ContractAnswer {
  ContractAction action = ContractAction::kFollow;
  // With kAnew: the target's key changes, which BigQuery cannot do in place. Nothing hangs on the table, and
  // all of it is the stream's own, so that it may be made again.
  bool make_again = false;
  // With kAnew, of an incremental table: rows that the source no longer has may not stay as they are either,
  // since they were delivered in a form, by a filter or a key that does not hold any more.
  bool others_must_go = false;
  // Columns that BigQuery has in a wider type than the configuration would make now: they are delivered in
  // that one.
  std::map<std::string, std::string> deliver_as;  // the source's column to `as:`
  bool records_what_is_found = false;  // there was no record: what was found is taken for what was delivered
  std::vector<ContractFinding> findings;
};

ContractAnswer CompareContracts(const ContractQuestion& question);

// "shop.members: the target was made again by somebody; expected created …, found …". Without the name: "".
std::string FindingText(std::string_view table, const ContractFinding& finding);
// OK for kFollow and kAnew; FailedPrecondition for kStop (streams alone), DataLoss for kRefuse, with every
// finding of that gravity or more and the first hint.
absl::Status AnswerStatus(std::string_view table, const ContractAnswer& answer);

}  // namespace hakobu
