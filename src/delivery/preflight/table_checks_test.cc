#include "delivery/preflight/table_checks.h"

#include <gtest/gtest.h>

#include <string>

#include "base/status.h"

namespace hakobu {
namespace {

TableWork Keyed(WriteMode mode, FieldType type) {
  TableWork work;
  work.name = "shop.members";
  work.mode = mode;
  work.target = {"p", "shop", "members"};
  Field field;
  field.name = "id";
  field.type = type;
  work.schema.fields.push_back(field);
  work.schema.key = {0};
  return work;
}

TEST(CheckNames, TakesWhatBigQueryTakes) {
  TableWork work = Keyed(WriteMode::kReplace, FieldType::kInt64);
  for (const char* name : {"members", "予約 履歴", "a-b_c", "é", "log_2026", "２"}) {
    work.target.table = name;
    EXPECT_TRUE(CheckNames(work).ok()) << name;
  }
  for (const std::string& name :
       {std::string("x$/y"), std::string("a.b"), std::string("a`b"), std::string("a\nb"), std::string(""),
        std::string("a+b"), std::string("\xff"), std::string("絵😀"), std::string(1025, 'a')}) {
    work.target.table = name;
    EXPECT_EQ(CheckNames(work).code(), absl::StatusCode::kInvalidArgument) << name;
  }
}

TEST(CheckKeyTypes, RefusesTypesThatNoKeyHas) {
  for (const FieldType type : {FieldType::kFloat64, FieldType::kTime, FieldType::kJson, FieldType::kGeography,
                               FieldType::kInterval}) {
    const absl::Status status = CheckKeyTypes(Keyed(WriteMode::kStream, type));
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << FieldTypeName(type);
    EXPECT_NE(View(status.message()).find("`id` would be " + std::string(FieldTypeName(type))),
              std::string::npos);
  }
  for (const FieldType type :
       {FieldType::kInt64, FieldType::kNumeric, FieldType::kBigNumeric, FieldType::kString, FieldType::kBytes,
        FieldType::kDate, FieldType::kDateTime, FieldType::kTimestamp, FieldType::kBool}) {
    EXPECT_TRUE(CheckKeyTypes(Keyed(WriteMode::kStream, type)).ok()) << FieldTypeName(type);
  }
  EXPECT_FALSE(CheckKeyTypes(Keyed(WriteMode::kIncremental, FieldType::kJson)).ok());
  EXPECT_TRUE(CheckKeyTypes(Keyed(WriteMode::kIncremental, FieldType::kTime)).ok());
  EXPECT_TRUE(CheckKeyTypes(Keyed(WriteMode::kReplace, FieldType::kJson)).ok()) << "nothing is merged";
}

TEST(CheckTargetKind, OnlyTablesTakeRows) {
  const TableWork work = Keyed(WriteMode::kReplace, FieldType::kInt64);
  EXPECT_TRUE(CheckTargetKind(R"({"type":"TABLE"})", work).ok());
  for (const char* type : {"VIEW", "MATERIALIZED_VIEW", "EXTERNAL", "SNAPSHOT", "SOMETHING_NEW"}) {
    const absl::Status status = CheckTargetKind(std::string(R"({"type":")") + type + "\"}", work);
    EXPECT_EQ(status.code(), absl::StatusCode::kDataLoss) << type;
  }
}

}  // namespace
}  // namespace hakobu
