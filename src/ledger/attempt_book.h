// Every time somebody or a schedule began a run or a stream, also when nothing came of it.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "ledger/session.h"

namespace hakobu {

struct AttemptRecord {
  uint64_t number = 0;    // 1, 2, …; given by Begin
  std::string command{};  // "run", "stream"
  int64_t pid = 0;
  absl::Time began = absl::InfinitePast();
  absl::Time ended = absl::InfinitePast();  // never: it is under way, or was killed
  int64_t exit_code = 0;
  std::string error{};  // what kept it from beginning, or ended it
};

// Thread-safe.
class AttemptBook {
 public:
  explicit AttemptBook(LedgerFile* file) : file_(file) {}

  // Answers its number. The newest kKept are kept.
  absl::StatusOr<uint64_t> Begin(const AttemptRecord& attempt);
  absl::Status End(uint64_t number, absl::Time ended, int exit_code, const std::string& error);
  absl::StatusOr<std::vector<AttemptRecord>> Newest(size_t count);  // newest first
  static constexpr uint64_t kKept = 1000;

 private:
  LedgerFile* file_;
};

}  // namespace hakobu
