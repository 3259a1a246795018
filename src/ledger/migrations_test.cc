#include "ledger/migrations.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sqlite3.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "ledger/ledger.h"

namespace hakobu {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::SizeIs;

class MigrationsTest : public ::testing::Test {
 protected:
  MigrationsTest() {
    std::string name = ::testing::TempDir() + "/hakobu-migrations-XXXXXX";
    folder_ = mkdtemp(name.data());
    path_ = folder_ + "/ledger.db";
  }
  ~MigrationsTest() override { std::filesystem::remove_all(folder_); }

  void Execute(const std::string& sql) {
    sqlite3* database = nullptr;
    ASSERT_EQ(sqlite3_open(path_.c_str(), &database), SQLITE_OK);
    char* error = nullptr;
    EXPECT_EQ(sqlite3_exec(database, sql.c_str(), nullptr, nullptr, &error), SQLITE_OK) << error;
    sqlite3_close(database);
  }
  void MakeVersion5() {
    std::ifstream file("tests/golden/ledger/version-5.sql");
    ASSERT_TRUE(file.good());
    std::stringstream sql;
    sql << file.rdbuf();
    Execute(sql.str());
  }
  std::unique_ptr<Ledger> Open() {
    auto ledger = Ledger::Open(path_);
    EXPECT_TRUE(ledger.ok()) << ledger.status();
    return *std::move(ledger);
  }

