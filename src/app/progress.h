// How far a run is: bars that are redrawn on a terminal, a line now and then elsewhere.
#pragma once

#include <cstdio>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "base/clock.h"
#include "delivery/delivery.h"

namespace hakobu {

// What has been seen of a run so far; turns TableProgress into lines. Pure but for the times it is given.
class ProgressMeter {
 public:
  void Update(const std::vector<TableProgress>& tables, absl::Time now);
  // One line for each table that is being delivered (at most `most_tables`), and one for all.
  std::vector<std::string> Bars(size_t width, size_t most_tables, absl::Time now) const;
  // "3 of 12 tables, 1,234,567 rows, 45.6 MB/s, 2 min 10 s left"
  std::string Summary(absl::Time now) const;
  // "shop.members: done, 1,234 rows, 5.6 MB" for tables whose state has changed since the last call.
  std::vector<std::string> StateChanges();

 private:
  struct Seen {
    absl::Time first_moved = absl::InfiniteFuture();
    std::string told_state;
  };
  double Fraction(const TableProgress& table) const;
  std::string Line(const TableProgress& table, size_t name_width, size_t width, absl::Time now) const;

  std::vector<TableProgress> tables_;
  std::map<std::string, Seen> seen_;
  absl::Time started_ = absl::InfiniteFuture();
};

enum class ProgressStyle : uint8_t { kBars, kLines };

// Writes to standard error. kBars for a terminal; kLines logs state changes, and a summary every 10 s.
std::unique_ptr<RunObserver> MakeProgress(ProgressStyle style, Clock* clock);

}  // namespace hakobu
