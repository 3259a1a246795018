#include "governor/forecast.h"

#include <gtest/gtest.h>

#include <cmath>
#include <random>

namespace hakobu {
namespace {

constexpr double kToday = 20'000;

// So many nights until today: growth a day, noise, quieter Sundays, and now and then a night that went wrong.
ForecastQuestion History(uint64_t seed, size_t count, double growth) {
  std::mt19937_64 random(seed);
  std::normal_distribution noise(0.0, 0.04);
  std::uniform_real_distribution chance(0.0, 1.0);
  ForecastQuestion question;
  question.available_seconds = 4 * 3600;
  for (size_t i = 0; i < count; ++i) {
    const double day = kToday - static_cast<double>(count) + static_cast<double>(i);
    double work = 1e6 * (1 + growth * static_cast<double>(i)) * (1 + noise(random));
    if (static_cast<int>(day) % 7 == 0) work *= 0.7;
    if (chance(random) < 0.03) work *= 2;
    question.nights.push_back({day, work, work * 0.01});
  }
  return question;
}

TEST(Forecast, TheDayOfFailureIsInItsBand) {
  constexpr size_t kNights = 60;
  constexpr double kGrowth = 0.004;
  // 0.01 s a row: four hours are 1.44 million rows, 110 days after the first night.
  const double known = kToday - kNights + std::ceil(0.44 / kGrowth);
  int inside = 0;
  for (uint64_t seed = 1; seed <= 100; ++seed) {
    const WorkForecast forecast = ForecastMiss(History(seed, kNights, kGrowth));
    EXPECT_LE(forecast.earliest, forecast.missed);
    EXPECT_LE(forecast.missed, forecast.latest);
    EXPECT_LE(forecast.first_risk, forecast.missed);
    inside += forecast.known && forecast.earliest - 1 <= known && known <= forecast.latest + 1 ? 1 : 0;
  }
  EXPECT_GE(inside, 90);
}

TEST(Forecast, IsSilentWhereTheHistoryDoesNotCarryIt) {
  EXPECT_FALSE(ForecastMiss(History(1, 14, 0.01)).known);
  int said = 0;
  for (uint64_t seed = 1; seed <= 100; ++seed) said += ForecastMiss(History(seed, 60, 0)).known ? 1 : 0;
  EXPECT_LE(said, 3);
  EXPECT_FALSE(ForecastMiss({}).known);
}

TEST(Forecast, AWayOutIsAnotherSpeed) {
  ForecastQuestion question = History(3, 60, 0.004);
  const double missed = ForecastMiss(question).missed;
  question.seconds_of = [](double work) { return work * 0.005; };
  EXPECT_GT(ForecastMiss(question).missed, missed);
}

}  // namespace
}  // namespace hakobu
