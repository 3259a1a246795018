#include "encode/column.h"

#include <fmt/format.h>

#include <algorithm>

#include "encode/binary_text.h"
#include "encode/problem.h"
#include "encode/text_form.h"

namespace hakobu {
namespace {

bool IsTemporal(SourceType type) {
  return type == SourceType::kDate || type == SourceType::kDateTime || type == SourceType::kTimestamp ||
         type == SourceType::kTime || type == SourceType::kYear;
}

// 'O''Brien' for texts, bare digits for numbers.
std::string Literal(const Column& column, const Cell& cell) {
  const std::string text = ReportText(column, cell);
  const bool bare = column.mask != Mask::kNone || cell.kind == CellKind::kNull ||
                    cell.kind == CellKind::kInt64 || cell.kind == CellKind::kUInt64 ||
                    cell.kind == CellKind::kDouble || cell.kind == CellKind::kFloat ||
                    cell.kind == CellKind::kDecimal || cell.kind == CellKind::kBytes;
  if (bare) return text;
  std::string quoted = "'";
  for (const char letter : text) {
    if (letter == '\'') quoted += '\'';
    quoted += letter;
  }
  quoted += '\'';
  return quoted;
}

absl::Status Refuse(const Columns& columns, const Column& column, std::span<const Cell> row,
                    std::string_view problem, std::string_view hint) {
  return absl::DataLossError(fmt::format("column {}.{} of the row with key {}: '{}' {}; hint: {}",
                                         columns.table, column.source_name, KeyText(columns, row),
                                         ReportText(column, row[column.place]), problem, hint));
}

absl::StatusOr<Column> MakeColumn(const SourceTable& table, const Field& field, size_t max_row_bytes) {
  if (field.source_column >= table.columns.size()) {
    return absl::InvalidArgumentError(
        fmt::format("field {} comes from column {} of {}.{}, which has {} columns", field.name,
                    field.source_column, table.database, table.name, table.columns.size()));
  }
  const SourceColumn& source = table.columns[field.source_column];
  Column column;
  column.place = field.source_column;
  column.mode = field.mode;
  column.type = field.type;
  column.conversion = field.conversion;
  column.fraction = source.fraction;
  column.bit_bytes = static_cast<uint32_t>((source.length + 7) / 8);
  column.max_value_bytes = max_row_bytes;
  column.unchecked_json = !source.declared.starts_with("json");
  column.keeps_invalid_text = field.type == FieldType::kString && field.conversion == Conversion::kPlain &&
                              IsTemporal(source.type) && field.invalid != InvalidPolicy::kString;
  column.invalid_text = IsTemporal(source.type) ? kNotDate : kDoesNotDecode;
  column.mask = field.mask;
  column.mask_salt = field.mask_salt;
  column.mask_keep_characters = field.mask_keep_characters;
  column.invalid = field.invalid;
  column.source_name = source.name;
  column.name = field.name;
  if (field.conversion == Conversion::kZoned && !absl::LoadTimeZone(field.zone, &column.zone)) {
    return absl::InvalidArgumentError(
        fmt::format("field {}: expected a zone of the IANA database, found '{}'", field.name, field.zone));
  }
  return column;
}

}  // namespace

absl::StatusOr<Columns> MakeColumns(const SourceTable& table, const TableSchema& schema,
                                    InvalidKey invalid_key, size_t max_row_bytes) {
  Columns columns;
  columns.table = table.database + "." + table.name;
  columns.row_cells = table.columns.size();
  columns.scratch = std::make_unique<std::string>();
  columns.key = schema.key;
  columns.all.reserve(schema.fields.size());
  for (const Field& field : schema.fields) {
    absl::StatusOr<Column> column = MakeColumn(table, field, max_row_bytes);
    if (!column.ok()) return column.status();
    column->scratch = columns.scratch.get();
    columns.all.push_back(*std::move(column));
  }
  for (const size_t key : schema.key) {
    if (key >= columns.all.size()) {
      return absl::InvalidArgumentError(
          fmt::format("the key of {} names field {} of {}", columns.table, key, columns.all.size()));
    }
    columns.all[key].key_must_fit = invalid_key == InvalidKey::kError;
  }
  return columns;
}

std::string KeyText(const Columns& columns, std::span<const Cell> row) {
  if (columns.key.empty()) return "(no key)";
  std::string text;
  for (const size_t key : columns.key) {
    if (!text.empty()) text += ", ";
    text += Literal(columns.all[key], row[columns.all[key].place]);
  }
  return text;
}

absl::StatusOr<Settlement> Settle(const Columns& columns, const Column& column, std::span<const Cell> row,
                                  Problem problem, Quarantine* quarantine) {
  const Cell& cell = row[column.place];
  if (column.invalid == InvalidPolicy::kError) {
    return Refuse(columns, column, row, problem,
                  "invalid: null delivers NULL and counts the value, invalid: string delivers its text");
  }
  if (column.key_must_fit) {
    return Refuse(columns, column, row, problem, "rows are told apart by this column: deliver it as: STRING");
  }
  const bool as_text = column.invalid == InvalidPolicy::kString && column.type == FieldType::kString &&
                       cell.kind == CellKind::kInvalid && column.mask == Mask::kNone &&
                       cell.size <= column.max_value_bytes;
  if (!as_text && column.mode == FieldMode::kRequired) {
    return Refuse(columns, column, row, problem,
                  "the field is REQUIRED and cannot be NULL: relax it to NULLABLE");
  }
  if (quarantine != nullptr && quarantine->Count(column.source_name)) {
    quarantine->Sample(column.source_name,
                       {.key = KeyText(columns, row), .value = ReportText(column, cell), .reason = problem});
  }
  if (!as_text) return Settlement::kNull;
  *columns.scratch = EscapeInvalidUtf8(cell.text());
  return Settlement::kText;
}

absl::Status NullRefused(const Columns& columns, const Column& column, std::span<const Cell> row) {
  return Refuse(columns, column, row, "came for a field that is REQUIRED",
                "the table changed while it was read: run again");
}

absl::Status DropLargest(const Columns& columns, size_t bytes, std::span<Cell> row, Quarantine* quarantine) {
  const Column* largest = nullptr;
  for (const Column& column : columns.all) {
    const Cell& cell = row[column.place];
    if (!IsText(cell.kind) || column.mode == FieldMode::kRequired || column.key_must_fit) continue;
    if (largest == nullptr || cell.size > row[largest->place].size) largest = &column;
  }
  if (largest == nullptr) {
    return absl::DataLossError(fmt::format(
        "row of {} with key {}: {} bytes are too many for one row of BigQuery's; hint: exclude a column",
        columns.table, KeyText(columns, row), bytes));
  }
  const absl::StatusOr<Settlement> settled = Settle(columns, *largest, row, kTooLarge, quarantine);
  if (!settled.ok()) return settled.status();
  row[largest->place] = Cell::Null();
  return absl::OkStatus();
}

}  // namespace hakobu
