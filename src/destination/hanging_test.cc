#include "destination/hanging.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "destination/fake_http.h"
#include "destination/replace_sql.h"

namespace hakobu {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

const TableName kMembers = {"p", "shop", "members"};

// tables.get, rowAccessPolicies.list and getIamPolicy of one table.
class HangingTest : public ::testing::Test {
 protected:
  struct Answers {
    std::string table = R"({"type":"TABLE","creationTime":"1700000000123","etag":"e"})";
    std::string policies = "{}", iam = R"({"etag":"ACAB"})";
    int policies_status = 200, iam_status = 200;
  };
  absl::StatusOr<Hanging> Ask(const Answers& answers) {
    FakeHttp server([&](int, const SeenHttp& request, httplib::Response& response) {
      const auto give = [&](int status, const std::string& body) {
        if (status == 403) return Error(response, 403, "accessDenied", "Permission denied");
        if (status != 200) return Error(response, status, "invalid", "odd");
        Json(response, 200, body);
      };
      if (request.target.find("rowAccessPolicies") != std::string::npos) {
        return give(answers.policies_status, answers.policies);
      }
      if (request.target.find("getIamPolicy") != std::string::npos)
        return give(answers.iam_status, answers.iam);
      if (answers.table.empty()) return Error(response, 404, "notFound", "Not found: Table");
      Json(response, 200, answers.table);
    });
    RestOptions options;
    options.endpoint.rest = server.url();
    options.context.clock = &clock_;
    Rest rest(options);
    return WhatHangs(rest, kMembers);
  }
  FakeClock clock_;
};

TEST_F(HangingTest, ABareTableHasNothing) {
  const auto bare = Ask({});
  ASSERT_TRUE(bare.ok()) << bare.status();
  EXPECT_TRUE(bare->exists);
  EXPECT_EQ(bare->made, absl::FromUnixMillis(1700000000123));
  EXPECT_FALSE(bare->LostByTruncate());
  EXPECT_FALSE(bare->NeedsDml());
  EXPECT_EQ(bare->Describe(), "");
}

TEST_F(HangingTest, NoTableIsNoError) {
  const auto none = Ask({.table = ""});
  ASSERT_TRUE(none.ok()) << none.status();
  EXPECT_FALSE(none->exists);
}

TEST_F(HangingTest, EachThingIsSeen) {
  Answers all;
  all.table = R"({"type":"TABLE","creationTime":"1","requirePartitionFilter":true,"streamingBuffer":{},
    "description":"ours","labels":{"team":"a"},"resourceTags":{"1/env":"2/prod"},
    "encryptionConfiguration":{"kmsKeyName":"projects/p/locations/us/keyRings/r/cryptoKeys/k/cryptoKeyVersions/3"},
    "tableConstraints":{"primaryKey":{"columns":["id"]}},
    "schema":{"fields":[{"name":"id","type":"INTEGER"},
      {"name":"mail","type":"STRING","policyTags":{"names":["projects/p/t"]}},
      {"name":"address","type":"RECORD","fields":[
        {"name":"city","type":"STRING","dataPolicies":[{"name":"d"}],"description":"where"}]}]}})";
  all.policies = R"({"rowAccessPolicies":[{"rowAccessPolicyReference":{"policyId":"eu_only"}}]})";
  all.iam = R"({"bindings":[{"role":"roles/bigquery.dataViewer","members":["user:a@example.com"]}]})";
  const auto hanging = Ask(all);
  ASSERT_TRUE(hanging.ok()) << hanging.status();
  EXPECT_THAT(hanging->row_policies, ElementsAre("eu_only"));
  EXPECT_THAT(hanging->tagged_columns, ElementsAre("mail", "address.city"));
  EXPECT_THAT(hanging->described_columns, ElementsAre("address.city"));
  EXPECT_THAT(hanging->iam_roles, ElementsAre("roles/bigquery.dataViewer"));
  EXPECT_EQ(hanging->kms_key, "projects/p/locations/us/keyRings/r/cryptoKeys/k");
  EXPECT_TRUE(hanging->has_key);
  EXPECT_THAT(hanging->WhyFixed("ID"), HasSubstr("primary key"));
  EXPECT_THAT(hanging->WhyFixed("mail"), HasSubstr("streamed"));
  EXPECT_TRUE(hanging->requires_filter);
  EXPECT_TRUE(hanging->has_streaming_buffer);
  EXPECT_THAT(hanging->labels, ElementsAre("team"));
  EXPECT_THAT(hanging->resource_tags, ElementsAre("1/env"));
  EXPECT_TRUE(hanging->LostByTruncate());
  EXPECT_TRUE(hanging->NeedsDml());
  EXPECT_THAT(hanging->Describe(),
              HasSubstr("row access policies eu_only; policy tags on mail, address.city"));
}

TEST_F(HangingTest, WhatMayNotBeSeenCountsAsThere) {
  const auto hanging = Ask({.policies_status = 403, .iam_status = 403});
  ASSERT_TRUE(hanging.ok()) << hanging.status();
  EXPECT_TRUE(hanging->NeedsDml());
  EXPECT_THAT(hanging->Describe(), HasSubstr("bigquery.rowAccessPolicies.list"));
}

TEST_F(HangingTest, AnyOtherFailureIsOne) {
  EXPECT_FALSE(Ask({.policies_status = 400}).ok());
  EXPECT_FALSE(Ask({.iam_status = 400}).ok());
}

TEST_F(HangingTest, ViewsAreNotAskedForPolicies) {
  const auto view = Ask({.table = R"({"type":"VIEW"})", .policies_status = 400, .iam_status = 400});
  ASSERT_TRUE(view.ok()) << view.status();
  EXPECT_EQ(view->type, "VIEW");
}

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

TEST(EveryRow, OnlyWhereAFilterIsRequired) {
  EXPECT_EQ(EveryRow(R"({"timePartitioning":{"type":"DAY","field":"at"}})"), "");
  EXPECT_EQ(EveryRow(R"({"requirePartitionFilter":true,"timePartitioning":{"type":"DAY","field":"at"}})"),
            "(`at` IS NULL OR `at` IS NOT NULL)");
  EXPECT_EQ(EveryRow(R"({"requirePartitionFilter":true,"rangePartitioning":{"field":"n"}})", "target"),
            "(target.`n` IS NULL OR target.`n` IS NOT NULL)");
  EXPECT_EQ(EveryRow(R"({"timePartitioning":{"type":"DAY","requirePartitionFilter":true}})"),
            "(`_PARTITIONTIME` IS NULL OR `_PARTITIONTIME` IS NOT NULL)");
  EXPECT_EQ(EveryRow("not json"), "");
}

TEST(ReplaceSql, QuotesWhatItIsGiven) {
  EXPECT_EQ(SelectAllSql(kMembers, {"a`b", "c\\"}), "SELECT `a\\`b`, `c\\\\` FROM `p.shop.members`");
  EXPECT_EQ(
      ReplaceByMergeSql({"p", "s", "stage"}, kMembers, {"id"}, "(x)"),
      "MERGE `p.shop.members` AS target USING `p.s.stage` AS source ON FALSE WHEN NOT MATCHED BY TARGET "
      "THEN INSERT (`id`) VALUES (`id`) WHEN NOT MATCHED BY SOURCE AND (x) THEN DELETE");
}

}  // namespace
}  // namespace hakobu
