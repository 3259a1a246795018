#include "decode/binlog/row_image.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>

#include "base/status.h"
#include "decode/binlog/binary_json.h"
#include "decode/binlog/native_text.h"
#include "decode/charset/charset.h"

namespace hakobu::binlog {
namespace {

constexpr uint16_t kStatementEnd = 1;        // Rows_event::STMT_END_F
constexpr uint64_t kPartialJsonUpdates = 1;  // enum_binlog_row_value_options

bool BitAt(std::string_view bits, size_t place) {
  return (bits[place / 8] >> (place % 8) & 1) != 0;
}

size_t CountBits(std::string_view bits) {
  size_t count = 0;
  for (const char byte : bits) count += static_cast<size_t>(std::popcount(static_cast<uint8_t>(byte)));
  return count;
}

// The end of a row's time that has not ended: the last moment of a TIMESTAMP (of 32 bits signed, unsigned
// since 11.5), or the largest transaction number.
bool IsPresent(const Cell& row_end) {
  constexpr int64_t kLastMoment = int64_t{0x7fffffff} * 1'000'000 + 999'999;
  if (row_end.kind == CellKind::kTimestamp) return row_end.integer >= kLastMoment;
  return row_end.kind == CellKind::kUInt64 && row_end.unsigned_integer == ~uint64_t{0};
}

bool HasSign(LogType type) {
  return type == LogType::kTiny || type == LogType::kShort || type == LogType::kInt24 ||
         type == LogType::kLong || type == LogType::kLongLong;
}

bool HasCharset(LogType type) {
  switch (type) {
    case LogType::kString:
    case LogType::kVarString:
    case LogType::kVarchar:
    case LogType::kVarcharCompressed:
    case LogType::kTinyBlob:
    case LogType::kMediumBlob:
    case LogType::kLongBlob:
    case LogType::kBlob:
    case LogType::kBlobCompressed:
      return true;
    default:
      return false;
  }
}

bool HasLabels(LogType type) {
  return type == LogType::kEnum || type == LogType::kSet;
}

absl::Status Unstated(const TableMap& map, size_t place, std::string_view what) {
  const std::string& name = map.columns[place].name;
  return absl::FailedPreconditionError(
      fmt::format("{}.{}: column {}: its {} is stated neither in the log nor by a known table; hint: set "
                  "binlog_row_metadata=FULL on the source, or let hakobu read the table's schema",
                  map.database, map.table, name.empty() ? fmt::format("@{}", place + 1) : name, what));
}

// Names the character set; "" is bytes. Null: stated nowhere.
absl::Status ResolveCharset(const TableMap& map, size_t place, const SourceColumn* known,
                            UnknownColumns unknown, LogCellColumn* column) {
  const LogColumn& logged = map.columns[place];
  std::string_view charset;
  if (logged.collation) {
    charset = CharsetOfCollation(*logged.collation);
    if (charset.empty()) return Unstated(map, place, fmt::format("collation {}", *logged.collation));
  } else if (known != nullptr) {
    charset = known->charset.empty() ? "binary" : std::string_view(known->charset);
  } else if (unknown == UnknownColumns::kAssume) {
    charset = "utf8mb4";
  } else {
    return Unstated(map, place, "character set");
  }
  if (charset == "binary") return absl::OkStatus();
  column->charset = Charset::Find(charset);
  if (column->charset == nullptr) return Unstated(map, place, fmt::format("character set {}", charset));
  return absl::OkStatus();
}

absl::Status ResolveLabels(const TableMap& map, size_t place, const SourceColumn* known,
                           UnknownColumns unknown, LogCellColumn* column) {
  const LogColumn& logged = map.columns[place];
  if (logged.labels.empty()) {
    if (known != nullptr) column->labels = known->labels;
    if (column->labels.empty() && unknown == UnknownColumns::kRefuse)
      return Unstated(map, place, "list of labels");
    return absl::OkStatus();
  }
  const Charset* charset = logged.collation ? Charset::OfCollation(*logged.collation) : nullptr;
  Arena arena(1024);
  for (const std::string& label : logged.labels) {
    std::string_view utf8 = label;
    if (charset != nullptr && !charset->ToUtf8(label, &arena, &utf8))
      return Unstated(map, place, "label as text");
    column->labels.emplace_back(utf8);
  }
  return absl::OkStatus();
}

absl::Status Resolve(const TableMap& map, size_t place, const SourceColumn* known, UnknownColumns unknown,
                     LogCellColumn* column) {
  const LogColumn& logged = map.columns[place];
  column->decode = FindLogCellDecoder(logged.type);
  column->type = logged.type;
  column->length = logged.length;
  column->precision = logged.precision;
  column->scale = logged.scale;
  if (column->decode == nullptr) {
    return absl::UnimplementedError(fmt::format("{}.{}: column @{}: log type {} cannot be read", map.database,
                                                map.table, place + 1, static_cast<int>(logged.type)));
  }
  if (HasSign(logged.type)) {
    if (logged.is_unsigned) {
      column->is_unsigned = *logged.is_unsigned;
    } else if (known != nullptr) {
      column->is_unsigned = known->is_unsigned;
    } else if (unknown == UnknownColumns::kRefuse) {
      return Unstated(map, place, "sign");
    }
  }
  if (known != nullptr && logged.type == LogType::kString) {
    if (const LogCellDecoder native = FindNativeDecoder(known->declared); native != nullptr) {
      column->decode = native;
      return absl::OkStatus();
    }
  }
  column->is_json_text =
      known != nullptr && known->type == SourceType::kJson && logged.type != LogType::kJson;
  if (HasCharset(logged.type)) return ResolveCharset(map, place, known, unknown, column);
  if (HasLabels(logged.type)) return ResolveLabels(map, place, known, unknown, column);
  return absl::OkStatus();
}

}  // namespace

bool RowsEvent::HasAllColumns() const {
  // The bits behind the last column's may be anything.
  const auto all = [this](std::string_view present) {
    for (size_t column = 0; column < columns; ++column) {
      if (!BitAt(present, column)) return false;
    }
    return true;
  };
  return (change == RowChange::kInsert || all(present_before)) &&
         (change == RowChange::kDelete || all(present_after));
}

bool IsRowsEvent(EventType type) {
  switch (type) {
    case EventType::kWriteRowsV1:
    case EventType::kUpdateRowsV1:
    case EventType::kDeleteRowsV1:
    case EventType::kWriteRows:
    case EventType::kUpdateRows:
    case EventType::kDeleteRows:
    case EventType::kPartialUpdateRows:
      return true;
    default:
      return false;
  }
}

absl::StatusOr<RowsEvent> ParseRowsEvent(const Event& event, const Format& format) {
  RowsEvent rows;
  bool extra = true;
  switch (event.header.type) {
    case EventType::kWriteRowsV1:
      extra = false;
      [[fallthrough]];
    case EventType::kWriteRows:
      rows.change = RowChange::kInsert;
      break;
    case EventType::kUpdateRowsV1:
      extra = false;
      [[fallthrough]];
    case EventType::kPartialUpdateRows:
    case EventType::kUpdateRows:
      rows.change = RowChange::kUpdate;
      rows.partial_json = event.header.type == EventType::kPartialUpdateRows;
      break;
    case EventType::kDeleteRowsV1:
      extra = false;
      [[fallthrough]];
    case EventType::kDeleteRows:
      rows.change = RowChange::kDelete;
      break;
    default:
      return absl::InternalError(fmt::format("{} has no rows", EventTypeName(event.header.type)));
  }
  ByteReader reader(event.body);
  rows.table_id = reader.LittleEndian(format.table_id_bytes);
  rows.statement_end = (reader.U16() & kStatementEnd) != 0;
  if (extra) {
    const uint16_t extra_bytes = reader.U16();  // counts itself
    if (extra_bytes < 2) return absl::DataLossError("row event: length of extra data below 2");
    reader.Skip(extra_bytes - 2u);
  }
  rows.columns = reader.LengthEncoded();
  if (rows.columns > 4096) return absl::DataLossError(fmt::format("row event of {} columns", rows.columns));
  const size_t bitmap_bytes = (rows.columns + 7) / 8;
  if (rows.change != RowChange::kInsert) rows.present_before = reader.Take(bitmap_bytes);
  if (rows.change != RowChange::kDelete) rows.present_after = reader.Take(bitmap_bytes);
  if (reader.failed())
    return absl::DataLossError(fmt::format("{} is cut short", EventTypeName(event.header.type)));
  rows.rows = reader.Rest();
  return rows;
}

absl::StatusOr<RowImageDecoder> RowImageDecoder::Create(const TableMap& map, const SourceTable* known,
                                                        UnknownColumns unknown) {
  if (known != nullptr && known->columns.size() != map.columns.size()) {
    return absl::FailedPreconditionError(
        fmt::format("{}.{}: the log has {} columns at this place, the known table {}", map.database,
                    map.table, map.columns.size(), known->columns.size()));
  }
  RowImageDecoder decoder;
  decoder.table_ = fmt::format("{}.{}", map.database, map.table);
  decoder.columns_.resize(map.columns.size());
  decoder.json_before_.resize(map.columns.size());
  for (size_t i = 0; i < map.columns.size(); ++i) {
    const SourceColumn* column = known == nullptr ? nullptr : &known->columns[i];
    HAKOBU_RETURN_IF_ERROR(Resolve(map, i, column, unknown, &decoder.columns_[i]));
    decoder.names_.push_back(column != nullptr             ? column->name
                             : map.columns[i].name.empty() ? fmt::format("@{}", i + 1)
                                                           : map.columns[i].name);
    if (map.columns[i].type == LogType::kJson) ++decoder.json_columns_;
  }
  return decoder;
}

absl::Status RowImageDecoder::Corrupt(size_t column) const {
  return absl::DataLossError(
      fmt::format("row of {}: column {} is cut short or corrupt", table_, names_[column]));
}

void RowImageDecoder::LeaveOutLastIfPast(RowChange change, Batch* batch) const {
  const size_t last = batch->rows() - 1;
  if (change != RowChange::kUpdate) {
    if (!IsPresent(batch->Row(last)[*row_end_])) batch->KeepFirst(last);
    return;
  }
  const bool was = IsPresent(batch->Row(last - 1)[*row_end_]), is = IsPresent(batch->Row(last)[*row_end_]);
  if (was && is) return;
  if (is) std::ranges::copy(batch->Row(last), batch->MutableRow(last - 1).begin());
  batch->operations[last - 1] = was ? RowOperation::kDelete : RowOperation::kInsert;
  batch->KeepFirst(was || is ? last : last - 1);
}

absl::Status RowImageDecoder::WithoutDocument(size_t column) const {
  return WithHint(absl::DataLossError(
                      fmt::format("row of {}: column {} is logged as changes to a document that the row's "
                                  "before image lacks",
                                  table_, names_[column])),
                  "set binlog_row_image=FULL or binlog_row_value_options='' on the source");
}

absl::Status RowImageDecoder::Decode(const RowsEvent& event, Batch* batch) {
  if (event.columns != columns_.size()) {
    return absl::DataLossError(fmt::format("row event of {}: {} columns, its table map has {}", table_,
                                           event.columns, columns_.size()));
  }
  ByteReader reader(event.rows);
  while (!reader.AtEnd()) {
    const size_t row_begin = reader.position();
    if (event.change != RowChange::kInsert) {
      const RowOperation operation =
          event.change == RowChange::kUpdate ? RowOperation::kUpdateBefore : RowOperation::kDelete;
      HAKOBU_RETURN_IF_ERROR(
          DecodeImage(event.present_before, operation, event.partial_json, &reader, batch));
    }
    if (event.change != RowChange::kDelete) {
      const RowOperation operation =
          event.change == RowChange::kUpdate ? RowOperation::kUpdateAfter : RowOperation::kInsert;
      HAKOBU_RETURN_IF_ERROR(DecodeImage(event.present_after, operation, event.partial_json, &reader, batch));
    }
    if (row_end_.has_value()) LeaveOutLastIfPast(event.change, batch);
    if (reader.position() == row_begin) {
      return absl::DataLossError(fmt::format("row event of {}: rows without columns", table_));
    }
  }
  return absl::OkStatus();
}

absl::Status RowImageDecoder::DecodeImage(std::string_view present, RowOperation operation, bool partial_json,
                                          ByteReader* reader, Batch* batch) {
  const bool patched = partial_json && operation == RowOperation::kUpdateAfter;
  std::string_view partial;
  if (patched && (reader->LengthEncoded() & kPartialJsonUpdates) != 0) {
    partial = reader->Take((json_columns_ + 7) / 8);
  }
  const std::string_view nulls = reader->Take((CountBits(present) + 7) / 8);
  if (reader->failed()) return absl::DataLossError(fmt::format("row of {} is cut short", table_));
  // What the row before held is no part of this one: where its image lacks a document, there is none.
  if (operation == RowOperation::kUpdateBefore) json_before_.assign(columns_.size(), {});
  const std::span<Cell> row = batch->AddRow();
  const auto fail = [&](size_t column) {
    batch->DropLastRow();
    return Corrupt(column);
  };
  size_t place_in_image = 0, json_place = 0;
  for (size_t i = 0; i < columns_.size(); ++i) {
    const bool is_json = columns_[i].type == LogType::kJson;
    const size_t json_bit = is_json ? json_place++ : 0;
    if (!BitAt(present, i)) continue;
    if (BitAt(nulls, place_in_image++)) continue;
    if (is_json && partial_json) {
      const std::string_view bytes = TakeJsonBytes(columns_[i], reader);
      if (reader->failed()) return fail(i);
      const bool is_diff = !partial.empty() && BitAt(partial, json_bit);
      if (is_diff && json_before_[i].data() == nullptr) {
        batch->DropLastRow();
        return WithoutDocument(i);
      }
      scratch_.clear();
      const absl::Status appended = is_diff ? AppendPatchedJsonText(json_before_[i], bytes, &scratch_)
                                            : AppendJsonText(bytes, &scratch_);
      if (!appended.ok()) return fail(i);
      if (operation == RowOperation::kUpdateBefore) json_before_[i] = bytes;
      row[i] = Cell::Text(CellKind::kJson, batch->arena().Copy(scratch_));
      continue;
    }
    if (!columns_[i].decode(columns_[i], reader, &batch->arena(), &scratch_, &row[i]) || reader->failed()) {
      return fail(i);
    }
  }
  batch->operations.push_back(operation);
  return absl::OkStatus();
}

}  // namespace hakobu::binlog
