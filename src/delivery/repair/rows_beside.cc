#include "delivery/repair/rows_beside.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/log.h"
#include "base/status.h"
#include "decode/decode.h"
#include "delivery/move/chunk_read.h"
#include "delivery/move/pending_chunk.h"
#include "delivery/move/retry.h"

namespace hakobu {
namespace {

constexpr absl::Duration kRowsLife = absl::Hours(24 * 7);
constexpr absl::Duration kReadPatience = absl::Minutes(1);
constexpr size_t kMostInFlight = 4 << 20;

TableName RowsTable(const RepairContext& context, const TableName& target) {
  const std::string& staging = context.config->destination.staging_dataset;
  return {target.project, staging.empty() ? target.dataset : staging,
          fmt::format("_hakobu_verify_{}_{}", target.table, context.ledger->id())};
}

}  // namespace

RowsBeside::RowsBeside(RepairContext* context, const TableWork& work, std::string where)
    : context_(context),
      work_(work),
      where_(std::move(where)),
      table_(RowsTable(*context, work.target)),
      source_(context->source()) {}

RowsBeside::~RowsBeside() {
  const absl::Status removed = Remove();
  if (removed.ok()) return;
  Log(LogSeverity::kWarning, "a table to compare with was not removed; it expires in a week",
      {{"table", table_.ToString()}, {"error", std::string(View(removed.message()))}});
}

absl::Status RowsBeside::Remove() {
  const absl::Status gone = DeleteTable(*context_->destination.rest, table_);
  return gone.code() == absl::StatusCode::kNotFound ? absl::OkStatus() : gone;
}

absl::Status RowsBeside::Make() {
  HAKOBU_RETURN_IF_ERROR(Remove());
  nlohmann::json resource;
  resource["schema"]["fields"] = nlohmann::json::parse(SchemaFieldsJson(work_.schema), nullptr, false);
  resource["expirationTime"] = std::to_string(absl::ToUnixMillis(context_->clock->Now() + kRowsLife));
  resource["description"] =
      "the source's rows, to compare " + work_.target.table + " with; made and removed by hakobu";
  const std::string text = resource.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
  return CreateTable(*context_->destination.rest, table_,
                     WithKmsKey(text, context_->config->destination.kms_key))
      .status();
}

absl::Status RowsBeside::Read() {
  HAKOBU_RETURN_IF_ERROR(Make());
  HAKOBU_ASSIGN_OR_RETURN(Connection * source, source_.Get());
  ChunkOptions options;
  options.target_rows = std::min<uint64_t>(work_.options.chunk_rows, 50'000);
  options.target_bytes = std::min<uint64_t>(work_.options.chunk_bytes, 16 << 20);
  options.where = where_;
  HAKOBU_ASSIGN_OR_RETURN(const ChunkPlan plan, PlanChunks(source, work_.source, options));
  rows_ = 0;
  chunks_ = plan.chunks.size();
  for (const Chunk& chunk : plan.chunks) HAKOBU_RETURN_IF_ERROR(ReadOne(chunk));
  return absl::OkStatus();
}

absl::Status RowsBeside::ReadOne(const Chunk& bounds) {
  MoveAttempts attempts({.patience = kReadPatience}, context_->clock, context_->cancel);
  for (;;) {
    HAKOBU_RETURN_IF_ERROR(context_->cancel->Check());
    uint64_t rows = 0;
    const absl::Status status = ReadOnce(bounds, &rows);
    rows_ += rows;
    if (status.ok()) return status;
    source_.Drop();
    HAKOBU_RETURN_IF_ERROR(attempts.Again(Annotate(status, "compare " + work_.name)));
  }
}

// Nothing of it is visible before the last step; a commit whose answer is lost is asked for again.
absl::Status RowsBeside::ReadOnce(const Chunk& bounds, uint64_t* rows) {
  StorageWrite& storage = *context_->destination.storage;
  HAKOBU_ASSIGN_OR_RETURN(ProtoEncoder encoder, ProtoEncoder::Create(work_.source, work_.schema));
  AppendOptions options;
  options.max_bytes_in_flight = kMostInFlight;
  PendingChunk pending(&storage, table_, std::move(encoder), pool_, options);
  HAKOBU_ASSIGN_OR_RETURN(Connection * source, source_.Get());
  const RowDecoder decoder(work_.source, work_.columns);
  const ChunkSource chunk{.table = &work_.source,
                          .columns = &work_.columns,
                          .where = where_,
                          .decoder = &decoder,
                          .batch_columns = decoder.batch_columns()};
  uint64_t read = 0;
  const auto take = [&](Batch& batch) -> absl::Status {
    HAKOBU_RETURN_IF_ERROR(context_->cancel->Check());
    read += batch.rows();
    return pending.writer().Write(batch);
  };
  HAKOBU_RETURN_IF_ERROR(ReadChunk(source, chunk, bounds, take));
  HAKOBU_ASSIGN_OR_RETURN(const std::string stream, pending.Seal());
  if (!stream.empty()) {
    MoveAttempts attempts({.patience = kReadPatience}, context_->clock, context_->cancel);
    for (;;) {
      const absl::Status committed = storage.BatchCommit(table_, {stream});
      if (committed.ok()) break;
      HAKOBU_RETURN_IF_ERROR(attempts.Again(committed));
    }
  }
  *rows = read;
  return absl::OkStatus();
}

}  // namespace hakobu
