// Rows of MariaDB's own kinds of columns and tables, out of its log, against what its SELECT says: UUIDs and
// addresses, as values and as keys, and tables with system versioning.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <random>

#include "decode/ddl/ddl.h"
#include "source/binlog_file.h"
#include "source/source.h"
#include "tests/harness/connections.h"
#include "tests/harness/mysql_server.h"

namespace hakobu {
namespace {

using testing::MysqlServer;

std::string Text(const Cell& cell) {
  if (cell.kind == CellKind::kNull) return "NULL";
  return IsText(cell.kind) ? std::string(cell.text()) : std::to_string(cell.integer);
}

// Does with rows what the log says, by key.
class Replay : public binlog::LogVisitor {
 public:
  absl::Status OnBegin(const binlog::LogContext&) override { return absl::OkStatus(); }
  absl::Status OnEnd(const binlog::LogContext&, binlog::TransactionEnd) override { return absl::OkStatus(); }
  absl::Status OnStatement(const binlog::LogContext&, const binlog::LogStatement& statement) override {
    const ddl::DdlContext context = ddl::ContextOf(statement, ddl::Dialect::kMariaDb, 101100, false);
    HAKOBU_ASSIGN_OR_RETURN(const auto changes, ddl::ParseDdl(statement.text, context));
    for (const ddl::DdlChange& change : changes) history_.Apply(change, context);
    return absl::OkStatus();
  }
  absl::Status OnRows(const binlog::LogContext&, const binlog::TableMap& map,
                      const binlog::RowsEvent& rows) override {
    if (map.database != "w") return absl::OkStatus();
    HAKOBU_ASSIGN_OR_RETURN(
        const ddl::Reconciled reconciled,
        ddl::Reconcile(map, history_.FindDefinition(map.database, map.table), ddl::Dialect::kMariaDb));
    EXPECT_THAT(reconciled.differences, ::testing::IsEmpty());
    HAKOBU_ASSIGN_OR_RETURN(
        binlog::RowImageDecoder decoder,
        binlog::RowImageDecoder::Create(map, &reconciled.table, binlog::UnknownColumns::kRefuse));
    if (reconciled.row_end) decoder.LeaveOutHistory(*reconciled.row_end);
    Batch batch(map.columns.size());
    HAKOBU_RETURN_IF_ERROR(decoder.Decode(rows, &batch));
    if (!reconciled.table.key) return absl::InternalError("no key");
    const size_t columns = reconciled.table.columns.size() - reconciled.hidden_columns;
    for (size_t row = 0; row < batch.rows(); ++row) {
      std::string key, values;
      for (const size_t place : reconciled.table.key->columns) key += Text(batch.Row(row)[place]) + "|";
      for (size_t i = 0; i < columns; ++i) {
        // Of what the server itself writes there, only that it is a time.
        if (reconciled.table.columns[i].type == SourceType::kTimestamp) continue;
        values += Text(batch.Row(row)[i]) + "|";
      }
      auto& table = tables[map.table];
      const RowOperation operation = batch.operations[row];
      const bool goes = operation == RowOperation::kDelete || operation == RowOperation::kUpdateBefore;
      if (goes != (table.erase(key) > 0))
        return absl::InternalError("not as it was before: " + map.table + " " + key);
      if (!goes) table[key] = values;
    }
    return absl::OkStatus();
  }
  std::map<std::string, std::map<std::string, std::string>> tables;

