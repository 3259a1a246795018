#include "ledger/ledger_lock.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "base/status.h"

namespace hakobu {

absl::StatusOr<std::unique_ptr<LedgerLock>> LedgerLock::Take(const std::string& path) {
  const int file = open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (file < 0) {
    return WithHint(absl::FailedPreconditionError(fmt::format("open {}: {}", path, std::strerror(errno))),
                    "the ledger's folder must exist and be writable");
  }
  auto lock = std::unique_ptr<LedgerLock>(new LedgerLock(file));
  if (flock(file, LOCK_EX | LOCK_NB) != 0) {
    char text[32] = {};
    const ssize_t size = pread(file, text, sizeof text - 1, 0);
    const std::string owner = size > 0 ? fmt::format(" (pid {})", text) : "";
    return WithHint(
        absl::FailedPreconditionError(fmt::format("lock {}: another run{} holds it", path, owner)),
        "wait until that run has ended, or give this one a ledger of its own");
  }
  const std::string pid = std::to_string(getpid());
  // The number is only for the message above: a full disk must not stop a run here.
  if (ftruncate(file, 0) == 0) (void)!pwrite(file, pid.data(), pid.size(), 0);
  return lock;
}

LedgerLock::~LedgerLock() {
  close(file_);
}

}  // namespace hakobu
