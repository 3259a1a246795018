#include "decode/ddl/reconcile.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/arena.h"
#include "base/status.h"
#include "decode/binlog/native_text.h"
#include "decode/charset/charset.h"
#include "decode/ddl/collation.h"
#include "decode/ddl/column_shape.h"
#include "row/name_fold.h"

namespace hakobu::ddl {
namespace {

using binlog::LogColumn;
using binlog::LogType;
using binlog::TableMap;

constexpr uint32_t kBinaryCollation = 63;

bool IsBlob(LogType type) {
  return type == LogType::kBlob || type == LogType::kTinyBlob || type == LogType::kMediumBlob ||
         type == LogType::kLongBlob || type == LogType::kBlobCompressed;
}
bool IsVarchar(LogType type) {
  return type == LogType::kVarchar || type == LogType::kVarString || type == LogType::kVarcharCompressed;
}

// Whether rows of the column lie in the log as `type`.
bool LiesAs(const SourceColumn& column, LogType type) {
  switch (column.type) {
    case SourceType::kTinyInt:
      return type == LogType::kTiny;
    case SourceType::kSmallInt:
      return type == LogType::kShort;
    case SourceType::kMediumInt:
      return type == LogType::kInt24;
    case SourceType::kInt:
      return type == LogType::kLong;
    case SourceType::kBigInt:
      return type == LogType::kLongLong;
    case SourceType::kDecimal:
      return type == LogType::kNewDecimal;
    case SourceType::kFloat:
      return type == LogType::kFloat;
    case SourceType::kDouble:
      return type == LogType::kDouble;
    case SourceType::kBit:
      return type == LogType::kBit;
    case SourceType::kYear:
      return type == LogType::kYear;
    case SourceType::kChar:
    case SourceType::kBinary:
      return type == LogType::kString || type == LogType::kVarString;
    case SourceType::kVarchar:
    case SourceType::kVarbinary:
      return IsVarchar(type);
    case SourceType::kText:
    case SourceType::kBlob:
      return IsBlob(type);
    case SourceType::kEnum:
      return type == LogType::kEnum;
    case SourceType::kSet:
      return type == LogType::kSet;
    case SourceType::kDate:
      return type == LogType::kDate || type == LogType::kNewDate;
    case SourceType::kDateTime:
      return type == LogType::kDateTime || type == LogType::kDateTime2;
    case SourceType::kTimestamp:
      return type == LogType::kTimestamp || type == LogType::kTimestamp2;
    case SourceType::kTime:
      return type == LogType::kTime || type == LogType::kTime2;
    case SourceType::kJson:
      return type == LogType::kJson || IsBlob(type);
    case SourceType::kGeometry:
      return type == LogType::kGeometry;
    case SourceType::kVector:
      return type == LogType::kVector || IsVarchar(type);
  }
  return false;
}

uint64_t LengthBytesOf(std::string_view declared) {
  if (declared.starts_with("tiny")) return 1;
  if (declared.starts_with("medium")) return 3;
  return declared.starts_with("long") ? 4 : 2;
}

// "" when the column's size in the log is what the known column's would be.
std::string SizeDifference(const SourceColumn& known, const LogColumn& logged) {
  const auto differs = [](std::string_view what, uint64_t log, uint64_t history) {
    return log == history ? std::string()
                          : fmt::format("has {} {} in the log, the history says {}", what, log, history);
  };
  const uint64_t most = BytesPerCharacter(known.charset).most;
  const uint16_t native_bytes = binlog::NativeBytes(known.declared);
  const bool compressed = logged.type == LogType::kVarcharCompressed;  // its length has room for a header
  switch (known.type) {
    case SourceType::kChar:
    case SourceType::kVarchar:
    case SourceType::kBinary:
    case SourceType::kVarbinary:
      if (native_bytes != 0) return differs("bytes", logged.length, native_bytes);
      return compressed ? std::string() : differs("bytes", logged.length, known.length * most);
    case SourceType::kText:
    case SourceType::kBlob:
      return logged.type == LogType::kBlobCompressed || logged.length == 0
                 ? std::string()
                 : differs("bytes of length", logged.length, LengthBytesOf(known.declared));
    case SourceType::kBit:
      return differs("bits", logged.length, known.length);
    case SourceType::kDecimal:
      if (logged.precision != known.precision) return differs("digits", logged.precision, known.precision);
      return differs("digits after the point", logged.scale, known.scale);
    case SourceType::kDateTime:
    case SourceType::kTimestamp:
    case SourceType::kTime:
      return differs("digits of the second", logged.scale, known.fraction);
    case SourceType::kEnum:
      return differs("bytes", logged.length, known.labels.size() > 255 ? 2u : 1u);
    default:
      return {};
  }
}

bool IsWhole(SourceType type) {
  return type <= SourceType::kBigInt;
}

std::vector<std::string> LabelsOf(const LogColumn& logged) {
  const Charset* charset = logged.collation ? Charset::OfCollation(*logged.collation) : nullptr;
  Arena arena(1024);
  std::vector<std::string> labels;
  for (const std::string& label : logged.labels) {
    std::string_view utf8 = label;
    if (charset != nullptr && !charset->ToUtf8(label, &arena, &utf8)) utf8 = label;
    labels.emplace_back(utf8);
  }
  return labels;
}

// What the log states of how values lie, against the known column. "" when they agree. Not its name and
// nullability.
std::string ShapeDifference(const SourceColumn& known, const LogColumn& logged) {
  if (!LiesAs(known, logged.type)) {
    return fmt::format("is of log type {}, the history says {}", static_cast<int>(logged.type),
                       known.declared);
  }
  std::string size = SizeDifference(known, logged);
  if (!size.empty()) return size;
  if (IsWhole(known.type) && logged.is_unsigned && *logged.is_unsigned != known.is_unsigned) {
    return fmt::format("is {} in the log, the history says {}", *logged.is_unsigned ? "unsigned" : "signed",
                       known.declared);
  }
  const bool text = known.type == SourceType::kChar || known.type == SourceType::kVarchar ||
                    known.type == SourceType::kText || known.type == SourceType::kBinary ||
                    known.type == SourceType::kVarbinary || known.type == SourceType::kBlob;
  if (text && binlog::NativeBytes(known.declared) == 0 && logged.collation) {
    const std::string_view charset = CharsetOfCollation(*logged.collation);
    const std::string_view expected = known.charset.empty() ? "binary" : std::string_view(known.charset);
    if (charset != expected) {
      return fmt::format("has character set {} in the log, the history says {}", charset, expected);
    }
  }
  if (!logged.labels.empty() && LabelsOf(logged) != known.labels) {
    return fmt::format("has other labels in the log than {}", known.declared);
  }
  return {};
}

std::string BlobType(const LogColumn& logged, bool binary) {
  static constexpr std::string_view kSizes[] = {"tiny", "", "medium", "long"};
  const size_t size = logged.length >= 1 && logged.length <= 4 ? logged.length - 1u : 1u;
  return fmt::format("{}{}", kSizes[size], binary ? "blob" : "text");
}

std::string GeometryType(uint32_t number) {
  static constexpr std::string_view kTypes[] = {"geometry",     "point",         "linestring",
                                                "polygon",      "multipoint",    "multilinestring",
                                                "multipolygon", "geomcollection"};
  return std::string(number < std::size(kTypes) ? kTypes[number] : kTypes[0]);
}

// The column as far as the log alone tells it.
absl::StatusOr<SourceColumn> ColumnFromLog(const LogColumn& logged, const DdlContext& context) {
  ColumnDefinition definition;
  definition.name = logged.name;
  definition.is_unsigned = logged.is_unsigned.value_or(false);
  definition.nullable = logged.nullable ? Tristate::kYes : Tristate::kNo;
  definition.visible = logged.visible.value_or(true) ? Tristate::kUnstated : Tristate::kNo;
  const bool binary = logged.collation == kBinaryCollation;
  if (logged.collation && !binary) {
    definition.charset = CharsetOfCollation(*logged.collation);
    definition.collation = CollationName(*logged.collation);
  }
  const uint64_t most = BytesPerCharacter(definition.charset).most;
  switch (logged.type) {
    case LogType::kTiny:
      definition.type = "tinyint";
      break;
    case LogType::kShort:
      definition.type = "smallint";
      break;
    case LogType::kInt24:
      definition.type = "mediumint";
      break;
    case LogType::kLong:
      definition.type = "int";
      break;
    case LogType::kLongLong:
      definition.type = "bigint";
      break;
    case LogType::kFloat:
      definition.type = "float";
      break;
    case LogType::kDouble:
      definition.type = "double";
      break;
    case LogType::kYear:
      definition.type = "year";
      break;
    case LogType::kDate:
    case LogType::kNewDate:
      definition.type = "date";
      break;
    case LogType::kTime:
    case LogType::kTime2:
      definition.type = "time";
      definition.length = logged.scale;
      break;
    case LogType::kDateTime:
    case LogType::kDateTime2:
      definition.type = "datetime";
      definition.length = logged.scale;
      break;
    case LogType::kTimestamp:
    case LogType::kTimestamp2:
      definition.type = "timestamp";
      definition.length = logged.scale;
      break;
    case LogType::kBit:
      definition.type = "bit";
      definition.length = logged.length;
      break;
    case LogType::kNewDecimal:
      definition.type = "decimal";
      definition.length = logged.precision;
      definition.scale = logged.scale;
      break;
    case LogType::kJson:
      definition.type = "json";
      break;
    case LogType::kVector:
      definition.type = "vector";
      break;
    case LogType::kGeometry:
      definition.type = GeometryType(logged.geometry_type.value_or(0));
      break;
    case LogType::kEnum:
    case LogType::kSet:
      definition.type = logged.type == LogType::kEnum ? "enum" : "set";
      definition.labels = LabelsOf(logged);
      break;
    case LogType::kString:
      definition.type = binary ? "binary" : "char";
      definition.length = logged.length / most;
      break;
    default:
      if (IsVarchar(logged.type)) {
        definition.type = binary ? "varbinary" : "varchar";
        definition.length = logged.length / most;
      } else if (IsBlob(logged.type)) {
        definition.type = BlobType(logged, binary);
      } else {
        return absl::UnimplementedError(
            fmt::format("column {}: log type {} cannot be read", logged.name, static_cast<int>(logged.type)));
      }
  }
  if (definition.type == "json" && context.dialect == Dialect::kMariaDb) {
    return absl::UnimplementedError(fmt::format("column {}: MySQL's JSON in a log of MariaDB", logged.name));
  }
  return ShapeColumn(definition, "", context);
}

const SourceColumn* FindKnown(const SourceTable* known, size_t place, std::string_view name) {
  if (known == nullptr) return nullptr;
  if (place < known->columns.size() && known->columns[place].name == name) return &known->columns[place];
  for (const SourceColumn& column : known->columns) {
    if (SameName(column.name, name)) return &column;
  }
  return nullptr;
}

std::optional<SourceKey> KeyOf(const TableMap& map, const SourceTable* known, const Reconciled& result) {
  const SourceTable& table = result.table;
  if (!map.primary_key.empty()) {
    SourceKey key{"PRIMARY", map.primary_key, true};
    if (key.columns.size() > 1) std::erase(key.columns, result.row_end);
    return key;
  }
  if (known == nullptr || !known->key || known->key->primary) return std::nullopt;
  SourceKey key{known->key->name, {}, false};
  for (const size_t place : known->key->columns) {
    const auto found = std::find_if(
        table.columns.begin(), table.columns.end(),
        [&](const SourceColumn& column) { return SameName(column.name, known->columns[place].name); });
    if (found == table.columns.end() || found->nullable) return std::nullopt;
    key.columns.push_back(static_cast<size_t>(found - table.columns.begin()));
  }
  return key;
}

// Each of MariaDB's unique keys made out of hashes has a hidden column at the row's end, a BIGINT UNSIGNED.
constexpr std::string_view kHashColumn = "DB_ROW_HASH_";

// A versioned table that names no columns for it has two hidden ones: TIMESTAMP(6) NOT NULL, before those of
// hashes.
constexpr std::string_view kRowTimes[] = {"row_start", "row_end"};

bool HidesRowTimes(const SourceTable& table) {
  return !table.row_end.empty() && std::ranges::none_of(table.columns, [&](const SourceColumn& column) {
    return SameName(column.name, table.row_end);
  });
}

std::optional<size_t> FindRowEnd(const SourceTable& table) {
  for (size_t place = table.columns.size(); place > 0 && !table.row_end.empty(); --place) {
    if (SameName(table.columns[place - 1].name, table.row_end)) return place - 1;
  }
  return std::nullopt;
}

size_t HashedKeys(const TableDefinition& known) {
  return static_cast<size_t>(
      std::count_if(known.indexes.begin(), known.indexes.end(),
                    [](const TableIndex& index) { return index.hash && index.unique; }));
}

// binlog_row_metadata=FULL: the log is the truth, the history adds what it does not carry.
absl::StatusOr<Reconciled> FromNames(const TableMap& map, const SourceTable* known, Dialect dialect) {
  DdlContext context;
  context.dialect = dialect;
  if (dialect == Dialect::kMariaDb) context.version = 101100;
  Reconciled result;
  result.from_log_alone = known == nullptr;
  if (known != nullptr) result.table = *known;
  result.table.database = map.database;
  result.table.name = map.table;
  result.table.columns.clear();
  size_t own_columns = map.columns.size();
  while (dialect == Dialect::kMariaDb && own_columns > 0 &&
         map.columns[own_columns - 1].name.starts_with(kHashColumn) &&
         FindKnown(known, own_columns - 1, map.columns[own_columns - 1].name) == nullptr) {
    --own_columns;
  }
  if (known != nullptr && HidesRowTimes(*known) && own_columns >= 2 &&
      map.columns[own_columns - 1].name == kRowTimes[1] &&
      map.columns[own_columns - 2].name == kRowTimes[0]) {
    own_columns -= 2;
  }
  result.hidden_columns = map.columns.size() - own_columns;
  if (known != nullptr && known->columns.size() != own_columns) {
    result.differences.push_back(
        fmt::format("the log has {} columns, the history {}", own_columns, known->columns.size()));
  }
  for (size_t i = 0; i < map.columns.size(); ++i) {
    const LogColumn& logged = map.columns[i];
    const bool hidden = i >= own_columns;
    const SourceColumn* column = hidden ? nullptr : FindKnown(known, i, logged.name);
    const std::string difference = column == nullptr ? std::string() : ShapeDifference(*column, logged);
    if (known != nullptr && column == nullptr && !hidden) {
      result.differences.push_back(
          fmt::format("column {}: the history has none named {}", i + 1, logged.name));
    } else if (column != nullptr && column != &known->columns[i]) {
      result.differences.push_back(
          fmt::format("column {}: {} has another place in the history", i + 1, logged.name));
    }
    if (!difference.empty()) {
      result.differences.push_back(fmt::format("column {}: {} {}", i + 1, logged.name, difference));
    }
    if (column != nullptr && difference.empty()) {
      result.table.columns.push_back(*column);
    } else {
      HAKOBU_ASSIGN_OR_RETURN(SourceColumn made, ColumnFromLog(logged, context));
      if (column != nullptr) made.comment = column->comment;
      result.table.columns.push_back(std::move(made));
    }
    SourceColumn& made = result.table.columns.back();
    made.name = logged.name;
    made.nullable = logged.nullable;
    if (logged.visible) made.invisible = !*logged.visible;
  }
  result.row_end = FindRowEnd(result.table);
  result.table.key = KeyOf(map, known, result);
  return result;
}

// The server's own columns, of which no statement tells, as far as the map has room for them.
void AddHiddenColumns(const TableMap& map, size_t hashed_keys, Reconciled* result) {
  std::vector<SourceColumn>& columns = result->table.columns;
  const size_t own = columns.size();
  if (HidesRowTimes(result->table) && map.columns.size() >= own + std::size(kRowTimes)) {
    for (const std::string_view name : kRowTimes) {
      SourceColumn& column = columns.emplace_back();
      column.name = name;
      column.type = SourceType::kTimestamp;
      column.declared = "timestamp(6)";
      column.fraction = 6;
    }
  }
  // MEMORY's keys are hashes without such columns, so the map has the last word.
  const bool hashed = map.columns.size() == columns.size() + hashed_keys;
  for (size_t i = 0; hashed && i < hashed_keys; ++i) {
    SourceColumn& column = columns.emplace_back();
    column.name = fmt::format("{}{}", kHashColumn, i + 1);
    column.type = SourceType::kBigInt;
    column.declared = "bigint(20) unsigned";
    column.is_unsigned = true;
  }
  result->hidden_columns = columns.size() - own;
}

absl::StatusOr<Reconciled> FromHistory(const TableMap& map, const SourceTable& own, size_t hashed_keys) {
  Reconciled result;
  result.table = own;
  SourceTable& known = result.table;
  AddHiddenColumns(map, hashed_keys, &result);
  std::vector<std::string> problems;
  if (known.columns.size() != map.columns.size()) {
    problems.push_back(
        fmt::format("the log has {} columns, the history {}", map.columns.size(), known.columns.size()));
  }
  for (size_t i = 0; i < std::min(known.columns.size(), map.columns.size()); ++i) {
    const std::string difference = ShapeDifference(known.columns[i], map.columns[i]);
    if (!difference.empty()) {
      problems.push_back(fmt::format("column {}: {} {}", i + 1, known.columns[i].name, difference));
    }
    if (i >= own.columns.size()) {  // the server's own, of which no statement tells
      known.columns[i].nullable = map.columns[i].nullable;
    } else if (known.columns[i].nullable != map.columns[i].nullable) {
      result.differences.push_back(fmt::format("column {}: {} {} NULL in the log", i + 1,
                                               known.columns[i].name,
                                               map.columns[i].nullable ? "may be" : "is never"));
      result.table.columns[i].nullable = map.columns[i].nullable;
    }
  }
  if (problems.empty()) return result;
  return absl::FailedPreconditionError(
      fmt::format("{}.{}: the log does not fit the table as its history has it: {}; hint: set "
                  "binlog_row_metadata=FULL on "
                  "the source, or copy the table again",
                  map.database, map.table, fmt::join(problems, ", ")));
}

}  // namespace

absl::StatusOr<Reconciled> Reconcile(const TableMap& map, const TableDefinition* known, Dialect dialect) {
  const SourceTable* table = known == nullptr ? nullptr : &known->table;
  if (map.has_names) {
    absl::StatusOr<Reconciled> result = FromNames(map, table, dialect);
    if (!result.ok()) return Annotate(result.status(), fmt::format("{}.{}", map.database, map.table));
    return result;
  }
  if (known == nullptr) {
    return absl::NotFoundError(
        fmt::format("{}.{}: its columns are not known at this place of the log; hint: set "
                    "binlog_row_metadata=FULL on the "
                    "source, or copy the table again",
                    map.database, map.table));
  }
  HAKOBU_ASSIGN_OR_RETURN(Reconciled result,
                          FromHistory(map, *table, dialect == Dialect::kMariaDb ? HashedKeys(*known) : 0));
  result.row_end = FindRowEnd(result.table);
  return result;
}

}  // namespace hakobu::ddl
