#include "delivery/sealed_values.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace hakobu {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

constexpr std::string_view kBounds = R"({"after":["tanaka@example.com"],"number":1,"rows":10})";

// A table of `email` (its key), `at` and `name`, with these masks.
TableWork Members(Mask email, Mask at, const std::string& salt = "a salt of sixteen") {
  TableWork work;
  work.name = "shop.members";
  const std::pair<const char*, Mask> columns[] = {{"email", email}, {"at", at}, {"name", Mask::kSha256}};
  for (const auto& [name, mask] : columns) {
    SourceColumn column;
    column.name = name;
    Field field;
    field.name = name;
    field.source_column = work.source.columns.size();
    field.mask = mask;
    if (mask == Mask::kSha256) field.mask_salt = salt;
    work.source.columns.push_back(column);
    work.schema.fields.push_back(field);
  }
  work.source.key = SourceKey{.name = "PRIMARY", .columns = {0}};
  return work;
}

TEST(SealedValues, BoundsOfAKeyInClearStayReadable) {
  const SealedValues values("ledger", Members(Mask::kNone, Mask::kNull));
  EXPECT_EQ(values.Write(kBounds), kBounds);
  EXPECT_EQ(*values.Read(kBounds), kBounds);
  EXPECT_FALSE(values.Exposed(kBounds));
}

TEST(SealedValues, BoundsOfAMaskedKeyAreReadByWhoHasTheSalt) {
  const TableWork work = Members(Mask::kSha256, Mask::kNone);
  const std::string kept = SealedValues("ledger", work).Write(kBounds);
  EXPECT_THAT(kept, Not(HasSubstr("tanaka")));
  EXPECT_EQ(*SealedValues("ledger", work).Read(kept), kBounds);
  EXPECT_TRUE(SealedValues("ledger", work).Exposed(kBounds));
  EXPECT_FALSE(SealedValues("ledger", work).Exposed(kept));
  const TableWork other = Members(Mask::kSha256, Mask::kNone, "another salt of it");
  EXPECT_TRUE(absl::IsFailedPrecondition(SealedValues("ledger", other).Read(kept).status()));
  EXPECT_TRUE(absl::IsFailedPrecondition(SealedValues("another ledger", work).Read(kept).status()));
}

TEST(SealedValues, AKeyThatIsLeftOutAndAMaskedCursorHideToo) {
  TableWork left_out = Members(Mask::kNone, Mask::kNone);
  left_out.schema.fields.erase(left_out.schema.fields.begin());
  EXPECT_THAT(SealedValues("ledger", left_out).Write(kBounds), Not(HasSubstr("tanaka")));
  TableWork by_cursor = Members(Mask::kNone, Mask::kFirstN);
  by_cursor.options.cursor = "at";
  EXPECT_THAT(SealedValues("ledger", by_cursor).Write(kBounds), Not(HasSubstr("tanaka")));
  by_cursor.options.cursor = "email";
  EXPECT_THAT(SealedValues("ledger", by_cursor).Write(kBounds), HasSubstr("tanaka"));
}

TEST(SealedValues, WhatWasSealedIsReadAfterTheColumnIsShown) {
  const std::string kept = SealedValues("ledger", Members(Mask::kSha256, Mask::kNone)).Write(kBounds);
  EXPECT_EQ(*SealedValues("ledger", Members(Mask::kNone, Mask::kNone)).Read(kept), kBounds);
  EXPECT_TRUE(absl::IsDataLoss(
      SealedValues("ledger", Members(Mask::kNone, Mask::kNone)).Read("sealed:%%%").status()));
}

TEST(SealedValues, WhatCannotBeSealedIsSaid) {
  TableWork cursor = Members(Mask::kNone, Mask::kNull);
  cursor.schema.fields.pop_back();  // the only salt
  EXPECT_EQ(LieOpenNote(cursor), "") << "neither key nor cursor";
  cursor.options.cursor = "at";
  EXPECT_THAT(LieOpenNote(cursor), HasSubstr("in clear"));
  EXPECT_EQ(SealedValues("ledger", cursor).Write(kBounds), kBounds);
  TableWork key = Members(Mask::kNone, Mask::kNone);
  key.schema.fields = {key.schema.fields[1]};
  EXPECT_THAT(LieOpenNote(key), HasSubstr("in clear")) << "left out";
  EXPECT_EQ(LieOpenNote(Members(Mask::kSha256, Mask::kNone)), "") << "sealed";
}

}  // namespace
}  // namespace hakobu
