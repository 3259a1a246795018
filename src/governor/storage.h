// What a kind of storage can give, by the vendor's formulas: what is believed of a source before it was seen.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "base/enum_name.h"

namespace hakobu {

enum class StorageType : uint8_t { kGp2, kGp3, kIo1, kIo2, kAurora };
inline constexpr std::string_view kStorageTypeNames[] = {"gp2", "gp3", "io1", "io2", "aurora"};
constexpr std::span<const std::string_view> NamesOf(StorageType) {
  return kStorageTypeNames;
}

struct StorageFacts {
  StorageType type = StorageType::kGp2;
  double size_gib = 0;
  double provisioned_iops = 0;  // io1, io2, and gp3 above what it includes
  uint32_t volumes = 0;         // 0: as RDS MySQL stripes a size: four from 400 GiB on
  bool io_optimized = false;    // Aurora I/O-Optimized: reads are not billed
};

// Of all volumes together.
struct StoragePrior {
  double baseline_iops = 0;        // for ever; 0: not limited by the storage
  double burst_iops = 0;           // while there are credits
  double bucket = 0;               // operations; 0: no bucket
  double dollars_per_million = 0;  // of reads
};
StoragePrior PriorOf(const StorageFacts& facts);

// Credits of an instance class whose EBS rate can be exceeded for half an hour a day.
StoragePrior InstancePrior(double baseline_iops, double most_iops);

}  // namespace hakobu
