// Every key shape, cut into chunks and read again: each row exactly once, by range reads, without a sort.
#include "source/chunk.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <random>

#include "source/chunk_reader.h"
#include "source/schema.h"
#include "source/server_facts.h"
#include "tests/harness/connections.h"

namespace hakobu {
namespace {

using ::testing::HasSubstr;
using testing::MysqlServer;

uint32_t Seed() {
  const char* given = std::getenv("HAKOBU_SEED");
  const uint32_t seed = given ? static_cast<uint32_t>(std::atoi(given)) : std::random_device()();
  std::printf("seed: HAKOBU_SEED=%u\n", seed);
  return seed;
}

// `rows` numbers 0 … rows - 1, for INSERT … SELECT, on both servers.
std::string Numbers(int rows) {
  return fmt::format("WITH RECURSIVE s AS (SELECT 0 AS n UNION ALL SELECT n + 1 FROM s WHERE n < {}) ",
                     rows - 1);
}

class ChunkTest : public ::testing::TestWithParam<std::string> {
 protected:
  void SetUp() override {
    server_.Execute("DROP DATABASE IF EXISTS chunk_test; CREATE DATABASE chunk_test CHARACTER SET utf8mb4");
    connection_ = Connect(server_);
  }

  // Makes chunk_test.t: `columns` and key, then `rows` rows of `values` (expressions of n).
  SourceTable Make(const std::string& columns, const std::string& values, int rows) {
    server_.Execute(fmt::format(
        "SET SESSION sql_mode = ''; SET SESSION {} = 100000000; USE chunk_test; DROP TABLE IF EXISTS t; "
        "CREATE TABLE t ({}, id BIGINT NOT NULL); INSERT IGNORE INTO t {} SELECT {}, n FROM s; ANALYZE TABLE "
        "t",
        server_.mariadb() ? "max_recursive_iterations" : "cte_max_recursion_depth", columns, Numbers(rows),
        values));
    auto table = ReadTable(connection_.get(), "chunk_test", "t");
    if (!table.ok()) throw std::runtime_error(table.status().ToString());
    return *std::move(table);
  }

  // Reads every chunk's `id`s, last column, BIGINT: how often each came.
  std::map<int64_t, int> ReadIds(const SourceTable& table, const std::vector<Chunk>& chunks,
                                 const std::string& where = {}) {
    std::map<int64_t, int> seen;
    ChunkReader reader(connection_.get(), &table, {table.columns.size() - 1}, where);
    for (const Chunk& chunk : chunks) {
      const auto again = Chunk::FromJson(chunk.ToJson());
      EXPECT_TRUE(again.ok() && *again == chunk) << chunk.ToJson();
      EXPECT_TRUE(reader.Open(*again).ok()) << reader.status();
      std::string_view packet;
      while (reader.Next(&packet)) {
        int64_t id = 0;
        std::memcpy(&id, packet.data() + 2, sizeof(id));
        ++seen[id];
      }
      EXPECT_TRUE(reader.status().ok()) << reader.status();
    }
    return seen;
  }

  uint64_t CountRows() { return std::stoull(*connection_->QueryValue("SELECT COUNT(*) FROM chunk_test.t")); }

