// The ledger that the configuration names.
#pragma once

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "config/config.h"
#include "ledger/ledger.h"

namespace hakobu {

// `path`: empty for the configuration's. Makes the file's folder.
absl::StatusOr<std::string> LedgerPath(const Config& config, const std::string& path);
absl::StatusOr<std::unique_ptr<Ledger>> OpenLedger(const Config& config, const std::string& path,
                                                   const SqliteOptions& options = {});

}  // namespace hakobu
