#include "encode/decimal.h"

#include <gtest/gtest.h>

#include <random>

#include "encode/binary_text.h"

namespace hakobu {
namespace {

std::string Hex(std::string_view bytes) {
  std::string hex(bytes.size() * 2, ' ');
  WriteHex(bytes, hex.data());
  return hex;
}

std::string NumericHex(std::string_view text) {
  Int128 scaled;
  if (ParseNumeric(text, &scaled) != DecimalProblem::kNone) return "refused";
  char bytes[16];
  return Hex({bytes, WriteLittleEndian(scaled, bytes)});
}

std::string BigNumericHex(std::string_view text) {
  Int256 scaled;
  if (ParseBigNumeric(text, &scaled) != DecimalProblem::kNone) return "refused";
  char bytes[32];
  return Hex({bytes, WriteLittleEndian(scaled, bytes)});
}

// What Google's BigDecimalByteStringEncoder gives for the same numbers.
TEST(Decimal, HasTheBytesOfGooglesEncoder) {
  EXPECT_EQ(NumericHex("0"), "00");
  EXPECT_EQ(NumericHex("1"), "00ca9a3b");
  EXPECT_EQ(NumericHex("-1"), "003665c4");
  EXPECT_EQ(NumericHex("12.34"), "007585df02");
  EXPECT_EQ(NumericHex("-0.000000001"), "ff");
  EXPECT_EQ(NumericHex("128"), "000065cd1d");
  EXPECT_EQ(BigNumericHex("1"), "0000000040228a097ac4865aa84c3b4b");
  EXPECT_EQ(BigNumericHex("0"), "00");
  EXPECT_EQ(BigNumericHex("-0." + std::string(37, '0') + "1"), "ff");
}

TEST(Decimal, TakesTheFewestBytes) {
  EXPECT_EQ(NumericHex("0.000000127"), "7f");
  EXPECT_EQ(NumericHex("0.000000128"), "8000");
  EXPECT_EQ(NumericHex("-0.000000128"), "80");
  EXPECT_EQ(NumericHex("-0.000000129"), "7fff");
  EXPECT_EQ(NumericHex("0.000000255"), "ff00");
  EXPECT_EQ(NumericHex("-0.000000256"), "00ff");
}

TEST(Decimal, ReadsWhatServersWrite) {
  EXPECT_EQ(NumericHex("-0.00"), "00");
  EXPECT_EQ(NumericHex(".5"), NumericHex("0.5"));
  EXPECT_EQ(NumericHex("5."), NumericHex("5"));
  EXPECT_EQ(NumericHex("1.5e-7"), NumericHex("0.00000015"));
  EXPECT_EQ(NumericHex("1e20"), NumericHex("100000000000000000000"));
  EXPECT_EQ(NumericHex("1E+2"), NumericHex("100"));
  EXPECT_EQ(NumericHex("0e999"), "refused");
  EXPECT_EQ(NumericHex("1.000000000000000000000000000000"), NumericHex("1"));
  EXPECT_EQ(NumericHex("000000000000000000000000000000000000000000001"), NumericHex("1"));
}

TEST(Decimal, RefusesWhatDoesNotFitOrIsNone) {
  EXPECT_EQ(NumericHex("100000000000000000000000000000"), "refused");
  EXPECT_EQ(NumericHex("99999999999999999999999999999.9999999991"), "refused");
  for (const char* text :
       {"", "-", ".", "-.", "1.2.3", "abc", "1e", "1e1.5", "--1", "1 ", "0x10", "1e99999999999"}) {
    EXPECT_EQ(NumericHex(text), "refused") << text;
    EXPECT_EQ(BigNumericHex(text), "refused") << text;
  }
  EXPECT_NE(BigNumericHex("-578960446186580977117854925043439539266.34992332820282019728792003956564819968"),
            "refused");
  EXPECT_EQ(BigNumericHex("-578960446186580977117854925043439539266.34992332820282019728792003956564819969"),
            "refused");
  EXPECT_NE(BigNumericHex("578960446186580977117854925043439539266.34992332820282019728792003956564819967"),
            "refused");
  EXPECT_EQ(BigNumericHex("578960446186580977117854925043439539266.34992332820282019728792003956564819968"),
            "refused");
}

TEST(Decimal, ComesBackFromItsBytes) {
  const auto seed = std::random_device()();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937_64 random(seed);
  for (int i = 0; i < 20000; ++i) {
    const bool big = random() % 2 == 0;
    std::string text = random() % 2 == 0 ? "-" : "";
    const size_t integer = random() % (big ? 39 : 30);
    const size_t fraction = random() % (big ? 39 : 10);
    text += static_cast<char>('1' + random() % 9);
    for (size_t digit = 1; digit < integer; ++digit) text += static_cast<char>('0' + random() % 10);
    if (fraction > 0) {
      text += '.';
      for (size_t digit = 1; digit < fraction; ++digit) text += static_cast<char>('0' + random() % 10);
      text += static_cast<char>('1' + random() % 9);
    }
    char bytes[32];
    size_t size;
    if (big) {
      Int256 scaled;
      ASSERT_EQ(ParseBigNumeric(text, &scaled), DecimalProblem::kNone) << text;
      size = WriteLittleEndian(scaled, bytes);
    } else {
      Int128 scaled;
      ASSERT_EQ(ParseNumeric(text, &scaled), DecimalProblem::kNone) << text;
      size = WriteLittleEndian(scaled, bytes);
    }
    ASSERT_EQ(ScaledText({bytes, size}, big ? 38 : 9), text);
  }
}

}  // namespace
}  // namespace hakobu
