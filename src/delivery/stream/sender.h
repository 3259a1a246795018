// One multiplexed connection to BigQuery and the thread that uses it. Every table keeps to one sender, so
// that its changes stay in order.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <thread>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/synchronization/mutex.h"
#include "delivery/stream/position_keeper.h"
#include "destination/destination.h"
#include "encode/encode.h"

namespace hakobu {

// Told from the sender's thread.
class SenderEvents {
 public:
  virtual ~SenderEvents() = default;
  // The lane takes nothing more; its requests count as acknowledged once this has returned, so what is to be
  // known of it after a crash must be durable by then.
  virtual void OnLaneFailed(size_t lane, const absl::Status& status) = 0;
  // The connection itself is of no use: nothing of what is on its way will be acknowledged.
  virtual void OnSenderFailed(const absl::Status& status) = 0;
};

// Thread-safe.
class Sender {
 public:
  Sender(StorageWrite* storage, AppendOptions options, PositionKeeper* keeper, SenderEvents* events);
  ~Sender();  // what is not acknowledged is given up
  Sender(const Sender&) = delete;
  Sender& operator=(const Sender&) = delete;

  // From now on the lane's rows go to the stream with this descriptor: a default stream over the shared
  // connection, any other, which must be empty, over one of its own. Begins a failed lane anew. Rows pushed
  // before it go where they belong, and are answered first. `next_stream` as AppendTarget's, called on the
  // sender's thread: the stream that follows one which the service has ended.
  using NextStream = std::function<absl::StatusOr<std::string>(uint64_t rows)>;
  void Open(size_t lane, std::string stream, std::string descriptor, NextStream next_stream = {});
  // The descriptor of rows pushed after this.
  void ChangeDescriptor(size_t lane, std::string descriptor);
  void Push(size_t lane, std::shared_ptr<EncodedRows> rows, uint64_t ticket);

  AppendConnection::Counters counters() const;

 private:
  struct Item {
    enum class Kind : uint8_t { kRows, kOpen, kDescriptor } kind = Kind::kRows;
    size_t lane = 0;
    std::shared_ptr<EncodedRows> rows;
    uint64_t ticket = 0;
    std::string stream, descriptor;
    NextStream next_stream = {};
  };
  struct Waiting {
    uint64_t ticket;
    uint64_t bytes;
  };
  // Only the thread's.
  struct Lane {
    std::unique_ptr<AppendConnection> own;
    AppendConnection* connection = nullptr;
    AppendConnection::TargetId target = 0;
    std::string stream;
    std::deque<Waiting> waiting;
    uint64_t acknowledged = 0;  // appends
    bool failed = false;
    bool parked = false;  // said in the log
  };

  void Run();
  std::deque<Item> TakeItems();
  absl::Status Handle(Item item);
  absl::Status Drain(Lane* lane);
  absl::Status TakeAcknowledgements();  // not OK: the connection is of no use
  void Fail(size_t id, Lane* lane, const absl::Status& status);
  static void NoteParked(Lane* lane);
  void Enqueue(Item item);

  StorageWrite* storage_;
  const AppendOptions options_;
  PositionKeeper* keeper_;
  SenderEvents* events_;
  AppendConnection connection_;
  std::map<size_t, Lane> lanes_;
  size_t waiting_ = 0;

  mutable absl::Mutex mutex_;
  std::deque<Item> items_ ABSL_GUARDED_BY(mutex_);
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
  AppendConnection::Counters counters_ ABSL_GUARDED_BY(mutex_);
  std::thread thread_;
};

}  // namespace hakobu
