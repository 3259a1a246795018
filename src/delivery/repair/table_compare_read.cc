// TableCompare's way of a key range: read, decoded, encoded, and written beside the target (and to it).
#include <fmt/format.h>

#include "base/crash_point.h"
#include "base/status.h"
#include "decode/decode.h"
#include "delivery/move/chunk_read.h"
#include "delivery/move/pending_chunk.h"
#include "delivery/move/retry.h"
#include "delivery/repair/table_compare.h"

namespace hakobu {
namespace {

constexpr absl::Duration kPatience = absl::Minutes(1);

AppendOptions MoveOptions() {
  AppendOptions options;
  options.max_bytes_in_flight = 4 << 20;
  return options;
}

}  // namespace

absl::Status TableCompare::ReadChunks(const std::vector<size_t>& numbers, const std::string& send_sequence) {
  ++record_.round;
  HAKOBU_RETURN_IF_ERROR(context_->repairs->StoreRound(name(), record_.round));
  HAKOBU_RETURN_IF_ERROR(NotePosition());
  for (const size_t number : numbers) {
    StreamChunkRecord chunk = chunks_[number];
    chunk.write_stream.clear();
    HAKOBU_RETURN_IF_ERROR(ReadChunk(&chunk, false, send_sequence));
  }
  return absl::OkStatus();
}

absl::Status TableCompare::ReadChunk(StreamChunkRecord* chunk, bool durable,
                                     const std::string& send_sequence) {
  MoveAttempts attempts({.patience = kPatience}, context_->clock, context_->cancel);
  for (;;) {
    HAKOBU_RETURN_IF_ERROR(context_->cancel->Check());
    const absl::Status status = ReadOnce(chunk, durable, send_sequence);
    if (status.ok()) return status;
    source_.Drop();
    HAKOBU_RETURN_IF_ERROR(
        attempts.Again(Annotate(status, fmt::format("compare {}: chunk {}", name(), chunk->number))));
  }
}

namespace {

// Changes to the target itself, over its default stream.
class ChangeSender {
 public:
  ChangeSender(StorageWrite* storage, const TableName& table, ProtoEncoder encoder,
               std::shared_ptr<RequestPool> pool, std::string sequence)
      : sequence_(std::move(sequence)),
        stream_(*storage,
                AppendTarget{.stream = DefaultStream(table),
                             .descriptor = std::string(encoder.descriptor()),
                             .next_offset = 0},
                MoveOptions()),
        writer_(std::move(encoder), std::move(pool), [this](std::shared_ptr<EncodedRows> request) {
          RowBytes rows{.bytes = request->bytes(), .row_count = request->rows(), .owner = request};
          return stream_.Append(std::move(rows));
        }) {}
  ChangeSender(const ChangeSender&) = delete;
  ChangeSender& operator=(const ChangeSender&) = delete;

  absl::Status Write(const Batch& batch) {
    const std::vector<RowChange> changes(batch.rows(), RowChange{ChangeType::kUpsert, sequence_});
    return writer_.Write(batch, changes);
  }
  absl::Status Flush() {
    HAKOBU_RETURN_IF_ERROR(writer_.Flush());
    return stream_.Flush();
  }

 private:
  const std::string sequence_;
  WriteStream stream_;
  RequestWriter writer_;
};

}  // namespace

absl::Status TableCompare::ReadOnce(StreamChunkRecord* chunk, bool durable,
                                    const std::string& send_sequence) {
  StorageWrite& storage = *context_->destination.storage;
  if (durable && !chunk->write_stream.empty()) {
    HAKOBU_ASSIGN_OR_RETURN(const SealedStream earlier, FindSealed(storage, chunk->write_stream));
    if (earlier == SealedStream::kCommitted) {
      chunk->done = true;
      return context_->repairs->StoreChunk(name(), *chunk);
    }
    chunk->write_stream.clear();
  }
  HAKOBU_ASSIGN_OR_RETURN(const Chunk bounds, BoundsOf(*chunk));
  HAKOBU_ASSIGN_OR_RETURN(ProtoEncoder rows_encoder, ProtoEncoder::Create(read_, rows_));
  const TableName beside = Beside("rows");
  PendingChunk rows(&storage, beside, std::move(rows_encoder), pool_, MoveOptions());
  std::optional<ChangeSender> changes;
  if (!send_sequence.empty()) {
    ProtoOptions options;
    options.change_fields = ProtoOptions::ChangeFields::kTypeAndSequence;
    options.invalid_key = InvalidKey::kError;
    HAKOBU_ASSIGN_OR_RETURN(ProtoEncoder encoder, ProtoEncoder::Create(read_, lane_.work.schema, options));
    changes.emplace(&storage, target(), std::move(encoder), pool_, send_sequence);
  }
  HAKOBU_ASSIGN_OR_RETURN(Connection * source, source_.Get());
  const RowDecoder decoder(read_, lane_.work.columns);
  const ChunkSource chunk_source{.table = &lane_.base,
                                 .columns = &lane_.work.columns,
                                 .where = "",
                                 .decoder = &decoder,
                                 .batch_columns = read_.columns.size()};
  chunk->rows = 0;
  const auto take = [&](Batch& batch) -> absl::Status {
    HAKOBU_RETURN_IF_ERROR(context_->cancel->Check());
    for (size_t row = 0; row < batch.rows(); ++row) {
      const std::span<Cell> cells = batch.MutableRow(row);
      lane_.FillOwnCells(cells, {.type = "repair", .place = "", .gtid = ""});
      cells[read_.columns.size() - 2] = Cell::Integer(CellKind::kInt64, static_cast<int64_t>(chunk->number));
      cells[read_.columns.size() - 1] = Cell::Integer(CellKind::kInt64, durable ? 1 : record_.round);
    }
    HAKOBU_RETURN_IF_ERROR(rows.writer().Write(batch));
    if (changes.has_value()) HAKOBU_RETURN_IF_ERROR(changes->Write(batch));
    chunk->rows += batch.rows();
    return absl::OkStatus();
  };
  HAKOBU_RETURN_IF_ERROR(hakobu::ReadChunk(source, chunk_source, bounds, take));
  if (changes.has_value()) {
    HAKOBU_RETURN_IF_ERROR(changes->Flush());
    CrashPoint("repair.chunk_sent");
  }
  HAKOBU_ASSIGN_OR_RETURN(const std::string stream, rows.Seal());
  if (!stream.empty()) {
    chunk->write_stream = stream;
    if (durable) HAKOBU_RETURN_IF_ERROR(context_->repairs->StoreChunk(name(), *chunk));
    CrashPoint("repair.chunk_sealed");
    HAKOBU_RETURN_IF_ERROR(storage.BatchCommit(beside, {stream}));
  }
  chunk->done = true;
  if (!durable) return absl::OkStatus();
  CrashPoint("repair.chunk_committed");
  return context_->repairs->StoreChunk(name(), *chunk);
}

}  // namespace hakobu
