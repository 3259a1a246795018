// The tables of a run as the ledger has them: written down when a run begins, read back when one continues.
#pragma once

#include <memory>
#include <vector>

#include "absl/status/statusor.h"
#include "delivery/prepare.h"
#include "delivery/run_context.h"

namespace hakobu {

using TableRuns = std::vector<std::unique_ptr<TableRun>>;

// Plans windows and chunks and writes them to the ledger, table by table. A table that cannot be begun is
// there with its failure; an error is everybody's (a side is away, the ledger, a cancellation).
absl::StatusOr<TableRuns> BeginTables(RunContext* run, Connection* source, std::vector<TableWork> works);

// One table of one chunk, whose rows somebody else has read: `rows` of about `bytes`.
absl::StatusOr<std::unique_ptr<TableRun>> BeginReadTable(RunContext* run, TableWork work, uint64_t rows,
                                                         uint64_t bytes);

// A table that is read for others to deliver. Its chunks are not in the ledger: a scan begins anew.
absl::StatusOr<std::unique_ptr<TableRun>> BeginScan(RunContext* run, Connection* source, TableWork work);

// Whether what the ledger holds of the table in this run can be read.
absl::StatusOr<bool> CanContinue(Ledger* ledger, const std::string& run_id, const TableWork& work);

// The tables of run->run_id, with their finished chunks. Tables that the interrupted run never wrote down are
// begun; chunks are read again when the table that they were written to is gone, or is another.
absl::StatusOr<TableRuns> ContinueTables(RunContext* run, Connection* source, std::vector<TableWork> works);

// The window that an incremental run reads; all rows where they come anew.
absl::StatusOr<Window> WindowOf(RunContext* run, Connection* source, const TableWork& work);

// How the table's rows get into its target, looked at as it is now. `chunks` and `bytes`: what is read.
absl::StatusOr<PublishChoice> ChooseFor(RunContext* run, const TableWork& work, size_t chunks,
                                        uint64_t bytes);

}  // namespace hakobu
