// Every type at its edges through both encoders, read back by others' code.
#include <gtest/gtest.h>

#include <random>

#include "encode/read_back.h"
#include "row/type_map.h"

namespace hakobu {
namespace {

using testing::ColumnOf;
using testing::EncodeBothWays;
using testing::ReadRow;
using testing::TableOf;

constexpr int64_t kDay = 86'400'000'000;

struct ValueCase {
  Cell cell;
  std::string expected;
  std::string reason;  // of quarantine; empty: the value fits
};

void ExpectValues(SourceColumn column, const ColumnChoice& choice, const std::vector<ValueCase>& cases,
                  TypeProfile profile = TypeProfile::kExact) {
  const SourceTable table = TableOf({std::move(column)});
  TypeChoices choices;
  choices.profile = profile;
  const absl::StatusOr<Field> field = MapColumn(table, 0, choices, choice);
  ASSERT_TRUE(field.ok()) << field.status();
  const TableSchema schema{{*field}, {}};
  for (const ValueCase& value : cases) {
    Batch batch(1);
    batch.AddRow()[0] = value.cell;
    batch.AddRow()[0] = Cell::Null();
    Quarantine quarantine;
    const std::vector<ReadRow> rows = EncodeBothWays(table, schema, batch, &quarantine);
    ASSERT_EQ(rows.size(), 2u) << value.expected;
    EXPECT_EQ(rows[0].at(field->name), value.expected);
    EXPECT_EQ(rows[1].at(field->name), field->mode == FieldMode::kRepeated ? "[]" : "NULL");
    ASSERT_EQ(quarantine.values(), value.reason.empty() ? 0u : 1u) << value.expected;
    if (!value.reason.empty()) {
      EXPECT_NE(quarantine.columns()[0].first[0].reason.find(value.reason), std::string::npos)
          << quarantine.columns()[0].first[0].reason;
    }
  }
}

Cell Int(int64_t value) {
  return Cell::Integer(CellKind::kInt64, value);
}
Cell Text(CellKind kind, std::string_view text) {
  return Cell::Text(kind, text);
}
Cell Decimal(std::string_view text) {
  return Cell::Text(CellKind::kDecimal, text);
}
Cell Invalid(std::string_view text) {
  return Cell::Text(CellKind::kInvalid, text);
}
Cell Time(int64_t micros) {
  return Cell::Integer(CellKind::kTime, micros);
}
ColumnChoice As(std::string as) {
  ColumnChoice choice;
  choice.as = std::move(as);
  return choice;
}
ColumnChoice WithInvalid(InvalidPolicy policy) {
  ColumnChoice choice;
  choice.invalid = policy;
  return choice;
}

SourceColumn DecimalColumn(uint32_t precision, uint32_t scale) {
  SourceColumn column = ColumnOf("c", SourceType::kDecimal, "decimal");
  column.precision = precision;
  column.scale = scale;
  return column;
}

SourceColumn Fraction(SourceType type, uint32_t digits) {
  SourceColumn column = ColumnOf("c", type, "temporal");
  column.fraction = digits;
  return column;
}

TEST(Types, Integers) {
  ExpectValues(ColumnOf("c", SourceType::kBigInt, "bigint"), {},
               {{Int(0), "0", ""},
                {Int(-1), "-1", ""},
                {Int(INT64_MIN), "-9223372036854775808", ""},
                {Int(INT64_MAX), "9223372036854775807", ""}});
  SourceColumn wide = ColumnOf("c", SourceType::kBigInt, "bigint unsigned");
  wide.is_unsigned = true;
  ExpectValues(wide, {},
               {{Cell::Unsigned(0), "0", ""},
                {Cell::Unsigned(UINT64_MAX), "18446744073709551615", ""},
                {Cell::Unsigned(1), "1", ""}});
  ExpectValues(wide, As("INT64"),
               {{Cell::Unsigned(INT64_MAX), "9223372036854775807", ""},
                {Cell::Unsigned(uint64_t{1} << 63), "NULL", "above INT64"}});
  ExpectValues(wide, As("STRING"), {{Cell::Unsigned(UINT64_MAX), "18446744073709551615", ""}});
  ExpectValues(ColumnOf("c", SourceType::kInt, "int"), As("NUMERIC"), {{Int(INT32_MIN), "-2147483648", ""}});
  ExpectValues(ColumnOf("c", SourceType::kTinyInt, "tinyint(1)"), {}, {{Int(2), "2", ""}});
  ExpectValues(ColumnOf("c", SourceType::kTinyInt, "tinyint(1)"), As("BOOL"),
               {{Int(0), "false", ""},
                {Int(1), "true", ""},
                {Int(2), "NULL", "neither"},
                {Int(-1), "NULL", "neither"}});
  ExpectValues(ColumnOf("c", SourceType::kYear, "year"), {}, {{Int(0), "0", ""}, {Int(2155), "2155", ""}});
}

TEST(Types, Bits) {
  SourceColumn bit = ColumnOf("c", SourceType::kBit, "bit(64)");
  bit.length = 64;
  ExpectValues(bit, {}, {{Cell::Unsigned(UINT64_MAX), "18446744073709551615", ""}});
  ExpectValues(bit, As("BYTES"), {{Cell::Unsigned(0x0102), "0x0000000000000102", ""}});
  bit.length = 63;
  ExpectValues(bit, {}, {{Cell::Unsigned(INT64_MAX), "9223372036854775807", ""}});
  bit.length = 1;
  ExpectValues(bit, As("BOOL"), {{Cell::Unsigned(1), "true", ""}, {Cell::Unsigned(0), "false", ""}});
  bit.length = 9;
  ExpectValues(bit, As("BYTES"), {{Cell::Unsigned(0x1ff), "0x01ff", ""}});
}

TEST(Types, Decimals) {
  ExpectValues(
      DecimalColumn(38, 9), {},
      {{Decimal("0.000000000"), "0", ""},
       {Decimal("-0.000000001"), "-0.000000001", ""},
       {Decimal("99999999999999999999999999999.999999999"), "99999999999999999999999999999.999999999", ""},
       {Decimal("-99999999999999999999999999999.999999999"), "-99999999999999999999999999999.999999999", ""},
       {Decimal("12.34"), "12.34", ""},
       {Decimal("-123.4500"), "-123.45", ""},
       {Decimal("9999999999999999999"), "9999999999999999999", ""}});
  const std::string wide = "12345678901234567890123456789012345678.12345678901234567890123456789";
  ExpectValues(DecimalColumn(65, 30), {},
               {{Decimal("0." + std::string(30, '0')), "0", ""},
                {Decimal("-99999999999999999999999999999999999.999999999999999999999999999999"),
                 "-99999999999999999999999999999999999.999999999999999999999999999999", ""}});
  ExpectValues(DecimalColumn(60, 30), As("BIGNUMERIC"), {{Decimal(wide), wide, ""}});
  ExpectValues(
      DecimalColumn(65, 0), As("BIGNUMERIC"),
      {{Decimal("578960446186580977117854925043439539266"), "578960446186580977117854925043439539266", ""},
       {Decimal("-578960446186580977117854925043439539266"), "-578960446186580977117854925043439539266", ""},
       {Decimal("578960446186580977117854925043439539267"), "NULL", "BIGNUMERIC's range"},
       {Decimal(std::string(65, '9')), "NULL", "BIGNUMERIC's range"}});
  ExpectValues(DecimalColumn(65, 0), {}, {{Decimal(std::string(65, '9')), std::string(65, '9'), ""}});
  ExpectValues(DecimalColumn(65, 30), As("NUMERIC"),
               {{Decimal("1.500000000000000000000000000000"), "1.5", ""},
                {Decimal("0.000000000100000000000000000000"), "NULL", "9 digits after"},
                {Decimal("100000000000000000000000000000"), "NULL", "29 digits before"}});
  ExpectValues(DecimalColumn(20, 10), As("FLOAT64"), {{Decimal("0.1000000000"), "0.1", ""}});
  ExpectValues(DecimalColumn(10, 2), As("STRING"), {{Decimal("-0.10"), "-0.10", ""}});
}

TEST(Types, Reals) {
  const SourceColumn real = ColumnOf("c", SourceType::kDouble, "double");
  const auto cell = [](double value) { return Cell::Real(CellKind::kDouble, value); };
  ExpectValues(real, {},
               {{cell(0.0), "0", ""},
                {cell(-0.0), "-0", ""},
                {cell(1.7976931348623157e308), "1.7976931348623157e+308", ""},
                {cell(5e-324), "5e-324", ""}});
  ExpectValues(
      real, As("STRING"),
      {{cell(1e300), "1e300", ""}, {cell(1e-7), "1e-7", ""}, {cell(0.1), "0.1", ""}, {cell(-0.0), "-0", ""}});
  ExpectValues(
      real, As("NUMERIC"),
      {{cell(2.5e-3), "0.0025", ""}, {cell(1e30), "NULL", "29 digits"}, {cell(1.0 / 3), "NULL", "9 digits"}});
  ExpectValues(real, As("BIGNUMERIC"),
               {{cell(1.0 / 3), "0.3333333333333333", ""}, {cell(1e39), "NULL", "range"}});
  const SourceColumn single = ColumnOf("c", SourceType::kFloat, "float");
  const Cell tenth = Cell::Real(CellKind::kFloat, 0.1f);
  ExpectValues(single, {}, {{tenth, "0.10000000149011612", ""}});
  ExpectValues(single, As("NUMERIC"), {{tenth, "0.1", ""}, {Cell::Real(CellKind::kFloat, -0.0f), "0", ""}});
  ExpectValues(single, As("STRING"), {{tenth, "0.1", ""}});
}

TEST(Types, TextsAndBytes) {
  SourceColumn text = ColumnOf("c", SourceType::kVarchar, "varchar(50)");
  text.length = 50;
  const std::string with_nul("a\0b", 3);
  ExpectValues(text, {},
               {{Text(CellKind::kString, ""), "", ""},
                {Text(CellKind::kString, "予約💰"), "予約💰", ""},
                {Text(CellKind::kString, with_nul), with_nul, ""},
                {Invalid("\xff\xfe"), "NULL", "no text"}});
  ExpectValues(text, WithInvalid(InvalidPolicy::kString), {{Invalid("a\xff"), "a\\xff", "no text"}});
  ExpectValues(text, As("BYTES"),
               {{Text(CellKind::kString, "é"), "0xc3a9", ""},
                {Invalid("\xff"), "0xff", ""},
                {Invalid("0xFC0A"), "0xfc0a", ""}});
  SourceColumn binary = ColumnOf("c", SourceType::kBinary, "binary(16)");
  binary.length = 16;
  const std::string bytes("\x00\x11\x22\x33\x44\x55\x66\x77\x88\x99\xaa\xbb\xcc\xdd\xee\xff", 16);
  const Cell cell = Text(CellKind::kBytes, bytes);
  ExpectValues(binary, {},
               {{cell, "0x00112233445566778899aabbccddeeff", ""}, {Text(CellKind::kBytes, ""), "0x", ""}});
  ExpectValues(binary, As("STRING"), {{cell, "00112233445566778899aabbccddeeff", ""}});
  ExpectValues(binary, As("string(base64)"), {{cell, "ABEiM0RVZneImaq7zN3u/w==", ""}});
  ExpectValues(binary, As("STRING(UUID)"),
               {{cell, "00112233-4455-6677-8899-aabbccddeeff", ""},
                {Text(CellKind::kBytes, "x"), "NULL", "16 bytes"}});
}

TEST(Types, DatesAndTimes) {
  ExpectValues(Fraction(SourceType::kDate, 0), {},
               {{Cell::Integer(CellKind::kDate, -719162), "0001-01-01", ""},
                {Cell::Integer(CellKind::kDate, 2932896), "9999-12-31", ""},
                {Cell::Integer(CellKind::kDate, 0), "1970-01-01", ""},
                {Cell::Integer(CellKind::kDate, 2932897), "NULL", "no date"},
                {Invalid("0000-00-00"), "NULL", "no date"}});
  ExpectValues(
      Fraction(SourceType::kDate, 0), As("STRING"),
      {{Invalid("2024-00-10"), "2024-00-10", ""}, {Cell::Integer(CellKind::kDate, 19782), "2024-02-29", ""}});
  ExpectValues(Fraction(SourceType::kDate, 0), WithInvalid(InvalidPolicy::kString),
               {{Invalid("0000-00-00"), "0000-00-00", "no date"}});
  const int64_t leap = 19782 * kDay + kDay - 1;
  ExpectValues(Fraction(SourceType::kDateTime, 6), {},
               {{Cell::Integer(CellKind::kDateTime, leap), "2024-02-29 23:59:59.999999", ""},
                {Cell::Integer(CellKind::kDateTime, -719162 * kDay), "0001-01-01 00:00:00.000000", ""},
                {Cell::Integer(CellKind::kDateTime, -1), "1969-12-31 23:59:59.999999", ""},
                {Cell::Integer(CellKind::kDateTime, 2932897 * kDay - 1), "9999-12-31 23:59:59.999999", ""},
                {Invalid("0000-00-00 00:00:00"), "NULL", "no date"}});
  ExpectValues(Fraction(SourceType::kDateTime, 3), As("STRING"),
               {{Cell::Integer(CellKind::kDateTime, leap - 999), "2024-02-29 23:59:59.999", ""}});
  ExpectValues(
      Fraction(SourceType::kTimestamp, 6), {},
      {{Cell::Integer(CellKind::kTimestamp, 1'000'000), "1970-01-01 00:00:01.000000Z", ""},
       {Cell::Integer(CellKind::kTimestamp, 2'147'483'647'999'999), "2038-01-19 03:14:07.999999Z", ""},
       {Invalid("0000-00-00 00:00:00"), "NULL", "no date"}});
}

TEST(Types, ZonesByTheirStatedRules) {
  const auto civil = [](int64_t micros) { return Cell::Integer(CellKind::kDateTime, micros); };
  const int64_t spring = 19812 * kDay;  // 2024-03-30
  const int64_t autumn = 20023 * kDay;  // 2024-10-27
  ExpectValues(
      Fraction(SourceType::kDateTime, 6), As("TIMESTAMP(Asia/Tokyo)"),
      {{civil(0), "1969-12-31 15:00:00.000000Z", ""}, {civil(-1), "1969-12-31 14:59:59.999999Z", ""}});
  ExpectValues(Fraction(SourceType::kDateTime, 6), As("TIMESTAMP(Europe/Berlin)"),
               {{civil(spring), "2024-03-29 23:00:00.000000Z", ""},
                {civil(spring + kDay + 2 * kDay / 24 + 1), "NULL", "put forward"},
                {civil(autumn + 2 * kDay / 24 + kDay / 48), "2024-10-27 00:30:00.000000Z", ""},
                {civil(autumn + 3 * kDay / 24), "2024-10-27 02:00:00.000000Z", ""}});
  ExpectValues(Fraction(SourceType::kDateTime, 6), As("TIMESTAMP(America/New_York)"),
               {{civil(2932897 * kDay - 1), "NULL", "years 1 to 9999"}});
  ExpectValues(Fraction(SourceType::kTimestamp, 6), As("DATETIME(Asia/Tokyo)"),
               {{Cell::Integer(CellKind::kTimestamp, kDay - 1), "1970-01-02 08:59:59.999999", ""}});
  ExpectValues(Fraction(SourceType::kDate, 0), As("TIMESTAMP(UTC)"),
               {{Cell::Integer(CellKind::kDate, 1), "1970-01-02 00:00:00.000000Z", ""}});
}

TEST(Types, Times) {
  const int64_t largest = (838 * 3600 + 59 * 60 + 59) * int64_t{1'000'000};
  const int64_t closing = (25 * 60 + 30) * int64_t{60'000'000};
  ExpectValues(Fraction(SourceType::kTime, 0), {},
               {{Time(0), "00:00:00", ""},
                {Time(largest), "838:59:59", ""},
                {Time(-largest), "-838:59:59", ""},
                {Time(closing), "25:30:00", ""},
                {Time(-1'000'000), "-00:00:01", ""}});
  ExpectValues(Fraction(SourceType::kTime, 6), {}, {{Time(-1), "-00:00:00.000001", ""}});
  ExpectValues(Fraction(SourceType::kTime, 6), As("TIME"),
               {{Time(kDay - 1), "23:59:59.999999", ""},
                {Time(0), "00:00:00.000000", ""},
                {Time(kDay), "NULL", "outside 00:00:00"},
                {Time(-1), "NULL", "outside 00:00:00"}});
  ExpectValues(Fraction(SourceType::kTime, 6), As("INTERVAL"),
               {{Time(-largest), "0-0 0 -838:59:59", ""},
                {Time(closing + 500'000), "0-0 0 25:30:0.500000", ""},
                {Time(-1), "0-0 0 -0:0:0.000001", ""}});
  ExpectValues(Fraction(SourceType::kTime, 6), As("INT64"), {{Time(-largest), "-3020399000000", ""}});
}

TEST(Types, Json) {
  const SourceColumn checked = ColumnOf("c", SourceType::kJson, "json");
  const SourceColumn unchecked = ColumnOf("c", SourceType::kJson, "longtext");
  const std::string fits = R"({"big": 18446744073709551615, "x": 1.5, "e": 1e300})";
  const auto cell = [](std::string_view text) { return Cell::Text(CellKind::kJson, text); };
  ExpectValues(checked, {}, {{cell(fits), fits, ""}, {cell("null"), "null", ""}});
  for (const char* wide :
       {R"({"big": 123456789012345678901234567890})", R"([-9223372036854775809])", R"({"e": 1e400})"}) {
    ExpectValues(checked, {}, {{cell(wide), "NULL", "number"}});
    ExpectValues(checked, As("STRING"), {{cell(wide), wide, ""}});
  }
  ExpectValues(
      unchecked, {},
      {{cell(fits), fits, ""}, {cell("{\"a\": }"), "NULL", "no JSON"}, {cell(""), "NULL", "no JSON"}});
  ExpectValues(unchecked, As("STRING"), {{cell("{\"a\": }"), "{\"a\": }", ""}});
}

TEST(Types, Vectors) {
  const SourceColumn vector = ColumnOf("c", SourceType::kVector, "vector(2)");
  const std::string floats("\x00\x00\x80\x3f\x00\x00\x20\xc0", 8);
  ExpectValues(vector, {},
               {{Text(CellKind::kVector, floats), "[1,-2.5]", ""}, {Text(CellKind::kVector, ""), "[]", ""}});
  ExpectValues(vector, As("STRING"), {{Text(CellKind::kVector, floats), "[1,-2.5]", ""}});
}

TEST(Types, ProfileEmbulk) {
  constexpr TypeProfile profile = TypeProfile::kEmbulk;
  ExpectValues(ColumnOf("c", SourceType::kTinyInt, "tinyint(1)"), {}, {{Int(1), "true", ""}}, profile);
  ExpectValues(DecimalColumn(10, 2), {}, {{Decimal("1.10"), "1.1", ""}}, profile);
  ExpectValues(Fraction(SourceType::kDate, 0), {},
               {{Cell::Integer(CellKind::kDate, 1), "1970-01-02 00:00:00.000000Z", ""}}, profile);
  ExpectValues(Fraction(SourceType::kDateTime, 6), {},
               {{Cell::Integer(CellKind::kDateTime, 1), "1970-01-01 00:00:00.000001Z", ""}}, profile);
  ExpectValues(Fraction(SourceType::kTime, 6), {},
               {{Time(1), "1970-01-01 00:00:00.000001Z", ""}, {Time(kDay), "NULL", "outside"}}, profile);
  ExpectValues(ColumnOf("c", SourceType::kJson, "json"), {}, {{Text(CellKind::kJson, "[1]"), "[1]", ""}},
               profile);
  ExpectValues(ColumnOf("c", SourceType::kBlob, "blob"), {}, {{Text(CellKind::kBytes, "x"), "0x78", ""}},
               profile);
}

TEST(Types, ProfileDatastream) {
  constexpr TypeProfile profile = TypeProfile::kDatastream;
  ExpectValues(DecimalColumn(38, 0), {},
               {{Decimal("1"), "1", ""}, {Decimal(std::string(38, '9')), "NULL", "29 digits"}}, profile);
  ExpectValues(ColumnOf("c", SourceType::kBlob, "blob"), {}, {{Text(CellKind::kBytes, "x\xff"), "78ff", ""}},
               profile);
  ExpectValues(Fraction(SourceType::kTime, 0), {}, {{Time(1'000'000), "0-0 0 0:0:1", ""}}, profile);
  ExpectValues(ColumnOf("c", SourceType::kGeometry, "point"), {},
               {{Text(CellKind::kGeometry, "x"), "NULL", ""}}, profile);
}

// Cells outside what cell.h promises are a fault of whoever made them: counted, never written.
TEST(Types, CellsOutsideTheirKindAreQuarantined) {
  const Cell late = Cell::Integer(CellKind::kTimestamp, INT64_MAX);
  ExpectValues(Fraction(SourceType::kTimestamp, 6), As("DATETIME(Asia/Tokyo)"), {{late, "NULL", "no date"}});
  ExpectValues(Fraction(SourceType::kTimestamp, 6), As("STRING"), {{late, "NULL", "no date"}});
  ExpectValues(Fraction(SourceType::kDate, 0), As("STRING"),
               {{Cell::Integer(CellKind::kDate, INT64_MIN), "NULL", "no date"}});
  ExpectValues(ColumnOf("c", SourceType::kInt, "int"), {},
               {{Text(CellKind::kString, "17"), "NULL", "another kind"}});
}

// What a server could hold of a type, at random.
Cell AnyValue(const SourceColumn& column, std::mt19937_64* random, Arena* arena) {
  const uint64_t bits = (*random)() >> ((*random)() % 60);
  const auto micros = static_cast<int64_t>((*random)() % 315'537'897'600'000'000) - 62'135'596'800'000'000;
  switch (column.type) {
    case SourceType::kBigInt:
      return column.is_unsigned ? Cell::Unsigned(bits) : Int(static_cast<int64_t>(bits));
    case SourceType::kDecimal: {
      std::string text = bits % 2 == 0 ? "-" : "";
      const size_t digits = bits % 30;
      for (size_t i = 0; i <= digits; ++i) text += static_cast<char>('0' + (*random)() % 10);
      return Decimal(arena->Copy(text + "." + std::to_string((*random)() % 1'000'000)));
    }
    case SourceType::kDouble:
      return Cell::Real(CellKind::kDouble, static_cast<double>(micros) / 7.0);
    case SourceType::kVarchar:
      return Text(CellKind::kString, arena->Copy(std::string(bits % 300, 'x') + "道"));
    case SourceType::kBlob:
      return Text(CellKind::kBytes, arena->Copy(std::string(bits % 300, static_cast<char>(bits))));
    case SourceType::kDate:
      return Cell::Integer(CellKind::kDate, micros / kDay);
    case SourceType::kDateTime:
      return Cell::Integer(CellKind::kDateTime, micros);
    case SourceType::kTimestamp:
      return Cell::Integer(CellKind::kTimestamp, micros);
    default:
      return Time(static_cast<int64_t>((*random)() % 6'040'800'000'000) - 3'020'400'000'000);
  }
}

TEST(Types, RandomRowsAreTheSameBothWays) {
  const auto seed = std::random_device()();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937_64 random(seed);
  SourceColumn wide = ColumnOf("wide", SourceType::kBigInt, "bigint unsigned");
  wide.is_unsigned = true;
  std::vector<SourceColumn> columns{wide,
                                    ColumnOf("id", SourceType::kBigInt, "bigint"),
                                    ColumnOf("real", SourceType::kDouble, "double"),
                                    ColumnOf("text", SourceType::kVarchar, "varchar(999)"),
                                    ColumnOf("blob", SourceType::kBlob, "blob"),
                                    Fraction(SourceType::kDate, 0),
                                    Fraction(SourceType::kDateTime, 6),
                                    Fraction(SourceType::kTimestamp, 6),
                                    Fraction(SourceType::kTime, 6),
                                    DecimalColumn(38, 9),
                                    DecimalColumn(60, 25)};
  for (size_t i = 5; i < columns.size(); ++i) columns[i].name = "c" + std::to_string(i);
  const SourceTable table = TableOf(columns);
  const TableSchema schema = testing::SchemaOf(table);
  Batch batch(columns.size());
  for (int i = 0; i < 300; ++i) {
    const std::span<Cell> row = batch.AddRow();
    for (size_t place = 0; place < columns.size(); ++place) {
      if (random() % 8 != 0) row[place] = AnyValue(columns[place], &random, &batch.arena());
    }
  }
  Quarantine quarantine;
  const std::vector<ReadRow> rows = EncodeBothWays(table, schema, batch, &quarantine);
  ASSERT_EQ(rows.size(), 300u);
  // Decimals may have an integer digit more than NUMERIC holds; nothing else fails to fit.
  for (const QuarantinedColumn& column : quarantine.columns()) EXPECT_EQ(column.column, "c9");
  for (size_t i = 0; i < rows.size(); ++i) {
    const Cell& id = batch.Row(i)[1];
    EXPECT_EQ(rows[i].at("id"), id.kind == CellKind::kNull ? "NULL" : std::to_string(id.integer));
  }
}

}  // namespace
}  // namespace hakobu
