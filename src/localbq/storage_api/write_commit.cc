// BatchCommitWriteStreams: every stream's rows into the table in one transaction.
#include <fmt/format.h>

#include <algorithm>

#include "absl/time/clock.h"
#include "base/crash_point.h"
#include "base/status.h"
#include "localbq/storage_api/storage_error.h"
#include "localbq/storage_api/write_streams.h"

namespace hakobu::localbq {
namespace {

constexpr size_t kMaxStreams = 10'000;

absl::Status Refusal(const WriteStream& stream) ABSL_EXCLUSIVE_LOCKS_REQUIRED(stream.mutex) {
  const auto refuse = [&](StorageErrorCode code, std::string_view message) {
    return StorageStatus(absl::StatusCode::kInvalidArgument, code, message, stream.name);
  };
  if (stream.type != StreamType::kPending) {
    return refuse(StorageErrorCode::kInvalidStreamType,
                  fmt::format("Stream must be created in pending mode, actual: {}",
                              stream.type == StreamType::kCommitted ? "WRITE_OPTIMIZED" : "BUFFERED"));
  }
  if (stream.committed_us != 0) {
    return refuse(StorageErrorCode::kStreamAlreadyCommitted, "Stream is already committed.");
  }
  if (!stream.finalized) {
    return refuse(StorageErrorCode::kInvalidStreamState,
                  "Stream is not finalized. A stream must be finalized before it is committed.");
  }
  return absl::OkStatus();
}

// Locks streams in the order of their ids, so that two commits cannot wait for each other.
class AllLocked {
 public:
  explicit AllLocked(std::vector<WriteStreamPtr>* streams) ABSL_NO_THREAD_SAFETY_ANALYSIS
      : streams_(*streams) {
    std::sort(streams_.begin(), streams_.end(), [](const auto& a, const auto& b) { return a->id < b->id; });
    for (const WriteStreamPtr& stream : streams_) stream->mutex.Lock();
  }
  ~AllLocked() ABSL_NO_THREAD_SAFETY_ANALYSIS {
    for (const WriteStreamPtr& stream : streams_) stream->mutex.Unlock();
  }

 private:
  std::vector<WriteStreamPtr>& streams_;
};

}  // namespace

absl::StatusOr<WriteStreams::CommitResult> WriteStreams::Commit(
    const TableId& id, const std::vector<std::string>& names) ABSL_NO_THREAD_SAFETY_ANALYSIS {
  if (names.empty()) return absl::InvalidArgumentError("At least one write stream must be given to commit.");
  if (names.size() > kMaxStreams) {
    return absl::InvalidArgumentError(
        fmt::format("Too many write streams: {}, at most {}", names.size(), kMaxStreams));
  }
  CommitResult result;
  std::vector<WriteStreamPtr> streams;
  for (const std::string& name : names) {
    const auto stream = Find(name);
    if (!stream.ok()) {
      result.stream_errors.push_back(stream.status());
    } else if (!((*stream)->table == id)) {
      return absl::InvalidArgumentError(
          fmt::format("Stream {} does not belong to table {}.", name, TablePath(id)));
    } else if (std::find(streams.begin(), streams.end(), *stream) == streams.end()) {
      streams.push_back(*stream);
    }
  }
  const AllLocked locked(&streams);
  for (const WriteStreamPtr& stream : streams) {
    if (absl::Status status = Refusal(*stream); !status.ok()) result.stream_errors.push_back(status);
  }
  if (!result.stream_errors.empty()) return result;
  const int64_t now_us = absl::GetCurrentTimeNanos() / 1000;
  const int64_t generation = streams.front()->generation;
  const absl::Status written = catalog_->Write(
      id, generation,
      [&](Connection& connection, const Table& table) -> absl::Status {
        std::string ids;
        for (const WriteStreamPtr& stream : streams) {
          if (stream->generation != generation) return NotFoundTable(id);
          HAKOBU_RETURN_IF_ERROR(MoveStaged(connection, table, *stream, ""));
          HAKOBU_RETURN_IF_ERROR(connection.Run(fmt::format("DROP TABLE hakobu_streams.s{}", stream->id)));
          ids += fmt::format("{}{}", ids.empty() ? "" : ", ", stream->id);
        }
        CrashPoint("localbq.commit");
        return connection.Run(
            fmt::format("UPDATE hakobu_streams.streams SET committed_us = {} WHERE id IN ({})", now_us, ids));
      },
      Catalog::Writer::kStream);
  if (!written.ok()) return written;
  CrashPoint("localbq.committed");
  int64_t rows = 0;
  for (const WriteStreamPtr& stream : streams) {
    stream->committed_us = now_us;
    stream->lapses_us = 0;
    rows += stream->next_offset;
  }
  if (const auto table = catalog_->GetTable(id); table.ok())
    faults_->tables().OnStreamed(**table, StreamKind::kExplicit, rows);
  result.committed_us = now_us;
  return result;
}

}  // namespace hakobu::localbq
