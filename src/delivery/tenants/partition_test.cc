#include "delivery/tenants/partition.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <map>
#include <random>

#include "base/status.h"

namespace hakobu {
namespace {

class PartitionTest : public testing::Test {
 protected:
  void SetUp() override {
    auto spool = PieceSpool::Open(testing::TempDir() + "/pieces", 64 << 20);
    ASSERT_TRUE(spool.ok()) << spool.status();
    spool_ = *std::move(spool);
  }
  std::vector<std::string> RowsOf(const Partitioned& result, uint32_t tenant) {
    std::vector<std::string> rows;
    std::string memory;
    for (const auto& [owner, piece] : result.pieces) {
      if (owner != tenant) continue;
      const absl::Status read = spool_->Read(tenant, piece, &memory, [&](std::string_view packet) {
        rows.emplace_back(packet);
        return absl::OkStatus();
      });
      EXPECT_TRUE(read.ok()) << read;
    }
    return rows;
  }
  std::unique_ptr<PieceSpool> spool_;
};

Cell Text(std::string_view text) {
  return Cell::Text(CellKind::kString, text);
}

TEST_F(PartitionTest, OnlyTheSameTextIsTheTenants) {
  TenantKeys keys;
  ASSERT_TRUE(keys.Add("acme", 0).ok());
  ASSERT_TRUE(keys.Add("7", 1).ok());
  ASSERT_FALSE(keys.Add("7", 0).ok());
  const std::vector<bool> served = {true, true};
  Partition partition(spool_.get(), &keys, &served, 1 << 20);
  for (const std::string_view value :
       {"acme", "Acme", "ACME", "acme ", " acme", "", "7", "07", "7.0", "+7", "７"})
    ASSERT_TRUE(partition.Take(Text(value), value).ok());
  ASSERT_TRUE(partition.Take(Cell::Integer(CellKind::kInt64, 7), "int").ok());
  ASSERT_TRUE(partition.Take(Cell::Unsigned(7), "unsigned").ok());
  ASSERT_TRUE(partition.Take(Cell::Integer(CellKind::kInt64, -7), "negative").ok());
  ASSERT_TRUE(partition.Take(Cell::Null(), "null").ok());
  ASSERT_TRUE(partition.Take(Cell::Text(CellKind::kInvalid, "acme"), "does not decode").ok());
  const auto result = partition.Finish();
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_EQ(RowsOf(*result, 0), std::vector<std::string>{"acme"});
  EXPECT_EQ(RowsOf(*result, 1), (std::vector<std::string>{"7", "int", "unsigned"}));
  EXPECT_EQ(result->nobody.null_rows, 1u);
  EXPECT_EQ(result->nobody.unknown_rows, 11u);
  EXPECT_EQ(result->nobody.values.at("Acme"), 1u);
  EXPECT_EQ(result->handed_out() + result->nobody.rows(), 16u);
}

TEST_F(PartitionTest, TenantsOfAnotherScanAreNotNobody) {
  TenantKeys keys;
  ASSERT_TRUE(keys.Add("a", 0).ok());
  ASSERT_TRUE(keys.Add("b", 1).ok());
  const std::vector<bool> served = {true, false};
  Partition partition(spool_.get(), &keys, &served, 1 << 20);
  for (const std::string_view value : {"a", "b", "b"}) ASSERT_TRUE(partition.Take(Text(value), value).ok());
  const auto result = partition.Finish();
  ASSERT_TRUE(result.ok());
  EXPECT_EQ(result->elsewhere, 2u);
  EXPECT_EQ(result->nobody.rows(), 0u);
  EXPECT_EQ(result->handed_out(), 1u);
}

// However many tenants there are, and in whatever order rows come, each row is read back once, by its tenant.
TEST_F(PartitionTest, EveryRowComesBackOnceThoughMemoryIsSmall) {
  constexpr uint32_t kTenants = 300;
  TenantKeys keys;
  for (uint32_t i = 0; i < kTenants; ++i) ASSERT_TRUE(keys.Add(fmt::format("t{}", i), i).ok());
  const std::vector<bool> served(kTenants, true);
  Partition partition(spool_.get(), &keys, &served, 20'000);
  std::mt19937 random(1);
  std::map<uint32_t, std::vector<std::string>> expected;
  for (int row = 0; row < 20'000; ++row) {
    const uint32_t tenant = random() % kTenants;
    const std::string packet = fmt::format("{}:{}", row, std::string(random() % 60, 'x'));
    ASSERT_TRUE(partition.Take(Text(fmt::format("t{}", tenant)), packet).ok());
    expected[tenant].push_back(packet);
  }
  const auto result = partition.Finish();
  ASSERT_TRUE(result.ok());
  EXPECT_GT(result->pieces.size(), kTenants) << "memory was never short";
  for (const auto& [tenant, rows] : expected) EXPECT_EQ(RowsOf(*result, tenant), rows) << tenant;
}

TEST_F(PartitionTest, APieceIsGivenToItsTenantAloneAndWhole) {
  PieceBuffer buffer;
  buffer.Add("one");
  buffer.Add("two");
  const auto piece = spool_->Write(3, buffer);
  ASSERT_TRUE(piece.ok());
  std::string memory;
  const auto read = [&](const PieceSpool& spool, uint32_t tenant, const Piece& from) {
    return spool.Read(tenant, from, &memory,
                      [](std::string_view) { return absl::InternalError("given out"); });
  };
  EXPECT_EQ(read(*spool_, 3, *piece).message(), "given out");
  EXPECT_EQ(read(*spool_, 4, *piece).code(), absl::StatusCode::kDataLoss);
  Piece other = *piece;
  other.rows = 1;
  EXPECT_EQ(read(*spool_, 3, other).code(), absl::StatusCode::kDataLoss);
  other = *piece;
  other.offset = 1;
  EXPECT_EQ(read(*spool_, 3, other).code(), absl::StatusCode::kDataLoss);
  auto another = PieceSpool::Open(testing::TempDir() + "/pieces", 1000);
  ASSERT_TRUE(another.ok());
  ASSERT_TRUE((*another)->Write(3, buffer).ok());
  EXPECT_EQ(read(**another, 3, *piece).message(), "given out");
  PieceBuffer large;
  large.Add(std::string(2000, 'x'));
  EXPECT_EQ((*another)->Write(3, large).status().code(), absl::StatusCode::kResourceExhausted);
  EXPECT_TRUE(std::filesystem::is_empty(testing::TempDir() + "/pieces")) << "nothing stays in the folder";
}

TEST(TenantColumn, IsAColumnWhoseValuesHaveOneText) {
  SourceTable table;
  table.database = "gym";
  table.name = "members";
  for (const auto& [name, type, declared] : {std::tuple("company_id", SourceType::kInt, "int"),
                                             std::tuple("amount", SourceType::kDecimal, "decimal(5,2)"),
                                             std::tuple("code", SourceType::kVarchar, "varchar(9)")}) {
    SourceColumn column;
    column.name = name;
    column.type = type;
    column.declared = declared;
    table.columns.push_back(column);
  }
  EXPECT_EQ(FindTenantColumn(table, "Company_ID").value_or(9), 0u);
  EXPECT_EQ(FindTenantColumn(table, "code").value_or(9), 2u);
  EXPECT_EQ(FindTenantColumn(table, "amount").status().message(),
            "gym.members: expected an integer, CHAR, VARCHAR or ENUM as tenant column, found `amount` "
            "decimal(5,2); "
            "hint: values of other types have more than one text");
  EXPECT_FALSE(FindTenantColumn(table, "shop").ok());
}

}  // namespace
}  // namespace hakobu
