#include "delivery/repair/compare_sql.h"

#include <fmt/format.h>

#include <algorithm>

#include "delivery/merge_sql.h"

namespace hakobu {
namespace {

std::vector<const Field*> KeyFields(const LaneSchema& schema) {
  std::vector<const Field*> fields;
  if (!schema.work.schema.key.empty()) {
    for (const size_t place : schema.work.schema.key) fields.push_back(&schema.work.schema.fields[place]);
    return fields;
  }
  // A history has no key of its own; the source's table has.
  if (!schema.base.key.has_value()) return fields;
  for (const size_t column : schema.base.key->columns) {
    for (const Field& field : schema.work.schema.fields) {
      if (field.source_column == column) fields.push_back(&field);
    }
  }
  return fields;
}

bool IsOwn(const LaneSchema& schema, const Field& field) {
  return field.source_column >= schema.base.columns.size();
}

std::string Comma(std::string_view alias, const std::vector<const Field*>& fields) {
  std::string list;
  for (const Field* field : fields) {
    if (!list.empty()) list += ", ";
    list += fmt::format("{}{}", alias, QuoteField(field->name));
  }
  return list;
}

std::string SameKey(const LaneSchema& schema, std::string_view a, std::string_view b) {
  std::string text;
  for (const Field* field : KeyFields(schema)) {
    if (!text.empty()) text += " AND ";
    text += fmt::format("{0}.{2} = {1}.{2}", a, b, QuoteField(field->name));
  }
  return text;
}

// Types that have no equality of their own are compared as text.
std::string Comparable(std::string_view alias, const Field& field) {
  const std::string column = fmt::format("{}.{}", alias, QuoteField(field.name));
  if (field.type == FieldType::kGeography) return fmt::format("ST_ASTEXT({})", column);
  if (field.type == FieldType::kJson || field.mode == FieldMode::kRepeated) {
    return fmt::format("TO_JSON_STRING({})", column);
  }
  return column;
}

std::string Differs(const LaneSchema& schema) {
  std::string text;
  const auto keys = KeyFields(schema);
  for (const Field& field : schema.work.schema.fields) {
    if (IsOwn(schema, field) || std::find(keys.begin(), keys.end(), &field) != keys.end()) continue;
    text += fmt::format(" OR {} IS DISTINCT FROM {}", Comparable("s", field), Comparable("t", field));
  }
  return text;
}

// The target's rows as they stand now.
std::string Present(const LaneSchema& schema, const CompareTables& tables) {
  std::string where;
  const auto demand = [&](const std::string& condition) {
    where += (where.empty() ? " WHERE " : " AND ") + condition;
  };
  if (!tables.partition_column.empty()) {
    // Every row, in a form that a table with requirePartitionFilter accepts.
    const std::string column = QuoteField(tables.partition_column);
    demand(fmt::format("({0} IS NULL OR {0} IS NOT NULL)", column));
  }
  const std::string target = tables.target.Quoted();
  switch (schema.mode) {
    case LaneMode::kUpsert:
      break;
    case LaneMode::kSoft:
      demand("NOT IFNULL(`_hakobu_deleted`, FALSE)");
      break;
    case LaneMode::kHistory:
      // What was emptied at once has no rows of its own: a truncation counts for all before it.
      return fmt::format(
          "(SELECT * FROM (SELECT *, ROW_NUMBER() OVER (PARTITION BY {0} ORDER BY `_hakobu_place` DESC) AS "
          "_hakobu_newest FROM {1}{2}) WHERE _hakobu_newest = 1 AND `_hakobu_type` NOT IN ('delete', "
          "'repair_delete', 'truncate') AND `_hakobu_place` >= (SELECT IFNULL(MAX(`_hakobu_place`), '') "
          "FROM {1} WHERE `_hakobu_type` = 'truncate'))",
          Comma("", KeyFields(schema)), target, where);
  }
  return where.empty() ? target : fmt::format("(SELECT * FROM {}{})", target, where);
}

std::string RowsOf(const CompareTables& tables, int64_t round) {
  return fmt::format("(SELECT * FROM {} WHERE {} = {})", tables.rows.Quoted(), kRoundColumn, round);
}

std::string Create(const CompareTables& tables) {
  std::string options;
  if (tables.expires != absl::InfiniteFuture()) {
    options = absl::FormatTime(" OPTIONS(expiration_timestamp = TIMESTAMP '%Y-%m-%d %H:%M:%S+00')",
                               tables.expires, absl::UTCTimeZone());
  }
  return fmt::format("CREATE OR REPLACE TABLE {}{} AS ", tables.found.Quoted(), options);
}

std::string Verdict(const std::string& source_key, const std::string& target_key) {
  return fmt::format(
      "CASE WHEN {} IS NULL THEN 'missing' WHEN {} IS NULL THEN 'extra' ELSE 'different' END AS {}",
      target_key, source_key, kFoundColumn);
}

}  // namespace

std::string CompareSql(const LaneSchema& schema, const CompareTables& tables, int64_t round) {
  const auto keys = KeyFields(schema);
  const std::string first = QuoteField(keys.front()->name);
  std::string key;
  for (const Field* field : keys) {
    key += fmt::format(", COALESCE(s.{0}, t.{0}) AS {0}", QuoteField(field->name));
  }
  return fmt::format(
      "{}SELECT s.{} AS {}, {}{} FROM {} AS s FULL OUTER JOIN {} AS t ON {} WHERE s.{} IS NULL OR t.{} IS "
      "NULL{}",
      Create(tables), kChunkColumn, kChunkColumn, Verdict("s." + first, "t." + first), key,
      RowsOf(tables, round), Present(schema, tables), SameKey(schema, "s", "t"), first, first,
      Differs(schema));
}

std::string CompareAgainSql(const LaneSchema& schema, const CompareTables& tables, const TableName& before,
                            int64_t round) {
  const auto keys = KeyFields(schema);
  const std::string first = QuoteField(keys.front()->name);
  return fmt::format(
      "{}SELECT s.{} AS {}, {}, {} FROM {} AS c LEFT JOIN {} AS s ON {} LEFT JOIN {} AS t ON {} "
      "WHERE NOT (s.{} IS NULL AND t.{} IS NULL) AND (s.{} IS NULL OR t.{} IS NULL{})",
      Create(tables), kChunkColumn, kChunkColumn, Verdict("s." + first, "t." + first), Comma("c.", keys),
      before.Quoted(), RowsOf(tables, round), SameKey(schema, "c", "s"), Present(schema, tables),
      SameKey(schema, "c", "t"), first, first, first, first, Differs(schema));
}

std::string CountSql(const TableName& found) {
  return fmt::format("SELECT {0}, COUNT(*) FROM {1} GROUP BY {0}", kFoundColumn, found.Quoted());
}

std::string ChunksSql(const TableName& found) {
  return fmt::format("SELECT DISTINCT {0} FROM {1} WHERE {0} IS NOT NULL ORDER BY {0}", kChunkColumn,
                     found.Quoted());
}

std::string FirstKeysSql(const LaneSchema& schema, const TableName& found, int limit) {
  const auto keys = KeyFields(schema);
  std::string columns;
  for (const Field* field : keys) {
    if (!columns.empty()) columns += ", ";
    columns += fmt::format("CAST({} AS STRING)", QuoteField(field->name));
  }
  return fmt::format("SELECT {} FROM {} ORDER BY {} LIMIT {}", columns, found.Quoted(), Comma("", keys),
                     limit);
}

namespace {

// A value as ExtraRows reads it: integers for times, base64 for bytes; "NULL" for what cannot be carried.
std::string Carried(const std::string& column, const Field& field) {
  if (field.mode == FieldMode::kRepeated) return "CAST(NULL AS STRING)";
  switch (field.type) {
    case FieldType::kInt64:
    case FieldType::kString:
    case FieldType::kFloat64:
      return column;
    case FieldType::kBool:
      return fmt::format("CAST({} AS INT64)", column);
    case FieldType::kNumeric:
    case FieldType::kBigNumeric:
      return fmt::format("CAST({} AS STRING)", column);
    case FieldType::kBytes:
      return fmt::format("TO_BASE64({})", column);
    case FieldType::kDate:
      return fmt::format("UNIX_DATE({})", column);
    case FieldType::kDateTime:
      return fmt::format("UNIX_MICROS(TIMESTAMP({}))", column);
    case FieldType::kTimestamp:
      return fmt::format("UNIX_MICROS({})", column);
    case FieldType::kTime:
      return fmt::format("TIME_DIFF({}, TIME '00:00:00', MICROSECOND)", column);
    case FieldType::kJson:
      return fmt::format("TO_JSON_STRING({})", column);
    case FieldType::kGeography:
    case FieldType::kInterval:
      break;
  }
  return "CAST(NULL AS STRING)";
}

}  // namespace

namespace {

// One column for each delivered field, of the alias that has its value.
std::string CarriedColumns(const LaneSchema& schema, std::string_view key_alias, bool with_values) {
  const auto keys = KeyFields(schema);
  std::string columns;
  for (const Field& field : schema.work.schema.fields) {
    const bool is_key = std::find(keys.begin(), keys.end(), &field) != keys.end();
    const std::string column =
        fmt::format("{}.{}", with_values && !is_key ? "t" : key_alias, QuoteField(field.name));
    if (!columns.empty()) columns += ", ";
    columns += fmt::format(
        "{} AS f{}",
        is_key || (with_values && !IsOwn(schema, field)) ? Carried(column, field) : "CAST(NULL AS STRING)",
        &field - schema.work.schema.fields.data());
  }
  return columns;
}

// Of the target's rows that are there, as `t`, those without a key in the table of keys.
std::string FromUnseen(const LaneSchema& schema, const CompareTables& tables) {
  const auto keys = KeyFields(schema);
  return fmt::format("{} AS t LEFT JOIN (SELECT DISTINCT {} FROM {}) AS k ON {} WHERE k.{} IS NULL",
                     Present(schema, tables), Comma("", keys), tables.rows.Quoted(),
                     SameKey(schema, "t", "k"), QuoteField(keys.front()->name));
}

}  // namespace

std::string ExtraSql(const LaneSchema& schema, const CompareTables& tables, bool with_values) {
  std::string from = tables.found.Quoted() + " AS c";
  if (with_values) {
    from += fmt::format(" JOIN {} AS t ON {}", Present(schema, tables), SameKey(schema, "c", "t"));
  }
  return fmt::format("SELECT {} FROM {} WHERE c.{} = 'extra'", CarriedColumns(schema, "c", with_values), from,
                     kFoundColumn);
}

std::string UnseenSql(const LaneSchema& schema, const CompareTables& tables, bool with_values) {
  return fmt::format("SELECT {} FROM {}", CarriedColumns(schema, "t", with_values),
                     FromUnseen(schema, tables));
}

std::string AppendUnseenSql(const LaneSchema& schema, const CompareTables& tables, std::string_view place) {
  std::string names, values;
  for (const Field& field : schema.work.schema.fields) {
    if (IsOwn(schema, field)) continue;
    names += QuoteField(field.name) + ", ";
    values += fmt::format("t.{}, ", QuoteField(field.name));
  }
  return fmt::format(
      "INSERT INTO {} ({}`_hakobu_type`, `_hakobu_place`, `_hakobu_time`) SELECT {}'delete', '{}', "
      "CURRENT_TIMESTAMP() FROM {} AND t.`_hakobu_place` <= '{}'",
      tables.target.Quoted(), names, values, place, FromUnseen(schema, tables), place);
}

std::string MarkEmptiedSql(const CompareTables& tables, std::string_view place) {
  const std::string filter =
      tables.partition_column.empty()
          ? ""
          : fmt::format("({0} IS NULL OR {0} IS NOT NULL) AND ", QuoteField(tables.partition_column));
  return fmt::format(
      "INSERT INTO {0} (`_hakobu_type`, `_hakobu_place`, `_hakobu_time`) SELECT 'truncate', '{1}', "
      "CURRENT_TIMESTAMP() FROM (SELECT COUNT(*) AS marks FROM {0} WHERE {2}`_hakobu_type` = 'truncate' AND "
      "`_hakobu_place` = '{1}') WHERE marks = 0",
      tables.target.Quoted(), place, filter);
}

std::string AppendRepairSql(const LaneSchema& schema, const CompareTables& tables, int64_t round,
                            std::string_view place) {
  const auto keys = KeyFields(schema);
  std::string names, present, gone;
  for (const Field& field : schema.work.schema.fields) {
    if (IsOwn(schema, field)) continue;
    const std::string name = QuoteField(field.name);
    const bool is_key = std::find(keys.begin(), keys.end(), &field) != keys.end();
    names += name + ", ";
    present += fmt::format("s.{}, ", name);
    gone += is_key ? fmt::format("c.{}, ", name) : fmt::format("t.{}, ", name);
  }
  return fmt::format(
      "INSERT INTO {} ({}`_hakobu_type`, `_hakobu_place`, `_hakobu_time`) "
      "SELECT {}'repair', '{}', CURRENT_TIMESTAMP() FROM {} AS s JOIN {} AS c ON {} "
      "UNION ALL SELECT {}'repair_delete', '{}', CURRENT_TIMESTAMP() FROM {} AS t JOIN {} AS c ON {} "
      "WHERE c.{} = 'extra'",
      tables.target.Quoted(), names, present, place, RowsOf(tables, round), tables.found.Quoted(),
      SameKey(schema, "s", "c"), gone, place, Present(schema, tables), tables.found.Quoted(),
      SameKey(schema, "t", "c"), kFoundColumn);
}

}  // namespace hakobu
