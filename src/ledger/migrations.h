// The ledger's tables, by version. A version, once released, is never edited: a change is a new one.
#pragma once

#include <span>

namespace hakobu {

// SQL scripts; the n-th (from 1) brings a ledger from version n-1 to n. `PRAGMA user_version` holds the
// version.
std::span<const char* const> LedgerMigrations();

}  // namespace hakobu
