#include "encode/civil_zone.h"

#include "absl/time/civil_time.h"
#include "encode/temporal.h"

namespace hakobu {
namespace {

constexpr absl::CivilSecond kEpoch(1970, 1, 1);

int64_t FloorSeconds(int64_t micros) {
  const int64_t seconds = micros / kMicrosPerSecond;
  return micros % kMicrosPerSecond < 0 ? seconds - 1 : seconds;
}

}  // namespace

bool InstantFromZone(int64_t civil_micros, const absl::TimeZone& zone, int64_t* instant_micros) {
  const int64_t seconds = FloorSeconds(civil_micros);
  const absl::TimeZone::TimeInfo info = zone.At(kEpoch + seconds);
  if (info.kind == absl::TimeZone::TimeInfo::SKIPPED) return false;
  *instant_micros = absl::ToUnixMicros(info.pre) + (civil_micros - seconds * kMicrosPerSecond);
  return true;
}

int64_t CivilInZone(int64_t instant_micros, const absl::TimeZone& zone) {
  const int64_t seconds = FloorSeconds(instant_micros);
  const absl::TimeZone::CivilInfo info = zone.At(absl::FromUnixSeconds(seconds));
  return (info.cs - kEpoch) * kMicrosPerSecond + (instant_micros - seconds * kMicrosPerSecond);
}

}  // namespace hakobu
