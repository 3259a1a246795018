#include "ledger/publish_life.h"

#include <fmt/format.h>

namespace hakobu {
namespace {

using Step = PublishStep;
using State = PublishStepState;
using Event = PublishStepEvent;

absl::Status Refused(Step step, Event event, std::string_view why) {
  return absl::FailedPreconditionError(
      fmt::format("publish: \"{}\" of `{}` does not follow: {}", NameOf(event), NameOf(step), why));
}

bool PutsInPlace(Step step) {
  return step == Step::kCopy || step == Step::kQuery || step == Step::kMerge;
}

bool IsJob(Step step) {
  return step == Step::kPrevious || PutsInPlace(step);
}

bool IsInPlace(const PublishLife& life) {
  return life.Of(Step::kCopy) == State::kDone || life.Of(Step::kQuery) == State::kDone ||
         life.Of(Step::kMerge) == State::kDone || life.Of(Step::kPublished) == State::kDone;
}

absl::StatusOr<State> Begin(const PublishLife& life, Step step) {
  const Event event = Event::kBegin;
  if (!IsJob(step) && step != Step::kKeys) return Refused(step, event, "it is written once it is done");
  // A job that failed has used up its id: the step begins again with the next one.
  if (life.Of(step) == State::kDone) return Refused(step, event, "it is done");
  if (PutsInPlace(step) && IsInPlace(life)) return Refused(step, event, "the rows are in place");
  if (step == Step::kPrevious && IsInPlace(life))
    return Refused(step, event, "the target is not what it was any more");
  if (step == Step::kKeys && life.Of(Step::kGone) == State::kDone)
    return Refused(step, event, "the rows that are gone are deleted");
  return State::kBegun;
}

absl::StatusOr<State> Finish(const PublishLife& life, Step step) {
  const Event event = Event::kFinish;
  if (step == Step::kKeys) return Refused(step, event, "it ends with `gone`");
  if (IsJob(step) && life.Of(step) != State::kBegun)
    return Refused(step, event, "expected its job's id to be kept before");
  if (step == Step::kGone && life.Of(Step::kKeys) != State::kBegun)
    return Refused(step, event, "expected the table of keys to be kept before");
  // Another attempt makes the staging table anew, or finds it; a cursor is moved again to where it is.
  const bool again = step == Step::kStaging || step == Step::kCursor;
  if (life.Of(step) == State::kDone && !again) return Refused(step, event, "it is done");
  if (step == Step::kCommit && life.Of(Step::kPublished) == State::kDone)
    return Refused(step, event, "the rows are in place");
  if (step == Step::kBefore && IsInPlace(life))
    return Refused(step, event, "the target is not what it was any more");
  return State::kDone;
}

}  // namespace

absl::StatusOr<PublishStepState> Next(const PublishLife& life, PublishStep step, PublishStepEvent event) {
  return event == Event::kBegin ? Begin(life, step) : Finish(life, step);
}

}  // namespace hakobu
