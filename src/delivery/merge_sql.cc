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

std::string MergeSql(const TableSchema& schema, const TableName& staging, const TableName& target,
                     std::string_view newest_by) {
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

}  // namespace hakobu
