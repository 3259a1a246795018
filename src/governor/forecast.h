// On which day a promise will be missed, from the work of past nights. Silent where they do not carry it.
#pragma once

#include <functional>
#include <limits>
#include <string>
#include <vector>

namespace hakobu {

struct WorkNight {
  double day = 0;   // since 1970
  double work = 0;  // rows, pages or bytes
  double seconds = 0;
};

struct ForecastQuestion {
  std::vector<WorkNight> nights;
  double available_seconds = 0;  // from the usual start to the promise
  // How long so much work takes; empty: as long for each piece as it took.
  std::function<double(double work)> seconds_of;
};

struct WorkForecast {
  bool known = false;
  std::string why_not;      // "fewer than 21 nights"
  double growth_a_day = 0;  // of work
  double spread = 0;        // nine of ten nights have less than (1 + this) of what the trend says
  // Days since 1970; infinite: not within twice the time that the nights span, a year at most.
  double missed = std::numeric_limits<double>::infinity();
  double earliest = std::numeric_limits<double>::infinity();  // of the band: 95 of 100
  double latest = std::numeric_limits<double>::infinity();
  double first_risk = std::numeric_limits<double>::infinity();  // one night of ten misses it
};

WorkForecast ForecastMiss(const ForecastQuestion& question);

}  // namespace hakobu
