// What is said of tables in the configuration: how each is delivered.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "row/type_map.h"

namespace hakobu {

enum class WritePath : uint8_t { kByMode, kStorage, kLoad };  // kByMode: load for replace, else storage
enum class TableMode : uint8_t { kReplace, kAppend, kIncremental, kStream };
enum class PartitionUnit : uint8_t { kHour, kDay, kMonth, kYear, kRange };
// What happens to the destination's table when the source's has changed since the last run.
enum class AddedColumn : uint8_t { kAdd, kIgnore, kRefuse };
enum class DroppedColumn : uint8_t { kKeep, kDrop, kRefuse };  // kKeep: stays, NULL in new rows
enum class RenamedColumn : uint8_t { kAddAndKeep, kRename, kRefuse };
enum class RetypedColumn : uint8_t { kWiden, kRefuse };  // kWiden: what BigQuery can widen, else refuse

struct SchemaChangeConfig {
  AddedColumn added = AddedColumn::kAdd;
  DroppedColumn dropped = DroppedColumn::kKeep;
  RenamedColumn renamed = RenamedColumn::kAddAndKeep;
  RetypedColumn retyped = RetypedColumn::kWiden;
};

// mode: stream, and kCompare mode: incremental. What a row that is deleted at the source becomes.
enum class Deletes : uint8_t { kDelete, kSoft, kCompare };
// What happens when a part of the log cannot be had any more.
enum class OnGap : uint8_t { kContinue, kStop };

struct PartitionConfig {
  PartitionUnit by = PartitionUnit::kDay;
  std::string column;
  int64_t start = 0;     // kRange: inclusive
  int64_t end = 0;       // kRange: exclusive
  int64_t interval = 0;  // kRange
  std::optional<absl::Duration> expire_after;
  bool require_filter = false;
};

// What one entry of `columns:` says; what it does not say is left to weaker entries (config/column_rules.h).
struct ColumnConfig {
  std::optional<std::string> as;
  std::optional<Mask> mask;
  std::optional<std::string> salt;
  std::optional<uint32_t> keep;
  std::optional<InvalidPolicy> invalid;
  std::optional<std::string> description;
};

struct ColumnRule {
  std::string pattern;  // a column's name, or a glob
  ColumnConfig column;
  bool inherited = false;   // from `defaults`, or from another entry that matches the table
  bool must_exist = false;  // a table named exactly names the column exactly
};

// What becomes of the tables that tools make while they change another (config/helper_tables.h).
enum class HelperTables : uint8_t { kLeaveOut, kDeliver };

// How one table is delivered: `defaults:`, then the entry of `tables:` that names it.
struct TableOptions {
  TableMode mode = TableMode::kReplace;
  WritePath write = WritePath::kByMode;
  std::string target;  // table name in BigQuery; {database} and {table} are filled in
  std::string cursor;  // incremental: column that grows with every change
  absl::Duration overlap =
      absl::Minutes(10);             // incremental, temporal cursor: how far back each run reads again
  int64_t overlap_values = 1000;     // incremental, integer cursor: the same, in values
  std::string where;                 // SQL condition on the source's rows, without WHERE
  std::string inherited_where;       // of `defaults`, while the file is read; then part of `where`
  std::vector<std::string> include;  // column globs; empty: all
  std::vector<std::string> exclude;  // column globs, those of `defaults` among them
  std::vector<ColumnRule> columns;
  HelperTables helper_tables = HelperTables::kLeaveOut;
  TypeProfile types = TypeProfile::kExact;
  InvalidPolicy invalid = InvalidPolicy::kNull;
  std::optional<PartitionConfig> partition;
  std::vector<std::string> cluster;
  std::map<std::string, std::string> labels;
  std::string description;     // empty: the source table's comment
  bool keep_previous = false;  // replace: the last version stays as <target>_previous
  SchemaChangeConfig schema_changes;
  bool history = false;                // stream: every change is a row of its own
  Deletes deletes = Deletes::kDelete;  // stream, incremental
  absl::Duration max_staleness;        // stream; zero: queries see every change at once
  uint64_t chunk_rows = 500'000;
  uint64_t chunk_bytes = 256ull << 20;
};

struct TableRule {
  std::string pattern;              // "shop.members", "shop.*", "shop_??.log_*"
  std::vector<std::string> except;  // patterns of tables that no glob of the file delivers
  TableOptions options;
  // With tenants: the column by which the table's rows belong to tenants; that of `tenants` when not given.
  std::string tenant_column{};
  std::set<std::string> given{};  // keys of its options that the entry itself has
  int line = 0;                   // in the file, for messages; 1-based
};

}  // namespace hakobu
