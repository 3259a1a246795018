#include "config/column_rules.h"

#include <gtest/gtest.h>

#include "config/load.h"

namespace hakobu {
namespace {

// The file with these `defaults:` and `tables:`, both as YAML.
Config Parsed(const std::string& defaults, const std::string& tables) {
  const Environment environment = [](const std::string& name) -> std::optional<std::string> {
    return name == "OTHER" ? "another-secret-salt" : "a-long-secret-salt";
  };
  const auto config = ParseConfig(
      "source: {user: hakobu}\ndestination: {project: example, dataset: shop}\ndefaults: " + defaults +
          "\ntables: " + tables + "\n",
      "hakobu.yaml", environment);
  EXPECT_TRUE(config.ok()) << config.status();
  return config.ok() ? *config : Config{};
}

TableOptions OptionsOf(const Config& config, std::string_view table) {
  const TableRule* rule = FindRule(config, "shop", table);
  EXPECT_NE(rule, nullptr) << table;
  return rule == nullptr ? TableOptions() : OptionsFor(config, *rule, "shop", table);
}

Mask MaskOf(const Config& config, std::string_view table, std::string_view column) {
  return TreatmentOf(OptionsOf(config, table), column).choice.mask;
}

constexpr char kHash[] = R"({mask: sha256, salt: "${env:SALT}"})";

TEST(ColumnRules, APatternOfDefaultsMasksColumnsOfTablesThatNobodyNamed) {
  const Config config = Parsed(R"({columns: {"*mail*": )" + std::string(kHash) + "}}", "[{table: shop.*}]");
  for (const char* column : {"email", "E_MAIL_ADDRESS", "mail", "Mail2"}) {
    EXPECT_EQ(MaskOf(config, "members", column), Mask::kSha256) << column;
    EXPECT_EQ(TreatmentOf(OptionsOf(config, "members"), column).choice.mask_salt, "a-long-secret-salt");
  }
  EXPECT_EQ(MaskOf(config, "members", "name"), Mask::kNone);
}

TEST(ColumnRules, NamesAreComparedAsTheServersDo) {
  const Config config = Parsed(
      "{}",
      R"([{table: shop.members, exclude: [Secret], columns: {Émail: {mask: null}, "電話?": {mask: null}}}])");
  EXPECT_EQ(MaskOf(config, "members", "email"), Mask::kNull);
  EXPECT_FALSE(TreatmentOf(OptionsOf(config, "members"), "SECRET").delivered);
  EXPECT_EQ(MaskOf(config, "members", "電話番"), Mask::kNull) << "`?` is one character, not one byte";
  EXPECT_EQ(MaskOf(config, "members", "電話"), Mask::kNone);
}

TEST(ColumnRules, AMaskIsNotLostByAnEntryThatSaysSomethingElse) {
  const std::string defaults = R"({columns: {"*mail*": )" + std::string(kHash) + "}}";
  EXPECT_EQ(MaskOf(Parsed(defaults, "[{table: shop.members, columns: {email: {description: x}}}]"), "members",
                   "email"),
            Mask::kSha256);
  EXPECT_EQ(
      MaskOf(Parsed(defaults, "[{table: shop.members, columns: {email: {as: STRING}}}]"), "members", "email"),
      Mask::kSha256);
  EXPECT_EQ(MaskOf(Parsed(defaults, R"([{table: shop.members, columns: {"*": {mask: first, keep: 3}}}])"),
                   "members", "email"),
            Mask::kSha256)
      << "a weaker mask by a pattern";
  EXPECT_EQ(MaskOf(Parsed(defaults, R"([{table: shop.members, columns: {"*": {mask: null}}}])"), "members",
                   "email"),
            Mask::kNull)
      << "a stricter one";
}

TEST(ColumnRules, OnlyTheTablesOwnEntryByTheColumnsNameTakesAMaskBack) {
  const std::string defaults = R"({columns: {"*mail*": {mask: null}}})";
  EXPECT_EQ(
      MaskOf(Parsed(defaults, "[{table: shop.members, columns: {email: {mask: none}}}]"), "members", "email"),
      Mask::kNone);
  EXPECT_EQ(MaskOf(Parsed(defaults, "[{table: shop.members, columns: {email: {mask: first, keep: 2}}}]"),
                   "members", "email"),
            Mask::kFirstN);
  const Config named =
      Parsed(R"({columns: {"*mail*": {mask: null}, email: {mask: none}}})",
             R"([{table: shop.members}, {table: shop.plans, columns: {"e*": {mask: null}}}])");
  EXPECT_EQ(MaskOf(named, "members", "email"), Mask::kNone) << "a name beats the patterns beside it";
  EXPECT_EQ(MaskOf(named, "members", "email2"), Mask::kNull);
  EXPECT_EQ(MaskOf(named, "plans", "email"), Mask::kNull) << "but not those of the table";
}

TEST(ColumnRules, MasksAndExclusionsOfEveryMatchingEntryHold) {
  const Config config =
      Parsed("{exclude: [memo]}", R"([{table: shop.*, exclude: ["*_note"], columns: {mail: {mask: null}}},
    {table: shop.mem*, exclude: [pin]}, {table: shop.members, mode: append}])");
  for (const char* table : {"members", "memos", "plans"}) {
    EXPECT_EQ(MaskOf(config, table, "mail"), Mask::kNull) << table;
    EXPECT_FALSE(TreatmentOf(OptionsOf(config, table), "memo").delivered) << table;
    EXPECT_FALSE(TreatmentOf(OptionsOf(config, table), "a_note").delivered) << table;
  }
  EXPECT_FALSE(TreatmentOf(OptionsOf(config, "members"), "pin").delivered);
  EXPECT_TRUE(TreatmentOf(OptionsOf(config, "plans"), "pin").delivered);
  EXPECT_EQ(OptionsOf(config, "members").mode, TableMode::kAppend);
}

TEST(ColumnRules, OfEachKeyTheStrongestEntryIsTaken) {
  const Config config =
      Parsed(R"({columns: {"*": {description: d}, "a*": {as: STRING}}})",
             R"([{table: shop.members, columns: {"ab*": {as: NUMERIC}, abc: {description: own}}}])");
  const ColumnTreatment treatment = TreatmentOf(OptionsOf(config, "members"), "abc");
  EXPECT_EQ(treatment.choice.as, "NUMERIC");
  EXPECT_EQ(treatment.description, "own");
  EXPECT_EQ(TreatmentOf(OptionsOf(config, "members"), "ax").choice.as, "STRING");
  EXPECT_EQ(TreatmentOf(OptionsOf(config, "members"), "ax").description, "d");
}

TEST(ColumnRules, ASaltOfTheTableServesTheMaskThatItInherits) {
  const Config config =
      Parsed(R"({columns: {"*mail*": )" + std::string(kHash) + "}}",
             R"([{table: shop.members, columns: {email: {mask: sha256, salt: "${env:OTHER}"}}}])");
  EXPECT_EQ(TreatmentOf(OptionsOf(config, "members"), "email").choice.mask_salt, "another-secret-salt");
  EXPECT_EQ(TreatmentOf(OptionsOf(config, "members"), "mail").choice.mask_salt, "a-long-secret-salt");
}

TEST(ColumnRename, WhatWasKeptBackIsNotDeliveredUnderAnotherName) {
  const Config config =
      Parsed(R"({columns: {"*mail*": )" + std::string(kHash) + "}}",
             "[{table: shop.members, exclude: [pin], columns: {phone: {mask: first, keep: 3}}}]");
  const TableOptions options = OptionsOf(config, "members");
  for (const auto& [before, after] : std::vector<std::pair<std::string, std::string>>{
           {"pin", "code"}, {"email", "address"}, {"phone", "tel"}, {"pin", "email"}}) {
    const RenameVerdict verdict = JudgeColumnRename(options, before, after);
    EXPECT_EQ(verdict.outcome, RenameOutcome::kWeaker) << before;
    EXPECT_NE(verdict.reason.find(before), std::string::npos) << verdict.reason;
    EXPECT_NE(verdict.hint.find(after), std::string::npos) << verdict.hint;
  }
  EXPECT_EQ(JudgeColumnRename(options, "email", "mail").outcome, RenameOutcome::kSame);
  EXPECT_EQ(JudgeColumnRename(options, "pin", "PIN").outcome, RenameOutcome::kSame);
  EXPECT_EQ(JudgeColumnRename(options, "name", "title").outcome, RenameOutcome::kSame);
  EXPECT_EQ(JudgeColumnRename(options, "name", "mail").outcome, RenameOutcome::kDiffers);
  EXPECT_EQ(JudgeColumnRename(options, "phone", "email").outcome, RenameOutcome::kDiffers);
  EXPECT_EQ(JudgeColumnRename(options, "name", "pin").outcome, RenameOutcome::kDiffers);
}

TEST(ColumnRename, WhatTheTableSaysOfTheNewNameIsMeant) {
  const Config config = Parsed(
      "{}", "[{table: shop.*, exclude: [pin], columns: {code: {mask: none}, tel: {mask: first, keep: 9}}}]");
  const TableOptions options = OptionsOf(config, "members");
  EXPECT_EQ(JudgeColumnRename(options, "pin", "code").outcome, RenameOutcome::kDiffers);
  EXPECT_EQ(JudgeColumnRename(options, "pin", "tel").outcome, RenameOutcome::kDiffers);
  EXPECT_EQ(JudgeColumnRename(options, "pin", "other").outcome, RenameOutcome::kWeaker);
}

TEST(TableRename, AMaskOfTheOldNameIsNotLostUnderTheNewOne) {
  const Config config =
      Parsed("{}", "[{table: shop.*}, {table: shop.members, exclude: [pin], columns: {mail: {mask: null}}}]");
  const TableOptions before = OptionsOf(config, "members");
  const TableOptions after = OptionsOf(config, "members_2026");
  const RenameVerdict verdict = JudgeTableRename(before, after, {"id", "pin", "mail"});
  EXPECT_EQ(verdict.outcome, RenameOutcome::kWeaker);
  EXPECT_NE(verdict.reason.find("`pin` was left out"), std::string::npos) << verdict.reason;
  EXPECT_NE(verdict.reason.find("`mail` was always NULL"), std::string::npos) << verdict.reason;
  EXPECT_EQ(JudgeTableRename(before, after, {"id"}).outcome, RenameOutcome::kSame);
  EXPECT_EQ(JudgeTableRename(after, before, {"id", "pin"}).outcome, RenameOutcome::kDiffers);
}

}  // namespace
}  // namespace hakobu
