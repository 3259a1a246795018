// Log set-up. One line a message; JSON with severity, time and message (the names Cloud Logging reads, and
// CloudWatch Insights finds) or plain text for a person. Messages never hold a secret: see config's Secret.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace hakobu {

enum class LogFormat { kPlain, kJson };
enum class LogSeverity { kDebug, kInfo, kWarning, kError };

struct LogField {
  std::string_view key;
  std::string value;
};

// Call once, before the first Log. Everything goes to standard error: standard output is for results.
void SetUpLog(LogFormat format, LogSeverity least);

// Thread-safe. In plain form the fields follow the message as key=value.
void Log(LogSeverity severity, std::string_view message, const std::vector<LogField>& fields = {});

}  // namespace hakobu
