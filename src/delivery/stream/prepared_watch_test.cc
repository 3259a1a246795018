#include "delivery/stream/prepared_watch.h"

#include <gtest/gtest.h>

#include "tests/harness/connections.h"

namespace hakobu {
namespace {

const absl::Time kStarted = absl::FromUnixSeconds(1'700'000'000);
const absl::Time kBefore = kStarted - absl::Seconds(5);

LogState At(const std::string& file, uint64_t offset) {
  LogState state;
  state.file = file;
  state.offset = offset;
  state.started = kStarted;
  return state;
}

TEST(PreparedWatch, ATransactionIsLostThatARestartedServerDoesNotKnowTwice) {
  PreparedWatch watch;
  EXPECT_FALSE(watch.IsLost("a", kBefore, LogPoint::At("binlog.000002", 900)));
  watch.Publish({"b"}, At("binlog.000002", 300));
  EXPECT_FALSE(watch.IsLost("a", kBefore, LogPoint::At("binlog.000002", 900))) << "one look";
  watch.Publish({"b"}, At("binlog.000002", 500));
  EXPECT_TRUE(watch.IsLost("a", kBefore, LogPoint::At("binlog.000002", 500)));
  EXPECT_TRUE(watch.IsLost("a", kBefore, LogPoint::At("binlog.000003", 4)));
  EXPECT_FALSE(watch.IsLost("b", kBefore, LogPoint::At("binlog.000002", 900))) << "the server has it";
  EXPECT_FALSE(watch.IsLost("a", kBefore, LogPoint::At("binlog.000002", 499))) << "its end may come yet";
  EXPECT_FALSE(watch.IsLost("a", kBefore, LogPoint::At("binlog.000001", 9000)));
  EXPECT_FALSE(watch.IsLost("a", kStarted + absl::Seconds(9), LogPoint::At("binlog.000002", 900)))
      << "of this server's life";
  watch.Forget();
  EXPECT_FALSE(watch.IsLost("a", kBefore, LogPoint::At("binlog.000002", 900)));
}

TEST(PreparedWatch, ReadsIdsAsTheLogNamesThem) {
  testing::MysqlServer server("mariadb");
  server.Execute(
      "CREATE DATABASE c; CREATE TABLE c.t (id INT PRIMARY KEY) ENGINE=InnoDB;"
      "XA START 'abc', 'd', 7; INSERT INTO c.t VALUES (1); XA END 'abc', 'd', 7; XA PREPARE 'abc', 'd', 7");
  const auto found = PreparedWatch::Read(Connect(server).get());
  ASSERT_TRUE(found.ok()) << found.status();
  EXPECT_EQ(*found, std::set<std::string>{"X'616263',X'64',7"});
  server.Execute("XA ROLLBACK 'abc', 'd', 7");
}

}  // namespace
}  // namespace hakobu
