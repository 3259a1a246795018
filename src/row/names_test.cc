#include <gtest/gtest.h>

#include "row/type_map.h"

namespace hakobu {
namespace {

TEST(DestinationName, KeepsWhatBigQueryTakes) {
  for (const std::string_view name :
       {"id", "CamelCase", "_private", "会員番号", "naïve", "a-b", "a b", "x=y", "été", "Ⅷ", "か゚"}) {
    EXPECT_EQ(DestinationName(name), name);
  }
  EXPECT_EQ(DestinationName("a&b%c=d+e:f'g<h>i#j|k l"), "a&b%c=d+e:f'g<h>i#j|k l");
}

TEST(DestinationName, ChangesEachCharacterThatIsNotAllowed) {
  EXPECT_EQ(DestinationName("price (yen)"), "price _yen_");
  EXPECT_EQ(DestinationName("a.b/c;d?e@f[g\\h]i^j`k{l}m~n!o\"p$q*r,s"),
            "a_b_c_d_e_f_g_h_i_j_k_l_m_n_o_p_q_r_s");
  EXPECT_EQ(DestinationName("料金💰"), "料金_");
  EXPECT_EQ(DestinationName("tab\there"), "tab_here");
  EXPECT_EQ(DestinationName("bad\xff"), "bad_");
}

TEST(DestinationName, GetsAnUnderscoreBeforeADigitOrAReservedPrefix) {
  EXPECT_EQ(DestinationName("50%"), "_50%");
  EXPECT_EQ(DestinationName(""), "_");
  EXPECT_EQ(DestinationName("_CHANGE_TYPE"), "__CHANGE_TYPE");
  EXPECT_EQ(DestinationName("_change_type"), "__change_type");
  EXPECT_EQ(DestinationName("_Partitiontime"), "__Partitiontime");
  EXPECT_EQ(DestinationName("__root__x"), "___root__x");
  EXPECT_EQ(DestinationName("_TABLE"), "_TABLE");
}

TEST(DestinationName, IsAtMost300Characters) {
  std::string name;
  for (int i = 0; i < 301; ++i) name += "名";
  EXPECT_EQ(DestinationName(name), name.substr(0, 900));
}

}  // namespace
}  // namespace hakobu
