// The log's thread: connects to the source, proves that it goes on where it stopped, reads, reconnects.
#pragma once

#include <atomic>
#include <memory>
#include <set>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "delivery/stream/follower.h"
#include "delivery/stream/spool.h"
#include "delivery/stream/stream_context.h"
#include "source/log_stream.h"

namespace hakobu {

// What the rest of the process may know of it. Thread-safe.
struct ReaderState {
  std::string state;  // "connecting", "following"
  std::string reason;
  std::string file;  // how far it has read
  uint64_t offset = 0;
  absl::Time last_heard = absl::InfinitePast();
  uint64_t bytes = 0;
  uint64_t reconnects = 0;
};

class LogReader {
 public:
  LogReader(StreamContext* context, Follower* follower) : context_(context), follower_(follower) {}
  // Until the context's `stop`: then what was read is sent. Errors end the stream.
  absl::Status Run(const DeliveredPoint& from);
  ReaderState state() const {
    absl::MutexLock lock(&mutex_);
    return state_;
  }
  void Interrupt();  // thread-safe; ends a blocked read

 private:
  bool MayGoOn(const absl::Status& status, bool progress);
  absl::Status Follow(const DeliveredPoint& from, uint32_t server_id);
  absl::Status ReadAll(LogStream* stream, binlog::LogDecoder* decoder, absl::Duration server_ahead);
  void ShowProgress(const LogStream& stream);
  void SetState(const std::string& state, const std::string& reason);

  StreamContext* context_;
  Follower* follower_;
  std::unique_ptr<Spool> spool_;  // null: none is wanted
  uint32_t server_id_ = 0;
  std::string replica_uuid_;
  LogFailure refused_ = LogFailure::kNone;  // by the server, last time
  bool stop_here_ = false;                  // at a gap, as the configuration says
  int failures_ = 0;
  absl::Time refused_since_ = absl::InfiniteFuture();  // user or password, without a break
  std::set<std::string> said_;                         // reasons, since the log was followed last
  bool begun_ = false;                                 // the follower knows where it is
  uint64_t bytes_before_ = 0;                          // of connections that are gone
  mutable absl::Mutex mutex_;
  ReaderState state_ ABSL_GUARDED_BY(mutex_);
  LogStream* open_ ABSL_GUARDED_BY(mutex_) = nullptr;
  bool interrupted_ ABSL_GUARDED_BY(mutex_) = false;
};

}  // namespace hakobu
