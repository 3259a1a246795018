// What comparing and repairing share.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "base/cancel.h"
#include "delivery/move/source_lease.h"
#include "delivery/session.h"

namespace hakobu {

struct RepairContext : DeliverySession {
  const Cancellation* cancel = nullptr;
  std::unique_ptr<Ledger> own_ledger;  // the same
  StreamBook* log = nullptr;           // books of the ledger
  RepairBook* repairs = nullptr;
  std::unique_ptr<LedgerLock> lock;  // after the ledger: released first

  SourceAccess source() const {
    return {.connect = &connect, .cancel = cancel, .connections = nullptr, .load = nullptr};
  }
};

// Rows in which BigQuery and the source are not the same.
struct Differences {
  uint64_t missing = 0;  // in BigQuery
  uint64_t different = 0;
  uint64_t extra = 0;  // in BigQuery, gone from the source
  uint64_t all() const { return missing + different + extra; }
};

}  // namespace hakobu
