// The states that tables pass through, in a run and in the stream. Pure: what may follow on what is decided
// here and nowhere else; the books keep the states and refuse the rest.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "absl/status/statusor.h"
#include "base/enum_name.h"

namespace hakobu {

// A table of one run.
enum class RunTableState : uint8_t {
  kPlanned,     // its chunks are in the ledger, nothing of it is in BigQuery
  kReading,     // chunks are on their way
  kPublishing,  // all chunks are there; steps of the publication may have been taken
  kDone,        // published; final
  kFailed,      // this attempt ended; another attempt of the same run goes on from its chunks
  kCancelled,   // the same, on request
};
inline constexpr std::string_view kRunTableStateNames[] = {"planned", "reading", "publishing",
                                                           "done",    "failed",  "cancelled"};
constexpr std::span<const std::string_view> NamesOf(RunTableState) {
  return kRunTableStateNames;
}

enum class RunTableEvent : uint8_t { kRead, kPublish, kPublished, kFail, kCancel };
inline constexpr std::string_view kRunTableEventNames[] = {"read", "publish", "published", "fail", "cancel"};
constexpr std::span<const std::string_view> NamesOf(RunTableEvent) {
  return kRunTableEventNames;
}

// FailedPrecondition, saying what was expected, for what does not follow.
absl::StatusOr<RunTableState> Next(RunTableState state, RunTableEvent event);

// A table as the stream delivers it.
enum class StreamTableState : uint8_t {
  kNone,          // the stream has not delivered it yet
  kBeginning,     // its target is being made, empty
  kCopying,       // first copy: rows that were not copied yet are read from now on
  kCopyingAgain,  // the copy is made again over the rows that are there
  kCopyingGap,    // a copy is under way, and an open gap may concern what was there or copied before
  kCatching,      // the copy is done, the log up to its end is not yet delivered
  kGap,           // delivered, but an open gap may concern it: the reason names it
  kWhole,         // equals the source at the stored position
  kStopped,       // not delivered any more: the reason says why, only a new copy brings it back
  kDropped,       // gone from the source or the configuration, or to be copied anew at the next start
};
inline constexpr std::string_view kStreamTableStateNames[] = {
    "",         "beginning", "copying", "copying_again", "copying_gap",
    "catching", "gap",       "whole",   "stopped",       "dropped"};
constexpr std::span<const std::string_view> NamesOf(StreamTableState) {
  return kStreamTableStateNames;
}

enum class StreamTableEvent : uint8_t {
  kBegin,       // the target is made anew, empty
  kTargetMade,  // it is there, its changes are delivered from here on
  kCopyAgain,   // all rows changed at the source without events: they are read again
  kCopied,      // every chunk is acknowledged
  kCaughtUp,    // the stored position has passed the copy's end
  kGapPassed,   // the stream goes on behind a gap that may concern it
  kRepaired,    // no open gap speaks against it any more
  kStop,        // it cannot be delivered any more
  kDrop,        // dropped or renamed at the source
  kForget,      // what is there counts no more: the next start begins it anew
};
inline constexpr std::string_view kStreamTableEventNames[] = {
    "begin",      "target made", "copy again", "copied", "caught up",
    "gap passed", "repaired",    "stop",       "drop",   "forget"};
constexpr std::span<const std::string_view> NamesOf(StreamTableEvent) {
  return kStreamTableEventNames;
}

absl::StatusOr<StreamTableState> Next(StreamTableState state, StreamTableEvent event);

// A copy is under way.
constexpr bool IsCopying(StreamTableState state) {
  return state == StreamTableState::kCopying || state == StreamTableState::kCopyingAgain ||
         state == StreamTableState::kCopyingGap;
}
// Its changes are delivered, whole or not.
constexpr bool IsDelivered(StreamTableState state) {
  return IsCopying(state) || state == StreamTableState::kCatching || state == StreamTableState::kGap ||
         state == StreamTableState::kWhole;
}

}  // namespace hakobu
