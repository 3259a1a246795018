#include "governor/plant/night.h"

#include <algorithm>
#include <cmath>
#include <random>

#include "governor/plant/oracle.h"

namespace hakobu::plant {
namespace {

constexpr double kHour = 3600;
constexpr double kLasts = 15 * kHour;
constexpr uint32_t kWeeks = 6;
constexpr double kFlashHour = 21;

class Maker {
 public:
  Maker(uint64_t seed, NightKind kind) : random_(seed * 1'000'003 + static_cast<uint64_t>(kind)) {
    night_.kind = kind;
    night_.seed = seed;
  }
  Night Make();

 private:
  double Between(double low, double high) { return std::uniform_real_distribution(low, high)(random_); }
  double Around(double deviation) { return std::normal_distribution(0.0, deviation)(random_); }
  bool Chance(double part) { return Between(0, 1) < part; }
  void Storage();
  void Clock();
  void Application();
  void Surprises();
  void Trouble();
  void WorkAndPromise();
  double Profile(double hour_of_week) const;
  double FlashPart(double from_hour, double hours) const;

  std::mt19937_64 random_;
  Night night_;
  double app_level_ = 0;  // IOPS, mean of a day
  double weekday_[7] = {};
  double flash_iops_ = 0, flash_hours_ = 0;
};

void Maker::Storage() {
  const double size = Chance(0.3) ? Between(400, 900) : Between(30, 390);
  night_.prior = PriorOf({.type = StorageType::kGp2, .size_gib = size});
  night_.truth = night_.prior;
  double factor = 1 + Around(0.02);
  if (night_.kind == NightKind::kWrongPrior) factor = Chance(0.5) ? Between(0.6, 0.85) : Between(1.2, 2.5);
  night_.truth.baseline_iops *= factor;
  night_.level = Between(0.5, 1);
  night_.floor = 0.1 * std::floor(Between(1, 4));
  night_.own_most_iops = Between(1'500, 5'000) * std::sqrt(night_.truth.burst_iops / 3'000);
  night_.readers = std::floor(Between(2, 5));
  night_.chunk = Between(2'000, 16'000);
  night_.own_counted = Between(0.92, 1.08);
}

void Maker::Clock() {
  const double day = std::floor(Between(0, 7));
  double hour = Between(22, 26);
  if (night_.kind == NightKind::kFlashSale) hour = Chance(0.5) ? Between(17.5, 20.5) : Between(8, 14);
  night_.hour_of_week = std::fmod(day * 24 + hour, 168);
  night_.until = kLasts;
}

// Least at four in the morning, most in the evening.
double Maker::Profile(double hour_of_week) const {
  const double hour = std::fmod(hour_of_week, 24);
  const double wave = 1 - 0.5 * std::cos((hour - 4) / 24 * 2 * M_PI);
  return app_level_ * wave * weekday_[static_cast<size_t>(hour_of_week / 24) % 7];
}

// Of an hour's mean, what the sale of that day adds.
double Maker::FlashPart(double from_hour, double hours) const {
  const double begin = std::max(std::fmod(from_hour, 24), kFlashHour);
  const double end = std::min(std::fmod(from_hour, 24) + hours, kFlashHour + flash_hours_);
  return std::max(0.0, end - begin) / hours * flash_iops_;
}

void Maker::Application() {
  const double baseline = night_.truth.baseline_iops;
  app_level_ = baseline * Between(0.15, 0.5);
  for (double& day : weekday_) day = Between(0.9, 1.1);
  if (night_.kind == NightKind::kFlashSale) {
    flash_iops_ = std::min(baseline * Between(1.5, 4), night_.truth.burst_iops * 0.7);
    flash_hours_ = Between(0.3, 0.7);
  }
  for (uint32_t week = 0; week < kWeeks; ++week) {
    const double factor = 1 + Around(0.07);
    for (uint32_t slot = 0; slot < kSlotsOfWeek; ++slot) {
      const double hour = slot * kSlotHours;
      const double iops =
          Profile(hour) * factor * (1 + Around(0.05)) + FlashPart(hour, kSlotHours) * (1 + Around(0.1));
      night_.history.push_back({slot, std::max(0.0, iops)});
    }
  }
  const double tonight = 1 + Around(0.07);
  const double sale = 1 + Around(0.1);
  double drift = 0;
  for (double at = 0; at < night_.until; ++at) {
    if (std::fmod(at, 60) == 0) drift = 0.9 * drift + Around(0.05);
    const double hour = night_.hour_of_week + at / kHour;
    const double flash = FlashPart(hour, 1 / kHour) * sale;
    const double iops = Profile(std::fmod(hour, 168)) * tonight * (1 + drift) * (1 + Around(0.1)) + flash;
    night_.app.push_back(std::max(0.0, iops));
  }
}

// What no history tells.
void Maker::Surprises() {
  const double spare = std::max(0.0, night_.truth.baseline_iops - app_level_);
  const double from = Between(0.1, 3) * kHour;
  const double lasts = Between(0.3, 3) * kHour;
  const double height = spare * Between(0.3, 0.9);
  const double period = Between(600, 2'400);
  double peak_until = 0;
  for (size_t i = 0; i < night_.app.size(); ++i) {
    const auto at = static_cast<double>(i);
    double more = 0;
    switch (night_.kind) {
      case NightKind::kStep:
        if (at >= from && at < from + lasts) more = height;
        break;
      case NightKind::kRamp:
        if (at >= from && at < from + lasts) more = height * (at - from) / lasts;
        break;
      case NightKind::kSawtooth:
        more = height * std::fmod(at, period) / period;
        break;
      case NightKind::kNeighbours:
        if (Chance(1.0 / 900)) peak_until = at + Between(20, 120);
        if (at < peak_until) more = 2 * night_.truth.baseline_iops;
        break;
      default:
        break;
    }
    night_.app[i] = std::min(night_.app[i] + more, night_.truth.burst_iops);
  }
}

void Maker::Trouble() {
  if (night_.kind == NightKind::kHoles) {
    for (int hole = 0; hole < 3; ++hole) {
      const double from = Between(0, 5) * kHour;
      night_.holes.emplace_back(from, from + Between(8, 16) * 60);
    }
    night_.delay_to = 360;
    night_.hole_chance = 0.2;
  }
  if (night_.kind == NightKind::kRestart) {
    night_.restart_at = Between(600, 7'200);
    night_.restart_seconds = Between(5, 120);
  }
  if (night_.kind == NightKind::kLag) {
    for (int episode = 0; episode < 3; ++episode) {
      const double from = Between(0, 5) * kHour;
      night_.lag.emplace_back(from, from + Between(3, 20) * 60);
    }
  }
}

void Maker::WorkAndPromise() {
  const double bucket = night_.truth.bucket;
  const double usable = std::max(0.05, night_.level - night_.floor) * bucket;
  const double spare = std::max(20.0, night_.truth.baseline_iops - app_level_);
  double hours = Between(0.2, 6);
  double part = Between(0.4, 1);
  double done = kNever;
  for (int tries = 0; tries < 8 && done == kNever; ++tries) {
    night_.work = usable * part + spare * kHour * hours;
    done = OracleArrival(night_);
    hours *= 0.6;
    part *= 0.8;
  }
  night_.estimate = night_.work * Between(0.95, 1.05);
  night_.promise = std::min(night_.until, done == kNever ? night_.until / 2 : done * Between(0.7, 1.8));
}

Night Maker::Make() {
  Storage();
  Clock();
  Application();
  Surprises();
  Trouble();
  WorkAndPromise();
  return std::move(night_);
}

bool Within(const std::vector<std::pair<double, double>>& spans, double at) {
  return std::any_of(spans.begin(), spans.end(),
                     [at](const auto& span) { return at >= span.first && at < span.second; });
}

}  // namespace

bool Night::Behind(double at) const {
  return Within(lag, at);
}

bool Night::Silent(double moment) const {
  return Within(holes, moment);
}

Night MakeNight(uint64_t seed, NightKind kind) {
  return Maker(seed, kind).Make();
}

}  // namespace hakobu::plant
