#include "row/table_definition.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace hakobu {
namespace {

using ::testing::ElementsAre;

// id INT NOT NULL, code VARCHAR NOT NULL, note VARCHAR, number BIGINT NOT NULL
SourceTable Table() {
  SourceTable table;
  const auto add = [&](const char* name, SourceType type, bool nullable) {
    SourceColumn& column = table.columns.emplace_back();
    column.name = name;
    column.type = type;
    column.nullable = nullable;
  };
  add("id", SourceType::kInt, false);
  add("code", SourceType::kVarchar, false);
  add("note", SourceType::kVarchar, true);
  add("number", SourceType::kBigInt, false);
  return table;
}

TableIndex Unique(const char* name, std::vector<IndexPart> parts) {
  return {.name = name, .parts = std::move(parts), .unique = true};
}

std::string Chosen(const std::vector<TableIndex>& indexes) {
  const auto key = ChooseKey(Table(), indexes);
  return key.has_value() ? key->name : "";
}

TEST(ChooseKey, ThePrimaryKeyStandsForARow) {
  const auto key = ChooseKey(Table(), {Unique("a", {{"id"}}), Unique("PRIMARY", {{"number"}, {"code", 10}})});
  ASSERT_TRUE(key.has_value());
  EXPECT_TRUE(key->primary);
  EXPECT_THAT(key->columns, ElementsAre(3, 1));
}

TEST(ChooseKey, ElseTheFewestColumnsThenAnIntegerThenTheName) {
  EXPECT_EQ(Chosen({Unique("a", {{"id"}, {"number"}}), Unique("b", {{"code"}})}), "b");
  EXPECT_EQ(Chosen({Unique("a", {{"code"}}), Unique("b", {{"id"}})}), "b");
  EXPECT_EQ(Chosen({Unique("a", {{"code"}}), Unique("b", {{"number"}})}), "b")
      << "BIGINT is the widest integer";
  EXPECT_EQ(Chosen({Unique("b", {{"id"}}), Unique("a", {{"number"}})}), "a");
}

TEST(ChooseKey, WhatDoesNotTellRowsApartIsLeft) {
  EXPECT_EQ(Chosen({}), "");
  EXPECT_EQ(Chosen({{.name = "a", .parts = {{"id"}}, .unique = false}}), "");
  EXPECT_EQ(Chosen({Unique("a", {})}), "");
  EXPECT_EQ(Chosen({Unique("a", {{"note"}})}), "") << "NULL may stand twice";
  EXPECT_EQ(Chosen({Unique("a", {{"code", 3}})}), "") << "a prefix";
  EXPECT_EQ(Chosen({Unique("a", {{""}})}), "") << "an expression";
  EXPECT_EQ(Chosen({Unique("a", {{"id"}, {"gone"}})}), "");
}

TEST(ChooseKey, WhatCannotBeRangedOverIsLeft) {
  TableIndex hidden = Unique("a", {{"id"}});
  hidden.visible = false;
  EXPECT_EQ(Chosen({hidden}), "");
  hidden.name = "PRIMARY";
  EXPECT_EQ(Chosen({hidden}), "PRIMARY");
  TableIndex hash = Unique("a", {{"id"}});
  hash.hash = true;
  EXPECT_EQ(Chosen({hash}), "");
}

}  // namespace
}  // namespace hakobu
