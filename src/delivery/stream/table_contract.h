// The contract of a streamed table: what is asked of both sides and the ledger for CompareContracts, and what
// is kept.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "delivery/contract/compare.h"
#include "delivery/recorded_contract.h"
#include "delivery/stream/lane_schema.h"
#include "delivery/stream/targets.h"
#include "ledger/ledger.h"

namespace hakobu {

// The configuration's options, but for what the table keeps: a history because it had no key, and columns
// that BigQuery has in wider types.
absl::StatusOr<TableOptions> DeliveredOptions(const Config& config, Ledger* ledger, const TableWork& work);

struct ContractRequest {
  const LaneSchema* schema = nullptr;
  const TableOptions* options = nullptr;  // the configuration's own
  ContractOccasion occasion = ContractOccasion::kStart;
  std::map<std::string, std::string> renamed;  // ContractQuestion's
  std::string mode_before;  // "upsert", "soft", "history": what the table was streamed as; "": not at all
  std::function<absl::StatusOr<bool>()> source_is_empty;  // empty function: not to be asked
};

struct ContractCase {
  ContractAnswer answer;
  std::optional<StoredContract> recorded;
  std::optional<std::string> existing;  // BigQuery's Table resource
};
absl::StatusOr<ContractCase> AskContract(const DeliverySession& session, const ContractRequest& request);

// As the table stands in BigQuery now. `sweep`: absent: as it was. NotFound: the table is gone.
absl::Status RecordContract(const DeliverySession& session, const LaneSchema& schema,
                            const TableOptions& options, std::optional<bool> sweep);
// Before the target is made: should it be gone at the next look, it was not there yet.
absl::Status RecordContractToCome(const DeliverySession& session, const LaneSchema& schema,
                                  const TableOptions& options);

// Says in the log what was found, but what stops the table: that is said when it stops.
void LogContract(const std::string& table, const ContractAnswer& answer);

}  // namespace hakobu
