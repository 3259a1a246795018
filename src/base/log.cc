#include "base/log.h"

#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "base/escape.h"

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

// Bytes that are no UTF-8 would make the line no JSON.
void AppendJsonString(std::string_view text, std::string* out) {
  const std::string printable = EscapeControlKeepLines(text);
  out->push_back('"');
  for (const char c : printable) {
    if (c == '"' || c == '\\') {
      out->push_back('\\');
      out->push_back(c);
    } else if (c == '\n' || c == '\t') {
      out->append(c == '\n' ? "\\n" : "\\t");
    } else {
      out->push_back(c);
    }
  }
  out->push_back('"');
}

// The lines of a message after the first are set in: none of them can pass for a line of the log.
std::string PlainText(std::string_view message) {
  std::string text = EscapeControlKeepLines(message);
  for (size_t at = text.find('\n'); at != std::string::npos; at = text.find('\n', at + 1))
    text.insert(at + 1, "    ");
  return text;
}

}  // namespace

void SetUpLog(LogFormat format, LogSeverity least) {
  g_format = format;
  auto logger = std::make_shared<spdlog::logger>("hakobu", std::make_shared<spdlog::sinks::stderr_sink_mt>());
  logger->set_pattern(format == LogFormat::kJson ? "%v" : "%Y-%m-%dT%H:%M:%S.%e%z %^%l%$ %v");
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
    line = PlainText(message);
    for (const LogField& field : fields) line += fmt::format(" {}={}", field.key, EscapeControl(field.value));
  }
  spdlog::log(ToLevel(severity), spdlog::string_view_t(line.data(), line.size()));
}

}  // namespace hakobu
