#include "ledger/table_life.h"

#include <fmt/format.h>

#include <optional>
#include <string>

namespace hakobu {
namespace {

template <typename State, typename Event>
struct Transition {
  State from;
  Event event;
  State to;
};

template <typename State>
std::string Shown(State state) {
  const std::string_view name = NameOf(state);
  return name.empty() ? "not begun" : fmt::format("`{}`", name);
}

template <typename State, typename Event, size_t kCount>
absl::StatusOr<State> NextOf(const Transition<State, Event> (&transitions)[kCount], State state,
                             Event event) {
  std::string expected;
  for (const auto& transition : transitions) {
    if (transition.event != event) continue;
    if (transition.from == state) return transition.to;
    expected += (expected.empty() ? "" : ", ") + Shown(transition.from);
  }
  return absl::FailedPreconditionError(
      fmt::format("\"{}\" does not follow on {}: expected {}", NameOf(event), Shown(state), expected));
}

using RS = RunTableState;
using RE = RunTableEvent;
constexpr Transition<RS, RE> kRunTransitions[] = {
    {RS::kPlanned, RE::kRead, RS::kReading},        {RS::kReading, RE::kRead, RS::kReading},
    {RS::kPublishing, RE::kRead, RS::kReading},  // another attempt: its staging is looked at again
    {RS::kFailed, RE::kRead, RS::kReading},         {RS::kCancelled, RE::kRead, RS::kReading},
    {RS::kReading, RE::kPublish, RS::kPublishing},  {RS::kPublishing, RE::kPublish, RS::kPublishing},
    {RS::kPublishing, RE::kPublished, RS::kDone},   {RS::kPlanned, RE::kFail, RS::kFailed},
    {RS::kReading, RE::kFail, RS::kFailed},         {RS::kPublishing, RE::kFail, RS::kFailed},
    {RS::kFailed, RE::kFail, RS::kFailed},          {RS::kCancelled, RE::kFail, RS::kFailed},
    {RS::kPlanned, RE::kCancel, RS::kCancelled},    {RS::kReading, RE::kCancel, RS::kCancelled},
    {RS::kPublishing, RE::kCancel, RS::kCancelled}, {RS::kFailed, RE::kCancel, RS::kCancelled},
    {RS::kCancelled, RE::kCancel, RS::kCancelled},
};

using SS = StreamTableState;
using SE = StreamTableEvent;
constexpr Transition<SS, SE> kStreamTransitions[] = {
    {SS::kNone, SE::kBegin, SS::kBeginning},
    {SS::kBeginning, SE::kBegin, SS::kBeginning},
    {SS::kCopying, SE::kBegin, SS::kBeginning},
    {SS::kCopyingAgain, SE::kBegin, SS::kBeginning},
    {SS::kCopyingGap, SE::kBegin, SS::kBeginning},
    {SS::kCatching, SE::kBegin, SS::kBeginning},
    {SS::kGap, SE::kBegin, SS::kBeginning},
    {SS::kWhole, SE::kBegin, SS::kBeginning},
    {SS::kDropped, SE::kBegin, SS::kBeginning},

    {SS::kBeginning, SE::kTargetMade, SS::kCopying},

    {SS::kCopying, SE::kCopyAgain, SS::kCopyingAgain},
    {SS::kCopyingAgain, SE::kCopyAgain, SS::kCopyingAgain},
    // Copied rows do not take away those that the gap's statements deleted.
    {SS::kCopyingGap, SE::kCopyAgain, SS::kCopyingGap},
    {SS::kCatching, SE::kCopyAgain, SS::kCopyingAgain},
    {SS::kGap, SE::kCopyAgain, SS::kCopyingGap},
    {SS::kWhole, SE::kCopyAgain, SS::kCopyingAgain},

    {SS::kCopying, SE::kCopied, SS::kCatching},
    {SS::kCopyingAgain, SE::kCopied, SS::kCatching},
    {SS::kCopyingGap, SE::kCopied, SS::kGap},

    {SS::kCatching, SE::kCaughtUp, SS::kWhole},

    {SS::kCopying, SE::kGapPassed, SS::kCopyingGap},
    {SS::kCopyingAgain, SE::kGapPassed, SS::kCopyingGap},
    {SS::kCopyingGap, SE::kGapPassed, SS::kCopyingGap},
    {SS::kCatching, SE::kGapPassed, SS::kGap},
    {SS::kGap, SE::kGapPassed, SS::kGap},
    {SS::kWhole, SE::kGapPassed, SS::kGap},

    {SS::kGap, SE::kRepaired, SS::kWhole},

    {SS::kNone, SE::kStop, SS::kStopped},
    {SS::kBeginning, SE::kStop, SS::kStopped},
    {SS::kCopying, SE::kStop, SS::kStopped},
    {SS::kCopyingAgain, SE::kStop, SS::kStopped},
    {SS::kCopyingGap, SE::kStop, SS::kStopped},
    {SS::kCatching, SE::kStop, SS::kStopped},
    {SS::kGap, SE::kStop, SS::kStopped},
    {SS::kWhole, SE::kStop, SS::kStopped},
    {SS::kStopped, SE::kStop, SS::kStopped},
    {SS::kDropped, SE::kStop, SS::kStopped},  // it came back in a form that cannot be delivered

    {SS::kBeginning, SE::kDrop, SS::kDropped},
    {SS::kCopying, SE::kDrop, SS::kDropped},
    {SS::kCopyingAgain, SE::kDrop, SS::kDropped},
    {SS::kCopyingGap, SE::kDrop, SS::kDropped},
    {SS::kCatching, SE::kDrop, SS::kDropped},
    {SS::kGap, SE::kDrop, SS::kDropped},
    {SS::kWhole, SE::kDrop, SS::kDropped},
    {SS::kStopped, SE::kDrop, SS::kDropped},  // what bears the name later is another table

    {SS::kBeginning, SE::kForget, SS::kDropped},
    {SS::kCopying, SE::kForget, SS::kDropped},
    {SS::kCopyingAgain, SE::kForget, SS::kDropped},
    {SS::kCopyingGap, SE::kForget, SS::kDropped},
    {SS::kCatching, SE::kForget, SS::kDropped},
    {SS::kGap, SE::kForget, SS::kDropped},
    {SS::kWhole, SE::kForget, SS::kDropped},
    {SS::kStopped, SE::kForget, SS::kDropped},
    {SS::kDropped, SE::kForget, SS::kDropped},
};

}  // namespace

absl::StatusOr<RunTableState> Next(RunTableState state, RunTableEvent event) {
  return NextOf(kRunTransitions, state, event);
}

absl::StatusOr<StreamTableState> Next(StreamTableState state, StreamTableEvent event) {
  return NextOf(kStreamTransitions, state, event);
}

}  // namespace hakobu
