#include "localbq/storage_api/append_reactor.h"

#include <fmt/format.h>

#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/time/clock.h"
#include "localbq/storage_api/append_session.h"
#include "localbq/storage_api/storage_error.h"

namespace hakobu::localbq {
namespace {

// What may wait in memory on one connection before reading pauses.
constexpr size_t kQueueBytes = size_t{40} << 20;

std::string ToBytes(const grpc::ByteBuffer& buffer) {
  std::vector<grpc::Slice> slices;
  std::string bytes;
  bytes.reserve(buffer.Length());
  if (buffer.Dump(&slices).ok()) {
    for (const grpc::Slice& slice : slices)
      bytes.append(reinterpret_cast<const char*>(slice.begin()), slice.size());
  }
  return bytes;
}

class AppendReactor : public grpc::ServerBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer> {
 public:
  AppendReactor(const absl::StatusOr<std::string>& caller, const AppendServices& services,
                int64_t idle_close_ms, Connections* connections)
      : faults_(services.faults),
        refusal_(caller.status()),
        session_(services, caller.value_or("")),
        idle_close_(absl::Milliseconds(idle_close_ms)),
        idle_for_(idle_close_),
        connections_(connections) {
    connections_->Add();
    StartRead(&incoming_);
    std::thread([this] { Work(); }).detach();
  }

  void OnReadDone(bool ok) override {
    bool again = false;
    {
      absl::MutexLock lock(&mutex_);
      if (ok) {
        std::string bytes = ToBytes(incoming_);
        queued_bytes_ += bytes.size();
        queue_.push_back(std::move(bytes));
        again = queued_bytes_ < kQueueBytes;
        is_reading_ = again;
      } else {
        is_reading_ = false;
        has_ended_ = true;
      }
    }
    if (again) StartRead(&incoming_);
  }
  void OnWriteDone(bool ok) override {
    absl::MutexLock lock(&mutex_);
    is_writing_ = false;
    if (!ok) is_cancelled_ = true;
  }
  void OnCancel() override {
    absl::MutexLock lock(&mutex_);
    is_cancelled_ = true;
  }
  void OnDone() override {
    bool last;
    {
      absl::MutexLock lock(&mutex_);
      last = is_worked_out_;
      is_done_ = true;
    }
    if (last) Delete();
  }

 private:
  void Delete() {
    Connections* connections = connections_;
    delete this;
    connections->Remove();
  }
  // Everything that is queued; false when the client has ended and nothing is left. An idle client ends here
  // too.
  bool Take(std::vector<std::string>* requests, bool* idle) {
    bool read = false;
    {
      absl::MutexLock lock(&mutex_);
      const auto ready = [this]() ABSL_SHARED_LOCKS_REQUIRED(mutex_) {
        return !queue_.empty() || has_ended_ || is_cancelled_;
      };
      *idle = !mutex_.AwaitWithTimeout(absl::Condition(&ready), idle_for_);
      if (*idle || is_cancelled_ || queue_.empty()) return false;
      requests->swap(queue_);
      queue_.clear();
      queued_bytes_ = 0;
      read = !is_reading_ && !has_ended_;
      if (read) is_reading_ = true;
    }
    if (read) StartRead(&incoming_);
    return true;
  }
  bool Send(const std::string& bytes) {
    const grpc::Slice slice(bytes);
    outgoing_ = grpc::ByteBuffer(&slice, 1);
    {
      absl::MutexLock lock(&mutex_);
      if (is_cancelled_) return false;
      is_writing_ = true;
    }
    StartWrite(&outgoing_);
    absl::MutexLock lock(&mutex_);
    const auto written = [this]() ABSL_SHARED_LOCKS_REQUIRED(mutex_) { return !is_writing_; };
    mutex_.Await(absl::Condition(&written));
    return !is_cancelled_;
  }
  absl::Duration IdleClose() {
    if (!faults_->is_active()) return idle_close_;
    const absl::Duration sooner = faults_->IdleClose(session_.call());
    return sooner > absl::ZeroDuration() ? sooner : idle_close_;
  }
  grpc::Status Serve() {
    if (!refusal_.ok()) return ToGrpcStatus(refusal_);
    std::vector<std::string> requests, responses;
    bool idle = false;
    for (;;) {
      requests.clear();
      idle_for_ = IdleClose();
      if (!Take(&requests, &idle)) break;
      responses.clear();
      const absl::Status status = session_.Process(requests, &responses);
      for (const std::string& response : responses) {
        if (!Send(response)) return grpc::Status::CANCELLED;
      }
      if (!status.ok()) return ToGrpcStatus(status);
    }
    if (!idle) return grpc::Status::OK;
    if (idle_for_ != idle_close_) faults_->CountIdleClose(session_.call());
    return ToGrpcStatus(WithEntity(
        absl::AbortedError(fmt::format("Closing the stream because it has been inactive for {} seconds.",
                                       absl::ToInt64Seconds(idle_for_))),
        session_.destination()));
  }
  void Work() {
    const grpc::Status status = Serve();
    Finish(status);
    bool last;
    {
      absl::MutexLock lock(&mutex_);
      is_worked_out_ = true;
      last = is_done_;
    }
    if (last) Delete();
  }

  Faults* const faults_;
  const absl::Status refusal_;
  AppendSession session_;  // of the working thread
  const absl::Duration idle_close_;
  absl::Duration idle_for_;  // idle_close_, or what a fault says
  Connections* const connections_;
  grpc::ByteBuffer incoming_, outgoing_;

  absl::Mutex mutex_;
  std::vector<std::string> queue_ ABSL_GUARDED_BY(mutex_);
  size_t queued_bytes_ ABSL_GUARDED_BY(mutex_) = 0;
  bool is_reading_ ABSL_GUARDED_BY(mutex_) = true;
  bool is_writing_ ABSL_GUARDED_BY(mutex_) = false;
  bool has_ended_ ABSL_GUARDED_BY(mutex_) = false;
  bool is_cancelled_ ABSL_GUARDED_BY(mutex_) = false;
  bool is_worked_out_ ABSL_GUARDED_BY(mutex_) = false;
  bool is_done_ ABSL_GUARDED_BY(mutex_) = false;
};

}  // namespace

grpc::ServerBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer>* NewAppendReactor(
    absl::StatusOr<std::string> caller, const AppendServices& services, int64_t idle_close_ms,
    Connections* connections) {
  return new AppendReactor(caller, services, idle_close_ms, connections);
}

}  // namespace hakobu::localbq
