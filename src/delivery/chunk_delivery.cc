#include "delivery/chunk_delivery.h"

#include <fmt/format.h>

#include "base/crash_point.h"
#include "base/log.h"
#include "base/status.h"
#include "delivery/reading.h"
#include "destination/error.h"
#include "destination/retry.h"

namespace hakobu {
namespace {

constexpr int kNewStreams = 5;  // tries after errors of the stream itself

std::vector<QuarantineRecord> Records(const Quarantine& quarantine) {
  std::vector<QuarantineRecord> records;
  for (const QuarantinedColumn& column : quarantine.columns()) {
    QuarantineRecord record{.column = column.column, .count = column.values};
    for (const QuarantinedValue& value : column.first) {
      record.first_keys.push_back(value.key);
      if (record.example.empty()) record.example = fmt::format("{} {}", value.value, value.reason);
    }
    records.push_back(std::move(record));
  }
  return records;
}

// The service has lost or closed the stream: a new one, with the chunk read again, is the way out.
bool IsStreamGone(const absl::Status& status) {
  const std::optional<StorageErrorCode> code = StorageCode(status);
  if (!code.has_value()) return status.code() == absl::StatusCode::kOutOfRange;
  return *code == StorageErrorCode::kStreamNotFound || *code == StorageErrorCode::kInvalidStreamState ||
         *code == StorageErrorCode::kStreamFinalized || *code == StorageErrorCode::kOffsetOutOfRange ||
         *code == StorageErrorCode::kOffsetAlreadyExists;
}

// A job that ran and failed, apart from a call that did.
bool IsJobsOwnError(const absl::Status& status) {
  return HttpStatus(status) == 0 && !ErrorReason(status).empty();
}

// Every attempt has a job id of its own, so what wants a new one is tried again too.
bool MayPass(const absl::Status& status) {
  if (status.code() == absl::StatusCode::kUnavailable || status.code() == absl::StatusCode::kAborted) {
    return true;
  }
  const Remedy remedy = RemedyFor(status);
  return IsJobsOwnError(status) && (remedy == Remedy::kRetry || remedy == Remedy::kRetryWithNewJobId);
}

}  // namespace

absl::Status ChunkDelivery::Deliver(TableRun* table, ChunkRecord* chunk) {
  RetryPolicy policy;
  policy.first_delay = absl::Seconds(1);
  policy.longest_delay = absl::Seconds(10);
  policy.max_elapsed = run_->options.patience;
  const RetryContext context{.clock = run_->clock, .cancellation = run_->cancel, .jitter = {}};
  Backoff backoff(policy, context);
  refused_.clear();
  for (int new_streams = 0;;) {
    HAKOBU_RETURN_IF_ERROR(run_->cancel->Check());
    counted_rows_ = 0;
    absl::Status status = Attempt(table, chunk);
    if (status.ok()) return status;
    table->rows -= counted_rows_;
    connection_.Drop();
    if (run_->cancel->cancelled()) return run_->cancel->Check();
    const bool explain = refused_.empty() && !RowErrors(status).empty();
    if (explain) {
      refused_ = RowErrors(status);
      ++table->retries;
      continue;
    }
    status = Annotate(status, fmt::format("{}: chunk {}", table->work.name, chunk->number));
    if (IsStreamGone(status) && new_streams < kNewStreams) {
      ++new_streams;
      ++table->retries;
      continue;
    }
    if (!MayPass(status)) return status;
    ++table->retries;
    Log(LogSeverity::kWarning, "chunk failed, trying again",
        {{"table", table->work.name},
         {"chunk", fmt::format("{}", chunk->number)},
         {"error", status.ToString()}});
    HAKOBU_RETURN_IF_ERROR(backoff.Wait(status));
  }
}

absl::Status ChunkDelivery::Attempt(TableRun* table, ChunkRecord* chunk) {
  Ledger& ledger = *run_->ledger;
  HAKOBU_ASSIGN_OR_RETURN(const bool loaded, FinishSealed(table, chunk));
  if (loaded) return absl::OkStatus();
  HAKOBU_RETURN_IF_ERROR(ledger.runs().BeginChunk(run_->run_id, table->work.name, chunk->number));
  ++chunk->attempts;
  chunk->state = ChunkState::kReading;
  CrashPoint("chunk.begun");
  HAKOBU_ASSIGN_OR_RETURN(const Chunk bounds, Chunk::FromJson(chunk->bounds_json));
  HAKOBU_ASSIGN_OR_RETURN(const std::unique_ptr<RowSink> sink, OpenSink(table, chunk));
  HAKOBU_RETURN_IF_ERROR(ReadInto(table, bounds, sink.get()));
  CrashPoint("chunk.read");
  HAKOBU_ASSIGN_OR_RETURN(const SinkResult result, sink->Finish());
  ChunkRecord done = *chunk;
  done.state = ChunkState::kDone;
  done.stream = result.stream;
  done.rows = result.rows;
  done.bytes = result.bytes;
  CrashPoint("chunk.finished");
  HAKOBU_RETURN_IF_ERROR(
      ledger.runs().FinishChunk(run_->run_id, table->work.name, done, Records(sink->quarantine())));
  CrashPoint("chunk.checkpointed");
  *chunk = std::move(done);
  table->bytes += chunk->bytes;
  return absl::OkStatus();
}

absl::Status ChunkDelivery::ReadInto(TableRun* table, const Chunk& bounds, RowSink* sink) {
  HAKOBU_ASSIGN_OR_RETURN(Connection * connection, connection_.Get());
  ChunkReader reader(connection, &table->read_as, table->work.columns, table->where);
  HAKOBU_RETURN_IF_ERROR(reader.Open(bounds));
  Batch batch(table->decoder->batch_columns());
  const auto send = [&]() -> absl::Status {
    HAKOBU_RETURN_IF_ERROR(run_->cancel->Check());
    HAKOBU_RETURN_IF_ERROR(sink->Write(batch));
    table->rows += batch.rows();
    counted_rows_ += batch.rows();
    batch.Clear();
    reader.Release();
    return absl::OkStatus();
  };
  std::string_view packet;
  while (reader.Next(&packet)) {
    HAKOBU_RETURN_IF_ERROR(table->decoder->Decode(packet, &batch));
    if (IsFull(batch)) HAKOBU_RETURN_IF_ERROR(send());
  }
  HAKOBU_RETURN_IF_ERROR(reader.status());
  return send();
}

absl::StatusOr<std::unique_ptr<RowSink>> ChunkDelivery::OpenSink(TableRun* table, ChunkRecord* chunk) {
  if (table->work.write == WriteBy::kStorage) return OpenStorageSink(run_, *table, refused_);
  const std::string job_id =
      MakeJobId("load", {run_->ledger->id(), run_->run_id, table->work.name, std::to_string(chunk->number)},
                static_cast<int>(chunk->attempts));
  const auto seal = [run = run_, table, chunk](const SinkResult& result, const Quarantine& quarantine) {
    chunk->stream = result.stream;
    chunk->rows = result.rows;
    chunk->bytes = result.bytes;
    return run->ledger->runs().SealChunk(run->run_id, table->work.name, *chunk, Records(quarantine));
  };
  return OpenLoadSink(run_, *table, job_id, seal);
}

absl::StatusOr<bool> ChunkDelivery::FinishSealed(TableRun* table, ChunkRecord* chunk) {
  if (table->work.write != WriteBy::kLoad || chunk->stream.empty()) return false;
  const DestinationConfig& destination = run_->config->destination;
  const absl::StatusOr<Job> job = WaitForJob(
      *run_->destination.rest, JobName{destination.billing_project, chunk->stream, destination.location});
  if (!job.ok()) {
    // Not there, or failed: nothing of it is in the table.
    if (IsJobsOwnError(job.status()) && job.status().code() != absl::StatusCode::kCancelled) return false;
    if (MayPass(job.status()) || job.status().code() == absl::StatusCode::kCancelled) return job.status();
    return false;
  }
  HAKOBU_RETURN_IF_ERROR(
      run_->ledger->runs().FinishSealedChunk(run_->run_id, table->work.name, chunk->number));
  chunk->state = ChunkState::kDone;
  table->rows += chunk->rows;
  table->bytes += chunk->bytes;
  return true;
}

}  // namespace hakobu
