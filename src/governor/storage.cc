#include "governor/storage.h"

#include <algorithm>

namespace hakobu {
namespace {

// docs.aws.amazon.com/ebs: general-purpose volumes; docs.aws.amazon.com/AmazonRDS: CHAP_Storage.
constexpr double kStripedFromGib = 400;
constexpr uint32_t kStripes = 4;
constexpr double kGp2PerGib = 3, kGp2Least = 100, kGp2Most = 16'000, kGp2Burst = 3'000;
constexpr double kGp2Bucket = 5'400'000;
constexpr double kGp3Small = 3'000, kGp3Large = 12'000;
constexpr double kAuroraDollars = 0.20;
constexpr double kInstanceBurstSeconds = 1'800;

uint32_t VolumesOf(const StorageFacts& facts) {
  if (facts.volumes > 0) return facts.volumes;
  return facts.size_gib >= kStripedFromGib ? kStripes : 1;
}

StoragePrior Gp2(double size_gib, double volumes) {
  const double baseline = std::clamp(size_gib / volumes * kGp2PerGib, kGp2Least, kGp2Most);
  StoragePrior prior{.baseline_iops = baseline * volumes, .burst_iops = baseline * volumes};
  if (baseline >= kGp2Burst) return prior;
  prior.burst_iops = kGp2Burst * volumes;
  prior.bucket = kGp2Bucket * volumes;
  return prior;
}

StoragePrior Flat(double iops) {
  return {.baseline_iops = iops, .burst_iops = iops};
}

}  // namespace

StoragePrior PriorOf(const StorageFacts& facts) {
  switch (facts.type) {
    case StorageType::kGp2:
      return Gp2(facts.size_gib, VolumesOf(facts));
    case StorageType::kGp3:
      return Flat(
          std::max(facts.provisioned_iops, facts.size_gib >= kStripedFromGib ? kGp3Large : kGp3Small));
    case StorageType::kIo1:
    case StorageType::kIo2:
      return Flat(facts.provisioned_iops);
    case StorageType::kAurora:
      break;
  }
  return {.dollars_per_million = facts.io_optimized ? 0 : kAuroraDollars};
}

StoragePrior InstancePrior(double baseline_iops, double most_iops) {
  StoragePrior prior{.baseline_iops = baseline_iops, .burst_iops = std::max(baseline_iops, most_iops)};
  if (most_iops > baseline_iops) prior.bucket = (most_iops - baseline_iops) * kInstanceBurstSeconds;
  return prior;
}

}  // namespace hakobu
