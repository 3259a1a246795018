// Continuity on real servers: what the pure judge is told must be what servers show.
#include "delivery/stream/evidence.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <thread>

#include "base/status.h"
#include "decode/binlog/gtid.h"
#include "delivery/stream/errant.h"
#include "tests/harness/connections.h"
#include "tests/harness/mysql_server.h"

namespace hakobu {
namespace {

using ::testing::HasSubstr;
using testing::MysqlServer;

// As an engine stores it that has delivered all the server has.
DeliveredPoint StoreNow(const MysqlServer& server) {
  const auto connection = Connect(server);
  const auto state = ReadLogState(connection.get());
  if (!state.ok()) throw std::runtime_error(state.status().ToString());
  DeliveredPoint stored;
  stored.flavor = state->flavor;
  stored.server_uuid = state->server_uuid;
  stored.server_id = state->server_id;
  stored.gtid_set = state->executed_gtids;
  stored.file = state->file;
  stored.offset = state->offset;
  stored.identity = *ReadLogFileIdentity(Root(server), state->file);
  stored.committed = state->server_now;
  return stored;
}

Continuity Prove(const MysqlServer& server, const DeliveredPoint& stored,
                 LogFailure refused = LogFailure::kNone) {
  const auto proof = ProveContinuity(Root(server), stored, refused, Cancellation());
  if (!proof.ok()) throw std::runtime_error(proof.status().ToString());
  return proof->judgement;
}

// File times have whole seconds.
void NextSecond() {
  std::this_thread::sleep_for(std::chrono::milliseconds(1100));
}

class EvidenceTest : public ::testing::TestWithParam<std::string> {
 protected:
  bool mariadb() const { return GetParam() == "mariadb"; }
  std::string Reset() const { return mariadb() ? "RESET MASTER" : "RESET BINARY LOGS AND GTIDS"; }
};
INSTANTIATE_TEST_SUITE_P(Servers, EvidenceTest, ::testing::Values("mysql", "mariadb"),
                         [](const auto& each) { return each.param; });

TEST_P(EvidenceTest, ARestartGoesOnAndAPurgeIsAGap) {
  MysqlServer server(GetParam());
  server.Execute("CREATE DATABASE c; CREATE TABLE c.t(id INT PRIMARY KEY)");
  const DeliveredPoint stored = StoreNow(server);
  EXPECT_EQ(Prove(server, stored).verdict, ContinuityVerdict::kContinues);
  server.Kill(SIGKILL);
  server.Start();
  server.Execute(
      "INSERT INTO c.t VALUES (1); FLUSH BINARY LOGS; INSERT INTO c.t VALUES (2); FLUSH BINARY LOGS");
  EXPECT_EQ(Prove(server, stored).verdict, ContinuityVerdict::kContinues);
  const DeliveredPoint later = StoreNow(server);
  // MariaDB keeps a file until its checkpoint has been written to a later one, a moment after the flush.
  std::this_thread::sleep_for(std::chrono::milliseconds(500));
  server.Execute(fmt::format("PURGE BINARY LOGS TO '{}'", later.file));
  // MariaDB says only when it is asked to go on.
  const Continuity purged = Prove(server, stored, mariadb() ? LogFailure::kPurged : LogFailure::kNone);
  EXPECT_EQ(purged.verdict, ContinuityVerdict::kGap);
  EXPECT_EQ(purged.cause, GapCause::kPurged) << purged.explanation;
  EXPECT_EQ(purged.missing_gtids.empty(), mariadb());
  EXPECT_TRUE(purged.until.has_value());
  EXPECT_EQ(Prove(server, later).verdict, ContinuityVerdict::kContinues);
}

TEST_P(EvidenceTest, AResetIsFoundWhenTheNewNumbersHavePassedOurs) {
  MysqlServer server(GetParam());
  server.Execute("CREATE DATABASE c; CREATE TABLE c.t(id INT PRIMARY KEY AUTO_INCREMENT)");
  const DeliveredPoint stored = StoreNow(server);
  NextSecond();
  server.Execute(Reset());
  for (int i = 0; i < 30; ++i) server.Execute("INSERT INTO c.t VALUES ()");
  const Continuity judged = Prove(server, stored);
  EXPECT_EQ(judged.verdict, ContinuityVerdict::kGap) << judged.explanation;
  EXPECT_EQ(judged.cause, GapCause::kReset) << judged.explanation;
}

TEST_P(EvidenceTest, ALogThatLostItsTailInACrash) {
  MysqlServer server(GetParam());
  server.Execute("CREATE DATABASE c; CREATE TABLE c.t(id INT PRIMARY KEY AUTO_INCREMENT)");
  const DeliveredPoint before = StoreNow(server);
  server.Execute("INSERT INTO c.t VALUES (); INSERT INTO c.t VALUES (); INSERT INTO c.t VALUES ()");
  const DeliveredPoint stored = StoreNow(server);
  NextSecond();
  server.Kill(SIGKILL);
  // What the operating system had not written when the power went.
  std::filesystem::resize_file(server.folder() + "/data/" + before.file, before.offset);
  server.Start();
  server.Execute(
      "INSERT INTO c.t VALUES (); INSERT INTO c.t VALUES (); INSERT INTO c.t VALUES (); INSERT INTO c.t "
      "VALUES ()");
  const Continuity judged = Prove(server, stored);
  EXPECT_EQ(judged.verdict, ContinuityVerdict::kGap) << judged.explanation;
  EXPECT_EQ(judged.cause, GapCause::kLostTail) << judged.explanation;
  EXPECT_EQ(judged.from_point.Text(), fmt::format("{}:{}", before.file, before.offset));
  EXPECT_EQ(judged.until_point.Text(), fmt::format("{}:{}", stored.file, stored.offset));
  // Nothing that survived is taken for lost or sent again, however early in the file's life it all happened.
  DeliveredPoint hasty = stored;
  hasty.committed = absl::FromUnixSeconds(stored.identity.created);
  const Continuity again = Prove(server, hasty);
  EXPECT_EQ(again.cause, GapCause::kLostTail) << again.explanation;
  if (mariadb()) {
    EXPECT_GT(*LogFileNumber(again.start.point.file), *LogFileNumber(stored.file));
  } else {
    EXPECT_EQ(again.phantom_gtids, stored.server_uuid + ":3-5");
    // The tables kept what the log lost, and the server calls it purged.
    EXPECT_EQ(again.start.point.gtid_set, stored.server_uuid + ":1-5");
  }
}

TEST_P(EvidenceTest, AServerRestoredFromASnapshotUnderItsOwnName) {
  MysqlServer server(GetParam());
  server.Execute(
      "CREATE DATABASE c; CREATE TABLE c.t(id INT PRIMARY KEY AUTO_INCREMENT); INSERT INTO c.t VALUES ()");
  const std::string data = server.folder() + "/data", snapshot = server.folder() + "/snapshot";
  server.Kill(SIGTERM);
  std::filesystem::copy(data, snapshot, std::filesystem::copy_options::recursive);
  server.Start();
  server.Execute("INSERT INTO c.t VALUES (); INSERT INTO c.t VALUES (); INSERT INTO c.t VALUES ()");
  const DeliveredPoint stored = StoreNow(server);
  NextSecond();
  server.Kill(SIGTERM);
  std::filesystem::remove_all(data);
  std::filesystem::copy(snapshot, data, std::filesystem::copy_options::recursive);
  server.Start();
  server.Execute("INSERT INTO c.t VALUES (); INSERT INTO c.t VALUES ()");
  const Continuity judged = Prove(server, stored);
  EXPECT_EQ(judged.verdict, ContinuityVerdict::kGap) << judged.explanation;
  // MariaDB's files do not always tell a snapshot of its very first file from a reset; both are this gap.
  EXPECT_TRUE(judged.cause == GapCause::kRestored || (mariadb() && judged.cause == GapCause::kReset))
      << judged.explanation;
  if (!mariadb()) {
    const std::string uuid = stored.server_uuid;
    EXPECT_EQ(judged.phantom_gtids, uuid + ":4-6");
    EXPECT_EQ(judged.start.point.gtid_set, uuid + ":1-3");
  }
  EXPECT_TRUE(judged.until.has_value());
}

// As if the server had been a replica, and two transactions in the middle of its log somebody's own.
TEST(Errant, TransactionsBeforeDeliveredOnesAreFoundWithTheirTables) {
  MysqlServer server("mysql");
  server.Execute(
      "CREATE DATABASE c; CREATE TABLE c.t(id INT PRIMARY KEY); CREATE TABLE c.u(id INT PRIMARY KEY)");
  DeliveredPoint stored = StoreNow(server);
  binlog::GtidSet delivered = *binlog::GtidSet::Parse(stored.gtid_set);
  server.Execute("INSERT INTO c.t VALUES (1); FLUSH BINARY LOGS; INSERT INTO c.u VALUES (1)");
  binlog::GtidSet errant = *binlog::GtidSet::Parse(StoreNow(server).gtid_set);
  errant.Subtract(delivered);
  const auto before = absl::Now();
  server.Execute("FLUSH BINARY LOGS; INSERT INTO c.t VALUES (2)");
  delivered = *binlog::GtidSet::Parse(StoreNow(server).gtid_set);
  delivered.Subtract(errant);
  server.Execute("INSERT INTO c.t VALUES (3); FLUSH BINARY LOGS; INSERT INTO c.t VALUES (4)");
  stored.gtid_set = delivered.Text();
  stored.server_uuid = "22222222-2222-2222-2222-222222222222";

  const auto state = ReadLogState(Connect(server).get());
  ASSERT_TRUE(state.ok()) << state.status();
  EXPECT_TRUE(SuspectsErrant(stored, *state));
  const auto found = FindErrant(Root(server), stored, *state, Cancellation());
  ASSERT_TRUE(found.ok()) << found.status();
  EXPECT_EQ(found->gtids, errant.Text());
  EXPECT_EQ(found->tables, (std::set<std::string>{"c.t", "c.u"}));
  ASSERT_TRUE(found->from.has_value());
  EXPECT_LE(*found->from, before);

  const auto too_much = FindErrant(Root(server), stored, *state, Cancellation(), /*most_bytes=*/1);
  ASSERT_TRUE(too_much.ok()) << too_much.status();
  EXPECT_EQ(too_much->gtids, errant.Text());
  EXPECT_FALSE(too_much->tables.has_value());
  EXPECT_LE(*too_much->from, *found->from);

  const Continuity judged = Prove(server, stored);
  EXPECT_EQ(judged.cause, GapCause::kErrant) << judged.explanation;
  errant.Add(delivered);
  EXPECT_EQ(judged.gtid_set, errant.Text());

  // What comes behind all that was delivered is the log's way on.
  stored.gtid_set = errant.Text();
  EXPECT_EQ(Prove(server, stored).verdict, ContinuityVerdict::kContinues);
}

TEST_P(EvidenceTest, AServerWithoutALogIsRefused) {
  MysqlServer server(GetParam(), {"--skip-log-bin"});
  const auto proof = ProveContinuity(Root(server), DeliveredPoint(), LogFailure::kNone, Cancellation());
  EXPECT_TRUE(absl::IsFailedPrecondition(proof.status())) << proof.status();
  EXPECT_THAT(std::string(View(proof.status().message())), HasSubstr("log_bin"));
}

}  // namespace
}  // namespace hakobu
