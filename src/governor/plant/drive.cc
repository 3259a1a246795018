#include "governor/plant/drive.h"

#include <algorithm>
#include <cmath>
#include <deque>
#include <random>

#include "governor/page_tokens.h"
#include "governor/plant/oracle.h"

namespace hakobu::plant {
namespace {

constexpr double kSeenBefore = 15 * 60;  // what CloudWatch still tells of the time before the start
constexpr double kThreadsQuiet = 12, kThreadsQueue = 40, kThreadsLimit = 60;

// Turns of the rate by a tenth of the most and more.
class Turns {
 public:
  explicit Turns(double most) : least_(most / 10) {}
  void See(double at, double rate, bool stopped, Outcome* outcome) {
    // A stop at a limit, and the way back from it, is no oscillation of the law.
    if (stopped || skipping_) {
      skipping_ = stopped;
      extreme_ = rate;
      way_ = 0;
      return;
    }
    if ((way_ >= 0 && rate >= extreme_) || (way_ <= 0 && rate <= extreme_)) {
      extreme_ = rate;
      turned_at_ = at;
    }
    const double moved = rate - extreme_;
    if (way_ == 0 && std::abs(rate - first_) >= least_) way_ = rate > first_ ? 1 : -1;
    if (way_ == 0 || std::abs(moved) < least_ || (moved > 0) == (way_ > 0)) return;
    way_ = -way_;
    ++outcome->reversals;
    recent_.push_back(turned_at_);
    while (turned_at_ - recent_.front() >= kCooldown) recent_.pop_front();
    extreme_ = rate;
    turned_at_ = at;
    outcome->most_in_cooldown = std::max(outcome->most_in_cooldown, static_cast<uint32_t>(recent_.size()));
  }

 private:
  double least_;
  double first_ = 0, extreme_ = 0, turned_at_ = 0;
  int way_ = 0;
  bool skipping_ = true;
  std::deque<double> recent_;
};

class Plant {
 public:
  Plant(const Night& night, Driver* driver)
      : night_(night),
        driver_(driver),
        random_(night.seed ^ 0x9e3779b97f4a7c15),
        turns_(night.own_most_iops) {}
  Outcome Run();

 private:
  double Between(double low, double high) { return std::uniform_real_distribution(low, high)(random_); }
  void Tell(double moment, double level, double now);
  void TellBefore();
  void Deliver(double now);
  double Wanted(double now, double rate);
  void Second(double now, double without_us);
  bool Away(double now) const {
    return night_.restart_at >= 0 && now >= night_.restart_at &&
           now < night_.restart_at + night_.restart_seconds;
  }

  const Night& night_;
  Driver* driver_;
  std::mt19937_64 random_;
  Turns turns_;
  Outcome outcome_;
  PageTokens tokens_{0};
  std::deque<BalanceSample> under_way_;
  double level_ = 0, lowest_ = 1;  // of the minute
  double done_ = 0, chunk_left_ = 0;
  bool was_away_ = false;
};

void Plant::Tell(double moment, double level, double now) {
  if (night_.Silent(moment) || Between(0, 1) < night_.hole_chance) return;
  const double rounded = std::round(level * 1'000) / 1'000;
  under_way_.push_back({now + Between(night_.delay_from, night_.delay_to), moment, rounded});
}

void Plant::TellBefore() {
  for (double moment = -kSeenBefore; moment < 0; moment += 60) {
    const double level =
        night_.level - (night_.truth.baseline_iops - night_.app[0]) * -moment / night_.truth.bucket;
    Tell(moment, std::clamp(level, 0.0, 1.0), moment);
  }
}

void Plant::Deliver(double now) {
  for (auto sample = under_way_.begin(); sample != under_way_.end();) {
    if (sample->known_at > now) {
      ++sample;
      continue;
    }
    driver_->SeeBalance(sample->moment, sample->level);
    sample = under_way_.erase(sample);
  }
}

// What is asked of the disk within this second: chunks, each whole, as the tokens let them begin.
double Plant::Wanted(double now, double rate) {
  double wanted = 0;
  // Readers that wait for tokens do not read: as many are at it as the rate feeds, but at least one.
  const double one = night_.own_most_iops / night_.readers;
  const double most = std::clamp(std::ceil(rate / one) * one, one, night_.own_most_iops);
  while (wanted < most && done_ + wanted < night_.work) {
    if (chunk_left_ <= 0) {
      if (tokens_.Wait(now) > 0) break;
      chunk_left_ = night_.chunk;
      tokens_.Charge(now, chunk_left_);
    }
    const double part = std::min({chunk_left_, most - wanted, night_.work - done_ - wanted});
    chunk_left_ -= part;
    wanted += part;
  }
  return wanted;
}

void Plant::Second(double now, double without_us) {
  const StoragePrior& truth = night_.truth;
  const double app = night_.app[static_cast<size_t>(now)];
  const bool away = Away(now);
  if (was_away_ && !away) driver_->Restart(now);
  was_away_ = away;
  double rate = 0;
  if (!away) {
    driver_->SeeLag(now, night_.Behind(now));
    Deliver(now);
    rate = driver_->Rate(now);
  }
  turns_.See(now, rate, away || night_.Behind(now) || done_ >= night_.work, &outcome_);
  tokens_.SetRate(now, rate);
  const double wanted = away ? 0 : Wanted(now, rate);
  const double most = level_ > 0 ? truth.burst_iops : truth.baseline_iops;
  const double served = std::min(1.0, most / std::max(1.0, app + wanted));
  const double ours = wanted * served;
  chunk_left_ += wanted - ours;
  if (served < 0.999 && app <= most && wanted > 0) ++outcome_.starved_seconds;
  done_ += ours;
  if (done_ >= night_.work - 1 && outcome_.arrival == kNever) outcome_.arrival = now + 1;
  level_ = std::clamp(level_ + (truth.baseline_iops - app * served - ours) / truth.bucket, 0.0, 1.0);
  lowest_ = std::min(lowest_, level_);
  outcome_.crossed = std::max(outcome_.crossed, std::min(night_.floor, without_us) - level_);
  if (std::fmod(now, 60) == 59) {
    Tell(now + 1, lowest_, now + 1);
    lowest_ = level_;
  }
  if (away) return;
  driver_->SeeOperations(now + 1, app * served + ours, ours * night_.own_counted);
  driver_->SeeThreads(now + 1, kThreadsQuiet + kThreadsQueue * (1 - served) + Between(-3, 3), kThreadsLimit);
  driver_->SeeWork(night_.estimate * (1 - done_ / night_.work));
}

Outcome Plant::Run() {
  outcome_.arrival = kNever;
  level_ = night_.level;
  lowest_ = level_;
  const std::vector<double> without_us = LevelsWithoutUs(night_);
  TellBefore();
  driver_->SeeWork(night_.estimate);
  Deliver(0);
  outcome_.said_infeasible = driver_->SaysInfeasible();
  for (size_t i = 0; i < night_.app.size(); ++i) Second(static_cast<double>(i), without_us[i]);
  outcome_.crossed = std::max(0.0, outcome_.crossed);
  return outcome_;
}

}  // namespace

Outcome Drive(const Night& night, Driver* driver) {
  return Plant(night, driver).Run();
}

}  // namespace hakobu::plant
