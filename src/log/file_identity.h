// What tells a log file from another of the same name: servers number files from 1 again after a reset or in
// another life. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace hakobu {

// Of the FORMAT_DESCRIPTION event that is the first in a file, and the first sent by a stream.
struct LogFileIdentity {
  uint32_t created = 0;  // seconds since the epoch, by the server's clock
  uint32_t server_id = 0;
  std::string server_version{};
  bool known() const { return !server_version.empty(); }
  std::string Text() const;  // "1700000000/1/9.7.0"; "" when not known
  static LogFileIdentity Parse(std::string_view text);
  friend bool operator==(const LogFileIdentity&, const LogFileIdentity&) = default;
};

}  // namespace hakobu
