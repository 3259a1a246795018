#include "ledger/ledger.h"

#include <fmt/format.h>

#include "base/status.h"
#include "ledger/migrations.h"

namespace hakobu {

absl::StatusOr<std::unique_ptr<Ledger>> Ledger::Open(const std::string& path, const SqliteOptions& options) {
  HAKOBU_ASSIGN_OR_RETURN(std::unique_ptr<Sqlite> sqlite, Sqlite::Open(path, options));
  HAKOBU_ASSIGN_OR_RETURN(std::string id, UpgradeLedger(sqlite.get(), path));
  return std::unique_ptr<Ledger>(new Ledger(path, std::move(id), std::move(sqlite)));
}

absl::StatusOr<std::unique_ptr<LedgerLock>> Ledger::Lock(LedgerUse use) const {
  switch (use) {
    case LedgerUse::kRun:
      return LedgerLock::Take(path_ + ".lock");
    case LedgerUse::kStream:
      return LedgerLock::Take(path_ + ".stream.lock");
    case LedgerUse::kRepair:
      return LedgerLock::Take(path_ + ".repair.lock");
    case LedgerUse::kProbe:
      return LedgerLock::Take(path_ + ".probe.lock");
  }
  return absl::InternalError("an unknown use of the ledger");
}

}  // namespace hakobu
