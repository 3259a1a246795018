#include "delivery/stream/spool_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "base/status.h"

namespace hakobu::spool {

Descriptor::~Descriptor() {
  if (number_ >= 0) close(number_);
}

absl::Status FileError(std::string_view verb, const std::string& path) {
  const std::string message = fmt::format("{} {}: {}", verb, path, std::strerror(errno));
  if (errno == EACCES || errno == EPERM) return absl::PermissionDeniedError(message);
  if (errno == ENOSPC || errno == EDQUOT) {
    return WithHint(absl::ResourceExhaustedError(message),
                    "the disk is full: give the spool a smaller max_bytes");
  }
  return absl::UnavailableError(message);
}

absl::Status WriteAll(int descriptor, std::string_view bytes, const std::string& path) {
  while (!bytes.empty()) {
    const ssize_t wrote = write(descriptor, bytes.data(), bytes.size());
    if (wrote < 0 && errno == EINTR) continue;
    if (wrote < 0) return FileError("write to the spool", path);
    bytes.remove_prefix(static_cast<size_t>(wrote));
  }
  return absl::OkStatus();
}

absl::Status SyncFolder(const std::string& folder) {
  const Descriptor opened(open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (opened.get() < 0 || fsync(opened.get()) != 0) return FileError("sync the spool's folder", folder);
  return absl::OkStatus();
}

}  // namespace hakobu::spool
