// Every type of docs/formats/types.md, written by SQL into a real server, read by ChunkReader and decoded by
// RowDecoder. Expected values are written out here from the manual, or computed by the server from the value
// itself.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "decode/decode.h"
#include "source/source.h"
#include "tests/harness/connections.h"
#include "tests/harness/mysql_server.h"

namespace hakobu {
namespace {

using testing::MysqlServer;

std::string Hex(std::string_view bytes) {
  std::string hex;
  for (const char byte : bytes) hex += fmt::format("{:02X}", static_cast<uint8_t>(byte));
  return hex;
}

// `kind value`, for comparing with what a test expects.
std::string Describe(const Cell& cell) {
  switch (cell.kind) {
    case CellKind::kNull:
      return "null";
    case CellKind::kInt64:
      return fmt::format("int {}", cell.integer);
    case CellKind::kUInt64:
      return fmt::format("unsigned {}", cell.unsigned_integer);
    case CellKind::kFloat:
      return fmt::format("float {}", static_cast<float>(cell.real));
    case CellKind::kDouble:
      return fmt::format("double {}", cell.real);
    case CellKind::kDecimal:
      return fmt::format("decimal {}", cell.text());
    case CellKind::kString:
      return fmt::format("string {}", cell.text());
    case CellKind::kBytes:
      return "bytes " + Hex(cell.text());
    case CellKind::kDate:
      return fmt::format("date {}", cell.integer);
    case CellKind::kDateTime:
      return fmt::format("datetime {}", cell.integer);
    case CellKind::kTimestamp:
      return fmt::format("timestamp {}", cell.integer);
    case CellKind::kTime:
      return fmt::format("time {}", cell.integer);
    case CellKind::kJson:
      return fmt::format("json {}", cell.text());
    case CellKind::kGeometry:
      return "geometry " + Hex(cell.text());
    case CellKind::kVector:
      return "vector " + Hex(cell.text());
    case CellKind::kInvalid:
      return fmt::format("invalid {}", cell.text());
  }
  return "unknown";
}

struct Value {
  std::string sql;
  std::string expected;
};
struct TypeCase {
  std::string type;
  std::vector<Value> values;
};

// Days and microseconds here were computed with Python's datetime.
const TypeCase kBoth[] = {
    {"TINYINT", {{"-128", "int -128"}, {"127", "int 127"}, {"NULL", "null"}}},
    {"TINYINT UNSIGNED", {{"255", "int 255"}}},
    {"TINYINT(1)", {{"2", "int 2"}, {"-1", "int -1"}}},
    {"SMALLINT", {{"-32768", "int -32768"}, {"32767", "int 32767"}}},
    {"SMALLINT UNSIGNED", {{"65535", "int 65535"}}},
    {"MEDIUMINT", {{"-8388608", "int -8388608"}, {"8388607", "int 8388607"}}},
    {"MEDIUMINT UNSIGNED", {{"16777215", "int 16777215"}}},
    {"INT", {{"-2147483648", "int -2147483648"}, {"2147483647", "int 2147483647"}}},
    {"INT(9) ZEROFILL", {{"42", "int 42"}, {"4294967295", "int 4294967295"}}},
    {"BIGINT", {{"-9223372036854775808", "int -9223372036854775808"}, {"0", "int 0"}}},
    {"BIGINT UNSIGNED", {{"18446744073709551615", "unsigned 18446744073709551615"}, {"0", "unsigned 0"}}},
    {"DECIMAL(10,4)",
     {{"-123.45", "decimal -123.4500"}, {"0", "decimal 0.0000"}, {"-0.0001", "decimal -0.0001"}}},
    {"DECIMAL(12,2) ZEROFILL", {{"7.5", "decimal 7.50"}, {"0", "decimal 0.00"}}},
    {"DECIMAL(65,30)",
     {{"99999999999999999999999999999999999.999999999999999999999999999999",
       "decimal 99999999999999999999999999999999999.999999999999999999999999999999"}}},
    {"FLOAT",
     {{"0.1", "float 0.1"}, {"16777217", "float 16777216"}, {"3.402823466e38", "float 3.4028235e+38"}}},
    {"DOUBLE", {{"0.1", "double 0.1"}, {"-1.7976931348623157e308", "double -1.7976931348623157e+308"}}},
    {"BIT(1)", {{"b'1'", "unsigned 1"}, {"b'0'", "unsigned 0"}}},
    {"BIT(33)", {{"8589934591", "unsigned 8589934591"}}},
    {"BIT(64)", {{"0xFFFFFFFFFFFFFFFE", "unsigned 18446744073709551614"}}},
    {"YEAR", {{"1901", "int 1901"}, {"2155", "int 2155"}, {"0", "int 0"}}},
    {"CHAR(6)", {{"'ab  '", "string ab"}, {"'東京🍣'", "string 東京🍣"}, {"''", "string "}}},
    {"VARCHAR(20)",
     {{"'trailing  '", "string trailing  "}, {"'nul\\0byte'", std::string("string nul\0byte", 15)}}},
    {"VARCHAR(20) CHARACTER SET latin1", {{"'é€ñ'", "string é€ñ"}}},
    {"VARCHAR(20) CHARACTER SET cp932",
     {{"_binary X'FCFC'", "invalid 0xFCFC"}, {"''", "string "}, {"'ソ表①髙'", "string ソ表①髙"}}},
    {"VARCHAR(20) CHARACTER SET ujis", {{"'日本語ｱ'", "string 日本語ｱ"}}},
    {"VARCHAR(20) CHARACTER SET utf16", {{"'𠮷野家'", "string 𠮷野家"}}},
    {"CHAR(5) CHARACTER SET sjis", {{"'東 '", "string 東"}}},
    {"TEXT CHARACTER SET eucjpms", {{"'～①'", "string ～①"}}},
    {"TEXT CHARACTER SET gbk", {{"'漢字'", "string 漢字"}}},
    {"MEDIUMTEXT", {{"REPEAT('x', 300)", "string " + std::string(300, 'x')}}},
    {"ENUM('a', 'it''s', '日')", {{"'it''s'", "string it's"}, {"3", "string 日"}, {"'no such'", "string "}}},
    {"SET('a', 'b', '日')", {{"'a,日'", "string a,日"}, {"''", "string "}}},
    {"BINARY(4)", {{"X'01'", "bytes 01000000"}, {"X'FF00FF00'", "bytes FF00FF00"}}},
    {"VARBINARY(4)", {{"X'0100'", "bytes 0100"}, {"''", "bytes "}}},
    {"BLOB", {{"X'DEADBEEF'", "bytes DEADBEEF"}}},
    {"DATE",
     {{"'1970-01-01'", "date 0"},
      {"'2024-02-29'", "date 19782"},
      {"'0001-01-01'", "date -719162"},
      {"'9999-12-31'", "date 2932896"},
      {"'0000-00-00'", "invalid 0000-00-00"},
      {"'2024-00-10'", "invalid 2024-00-10"},
      {"'0000-05-10'", "invalid 0000-05-10"}}},
    {"DATETIME",
     {{"'2024-02-29 23:59:59'", "datetime 1709251199000000"},
      {"'1000-01-01 00:00:00'", "datetime -30610224000000000"},
      {"'0000-00-00 00:00:00'", "invalid 0000-00-00 00:00:00"},
      {"'2024-02-00 01:02:03'", "invalid 2024-02-00 01:02:03"}}},
    {"DATETIME(6)",
     {{"'9999-12-31 23:59:59.999999'", "datetime 253402300799999999"},
      {"'0000-00-00'", "invalid 0000-00-00 00:00:00.000000"}}},
    {"TIMESTAMP(3) NULL",
     {{"'2038-01-19 03:14:07.999'", "timestamp 2147483647999000"},
      {"'1970-01-01 00:00:01'", "timestamp 1000000"},
      {"0", "invalid 0000-00-00 00:00:00.000"}}},
    {"TIME",
     {{"'838:59:59'", "time 3020399000000"},
      {"'-838:59:59'", "time -3020399000000"},
      {"'25:30'", "time 91800000000"}}},
    {"TIME(6)", {{"'-00:00:00.000001'", "time -1"}, {"0", "time 0"}}},
    {"JSON", {{"'{\"a\": [1, 2.5, \"日\", null, true]}'", R"(json {"a": [1, 2.5, "日", null, true]})"}}},
    {"POINT",
     {{"ST_GeomFromText('POINT(1 2)')", "geometry 000000000101000000000000000000F03F0000000000000040"}}},
};

const TypeCase kOnlyMySql[] = {
    {"VECTOR(2)", {{"STRING_TO_VECTOR('[1.5,-2]')", "vector 0000C03F000000C0"}}},
    {"POINT SRID 4326",
     {{"ST_GeomFromText('POINT(139.7 35.6)', 4326, 'axis-order=long-lat')",
       "geometry E610000001010000006666666666766140CDCCCCCCCCCC4140"}}},
    {"JSON",
     {{"CAST(18446744073709551615 AS JSON)", "json 18446744073709551615"},
      {"JSON_OBJECT('d', CAST('2024-01-02' AS DATE))", R"(json {"d": "2024-01-02"})"}}},
};
const TypeCase kOnlyMariaDb[] = {
    {"UUID", {{"'123e4567-e89b-12d3-a456-426655440000'", "string 123e4567-e89b-12d3-a456-426655440000"}}},
    {"INET6", {{"'::1'", "string ::1"}}},
    {"POINT REF_SYSTEM_ID=4326",
     {{"ST_GeomFromText('POINT(139.7 35.6)', 4326)",
       "geometry E610000001010000006666666666766140CDCCCCCCCCCC4140"}}},
};

class WireTest : public ::testing::TestWithParam<std::string> {
 protected:
  void SetUp() override {
    server_.Execute("DROP DATABASE IF EXISTS wire; CREATE DATABASE wire CHARACTER SET utf8mb4");
    connection_ = Connect(server_);
  }

