#include "app/init_file.h"

#include <gtest/gtest.h>

#include "app/init.h"
#include "app/suggest.h"
#include "config/load.h"

namespace hakobu {
namespace {

SourceTable Table(std::string database, std::string name) {
  SourceTable table;
  table.database = std::move(database);
  table.name = std::move(name);
  for (const char* column : {"id", "email", "weird: \"name\" #1"}) {
    table.columns.emplace_back().name = column;
    table.columns.back().type = SourceType::kVarchar;
  }
  table.key = SourceKey{"PRIMARY", {0}, true};
  return table;
}

absl::StatusOr<Config> Parse(const std::string& text) {
  return ParseConfig(text, "hakobu.yaml",
                     [](const std::string&) { return std::optional<std::string>("long enough for a salt"); });
}

InitFacts Facts() {
  InitFacts facts;
  facts.server = "db:3306\n(MySQL)";
  facts.source = {{"host", "db"}, {"port", "3307"}, {"user", "hakobu"}, {"tls.mode", "require"}};
  facts.destination = {{"project", "example"}, {"dataset", "shop"}, {"endpoint", "local"}};
  return facts;
}

TEST(InitFile, WhatIsWrittenIsRead) {
  InitFacts facts = Facts();
  facts.tables = {Table("shop", "members"), Table("shop", "予約 履歴"), Table("shop", "a: \"b\" #c\n- d")};
  facts.tables[0].comment = "first line\n  - table: second line";
  const InitResult result = MakeInitFile(facts);
  const auto config = Parse(result.text);
  ASSERT_TRUE(config.ok()) << config.status() << "\n" << result.text;
  EXPECT_EQ(config->source.port, 3307);
  EXPECT_EQ(config->source.tls.mode, TlsMode::kRequire);
  EXPECT_EQ(config->destination.endpoint, EndpointKind::kLocal);
  ASSERT_EQ(config->tables.size(), 3u);
  EXPECT_EQ(config->tables[2].pattern, "shop.a: \"b\" #c\n- d");
  EXPECT_EQ(config->tables[0].options.columns.at(0).column.mask, Mask::kSha256);
  EXPECT_EQ(result.personal_columns, 3u);
  EXPECT_TRUE(result.needs_salt);
}

TEST(InitFile, EveryKeyUncommentedIsStillAKey) {
  InitFacts facts = Facts();
  facts.source = {{"tls.mode", "off"}};
  facts.destination = {{"project", "example"}, {"dataset", "shop"}};
  facts.tables = {Table("shop", "members")};
  std::string text = MakeInitFile(facts).text;
  // What begins a line's comment with a key of its own is taken in; prose is not.
  const auto uncomment = [&](const std::string& line) {
    const size_t at = text.find("# " + line);
    ASSERT_NE(at, std::string::npos) << line;
    text.erase(at, 2);
  };
  for (const char* line : {"user: hakobu", "connections: 2", "chunk_bytes: 256MiB", "keep_previous: false"}) {
    uncomment(line);
  }
  const auto config = Parse(text);
  ASSERT_TRUE(config.ok()) << config.status();
  EXPECT_EQ(config->source.user, "hakobu");
}

TEST(InitFile, WideIdsAreOfferedAsIntegers) {
  InitFacts facts = Facts();
  facts.tables = {Table("shop", "members")};
  for (const char* name : {"member_id", "amount"}) {
    SourceColumn& column = facts.tables[0].columns.emplace_back();
    column.name = name;
    column.type = SourceType::kBigInt;
    column.is_unsigned = true;
  }
  facts.left_out = {"shop._members_gho, a helper table of gh-ost for members"};
  const std::string text = MakeInitFile(facts).text;
  const auto config = Parse(text);
  ASSERT_TRUE(config.ok()) << config.status() << "\n" << text;
  EXPECT_NE(text.find("member_id: {as: INT64}"), std::string::npos);
  EXPECT_EQ(text.find("amount: {as: INT64}"), std::string::npos);
  EXPECT_NE(text.find("# left out: shop._members_gho"), std::string::npos);
}

TEST(InitFile, SameNamesInTwoDatabasesGetTargetsOfTheirOwn) {
  InitFacts facts = Facts();
  facts.tables = {Table("tokyo", "members"), Table("osaka", "members")};
  const auto config = Parse(MakeInitFile(facts).text);
  ASSERT_TRUE(config.ok()) << config.status();
  EXPECT_EQ(TargetName(config->tables[1].options, "osaka", "members"), "osaka_members");
}

TEST(Dsn, IsTakenApart) {
  InitOptions options;
  options.dsn = "mysql://reader@db.internal:3307/shop";
  ASSERT_TRUE(TakeDsn(&options).ok());
  EXPECT_EQ(options.user, "reader");
  EXPECT_EQ(options.host, "db.internal");
  EXPECT_EQ(options.port, 3307);
  EXPECT_EQ(options.databases, std::vector<std::string>{"shop"});
}

TEST(Dsn, APasswordInItIsRefusedAndNotRepeated) {
  InitOptions options;
  options.dsn = "mysql://reader:swordfish@db.internal/shop";
  const absl::Status status = TakeDsn(&options);
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(status.message().find("swordfish"), absl::string_view::npos);
  options.dsn = "postgres://db";
  EXPECT_FALSE(TakeDsn(&options).ok());
  options.dsn = "mysql://db:99999/shop";
  EXPECT_FALSE(TakeDsn(&options).ok());
}

}  // namespace
}  // namespace hakobu
