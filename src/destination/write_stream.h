// The Storage Write API [google/cloud/bigquery/storage/v1/storage.proto] over gRPC.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "destination/rest.h"
#include "destination/table_watch.h"
#include "destination/tables.h"

namespace hakobu {

enum class StreamType : uint8_t { kCommitted = 1, kPending = 2, kBuffered = 3 };

struct StreamFacts {
  std::string name;  // projects/p/datasets/d/tables/t/streams/s
  std::string location;
  bool committed = false;
};

struct StorageWriteOptions {
  Endpoint endpoint;
  std::shared_ptr<Credentials> credentials = NoCredentials();
  int channels = 1;  // TCP connections; streams take turns
  RetryPolicy retry;
  RetryContext context;
  absl::Duration timeout = absl::Minutes(2);  // of one try of a unary call
  // tables.get with the same identity; empty: what a refusal means is not looked into.
  LookAtTable look_at_table = {};
};

// How long a table just made may be denied or not found.
inline constexpr absl::Duration kTablePatience = absl::Minutes(5);
// How long a column just added may be refused although tables.get has it: minutes as a rule, 2 hours once
// [flink-connector-gcp, datastream/bigquery: seven runs].
inline constexpr absl::Duration kSchemaPatience = absl::Hours(3);

// The service's side that needs no stream: thread-safe, one for the process.
class StorageWrite {
 public:
  explicit StorageWrite(StorageWriteOptions options);
  ~StorageWrite();
  // A table made a moment ago is denied or not found for minutes: waited out for `patience` at the most, and
  // no longer than TableWait thinks that it may come.
  absl::StatusOr<StreamFacts> CreateStream(const TableName& table, StreamType type,
                                           absl::Duration patience = kTablePatience);
  absl::StatusOr<StreamFacts> GetStream(std::string_view name);
  // The stream's row count. Idempotent.
  absl::StatusOr<int64_t> Finalize(std::string_view name);
  // All or nothing: after an error none of the streams is committed. Streams that an earlier, unanswered call
  // committed already count as success when all of them are; Aborted (never half) is impossible by contract.
  // At most 10,000 streams a call.
  absl::Status BatchCommit(const TableName& table, const std::vector<std::string>& streams);
  const StorageWriteOptions& options() const;

  class Transport;
  Transport& transport() const { return *transport_; }

 private:
  std::unique_ptr<Transport> transport_;
};

// Rows in their wire form, never copied: `bytes` is spliced into the request as it lies.
struct RowBytes {
  std::string_view bytes;  // a serialised google.cloud.bigquery.storage.v1.ProtoRows; kept valid by `owner`
  uint64_t row_count = 0;
  // Released once the rows are acknowledged and gRPC is done with them, on any thread: a deleter that puts
  // the buffer back into a pool must lock.
  std::shared_ptr<const void> owner;
};
// For bytes that nobody recycles.
RowBytes OwnedRows(std::string bytes, uint64_t row_count);

struct AppendTarget {
  std::string stream;       // a stream's name, or DefaultStream(table)
  std::string descriptor;   // a serialised google.protobuf.DescriptorProto, self-contained
  int64_t next_offset = 0;  // of the first row to be appended; ignored by default streams
  // Makes the stream that follows one that has ended (finalized, or dropped by the service after days without
  // traffic), and makes its name durable. `rows`: how many of this target's rows, from its first, the streams
  // before hold. Empty: the end of the stream is a failure.
  std::function<absl::StatusOr<std::string>(uint64_t rows)> next_stream = {};
};
std::string DefaultStream(const TableName& table);
bool IsDefaultStream(std::string_view stream);

struct AppendOptions {
  size_t max_bytes_in_flight = size_t{16} << 20;
  int max_requests_in_flight = 100;
  absl::Duration answer_timeout = absl::Minutes(2);       // no answer for so long: the connection is dropped
  absl::Duration table_patience = kTablePatience;         // denials and NotFound of a table just made
  absl::Duration schema_patience = absl::ZeroDuration();  // extra fields likewise: set after adding columns
  std::string location;  // the datasets', for a connection that several tables share
  std::string trace_id;  // empty: hakobu:<version>
};

// One AppendRows connection and the streams that write through it. Reconnects by itself and sends again what
// was not acknowledged, from the right offset: exactly once for streams with offsets, at least once for
// default streams. Several targets share a connection only if all are default streams (the service's rule).
// Not thread-safe: one thread uses it (gRPC's own threads do the sending and receiving meanwhile).
class AppendConnection {
 public:
  AppendConnection(StorageWrite& service, AppendOptions options);
  ~AppendConnection();
  AppendConnection(const AppendConnection&) = delete;
  AppendConnection& operator=(const AppendConnection&) = delete;

  using TargetId = size_t;
  TargetId AddTarget(AppendTarget target);
  // The schema of all later appends to a default stream.
  void ChangeDescriptor(TargetId target, std::string descriptor);

  // Returns when the rows are queued, which waits while too much is in flight. An error is the target's first
  // failure: nothing after AcknowledgedRows is known to be written, and the target takes no more.
  // RowErrors(status) are the rows refused, if that is the reason. Rows beyond the request limit
  // (kMaxAppendBytes) are InvalidArgument.
  absl::Status Append(TargetId target, RowBytes rows);
  // Waits for all answers.
  absl::Status Flush(TargetId target);
  absl::Status FlushAll();  // the first failure of any target
  // Takes in what has arrived: keeps acknowledgements fresh while nothing is appended. With `longest`, waits
  // at most so long for something to arrive. Failures of a target are told by Failure alone.
  absl::Status Poll(absl::Duration longest = absl::ZeroDuration());
  // OK until the target has failed for good.
  absl::Status Failure(TargetId target) const;

  // Rows, and appends, acknowledged without a gap, counted from this connection's first.
  uint64_t AcknowledgedRows(TargetId target) const;
  uint64_t AcknowledgedAppends(TargetId target) const;

  struct Counters {
    uint64_t requests = 0;
    uint64_t bytes = 0;
    uint64_t resent_requests = 0;
    uint64_t connections = 0;
  };
  const Counters& counters() const;
  // True once the service has told of a newer table schema for the target.
  bool SchemaUpdated(TargetId target) const;
  // Why nothing of the target goes out at present although it has not failed: OK, or the refusal that is
  // being waited out (a table or a column that is not everywhere yet).
  absl::Status Parked(TargetId target) const;

 private:
  class State;
  std::unique_ptr<State> state_;
};

// One stream on a connection of its own: what a chunk of a snapshot is written with.
class WriteStream {
 public:
  WriteStream(StorageWrite& service, AppendTarget target, AppendOptions options = {});
  absl::Status Append(RowBytes rows) { return connection_.Append(target_, std::move(rows)); }
  absl::Status Flush() { return connection_.Flush(target_); }
  uint64_t AcknowledgedRows() const { return connection_.AcknowledgedRows(target_); }
  const AppendConnection::Counters& counters() const { return connection_.counters(); }

 private:
  AppendConnection connection_;
  AppendConnection::TargetId target_;
};

// 20 MB less room for the header: the largest RowBytes::bytes [quotas: AppendRows request size].
inline constexpr size_t kMaxAppendBytes = 19'500'000;

}  // namespace hakobu