  void Check(const TypeCase& each) {
    SCOPED_TRACE(each.type);
    std::string sql = fmt::format(
        "USE wire; SET time_zone = '+00:00', sql_mode = ''; DROP TABLE IF EXISTS t; CREATE TABLE t "
        "(id INT PRIMARY KEY, v {}, last TINYINT NOT NULL);",
        each.type);
    for (size_t i = 0; i < each.values.size(); ++i) {
      sql += fmt::format("INSERT INTO t VALUES ({}, {}, 7);", i, each.values[i].sql);
    }
    server_.Execute(sql);
    auto table = ReadTable(connection_.get(), "wire", "t");
    ASSERT_TRUE(table.ok()) << table.status();
    const std::vector<size_t> columns = {0, 1, 2};
    ChunkReader reader(connection_.get(), &*table, columns);
    const RowDecoder decoder(*table, columns);
    Batch batch(decoder.batch_columns());
    ASSERT_TRUE(reader.Open({}).ok()) << reader.status();
    std::string_view packet;
    while (reader.Next(&packet)) ASSERT_TRUE(decoder.Decode(packet, &batch).ok()) << Hex(packet);
    ASSERT_TRUE(reader.status().ok()) << reader.status();
    ASSERT_EQ(batch.rows(), each.values.size());
    for (size_t i = 0; i < batch.rows(); ++i) {
      EXPECT_EQ(Describe(batch.Row(i)[1]), each.values[i].expected) << each.values[i].sql;
      EXPECT_EQ(batch.Row(i)[2].integer, 7);
    }
  }

