#include "decode/ddl/schema_history.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "decode/ddl/parse.h"

namespace hakobu::ddl {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using Kind = TableEffect::Kind;

class SchemaHistoryTest : public ::testing::Test {
 protected:
  explicit SchemaHistoryTest(Dialect dialect = Dialect::kMySql) : history_(dialect, false) {
    context_.dialect = dialect;
    context_.version = dialect == Dialect::kMySql ? 90700 : 101106;
    context_.database = "d";
    history_.AddDatabase({"d", "utf8mb4_0900_ai_ci"});
  }

  std::vector<TableEffect> Run(std::string_view text) {
    std::vector<TableEffect> effects;
    const auto changes = ParseDdl(text, context_);
    EXPECT_TRUE(changes.ok()) << changes.status();
    for (size_t i = 0; changes.ok() && i < changes->size(); ++i) {
      for (TableEffect& effect : history_.Apply((*changes)[i], context_))
        effects.push_back(std::move(effect));
    }
    return effects;
  }
  // `a int, b varchar(3) latin1_bin NOT NULL; key a`
  std::string Show(std::string_view table, std::string_view database = "d") {
    const SourceTable* found = history_.Find(database, table);
    if (found == nullptr) return "none";
    std::string text;
    for (const SourceColumn& column : found->columns) {
      text += fmt::format("{}{} {}{}{}{}", text.empty() ? "" : ", ", column.name, column.declared,
                          column.collation.empty() ? "" : " ", column.collation,
                          column.nullable ? "" : " NOT NULL");
    }
    if (!found->key) return text;
    text += "; " + found->key->name;
    for (const size_t place : found->key->columns) text += " " + found->columns[place].name;
    return text;
  }

