// A log file's first events: who made it and when, and what had been executed then.
#pragma once

#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "source/log_stream.h"

namespace hakobu {

struct LogFileHead {
  LogFileIdentity identity;
  std::optional<std::string> previous_gtids;  // MySQL's PREVIOUS_GTIDS
};

// Opens a stream of its own for it. A file that is gone by now, or cannot be read, has an unknown head; a
// broken connection is an error.
absl::StatusOr<LogFileHead> ReadLogFileHead(const ConnectOptions& connect, const std::string& file);

}  // namespace hakobu
