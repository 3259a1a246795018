// Nights at a simulated source, each driven by hakobu's governor and by what is used elsewhere, beside an
// oracle that knows the future. Prints one line of JSON a night and driver; bench/governor makes the table.
//   governor_nights FIRST_SEED SEEDS
#include <cmath>
#include <cstdio>
#include <cstdlib>

#include "governor/plant/drivers.h"
#include "governor/plant/oracle.h"

namespace {

double OrNone(double seconds) {
  return std::isfinite(seconds) ? seconds : -1;
}

void Print(const hakobu::plant::Night& night, double oracle, hakobu::plant::DriverKind kind) {
  using namespace hakobu::plant;
  const std::unique_ptr<Driver> driver = MakeDriver(kind, night);
  const Outcome outcome = Drive(night, driver.get());
  std::printf(
      "{\"seed\":%llu,\"kind\":\"%s\",\"driver\":\"%s\",\"oracle\":%.1f,\"promise\":%.1f,\"arrival\":%.1f,"
      "\"crossed\":%.5f,\"starvedSeconds\":%.0f,\"reversals\":%u,\"inCooldown\":%u,\"saidInfeasible\":%s}\n",
      static_cast<unsigned long long>(night.seed), hakobu::NameOf(night.kind).data(),
      hakobu::NameOf(kind).data(), OrNone(oracle), night.promise, OrNone(outcome.arrival), outcome.crossed,
      outcome.starved_seconds, outcome.reversals, outcome.most_in_cooldown,
      outcome.said_infeasible ? "true" : "false");
}

}  // namespace

int main(int argc, char** argv) {
  using namespace hakobu::plant;
  const unsigned long first = argc > 1 ? std::strtoul(argv[1], nullptr, 10) : 1;
  const unsigned long seeds = argc > 2 ? std::strtoul(argv[2], nullptr, 10) : 10;
  for (unsigned long seed = first; seed < first + seeds; ++seed) {
    const Night night = MakeNight(seed, static_cast<NightKind>(seed % kNightKinds));
    const double oracle = OracleArrival(night);
    for (size_t kind = 0; kind < kDriverKinds; ++kind) Print(night, oracle, static_cast<DriverKind>(kind));
  }
}
