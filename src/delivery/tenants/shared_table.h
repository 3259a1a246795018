// A table that tenants share: what is read of it, by one scan, and whose each row is.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "config/config.h"
#include "delivery/run_context.h"
#include "delivery/tenants/piece_spool.h"
#include "delivery/tenants/report.h"
#include "delivery/tenants/tenant_keys.h"

namespace hakobu {

struct SharedTable {
  TableWork work;  // as one scan reads it: its columns begin with the tenant column
  const TableRule* rule = nullptr;
  TableOptions options;      // of the entry, without what tiers and tenants add
  TenantKeys keys;           // of all tenants
  std::vector<bool> served;  // by tenant's place in the configuration
  ScanReport report;

  // From the scan on.
  std::unique_ptr<PieceSpool> spool;
  std::vector<std::vector<Piece>> pieces;  // by tenant
  uint64_t RowsOf(uint32_t tenant) const;
  uint64_t BytesOf(uint32_t tenant) const;
};

// Cuts the table's tenants by their conditions on rows: those with the same share a scan. `work` is the table
// as the selection has it; `chosen`: by tenant, whether it is delivered to. Empty when no chosen tenant
// shares it. A tenant whose own settings do not fit the table is in `refused`, by its place, and in no scan.
absl::StatusOr<std::vector<std::unique_ptr<SharedTable>>> PlanScans(const Config& config,
                                                                    const TableWork& work,
                                                                    const std::vector<bool>& chosen,
                                                                    std::map<size_t, absl::Status>* refused);

// Reads the table once, by as many connections as the source is allowed, and hands each row to its tenant's
// pieces. DataLoss when rows that were scanned, handed out and nobody's do not add up: then nothing may be
// delivered. `scan` is its run's table.
absl::Status ScanTable(RunContext* run, TableRun* scan, SharedTable* table);

}  // namespace hakobu
