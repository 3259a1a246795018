#include "base/private_file.h"

#include <fmt/format.h>
#include <sys/stat.h>

#include <cerrno>
#include <cstring>

#include "base/status.h"

namespace hakobu {

absl::Status MakePrivate(const std::string& path) {
  struct stat found{};
  if (stat(path.c_str(), &found) != 0 || (found.st_mode & 077) == 0) return absl::OkStatus();
  if (chmod(path.c_str(), found.st_mode & 0700) == 0) return absl::OkStatus();
  return WithHint(absl::PermissionDeniedError(
                      fmt::format("take the rights of others from {}: {}", path, strerror(errno))),
                  "the file must belong to the user that runs hakobu");
}

}  // namespace hakobu
