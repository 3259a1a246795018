// What everybody else reads from the source: foreseen from the same weekday and time of past weeks. By ten
// minutes, because the mean of an hour hides a sale of half an hour and what it leaves behind.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace hakobu {

inline constexpr size_t kSlotsOfWeek = 7 * 24 * 6;
inline constexpr double kSlotHours = 1.0 / 6;

// The mean of ten minutes, as it was seen once.
struct LoadSample {
  uint32_t slot = 0;  // 0: Monday 00:00, in the zone that the budget is said in
  double iops = 0;
};

// With its fraction, from Monday 00:00; more than a week goes round.
uint32_t SlotOf(double hour_of_week);

class AppLoad {
 public:
  explicit AppLoad(const std::vector<LoadSample>& samples = {});

  bool known() const { return known_; }
  double Usual(double hour_of_week) const { return usual_[SlotOf(hour_of_week)]; }
  double High(double hour_of_week) const { return high_[SlotOf(hour_of_week)]; }

 private:
  bool known_ = false;
  std::array<double, kSlotsOfWeek> usual_{};
  std::array<double, kSlotsOfWeek> high_{};  // nine of ten such moments had less
};

// One value a minute, from a moment on.
struct LoadForecast {
  std::vector<double> usual;
  std::vector<double> high;
};

// `hour`: the hour of the week, with its fraction, at the first minute. What is measured now counts most in
// the next minutes and fades over the next hour: a step stays a while, and a peak does not last all night.
LoadForecast Foresee(const AppLoad& load, double hour, double now_iops, size_t minutes);

}  // namespace hakobu
