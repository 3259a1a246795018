// Waiting out what the Storage Write API says of tables and columns that it does not know everywhere yet. A
// table made a moment ago is denied ("… or it may not exist") or not found, for minutes; so is one that is
// missing, or closed to the caller. tables.get, asked with the same identity, tells them apart. Decides only:
// no I/O but `look`, no sleep.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "destination/rest.h"
#include "destination/tables.h"

namespace hakobu {

enum class TableSight : uint8_t { kThere, kMissing, kDenied, kUnknown };
struct TableLook {
  TableSight sight = TableSight::kUnknown;
  absl::Time changed = absl::InfinitePast();  // made or modified, whichever was later
  std::string json;                           // the Table resource, when kThere
};
using LookAtTable = std::function<TableLook(const TableName&)>;

// tables.get, one try. `rest` outlives the result.
LookAtTable LookByRest(Rest* rest);
TableLook ReadTableLook(const absl::StatusOr<Resource>& table);

// projects/p/datasets/d/tables/t/streams/s -> the table.
TableName TableOfStream(std::string_view stream);

// One spell of refusals of one table. Not thread-safe.
class TableWait {
 public:
  // Null `look`: refusals are waited out for `patience` whatever the table is.
  TableWait(TableName table, LookAtTable look, absl::Duration patience);
  // A refusal met at `now`. OK: it may pass, ask again after a pause. Else the refusal, with what was found.
  absl::Status Refused(const absl::Status& refusal, absl::Time now);
  void Reset() { since_.reset(); }

 private:
  const TableName table_;
  const LookAtTable look_;
  const absl::Duration patience_;
  std::optional<absl::Time> since_;
  absl::Time looked_ = absl::InfinitePast();
  TableLook seen_;
};

// The columns that rows of this descriptor (a serialised DescriptorProto) bring, but for CDC's own.
std::vector<std::string> ColumnsOfDescriptor(std::string_view descriptor);
// The column of "Field value of NAME cannot be empty."; empty when the message says something else.
std::string ColumnOfRefusedNull(std::string_view message);
// Those of `columns` that the Table resource lacks.
std::vector<std::string> MissingColumns(std::string_view table_json, const std::vector<std::string>& columns);

// One spell of refusals of rows whose columns the service does not know, although the table has them. While
// tables.get has them all it lasts 1 s to 2 h [measured by others]; when it has not, they will not come.
class SchemaWait {
 public:
  SchemaWait(TableName table, LookAtTable look, absl::Duration patience);
  absl::Status Refused(const absl::Status& refusal, std::string_view descriptor, absl::Time now);
  // The same for a NULL that is refused in a column which was REQUIRED and is not any more: open connections
  // went on refusing for 2 s to more than 5 min [bigquery-rs, schema-management].
  absl::Status RefusedNull(const absl::Status& refusal, std::string_view column, absl::Time now);
  void Reset() { since_.reset(); }

 private:
  const TableName table_;
  const LookAtTable look_;
  const absl::Duration patience_;
  // OK to look again; else the patience is spent.
  absl::Status Begin(const absl::Status& refusal, absl::Time now);
  std::optional<absl::Time> since_;
  absl::Time looked_ = absl::InfinitePast();
  std::vector<std::string> missing_;
  bool required_ = false;
};

}  // namespace hakobu
