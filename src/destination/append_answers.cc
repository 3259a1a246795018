// What the service's answers mean for what is pending. See docs/formats and storage.proto:
// AppendRowsResponse.
#include <fmt/format.h>
#include <grpcpp/support/proto_buffer_reader.h>

#include "base/check.h"
#include "base/status.h"
#include "destination/append_state.h"

namespace hakobu {
namespace {

absl::Status ReplacedUnder(std::string_view stream, const absl::Status& error) {
  return WithHint(
      absl::FailedPreconditionError(fmt::format("append to {}: somebody replaced the table or all its rows "
                                                "while rows were written to it; rows that "
                                                "BigQuery acknowledged in the seconds before may be lost: {}",
                                                stream, View(error.message()))),
      "`hakobu repair --recopy` puts the table's rows in place anew");
}

}  // namespace

void AppendConnection::State::TakeAnswers() {
  while (call_ != nullptr) {
    if (std::optional<grpc::ByteBuffer> answer = call_->TakeAnswer()) {
      last_news_ = context_.clock->Now();
      TakeAnswer(*answer);
      continue;
    }
    const std::optional<absl::Status> end = call_->Ended();
    if (!end) return;
    TakeEnd(*end);
  }
}

void AppendConnection::State::TakeAnswer(const grpc::ByteBuffer& answer) {
  AppendRowsResponse response;
  grpc::ByteBuffer copy = answer;  // the reader wants one it may change; the slices are shared
  grpc::ProtoBufferReader reader(&copy);
  if (!response.ParseFromZeroCopyStream(&reader) || awaited_.empty()) {
    CancelCall();
    TakeEnd(absl::InternalError("an answer that no request asked for"));
    return;
  }
  const Awaited awaited = awaited_.front();
  awaited_.pop_front();
  HAKOBU_CHECK(awaited.target < targets_.size(), "an answer is awaited for a target that was not added",
               kStartAgain);
  AppendTargetState& target = *targets_[awaited.target];
  if (target.outstanding > 0) --target.outstanding;
  if (response.has_updated_schema()) target.schema_updated = true;
  PendingAppend* append = target.Find(awaited.sequence);
  if (append == nullptr) return;  // of a target that has failed meanwhile, or written as a rewind showed
  if (response.has_error()) {
    TakeError(target, *append, response);
  } else {
    TakeResult(target, *append, response);
  }
}

void AppendConnection::State::TakeResult(AppendTargetState& target, PendingAppend& append,
                                         const AppendRowsResponse& response) {
  const auto& result = response.append_result();
  if (!target.is_default && result.has_offset() && result.offset().value() != append.offset) {
    Fail(target,
         absl::DataLossError(fmt::format("append to {}: expected the rows at offset {}, found them at {}",
                                         target.spec.stream, append.offset, result.offset().value())));
    return;
  }
  Acknowledge(target, append);
}

void AppendConnection::State::TakeError(AppendTargetState& target, PendingAppend& append,
                                        const AppendRowsResponse& response) {
  absl::Status error = StorageStatus(response.error());
  // Row errors under a code that passes say nothing of the rows.
  if (response.row_errors_size() > 0 && RemedyForAppend(error) != Remedy::kRetry) {
    const std::string column = ColumnOfRefusedNull(response.row_errors(0).message());
    const bool relaxed =
        !column.empty() && target.schema_wait.RefusedNull(error, column, context_.clock->Now()).ok();
    if (relaxed) return Park(target, error);
    return RefuseRows(target, append, response, error);
  }
  Resolve(target, append, error);
}

void AppendConnection::State::RefuseRows(AppendTargetState& target, const PendingAppend& append,
                                         const AppendRowsResponse& response, absl::Status error) {
  std::vector<RowError> rows;
  const int64_t first = append.offset - target.spec.next_offset;
  for (const auto& row : response.row_errors()) rows.push_back({first + row.index(), row.message()});
  error =
      Annotate(error, fmt::format("append to {}: {} rows refused, the first, row {}: {}", target.spec.stream,
                                  rows.size(), rows.front().row, rows.front().message));
  Fail(target, WithRowErrors(std::move(error), rows));
}

// What passes by itself is sent again over a new call: one that was opened before the change may go on
// refusing.
void AppendConnection::State::Park(AppendTargetState& target, const absl::Status& error) {
  target.parked = error;
  target.wants_new_call = true;
  Trouble(target, error);
}

void AppendConnection::State::Resolve(AppendTargetState& target, PendingAppend& append,
                                      const absl::Status& error) {
  switch (RemedyForAppend(error)) {
    case Remedy::kAlreadyDone:
      AlreadyWritten(target, append, error);
      return;
    case Remedy::kRewind:
      Rewind(target, error);
      return;
    case Remedy::kRetry:
      Trouble(target, error);
      return;
    case Remedy::kNewStream:
      if (target.spec.next_stream != nullptr) return FollowStream(target, error);
      break;
    case Remedy::kTableReplaced:
      if (IsReplacedUnderIt(target)) return Fail(target, ReplacedUnder(target.spec.stream, error));
      if (IsForgotten(target, error)) return FollowStream(target, error);
      break;
    case Remedy::kAwaitTable:
      if (IsForgotten(target, error)) return FollowStream(target, error);
      break;
    default:
      break;
  }
  const absl::Status verdict = WithinPatience(target, error);
  if (verdict.ok()) {
    Trouble(target, error);
  } else {
    Fail(target, Annotate(verdict, "append to " + target.spec.stream));
  }
}

void AppendConnection::State::AlreadyWritten(AppendTargetState& target, PendingAppend& append,
                                             const absl::Status& error) {
  const std::optional<int64_t> expected = ExpectedOffset(View(error.message()));
  const int64_t end = append.offset + static_cast<int64_t>(append.row_count);
  if (target.is_default || (expected && *expected < end)) {
    Fail(target,
         absl::DataLossError(fmt::format("append to {}: rows {} to {} are written in part: {}",
                                         target.spec.stream, append.offset, end, View(error.message()))));
    return;
  }
  Acknowledge(target, append);
}

// "expected offset E": rows before E are written, those from E on are not.
void AppendConnection::State::Rewind(AppendTargetState& target, const absl::Status& error) {
  const int64_t expected = *ExpectedOffset(View(error.message()));
  const int64_t first = target.pending.front().offset;
  if (target.is_default || expected < first) {
    Fail(target, absl::DataLossError(fmt::format("append to {}: rows before {} were acknowledged: {}",
                                                 target.spec.stream, first, View(error.message()))));
    return;
  }
  while (!target.pending.empty()) {
    PendingAppend& append = target.pending.front();
    const int64_t end = append.offset + static_cast<int64_t>(append.row_count);
    if (end > expected) break;
    Acknowledge(target, append);
  }
  if (!target.pending.empty() && target.pending.front().offset < expected) {
    Fail(target, absl::DataLossError(fmt::format("append to {}: rows from {} are written in part: {}",
                                                 target.spec.stream, target.pending.front().offset,
                                                 View(error.message()))));
    return;
  }
  if (!target.pending.empty()) Trouble(target, error);
}

// Errors that pass by themselves. OK: to be sent again; else what they came to.
absl::Status AppendConnection::State::WithinPatience(AppendTargetState& target, const absl::Status& error) {
  const absl::Time now = context_.clock->Now();
  if (absl::IsUnauthenticated(error) && !token_renewed_) {
    token_renewed_ = true;
    transport_.options().credentials->Reject(token_);
    return absl::OkStatus();
  }
  // Who tries for ever is in nobody's way until the permission is given back, and says so meanwhile.
  const bool for_ever = transport_.options().retry.max_elapsed == absl::InfiniteDuration();
  if (absl::IsPermissionDenied(error) && for_ever) {
    target.wants_new_call = true;
    return absl::OkStatus();
  }
  const Remedy remedy = RemedyForAppend(error);
  const bool of_table = remedy == Remedy::kAwaitTable || remedy == Remedy::kTableReplaced;
  if (!of_table && remedy != Remedy::kAwaitSchema) return error;
  HAKOBU_RETURN_IF_ERROR(of_table ? target.table_wait.Refused(error, now)
                                  : target.schema_wait.Refused(error, *target.descriptor, now));
  target.parked = error;
  target.wants_new_call = true;
  return absl::OkStatus();
}

// Writers of a table that is replaced get successful answers for seconds for rows that are lost, then no
// answer for two minutes, then a refusal [bigquery-rs, schema-management]. Writers that begin after it are
// refused for minutes too, and have lost nothing.
bool AppendConnection::State::IsReplacedUnderIt(AppendTargetState& target) {
  if (target.acknowledged_appends == 0) target.was_replaced = true;
  return !target.was_replaced;
}

// Not found may be said of the table or of the stream; only a stream that can be followed is asked for.
bool AppendConnection::State::IsForgotten(const AppendTargetState& target, const absl::Status& error) {
  if (target.spec.next_stream == nullptr || !absl::IsNotFound(error)) return false;
  const absl::Status stream = service_.GetStream(target.spec.stream).status();
  return absl::IsNotFound(stream) || absl::IsInvalidArgument(stream);
}

// What the ended stream holds of the pending rows is acknowledged. A stream that the service has forgotten is
// taken to hold what it acknowledged: what was on its way then may come twice.
absl::Status AppendConnection::State::TakeHeldRows(AppendTargetState& target) {
  const absl::StatusOr<int64_t> held = service_.Finalize(target.spec.stream);
  if (absl::IsNotFound(held.status()) || absl::IsInvalidArgument(held.status())) return absl::OkStatus();
  HAKOBU_RETURN_IF_ERROR(held.status());
  while (!target.pending.empty()) {
    PendingAppend& append = target.pending.front();
    const int64_t end = append.offset + static_cast<int64_t>(append.row_count);
    if (end > *held) {
      if (append.offset >= *held) break;
      return absl::DataLossError(
          fmt::format("rows from {} are written in part: the stream holds {}", append.offset, *held));
    }
    Acknowledge(target, append);
  }
  return absl::OkStatus();
}

void AppendConnection::State::FollowStream(AppendTargetState& target, const absl::Status& error) {
  const std::string what = "append to " + target.spec.stream;
  if (absl::Status taken = TakeHeldRows(target); !taken.ok()) return Fail(target, Annotate(taken, what));
  absl::StatusOr<std::string> next = target.spec.next_stream(target.acknowledged_rows);
  if (!next.ok()) return Fail(target, Annotate(next.status(), what + ": open the stream after it"));
  target.spec.stream = *std::move(next);
  HAKOBU_CHECK(!target.is_default, "rows of a default stream have no offsets to follow by", kStartAgain);
  // Offsets begin anew; a row's place among this target's rows is offset - spec.next_offset as before.
  target.spec.next_offset = -static_cast<int64_t>(target.acknowledged_rows);
  target.next_offset = 0;
  for (PendingAppend& append : target.pending) {
    append.offset = target.next_offset;
    target.next_offset += static_cast<int64_t>(append.row_count);
  }
  if (call_ != nullptr) CancelCall();
  awaited_.clear();
  target.outstanding = 0;
  target.sent = 0;
  if (!target.pending.empty()) Trouble(target, error);
}

void AppendConnection::State::Acknowledge(AppendTargetState& target, PendingAppend& append) {
  HAKOBU_CHECK(!append.acknowledged,
               "an append was acknowledged twice: the place behind it could be stored too early",
               kStartAgain);
  HAKOBU_CHECK(requests_in_flight_ > 0 && bytes_in_flight_ >= append.size,
               "more is acknowledged than is on its way", kStartAgain);
  append.acknowledged = true;
  bytes_in_flight_ -= append.size;
  --requests_in_flight_;
  append.rows = grpc::Slice();
  while (!target.pending.empty() && target.pending.front().acknowledged) {
    target.acknowledged_rows += target.pending.front().row_count;
    ++target.acknowledged_appends;
    target.pending.pop_front();
    if (target.sent > 0) --target.sent;
  }
  if (context_.outages != nullptr && context_.outages->troubled()) context_.outages->OnSuccess(target.work);
  target.backoff.Reset();
  target.table_wait.Reset();
  target.schema_wait.Reset();
  target.parked = absl::OkStatus();
  reconnect_.Reset();
  token_renewed_ = false;
}

void AppendConnection::State::DropPending(AppendTargetState& target) {
  for (const PendingAppend& append : target.pending) {
    if (append.acknowledged) continue;
    HAKOBU_CHECK(requests_in_flight_ > 0 && bytes_in_flight_ >= append.size,
                 "more is given up than is on its way", kStartAgain);
    bytes_in_flight_ -= append.size;
    --requests_in_flight_;
  }
  target.pending.clear();
  target.sent = 0;
}

void AppendConnection::State::Fail(AppendTargetState& target, absl::Status status) {
  if (!target.failure.ok()) return;
  target.failure = std::move(status);
  target.parked = absl::OkStatus();
  target.trouble = absl::OkStatus();
  DropPending(target);
}

// Everything not acknowledged is sent again once the answers still under way are in.
void AppendConnection::State::Trouble(AppendTargetState& target, const absl::Status& error) {
  if (!target.trouble.ok()) return;  // what follows the first failure of a sequence says nothing new
  const absl::StatusOr<absl::Duration> delay = target.backoff.Next(error);
  if (!delay.ok()) {
    Fail(target, Annotate(delay.status(), "append to " + target.spec.stream));
    return;
  }
  // A table or a column that is not everywhere yet is no outage; who is denied may be waiting for a new
  // table, too.
  const bool to_come = RemedyForAppend(error) == Remedy::kAwaitSchema || absl::IsNotFound(error);
  if (!to_come) TellFailure(target, error);
  target.trouble = error;
  target.resume = context_.clock->Now() + *delay;
}

void AppendConnection::State::TakeEnd(const absl::Status& end) {
  call_.reset();
  const bool idle = awaited_.empty();
  const Awaited first = idle ? Awaited{} : awaited_.front();
  awaited_.clear();
  for (const auto& target : targets_) {
    target->outstanding = 0;
    target->sent = 0;
  }
  if (idle) return;  // an idle connection was closed: the next append opens another
  AppendTargetState& target = *targets_[first.target];
  PendingAppend* append = target.Find(first.sequence);
  const absl::Status error = end.ok() ? absl::UnavailableError("the service closed the connection") : end;
  if (RemedyForAppend(error) != Remedy::kRetry && append != nullptr) {
    Resolve(target, *append, error);
    return;
  }
  const absl::StatusOr<absl::Duration> delay = reconnect_.Next(error);
  if (delay.ok()) {
    TellFailure(target, error);
    reconnect_at_ = context_.clock->Now() + *delay;
    return;
  }
  for (const auto& other : targets_) {
    if (!other->pending.empty()) Fail(*other, Annotate(delay.status(), "append to " + other->spec.stream));
  }
}

}  // namespace hakobu
