#include "delivery/open_ledger.h"

#include <fmt/format.h>

#include <filesystem>
#include <system_error>

#include "base/status.h"

namespace hakobu {

absl::StatusOr<std::string> LedgerPath(const Config& config, const std::string& path) {
  const std::string& chosen = path.empty() ? config.ledger : path;
  const std::filesystem::path folder = std::filesystem::path(chosen).parent_path();
  std::error_code error;
  if (!folder.empty()) std::filesystem::create_directories(folder, error);
  if (error) {
    return absl::FailedPreconditionError(
        fmt::format("create the ledger's folder {}: {}", folder.string(), error.message()));
  }
  return chosen;
}

absl::StatusOr<std::unique_ptr<Ledger>> OpenLedger(const Config& config, const std::string& path,
                                                   const SqliteOptions& options) {
  HAKOBU_ASSIGN_OR_RETURN(const std::string chosen, LedgerPath(config, path));
  return Ledger::Open(chosen, options);
}

}  // namespace hakobu
