// One tenant during a run: its side of BigQuery, its run in the ledger, and the tables that it gets.
#pragma once

#include <map>
#include <memory>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "delivery/run_context.h"
#include "delivery/tenants/report.h"
#include "delivery/tenants/shared_table.h"

namespace hakobu {

// Clients of BigQuery, shared by tenants that are reached in the same way. Thread-safe.
class DestinationPool {
 public:
  DestinationPool(RunOptions options, const Cancellation* cancel, OutageListener* outages)
      : options_(std::move(options)), cancel_(cancel), outages_(outages) {}
  absl::StatusOr<Destination> Get(const DestinationConfig& destination);

 private:
  const RunOptions options_;
  const Cancellation* const cancel_;
  OutageListener* const outages_;
  absl::Mutex mutex_;
  std::map<std::string, Destination> open_ ABSL_GUARDED_BY(mutex_);
};

// What tenants of one run share. All outlive them.
struct TenantsContext {
  const Config* config = nullptr;  // the whole
  const Config* base = nullptr;    // the same without tables, tiers and tenants
  RunOptions options;
  const Cancellation* cancel = nullptr;
  Ledger* ledger = nullptr;
  DestinationPool* destinations = nullptr;
};

// What stops a tenant, not only one table of it: it may not, its dataset is gone, its quota is used up, its
// BigQuery is away.
bool StopsTenant(const absl::Status& status);

// The dataset is not there, and is not to be made.
absl::Status MissingDataset(const DestinationConfig& destination);

// Thread-safe; one table at a time.
class TenantDelivery {
 public:
  TenantDelivery(const TenantsContext* context, uint32_t place)
      : context_(*context), place_(place), tenant_(context->config->tenants->list[place]) {}

  // Delivers the tenant's rows of a table that has been scanned. What goes wrong is the tenant's.
  void Deliver(const SharedTable& table);
  // A table that could not be scanned: nothing of it is delivered.
  void Refuse(const std::string& source, const absl::Status& status);
  // Writes the end of the run into the ledger.
  TenantReport Finish();

 private:
  absl::Status Begin();
  absl::Status DeliverTable(const SharedTable& table);
  absl::StatusOr<TableWork> MakeWork(const SharedTable& table);
  absl::Status ReadBack(const SharedTable& table, const TableRun& run_table,
                        absl::FunctionRef<absl::Status(Batch&)> take) const;
  void AddTrouble(const std::string& source, const absl::Status& status);
  RunState EndState() const;

  const TenantsContext& context_;
  const uint32_t place_;
  const TenantConfig& tenant_;
  absl::Mutex mutex_;
  Config config_;
  RunContext run_;
  bool begun_ = false;
  absl::Status parked_;
  RunReport report_;
};

}  // namespace hakobu
