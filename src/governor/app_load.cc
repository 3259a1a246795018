#include "governor/app_load.h"

#include <algorithm>
#include <cmath>

namespace hakobu {
namespace {

constexpr double kFadeMinutes = 45;
constexpr double kHigh = 0.9;

double Quantile(std::vector<double>* values, double part) {
  std::sort(values->begin(), values->end());
  const double place = part * static_cast<double>(values->size() - 1);
  const auto low = static_cast<size_t>(place);
  const size_t high = std::min(low + 1, values->size() - 1);
  return (*values)[low] + (place - static_cast<double>(low)) * ((*values)[high] - (*values)[low]);
}

}  // namespace

uint32_t SlotOf(double hour_of_week) {
  return static_cast<uint32_t>(std::max(0.0, hour_of_week) / kSlotHours + 1e-9) % uint32_t{kSlotsOfWeek};
}

AppLoad::AppLoad(const std::vector<LoadSample>& samples) : known_(!samples.empty()) {
  if (!known_) return;
  constexpr size_t kSlotsOfDay = kSlotsOfWeek / 7;
  std::array<std::vector<double>, kSlotsOfWeek> by_slot;
  std::array<std::vector<double>, kSlotsOfDay> by_time;
  std::vector<double> all;
  for (const LoadSample& sample : samples) {
    by_slot[sample.slot % kSlotsOfWeek].push_back(sample.iops);
    by_time[sample.slot % kSlotsOfDay].push_back(sample.iops);
    all.push_back(sample.iops);
  }
  for (size_t slot = 0; slot < kSlotsOfWeek; ++slot) {
    // The same time of other days stands in for a weekday that was seen too little.
    std::vector<double>* values = &by_slot[slot];
    if (values->size() < 2 && !by_time[slot % kSlotsOfDay].empty()) values = &by_time[slot % kSlotsOfDay];
    if (values->empty()) values = &all;
    usual_[slot] = Quantile(values, 0.5);
    high_[slot] = Quantile(values, kHigh);
  }
}

LoadForecast Foresee(const AppLoad& load, double hour, double now_iops, size_t minutes) {
  LoadForecast forecast;
  forecast.usual.reserve(minutes);
  forecast.high.reserve(minutes);
  const auto at = [&](size_t minute) { return hour + static_cast<double>(minute) / 60; };
  const double off = now_iops - load.Usual(at(0));
  for (size_t minute = 0; minute < minutes; ++minute) {
    const double fade = load.known() ? std::exp(-static_cast<double>(minute) / kFadeMinutes) : 1;
    const double usual = std::max(0.0, load.Usual(at(minute)) + off * fade);
    forecast.usual.push_back(usual);
    forecast.high.push_back(std::max(usual, load.High(at(minute))));
  }
  return forecast;
}

}  // namespace hakobu
