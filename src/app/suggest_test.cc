#include "app/suggest.h"

#include <gtest/gtest.h>

#include <map>

namespace hakobu {
namespace {

SourceTable Table(std::string name, std::vector<std::pair<std::string, SourceType>> columns,
                  uint64_t rows = 10) {
  SourceTable table;
  table.database = "shop";
  table.name = std::move(name);
  table.estimated_rows = rows;
  for (auto& [column, type] : columns) {
    SourceColumn& added = table.columns.emplace_back();
    added.name = column;
    added.type = type;
  }
  table.key = SourceKey{"PRIMARY", {0}, true};
  return table;
}

std::map<std::string, Mask> MasksOf(const SourceTable& table) {
  std::map<std::string, Mask> masks;
  for (const PersonalColumn& column : FindPersonalColumns(table)) masks[column.name] = column.mask;
  return masks;
}

constexpr SourceType kText = SourceType::kVarchar;
constexpr SourceType kMoment = SourceType::kDateTime;
constexpr SourceType kNumber = SourceType::kInt;

TEST(SuggestMode, SmallTablesAreReplaced) {
  EXPECT_EQ(SuggestMode(Table("plans", {{"id", kNumber}, {"updated_at", kMoment}}), {"updated_at"}).mode,
            TableMode::kReplace);
}

TEST(SuggestMode, LargeTablesWithAnIndexedChangeTimeAreIncremental) {
  const SourceTable table = Table("reservations", {{"id", kNumber}, {"updatedAt", kMoment}}, 50'000'000);
  const ModeSuggestion with = SuggestMode(table, {"updatedAt"});
  EXPECT_EQ(with.mode, TableMode::kIncremental);
  EXPECT_EQ(with.cursor, "updatedAt");
  const ModeSuggestion without = SuggestMode(table, {"id"});
  EXPECT_EQ(without.mode, TableMode::kReplace);
  EXPECT_NE(without.reason.find("no index"), std::string::npos);
}

TEST(SuggestMode, JournalsGoByTheirIntegerKey) {
  const SourceTable table = Table("access_logs", {{"id", kNumber}, {"created_at", kMoment}}, 50'000'000);
  EXPECT_EQ(SuggestMode(table, {"id"}).cursor, "id");
  EXPECT_EQ(
      SuggestMode(Table("payments", {{"id", kNumber}, {"created_at", kMoment}}, 50'000'000), {"id"}).mode,
      TableMode::kReplace);
}

TEST(SuggestMode, WithoutAKeyOnlyReplaceIsLeft) {
  SourceTable table = Table("events", {{"at", kMoment}}, 50'000'000);
  table.key.reset();
  EXPECT_EQ(SuggestMode(table, {"at"}).mode, TableMode::kReplace);
}

TEST(FindPersonalColumns, ByNameInEnglishAndJapanese) {
  const auto masks = MasksOf(Table("members", {{"id", kNumber},
                                               {"name", kText},
                                               {"firstName", kText},
                                               {"name_kana", kText},
                                               {"e_mail", kText},
                                               {"mail_address", kText},
                                               {"home_address", kText},
                                               {"TEL", kText},
                                               {"birthday", SourceType::kDate},
                                               {"born", SourceType::kDate},
                                               {"password_digest", kText},
                                               {"ip_address", kText},
                                               {"生年月日", SourceType::kDate},
                                               {"パスワード", kText},
                                               {"携帯電話", kText}}));
  EXPECT_EQ(masks, (std::map<std::string, Mask>{{"name", Mask::kNull},
                                                {"firstName", Mask::kNull},
                                                {"name_kana", Mask::kNull},
                                                {"e_mail", Mask::kSha256},
                                                {"mail_address", Mask::kSha256},
                                                {"home_address", Mask::kNull},
                                                {"TEL", Mask::kSha256},
                                                {"birthday", Mask::kNull},
                                                {"born", Mask::kNull},
                                                {"password_digest", Mask::kNull},
                                                {"ip_address", Mask::kSha256},
                                                {"生年月日", Mask::kNull},
                                                {"パスワード", Mask::kNull},
                                                {"携帯電話", Mask::kSha256}}));
}

TEST(FindPersonalColumns, CardsHealthAndFreeText) {
  const auto masks = MasksOf(Table("visits", {{"card_no", kText},
                                              {"card_number", SourceType::kBigInt},
                                              {"phone", SourceType::kBigInt},
                                              {"cvv", kText},
                                              {"diagnosis", kText},
                                              {"アレルギー", kText},
                                              {"既往歴", kText},
                                              {"memo", kText},
                                              {"staffNotes", kText},
                                              {"備考", kText},
                                              {"お問い合わせ内容", kText},
                                              {"クレジットカード", kText},
                                              {"ふりがな", kText}}));
  EXPECT_EQ(masks.size(), 13u);
  EXPECT_EQ(masks.at("phone"), Mask::kSha256);
  EXPECT_EQ(masks.at("diagnosis"), Mask::kNull);
}

TEST(FindPersonalColumns, NotWhatOnlySoundsLikeIt) {
  EXPECT_TRUE(MasksOf(Table("plans", {{"id", kNumber},
                                      {"name", kText},
                                      {"email_count", kNumber},
                                      {"email_verified_at", kMoment},
                                      {"description", kText},
                                      {"hotel", kText},
                                      {"phone_count", SourceType::kBigInt},
                                      {"mobile_users", SourceType::kBigInt},
                                      {"card_type", kText},
                                      {"notebook", kText},
                                      {"healthy", kNumber},
                                      {"shipping", kText}}))
                  .empty());
}

TEST(FindPersonalColumns, ByCommentAndInTheKey) {
  SourceTable table = Table("contacts", {{"email", kText}, {"c1", kText}});
  table.columns[1].comment = "電話番号";
  const auto masks = MasksOf(table);
  EXPECT_EQ(masks.at("email"), Mask::kSha256);
  EXPECT_EQ(masks.at("c1"), Mask::kSha256);
  table = Table("people", {{"last_name", kText}});
  EXPECT_EQ(MasksOf(table).at("last_name"), Mask::kSha256) << "NULL would make all keys one";
}

}  // namespace
}  // namespace hakobu
