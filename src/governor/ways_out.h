// What else would keep a promise, and what each would bring.
#pragma once

#include <string>
#include <vector>

#include "governor/plan.h"

namespace hakobu {

struct WayOut {
  std::string what;         // "gp3"
  double arrival = kNever;  // of the last work, seconds from now
  bool keeps = false;       // every promise
};

// `size_gib`: of the storage, by which gp3 gives more or less.
std::vector<WayOut> WaysOut(const PlanQuestion& question, double size_gib);

}  // namespace hakobu
