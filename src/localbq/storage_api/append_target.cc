#include "localbq/storage_api/append_target.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/status.h"
#include "google/cloud/bigquery/storage/v1/storage.pb.h"
#include "localbq/storage_api/logical_type.h"
#include "localbq/storage_api/storage_error.h"
#include "localbq/storage_api/table_schema.h"

namespace hakobu::localbq {
namespace {

namespace v1 = google::cloud::bigquery::storage::v1;
constexpr size_t kMaxRowErrors = 100;  // answered for one request

absl::Status SchemaStatus(const absl::Status& status, std::string_view entity) {
  const bool extra = status.GetPayload(View(kExtraFieldsUrl)).has_value();
  return StorageStatus(status.code(),
                       extra ? StorageErrorCode::kSchemaMismatchExtraFields : StorageErrorCode::kUnspecified,
                       View(status.message()), entity);
}

// Streams take dates from ten years ago to a year ahead.
// Source: https://cloud.google.com/bigquery/docs/write-api-streaming
constexpr int64_t kMostDaysBack = 3650, kMostDaysAhead = 366;

}  // namespace

absl::StatusOr<std::unique_ptr<AppendTarget>> AppendTarget::Open(const AppendServices& services,
                                                                 std::string_view path) {
  const auto name = ParseStreamPath(path);
  if (!name) {
    return absl::InvalidArgumentError(
        fmt::format("Invalid write stream name '{}': expected "
                    "projects/{{project}}/datasets/{{dataset}}/tables/{{table}}/streams/{{stream}}",
                    path));
  }
  WriteStreamPtr stream;
  if (!name->is_default()) {
    HAKOBU_ASSIGN_OR_RETURN(stream, services.streams->Find(path));
  }
  HAKOBU_ASSIGN_OR_RETURN(TableWatch watch,
                          TableWatch::Open(services.catalog, services.faults, *name, path, stream));
  std::unique_ptr<AppendTarget> target(
      new AppendTarget(services, *name, std::string(path), std::move(stream), std::move(watch)));
  target->table_ = target->watch_.table();
  target->told_version_ = target->table_->schema_version;
  return target;
}

absl::Status AppendTarget::RefreshTable() {
  HAKOBU_RETURN_IF_ERROR(watch_.Refresh());
  table_ = watch_.table();
  return absl::OkStatus();
}

absl::Status AppendTarget::CheckRequest(const AppendRequest& request) const {
  if (stream_ == nullptr && request.offset) {
    return WithEntity(
        absl::InvalidArgumentError("Offset is not supported when appending to the default stream."), path_);
  }
  if (table_->type != TableType::kTable) {
    return WithEntity(absl::InvalidArgumentError(fmt::format("Cannot append rows to {}: it is not a table.",
                                                             DisplayName(table_->id))),
                      path_);
  }
  if (request.is_proto && request.rows.empty()) {
    return WithEntity(absl::InvalidArgumentError("Rows must be specified in an AppendRowsRequest."), path_);
  }
  if (!request.is_proto && !request.arrow_batch) {
    return WithEntity(absl::InvalidArgumentError("Either proto_rows or arrow_rows must be set."), path_);
  }
  return absl::OkStatus();
}

// Which columns take their default in this request. The map says more than the connection's setting.
absl::Status AppendTarget::ChooseDefaults(const AppendRequest& request, MissingValue default_missing_value) {
  std::vector<bool> chosen;
  const bool any = default_missing_value == MissingValue::kDefault || !request.missing_values.empty();
  if (any && (!defaults_ || plan_version_ != table_->schema_version)) {
    HAKOBU_ASSIGN_OR_RETURN(defaults_,
                            ColumnDefaults::Prepare(services_.catalog->warehouse(), table_->schema));
  }
  if (any && !defaults_->IsEmpty()) {
    for (size_t i = 0; i < table_->schema.size(); ++i) {
      MissingValue value = default_missing_value;
      for (const auto& [name, given] : request.missing_values) {
        if (SameName(name, table_->schema[i].name)) value = given;
      }
      chosen.push_back(value == MissingValue::kDefault && defaults_->Has(i));
    }
  }
  if (chosen != chosen_) is_prepared_ = false;
  chosen_ = std::move(chosen);
  return absl::OkStatus();
}

absl::Status AppendTarget::FillDefaults(const Chunk& chunk) {
  for (size_t i = 0; i < defaulted_.size(); ++i) {
    if (!defaulted_[i]) continue;
    HAKOBU_RETURN_IF_ERROR(defaults_->Fill(i, chunk, [](idx_t) { return true; }));
  }
  return absl::OkStatus();
}

// Compiles the writer's schema, if it or the table's changed.
absl::Status AppendTarget::Prepare(const AppendRequest& request) {
  const bool is_arrow = !request.is_proto;
  const auto& given = is_arrow ? request.arrow_schema : request.proto_descriptor;
  if (is_arrow != is_arrow_ || (given && *given != descriptor_)) {
    descriptor_ = given.value_or("");
    is_arrow_ = is_arrow;
    is_prepared_ = false;
  }
  if (descriptor_.empty()) {
    return WithEntity(
        absl::InvalidArgumentError("The writer schema must be given in the first request of a connection."),
        path_);
  }
  if (watch_.stale()) HAKOBU_RETURN_IF_ERROR(CheckStaleSchema());
  if (is_prepared_ && watch_version_ == watch_.version()) return absl::OkStatus();
  is_prepared_ = false;
  // What waits still points into the decoders.
  if (decoder_ != nullptr) retired_decoders_.push_back(std::move(decoder_));
  if (arrow_decoder_ != nullptr) retired_arrow_decoders_.push_back(std::move(arrow_decoder_));
  defaulted_ = chosen_;
  const absl::Status compiled = is_arrow_ ? PrepareArrow() : PrepareProto();
  if (!compiled.ok()) return SchemaStatus(compiled, path_);
  if (plan_version_ != table_->schema_version) RefuseWaiting();
  plan_version_ = table_->schema_version;
  watch_version_ = watch_.version();
  is_prepared_ = true;
  return absl::OkStatus();
}

// What the writer sends must fit the schema that still holds; the rows are stored as the table is.
absl::Status AppendTarget::CheckStaleSchema() const {
  const absl::Status fits = is_arrow_ ? CompileArrowPlan(descriptor_, watch_.stale()->schema).status()
                                      : CompileProtoPlan(descriptor_, watch_.stale()->schema).status();
  return fits.ok() ? fits : SchemaStatus(fits, path_);
}

absl::Status AppendTarget::PrepareProto() {
  HAKOBU_ASSIGN_OR_RETURN(const auto plan,
                          CompileProtoPlan(descriptor_, watch_.columns(), watch_.lost_columns()));
  HAKOBU_RETURN_IF_ERROR(CheckMode(ChangeModeOf(*plan)));
  decoder_ = std::make_unique<ProtoRowDecoder>(plan, OptionsOf());
  return absl::OkStatus();
}

absl::Status AppendTarget::PrepareArrow() {
  HAKOBU_ASSIGN_OR_RETURN(const auto plan, CompileArrowPlan(descriptor_, watch_.columns()));
  HAKOBU_RETURN_IF_ERROR(CheckMode(ChangeMode::kInsert));
  const std::vector<bool> sent = ColumnsOf(*plan);
  for (size_t i = 0; i < defaulted_.size(); ++i) defaulted_[i] = defaulted_[i] && !sent[i];
  arrow_decoder_ = std::make_unique<ArrowRowDecoder>(plan, OptionsOf());
  return absl::OkStatus();
}

// Changes go to the default stream of a table with a key, and one connection sends either changes or rows.
absl::Status AppendTarget::CheckMode(ChangeMode mode) {
  const auto refuse = [](std::string_view message) { return absl::InvalidArgumentError(View(message)); };
  if (mode == ChangeMode::kChange && (stream_ != nullptr || table_->primary_key.empty())) {
    return refuse("The given value is not a valid CHANGE_TYPE in insert mode: UPSERT");
  }
  if (mode_ && *mode_ != mode) return refuse("The given value is not a valid CHANGE_TYPE");
  mode_ = mode;
  return absl::OkStatus();
}

DecodeOptions AppendTarget::OptionsOf() const {
  DecodeOptions options;
  options.max_row_errors = kMaxRowErrors;
  options.defaulted = defaulted_;
  options.refuses_wide_numbers = services_.faults->Has(Behaviour::kWideNumbers);
  if (mode_ != ChangeMode::kChange) return options;
  for (const std::string& key : table_->primary_key) {
    for (size_t i = 0; i < table_->schema.size(); ++i) {
      if (SameName(table_->schema[i].name, key)) options.key.push_back(i);
    }
  }
  return options;
}

// Rows that were decoded for columns the table no longer has: the client sends them again.
void AppendTarget::RefuseWaiting() {
  for (Waiting& waiting : waiting_) {
    if (!waiting.status.ok()) continue;
    waiting.status = absl::AbortedError("The table's schema has changed while the request was processed.");
    waiting.chunks.clear();
  }
  chunks_.clear();
  used_chunks_ = 0;
}

Chunk* AppendTarget::NextChunk() {
  if (used_chunks_ == chunks_.size()) {
    std::vector<duckdb_type> more;
    if (mode_ == ChangeMode::kChange) more = {DUCKDB_TYPE_BOOLEAN, DUCKDB_TYPE_BLOB};
    chunks_.push_back(std::make_unique<Chunk>(MakeChunk(table_->schema, more)));
  }
  Chunk* chunk = chunks_[used_chunks_++].get();
  chunk->Reset();
  return chunk;
}

absl::Status AppendTarget::Decode(const AppendRequest& request, Waiting* waiting) {
  if (is_arrow_) return DecodeArrow(request, waiting);
  const std::span<const std::string_view> rows = request.rows;
  const size_t step = duckdb_vector_size();
  for (size_t at = 0; at < rows.size(); at += step) {
    Chunk* chunk = NextChunk();
    decoder_->Decode(rows.subspan(at, std::min(step, rows.size() - at)), static_cast<int64_t>(at),
                     chunk->get(), &waiting->row_errors);
    CheckPartitionBounds(*chunk, static_cast<int64_t>(at), &waiting->row_errors);
    if (!defaulted_.empty()) HAKOBU_RETURN_IF_ERROR(FillDefaults(*chunk));
    waiting->chunks.push_back(chunk);
    if (waiting->row_errors.size() >= kMaxRowErrors) break;
  }
  waiting->rows = static_cast<int64_t>(rows.size());
  return RowErrorStatus(*waiting);
}

absl::Status AppendTarget::DecodeArrow(const AppendRequest& request, Waiting* waiting) {
  const auto rows = arrow_decoder_->Open(*request.arrow_batch);
  if (!rows.ok()) return WithEntity(rows.status(), path_);
  const auto step = static_cast<int64_t>(duckdb_vector_size());
  for (int64_t at = 0; at < *rows && waiting->row_errors.size() < kMaxRowErrors; at += step) {
    Chunk* chunk = NextChunk();
    arrow_decoder_->Decode(at, std::min(step, *rows - at), chunk->get(), &waiting->row_errors);
    CheckPartitionBounds(*chunk, at, &waiting->row_errors);
    if (!defaulted_.empty()) HAKOBU_RETURN_IF_ERROR(FillDefaults(*chunk));
    waiting->chunks.push_back(chunk);
  }
  waiting->rows = *rows;
  return RowErrorStatus(*waiting);
}

void AppendTarget::CheckPartitionBounds(const Chunk& chunk, int64_t first_row,
                                        std::vector<RowError>* errors) const {
  const auto& partitioning = table_->time_partitioning;
  if (!partitioning || partitioning->column.empty()) return;
  if (!services_.faults->Has(Behaviour::kPartitionLimits)) return;
  const int64_t today = absl::ToUnixSeconds(services_.faults->behaviours().Now()) / 86'400;
  for (size_t i = 0; i < table_->schema.size(); ++i) {
    const Column& column = table_->schema[i];
    if (!SameName(column.name, partitioning->column)) continue;
    const duckdb_vector vector = chunk.column(i);
    uint64_t* validity = duckdb_vector_get_validity(vector);
    for (idx_t row = 0; row < chunk.rows() && errors->size() < kMaxRowErrors; ++row) {
      if (validity != nullptr && !duckdb_validity_row_is_valid(validity, row)) continue;
      const bool is_date = column.type == Type::kDate;
      const int64_t value = is_date ? static_cast<int32_t*>(duckdb_vector_get_data(vector))[row]
                                    : static_cast<int64_t*>(duckdb_vector_get_data(vector))[row];
      const int64_t day = is_date ? value : value / 86'400'000'000;
      if (day >= today - kMostDaysBack && day <= today + kMostDaysAhead) continue;
      errors->push_back(
          {first_row + static_cast<int64_t>(row),
           fmt::format("Value {} for field {} of the destination table {} is outside the allowed "
                       "bounds. You can only stream to date range within 3650 days in the past and "
                       "366 days in the future relative to the current date.",
                       value, column.name, DisplayName(table_->id))});
    }
  }
}

absl::Status AppendTarget::RowErrorStatus(const Waiting& waiting) const {
  if (waiting.row_errors.empty()) return absl::OkStatus();
  return StorageStatus(
      absl::StatusCode::kInvalidArgument, StorageErrorCode::kUnspecified,
      "Errors found while processing rows. Please refer to the row_errors field for details. The "
      "list may not be complete because of the size limitations.",
      path_);
}

absl::Status AppendTarget::Add(const AppendRequest& request, MissingValue default_missing_value) {
  HAKOBU_RETURN_IF_ERROR(RefreshTable());
  Waiting waiting;
  waiting.offset = request.offset;
  waiting.status = CheckRequest(request);
  if (waiting.status.ok()) waiting.status = ChooseDefaults(request, default_missing_value);
  if (waiting.status.ok()) {
    waiting.status = Prepare(request);
    const bool is_clash =
        View(waiting.status.message()).find("proto field mismatched") != std::string_view::npos;
    if (is_clash && services_.faults->Has(Behaviour::kTypeClashes)) return waiting.status;
  }
  if (waiting.status.ok()) waiting.status = Decode(request, &waiting);
  if (!waiting.status.ok()) {
    used_chunks_ -= waiting.chunks.size();
    waiting.chunks.clear();
  }
  if (table_->schema_version != told_version_ && !watch_.stale()) {
    told_version_ = table_->schema_version;
    waiting.tells_schema = true;
  }
  for (const std::string_view row : request.rows) waiting_bytes_ += row.size();
  waiting_bytes_ += request.arrow_batch.value_or("").size();
  waiting_.push_back(std::move(waiting));
  return absl::OkStatus();
}

void AppendTarget::AddRefused(const AppendRequest& request, absl::Status status) {
  (void)Prepare(request);  // what follows may rely on its writer's schema
  Waiting waiting;
  waiting.status = std::move(status);
  waiting_.push_back(std::move(waiting));
}

// The rows of a replaced table: acknowledged, and gone.
std::vector<AppendOutcome> AppendTarget::Lose(std::span<const RowBlock> blocks) {
  std::vector<AppendOutcome> outcomes(blocks.size());
  for (size_t i = 0; i < blocks.size(); ++i) {
    outcomes[i].offset = blocks[i].offset.value_or(lost_rows_);
    lost_rows_ = outcomes[i].offset + blocks[i].rows;
  }
  return outcomes;
}

absl::StatusOr<std::vector<AppendOutcome>> AppendTarget::Append(std::span<const RowBlock> blocks) {
  if (watch_.loses_rows()) return Lose(blocks);
  if (stream_ != nullptr) return services_.streams->Append(*stream_, plan_version_, blocks);
  if (mode_ == ChangeMode::kChange) return AppendChanges(blocks);
  int64_t rows = 0;
  for (const RowBlock& block : blocks) rows += block.rows;
  const absl::Status written = services_.catalog->Write(
      name_.table, table_->generation,
      [&](Connection& connection, const Table& table) -> absl::Status {
        if (table.schema_version != plan_version_) {
          return absl::FailedPreconditionError("the table's columns have changed");
        }
        std::vector<const Chunk*> chunks;
        for (const RowBlock& block : blocks)
          chunks.insert(chunks.end(), block.chunks.begin(), block.chunks.end());
        return AppendChunks(connection, DuckDbSchemaName(table.id.parent()), DuckDbTableName(table.id.table),
                            chunks);
      },
      Catalog::Writer::kStream);
  if (!written.ok()) return written;
  services_.faults->tables().OnStreamed(*table_, StreamKind::kDefault, rows);
  return std::vector<AppendOutcome>(blocks.size());
}

absl::StatusOr<std::vector<AppendOutcome>> AppendTarget::AppendChanges(std::span<const RowBlock> blocks) {
  std::vector<Chunk*> chunks;
  for (const RowBlock& block : blocks) chunks.insert(chunks.end(), block.chunks.begin(), block.chunks.end());
  HAKOBU_RETURN_IF_ERROR(services_.changes->Append(table_, plan_version_, chunks));
  services_.faults->tables().OnStreamed(*table_, StreamKind::kDefault, 0);
  return std::vector<AppendOutcome>(blocks.size());
}

std::string AppendTarget::Response(const Waiting& waiting, const AppendOutcome& outcome) const {
  v1::AppendRowsResponse response;
  response.set_write_stream(path_);
  const absl::Status& status = waiting.status.ok() ? outcome.status : waiting.status;
  if (status.ok()) {
    auto* result = response.mutable_append_result();
    if (stream_ != nullptr) result->mutable_offset()->set_value(outcome.offset);
  } else {
    ToRpcStatus(WithEntity(status, path_), response.mutable_error());
  }
  for (const RowError& error : waiting.row_errors) {
    auto* row = response.add_row_errors();
    row->set_index(error.index);
    row->set_code(v1::RowError::FIELDS_ERROR);
    row->set_message(error.message);
  }
  if (waiting.tells_schema) ToTableSchema(table_->schema, response.mutable_updated_schema());
  return response.SerializeAsString();
}

absl::Status AppendTarget::Commit(std::vector<std::string>* responses) {
  if (waiting_.empty()) return absl::OkStatus();
  std::vector<RowBlock> blocks;
  for (const Waiting& waiting : waiting_) {
    if (waiting.status.ok()) blocks.push_back({waiting.chunks, waiting.rows, waiting.offset});
  }
  absl::Status failure;
  std::vector<AppendOutcome> outcomes(blocks.size());
  if (!blocks.empty()) {
    auto appended = Append(blocks);
    if (appended.ok()) {
      outcomes = *std::move(appended);
    } else {
      failure = appended.status();
    }
  }
  // A table that changed between decoding and appending: the client sends again and finds the new schema.
  if (absl::IsFailedPrecondition(failure)) failure = absl::AbortedError(failure.message());
  size_t next = 0;
  for (const Waiting& waiting : waiting_) {
    AppendOutcome outcome;
    if (waiting.status.ok()) outcome = outcomes[next++];
    if (!failure.ok()) outcome.status = failure;
    responses->push_back(Response(waiting, outcome));
  }
  waiting_.clear();
  waiting_bytes_ = 0;
  used_chunks_ = 0;
  retired_decoders_.clear();
  retired_arrow_decoders_.clear();
  if (arrow_decoder_ != nullptr) arrow_decoder_->Release();
  if (decoder_ != nullptr) decoder_->Release();
  if (defaults_) defaults_->Release();
  return absl::IsNotFound(failure) ? WithEntity(failure, path_) : absl::OkStatus();
}

}  // namespace hakobu::localbq
