// What was away last, or is: for those who look from another process.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "ledger/session.h"

namespace hakobu {

struct OutageRecord {
  std::string command{};  // whose: "stream", "run"
  std::string subject{};  // "source", "bigquery", "ledger"
  absl::Time since = absl::InfinitePast();
  absl::Time tried = absl::InfinitePast();  // for the last time, as far as is known
  uint64_t failures = 0;
  std::string work{};                       // what was tried
  std::string error{};                      // the last one
  std::string doing{};                      // what is done meanwhile
  absl::Time ended = absl::InfinitePast();  // never: it lasts
};

// Thread-safe.
class OutageBook {
 public:
  explicit OutageBook(LedgerFile* file) : file_(file) {}

  // The one that is known of the command and its subject is replaced.
  absl::Status Store(const OutageRecord& outage);
  // A command begins: what it left open when it was killed is over.
  absl::Status EndAll(const std::string& command, absl::Time now);
  absl::StatusOr<std::vector<OutageRecord>> All();  // the newest first

 private:
  LedgerFile* file_;
};

}  // namespace hakobu
