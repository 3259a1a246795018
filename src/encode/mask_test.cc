// Masks and the quarantine's bookkeeping.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <openssl/evp.h>

#include "encode/binary_text.h"
#include "encode/quarantine.h"
#include "encode/read_back.h"
#include "row/type_map.h"

namespace hakobu {
namespace {

using testing::ColumnOf;
using testing::EncodeBothWays;
using testing::TableOf;

std::string Sha256(std::string_view text) {
  unsigned char digest[32];
  unsigned int size = 0;
  EVP_Digest(text.data(), text.size(), digest, &size, EVP_sha256(), nullptr);
  std::string hex(64, ' ');
  WriteHex({reinterpret_cast<const char*>(digest), 32}, hex.data());
  return hex;
}

std::string Masked(const SourceColumn& column, Mask mask, const Cell& cell, Quarantine* quarantine) {
  const SourceTable table = TableOf({column});
  ColumnChoice choice;
  choice.mask = mask;
  choice.mask_salt = "pepper";
  choice.mask_keep_characters = 2;
  const absl::StatusOr<Field> field = MapColumn(table, 0, {}, choice);
  EXPECT_TRUE(field.ok()) << field.status();
  EXPECT_EQ(field->type == FieldType::kString, mask != Mask::kNull || column.type == SourceType::kVarchar);
  Batch batch(1);
  batch.AddRow()[0] = cell;
  return EncodeBothWays(table, {{*field}, {}}, batch, quarantine)[0].at("c");
}

TEST(Mask, HashesTheSaltAndTheText) {
  Quarantine quarantine;
  const SourceColumn text = ColumnOf("c", SourceType::kVarchar, "varchar(20)");
  EXPECT_EQ(Masked(text, Mask::kSha256, Cell::Text(CellKind::kString, "山田"), &quarantine),
            Sha256("pepper山田"));
  EXPECT_EQ(Masked(text, Mask::kSha256, Cell::Text(CellKind::kString, ""), &quarantine), Sha256("pepper"));
  EXPECT_EQ(Masked(text, Mask::kSha256, Cell::Null(), &quarantine), "NULL");
  EXPECT_EQ(Masked(ColumnOf("c", SourceType::kInt, "int"), Mask::kSha256,
                   Cell::Integer(CellKind::kInt64, -17), &quarantine),
            Sha256("pepper-17"));
  EXPECT_EQ(Masked(ColumnOf("c", SourceType::kDate, "date"), Mask::kSha256, Cell::Integer(CellKind::kDate, 0),
                   &quarantine),
            Sha256("pepper1970-01-01"));
  EXPECT_EQ(Masked(ColumnOf("c", SourceType::kBlob, "blob"), Mask::kSha256,
                   Cell::Text(CellKind::kBytes, "\xff"), &quarantine),
            Sha256("pepperff"));
  EXPECT_TRUE(quarantine.empty());
}

TEST(Mask, KeepsTheFirstCharactersOrNothing) {
  Quarantine quarantine;
  const SourceColumn text = ColumnOf("c", SourceType::kVarchar, "varchar(20)");
  EXPECT_EQ(Masked(text, Mask::kFirstN, Cell::Text(CellKind::kString, "山田太郎"), &quarantine), "山田");
  EXPECT_EQ(Masked(text, Mask::kFirstN, Cell::Text(CellKind::kString, "山"), &quarantine), "山");
  EXPECT_EQ(Masked(text, Mask::kNull, Cell::Text(CellKind::kString, "山"), &quarantine), "NULL");
  EXPECT_EQ(Masked(ColumnOf("c", SourceType::kInt, "int"), Mask::kNull, Cell::Integer(CellKind::kInt64, 1),
                   &quarantine),
            "NULL");
  EXPECT_TRUE(quarantine.empty());
}

TEST(Mask, HidesTheValueInTheReport) {
  Quarantine quarantine;
  const SourceColumn text = ColumnOf("c", SourceType::kVarchar, "varchar(20)");
  EXPECT_EQ(Masked(text, Mask::kSha256, Cell::Text(CellKind::kInvalid, "secret\xff"), &quarantine), "NULL");
  ASSERT_EQ(quarantine.values(), 1u);
  EXPECT_EQ(quarantine.columns()[0].first[0].value, "(masked)");
  EXPECT_EQ(quarantine.columns()[0].first[0].key, "(no key)");
}

TEST(Quarantine, MergesCountsAndKeepsTheFirstSamples) {
  Quarantine one;
  Quarantine two;
  for (int i = 0; i < 8; ++i) {
    if (one.Count("a")) one.Sample("a", {"one " + std::to_string(i), "", ""});
    if (two.Count("a")) two.Sample("a", {"two " + std::to_string(i), "", ""});
  }
  two.Count("b");
  one.Merge(two);
  EXPECT_EQ(one.values(), 17u);
  ASSERT_EQ(one.columns().size(), 2u);
  ASSERT_EQ(one.columns()[0].first.size(), 10u);
  EXPECT_EQ(one.columns()[0].first[7].key, "one 7");
  EXPECT_EQ(one.columns()[0].first[9].key, "two 1");
  for (int i = 0; i < 5; ++i) {
    if (one.Count("a")) one.Sample("a", {"more", "", ""});
  }
  EXPECT_EQ(one.columns()[0].values, 21u);
  EXPECT_EQ(one.columns()[0].first.size(), 10u);
}

}  // namespace
}  // namespace hakobu
