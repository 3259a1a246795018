#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "encode/encode.h"
#include "encode/read_back.h"
#include "row/type_map.h"

namespace hakobu {
namespace {

using testing::ColumnOf;
using ::testing::HasSubstr;
using testing::ReadProto;
using testing::ReadRow;
using testing::SchemaOf;
using testing::TableOf;

// id BIGINT NOT NULL PRIMARY KEY, name TEXT, born DATE.
SourceTable Members() {
  SourceColumn id = ColumnOf("id", SourceType::kBigInt, "bigint");
  id.nullable = false;
  SourceColumn name = ColumnOf("name", SourceType::kText, "mediumtext");
  name.length = 16'777'215;
  SourceTable table = TableOf({id, name, ColumnOf("born", SourceType::kDate, "date")});
  table.key = SourceKey{"PRIMARY", {0}, true};
  return table;
}

void AddMember(Batch* batch, int64_t id, std::string_view name,
               Cell born = Cell::Integer(CellKind::kDate, 0)) {
  const std::span<Cell> row = batch->AddRow();
  row[0] = Cell::Integer(CellKind::kInt64, id);
  row[1] = Cell::Text(CellKind::kString, batch->arena().Copy(name));
  row[2] = born;
}

ProtoEncoder EncoderFor(const SourceTable& table, const TableSchema& schema,
                        const ProtoOptions& options = {}) {
  absl::StatusOr<ProtoEncoder> encoder = ProtoEncoder::Create(table, schema, options);
  EXPECT_TRUE(encoder.ok()) << encoder.status();
  return *std::move(encoder);
}

const Cell kZeroDate = Cell::Text(CellKind::kInvalid, "0000-00-00");

TEST(ProtoEncoder, WritesLengthsOfEveryWidth) {
  const SourceTable table = Members();
  const TableSchema schema = SchemaOf(table);
  ProtoEncoder encoder = EncoderFor(table, schema);
  Batch batch(3);
  std::vector<size_t> sizes{0,      100,    120,    121,    122,    123,    124,    125,       126,
                            127,    128,    129,    130,    16'360, 16'370, 16'373, 16'374,    16'375,
                            16'376, 16'377, 16'378, 16'379, 16'380, 16'400, 5,      2'100'000, 3};
  for (size_t i = 0; i < sizes.size(); ++i)
    AddMember(&batch, static_cast<int64_t>(i), std::string(sizes[i], 'x'));
  EncodedRows rows;
  Quarantine quarantine;
  const absl::StatusOr<size_t> taken = encoder.Append(batch, 0, SIZE_MAX, &rows, &quarantine);
  ASSERT_TRUE(taken.ok());
  EXPECT_EQ(*taken, sizes.size());
  ASSERT_EQ(rows.rows(), sizes.size());
  const std::vector<ReadRow> read = ReadProto(encoder.descriptor(), rows.bytes(), schema);
  ASSERT_EQ(read.size(), sizes.size());
  std::string joined;
  for (size_t i = 0; i < sizes.size(); ++i) {
    EXPECT_EQ(read[i].at("id"), std::to_string(i));
    EXPECT_EQ(read[i].at("name").size(), sizes[i]);
    joined += rows.Row(i);
    EXPECT_EQ(encoder.KeyText(rows.Message(i)), std::to_string(i));
  }
  EXPECT_EQ(joined, rows.bytes());
}

TEST(ProtoEncoder, StopsAtTheLimitAndGoesOnWithAFreshBuffer) {
  const SourceTable table = Members();
  const TableSchema schema = SchemaOf(table);
  ProtoEncoder encoder = EncoderFor(table, schema);
  Batch batch(3);
  for (int64_t id = 0; id < 100; ++id) AddMember(&batch, id, std::string(50, 'n'), kZeroDate);
  Quarantine quarantine;
  std::vector<std::string> ids;
  EncodedRows rows;
  for (size_t first = 0; first < 100;) {
    rows.Clear();
    const absl::StatusOr<size_t> taken = encoder.Append(batch, first, 500, &rows, &quarantine);
    ASSERT_TRUE(taken.ok());
    ASSERT_GT(*taken, 0u);
    EXPECT_LE(rows.bytes().size(), 500u);
    EXPECT_EQ(rows.rows(), *taken);
    for (const ReadRow& row : ReadProto(encoder.descriptor(), rows.bytes(), schema))
      ids.push_back(row.at("id"));
    first += *taken;
  }
  ASSERT_EQ(ids.size(), 100u);
  EXPECT_EQ(ids[99], "99");
  // A row that was cut back and encoded again is counted once.
  EXPECT_EQ(quarantine.values(), 100u);
  EXPECT_EQ(quarantine.columns()[0].column, "born");
  ASSERT_EQ(quarantine.columns()[0].first.size(), Quarantine::kSamples);
  EXPECT_EQ(quarantine.columns()[0].first[9].key, "9");
  EXPECT_EQ(quarantine.columns()[0].first[9].value, "0000-00-00");
}

TEST(ProtoEncoder, OneRowAboveTheLimitStillGoesAlone) {
  const SourceTable table = Members();
  ProtoEncoder encoder = EncoderFor(table, SchemaOf(table));
  Batch batch(3);
  AddMember(&batch, 1, std::string(1000, 'x'));
  AddMember(&batch, 2, "y");
  EncodedRows rows;
  Quarantine quarantine;
  EXPECT_EQ(*encoder.Append(batch, 0, 100, &rows, &quarantine), 1u);
  EXPECT_EQ(*encoder.Append(batch, 1, 100, &rows, &quarantine), 0u);
  rows.Clear();
  EXPECT_EQ(*encoder.Append(batch, 1, 100, &rows, &quarantine), 1u);
}

TEST(ProtoEncoder, PolicyErrorNamesTableColumnKeyAndValue) {
  const SourceTable table = Members();
  TableSchema schema = SchemaOf(table);
  schema.fields[2].invalid = InvalidPolicy::kError;
  ProtoEncoder encoder = EncoderFor(table, schema);
  Batch batch(3);
  AddMember(&batch, 1, "fits");
  AddMember(&batch, 17, "does not", kZeroDate);
  EncodedRows rows;
  Quarantine quarantine;
  const absl::Status status = encoder.Append(batch, 0, SIZE_MAX, &rows, &quarantine).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kDataLoss);
  EXPECT_EQ(status.message(),
            "column shop.items.born of the row with key 17: '0000-00-00' is no date of the calendar's years "
            "1 to 9999; "
            "hint: invalid: null delivers NULL and counts the value, invalid: string delivers its text");
  EXPECT_EQ(rows.rows(), 1u);
  EXPECT_EQ(ReadProto(encoder.descriptor(), rows.bytes(), schema).size(), 1u);
}

TEST(ProtoEncoder, RefusesNullInARequiredFieldAndAKeyThatDoesNotFit) {
  SourceTable table = Members();
  ProtoEncoder encoder = EncoderFor(table, SchemaOf(table));
  Batch batch(3);
  batch.AddRow();
  EncodedRows rows;
  Quarantine quarantine;
  EXPECT_THAT(std::string(encoder.Append(batch, 0, SIZE_MAX, &rows, &quarantine).status().message()),
              HasSubstr("shop.items.id of the row with key NULL: 'NULL' came for a field that is REQUIRED"));
  table.key->columns = {2};
  TableSchema schema = SchemaOf(table);
  ProtoEncoder merging = EncoderFor(table, schema, {.invalid_key = InvalidKey::kError});
  batch.Clear();
  AddMember(&batch, 1, "x", kZeroDate);
  EXPECT_THAT(std::string(merging.Append(batch, 0, SIZE_MAX, &rows, &quarantine).status().message()),
              HasSubstr("rows are told apart by this column"));
  EXPECT_TRUE(rows.bytes().empty());
}

TEST(ProtoEncoder, ValuesTooLargeForARowAreQuarantined) {
  const SourceTable table = Members();
  const TableSchema schema = SchemaOf(table);
  ProtoEncoder encoder = EncoderFor(table, schema, {.max_row_bytes = 1000});
  Batch batch(3);
  AddMember(&batch, 1, std::string(2000, 'x'));  // the value alone is too large
  AddMember(&batch, 2, std::string(999, 'x'));   // with the rest of the row it is
  AddMember(&batch, 3, std::string(900, 'x'));
  EncodedRows rows;
  Quarantine quarantine;
  ASSERT_TRUE(encoder.Append(batch, 0, SIZE_MAX, &rows, &quarantine).ok());
  const std::vector<ReadRow> read = ReadProto(encoder.descriptor(), rows.bytes(), schema);
  EXPECT_EQ(read[0].at("name"), "NULL");
  EXPECT_EQ(read[1].at("name"), "NULL");
  EXPECT_EQ(read[1].at("born"), "1970-01-01");
  EXPECT_EQ(read[2].at("name").size(), 900u);
  ASSERT_EQ(quarantine.values(), 2u);
  EXPECT_EQ(quarantine.columns()[0].first[0].reason, "is too large for one row of BigQuery's");
  EXPECT_EQ(quarantine.columns()[0].first[0].value, std::string(99, 'x') + "…");
}

TEST(ProtoEncoder, ChangesCarryTheirTypeAndSequenceAndDeletesTheKeyAlone) {
  const SourceTable table = Members();
  const TableSchema schema = SchemaOf(table);
  const ProtoOptions options{.change_fields = ProtoOptions::ChangeFields::kTypeAndSequence,
                             .invalid_key = InvalidKey::kError};
  ProtoEncoder encoder = EncoderFor(table, schema, options);
  Batch batch(3);
  AddMember(&batch, 1, "one");
  AddMember(&batch, 2, "two");
  const std::vector<RowChange> changes{{ChangeType::kUpsert, "a/1"}, {ChangeType::kDelete, "a/2"}};
  EncodedRows rows;
  Quarantine quarantine;
  ASSERT_TRUE(encoder.Append(batch, 0, SIZE_MAX, &rows, &quarantine, changes).ok());
  const std::vector<ReadRow> read = ReadProto(encoder.descriptor(), rows.bytes(), schema);
  EXPECT_EQ(read[0], (ReadRow{{"id", "1"},
                              {"name", "one"},
                              {"born", "1970-01-01"},
                              {"_CHANGE_TYPE", "UPSERT"},
                              {"_CHANGE_SEQUENCE_NUMBER", "a/1"}}));
  EXPECT_EQ(read[1], (ReadRow{{"id", "2"},
                              {"name", "NULL"},
                              {"born", "NULL"},
                              {"_CHANGE_TYPE", "DELETE"},
                              {"_CHANGE_SEQUENCE_NUMBER", "a/2"}}));
  EXPECT_EQ(encoder.Append(batch, 0, SIZE_MAX, &rows, &quarantine).status().code(),
            absl::StatusCode::kInternal);
  SourceTable keyless = table;
  keyless.key.reset();
  EXPECT_THAT(std::string(ProtoEncoder::Create(keyless, SchemaOf(keyless), options).status().message()),
              HasSubstr("needs a key"));
}

TEST(ProtoEncoder, NamesThatAreNoIdentifiersTravelInTheAnnotation) {
  SourceTable table =
      TableOf({ColumnOf("会員番号", SourceType::kInt, "int"), ColumnOf("field_1", SourceType::kInt, "int"),
               ColumnOf("a b", SourceType::kInt, "int")});
  const TableSchema schema = SchemaOf(table);
  ProtoEncoder encoder = EncoderFor(table, schema);
  Batch batch(3);
  for (Cell& cell : batch.AddRow()) cell = Cell::Integer(CellKind::kInt64, 7);
  EncodedRows rows;
  Quarantine quarantine;
  ASSERT_TRUE(encoder.Append(batch, 0, SIZE_MAX, &rows, &quarantine).ok());
  EXPECT_EQ(ReadProto(encoder.descriptor(), rows.bytes(), schema)[0],
            (ReadRow{{"会員番号", "7"}, {"field_1", "7"}, {"a b", "7"}}));
  ProtoEncoder again = EncoderFor(table, schema);
  EXPECT_EQ(again.descriptor(), encoder.descriptor());
}

TEST(ProtoEncoder, ManyColumnsHaveTagsOfEveryWidth) {
  std::vector<SourceColumn> columns;
  for (int i = 0; i < 2500; ++i)
    columns.push_back(ColumnOf("c" + std::to_string(i), SourceType::kInt, "int"));
  const SourceTable table = TableOf(columns);
  const TableSchema schema = SchemaOf(table);
  ProtoEncoder encoder = EncoderFor(table, schema);
  Batch batch(2500);
  int64_t value = -3;
  for (Cell& cell : batch.AddRow()) cell = Cell::Integer(CellKind::kInt64, value++);
  EncodedRows rows;
  Quarantine quarantine;
  ASSERT_TRUE(encoder.Append(batch, 0, SIZE_MAX, &rows, &quarantine).ok());
  const std::vector<ReadRow> read = ReadProto(encoder.descriptor(), rows.bytes(), schema);
  for (int i = 0; i < 2500; ++i) ASSERT_EQ(read[0].at("c" + std::to_string(i)), std::to_string(i - 3));
}

TEST(ProtoEncoder, KeyTextReadsEveryKindOfKeyBack) {
  SourceColumn wide = ColumnOf("wide", SourceType::kBigInt, "bigint unsigned");
  wide.is_unsigned = true;
  SourceColumn binary = ColumnOf("binary", SourceType::kVarbinary, "varbinary(8)");
  binary.length = 8;
  SourceTable table =
      TableOf({wide, binary, ColumnOf("at", SourceType::kDateTime, "datetime(6)"),
               ColumnOf("day", SourceType::kDate, "date"), ColumnOf("t", SourceType::kTimestamp, "timestamp"),
               ColumnOf("name", SourceType::kVarchar, "varchar(9)")});
  table.key = SourceKey{"PRIMARY", {0, 1, 2, 3, 4, 5}, true};
  const TableSchema schema = SchemaOf(table);
  ProtoEncoder encoder = EncoderFor(table, schema);
  Batch batch(6);
  const std::span<Cell> row = batch.AddRow();
  row[0] = Cell::Unsigned(UINT64_MAX);
  row[1] = Cell::Text(CellKind::kBytes, "\x01\xff");
  row[2] = Cell::Integer(CellKind::kDateTime, 19782 * int64_t{86'400'000'000} + 1);
  row[3] = Cell::Integer(CellKind::kDate, 0);
  row[4] = Cell::Integer(CellKind::kTimestamp, 1'000'000);
  row[5] = Cell::Text(CellKind::kString, "大阪");
  EncodedRows rows;
  Quarantine quarantine;
  ASSERT_TRUE(encoder.Append(batch, 0, SIZE_MAX, &rows, &quarantine).ok());
  EXPECT_EQ(encoder.KeyText(rows.Message(0)),
            "18446744073709551615, '01ff', '2024-02-29 00:00:00.000001', '1970-01-01', '1970-01-01 "
            "00:00:01.000000', "
            "'大阪'");
  EXPECT_EQ(encoder.KeyText("\xff\xff"), "(unreadable)");
}

}  // namespace
}  // namespace hakobu
