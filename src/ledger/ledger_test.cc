#include "ledger/ledger.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sqlite3.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <thread>

#include "base/status.h"

namespace hakobu {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::SizeIs;

class LedgerTest : public ::testing::Test {
 protected:
  LedgerTest() {
    std::string name = ::testing::TempDir() + "/hakobu-ledger-XXXXXX";
    folder_ = mkdtemp(name.data());
    path_ = folder_ + "/ledger.db";
  }
  ~LedgerTest() override { std::filesystem::remove_all(folder_); }

  std::unique_ptr<Ledger> Open() {
    auto ledger = Ledger::Open(path_);
    EXPECT_TRUE(ledger.ok()) << ledger.status();
    return *std::move(ledger);
  }
  static void AddRun(Ledger& ledger, const std::string& id, int64_t second, size_t chunks = 3) {
    ASSERT_TRUE(ledger.runs()
                    .StartRun({.id = id, .started = absl::FromUnixSeconds(second), .fingerprint = "f"})
                    .ok());
    std::vector<ChunkRecord> planned(chunks);
    for (size_t i = 0; i < chunks; ++i) planned[i] = {.number = i, .bounds_json = "{}"};
    ASSERT_TRUE(ledger.runs().AddTable({.run_id = id, .source = "shop.members"}, planned).ok());
  }

