#include "governor/plant/oracle.h"

#include <algorithm>

namespace hakobu::plant {

std::vector<double> LevelsWithoutUs(const Night& night) {
  const StoragePrior& truth = night.truth;
  std::vector<double> levels;
  levels.reserve(night.app.size());
  double level = night.level;
  for (const double app : night.app) {
    const double most = level > 0 ? truth.burst_iops : truth.baseline_iops;
    level = std::clamp(level + (truth.baseline_iops - std::min(app, most)) / truth.bucket, 0.0, 1.0);
    levels.push_back(level);
  }
  return levels;
}

double OracleArrival(const Night& night) {
  const StoragePrior& truth = night.truth;
  std::vector<double> least(night.app.size() + 1, night.floor);
  for (size_t i = night.app.size(); i-- > 0;) {
    const double drain = (night.app[i] - truth.baseline_iops) / truth.bucket;
    least[i] = std::clamp(least[i + 1] + drain, night.floor, 1.0);
  }
  double level = night.level;
  double done = 0;
  for (size_t i = 0; i < night.app.size(); ++i) {
    const double app = std::min(night.app[i], truth.burst_iops);
    double rate = 0;
    if (!night.Behind(static_cast<double>(i))) {
      const double spare = (level - least[i + 1]) * truth.bucket + truth.baseline_iops - app;
      rate = std::max(0.0, std::min({spare, night.own_most_iops, truth.burst_iops - app}));
    }
    if (done + rate >= night.work) return static_cast<double>(i) + (night.work - done) / rate;
    done += rate;
    level = std::clamp(level + (truth.baseline_iops - app - rate) / truth.bucket, 0.0, 1.0);
  }
  return kNever;
}

}  // namespace hakobu::plant
