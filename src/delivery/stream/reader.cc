#include "delivery/stream/reader.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/log.h"
#include "base/status.h"
#include "delivery/move/retry.h"
#include "delivery/stream/spooled_stream.h"
#include "delivery/stream/start_point.h"

namespace hakobu {
namespace {

// So long without an event means that the log has been read to its end for now: what waits is sent.
constexpr absl::Duration kPause = absl::Milliseconds(5);
constexpr absl::Duration kLongestWait = absl::Milliseconds(500);
constexpr uint64_t kShowEvery = 256;  // events
constexpr int kTries = 3;             // without progress, after what is not likely to pass
// A password that was changed at the source may come late to where hakobu reads it.
constexpr absl::Duration kRotationPatience = absl::Minutes(10);

}  // namespace

void LogReader::SetState(const std::string& state, const std::string& reason) {
  {
    absl::MutexLock lock(&mutex_);
    if (state_.state == state && state_.reason == reason) return;
    state_.state = state;
    state_.reason = reason;
  }
  if (state == "following") said_.clear();
  // An outage that lasts is the outage watch's to say again.
  const bool repeated = state != "following" && said_.contains(reason);
  said_.insert(reason);
  Log(repeated         ? LogSeverity::kDebug
      : reason.empty() ? LogSeverity::kInfo
                       : LogSeverity::kWarning,
      "stream " + state, {{"reason", reason}});
}

void LogReader::Interrupt() {
  absl::MutexLock lock(&mutex_);
  interrupted_ = true;
  if (open_ != nullptr) open_->Interrupt();
}

absl::Status LogReader::Run(const DeliveredPoint& from) {
  server_id_ = context_->config->stream.server_id;
  if (const SpoolConfig& spool = context_->config->stream.spool; !spool.folder.empty()) {
    HAKOBU_ASSIGN_OR_RETURN(spool_, OpenEmptySpool(spool.folder, spool.max_bytes));
  }
  const RetryContext retry{.clock = context_->clock, .cancellation = &context_->stop, .jitter = {}};
  RetryPolicy policy;
  policy.first_delay = absl::Milliseconds(200);
  policy.longest_delay = absl::Seconds(10);
  policy.max_elapsed = absl::InfiniteDuration();
  policy.max_tries = std::numeric_limits<int>::max();
  Backoff backoff(policy, retry);
  DeliveredPoint next = from;
  while (!context_->stop.cancelled()) {
    SetState("connecting", "");
    const uint64_t transactions = follower_->transactions();
    const absl::Status status = Follow(next, server_id_);
    if (context_->stop.cancelled()) break;
    const bool progress = follower_->transactions() != transactions;
    if (!MayGoOn(status, progress)) return status;
    if (begun_) next = follower_->boundary();
    if (progress) backoff.Reset();
    {
      absl::MutexLock lock(&mutex_);
      ++state_.reconnects;
    }
    SetState("connecting", std::string(View(status.message())));
    if (!backoff.Wait(status).ok()) break;
  }
  return absl::OkStatus();
}

// Whether another connection may fare better.
bool LogReader::MayGoOn(const absl::Status& status, bool progress) {
  if (progress) failures_ = 0;
  if (stop_here_) return false;
  if (absl::IsUnauthenticated(status) && begun_) {
    const absl::Time now = context_->clock->Now();
    refused_since_ = std::min(refused_since_, now);
    return now - refused_since_ < kRotationPatience;
  }
  refused_since_ = absl::InfiniteFuture();
  const LogFailure failure = LogFailureOf(status);
  refused_ = LogFailure::kNone;
  if (failure == LogFailure::kPurged || failure == LogFailure::kAhead) {
    refused_ = failure;  // evidence for what comes next
    return ++failures_ <= kTries;
  }
  if (failure == LogFailure::kReplaced) {
    if (context_->config->stream.server_id == 0) server_id_ = 0;
    return ++failures_ <= kTries;
  }
  // Bytes that do not make sense may have been broken on the way.
  if (status.code() == absl::StatusCode::kDataLoss && failure == LogFailure::kNone && begun_) {
    return ++failures_ <= kTries;
  }
  return failure == LogFailure::kNone && PassesByItself(status);
}

absl::Status LogReader::Follow(const DeliveredPoint& from, uint32_t server_id) {
  const absl::StatusOr<StartPoint> point = ContinueAt(context_, from, refused_);
  stop_here_ = point.status().code() == absl::StatusCode::kDataLoss;
  HAKOBU_RETURN_IF_ERROR(point.status());
  LogStreamOptions options;
  options.server_id = server_id;
  options.replica_uuid = replica_uuid_;
  options.heartbeat = context_->config->stream.heartbeat;
  HAKOBU_ASSIGN_OR_RETURN(std::unique_ptr<LogStream> stream,
                          LogStream::Open(context_->connect, point->start, options));
  server_id_ = stream->server_id();
  replica_uuid_ = stream->replica_uuid();
  if (spool_ != nullptr) {
    HAKOBU_ASSIGN_OR_RETURN(stream, ReadThroughSpool(std::move(stream), spool_.get()));
  }
  HAKOBU_RETURN_IF_ERROR(follower_->Begin(point->position));
  begun_ = true;
  binlog::LogDecoder decoder(follower_);
  decoder.SetPosition(point->position.file, point->position.offset);
  {
    absl::MutexLock lock(&mutex_);
    open_ = stream.get();
    if (interrupted_) stream->Interrupt();
  }
  Log(LogSeverity::kInfo, "following the log",
      {{"from", point->start.Text()}, {"server", point->position.server_uuid}});
  SetState("following", "");
  const absl::Status status = ReadAll(stream.get(), &decoder, point->server_ahead);
  absl::MutexLock lock(&mutex_);
  open_ = nullptr;
  bytes_before_ += stream->bytes_read();
  return status;
}

absl::Status LogReader::ReadAll(LogStream* stream, binlog::LogDecoder* decoder, absl::Duration server_ahead) {
  const auto stopped = [] { return absl::CancelledError("stopped on request"); };
  uint64_t events = 0;
  while (!context_->stop.cancelled()) {
    HAKOBU_ASSIGN_OR_RETURN(const std::optional<std::string_view> event,
                            stream->Next(follower_->has_rows() ? kPause : kLongestWait));
    if (!event.has_value()) {
      if (!follower_->Flush()) return stopped();
    } else {
      if (const std::optional<LogFileIdentity> identity = IdentityOf(*event)) {
        follower_->SetFileIdentity(*identity);
      }
      follower_->SetProven(stream->waited_at());
      follower_->SetLatest(stream->last_heard() + server_ahead);
      HAKOBU_RETURN_IF_ERROR(decoder->Feed(*event));
    }
    if (!decoder->in_transaction()) HAKOBU_RETURN_IF_ERROR(follower_->Settle(decoder->context()));
    if (event.has_value()) {
      if (!follower_->FlushIfDue()) return stopped();
    }
    if (!event.has_value() || ++events % kShowEvery == 0) ShowProgress(*stream);
  }
  (void)follower_->Finish();
  return absl::OkStatus();
}

void LogReader::ShowProgress(const LogStream& stream) {
  const DeliveredPoint& place = follower_->place();
  absl::MutexLock lock(&mutex_);
  state_.file = place.file;
  state_.offset = place.offset;
  state_.last_heard = stream.last_heard();
  state_.bytes = bytes_before_ + stream.bytes_read();
}

}  // namespace hakobu
