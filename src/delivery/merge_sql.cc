#include "delivery/merge_sql.h"

#include <fmt/format.h>

#include <algorithm>

namespace hakobu {

std::string QuoteField(std::string_view name) {
  std::string quoted = "`";
  for (const char letter : name) {
    if (letter == '`' || letter == '\\') quoted += '\\';
    quoted += letter;
  }
  return quoted + "`";
}

namespace {

// Always true, and a filter over the partitions where the table demands one.
std::string EveryPartition(std::string_view column, std::string_view table) {
  const std::string name =
      table.empty() ? QuoteField(column) : fmt::format("{}.{}", table, QuoteField(column));
  return fmt::format("({0} IS NULL OR {0} IS NOT NULL)", name);
}

std::string ColumnList(const TableSchema& schema) {
  std::string columns;
  for (const Field& field : schema.fields) {
    if (!columns.empty()) columns += ", ";
    columns += QuoteField(field.name);
  }
  return columns;
}

}  // namespace

std::string CountRowsSql(const TableName& table, std::string_view partition) {
  std::string sql = fmt::format("SELECT COUNT(*) FROM {}", table.Quoted());
  return partition.empty() ? sql : fmt::format("{} WHERE {}", sql, EveryPartition(partition, ""));
}

std::string SelectSql(const TableSchema& schema, const TableName& table) {
  return fmt::format("SELECT {} FROM {}", ColumnList(schema), table.Quoted());
}

std::string ReplaceSql(const TableSchema& schema, const TableName& staging, const TableName& target,
                       std::string_view partition) {
  const std::string filter = partition.empty() ? "" : " AND " + EveryPartition(partition, "target");
  const std::string columns = ColumnList(schema);
  return fmt::format(
      "MERGE {} AS target USING ({}) AS staged ON FALSE{} WHEN NOT MATCHED BY SOURCE{} THEN DELETE "
      "WHEN NOT MATCHED THEN INSERT ({}) VALUES ({})",
      target.Quoted(), SelectSql(schema, staging), filter, filter, columns, columns);
}

std::string CountKeysSql(const TableSchema& schema, const TableName& keys) {
  return fmt::format("SELECT COUNT(*) FROM (SELECT DISTINCT {} FROM {})", ColumnList(schema), keys.Quoted());
}

std::string DeleteGoneSql(const TableSchema& schema, const TableName& keys, const TableName& target,
                          std::string_view partition) {
  std::string names, on;
  for (const size_t place : schema.key) {
    const std::string name = QuoteField(schema.fields[place].name);
    names += (names.empty() ? "" : ", ") + name;
    on += fmt::format("{0}target.{1} = present.{1}", on.empty() ? "" : " AND ", name);
  }
  const std::string filter = partition.empty() ? "" : " AND " + EveryPartition(partition, "target");
  return fmt::format(
      "MERGE {} AS target USING (SELECT DISTINCT {} FROM {}) AS present ON {}{} WHEN NOT MATCHED BY SOURCE{} "
      "THEN DELETE",
      target.Quoted(), names, keys.Quoted(), on, filter, filter);
}

std::string MergeSql(const TableSchema& schema, const TableName& staging, const TableName& target,
                     std::string_view newest_by, std::string_view partition) {
  std::string keys, on, set, columns, values;
  const auto add = [](std::string* list, std::string_view separator, const std::string& item) {
    if (!list->empty()) list->append(separator);
    list->append(item);
  };
  for (const size_t place : schema.key) {
    const std::string name = QuoteField(schema.fields[place].name);
    add(&keys, ", ", name);
    add(&on, " AND ", fmt::format("target.{0} = staged.{0}", name));
  }
  for (size_t place = 0; place < schema.fields.size(); ++place) {
    const std::string name = QuoteField(schema.fields[place].name);
    const bool is_key = std::find(schema.key.begin(), schema.key.end(), place) != schema.key.end();
    if (!is_key) add(&set, ", ", fmt::format("{0} = staged.{0}", name));
    add(&columns, ", ", name);
    add(&values, ", ", "staged." + name);
  }
  if (!partition.empty()) on += " AND " + EveryPartition(partition, "target");
  std::string rows = staging.Quoted();
  if (!newest_by.empty()) {
    rows = fmt::format(
        "(SELECT * FROM {} WHERE TRUE QUALIFY ROW_NUMBER() OVER (PARTITION BY {} ORDER BY {} DESC) = 1)",
        rows, keys, QuoteField(newest_by));
  }
  std::string sql = fmt::format("MERGE {} AS target USING {} AS staged ON {}", target.Quoted(), rows, on);
  if (!set.empty()) sql += fmt::format(" WHEN MATCHED THEN UPDATE SET {}", set);
  sql += fmt::format(" WHEN NOT MATCHED THEN INSERT ({}) VALUES ({})", columns, values);
  return sql;
}

std::string MergeAllSql(const TableSchema& schema, const TableName& staging, const TableName& target,
                        std::string_view partition) {
  const std::string filter = partition.empty() ? "" : " AND " + EveryPartition(partition, "target");
  return fmt::format("{} WHEN NOT MATCHED BY SOURCE{} THEN DELETE",
                     MergeSql(schema, staging, target, {}, partition), filter);
}

std::string CountOthersSql(const TableSchema& schema, const TableName& staging, const TableName& target,
                           std::string_view partition) {
  std::string on;
  for (const size_t place : schema.key) {
    const std::string name = QuoteField(schema.fields[place].name);
    on += fmt::format("{}target.{} = staged.{}", on.empty() ? "" : " AND ", name, name);
  }
  const std::string filter = partition.empty() ? "TRUE" : EveryPartition(partition, "target");
  return fmt::format(
      "SELECT COUNT(*) FROM {} AS target WHERE {} AND NOT EXISTS (SELECT 1 FROM {} AS staged WHERE {})",
      target.Quoted(), filter, staging.Quoted(), on);
}

}  // namespace hakobu
