#include "delivery/stream/schema_follower.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

namespace hakobu {
namespace {

// What the statement asks for on the table that the first one makes: "columns rows keys", or the effects'
// kinds where there is more than one.
std::string Needs(std::string_view create, std::string_view alter,
                  ddl::Dialect dialect = ddl::Dialect::kMySql) {
  ddl::DdlContext context;
  context.database = "d";
  context.dialect = dialect;
  if (dialect == ddl::Dialect::kMariaDb) context.version = 101100;
  ddl::SchemaHistory history(dialect, false);
  history.AddDatabase({"d", "utf8mb4_bin"});
  const auto made = ddl::ParseDdl(create, context);
  if (!made.ok()) return made.status().ToString();
  history.Apply((*made)[0], context);
  if (history.Find("d", "t") == nullptr) return "no table";
  const SourceTable before = *history.Find("d", "t");
  const auto changes = ddl::ParseDdl(alter, context);
  if (!changes.ok()) return changes.status().ToString();
  std::string text;
  for (const ddl::TableEffect& effect : history.Apply((*changes)[0], context)) {
    if (!text.empty()) text += "; ";
    if (effect.kind == ddl::TableEffect::Kind::kRowsChangedUnseen) {
      text += "unseen";
      continue;
    }
    if (effect.kind != ddl::TableEffect::Kind::kAltered) return effect.reason;
    const AlterNeeds needs = NeedsOf(before, *history.Find("d", "t"), effect);
    text += fmt::format("{}{}{}", needs.columns_differ ? "columns" : "nothing",
                        needs.rows_differ ? " rows" : "", needs.keys_differ ? " keys" : "");
  }
  return text;
}

TEST(NeedsOf, KeysWhoseValuesChangeLeaveNoOldOnesBehind) {
  const auto key = [](std::string_view before, std::string_view after) {
    return Needs(fmt::format("CREATE TABLE t (k {} PRIMARY KEY, v INT)", before),
                 fmt::format("ALTER TABLE t MODIFY k {}", after));
  };
  EXPECT_EQ(key("DECIMAL(6,2)", "DECIMAL(6,1)"), "columns rows keys");
  EXPECT_EQ(key("DECIMAL(6,2)", "DECIMAL(8,2)"), "columns");
  EXPECT_EQ(key("DATETIME(3)", "DATETIME"), "columns rows keys");
  EXPECT_EQ(key("TIMESTAMP(6) NOT NULL", "TIMESTAMP(3) NOT NULL"), "columns rows keys");
  EXPECT_EQ(key("DATETIME", "DATETIME(3)"), "columns");
  EXPECT_EQ(key("VARCHAR(10)", "VARBINARY(10)"), "columns rows keys");
  EXPECT_EQ(key("VARCHAR(10)", "VARCHAR(5)"), "columns rows keys");
  EXPECT_EQ(key("VARCHAR(10)", "VARCHAR(50)"), "columns");
  EXPECT_EQ(key("INT", "BIGINT"), "columns");
  EXPECT_EQ(key("BIGINT", "INT"), "columns rows keys");
  EXPECT_EQ(key("VARCHAR(10) CHARACTER SET utf8mb4", "VARCHAR(10) CHARACTER SET latin1"),
            "columns rows keys");
}

TEST(NeedsOf, CharacterSetsThatLackSomethingChangeRows) {
  const auto text = [](std::string_view before, std::string_view after) {
    return Needs(fmt::format("CREATE TABLE t (k INT PRIMARY KEY, v VARCHAR(10) CHARACTER SET {})", before),
                 fmt::format("ALTER TABLE t MODIFY v VARCHAR(10) CHARACTER SET {}", after));
  };
  EXPECT_EQ(text("utf8mb4", "latin1"), "columns rows");
  EXPECT_EQ(text("utf8mb4", "utf8mb3"), "columns rows");
  EXPECT_EQ(text("cp932", "ascii"), "columns rows");
  EXPECT_EQ(text("latin1", "utf8mb4"), "columns");
  EXPECT_EQ(text("ascii", "latin1"), "columns");
  EXPECT_EQ(text("utf8mb3", "utf16"), "columns");
  EXPECT_EQ(Needs("CREATE TABLE t (k INT PRIMARY KEY, v VARCHAR(10), w VARCHAR(3) CHARACTER SET utf8mb3)",
                  "ALTER TABLE t CONVERT TO CHARACTER SET latin1"),
            "columns rows");
}

TEST(NeedsOf, ANameThatComesBackIsANewColumn) {
  EXPECT_EQ(Needs("CREATE TABLE t (k INT PRIMARY KEY, a INT)", "ALTER TABLE t DROP a, ADD a INT"),
            "columns rows");
  EXPECT_EQ(
      Needs("CREATE TABLE t (k INT PRIMARY KEY, a INT)", "ALTER TABLE t DROP a, ADD a VARCHAR(3) FIRST"),
      "columns rows");
  EXPECT_EQ(
      Needs("CREATE TABLE t (k INT PRIMARY KEY, a INT, b INT)", "ALTER TABLE t DROP a, RENAME COLUMN b TO a"),
      "columns rows");
  EXPECT_EQ(Needs("CREATE TABLE t (k INT PRIMARY KEY)", "ALTER TABLE t ADD a INT"), "columns");
  EXPECT_EQ(Needs("CREATE TABLE t (k INT AUTO_INCREMENT PRIMARY KEY, a INT)",
                  "ALTER TABLE t DROP k, ADD k INT AUTO_INCREMENT PRIMARY KEY"),
            "columns rows keys");
}

TEST(NeedsOf, WhatIsComputedIsComputedAnew) {
  constexpr std::string_view kTable = "CREATE TABLE t (k INT PRIMARY KEY, a INT, g INT AS (a + 1) STORED)";
  EXPECT_EQ(Needs(kTable, "ALTER TABLE t MODIFY g INT AS (a + 2) STORED"), "columns rows");
  EXPECT_EQ(Needs(kTable, "ALTER TABLE t CHANGE g h INT AS (a + 2) STORED"), "columns rows");
  EXPECT_EQ(Needs(kTable, "ALTER TABLE t MODIFY a INT COMMENT 'x'"), "nothing");
  constexpr std::string_view kKey =
      "CREATE TABLE t (a DECIMAL(5,2), g DECIMAL(5,2) AS (a * 2) STORED NOT NULL, PRIMARY KEY (g))";
  EXPECT_EQ(Needs(kKey, "ALTER TABLE t MODIFY a DECIMAL(5,1)"), "columns rows keys");
  EXPECT_EQ(Needs(kKey, "ALTER TABLE t MODIFY g DECIMAL(5,2) AS (a * 3) STORED NOT NULL"),
            "columns rows keys");
}

TEST(NeedsOf, AlterIgnoreRemovesRows) {
  constexpr auto kMariaDb = ddl::Dialect::kMariaDb;
  constexpr std::string_view kTable = "CREATE TABLE t (k INT PRIMARY KEY, a INT, b INT)";
  EXPECT_EQ(Needs(kTable, "ALTER IGNORE TABLE t ADD UNIQUE (a)", kMariaDb), "nothing; unseen");
  EXPECT_EQ(Needs(kTable, "ALTER ONLINE IGNORE TABLE t ADD UNIQUE KEY u (a, b)", kMariaDb),
            "nothing; unseen");
  EXPECT_EQ(Needs(kTable, "ALTER IGNORE TABLE t ADD c INT UNIQUE", kMariaDb), "columns; unseen");
  EXPECT_EQ(Needs(kTable, "ALTER IGNORE TABLE t ADD c INT", kMariaDb), "columns");
  EXPECT_EQ(Needs(kTable, "ALTER TABLE t ADD UNIQUE (a)", kMariaDb), "nothing");
}

}  // namespace
}  // namespace hakobu
