// Connections to a source, as whoever moves rows holds them: opened when first needed, interrupted when the
// work is cancelled, their cost on the server counted when they go.
#pragma once

#include <memory>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_set.h"
#include "absl/synchronization/mutex.h"
#include "base/cancel.h"
#include "source/source.h"

namespace hakobu {

// Connections that are open now, so that cancelled work does not wait for a blocked read. Thread-safe.
class OpenConnections {
 public:
  void Add(Connection* connection);
  void Remove(Connection* connection);
  void InterruptAll();
  // Since when the one that has waited longest waits for rows; InfinitePast: none does.
  absl::Time waiting_since() const;

 private:
  mutable absl::Mutex mutex_;
  absl::flat_hash_set<Connection*> connections_ ABSL_GUARDED_BY(mutex_);
  bool interrupted_ ABSL_GUARDED_BY(mutex_) = false;
};

// What connections made the source do. Thread-safe.
class SourceLoadSum {
 public:
  void Add(const LoadCounters& counters);
  LoadCounters sum() const;

 private:
  mutable absl::Mutex mutex_;
  LoadCounters sum_ ABSL_GUARDED_BY(mutex_);
};

// Where a lease opens its connections and whom it tells. All outlive the lease.
struct SourceAccess {
  const ConnectOptions* connect = nullptr;
  const Cancellation* cancel = nullptr;
  OpenConnections* connections = nullptr;  // null: a cancellation waits for the read under way
  SourceLoadSum* load = nullptr;           // null: the cost is not counted
};

// One connection. One thread at a time.
class SourceLease {
 public:
  explicit SourceLease(SourceAccess access) : access_(access) {}
  ~SourceLease() { Close(); }
  SourceLease(const SourceLease&) = delete;
  SourceLease& operator=(const SourceLease&) = delete;

  // Opens unless it is open.
  absl::StatusOr<Connection*> Get();
  // For a connection that is in an unknown state: what it cost is not known any more.
  void Drop();
  void Close();

 private:
  SourceAccess access_;
  std::unique_ptr<Connection> connection_;
  LoadCounters before_;
};

}  // namespace hakobu
