#include "row/name_fold.h"

#include <gtest/gtest.h>

namespace hakobu {
namespace {

TEST(NameFold, NamesAreTheSameWithoutCaseAndAccents) {
  for (const auto& [a, b] : {std::pair{"id", "ID"},
                             {"Straße", "STRAßE"},
                             {"résumé", "RESUME"},
                             {"Ầ", "a"},
                             {"ÀÿĀɏ", "àyaɏ"},
                             {"名前", "名前"}}) {
    EXPECT_TRUE(SameName(a, b)) << a << " " << b;
    EXPECT_EQ(FoldName(a), FoldName(b)) << a << " " << b;
  }
}

// Two characters for one letter (U+1FBE, U+03B9): the first is nothing but the second.
TEST(NameFold, TwoFormsOfOneLetterAreTheSame) {
  EXPECT_TRUE(SameName("\xe1\xbe\xbe", "\xce\xb9"));
}

TEST(NameFold, OtherNamesAreNot) {
  for (const auto& [a, b] :
       {std::pair{"id", "ids"}, {"", "a"}, {"か", "が"}, {"ハ", "バ"}, {"名前", "名"}, {"й", "и"}}) {
    EXPECT_FALSE(SameName(a, b)) << a << " " << b;
  }
}

TEST(NameFold, LowerNamesKeepTheirAccents) {
  EXPECT_EQ(LowerName("RÉSUMÉ"), "résumé");
  EXPECT_EQ(LowerName("ŁÓDŹ_1"), "łódź_1");
  EXPECT_EQ(FoldName("RÉSUMÉ"), "resume");
  EXPECT_EQ(LowerName(""), "");
}

TEST(NameFold, BytesThatAreNoTextStayThemselves) {
  EXPECT_EQ(LowerName("A\xff\xfe"
                      "B"),
            "a\xff\xfe"
            "b");
  EXPECT_EQ(FoldName("\xe5\x90"), "\xe5\x90");
  EXPECT_TRUE(SameName("\xff", "\xff"));
  EXPECT_FALSE(SameName("\xff", "\xfe"));
}

TEST(IsServersDatabase, KnowsThoseThatServersHave) {
  for (const char* name : {"mysql", "sys", "information_schema", "performance_schema"})
    EXPECT_TRUE(IsServersDatabase(name)) << name;
  for (const char* name : {"", "shop", "mysql_shop", "my"}) EXPECT_FALSE(IsServersDatabase(name)) << name;
}

}  // namespace
}  // namespace hakobu
