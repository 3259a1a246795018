#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <zstd.h>

#include "encode/encode.h"
#include "encode/read_back.h"
#include "row/type_map.h"

namespace hakobu {
namespace {

using testing::ColumnOf;
using ::testing::HasSubstr;
using testing::ReadAvro;
using testing::ReadRow;
using testing::SchemaOf;
using testing::TableOf;

SourceTable Members() {
  SourceColumn id = ColumnOf("id", SourceType::kBigInt, "bigint");
  id.nullable = false;
  SourceColumn name = ColumnOf("name", SourceType::kVarchar, "varchar(9000)");
  name.length = 9000;
  SourceTable table = TableOf({id, name, ColumnOf("born", SourceType::kDate, "date")});
  table.key = SourceKey{"PRIMARY", {0}, true};
  return table;
}

void AddMembers(Batch* batch, int64_t count, Cell born = Cell::Integer(CellKind::kDate, 0)) {
  for (int64_t id = 0; id < count; ++id) {
    const std::span<Cell> row = batch->AddRow();
    row[0] = Cell::Integer(CellKind::kInt64, id);
    row[1] = Cell::Text(CellKind::kString, batch->arena().Copy("member " + std::to_string(id)));
    row[2] = born;
  }
}

AvroOptions Options(AvroCodec codec, size_t block_bytes = 1000) {
  AvroOptions options;
  options.codec = codec;
  options.block_bytes = block_bytes;
  for (size_t i = 0; i < 16; ++i) options.sync_marker[i] = static_cast<char>(i * 17);
  return options;
}

std::string FileOf(const AvroOptions& options, const Batch& batch) {
  const SourceTable table = Members();
  absl::StatusOr<AvroEncoder> encoder = AvroEncoder::Create(table, SchemaOf(table), options);
  EXPECT_TRUE(encoder.ok()) << encoder.status();
  ByteBuffer out;
  Quarantine quarantine;
  encoder->Header(&out);
  EXPECT_EQ(*encoder->Append(batch, 0, SIZE_MAX, &out, &quarantine), batch.rows());
  EXPECT_TRUE(encoder->Finish(&out).ok());
  EXPECT_TRUE(encoder->Finish(&out).ok());
  return std::string(out.bytes());
}

void ExpectMembers(const std::vector<ReadRow>& read, size_t count) {
  ASSERT_EQ(read.size(), count);
  for (size_t i = 0; i < count; ++i) {
    EXPECT_EQ(read[i], (ReadRow{{"id", std::to_string(i)},
                                {"name", "member " + std::to_string(i)},
                                {"born", "1970-01-01"}}));
  }
}

int64_t TakeLong(std::string_view* bytes) {
  uint64_t value = 0;
  for (int shift = 0;; shift += 7) {
    const auto byte = static_cast<unsigned char>(bytes->front());
    bytes->remove_prefix(1);
    value |= static_cast<uint64_t>(byte & 0x7f) << shift;
    if (byte < 0x80) break;
  }
  return static_cast<int64_t>(value >> 1) ^ -static_cast<int64_t>(value & 1);
}

std::string PutLong(int64_t value) {
  auto zigzag = static_cast<uint64_t>(value) << 1 ^ static_cast<uint64_t>(value >> 63);
  std::string bytes;
  for (; zigzag >= 0x80; zigzag >>= 7) bytes += static_cast<char>(zigzag | 0x80);
  return bytes + static_cast<char>(zigzag);
}

// libavro cannot read zstandard: the same file with the blocks taken out of their codec.
std::string WithoutZstandard(std::string_view file, std::string_view plain_header) {
  const std::string_view sync = file.substr(file.size() - 16);
  std::string plain(plain_header);
  std::string_view rest = file.substr(file.find(sync) + 16);
  while (!rest.empty()) {
    const int64_t count = TakeLong(&rest);
    const auto size = static_cast<size_t>(TakeLong(&rest));
    std::string rows(100'000, '\0');
    const size_t length = ZSTD_decompress(rows.data(), rows.size(), rest.data(), size);
    EXPECT_EQ(ZSTD_isError(length), 0u);
    plain += PutLong(count) + PutLong(static_cast<int64_t>(length)) + rows.substr(0, length);
    EXPECT_EQ(rest.substr(size, 16), sync);
    plain += sync;
    rest.remove_prefix(size + 16);
  }
  return plain;
}

TEST(AvroEncoder, EveryCodecHoldsTheSameRows) {
  const TableSchema schema = SchemaOf(Members());
  Batch batch(3);
  AddMembers(&batch, 500);
  const std::string plain = FileOf(Options(AvroCodec::kNull), batch);
  ExpectMembers(ReadAvro(plain, schema), 500);
  const std::string deflated = FileOf(Options(AvroCodec::kDeflate), batch);
  EXPECT_LT(deflated.size(), plain.size() / 2);
  ExpectMembers(ReadAvro(deflated, schema), 500);
  const std::string zstandard = FileOf(Options(AvroCodec::kZstandard), batch);
  EXPECT_LT(zstandard.size(), plain.size() / 2);
  EXPECT_THAT(zstandard, HasSubstr("avro.codec\x12zstandard"));
  const std::string header = FileOf(Options(AvroCodec::kNull), Batch(3));
  ExpectMembers(ReadAvro(WithoutZstandard(zstandard, header), schema), 500);
}

TEST(AvroEncoder, AFileWithoutRowsIsWhole) {
  EXPECT_TRUE(ReadAvro(FileOf(Options(AvroCodec::kNull), Batch(3)), SchemaOf(Members())).empty());
}

TEST(AvroEncoder, TheBufferCanBeTakenAwayAtTheLimit) {
  const SourceTable table = Members();
  const TableSchema schema = SchemaOf(table);
  absl::StatusOr<AvroEncoder> encoder = AvroEncoder::Create(table, schema, Options(AvroCodec::kNull, 200));
  ASSERT_TRUE(encoder.ok());
  Batch batch(3);
  AddMembers(&batch, 300);
  std::string file;
  ByteBuffer out;
  Quarantine quarantine;
  encoder->Header(&out);
  size_t calls = 0;
  for (size_t row = 0; row < 300; ++calls) {
    const absl::StatusOr<size_t> taken = encoder->Append(batch, row, 500, &out, &quarantine);
    ASSERT_TRUE(taken.ok());
    EXPECT_LT(out.size(), 500u + 300u);
    row += *taken;
    file += out.bytes();
    out.Clear();
  }
  EXPECT_GT(calls, 5u);
  ASSERT_TRUE(encoder->Finish(&out).ok());
  file += out.bytes();
  ExpectMembers(ReadAvro(file, schema), 300);
}

TEST(AvroEncoder, SchemaNamesLogicalTypesAndNullability) {
  const SourceTable table = Members();
  absl::StatusOr<AvroEncoder> encoder = AvroEncoder::Create(table, SchemaOf(table), {});
  ASSERT_TRUE(encoder.ok());
  EXPECT_EQ(encoder->schema_json(),
            R"({"type":"record","name":"Row","fields":[{"name":"id","type":"long"},)"
            R"({"name":"name","type":["null","string"]},)"
            R"({"name":"born","type":["null",{"type":"int","logicalType":"date"}]}]})");
}

TEST(AvroEncoder, RefusesNamesThatAvroCannotHold) {
  const SourceTable table =
      TableOf({ColumnOf("会員番号", SourceType::kInt, "int"), ColumnOf("ok", SourceType::kInt, "int"),
               ColumnOf("a b", SourceType::kInt, "int")});
  const absl::Status status = AvroEncoder::Create(table, SchemaOf(table), {}).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(status.message(),
            "write an Avro file of shop.items: Avro's names are letters, digits and '_', found '会員番号', "
            "'a b'; hint: "
            "write: storage takes these names");
}

TEST(AvroEncoder, RowsTooLargeForABlockLoseTheirLargestValueAndSaySo) {
  const SourceTable table = Members();
  TableSchema schema = SchemaOf(table);
  AvroOptions options = Options(AvroCodec::kNull);
  options.max_row_bytes = 100;
  absl::StatusOr<AvroEncoder> encoder = AvroEncoder::Create(table, schema, options);
  ASSERT_TRUE(encoder.ok());
  Batch batch(3);
  AddMembers(&batch, 2);
  const std::string large(99, 'x');
  batch.AddRow()[1] = Cell::Text(CellKind::kString, large);
  ByteBuffer out;
  Quarantine quarantine;
  EXPECT_THAT(std::string(encoder->Append(batch, 0, SIZE_MAX, &out, &quarantine).status().message()),
              HasSubstr("column shop.items.id of the row with key NULL"));
  const std::span<const Cell> last = batch.Row(2);
  const_cast<Cell&>(last[0]) = Cell::Integer(CellKind::kInt64, 2);
  ASSERT_TRUE(encoder->Append(batch, 2, SIZE_MAX, &out, &quarantine).ok());
  ASSERT_TRUE(encoder->Finish(&out).ok());
  ByteBuffer header;
  encoder->Header(&header);
  const std::vector<ReadRow> read = ReadAvro(std::string(header.bytes()) + std::string(out.bytes()), schema);
  ASSERT_EQ(read.size(), 3u);
  EXPECT_EQ(read[2].at("name"), "NULL");
  EXPECT_EQ(quarantine.values(), 1u);
}

}  // namespace
}  // namespace hakobu
