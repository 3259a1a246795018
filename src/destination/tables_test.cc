#include "destination/tables.h"

#include <gtest/gtest.h>

#include "destination/fake_http.h"
#include "destination/jobs.h"
#include "destination/known_table.h"
#include "destination/table_watch.h"

namespace hakobu {
namespace {

TEST(WithKmsKey, AddsTheKeyAndNothingElse) {
  EXPECT_EQ(WithKmsKey(R"({"b":1,"a":2})", ""), R"({"b":1,"a":2})");
  EXPECT_EQ(WithKmsKey(R"({"b":1,"a":2})", "projects/k"),
            R"({"b":1,"a":2,"encryptionConfiguration":{"kmsKeyName":"projects/k"}})");
}

TEST(MayBeKey, AsBigQuerySays) {
  const auto may = [](FieldType type, FieldMode mode = FieldMode::kRequired) {
    Field field;
    field.type = type;
    field.mode = mode;
    return MayBeKey(field);
  };
  for (const FieldType type :
       {FieldType::kInt64, FieldType::kString, FieldType::kBytes, FieldType::kNumeric, FieldType::kBigNumeric,
        FieldType::kBool, FieldType::kDate, FieldType::kDateTime, FieldType::kTimestamp}) {
    EXPECT_TRUE(may(type)) << FieldTypeName(type);
    EXPECT_FALSE(may(type, FieldMode::kRepeated)) << FieldTypeName(type);
  }
  for (const FieldType type : {FieldType::kFloat64, FieldType::kTime, FieldType::kJson, FieldType::kGeography,
                               FieldType::kInterval}) {
    EXPECT_FALSE(may(type)) << FieldTypeName(type);
  }
}

// A service that runs any DDL and does not find the table `hidden` times after it.
class HiddenAfterDdl : public ::testing::Test {
 protected:
  HiddenAfterDdl()
      : server_([this](int, const SeenHttp& request, httplib::Response& response) {
          if (request.method == "POST") {
            return Json(response, 200, R"({"jobReference":{"jobId":"q"},"status":{"state":"DONE"}})");
          }
          if (request.method == "DELETE") return Json(response, 200, "{}");
          if (request.target.find("/queries/") != std::string::npos) {
            return Json(response, 200, R"({"jobComplete":true})");
          }
          if (hidden_-- > 0) return Error(response, 404, "notFound", "Not found: Table p:d.t");
          Json(response, 200, R"({"etag":"e"})");
        }),
        rest_(Options()) {}
  RestOptions Options() {
    RestOptions options;
    options.endpoint.rest = server_.url();
    options.context.clock = &clock_;
    return options;
  }
  absl::Status Alter() {
    QuerySpec query;
    query.project = "p";
    query.sql = "ALTER TABLE t ADD COLUMN c INT64";
    return RunTableDdl(rest_, query, table_);
  }

  const TableName table_{"p", "d", "t"};
  std::atomic<int> hidden_{0};
  FakeClock clock_;
  FakeHttp server_;
  Rest rest_;
};

TEST_F(HiddenAfterDdl, ATableThatWasAlteredAMomentAgoIsAskedForAgain) {
  ASSERT_TRUE(Alter().ok());
  hidden_ = 4;
  EXPECT_EQ(LookByRest(&rest_)(table_).sight, TableSight::kUnknown) << "no word of a table that is missing";
  EXPECT_TRUE(GetTable(rest_, table_).ok());
  EXPECT_EQ(hidden_, -1);
}

TEST_F(HiddenAfterDdl, WhatIsMissingForLongIsMissing) {
  ASSERT_TRUE(Alter().ok());
  hidden_ = 1000;
  const absl::Time before = clock_.Now();
  EXPECT_TRUE(absl::IsNotFound(GetTable(rest_, table_).status()));
  EXPECT_LT(clock_.Now() - before, kHiddenAfterDdl + absl::Seconds(3));
}

TEST_F(HiddenAfterDdl, ATableThatWasThereIsNotBelievedGoneAtOnce) {
  hidden_ = 4;
  EXPECT_TRUE(GetKnownTable(rest_, table_).ok());
  hidden_ = 1000;
  const absl::Time before = clock_.Now();
  EXPECT_TRUE(absl::IsNotFound(GetKnownTable(rest_, table_).status()));
  EXPECT_EQ(clock_.Now() - before, absl::Seconds(8));
}

TEST_F(HiddenAfterDdl, OtherTablesAndDeletedOnesAreNotWaitedFor) {
  ASSERT_TRUE(Alter().ok());
  hidden_ = 1000;
  const absl::Time before = clock_.Now();
  EXPECT_TRUE(absl::IsNotFound(GetTable(rest_, {"p", "d", "other"}).status()));
  ASSERT_TRUE(DeleteTable(rest_, table_).ok());
  EXPECT_TRUE(absl::IsNotFound(GetTable(rest_, table_).status()));
  EXPECT_EQ(clock_.Now(), before);
}

}  // namespace
}  // namespace hakobu
