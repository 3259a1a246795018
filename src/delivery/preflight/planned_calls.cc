#include "delivery/preflight/planned_calls.h"

#include <iterator>

namespace hakobu {
namespace {

constexpr auto kNightly = static_cast<uint8_t>(Use::kNightly);
constexpr auto kStream = static_cast<uint8_t>(Use::kStream);

}  // namespace

std::vector<TrialStep> TryPlannedCalls(const Config& config, StagingDataset staging,
                                       Destination* destination) {
  uint8_t uses = 0;
  bool appends = false;
  for (const TableRule& rule : config.tables) {
    const bool streams = rule.options.mode == TableMode::kStream;
    uses |= streams ? kStream : kNightly;
    appends = appends || streams || rule.options.write == WritePath::kStorage;
  }
  const DestinationConfig& to = config.destination;
  TrialPlan plan;
  plan.billing_project = to.billing_project;
  plan.location = to.location;
  plan.kms_key = to.kms_key;
  plan.appends = appends;
  const auto try_in = [&](const std::string& dataset, uint8_t some) {
    plan.dataset = {to.project, dataset};
    plan.uses = some;
    return some == 0 ? std::vector<TrialStep>() : TryCalls(*destination->rest, *destination->storage, plan);
  };
  if (to.staging_dataset == to.dataset) return try_in(to.dataset, uses);
  std::vector<TrialStep> steps;
  if (staging == StagingDataset::kIsThere) steps = try_in(to.staging_dataset, uses & kNightly);
  std::vector<TrialStep> streamed = try_in(to.dataset, uses & kStream);
  std::move(streamed.begin(), streamed.end(), std::back_inserter(steps));
  return steps;
}

}  // namespace hakobu
