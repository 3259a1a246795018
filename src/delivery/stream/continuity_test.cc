#include "delivery/stream/continuity.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <random>

#include "decode/binlog/gtid.h"

namespace hakobu {
namespace {

using ::testing::HasSubstr;

const std::string kUuid = "11111111-1111-1111-1111-111111111111";
const std::string kOther = "22222222-2222-2222-2222-222222222222";
constexpr int64_t kCommitted = 1'700'000'000;

LogFileIdentity Identity(int64_t created, uint32_t server_id = 1) {
  return {static_cast<uint32_t>(created), server_id, "9.7.0"};
}

// Delivered up to binlog.000007:500 of server kUuid, transactions 1 to 100.
DeliveredPoint Stored() {
  DeliveredPoint stored;
  stored.server_uuid = kUuid;
  stored.server_id = 1;
  stored.gtid_set = kUuid + ":1-100";
  stored.file = "binlog.000007";
  stored.offset = 500;
  stored.identity = Identity(kCommitted - 1000);
  stored.committed = absl::FromUnixSeconds(kCommitted);
  return stored;
}

LogState State(const std::string& executed, const std::string& purged = "") {
  LogState state;
  state.server_uuid = kUuid;
  state.server_id = 1;
  state.log_on = true;
  state.gtid_on = true;
  state.executed_gtids = executed;
  state.purged_gtids = purged;
  state.files = {{"binlog.000006", 900, false}, {"binlog.000007", 800, false}};
  state.file = "binlog.000007";
  state.offset = 800;
  state.server_now = absl::FromUnixSeconds(kCommitted + 600);
  state.started = absl::FromUnixSeconds(kCommitted - 100'000);
  return state;
}

LogEvidence Evidence() {
  LogEvidence evidence;
  evidence.stored_file = Identity(kCommitted - 1000);
  evidence.oldest_file = Identity(kCommitted - 5000);
  return evidence;
}

// A stream that was at a server when `parting` was made, after which history is another.
LogEvidence Parted(const std::string& file, const std::string& gtids) {
  LogEvidence evidence = Evidence();
  evidence.parting_file = file;
  evidence.parting_identity = Identity(kCommitted + 50);
  evidence.parting_gtids = gtids;
  evidence.common_identity = Identity(kCommitted - 1000);
  return evidence;
}

TEST(Continuity, TheSameServerOverARestartGoesOn) {
  LogState state = State(kUuid + ":1-130");
  state.started = absl::FromUnixSeconds(kCommitted + 10);
  state.files.push_back({"binlog.000008", 157, false});
  const Continuity judged = JudgeContinuity(Stored(), state, Evidence());
  EXPECT_EQ(judged.verdict, ContinuityVerdict::kContinues);
  EXPECT_EQ(judged.cause, GapCause::kNone);
  EXPECT_EQ(judged.start.kind, LogStart::Kind::kGtids);
  EXPECT_EQ(judged.start.point.gtid_set, kUuid + ":1-100");
  EXPECT_FALSE(judged.start.gtid_bytes.empty());
  EXPECT_FALSE(judged.other_server);
}

TEST(Continuity, ALongPauseIsNoGapWhileNothingIsPurgedPastIt) {
  LogState state = State(kUuid + ":1-900000", kUuid + ":1-100");
  state.files = {{"binlog.000031", 900, false}};  // the file itself may be gone
  EXPECT_EQ(JudgeContinuity(Stored(), state, Evidence()).verdict, ContinuityVerdict::kContinues);
}

TEST(Continuity, PurgedTransactionsAreNamed) {
  LogState state = State(kUuid + ":1-900," + kOther + ":1-5", kUuid + ":1-250," + kOther + ":1-2");
  state.files = {{"binlog.000031", 900, false}};
  LogEvidence evidence;
  evidence.oldest_file = Identity(kCommitted + 300);
  const Continuity judged = JudgeContinuity(Stored(), state, evidence);
  EXPECT_EQ(judged.verdict, ContinuityVerdict::kGap);
  EXPECT_EQ(judged.cause, GapCause::kPurged);
  EXPECT_EQ(judged.missing_gtids, kUuid + ":101-250," + kOther + ":1-2");
  EXPECT_EQ(judged.phantom_gtids, "");
  EXPECT_EQ(judged.start.point.gtid_set, kUuid + ":1-250," + kOther + ":1-2");
  EXPECT_EQ(judged.gtid_set, judged.start.point.gtid_set);
  EXPECT_EQ(judged.from, absl::FromUnixSeconds(kCommitted));
  EXPECT_EQ(judged.until, absl::FromUnixSeconds(kCommitted + 300));
  EXPECT_THAT(judged.hint, HasSubstr("binlog retention hours"));
}

TEST(Continuity, FilesDeletedBehindTheServersBackAreFoundWhenItRefuses) {
  LogEvidence evidence = Evidence();
  evidence.refused = LogFailure::kPurged;
  const Continuity judged = JudgeContinuity(Stored(), State(kUuid + ":1-130"), evidence);
  EXPECT_EQ(judged.cause, GapCause::kPurged);
  EXPECT_EQ(judged.start.point.file, "binlog.000006");
  EXPECT_EQ(judged.start.point.offset, 4u);
}

TEST(Continuity, AFailoverToAReplicaThatHasAllGoesOn) {
  LogState state = State(kUuid + ":1-103," + kOther + ":1-9", kUuid + ":1-40");
  state.server_uuid = kOther;
  state.server_id = 2;
  state.files = {{"binlog.000001", 900, false}};
  const Continuity judged = JudgeContinuity(Stored(), state, LogEvidence());
  EXPECT_EQ(judged.verdict, ContinuityVerdict::kContinues);
  EXPECT_TRUE(judged.other_server);
  EXPECT_EQ(judged.start.point.gtid_set, kUuid + ":1-100");
  EXPECT_THAT(judged.explanation, HasSubstr("Blue/Green"));
}

TEST(Continuity, ErrantTransactionsOfAPromotedReplicaAreLeftOutAndTold) {
  LogState state = State(kUuid + ":1-103," + kOther + ":1-9", kUuid + ":1-40");
  state.server_uuid = kOther;
  EXPECT_TRUE(SuspectsErrant(Stored(), state));
  LogEvidence evidence;
  evidence.errant = {.gtids = kOther + ":3",
                     .tables = std::set<std::string>{"shop.members"},
                     .from = absl::FromUnixSeconds(kCommitted - 70)};
  const Continuity judged = JudgeContinuity(Stored(), state, evidence);
  EXPECT_EQ(judged.verdict, ContinuityVerdict::kGap);
  EXPECT_EQ(judged.cause, GapCause::kErrant);
  EXPECT_TRUE(judged.other_server);
  EXPECT_EQ(judged.missing_gtids, kOther + ":3");
  EXPECT_EQ(judged.gtid_set, kUuid + ":1-100," + kOther + ":3");
  EXPECT_EQ(judged.start.point.gtid_set, judged.gtid_set);
  EXPECT_EQ(judged.tables, evidence.errant.tables);
  EXPECT_EQ(judged.from, evidence.errant.from);
  EXPECT_EQ(judged.until, absl::FromUnixSeconds(kCommitted));
}

TEST(Continuity, ErrantTransactionsAreSuspectedOnlyWhereAnotherServerHasAllAndMore) {
  LogState state = State(kUuid + ":1-103");
  EXPECT_FALSE(SuspectsErrant(Stored(), state)) << "the same server";
  state.server_uuid = kOther;
  EXPECT_TRUE(SuspectsErrant(Stored(), state));
  state.executed_gtids = kUuid + ":1-100";
  EXPECT_FALSE(SuspectsErrant(Stored(), state)) << "nothing more";
  state.executed_gtids = kUuid + ":1-99," + kOther + ":1";
  EXPECT_FALSE(SuspectsErrant(Stored(), state)) << "a fork";
  state.executed_gtids = kUuid + ":1-103";
  state.gtid_on = false;
  EXPECT_FALSE(SuspectsErrant(Stored(), state));
}

TEST(Continuity, ABlueGreenSwitchWhoseGreenPurgedOursIsAGap) {
  LogState state = State(kUuid + ":1-180," + kOther + ":1-9", kUuid + ":1-150");
  state.server_uuid = kOther;
  const Continuity judged = JudgeContinuity(Stored(), state, LogEvidence());
  EXPECT_EQ(judged.cause, GapCause::kPurged);
  EXPECT_EQ(judged.missing_gtids, kUuid + ":101-150");
  EXPECT_TRUE(judged.other_server);
}

TEST(Continuity, AReplicaThatLagsIsWaitedFor) {
  LogState state = State(kUuid + ":1-90");
  state.server_uuid = kOther;
  state.read_only = true;
  const Continuity judged = JudgeContinuity(Stored(), state, LogEvidence());
  EXPECT_EQ(judged.verdict, ContinuityVerdict::kWait);
  EXPECT_THAT(judged.explanation, HasSubstr(kUuid + ":91-100"));
}

TEST(Continuity, AReplicaPromotedTooEarlyIsAFork) {
  LogState state = State(kUuid + ":1-97," + kOther + ":1-12");
  state.server_uuid = kOther;
  const Continuity judged = JudgeContinuity(Stored(), state, LogEvidence());
  EXPECT_EQ(judged.verdict, ContinuityVerdict::kGap);
  EXPECT_EQ(judged.cause, GapCause::kFork);
  EXPECT_EQ(judged.phantom_gtids, kUuid + ":98-100");
  EXPECT_EQ(judged.start.point.gtid_set, kUuid + ":1-97");
  EXPECT_EQ(judged.gtid_set, kUuid + ":1-97");
  EXPECT_EQ(judged.until, absl::FromUnixSeconds(kCommitted));
}

TEST(Continuity, AnErrantTransactionOfARestoredInstanceIsToldFromItsLack) {
  LogState state = State(kUuid + ":1-60");
  state.server_uuid = kOther;
  const Continuity judged = JudgeContinuity(Stored(), state, LogEvidence());
  EXPECT_EQ(judged.cause, GapCause::kRestored);
  EXPECT_EQ(judged.phantom_gtids, kUuid + ":61-100");
  EXPECT_EQ(judged.start.point.gtid_set, kUuid + ":1-60");
}

TEST(Continuity, ACrashThatLostTheTailIsFoundThoughNewTransactionsTookTheNumbers) {
  LogState state = State(kUuid + ":1-130");  // 98 to 100 are others now
  state.started = absl::FromUnixSeconds(kCommitted + 50);
  state.files = {{"binlog.000007", 460, false}, {"binlog.000008", 900, false}};
  EXPECT_TRUE(SuspectsParting(Stored(), state, Evidence().stored_file));
  const Continuity judged = JudgeContinuity(Stored(), state, Parted("binlog.000008", kUuid + ":1-97"));
  EXPECT_EQ(judged.verdict, ContinuityVerdict::kGap);
  EXPECT_EQ(judged.cause, GapCause::kLostTail);
  EXPECT_EQ(judged.phantom_gtids, kUuid + ":98-100");
  EXPECT_EQ(judged.start.point.gtid_set, kUuid + ":1-97");
  EXPECT_EQ(judged.from_point.Text(), "binlog.000007:460");
  EXPECT_EQ(judged.until_point.Text(), "binlog.000007:500");
  EXPECT_EQ(judged.until, absl::FromUnixSeconds(kCommitted + 50));
  EXPECT_THAT(judged.hint, HasSubstr("sync_binlog=1"));
}

// Whatever is known of the parting, what comes again under a new epoch is the end of the server's history,
// whole: so the last change of every key that comes again is its newest. Where the parting is known, nothing
// that was delivered and is still true comes again, and nothing new is left out.
TEST(Continuity, WhatComesAgainIsTheEndOfTheHistory) {
  const char* given = std::getenv("HAKOBU_SEED");
  const unsigned seed = given != nullptr ? static_cast<unsigned>(std::atoi(given)) : std::random_device{}();
  SCOPED_TRACE(testing::Message() << "HAKOBU_SEED=" << seed);
  std::mt19937 random(seed);
  const auto between = [&](uint64_t low, uint64_t high) { return low + random() % (high - low + 1); };
  const auto set = [](uint64_t first, uint64_t last) {
    return first > last ? std::string() : fmt::format("{}:{}-{}", kUuid, first, last);
  };
  const auto both = [](const std::string& a, const std::string& b) {
    return a.empty() || b.empty() ? a + b : a + "," + b;
  };
  for (int round = 0; round < 2000; ++round) {
    const uint64_t delivered = 100;
    const uint64_t in_log = between(1, delivered - 1);      // of them, after the crash
    const uint64_t in_tables = between(in_log, delivered);  // and what the tables kept
    const uint64_t purged = random() % 3 == 0 ? between(0, in_log) : 0;
    const uint64_t executed = in_tables + between(0, 30);  // with new ones, in a new file
    LogState state = State(set(1, executed), both(set(1, purged), set(in_log + 1, in_tables)));
    state.started = absl::FromUnixSeconds(kCommitted + 50);
    state.files = {{"binlog.000007", 460, false}, {"binlog.000008", 900, false}};
    const int known = static_cast<int>(random() % 3);  // the parting itself, a place before it, nothing
    LogEvidence evidence = Evidence();
    if (known == 0) evidence = Parted("binlog.000008", set(1, in_log));
    if (known == 1) evidence = Parted("binlog.000007", set(1, between(purged, in_log)));
    const Continuity judged = JudgeContinuity(Stored(), state, evidence);
    ASSERT_EQ(judged.verdict, ContinuityVerdict::kGap);
    const binlog::GtidSet seen = *binlog::GtidSet::Parse(judged.start.point.gtid_set);
    bool again = false;
    for (uint64_t number = 1; number <= executed; ++number) {
      const bool comes = !seen.Contains(binlog::Gtid{kUuid, number});
      EXPECT_TRUE(comes || !again) << number << " is left out behind one that comes again, by "
                                   << judged.start.point.gtid_set;
      again = again || comes;
      if (known == 0) {
        EXPECT_EQ(comes, number > in_tables) << number << " by " << judged.start.point.gtid_set;
      }
    }
  }
}

TEST(Continuity, AServerThatWentBackInTimeUnderItsOwnName) {
  LogState state = State(kUuid + ":1-80");
  state.started = absl::FromUnixSeconds(kCommitted + 50);
  state.files = {{"binlog.000005", 900, false}, {"binlog.000006", 300, false}};
  LogEvidence evidence = Parted("binlog.000006", kUuid + ":1-70");
  evidence.stored_file = {};
  const Continuity judged = JudgeContinuity(Stored(), state, evidence);
  EXPECT_EQ(judged.cause, GapCause::kRestored);
  EXPECT_EQ(judged.phantom_gtids, kUuid + ":71-100");
  EXPECT_EQ(judged.start.point.gtid_set, kUuid + ":1-70");
  EXPECT_EQ(judged.from, absl::FromUnixSeconds(kCommitted - 1000));
  EXPECT_EQ(judged.until, absl::FromUnixSeconds(kCommitted + 50));
}

TEST(Continuity, AReCreatedFileOfTheSameNameIsNoticed) {
  LogState state = State(kUuid + ":1-140");
  state.files = {{"binlog.000006", 900, false}, {"binlog.000007", 9000, false}};
  LogEvidence evidence = Parted("binlog.000007", kUuid + ":1-70");
  evidence.stored_file = Identity(kCommitted + 50);
  const Continuity judged = JudgeContinuity(Stored(), state, evidence);
  EXPECT_EQ(judged.cause, GapCause::kRestored);
  EXPECT_EQ(judged.phantom_gtids, kUuid + ":71-100");
}

TEST(Continuity, AResetIsFoundThoughTheNewNumbersContainOurs) {
  LogState state = State(kUuid + ":1-200");
  state.files = {{"binlog.000001", 90'000, false}};
  EXPECT_TRUE(SuspectsParting(Stored(), state, {}));
  LogEvidence evidence = Parted("binlog.000001", "");
  evidence.stored_file = {};
  const Continuity judged = JudgeContinuity(Stored(), state, evidence);
  EXPECT_EQ(judged.cause, GapCause::kReset);
  EXPECT_EQ(judged.phantom_gtids, "");
  EXPECT_EQ(judged.start.kind, LogStart::Kind::kGtids);
  EXPECT_EQ(judged.start.point.gtid_set, "");
  EXPECT_EQ(judged.gtid_set, "");
  EXPECT_EQ(judged.from, absl::FromUnixSeconds(kCommitted));
  EXPECT_EQ(judged.until, absl::FromUnixSeconds(kCommitted + 50));
}

DeliveredPoint StoredByFile(ServerFlavor flavor = ServerFlavor::kMariaDb) {
  DeliveredPoint stored = Stored();
  stored.flavor = flavor;
  stored.gtid_set.clear();
  if (flavor == ServerFlavor::kMariaDb) stored.server_uuid.clear();
  return stored;
}
LogState StateByFile(ServerFlavor flavor = ServerFlavor::kMariaDb) {
  LogState state = State("");
  state.flavor = flavor;
  state.gtid_on = false;
  if (flavor == ServerFlavor::kMariaDb) state.server_uuid.clear();
  return state;
}

TEST(ContinuityByFile, TheSameFileGoesOn) {
  for (const ServerFlavor flavor : {ServerFlavor::kMariaDb, ServerFlavor::kMySql}) {
    const Continuity judged = JudgeContinuity(StoredByFile(flavor), StateByFile(flavor), Evidence());
    EXPECT_EQ(judged.verdict, ContinuityVerdict::kContinues);
    EXPECT_EQ(judged.start.kind, LogStart::Kind::kPosition);
    EXPECT_EQ(judged.start.point.file, "binlog.000007");
    EXPECT_EQ(judged.start.point.offset, 500u);
  }
}

TEST(ContinuityByFile, WithoutTheFilesIdentityNothingIsProven) {
  LogEvidence evidence = Evidence();
  evidence.stored_file = {};
  const Continuity judged = JudgeContinuity(StoredByFile(), StateByFile(), evidence);
  EXPECT_EQ(judged.verdict, ContinuityVerdict::kGap);
  EXPECT_EQ(judged.cause, GapCause::kUnproven);
  EXPECT_EQ(judged.start.point.file, "binlog.000007");
}

TEST(ContinuityByFile, AReCreatedFileIsNotGoneOnWith) {
  LogState state = StateByFile();
  state.files = {{"binlog.000001", 10, false}, {"binlog.000007", 80'000, false}};
  LogEvidence evidence = Parted("binlog.000001", "");
  evidence.parting_gtids.reset();
  evidence.stored_file = Identity(kCommitted + 90);
  const Continuity judged = JudgeContinuity(StoredByFile(), state, evidence);
  EXPECT_EQ(judged.cause, GapCause::kReset);
  EXPECT_EQ(judged.start.point.file, "binlog.000001");
  EXPECT_EQ(judged.start.point.offset, 4u);
}

TEST(ContinuityByFile, AShorterFileIsALostTail) {
  LogState state = StateByFile();
  state.files = {{"binlog.000007", 460, false}, {"binlog.000008", 90, false}};
  LogEvidence evidence = Parted("binlog.000008", "");
  const Continuity judged = JudgeContinuity(StoredByFile(), state, evidence);
  EXPECT_EQ(judged.cause, GapCause::kLostTail);
  EXPECT_EQ(judged.start.point.file, "binlog.000008");
  EXPECT_EQ(judged.from_point.Text(), "binlog.000007:460");
}

TEST(ContinuityByFile, APurgedFileIsAGapUpToTheOldestOne) {
  LogState state = StateByFile();
  state.files = {{"binlog.000012", 460, false}, {"binlog.000013", 90, false}};
  LogEvidence evidence;
  evidence.oldest_file = Identity(kCommitted + 4000);
  const Continuity judged = JudgeContinuity(StoredByFile(), state, evidence);
  EXPECT_EQ(judged.cause, GapCause::kPurged);
  EXPECT_EQ(judged.start.point.file, "binlog.000012");
  EXPECT_EQ(judged.from_point.Text(), "binlog.000007:500");
  EXPECT_EQ(judged.until_point.Text(), "binlog.000012:4");
  EXPECT_EQ(judged.until, absl::FromUnixSeconds(kCommitted + 4000));
}

// A data folder that was restored or copied, or that lost its auto.cnf: the server has opened a file behind
// those it had.
TEST(ContinuityByFile, TheSameFilesUnderAnotherIdentityGoOn) {
  LogState state = StateByFile();
  state.server_id = 2;
  state.files.push_back({"binlog.000008", 157, false});
  state.file = "binlog.000008";
  state.offset = 157;
  const Continuity judged = JudgeContinuity(StoredByFile(), state, Evidence());
  EXPECT_EQ(judged.verdict, ContinuityVerdict::kContinues) << judged.explanation;
  EXPECT_TRUE(judged.other_server);
  EXPECT_EQ(judged.start.point.file, "binlog.000007");
  EXPECT_EQ(judged.start.point.offset, 500u);

  LogState cut = state;  // copied before all that was delivered had been written
  cut.files[cut.files.size() - 2].bytes = 499;
  EXPECT_EQ(JudgeContinuity(StoredByFile(), cut, Evidence()).cause, GapCause::kOtherServer);
  LogEvidence another = Evidence();  // a file of the same name
  another.stored_file = Identity(kCommitted - 999);
  EXPECT_EQ(JudgeContinuity(StoredByFile(), state, another).cause, GapCause::kOtherServer);
  LogEvidence unknown = Evidence();
  unknown.stored_file = {};
  EXPECT_EQ(JudgeContinuity(StoredByFile(), state, unknown).cause, GapCause::kOtherServer);
  LogEvidence refused = Evidence();
  refused.refused = LogFailure::kAhead;
  EXPECT_EQ(JudgeContinuity(StoredByFile(), state, refused).cause, GapCause::kOtherServer);
}

TEST(ContinuityByFile, AnotherServerIsNeverGoneOnWithByFile) {
  LogState state = StateByFile();
  state.server_id = 2;
  const Continuity judged = JudgeContinuity(StoredByFile(), state, Evidence());
  EXPECT_EQ(judged.cause, GapCause::kOtherServer);
  EXPECT_TRUE(judged.other_server);
  EXPECT_EQ(judged.start.point.offset, 800u);
  EXPECT_EQ(judged.until, state.server_now);
  EXPECT_THAT(judged.explanation, HasSubstr("server_id 2"));
}

struct MariadbCase {
  const char* ours;
  const char* theirs;
  bool other_server;
  LogFailure refused;
  ContinuityVerdict verdict;
  GapCause cause;
};

TEST(ContinuityMariadb, GtidListsByDomain) {
  using enum ContinuityVerdict;
  const MariadbCase cases[] = {
      {"0-1-7", "0-1-7", false, LogFailure::kNone, kContinues, GapCause::kNone},
      {"0-1-7", "0-2-9", true, LogFailure::kNone, kContinues, GapCause::kNone},
      {"0-1-7,1-2-9", "0-1-8,1-2-9", true, LogFailure::kNone, kContinues, GapCause::kNone},
      {"0-1-7,1-2-9", "0-1-8", true, LogFailure::kNone, kGap, GapCause::kFork},
      {"0-1-7", "0-1-5", true, LogFailure::kNone, kGap, GapCause::kRestored},
      {"0-1-7", "0-2-9", true, LogFailure::kAhead, kGap, GapCause::kFork},
      {"0-1-7", "0-1-9", false, LogFailure::kPurged, kGap, GapCause::kPurged},
      {"nonsense", "0-1-9", false, LogFailure::kNone, kGap, GapCause::kUnproven},
  };
  for (const MariadbCase& each : cases) {
    SCOPED_TRACE(std::string(each.ours) + " at " + each.theirs);
    DeliveredPoint stored = StoredByFile();
    stored.gtid_set = each.ours;
    LogState state = StateByFile();
    state.gtid_on = true;
    state.executed_gtids = each.theirs;
    if (each.other_server) state.server_id = 2;
    LogEvidence evidence = Evidence();
    evidence.refused = each.refused;
    const Continuity judged = JudgeContinuity(stored, state, evidence);
    EXPECT_EQ(judged.verdict, each.verdict);
    EXPECT_EQ(judged.cause, each.cause);
    EXPECT_FALSE(judged.explanation.empty());
  }
}

TEST(Continuity, CausesHaveCodes) {
  for (const GapCause cause : {GapCause::kPurged, GapCause::kLostTail, GapCause::kFork, GapCause::kRestored,
                               GapCause::kReset, GapCause::kOtherServer, GapCause::kUnproven}) {
    EXPECT_EQ(GapCauseFromCode(GapCauseCode(cause)), cause);
  }
}

}  // namespace
}  // namespace hakobu
