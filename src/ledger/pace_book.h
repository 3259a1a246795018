// What is kept of a source's load and of a person's word from one run to the next.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "ledger/session.h"

namespace hakobu {

// What a person wants of the runs of this ledger, until he says otherwise.
struct PaceWish {
  uint32_t id = 1;   // always
  double share = 1;  // of what the readers can do; 0: pause
  absl::Time since{};
};

// What was seen of a bucket of credits (governor/credit_model.h).
struct PaceFit {
  std::string bucket{};  // "BurstBalance db1"
  double refill = 0;     // fraction a second
  double cost = 0;       // fraction an operation
  double doubt = 1;
};

// The application's reads in ten minutes of one week (governor/app_load.h).
struct PaceLoad {
  std::string source{};
  uint64_t week = 0;  // since 1970
  uint64_t slot = 0;  // of the week
  double iops = 0;
};

// Thread-safe.
class PaceBook {
 public:
  explicit PaceBook(LedgerFile* file) : file_(file) {}

  absl::Status SetWish(const PaceWish& wish);
  absl::StatusOr<PaceWish> Wish();
  absl::Status StoreFit(const PaceFit& fit);
  absl::StatusOr<std::optional<PaceFit>> Fit(const std::string& bucket);
  // The later of two samples of a slot stands. Weeks before `week` - kWeeksKept are forgotten.
  absl::Status StoreLoad(const PaceLoad& load);
  absl::StatusOr<std::vector<PaceLoad>> Loads(const std::string& source);
  static constexpr uint64_t kWeeksKept = 8;

 private:
  LedgerFile* file_;
};

}  // namespace hakobu
