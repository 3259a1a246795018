// Names: what BigQuery allows, how errors write them, and where they live in DuckDB.
#pragma once

#include <string>
#include <string_view>

#include "absl/status/status.h"

namespace hakobu::localbq {

struct DatasetId {
  std::string project, dataset;
  bool operator==(const DatasetId&) const = default;
  auto operator<=>(const DatasetId&) const = default;
  template <typename H>
  friend H AbslHashValue(H h, const DatasetId& id) {
    return H::combine(std::move(h), id.project, id.dataset);
  }
};

struct TableId {
  std::string project, dataset, table;
  DatasetId parent() const { return {project, dataset}; }
  bool operator==(const TableId&) const = default;
  auto operator<=>(const TableId&) const = default;
  template <typename H>
  friend H AbslHashValue(H h, const TableId& id) {
    return H::combine(std::move(h), id.project, id.dataset, id.table);
  }
};

// "p:d" and "p:d.t", as Google's errors write them.
std::string DisplayName(const DatasetId& id);
std::string DisplayName(const TableId& id);

// DuckDB's quoting: "a""b". For any identifier.
std::string Quoted(std::string_view identifier);
// A DuckDB string literal: 'it''s'.
std::string QuotedLiteral(std::string_view text);

// Where a dataset and a table's rows live: "p:d" and "p:d"."t", quoted. DuckDB does not regard case in names
// but BigQuery does, so a name with capitals carries which letters they are: T1 is "T1~1".
std::string DuckDbName(const DatasetId& id);
std::string DuckDbName(const TableId& id);
// The same without quotes, for the calls that take plain names (duckdb_appender_create).
std::string DuckDbSchemaName(const DatasetId& id);
std::string DuckDbTableName(std::string_view table);

// InvalidArgument in Google's words.
absl::Status CheckDatasetName(std::string_view name);
absl::Status CheckTableName(std::string_view name);
absl::Status CheckColumnName(std::string_view name);

}  // namespace hakobu::localbq
