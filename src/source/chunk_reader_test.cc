#include "source/chunk_reader.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>

#include "source/schema.h"
#include "tests/harness/connections.h"

namespace hakobu {
namespace {

using ::testing::HasSubstr;
using testing::MysqlServer;

SourceTable ReadSchema(Connection* connection, const std::string& name) {
  auto table = ReadTable(connection, "reader_test", name);
  if (!table.ok()) throw std::runtime_error(table.status().ToString());
  return *std::move(table);
}

// A million rows that arrive slowly enough to be interrupted.
constexpr std::string_view kManyRows =
    "CREATE TABLE many (a INT PRIMARY KEY AUTO_INCREMENT, pad CHAR(200) NOT NULL DEFAULT 'x');"
    "INSERT INTO many (pad) VALUES ('1'), ('2'), ('3'), ('4'), ('5'), ('6'), ('7'), ('8');";

void MakeManyRows(const MysqlServer& server) {
  std::string sql = "USE reader_test; " + std::string(kManyRows);
  for (int i = 0; i < 14; ++i) sql += "INSERT INTO many (pad) SELECT pad FROM many;";
  server.Execute(sql);
}

class ChunkReaderTest : public ::testing::TestWithParam<std::string> {
 protected:
  void SetUp() override {
    server_.Execute(
        "DROP DATABASE IF EXISTS reader_test; CREATE DATABASE reader_test CHARACTER SET utf8mb4; USE "
        "reader_test;"
        "CREATE TABLE t (a INT PRIMARY KEY, b VARCHAR(20)); INSERT INTO t VALUES (1, 'one'), (2, NULL), (3, "
        "'三')");
    connection_ = Connect(server_);
  }
  MysqlServer& server_ = MysqlServer::Shared(GetParam());
  std::unique_ptr<Connection> connection_;
};

TEST_P(ChunkReaderTest, YieldsPacketsAndLeavesTheConnectionRight) {
  const SourceTable table = ReadSchema(connection_.get(), "t");
  ChunkReader reader(connection_.get(), &table, {0, 1});
  for (int round = 0; round < 3; ++round) {
    ASSERT_TRUE(reader.Open({}).ok()) << reader.status();
    std::vector<std::string> packets;
    std::string_view packet;
    while (reader.Next(&packet)) packets.emplace_back(packet);
    ASSERT_TRUE(reader.status().ok()) << reader.status();
    using std::string_literals::operator""s;
    EXPECT_THAT(packets, ::testing::ElementsAre("\0\0\1\0\0\0\3one"s, "\0\10\2\0\0\0"s, "\0\0\3\0\0\0\3三"s));
    EXPECT_EQ(reader.rows(), 3u);
    EXPECT_FALSE(reader.Next(&packet));
    EXPECT_EQ(*connection_->QueryValue("SELECT 'still here'"), "still here");
  }
}

TEST_P(ChunkReaderTest, RefusesATableThatWasAltered) {
  const SourceTable table = ReadSchema(connection_.get(), "t");
  ChunkReader reader(connection_.get(), &table, {0, 1});
  server_.Execute("ALTER TABLE reader_test.t MODIFY a BIGINT");
  const absl::Status altered = reader.Open({});
  EXPECT_EQ(altered.code(), absl::StatusCode::kFailedPrecondition) << altered;
  EXPECT_THAT(std::string(altered.message()), HasSubstr("column a: expected int"));
  server_.Execute("ALTER TABLE reader_test.t DROP COLUMN b");
  EXPECT_EQ(reader.Open({}).code(), absl::StatusCode::kFailedPrecondition);
  server_.Execute("DROP TABLE reader_test.t");
  EXPECT_EQ(reader.Open({}).code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(*connection_->QueryValue("SELECT 1"), "1");
}

TEST_P(ChunkReaderTest, CarriesAValueOf64Megabytes) {
  server_.Execute(
      "SET GLOBAL max_allowed_packet = 1073741824; USE reader_test; CREATE TABLE big (a INT PRIMARY KEY, b "
      "LONGBLOB)");
  server_.Execute("INSERT INTO reader_test.big VALUES (1, REPEAT('ab', 33554432)), (2, 'small')");
  connection_ = Connect(server_);
  const SourceTable table = ReadSchema(connection_.get(), "big");
  ChunkReader reader(connection_.get(), &table, {0, 1});
  ASSERT_TRUE(reader.Open({}).ok()) << reader.status();
  std::string_view packet;
  ASSERT_TRUE(reader.Next(&packet)) << reader.status();
  constexpr size_t kHead = 2 + 4 + 9;
  ASSERT_EQ(packet.size(), kHead + 67'108'864);
  EXPECT_EQ(packet.substr(packet.size() - 4), "abab");
  ASSERT_TRUE(reader.Next(&packet));
  EXPECT_EQ(packet.substr(7), "small");
  EXPECT_FALSE(reader.Next(&packet));
  EXPECT_TRUE(reader.status().ok()) << reader.status();
}

TEST_P(ChunkReaderTest, ReportsAnErrorInTheMiddleOfTheRows) {
  MakeManyRows(server_);
  const SourceTable table = ReadSchema(connection_.get(), "many");
  ChunkReader reader(connection_.get(), &table, {0, 1});
  ASSERT_TRUE(reader.Open({}).ok()) << reader.status();
  const std::string id = std::to_string(mysql_thread_id(connection_->handle()));
  std::string_view packet;
  ASSERT_TRUE(reader.Next(&packet));
  server_.Execute("KILL QUERY " + id);
  while (reader.Next(&packet)) {
  }
  EXPECT_EQ(reader.status().code(), absl::StatusCode::kUnavailable) << reader.status();
  EXPECT_LT(reader.rows(), 131'072u);
  EXPECT_EQ(*connection_->QueryValue("SELECT 1"), "1");
}

TEST_P(ChunkReaderTest, InterruptEndsAReadBetweenRows) {
  MakeManyRows(server_);
  const SourceTable table = ReadSchema(connection_.get(), "many");
  ChunkReader reader(connection_.get(), &table, {0, 1});
  ASSERT_TRUE(reader.Open({}).ok()) << reader.status();
  std::string_view packet;
  ASSERT_TRUE(reader.Next(&packet));
  std::thread([this] { connection_->Interrupt(); }).join();
  while (reader.Next(&packet)) {
  }
  EXPECT_EQ(reader.status().code(), absl::StatusCode::kCancelled) << reader.status();
}

TEST_P(ChunkReaderTest, LeavingAChunkHalfReadCutsTheConnection) {
  MakeManyRows(server_);
  const SourceTable table = ReadSchema(connection_.get(), "many");
  const absl::Time begin = absl::Now();
  {
    ChunkReader reader(connection_.get(), &table, {0, 1});
    ASSERT_TRUE(reader.Open({}).ok()) << reader.status();
    std::string_view packet;
    ASSERT_TRUE(reader.Next(&packet));
  }
  EXPECT_TRUE(connection_->interrupted());
  connection_.reset();
  EXPECT_LT(absl::Now() - begin, absl::Seconds(5));
}

TEST_P(ChunkReaderTest, SaysThatTheServerDied) {
  MysqlServer own(GetParam());
  own.Execute("CREATE DATABASE reader_test CHARACTER SET utf8mb4");
  MakeManyRows(own);
  auto connection = Connect(own);
  const SourceTable table = ReadSchema(connection.get(), "many");
  ChunkReader reader(connection.get(), &table, {0, 1});
  ASSERT_TRUE(reader.Open({}).ok()) << reader.status();
  std::string_view packet;
  ASSERT_TRUE(reader.Next(&packet));
  own.Kill(SIGKILL);
  while (reader.Next(&packet)) {
  }
  EXPECT_EQ(reader.status().code(), absl::StatusCode::kUnavailable) << reader.status();
  EXPECT_THAT(std::string(reader.status().message()), HasSubstr("hint: "));
  EXPECT_EQ(reader.Open({}).code(), absl::StatusCode::kUnavailable);
  own.Start();
  auto again = Connect(own);
  ChunkReader second(again.get(), &table, {0});
  ASSERT_TRUE(second.Open({}).ok()) << second.status();
  while (second.Next(&packet)) {
  }
  EXPECT_TRUE(second.status().ok()) << second.status();
  EXPECT_EQ(second.rows(), 131'072u);
}

INSTANTIATE_WITH_SERVERS(ChunkReaderTest);

}  // namespace
}  // namespace hakobu
