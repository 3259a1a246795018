#include "decode/binlog/gtid.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <random>
#include <set>

#include "base/status.h"

namespace hakobu::binlog {
namespace {

constexpr char kA[] = "3e11fa47-71ca-11e1-9e33-c80aa9429562";
constexpr char kB[] = "4e11fa47-71ca-11e1-9e33-c80aa9429562";

GtidSet Set(const std::string& text) {
  auto set = GtidSet::Parse(text);
  EXPECT_TRUE(set.ok()) << set.status();
  return *set;
}

TEST(GtidSet, TextRoundTripsAndJoinsWhatTouches) {
  const std::string a = kA, b = kB;
  EXPECT_EQ(Set(a + ":1-3:4:7-9:8-12").Text(), a + ":1-4:7-12");
  EXPECT_EQ(Set(b + ":5,\n" + a + ":1").Text(), a + ":1," + b + ":5");
  EXPECT_EQ(Set(a + ":1:tag:2-3").Text(), a + ":1," + a + ":tag:2-3");
  EXPECT_EQ(Set(" ").Text(), "");
}

TEST(GtidSet, WrongTextsAreNamed) {
  EXPECT_EQ(View(GtidSet::Parse("x:1").status().message()),
            "GTID set: expected a server UUID, found 'x' in 'x:1'");
  EXPECT_FALSE(GtidSet::Parse(std::string(kA) + ":0").ok());
  EXPECT_FALSE(GtidSet::Parse(std::string(kA) + ":5-3").ok());
  EXPECT_FALSE(GtidSet::Parse(kA).ok());
}

TEST(GtidSet, BytesRoundTripInBothForms) {
  for (const std::string tail : {":1-4:9", ":1:tag:2-3"}) {
    const GtidSet set = Set(std::string(kA) + tail + "," + kB + ":1-1000000000000");
    auto read = GtidSet::FromBytes(set.ToBytes());
    ASSERT_TRUE(read.ok()) << read.status();
    EXPECT_EQ(*read, set);
  }
  const std::string bytes = Set(std::string(kA) + ":1-4").ToBytes();
  for (size_t size = 0; size < bytes.size(); ++size)
    EXPECT_FALSE(GtidSet::FromBytes(bytes.substr(0, size)).ok());
}

TEST(GtidSet, FillsUpToTheLastOfEachSource) {
  EXPECT_EQ(Set(std::string(kA) + ":3-4:9," + kB + ":2").UpToLast(),
            Set(std::string(kA) + ":1-9," + kB + ":1-2"));
  EXPECT_TRUE(GtidSet().UpToLast().empty());
}

TEST(GtidSet, ArithmeticAgreesWithAPlainSet) {
  const char* given = std::getenv("HAKOBU_SEED");
  const unsigned seed = given != nullptr ? static_cast<unsigned>(std::atoi(given)) : std::random_device{}();
  SCOPED_TRACE(testing::Message() << "HAKOBU_SEED=" << seed);
  std::mt19937 random(seed);
  for (int round = 0; round < 500; ++round) {
    GtidSet set, other;
    std::set<uint64_t> plain, plain_other;
    for (int i = 0; i < 12; ++i) {
      const uint64_t first = random() % 60 + 1, last = first + random() % 6;
      set.AddInterval(kA, first, last);
      for (uint64_t n = first; n <= last; ++n) plain.insert(n);
      const uint64_t start = random() % 60 + 1, end = start + random() % 4;
      other.AddInterval(kA, start, end);
      for (uint64_t n = start; n <= end; ++n) plain_other.insert(n);
    }
    EXPECT_EQ(set.Count(), plain.size());
    EXPECT_EQ(set.Contains(other),
              std::includes(plain.begin(), plain.end(), plain_other.begin(), plain_other.end()));
    GtidSet rest = set;
    rest.Subtract(other);
    for (uint64_t n = 1; n < 70; ++n) {
      EXPECT_EQ(rest.Contains(Gtid{kA, n}), plain.contains(n) && !plain_other.contains(n)) << n;
    }
    rest.Add(other);
    EXPECT_TRUE(rest.Contains(set) && rest.Contains(other));
  }
}

}  // namespace
}  // namespace hakobu::binlog
