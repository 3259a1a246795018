#include "delivery/move/source_lease.h"

#include <algorithm>

#include "base/check.h"
#include "base/status.h"

namespace hakobu {

void OpenConnections::Add(Connection* connection) {
  absl::MutexLock lock(&mutex_);
  const bool added = connections_.insert(connection).second;
  HAKOBU_CHECK(added, "a connection is counted twice", kStartAgain);
  if (interrupted_) connection->Interrupt();
}

void OpenConnections::Remove(Connection* connection) {
  absl::MutexLock lock(&mutex_);
  const size_t removed = connections_.erase(connection);
  HAKOBU_CHECK(removed == 1, "a connection is closed that was not counted", kStartAgain);
}

void OpenConnections::InterruptAll() {
  absl::MutexLock lock(&mutex_);
  interrupted_ = true;
  for (Connection* connection : connections_) connection->Interrupt();
}

absl::Time OpenConnections::waiting_since() const {
  absl::Time longest = absl::InfiniteFuture();
  absl::MutexLock lock(&mutex_);
  for (const Connection* connection : connections_) {
    const absl::Time since = connection->waiting_since();
    if (since != absl::InfinitePast()) longest = std::min(longest, since);
  }
  return longest == absl::InfiniteFuture() ? absl::InfinitePast() : longest;
}

void SourceLoadSum::Add(const LoadCounters& counters) {
  absl::MutexLock lock(&mutex_);
  sum_.statements += counters.statements;
  sum_.rows_examined += counters.rows_examined;
  sum_.tmp_tables += counters.tmp_tables;
  sum_.tmp_disk_tables += counters.tmp_disk_tables;
  sum_.sort_rows += counters.sort_rows;
  sum_.sort_merge_passes += counters.sort_merge_passes;
  sum_.bytes_sent += counters.bytes_sent;
}

LoadCounters SourceLoadSum::sum() const {
  absl::MutexLock lock(&mutex_);
  return sum_;
}

absl::StatusOr<Connection*> SourceLease::Get() {
  if (connection_ != nullptr) return connection_.get();
  HAKOBU_RETURN_IF_ERROR(access_.cancel->Check());
  HAKOBU_ASSIGN_OR_RETURN(connection_, Connection::Open(*access_.connect));
  if (access_.connections != nullptr) access_.connections->Add(connection_.get());
  if (access_.load == nullptr) return connection_.get();
  const absl::StatusOr<LoadCounters> counters = ReadLoadCounters(connection_.get());
  if (!counters.ok()) {
    Drop();
    return counters.status();
  }
  before_ = *counters;
  return connection_.get();
}

void SourceLease::Drop() {
  if (connection_ == nullptr) return;
  if (access_.connections != nullptr) access_.connections->Remove(connection_.get());
  connection_.reset();
}

void SourceLease::Close() {
  if (connection_ == nullptr) return;
  if (access_.load != nullptr && !access_.cancel->cancelled()) {
    const absl::StatusOr<LoadCounters> after = ReadLoadCounters(connection_.get());
    if (after.ok()) access_.load->Add(*after - before_);
  }
  Drop();
}

}  // namespace hakobu
