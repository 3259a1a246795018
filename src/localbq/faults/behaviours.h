// What Google's service does to its clients by itself, with no rule set: it denies, delays, skips and loses.
// Each such behaviour has a name and can be turned off, and on for every case, so that a client can be shown
// to cope. Sources of each: docs/local-bigquery.md.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "absl/time/time.h"

namespace hakobu::localbq {

enum class Behaviour : uint8_t {
  kMaskedDenials,     // writes to a table just made, or to none: PERMISSION_DENIED "(or it may not exist)"
  kHiddenTables,      // tables.get is 404 for a moment after DDL
  kSkippedCopies,     // copies lack the rows that were just streamed
  kRowCountLag,       // numRows lacks them too
  kWriteSchemaLag,    // appends that send a new column are refused for a while
  kReadSchemaLag,     // Storage Read does not know a new column for a while
  kRelaxationLag,     // an open connection goes on refusing NULL after REQUIRED was relaxed
  kDroppedColumns,    // an open connection's values for a dropped column are acknowledged and lost
  kReplacedTables,    // an open connection's rows for a replaced table are acknowledged and lost
  kHiddenJobs,        // jobs.get is 404 for a moment after 409
  kUpdateRates,       // 5 DDL or 8 patches of a table at once, then one in 2.2 s
  kExpiringStreams,   // COMMITTED streams without traffic for three days are gone; finalized rows wait four
                      // hours
  kRestMaxStaleness,  // maxStaleness by REST is accepted and not stored
  kStreamingAlters,   // no RENAME and no SET DATA TYPE of a table that is streamed to
  kPublishLosses,     // what a way of publishing takes from its target
  kLayouts,           // loads and copies between different layouts are refused
  kPartitionLimits,   // 4,000 partitions a job; -10 to +1 years for streams
  kPartitionExpiry,   // rows of expired partitions vanish; a dataset's default partition expiration
  kPartitionFilters,  // requirePartitionFilter is enforced
  kLocations,         // a job's location is its datasets', and part of its id
  kWideNumbers,       // JSON numbers that neither INT64 nor FLOAT64 holds are refused
  kTypeClashes,       // a type clash ends the AppendRows connection
  kTruncateDataPolicies,  // open: WRITE_TRUNCATE_DATA drops row access policies
};
constexpr size_t kBehaviours = 23;

// Always: in every case, where the service does it in some.
enum class Setting : uint8_t { kOff, kOn, kAlways };

struct BehaviourName {
  Behaviour behaviour;
  std::string_view name;
  Setting usual;  // without --lenient and files
};
std::span<const BehaviourName> BehaviourNames();
std::optional<Behaviour> ParseBehaviour(std::string_view name);

// How long something lasts: short, so that tests are quick, or as long as it was measured.
enum class Delay : uint8_t {
  kDenial,           // masked denials after creation
  kHiddenTable,      // tables.get after DDL
  kBuffer,           // until copies see a streamed row
  kStreamRowCount,   // until numRows sees a row of a stream
  kDefaultRowCount,  // … of the default stream
  kWriteSchemaOpen,  // until an open connection knows a new column
  kWriteSchemaNew,   // … a new connection
  kReadSchema,       // … a read session
  kRelaxationOpen,   // until an open connection takes NULL
  kRelaxationNew,    // … a new one
  kDroppedColumn,    // values of a dropped column are lost for so long
  kReplacedLoss,     // rows for a replaced table are
  kReplacedHang,     // the append after that waits
  kReplacedNew,      // new writers of a replaced table are refused
  kHiddenJob,        // jobs.get after 409
  kUpdateInterval,   // between two updates of a table, once the burst is used up
  kStreamingAlter,   // a table counts as streamed to after its last row
};
enum class DelayLength : uint8_t { kShort, kReal };

// Thread-safe.
class Behaviours {
 public:
  Behaviours();

  bool Has(Behaviour behaviour) const { return setting(behaviour) != Setting::kOff; }
  Setting setting(Behaviour behaviour) const {
    return settings_[static_cast<size_t>(behaviour)].load(std::memory_order_relaxed);
  }
  void Set(Behaviour behaviour, Setting setting) { settings_[static_cast<size_t>(behaviour)] = setting; }
  void SetAll(Setting setting);

  DelayLength length() const { return length_; }
  void SetLength(DelayLength length) { length_ = length; }
  absl::Duration Length(Delay delay) const;

  // The clock of everything that takes days. Tests move it on.
  absl::Time Now() const;
  void Advance(absl::Duration duration) { advanced_us_ += absl::ToInt64Microseconds(duration); }
  absl::Duration advanced() const { return absl::Microseconds(advanced_us_.load()); }

  // What Reset goes back to: the settings and the length as they are now.
  void Keep();
  void Reset();

 private:
  std::array<std::atomic<Setting>, kBehaviours> settings_;
  std::array<Setting, kBehaviours> kept_{};
  std::atomic<DelayLength> length_{DelayLength::kShort};
  DelayLength kept_length_ = DelayLength::kShort;
  std::atomic<int64_t> advanced_us_{0};
};

}  // namespace hakobu::localbq
