// Every proto type BigQuery documents, in text and in packed form, through an append to what DuckDB then
// holds.
#include "localbq/storage_api/numeric.h"
#include "localbq/storage_api/storage_api_fixture.h"
#include "localbq/storage_api/temporal.h"
#include "localbq/storage_api/text_check.h"

namespace hakobu::localbq {
namespace {

using Field = google::protobuf::FieldDescriptorProto;
using testing::HasSubstr;

class ValueTypesTest : public StorageApiFixture {
 protected:
  // Appends one value to a new table's one column; answers DuckDB's text of it, or the error.
  std::string Store(Column column, Field::Type type, const std::string& row,
                    const std::string& type_name = "") {
    const std::string table = "t" + std::to_string(++tables_);
    column.name = "v";
    CreateTable(table, {column});
    auto descriptor = Descriptor({{"v", type}});
    if (!type_name.empty()) descriptor.mutable_field(0)->set_type_name(type_name);
    if (column.mode == Mode::kRepeated) descriptor.mutable_field(0)->set_label(Field::LABEL_REPEATED);
    AppendClient client(write_.get());
    const auto response = client.Send(client.Request(Parent(table) + "/streams/_default", descriptor, {row}));
    if (response.row_errors_size() > 0) return response.row_errors(0).message();
    if (response.has_error()) return response.error().message();
    return Text("SELECT v::VARCHAR FROM \"p:d\"." + table);
  }
  std::string Store(Type column, Field::Type type, const std::string& row,
                    const std::string& type_name = "") {
    return Store(MakeColumn("v", column), type, row, type_name);
  }
  static std::string Fixed64(double value) {
    std::string row = "\x09";
    return row.append(reinterpret_cast<const char*>(&value), 8);
  }
  int tables_ = 0;
};

TEST_F(ValueTypesTest, Scalars) {
  EXPECT_EQ(Store(Type::kInt64, Field::TYPE_INT64, Integer(1, -5)), "-5");
  EXPECT_EQ(Store(Type::kInt64, Field::TYPE_INT32, Integer(1, -5)), "-5");
  EXPECT_EQ(Store(Type::kInt64, Field::TYPE_UINT32, Integer(1, 4294967295)), "4294967295");
  EXPECT_EQ(Store(Type::kInt64, Field::TYPE_MESSAGE, Bytes(1, Integer(1, 7)), ".google.protobuf.Int64Value"),
            "7");
  EXPECT_THAT(
      Store(Type::kInt64, Field::TYPE_UINT64, Integer(1, 5)),
      HasSubstr(
          "The proto field mismatched with BigQuery field at Row.v, the proto field type uint64, BigQuery "
          "field type INTEGER"));
  EXPECT_EQ(Store(Type::kBool, Field::TYPE_BOOL, Integer(1, 1)), "true");
  EXPECT_EQ(Store(Type::kBool, Field::TYPE_INT64, Integer(1, 2)), "true");
  EXPECT_EQ(Store(Type::kFloat64, Field::TYPE_DOUBLE, Fixed64(1.5)), "1.5");
  EXPECT_EQ(Store(Type::kString, Field::TYPE_STRING, Bytes(1, "a text that is longer than twelve")),
            "a text that is longer than twelve");
  EXPECT_THAT(Store(Type::kString, Field::TYPE_STRING, Bytes(1, "\xff")), HasSubstr("UTF-8"));
  EXPECT_EQ(Store(Type::kBytes, Field::TYPE_BYTES, Bytes(1, std::string("\0\xff", 2))), "\\x00\\xFF");
  EXPECT_EQ(Store(Type::kJson, Field::TYPE_STRING, Bytes(1, R"({"a": [1, null]})")), R"({"a": [1, null]})");
  EXPECT_THAT(Store(Type::kJson, Field::TYPE_STRING, Bytes(1, "{a}")), HasSubstr("on field v."));
  EXPECT_EQ(Store(Type::kGeography, Field::TYPE_STRING, Bytes(1, "POINT(1 2)")), "POINT(1 2)");
}

TEST_F(ValueTypesTest, DatesAndTimes) {
  EXPECT_EQ(Store(Type::kDate, Field::TYPE_INT32, Integer(1, 19782)), "2024-02-29");
  EXPECT_EQ(Store(Type::kDate, Field::TYPE_STRING, Bytes(1, "0001-01-01")), "0001-01-01");
  EXPECT_THAT(Store(Type::kDate, Field::TYPE_INT64, Integer(1, 2932897)), HasSubstr("on field v."));
  EXPECT_EQ(Store(Type::kTime, Field::TYPE_INT64, Integer(1, 53880818196)), "12:34:56.789012");
  EXPECT_EQ(Store(Type::kTime, Field::TYPE_STRING, Bytes(1, "12:34:56.789")), "12:34:56.789");
  EXPECT_EQ(Store(Type::kDateTime, Field::TYPE_INT64, Integer(1, 142439222844801599)),
            "2024-02-29 23:59:59.999999");
  EXPECT_EQ(Store(Type::kDateTime, Field::TYPE_STRING, Bytes(1, "2024-02-29T23:59:59")),
            "2024-02-29 23:59:59");
  EXPECT_THAT(
      Store(Type::kDateTime, Field::TYPE_INT64, Integer(1, 1550402640)),
      HasSubstr(
          "Cannot return an invalid datetime value of 1550402640 microseconds expressed as civil time"));
  EXPECT_EQ(Store(Type::kTimestamp, Field::TYPE_INT64, Integer(1, 1'700'000'000'123'456)),
            "2023-11-14 22:13:20.123456+00");
  EXPECT_EQ(Store(Type::kTimestamp, Field::TYPE_MESSAGE, Bytes(1, Integer(1, 1) + Integer(2, 5000)),
                  ".google.protobuf.Timestamp"),
            "1970-01-01 00:00:01.000005+00");
  EXPECT_EQ(Store(Type::kInterval, Field::TYPE_STRING, Bytes(1, "1-2 3 4:5:6.7")),
            "1 year 2 months 3 days 04:05:06.7");
}

TEST_F(ValueTypesTest, Decimals) {
  EXPECT_EQ(Store(Type::kNumeric, Field::TYPE_STRING, Bytes(1, "-12.3456789012")), "-12.345678901");
  EXPECT_EQ(Store(Type::kNumeric, Field::TYPE_BYTES, Bytes(1, "\x75\x85\xdf\x02")).substr(0, 8), "0.048203");
  EXPECT_EQ(Store(Type::kNumeric, Field::TYPE_BYTES, Bytes(1, std::string("\x00\xca\x9a\x3b", 4))),
            "1.000000000");
  EXPECT_EQ(Store(Type::kNumeric, Field::TYPE_BYTES, Bytes(1, "\xff")), "-0.000000001");
  EXPECT_EQ(Store(Type::kNumeric, Field::TYPE_UINT64, Integer(1, -1)), "18446744073709551615.000000000");
  EXPECT_EQ(Store(Type::kNumeric, Field::TYPE_DOUBLE, Fixed64(0.1)), "0.100000000");
  EXPECT_THAT(Store(Type::kNumeric, Field::TYPE_STRING, Bytes(1, "100000000000000000000000000000")),
              HasSubstr("NUMERIC out of range"));
  EXPECT_EQ(
      Store(Type::kBigNumeric, Field::TYPE_STRING,
            Bytes(1, "-578960446186580977117854925043439539266.34992332820282019728792003956564819968")),
      "-57896044618658097711785492504343953926634992332820282019728792003956564819968");
  const std::string one("\x00\x00\x00\x00\x40\x22\x8a\x09\x7a\xc4\x86\x5a\xa8\x4c\x3b\x4b", 16);
  EXPECT_EQ(Store(Type::kBigNumeric, Field::TYPE_BYTES, Bytes(1, one)),
            "100000000000000000000000000000000000000");
  Column narrow = MakeColumn("v", Type::kNumeric);
  narrow.precision = 4;
  narrow.scale = 2;
  EXPECT_EQ(Store(narrow, Field::TYPE_STRING, Bytes(1, "12.345")), "12.350000000");
  EXPECT_THAT(Store(narrow, Field::TYPE_STRING, Bytes(1, "123.4")), HasSubstr("NUMERIC(4, 2)"));
}

TEST_F(ValueTypesTest, RepeatedPackedOrNot) {
  const Column list = MakeColumn("v", Type::kInt64, Mode::kRepeated);
  EXPECT_EQ(Store(list, Field::TYPE_INT64, ""), "[]");
  EXPECT_EQ(Store(list, Field::TYPE_INT64, Integer(1, 1) + Integer(1, 2)), "[1, 2]");
  EXPECT_EQ(Store(list, Field::TYPE_INT64, Bytes(1, "\x01\x02\x03")), "[1, 2, 3]");
  std::string many;
  for (int i = 0; i < 10'000; ++i) many += Integer(1, i);
  EXPECT_THAT(Store(list, Field::TYPE_INT64, many), HasSubstr("9998, 9999]"));
}

TEST_F(ValueTypesTest, NestedRecords) {
  Column inner = MakeColumn("items", Type::kRecord, Mode::kRepeated);
  inner.fields = {MakeColumn("name", Type::kString), MakeColumn("tags", Type::kString, Mode::kRepeated)};
  Column outer = MakeColumn("v", Type::kRecord);
  outer.fields = {MakeColumn("id", Type::kInt64, Mode::kRequired), inner};
  CreateTable("nested", {outer});
  auto descriptor = Descriptor({{"V", Field::TYPE_MESSAGE}});
  descriptor.mutable_field(0)->set_type_name("Outer");
  auto* outer_type = descriptor.add_nested_type();
  *outer_type = Descriptor({{"ID", Field::TYPE_INT64}, {"items", Field::TYPE_MESSAGE}});
  outer_type->set_name("Outer");
  outer_type->mutable_field(1)->set_label(Field::LABEL_REPEATED);
  outer_type->mutable_field(1)->set_type_name("Item");
  auto* item_type = outer_type->add_nested_type();
  *item_type = Descriptor({{"name", Field::TYPE_STRING}, {"tags", Field::TYPE_STRING}});
  item_type->set_name("Item");
  item_type->mutable_field(1)->set_label(Field::LABEL_REPEATED);
  const std::string items = Bytes(2, Bytes(1, "a") + Bytes(2, "x") + Bytes(2, "y")) + Bytes(2, Bytes(1, "b"));
  AppendClient client(write_.get());
  const auto response =
      client.Send(client.Request(Parent("nested") + "/_default", descriptor,
                                 {Bytes(1, Integer(1, 1) + items), "", Bytes(1, Integer(1, 2))}));
  EXPECT_TRUE(response.has_append_result()) << response.DebugString();
  EXPECT_EQ(Text("SELECT string_agg(coalesce(v::VARCHAR, 'NULL'), ' ' ORDER BY v) FROM \"p:d\".nested"),
            "{'id': 1, 'items': [{'name': a, 'tags': [x, y]}, {'name': b, 'tags': []}]} {'id': 2, 'items': "
            "[]} NULL");
  const auto missing =
      client.Send(client.Request(Parent("nested") + "/_default", descriptor, {Bytes(1, items)}));
  ASSERT_EQ(missing.row_errors_size(), 1);
  EXPECT_THAT(missing.row_errors(0).message(), HasSubstr("v.id"));
}

TEST(Numeric, TextAndBytesGoBothWays) {
  for (const std::string_view text :
       {"0", "1", "-1", "12.34", "-0.000000001", "99999999999999999999999999999.999999999",
        "-99999999999999999999999999999.999999999"}) {
    ScaledInteger value, again;
    ASSERT_TRUE(ParseScaled(text, kNumericScale, &value)) << text;
    EXPECT_TRUE(FitsNumeric(value));
    EXPECT_EQ(ToText(value, kNumericScale), text);
    char bytes[32];
    ToLittleEndian(value, 32, bytes);
    ASSERT_TRUE(FromLittleEndian({bytes, 32}, &again));
    EXPECT_EQ(again, value);
    EXPECT_EQ(FromInt128(ToInt128(value)), value);
    char bignum[35];
    ASSERT_TRUE(FromDuckDbBignum({bignum, ToDuckDbBignum(value, bignum)}, &again));
    EXPECT_EQ(again, value);
  }
  ScaledInteger value;
  EXPECT_TRUE(ParseScaled("1.5e3", kNumericScale, &value));
  EXPECT_EQ(ToText(value, kNumericScale), "1500");
  EXPECT_TRUE(ParseScaled("0.00000000049", kNumericScale, &value));
  EXPECT_EQ(ToText(value, kNumericScale), "0");
  EXPECT_TRUE(ParseScaled("-0.0000000005", kNumericScale, &value));
  EXPECT_EQ(ToText(value, kNumericScale), "-0.000000001");
  for (const std::string_view bad : {"", "-", ".", "1e", "1x", "--1", "1e99999", "NaN"}) {
    EXPECT_FALSE(ParseScaled(bad, kNumericScale, &value)) << bad;
  }
}

TEST(Temporal, CivilDatesGoBothWays) {
  for (int32_t day = kMinDay; day <= kMaxDay; day += 17) {
    const CivilDate date = CivilFromDays(day);
    ASSERT_EQ(DaysFromCivil(date.year, date.month, date.day), day);
    ASSERT_TRUE(IsCivilDate(date.year, date.month, date.day));
  }
  int64_t micros = 0;
  EXPECT_FALSE(ParseDateTime("2023-02-29 00:00:00", &micros));
  EXPECT_FALSE(ParseTime("24:00:00", &micros));
  EXPECT_FALSE(UnpackTime(int64_t{1} << 40, &micros));
}

TEST(TextCheck, Utf8AndJson) {
  EXPECT_TRUE(IsUtf8("plain, 日本語, \xf0\x9f\x8d\xa3"));
  for (const std::string_view bad :
       {"\xc0\x80", "\xed\xa0\x80", "\xf4\x90\x80\x80", "abcdefgh\x80", "\xe3\x81"}) {
    EXPECT_FALSE(IsUtf8(bad));
  }
  for (const std::string_view good :
       {"1", "-0.5e+3", "[]", R"({"a":{"b":[true,false,null,"\u00e9\n"]}})", " [1 , 2] "}) {
    EXPECT_TRUE(IsJson(good)) << good;
  }
  for (const std::string_view bad : {"", "01", "[1,]", "{'a':1}", "\"\n\"", "tru", "1 2", "[", R"("\x")"}) {
    EXPECT_FALSE(IsJson(bad)) << bad;
  }
  EXPECT_FALSE(IsJson(std::string(100'000, '[')));
}

}  // namespace
}  // namespace hakobu::localbq
