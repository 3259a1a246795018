#include "governor/ways_out.h"

#include <algorithm>

#include "governor/storage.h"

namespace hakobu {
namespace {

WayOut Try(std::string what, const PlanQuestion& question) {
  const Outlook outlook = ForeseeArrivals(question);
  WayOut way{.what = std::move(what), .arrival = 0, .keeps = outlook.feasible};
  for (const Arrival& arrival : outlook.arrivals) way.arrival = std::max(way.arrival, arrival.p50);
  return way;
}

}  // namespace

std::vector<WayOut> WaysOut(const PlanQuestion& question, double size_gib) {
  std::vector<WayOut> ways;
  PlanQuestion gp3 = question;
  gp3.buckets.clear();
  gp3.most_iops = PriorOf({.type = StorageType::kGp3, .size_gib = size_gib}).burst_iops;
  ways.push_back(Try("storage of type gp3", gp3));
  PlanQuestion replica = question;
  std::fill(replica.load.usual.begin(), replica.load.usual.end(), 0);
  std::fill(replica.load.high.begin(), replica.load.high.end(), 0);
  for (BucketState& bucket : replica.buckets) bucket.level = 1;
  ways.push_back(Try("a replica of its own, of the same storage", replica));
  PlanQuestion half = question;
  for (Work& work : half.work) work.operations /= 2;
  ways.push_back(Try("half of it read, as with mode: incremental for the largest tables", half));
  return ways;
}

}  // namespace hakobu
