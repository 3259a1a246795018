#include "app/command.h"

#include <fmt/format.h>

#include <cstdio>

#include "base/status.h"

namespace hakobu {

int ReportError(const absl::Status& status) {
  fmt::print(stderr, "hakobu: {}\n", View(status.message()));
  if (status.code() == absl::StatusCode::kInvalidArgument) return kExitUsage;
  return status.code() == absl::StatusCode::kDataLoss ? kExitWouldLoseData : kExitFailed;
}

}  // namespace hakobu
