#include "delivery/stream/position_keeper.h"

#include <utility>

#include "base/check.h"

namespace hakobu {

bool PositionKeeper::Issue(uint64_t bytes, uint64_t* ticket) {
  absl::MutexLock lock(&mutex_);
  const auto has_room = [&]() ABSL_SHARED_LOCKS_REQUIRED(mutex_) {
    return stopped_ || held_bytes_ == 0 || held_bytes_ + bytes <= budget_bytes_;
  };
  mutex_.Await(absl::Condition(&has_room));
  if (stopped_) return false;
  held_bytes_ += bytes;
  *ticket = ++issued_;
  HAKOBU_CHECK(open_.empty() || *open_.rbegin() < *ticket, "a ticket was issued twice", kStartAgain);
  open_.insert(*ticket);
  return true;
}

void PositionKeeper::Acknowledge(uint64_t ticket, uint64_t bytes) {
  absl::MutexLock lock(&mutex_);
  const bool was_open = open_.erase(ticket) == 1;
  HAKOBU_CHECK(was_open,
               "a request was acknowledged that is not on its way: the stored place could pass one that is",
               kStartAgain);
  HAKOBU_CHECK(bytes <= held_bytes_, "more was acknowledged than is held", kStartAgain);
  held_bytes_ -= bytes;
  HAKOBU_CHECK(!open_.empty() || held_bytes_ == 0, "all is acknowledged, and bytes are held still",
               kStartAgain);
}

void PositionKeeper::Mark(LogMark mark) {
  absl::MutexLock lock(&mutex_);
  HAKOBU_CHECK(marks_.empty() || marks_.back().tickets <= issued_,
               "a mark is before one that was set earlier", kStartAgain);
  HAKOBU_CHECK(marks_.empty() || marks_.back().mark.position.epoch <= mark.position.epoch,
               "a place of an older log would follow on one of a newer", kStartAgain);
  // Marks that nothing lies between become one; schemas of the earlier one still count.
  if (!marks_.empty() && marks_.back().tickets == issued_) {
    if (mark.schemas_json == nullptr) mark.schemas_json = std::move(marks_.back().mark.schemas_json);
    marks_.back().mark = std::move(mark);
    return;
  }
  marks_.push_back({issued_, std::move(mark)});
}

std::optional<LogMark> PositionKeeper::TakeAcknowledged() {
  absl::MutexLock lock(&mutex_);
  const uint64_t acknowledged = open_.empty() ? issued_ : *open_.begin() - 1;
  HAKOBU_CHECK(acknowledged <= issued_, "more tickets are acknowledged than were issued", kStartAgain);
  std::optional<LogMark> newest;
  while (!marks_.empty() && marks_.front().tickets <= acknowledged) {
    LogMark mark = std::move(marks_.front().mark);
    marks_.pop_front();
    if (mark.schemas_json == nullptr && newest.has_value())
      mark.schemas_json = std::move(newest->schemas_json);
    newest = std::move(mark);
  }
  return newest;
}

bool PositionKeeper::WaitForAll(absl::Duration longest) {
  absl::MutexLock lock(&mutex_);
  return mutex_.AwaitWithTimeout(absl::Condition(this, &PositionKeeper::AllAcknowledged), longest) &&
         !stopped_;
}

bool PositionKeeper::idle() const {
  absl::MutexLock lock(&mutex_);
  return open_.empty() && marks_.empty();
}

void PositionKeeper::Stop() {
  absl::MutexLock lock(&mutex_);
  stopped_ = true;
}

uint64_t PositionKeeper::held_bytes() const {
  absl::MutexLock lock(&mutex_);
  return held_bytes_;
}

}  // namespace hakobu
