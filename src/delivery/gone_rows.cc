#include "delivery/gone_rows.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <nlohmann/json.hpp>

#include "base/crash_point.h"
#include "base/log.h"
#include "base/status.h"
#include "delivery/merge_sql.h"
#include "delivery/move/chunk_read.h"
#include "delivery/move/pending_chunk.h"
#include "delivery/move/retry.h"
#include "delivery/staging.h"
#include "delivery/table_resource.h"
#include "delivery/target_state.h"

namespace hakobu {
namespace {

constexpr absl::Duration kKeysLife = absl::Hours(24);
constexpr size_t kKeyBytesInFlight = 8 << 20;

// The table as if it had the columns of its key alone.
struct KeysOnly {
  SourceTable source;
  TableSchema schema;
  std::vector<size_t> columns;
};

KeysOnly KeysOf(const TableWork& work) {
  KeysOnly keys;
  keys.source = work.source;
  keys.source.columns.clear();
  for (const size_t place : work.schema.key) {
    const size_t at = keys.columns.size();
    Field field = work.schema.fields[place];
    keys.source.columns.push_back(work.source.columns[field.source_column]);
    field.source_column = at;
    field.description.clear();
    keys.schema.fields.push_back(std::move(field));
    keys.schema.key.push_back(at);
    keys.columns.push_back(at);
  }
  keys.source.key->columns.clear();
  for (const size_t column : work.source.key->columns) {
    for (size_t at = 0; at < work.schema.key.size(); ++at) {
      if (work.schema.fields[work.schema.key[at]].source_column == column)
        keys.source.key->columns.push_back(at);
    }
  }
  return keys;
}

class GoneRows {
 public:
  GoneRows(RunContext* run, const TableRun& table, TableName keys)
      : run_(run), work_(table.work), keys_(KeysOf(work_)), source_(run->source()), table_(std::move(keys)) {}

  absl::StatusOr<uint64_t> Delete() {
    HAKOBU_RETURN_IF_ERROR(MakeTable());
    HAKOBU_RETURN_IF_ERROR(ReadKeys());
    HAKOBU_RETURN_IF_ERROR(CheckKeys());
    HAKOBU_ASSIGN_OR_RETURN(const PublishTarget target, LookAtTarget(*run_->destination.rest, work_.target));
    const std::string_view partition = target.require_filter ? std::string_view(target.partition_column) : "";
    const QuerySpec query = Query(DeleteGoneSql(keys_.schema, table_, work_.target, partition));
    HAKOBU_ASSIGN_OR_RETURN(const QueryAnswer answer, RunQuery(*run_->destination.rest, query));
    HAKOBU_RETURN_IF_ERROR(DeleteTable(*run_->destination.rest, table_));
    return answer.job.affected_rows;
  }

 private:
  QuerySpec Query(std::string sql) const {
    QuerySpec query;
    query.project = run_->config->destination.billing_project;
    query.sql = std::move(sql);
    query.location = run_->config->destination.location;
    return query;
  }

  absl::Status MakeTable() {
    nlohmann::json resource;
    resource["schema"]["fields"] = nlohmann::json::parse(SchemaFieldsJson(keys_.schema), nullptr, false);
    resource["expirationTime"] = std::to_string(absl::ToUnixMillis(run_->clock->Now() + kKeysLife));
    resource["description"] = "keys of " + work_.target.table + "; made and removed by hakobu";
    const std::string body = resource.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
    return CreateTable(*run_->destination.rest, table_, WithKmsKey(body, run_->config->destination.kms_key))
        .status();
  }

  absl::Status ReadKeys() {
    ChunkOptions options;
    options.target_rows = work_.options.chunk_rows * 4;  // they are narrow
    options.target_bytes = work_.options.chunk_bytes;
    options.connections = 1;
    options.where = work_.options.where;
    HAKOBU_ASSIGN_OR_RETURN(Connection * source, source_.Get());
    HAKOBU_ASSIGN_OR_RETURN(const ChunkPlan plan, PlanChunks(source, keys_.source, options));
    for (const Chunk& chunk : plan.chunks) HAKOBU_RETURN_IF_ERROR(ReadPatiently(chunk));
    CrashPoint("publish.keys_read");
    return absl::OkStatus();
  }

