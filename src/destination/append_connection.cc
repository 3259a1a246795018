#include <fmt/format.h>

#include <algorithm>

#include "absl/time/clock.h"
#include "base/check.h"
#include "base/status.h"
#include "destination/append_state.h"
#include "destination/append_wire.h"
#include "destination/http.h"

namespace hakobu {
namespace {

constexpr std::string_view kTraceId = "hakobu:" HAKOBU_VERSION;

// Hands a slice's bytes to gRPC without copying them; the owner lives until gRPC drops the slice.
grpc::Slice SliceOf(RowBytes rows) {
  auto* owner = new std::shared_ptr<const void>(std::move(rows.owner));
  return grpc::Slice(
      const_cast<char*>(rows.bytes.data()), rows.bytes.size(),
      [](void* user) { delete static_cast<std::shared_ptr<const void>*>(user); }, owner);
}

// Header values are printable ASCII; a table's name may be Japanese.
std::string HeaderText(std::string_view text) {
  std::string header;
  for (const char& c : text) {
    if (c > ' ' && c < 0x7f) {
      header += c;
    } else {
      header += PercentEncode({&c, 1});
    }
  }
  return header;
}

// gRPC ends a cancelled call at once, but for one whose bytes the service does not take: that ends with its
// connection, 20 s later. Whoever is told to stop does not wait for it.
constexpr absl::Duration kCancelledCallsEndWithin = absl::Seconds(1);

// Keeps the call and its channel as long as the process lives.
void LeaveToItself(const std::shared_ptr<AppendCall>& call, StorageWrite::Transport& transport) {
  struct Left {
    std::shared_ptr<AppendCall> call;
    std::vector<std::shared_ptr<grpc::Channel>> channels;
  };
  static absl::Mutex mutex(absl::kConstInit);
  static auto* const all = new std::vector<Left>();
  Left left{call, {}};
  for (int i = 0; i < std::max(1, transport.options().channels); ++i)
    left.channels.push_back(transport.NextChannel());
  absl::MutexLock lock(&mutex);
  all->push_back(std::move(left));
}

RetryPolicy PatientPolicy(RetryPolicy policy, const AppendOptions& options) {
  policy.max_elapsed = std::max({policy.max_elapsed, options.table_patience, options.schema_patience});
  return policy;
}

}  // namespace

AppendTargetState::AppendTargetState(AppendTarget target, const RetryPolicy& policy,
                                     const RetryContext& context, const LookAtTable& look,
                                     const AppendOptions& options)
    : spec(std::move(target)),
      is_default(IsDefaultStream(spec.stream)),
      descriptor(std::make_shared<const std::string>(std::move(spec.descriptor))),
      work("append to " + spec.stream),
      next_offset(spec.next_offset),
      table_wait(TableOfStream(spec.stream), look, options.table_patience),
      schema_wait(TableOfStream(spec.stream), look, options.schema_patience),
      backoff(policy, context) {}

PendingAppend* AppendTargetState::Find(uint64_t sequence) {
  if (pending.empty() || sequence < pending.front().sequence) return nullptr;
  const uint64_t place = sequence - pending.front().sequence;
  return place < pending.size() ? &pending[place] : nullptr;
}

AppendConnection::State::State(StorageWrite& service, AppendOptions options)
    : service_(service),
      transport_(service.transport()),
      options_(std::move(options)),
      context_(transport_.options().context),
      last_news_(context_.clock->Now()),
      reconnect_(transport_.options().retry, context_) {}

// Every call has ended before the channel may go.
AppendConnection::State::~State() {
  if (call_ != nullptr && awaited_.empty()) {
    call_->FinishWrites();
    const bool stopped = context_.cancellation != nullptr && context_.cancellation->cancelled();
    for (int tries = stopped ? 18 : 0; tries < 20 && !call_->Ended(); ++tries) {
      call_->WaitForNews(absl::Milliseconds(100));
      call_->TakeAnswer();
    }
  }
  if (call_ != nullptr) CancelCall();
  const bool stopped = context_.cancellation != nullptr && context_.cancellation->cancelled();
  const absl::Time until = stopped ? absl::Now() + kCancelledCallsEndWithin : absl::InfiniteFuture();
  for (const std::shared_ptr<AppendCall>& call : cancelled_) {
    while (!call->Ended() && absl::Now() < until) {
      call->WaitForNews(absl::Milliseconds(100));
      call->TakeAnswer();
    }
    if (!call->Ended()) LeaveToItself(call, transport_);
  }
}

void AppendConnection::State::CancelCall() {
  call_->Cancel();
  cancelled_.push_back(std::move(call_));
}

// A call that has written to a table which was made again since takes its rows for seconds and loses them
// [bigquery-rs, schema-management]: what is opened a second time is not written to through it.
AppendConnection::TargetId AppendConnection::State::AddTarget(AppendTarget target) {
  renew_ |= std::any_of(targets_.begin(), targets_.end(),
                        [&](const auto& earlier) { return earlier->spec.stream == target.stream; });
  targets_.push_back(std::make_unique<AppendTargetState>(
      std::move(target), PatientPolicy(transport_.options().retry, options_), context_,
      transport_.options().look_at_table, options_));
  return targets_.size() - 1;
}

bool AppendConnection::State::HasRoomFor(size_t bytes) const {
  if (requests_in_flight_ == 0) return true;
  return requests_in_flight_ < options_.max_requests_in_flight &&
         bytes_in_flight_ + bytes <= options_.max_bytes_in_flight;
}

absl::Status AppendConnection::State::Append(TargetId id, RowBytes rows) {
  HAKOBU_CHECK(id < targets_.size(), "rows are appended to a target that was not added", kStartAgain);
  HAKOBU_CHECK(rows.row_count > 0, "an append has no rows: offsets would not move", kStartAgain);
  AppendTargetState& target = *targets_[id];
  if (rows.bytes.size() > kMaxAppendBytes) {
    return WithHint(
        absl::InvalidArgumentError(fmt::format("append to {}: expected at most {} bytes, found {}",
                                               target.spec.stream, kMaxAppendBytes, rows.bytes.size())),
        "BigQuery takes 20 MB in one request");
  }
  while (target.failure.ok() && !HasRoomFor(rows.bytes.size())) {
    HAKOBU_RETURN_IF_ERROR(Step(absl::Milliseconds(100)));
  }
  if (!target.failure.ok()) return target.failure;
  PendingAppend append;
  append.sequence = target.appended++;
  append.offset = target.next_offset;
  HAKOBU_CHECK(target.pending.empty() || target.pending.back().sequence + 1 == append.sequence,
               "appends to a stream are not in sequence", kStartAgain);
  append.row_count = rows.row_count;
  append.size = rows.bytes.size();
  append.rows = SliceOf(std::move(rows));
  append.descriptor = target.descriptor;
  target.next_offset += static_cast<int64_t>(append.row_count);
  bytes_in_flight_ += append.size;
  ++requests_in_flight_;
  target.pending.push_back(std::move(append));
  HAKOBU_RETURN_IF_ERROR(Step(absl::ZeroDuration()));
  return target.failure;
}

absl::Status AppendConnection::State::Flush(TargetId id) {
  AppendTargetState& target = *targets_[id];
  while (target.failure.ok() && !target.pending.empty()) {
    HAKOBU_RETURN_IF_ERROR(Step(absl::Milliseconds(100)));
  }
  return target.failure;
}

absl::Status AppendConnection::State::Poll(absl::Duration longest) {
  return Step(longest);
}

// At most `longest`, and no longer than until something paused may go on.
absl::Duration AppendConnection::State::UntilNextResume(absl::Duration longest) const {
  const absl::Time now = context_.clock->Now();
  absl::Time next = now + longest;
  if (call_ == nullptr && reconnect_at_ > now) next = std::min(next, reconnect_at_);
  for (const auto& target : targets_) {
    if (!target->trouble.ok() && target->outstanding == 0) next = std::min(next, target->resume);
  }
  return std::max(next - now, absl::Milliseconds(1));
}

absl::Status AppendConnection::State::Step(absl::Duration longest_wait) {
  if (context_.cancellation != nullptr) HAKOBU_RETURN_IF_ERROR(context_.cancellation->Check());
  TakeAnswers();
  WatchForStall();  // here too: some callers never wait
  HAKOBU_RETURN_IF_ERROR(SendWhatMay());
  if (longest_wait <= absl::ZeroDuration()) return absl::OkStatus();
  const absl::Duration pause = UntilNextResume(longest_wait);
  if (call_ == nullptr) return SleepFor(context_, pause);
  call_->WaitForNews(pause);
  TakeAnswers();
  WatchForStall();
  return absl::OkStatus();
}

void AppendConnection::State::WatchForStall() {
  if (call_ == nullptr || awaited_.empty()) return;
  if (context_.outages != nullptr && context_.clock->Now() - last_news_ > kAnswerWithin) {
    context_.outages->OnSilence(targets_[awaited_.front().target]->work, last_news_);
  }
  if (context_.clock->Now() - last_news_ < options_.answer_timeout) return;
  CancelCall();
  TakeEnd(absl::DeadlineExceededError(
      fmt::format("no answer for {} s", absl::ToInt64Seconds(options_.answer_timeout))));
}

void AppendConnection::State::TellFailure(const AppendTargetState& target, const absl::Status& error) {
  if (context_.outages != nullptr) context_.outages->OnFailure(target.work, Annotate(error, target.work));
}

absl::Status AppendConnection::State::EnsureCall() {
  if (call_ != nullptr) return absl::OkStatus();
  auto context = std::make_unique<grpc::ClientContext>();
  // The stream's name as it is: AppendRows alone is routed by an unescaped value, save what a header cannot
  // hold. One connection for many tables is routed by location.
  std::string routing = "write_stream=" + HeaderText(targets_.front()->spec.stream);
  if (targets_.size() > 1 && !options_.location.empty()) {
    const std::string& stream = targets_.front()->spec.stream;
    const size_t project_end = stream.find('/', stream.find('/') + 1);
    routing = fmt::format("write_location={}/locations/{}", stream.substr(0, project_end), options_.location);
  }
  HAKOBU_RETURN_IF_ERROR(transport_.Prepare(*context, routing, &token_));
  call_ = AppendCall::Start(transport_.NextChannel(), std::move(context));
  ++counters_.connections;
  last_target_.reset();
  last_descriptor_.reset();
  several_targets_ = false;
  last_news_ = context_.clock->Now();
  return absl::OkStatus();
}

absl::Status AppendConnection::State::SendWhatMay() {
  const absl::Time now = context_.clock->Now();
  if (renew_) {
    if (!awaited_.empty()) return absl::OkStatus();
    if (call_ != nullptr) CancelCall();
    renew_ = false;
  }
  for (TargetId id = 0; id < targets_.size(); ++id) {
    AppendTargetState& target = *targets_[id];
    if (!target.trouble.ok()) {
      if (target.outstanding > 0 || now < target.resume)
        continue;  // until all answers are in, and the pause is over
      target.trouble = absl::OkStatus();
      target.sent = 0;
    }
    if (target.sent == target.pending.size() || now < reconnect_at_) continue;
    if (target.wants_new_call && call_ != nullptr && awaited_.empty()) CancelCall();
    target.wants_new_call = false;
    HAKOBU_RETURN_IF_ERROR(EnsureCall());
    HAKOBU_CHECK(target.sent <= target.pending.size(), "more appends were sent than wait", kStartAgain);
    for (; target.sent < target.pending.size(); ++target.sent) {
      PendingAppend& append = target.pending[target.sent];
      if (!append.acknowledged) SendOne(id, append);
    }
  }
  return absl::OkStatus();
}

std::string AppendConnection::State::Header(TargetId id, const PendingAppend& append) {
  AppendTargetState& target = *targets_[id];
  AppendHeader header;
  const bool first = !last_target_.has_value();
  const bool changed = last_target_ != id;
  if (!first && changed) several_targets_ = true;
  if (changed || several_targets_) header.write_stream = target.spec.stream;
  if (!target.is_default) header.offset = append.offset;
  if (first) header.trace_id = options_.trace_id.empty() ? kTraceId : std::string_view(options_.trace_id);
  if (changed || last_descriptor_ != append.descriptor) header.descriptor = *append.descriptor;
  header.rows_size = append.size;
  last_target_ = id;
  last_descriptor_ = append.descriptor;
  return EncodeAppendHeader(header);
}

void AppendConnection::State::SendOne(TargetId id, PendingAppend& append) {
  const std::string header = Header(id, append);
  const grpc::Slice slices[] = {grpc::Slice(header), append.rows};
  HAKOBU_CHECK(call_ != nullptr, "an append has no call to be sent on", kStartAgain);
  HAKOBU_CHECK(awaited_.empty() || awaited_.back().target != id || awaited_.back().sequence < append.sequence,
               "appends of a stream would be sent in another order than they were made in", kStartAgain);
  call_->Send(grpc::ByteBuffer(slices, 2));
  if (awaited_.empty()) last_news_ = context_.clock->Now();
  awaited_.push_back({id, append.sequence});
  ++targets_[id]->outstanding;
  ++counters_.requests;
  counters_.bytes += header.size() + append.size;
  if (append.was_sent) ++counters_.resent_requests;
  append.was_sent = true;
}

}  // namespace hakobu
