#include "destination/append_call.h"

#include <utility>

#include "destination/transport.h"

namespace hakobu {
namespace {

const std::string kAppendRows = "/google.cloud.bigquery.storage.v1.BigQueryWrite/AppendRows";

}  // namespace

AppendCall::AppendCall(std::unique_ptr<grpc::ClientContext> context) : context_(std::move(context)) {}

std::shared_ptr<AppendCall> AppendCall::Start(const std::shared_ptr<grpc::Channel>& channel,
                                              std::unique_ptr<grpc::ClientContext> context) {
  grpc::ClientContext* const call_context = context.get();
  std::shared_ptr<AppendCall> call(new AppendCall(std::move(context)));
  {
    absl::MutexLock lock(&call->mutex_);
    call->self_ = call;
  }
  grpc::GenericStub(channel).PrepareBidiStreamingCall(call_context, kAppendRows, {}, call.get());
  // Writes begin outside reactions, so the call must not end under them: held until reading has ended and no
  // write is under way.
  call->AddHold();
  call->StartRead(&call->incoming_);
  call->StartCall();
  return call;
}

void AppendCall::Send(grpc::ByteBuffer request) {
  {
    absl::MutexLock lock(&mutex_);
    if (reading_done_ || write_failed_ || finish_writes_) return;
    if (writing_) {
      outbox_.push_back(std::move(request));
      return;
    }
    writing_ = true;
  }
  outgoing_.Swap(&request);
  StartWrite(&outgoing_);
}

void AppendCall::FinishWrites() {
  {
    absl::MutexLock lock(&mutex_);
    if (reading_done_ || write_failed_ || finish_writes_) return;
    finish_writes_ = true;
    if (writing_) return;
    writing_ = true;
  }
  StartWritesDone();
}

AppendCall::Next AppendCall::AfterWrite(bool ok) {
  absl::MutexLock lock(&mutex_);
  write_failed_ = write_failed_ || !ok;
  if (!reading_done_ && !write_failed_) {
    if (!outbox_.empty()) {
      outgoing_.Swap(&outbox_.front());
      outbox_.pop_front();
      return Next::kWrite;
    }
    if (finish_writes_) return Next::kFinish;
  }
  outbox_.clear();
  writing_ = false;
  return reading_done_ ? Next::kRelease : Next::kNothing;
}

void AppendCall::OnWriteDone(bool ok) {
  outgoing_.Clear();
  switch (AfterWrite(ok)) {
    case Next::kWrite:
      StartWrite(&outgoing_);
      break;
    case Next::kFinish:
      StartWritesDone();
      break;
    case Next::kRelease:
      RemoveHold();
      break;  // `this` may be gone after it
    case Next::kNothing:
      break;
  }
}

void AppendCall::OnWritesDoneDone(bool) {
  if (AfterWrite(/*ok=*/false) == Next::kRelease) RemoveHold();
}

void AppendCall::OnReadDone(bool ok) {
  bool release = false;
  {
    absl::MutexLock lock(&mutex_);
    if (ok) {
      answers_.emplace_back();
      answers_.back().Swap(&incoming_);
    } else {
      reading_done_ = true;
      release = !writing_;
    }
  }
  if (ok) StartRead(&incoming_);
  if (release) RemoveHold();
}

void AppendCall::OnDone(const grpc::Status& status) {
  std::unique_ptr<grpc::ClientContext> context;
  {
    absl::MutexLock lock(&mutex_);
    context = std::move(context_);
    outbox_.clear();
  }
  context.reset();                   // with its hold on the channel, before anybody learns of the end
  std::shared_ptr<AppendCall> self;  // outlives the lock
  absl::MutexLock lock(&mutex_);
  ended_ = FromGrpc(status);
  self = std::move(self_);
}

std::optional<grpc::ByteBuffer> AppendCall::TakeAnswer() {
  absl::MutexLock lock(&mutex_);
  if (answers_.empty()) return std::nullopt;
  std::optional<grpc::ByteBuffer> answer(std::in_place);
  answer->Swap(&answers_.front());
  answers_.pop_front();
  return answer;
}

std::optional<absl::Status> AppendCall::Ended() {
  absl::MutexLock lock(&mutex_);
  return answers_.empty() ? ended_ : std::nullopt;
}

void AppendCall::WaitForNews(absl::Duration longest) {
  absl::MutexLock lock(&mutex_);
  mutex_.AwaitWithTimeout(absl::Condition(this, &AppendCall::HasNews), longest);
}

void AppendCall::Cancel() {
  absl::MutexLock lock(&mutex_);
  if (context_ != nullptr) context_->TryCancel();
}

}  // namespace hakobu
