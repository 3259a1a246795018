#include "localbq/storage_api/read_sessions.h"

#include <fmt/format.h>

#include <algorithm>

#include "absl/random/random.h"
#include "absl/time/clock.h"
#include "base/status.h"
#include "localbq/faults/faults.h"
#include "localbq/sql/sql.h"
#include "localbq/storage_api/change_log.h"
#include "localbq/storage_api/resource_name.h"
#include "localbq/storage_api/storage_error.h"

namespace hakobu::localbq {
namespace {

constexpr int64_t kSessionUs = int64_t{6} * 3600 * 1'000'000;
constexpr int64_t kRowsPerStream = 100'000;
constexpr int kMaxStreams = 1000, kDefaultStreams = 8;

int64_t NowMicros() {
  return absl::GetCurrentTimeNanos() / 1000;
}

// A column or a field in a RECORD, by its dotted path: adds it to `selected`, which keeps the order of the
// request.
absl::Status Select(const Schema& schema, std::string_view path, std::string_view whole, Schema* selected) {
  const std::string_view name = path.substr(0, path.find('.'));
  const Column* column = FindColumn(schema, name);
  if (column == nullptr || (name.size() < path.size() && column->type != Type::kRecord)) {
    return absl::InvalidArgumentError(fmt::format(
        "request failed: The following selected fields do not exist in the table schema: {}", whole));
  }
  auto known = std::find_if(selected->begin(), selected->end(),
                            [&](const Column& candidate) { return SameName(candidate.name, name); });
  if (known == selected->end()) {
    selected->push_back(*column);
    known = selected->end() - 1;
    if (name.size() < path.size()) known->fields.clear();
  }
  if (name.size() == path.size()) {
    *known = *column;
    return absl::OkStatus();
  }
  return Select(column->fields, path.substr(name.size() + 1), whole, &known->fields);
}

// A column with only the selected fields of a RECORD. `depth` names the lambda's parameter.
std::string Projection(const Column& selected, const Column& whole, const std::string& value, int depth) {
  if (selected.type != Type::kRecord || selected == whole) return value;
  const bool is_list = selected.mode == Mode::kRepeated;
  const std::string record = is_list ? fmt::format("x{}", depth) : value;
  std::string fields;
  for (const Column& field : selected.fields) {
    const Column* from = FindColumn(whole.fields, field.name);
    fields +=
        fmt::format("{}{} := {}", fields.empty() ? "" : ", ", Quoted(field.name),
                    Projection(field, *from, fmt::format("{}.{}", record, Quoted(field.name)), depth + 1));
  }
  const std::string packed =
      fmt::format("CASE WHEN {} IS NULL THEN NULL ELSE struct_pack({}) END", record, fields);
  return is_list ? fmt::format("list_transform({}, lambda {}: {})", value, record, packed) : packed;
}

int StreamCount(const ReadRequest& request, int64_t rows) {
  if (rows == 0) return 0;
  const int most = request.max_streams > 0
                       ? std::min(request.max_streams, kMaxStreams)
                       : std::max(kDefaultStreams, std::min(request.min_streams, kMaxStreams));
  const int64_t wanted = std::max<int64_t>((rows + kRowsPerStream - 1) / kRowsPerStream, request.min_streams);
  return static_cast<int>(std::clamp<int64_t>(std::min<int64_t>(wanted, rows), 1, most));
}

}  // namespace

absl::StatusOr<std::unique_ptr<ReadSessions>> ReadSessions::Open(Catalog* catalog, ChangeLog* changes,
                                                                 Faults* faults) {
  HAKOBU_ASSIGN_OR_RETURN(const Warehouse::Lease connection, catalog->warehouse()->Connect());
  HAKOBU_RETURN_IF_ERROR(connection->Run("DROP SCHEMA IF EXISTS hakobu_reads CASCADE"));
  HAKOBU_RETURN_IF_ERROR(connection->Run("CREATE SCHEMA hakobu_reads"));
  return std::unique_ptr<ReadSessions>(new ReadSessions(catalog, changes, faults));
}

absl::Status ReadSessions::Expire() {
  std::vector<int64_t> expired;
  {
    absl::MutexLock lock(&mutex_);
    const int64_t now = NowMicros();
    for (const ReadSessionPtr& session : sessions_) {
      if (session->expires_us > now) continue;
      expired.push_back(session->id);
      for (const ReadStreamPlan& stream : session->streams) by_stream_.erase(stream.name);
    }
    std::erase_if(sessions_, [now](const ReadSessionPtr& session) { return session->expires_us <= now; });
  }
  for (const int64_t id : expired) {
    HAKOBU_ASSIGN_OR_RETURN(const Warehouse::Lease connection, catalog_->warehouse()->Connect());
    HAKOBU_RETURN_IF_ERROR(connection->Run(fmt::format("DROP TABLE IF EXISTS hakobu_reads.r{}", id)));
  }
  return absl::OkStatus();
}

// A column just added is not known here for a while.
absl::Status ReadSessions::CheckFields(const ReadRequest& request, const Table& table) const {
  const Behaviours& behaviours = faults_->behaviours();
  if (!behaviours.Has(Behaviour::kReadSchemaLag)) return absl::OkStatus();
  const TablePtr before = faults_->tables().ChangedWithin(table, behaviours.Length(Delay::kReadSchema));
  if (!before) return absl::OkStatus();
  std::string unknown;
  for (const std::string& field : request.selected_fields) {
    if (FindColumn(before->schema, field.substr(0, field.find('.'))) != nullptr) continue;
    unknown += (unknown.empty() ? "" : ", ") + field;
  }
  if (unknown.empty()) return absl::OkStatus();
  return absl::InvalidArgumentError(fmt::format(
      "request failed: The following selected fields do not exist in the table schema: {}", unknown));
}

absl::StatusOr<ReadSessionPtr> ReadSessions::Create(const ReadRequest& request) {
  HAKOBU_RETURN_IF_ERROR(Expire());
  const auto table = catalog_->GetTable(request.table);
  if (!table.ok())
    return absl::NotFoundError(fmt::format("request failed: {}", View(table.status().message())));
  if ((*table)->type == TableType::kView || (*table)->type == TableType::kExternal) {
    return absl::InvalidArgumentError(
        fmt::format("request failed: non-table entities cannot be read with the storage API"));
  }
  HAKOBU_RETURN_IF_ERROR(CheckFields(request, **table));
  HAKOBU_RETURN_IF_ERROR(changes_->PrepareRead(**table));
  auto session = std::make_shared<ReadSessionPlan>();
  session->table = request.table;
  for (const std::string& field : request.selected_fields) {
    HAKOBU_RETURN_IF_ERROR(Select((*table)->schema, field, field, &session->schema));
  }
  if (request.selected_fields.empty()) session->schema = (*table)->schema;
  std::string columns;
  for (const Column& column : session->schema) {
    const Column* whole = FindColumn((*table)->schema, column.name);
    columns += fmt::format("{}{}::{} AS {}", columns.empty() ? "" : ", ",
                           Projection(column, *whole, Quoted(column.name), 0), DuckDbType(column),
                           Quoted(column.name));
  }
  std::string condition;
  if (!request.row_restriction.empty()) {
    sql::Context context;
    context.project = request.table.project;
    const auto filter = sql::TranslateFilter(request.row_restriction, (*table)->schema, context);
    if (!filter.ok()) {
      return absl::InvalidArgumentError(fmt::format("request failed: {}", View(filter.status().message())));
    }
    condition = " WHERE " + *filter;
  }
  if (!request.row_condition.empty())
    condition = fmt::format(" WHERE ({}){}", request.row_condition,
                            condition.empty() ? "" : fmt::format(" AND ({})", condition.substr(7)));
  session->member = request.member;
  absl::BitGen random;
  {
    absl::MutexLock lock(&mutex_);
    session->id = ++last_id_;
  }
  HAKOBU_ASSIGN_OR_RETURN(const Warehouse::Lease connection, catalog_->warehouse()->Connect());
  HAKOBU_RETURN_IF_ERROR(
      connection->Run(fmt::format("CREATE TABLE hakobu_reads.r{} AS SELECT {} FROM {}{}", session->id,
                                  columns, DuckDbName(request.table), condition)));
  HAKOBU_ASSIGN_OR_RETURN(
      Result count, connection->Query(fmt::format("SELECT count(*) FROM hakobu_reads.r{}", session->id)));
  session->rows = count.FirstInt64().value_or(0);
  session->is_avro = request.is_avro;
  session->expires_us = NowMicros() + kSessionUs;
  session->name = fmt::format("projects/{}/locations/us/sessions/CAIS{:016x}{:016x}", request.table.project,
                              absl::Uniform<uint64_t>(random), absl::Uniform<uint64_t>(random));
  const int streams = StreamCount(request, session->rows);
  for (int i = 0; i < streams; ++i) {
    const int64_t first = session->rows * i / streams, end = session->rows * (i + 1) / streams;
    session->streams.push_back({fmt::format("{}/streams/CAI{:04}", session->name, i), first, end - first});
  }
  absl::MutexLock lock(&mutex_);
  sessions_.push_back(session);
  for (const ReadStreamPlan& stream : session->streams) by_stream_[stream.name] = session;
  return session;
}

absl::StatusOr<ReadSessionPtr> ReadSessions::FindByStream(std::string_view name, ReadStreamPlan* plan) {
  absl::MutexLock lock(&mutex_);
  const auto found = by_stream_.find(std::string(name));
  if (found == by_stream_.end() || found->second->expires_us < NowMicros()) {
    return absl::NotFoundError(fmt::format("Requested entity was not found. Entity: {}", name));
  }
  for (const ReadStreamPlan& stream : found->second->streams) {
    if (stream.name == name) *plan = stream;
  }
  return found->second;
}

absl::Status ReadSessions::Read(const ReadSessionPlan& session, const ReadStreamPlan& stream, int64_t offset,
                                absl::FunctionRef<bool(const Chunk&)> sink) {
  if (offset < 0 || offset > stream.rows) {
    return absl::OutOfRangeError(
        fmt::format("request failed: offset {} is beyond the stream's {} rows", offset, stream.rows));
  }
  HAKOBU_ASSIGN_OR_RETURN(const Warehouse::Lease connection, catalog_->warehouse()->Connect());
  const int64_t first = stream.first_row + offset, end = stream.first_row + stream.rows;
  HAKOBU_ASSIGN_OR_RETURN(
      Result result,
      connection->Stream(fmt::format("SELECT * FROM hakobu_reads.r{} WHERE rowid >= {} AND rowid < {}",
                                     session.id, first, end)));
  while (const auto chunk = result.Next()) {
    if (chunk->rows() > 0 && !sink(*chunk)) return absl::OkStatus();
  }
  return absl::OkStatus();
}

}  // namespace hakobu::localbq
