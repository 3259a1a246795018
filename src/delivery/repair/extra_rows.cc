#include "delivery/repair/extra_rows.h"

#include <fmt/format.h>

#include <charconv>

#include "absl/strings/escaping.h"
#include "base/status.h"
#include "delivery/move/chunk_read.h"

namespace hakobu {
namespace {

// A source column whose values are this field's as they are.
SourceColumn NativeColumn(const Field& field) {
  SourceColumn column;
  column.name = field.name;
  switch (field.type) {
    case FieldType::kInt64:
      column.type = SourceType::kBigInt;
      break;
    case FieldType::kBool:
      column.type = SourceType::kTinyInt;
      break;
    case FieldType::kFloat64:
      column.type = SourceType::kDouble;
      break;
    case FieldType::kNumeric:
    case FieldType::kBigNumeric:
      column.type = SourceType::kDecimal;
      column.precision = field.type == FieldType::kNumeric ? 38 : 65;
      column.scale = field.type == FieldType::kNumeric ? 9 : 30;
      break;
    case FieldType::kBytes:
      column.type = SourceType::kBlob;
      break;
    case FieldType::kDate:
      column.type = SourceType::kDate;
      break;
    case FieldType::kDateTime:
      column.type = SourceType::kDateTime;
      break;
    case FieldType::kTimestamp:
      column.type = SourceType::kTimestamp;
      break;
    case FieldType::kTime:
    case FieldType::kInterval:
      column.type = SourceType::kTime;
      break;
    case FieldType::kJson:
      column.type = SourceType::kJson;
      break;
    case FieldType::kGeography:
      column.type = SourceType::kGeometry;
      break;
    case FieldType::kString:
      column.type = SourceType::kText;
      column.charset = "utf8mb4";
      break;
  }
  column.fraction = 6;
  column.length = 1 << 30;
  return column;
}

CellKind NativeKind(FieldType type) {
  switch (type) {
    case FieldType::kInt64:
    case FieldType::kBool:
      return CellKind::kInt64;
    case FieldType::kFloat64:
      return CellKind::kDouble;
    case FieldType::kNumeric:
    case FieldType::kBigNumeric:
      return CellKind::kDecimal;
    case FieldType::kBytes:
      return CellKind::kBytes;
    case FieldType::kDate:
      return CellKind::kDate;
    case FieldType::kDateTime:
      return CellKind::kDateTime;
    case FieldType::kTimestamp:
      return CellKind::kTimestamp;
    case FieldType::kTime:
      return CellKind::kTime;
    case FieldType::kJson:
      return CellKind::kJson;
    default:
      return CellKind::kString;
  }
}

std::string_view Kept(Arena& arena, std::string_view text) {
  char* const place = arena.Allocate(text.size());
  std::copy(text.begin(), text.end(), place);
  return {place, text.size()};
}

absl::StatusOr<Cell> CellOf(const Field& field, const std::string& text, Arena& arena) {
  const CellKind kind = NativeKind(field.type);
  const auto refuse = [&] {
    return absl::DataLossError(fmt::format("column {}: read back `{}` from BigQuery", field.name, text));
  };
  if (kind == CellKind::kDouble) {
    double value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc() || end != text.data() + text.size()) return refuse();
    return Cell::Real(kind, value);
  }
  if (!IsText(kind)) {
    int64_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc() || end != text.data() + text.size()) return refuse();
    return Cell::Integer(kind, value);
  }
  if (kind != CellKind::kBytes) return Cell::Text(kind, Kept(arena, text));
  std::string bytes;
  if (!absl::Base64Unescape(text, &bytes)) return refuse();
  return Cell::Text(kind, Kept(arena, bytes));
}

}  // namespace

ExtraRows::ExtraRows(const LaneSchema& schema, SourceTable table, TableSchema fields, ProtoEncoder encoder,
                     std::string sequence, Send send)
    : schema_(schema),
      table_(std::move(table)),
      fields_(std::move(fields)),
      sequence_(std::move(sequence)),
      writer_(std::move(encoder), std::make_shared<RequestPool>(), std::move(send)),
      batch_(table_.columns.size()) {}

absl::StatusOr<std::unique_ptr<ExtraRows>> ExtraRows::Create(const LaneSchema& schema, std::string sequence,
                                                             Send send) {
  SourceTable table;
  table.database = schema.base.database;
  table.name = schema.base.name;
  TableSchema fields;
  fields.key = schema.work.schema.key;
  SourceKey key;
  key.name = "PRIMARY";
  key.columns = fields.key;
  key.primary = true;
  for (const Field& field : schema.work.schema.fields) {
    Field native;
    native.name = field.name;
    native.type = field.type;
    native.mode = field.mode;
    native.source_column = table.columns.size();
    table.columns.push_back(NativeColumn(field));
    fields.fields.push_back(std::move(native));
  }
  table.key = std::move(key);
  ProtoOptions options;
  options.change_fields = ProtoOptions::ChangeFields::kTypeAndSequence;
  options.invalid_key = InvalidKey::kError;
  HAKOBU_ASSIGN_OR_RETURN(ProtoEncoder encoder, ProtoEncoder::Create(table, fields, options));
  return std::unique_ptr<ExtraRows>(new ExtraRows(schema, std::move(table), std::move(fields),
                                                  std::move(encoder), std::move(sequence), std::move(send)));
}

absl::Status ExtraRows::Add(const RowValues& values) {
  if (values.size() != fields_.fields.size()) {
    return absl::InternalError(
        fmt::format("expected {} columns, found {}", fields_.fields.size(), values.size()));
  }
  const std::span<Cell> row = batch_.AddRow();
  for (size_t i = 0; i < values.size(); ++i) {
    if (!values[i].has_value()) continue;
    HAKOBU_ASSIGN_OR_RETURN(row[i], CellOf(fields_.fields[i], *values[i], batch_.arena()));
  }
  if (schema_.mode == LaneMode::kSoft) {
    for (size_t i = 0; i < values.size(); ++i) {
      if (fields_.fields[i].name == "_hakobu_deleted") row[i] = Cell::Integer(CellKind::kInt64, 1);
    }
  }
  return IsFull(batch_) ? Encode() : absl::OkStatus();
}

absl::Status ExtraRows::Encode() {
  const ChangeType type = schema_.mode == LaneMode::kSoft ? ChangeType::kUpsert : ChangeType::kDelete;
  const std::vector<RowChange> changes(batch_.rows(), RowChange{type, sequence_});
  HAKOBU_RETURN_IF_ERROR(writer_.Write(batch_, changes));
  batch_.Clear();
  return absl::OkStatus();
}

absl::Status ExtraRows::Finish() {
  if (batch_.rows() > 0) HAKOBU_RETURN_IF_ERROR(Encode());
  return writer_.Flush();
}

}  // namespace hakobu
