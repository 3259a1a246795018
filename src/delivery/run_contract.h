// The contract of a table that runs deliver: asked at each start of `run` and by `plan`, kept by what a run
// has published. docs/schema-changes.md has the outcomes.
#pragma once

#include "absl/status/statusor.h"
#include "config/config.h"
#include "delivery/table_work.h"
#include "destination/destination.h"
#include "ledger/ledger.h"
#include "source/source.h"

namespace hakobu {

struct ContractSides {
  const Config* config = nullptr;
  Rest* rest = nullptr;
  Ledger* ledger = nullptr;
};

// Compares what is recorded of the table, what is wanted and what is there, and writes into `work` what this
// run does about it: notes, columns that come in wider types, whether all rows are read again. `work` has
// been mapped, and has the target's resource where there is one. DataLoss: it is refused.
absl::Status HoldToContract(const ContractSides& sides, Connection* source, TableWork* work);

// Before the first row is sent: should the run end before the last step, the next one knows what may be
// there.
absl::Status RecordRunContractToCome(const ContractSides& sides, const TableWork& work);
// Before rows are put in place in another form than the record's: a run that ends half-way is known by it.
absl::Status RecordRunContractUnderway(const ContractSides& sides, const TableWork& work);
// When everything is published, by `run_id`.
absl::Status RecordRunContract(const ContractSides& sides, const std::string& run_id, const TableWork& work);

}  // namespace hakobu
