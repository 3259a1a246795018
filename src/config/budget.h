// What reading may cost a source, and by when the tables are promised.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "absl/time/time.h"

namespace hakobu {

enum class StorageKind : uint8_t { kGp2, kGp3, kIo1, kIo2, kAurora };
enum class Infeasible : uint8_t { kProtectSource, kProtectHour };

// What the source's files lie on: what is believed until it has been seen.
struct StorageConfig {
  StorageKind type = StorageKind::kGp2;
  uint64_t size = 0;     // bytes
  uint32_t iops = 0;     // provisioned; 0: what the type includes
  uint32_t volumes = 0;  // 0: as RDS stripes the size
};

struct CloudWatchConfig {
  std::string instance;  // DBInstanceIdentifier
  std::string region;    // empty: AWS_REGION, else the instance's own
  std::string endpoint;  // empty: https://monitoring.REGION.amazonaws.com
};

// 0 and empty: no such limit.
struct BudgetConfig {
  uint32_t burst_balance = 0;     // percent that stay
  uint64_t reads_per_second = 0;  // pages of ours
  uint64_t threads_running = 0;
  uint64_t history_length = 0;
  absl::Duration replica_lag;
  std::string pause_file;
  absl::Duration hold = absl::Hours(12);  // from the run's start
  Infeasible when_infeasible = Infeasible::kProtectSource;
  bool any() const {
    return burst_balance > 0 || reads_per_second > 0 || threads_running > 0 || history_length > 0 ||
           replica_lag > absl::ZeroDuration() || !pause_file.empty();
  }
};

// "06:00 Asia/Tokyo": an hour of each day.
struct DailyHour {
  int minute = 0;  // of the day
  std::string zone_name;
  absl::TimeZone zone;
  // The first such moment after `time`. An hour that clocks skip is the moment at which they do.
  absl::Time After(absl::Time time) const;
};
// nullopt: not an hour and an IANA zone.
std::optional<DailyHour> ParseDailyHour(std::string_view text);

}  // namespace hakobu
