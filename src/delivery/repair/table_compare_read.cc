// TableCompare's way of a key range: read, decoded, encoded, and written beside the target (and to it).
#include <fmt/format.h>

#include "base/crash_point.h"
#include "base/status.h"
#include "decode/decode.h"
#include "delivery/reading.h"
#include "delivery/repair/table_compare.h"

namespace hakobu {
namespace {

constexpr size_t kBytesInFlight = 4 << 20;
constexpr int kTries = 5;

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
  for (int tries = 1;; ++tries) {
    HAKOBU_RETURN_IF_ERROR(context_->cancel->Check());
    const absl::Status status = ReadOnce(chunk, durable, send_sequence);
    if (status.ok() || !PassesByItself(status) || tries == kTries) {
      return Annotate(status, fmt::format("compare {}: chunk {}", name(), chunk->number));
    }
    source_.reset();
    if (context_->cancel->WaitFor(absl::Seconds(tries))) return context_->cancel->Check();
  }
}

namespace {

// Requests for one stream, opened with the first of them.
class Requests {
 public:
  Requests(StorageWrite* storage, ProtoEncoder encoder, std::shared_ptr<RequestPool> pool)
      : storage_(storage), encoder_(std::move(encoder)), pool_(std::move(pool)) {}

  // The default stream of `table`, or a pending one.
  absl::Status Add(const Batch& batch, std::span<const RowChange> changes, const TableName& table) {
    Quarantine quarantine;
    for (size_t row = 0; row < batch.rows();) {
      if (open_ == nullptr) open_ = pool_->Take();
      HAKOBU_ASSIGN_OR_RETURN(const size_t taken,
                              encoder_.Append(batch, row, kRequestBytes, open_.get(), &quarantine, changes));
      row += taken;
      if (row < batch.rows() || open_->bytes().size() >= kRequestBytes) {
        HAKOBU_RETURN_IF_ERROR(Send(table, !changes.empty()));
      }
    }
    return absl::OkStatus();
  }
  absl::Status Flush(const TableName& table, bool by_default) {
    if (open_ != nullptr && open_->rows() > 0) HAKOBU_RETURN_IF_ERROR(Send(table, by_default));
    return stream_ == nullptr ? absl::OkStatus() : stream_->Flush();
  }
  const std::string& stream_name() const { return name_; }

 private:
  absl::Status Send(const TableName& table, bool by_default) {
    if (stream_ == nullptr) {
      name_ = DefaultStream(table);
      if (!by_default) {
        HAKOBU_ASSIGN_OR_RETURN(const StreamFacts made, storage_->CreateStream(table, StreamType::kPending));
        name_ = made.name;
      }
      AppendOptions options;
      options.max_bytes_in_flight = kBytesInFlight;
      stream_ = std::make_unique<WriteStream>(
          *storage_,
          AppendTarget{.stream = name_, .descriptor = std::string(encoder_.descriptor()), .next_offset = 0},
          options);
    }
    RowBytes rows{.bytes = open_->bytes(), .row_count = open_->rows(), .owner = open_};
    open_.reset();
    return stream_->Append(std::move(rows));
  }

  StorageWrite* storage_;
  ProtoEncoder encoder_;
  std::shared_ptr<RequestPool> pool_;
  std::shared_ptr<EncodedRows> open_;
  std::string name_;
  std::unique_ptr<WriteStream> stream_;
};

}  // namespace

absl::Status TableCompare::ReadOnce(StreamChunkRecord* chunk, bool durable,
                                    const std::string& send_sequence) {
  StorageWrite& storage = *context_->destination.storage;
  if (durable && !chunk->write_stream.empty()) {
    const absl::StatusOr<StreamFacts> earlier = storage.GetStream(chunk->write_stream);
    if (earlier.ok() && earlier->committed) {
      chunk->done = true;
      return context_->repairs->StoreChunk(name(), *chunk);
    }
    chunk->write_stream.clear();
  }
  HAKOBU_ASSIGN_OR_RETURN(const Chunk bounds, Chunk::FromJson(chunk->bounds_json));
  HAKOBU_ASSIGN_OR_RETURN(ProtoEncoder rows_encoder, ProtoEncoder::Create(read_, rows_));
  Requests rows(&storage, std::move(rows_encoder), pool_);
  std::optional<Requests> changes;
  if (!send_sequence.empty()) {
    ProtoOptions options;
    options.change_fields = ProtoOptions::ChangeFields::kTypeAndSequence;
    options.invalid_key = InvalidKey::kError;
    HAKOBU_ASSIGN_OR_RETURN(ProtoEncoder encoder, ProtoEncoder::Create(read_, lane_.work.schema, options));
    changes.emplace(&storage, std::move(encoder), pool_);
  }
  HAKOBU_ASSIGN_OR_RETURN(Connection * source, Source());
  ChunkReader reader(source, &lane_.base, lane_.work.columns, "");
  HAKOBU_RETURN_IF_ERROR(reader.Open(bounds));
  const RowDecoder decoder(read_, lane_.work.columns);
  const TableName beside = Beside("rows");
  Batch batch(read_.columns.size());
  chunk->rows = 0;
  const auto take = [&]() -> absl::Status {
    HAKOBU_RETURN_IF_ERROR(context_->cancel->Check());
    for (size_t row = 0; row < batch.rows(); ++row) {
      const std::span<Cell> cells = batch.MutableRow(row);
      lane_.FillOwnCells(cells, {.type = "repair", .place = "", .gtid = ""});
      cells[read_.columns.size() - 2] = Cell::Integer(CellKind::kInt64, static_cast<int64_t>(chunk->number));
      cells[read_.columns.size() - 1] = Cell::Integer(CellKind::kInt64, durable ? 1 : record_.round);
    }
    HAKOBU_RETURN_IF_ERROR(rows.Add(batch, {}, beside));
    if (changes.has_value()) {
      const std::vector<RowChange> all(batch.rows(), RowChange{ChangeType::kUpsert, send_sequence});
      if (batch.rows() > 0) HAKOBU_RETURN_IF_ERROR(changes->Add(batch, all, target()));
    }
    chunk->rows += batch.rows();
    batch.Clear();
    reader.Release();
    return absl::OkStatus();
  };
  std::string_view packet;
  while (reader.Next(&packet)) {
    HAKOBU_RETURN_IF_ERROR(decoder.Decode(packet, &batch));
    if (IsFull(batch)) HAKOBU_RETURN_IF_ERROR(take());
  }
  HAKOBU_RETURN_IF_ERROR(reader.status());
  HAKOBU_RETURN_IF_ERROR(take());
  if (changes.has_value()) {
    HAKOBU_RETURN_IF_ERROR(changes->Flush(target(), true));
    CrashPoint("repair.chunk_sent");
  }
  HAKOBU_RETURN_IF_ERROR(rows.Flush(beside, false));
  if (!rows.stream_name().empty()) {
    HAKOBU_RETURN_IF_ERROR(storage.Finalize(rows.stream_name()).status());
    chunk->write_stream = rows.stream_name();
    if (durable) HAKOBU_RETURN_IF_ERROR(context_->repairs->StoreChunk(name(), *chunk));
    CrashPoint("repair.chunk_sealed");
    HAKOBU_RETURN_IF_ERROR(storage.BatchCommit(beside, {rows.stream_name()}));
  }
  chunk->done = true;
  if (!durable) return absl::OkStatus();
  CrashPoint("repair.chunk_committed");
  return context_->repairs->StoreChunk(name(), *chunk);
}

}  // namespace hakobu
