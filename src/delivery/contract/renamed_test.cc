#include "delivery/contract/renamed.h"

#include <gtest/gtest.h>

#include <functional>
#include <string>
#include <vector>

namespace hakobu {
namespace {

TableContract Members() {
  TableContract contract;
  contract.source = "shop.members";
  contract.source_columns = {{"id", "int"}, {"mail", "varchar(80)"}, {"note", "text"}, {"seen", "datetime"}};
  for (const SourceShape& shape : contract.source_columns) {
    ColumnForm form;
    form.name = form.source = shape.name;
    form.mask = "none";
    contract.columns.push_back(form);
  }
  return contract;
}

void LeaveOut(TableContract* contract, const std::string& column) {
  std::erase_if(contract->columns, [&](const ColumnForm& form) { return form.source == column; });
}

void MaskBy(TableContract* contract, const std::string& column, const std::string& mask,
            const std::string& salt = "") {
  for (ColumnForm& form : contract->columns) {
    if (form.source != column) continue;
    form.mask = mask;
    form.salt = salt;
  }
}

RenamedVerdict Judge(const std::function<void(TableContract*)>& gone,
                     const std::function<void(TableContract*)>& appeared) {
  TableContract was = Members();
  TableContract is = Members();
  is.source = "shop.people";
  gone(&was);
  appeared(&is);
  return JudgeRenamed(was, is);
}

void Nothing(TableContract*) {}

TEST(Renamed, NothingHiddenIsTheSame) {
  EXPECT_EQ(Judge(Nothing, Nothing).outcome, RenamedOutcome::kSame);
  EXPECT_EQ(Judge(Nothing, [](auto* is) { MaskBy(is, "mail", "sha256"); }).outcome, RenamedOutcome::kSame);
}

TEST(Renamed, WhatWasHiddenMustStayHidden) {
  const auto masked = [](TableContract* was) { MaskBy(was, "mail", "sha256", "one"); };
  const auto left_out = [](TableContract* was) { LeaveOut(was, "mail"); };
  const auto filtered = [](TableContract* was) { was->filter = "1234"; };
  EXPECT_EQ(Judge(masked, Nothing).outcome, RenamedOutcome::kWeaker);
  EXPECT_EQ(Judge(left_out, Nothing).outcome, RenamedOutcome::kWeaker);
  EXPECT_EQ(Judge(left_out, masked).outcome, RenamedOutcome::kWeaker);
  EXPECT_EQ(Judge(filtered, Nothing).outcome, RenamedOutcome::kWeaker);
  EXPECT_EQ(Judge(masked, [](auto* is) { MaskBy(is, "mail", "sha256"); }).outcome, RenamedOutcome::kWeaker)
      << "without its salt";
  EXPECT_EQ(Judge(masked, [](auto* is) { MaskBy(is, "mail", "first_n(4)"); }).outcome,
            RenamedOutcome::kWeaker);
  EXPECT_EQ(Judge(masked, masked).outcome, RenamedOutcome::kSame);
  EXPECT_EQ(Judge(masked, left_out).outcome, RenamedOutcome::kSame);
  EXPECT_EQ(Judge(left_out, left_out).outcome, RenamedOutcome::kSame);
  EXPECT_EQ(Judge(masked, [](auto* is) { MaskBy(is, "mail", "null"); }).outcome, RenamedOutcome::kSame);
  EXPECT_EQ(Judge(filtered, filtered).outcome, RenamedOutcome::kSame);
}

TEST(Renamed, AChangedDefinitionIsFollowedAsFarAsItTells) {
  const auto masked = [](TableContract* was) { MaskBy(was, "mail", "sha256", "one"); };
  EXPECT_EQ(Judge(masked, [](auto* is) { is->source_columns.push_back({"new", "int"}); }).outcome,
            RenamedOutcome::kWeaker);
  EXPECT_EQ(Judge(masked, [](auto* is) { is->source_columns[1].declared = "text"; }).outcome,
            RenamedOutcome::kWeaker);
  EXPECT_EQ(
      Judge(masked, [](auto* is) { is->columns[1].source = is->source_columns[1].name = "MAIL"; }).outcome,
      RenamedOutcome::kWeaker)
      << "servers do not tell letters' case apart";
  EXPECT_EQ(Judge(masked, [](auto* is) { is->source_columns = {{"id", "int"}, {"price", "int"}}; }).outcome,
            RenamedOutcome::kOther);
  EXPECT_EQ(Judge(masked,
                  [](auto* is) {
                    for (int i = 0; i < 9; ++i)
                      is->source_columns.push_back({"c" + std::to_string(i), "int"});
                  })
                .outcome,
            RenamedOutcome::kOther)
      << "most of it is something else";
}

}  // namespace
}  // namespace hakobu
