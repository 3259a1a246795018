#include "config/helper_tables.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

namespace hakobu {
namespace {

TableExists Having(std::vector<std::string> tables) {
  return [tables = std::move(tables)](std::string_view name, bool prefix) {
    return std::any_of(tables.begin(), tables.end(), [&](const std::string& table) {
      return prefix ? table.starts_with(name) : table == name;
    });
  };
}

std::string ToolOf(std::string_view table, std::vector<std::string> tables) {
  const auto helper = HelperTableOf(table, Having(std::move(tables)));
  return helper ? std::string(helper->tool) : "";
}

TEST(HelperTables, OfATableThatIsThere) {
  for (const char* name :
       {"_members_gho", "_members_ghc", "_members_del", "_members_20260131235959_del",
        "~members_1769900000_del", "_members_new", "__members_new", "__________members_old", "_members_old",
        "_members_chkpnt", "_members_old_20260131_235959", "lhmn_members", "__oak_members", "__arc_members",
        "tp_12_ogt_members", "tp_12_ogl_members", "tp_12_del_members", "__osc_new_members"}) {
    const auto helper = HelperTableOf(name, Having({"members"}));
    ASSERT_TRUE(helper.has_value()) << name;
    EXPECT_EQ(helper->parent, "members") << name;
  }
  EXPECT_EQ(HelperTableOf("_会員_gho", Having({"会員"}))->parent, "会員");
  EXPECT_EQ(HelperTableOf("__private_new", Having({"_private"}))->parent, "_private");
}

TEST(HelperTables, ToldByTheirNameAlone) {
  for (const char* name :
       {"_gone_gho", "_gone_ghc", "~gone_1769900000_gho", "__osc_chg_gone",
        "lhma_2026_01_31_23_59_59_999_gone", "#sql-1a2b_3", "#sql2-1-2", "#mysql50##sql-ib7",
        "_spirit_sentinel", "_vt_HOLD_6ace8bcef73211ea87e9f875a4d24e90_20200915120410",
        "_vt_vrp_6ace8bcef73211ea87e9f875a4d24e90_20240915120410_",
        "_6ace8bce_f732_11ea_87e9_f875a4d24e90_20200915120410_vrepl"}) {
    EXPECT_NE(ToolOf(name, {}), "") << name;
  }
}

TEST(HelperTables, APersonsOwnTablesAreNone) {
  for (const char* name : {"_x_old",      "_x_new",      "_x_del",      "members_old",
                           "members_new", "_members",    "_old",        "__new",
                           "lhmn_x",      "tp_links",    "tp_12_ogt_x", "lhma_notes",
                           "_x_chkpnt",   "new_members", "_vt_stats",   "_vt_hld_short_20260131235959_",
                           "sql_log",     "gho",         "_gho",        "_x_old_2025"}) {
    EXPECT_EQ(ToolOf(name, {"members"}), "") << name;
  }
}

// Tools cut what is longer than 64 characters.
TEST(HelperTables, NamesThatWereCut) {
  const std::string parent(62, 'm');
  const std::string helper = "_" + parent.substr(0, 59) + "_new";
  ASSERT_EQ(helper.size(), 64u);
  EXPECT_NE(ToolOf(helper, {parent}), "");
  EXPECT_EQ(ToolOf(helper, {"other"}), "");
  EXPECT_EQ(ToolOf("_mmm_new", {parent}), "") << "short enough to be whole";
}

}  // namespace
}  // namespace hakobu