  std::string folder_;
  std::string path_;
};

TEST_F(MigrationsTest, RunsOfAnEarlierLedgerAreReadAndContinued) {
  MakeVersion5();
  const auto ledger = Open();
  EXPECT_EQ(ledger->id(), "00c0ffee00c0ffee");
  const auto runs = ledger->runs().Runs(5);
  ASSERT_TRUE(runs.ok()) << runs.status();
  ASSERT_THAT(*runs, SizeIs(2));
  EXPECT_EQ((*runs)[0].finished, absl::InfinitePast());
  EXPECT_EQ((*runs)[1].finished, absl::FromUnixSeconds(2));
  EXPECT_EQ((*ledger->runs().ResumableRun("f"))->id, "r2");
  const auto tables = ledger->runs().Tables("r2");
  ASSERT_TRUE(tables.ok()) << tables.status();
  ASSERT_THAT(*tables, SizeIs(1));
  EXPECT_EQ((*tables)[0].staging, "st");
  EXPECT_EQ((*tables)[0].seconds, 0.5);
  const auto chunks = *ledger->runs().Chunks("r2", "shop.members");
  ASSERT_THAT(chunks, SizeIs(2));
  EXPECT_EQ(chunks[0].state, ChunkState::kDone);
  EXPECT_EQ(chunks[1].attempts, 2);
  EXPECT_THAT((*ledger->runs().Quarantined("r2", "shop.members"))[0].first_keys, ElementsAre("id=1", "id=2"));
  EXPECT_EQ((*ledger->runs().Steps("r2", "shop.members"))[0].detail, "job-1");
  EXPECT_EQ(*ledger->runs().Cursor("shop.members", "p.d.members"), "2026-01-01");
  EXPECT_EQ((*ledger->schemas().NewestSchema("p.d.members"))->schema_json, "[1]");
}

TEST_F(MigrationsTest, AStreamOfAnEarlierLedgerGoesOn) {
  MakeVersion5();
  const auto ledger = Open();
  const auto position = *ledger->streams().Position();
  ASSERT_TRUE(position.has_value());
  EXPECT_EQ(position->offset, 1234U);
  EXPECT_EQ(*ledger->streams().Schemas(), "{\"a\":1}");
  const auto tables = ledger->streams().Tables();
  ASSERT_TRUE(tables.ok()) << tables.status();
  ASSERT_THAT(*tables, SizeIs(2));
  EXPECT_EQ((*tables)[0].chunks, 2U);
  EXPECT_EQ((*tables)[0].chunks_done, 1U);
  EXPECT_EQ((*tables)[1].reason, "gap 1");
  EXPECT_EQ((*tables)[1].write_base, 7U);
  const auto gaps = *ledger->streams().Gaps();
  ASSERT_THAT(gaps, SizeIs(1));
  EXPECT_EQ(gaps[0].from_time, absl::InfinitePast());
  EXPECT_EQ(gaps[0].closed, absl::InfinitePast());
  EXPECT_EQ(gaps[0].to_time, absl::FromUnixSeconds(1));
  EXPECT_EQ((*ledger->streams().Health())->lag_bytes, 12);
  EXPECT_EQ((*ledger->repairs().Find("shop.plans"))->round, 3);
  EXPECT_EQ((*ledger->repairs().Chunks("shop.plans"))[0].rows, 8U);
}

TEST_F(MigrationsTest, GrantsOfAnEarlierLedgerAreKnown) {
  MakeVersion5();
  const auto ledger = Open();
  EXPECT_EQ((*ledger->grants().Applies("p", 5))[0].finished, absl::InfinitePast());
  EXPECT_EQ((*ledger->grants().Targets(1))[0].etag_after, "e2");
  EXPECT_EQ((*ledger->grants().Managed("p"))["d"]["reader user:a@x.com"], 1);
  EXPECT_EQ((*ledger->grants().Baselines("p"))["d"].etag_after, "e2");
}

// Earlier versions kept bounds and filters of masked columns in clear: in rows, in pages that were given
// back, and in the log that the pages went through.
TEST_F(MigrationsTest, WhatEarlierVersionsKeptInClearIsGone) {
  MakeVersion5();
  Execute(R"sql(
    PRAGMA secure_delete = OFF;
    UPDATE chunks SET bounds_json = '{"number":0,"after":["planted-chunk@example.com"]}';
    UPDATE run_tables SET plan_json = '{"where":"tenant = ''planted-filter''"}';
    INSERT INTO publish_steps VALUES ('r2', 'shop.members', 'cursor', '{"lower":"planted-cursor"}', 1);
    UPDATE stream_chunks SET bounds_json = '{"number":0,"upto":["planted-copy"]}' WHERE done = 1;
    UPDATE repair_chunks SET bounds_json = '{"number":0,"upto":["planted-compared"]}';
    CREATE TABLE filler (text TEXT);
    INSERT INTO filler WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 2000)
      SELECT 'planted-in-a-free-page-' || i FROM n;
    DROP TABLE filler)sql");
  const auto held = [&] {
    std::string bytes;
    for (const char* part : {"", "-wal"}) {
      std::ifstream file(path_ + part, std::ios::binary);
      bytes.append(std::istreambuf_iterator<char>(file), {});
    }
    return bytes;
  };
  ASSERT_THAT(held(), HasSubstr("planted-chunk"));
  ASSERT_THAT(held(), HasSubstr("planted-in-a-free-page"));
  // While it is open: the log beside it is part of what can be read.
  const auto ledger = Open();
  EXPECT_THAT(held(), Not(HasSubstr("planted")));
  // What is over is over, and what goes on begins anew.
  EXPECT_EQ((*ledger->runs().Chunks("r2", "shop.members"))[0].bounds_json, "");
  EXPECT_EQ((*ledger->repairs().Find("shop.plans"))->fingerprint, "");
}

// What no hakobu of this version writes is not taken for anything else.
TEST_F(MigrationsTest, AStateThatIsNotKnownIsAnErrorThatNamesIt) {
  Open().reset();
  Execute("INSERT INTO runs VALUES ('r1', 1, NULL, 'levitating', 'f', 7, '', '', '', '')");
  const auto runs = Open()->runs().Runs(5);
  EXPECT_EQ(runs.status().code(), absl::StatusCode::kDataLoss);
  EXPECT_THAT(std::string(runs.status().message()), HasSubstr("runs.state holds `levitating`"));
}

// The second open finds the file at its version and needs no lock that a writer may hold.
TEST_F(MigrationsTest, AnUpgradedLedgerIsOpenedBesideAWriter) {
  Open().reset();
  sqlite3* writer = nullptr;
  ASSERT_EQ(sqlite3_open(path_.c_str(), &writer), SQLITE_OK);
  ASSERT_EQ(sqlite3_exec(writer, "BEGIN IMMEDIATE", nullptr, nullptr, nullptr), SQLITE_OK);
  EXPECT_TRUE(Open()->runs().Runs(1).ok());
  sqlite3_close(writer);
}

}  // namespace
}  // namespace hakobu
