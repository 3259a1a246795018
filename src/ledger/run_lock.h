// One delivering process for each ledger: an advisory lock on `<ledger>.lock`, which holds the owner's pid
// for people to read. The system releases it when the process ends, however it ends.
#pragma once

#include <memory>
#include <string>

#include "absl/status/statusor.h"

namespace hakobu {

class RunLock {
 public:
  // FailedPrecondition naming the owner's pid when another holds it.
  static absl::StatusOr<std::unique_ptr<RunLock>> Take(const std::string& path);
  RunLock(const RunLock&) = delete;
  RunLock& operator=(const RunLock&) = delete;
  ~RunLock();

 private:
  explicit RunLock(int file) : file_(file) {}
  int file_;
};

}  // namespace hakobu
