// One AppendRows call: what is sent goes out in order, answers are collected until they are taken. gRPC's
// threads do the work; this is where they meet the connection's one thread.
#pragma once

#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/grpcpp.h>

#include <deque>
#include <memory>
#include <optional>

#include "absl/status/status.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"

namespace hakobu {

// Keeps itself alive until gRPC is done with it.
class AppendCall final : public grpc::ClientBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer> {
 public:
  // `context` carries the metadata. The channel must outlive the call's end: released on one of gRPC's own
  // threads it would wait for that thread.
  static std::shared_ptr<AppendCall> Start(const std::shared_ptr<grpc::Channel>& channel,
                                           std::unique_ptr<grpc::ClientContext> context);
  // Queues one request; after the end of the call it goes nowhere.
  void Send(grpc::ByteBuffer request);
  std::optional<grpc::ByteBuffer> TakeAnswer();
  // How the call ended, once it has and all answers are taken.
  std::optional<absl::Status> Ended();
  // Until there is an answer, the call has ended, or the time is up.
  void WaitForNews(absl::Duration longest);
  // No more requests. The service answers what it has and ends the call.
  void FinishWrites();
  void Cancel();

 private:
  explicit AppendCall(std::unique_ptr<grpc::ClientContext> context);
  void OnReadDone(bool ok) override;
  void OnWriteDone(bool ok) override;
  void OnWritesDoneDone(bool ok) override;
  void OnDone(const grpc::Status& status) override;
  enum class Next : uint8_t { kNothing, kWrite, kFinish, kRelease };
  Next AfterWrite(bool ok);
  bool HasNews() const ABSL_SHARED_LOCKS_REQUIRED(mutex_) { return !answers_.empty() || ended_.has_value(); }

  // Of the one read and the one write under way: only gRPC touches them meanwhile.
  grpc::ByteBuffer incoming_;
  grpc::ByteBuffer outgoing_;

  mutable absl::Mutex mutex_;
  std::unique_ptr<grpc::ClientContext> context_ ABSL_GUARDED_BY(mutex_);  // null after the end
  std::shared_ptr<AppendCall> self_ ABSL_GUARDED_BY(mutex_);
  std::deque<grpc::ByteBuffer> outbox_ ABSL_GUARDED_BY(mutex_);
  std::deque<grpc::ByteBuffer> answers_ ABSL_GUARDED_BY(mutex_);
  bool writing_ ABSL_GUARDED_BY(mutex_) = false;
  bool write_failed_ ABSL_GUARDED_BY(mutex_) = false;
  bool reading_done_ ABSL_GUARDED_BY(mutex_) = false;
  bool finish_writes_ ABSL_GUARDED_BY(mutex_) = false;
  std::optional<absl::Status> ended_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace hakobu
