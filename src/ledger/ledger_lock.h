// One delivering process for each ledger: an advisory lock on `<ledger>.lock`, which holds the owner's pid
// for people to read. The system releases it when the process ends, however it ends.
#pragma once

#include <memory>
#include <string>

#include "absl/status/statusor.h"

namespace hakobu {

class LedgerLock {
 public:
  // FailedPrecondition naming the owner's pid when another holds it.
  static absl::StatusOr<std::unique_ptr<LedgerLock>> Take(const std::string& path);
  LedgerLock(const LedgerLock&) = delete;
  LedgerLock& operator=(const LedgerLock&) = delete;
  ~LedgerLock();

 private:
  explicit LedgerLock(int file) : file_(file) {}
  int file_;
};

}  // namespace hakobu