  MysqlServer& server_ = MysqlServer::Shared(GetParam());
  std::unique_ptr<Connection> connection_;
};

TEST_P(WireTest, EveryTypeArrivesAsItsCell) {
  for (const TypeCase& each : kBoth) Check(each);
  if (server_.mariadb()) {
    for (const TypeCase& each : kOnlyMariaDb) Check(each);
  } else {
    for (const TypeCase& each : kOnlyMySql) Check(each);
  }
}

TEST_P(WireTest, ReadsChosenColumnsOfAWideRow) {
  std::string columns;
  std::string values;
  for (int i = 0; i < 300; ++i) {
    columns += fmt::format(", c{} INT", i);
    values += i % 3 == 0 ? ", NULL" : fmt::format(", {}", i);
  }
  server_.Execute("USE wire; CREATE TABLE w (id INT PRIMARY KEY" + columns + "); INSERT INTO w VALUES (1" +
                  values + ")");
  auto table = ReadTable(connection_.get(), "wire", "w");
  ASSERT_TRUE(table.ok()) << table.status();
  const std::vector<size_t> chosen = {300, 2, 1, 150};
  for (const bool all : {false, true}) {
    std::vector<size_t> read = chosen;
    if (all) {
      read.clear();
      for (size_t i = 0; i < 301; ++i) read.push_back(i);
    }
    ChunkReader reader(connection_.get(), &*table, read);
    const RowDecoder decoder(*table, read);
    Batch batch(decoder.batch_columns());
    ASSERT_TRUE(reader.Open({}).ok()) << reader.status();
    std::string_view packet;
    while (reader.Next(&packet)) ASSERT_TRUE(decoder.Decode(packet, &batch).ok());
    ASSERT_EQ(batch.rows(), 1u);
    EXPECT_EQ(Describe(batch.Row(0)[300]), "int 299");
    EXPECT_EQ(Describe(batch.Row(0)[2]), "int 1");
    EXPECT_EQ(Describe(batch.Row(0)[1]), "null");
    EXPECT_EQ(Describe(batch.Row(0)[150]), "int 149");
    EXPECT_EQ(Describe(batch.Row(0)[5]), all ? "int 4" : "null");
  }
}

INSTANTIATE_TEST_SUITE_P(Servers, WireTest, ::testing::Values(std::string("mysql"), std::string("mariadb")),
                         [](const auto& each) { return each.param; });

}  // namespace
}  // namespace hakobu
