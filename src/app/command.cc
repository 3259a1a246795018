#include "app/command.h"

#include <fmt/format.h>

#include <cstdio>

#include "base/escape.h"
#include "base/status.h"
#include "config/config.h"

namespace hakobu {

void SetUpLogFor(const GlobalOptions& options, const Config& config) {
  LogFormat format = config.log.format;
  if (!options.log_format.empty())
    format = options.log_format == "json" ? LogFormat::kJson : LogFormat::kPlain;
  SetUpLog(format, options.verbose ? LogSeverity::kDebug : config.log.level);
}

int ReportError(const absl::Status& status) {
  fmt::print(stderr, "hakobu: {}\n", EscapeControlKeepLines(View(status.message())));
  if (status.code() == absl::StatusCode::kInvalidArgument) return kExitUsage;
  return status.code() == absl::StatusCode::kDataLoss ? kExitWouldLoseData : kExitFailed;
}

}  // namespace hakobu
