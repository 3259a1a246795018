#include "localbq/storage_api/write_streams.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "absl/random/random.h"
#include "absl/time/clock.h"
#include "base/crash_point.h"
#include "base/status.h"
#include "localbq/storage_api/logical_type.h"
#include "localbq/storage_api/storage_error.h"

namespace hakobu::localbq {
namespace {

constexpr std::string_view kSchema = "hakobu_streams";
constexpr std::array<std::string_view, 3> kTables = {
    "CREATE SCHEMA IF NOT EXISTS hakobu_streams",
    "CREATE TABLE IF NOT EXISTS hakobu_streams.streams (id BIGINT, name VARCHAR, project VARCHAR, dataset "
    "VARCHAR, table_name VARCHAR, generation BIGINT, type INTEGER, created_us BIGINT, finalized BOOLEAN, "
    "committed_us BIGINT, staging_version BIGINT)",
    // Grows by a row with every append of a stream whose rows do not tell its length, and is gathered at
    // start.
    "CREATE TABLE IF NOT EXISTS hakobu_streams.progress (id BIGINT, next_offset BIGINT, flushed BIGINT)",
};
// Without traffic a COMMITTED stream ends after so long.
constexpr absl::Duration kIdleStream = absl::Hours(72);
// What is finalized waits so long for its commit.
constexpr absl::Duration kFinalizedFor = absl::Hours(4);
constexpr int64_t kForgetAfterUs = int64_t{7} * 24 * 3600 * 1'000'000;

int64_t NowMicros() {
  return absl::GetCurrentTimeNanos() / 1000;
}

std::string StagingTable(const WriteStream& stream) {
  return fmt::format("s{}", stream.id);
}
std::string QuotedStaging(const WriteStream& stream) {
  return fmt::format("hakobu_streams.s{}", stream.id);
}

std::string ColumnList(const Schema& schema) {
  std::string list;
  for (const Column& column : schema)
    list += fmt::format("{}{}", list.empty() ? "" : ", ", Quoted(column.name));
  return list;
}

std::string StagingDefinition(const WriteStream& stream, const Schema& schema) {
  std::string columns;
  for (const Column& column : schema)
    columns += fmt::format("{} {}, ", Quoted(column.name), DuckDbType(column));
  if (stream.type == StreamType::kBuffered) columns += "\"~offset\" BIGINT, ";
  if (columns.empty()) columns = "\"~none\" BOOLEAN, ";
  columns.resize(columns.size() - 2);
  return fmt::format("CREATE TABLE {} ({})", QuotedStaging(stream), columns);
}

absl::Status StreamNotFound(std::string_view name) {
  return StorageStatus(absl::StatusCode::kNotFound, StorageErrorCode::kStreamNotFound,
                       "Requested entity was not found.", name);
}

std::string NewStreamId() {
  // As Google's: letters and digits, long enough not to be guessed.
  static constexpr std::string_view kLetters =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
  absl::BitGen random;
  std::string id = "Ci";
  for (int i = 0; i < 38; ++i) id += kLetters[absl::Uniform<size_t>(random, 0, kLetters.size())];
  return id;
}

absl::Status CheckOffset(const WriteStream& stream, int64_t expected, const RowBlock& block) {
  if (!block.offset || *block.offset == expected) return absl::OkStatus();
  const bool within = *block.offset < expected;
  return StorageStatus(within ? absl::StatusCode::kAlreadyExists : absl::StatusCode::kOutOfRange,
                       within ? StorageErrorCode::kOffsetAlreadyExists : StorageErrorCode::kOffsetOutOfRange,
                       fmt::format("The offset is {} stream, expected offset {}, received {}",
                                   within ? "within" : "beyond", expected, *block.offset),
                       stream.name);
}

// A staging table that follows its table's new columns.
absl::Status FollowSchema(Connection& connection, const WriteStream& stream, const Schema& schema) {
  HAKOBU_ASSIGN_OR_RETURN(Result result, connection.Query(fmt::format(
                                             "SELECT column_name FROM duckdb_columns() WHERE schema_name = "
                                             "'{}' AND table_name = '{}'",
                                             kSchema, StagingTable(stream))));
  std::vector<std::string> present;
  while (const auto chunk = result.Next()) {
    auto* names = static_cast<duckdb_string_t*>(duckdb_vector_get_data(chunk->column(0)));
    for (idx_t i = 0; i < chunk->rows(); ++i) {
      present.emplace_back(duckdb_string_t_data(&names[i]), duckdb_string_t_length(names[i]));
    }
  }
  std::string selected;
  for (const Column& column : schema) {
    const bool is_there = std::find_if(present.begin(), present.end(), [&](const std::string& name) {
                            return SameName(name, column.name);
                          }) != present.end();
    selected += fmt::format("{}::{} AS {}, ", is_there ? Quoted(column.name) : "NULL", DuckDbType(column),
                            Quoted(column.name));
  }
  if (stream.type == StreamType::kBuffered) selected += "\"~offset\", ";
  selected.resize(selected.size() - 2);
  return connection.Run(
      fmt::format("CREATE OR REPLACE TABLE {0} AS SELECT {1} FROM {0}", QuotedStaging(stream), selected));
}

Chunk OffsetColumn(const Chunk& rows, int64_t first_offset) {
  std::vector<duckdb_logical_type> types;
  for (idx_t i = 0; i < rows.columns(); ++i) types.push_back(duckdb_vector_get_column_type(rows.column(i)));
  types.push_back(duckdb_create_logical_type(DUCKDB_TYPE_BIGINT));
  Chunk with_offset(duckdb_create_data_chunk(types.data(), types.size()));
  for (duckdb_logical_type& type : types) duckdb_destroy_logical_type(&type);
  for (idx_t i = 0; i < rows.columns(); ++i) {
    duckdb_vector_reference_vector(with_offset.column(i), rows.column(i));
  }
  auto* offsets = static_cast<int64_t*>(duckdb_vector_get_data(with_offset.column(rows.columns())));
  for (idx_t i = 0; i < rows.rows(); ++i) offsets[i] = first_offset + static_cast<int64_t>(i);
  with_offset.SetRows(rows.rows());
  return with_offset;
}

absl::Status SaveProgress(Connection& connection, int64_t id, int64_t next_offset, int64_t flushed) {
  return connection.Run(
      fmt::format("INSERT INTO hakobu_streams.progress VALUES ({}, {}, {})", id, next_offset, flushed));
}

}  // namespace

absl::Status AppendChunks(Connection& connection, const std::string& schema, const std::string& table,
                          std::span<const Chunk* const> chunks) {
  HAKOBU_ASSIGN_OR_RETURN(Appender appender, Appender::Open(connection, schema, table));
  for (const Chunk* chunk : chunks) HAKOBU_RETURN_IF_ERROR(appender.Append(*chunk));
  return appender.Close();
}

absl::StatusOr<std::unique_ptr<WriteStreams>> WriteStreams::Open(Catalog* catalog, Faults* faults) {
  std::unique_ptr<WriteStreams> streams(new WriteStreams(catalog, faults));
  HAKOBU_RETURN_IF_ERROR(Annotate(streams->Load(), "read the write streams"));
  return streams;
}

absl::Status WriteStreams::Load() {
  HAKOBU_ASSIGN_OR_RETURN(const Warehouse::Lease connection, catalog_->warehouse()->Connect());
  for (const std::string_view sql : kTables) HAKOBU_RETURN_IF_ERROR(connection->Run(sql));
  const int64_t oldest_us = NowMicros() - kForgetAfterUs;
  HAKOBU_ASSIGN_OR_RETURN(
      Result result,
      connection->Query(
          "SELECT s.id, generation, type, created_us, coalesce(committed_us, 0), staging_version, "
          "coalesce(p.next_offset, 0), coalesce(p.flushed, 0), finalized, name, project, dataset, "
          "table_name FROM hakobu_streams.streams s LEFT JOIN (SELECT id, max(next_offset) AS "
          "next_offset, max(flushed) AS flushed FROM hakobu_streams.progress GROUP BY id) p USING (id)"));
  std::vector<WriteStreamPtr> forgotten, kept;
  while (const auto chunk = result.Next()) {
    const auto number = [&](idx_t column, idx_t row) {
      return static_cast<int64_t*>(duckdb_vector_get_data(chunk->column(column)))[row];
    };
    const auto text = [&](idx_t column, idx_t row) {
      auto* values = static_cast<duckdb_string_t*>(duckdb_vector_get_data(chunk->column(column)));
      return std::string(duckdb_string_t_data(&values[row]), duckdb_string_t_length(values[row]));
    };
    for (idx_t row = 0; row < chunk->rows(); ++row) {
      auto stream = std::make_shared<WriteStream>();
      absl::MutexLock stream_lock(&stream->mutex);
      stream->id = number(0, row);
      stream->generation = number(1, row);
      stream->type =
          static_cast<StreamType>(static_cast<int32_t*>(duckdb_vector_get_data(chunk->column(2)))[row]);
      stream->created_us = number(3, row);
      stream->committed_us = number(4, row);
      stream->staging_version = number(5, row);
      stream->next_offset = number(6, row);
      stream->flushed = number(7, row);
      stream->finalized = static_cast<bool*>(duckdb_vector_get_data(chunk->column(8)))[row];
      stream->name = text(9, row);
      Touch(*stream);
      if (stream->finalized && stream->committed_us == 0) Lapse(*stream);
      stream->table = {text(10, row), text(11, row), text(12, row)};
      const bool is_old = std::max(stream->created_us, stream->committed_us) < oldest_us;
      (is_old ? forgotten : kept).push_back(stream);
    }
  }
  for (const WriteStreamPtr& stream : forgotten) {
    HAKOBU_RETURN_IF_ERROR(connection->Run(fmt::format("DROP TABLE IF EXISTS {}", QuotedStaging(*stream))));
    HAKOBU_RETURN_IF_ERROR(
        connection->Run(fmt::format("DELETE FROM hakobu_streams.streams WHERE id = {}", stream->id)));
  }
  for (const WriteStreamPtr& stream : kept) {
    absl::MutexLock stream_lock(&stream->mutex);
    if (stream->type != StreamType::kPending || stream->committed_us != 0) continue;
    HAKOBU_ASSIGN_OR_RETURN(
        Result count, connection->Query(fmt::format("SELECT count(*) FROM {}", QuotedStaging(*stream))));
    stream->next_offset = count.FirstInt64().value_or(0);
  }
  {
    absl::MutexLock lock(&mutex_);
    for (const WriteStreamPtr& stream : kept) {
      streams_[stream->name] = stream;
      last_id_ = std::max(last_id_, stream->id);
    }
    for (const WriteStreamPtr& stream : forgotten) last_id_ = std::max(last_id_, stream->id);
  }
  return connection->Run(
      "CREATE OR REPLACE TABLE hakobu_streams.progress AS SELECT id, max(next_offset) AS next_offset, "
      "max(flushed) "
      "AS flushed FROM hakobu_streams.progress SEMI JOIN hakobu_streams.streams USING (id) GROUP BY id");
}

absl::StatusOr<WriteStreamPtr> WriteStreams::Create(const TableId& id, StreamType type) {
  auto stream = std::make_shared<WriteStream>();
  {
    absl::MutexLock lock(&mutex_);
    stream->id = ++last_id_;
  }
  stream->name = StreamPath(id, NewStreamId());
  stream->table = id;
  stream->type = type;
  stream->created_us = NowMicros();
  int64_t schema_version = 0;
  const absl::Status written = catalog_->Write(
      id, 0,
      [&](Connection& connection, const Table& table) -> absl::Status {
        stream->generation = table.generation;
        if (type != StreamType::kCommitted) {
          HAKOBU_RETURN_IF_ERROR(connection.Run(StagingDefinition(*stream, table.schema)));
        }
        std::vector<Value> values;
        values.push_back(Value::Text(stream->name));
        values.push_back(Value::Text(id.project));
        values.push_back(Value::Text(id.dataset));
        values.push_back(Value::Text(id.table));
        schema_version = table.schema_version;
        return connection
            .Query(
                fmt::format(
                    "INSERT INTO hakobu_streams.streams VALUES ({}, ?, ?, ?, ?, {}, {}, {}, false, NULL, {})",
                    stream->id, stream->generation, static_cast<int>(type), stream->created_us,
                    table.schema_version),
                values)
            .status();
      },
      Catalog::Writer::kStream);
  if (!written.ok()) return written;
  Touch(*stream);
  {
    absl::MutexLock stream_lock(&stream->mutex);
    stream->staging_version = schema_version;
  }
  absl::MutexLock lock(&mutex_);
  streams_[stream->name] = stream;
  return stream;
}

absl::StatusOr<WriteStreamPtr> WriteStreams::Find(std::string_view name) {
  absl::MutexLock lock(&mutex_);
  const auto found = streams_.find(std::string(name));
  if (found == streams_.end()) return StreamNotFound(name);
  WriteStream& stream = *found->second;
  if (!faults_->Has(Behaviour::kExpiringStreams)) return found->second;
  const absl::Time now = faults_->behaviours().Now();
  const bool is_idle =
      stream.type == StreamType::kCommitted && now - absl::FromUnixMicros(stream.used_us) > kIdleStream;
  const int64_t lapses_us = stream.lapses_us;
  if (is_idle || (lapses_us != 0 && absl::ToUnixMicros(now) > lapses_us)) return StreamNotFound(name);
  return found->second;
}

void WriteStreams::Lapse(WriteStream& stream) const {
  if (stream.type != StreamType::kPending) return;
  stream.lapses_us = absl::ToUnixMicros(faults_->behaviours().Now() + kFinalizedFor);
}

void WriteStreams::Touch(WriteStream& stream) const {
  stream.used_us = absl::ToUnixMicros(faults_->behaviours().Now());
}

absl::Status WriteStreams::AppendRows(Connection& connection, const Table& table, WriteStream& stream,
                                      std::span<const RowBlock* const> blocks, int64_t first_offset) {
  std::vector<const Chunk*> chunks;
  std::vector<Chunk> with_offsets;
  int64_t offset = first_offset;
  for (const RowBlock* block : blocks) {
    for (const Chunk* chunk : block->chunks) {
      if (stream.type == StreamType::kBuffered) {
        with_offsets.push_back(OffsetColumn(*chunk, offset));
      } else {
        chunks.push_back(chunk);
      }
      offset += static_cast<int64_t>(chunk->rows());
    }
  }
  for (const Chunk& chunk : with_offsets) chunks.push_back(&chunk);
  if (stream.type == StreamType::kCommitted) {
    HAKOBU_RETURN_IF_ERROR(AppendChunks(connection, DuckDbSchemaName(table.id.parent()),
                                        DuckDbTableName(table.id.table), chunks));
    return SaveProgress(connection, stream.id, offset, 0);
  }
  if (stream.staging_version != table.schema_version) {
    HAKOBU_RETURN_IF_ERROR(FollowSchema(connection, stream, table.schema));
    HAKOBU_RETURN_IF_ERROR(
        connection.Run(fmt::format("UPDATE hakobu_streams.streams SET staging_version = {} WHERE id = {}",
                                   table.schema_version, stream.id)));
  }
  HAKOBU_RETURN_IF_ERROR(AppendChunks(connection, std::string(kSchema), StagingTable(stream), chunks));
  // A PENDING stream's rows are counted at start; a BUFFERED one's leave when they are flushed.
  if (stream.type == StreamType::kPending) return absl::OkStatus();
  return SaveProgress(connection, stream.id, offset, stream.flushed);
}

absl::StatusOr<std::vector<AppendOutcome>> WriteStreams::Append(WriteStream& stream, int64_t schema_version,
                                                                std::span<const RowBlock> blocks) {
  absl::MutexLock lock(&stream.mutex);
  std::vector<AppendOutcome> outcomes(blocks.size());
  std::vector<const RowBlock*> taken;
  int64_t next = stream.next_offset;
  for (size_t i = 0; i < blocks.size(); ++i) {
    AppendOutcome& outcome = outcomes[i];
    outcome.offset = next;
    if (stream.finalized) {
      outcome.status = StorageStatus(absl::StatusCode::kInvalidArgument, StorageErrorCode::kStreamFinalized,
                                     "Stream has been finalized.", stream.name);
    } else {
      outcome.status = CheckOffset(stream, next, blocks[i]);
    }
    if (!outcome.status.ok()) continue;
    taken.push_back(&blocks[i]);
    next += blocks[i].rows;
  }
  if (taken.empty()) return outcomes;
  const int64_t first = stream.next_offset;
  const absl::Status written = catalog_->Write(
      stream.table, stream.generation,
      [&](Connection& connection, const Table& table) -> absl::Status {
        stream.mutex.AssertHeld();
        if (table.schema_version != schema_version) {
          return absl::FailedPreconditionError("the table's columns have changed");
        }
        HAKOBU_RETURN_IF_ERROR(AppendRows(connection, table, stream, taken, first));
        CrashPoint("localbq.append");
        return absl::OkStatus();
      },
      Catalog::Writer::kStream);
  if (!written.ok()) return written;
  CrashPoint("localbq.appended");
  Touch(stream);
  if (stream.type == StreamType::kCommitted) {
    if (const auto table = catalog_->GetTable(stream.table); table.ok())
      faults_->tables().OnStreamed(**table, StreamKind::kExplicit, next - first);
  }
  if (stream.type != StreamType::kCommitted) stream.staging_version = schema_version;
  stream.next_offset = next;
  return outcomes;
}

absl::StatusOr<int64_t> WriteStreams::Finalize(WriteStream& stream) {
  absl::MutexLock lock(&stream.mutex);
  if (!stream.finalized) {
    const absl::Status written = catalog_->warehouse()->InTransaction([&](Connection& connection) {
      return connection.Run(
          fmt::format("UPDATE hakobu_streams.streams SET finalized = true WHERE id = {}", stream.id));
    });
    if (!written.ok()) return written;
    stream.finalized = true;
    Lapse(stream);
  }
  return stream.next_offset;
}

absl::Status WriteStreams::MoveStaged(Connection& connection, const Table& table, WriteStream& stream,
                                      std::string_view condition) {
  if (stream.staging_version != table.schema_version) {
    HAKOBU_RETURN_IF_ERROR(FollowSchema(connection, stream, table.schema));
  }
  const std::string columns = ColumnList(table.schema);
  return connection.Run(fmt::format("INSERT INTO {} ({}) SELECT {} FROM {}{}", DuckDbName(table.id), columns,
                                    columns, QuotedStaging(stream), condition));
}

absl::StatusOr<int64_t> WriteStreams::Flush(WriteStream& stream, std::optional<int64_t> offset) {
  if (stream.type != StreamType::kBuffered) {
    return StorageStatus(absl::StatusCode::kInvalidArgument, StorageErrorCode::kInvalidStreamType,
                         "FlushRows is only supported on BUFFERED streams.", stream.name);
  }
  absl::MutexLock lock(&stream.mutex);
  if (stream.finalized) {
    return StorageStatus(absl::StatusCode::kInvalidArgument, StorageErrorCode::kStreamFinalized,
                         "Stream has been finalized.", stream.name);
  }
  const int64_t upto = offset.value_or(stream.next_offset - 1) + 1;
  if (upto > stream.next_offset || upto < 0) {
    return StorageStatus(absl::StatusCode::kOutOfRange, StorageErrorCode::kOffsetOutOfRange,
                         fmt::format("Offset {} is beyond the end of the stream", upto - 1), stream.name);
  }
  if (upto <= stream.flushed) {
    return StorageStatus(absl::StatusCode::kAlreadyExists, StorageErrorCode::kOffsetAlreadyExists,
                         fmt::format("Offset {} is already flushed, the stream is flushed to {}", upto - 1,
                                     stream.flushed - 1),
                         stream.name);
  }
  const absl::Status written = catalog_->Write(
      stream.table, stream.generation,
      [&](Connection& connection, const Table& table) -> absl::Status {
        stream.mutex.AssertHeld();
        const std::string condition = fmt::format(" WHERE \"~offset\" < {}", upto);
        HAKOBU_RETURN_IF_ERROR(MoveStaged(connection, table, stream, condition));
        HAKOBU_RETURN_IF_ERROR(
            connection.Run(fmt::format("DELETE FROM {}{}", QuotedStaging(stream), condition)));
        return SaveProgress(connection, stream.id, stream.next_offset, upto);
      },
      Catalog::Writer::kStream);
  if (!written.ok()) return written;
  if (const auto table = catalog_->GetTable(stream.table); table.ok())
    faults_->tables().OnStreamed(**table, StreamKind::kExplicit, upto - stream.flushed);
  stream.flushed = upto;
  return upto - 1;
}

absl::Status WriteStreams::Forget(Connection& connection, const Table& table) {
  std::vector<WriteStreamPtr> gone;
  {
    absl::MutexLock lock(&mutex_);
    for (auto& [name, stream] : streams_) {
      if (stream->generation == table.generation) gone.push_back(stream);
    }
  }
  for (const WriteStreamPtr& stream : gone) {
    HAKOBU_RETURN_IF_ERROR(connection.Run(fmt::format("DROP TABLE IF EXISTS {}", QuotedStaging(*stream))));
    HAKOBU_RETURN_IF_ERROR(
        connection.Run(fmt::format("DELETE FROM hakobu_streams.streams WHERE id = {}", stream->id)));
  }
  return absl::OkStatus();
}

}  // namespace hakobu::localbq