 private:
  ddl::SchemaHistory history_{ddl::Dialect::kMariaDb, false};
};

class LogRowsTest : public ::testing::TestWithParam<std::string> {
 protected:
  LogRowsTest() : server_("mariadb", {"--binlog-row-metadata=" + GetParam(), "--sync-binlog=0"}) {
    server_.Execute("CREATE DATABASE w CHARACTER SET latin1");
  }
  // Each table's rows from the log must be those that `columns` of it select.
  void Compare(const std::map<std::string, std::string>& columns_of) {
    server_.Execute("FLUSH BINARY LOGS");
    Replay replay;
    binlog::LogDecoder decoder(&replay);
    auto file = BinlogFile::Open(server_.folder() + "/data/binlog.000001");
    ASSERT_TRUE(file.ok()) << file.status();
    decoder.SetPosition(file->name(), file->position());
    for (;;) {
      std::string_view event;
      const auto more = file->Next(&event);
      ASSERT_TRUE(more.ok()) << more.status();
      if (!*more) break;
      const absl::Status fed = decoder.Feed(event);
      ASSERT_TRUE(fed.ok()) << fed;
    }
    const auto reader = Connect(server_);
    for (const auto& [table, columns] : columns_of) {
      const auto result = reader->Query(fmt::format("SELECT {} FROM w.{}", columns, table));
      ASSERT_TRUE(result.ok()) << result.status();
      std::vector<std::string> expected, found;
      for (const auto& row : result->rows) {
        std::string& line = expected.emplace_back();
        for (const auto& value : row) line += value.value_or("NULL") + "|";
      }
      for (const auto& [key, values] : replay.tables[table]) found.push_back(values);
      EXPECT_THAT(found, ::testing::UnorderedElementsAreArray(expected)) << table;
      EXPECT_FALSE(expected.empty());
    }
  }
  MysqlServer server_;
};
INSTANTIATE_TEST_SUITE_P(Metadata, LogRowsTest, ::testing::Values("FULL", "MINIMAL"),
                         [](const auto& each) { return each.param; });

// Any bytes but for long runs of zeros in an address, and all versions and variants of UUIDs.
class Values {
 public:
  std::string Uuid() {
    return "'" + Hex(4) + "-" + Hex(2) + "-" + Hex(2) + "-" + Hex(2) + "-" + Hex(6) + "'";
  }
  std::string Inet4() { return fmt::format("'{}.{}.{}.{}'", Byte(), Byte(), Byte(), Byte()); }
  std::string Inet6() {
    std::string text;
    for (int i = 0; i < 8; ++i)
      text += (i == 0 ? "" : ":") + (random_() % 2 == 0 ? std::string("0") : Hex(2));
    if (random_() % 8 == 0) text = "::" + std::string(random_() % 2 == 0 ? "ffff:" : "") + "10.0.0." + Byte();
    return "'" + text + "'";
  }

