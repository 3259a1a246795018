#include "base/log.h"

#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include "absl/time/clock.h"
#include "absl/time/time.h"

namespace hakobu {
namespace {

LogFormat g_format = LogFormat::kPlain;

spdlog::level::level_enum ToLevel(LogSeverity severity) {
  switch (severity) {
    case LogSeverity::kDebug:
      return spdlog::level::debug;
    case LogSeverity::kInfo:
      return spdlog::level::info;
    case LogSeverity::kWarning:
      return spdlog::level::warn;
    case LogSeverity::kError:
      return spdlog::level::err;
  }
  return spdlog::level::info;
}

std::string_view SeverityName(LogSeverity severity) {
  switch (severity) {
    case LogSeverity::kDebug:
      return "DEBUG";
    case LogSeverity::kInfo:
      return "INFO";
    case LogSeverity::kWarning:
      return "WARNING";
    case LogSeverity::kError:
      return "ERROR";
  }
  return "DEFAULT";
}

void AppendJsonString(std::string_view text, std::string* out) {
  out->push_back('"');
  for (const char c : text) {
    if (c == '"' || c == '\\') {
      out->push_back('\\');
      out->push_back(c);
    } else if (static_cast<unsigned char>(c) < 0x20) {
      out->append(fmt::format("\\u{:04x}", static_cast<unsigned>(c)));
    } else {
      out->push_back(c);
    }
  }
  out->push_back('"');
}

}  // namespace

void SetUpLog(LogFormat format, LogSeverity least) {
  g_format = format;
  auto logger = std::make_shared<spdlog::logger>("hakobu", std::make_shared<spdlog::sinks::stderr_sink_mt>());
  logger->set_pattern(format == LogFormat::kJson ? "%v" : "%Y-%m-%dT%H:%M:%S.%e %^%l%$ %v");
  logger->set_level(ToLevel(least));
  logger->flush_on(spdlog::level::debug);
  spdlog::set_default_logger(std::move(logger));
}

void Log(LogSeverity severity, std::string_view message, const std::vector<LogField>& fields) {
  if (!spdlog::should_log(ToLevel(severity))) return;
  std::string line;
  if (g_format == LogFormat::kJson) {
    line = fmt::format(R"({{"severity":"{}","time":"{}","message":)", SeverityName(severity),
                       absl::FormatTime(absl::RFC3339_full, absl::Now(), absl::UTCTimeZone()));
    AppendJsonString(message, &line);
    for (const LogField& field : fields) {
      line.push_back(',');
      AppendJsonString(field.key, &line);
      line.push_back(':');
      AppendJsonString(field.value, &line);
    }
    line.push_back('}');
  } else {
    line = message;
    for (const LogField& field : fields) line += fmt::format(" {}={}", field.key, field.value);
  }
  spdlog::log(ToLevel(severity), spdlog::string_view_t(line.data(), line.size()));
}

}  // namespace hakobu
