#include "localbq/faults/behaviours.h"

#include <algorithm>

#include "absl/time/clock.h"

namespace hakobu::localbq {
namespace {

constexpr BehaviourName kNames[] = {
    {Behaviour::kMaskedDenials, "masked_denials", Setting::kOn},
    {Behaviour::kHiddenTables, "hidden_tables", Setting::kOn},
    {Behaviour::kSkippedCopies, "skipped_copies", Setting::kOn},
    {Behaviour::kRowCountLag, "row_count_lag", Setting::kOn},
    {Behaviour::kWriteSchemaLag, "write_schema_lag", Setting::kOn},
    {Behaviour::kReadSchemaLag, "read_schema_lag", Setting::kOn},
    {Behaviour::kRelaxationLag, "relaxation_lag", Setting::kOn},
    {Behaviour::kDroppedColumns, "dropped_columns", Setting::kOn},
    {Behaviour::kReplacedTables, "replaced_tables", Setting::kOn},
    {Behaviour::kHiddenJobs, "hidden_jobs", Setting::kOn},
    {Behaviour::kUpdateRates, "update_rates", Setting::kOn},
    {Behaviour::kExpiringStreams, "expiring_streams", Setting::kOn},
    {Behaviour::kRestMaxStaleness, "rest_max_staleness", Setting::kOn},
    {Behaviour::kStreamingAlters, "streaming_alters", Setting::kOn},
    {Behaviour::kPublishLosses, "publish_losses", Setting::kOn},
    {Behaviour::kLayouts, "layouts", Setting::kOn},
    {Behaviour::kPartitionLimits, "partition_limits", Setting::kOn},
    {Behaviour::kPartitionExpiry, "partition_expiry", Setting::kOn},
    {Behaviour::kPartitionFilters, "partition_filters", Setting::kOn},
    {Behaviour::kLocations, "locations", Setting::kOn},
    {Behaviour::kWideNumbers, "wide_numbers", Setting::kOn},
    {Behaviour::kTypeClashes, "type_clashes", Setting::kOn},
    {Behaviour::kTruncateDataPolicies, "truncate_data_policies", Setting::kOff},
};
static_assert(std::size(kNames) == kBehaviours);

struct Lengths {
  absl::Duration short_one, real;
};

// The real ones as they were measured, the short ones long enough for a client to meet them.
Lengths LengthsOf(Delay delay) {
  switch (delay) {
    case Delay::kDenial:
      return {absl::Seconds(2), absl::Seconds(30)};
    case Delay::kHiddenTable:
      return {absl::Milliseconds(150), absl::Seconds(8)};
    case Delay::kBuffer:
      return {absl::Milliseconds(400), absl::Seconds(90)};
    case Delay::kStreamRowCount:
      return {absl::Milliseconds(400), absl::Seconds(65)};
    case Delay::kDefaultRowCount:
      return {absl::Milliseconds(600), absl::Seconds(300)};
    case Delay::kWriteSchemaOpen:
      return {absl::Milliseconds(200), absl::Seconds(7)};
    case Delay::kWriteSchemaNew:
      return {absl::Milliseconds(50), absl::Seconds(1)};
    case Delay::kReadSchema:
      return {absl::Milliseconds(200), absl::Seconds(30)};
    case Delay::kRelaxationOpen:
      return {absl::Seconds(5), absl::Minutes(5)};
    case Delay::kRelaxationNew:
      return {absl::Milliseconds(100), absl::Seconds(11)};
    case Delay::kDroppedColumn:
      return {absl::Milliseconds(300), absl::Seconds(9)};
    case Delay::kReplacedLoss:
      return {absl::Milliseconds(200), absl::Seconds(6)};
    case Delay::kReplacedHang:
      return {absl::Milliseconds(500), absl::Seconds(120)};
    case Delay::kReplacedNew:
      return {absl::Milliseconds(300), absl::Minutes(3)};
    case Delay::kHiddenJob:
      return {absl::Milliseconds(150), absl::Seconds(10)};
    case Delay::kUpdateInterval:
      return {absl::Milliseconds(60), absl::Milliseconds(2200)};
    case Delay::kStreamingAlter:
      return {absl::Milliseconds(500), absl::Hours(5)};
  }
  return {};
}

}  // namespace

std::span<const BehaviourName> BehaviourNames() {
  return kNames;
}

std::optional<Behaviour> ParseBehaviour(std::string_view name) {
  const auto found = std::ranges::find(kNames, name, &BehaviourName::name);
  if (found == std::end(kNames)) return std::nullopt;
  return found->behaviour;
}

Behaviours::Behaviours() {
  for (const BehaviourName& row : kNames) Set(row.behaviour, row.usual);
  Keep();
}

void Behaviours::SetAll(Setting setting) {
  for (const BehaviourName& row : kNames) Set(row.behaviour, setting);
}

absl::Duration Behaviours::Length(Delay delay) const {
  const Lengths lengths = LengthsOf(delay);
  return length() == DelayLength::kReal ? lengths.real : lengths.short_one;
}

absl::Time Behaviours::Now() const {
  return absl::Now() + advanced();
}

void Behaviours::Keep() {
  for (size_t i = 0; i < kBehaviours; ++i) kept_[i] = settings_[i];
  kept_length_ = length_;
}

void Behaviours::Reset() {
  for (size_t i = 0; i < kBehaviours; ++i) settings_[i] = kept_[i];
  length_ = kept_length_;
  advanced_us_ = 0;
}

}  // namespace hakobu::localbq
