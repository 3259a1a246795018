// `hakobu repair --recopy`: somebody has decided that a table's rows come anew.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "config/config.h"

namespace hakobu {

// Why a table is "dropped" that CopyAnew has taken: somebody has decided that its rows come anew.
inline constexpr char kCopyAnewReason[] = "to be copied anew with the next start of `hakobu stream`";

// When it comes about.
enum class AnewBy : uint8_t {
  kStream,  // the next start of `hakobu stream` copies the rows into the table that is there
  kRun,     // the next `hakobu run` reads all rows; what the source has not goes
  kAppend,  // the next `hakobu run` appends to what is there, whatever it is
};
struct TableAnew {
  std::string source;
  AnewBy by = AnewBy::kStream;
};

// The tables in BigQuery stay. FailedPrecondition while that stream or run is under way; InvalidArgument for
// a table that has not been delivered with this ledger.
absl::StatusOr<std::vector<TableAnew>> CopyAnew(const Config& config, const std::vector<std::string>& tables);

}  // namespace hakobu
