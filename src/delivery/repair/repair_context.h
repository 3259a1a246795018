// What comparing and repairing share.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "base/cancel.h"
#include "base/clock.h"
#include "config/config.h"
#include "delivery/move/source_lease.h"
#include "delivery/sides.h"
#include "ledger/ledger.h"

namespace hakobu {

struct RepairContext {
  const Config* config = nullptr;
  const Cancellation* cancel = nullptr;
  Clock* clock = nullptr;
  ConnectOptions connect;
  Destination destination;
  std::unique_ptr<Ledger> ledger;
  StreamBook* log = nullptr;  // books of the ledger
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
