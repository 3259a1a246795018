#include "delivery/stream/table_copy.h"

#include <fmt/format.h>

#include "base/crash_point.h"
#include "base/log.h"
#include "base/status.h"
#include "decode/decode.h"
#include "delivery/move/chunk_read.h"
#include "delivery/move/pending_chunk.h"
#include "delivery/sealed_values.h"
#include "delivery/stream/table_contract.h"
#include "log/sequence.h"

namespace hakobu {
namespace {

constexpr size_t kBytesInFlight = 4 << 20;
constexpr absl::Duration kAWhile = absl::Milliseconds(50);

}  // namespace

absl::Status TableCopy::CheckGoingOn() const {
  if (table_->cancel_copy) return absl::CancelledError("the table has changed");
  return context_->stop.Check();
}

absl::Status TableCopy::Copy(bool* progress) {
  const absl::Status status = CopyAll(progress);
  // The table begins anew, with keys of its own.
  if (table_->cancel_copy && sweep_ != nullptr) (void)sweep_->Remove();
  return status;
}

absl::Status TableCopy::CopyAll(bool* progress) {
  HAKOBU_RETURN_IF_ERROR(Plan());
  HAKOBU_ASSIGN_OR_RETURN(std::vector<StreamChunkRecord> chunks, context_->log->Chunks(table_->name));
  for (StreamChunkRecord& chunk : chunks) {
    if (chunk.done) continue;
    HAKOBU_RETURN_IF_ERROR(CheckGoingOn());
    if (!table_->delivered) return absl::OkStatus();  // stopped meanwhile
    HAKOBU_RETURN_IF_ERROR(CopyChunk(&chunk));
    *progress = true;
  }
  HAKOBU_RETURN_IF_ERROR(FinishSweep());
  return Finish();
}

// A transaction can be in the log before a reader of the tables sees it.
absl::Status TableCopy::WaitForCommits() {
  HAKOBU_ASSIGN_OR_RETURN(Connection * source, source_.Get());
  if (joined_.empty()) {
    // The log's own position was read in a consistent view (MariaDB), or nothing tells: a second is much more
    // than the time between a transaction's log write and its commit.
    const absl::Time until =
        context_->clock->Now() + absl::Seconds(source->flavor() == ServerFlavor::kMySql ? 1 : 0);
    while (context_->clock->Now() < until) {
      if (context_->stop.WaitFor(kAWhile) || table_->cancel_copy) return CheckGoingOn();
    }
    return absl::OkStatus();
  }
  const std::string sql = fmt::format("SELECT GTID_SUBSET({}, @@GLOBAL.gtid_executed)", QuoteText(joined_));
  for (;;) {
    const absl::StatusOr<std::string> contained = source->QueryValue(sql);
    HAKOBU_RETURN_IF_ERROR(contained.status());
    if (*contained == "1") return absl::OkStatus();
    if (context_->stop.WaitFor(kAWhile) || table_->cancel_copy) return CheckGoingOn();
  }
}

absl::Status TableCopy::OpenSweep(const std::shared_ptr<const LaneSchema>& schema) {
  if (sweep_ != nullptr && sweep_->schema() == schema) return absl::OkStatus();
  HAKOBU_ASSIGN_OR_RETURN(const std::optional<StoredContract> contract,
                          ReadContract(context_->ledger, schema->work.target.ToString()));
  if (!contract.has_value() || !contract->sweep || !Sweep::Possible(*schema)) return absl::OkStatus();
  sweep_ = std::make_unique<Sweep>(context_, schema, table_->record().copy_sequence);
  return absl::OkStatus();
}

absl::Status TableCopy::FinishSweep() {
  const std::shared_ptr<const LaneSchema> schema = table_->schema();
  HAKOBU_RETURN_IF_ERROR(OpenSweep(schema));
  if (sweep_ == nullptr || !table_->delivered) return absl::OkStatus();
  HAKOBU_RETURN_IF_ERROR(sweep_->Finish(table_->record().copied_rows));
  HAKOBU_RETURN_IF_ERROR(context_->ledger->contracts().EndSweep(schema->work.target.ToString()));
  return std::exchange(sweep_, nullptr)->Remove();
}

// Whether a copy was planned before, and can go on.
absl::StatusOr<bool> TableCopy::IsPlanned(const SealedValues& values) {
  HAKOBU_ASSIGN_OR_RETURN(const std::vector<StreamChunkRecord> known, context_->log->Chunks(table_->name));
  if (known.empty()) return false;
  std::string lost;
  for (const StreamChunkRecord& chunk : known) {
    if (!values.Read(chunk.bounds_json).ok()) lost = "the copy's ranges were sealed with another salt";
    if (!values.Exposed(chunk.bounds_json)) continue;
    StreamChunkRecord sealed = chunk;
    sealed.bounds_json = values.Write(chunk.bounds_json);
    HAKOBU_RETURN_IF_ERROR(context_->log->StoreChunk(table_->name, sealed));
  }
  if (lost.empty() && sweep_ != nullptr) {
    HAKOBU_ASSIGN_OR_RETURN(const bool there, sweep_->IsThere());
    if (!there) lost = "the keys that came are gone";
  }
  if (lost.empty()) return true;
  Log(LogSeverity::kWarning, lost + ": the table is copied from its beginning", {{"table", table_->name}});
  HAKOBU_RETURN_IF_ERROR(
      table_->Store(context_->log, [](StreamTableRecord* each) { each->copied_rows = 0; }));
  return false;
}

absl::Status TableCopy::Plan() {
  HAKOBU_RETURN_IF_ERROR(OpenSweep(table_->schema()));
  const SealedValues values(context_->ledger->id(), table_->schema()->work);
  HAKOBU_ASSIGN_OR_RETURN(const bool planned_before, IsPlanned(values));
  if (planned_before) return absl::OkStatus();
  HAKOBU_RETURN_IF_ERROR(WaitForCommits());
  HAKOBU_ASSIGN_OR_RETURN(Connection * source, source_.Get());
  const std::shared_ptr<const LaneSchema> schema = table_->schema();
  ChunkOptions options;
  options.target_rows = schema->work.options.chunk_rows;
  options.target_bytes = schema->work.options.chunk_bytes;
  options.connections = 1;
  HAKOBU_ASSIGN_OR_RETURN(const ChunkPlan plan, PlanChunks(source, schema->base, options));
  std::vector<StreamChunkRecord> chunks;
  for (const Chunk& chunk : plan.chunks) {
    chunks.push_back({.number = chunks.size(), .bounds_json = values.Write(chunk.ToJson())});
  }
  if (sweep_ != nullptr) HAKOBU_RETURN_IF_ERROR(sweep_->Begin());
  // Planning takes its time: a table that was stopped in it stays stopped.
  HAKOBU_ASSIGN_OR_RETURN(const bool planned, table_->PlanCopy(context_->log, chunks));
  if (!planned) return absl::CancelledError("the table is not copied any more");
  CrashPoint("stream.copy_planned");
  Log(LogSeverity::kInfo, "copying", {{"table", table_->name}, {"chunks", fmt::format("{}", chunks.size())}});
  return absl::OkStatus();
}

absl::Status TableCopy::CopyChunk(StreamChunkRecord* chunk) {
  const absl::Status status = CopyOnce(chunk);
  if (!status.ok()) return Annotate(status, fmt::format("copy {}: chunk {}", table_->name, chunk->number));
  const absl::Status stored =
      table_->Store(context_->log, [&](StreamTableRecord* record) { record->copied_rows += chunk->rows; });
  CrashPoint("stream.chunk_done");
  return stored;
}

absl::Status TableCopy::CopyOnce(StreamChunkRecord* chunk) {
  const SealedValues values(context_->ledger->id(), table_->schema()->work);
  HAKOBU_ASSIGN_OR_RETURN(const std::string bounds_json, values.Read(chunk->bounds_json));
  HAKOBU_ASSIGN_OR_RETURN(const Chunk bounds, Chunk::FromJson(bounds_json));
  chunk->rows = 0;
  HAKOBU_RETURN_IF_ERROR(table_->schema()->changes_by_key() ? CopyByKey(bounds, chunk)
                                                            : CopyHistory(bounds, chunk));
  CrashPoint("stream.chunk_sent");
  chunk->done = true;
  return context_->log->StoreChunk(table_->name, *chunk);
}

absl::Status TableCopy::Read(const Chunk& bounds, const std::shared_ptr<const LaneSchema>& of,
                             RequestWriter* writer, StreamChunkRecord* chunk) {
  const LaneSchema& schema = *of;
  HAKOBU_RETURN_IF_ERROR(OpenSweep(of));
  HAKOBU_ASSIGN_OR_RETURN(Connection * source, source_.Get());
  const RowDecoder decoder(schema.work.source, schema.work.columns);
  const ChunkSource chunk_source{.table = &schema.base,
                                 .columns = &schema.work.columns,
                                 .where = "",
                                 .decoder = &decoder,
                                 .batch_columns = schema.columns()};
  const std::string sequence = table_->record().copy_sequence;
  RowFacts facts;
  facts.type = "snapshot";
  const std::string sortable = SortableSequence(ParseSequence(sequence));
  facts.place = sortable;
  std::vector<RowChange> changes;
  const absl::Status read = ReadChunk(source, chunk_source, bounds, [&](Batch& batch) -> absl::Status {
    HAKOBU_RETURN_IF_ERROR(CheckGoingOn());
    for (size_t row = 0; row < batch.rows(); ++row) schema.FillOwnCells(batch.MutableRow(row), facts);
    changes.assign(schema.changes_by_key() ? batch.rows() : 0, RowChange{ChangeType::kUpsert, sequence});
    chunk->rows += batch.rows();
    if (sweep_ != nullptr) HAKOBU_RETURN_IF_ERROR(sweep_->Take(batch));
    return writer->Write(batch, changes);
  });
  HAKOBU_RETURN_IF_ERROR(read);
  return sweep_ == nullptr ? absl::OkStatus() : sweep_->Flush();
}

absl::Status TableCopy::CopyByKey(const Chunk& bounds, StreamChunkRecord* chunk) {
  const std::shared_ptr<const LaneSchema> schema = table_->schema();
  HAKOBU_ASSIGN_OR_RETURN(ProtoEncoder encoder, schema->MakeEncoder());
  if (connection_ == nullptr) {
    AppendOptions options;
    options.max_bytes_in_flight = kBytesInFlight;
    options.table_patience = absl::Minutes(10);
    options.schema_patience = kSchemaPatience;
    connection_ = std::make_unique<AppendConnection>(*context_->destination.storage, options);
    descriptor_ = encoder.descriptor();
    target_ = connection_->AddTarget(
        {.stream = DefaultStream(schema->work.target), .descriptor = descriptor_, .next_offset = 0});
  } else if (descriptor_ != encoder.descriptor()) {
    descriptor_ = encoder.descriptor();
    connection_->ChangeDescriptor(target_, descriptor_);
  }
  RequestWriter writer(std::move(encoder), pool_, [this](std::shared_ptr<EncodedRows> request) {
    RowBytes rows{.bytes = request->bytes(), .row_count = request->rows(), .owner = request};
    return connection_->Append(target_, std::move(rows));
  });
  HAKOBU_RETURN_IF_ERROR(Read(bounds, schema, &writer, chunk));
  HAKOBU_RETURN_IF_ERROR(writer.Flush());
  table_->quarantined += writer.quarantine().values();
  return connection_->Flush(target_);
}

// Exactly once: the rows become visible with the commit of a stream whose name was kept before.
absl::Status TableCopy::CopyHistory(const Chunk& bounds, StreamChunkRecord* chunk) {
  const std::shared_ptr<const LaneSchema> schema = table_->schema();
  StorageWrite& storage = *context_->destination.storage;
  if (!chunk->write_stream.empty()) {
    HAKOBU_ASSIGN_OR_RETURN(const SealedStream earlier, FindSealed(storage, chunk->write_stream));
    if (earlier == SealedStream::kCommitted) return absl::OkStatus();
    chunk->write_stream.clear();
  }
  HAKOBU_ASSIGN_OR_RETURN(ProtoEncoder encoder, schema->MakeEncoder());
  AppendOptions options;
  options.max_bytes_in_flight = kBytesInFlight;
  PendingChunk pending(&storage, schema->work.target, std::move(encoder), pool_, options);
  HAKOBU_RETURN_IF_ERROR(Read(bounds, schema, &pending.writer(), chunk));
  HAKOBU_ASSIGN_OR_RETURN(const std::string stream, pending.Seal());
  table_->quarantined += pending.writer().quarantine().values();
  if (stream.empty()) return absl::OkStatus();
  chunk->write_stream = stream;
  HAKOBU_RETURN_IF_ERROR(context_->log->StoreChunk(table_->name, *chunk));
  CrashPoint("stream.chunk_sealed");
  return storage.BatchCommit(schema->work.target, {stream});
}

absl::Status TableCopy::Finish() {
  HAKOBU_ASSIGN_OR_RETURN(Connection * source, source_.Get());
  HAKOBU_ASSIGN_OR_RETURN(const LogPoint end, ReadLogPoint(source));
  CrashPoint("stream.copy_done");
  uint64_t rows = 0;
  const absl::Status copied =
      table_->Advance(context_->log, StreamTableEvent::kCopied, [&](StreamTableRecord* record) {
        rows = record->copied_rows;
        record->since = context_->clock->Now();
        record->whole_epoch = context_->epoch;
        record->whole_file = end.file;
        record->whole_offset = end.offset;
      });
  if (!table_->delivered) return absl::OkStatus();  // stopped meanwhile
  HAKOBU_RETURN_IF_ERROR(copied);
  Log(LogSeverity::kInfo, "copied", {{"table", table_->name}, {"rows", fmt::format("{}", rows)}});
  return absl::OkStatus();
}

}  // namespace hakobu
