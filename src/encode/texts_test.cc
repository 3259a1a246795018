// The small text forms: geometry, numbers, bytes, JSON.
#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <cstring>

#include "encode/binary_text.h"
#include "encode/geometry.h"
#include "encode/json_check.h"
#include "encode/number_text.h"

namespace hakobu {
namespace {

// WKB, little-endian or big-endian, of nested parts.
struct WkbMaker {
  bool big_endian = false;
  std::string bytes;

  template <typename Number>
  void Put(Number value) {
    char raw[sizeof(value)];
    std::memcpy(raw, &value, sizeof(value));
    if (big_endian) std::reverse(raw, raw + sizeof(value));
    bytes.append(raw, sizeof(value));
  }
  WkbMaker& Header(uint32_t type) {
    bytes += big_endian ? '\0' : '\1';
    Put(type);
    return *this;
  }
  WkbMaker& Count(uint32_t count) {
    Put(count);
    return *this;
  }
  WkbMaker& Point(double x, double y) {
    Put(x);
    Put(y);
    return *this;
  }
};

std::string Geometry(uint32_t srid, const WkbMaker& wkb) {
  std::string bytes(4, '\0');
  std::memcpy(bytes.data(), &srid, 4);
  return bytes + wkb.bytes;
}

std::string Wkt(const WkbMaker& wkb) {
  std::string text;
  const GeometryProblem problem = AppendWkt(Geometry(0, wkb), GeometryUse::kText, &text);
  return problem == GeometryProblem::kNone ? text : "refused";
}

TEST(Geometry, WritesAllSevenTypes) {
  EXPECT_EQ(Wkt(WkbMaker().Header(1).Point(139.7, 35.6)), "POINT(139.7 35.6)");
  EXPECT_EQ(Wkt(WkbMaker{true, ""}.Header(1).Point(-0.5, 1e20)), "POINT(-0.5 1e20)");
  EXPECT_EQ(Wkt(WkbMaker().Header(2).Count(2).Point(0, 0).Point(1, 2)), "LINESTRING(0 0,1 2)");
  WkbMaker polygon;
  polygon.Header(3).Count(2).Count(4).Point(0, 0).Point(9, 0).Point(9, 9).Point(0, 0);
  polygon.Count(4).Point(1, 1).Point(2, 1).Point(2, 2).Point(1, 1);
  EXPECT_EQ(Wkt(polygon), "POLYGON((0 0,9 0,9 9,0 0),(1 1,2 1,2 2,1 1))");
  EXPECT_EQ(Wkt(WkbMaker().Header(4).Count(2).Header(1).Point(1, 2).Header(1).Point(3, 4)),
            "MULTIPOINT((1 2),(3 4))");
  EXPECT_EQ(Wkt(WkbMaker().Header(5).Count(1).Header(2).Count(2).Point(1, 2).Point(3, 4)),
            "MULTILINESTRING((1 2,3 4))");
  WkbMaker polygons;
  polygons.Header(6).Count(1).Header(3).Count(1).Count(4).Point(0, 0).Point(9, 0).Point(9, 9).Point(0, 0);
  EXPECT_EQ(Wkt(polygons), "MULTIPOLYGON(((0 0,9 0,9 9,0 0)))");
  WkbMaker nested;
  nested.Header(7).Count(2).Header(1).Point(1, 1).Header(7).Count(1).Header(1).Point(2, 2);
  EXPECT_EQ(Wkt(nested), "GEOMETRYCOLLECTION(POINT(1 1),GEOMETRYCOLLECTION(POINT(2 2)))");
  EXPECT_EQ(Wkt(WkbMaker().Header(7).Count(0)), "GEOMETRYCOLLECTION EMPTY");
}

TEST(Geometry, RefusesEveryPrefixAndWhatIsLeftOver) {
  WkbMaker polygon;
  polygon.Header(3).Count(1).Count(4).Point(0, 0).Point(9, 0).Point(9, 9).Point(0, 0);
  const std::string whole = Geometry(0, polygon);
  std::string text;
  for (size_t size = 0; size < whole.size(); ++size) {
    EXPECT_EQ(AppendWkt(whole.substr(0, size), GeometryUse::kText, &text), GeometryProblem::kMalformed)
        << size;
  }
  EXPECT_EQ(AppendWkt(whole + "x", GeometryUse::kText, &text), GeometryProblem::kMalformed);
  EXPECT_EQ(Wkt(WkbMaker().Header(8)), "refused");
  EXPECT_EQ(Wkt(WkbMaker().Header(4).Count(1).Header(2).Count(0)), "refused");
  EXPECT_EQ(Wkt(WkbMaker().Header(2).Count(0xffffffff)), "refused");
  WkbMaker deep;
  for (int i = 0; i < 100000; ++i) deep.Header(7).Count(1);
  EXPECT_EQ(Wkt(deep.Header(1).Point(0, 0)), "refused");
}

TEST(Geometry, GeographyIsLongitudeAndLatitude) {
  const auto problem = [](uint32_t srid, double x, double y) {
    std::string text;
    return AppendWkt(Geometry(srid, WkbMaker().Header(1).Point(x, y)), GeometryUse::kGeography, &text);
  };
  EXPECT_EQ(problem(4326, 180, -90), GeometryProblem::kNone);
  EXPECT_EQ(problem(0, -180, 90), GeometryProblem::kNone);
  EXPECT_EQ(problem(4326, 180.1, 0), GeometryProblem::kOutsideTheGlobe);
  EXPECT_EQ(problem(4326, 35.6, 139.7), GeometryProblem::kOutsideTheGlobe);
  EXPECT_EQ(problem(3857, 1, 1), GeometryProblem::kOtherSrid);
  EXPECT_EQ(problem(4326, std::bit_cast<double>(0x7ff8000000000000), 0), GeometryProblem::kOutsideTheGlobe);
}

TEST(BinaryText, Base64HasRfc4648sVectors) {
  const auto base64 = [](std::string_view bytes) {
    char text[64];
    return std::string(text, WriteBase64(bytes, text));
  };
  EXPECT_EQ(base64(""), "");
  EXPECT_EQ(base64("f"), "Zg==");
  EXPECT_EQ(base64("fo"), "Zm8=");
  EXPECT_EQ(base64("foo"), "Zm9v");
  EXPECT_EQ(base64("foobar"), "Zm9vYmFy");
  EXPECT_EQ(base64("\xff\xff\xfe"), "///+");
}

TEST(BinaryText, EscapesOnlyWhatIsNoUtf8) {
  EXPECT_EQ(EscapeInvalidUtf8("予約💰é"), "予約💰é");
  EXPECT_EQ(EscapeInvalidUtf8("a\xff"), "a\\xff");
  EXPECT_EQ(EscapeInvalidUtf8("\xc0\x80"), "\\xc0\\x80");                    // overlong
  EXPECT_EQ(EscapeInvalidUtf8("\xed\xa0\x80"), "\\xed\\xa0\\x80");           // a surrogate
  EXPECT_EQ(EscapeInvalidUtf8("\xf4\x90\x80\x80"), "\\xf4\\x90\\x80\\x80");  // above U+10FFFF
  EXPECT_EQ(EscapeInvalidUtf8("\xe4\xba"), "\\xe4\\xba");                    // cut short
}

TEST(BinaryText, CutsBetweenCharacters) {
  EXPECT_EQ(FirstCharacters("予約💰", 2), "予約");
  EXPECT_EQ(FirstCharacters("予約💰", 3), "予約💰");
  EXPECT_EQ(FirstCharacters("予約", 9), "予約");
  EXPECT_EQ(FirstCharacters("予約", 0), "");
  EXPECT_EQ(CutUtf8("予約", 5), "予");
  EXPECT_EQ(CutUtf8("予約", 2), "");
  EXPECT_EQ(CutUtf8("予約", 6), "予約");
}

TEST(Json, TakesWhatRfc8259Takes) {
  for (const char* text : {"null", " true ", "0", "-0", "-0.5e-10", "1E+400", "\"\"", "\"\\u00e9\\n\\/\"",
                           "[]", "[ ]", "{}", "{\"a\":[1,{\"b\":null}],\"a\":2}", "[[[]],{}]", "\"予約\""}) {
    EXPECT_TRUE(IsJson(text)) << text;
  }
  for (const char* text :
       {"",           " ",       "nul",         "01",     "-",    "1.",   ".5",      "1e",       "+1",
        "\"",         "\"\\x\"", "\"\\u12g4\"", "\"\t\"", "[1,]", "[,1]", "{\"a\"}", "{\"a\":}", "{a:1}",
        "{\"a\":1,}", "[1}",     "{\"a\":1]",   "1 2",    "]",    "'a'",  "NaN",     "Infinity"}) {
    EXPECT_FALSE(IsJson(text)) << text;
  }
  EXPECT_TRUE(IsJson(std::string(500, '[') + std::string(500, ']')));
  EXPECT_FALSE(IsJson(std::string(501, '[') + std::string(501, ']')));
}

TEST(Json, NumbersThatBigQueryHoldsAreNotWide) {
  for (const char* text : {"0",
                           "-0.0",
                           "1",
                           "9223372036854775807",
                           "-9223372036854775808",
                           "18446744073709551615",
                           "0.1",
                           "1.50",
                           "0.30000000000000004",
                           "1e308",
                           "1.7976931348623157e308",
                           "5e-324",
                           "2.2250738585072014E-308",
                           "1e+23",
                           "123456789012345.000",
                           "0.000000000000000000000000000001",
                           "[1,{\"a\":[2.5]}]",
                           "0e999999999999999999999",
                           "\"12345678901234567890123\"",
                           "{\"123456789012345678901234.5\":\"1e999\"}",
                           "\"\\\"1e999\"",
                           "1000000000000000000.0",
                           "true",
                           "\"予約\""}) {
    EXPECT_TRUE(IsJson(text)) << text;
    EXPECT_FALSE(HasWideNumber(text)) << text;
  }
}

TEST(Json, NumbersThatItWouldRoundAre) {
  for (const char* text :
       {"18446744073709551616", "-9223372036854775809", "123456789012345678901234567890",
        "0.1234567890123456789", "1.00000000000000000001", "12345678901234567.5", "1e309", "-1e400", "1e-400",
        "9007199254740993.0", "0.10000000000000000555", "1e99999999999999999999", "1e-99999999999999999999",
        "[1,{\"a\":[2.5,18446744073709551616]}]", "{\"a\\\"b\":1e999}"}) {
    EXPECT_TRUE(IsJson(text)) << text;
    EXPECT_TRUE(HasWideNumber(text)) << text;
  }
}

TEST(NumberText, HasTheFewestDigits) {
  const auto text = [](double value) {
    std::string out;
    AppendDouble(value, &out);
    return out;
  };
  EXPECT_EQ(text(0.1), "0.1");
  EXPECT_EQ(text(-0.0), "-0");
  EXPECT_EQ(text(1e23), "1e23");
  EXPECT_EQ(text(1.5e-7), "1.5e-7");
  EXPECT_EQ(text(1e-300), "1e-300");
  EXPECT_EQ(text(123456789.125), "123456789.125");
}

}  // namespace
}  // namespace hakobu
