#include "row/type_choices.h"

#include <gtest/gtest.h>

namespace hakobu {
namespace {

SourceColumn Of(SourceType type) {
  SourceColumn column;
  column.type = type;
  return column;
}

SourceColumn Decimal(uint32_t precision, uint32_t scale) {
  SourceColumn column = Of(SourceType::kDecimal);
  column.precision = precision;
  column.scale = scale;
  return column;
}

SourceColumn Bits(uint64_t bits) {
  SourceColumn column = Of(SourceType::kBit);
  column.length = bits;
  return column;
}

TEST(TypeChoices, SixtyThreeBitsAreAnIntegerAndOneMoreIsNot) {
  EXPECT_FALSE(ValuesMayNotFit(Bits(63), {FieldType::kInt64}));
  EXPECT_TRUE(ValuesMayNotFit(Bits(64), {FieldType::kInt64}));
  EXPECT_EQ(ProfileTarget(TypeProfile::kExact, Bits(63), false).type, FieldType::kInt64);
  EXPECT_EQ(ProfileTarget(TypeProfile::kExact, Bits(64), false).type, FieldType::kNumeric);
}

TEST(TypeChoices, DecimalsGoToTheNarrowestTypeThatHoldsThem) {
  const auto exact = [](uint32_t precision, uint32_t scale) {
    return ProfileTarget(TypeProfile::kExact, Decimal(precision, scale), false).type;
  };
  EXPECT_EQ(exact(38, 9), FieldType::kNumeric);
  EXPECT_EQ(exact(39, 9), FieldType::kBigNumeric);
  EXPECT_EQ(exact(30, 10), FieldType::kBigNumeric);
  EXPECT_EQ(exact(65, 27), FieldType::kBigNumeric);
  EXPECT_EQ(exact(65, 26), FieldType::kString);
}

TEST(TypeChoices, OnlyDecimalsAndFloatsMayNotFitABigNumeric) {
  EXPECT_FALSE(ValuesMayNotFit(Decimal(65, 27), {FieldType::kBigNumeric}));
  EXPECT_TRUE(ValuesMayNotFit(Decimal(65, 26), {FieldType::kBigNumeric}));
  EXPECT_FALSE(ValuesMayNotFit(Of(SourceType::kBigInt), {FieldType::kBigNumeric}));
  EXPECT_TRUE(ValuesMayNotFit(Of(SourceType::kDouble), {FieldType::kBigNumeric}));
}

TEST(TypeChoices, AnUnsignedBigintMayNotFitAnInteger) {
  SourceColumn column = Of(SourceType::kBigInt);
  EXPECT_FALSE(ValuesMayNotFit(column, {FieldType::kInt64}));
  column.is_unsigned = true;
  EXPECT_TRUE(ValuesMayNotFit(column, {FieldType::kInt64}));
  column.type = SourceType::kInt;
  EXPECT_FALSE(ValuesMayNotFit(column, {FieldType::kInt64}));
}

TEST(TypeChoices, AZoneIsNeededWhereATimeGetsOneOrLosesIt) {
  const auto zone_of = [](SourceType type, std::string_view as) {
    for (const TypeChoice& choice : AllowedChoices(Of(type), false)) {
      if (choice.as == as) return choice.zone;
    }
    ADD_FAILURE() << as << " is no choice";
    return ZoneArgument::kNone;
  };
  EXPECT_EQ(zone_of(SourceType::kDateTime, "TIMESTAMP"), ZoneArgument::kNeeded);
  EXPECT_EQ(zone_of(SourceType::kTimestamp, "DATETIME"), ZoneArgument::kNeeded);
  EXPECT_EQ(zone_of(SourceType::kTimestamp, "TIMESTAMP"), ZoneArgument::kNone);
  EXPECT_EQ(zone_of(SourceType::kDateTime, "DATETIME"), ZoneArgument::kNone);
}

}  // namespace
}  // namespace hakobu
