#include "source/schema.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <stop_token>
#include <string>
#include <thread>
#include <vector>

#include "tests/harness/connections.h"

namespace hakobu {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::MysqlServer;

class SchemaTest : public ::testing::TestWithParam<std::string> {
 protected:
  void SetUp() override {
    server_.Execute("DROP DATABASE IF EXISTS schema_test; CREATE DATABASE schema_test");
  }
  SourceTable Read(const std::string& create, const std::string& name = "t") {
    server_.Execute("USE schema_test; " + create);
    auto connection = Connect(server_);
    auto table = ReadTable(connection.get(), "schema_test", name);
    if (!table.ok()) throw std::runtime_error(table.status().ToString());
    return *std::move(table);
  }
  MysqlServer& server_ = MysqlServer::Shared(GetParam());
};

const SourceColumn& At(const SourceTable& table, const std::string& name) {
  for (const SourceColumn& column : table.columns) {
    if (column.name == name) return column;
  }
  throw std::runtime_error("no column " + name);
}

TEST_P(SchemaTest, ReadsEveryType) {
  const SourceTable table = Read(
      "CREATE TABLE t (a TINYINT UNSIGNED NOT NULL PRIMARY KEY COMMENT 'the ''key''', b TINYINT(1), c "
      "SMALLINT, "
      "d MEDIUMINT UNSIGNED, e INT, f BIGINT UNSIGNED ZEROFILL, g DECIMAL(65,30), h FLOAT, i DOUBLE "
      "UNSIGNED, "
      "j BIT(33), k YEAR, l CHAR(3) CHARACTER SET latin1, m VARCHAR(40) COLLATE utf8mb4_bin, n TINYTEXT, o "
      "LONGTEXT "
      "CHARACTER SET cp932, p BINARY(16), q VARBINARY(9), r LONGBLOB, s DATE, t DATETIME(3), u TIMESTAMP(6) "
      "NULL, "
      "v TIME(1), w JSON, x GEOMETRY, y INT GENERATED ALWAYS AS (e + 1) VIRTUAL, z INT GENERATED ALWAYS AS "
      "(e + 2) "
      "STORED, aa INT INVISIBLE DEFAULT 3, ab DATETIME DEFAULT CURRENT_TIMESTAMP) COMMENT 'table “comment”'");
  EXPECT_EQ(table.comment, "table “comment”");
  EXPECT_EQ(At(table, "a").comment, "the 'key'");
  EXPECT_FALSE(At(table, "a").nullable);
  EXPECT_TRUE(At(table, "a").is_unsigned);
  EXPECT_EQ(At(table, "b").type, SourceType::kTinyInt);
  EXPECT_TRUE(At(table, "b").nullable);
  EXPECT_EQ(At(table, "d").type, SourceType::kMediumInt);
  EXPECT_TRUE(At(table, "f").is_unsigned);
  EXPECT_EQ(At(table, "g").precision, 65u);
  EXPECT_EQ(At(table, "g").scale, 30u);
  EXPECT_EQ(At(table, "h").type, SourceType::kFloat);
  EXPECT_EQ(At(table, "j").length, 33u);
  EXPECT_EQ(At(table, "k").type, SourceType::kYear);
  EXPECT_EQ(At(table, "l").charset, "latin1");
  EXPECT_EQ(At(table, "l").length, 3u);
  EXPECT_EQ(At(table, "m").collation, "utf8mb4_bin");
  EXPECT_EQ(At(table, "n").type, SourceType::kText);
  EXPECT_EQ(At(table, "o").charset, "cp932");
  EXPECT_EQ(At(table, "p").type, SourceType::kBinary);
  EXPECT_EQ(At(table, "p").length, 16u);
  EXPECT_EQ(At(table, "r").type, SourceType::kBlob);
  EXPECT_EQ(At(table, "t").fraction, 3u);
  EXPECT_EQ(At(table, "u").type, SourceType::kTimestamp);
  EXPECT_EQ(At(table, "u").fraction, 6u);
  EXPECT_EQ(At(table, "v").fraction, 1u);
  EXPECT_EQ(At(table, "w").type, SourceType::kJson);
  EXPECT_EQ(At(table, "x").geometry, "geometry");
  EXPECT_EQ(At(table, "y").generated, Generated::kVirtual);
  EXPECT_EQ(At(table, "z").generated, Generated::kStored);
  EXPECT_TRUE(At(table, "aa").invisible);
  EXPECT_EQ(At(table, "ab").generated, Generated::kNo);
  EXPECT_FALSE(At(table, "ab").invisible);
}

TEST_P(SchemaTest, ReadsLabelsThatHoldQuotes) {
  const SourceTable table = Read(
      "CREATE TABLE t (a ENUM('x', 'it''s', 'a,b', '(c)', '', '日本', 'back\\\\slash', 'new\\nline'), b "
      "SET('one', "
      "'tw''o')) "
      "CHARACTER SET utf8mb4");
  EXPECT_THAT(table.columns[0].labels,
              ElementsAre("x", "it's", "a,b", "(c)", "", "日本", "back\\slash", "new\nline"));
  EXPECT_THAT(table.columns[1].labels, ElementsAre("one", "tw'o"));
}

TEST_P(SchemaTest, ReadsSpatialReferences) {
  if (server_.mariadb()) {
    EXPECT_EQ(Read("CREATE TABLE t (p POINT REF_SYSTEM_ID=4326, q POINT)").columns[0].srid, 4326u);
  } else {
    EXPECT_EQ(Read("CREATE TABLE t (p POINT SRID 4326, q POINT)").columns[0].srid, 4326u);
    const SourceTable vectors = Read("CREATE TABLE v (a VECTOR(3))", "v");
    EXPECT_EQ(vectors.columns[0].type, SourceType::kVector);
  }
  auto connection = Connect(server_);
  EXPECT_EQ(ReadTable(connection.get(), "schema_test", "t")->columns[1].srid, std::nullopt);
}

TEST_P(SchemaTest, ChoosesTheKey) {
  const auto key = [this](const std::string& definition) {
    server_.Execute("DROP TABLE IF EXISTS schema_test.t");
    const SourceTable table = Read("CREATE TABLE t (" + definition + ")");
    if (!table.key) return std::string("none");
    std::string text = table.key->name + (table.key->primary ? "!" : "");
    for (const size_t column : table.key->columns) text += " " + table.columns[column].name;
    return text;
  };
  EXPECT_EQ(key("a INT, b INT, PRIMARY KEY (b, a), UNIQUE u (a)"), "PRIMARY! b a");
  EXPECT_EQ(key("a INT, b INT NOT NULL, UNIQUE u (a), UNIQUE v (b)"), "v b");
  EXPECT_EQ(key("a INT NOT NULL, b VARCHAR(9) NOT NULL, c INT NOT NULL, UNIQUE u (b), UNIQUE v (c), UNIQUE w "
                "(a, b)"),
            "v c");
  EXPECT_EQ(key("a INT, UNIQUE u (a)"), "none");
  EXPECT_EQ(key("a BLOB NOT NULL, UNIQUE u (a(10))"), "none");
  EXPECT_EQ(key("a INT, INDEX i (a)"), "none");
}

TEST_P(SchemaTest, ReadsManyTablesInOrder) {
  server_.Execute(
      "USE schema_test; CREATE TABLE b (x INT PRIMARY KEY); CREATE TABLE a (y INT); CREATE VIEW w AS SELECT "
      "* FROM a;"
      "CREATE TABLE `odd ``name` (z INT); INSERT INTO b VALUES (1), (2), (3); ANALYZE TABLE b");
  auto connection = Connect(server_);
  EXPECT_THAT(*ListTables(connection.get(), "schema_test"), ElementsAre("a", "b", "odd `name"));
  const auto tables = ReadTables(connection.get(), "schema_test", {"odd `name", "b"});
  ASSERT_TRUE(tables.ok()) << tables.status();
  EXPECT_EQ((*tables)[0].columns[0].name, "z");
  EXPECT_EQ((*tables)[1].estimated_rows, 3u);
  EXPECT_GT((*tables)[1].data_bytes, 0u);
  EXPECT_EQ(ReadTables(connection.get(), "schema_test")->size(), 3u);
  const auto missing = ReadTables(connection.get(), "schema_test", {"a", "nope", "gone"});
  EXPECT_EQ(missing.status().code(), absl::StatusCode::kNotFound);
  EXPECT_THAT(std::string(missing.status().message()), HasSubstr("no table nope, gone"));
}

// Somebody who alters tables until he goes, whatever the test has found by then.
class Altering {
 public:
  Altering(const MysqlServer& server, const std::vector<std::string>& statements) {
    thread_ = std::jthread([&server, statements](const std::stop_token& stop) {
      while (!stop.stop_requested()) {
        for (const std::string& statement : statements) server.Execute(statement);
      }
    });
  }

