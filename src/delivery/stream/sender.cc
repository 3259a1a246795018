#include "delivery/stream/sender.h"

#include <fmt/format.h>

#include <utility>

#include "base/check.h"
#include "base/log.h"
#include "base/status.h"

namespace hakobu {
namespace {

// How long the thread waits for answers before it looks at what is to be sent, and the other way round.
constexpr absl::Duration kLookAround = absl::Milliseconds(2);
constexpr absl::Duration kIdle = absl::Milliseconds(200);

// What concerns one table; anything else would meet every other table too.
bool IsOfTheTable(const absl::Status& status) {
  switch (status.code()) {
    case absl::StatusCode::kInvalidArgument:
    case absl::StatusCode::kNotFound:
    case absl::StatusCode::kFailedPrecondition:
    case absl::StatusCode::kDataLoss:
    case absl::StatusCode::kOutOfRange:
    case absl::StatusCode::kUnimplemented:
      return true;
    default:
      return false;
  }
}

}  // namespace

Sender::Sender(StorageWrite* storage, AppendOptions options, PositionKeeper* keeper, SenderEvents* events)
    : storage_(storage),
      options_(options),
      keeper_(keeper),
      events_(events),
      connection_(*storage, std::move(options)) {
  thread_ = std::thread([this] { Run(); });
}

Sender::~Sender() {
  {
    absl::MutexLock lock(&mutex_);
    stopping_ = true;
  }
  thread_.join();
}

void Sender::Enqueue(Item item) {
  absl::MutexLock lock(&mutex_);
  items_.push_back(std::move(item));
}

void Sender::Open(size_t lane, std::string stream, std::string descriptor, NextStream next_stream) {
  Enqueue({.kind = Item::Kind::kOpen,
           .lane = lane,
           .rows = nullptr,
           .ticket = 0,
           .stream = std::move(stream),
           .descriptor = std::move(descriptor),
           .next_stream = std::move(next_stream)});
}

void Sender::ChangeDescriptor(size_t lane, std::string descriptor) {
  Enqueue({.kind = Item::Kind::kDescriptor,
           .lane = lane,
           .rows = nullptr,
           .ticket = 0,
           .stream = {},
           .descriptor = std::move(descriptor)});
}

void Sender::Push(size_t lane, std::shared_ptr<EncodedRows> rows, uint64_t ticket) {
  HAKOBU_CHECK(rows != nullptr && rows->rows() > 0, "a request without rows has a ticket", kStartAgain);
  Enqueue({.kind = Item::Kind::kRows,
           .lane = lane,
           .rows = std::move(rows),
           .ticket = ticket,
           .stream = {},
           .descriptor = {}});
}

AppendConnection::Counters Sender::counters() const {
  absl::MutexLock lock(&mutex_);
  return counters_;
}

std::deque<Sender::Item> Sender::TakeItems() {
  absl::MutexLock lock(&mutex_);
  const auto any = [this]() ABSL_SHARED_LOCKS_REQUIRED(mutex_) { return !items_.empty() || stopping_; };
  if (waiting_ == 0) mutex_.AwaitWithTimeout(absl::Condition(&any), kIdle);
  counters_ = connection_.counters();
  return std::exchange(items_, {});
}

void Sender::Run() {
  for (;;) {
    std::deque<Item> items = TakeItems();
    {
      absl::MutexLock lock(&mutex_);
      if (stopping_) return;
    }
    absl::Status status;
    for (Item& item : items) {
      status = Handle(std::move(item));
      if (!status.ok()) break;
    }
    if (status.ok())
      status = connection_.Poll(waiting_ > 0 && items.empty() ? kLookAround : absl::ZeroDuration());
    const absl::Status taken = TakeAcknowledgements();
    if (status.ok()) status = taken;
    if (status.ok()) continue;
    events_->OnSenderFailed(status);
    return;
  }
}

absl::Status Sender::Handle(Item item) {
  Lane& lane = lanes_[item.lane];
  switch (item.kind) {
    case Item::Kind::kOpen:
      HAKOBU_RETURN_IF_ERROR(Drain(&lane));
      HAKOBU_CHECK(lane.waiting.empty(), "a lane is opened anew while requests of it are on their way",
                   kStartAgain);
      lane = Lane();
      lane.connection = &connection_;
      lane.stream = item.stream;
      if (!IsDefaultStream(item.stream)) {
        lane.own = std::make_unique<AppendConnection>(*storage_, options_);
        lane.connection = lane.own.get();
      }
      lane.target = lane.connection->AddTarget({.stream = std::move(item.stream),
                                                .descriptor = std::move(item.descriptor),
                                                .next_offset = 0,
                                                .next_stream = std::move(item.next_stream)});
      return absl::OkStatus();
    case Item::Kind::kDescriptor:
      HAKOBU_CHECK(lane.connection != nullptr, "a lane changes before it is open", kStartAgain);
      if (!lane.failed) lane.connection->ChangeDescriptor(lane.target, std::move(item.descriptor));
      return absl::OkStatus();
    case Item::Kind::kRows:
      break;
  }
  HAKOBU_CHECK(lane.connection != nullptr, "rows are sent on a lane that is not open", kStartAgain);
  const uint64_t bytes = item.rows->bytes().size();
  if (lane.failed) {
    keeper_->Acknowledge(item.ticket, bytes);
    return absl::OkStatus();
  }
  HAKOBU_CHECK(lane.waiting.empty() || lane.waiting.back().ticket < item.ticket,
               "requests of a table are sent in another order than they were read in", kStartAgain);
  lane.waiting.push_back({item.ticket, bytes});
  ++waiting_;
  RowBytes rows{.bytes = item.rows->bytes(), .row_count = item.rows->rows(), .owner = item.rows};
  item.rows.reset();
  const absl::Status status = lane.connection->Append(lane.target, std::move(rows));
  HAKOBU_RETURN_IF_ERROR(TakeAcknowledgements());
  // A failure of the lane's own was taken care of just now.
  return status.ok() || lane.failed ? absl::OkStatus() : status;
}

// What the lane was sent before is answered, or the lane has failed.
absl::Status Sender::Drain(Lane* lane) {
  absl::Status flushed;
  if (!lane->waiting.empty()) flushed = lane->connection->Flush(lane->target);
  HAKOBU_RETURN_IF_ERROR(TakeAcknowledgements());
  // A failure of the lane's own was taken care of just now.
  return lane->waiting.empty() ? absl::OkStatus() : flushed;
}

absl::Status Sender::TakeAcknowledgements() {
  for (auto& [id, lane] : lanes_) {
    if (lane.failed || lane.waiting.empty()) continue;
    if (lane.own != nullptr) HAKOBU_RETURN_IF_ERROR(lane.own->Poll());
    for (const uint64_t all = lane.connection->AcknowledgedAppends(lane.target); lane.acknowledged < all;
         ++lane.acknowledged) {
      HAKOBU_CHECK(!lane.waiting.empty(), "BigQuery acknowledged more requests of a table than were sent",
                   kStartAgain);
      keeper_->Acknowledge(lane.waiting.front().ticket, lane.waiting.front().bytes);
      lane.waiting.pop_front();
      HAKOBU_CHECK(waiting_ > 0, "more requests are answered than were sent", kStartAgain);
      --waiting_;
    }
    NoteParked(&lane);
    const absl::Status failure = lane.connection->Failure(lane.target);
    if (failure.ok()) continue;
    if (!IsOfTheTable(failure)) return failure;
    Fail(id, &lane, failure);
  }
  return absl::OkStatus();
}

// A table or a column that is not everywhere yet may take hours: nobody should have to guess.
void Sender::NoteParked(Lane* lane) {
  const absl::Status reason = lane->connection->Parked(lane->target);
  if (reason.ok() == !lane->parked) return;
  lane->parked = !reason.ok();
  if (lane->parked) {
    Log(LogSeverity::kWarning, "a table's changes wait for BigQuery to know it everywhere",
        {{"stream", lane->stream}, {"error", std::string(View(reason.message()))}});
  } else {
    Log(LogSeverity::kInfo, "the table's changes go on", {{"stream", lane->stream}});
  }
}

void Sender::Fail(size_t id, Lane* lane, const absl::Status& status) {
  events_->OnLaneFailed(id, status);
  lane->failed = true;
  for (const Waiting& waiting : lane->waiting) keeper_->Acknowledge(waiting.ticket, waiting.bytes);
  HAKOBU_CHECK(waiting_ >= lane->waiting.size(), "more requests are given up than were sent", kStartAgain);
  waiting_ -= lane->waiting.size();
  lane->waiting.clear();
}

}  // namespace hakobu
