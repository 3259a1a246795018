#include "delivery/publish_method.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace hakobu {
namespace {

using ::testing::HasSubstr;
using Answer = PublishTarget::Answer;

PublishTarget There() {
  PublishTarget target;
  target.exists = true;
  return target;
}

PublishQuestion Replace(size_t chunks, WriteBy write = WriteBy::kLoad) {
  return {.mode = WriteMode::kReplace,
          .write = write,
          .chunks = chunks,
          .bytes = 1 << 30,
          .target_bytes = 2 << 20};
}

TEST(ChoosePublish, OneLoadGoesStraightIntoTheTargetWhateverElseHangsOnIt) {
  PublishTarget target = There();
  for (int what = 0; what < 5; ++what) {
    if (what == 1) target.policy_tags = true;
    if (what == 2) target.kms_key = "key";
    if (what == 3) target.granted = Answer::kYes;
    if (what == 4) target.row_policies = Answer::kUnknown;
    const PublishChoice choice = ChoosePublish(Replace(1), target);
    EXPECT_EQ(choice.method, PublishMethod::kLoad) << what;
    EXPECT_EQ(choice.billed_bytes, 0u);
  }
  EXPECT_EQ(ChoosePublish(Replace(1), PublishTarget()).method, PublishMethod::kLoad);
}

TEST(ChoosePublish, RowPoliciesAreKeptByMergeAlone) {
  PublishTarget target = There();
  target.row_policies = Answer::kYes;
  for (const WriteBy write : {WriteBy::kLoad, WriteBy::kStorage}) {
    for (const size_t chunks : {1, 9}) {
      const PublishChoice choice = ChoosePublish(Replace(chunks, write), target);
      EXPECT_EQ(choice.method, PublishMethod::kMerge);
      EXPECT_EQ(choice.billed_bytes, (1u << 30) + (10u << 20)) << "two tables, each of 10 MiB at the least";
    }
  }
}

TEST(ChoosePublish, WhatAProbeFoundOutDecidesHowRowPoliciesAreKept) {
  PublishTarget target = There();
  target.row_policies = Answer::kYes;
  PublishQuestion one = Replace(1), many = Replace(9);
  one.service = many.service = {.load_keeps_policies = Answer::kYes, .query_keeps_policies = Answer::kYes};
  EXPECT_EQ(ChoosePublish(one, target).method, PublishMethod::kLoad);
  EXPECT_EQ(ChoosePublish(one, target).billed_bytes, 0u);
  EXPECT_EQ(ChoosePublish(many, target).method, PublishMethod::kQuery) << "a copy would lose them";
  one.write = WriteBy::kStorage;
  EXPECT_EQ(ChoosePublish(one, target).method, PublishMethod::kQuery);
  one = Replace(1);
  one.service = {.load_keeps_policies = Answer::kNo, .query_keeps_policies = Answer::kYes};
  EXPECT_EQ(ChoosePublish(one, target).method, PublishMethod::kQuery);
  one.service.query_keeps_policies = Answer::kNo;
  EXPECT_EQ(ChoosePublish(one, target).method, PublishMethod::kMerge);
  target.row_policies = Answer::kUnknown;
  EXPECT_EQ(ChoosePublish(one, target).method, PublishMethod::kMerge)
      << "there may be some, and a load loses them";
  target.row_policies = Answer::kNo;
  EXPECT_EQ(ChoosePublish(one, target).method, PublishMethod::kLoad);
}

TEST(ChoosePublish, ACopyReplacesOnlyWhatNothingHangsOn) {
  EXPECT_EQ(ChoosePublish(Replace(2), There()).method, PublishMethod::kCopy);
  EXPECT_EQ(ChoosePublish(Replace(2), PublishTarget()).method, PublishMethod::kCopy);
  PublishTarget tagged = There();
  tagged.policy_tags = true;
  PublishTarget encrypted = There();
  encrypted.kms_key = "key";
  PublishTarget granted = There();
  granted.granted = Answer::kYes;
  PublishTarget unknown = There();
  unknown.row_policies = Answer::kUnknown;
  for (const PublishTarget& target : {tagged, encrypted, granted, unknown}) {
    const PublishChoice choice = ChoosePublish(Replace(2), target);
    EXPECT_EQ(choice.method, PublishMethod::kQuery);
    EXPECT_THAT(choice.why, HasSubstr("copy"));
    EXPECT_EQ(choice.billed_bytes, 1u << 30);
  }
}

TEST(ChoosePublish, StreamedStagingIsNeverCopied) {
  for (const PublishTarget& target : {There(), PublishTarget()}) {
    EXPECT_EQ(ChoosePublish(Replace(1, WriteBy::kStorage), target).method, PublishMethod::kQuery);
    EXPECT_EQ(ChoosePublish(Replace(5, WriteBy::kStorage), target).method, PublishMethod::kQuery);
  }
}

TEST(ChoosePublish, AReplacedSchemaIsCopiedUnlessSomethingHangsOnTheTable) {
  PublishQuestion question = Replace(1);
  question.replaces_schema = true;
  EXPECT_EQ(ChoosePublish(question, There()).method, PublishMethod::kCopy);
  EXPECT_FALSE(KeepsSchema(PublishMethod::kCopy, question, There()));
  PublishTarget granted = There();
  granted.granted = Answer::kYes;
  EXPECT_EQ(ChoosePublish(question, granted).method, PublishMethod::kLoad);
  EXPECT_TRUE(KeepsSchema(PublishMethod::kLoad, question, granted));
  PublishTarget unknown = There();
  unknown.row_policies = Answer::kUnknown;
  EXPECT_TRUE(KeepsSchema(ChoosePublish(question, unknown).method, question, unknown));
  question.write = WriteBy::kStorage;
  EXPECT_FALSE(KeepsSchema(PublishMethod::kQuery, question, There()))
      << "WRITE_TRUNCATE: the new schema wins";
  EXPECT_TRUE(KeepsSchema(PublishMethod::kQuery, question, granted));
}

TEST(ChoosePublish, AppendsGoStraightInWherePartitionsAllow) {
  PublishQuestion append{.mode = WriteMode::kAppend, .write = WriteBy::kStorage, .chunks = 3};
  EXPECT_EQ(ChoosePublish(append, There()).method, PublishMethod::kStreams);
  append.bytes = uint64_t{600} << 30;  // a commit takes 1 TB in a region
  EXPECT_EQ(ChoosePublish(append, There()).method, PublishMethod::kQuery);
  append.bytes = 0;
  append.partitioned = true;
  EXPECT_EQ(ChoosePublish(append, There()).method, PublishMethod::kQuery);
  append.write = WriteBy::kLoad;
  EXPECT_EQ(ChoosePublish(append, There()).method, PublishMethod::kCopy);
  append.chunks = 1;
  EXPECT_EQ(ChoosePublish(append, There()).method, PublishMethod::kLoad);
}

TEST(ReadTargetState, WhatIsNoTableIsSomebodys) {
  for (const char* type : {"VIEW", "MATERIALIZED_VIEW", "EXTERNAL", "SNAPSHOT"}) {
    const auto state = ReadTargetState(std::string(R"({"type":")") + type + R"("})");
    EXPECT_EQ(state.status().code(), absl::StatusCode::kFailedPrecondition);
    EXPECT_THAT(std::string(state.status().message()), HasSubstr(type));
  }
}

TEST(ReadTargetState, SeesWhatHangsOnTheTable) {
  const auto state = ReadTargetState(R"({"type":"TABLE","creationTime":"17","lastModifiedTime":"18",
    "schema":{"fields":[{"name":"a","fields":[{"name":"b","policyTags":{"names":["t"]}}]}]},
    "encryptionConfiguration":{"kmsKeyName":"k"},"requirePartitionFilter":true,
    "timePartitioning":{"type":"DAY","field":"day","expirationMs":"1000"}})");
  ASSERT_TRUE(state.ok()) << state.status();
  EXPECT_EQ(state->created_ms, 17);
  EXPECT_EQ(state->modified_ms, 18);
  EXPECT_TRUE(state->policy_tags);
  EXPECT_EQ(state->kms_key, "k");
  EXPECT_TRUE(state->require_filter);
  EXPECT_TRUE(state->partitions_expire);
  EXPECT_EQ(state->partition_column, "day");
  EXPECT_TRUE(state->IsProtected());
}

}  // namespace
}  // namespace hakobu
