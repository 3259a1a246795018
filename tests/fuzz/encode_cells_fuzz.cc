// Any cell in any column under any choice, through both encoders: rows or a Status, never a crash; what comes
// out is the wire form of ProtoRows, one entry per row.
#include <fuzzer/FuzzedDataProvider.h>

#include <array>
#include <cstdlib>
#include <deque>
#include <string>

#include "encode/encode.h"
#include "google/cloud/bigquery/storage/v1/protobuf.pb.h"
#include "row/type_choices.h"
#include "row/type_map.h"

namespace hakobu {
namespace {

constexpr auto kLastType = static_cast<int>(SourceType::kVector);
constexpr auto kLastKind = static_cast<int>(CellKind::kInvalid);
constexpr size_t kRows = 3;

SourceColumn AnyColumn(FuzzedDataProvider* data, size_t place) {
  SourceColumn column;
  column.name = place % 3 == 2 ? "名 " + std::to_string(place) : "c" + std::to_string(place);
  column.type = static_cast<SourceType>(data->ConsumeIntegralInRange(0, kLastType));
  column.declared = data->ConsumeBool() ? "json" : "longtext";
  column.is_unsigned = data->ConsumeBool();
  column.nullable = data->ConsumeBool();
  column.precision = data->ConsumeIntegralInRange<uint32_t>(1, 65);
  column.scale = data->ConsumeIntegralInRange<uint32_t>(0, std::min(30u, column.precision));
  column.fraction = data->ConsumeIntegralInRange<uint32_t>(0, 6);
  column.length = data->ConsumeIntegralInRange<uint64_t>(1, 64);
  return column;
}

Field AnyField(FuzzedDataProvider* data, const SourceTable& table, size_t place) {
  TypeChoices choices;
  choices.profile = static_cast<TypeProfile>(data->ConsumeIntegralInRange(0, 2));
  choices.invalid = static_cast<InvalidPolicy>(data->ConsumeIntegralInRange(0, 2));
  ColumnChoice choice;
  choice.mask = static_cast<Mask>(data->ConsumeIntegralInRange(0, 3));
  choice.mask_keep_characters = 2;
  const std::vector<TypeChoice> allowed = AllowedChoices(table.columns[place], false);
  if (data->ConsumeBool()) {
    const TypeChoice& chosen = allowed[data->ConsumeIntegralInRange<size_t>(0, allowed.size() - 1)];
    choice.as = std::string(chosen.as) + (chosen.zone == ZoneArgument::kNeeded ? "(Europe/Berlin)" : "");
  }
  absl::StatusOr<Field> field = MapColumn(table, place, choices, choice);
  if (!field.ok()) field = MapColumn(table, place, {}, {});
  return *std::move(field);
}

Cell AnyCell(FuzzedDataProvider* data, std::deque<std::string>* texts) {
  const auto kind = static_cast<CellKind>(data->ConsumeIntegralInRange(0, kLastKind));
  switch (kind) {
    case CellKind::kNull:
      return Cell::Null();
    case CellKind::kDouble:
    case CellKind::kFloat:
      return Cell::Real(kind, data->ConsumeFloatingPoint<double>());
    case CellKind::kInt64:
    case CellKind::kUInt64:
    case CellKind::kDate:
    case CellKind::kDateTime:
    case CellKind::kTimestamp:
    case CellKind::kTime:
      return Cell::Integer(kind, data->ConsumeIntegral<int64_t>());
    default:
      return Cell::Text(kind, texts->emplace_back(data->ConsumeRandomLengthString(64)));
  }
}

void Fuzz(FuzzedDataProvider* data) {
  SourceTable table;
  table.database = "shop";
  table.name = "items";
  const size_t columns = data->ConsumeIntegralInRange<size_t>(1, 6);
  TableSchema schema;
  for (size_t place = 0; place < columns; ++place) table.columns.push_back(AnyColumn(data, place));
  for (size_t place = 0; place < columns; ++place) schema.fields.push_back(AnyField(data, table, place));
  if (data->ConsumeBool()) schema.key = {0};
  Batch batch(columns);
  std::deque<std::string> texts;
  for (size_t row = 0; row < kRows; ++row) {
    for (Cell& cell : batch.AddRow()) cell = AnyCell(data, &texts);
  }
  ProtoOptions options;
  options.max_row_bytes = data->ConsumeIntegralInRange<size_t>(1, 400);
  absl::StatusOr<ProtoEncoder> proto = ProtoEncoder::Create(table, schema, options);
  if (!proto.ok()) std::abort();
  EncodedRows rows;
  Quarantine quarantine;
  const absl::StatusOr<size_t> taken =
      proto->Append(batch, 0, data->ConsumeIntegralInRange<size_t>(0, 500), &rows, &quarantine);
  google::cloud::bigquery::storage::v1::ProtoRows parsed;
  if (!parsed.ParseFromArray(rows.bytes().data(), static_cast<int>(rows.bytes().size()))) std::abort();
  if (static_cast<size_t>(parsed.serialized_rows_size()) != rows.rows()) std::abort();
  if (taken.ok() && *taken != rows.rows()) std::abort();
  for (size_t row = 0; row < rows.rows(); ++row) {
    if (proto->KeyText(rows.Message(row)) == "(unreadable)") std::abort();
    if (rows.Message(row).size() > options.max_row_bytes) std::abort();
  }
  absl::StatusOr<AvroEncoder> avro = AvroEncoder::Create(table, schema, {});
  if (!avro.ok()) return;
  ByteBuffer out;
  if (avro->Append(batch, 0, SIZE_MAX, &out, &quarantine).ok() && !avro->Finish(&out).ok()) std::abort();
}

}  // namespace
}  // namespace hakobu

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* bytes, size_t size) {
  FuzzedDataProvider data(bytes, size);
  hakobu::Fuzz(&data);
  return 0;
}
