#include "decode/ddl/reconcile.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "decode/ddl/parse.h"
#include "decode/ddl/schema_history.h"

namespace hakobu::ddl {
namespace {

using binlog::LogColumn;
using binlog::LogType;
using binlog::TableMap;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

TableDefinition Made(std::string_view statement, Dialect dialect = Dialect::kMySql) {
  DdlContext context;
  context.database = "d";
  context.dialect = dialect;
  SchemaHistory history(dialect, false);
  history.AddDatabase({"d", "utf8mb4_bin"});
  const auto changes = ParseDdl(statement, context);
  if (changes.ok()) history.Apply((*changes)[0], context);
  const TableDefinition* made = history.FindDefinition("d", "t");
  return made == nullptr ? TableDefinition() : *made;
}

LogColumn Column(LogType type, uint16_t length, std::string name) {
  LogColumn column;
  column.type = type;
  column.length = length;
  column.name = std::move(name);
  return column;
}

// id INT UNSIGNED NOT NULL, name VARCHAR(10) utf8mb4_bin
TableMap Map(bool full) {
  TableMap map;
  map.database = "d";
  map.table = "t";
  map.has_names = full;
  LogColumn id = Column(LogType::kLong, 0, full ? "id" : "");
  id.nullable = false;
  id.is_unsigned = true;
  LogColumn name = Column(LogType::kVarchar, 40, full ? "name" : "");
  name.collation = 46;
  map.columns = {id, name};
  if (full) map.primary_key = {0};
  return map;
}

constexpr std::string_view kTable =
    "CREATE TABLE t (id INT UNSIGNED PRIMARY KEY, name VARCHAR(10) COMMENT 'c')";

TEST(Reconcile, AgreesWithWhatTheHistoryKnows) {
  const TableDefinition known = Made(kTable);
  for (const bool full : {false, true}) {
    const auto result = Reconcile(Map(full), &known, Dialect::kMySql);
    ASSERT_TRUE(result.ok()) << result.status();
    EXPECT_THAT(result->differences, IsEmpty());
    EXPECT_EQ(result->table.columns[1].name, "name");
    EXPECT_EQ(result->table.columns[1].comment, "c");
    ASSERT_TRUE(result->table.key);
    EXPECT_THAT(result->table.key->columns, ElementsAre(0));
  }
}

TEST(Reconcile, NamesInTheLogAreEnough) {
  const auto result = Reconcile(Map(true), nullptr, Dialect::kMySql);
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_TRUE(result->from_log_alone);
  EXPECT_EQ(result->table.columns[0].declared, "int unsigned");
  EXPECT_EQ(result->table.columns[1].declared, "varchar(10)");
  EXPECT_EQ(result->table.columns[1].collation, "utf8mb4_bin");
  EXPECT_TRUE(result->table.key->primary);
}

TEST(Reconcile, WithoutNamesTheHistoryIsNeeded) {
  EXPECT_EQ(Reconcile(Map(false), nullptr, Dialect::kMySql).status().code(), absl::StatusCode::kNotFound);
}

TEST(Reconcile, SaysAllThatDisagrees) {
  const TableDefinition known = Made("CREATE TABLE t (id INT PRIMARY KEY, name VARCHAR(20), more INT)");
  const absl::Status status = Reconcile(Map(false), &known, Dialect::kMySql).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition);
  const std::string message(status.message().data(), status.message().size());
  EXPECT_THAT(message, HasSubstr("the log has 2 columns, the history 3"));
  EXPECT_THAT(message, HasSubstr("column 1: id is unsigned in the log, the history says int"));
  EXPECT_THAT(message, HasSubstr("column 2: name has bytes 40 in the log, the history says 80"));
}

TEST(Reconcile, BelievesTheLogWhereItHasNames) {
  const TableDefinition known =
      Made("CREATE TABLE t (name VARCHAR(20) COMMENT 'c', id INT UNSIGNED PRIMARY KEY, old INT)");
  const auto result = Reconcile(Map(true), &known, Dialect::kMySql);
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_EQ(result->table.columns.size(), 2u);
  EXPECT_EQ(result->table.columns[1].declared, "varchar(10)");
  EXPECT_THAT(result->table.key->columns, ElementsAre(0));
  EXPECT_THAT(
      result->differences,
      ElementsAre("the log has 2 columns, the history 3", "column 1: id has another place in the history",
                  "column 2: name has another place in the history",
                  "column 2: name has bytes 40 in the log, the history says 80"));
}

TEST(Reconcile, HidesTheColumnsMariaDbKeepsForItself) {
  const TableDefinition known =
      Made("CREATE TABLE t (id INT UNSIGNED PRIMARY KEY, name VARCHAR(10), UNIQUE (name), c TEXT UNIQUE)",
           Dialect::kMariaDb);
  for (const bool full : {false, true}) {
    TableMap map = Map(full);
    map.columns.push_back(Column(LogType::kBlob, 2, full ? "c" : ""));
    map.columns.back().collation = 46;
    map.columns.push_back(Column(LogType::kLongLong, 0, full ? "DB_ROW_HASH_1" : ""));
    map.columns.back().is_unsigned = true;
    const auto result = Reconcile(map, &known, Dialect::kMariaDb);
    ASSERT_TRUE(result.ok()) << result.status();
    EXPECT_EQ(result->hidden_columns, 1u);
    EXPECT_EQ(result->table.columns.size(), 4u);
    EXPECT_EQ(result->table.columns[3].name, "DB_ROW_HASH_1");
    EXPECT_THAT(result->differences, IsEmpty());
  }
}

}  // namespace
}  // namespace hakobu::ddl