  absl::Status ReadPatiently(const Chunk& chunk) {
    MoveAttempts attempts({.patience = run_->options.patience}, run_->clock, run_->cancel);
    for (;;) {
      const absl::Status status = ReadOnce(chunk);
      if (status.ok()) return status;
      source_.Drop();
      HAKOBU_RETURN_IF_ERROR(run_->cancel->Check());
      HAKOBU_RETURN_IF_ERROR(attempts.Again(status));
      Log(LogSeverity::kWarning, "reading keys failed, trying again",
          {{"table", work_.name}, {"error", std::string(View(status.message()))}});
    }
  }

  absl::Status ReadOnce(const Chunk& bounds) {
    HAKOBU_ASSIGN_OR_RETURN(Connection * source, source_.Get());
    ProtoOptions proto;
    proto.invalid_key = InvalidKey::kError;
    HAKOBU_ASSIGN_OR_RETURN(ProtoEncoder encoder, ProtoEncoder::Create(keys_.source, keys_.schema, proto));
    AppendOptions append;
    append.max_bytes_in_flight = kKeyBytesInFlight;
    StorageWrite* const storage = run_->destination.storage.get();
    PendingChunk pending(storage, table_, std::move(encoder), pool_, append);
    const RowDecoder decoder(keys_.source, keys_.columns);
    const ChunkSource chunk{.table = &keys_.source,
                            .columns = &keys_.columns,
                            .where = work_.options.where,
                            .decoder = &decoder,
                            .batch_columns = decoder.batch_columns()};
    uint64_t rows = 0;
    const absl::Status read = ReadChunk(source, chunk, bounds, [&](Batch& batch) -> absl::Status {
      HAKOBU_RETURN_IF_ERROR(run_->cancel->Check());
      rows += batch.rows();
      return pending.writer().Write(batch);
    });
    HAKOBU_RETURN_IF_ERROR(read);
    HAKOBU_ASSIGN_OR_RETURN(const std::string stream, pending.Seal());
    if (!stream.empty()) HAKOBU_RETURN_IF_ERROR(storage->BatchCommit(table_, {stream}));
    rows_ += rows;
    return absl::OkStatus();
  }

  // Nothing may go because its key was lost on the way.
  absl::Status CheckKeys() {
    const QuerySpec query = Query(CountKeysSql(keys_.schema, table_));
    HAKOBU_ASSIGN_OR_RETURN(const QueryAnswer answer, RunQuery(*run_->destination.rest, query));
    const std::string text =
        answer.rows.empty() || answer.rows[0].empty() ? "" : answer.rows[0][0].value_or("");
    uint64_t found = 0;
    const bool counted = std::from_chars(text.data(), text.data() + text.size(), found).ec == std::errc();
    if (counted && found == rows_) return absl::OkStatus();
    return absl::DataLossError(fmt::format("{}: {} keys were read, BigQuery holds '{}': nothing was deleted",
                                           work_.name, rows_, text));
  }

  RunContext* run_;
  const TableWork& work_;
  const KeysOnly keys_;
  SourceLease source_;
  const TableName table_;
  std::shared_ptr<RequestPool> pool_ = std::make_shared<RequestPool>();
  uint64_t rows_ = 0;
};

}  // namespace

TableName KeysTable(const RunContext& run, const TableName& target) {
  TableName name = StagingName(run, target);
  name.table = fmt::format("_hakobu_staging_keys_{}_{}_{}_{}", target.table, run.ledger->id(),
                           absl::ToUnixMicros(run.clock->Now()), run.run_id);
  return name;
}

absl::StatusOr<uint64_t> DeleteGoneRows(RunContext* run, const TableRun& table, const TableName& keys) {
  absl::StatusOr<uint64_t> deleted = GoneRows(run, table, keys).Delete();
  return deleted.ok() ? deleted : Annotate(deleted.status(), "look for rows that are gone from the source");
}

}  // namespace hakobu
