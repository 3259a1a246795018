#include "config/value.h"

#include <gtest/gtest.h>

#include <vector>

#include "config/substitute.h"

namespace hakobu {
namespace {

TEST(Duration, ReadsWhatItWrites) {
  for (const char* text : {"0s", "500ms", "30s", "1m30s", "2d", "1d1h1m1s1ms"}) {
    ASSERT_TRUE(ParseDurationText(text).has_value()) << text;
    EXPECT_EQ(DurationText(*ParseDurationText(text)), text);
  }
  EXPECT_EQ(*ParseDurationText("90s"), absl::Seconds(90));
}

TEST(Duration, RefusesTheRest) {
  for (const char* text : {"", "30", "s", "1.5h", "-1s", "30sec", "1h 30m", "99999999999999999999s"}) {
    EXPECT_FALSE(ParseDurationText(text).has_value()) << text;
  }
}

TEST(Size, ReadsWhatItWrites) {
  for (const char* text : {"1B", "64MB", "256MiB", "1GiB", "3TB", "5KB"}) {
    ASSERT_TRUE(ParseSizeText(text).has_value()) << text;
    EXPECT_EQ(SizeText(*ParseSizeText(text)), text);
  }
  EXPECT_EQ(*ParseSizeText("1MiB"), 1048576u);
}

TEST(Size, RefusesTheRest) {
  for (const char* text : {"", "64", "64mb", "MB", "1.5GB", "-1MB", "18446744073709551616B", "99999999TB"}) {
    EXPECT_FALSE(ParseSizeText(text).has_value()) << text;
  }
}

TEST(NearestName, OnlyWhenNear) {
  const std::vector<std::string> names = {"replace", "append", "incremental"};
  EXPECT_EQ(NearestName("replase", names), "replace");
  EXPECT_EQ(NearestName("apend", names), "append");
  EXPECT_EQ(NearestName("stream", names), "");
  const std::vector<std::string> columns = {"id", "email", "members"};
  EXPECT_EQ(NearestName("emali", columns), "email") << "two letters changed places";
  EXPECT_EQ(NearestName("memebrs", columns), "members");
}

TEST(Substitute, DollarsThatAreNone) {
  const Environment none = [](const std::string&) { return std::optional<std::string>(); };
  EXPECT_FALSE(HasSubstitutions("$5 {a} $${env:X}"));
  EXPECT_TRUE(HasSubstitutions("$${a} ${env:X}"));
  EXPECT_EQ(*Substitute("$5 $${env:X} }", "", none), "$5 ${env:X} }");
  EXPECT_EQ(*Substitute("${command:printf '{%s}' x}", "", none), "{x}");
}

TEST(Substitute, CommandsThatFailOrHang) {
  const Environment none = [](const std::string&) { return std::optional<std::string>(); };
  EXPECT_EQ(Substitute("${command:exit 3}", "", none).status().message(),
            "the command to end with 0, found 3");
  const absl::Time begin = absl::Now();
  EXPECT_EQ(Substitute("${command:echo early; exec sleep 60}", "", none, absl::Milliseconds(200))
                .status()
                .message(),
            "the command to end within 0.2 s, found it still running");
  EXPECT_LT(absl::Now() - begin, absl::Seconds(20));
}

// More than a pipe holds, and nothing on standard input is needed.
TEST(Substitute, CommandsMayPrintMuch) {
  const Environment none = [](const std::string&) { return std::optional<std::string>(); };
  EXPECT_EQ(Substitute("${command:head -c 300000 /dev/zero | tr '\\0' x}", "", none)->size(), 300000u);
}

}  // namespace
}  // namespace hakobu
