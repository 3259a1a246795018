#include "delivery/stream/table_copy.h"

#include <fmt/format.h>

#include <limits>

#include "base/crash_point.h"
#include "base/log.h"
#include "base/status.h"
#include "decode/decode.h"
#include "delivery/reading.h"
#include "delivery/stream/sequence.h"

namespace hakobu {
namespace {

constexpr size_t kBytesInFlight = 4 << 20;
// Chunks that fail for the table's own sake: the schema was changed while it was read, most often.
constexpr int kTries = 20;

}  // namespace

TableCopy::~TableCopy() {
  DropSource();
}

absl::StatusOr<Connection*> TableCopy::Source() {
  if (source_ != nullptr) return source_.get();
  HAKOBU_RETURN_IF_ERROR(context_->stop.Check());
  HAKOBU_ASSIGN_OR_RETURN(source_, Connection::Open(context_->connect));
  context_->connections.Add(source_.get());
  return source_.get();
}

void TableCopy::DropSource() {
  if (source_ == nullptr) return;
  context_->connections.Remove(source_.get());
  source_.reset();
}

absl::Status TableCopy::CheckGoingOn() const {
  if (table_->cancel_copy) return absl::CancelledError("the table has changed");
  return context_->stop.Check();
}

absl::Status TableCopy::Copy() {
  RetryPolicy policy;
  policy.first_delay = absl::Milliseconds(500);
  policy.longest_delay = absl::Seconds(5);
  policy.max_elapsed = absl::InfiniteDuration();
  policy.max_tries = std::numeric_limits<int>::max();
  const RetryContext retry{.clock = context_->clock, .cancellation = &context_->stop, .jitter = {}};
  Backoff backoff(policy, retry);
  int tries = 0;
  for (;;) {
    absl::Status status = Plan();
    if (status.ok()) {
      HAKOBU_ASSIGN_OR_RETURN(std::vector<StreamChunkRecord> chunks, context_->log->Chunks(table_->name));
      for (StreamChunkRecord& chunk : chunks) {
        if (chunk.done) continue;
        HAKOBU_RETURN_IF_ERROR(CheckGoingOn());
        if (!table_->delivered) return absl::OkStatus();  // stopped meanwhile
        status = CopyChunk(&chunk);
        if (!status.ok()) break;
        tries = 0;
        backoff.Reset();
      }
    }
    if (status.ok()) status = Finish();
    if (status.ok()) return status;
    HAKOBU_RETURN_IF_ERROR(CheckGoingOn());
    DropSource();
    connection_.reset();
    if (!PassesByItself(status) && ++tries >= kTries) return status;
    Log(LogSeverity::kWarning, "copy failed, trying again",
        {{"table", table_->name}, {"error", std::string(View(status.message()))}});
    HAKOBU_RETURN_IF_ERROR(backoff.Wait(status));
  }
}

// A transaction can be in the log before a reader of the tables sees it.
absl::Status TableCopy::WaitForCommits() {
  HAKOBU_ASSIGN_OR_RETURN(Connection * source, Source());
  if (joined_.empty()) {
    // The log's own position was read in a consistent view (MariaDB), or nothing tells: a second is much more
    // than the time between a transaction's log write and its commit.
    if (source->flavor() == ServerFlavor::kMySql && context_->stop.WaitFor(absl::Seconds(1))) {
      return context_->stop.Check();
    }
    return absl::OkStatus();
  }
  const std::string sql = fmt::format("SELECT GTID_SUBSET({}, @@GLOBAL.gtid_executed)", QuoteText(joined_));
  for (;;) {
    const absl::StatusOr<std::string> contained = source->QueryValue(sql);
    HAKOBU_RETURN_IF_ERROR(contained.status());
    if (*contained == "1") return absl::OkStatus();
    if (context_->stop.WaitFor(absl::Milliseconds(50)) || table_->cancel_copy) return CheckGoingOn();
  }
}

absl::Status TableCopy::Plan() {
  StreamTableRecord record = table_->record();
  HAKOBU_ASSIGN_OR_RETURN(const std::vector<StreamChunkRecord> known, context_->log->Chunks(table_->name));
  if (!known.empty()) return absl::OkStatus();
  HAKOBU_RETURN_IF_ERROR(WaitForCommits());
  HAKOBU_ASSIGN_OR_RETURN(Connection * source, Source());
  const std::shared_ptr<const LaneSchema> schema = table_->schema();
  ChunkOptions options;
  options.target_rows = schema->work.options.chunk_rows;
  options.target_bytes = schema->work.options.chunk_bytes;
  options.connections = 1;
  HAKOBU_ASSIGN_OR_RETURN(const ChunkPlan plan, PlanChunks(source, schema->base, options));
  std::vector<StreamChunkRecord> chunks;
  for (const Chunk& chunk : plan.chunks) {
    chunks.push_back({.number = chunks.size(), .bounds_json = chunk.ToJson()});
  }
  HAKOBU_RETURN_IF_ERROR(context_->log->StartCopy(record, chunks));
  table_->SetChunks(chunks.size());
  CrashPoint("stream.copy_planned");
  Log(LogSeverity::kInfo, "copying", {{"table", table_->name}, {"chunks", fmt::format("{}", chunks.size())}});
  return absl::OkStatus();
}

absl::Status TableCopy::CopyChunk(StreamChunkRecord* chunk) {
  const absl::Status status = CopyOnce(chunk);
  if (!status.ok()) return Annotate(status, fmt::format("copy {}: chunk {}", table_->name, chunk->number));
  const absl::Status stored = table_->Store(context_->log, [&](StreamTableRecord* record) {
    record->copied_rows += chunk->rows;
    ++record->chunks_done;
  });
  CrashPoint("stream.chunk_done");
  return stored;
}

absl::Status TableCopy::CopyOnce(StreamChunkRecord* chunk) {
  HAKOBU_ASSIGN_OR_RETURN(const Chunk bounds, Chunk::FromJson(chunk->bounds_json));
  chunk->rows = 0;
  HAKOBU_RETURN_IF_ERROR(table_->schema()->changes_by_key() ? CopyByKey(bounds, chunk)
                                                            : CopyHistory(bounds, chunk));
  CrashPoint("stream.chunk_sent");
  chunk->done = true;
  return context_->log->StoreChunk(table_->name, *chunk);
}

absl::Status TableCopy::Read(const Chunk& bounds, const LaneSchema& schema, ProtoEncoder* encoder,
                             StreamChunkRecord* chunk,
                             absl::FunctionRef<absl::Status(std::shared_ptr<EncodedRows>)> send) {
  HAKOBU_ASSIGN_OR_RETURN(Connection * source, Source());
  ChunkReader reader(source, &schema.base, schema.work.columns, "");
  HAKOBU_RETURN_IF_ERROR(reader.Open(bounds));
  const RowDecoder decoder(schema.work.source, schema.work.columns);
  const std::string sequence = table_->record().copy_sequence;
  RowFacts facts;
  facts.type = "snapshot";
  const std::string sortable = SortableSequence(ParseSequence(sequence));
  facts.place = sortable;
  Batch batch(schema.columns());
  std::vector<RowChange> changes;
  Quarantine quarantine;
  std::shared_ptr<EncodedRows> request;
  const auto encode = [&]() -> absl::Status {
    HAKOBU_RETURN_IF_ERROR(CheckGoingOn());
    for (size_t row = 0; row < batch.rows(); ++row) schema.FillOwnCells(batch.MutableRow(row), facts);
    changes.assign(schema.changes_by_key() ? batch.rows() : 0, RowChange{ChangeType::kUpsert, sequence});
    for (size_t row = 0; row < batch.rows();) {
      if (request == nullptr) request = pool_->Take();
      HAKOBU_ASSIGN_OR_RETURN(const size_t taken, encoder->Append(batch, row, kRequestBytes, request.get(),
                                                                  &quarantine, changes));
      row += taken;
      if (row < batch.rows() || request->bytes().size() >= kRequestBytes) {
        HAKOBU_RETURN_IF_ERROR(send(std::move(request)));
        request = nullptr;
      }
    }
    chunk->rows += batch.rows();
    batch.Clear();
    reader.Release();
    return absl::OkStatus();
  };
  std::string_view packet;
  while (reader.Next(&packet)) {
    HAKOBU_RETURN_IF_ERROR(decoder.Decode(packet, &batch));
    if (IsFull(batch)) HAKOBU_RETURN_IF_ERROR(encode());
  }
  HAKOBU_RETURN_IF_ERROR(reader.status());
  HAKOBU_RETURN_IF_ERROR(encode());
  table_->quarantined += quarantine.values();
  return request == nullptr || request->rows() == 0 ? absl::OkStatus() : send(std::move(request));
}

absl::Status TableCopy::CopyByKey(const Chunk& bounds, StreamChunkRecord* chunk) {
  const std::shared_ptr<const LaneSchema> schema = table_->schema();
  HAKOBU_ASSIGN_OR_RETURN(ProtoEncoder encoder, schema->MakeEncoder());
  if (connection_ == nullptr) {
    AppendOptions options;
    options.max_bytes_in_flight = kBytesInFlight;
    options.not_found_patience = absl::Minutes(10);
    options.schema_patience = absl::Minutes(10);
    connection_ = std::make_unique<AppendConnection>(*context_->destination.storage, options);
    descriptor_ = encoder.descriptor();
    target_ = connection_->AddTarget(
        {.stream = DefaultStream(schema->work.target), .descriptor = descriptor_, .next_offset = 0});
  } else if (descriptor_ != encoder.descriptor()) {
    descriptor_ = encoder.descriptor();
    connection_->ChangeDescriptor(target_, descriptor_);
  }
  HAKOBU_RETURN_IF_ERROR(Read(bounds, *schema, &encoder, chunk, [&](std::shared_ptr<EncodedRows> request) {
    RowBytes rows{.bytes = request->bytes(), .row_count = request->rows(), .owner = request};
    return connection_->Append(target_, std::move(rows));
  }));
  return connection_->Flush(target_);
}

// Exactly once: the rows become visible with the commit of a stream whose name was kept before.
absl::Status TableCopy::CopyHistory(const Chunk& bounds, StreamChunkRecord* chunk) {
  const std::shared_ptr<const LaneSchema> schema = table_->schema();
  StorageWrite& storage = *context_->destination.storage;
  if (!chunk->write_stream.empty()) {
    const absl::StatusOr<StreamFacts> earlier = storage.GetStream(chunk->write_stream);
    if (earlier.ok() && earlier->committed) return absl::OkStatus();
    chunk->write_stream.clear();
  }
  HAKOBU_ASSIGN_OR_RETURN(ProtoEncoder encoder, schema->MakeEncoder());
  std::unique_ptr<WriteStream> stream;
  std::string name;
  HAKOBU_RETURN_IF_ERROR(
      Read(bounds, *schema, &encoder, chunk, [&](std::shared_ptr<EncodedRows> request) -> absl::Status {
        if (stream == nullptr) {
          HAKOBU_ASSIGN_OR_RETURN(const StreamFacts made,
                                  storage.CreateStream(schema->work.target, StreamType::kPending));
          name = made.name;
          AppendOptions options;
          options.max_bytes_in_flight = kBytesInFlight;
          stream = std::make_unique<WriteStream>(
              storage,
              AppendTarget{.stream = name, .descriptor = std::string(encoder.descriptor()), .next_offset = 0},
              options);
        }
        RowBytes rows{.bytes = request->bytes(), .row_count = request->rows(), .owner = request};
        return stream->Append(std::move(rows));
      }));
  if (stream == nullptr) return absl::OkStatus();
  HAKOBU_RETURN_IF_ERROR(stream->Flush());
  HAKOBU_RETURN_IF_ERROR(storage.Finalize(name).status());
  chunk->write_stream = name;
  HAKOBU_RETURN_IF_ERROR(context_->log->StoreChunk(table_->name, *chunk));
  CrashPoint("stream.chunk_sealed");
  return storage.BatchCommit(schema->work.target, {name});
}

absl::Status TableCopy::Finish() {
  HAKOBU_ASSIGN_OR_RETURN(Connection * source, Source());
  HAKOBU_ASSIGN_OR_RETURN(const LogPosition end, ReadLogPosition(source));
  CrashPoint("stream.copy_done");
  uint64_t rows = 0;
  HAKOBU_RETURN_IF_ERROR(table_->Store(context_->log, [&](StreamTableRecord* record) {
    rows = record->copied_rows;
    if (record->state != "copying") return;
    record->state = "catching";
    record->since = context_->clock->Now();
    record->whole_epoch = context_->epoch;
    record->whole_file = end.file;
    record->whole_offset = end.offset;
  }));
  Log(LogSeverity::kInfo, "copied", {{"table", table_->name}, {"rows", fmt::format("{}", rows)}});
  return absl::OkStatus();
}

}  // namespace hakobu
