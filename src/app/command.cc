#include "app/command.h"

#include <fmt/format.h>

#include <cstdio>
#include <nlohmann/json.hpp>

#include "base/escape.h"
#include "base/status.h"
#include "config/config.h"

namespace hakobu {
namespace {

LogFormat g_log_format =
    LogFormat::kPlain;  // set before anything is said, and once more by the configuration

void Use(LogFormat format, LogSeverity least) {
  g_log_format = format;
  SetUpLog(format, least);
}

}  // namespace

int ExitCodeFor(const absl::Status& status) {
  if (status.code() == absl::StatusCode::kInvalidArgument) return kExitUsage;
  return status.code() == absl::StatusCode::kDataLoss ? kExitWouldLoseData : kExitFailed;
}

void SetUpLogFor(const GlobalOptions& options) {
  Use(options.log_format == "json" ? LogFormat::kJson : LogFormat::kPlain,
      options.verbose ? LogSeverity::kDebug : LogSeverity::kInfo);
}

void SetUpLogFor(const GlobalOptions& options, const Config& config) {
  LogFormat format = config.log.format;
  if (!options.log_format.empty())
    format = options.log_format == "json" ? LogFormat::kJson : LogFormat::kPlain;
  Use(format, options.verbose ? LogSeverity::kDebug : config.log.level);
}

void Tell(std::string_view message) {
  if (g_log_format == LogFormat::kJson) {
    Log(LogSeverity::kInfo, message);
  } else {
    fmt::print(stderr, "\nhakobu: {}\n", message);
  }
}

int ReportError(const absl::Status& status) {
  const int code = ExitCodeFor(status);
  if (g_log_format == LogFormat::kJson) {
    Log(LogSeverity::kError, View(status.message()), {{"exit_code", fmt::format("{}", code)}});
  } else {
    fmt::print(stderr, "hakobu: {}\n", EscapeControlKeepLines(View(status.message())));
  }
  return code;
}

int ReportFailure(const GlobalOptions& options, const absl::Status& status) {
  const int code = ReportError(status);
  if (options.json) {
    const nlohmann::json error{{"message", EscapeControlKeepLines(View(status.message()))},
                               {"exit_code", code}};
    fmt::print("{}\n", nlohmann::json{{"error", error}}.dump(2, ' ', false,
                                                             nlohmann::json::error_handler_t::replace));
  }
  return code;
}

}  // namespace hakobu
