// The live log of real servers, through LogStream and LogDecoder together.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>

#include "decode/binlog/log_decoder.h"
#include "source/source.h"
#include "tests/harness/connections.h"
#include "tests/harness/mysql_server.h"

namespace hakobu {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::MysqlServer;

struct Transaction {
  std::string gtid, file;
  uint64_t begin = 0, end = 0;
  std::vector<std::string> changes;  // "database.table rows-bytes" or the statement
  uint64_t row_bytes = 0;
};

class Recorder : public binlog::LogVisitor {
 public:
  absl::Status OnBegin(const binlog::LogContext& at) override {
    open_ = {at.gtid, at.file, at.position, 0, {}, 0};
    return absl::OkStatus();
  }
  absl::Status OnRows(const binlog::LogContext&, const binlog::TableMap& map,
                      const binlog::RowsEvent& rows) override {
    open_.changes.push_back(fmt::format("{}.{}", map.database, map.table));
    open_.row_bytes += rows.rows.size();
    return absl::OkStatus();
  }
  absl::Status OnStatement(const binlog::LogContext& at, const binlog::LogStatement& statement) override {
    done.push_back({at.gtid, at.file, at.position, at.next_position, {statement.text}, 0});
    return absl::OkStatus();
  }
  absl::Status OnEnd(const binlog::LogContext& at, binlog::TransactionEnd) override {
    open_.end = at.next_position;
    done.push_back(std::move(open_));
    return absl::OkStatus();
  }
  absl::Status OnRotate(const binlog::LogContext& at) override {
    files.push_back(at.file);
    return absl::OkStatus();
  }
  absl::Status OnHeartbeat(const binlog::LogContext&) override {
    ++heartbeats;
    return absl::OkStatus();
  }

  std::vector<Transaction> done;
  std::vector<std::string> files;
  int heartbeats = 0;

 private:
  Transaction open_;
};

class LogStreamTest : public ::testing::TestWithParam<std::string> {
 protected:
  struct Reading {
    std::unique_ptr<LogStream> stream;
    std::unique_ptr<Recorder> recorder = std::make_unique<Recorder>();
    std::unique_ptr<binlog::LogDecoder> decoder = std::make_unique<binlog::LogDecoder>(recorder.get());
    absl::Status status;

    // Reads until `enough`, an error, the end, or 20 s.
    template <typename Enough>
    bool Until(Enough enough) {
      const absl::Time deadline = absl::Now() + absl::Seconds(20);
      while (!enough() && absl::Now() < deadline && !stream->at_end()) {
        auto event = stream->Next(absl::Milliseconds(100));
        status = event.status();
        if (status.ok() && *event) status = decoder->Feed(**event);
        if (!status.ok()) return enough();
      }
      return enough();
    }
    bool Transactions(size_t count) {
      return Until([&] { return recorder->done.size() >= count; });
    }
  };

