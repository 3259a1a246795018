// Every cause's statement, open and repaired, is exactly the text of tests/golden/gaps/NAME.LANGUAGE.txt.
// HAKOBU_UPDATE_GOLDEN=1 writes the texts anew, to be read before they are committed.
#include "delivery/stream/gap_statement.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

#include "delivery/stream/gap_record.h"

namespace hakobu {
namespace {

const std::filesystem::path kFolder = "tests/golden/gaps";
constexpr char kUuid[] = "3e11fa47-71ca-11e1-9e33-c80aa9429562";

absl::Time At(const char* text) {
  absl::Time time;
  std::string error;
  EXPECT_TRUE(absl::ParseTime(absl::RFC3339_full, text, &time, &error)) << error;
  return time;
}

StreamTableRecord Table(const std::string& name, StreamTableState state, uint64_t copied = 0) {
  StreamTableRecord table;
  table.source = "shop." + name;
  table.target = "example.customer_a." + name;
  table.mode = "upsert";
  table.state = state;
  table.copied_rows = copied;
  return table;
}

DeliveredPoint Stored() {
  DeliveredPoint stored;
  stored.server_uuid = kUuid;
  stored.gtid_set = std::string(kUuid) + ":1-1200";
  stored.file = "binlog.000012";
  stored.offset = 4711;
  stored.committed = At("2026-11-21T18:04:11Z");
  return stored;
}

Continuity Found(GapCause cause) {
  Continuity found;
  found.verdict = ContinuityVerdict::kGap;
  found.cause = cause;
  found.explanation = "what was found";
  found.hint = "what to do";
  found.from = Stored().committed;
  found.until = At("2026-11-22T00:30:00Z");
  const std::string uuid = kUuid;
  switch (cause) {
    case GapCause::kPurged:
      found.missing_gtids = uuid + ":1201-1450";
      found.from_point = LogPoint::At("binlog.000012", 4711);
      found.until_point = LogPoint::At("binlog.000019", 4);
      break;
    case GapCause::kLostTail:
      found.phantom_gtids = uuid + ":1198-1200";
      found.from = At("2026-11-21T18:00:00Z");
      found.from_point = LogPoint::At("binlog.000012", 3900);
      found.until_point = LogPoint::At("binlog.000012", 4711);
      break;
    case GapCause::kFork:
      found.phantom_gtids = uuid + ":1190-1200";
      found.other_server = true;
      found.from.reset();
      found.until = Stored().committed;
      break;
    case GapCause::kErrant:
      found.missing_gtids = "7b1e33a0-0000-11ef-8000-000000000002:1-3";
      found.other_server = true;
      found.tables = {"shop.members"};
      found.until = Stored().committed;
      break;
    case GapCause::kRestored:
      found.phantom_gtids = uuid + ":900-1200";
      found.from_point = LogPoint::At("binlog.000012", 4711);
      break;
    case GapCause::kReset:
      found.from_point = LogPoint::At("binlog.000012", 4711);
      found.until_point = LogPoint::At("binlog.000001", 4);
      break;
    case GapCause::kOtherServer:
      found.until_point = LogPoint::At("mysql-bin.000003", 157);
      found.other_server = true;
      break;
    default:
      found.until.reset();
      break;
  }
  return found;
}

Gap GapOf(GapCause cause) {
  const std::vector<StreamTableRecord> tables = {Table("members", StreamTableState::kWhole, 1000),
                                                 Table("plans", StreamTableState::kCopying),
                                                 Table("reservations", StreamTableState::kCatching, 52000),
                                                 Table("logs", StreamTableState::kStopped, 7)};
  StreamGapRecord record = GapRecordOf(Found(cause), Stored(), tables, At("2026-11-22T01:15:30Z"));
  record.id = 3;
  auto gap = ReadGap(record);
  EXPECT_TRUE(gap.ok()) << gap.status();
  return *std::move(gap);
}

Gap Repaired(Gap gap, bool all) {
  gap.tables[0].repair = TableRepair{.method = TableRepair::Method::kCompared,
                                     .when = At("2026-11-22T02:00:00Z"),
                                     .chunks = 3,
                                     .rows = 1204,
                                     .missing = 4,
                                     .differed = 2,
                                     .extra = 1,
                                     .first_keys = {"17", "18"},
                                     .position = "binlog.000021:9000"};
  if (all) {
    gap.tables[2].repair = TableRepair{.method = TableRepair::Method::kCopied,
                                       .when = At("2026-11-22T02:10:00Z"),
                                       .first_keys = {},
                                       .position = ""};
    gap.record.state = GapState::kRepaired;
    gap.record.closed = At("2026-11-22T02:10:01Z");
  }
  StreamGapRecord record = gap.record;
  record.tables_json = GapTablesJson(gap.tables);
  auto read = ReadGap(record);
  EXPECT_TRUE(read.ok()) << read.status();
  return *std::move(read);
}

void ExpectGolden(const std::string& name, const std::string& text) {
  const std::filesystem::path path = kFolder / name;
  if (std::getenv("HAKOBU_UPDATE_GOLDEN") != nullptr) {
    std::filesystem::create_directories(kFolder);
    std::ofstream(path, std::ios::binary) << text;
  }
  std::ifstream file(path, std::ios::binary);
  ASSERT_TRUE(file) << path << ": run from the repository's root";
  std::ostringstream expected;
  expected << file.rdbuf();
  EXPECT_EQ(text, expected.str()) << name;
}

void ExpectStatements(const std::string& name, const Gap& gap) {
  StatementOptions options;
  ExpectGolden(name + ".en.txt", GapStatement(gap, options));
  options.language = Language::kJapanese;
  ASSERT_TRUE(absl::LoadTimeZone("Asia/Tokyo", &options.zone));
  options.zone_name = "Asia/Tokyo";
  ExpectGolden(name + ".ja.txt", GapStatement(gap, options));
}

TEST(GapStatement, SaysEachCauseAsTheGoldenTextDoes) {
  for (const GapCause cause :
       {GapCause::kPurged, GapCause::kLostTail, GapCause::kFork, GapCause::kErrant, GapCause::kRestored,
        GapCause::kReset, GapCause::kOtherServer, GapCause::kUnproven}) {
    ExpectStatements(std::string(GapCauseCode(cause)), GapOf(cause));
  }
}

TEST(GapStatement, SaysWhatWasRepaired) {
  ExpectStatements("partly_repaired", Repaired(GapOf(GapCause::kPurged), false));
  ExpectStatements("repaired", Repaired(GapOf(GapCause::kPurged), true));
}

TEST(GapStatement, AnUnknownCauseClaimsNothing) {
  Gap gap = GapOf(GapCause::kPurged);
  gap.cause.reset();
  const std::string text = GapStatement(gap, {});
  EXPECT_NE(text.find("It could not be proven"), std::string::npos) << text;
}

TEST(GapRecord, KeepsBoundsCauseAndConcern) {
  const Gap gap = GapOf(GapCause::kPurged);
  EXPECT_TRUE(gap.open());
  EXPECT_EQ(gap.record.from_gtid, Stored().gtid_set);
  EXPECT_EQ(gap.record.from_file, "binlog.000012");
  EXPECT_EQ(gap.record.from_offset, 4711u);
  EXPECT_EQ(gap.record.to_file, "binlog.000019");
  EXPECT_EQ(gap.record.to_offset, 4u);
  EXPECT_EQ(gap.cause, GapCause::kPurged);
  EXPECT_EQ(gap.missing_gtids, std::string(kUuid) + ":1201-1450");
  ASSERT_EQ(gap.tables.size(), 4u);
  EXPECT_EQ(gap.tables[0].concern, GapConcern::kPossible);
  EXPECT_EQ(gap.tables[1].concern, GapConcern::kNone) << "nothing was copied yet";
  EXPECT_EQ(gap.tables[2].concern, GapConcern::kPossible)
      << "what was copied before the gap lacks its changes";
  EXPECT_EQ(gap.tables[3].concern, GapConcern::kNone) << "it was stopped before";
}

TEST(GapRecord, KeepsRepairsOverTheLedger) {
  const Gap before = Repaired(GapOf(GapCause::kFork), true);
  StreamGapRecord record = before.record;
  record.tables_json = GapTablesJson(before.tables);
  const auto after = ReadGap(record);
  ASSERT_TRUE(after.ok()) << after.status();
  for (size_t i = 0; i < before.tables.size(); ++i) {
    EXPECT_EQ(after->tables[i].repair, before.tables[i].repair) << i;
    EXPECT_EQ(after->tables[i].whole(), true);
  }
}

TEST(GapRecord, RefusesWhatIsNotJson) {
  StreamGapRecord record = GapOf(GapCause::kReset).record;
  record.tables_json = "not json";
  EXPECT_EQ(ReadGap(record).status().code(), absl::StatusCode::kDataLoss);
}

TEST(GapsJson, HasCodesTimesAndBothLanguages) {
  const auto json = nlohmann::json::parse(GapsJson({GapOf(GapCause::kRestored)}, {}));
  const auto& gap = json["gaps"][0];
  EXPECT_EQ(gap["cause"], "snapshot");
  EXPECT_EQ(gap["opened"], "2026-11-22T01:15:30.000Z");
  EXPECT_EQ(gap["closed"], nullptr);
  EXPECT_EQ(gap["tables"][0]["concern"], "possible");
  EXPECT_NE(gap["statement"]["en"].get<std::string>().find("went back to an earlier"), std::string::npos);
  EXPECT_NE(gap["statement"]["ja"].get<std::string>().find("スナップショット"), std::string::npos);
}

}  // namespace
}  // namespace hakobu
