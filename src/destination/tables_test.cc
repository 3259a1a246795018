#include "destination/tables.h"

#include <gtest/gtest.h>

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

}  // namespace
}  // namespace hakobu
