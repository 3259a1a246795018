// A binary log on disk, event by event.
#pragma once

#include <cstdint>
#include <cstdio>
#include <memory>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"

namespace hakobu {

// Not thread-safe. Holds one event at a time.
class BinlogFile {
 public:
  // "-" is standard input. NotFound, PermissionDenied; InvalidArgument when the file does not begin as a
  // binary log does, or is encrypted.
  static absl::StatusOr<BinlogFile> Open(const std::string& path);

  // The next whole event, header and checksum included, valid until the next call. False at a clean end.
  // DataLoss, with the offset, when the file ends within an event or a header cannot be one.
  absl::StatusOr<bool> Next(std::string_view* event);
  // Moves to the event at `offset` (regular files only).
  absl::Status Seek(uint64_t offset);

  // Of the next event's first byte.
  uint64_t position() const { return position_; }
  // The last part of the path: what ROTATE events and SHOW BINARY LOGS call it.
  const std::string& name() const { return name_; }

 private:
  using File = std::unique_ptr<std::FILE, int (*)(std::FILE*)>;
  BinlogFile(File file, std::string name) : file_(std::move(file)), name_(std::move(name)) {}

  File file_;
  std::string name_;
  std::string event_;
  uint64_t position_ = 0;
};

}  // namespace hakobu
