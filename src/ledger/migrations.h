// The ledger's tables, by version. A version, once released, is never edited: a change is a new one.
#pragma once

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "ledger/sqlite.h"

namespace hakobu {

// Brings the file to this hakobu's version, whole or not at all, and returns the ledger's id.
// FailedPrecondition for the file of a newer one. Only this file's SQL is SQLite's own.
absl::StatusOr<std::string> UpgradeLedger(Sqlite* sqlite, const std::string& path);

}  // namespace hakobu
