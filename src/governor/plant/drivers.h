// Who can drive a night: hakobu's governor, and what is used elsewhere.
#pragma once

#include <memory>
#include <span>
#include <string_view>

#include "base/enum_name.h"
#include "governor/plant/drive.h"

namespace hakobu::plant {

enum class DriverKind : uint8_t {
  kGovernor,
  kFixed,   // a rate that somebody tuned once: the whole budget of an average night over its hours
  kStopGo,  // as gh-ost throttles: full speed, none below a threshold
  kAimd     // a little more each minute, half when the balance is low
};
inline constexpr std::string_view kDriverNames[] = {"hakobu", "fixed parallelism", "stop and go", "AIMD"};
constexpr std::span<const std::string_view> NamesOf(DriverKind) {
  return kDriverNames;
}
inline constexpr size_t kDriverKinds = std::size(kDriverNames);

std::unique_ptr<Driver> MakeDriver(DriverKind kind, const Night& night);

}  // namespace hakobu::plant
