#include "localbq/storage_api/change_log.h"

#include <fmt/format.h>

#include <algorithm>

#include "absl/time/clock.h"
#include "base/crash_point.h"
#include "base/status.h"
#include "localbq/storage_api/change_log_parts.h"
#include "localbq/storage_api/temporal.h"

namespace hakobu::localbq {
namespace {

// The background's pace: how long a change may wait, and how many may, before they are merged.
constexpr absl::Duration kLookEvery = absl::Milliseconds(100);
constexpr int64_t kMaxWaitUs = 1'000'000;
constexpr int64_t kMaxWaitingRows = 250'000;

int64_t NowMicros() {
  return absl::GetCurrentTimeNanos() / 1000;
}

std::string PartDefinition(const std::string& name, const Schema& schema) {
  std::string columns;
  for (const Column& column : schema)
    columns += fmt::format("{} {}, ", Quoted(column.name), DuckDbType(column));
  return fmt::format("CREATE TABLE {} ({}\"~deleted\" BOOLEAN, \"~rank\" BLOB)", name, columns);
}

std::string KeysDefinition(const Table& table) {
  std::string columns;
  for (const std::string& key : table.primary_key) {
    const Column* column = FindColumn(table.schema, key);
    columns += fmt::format("{} {}, ", Quoted(key), column == nullptr ? "VARCHAR" : DuckDbType(*column));
  }
  return fmt::format("CREATE TABLE IF NOT EXISTS {} ({}\"~sequence\" BLOB, \"~deleted_us\" BIGINT)",
                     KeysTable(table.generation), columns);
}

}  // namespace

int64_t StalenessMicros(std::string_view interval) {
  IntervalParts parts;
  if (interval.empty() || !ParseInterval(interval, &parts)) return 0;
  return (int64_t{parts.months} * 30 + parts.days) * kMicrosPerDay + parts.micros;
}

absl::StatusOr<std::unique_ptr<ChangeLog>> ChangeLog::Open(Catalog* catalog) {
  std::unique_ptr<ChangeLog> log(new ChangeLog(catalog));
  HAKOBU_RETURN_IF_ERROR(Annotate(log->Load(), "read the change logs"));
  log->background_ = std::thread([raw = log.get()] { raw->Background(); });
  return log;
}

ChangeLog::~ChangeLog() {
  {
    absl::MutexLock lock(&mutex_);
    is_stopping_ = true;
  }
  if (background_.joinable()) background_.join();
}

absl::Status ChangeLog::Load() {
  HAKOBU_ASSIGN_OR_RETURN(const Warehouse::Lease connection, catalog_->warehouse()->Connect());
  HAKOBU_RETURN_IF_ERROR(connection->Run("CREATE SCHEMA IF NOT EXISTS hakobu_changes"));
  HAKOBU_RETURN_IF_ERROR(connection->Run(
      "CREATE TABLE IF NOT EXISTS hakobu_changes.tables (generation BIGINT, project VARCHAR, dataset "
      "VARCHAR, table_name VARCHAR)"));
  HAKOBU_ASSIGN_OR_RETURN(const auto tables,
                          ReadTexts(*connection,
                                    "SELECT generation::VARCHAR, project, dataset, table_name FROM "
                                    "hakobu_changes.tables"));
  for (const auto& row : tables) {
    auto active = std::make_shared<Active>();
    active->generation = std::stoll(row[0]);
    active->id = {row[1], row[2], row[3]};
    HAKOBU_ASSIGN_OR_RETURN(
        const auto parts,
        ReadTexts(*connection,
                  fmt::format("SELECT table_name, (SELECT count(*) FROM duckdb_columns() c WHERE "
                              "c.table_oid = t.table_oid)::VARCHAR FROM duckdb_tables() t WHERE "
                              "schema_name = 'hakobu_changes' AND table_name LIKE 'l{}\\_%' ESCAPE '\\' "
                              "ORDER BY length(table_name), table_name",
                              active->generation)));
    absl::MutexLock lock(&active->mutex);
    for (const auto& part_row : parts) {
      auto part = std::make_shared<Part>();
      part->number = std::stoll(part_row[0].substr(part_row[0].find('_') + 1));
      HAKOBU_ASSIGN_OR_RETURN(
          const auto columns,
          ReadTexts(
              *connection,
              fmt::format(
                  "SELECT column_name FROM duckdb_columns() WHERE schema_name = 'hakobu_changes' AND "
                  "table_name = '{}' AND column_name NOT IN ('~deleted', '~rank') ORDER BY column_index",
                  part_row[0])));
      for (const auto& column : columns) part->columns.push_back(column[0]);
      HAKOBU_ASSIGN_OR_RETURN(Result count, connection->Query(fmt::format(
                                                "SELECT count(*) FROM hakobu_changes.{}", part_row[0])));
      part->rows = count.FirstInt64().value_or(0);
      part->first_us = NowMicros();
      active->parts.push_back(part);
    }
    absl::MutexLock map_lock(&mutex_);
    active_[active->generation] = active;
  }
  return absl::OkStatus();
}

ChangeLog::ActivePtr ChangeLog::Find(const Table& table) const {
  absl::MutexLock lock(&mutex_);
  const auto found = active_.find(table.generation);
  return found == active_.end() ? nullptr : found->second;
}

absl::StatusOr<ChangeLog::ActivePtr> ChangeLog::Activate(const TablePtr& table) {
  if (ActivePtr active = Find(*table)) return active;
  auto active = std::make_shared<Active>();
  active->generation = table->generation;
  active->id = table->id;
  absl::MutexLock lock(&mutex_);
  ActivePtr& known = active_[table->generation];
  if (known != nullptr) return known;
  const absl::Status made = catalog_->warehouse()->InTransaction([&](Connection& connection) -> absl::Status {
    HAKOBU_RETURN_IF_ERROR(connection.Run(KeysDefinition(*table)));
    std::vector<Value> values;
    for (const std::string* text : {&table->id.project, &table->id.dataset, &table->id.table}) {
      values.push_back(Value::Text(*text));
    }
    return connection
        .Query(fmt::format("INSERT INTO hakobu_changes.tables VALUES ({}, ?, ?, ?)", table->generation),
               values)
        .status();
  });
  if (!made.ok()) {
    active_.erase(table->generation);
    return made;
  }
  known = active;
  return active;
}

// Begins a new part of the log, for the table's columns as they are now.
absl::Status ChangeLog::NewPart(Active& active, const Table& table) {
  active.mutex.AssertHeld();
  auto part = std::make_shared<Part>();
  part->number = active.parts.empty() ? active.last_number + 1 : active.parts.back()->number + 1;
  part->schema_version = table.schema_version;
  for (const Column& column : table.schema) part->columns.push_back(column.name);
  const std::string definition = PartDefinition(PartTable(active.generation, part->number), table.schema);
  const absl::Status made = catalog_->warehouse()->InTransaction(
      [&](Connection& connection) { return connection.Run(definition); });
  if (!made.ok()) return made;
  active.last_number = part->number;
  active.parts.push_back(std::move(part));
  return absl::OkStatus();
}

absl::Status ChangeLog::Append(const TablePtr& table, int64_t schema_version,
                               std::span<Chunk* const> chunks) {
  HAKOBU_ASSIGN_OR_RETURN(const ActivePtr active, Activate(table));
  std::shared_ptr<Part> part;
  int64_t rows = 0;
  {
    absl::MutexLock lock(&active->mutex);
    if (active->parts.empty() || active->parts.back()->schema_version != schema_version) {
      HAKOBU_RETURN_IF_ERROR(NewPart(*active, *table));
    }
    part = active->parts.back();
    ++part->in_flight;
    for (Chunk* chunk : chunks) {
      StampArrivals(*chunk, &active->arrivals);
      rows += static_cast<int64_t>(chunk->rows());
    }
  }
  const std::vector<const Chunk*> constant(chunks.begin(), chunks.end());
  const absl::Status written = catalog_->Write(
      table->id, table->generation,
      [&](Connection& connection, const Table& now) -> absl::Status {
        if (now.schema_version != schema_version) {
          return absl::FailedPreconditionError("the table's columns have changed");
        }
        HAKOBU_RETURN_IF_ERROR(
            AppendToPart(connection, fmt::format("l{}_{}", table->generation, part->number), constant));
        CrashPoint("localbq.change");
        return absl::OkStatus();
      },
      Catalog::Writer::kStream);
  absl::MutexLock lock(&active->mutex);
  --part->in_flight;
  if (!written.ok()) return written;
  if (part->rows == 0) part->first_us = NowMicros();
  part->rows += rows;
  return absl::OkStatus();
}

bool ChangeLog::IsActive(const Table& table) const {
  return Find(table) != nullptr;
}

int64_t ChangeLog::WatermarkMicros(const Table& table) const {
  const ActivePtr active = Find(table);
  if (active == nullptr) return 0;
  absl::MutexLock lock(&active->mutex);
  int64_t watermark = NowMicros();
  for (const auto& part : active->parts) {
    if (part->rows > 0) watermark = std::min(watermark, part->first_us);
  }
  return watermark;
}

absl::Status ChangeLog::PrepareRead(const Table& table) {
  const int64_t watermark = WatermarkMicros(table);
  if (watermark == 0) return absl::OkStatus();
  const int64_t staleness = StalenessMicros(table.max_staleness);
  if (staleness > 0 && NowMicros() - watermark <= staleness) return absl::OkStatus();
  return Apply(table);
}

absl::Status ChangeLog::Apply(const Table& table) {
  const ActivePtr active = Find(table);
  return active == nullptr ? absl::OkStatus() : ApplyLocked(*active, /*with_current=*/true);
}

void ChangeLog::Background() {
  for (;;) {
    std::vector<ActivePtr> all;
    {
      absl::MutexLock lock(&mutex_);
      const auto stopping = [this]() ABSL_SHARED_LOCKS_REQUIRED(mutex_) { return is_stopping_; };
      if (mutex_.AwaitWithTimeout(absl::Condition(&stopping), kLookEvery)) return;
      for (const auto& [generation, active] : active_) all.push_back(active);
    }
    for (const ActivePtr& active : all) {
      bool due = false;
      {
        absl::MutexLock lock(&active->mutex);
        int64_t rows = 0;
        for (const auto& part : active->parts) {
          rows += part->rows;
          due = due || (part->rows > 0 && NowMicros() - part->first_us > kMaxWaitUs);
        }
        due = due || rows > kMaxWaitingRows;
      }
      // A failure stays for the next look, and for the next reader, who is told.
      if (due) (void)ApplyLocked(*active, /*with_current=*/true);
    }
  }
}

absl::Status ChangeLog::Forget(Connection& connection, const Table& table) {
  ActivePtr active;
  {
    absl::MutexLock lock(&mutex_);
    const auto found = active_.find(table.generation);
    if (found == active_.end()) return absl::OkStatus();
    active = found->second;
    active_.erase(found);
  }
  std::vector<std::shared_ptr<Part>> parts;
  {
    absl::MutexLock lock(&active->mutex);
    parts.assign(active->parts.begin(), active->parts.end());
    active->parts.clear();
  }
  for (const auto& part : parts) {
    HAKOBU_RETURN_IF_ERROR(
        connection.Run(fmt::format("DROP TABLE IF EXISTS {}", PartTable(table.generation, part->number))));
  }
  HAKOBU_RETURN_IF_ERROR(connection.Run(fmt::format("DROP TABLE IF EXISTS {}", KeysTable(table.generation))));
  return connection.Run(
      fmt::format("DELETE FROM hakobu_changes.tables WHERE generation = {}", table.generation));
}

}  // namespace hakobu::localbq