  std::string folder_;
  std::string path_;
};

TEST_F(LedgerTest, KeepsRunsTablesAndChunksOverReopening) {
  {
    auto ledger = Open();
    AddRun(*ledger, "r1", 100);
    ASSERT_TRUE(ledger->runs().BeginChunk("r1", "shop.members", 1).ok());
    ASSERT_TRUE(ledger->runs().BeginChunk("r1", "shop.members", 1).ok());
    const ChunkRecord done{.number = 1, .stream = "streams/a", .rows = 10, .bytes = 99};
    ASSERT_TRUE(ledger->runs().FinishChunk("r1", "shop.members", done, {}).ok());
  }
  auto ledger = Open();
  const auto chunks = ledger->runs().Chunks("r1", "shop.members");
  ASSERT_TRUE(chunks.ok());
  ASSERT_THAT(*chunks, SizeIs(3));
  EXPECT_EQ((*chunks)[1].state, ChunkState::kDone);
  EXPECT_EQ((*chunks)[1].attempts, 2);
  EXPECT_EQ((*chunks)[1].stream, "streams/a");
  EXPECT_EQ((*chunks)[2].state, ChunkState::kPlanned);
  const auto resumable = ledger->runs().ResumableRun("f");
  ASSERT_TRUE(resumable.ok() && resumable->has_value());
  EXPECT_EQ((*resumable)->id, "r1");
  EXPECT_FALSE((*ledger->runs().ResumableRun("other")).has_value());
}

TEST_F(LedgerTest, FinishedRunsAreNotContinued) {
  auto ledger = Open();
  AddRun(*ledger, "r1", 100);
  AddRun(*ledger, "r2", 200);
  ASSERT_TRUE(ledger->runs().FinishRun("r2", RunState::kDone, absl::FromUnixSeconds(300), "", "{}").ok());
  ASSERT_TRUE(ledger->runs().SetRunState("r1", RunState::kAbandoned).ok());
  EXPECT_FALSE((*ledger->runs().ResumableRun("f")).has_value());
  const auto runs = ledger->runs().Runs(10);
  ASSERT_TRUE(runs.ok());
  ASSERT_THAT(*runs, SizeIs(2));
  EXPECT_EQ((*runs)[0].id, "r2");
  EXPECT_EQ((*runs)[0].finished, absl::FromUnixSeconds(300));
}

TEST_F(LedgerTest, ATableMovesOnlyFromTheStateThatTheLedgerHolds) {
  auto ledger = Open();
  AddRun(*ledger, "r1", 100);
  RunTableRecord table = ledger->runs().Tables("r1")->front();
  RunTableRecord stale = table;
  ASSERT_TRUE(ledger->runs().AdvanceTable(&table, RunTableEvent::kRead).ok());
  EXPECT_EQ(table.state, RunTableState::kReading);
  const absl::Status refused = ledger->runs().AdvanceTable(&stale, RunTableEvent::kFail);
  EXPECT_EQ(refused.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(View(refused.message())), HasSubstr("hold `planned`, found `reading`"));
  EXPECT_EQ(stale.state, RunTableState::kPlanned);
  const absl::Status early = ledger->runs().AdvanceTable(&table, RunTableEvent::kPublished);
  EXPECT_THAT(std::string(View(early.message())), HasSubstr("expected `publishing`"));
  EXPECT_EQ(ledger->runs().Tables("r1")->front().state, RunTableState::kReading);
}

TEST_F(LedgerTest, AChunkThatWasNotPlannedIsNoChunk) {
  auto ledger = Open();
  AddRun(*ledger, "r1", 100, 2);
  EXPECT_EQ(ledger->runs().BeginChunk("r1", "shop.members", 2).code(), absl::StatusCode::kInternal);
  EXPECT_EQ(ledger->runs().FinishChunk("r1", "shop.plans", {.number = 0}, {}).code(),
            absl::StatusCode::kInternal);
}

TEST_F(LedgerTest, SumsQuarantinedValuesOverChunks) {
  auto ledger = Open();
  AddRun(*ledger, "r1", 100);
  const auto finish = [&](uint64_t number, uint64_t count, std::vector<std::string> keys) {
    return ledger->runs().FinishChunk(
        "r1", "shop.members", {.number = number},
        {{.column = "born", .count = count, .first_keys = keys, .example = "0000-00-00"}});
  };
  ASSERT_TRUE(finish(0, 2, {"id=1", "id=2"}).ok());
  ASSERT_TRUE(finish(2, 5, {"id=7"}).ok());
  ASSERT_TRUE(finish(2, 1, {"id=9"}).ok());  // the chunk was read again: its counts are replaced, not added
  const auto columns = ledger->runs().Quarantined("r1", "shop.members");
  ASSERT_TRUE(columns.ok());
  ASSERT_THAT(*columns, SizeIs(1));
  EXPECT_EQ(columns->front().count, 3);
  EXPECT_THAT(columns->front().first_keys, ElementsAre("id=1", "id=2", "id=9"));
}

TEST_F(LedgerTest, StepsCursorsAndSchemasAreKept) {
  auto ledger = Open();
  AddRun(*ledger, "r1", 100);
  ASSERT_TRUE(ledger->runs().RecordStep("r1", "shop.members", {PublishStep::kCopy, "job-1", false}).ok());
  ASSERT_TRUE(ledger->runs().RecordStep("r1", "shop.members", {PublishStep::kCopy, "job-1", true}).ok());
  ASSERT_TRUE(ledger->runs().MoveCursor("r1", "shop.members", "p.d.members", "2026-01-01").ok());
  EXPECT_EQ(*ledger->runs().Cursor("shop.members", "p.d.members"), "2026-01-01");
  const auto steps = ledger->runs().Steps("r1", "shop.members");
  ASSERT_TRUE(steps.ok());
  ASSERT_THAT(*steps, SizeIs(2));
  EXPECT_TRUE(steps->front().done);
  // What does not follow leaves the ledger as it is.
  EXPECT_EQ(ledger->runs().RecordStep("r1", "shop.members", {PublishStep::kCopy, "job-2", false}).code(),
            absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(ledger->runs().RecordStep("r1", "shop.members", {PublishStep::kQuery, "job-2", true}).code(),
            absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(ledger->runs().Steps("r1", "shop.members")->front().detail, "job-1");
  EXPECT_THAT(*ledger->runs().Steps("r1", "shop.members"), SizeIs(2));
  EXPECT_EQ(*ledger->schemas().RecordSchema("p.d.members", "r1", "[1]"), 1);
  EXPECT_EQ(*ledger->schemas().RecordSchema("p.d.members", "r1", "[1]"), 1);
  EXPECT_EQ(*ledger->schemas().RecordSchema("p.d.members", "r1", "[2]"), 2);
}

TEST_F(LedgerTest, ASecondRunIsRefusedWithThePidOfTheFirst) {
  auto first = Open();
  auto lock = first->Lock(LedgerUse::kRun);
  ASSERT_TRUE(lock.ok());
  auto second = Open();
  const absl::Status status = second->Lock(LedgerUse::kRun).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(View(status.message())), HasSubstr(std::to_string(getpid())));
  // A stream and a repair go on beside it.
  EXPECT_TRUE(second->Lock(LedgerUse::kStream).ok());
  EXPECT_TRUE(second->Lock(LedgerUse::kRepair).ok());
  lock->reset();
  EXPECT_TRUE(second->Lock(LedgerUse::kRun).ok());
}

TEST_F(LedgerTest, RefusesANewerVersionAndAFileThatIsNoLedger) {
  Open().reset();
  sqlite3* database = nullptr;
  ASSERT_EQ(sqlite3_open(path_.c_str(), &database), SQLITE_OK);
  ASSERT_EQ(sqlite3_exec(database, "PRAGMA user_version = 999", nullptr, nullptr, nullptr), SQLITE_OK);
  sqlite3_close(database);
  EXPECT_EQ(Ledger::Open(path_).status().code(), absl::StatusCode::kFailedPrecondition);

  const std::string other = folder_ + "/notes.txt";
  std::ofstream(other) << std::string(5000, 'x');
  EXPECT_EQ(Ledger::Open(other).status().code(), absl::StatusCode::kFailedPrecondition);
}

// Killed at a random moment, thirty times over: every checkpoint that was acknowledged is there.
TEST_F(LedgerTest, AcknowledgedCheckpointsSurviveKill9) {
  {
    auto ledger = Open();
    AddRun(*ledger, "r1", 100, 2000);
  }
  uint64_t next = 0;
  for (int round = 0; round < 30; ++round) {
    int channel[2];
    ASSERT_EQ(pipe(channel), 0);
    const pid_t child = fork();
    if (child == 0) {
      auto ledger = Ledger::Open(path_);
      for (uint64_t number = next; number < 2000; ++number) {
        if (!(*ledger)->runs().FinishChunk("r1", "shop.members", {.number = number, .rows = number}, {}).ok())
          break;
        if (write(channel[1], &number, sizeof number) != sizeof number) break;
      }
      _exit(0);
    }
    close(channel[1]);
    uint64_t acknowledged = next;
    for (int i = 0; i < 3 + round % 5 && read(channel[0], &acknowledged, sizeof acknowledged) > 0; ++i) {
    }
    kill(child, SIGKILL);
    waitpid(child, nullptr, 0);
    while (read(channel[0], &acknowledged, sizeof acknowledged) > 0) {
    }
    close(channel[0]);
    auto ledger = Open();
    const auto chunks = ledger->runs().Chunks("r1", "shop.members");
    ASSERT_TRUE(chunks.ok());
    for (uint64_t number = 0; number <= acknowledged; ++number) {
      ASSERT_EQ((*chunks)[number].state, ChunkState::kDone) << "round " << round;
      ASSERT_EQ((*chunks)[number].rows, number);
    }
    next = acknowledged + 1;
  }
}

// The disk is full: a clear error, and what was acknowledged before is still there.
TEST_F(LedgerTest, AFullDiskIsAClearErrorAndLosesNothing) {
  auto ledger = Open();
  AddRun(*ledger, "r1", 100, 200);
  signal(SIGXFSZ, SIG_IGN);
  rlimit before;
  getrlimit(RLIMIT_FSIZE, &before);
  const rlimit limit{std::filesystem::file_size(path_ + "-wal") + 40000, before.rlim_max};
  setrlimit(RLIMIT_FSIZE, &limit);
  absl::Status status;
  uint64_t done = 0;
  for (; done < 200 && status.ok(); ++done) {
    status = ledger->runs().FinishChunk("r1", "shop.members",
                                        {.number = done, .stream = std::string(2000, 's')}, {});
  }
  setrlimit(RLIMIT_FSIZE, &before);
  EXPECT_EQ(status.code(), absl::StatusCode::kResourceExhausted) << status;
  EXPECT_THAT(std::string(View(status.message())), HasSubstr("hint: "));
  const auto chunks = ledger->runs().Chunks("r1", "shop.members");
  ASSERT_TRUE(chunks.ok()) << chunks.status();
  for (uint64_t number = 0; number + 1 < done; ++number)
    EXPECT_EQ((*chunks)[number].state, ChunkState::kDone);
  EXPECT_EQ((*chunks)[done - 1].state, ChunkState::kPlanned);
  EXPECT_TRUE(ledger->runs().FinishChunk("r1", "shop.members", {.number = done - 1}, {}).ok());
}

class Listener : public OutageListener {
 public:
  void OnFailure(std::string_view, const absl::Status& error) override {
    absl::MutexLock lock(&mutex_);
    error_ = std::string(View(error.message()));
    said_ = true;
  }
  void OnSilence(std::string_view, absl::Time) override {}
  void OnSuccess(std::string_view) override {
    absl::MutexLock lock(&mutex_);
    over_ = true;
  }
  bool troubled() const override { return false; }
  std::string WaitForError() {
    absl::MutexLock lock(&mutex_);
    mutex_.AwaitWithTimeout(absl::Condition(&said_), absl::Minutes(1));
    return error_;
  }
  bool over() const {
    absl::MutexLock lock(&mutex_);
    return over_;
  }

 private:
  mutable absl::Mutex mutex_;
  bool said_ = false, over_ = false;
  std::string error_;
};

// What another process holds is waited for, and told of; until the waiting is cancelled.
TEST_F(LedgerTest, ALockedFileIsWaitedForAndSaid) {
  AddRun(*Open(), "r1", 100, 1);
  sqlite3* other = nullptr;
  ASSERT_EQ(sqlite3_open(path_.c_str(), &other), SQLITE_OK);
  for (const bool cancelled : {false, true}) {
    Listener listener;
    Cancellation cancel;
    SqliteOptions options;
    options.patience = absl::InfiniteDuration();
    options.cancel = &cancel;
    options.outages = &listener;
    auto opened = Ledger::Open(path_, options);
    ASSERT_TRUE(opened.ok()) << opened.status();
    ASSERT_EQ(sqlite3_exec(other, "BEGIN IMMEDIATE", nullptr, nullptr, nullptr), SQLITE_OK);
    absl::Status status;
    std::thread writer([&] { status = (*opened)->runs().SetRunState("r1", RunState::kRunning); });
    EXPECT_THAT(listener.WaitForError(), HasSubstr(path_ + ": another process holds the file locked"));
    if (cancelled) cancel.Cancel();
    const char* const release = cancelled ? "SELECT 1" : "COMMIT";
    EXPECT_EQ(sqlite3_exec(other, release, nullptr, nullptr, nullptr), SQLITE_OK);
    writer.join();
    EXPECT_EQ(status.code(), cancelled ? absl::StatusCode::kUnavailable : absl::StatusCode::kOk) << status;
    EXPECT_EQ(listener.over(), !cancelled);
  }
  sqlite3_close(other);
}

}  // namespace
}  // namespace hakobu