  MysqlServer& server_ = MysqlServer::Shared(GetParam());
  std::unique_ptr<Connection> connection_;
};

struct Shape {
  std::string name;
  std::string columns;
  std::string values;
};

// `{r}` in values: a random number for the row.
const Shape kShapes[] = {
    {"int", "a INT PRIMARY KEY", "n"},
    {"int with holes", "a INT PRIMARY KEY", "n * 37 - 500000"},
    {"two far islands", "a BIGINT PRIMARY KEY", "IF(n % 2, n, 9000000000000000000 + n)"},
    {"unsigned extremes", "a BIGINT UNSIGNED PRIMARY KEY", "18446744073709551615 - n * n"},
    {"one far outlier", "a BIGINT PRIMARY KEY", "IF(n = 0, 9223372036854775807, n)"},
    {"tenant and id", "t INT, a INT, PRIMARY KEY (t, a)", "n % 3, n"},
    {"many tenants", "t INT, a INT, PRIMARY KEY (t, a)", "n % 997, n"},
    {"three parts", "x TINYINT, y CHAR(2), z INT, PRIMARY KEY (x, y, z)", "n % 2, CHAR(97 + n % 5), n"},
    {"uuid", "a CHAR(36) PRIMARY KEY", "UUID()"},
    {"random hex", "a VARCHAR(64) COLLATE {ci} PRIMARY KEY", "SHA2(n, 256)"},
    {"random hex, binary collation", "a VARCHAR(64) COLLATE utf8mb4_bin PRIMARY KEY", "SHA2(n, 256)"},
    {"long common prefix", "a VARCHAR(80) PRIMARY KEY",
     "CONCAT('https://example.com/articles/2024/', LPAD(n, 9, '0'))"},
    {"japanese", "a VARCHAR(40) PRIMARY KEY",
     "CONCAT(ELT(1 + n % 7, '東京', '大阪', 'あおもり', 'カフェ', 'ｱﾊﾟｰﾄ', '鮨', '🍣'), '店', n)"},
    {"awkward text", "a VARCHAR(60) PRIMARY KEY",
     "CONCAT(ELT(1 + n % 8, '''', '\"', '\\\\', '%', '`', ' ', '\\n', ''), n, ELT(1 + n % 3, '\\'', '\\\\', "
     "''))"},
    {"trailing spaces", "a CHAR(20) CHARACTER SET latin1 PRIMARY KEY", "CONCAT('é', n, REPEAT(' ', n % 4))"},
    {"latin1, case and accents", "a VARCHAR(30) CHARACTER SET latin1 PRIMARY KEY",
     "CONCAT(ELT(1 + n % 6, 'é', 'E', 'z', 'Ä', 'ß', 'ñ'), n)"},
    {"cp932", "a VARCHAR(30) CHARACTER SET cp932 PRIMARY KEY",
     "CONCAT(ELT(1 + n % 4, 'ソ', '表', 'ﾃｽﾄ', 'A'), n)"},
    {"ujis", "a VARCHAR(30) CHARACTER SET ujis PRIMARY KEY",
     "CONCAT(ELT(1 + n % 4, 'ソ', '表', '構', 'A'), n)"},
    {"utf16", "a VARCHAR(30) CHARACTER SET utf16 PRIMARY KEY", "CONCAT(ELT(1 + n % 3, '表', 'b', 'é'), n)"},
    {"binary", "a BINARY(16) PRIMARY KEY", "UNHEX(LEFT(SHA2(n, 256), 32))"},
    {"varbinary with zeros", "a VARBINARY(40) PRIMARY KEY", "CONCAT(X'00FF', n, REPEAT(X'00', n % 4))"},
    {"decimal", "a DECIMAL(30,10) PRIMARY KEY", "(n - 9000) * 1.0000000001"},
    {"wide decimal", "a DECIMAL(65,0) PRIMARY KEY",
     "n * 10000000000000000000000000000000000000000000000000000000"},
    {"double", "a DOUBLE PRIMARY KEY", "SIN(n) * EXP(n % 600)"},
    {"float", "a FLOAT PRIMARY KEY", "(n - 7000) / 7"},
    {"date", "a DATE PRIMARY KEY", "'1950-01-01' + INTERVAL n DAY"},
    {"datetime", "a DATETIME(6) PRIMARY KEY", "'1999-12-31 23:00:00' + INTERVAL n * 777777777 MICROSECOND"},
    {"timestamp", "a TIMESTAMP(3) PRIMARY KEY", "'2024-03-31 00:00:00' + INTERVAL n * 999 SECOND"},
    {"time", "a TIME(6) PRIMARY KEY", "SEC_TO_TIME((n - 9000) * 30.5)"},
    {"zero dates", "a DATE, b INT, PRIMARY KEY (a, b)", "IF(n % 2, '0000-00-00', '2024-01-01'), n"},
    {"year and id", "a YEAR, b INT, PRIMARY KEY (a, b)", "IF(n % 3 = 0, 0, 1990 + n % 40), n"},
    {"bit and id", "a BIT(40), b INT, PRIMARY KEY (a, b)", "n % 9 * 100000000000, n"},
    {"unrangeable enum", "a ENUM('z', 'y', 'x'), b INT, PRIMARY KEY (a, b)", "1 + n % 3, n"},
    {"unrangeable set", "a SET('z', 'y', 'x'), b INT, PRIMARY KEY (a, b)", "n % 8, n"},
    {"id and enum", "b INT, a ENUM('z', 'y', 'x'), PRIMARY KEY (b, a)", "n, 1 + n % 3"},
    {"secondary unique key", "a INT, b VARCHAR(40) NOT NULL, UNIQUE u (b)", "n, CONCAT('key-', n)"},
    {"descending", "a INT NOT NULL, b INT NOT NULL, PRIMARY KEY (a DESC, b)", "n % 40, n"},
    {"unrangeable prefix of a blob", "a BLOB NOT NULL, PRIMARY KEY (a(20))", "CONCAT('blob', n)"},
    {"unrangeable, no key", "a INT", "n"},
};

TEST_P(ChunkTest, EachRowExactlyOnceOverEveryKeyShape) {
  constexpr int kRows = 12'000;
  for (Shape shape : kShapes) {
    SCOPED_TRACE(shape.name);
    if (const size_t ci = shape.columns.find("{ci}"); ci != std::string::npos) {
      shape.columns.replace(ci, 4, server_.mariadb() ? "utf8mb4_unicode_ci" : "utf8mb4_0900_ai_ci");
    }
    const SourceTable table = Make(shape.columns, shape.values, kRows);
    ChunkOptions options;
    options.target_rows = 900;
    const auto plan = PlanChunks(connection_.get(), table, options);
    ASSERT_TRUE(plan.ok()) << plan.status();
    const bool unrangeable = shape.name.starts_with("unrangeable");
    EXPECT_EQ(plan->single_pass, unrangeable) << plan->why;
    const auto seen = ReadIds(table, plan->chunks);
    const uint64_t rows = CountRows();
    EXPECT_EQ(seen.size(), rows);
    for (const auto& [id, times] : seen) ASSERT_EQ(times, 1) << "id " << id;
    if (!unrangeable) {
      EXPECT_GE(plan->chunks.size(), rows / 900 / 3);
      EXPECT_LE(plan->chunks.size(), 3 * rows / 900 + 2);
      EXPECT_LE(plan->statements, 40 * plan->chunks.size());
    }
    std::printf("%-30s %4zu chunks %5lu statements %s\n", shape.name.c_str(), plan->chunks.size(),
                static_cast<unsigned long>(plan->statements), plan->why.c_str());
  }
}

// Key parts of every type, drawn at random, over few or many values.
constexpr std::string_view kParts[] = {
    "TINYINT|n * {0} % 100 - 50",
    "BIGINT UNSIGNED|n * {0} % {1} * 1000003",
    "CHAR(8)|CONCAT(CHAR(97 + n * {0} % 26), n % {1})",
    "VARCHAR(30) COLLATE utf8mb4_bin|CONCAT(ELT(1 + n % 5, 'あ', 'ｱ', 'Z', 'z', '~'), n * {0} % {1})",
    "VARBINARY(20)|UNHEX(LEFT(SHA2(n * {0} % {1}, 256), 8))",
    "DECIMAL(20,4)|(n * {0} % {1} - 50) / 7",
    "DATETIME(3)|'2024-02-28' + INTERVAL n * {0} % {1} SECOND",
    "DATE|'2024-02-28' + INTERVAL n * {0} % {1} DAY",
    "TIME|SEC_TO_TIME(n * {0} % {1} - 100)",
};

TEST_P(ChunkTest, EachRowExactlyOnceOverRandomKeys) {
  std::mt19937 random(Seed());
  const auto draw = [&random](uint32_t below) { return random() % below; };
  for (int round = 0; round < 8; ++round) {
    const uint32_t parts = 1 + draw(4);
    std::string columns;
    std::string values;
    std::string key;
    for (uint32_t part = 0; part < parts; ++part) {
      const std::string_view chosen = kParts[draw(std::size(kParts))];
      const size_t bar = chosen.find('|');
      columns += fmt::format("k{} {} NOT NULL, ", part, chosen.substr(0, bar));
      values += (part == 0 ? "" : ", ") + fmt::format(fmt::runtime(std::string(chosen.substr(bar + 1))),
                                                      1 + draw(7919), 1 + draw(5000));
      key += fmt::format("{}k{}", part == 0 ? "" : ", ", part);
    }
    const SourceTable table = Make(fmt::format("{}PRIMARY KEY ({})", columns, key), values, 4000);
    SCOPED_TRACE(columns + " <- " + values);
    ChunkOptions options;
    options.target_rows = 1 + draw(600);
    const auto plan = PlanChunks(connection_.get(), table, options);
    ASSERT_TRUE(plan.ok()) << plan.status();
    ASSERT_FALSE(plan->single_pass) << plan->why;
    const auto seen = ReadIds(table, plan->chunks);
    EXPECT_EQ(seen.size(), CountRows());
    for (const auto& [id, times] : seen) ASSERT_EQ(times, 1) << "id " << id;
  }
}

TEST_P(ChunkTest, ReadsOnlyItsRowsWithoutSortOrTemporaryTable) {
  const SourceTable table = Make("t INT, a INT, PRIMARY KEY (t, a)", "n % 3, n", 20'000);
  ChunkOptions options;
  options.target_rows = 1000;
  const auto before_plan = ReadLoadCounters(connection_.get());
  const auto plan = PlanChunks(connection_.get(), table, options);
  ASSERT_TRUE(plan.ok()) << plan.status();
  const auto before = ReadLoadCounters(connection_.get());
  ASSERT_EQ(ReadIds(table, plan->chunks).size(), 20'000u);
  const auto after = ReadLoadCounters(connection_.get());
  const auto idle = ReadLoadCounters(connection_.get());
  ASSERT_TRUE(before_plan.ok() && before.ok() && after.ok() && idle.ok());
  // What reading the counters itself does is the last difference.
  const LoadCounters cost = *idle - *after;
  const LoadCounters planned = (*before - *before_plan) - cost;
  const LoadCounters read = (*after - *before) - cost;
  EXPECT_LT(planned.rows_examined, 40 * plan->chunks.size());
  EXPECT_EQ(planned.tmp_tables, 0u);
  EXPECT_LE(read.rows_examined, 20'000 + 10 * plan->chunks.size());
  EXPECT_EQ(read.tmp_tables, 0u);
  EXPECT_EQ(read.tmp_disk_tables, 0u);
  EXPECT_EQ(read.sort_rows, 0u);
  EXPECT_EQ(read.sort_merge_passes, 0u);
}

TEST_P(ChunkTest, SharesABigTableBetweenConnections) {
  const SourceTable table = Make("a INT PRIMARY KEY, pad CHAR(200)", "n, 'x'", 100'000);
  ChunkOptions options;
  options.connections = 2;
  const auto plan = PlanChunks(connection_.get(), table, options);
  ASSERT_TRUE(plan.ok()) << plan.status();
  EXPECT_GE(plan->chunks.size(), 3u);
  EXPECT_FALSE(plan->chunks.front().after.has_value());
  EXPECT_FALSE(plan->chunks.back().upto.has_value());
}

TEST_P(ChunkTest, PlansSmallAndEmptyTables) {
  for (const int rows : {1, 2, 50}) {
    const SourceTable table = Make("a INT PRIMARY KEY", "n", rows);
    const auto plan = PlanChunks(connection_.get(), table, {});
    ASSERT_TRUE(plan.ok()) << plan.status();
    EXPECT_EQ(plan->chunks.size(), 1u);
    EXPECT_EQ(ReadIds(table, plan->chunks).size(), static_cast<size_t>(rows));
  }
  server_.Execute("TRUNCATE chunk_test.t");
  const auto table = ReadTable(connection_.get(), "chunk_test", "t");
  const auto plan = PlanChunks(connection_.get(), *table, {});
  ASSERT_TRUE(plan.ok()) << plan.status();
  EXPECT_TRUE(ReadIds(*table, plan->chunks).empty());
}

TEST_P(ChunkTest, ReadsWhatTheFilterLeaves) {
  const SourceTable table = Make("a INT PRIMARY KEY, b VARCHAR(9)", "n, CONCAT('v', n % 10)", 5000);
  ChunkOptions options;
  options.target_rows = 700;
  options.where = "b = 'v3' OR a < 10 -- the rest is a comment";
  const auto plan = PlanChunks(connection_.get(), table, options);
  ASSERT_TRUE(plan.ok()) << plan.status();
  EXPECT_FALSE(plan->single_pass) << plan->why;
  EXPECT_EQ(ReadIds(table, plan->chunks, options.where).size(), 509u);
}

// A secondary index and the primary key behind it: most rows of the window have one value.
TEST_P(ChunkTest, StaysWithinTheWindow) {
  SourceTable table = Make("a INT PRIMARY KEY, changed DATETIME, pad CHAR(100), KEY changed (changed)",
                           "n, IF(n % 20 = 7, '2024-05-05', '2020-01-01' + INTERVAL n SECOND), 'x'", 20'000);
  table.key = SourceKey{.name = "changed", .columns = {1, 0}};
  ChunkOptions options;
  options.target_rows = 100;
  options.window = "changed >= '2024-05-01' AND changed <= '2024-06-01'";
  const auto before = ReadLoadCounters(connection_.get());
  const auto plan = PlanChunks(connection_.get(), table, options);
  ASSERT_TRUE(plan.ok()) << plan.status();
  const auto after = ReadLoadCounters(connection_.get());
  ASSERT_TRUE(before.ok() && after.ok());
  EXPECT_FALSE(plan->single_pass) << plan->why;
  EXPECT_GE(plan->chunks.size(), 4u);
  EXPECT_LE(plan->chunks.size(), 40u);
  EXPECT_LE((*after - *before).rows_examined, 100 * plan->chunks.size());
  const auto seen = ReadIds(table, plan->chunks, options.window);
  EXPECT_EQ(seen.size(), 1000u);
  for (const auto& [id, times] : seen) ASSERT_EQ(times, 1) << "id " << id;
  options.window = "changed > '2030-01-01'";
  const auto none = PlanChunks(connection_.get(), table, options);
  ASSERT_TRUE(none.ok()) << none.status();
  EXPECT_EQ(none->chunks.size(), 1u);
}

TEST_P(ChunkTest, RowsBeyondTheEndsBelongToTheOutermostChunks) {
  const SourceTable table = Make("a INT PRIMARY KEY", "n", 5000);
  ChunkOptions options;
  options.target_rows = 1000;
  const auto plan = PlanChunks(connection_.get(), table, options);
  ASSERT_TRUE(plan.ok()) << plan.status();
  server_.Execute("INSERT INTO chunk_test.t VALUES (-7, -7), (100000, 100000)");
  EXPECT_EQ(ReadIds(table, plan->chunks).size(), 5002u);
}

TEST_P(ChunkTest, RefusesBoundsThatAreNotTheKeys) {
  const SourceTable table = Make("a INT, b VARCHAR(9), PRIMARY KEY (a, b)", "n, n", 10);
  const auto select = [&table](KeyBound after) {
    Chunk chunk;
    chunk.after = std::move(after);
    return ChunkSelect(table, {0}, chunk, "").status().code();
  };
  EXPECT_EQ(select({"1", "41"}), absl::StatusCode::kOk);
  EXPECT_EQ(select({"1"}), absl::StatusCode::kOk);
  EXPECT_EQ(select({}), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(select({"1", "41", "2"}), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(select({"1) OR 1=1 -- ", "41"}), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(select({"1", "'; DROP TABLE t"}), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(Chunk::FromJson("[]").status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(Chunk::FromJson("{\"number\":1,\"after\":[7]}").status().code(),
            absl::StatusCode::kInvalidArgument);
}

INSTANTIATE_WITH_SERVERS(ChunkTest);

}  // namespace
}  // namespace hakobu