 private:
  std::string Hex(int bytes) {
    std::string text;
    const bool zero = random_() % 6 == 0;
    for (int i = 0; i < bytes; ++i) text += fmt::format("{:02x}", zero ? 0 : random_() % 256);
    return text;
  }
  std::string Byte() { return std::to_string(random_() % 3 == 0 ? 0 : random_() % 256); }
  std::mt19937 random_{7};
};

TEST_P(LogRowsTest, UuidsAndAddressesReadAsTheServerReadsThemAsValuesAndAsKeys) {
  server_.Execute(
      "CREATE TABLE w.v (id INT PRIMARY KEY, u UUID, i INET6, j INET4) CHARACTER SET utf8mb4;"
      "CREATE TABLE w.u (u UUID PRIMARY KEY, n INT); CREATE TABLE w.i (i INET6 PRIMARY KEY, n INT);"
      "CREATE TABLE w.j (j INET4, i INET6 NOT NULL, n INT, PRIMARY KEY (j, i))");
  Values values;
  for (int round = 0; round < 12; ++round) {
    std::string sql[4];
    for (int row = 0; row < 60; ++row) {
      const char* comma = row == 0 ? "" : ",";
      sql[0] += fmt::format("{}({},{},{},{})", comma, round * 100 + row, values.Uuid(), values.Inet6(),
                            values.Inet4());
      sql[1] += fmt::format("{}({},{})", comma, values.Uuid(), row);
      sql[2] += fmt::format("{}({},{})", comma, values.Inet6(), row);
      sql[3] += fmt::format("{}({},{},{})", comma, values.Inet4(), values.Inet6(), row);
    }
    for (int i = 0; i < 4; ++i) {
      server_.Execute(fmt::format("INSERT IGNORE INTO w.{} VALUES {}", "vuij"[i], sql[i]));
    }
  }
  server_.Execute(
      "UPDATE w.v SET u = NULL, i = NULL WHERE id % 7 = 0; UPDATE w.u SET n = n + 1 WHERE n % 3 = 0;"
      "DELETE FROM w.u WHERE n % 5 = 0; DELETE FROM w.i WHERE n % 5 = 0; DELETE FROM w.j WHERE n % 5 = 0;"
      "UPDATE IGNORE w.u SET u = UUID() WHERE n % 4 = 0; ALTER TABLE w.v ADD k UUID DEFAULT NULL FIRST;"
      "UPDATE w.v SET k = COALESCE(u, UUID())");
  Compare({{"v", "k, id, u, i, j"}, {"u", "u, n"}, {"i", "i, n"}, {"j", "j, i, n"}});
}

TEST_P(LogRowsTest, VersionedTablesHaveTheirPresentRowsOnly) {
  server_.Execute(
      "CREATE TABLE w.hidden (id INT PRIMARY KEY, a INT) WITH SYSTEM VERSIONING;"
      "CREATE TABLE w.named (id INT PRIMARY KEY, a INT, s TIMESTAMP(6) GENERATED ALWAYS AS ROW START, e "
      "TIMESTAMP(6) "
      "GENERATED ALWAYS AS ROW END, PERIOD FOR SYSTEM_TIME (s, e)) WITH SYSTEM VERSIONING;"
      "CREATE TABLE w.hashed (id INT PRIMARY KEY, a INT, t TEXT UNIQUE) WITH SYSTEM VERSIONING;"
      "CREATE TABLE w.parted (id INT PRIMARY KEY, a INT) WITH SYSTEM VERSIONING PARTITION BY SYSTEM_TIME "
      "(PARTITION h HISTORY, PARTITION c CURRENT);"
      "CREATE TABLE w.later (id INT PRIMARY KEY, a INT); INSERT INTO w.later VALUES (1,1),(2,2),(3,3);"
      "ALTER TABLE w.later ADD SYSTEM VERSIONING; SET GLOBAL system_versioning_alter_history=KEEP");
  for (const char* table : {"hidden", "named", "hashed", "parted", "later"}) {
    server_.Execute(fmt::format(
        "INSERT INTO w.{0}(id, a) VALUES (11,1),(12,2),(13,3),(14,4),(15,5),(16,6);"
        "UPDATE w.{0} SET a = a * 10 WHERE id < 14; DELETE FROM w.{0} WHERE id = 12; DELETE FROM w.{0} WHERE "
        "id = 15;"
        "UPDATE w.{0} SET id = 30 WHERE id = 13; REPLACE INTO w.{0}(id, a) VALUES (14, 40), (50, 1);"
        "INSERT INTO w.{0}(id, a) VALUES (11, 7), (60, 7) ON DUPLICATE KEY UPDATE a = a + 1; INSERT INTO "
        "w.{0}(id, a) "
        "VALUES (12, 12); DELETE HISTORY FROM w.{0}; UPDATE w.{0} SET a = 5 WHERE id = 12",
        table));
  }
  server_.Execute(
      "SET SESSION system_versioning_alter_history=KEEP; ALTER TABLE w.hidden ADD b INT DEFAULT 3 FIRST;"
      "UPDATE w.hidden SET b = b + id WHERE id < 31; ALTER TABLE w.later DROP SYSTEM VERSIONING; UPDATE "
      "w.later SET a = 6 "
      "WHERE id = 11; DELETE FROM w.later WHERE id = 1");
  // What ALTER put into the rows is in no event; the update wrote all but the last ones.
  server_.Execute("DELETE FROM w.hidden WHERE id > 30");
  Compare({{"hidden", "b, id, a"},
           {"named", "id, a"},
           {"hashed", "id, a, t"},
           {"parted", "id, a"},
           {"later", "id, a"}});
}

}  // namespace
}  // namespace hakobu
