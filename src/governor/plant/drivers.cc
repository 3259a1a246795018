#include "governor/plant/drivers.h"

#include <algorithm>
#include <optional>

#include "governor/governor.h"

namespace hakobu::plant {
namespace {

// An hour that is not 0, as every run's start is.
constexpr double kStart = 1'000'000'000;

class Governed : public Driver {
 public:
  explicit Governed(const Night& night) : night_(night) { Make(0, std::nullopt); }
  void SeeOperations(double at, double everybody, double ours) override {
    governor_->SeeOperations(kStart + at, everybody, ours);
  }
  void SeeBalance(double moment, double level) override { governor_->SeeBalance(0, kStart + moment, level); }
  void SeeThreads(double at, double running, double) override {
    governor_->SeeSignal(0, kStart + at, running);
  }
  void SeeLag(double at, bool behind) override { governor_->SeeSignal(1, kStart + at, behind ? 120 : 1); }
  void SeeWork(double left) override {
    left_ = left;
    governor_->SetWork({{.name = "all", .operations = left, .promise = kStart + night_.promise}});
  }
  void Restart(double at) override {
    Make(at, governor_->credits(0).fit());
    SeeWork(left_);
  }
  double Rate(double at) override { return governor_->Tick(kStart + at).rate; }
  bool SaysInfeasible() override { return !governor_->Foresee(kStart).feasible; }

 private:
  void Make(double at, std::optional<CreditFit> fit) {
    GovernorOptions options;
    options.start = kStart + at;
    options.hour_of_week = night_.hour_of_week + at / 3600;
    options.until = kStart + night_.until;
    options.buckets = {
        {.name = "BurstBalance", .prior = night_.prior, .earlier = fit, .floor = night_.floor}};
    options.signals = {{.name = "threads_running", .limit = 60},
                       {.name = "replica_lag", .kind = SignalKind::kStop, .limit = 30}};
    options.most_iops = night_.prior.burst_iops;
    options.own_most_iops = night_.own_most_iops;
    options.app_load = AppLoad(night_.history);
    options.cooldown = kCooldown;
    governor_ = std::make_unique<Governor>(std::move(options));
  }

  const Night& night_;
  double left_ = 0;
  std::unique_ptr<Governor> governor_;
};

// What the others have in common: they look at what they see now, and know no tomorrow.
class Simple : public Driver {
 public:
  explicit Simple(const Night& night) : night_(night) {}
  void SeeOperations(double, double, double) override {}
  void SeeBalance(double, double level) override { level_ = level; }
  void SeeLag(double, bool behind) override { behind_ = behind; }
  void SeeWork(double) override {}
  double Rate(double at) override { return behind_ ? 0 : Wanted(at); }

 protected:
  virtual double Wanted(double at) = 0;
  const Night& night_;
  double level_ = 1;

 private:
  bool behind_ = false;
};

// The tuner knew the size, a full bucket and a usual load, and left a fifth for bad days.
class Fixed : public Simple {
 public:
  explicit Fixed(const Night& night) : Simple(night) {
    double load = 0;
    for (const LoadSample& sample : night.history) load += sample.iops;
    load /= static_cast<double>(night.history.size());
    const double hours = 6 * 3600;
    const double budget = (1 - night.floor) * night.prior.bucket / hours + night.prior.baseline_iops - load;
    rate_ = std::clamp(0.8 * budget, 50.0, night.own_most_iops);
  }

 protected:
  double Wanted(double) override { return rate_; }

 private:
  double rate_;
};

class StopGo : public Simple {
 public:
  using Simple::Simple;

 protected:
  double Wanted(double) override {
    if (level_ < night_.floor) stopped_ = true;
    if (level_ > night_.floor + 0.02) stopped_ = false;
    return stopped_ ? 0 : night_.own_most_iops;
  }

 private:
  bool stopped_ = false;
};

class Aimd : public Simple {
 public:
  using Simple::Simple;

 protected:
  double Wanted(double at) override {
    if (at - moved_at_ < 60) return rate_;
    moved_at_ = at;
    if (level_ < night_.floor + 0.05) {
      rate_ = std::max(10.0, rate_ / 2);
    } else {
      rate_ = std::min(night_.own_most_iops, rate_ + night_.own_most_iops / 20);
    }
    return rate_;
  }

 private:
  double rate_ = 100, moved_at_ = 0;
};

}  // namespace

std::unique_ptr<Driver> MakeDriver(DriverKind kind, const Night& night) {
  switch (kind) {
    case DriverKind::kFixed:
      return std::make_unique<Fixed>(night);
    case DriverKind::kStopGo:
      return std::make_unique<StopGo>(night);
    case DriverKind::kAimd:
      return std::make_unique<Aimd>(night);
    case DriverKind::kGovernor:
      break;
  }
  return std::make_unique<Governed>(night);
}

}  // namespace hakobu::plant
