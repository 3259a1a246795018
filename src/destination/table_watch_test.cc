#include "destination/table_watch.h"

#include <gmock/gmock.h>
#include <google/protobuf/descriptor.pb.h>
#include <gtest/gtest.h>

#include "destination/pace.h"
#include "google/cloud/bigquery/storage/v1/annotations.pb.h"

namespace hakobu {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

const TableName kTable = {"p", "d", "t"};
const absl::Time kStart = absl::FromUnixSeconds(1'000'000);
const absl::Status kDenied = absl::PermissionDeniedError("denied (or it may not exist)");
const absl::Status kNotFound = absl::NotFoundError("Requested entity was not found.");

// Asks every second until it is given up; the seconds waited, and why.
std::pair<int64_t, absl::Status> WaitOut(TableWait wait, const absl::Status& refusal) {
  for (int64_t second = 0;; ++second) {
    const absl::Status verdict = wait.Refused(refusal, kStart + absl::Seconds(second));
    if (!verdict.ok()) return {second, verdict};
  }
}

LookAtTable Always(TableSight sight, absl::Time changed) {
  return [=](const TableName&) { return TableLook{sight, changed, "{}"}; };
}

TEST(TableWait, ATableJustMadeIsWaitedForMinutes) {
  for (const absl::Status& refusal : {kDenied, kNotFound}) {
    const auto [waited, verdict] =
        WaitOut({kTable, Always(TableSight::kThere, kStart - absl::Minutes(1)), absl::Minutes(5)}, refusal);
    EXPECT_EQ(waited, 300);
    EXPECT_EQ(verdict.code(), refusal.code());
  }
}

TEST(TableWait, AMissingTableIsToldApartSoon) {
  const auto [waited, verdict] =
      WaitOut({kTable, Always(TableSight::kMissing, kStart), absl::Minutes(5)}, kDenied);
  EXPECT_EQ(waited, 30);
  EXPECT_EQ(verdict.code(), absl::StatusCode::kNotFound);
  EXPECT_THAT(std::string(verdict.message()), HasSubstr("table p.d.t does not exist"));
}

TEST(TableWait, ADenialOfAnOldTableIsThePermission) {
  const auto [waited, verdict] =
      WaitOut({kTable, Always(TableSight::kThere, kStart - absl::Hours(1)), absl::Minutes(5)}, kDenied);
  EXPECT_EQ(waited, 0);
  EXPECT_EQ(verdict.code(), absl::StatusCode::kPermissionDenied);
  EXPECT_THAT(std::string(verdict.message()), HasSubstr("bigquery.tables.updateData"));
  // Not found of an old table: replaced a moment ago, perhaps.
  EXPECT_EQ(
      WaitOut({kTable, Always(TableSight::kThere, kStart - absl::Hours(1)), absl::Minutes(5)}, kNotFound)
          .first,
      300);
}

TEST(TableWait, WhoMayNotSeeTheTableIsToldSo) {
  const auto [waited, verdict] =
      WaitOut({kTable, Always(TableSight::kDenied, kStart), absl::Minutes(5)}, kDenied);
  EXPECT_EQ(waited, 0);
  EXPECT_THAT(std::string(verdict.message()), HasSubstr("may not see p.d.t"));
}

TEST(TableWait, WithoutALookOrAnAnswerItWaits) {
  EXPECT_EQ(WaitOut({kTable, nullptr, absl::Minutes(2)}, kDenied).first, 120);
  EXPECT_EQ(WaitOut({kTable, Always(TableSight::kUnknown, kStart), absl::Minutes(2)}, kDenied).first, 120);
}

TEST(TableWait, LooksNowAndThenOnly) {
  int looks = 0;
  const LookAtTable look = [&](const TableName& name) {
    EXPECT_EQ(name, kTable);
    ++looks;
    return TableLook{TableSight::kThere, kStart, "{}"};
  };
  WaitOut({kTable, look, absl::Minutes(5)}, kNotFound);
  EXPECT_EQ(looks, 30);
}

TEST(TableLook, IsReadFromTablesGet) {
  const TableLook look = ReadTableLook(Resource{R"({"creationTime":"5000","lastModifiedTime":"9000"})", ""});
  EXPECT_EQ(look.sight, TableSight::kThere);
  EXPECT_EQ(look.changed, absl::FromUnixSeconds(9));
  EXPECT_EQ(ReadTableLook(absl::NotFoundError("")).sight, TableSight::kMissing);
  EXPECT_EQ(ReadTableLook(absl::PermissionDeniedError("")).sight, TableSight::kDenied);
  EXPECT_EQ(ReadTableLook(absl::UnavailableError("")).sight, TableSight::kUnknown);
  EXPECT_EQ(TableOfStream("projects/p/datasets/d/tables/t/streams/_default"), kTable);
}

std::string Descriptor(const std::vector<std::string>& names) {
  google::protobuf::DescriptorProto message;
  for (const std::string& name : names) {
    auto* field = message.add_field();
    field->set_name(name.starts_with("日") ? "col_0" : name);
    if (name.starts_with("日")) {
      field->mutable_options()->SetExtension(google::cloud::bigquery::storage::v1::column_name, name);
    }
  }
  return message.SerializeAsString();
}

TEST(SchemaWait, ColumnsAreComparedByName) {
  const auto columns =
      ColumnsOfDescriptor(Descriptor({"id", "日付", "_CHANGE_TYPE", "_CHANGE_SEQUENCE_NUMBER"}));
  EXPECT_THAT(columns, ElementsAre("id", "日付"));
  EXPECT_THAT(MissingColumns(R"({"schema":{"fields":[{"name":"ID"}]}})", columns), ElementsAre("日付"));
}

std::pair<int64_t, absl::Status> WaitForColumn(const std::string& table_json) {
  SchemaWait wait(
      kTable, [&](const TableName&) { return TableLook{TableSight::kThere, kStart, table_json}; },
      absl::Hours(3));
  for (int64_t second = 0;; ++second) {
    const absl::Status verdict = wait.Refused(absl::InvalidArgumentError("more fields"),
                                              Descriptor({"id", "new"}), kStart + absl::Seconds(second));
    if (!verdict.ok()) return {second, verdict};
  }
}

TEST(SchemaWait, AColumnThatTheTableHasIsWaitedForHours) {
  EXPECT_EQ(WaitForColumn(R"({"schema":{"fields":[{"name":"id"},{"name":"new"}]}})").first, 3 * 3600);
}

TEST(SchemaWait, AColumnThatTheTableLacksIsNot) {
  const auto [waited, verdict] = WaitForColumn(R"({"schema":{"fields":[{"name":"id"}]}})");
  EXPECT_EQ(waited, 30);
  EXPECT_THAT(std::string(verdict.message()), HasSubstr("p.d.t has no column new"));
}

TEST(SchemaWait, ANullIsWaitedForWhereTheColumnIsRelaxed) {
  const absl::Status refusal = absl::InvalidArgumentError("Field value of c cannot be empty.");
  EXPECT_EQ(ColumnOfRefusedNull(refusal.message().data()), "c");
  EXPECT_EQ(ColumnOfRefusedNull("something else"), "");
  for (const auto& [mode, waits] : {std::pair("NULLABLE", true), {"REQUIRED", false}}) {
    const std::string table = std::string(R"({"schema":{"fields":[{"name":"c","mode":")") + mode + R"("}]}})";
    SchemaWait wait(
        kTable, [&](const TableName&) { return TableLook{TableSight::kThere, kStart, table}; },
        absl::Minutes(10));
    EXPECT_EQ(wait.RefusedNull(refusal, "C", kStart).ok(), waits) << mode;
    EXPECT_FALSE(wait.RefusedNull(refusal, "C", kStart + absl::Minutes(11)).ok()) << mode;
  }
}

TEST(Pace, KeepsEveryWindow) {
  Pace pace({{5, absl::Seconds(10)}, {8, absl::Minutes(1)}});
  FakeClock clock;
  const RetryContext context = {&clock, nullptr, {}};
  std::vector<int64_t> at;
  for (int i = 0; i < 10; ++i) {
    ASSERT_TRUE(pace.Wait(context, "t").ok());
    at.push_back(absl::ToUnixSeconds(clock.Now()));
  }
  EXPECT_THAT(at, ElementsAre(0, 0, 0, 0, 0, 10, 10, 10, 60, 60));
  EXPECT_EQ(pace.Take("other", clock.Now()), absl::ZeroDuration());
}

TEST(Pace, WaitsEndWhenCancelled) {
  Pace pace({{1, absl::Hours(1)}});
  FakeClock clock;
  Cancellation cancellation;
  const RetryContext context = {&clock, &cancellation, {}};
  ASSERT_TRUE(pace.Wait(context, "t").ok());
  cancellation.Cancel();
  EXPECT_EQ(pace.Wait(context, "t").code(), absl::StatusCode::kCancelled);
}

}  // namespace
}  // namespace hakobu
