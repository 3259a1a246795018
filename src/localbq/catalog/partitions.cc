#include "localbq/catalog/partitions.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "absl/strings/ascii.h"
#include "base/status.h"
#include "localbq/catalog/json_field.h"
#include "localbq/catalog/warehouse.h"

namespace hakobu::localbq {
namespace {

constexpr int64_t kMostPartitions = 4000;
// DuckDB numbers the rows that a transaction has added from here on.
constexpr int64_t kFirstNewRow = 36'028'797'018'960'000;

// The start of a row's partition, as a DuckDB expression.
std::string PartitionOf(const Table& table) {
  if (const auto& range = table.range_partitioning) {
    return fmt::format("(({} - {}) // {})", Quoted(range->column), range->start,
                       std::max<int64_t>(range->interval, 1));
  }
  const TimePartitioning& time = *table.time_partitioning;
  return fmt::format("date_trunc('{}', {})", absl::AsciiStrToLower(time.type), Quoted(time.column));
}

}  // namespace

std::string PartitionColumn(const Table& table) {
  if (table.range_partitioning) return table.range_partitioning->column;
  return table.time_partitioning ? table.time_partitioning->column : std::string();
}

std::string ExpiredCondition(const Table& table, absl::Time now) {
  if (!table.time_partitioning || table.time_partitioning->expiration_ms == 0) return "";
  if (table.time_partitioning->column.empty()) return "";
  const int64_t cutoff_us =
      absl::ToUnixMicros(now) -
      std::min<int64_t>(table.time_partitioning->expiration_ms, 400'000'000'000'000) * 1000;
  return fmt::format("{} < make_timestamp({})", PartitionOf(table), cutoff_us);
}

absl::Status CheckPartitionCount(Connection& connection, const Table& table, const std::string& relation) {
  if (PartitionColumn(table).empty()) return absl::OkStatus();
  HAKOBU_ASSIGN_OR_RETURN(Result counted,
                          connection.Query(fmt::format("SELECT count(DISTINCT {}) FROM {} WHERE rowid >= {}",
                                                       PartitionOf(table), relation, kFirstNewRow)));
  const int64_t partitions = counted.FirstInt64().value_or(0);
  if (partitions <= kMostPartitions) return absl::OkStatus();
  return absl::InvalidArgumentError(
      fmt::format("Too many partitions produced by query, allowed {}, query produces at least {} partitions",
                  kMostPartitions, partitions));
}

void TakeDatasetDefaults(const Dataset& dataset, Table* table) {
  const int64_t partition_ms =
      IntegerField(nlohmann::json::parse(dataset.other), "defaultPartitionExpirationMs");
  if (table->time_partitioning && partition_ms != 0) {
    if (table->time_partitioning->expiration_ms == 0) table->time_partitioning->expiration_ms = partition_ms;
    return;
  }
  if (table->expiration_ms == 0 && dataset.default_table_expiration_ms != 0) {
    table->expiration_ms = table->created_ms + dataset.default_table_expiration_ms;
  }
}

}  // namespace hakobu::localbq