  DdlContext context_;
  SchemaHistory history_;
};

class MariaDbHistoryTest : public SchemaHistoryTest {
 protected:
  MariaDbHistoryTest() : SchemaHistoryTest(Dialect::kMariaDb) {
    history_.AddDatabase({"d", "latin1_swedish_ci"});
  }
};

TEST_F(SchemaHistoryTest, ColumnsHaveWhatTheServerGivesThem) {
  Run("CREATE TABLE t (id INT(11) AUTO_INCREMENT, a VARCHAR(3), b CHAR(2) CHARACTER SET latin1 BINARY, c "
      "TEXT(100), d CHAR "
      "BYTE, e TINYINT(1) UNSIGNED, f FLOAT(30), PRIMARY KEY (a, id), KEY (id)) DEFAULT CHARSET=utf8");
  EXPECT_EQ(Show("t"),
            "id int NOT NULL, a varchar(3) utf8mb3_general_ci NOT NULL, b char(2) latin1_bin, c text "
            "utf8mb3_general_ci, "
            "d binary(1), e tinyint unsigned, f double; PRIMARY a id");
}

TEST_F(SchemaHistoryTest, CharacterSetsComeFromServerDatabaseTableAndColumn) {
  context_.server_collation = "cp932_japanese_ci";
  Run("CREATE DATABASE e");
  Run("CREATE DATABASE f COLLATE latin1_bin");
  Run("CREATE TABLE e.t (a CHAR(1))");
  Run("CREATE TABLE f.t (a CHAR(1), b CHAR(1) COLLATE utf8mb4_bin)");
  EXPECT_EQ(Show("t", "e"), "a char(1) cp932_japanese_ci");
  EXPECT_EQ(Show("t", "f"), "a char(1) latin1_bin, b char(1) utf8mb4_bin");
  Run("ALTER TABLE f.t DEFAULT CHARACTER SET utf8mb4, ADD c CHAR(1), MODIFY a CHAR(2)");
  EXPECT_EQ(Show("t", "f"),
            "a char(2) utf8mb4_0900_ai_ci, b char(1) utf8mb4_bin, c char(1) utf8mb4_0900_ai_ci");
}

TEST_F(SchemaHistoryTest, ConversionWidensTexts) {
  Run("CREATE TABLE t (a TEXT, b CHAR(3), c BLOB, d JSON) CHARSET latin1");
  const auto effects = Run("ALTER TABLE t CONVERT TO CHARACTER SET utf8mb4 COLLATE utf8mb4_bin");
  EXPECT_EQ(Show("t"), "a mediumtext utf8mb4_bin, b char(3) utf8mb4_bin, c blob, d json");
  ASSERT_EQ(effects.size(), 1u);
  ASSERT_EQ(effects[0].columns.size(), 3u);
  EXPECT_EQ(effects[0].columns[0].kind, ColumnEffect::Kind::kRetyped);
  EXPECT_EQ(effects[0].columns[1].kind, ColumnEffect::Kind::kCharset);
}

TEST_F(SchemaHistoryTest, TwoCharacterSetsInOneStatementAreNotGuessed) {
  Run("CREATE TABLE t (a TEXT CHARACTER SET utf8mb3) CHARSET utf8mb4");
  const auto effects = Run("ALTER TABLE t CONVERT TO CHARACTER SET latin1, DEFAULT CHARSET latin2");
  ASSERT_EQ(effects.size(), 1u);
  EXPECT_EQ(effects[0].kind, TableEffect::Kind::kUnknown);
}

TEST_F(SchemaHistoryTest, PlacesFollowTheStatementsOrder) {
  Run("CREATE TABLE t (a INT, b INT, c INT, d INT)");
  Run("ALTER TABLE t ADD x INT AFTER c, MODIFY c BIGINT FIRST, ADD y INT FIRST, DROP b, RENAME COLUMN d TO "
      "a2, CHANGE a D INT");
  EXPECT_EQ(Show("t"), "y int, c bigint, D int, x int, a2 int");
}

TEST_F(SchemaHistoryTest, EffectsSayWhatHappenedToColumns) {
  Run("CREATE TABLE t (a INT, b INT, d INT, c INT)");
  const auto effects =
      Run("ALTER TABLE t ADD n INT NOT NULL DEFAULT 7, DROP a, RENAME COLUMN b TO b2, MODIFY c BIGINT FIRST");
  ASSERT_EQ(effects.size(), 1u);
  std::vector<std::string> seen;
  for (const ColumnEffect& effect : effects[0].columns) {
    seen.push_back(fmt::format("{} {} {}{}", static_cast<int>(effect.kind), effect.name, effect.before,
                               effect.constant));
  }
  EXPECT_THAT(seen, ElementsAre("1 a ", "3 c ", "6 c ", "2 b2 b", "0 n 7"));
  EXPECT_EQ(effects[0].columns[4].fill, DefaultKind::kConstant);
  EXPECT_FALSE(effects[0].key_changed);
}

TEST_F(SchemaHistoryTest, TheKeyIsTheOneThatStandsForARow) {
  Run("CREATE TABLE t (a INT NOT NULL, b INT NOT NULL, c INT, UNIQUE (a, b), UNIQUE KEY u (c), PRIMARY KEY "
      "(b))");
  EXPECT_THAT(Show("t"), HasSubstr("; PRIMARY b"));
  EXPECT_TRUE(Run("ALTER TABLE t DROP PRIMARY KEY")[0].key_changed);
  EXPECT_THAT(Show("t"), HasSubstr("; a a b"));
  Run("ALTER TABLE t MODIFY c INT NOT NULL");
  EXPECT_THAT(Show("t"), HasSubstr("; u c"));
  Run("DROP INDEX u ON t");
  EXPECT_FALSE(Run("ALTER TABLE t RENAME COLUMN a TO a2")[0].key_changed);
  EXPECT_THAT(Show("t"), HasSubstr("; a a2 b"));
  EXPECT_TRUE(Run("ALTER TABLE t DROP b")[0].key_changed);
  EXPECT_THAT(Show("t"), HasSubstr("; a a2"));
  Run("CREATE UNIQUE INDEX v ON t (c)");
  Run("ALTER TABLE t DROP KEY a");
  EXPECT_THAT(Show("t"), HasSubstr("; v c"));
}

TEST_F(SchemaHistoryTest, TheSwapThatMigrationToolsEndWith) {
  Run("CREATE TABLE t (a INT)");
  Run("CREATE TABLE `_t_gho` LIKE t");
  Run("ALTER TABLE `_t_gho` ADD b INT");
  const auto effects = Run("RENAME TABLE t TO `_t_del`, `_t_gho` TO t");
  EXPECT_EQ(Show("t"), "a int, b int");
  EXPECT_EQ(Show("_t_del"), "a int");
  ASSERT_EQ(effects.size(), 2u);
  EXPECT_EQ(effects[1].kind, Kind::kRenamed);
  EXPECT_EQ(effects[1].to.table, "t");
}

TEST_F(SchemaHistoryTest, RowsThatVanishUnseenAreTold) {
  Run("CREATE TABLE t (a INT) PARTITION BY RANGE (a) (PARTITION p VALUES LESS THAN (1))");
  for (const char* text : {"ALTER TABLE t DROP PARTITION p", "ALTER TABLE t TRUNCATE PARTITION ALL",
                           "DELETE FROM t WHERE a > 1"}) {
    const auto effects = Run(text);
    ASSERT_FALSE(effects.empty()) << text;
    EXPECT_EQ(effects.back().kind, Kind::kRowsChangedUnseen) << text;
  }
  const auto exchanged = Run("ALTER TABLE t EXCHANGE PARTITION p WITH TABLE u");
  ASSERT_GE(exchanged.size(), 2u);
  EXPECT_EQ(exchanged.back().table.table, "u");
  EXPECT_EQ(Run("TRUNCATE t")[0].kind, Kind::kTruncated);
}

TEST_F(SchemaHistoryTest, WhatCannotBeFollowedIsUncertainUntilItIsMadeAnew) {
  Run("CREATE TABLE t (a INT)");
  EXPECT_EQ(Run("ALTER TABLE t ADD b WIBBLE")[0].kind, Kind::kUnknown);
  EXPECT_EQ(Show("t"), "none");
  EXPECT_EQ(history_.KnowledgeOf("d", "t"), Knowledge::kUncertain);
  EXPECT_EQ(Run("ALTER TABLE t ADD c INT")[0].kind, Kind::kUnknown);
  Run("DROP TABLE t");
  Run("CREATE TABLE t (a INT)");
  EXPECT_EQ(Show("t"), "a int");
  EXPECT_EQ(Run("CREATE TABLE u AS SELECT 1 AS a")[0].kind, Kind::kUnknown);
  EXPECT_EQ(Run("RENAME TABLE elsewhere TO v")[0].kind, Kind::kUnknown);
  EXPECT_EQ(Run("ALTER TABLE t DROP nothing")[0].kind, Kind::kUnknown);
}

TEST_F(SchemaHistoryTest, StatementsThatDoNothing) {
  Run("CREATE TABLE t (a INT)");
  EXPECT_THAT(Run("CREATE TABLE IF NOT EXISTS t (b INT)"), IsEmpty());
  EXPECT_THAT(Run("CREATE TEMPORARY TABLE t (b INT)"), IsEmpty());
  EXPECT_THAT(Run("DROP TEMPORARY TABLE IF EXISTS t"), IsEmpty());
  EXPECT_THAT(Run("DROP TABLE IF EXISTS nothing"), IsEmpty());
  EXPECT_THAT(Run("ALTER TABLE t ENGINE=InnoDB")[0].columns, IsEmpty());
  EXPECT_EQ(Show("t"), "a int");
}

TEST_F(SchemaHistoryTest, ADatabaseGoesWithItsTables) {
  Run("CREATE TABLE t (a INT)");
  Run("CREATE TABLE u (a INT)");
  EXPECT_EQ(Run("DROP DATABASE IF EXISTS d").size(), 2u);
  EXPECT_THAT(history_.Tables(), IsEmpty());
  EXPECT_EQ(history_.DatabaseCollation("d"), "");
}

TEST_F(SchemaHistoryTest, OldServers) {
  context_.version = 50744;
  context_.explicit_timestamps = false;
  Run("CREATE TABLE t (a INT, b TIMESTAMP, c TIMESTAMP NULL, d YEAR, e BIGINT UNSIGNED, f "
      "GEOMETRYCOLLECTION)");
  EXPECT_EQ(
      Show("t"),
      "a int(11), b timestamp NOT NULL, c timestamp, d year(4), e bigint(20) unsigned, f geometrycollection");
}

TEST_F(SchemaHistoryTest, NamesOfColumnsIgnoreCaseAndAccents) {
  Run("CREATE TABLE t (Été INT, b INT)");
  Run("ALTER TABLE t MODIFY B BIGINT FIRST, DROP ete");
  EXPECT_EQ(Show("t"), "B bigint");
}

TEST_F(SchemaHistoryTest, ATableWhoseOtherKeysAreNotKnown) {
  SourceTable table;
  table.database = "d";
  table.name = "t";
  table.columns.resize(2);
  table.columns[0].name = "a";
  table.columns[0].declared = "int";
  table.columns[0].nullable = false;
  table.columns[1].name = "b";
  table.columns[1].declared = "int";
  table.key = SourceKey{"PRIMARY", {0}, true};
  history_.AddTable(table);
  EXPECT_EQ(Run("ALTER TABLE t ADD c INT")[0].kind, Kind::kAltered);
  EXPECT_EQ(Run("ALTER TABLE t DROP PRIMARY KEY")[0].kind, Kind::kUnknown);
}

TEST_F(SchemaHistoryTest, ComesBackFromJson) {
  Run("CREATE TABLE t (a INT UNSIGNED PRIMARY KEY, e ENUM('x','y''z'), p POINT SRID 4326, KEY k (e)) COMMENT "
      "'c'");
  Run("ALTER TABLE gone ADD x WIBBLE");
  const std::string json = history_.ToJson();
  const auto again = SchemaHistory::FromJson(json);
  ASSERT_TRUE(again.ok()) << again.status();
  EXPECT_EQ(again->ToJson(), json);
  ASSERT_NE(again->Find("d", "t"), nullptr);
  EXPECT_EQ(again->Find("d", "t")->columns[2].srid, 4326u);
  EXPECT_EQ(again->FindDefinition("d", "t")->indexes, history_.FindDefinition("d", "t")->indexes);
  EXPECT_EQ(again->KnowledgeOf("d", "gone"), Knowledge::kUncertain);
  for (const char* bad : {"", "{}", "[]", R"({"format":2})", R"({"format":1,"tables":7})"}) {
    EXPECT_EQ(SchemaHistory::FromJson(bad).status().code(), absl::StatusCode::kDataLoss) << bad;
  }
}

TEST_F(MariaDbHistoryTest, ItsOwnTypes) {
  Run("CREATE TABLE t (a INT UNSIGNED, j JSON, k LONGTEXT CHECK (json_valid(k)), u UUID, v YEAR)");
  EXPECT_EQ(Show("t"),
            "a int(10) unsigned, j longtext utf8mb4_bin, k longtext latin1_swedish_ci, u uuid, v year(4)");
  EXPECT_EQ(history_.Find("d", "t")->columns[1].type, SourceType::kJson);
  EXPECT_EQ(history_.Find("d", "t")->columns[2].type, SourceType::kJson);
}

TEST_F(MariaDbHistoryTest, KeysOverWholeTextsStandForNoRow) {
  Run("CREATE TABLE t (a TEXT NOT NULL UNIQUE, b INT NOT NULL, UNIQUE (b))");
  EXPECT_THAT(Show("t"), HasSubstr("; b b"));
  EXPECT_TRUE(history_.FindDefinition("d", "t")->indexes[0].hash);
  Run("CREATE TABLE g (a GEOMETRY NOT NULL, b INT NOT NULL, UNIQUE (a), UNIQUE (b))");
  EXPECT_THAT(Show("g"), HasSubstr("; b b"));
  EXPECT_EQ(Run("CREATE OR REPLACE TABLE t (a INT)")[0].kind, Kind::kReplaced);
}

TEST(LowerCaseNames, TablesAreFoundByAnySpelling) {
  SchemaHistory history(Dialect::kMySql, true);
  DdlContext context;
  context.database = "D";
  context.lower_case_names = true;
  history.AddDatabase({"d", "utf8mb4_bin"});
  const auto changes = ParseDdl("CREATE TABLE T (a INT)", context);
  ASSERT_TRUE(changes.ok());
  for (const DdlChange& change : *changes) history.Apply(change, context);
  EXPECT_NE(history.Find("d", "t"), nullptr);
  EXPECT_NE(history.Find("D", "T"), nullptr);
}

}  // namespace
}  // namespace hakobu::ddl
