#include "config/table_section.h"

#include "config/config.h"
#include "config/section_builder.h"

namespace hakobu {
namespace {

constexpr int64_t kAnyNumber = std::numeric_limits<int64_t>::max();

// Below this, salts can be found by trying.
constexpr int64_t kLeastSalt = 16;

Section ColumnSection() {
  SectionBuilder<ColumnConfig> builder(
      "How columns are delivered, by name or glob; case does not matter. Where no such column is, an entry "
      "says "
      "nothing, but a name in the entry of a table that is named exactly must be there. See \"Masks and "
      "exclusions\" for what holds when several match.");
  builder
      .Text(
          "as", &ColumnConfig::as,
          "BigQuery type in place of the one that `types` gives. INT64, FLOAT64, NUMERIC, BIGNUMERIC, BOOL, "
          "STRING, STRING(HEX), STRING(BASE64), STRING(UUID), BYTES, DATE, DATETIME, DATETIME(zone), "
          "TIMESTAMP, TIMESTAMP(zone), TIME, INTERVAL, JSON or GEOGRAPHY, where it suits the column.")
      .Example("TIMESTAMP(Asia/Tokyo)");
  builder.Choose<Mask>("mask", &ColumnConfig::mask,
                       {{Mask::kNone, "none", "delivered as it is"},
                        {Mask::kSha256, "sha256",
                         "lower-case hex of SHA-256 over `salt` and the value: can be joined, not read"},
                        {Mask::kNull, "null", "always NULL"},
                        {Mask::kFirstN, "first", "only the first `keep` characters"}},
                       "What hides the value. `none` takes a mask back, in the entry of the table and by the "
                       "column's own name only.");
  builder
      .Private("salt", &ColumnConfig::salt,
               "With `mask: sha256`: a secret of at least 16 characters that goes before the value, so that "
               "nobody can try values out. The same salt gives the same text in every table.",
               kLeastSalt)
      .Example("${env:HAKOBU_SALT}");
  builder.Integer("keep", &ColumnConfig::keep, 1, 1000, "With `mask: first`: how many characters stay.");
  builder.Choose<InvalidPolicy>(
      "invalid", &ColumnConfig::invalid,
      {{InvalidPolicy::kNull, "null", "delivered as NULL"},
       {InvalidPolicy::kError, "error", "the table fails"},
       {InvalidPolicy::kString, "string",
        "the column becomes STRING and holds the value as MySQL prints it"}},
      "What happens to a value that BigQuery cannot hold; the table's `invalid` when not given.");
  builder.Text("description", &ColumnConfig::description,
               "The column's description in BigQuery; the source's comment when not given.");
  return builder.Take();
}

// The table's own entry for `pattern`, made when there is none; what it inherits stays beside it.
ColumnConfig* OwnColumn(TableOptions& options, const std::string& pattern) {
  for (ColumnRule& rule : options.columns) {
    if (!rule.inherited && rule.pattern == pattern) return &rule.column;
  }
  options.columns.push_back({.pattern = pattern, .column = {}});
  return &options.columns.back().column;
}

Section PartitionSection() {
  SectionBuilder<PartitionConfig> builder(
      "How BigQuery partitions the table. `partition: null` takes a default back.");
  builder.Choose<PartitionUnit>(
      "by", &PartitionConfig::by,
      {{PartitionUnit::kHour, "hour", "one partition an hour"},
       {PartitionUnit::kDay, "day", "one a day"},
       {PartitionUnit::kMonth, "month", "one a month"},
       {PartitionUnit::kYear, "year", "one a year"},
       {PartitionUnit::kRange, "range", "one for each `interval` of an integer column"}},
      "The unit.");
  builder
      .Text("column", &PartitionConfig::column,
            "The column, by its name in BigQuery: DATE, DATETIME or TIMESTAMP, or INT64 for `by: range`.")
      .Required()
      .Example("created_at");
  builder.Integer("start", &PartitionConfig::start, -kAnyNumber, kAnyNumber, "`by: range`: the first value.");
  builder
      .Integer("end", &PartitionConfig::end, -kAnyNumber, kAnyNumber,
               "`by: range`: the value after the last.")
      .default_text.clear();
  builder
      .Integer("interval", &PartitionConfig::interval, 1, kAnyNumber, "`by: range`: values in one partition.")
      .default_text.clear();
  builder
      .Duration("expire_after", &PartitionConfig::expire_after, absl::Hours(1), absl::Hours(24 * 36500),
                "BigQuery deletes a partition this long after its own time.")
      .Example("400d");
  builder.Boolean("require_filter", &PartitionConfig::require_filter,
                  "Queries must name the partitions they read.");
  return builder.Take();
}

Section SchemaChangeSection() {
  SectionBuilder<SchemaChangeConfig> builder(
      "What happens in BigQuery when the source's columns have changed since the last run.");
  builder.Choose<AddedColumn>("added", &SchemaChangeConfig::added,
                              {{AddedColumn::kAdd, "add", "added; NULL in rows that are there already"},
                               {AddedColumn::kIgnore, "ignore", "not delivered; the report says so"},
                               {AddedColumn::kRefuse, "refuse", "the table is refused, exit code 4"}},
                              "A column that is new.");
  builder.Choose<DroppedColumn>(
      "dropped", &SchemaChangeConfig::dropped,
      {{DroppedColumn::kKeep, "keep",
        "stays, NULL in rows delivered from now on; `mode: replace` has it no more"},
       {DroppedColumn::kDrop, "drop", "dropped, with its values"},
       {DroppedColumn::kRefuse, "refuse", "the table is refused, exit code 4"}},
      "A column that is gone.");
  builder.Choose<RenamedColumn>("renamed", &SchemaChangeConfig::renamed,
                                {{RenamedColumn::kAddAndKeep, "add_and_keep",
                                  "the new name as `added` says, the old one as `dropped` says"},
                                 {RenamedColumn::kRename, "rename", "renamed in BigQuery too"},
                                 {RenamedColumn::kRefuse, "refuse", "the table is refused, exit code 4"}},
                                "A column at the same place and of the same type under another name.");
  builder.Choose<RetypedColumn>(
      "retyped", &SchemaChangeConfig::retyped,
      {{RetypedColumn::kWiden, "widen",
        "`mode: replace` makes the new type; other modes widen where BigQuery can (INT64 to NUMERIC …), and "
        "else refuse the table"},
       {RetypedColumn::kRefuse, "refuse", "the table is refused, exit code 4"}},
      "A column whose BigQuery type changes.");
  return builder.Take();
}

void AddStreamKeys(SectionBuilder<TableOptions>& builder) {
  builder.Boolean(
      "history", &TableOptions::history,
      "`mode: stream`: every change is added as a row of its own, with its type, time and place in the log, "
      "in place of one row a key. The only way for tables without a key.");
  builder.Choose<Deletes>(
      "deletes", &TableOptions::deletes,
      {{Deletes::kDelete, "delete", "`mode: stream`: it goes from BigQuery too"},
       {Deletes::kSoft, "soft", "`mode: stream`: it stays as it was, with `_hakobu_deleted` true"},
       {Deletes::kCompare, "compare",
        "`mode: incremental`, where deletes are not seen otherwise: each run reads all keys of the source as "
        "well, "
        "and deletes in BigQuery what has none"}},
      "What becomes of a row that is deleted at the source.");
  builder.Duration(
      "max_staleness", &TableOptions::max_staleness, absl::ZeroDuration(), absl::Hours(24),
      "`mode: stream`: how old a query's answer may be, in return for not merging changes each time; `plan` "
      "tells the cost. 0s: every query sees every change.");
}

void AddModeKeys(SectionBuilder<TableOptions>& builder) {
  builder.Choose<TableMode>(
      "mode", &TableOptions::mode,
      {{TableMode::kReplace, "replace", "the whole table each run, put in place in one step"},
       {TableMode::kAppend, "append", "every run's rows are added to those that are there"},
       {TableMode::kIncremental, "incremental",
        "only rows whose `cursor` has grown, merged by key; deleted rows are not seen"},
       {TableMode::kStream, "stream",
        "followed in the binary log by `hakobu stream`, within a second; `hakobu run` leaves it alone"}},
      "How the table is kept up to date.");
  builder.Choose<WritePath>("write", &TableOptions::write,
                            {{WritePath::kStorage, "storage",
                              "Storage Write API: charged by the GiB beyond 2 TiB a month; a replaced table "
                              "is published by a query"},
                             {WritePath::kLoad, "load", "load jobs from Avro: free of charge"}},
                            "How rows are sent. When not given: load for mode replace (storage where a "
                            "column's name is none that Avro "
                            "has), storage for the others.");
  builder
      .Text("target", &TableOptions::target,
            "Table name in BigQuery; {database} and {table} stand for the source's. The source's table name "
            "when "
            "not given.")
      .Example("\"{database}_{table}\"");
  builder
      .Text("cursor", &TableOptions::cursor,
            "`mode: incremental`: a column that grows with every insert and update, with an index.")
      .Example("updated_at");
  builder.Duration(
      "overlap", &TableOptions::overlap, absl::ZeroDuration(), absl::Hours(24 * 366),
      "`mode: incremental`, temporal cursor: how far back each run reads again, for rows that were "
      "committed late.");
  builder.Integer("overlap_values", &TableOptions::overlap_values, 0, kAnyNumber,
                  "`mode: incremental`, integer cursor: the same, in values.");
  builder.Boolean("keep_previous", &TableOptions::keep_previous,
                  "`mode: replace`: the version before stays as <target>_previous.");
  builder.Nested("schema_changes", &TableOptions::schema_changes, SchemaChangeSection());
  AddStreamKeys(builder);
}

void AddContentKeys(SectionBuilder<TableOptions>& builder) {
  builder
      .Text("where", &TableOptions::where,
            "SQL condition on the source's rows, without the word WHERE. A table's narrows the one of "
            "`defaults`: both must hold.")
      .Example("\"deleted_at IS NULL\"");
  builder
      .TextList("include", &TableOptions::include,
                "Columns to deliver, by name or glob; all when not given. A table's list replaces the one of "
                "`defaults`.")
      .Example("[id, \"name_*\"]");
  builder
      .TextListAdded("exclude", &TableOptions::exclude,
                     "Columns to leave out, by name or glob; stronger than include. Added to those of "
                     "`defaults` and of every other entry that matches the table.")
      .Example("[\"*_memo\"]");
  builder.NestedMap("columns", &OwnColumn, ColumnSection());
  builder.Choose<TypeProfile>(
      "types", &TableOptions::types,
      {{TypeProfile::kExact, "exact", "every value survives"},
       {TypeProfile::kDatastream, "datastream", "the types that Google Datastream gives"},
       {TypeProfile::kEmbulk, "embulk", "the types that Embulk's MySQL input and BigQuery output give"}},
      "Which BigQuery types columns get.");
  builder.Choose<InvalidPolicy>(
      "invalid", &TableOptions::invalid,
      {{InvalidPolicy::kNull, "null",
        "delivered as NULL, counted and reported; the run ends with exit code 3"},
       {InvalidPolicy::kError, "error", "the table fails"},
       {InvalidPolicy::kString, "string", "columns that can hold such values become STRING"}},
      "What happens to values that BigQuery cannot hold, such as '0000-00-00'.");
}

void AddTableKeys(SectionBuilder<TableOptions>& builder) {
  builder.Nested("partition", &TableOptions::partition, PartitionSection());
  builder.Choose<HelperTables>(
      "helper_tables", &TableOptions::helper_tables,
      {{HelperTables::kLeaveOut, "leave_out",
        "left out where only a glob names them; `check`, `plan` and `run` say which"},
       {HelperTables::kDeliver, "deliver", "delivered like any other table"}},
      "Tables that tools make beside another while they change it: `_members_gho` of gh-ost, `_members_new` "
      "of "
      "pt-online-schema-change, and others (docs/schema-changes.md).");
  builder
      .TextList("cluster", &TableOptions::cluster,
                "Up to four columns that BigQuery clusters by, most important first.")
      .Example("[shop_id, member_id]");
  builder
      .TextMap("labels", &TableOptions::labels,
               "Labels of the table in BigQuery; a table's are added to the defaults'.")
      .Example("{team: data}");
  builder.Text("description", &TableOptions::description,
               "The table's description in BigQuery; the source's comment when not given.");
  builder.Integer("chunk_rows", &TableOptions::chunk_rows, 100, 100'000'000,
                  "The most rows that are read in one statement and checkpointed together.");
  builder.Size("chunk_bytes", &TableOptions::chunk_bytes, 1'000'000, int64_t{64} << 30,
               "The same in bytes, by the source's own estimate of its row size.");
}

}  // namespace

Section TableOptionsSection() {
  SectionBuilder<TableOptions> builder("What holds for every table that does not say otherwise.");
  AddModeKeys(builder);
  AddContentKeys(builder);
  AddTableKeys(builder);
  return builder.Take();
}

}  // namespace hakobu
