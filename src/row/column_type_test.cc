#include "row/column_type.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace hakobu {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

SourceColumn Read(std::string_view data_type, std::string declared, uint32_t precision = 0) {
  SourceColumn column;
  column.declared = std::move(declared);
  column.precision = precision;
  column.scale = precision / 2;
  EXPECT_TRUE(ReadType(data_type, &column)) << data_type;
  return column;
}

TEST(ColumnType, LabelsAreReadAsTheServerWritesThem) {
  EXPECT_THAT(ParseLabels("enum('a','b')"), ElementsAre("a", "b"));
  EXPECT_THAT(ParseLabels("set('x')"), ElementsAre("x"));
  EXPECT_THAT(ParseLabels("enum('it''s','''','')"), ElementsAre("it's", "'", ""));
  EXPECT_THAT(ParseLabels("enum('a,b','(c)','大')"), ElementsAre("a,b", "(c)", "大"));
  EXPECT_THAT(ParseLabels(R"(enum('a\\b','c\nd','e\rf','g\'h'))"),
              ElementsAre("a\\b", "c\nd", "e\rf", "g'h"));
  EXPECT_THAT(ParseLabels(R"(enum('a\0b'))"), ElementsAre(std::string("a\0b", 3)));
}

TEST(ColumnType, OtherTypesHaveNoLabelsAndACutTextEndsThem) {
  for (const std::string_view declared : {"", "int(11)", "varchar(10)", "enum", "set", "enum(", "xenum('a')"})
    EXPECT_THAT(ParseLabels(declared), IsEmpty()) << declared;
  EXPECT_THAT(ParseLabels("enum('a"), ElementsAre("a"));
  EXPECT_THAT(ParseLabels("enum('a\\"), ElementsAre("a\\"));
  EXPECT_THAT(ParseLabels("enum('a','b"), ElementsAre("a", "b"));
}

TEST(ColumnType, OnlyNumbersAreUnsigned) {
  EXPECT_TRUE(Read("int", "int(10) unsigned").is_unsigned);
  EXPECT_TRUE(Read("double", "double unsigned zerofill").is_unsigned);
  EXPECT_FALSE(Read("bigint", "bigint(20)").is_unsigned);
  EXPECT_FALSE(Read("enum", "enum('unsigned')").is_unsigned);
}

TEST(ColumnType, DigitsAreKeptOfDecimalsOnlyAndBitsAreALength) {
  const SourceColumn decimal = Read("decimal", "decimal(10,5)", 10);
  EXPECT_EQ(decimal.precision, 10U);
  EXPECT_EQ(decimal.scale, 5U);
  const SourceColumn number = Read("int", "int(10)", 10);
  EXPECT_EQ(number.precision, 0U);
  EXPECT_EQ(number.scale, 0U);
  const SourceColumn bits = Read("bit", "bit(6)", 6);
  EXPECT_EQ(bits.length, 6U);
  EXPECT_EQ(bits.precision, 0U);
}

TEST(ColumnType, KindsOfTheirOwn) {
  EXPECT_THAT(Read("set", "set('a','b')").labels, ElementsAre("a", "b"));
  EXPECT_EQ(Read("point", "point").geometry, "point");
  EXPECT_EQ(Read("int", "int").geometry, "");
  const SourceColumn uuid = Read("uuid", "uuid");
  EXPECT_EQ(uuid.type, SourceType::kChar);
  EXPECT_EQ(uuid.length, 36U);
  EXPECT_EQ(uuid.charset, "utf8mb4");
  EXPECT_EQ(Read("inet6", "inet6").length, 39U);
  SourceColumn unknown;
  EXPECT_FALSE(ReadType("tinyvector", &unknown));
}

TEST(ColumnType, ExtraSaysWhatIsGeneratedAndWhatIsHidden) {
  const auto extra = [](std::string_view text) {
    SourceColumn column;
    ReadExtra(text, &column);
    return column;
  };
  EXPECT_EQ(extra("VIRTUAL GENERATED").generated, Generated::kVirtual);
  EXPECT_EQ(extra("STORED GENERATED INVISIBLE").generated, Generated::kStored);
  EXPECT_EQ(extra("PERSISTENT GENERATED").generated, Generated::kStored);
  EXPECT_EQ(extra("DEFAULT_GENERATED").generated, Generated::kNo);
  EXPECT_TRUE(extra("STORED GENERATED INVISIBLE").invisible);
  EXPECT_FALSE(extra("auto_increment").invisible);
}

}  // namespace
}  // namespace hakobu