 private:
  std::jthread thread_;
};

// MariaDB has no file for a table while an ALTER puts its new one in place.
TEST_P(SchemaTest, ATableThatIsBeingAlteredIsReadWhole) {
  server_.Execute(
      "USE schema_test; CREATE TABLE other (x INT PRIMARY KEY);"
      "CREATE TABLE t (id INT PRIMARY KEY, a INT, j JSON, KEY (a)) COMMENT 'whole'");
  const Altering altering(
      server_, {"ALTER TABLE schema_test.t MODIFY a BIGINT", "ALTER TABLE schema_test.t MODIFY a INT"});
  const auto connection = Connect(server_);
  for (int reading = 0; reading < 25; ++reading) {
    const auto tables = ReadTables(connection.get(), "schema_test", {"other", "t"});
    ASSERT_TRUE(tables.ok()) << tables.status();
    const SourceTable& table = (*tables)[1];
    EXPECT_EQ(table.comment, "whole");
    ASSERT_EQ(table.columns.size(), 3u);
    EXPECT_EQ(table.columns[2].type, SourceType::kJson);
    EXPECT_TRUE(table.key.has_value());
  }
}

TEST_P(SchemaTest, TablesThatAreBeingAlteredAreListed) {
  server_.Execute(
      "USE schema_test; CREATE TABLE other (x INT PRIMARY KEY); CREATE VIEW seen AS SELECT * FROM other;"
      "CREATE TABLE t (id INT PRIMARY KEY, a INT); CREATE TABLE u (id INT PRIMARY KEY) ENGINE=MyISAM;"
      "DROP DATABASE IF EXISTS schema_test_2; CREATE DATABASE schema_test_2;"
      "CREATE TABLE schema_test_2.v (id INT PRIMARY KEY, a INT)");
  const Altering one(server_,
                     {"ALTER TABLE schema_test.t MODIFY a BIGINT", "ALTER TABLE schema_test.t MODIFY a INT"});
  const Altering two(server_,
                     {"ALTER TABLE schema_test_2.v FORCE, ALGORITHM=COPY", "OPTIMIZE TABLE schema_test.u"});
  const auto connection = Connect(server_);
  for (int listing = 0; listing < 5; ++listing) {
    const auto tables = ListTablesOf(connection.get(), {"schema_test", "schema_test_2", "no_such_database"});
    ASSERT_TRUE(tables.ok()) << tables.status();
    EXPECT_THAT(tables->at("schema_test"), ElementsAre("other", "t", "u"));
    EXPECT_THAT(tables->at("schema_test_2"), ElementsAre("v"));
    EXPECT_THAT(tables->at("no_such_database"), ElementsAre());
  }
  EXPECT_TRUE(*IsBaseTable(connection.get(), "schema_test", "t"));
  EXPECT_FALSE(*IsBaseTable(connection.get(), "schema_test", "seen"));
  EXPECT_FALSE(*IsBaseTable(connection.get(), "schema_test", "T"));
}

// Columns of one moment and keys of another are no table that there ever was.
TEST_P(SchemaTest, ColumnsAndKeysAreOfOneMoment) {
  server_.Execute("USE schema_test; CREATE TABLE t (a INT NOT NULL, b INT NOT NULL, PRIMARY KEY (a))");
  const Altering altering(
      server_, {"ALTER TABLE schema_test.t DROP PRIMARY KEY, CHANGE a c INT NOT NULL, ADD PRIMARY KEY (b)",
                "ALTER TABLE schema_test.t DROP PRIMARY KEY, CHANGE c a INT NOT NULL, ADD PRIMARY KEY (a)"});
  const auto connection = Connect(server_);
  for (int reading = 0; reading < 25; ++reading) {
    const auto table = ReadTable(connection.get(), "schema_test", "t");
    ASSERT_TRUE(table.ok()) << table.status();
    ASSERT_TRUE(table->key.has_value());
    const bool first = table->columns[0].name == "a";
    EXPECT_EQ(table->columns[table->key->columns[0]].name, first ? "a" : "b");
  }
}

TEST(MariaDbSchema, ReadsItsOwnTypesAsText) {
  MysqlServer& server = MysqlServer::Shared("mariadb");
  server.Execute(
      "DROP DATABASE IF EXISTS own_types; CREATE DATABASE own_types; "
      "CREATE TABLE own_types.t (a UUID, b INET6, c INET4, d LONGTEXT CHECK (json_valid(d)))");
  auto connection = Connect(server);
  const auto table = ReadTable(connection.get(), "own_types", "t");
  ASSERT_TRUE(table.ok()) << table.status();
  EXPECT_EQ(table->columns[0].type, SourceType::kChar);
  EXPECT_EQ(table->columns[1].length, 39u);
  EXPECT_EQ(table->columns[3].type, SourceType::kJson);
}

INSTANTIATE_WITH_SERVERS(SchemaTest);

}  // namespace
}  // namespace hakobu
