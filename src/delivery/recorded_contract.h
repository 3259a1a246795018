// What run and stream share of a table's contract: the ledger's record, and what CompareContracts is told of
// the configuration and the target.
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "delivery/contract/contract.h"
#include "delivery/target_state.h"
#include "destination/destination.h"
#include "ledger/ledger.h"

namespace hakobu {

struct StoredContract {
  TableContract contract;
  bool sweep = false;  // ContractRecord's
};
absl::StatusOr<std::optional<StoredContract>> ReadContract(Ledger* ledger, const std::string& target);
ContractRecord RecordOf(const TableContract& contract, bool sweep);

// What somebody has decided for one column: the strongest entry there can be, the table's own by its name.
void DecideType(const std::string& column, const std::string& as, TableOptions* options);

// Source columns that the configuration names by themselves, not by a pattern.
std::set<std::string> NamedColumns(const TableOptions& options);

// Asks BigQuery. `resource`: the target's.
absl::StatusOr<bool> TargetIsEmpty(Rest& rest, const DestinationConfig& destination, const TableName& target,
                                   std::string_view resource);

// A query's answer of one number.
absl::StatusOr<uint64_t> QueryNumber(Rest& rest, const DestinationConfig& destination, std::string sql);
absl::StatusOr<uint64_t> CountTargetRows(Rest& rest, const DestinationConfig& destination,
                                         const TableName& target, const PublishTarget& state);

}  // namespace hakobu
