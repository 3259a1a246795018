// Merging a part of a change log into its table.
#include <fmt/format.h>

#include <algorithm>
#include <cstring>

#include "absl/time/clock.h"
#include "base/crash_point.h"
#include "base/status.h"
#include "localbq/storage_api/change_log_parts.h"
#include "localbq/storage_api/write_streams.h"

namespace hakobu::localbq {
namespace {

constexpr int64_t kRememberDeletesUs = int64_t{2} * 24 * 3600 * 1'000'000;
constexpr size_t kSequenceBytes = 32;
constexpr size_t kRankBytes = kSequenceBytes + 8;

std::string Equal(const std::vector<std::string>& key, std::string_view left, std::string_view right) {
  std::string condition;
  for (const std::string& column : key) {
    const std::string name = Quoted(column);
    condition += fmt::format("{}{}.{} = {}.{}", condition.empty() ? "" : " AND ", left, name, right, name);
  }
  return condition;
}

std::string NameList(const std::vector<std::string>& names) {
  std::string list;
  for (const std::string& name : names) list += fmt::format("{}{}", list.empty() ? "" : ", ", Quoted(name));
  return list;
}

}  // namespace

std::string PartTable(int64_t generation, int64_t number) {
  return fmt::format("hakobu_changes.l{}_{}", generation, number);
}
std::string KeysTable(int64_t generation) {
  return fmt::format("hakobu_changes.k{}", generation);
}

void StampArrivals(const Chunk& chunk, uint64_t* arrivals) {
  const duckdb_vector ranks = chunk.column(chunk.columns() - 1);
  duckdb_vector_ensure_validity_writable(ranks);
  uint64_t* validity = duckdb_vector_get_validity(ranks);
  auto* values = static_cast<duckdb_string_t*>(duckdb_vector_get_data(ranks));
  for (idx_t row = 0; row < chunk.rows(); ++row) {
    char rank[kRankBytes] = {};
    if (duckdb_validity_row_is_valid(validity, row)) {
      const size_t size = std::min<size_t>(duckdb_string_t_length(values[row]), kSequenceBytes);
      std::memcpy(rank, duckdb_string_t_data(&values[row]), size);
    }
    const uint64_t arrival = ++*arrivals;
    for (int i = 0; i < 8; ++i)
      rank[kSequenceBytes + static_cast<size_t>(i)] = static_cast<char>(arrival >> (56 - 8 * i));
    duckdb_validity_set_row_valid(validity, row);
    duckdb_vector_assign_string_element_len(ranks, row, rank, sizeof rank);
  }
}

absl::Status AppendToPart(Connection& connection, const std::string& table,
                          std::span<const Chunk* const> chunks) {
  return AppendChunks(connection, "hakobu_changes", table, chunks);
}

absl::StatusOr<std::vector<std::vector<std::string>>> ReadTexts(Connection& connection,
                                                                std::string_view sql) {
  HAKOBU_ASSIGN_OR_RETURN(Result result, connection.Query(sql));
  std::vector<std::vector<std::string>> rows;
  while (const auto chunk = result.Next()) {
    for (idx_t row = 0; row < chunk->rows(); ++row) {
      std::vector<std::string>& texts = rows.emplace_back();
      for (idx_t column = 0; column < chunk->columns(); ++column) {
        auto* values = static_cast<duckdb_string_t*>(duckdb_vector_get_data(chunk->column(column)));
        texts.emplace_back(duckdb_string_t_data(&values[row]), duckdb_string_t_length(values[row]));
      }
    }
  }
  return rows;
}

absl::Status ChangeLog::Merge(Connection& connection, const Table& table, const Part& part) {
  const std::string log = PartTable(table.generation, part.number);
  const std::string keys = KeysTable(table.generation);
  const std::string target = DuckDbName(table.id);
  const std::string key = NameList(table.primary_key);
  std::vector<std::string> columns;
  for (const std::string& name : part.columns) {
    if (FindColumn(table.schema, name) != nullptr) columns.push_back(name);
  }
  const std::string winners = fmt::format("hakobu_winners_{}", table.generation);
  const int64_t now_us = absl::GetCurrentTimeNanos() / 1000;
  // The best change of each key, then only those that no earlier merge has outdone. Ranks are unique.
  const std::string statements[] = {
      fmt::format("CREATE OR REPLACE TEMP TABLE {} AS SELECT l.* FROM {} l WHERE l.\"~rank\" IN (SELECT "
                  "max(\"~rank\") FROM {} GROUP BY {}) AND NOT EXISTS (SELECT 1 FROM {} k WHERE {} AND "
                  "k.\"~sequence\" > l.\"~rank\"[1:32])",
                  winners, log, log, key, keys, Equal(table.primary_key, "k", "l")),
      fmt::format("DELETE FROM {} t USING {} w WHERE {}", target, winners,
                  Equal(table.primary_key, "t", "w")),
      fmt::format("INSERT INTO {} ({}) SELECT {} FROM {} WHERE NOT \"~deleted\"", target, NameList(columns),
                  NameList(columns), winners),
      fmt::format("DELETE FROM {} k USING {} w WHERE {}", keys, winners, Equal(table.primary_key, "k", "w")),
      fmt::format("DELETE FROM {} WHERE \"~deleted_us\" < {}", keys, now_us - kRememberDeletesUs),
      fmt::format("INSERT INTO {} SELECT {}, \"~rank\"[1:32], CASE WHEN \"~deleted\" THEN {} END FROM {}",
                  keys, key, now_us, winners),
      fmt::format("DROP TABLE {}", log),
      fmt::format("DROP TABLE temp.{}", winners),
  };
  for (const std::string& statement : statements) HAKOBU_RETURN_IF_ERROR(connection.Run(statement));
  return absl::OkStatus();
}

absl::Status ChangeLog::ApplyPart(Active& active, Part& part) {
  const absl::Status merged = catalog_->Write(
      active.id, active.generation,
      [&](Connection& connection, const Table& table) -> absl::Status {
        HAKOBU_RETURN_IF_ERROR(Annotate(Merge(connection, table, part), "merge changes"));
        CrashPoint("localbq.merge");
        return absl::OkStatus();
      },
      Catalog::Writer::kStream);
  return merged;
}

absl::Status ChangeLog::ApplyLocked(Active& active, bool with_current) {
  absl::MutexLock apply_lock(&active.apply_mutex);
  const auto table = catalog_->GetTable(active.id);
  if (!table.ok() || (*table)->generation != active.generation) return absl::OkStatus();
  size_t count = 0;
  {
    absl::MutexLock lock(&active.mutex);
    count = active.parts.size();
    if (count == 0 || !with_current) return absl::OkStatus();
    const Part& current = *active.parts.back();
    if (current.rows == 0 && current.in_flight == 0) {
      --count;
    } else {
      HAKOBU_RETURN_IF_ERROR(NewPart(active, **table));
    }
  }
  for (; count > 0; --count) {
    std::shared_ptr<Part> part;
    {
      absl::MutexLock lock(&active.mutex);
      if (active.parts.size() < 2) return absl::OkStatus();
      part = active.parts.front();
      const auto settled = [&part] { return part->in_flight == 0; };
      active.mutex.Await(absl::Condition(&settled));
    }
    HAKOBU_RETURN_IF_ERROR(ApplyPart(active, *part));
    absl::MutexLock lock(&active.mutex);
    if (!active.parts.empty() && active.parts.front() == part) active.parts.pop_front();
  }
  return absl::OkStatus();
}

}  // namespace hakobu::localbq
