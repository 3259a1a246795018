// AppendRows over gRPC: bytes in, bytes out, with one thread to a connection and a bounded queue before it.
#pragma once

#include <grpcpp/grpcpp.h>

#include <cstdint>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "localbq/storage_api/append_target.h"

namespace hakobu::localbq {

// Counts connections, so that a server can wait for the last.
class Connections {
 public:
  void Add() {
    absl::MutexLock lock(&mutex_);
    ++open_;
  }
  void Remove() {
    absl::MutexLock lock(&mutex_);
    --open_;
  }
  void WaitForNone() {
    absl::MutexLock lock(&mutex_);
    mutex_.Await(absl::Condition(+[](int* open) { return *open == 0; }, &open_));
  }

 private:
  absl::Mutex mutex_;
  int open_ ABSL_GUARDED_BY(mutex_) = 0;
};

// A reactor that owns itself. `connections` counts it until its thread is done. Without a caller the
// connection ends with that status.
grpc::ServerBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer>* NewAppendReactor(
    absl::StatusOr<std::string> caller, const AppendServices& services, int64_t idle_close_ms,
    Connections* connections);

}  // namespace hakobu::localbq
