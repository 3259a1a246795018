// Datasets and tables [REST v2: datasets, tables, tabledata]. Resources are JSON text as the service holds
// it.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/statusor.h"
#include "destination/rest.h"
#include "row/field.h"

namespace hakobu {

struct DatasetName {
  std::string project;
  std::string dataset;
  std::string ToString() const { return project + "." + dataset; }
  bool operator==(const DatasetName&) const = default;
};

struct TableName {
  std::string project;
  std::string dataset;
  std::string table;
  std::string ToString() const { return project + "." + dataset + "." + table; }
  std::string Quoted() const;    // `p.d.t` with backticks, for GoogleSQL
  std::string Resource() const;  // projects/p/datasets/d/tables/t, as the Storage API names it
  DatasetName InDataset() const { return {project, dataset}; }
  bool operator==(const TableName&) const = default;
};

struct Resource {
  std::string json;
  std::string etag;
};

// NotFound when there is none; AlreadyExists when there is one; FailedPrecondition when `if_match` (an etag;
// empty: unconditional) no longer holds. Access entries are read and written at accessPolicyVersion 3.
absl::StatusOr<Resource> GetDataset(Rest& rest, const DatasetName& name);
absl::StatusOr<std::vector<DatasetName>> ListDatasets(Rest& rest, std::string_view project);
absl::StatusOr<Resource> CreateDataset(Rest& rest, const DatasetName& name, std::string_view json);
absl::StatusOr<Resource> PatchDataset(Rest& rest, const DatasetName& name, std::string_view json,
                                      std::string_view if_match = "");
absl::StatusOr<Resource> UpdateDataset(Rest& rest, const DatasetName& name, std::string_view json,
                                       std::string_view if_match = "");
enum class DatasetContents : uint8_t { kMustBeEmpty, kDeleteToo };
absl::Status DeleteDataset(Rest& rest, const DatasetName& name, DatasetContents contents);

struct TableEntry {
  TableName name;
  std::string type;  // TABLE, VIEW, …
  absl::Time created;
};
absl::StatusOr<std::vector<TableEntry>> ListTables(Rest& rest, const DatasetName& dataset);
absl::StatusOr<Resource> GetTable(Rest& rest, const TableName& name);
// `json` is a Table resource; tableReference is added when absent.
absl::StatusOr<Resource> CreateTable(Rest& rest, const TableName& name, std::string_view json);
absl::StatusOr<Resource> PatchTable(Rest& rest, const TableName& name, std::string_view json,
                                    std::string_view if_match = "");
absl::Status DeleteTable(Rest& rest, const TableName& name);  // OK when there is none

absl::StatusOr<std::vector<std::string>> ListRowPolicies(Rest& rest, const TableName& name);  // by name

absl::StatusOr<std::string> GetTablePolicy(Rest& rest, const TableName& name);
// `policy` is the Policy resource with its etag; Aborted when somebody was faster.
absl::StatusOr<std::string> SetTablePolicy(Rest& rest, const TableName& name, std::string_view policy);

// Values as REST writes them; absent is NULL; a RECORD or a REPEATED value is its JSON text.
using RowValues = std::vector<std::optional<std::string>>;
// All rows, page by page, in no promised order, until `each` returns not OK.
absl::Status ListRows(Rest& rest, const TableName& name,
                      absl::FunctionRef<absl::Status(const RowValues&)> each, int page_size = 10000);

// What is often asked of a Table resource. `rows` and `bytes` lag by minutes and leave out what was just
// streamed: for plans and displays; whether a table has rows is asked by a query.
struct TableFacts {
  uint64_t rows = 0;
  uint64_t bytes = 0;
  uint64_t streaming_buffer_rows = 0;  // not yet in `rows`
  bool has_streaming_buffer = false;
  std::string location;
};
absl::StatusOr<TableFacts> ReadTableFacts(std::string_view table_json);

// A Table resource with the customer's own key, unless it names one already or `kms_key` is empty.
std::string WithKmsKey(std::string_view table_json, std::string_view kms_key);

// Whether a column may be of a primary key: not FLOAT64, TIME, JSON, GEOGRAPHY, INTERVAL, nor an array
// [data-definition-language: PRIMARY KEY; BYTES since 2026].
bool MayBeKey(const Field& field);

// `[{"name":…,"type":…,"mode":…,"description":…}, …]`: schema.fields for tables and load jobs.
std::string SchemaFieldsJson(const TableSchema& schema);

}  // namespace hakobu
