#include "source/explain.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

namespace hakobu {

absl::StatusOr<Explained> Explain(Connection* connection, std::string_view select, std::string_view table) {
  // MySQL's default form is a setting; MariaDB knows no name for its only table form.
  const bool mariadb = connection->flavor() == ServerFlavor::kMariaDb;
  HAKOBU_ASSIGN_OR_RETURN(
      const QueryResult result,
      connection->Query(fmt::format("EXPLAIN {}{}", mariadb ? "" : "FORMAT=TRADITIONAL ", select)));
  const size_t table_at = result.Column("table");
  const size_t type_at = result.Column("type");
  const size_t key_at = result.Column("key");
  const size_t rows_at = result.Column("rows");
  const size_t extra_at = result.Column("Extra");
  const size_t furthest = std::max({table_at, type_at, key_at, rows_at, extra_at});
  if (furthest >= result.names.size()) {
    return absl::DataLossError("expected EXPLAIN to answer with table, type, key, rows and Extra");
  }
  Explained explained;
  for (const auto& row : result.rows) {
    const std::string extra = row[extra_at].value_or("");
    explained.sorts |= extra.find("Using filesort") != std::string::npos;
    explained.materialises |= extra.find("Using temporary") != std::string::npos;
    if (row[table_at] != table) continue;
    explained.access = row[type_at].value_or("");
    explained.key = row[key_at].value_or("");
    const std::string rows = row[rows_at].value_or("0");
    std::from_chars(rows.data(), rows.data() + rows.size(), explained.rows);
  }
  return explained;
}

}  // namespace hakobu
