#include "governor/forecast.h"

#include <algorithm>
#include <array>
#include <cmath>

namespace hakobu {
namespace {

constexpr size_t kLeastNights = 21;
constexpr double kLeastSpan = 21;  // days
constexpr double kMostAhead = 365;
constexpr double kTrendSeen = 2.58;  // standard deviations: one false trend in a hundred
constexpr double kBand = 1.96;
constexpr size_t kWeekdayNights = 3;

double MedianOf(std::vector<double> values) {
  const size_t middle = values.size() / 2;
  std::nth_element(values.begin(), values.begin() + static_cast<long>(middle), values.end());
  return values[middle];
}

struct Line {
  double slope = 0, low = 0, high = 0;  // the band of the slope
  double intercept = 0;
  double score = 0;  // of Mann and Kendall: how sure it is that there is a trend
  double At(double day) const { return intercept + slope * day; }
};

// Theil and Sen: the median of all slopes between two nights. Nights that went wrong hardly move it.
Line Fit(const std::vector<WorkNight>& nights) {
  std::vector<double> slopes;
  double sign = 0;
  for (size_t i = 0; i < nights.size(); ++i) {
    for (size_t j = i + 1; j < nights.size(); ++j) {
      const double days = nights[j].day - nights[i].day;
      if (days == 0) continue;
      const double slope = (nights[j].work - nights[i].work) / days;
      slopes.push_back(slope);
      sign += slope > 0 ? 1 : slope < 0 ? -1 : 0;
    }
  }
  Line line;
  if (slopes.empty()) return line;
  std::sort(slopes.begin(), slopes.end());
  const auto n = static_cast<double>(nights.size());
  const double deviation = std::sqrt(n * (n - 1) * (2 * n + 5) / 18);
  line.score = sign / deviation;
  const auto place = [&](double at) {
    return slopes[static_cast<size_t>(std::clamp(at, 0.0, static_cast<double>(slopes.size() - 1)))];
  };
  const auto all = static_cast<double>(slopes.size());
  line.slope = place(all / 2);
  line.low = place((all - kBand * deviation) / 2);
  line.high = place((all + kBand * deviation) / 2);
  std::vector<double> starts;
  for (const WorkNight& night : nights) starts.push_back(night.work - line.slope * night.day);
  line.intercept = MedianOf(std::move(starts));
  return line;
}

size_t Weekday(double day) {
  return static_cast<size_t>(std::fmod(std::floor(day) + 3, 7));
}

// What a weekday has more or less than the trend, as a factor; 1 where it was seen too little.
std::array<double, 7> Weekdays(const std::vector<WorkNight>& nights, const Line& line) {
  std::array<std::vector<double>, 7> factors;
  for (const WorkNight& night : nights) {
    const double expected = line.At(night.day);
    if (expected > 0) factors[Weekday(night.day)].push_back(night.work / expected);
  }
  std::array<double, 7> weekdays{};
  for (size_t i = 0; i < 7; ++i) weekdays[i] = factors[i].size() < kWeekdayNights ? 1 : MedianOf(factors[i]);
  return weekdays;
}

double Spread(const std::vector<WorkNight>& nights, const Line& line) {
  std::vector<double> over;
  for (const WorkNight& night : nights) {
    if (line.At(night.day) > 0) over.push_back(night.work / line.At(night.day) - 1);
  }
  if (over.empty()) return 0;
  std::sort(over.begin(), over.end());
  return std::max(0.0, over[static_cast<size_t>(0.9 * static_cast<double>(over.size() - 1))]);
}

}  // namespace

WorkForecast ForecastMiss(const ForecastQuestion& question) {
  WorkForecast forecast;
  std::vector<WorkNight> nights = question.nights;
  std::sort(nights.begin(), nights.end(), [](const auto& a, const auto& b) { return a.day < b.day; });
  if (nights.size() < kLeastNights || nights.back().day - nights.front().day < kLeastSpan) {
    forecast.why_not = "fewer than 21 nights over three weeks";
    return forecast;
  }
  const double first = nights.front().day;
  const double span = nights.back().day - first;
  const std::array<double, 7> weekdays = Weekdays(nights, Fit(nights));
  std::vector<double> paces;
  for (WorkNight& night : nights) {
    if (night.work > 0) paces.push_back(night.seconds / night.work);
    night.work /= weekdays[Weekday(night.day)];
  }
  const Line line = Fit(nights);
  if (line.score < kTrendSeen || line.low <= 0 || paces.empty()) {
    forecast.why_not = "the work does not grow, as far as these nights show";
    return forecast;
  }
  forecast.known = true;
  forecast.growth_a_day = line.slope;
  forecast.spread = Spread(nights, line);
  const double pace = MedianOf(paces);
  const auto seconds_of = [&](double work) {
    return question.seconds_of ? question.seconds_of(work) : work * pace;
  };
  // The lines turn about the middle of the nights, where they are surest.
  const double middle = first + span / 2;
  const auto first_miss = [&](double slope, double more) {
    const double ahead = std::min(kMostAhead, 2 * span);
    for (double day = std::floor(nights.back().day) + 1; day <= nights.back().day + ahead; ++day) {
      const double work = line.At(middle) + slope * (day - middle);
      if (seconds_of(work * (1 + more)) > question.available_seconds) return day;
    }
    return std::numeric_limits<double>::infinity();
  };
  forecast.missed = first_miss(line.slope, 0);
  forecast.earliest = first_miss(line.high, 0);
  forecast.latest = first_miss(line.low, 0);
  forecast.first_risk = first_miss(line.slope, forecast.spread);
  return forecast;
}

}  // namespace hakobu
