// Rows per second of the encoders alone, on one core: a batch as decode/ makes it, of the columns that real
// tables have most. `build/release/bench/encode_bench`
#include <benchmark/benchmark.h>

#include <random>
#include <string>
#include <vector>

#include "encode/encode.h"
#include "row/type_map.h"

namespace hakobu {
namespace {

constexpr size_t kRows = 4096;
constexpr int64_t kDay = 86'400'000'000;

SourceColumn ColumnOf(std::string name, SourceType type, std::string declared) {
  SourceColumn column;
  column.name = std::move(name);
  column.type = type;
  column.declared = std::move(declared);
  column.charset = "utf8mb4";
  column.length = 100;
  column.precision = 10;
  column.scale = 2;
  return column;
}

// A reservation: four integers, two decimals, a date, two DATETIMEs, a TIMESTAMP, two texts.
SourceTable Reservations() {
  SourceTable table;
  table.database = "gym";
  table.name = "reservations";
  table.columns = {ColumnOf("id", SourceType::kBigInt, "bigint"),
                   ColumnOf("member_id", SourceType::kBigInt, "bigint"),
                   ColumnOf("shop_id", SourceType::kInt, "int"),
                   ColumnOf("status", SourceType::kTinyInt, "tinyint"),
                   ColumnOf("price", SourceType::kDecimal, "decimal(10,2)"),
                   ColumnOf("tax", SourceType::kDecimal, "decimal(10,2)"),
                   ColumnOf("day", SourceType::kDate, "date"),
                   ColumnOf("starts_at", SourceType::kDateTime, "datetime"),
                   ColumnOf("ends_at", SourceType::kDateTime, "datetime"),
                   ColumnOf("created_at", SourceType::kTimestamp, "timestamp"),
                   ColumnOf("name", SourceType::kVarchar, "varchar(100)"),
                   ColumnOf("note", SourceType::kVarchar, "varchar(100)")};
  table.columns[0].nullable = false;
  table.key = SourceKey{"PRIMARY", {0}, true};
  return table;
}

TableSchema SchemaOf(const SourceTable& table) {
  TableSchema schema;
  schema.key = table.key->columns;
  for (size_t i = 0; i < table.columns.size(); ++i) schema.fields.push_back(*MapColumn(table, i, {}, {}));
  return schema;
}

void Fill(Batch* batch) {
  std::mt19937_64 random(7);
  const auto text = [&](CellKind kind, std::string_view value) {
    return Cell::Text(kind, batch->arena().Copy(value));
  };
  for (size_t i = 0; i < kRows; ++i) {
    const std::span<Cell> row = batch->AddRow();
    row[0] = Cell::Integer(CellKind::kInt64, static_cast<int64_t>(10'000'000 + i));
    row[1] = Cell::Integer(CellKind::kInt64, static_cast<int64_t>(random() % 1'000'000));
    row[2] = Cell::Integer(CellKind::kInt64, static_cast<int64_t>(random() % 300));
    row[3] = Cell::Integer(CellKind::kInt64, static_cast<int64_t>(random() % 5));
    row[4] = text(CellKind::kDecimal, std::to_string(random() % 1'000'000) + ".50");
    row[5] = text(CellKind::kDecimal, std::to_string(random() % 10'000) + ".05");
    const auto day = static_cast<int64_t>(19'000 + random() % 1000);
    row[6] = Cell::Integer(CellKind::kDate, day);
    row[7] =
        Cell::Integer(CellKind::kDateTime, day * kDay + static_cast<int64_t>(random() % 86'400) * 1'000'000);
    row[8] = Cell::Integer(CellKind::kDateTime, row[7].integer + kDay / 24);
    row[9] = Cell::Integer(CellKind::kTimestamp, row[7].integer - kDay);
    row[10] = text(CellKind::kString, "会員 " + std::to_string(random() % 100'000));
    row[11] = random() % 3 == 0
                  ? Cell::Null()
                  : text(CellKind::kString, "a note of about thirty-two bytes, " + std::to_string(i));
  }
}

void EncodeProto(benchmark::State& state) {
  const SourceTable table = Reservations();
  absl::StatusOr<ProtoEncoder> encoder = ProtoEncoder::Create(table, SchemaOf(table));
  Batch batch(table.columns.size());
  Fill(&batch);
  EncodedRows rows;
  Quarantine quarantine;
  for (auto _ : state) {
    rows.Clear();
    benchmark::DoNotOptimize(*encoder->Append(batch, 0, SIZE_MAX, &rows, &quarantine));
  }
  state.SetItemsProcessed(static_cast<int64_t>(state.iterations() * kRows));
  state.SetBytesProcessed(static_cast<int64_t>(state.iterations() * rows.bytes().size()));
}
BENCHMARK(EncodeProto);

void EncodeAvro(benchmark::State& state, AvroCodec codec) {
  const SourceTable table = Reservations();
  AvroOptions options;
  options.codec = codec;
  absl::StatusOr<AvroEncoder> encoder = AvroEncoder::Create(table, SchemaOf(table), options);
  Batch batch(table.columns.size());
  Fill(&batch);
  ByteBuffer out;
  Quarantine quarantine;
  for (auto _ : state) {
    out.Clear();
    benchmark::DoNotOptimize(*encoder->Append(batch, 0, SIZE_MAX, &out, &quarantine));
  }
  state.SetItemsProcessed(static_cast<int64_t>(state.iterations() * kRows));
}
BENCHMARK_CAPTURE(EncodeAvro, null, AvroCodec::kNull);
BENCHMARK_CAPTURE(EncodeAvro, deflate, AvroCodec::kDeflate);
BENCHMARK_CAPTURE(EncodeAvro, zstandard, AvroCodec::kZstandard);

}  // namespace
}  // namespace hakobu
