#include "delivery/chunk_delivery.h"

#include <fmt/format.h>

#include "base/check.h"
#include "base/crash_point.h"
#include "base/log.h"
#include "base/status.h"
#include "delivery/direct_load.h"
#include "delivery/move/chunk_read.h"
#include "delivery/move/pending_chunk.h"
#include "delivery/move/retry.h"
#include "delivery/publish_jobs.h"
#include "delivery/table_resource.h"
#include "destination/error.h"

namespace hakobu {
namespace {

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

void Take(const SinkResult& result, ChunkRecord* chunk) {
  chunk->stream = result.stream;
  chunk->rows = result.content.rows;
  chunk->content = result.content.sum;
  chunk->bytes = result.bytes;
}

// The chunk's load, or the table's whole one.
LoadSettings LoadOf(const TableRun& table) {
  LoadSettings load;
  load.target = table.staging;
  load.kms_key = table.target.kms_key;
  if (!table.direct()) {
    load.create = false;
    load.schema_fields = SchemaFieldsJson(table.work.schema);
    return load;
  }
  if (table.work.mode == WriteMode::kReplace) load.disposition = WriteDisposition::kTruncateData;
  load.create = !table.target.exists;
  load.schema_fields = LoadFieldsJson(table.work, table.target.resource);
  if (load.create) load.layout = NewTableJson(table.work);
  return load;
}

}  // namespace

absl::Status ChunkDelivery::Deliver(TableRun* table, ChunkRecord* chunk) {
  MoveAttempts attempts({.patience = run_->options.patience}, run_->clock, run_->cancel);
  refused_.clear();
  for (;;) {
    HAKOBU_RETURN_IF_ERROR(run_->cancel->Check());
    counted_rows_ = 0;
    absl::Status status = Attempt(table, chunk);
    if (status.ok()) return status;
    HAKOBU_CHECK(table->rows >= counted_rows_, "a failed attempt takes back more rows than were counted",
                 kStartAgain);
    table->rows -= counted_rows_;
    source_.Drop();
    if (run_->cancel->cancelled()) return run_->cancel->Check();
    const bool explain = refused_.empty() && !RowErrors(status).empty();
    if (explain) {
      refused_ = RowErrors(status);
      ++table->retries;
      continue;
    }
    status = Annotate(status, fmt::format("{}: chunk {}", table->work.name, chunk->number));
    {
      const ReaderIn retrying(&run_->readers, ReaderState::kRetrying);
      HAKOBU_RETURN_IF_ERROR(attempts.Again(status));
    }
    ++table->retries;
    Log(LogSeverity::kWarning, "chunk failed, trying again",
        {{"table", table->work.name},
         {"chunk", fmt::format("{}", chunk->number)},
         {"error", status.ToString()}});
  }
}

absl::Status ChunkDelivery::Attempt(TableRun* table, ChunkRecord* chunk) {
  HAKOBU_CHECK(chunk->state != ChunkState::kDone, "a chunk that is finished would be read again",
               kStartAgain);
  Ledger& ledger = *run_->ledger;
  HAKOBU_ASSIGN_OR_RETURN(const Earlier earlier, FindEarlier(table, chunk));
  if (earlier == Earlier::kDone) {
    HAKOBU_RETURN_IF_ERROR(ledger.runs().FinishSealedChunk(run_->run_id, table->work.name, chunk->number));
    chunk->state = ChunkState::kDone;
    table->rows += chunk->rows;
    table->bytes += chunk->bytes;
    return absl::OkStatus();
  }
  // The same id until a job of it has failed: should an earlier one appear after all, it is found by it.
  std::string job_id = MakeJobId("load", {ledger.id(), run_->run_id, table->work.name,
                                          std::to_string(chunk->number), table->staging_created});
  if (earlier == Earlier::kFailed) job_id = NextJobId(chunk->stream);
  HAKOBU_RETURN_IF_ERROR(ledger.runs().BeginChunk(run_->run_id, table->work.name, chunk->number));
  ++chunk->attempts;
  chunk->state = ChunkState::kReading;
  CrashPoint("chunk.begun");
  HAKOBU_ASSIGN_OR_RETURN(const std::string bounds_json, table->values->Read(chunk->bounds_json));
  HAKOBU_ASSIGN_OR_RETURN(const Chunk bounds, Chunk::FromJson(bounds_json));
  HAKOBU_ASSIGN_OR_RETURN(const std::unique_ptr<RowSink> sink, OpenSink(table, chunk, job_id));
  HAKOBU_RETURN_IF_ERROR(ReadInto(table, bounds, sink.get()));
  CrashPoint("chunk.read");
  SinkResult result;
  {
    const ReaderIn writing(&run_->readers, ReaderState::kWriting);
    HAKOBU_ASSIGN_OR_RETURN(result, sink->Finish());
  }
  ChunkRecord done = *chunk;
  done.state = ChunkState::kDone;
  Take(result, &done);
  CrashPoint("chunk.finished");
  HAKOBU_RETURN_IF_ERROR(
      ledger.runs().FinishChunk(run_->run_id, table->work.name, done, Records(sink->quarantine())));
  CrashPoint("chunk.checkpointed");
  *chunk = std::move(done);
  table->bytes += chunk->bytes;
  return absl::OkStatus();
}

absl::Status ChunkDelivery::ReadInto(TableRun* table, const Chunk& bounds, RowSink* sink) {
  const auto take = [&](Batch& batch) -> absl::Status {
    HAKOBU_RETURN_IF_ERROR(run_->cancel->Check());
    {
      const ReaderIn writing(&run_->readers, ReaderState::kWriting);
      HAKOBU_RETURN_IF_ERROR(sink->Write(batch));
    }
    table->rows += batch.rows();
    counted_rows_ += batch.rows();
    return absl::OkStatus();
  };
  if (read_) return read_(table, bounds, take);
  HAKOBU_ASSIGN_OR_RETURN(Connection * connection, source_.Get());
  const ChunkSource source{.table = &table->read_as,
                           .columns = &table->work.columns,
                           .where = table->where,
                           .decoder = table->decoder.get(),
                           .batch_columns = table->decoder->batch_columns()};
  return ReadChunk(connection, source, bounds, take);
}

absl::StatusOr<std::unique_ptr<RowSink>> ChunkDelivery::OpenSink(TableRun* table, ChunkRecord* chunk,
                                                                 const std::string& job_id) {
  SealChunk seal = [run = run_, table, chunk](const SinkResult& result, const Quarantine& quarantine) {
    Take(result, chunk);
    return run->ledger->runs().SealChunk(run->run_id, table->work.name, *chunk, Records(quarantine));
  };
  if (table->work.write == WriteBy::kStorage) {
    return OpenStorageSink(run_, *table, refused_, std::move(seal));
  }
  LoadSinkOptions options{.job_id = job_id,
                          .load = LoadOf(*table),
                          .pace = &table->pace,
                          .seal = std::move(seal),
                          .wanted = {},
                          .send_empty = false};
  if (table->direct() && table->work.mode == WriteMode::kReplace) {
    options.send_empty = true;
    options.wanted = [run = run_, table](const ContentSum& content) {
      return PrepareDirectLoad(run, table, content);
    };
  }
  return OpenLoadSink(run_, *table, std::move(options));
}

absl::StatusOr<ChunkDelivery::Earlier> ChunkDelivery::FindEarlier(TableRun* table, ChunkRecord* chunk) {
  if (chunk->stream.empty() || table->publish.method == PublishMethod::kStreams) return Earlier::kNothing;
  if (table->work.write == WriteBy::kStorage) return FindEarlierStream(*table, chunk->stream);
  return FindEarlierJob(chunk->stream);
}

absl::StatusOr<ChunkDelivery::Earlier> ChunkDelivery::FindEarlierJob(const std::string& id) {
  const DestinationConfig& destination = run_->config->destination;
  const absl::StatusOr<Job> job =
      WaitForJob(*run_->destination.rest, JobName{destination.billing_project, id, destination.location});
  if (job.ok()) return Earlier::kDone;
  if (job.status().code() == absl::StatusCode::kCancelled) return job.status();
  if (IsJobsOwnError(job.status())) return Earlier::kFailed;
  if (PassesByItself(job.status())) return job.status();
  return Earlier::kNothing;
}

absl::StatusOr<ChunkDelivery::Earlier> ChunkDelivery::FindEarlierStream(const TableRun& table,
                                                                        const std::string& stream) {
  StorageWrite& storage = *run_->destination.storage;
  HAKOBU_ASSIGN_OR_RETURN(const SealedStream found, FindSealed(storage, stream));
  if (found == SealedStream::kGone) return Earlier::kNothing;
  if (found == SealedStream::kSealed) {
    HAKOBU_RETURN_IF_ERROR(Annotate(storage.BatchCommit(table.staging, {stream}), "commit the stream"));
  }
  return Earlier::kDone;
}

}  // namespace hakobu
