// The steps by which a table of a run is published, and which may follow on which. Pure: the run book keeps
// them and refuses the rest. Each is written before it is taken, where it may be taken twice otherwise, and
// after.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string_view>

#include "absl/status/statusor.h"
#include "base/enum_name.h"

namespace hakobu {

enum class PublishStep : uint8_t {
  kStaging,    // the staging table is there; detail: when BigQuery made it
  kCommit,     // the write streams are committed; detail: how many
  kPrevious,   // job: the target as it was, copied aside
  kBefore,     // the target as it was; detail: its resource
  kCopy,       // job: the rows are put in place; one of these three
  kQuery,      //
  kMerge,      //
  kPublished,  // the rows are in place; detail: "unchanged" when nothing had to be sent
  kCursor,     // where the next incremental run begins
  kKeys,       // detail: the table of the source's keys, to be removed
  kGone,       // rows that the source has no more are deleted; detail: how many
};
inline constexpr std::string_view kPublishStepNames[] = {"staging", "commit", "previous", "before",
                                                         "copy",    "query",  "merge",    "published",
                                                         "cursor",  "keys",   "gone"};
constexpr std::span<const std::string_view> NamesOf(PublishStep) {
  return kPublishStepNames;
}

enum class PublishStepState : uint8_t { kNone, kBegun, kDone };
inline constexpr std::string_view kPublishStepStateNames[] = {"none", "begun", "done"};
constexpr std::span<const std::string_view> NamesOf(PublishStepState) {
  return kPublishStepStateNames;
}

enum class PublishStepEvent : uint8_t { kBegin, kFinish };
inline constexpr std::string_view kPublishStepEventNames[] = {"begin", "finish"};
constexpr std::span<const std::string_view> NamesOf(PublishStepEvent) {
  return kPublishStepEventNames;
}

// Of one table: the state of each of its steps.
class PublishLife {
 public:
  PublishStepState Of(PublishStep step) const { return states_[static_cast<size_t>(step)]; }
  void Set(PublishStep step, PublishStepState state) { states_[static_cast<size_t>(step)] = state; }

 private:
  std::array<PublishStepState, std::size(kPublishStepNames)> states_{};
};

// What `step` is after the event. FailedPrecondition, saying why, for what does not follow.
absl::StatusOr<PublishStepState> Next(const PublishLife& life, PublishStep step, PublishStepEvent event);

}  // namespace hakobu