  Reading Start(const MysqlServer& server, const LogStart& start, LogStreamOptions options = {}) {
    return StartAs(Root(server), start, options);
  }
  Reading StartAs(const ConnectOptions& connect, const LogStart& start, LogStreamOptions options = {}) {
    Reading reading;
    auto stream = LogStream::Open(connect, start, options);
    reading.status = stream.status();
    if (stream.ok()) reading.stream = *std::move(stream);
    return reading;
  }
  LogState State(const MysqlServer& server) {
    auto connection = Connection::Open(Root(server));
    EXPECT_TRUE(connection.ok()) << connection.status();
    auto state = ReadLogState(connection->get());
    EXPECT_TRUE(state.ok()) << state.status();
    return *std::move(state);
  }
  LogStart After(const std::string& gtids) {
    if (GetParam() == "mariadb") return LogStart::After(gtids, "");
    return LogStart::After(gtids, binlog::GtidSet::Parse(gtids)->ToBytes());
  }
  bool mariadb() const { return GetParam() == "mariadb"; }
  MysqlServer& Shared() { return MysqlServer::Shared(GetParam()); }
};
INSTANTIATE_TEST_SUITE_P(Servers, LogStreamTest, ::testing::Values("mysql", "mariadb"),
                         [](const auto& each) { return each.param; });

TEST_P(LogStreamTest, FromNowSeesWhatComesAndNothingBefore) {
  MysqlServer& server = Shared();
  server.Execute(
      "CREATE DATABASE IF NOT EXISTS s; CREATE OR REPLACE VIEW s.v AS SELECT 1; DROP TABLE IF EXISTS "
      "s.t; CREATE TABLE s.t(id INT PRIMARY KEY, v VARCHAR(20)); INSERT INTO s.t VALUES (1,'before')");
  Reading reading = Start(server, LogStart::Now());
  ASSERT_TRUE(reading.status.ok()) << reading.status;
  server.Execute(
      "INSERT INTO s.t VALUES (2,'a'),(3,'b'); UPDATE s.t SET v='c' WHERE id=2; ALTER TABLE s.t ADD n INT");
  ASSERT_TRUE(reading.Transactions(3)) << reading.status;
  EXPECT_THAT(reading.recorder->done[0].changes, ElementsAre("s.t"));
  EXPECT_THAT(reading.recorder->done[1].changes, ElementsAre("s.t"));
  EXPECT_THAT(reading.recorder->done[2].changes, ElementsAre("ALTER TABLE s.t ADD n INT"));
  EXPECT_FALSE(reading.recorder->done[0].gtid.empty());
  const LogState state = State(server);
  EXPECT_EQ(reading.recorder->done[2].end, state.offset);
  EXPECT_EQ(reading.recorder->done[2].file, state.file);
}

TEST_P(LogStreamTest, AfterAGtidSetAndFromAPositionGoOnExactly) {
  MysqlServer& server = Shared();
  server.Execute(
      "CREATE DATABASE IF NOT EXISTS s; DROP TABLE IF EXISTS s.g; CREATE TABLE s.g(id INT PRIMARY KEY)");
  server.Execute("INSERT INTO s.g VALUES (1)");
  const LogState middle = State(server);
  server.Execute("INSERT INTO s.g VALUES (2); FLUSH BINARY LOGS; INSERT INTO s.g VALUES (3)");
  const LogState end = State(server);
  EXPECT_NE(end.file, middle.file);

  for (const LogStart& start : {After(middle.executed_gtids), LogStart::At(middle.file, middle.offset)}) {
    SCOPED_TRACE(start.Text());
    LogStreamOptions options;
    options.stop_at_end = true;
    Reading reading = Start(server, start, options);
    ASSERT_TRUE(reading.status.ok()) << reading.status;
    reading.Until([] { return false; });
    ASSERT_TRUE(reading.status.ok()) << reading.status;
    EXPECT_TRUE(reading.stream->at_end());
    ASSERT_EQ(reading.recorder->done.size(), 2u);
    EXPECT_EQ(reading.recorder->done[0].file, middle.file);
    EXPECT_EQ(reading.recorder->done[1].file, end.file);
    // MariaDB writes a checkpoint (40 bytes) into a new file at a moment of its own choice.
    EXPECT_THAT(end.offset - reading.recorder->done[1].end, ::testing::AnyOf(0, 40));
    EXPECT_EQ(reading.recorder->files.front(), middle.file);
    EXPECT_EQ(reading.recorder->files.back(), end.file);
  }
}

TEST_P(LogStreamTest, AnIdleServerSendsHeartbeatsAndTimeoutsAreKept) {
  LogStreamOptions options;
  options.heartbeat = absl::Milliseconds(300);
  Reading reading = Start(Shared(), LogStart::Now(), options);
  ASSERT_TRUE(reading.status.ok()) << reading.status;
  ASSERT_TRUE(reading.Until([&] { return reading.recorder->heartbeats >= 3; })) << reading.status;
  const absl::Time before = absl::Now();
  for (int i = 0; i < 5; ++i) {
    const auto nothing = reading.stream->Next(absl::Milliseconds(5));
    ASSERT_TRUE(nothing.ok()) << nothing.status();
  }
  EXPECT_LT(absl::Now() - before, absl::Milliseconds(300));
  EXPECT_LT(absl::Now() - reading.stream->last_heard(), absl::Seconds(1));
}

TEST_P(LogStreamTest, ATransactionOfMoreThan16MbAndOneHugeRow) {
  MysqlServer server(GetParam(), {"--max-allowed-packet=128M"});
  server.Execute("CREATE DATABASE s; CREATE TABLE s.b(id INT PRIMARY KEY, v LONGBLOB)");
  Reading reading = Start(server, LogStart::Now());
  ASSERT_TRUE(reading.status.ok()) << reading.status;
  server.Execute(
      "INSERT INTO s.b VALUES (1, REPEAT('x', 40000000)); INSERT INTO s.b SELECT id + 10, SUBSTR(v, 1, "
      "900000) FROM s.b; INSERT INTO s.b WITH RECURSIVE n AS (SELECT 1 AS i UNION ALL SELECT i+1 FROM n "
      "WHERE i<30) SELECT 100+i, REPEAT('y', 1000000) FROM n; INSERT INTO s.b VALUES (2, 'end')");
  ASSERT_TRUE(reading.Transactions(4)) << reading.status;
  EXPECT_GT(reading.recorder->done[0].row_bytes, 40000000u);
  EXPECT_GT(reading.recorder->done[2].row_bytes, 30000000u);
  EXPECT_EQ(reading.recorder->done[3].changes.size(), 1u);
}

TEST_P(LogStreamTest, CompressedTransactionsAndNoChecksums) {
  MysqlServer server(GetParam(), {mariadb() ? "--log-bin-compress=ON" : "--binlog-transaction-compression=ON",
                                  "--binlog-checksum=NONE"});
  server.Execute("CREATE DATABASE s; CREATE TABLE s.c(id INT PRIMARY KEY, v TEXT)");
  Reading reading = Start(server, LogStart::Oldest());
  server.Execute("INSERT INTO s.c VALUES (1, REPEAT('abc', 20000)), (2, 'x')");
  ASSERT_TRUE(reading.Transactions(3)) << reading.status;
  EXPECT_GT(reading.recorder->done[2].row_bytes, 60000u);
  const LogState state = State(server);
  EXPECT_TRUE(state.compression);
  EXPECT_EQ(state.checksum, "NONE");
}

TEST_P(LogStreamTest, ChecksumsTurnedOffWhileFilesWithThemRemain) {
  MysqlServer server(GetParam());
  server.Execute(
      "CREATE DATABASE one; SET GLOBAL binlog_checksum = 'NONE'; CREATE DATABASE two; SET GLOBAL "
      "binlog_checksum = 'CRC32'; CREATE DATABASE three; SET GLOBAL binlog_checksum = 'NONE'; CREATE "
      "DATABASE four");
  Reading reading = Start(server, LogStart::Oldest());
  ASSERT_TRUE(reading.Transactions(4)) << reading.status;
  EXPECT_FALSE(reading.decoder->format().checksums);
  server.Execute("SET GLOBAL binlog_checksum = 'CRC32'; CREATE DATABASE five");
  ASSERT_TRUE(reading.Transactions(5)) << reading.status;
  EXPECT_TRUE(reading.decoder->format().checksums);
}

TEST_P(LogStreamTest, AKilledServerAndARestart) {
  MysqlServer server(GetParam());
  server.Execute("CREATE DATABASE s; CREATE TABLE s.k(id INT PRIMARY KEY)");
  Reading reading = Start(server, LogStart::Now());
  server.Execute("INSERT INTO s.k VALUES (1)");
  ASSERT_TRUE(reading.Transactions(1)) << reading.status;
  const LogState before = State(server);
  server.Kill(SIGKILL);
  reading.Until([] { return false; });
  EXPECT_TRUE(absl::IsUnavailable(reading.status)) << reading.status;
  EXPECT_EQ(LogFailureOf(reading.status), LogFailure::kNone);
  server.Start();
  Reading again = Start(server, After(before.executed_gtids));
  ASSERT_TRUE(again.status.ok()) << again.status;
  server.Execute("INSERT INTO s.k VALUES (2)");
  ASSERT_TRUE(again.Transactions(1)) << again.status;
  EXPECT_EQ(again.recorder->done.size(), 1u);
}

TEST_P(LogStreamTest, AHangingServerIsFoundBySilence) {
  MysqlServer server(GetParam());
  LogStreamOptions options;
  options.heartbeat = absl::Milliseconds(400);
  Reading reading = Start(server, LogStart::Now(), options);
  ASSERT_TRUE(reading.Until([&] { return reading.recorder->heartbeats >= 1; })) << reading.status;
  server.Signal(SIGSTOP);
  const absl::Time before = absl::Now();
  reading.Until([] { return false; });
  server.Signal(SIGCONT);
  EXPECT_TRUE(absl::IsUnavailable(reading.status)) << reading.status;
  EXPECT_THAT(std::string(View(reading.status.message())), HasSubstr("nothing for"));
  EXPECT_LT(absl::Now() - before, absl::Seconds(4));
}

TEST_P(LogStreamTest, PurgedFilesAreToldFromAServerThatLacksWhatWasSeen) {
  MysqlServer server(GetParam());
  server.Execute("CREATE DATABASE s; CREATE TABLE s.p(id INT PRIMARY KEY)");
  const LogState first = State(server);
  server.Execute(
      "INSERT INTO s.p VALUES (1); FLUSH BINARY LOGS; INSERT INTO s.p VALUES (2); FLUSH BINARY LOGS");
  const LogState later = State(server);
  LogState purged = first;
  // MariaDB keeps a file until its checkpoint has been written to a later one, a moment after the flush.
  for (int tries = 0; tries < 50 && (tries == 0 || purged.files.size() > 1); ++tries) {
    if (tries > 0) std::this_thread::sleep_for(std::chrono::milliseconds(100));
    server.Execute(fmt::format("PURGE BINARY LOGS TO '{}'", later.file));
    purged = State(server);
  }
  EXPECT_EQ(purged.files.size(), 1u);

  for (const LogStart& start : {LogStart::At(first.file, first.offset), After(first.executed_gtids)}) {
    Reading reading = Start(server, start);
    if (reading.status.ok()) reading.Until([] { return false; });
    EXPECT_EQ(LogFailureOf(reading.status), LogFailure::kPurged) << start.Text() << ": " << reading.status;
    EXPECT_TRUE(absl::IsOutOfRange(reading.status)) << reading.status;
    EXPECT_THAT(std::string(View(reading.status.message())), HasSubstr("hint: "));
  }
  std::string ahead = "0-1-999999";
  if (!mariadb()) ahead = fmt::format("{}:1-999999", later.server_uuid);
  for (const LogStart& start : {LogStart::At(later.file, 1u << 30), After(ahead)}) {
    Reading reading = Start(server, start);
    if (reading.status.ok()) reading.Until([] { return false; });
    EXPECT_EQ(LogFailureOf(reading.status), LogFailure::kAhead) << start.Text() << ": " << reading.status;
  }
}

TEST_P(LogStreamTest, WithoutThePrivilegeTheGrantIsNamed) {
  MysqlServer& server = Shared();
  server.Execute("DROP USER IF EXISTS weak; CREATE USER weak IDENTIFIED BY 'weak-1'");
  ConnectOptions weak = Root(server);
  weak.user = "weak";
  weak.password = "weak-1";
  const Reading reading = StartAs(weak, LogStart::Now());
  EXPECT_EQ(LogFailureOf(reading.status), LogFailure::kDenied) << reading.status;
  EXPECT_THAT(std::string(View(reading.status.message())), HasSubstr("GRANT REPLICATION SLAVE"));
  auto connection = Connection::Open(weak);
  ASSERT_TRUE(connection.ok());
  const auto state = ReadLogState(connection->get());
  EXPECT_TRUE(absl::IsPermissionDenied(state.status())) << state.status();
  EXPECT_THAT(std::string(View(state.status().message())), HasSubstr("GRANT REPLICATION CLIENT"));
}

TEST_P(LogStreamTest, TheUserOfTheGuideMayDoAll) {
  MysqlServer& server = Shared();
  server.Execute(
      fmt::format("DROP USER IF EXISTS reader; CREATE USER reader IDENTIFIED BY 'reader-1'; GRANT {} ON "
                  "*.* TO reader",
                  mariadb() ? "REPLICATION SLAVE, BINLOG MONITOR" : "REPLICATION SLAVE, REPLICATION CLIENT"));
  ConnectOptions reader = Root(server);
  reader.user = "reader";
  reader.password = "reader-1";
  Reading reading = StartAs(reader, LogStart::Now());
  ASSERT_TRUE(reading.status.ok()) << reading.status;
  auto connection = Connection::Open(reader);
  ASSERT_TRUE(connection.ok());
  const auto state = ReadLogState(connection->get());
  EXPECT_TRUE(state.ok()) << state.status();
}

TEST_P(LogStreamTest, ALogThatIsOffIsSaid) {
  MysqlServer server(GetParam(), {"--skip-log-bin"});
  EXPECT_FALSE(State(server).log_on);
  const Reading reading = Start(server, LogStart::Now());
  EXPECT_EQ(LogFailureOf(reading.status), LogFailure::kOff) << reading.status;
}

TEST_P(LogStreamTest, InterruptEndsAWait) {
  Reading reading = Start(Shared(), LogStart::Now());
  ASSERT_TRUE(reading.status.ok());
  std::thread stopper([&] {
    std::this_thread::sleep_for(std::chrono::milliseconds(200));
    reading.stream->Interrupt();
  });
  reading.Until([] { return false; });
  stopper.join();
  EXPECT_TRUE(absl::IsCancelled(reading.status)) << reading.status;
  EXPECT_TRUE(absl::IsCancelled(reading.stream->Next(absl::ZeroDuration()).status()));
}

TEST_P(LogStreamTest, TwoStreamsHaveTwoIdsAndOneIdOneStream) {
  Reading one = Start(Shared(), LogStart::Now());
  Reading two = Start(Shared(), LogStart::Now());
  ASSERT_TRUE(one.status.ok() && two.status.ok());
  EXPECT_NE(one.stream->server_id(), two.stream->server_id());
  LogStreamOptions same;
  same.server_id = one.stream->server_id();
  same.replica_uuid = one.stream->replica_uuid();
  Reading third = Start(Shared(), LogStart::Now(), same);
  ASSERT_TRUE(third.status.ok()) << third.status;
  one.Until([] { return false; });
  EXPECT_FALSE(one.status.ok());
  Shared().Execute("CREATE DATABASE IF NOT EXISTS third");
  EXPECT_TRUE(third.Transactions(1)) << third.status;
}

TEST_P(LogStreamTest, TlsAndCompressionAreHonoured) {
  MysqlServer& server = Shared();
  server.Execute(
      "CREATE DATABASE IF NOT EXISTS s; DROP TABLE IF EXISTS s.z; CREATE TABLE s.z(id INT PRIMARY KEY "
      "AUTO_INCREMENT, v MEDIUMTEXT)");
  for (const bool tls : {false, true}) {
    for (const auto compression : {WireCompression::kNone, WireCompression::kZlib}) {
      if (tls && mariadb()) continue;  // 10.11 has no certificate by itself
      SCOPED_TRACE(fmt::format("tls {} compression {}", tls, static_cast<int>(compression)));
      ConnectOptions options = Root(server);
      if (tls) {
        options.socket.clear();
        options.port = server.port();
        options.tls.mode = TlsMode::kRequire;
      }
      options.compression = compression;
      Reading reading = StartAs(options, LogStart::Now());
      ASSERT_TRUE(reading.status.ok()) << reading.status;
      for (int i = 0; i < 20; ++i) {
        server.Execute(fmt::format("INSERT INTO s.z(v) VALUES (REPEAT('abcdefgh', {}))", 1 + i * i * 500));
      }
      // A short time-out: what the library or TLS holds back must not be taken for silence.
      EXPECT_TRUE(reading.Transactions(20)) << reading.status;
    }
  }
}

TEST_P(LogStreamTest, AFilesIdentityIsTheSameFromTheMiddleAndAnotherAfterAReset) {
  MysqlServer server(GetParam());
  server.Execute("CREATE DATABASE s");
  const LogState state = State(server);
  const auto whole = ReadLogFileIdentity(Root(server), state.file);
  ASSERT_TRUE(whole.ok()) << whole.status();
  EXPECT_EQ(whole->server_id, state.server_id);
  EXPECT_LT(absl::AbsDuration(absl::FromUnixSeconds(whole->created) - absl::Now()), absl::Minutes(5));
  EXPECT_EQ(LogFileIdentity::Parse(whole->Text()), *whole);
  LogStreamOptions options;
  options.stop_at_end = true;
  auto stream = LogStream::Open(Root(server), LogStart::At(state.file, state.offset), options);
  ASSERT_TRUE(stream.ok()) << stream.status();
  std::optional<LogFileIdentity> middle;
  while (!(*stream)->at_end() && !middle) {
    const auto event = (*stream)->Next(absl::Seconds(5));
    ASSERT_TRUE(event.ok() && *event) << event.status();
    middle = IdentityOf(**event);
  }
  EXPECT_EQ(middle, *whole);
  std::this_thread::sleep_for(std::chrono::milliseconds(1100));
  server.Execute(mariadb() ? "RESET MASTER" : "RESET BINARY LOGS AND GTIDS");
  const LogState reset = State(server);
  const auto other = ReadLogFileIdentity(Root(server), reset.file);
  ASSERT_TRUE(other.ok()) << other.status();
  EXPECT_FALSE(*other == *whole);
  EXPECT_EQ(LogFailureOf(ReadLogFileIdentity(Root(server), "binlog.000777").status()), LogFailure::kPurged);
}

TEST_P(LogStreamTest, TheStateNamesWhatCountsForContinuity) {
  MysqlServer server(GetParam(), {mariadb() ? "--expire-logs-days=3" : "--binlog-expire-logs-seconds=259200",
                                  "--sync-binlog=1", "--binlog-row-metadata=FULL"});
  server.Execute("CREATE DATABASE s");
  const LogState state = State(server);
  EXPECT_TRUE(state.log_on);
  EXPECT_TRUE(state.gtid_on);
  EXPECT_EQ(state.format, "ROW");
  EXPECT_EQ(state.row_image, "FULL");
  EXPECT_EQ(state.row_metadata, "FULL");
  EXPECT_EQ(state.sync_binlog, 1u);
  EXPECT_EQ(state.kept_for, absl::Hours(72));
  EXPECT_FALSE(state.executed_gtids.empty());
  EXPECT_EQ(state.server_uuid.empty(), mariadb());
  EXPECT_LT(absl::AbsDuration(state.server_now - absl::Now()), absl::Seconds(10));
  EXPECT_LT(absl::Now() - state.started, absl::Minutes(2));
  ASSERT_FALSE(state.files.empty());
  EXPECT_EQ(state.files.back().name, state.file);
  EXPECT_EQ(state.BytesAfter(state.file, 4), state.offset - 4);
}

}  // namespace
}  // namespace hakobu
