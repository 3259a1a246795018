// What the ledger says of the stream.
#pragma once

#include <string>

#include "absl/status/statusor.h"

namespace hakobu {

// Empty when no stream was ever started with this ledger.
absl::StatusOr<std::string> StreamLedgerText(const std::string& ledger_path);
// {"position":…,"tables":[…],"open_gaps":n}, or "null".
absl::StatusOr<std::string> StreamLedgerJson(const std::string& ledger_path);

}  // namespace hakobu
