#include "delivery/contract/contract.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace hakobu {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

SourceColumn Column(const std::string& name, const std::string& declared) {
  SourceColumn column;
  column.name = name;
  column.declared = declared;
  return column;
}

Field FieldOf(const std::string& name, size_t place, FieldType type = FieldType::kString) {
  Field field;
  field.name = name;
  field.type = type;
  field.source_column = place;
  return field;
}

TableContract Example() {
  SourceTable source;
  source.database = "shop";
  source.name = "members";
  source.columns = {Column("id", "int"), Column("Mail", "varchar(80)"), Column("at", "timestamp")};
  source.key = SourceKey{.name = "PRIMARY", .columns = {0}, .primary = true};
  TableSchema schema;
  schema.fields = {FieldOf("id", 0, FieldType::kInt64), FieldOf("Mail", 1),
                   FieldOf("at", 2, FieldType::kDateTime), FieldOf("_hakobu_deleted", 3, FieldType::kBool)};
  schema.fields[1].mask = Mask::kSha256;
  schema.fields[1].mask_salt = "pepper";
  schema.fields[1].invalid = InvalidPolicy::kString;
  schema.fields[2].conversion = Conversion::kZoned;
  schema.fields[2].zone = "Asia/Tokyo";
  schema.key = {0};
  TableOptions options;
  options.where = "company_id = 'secret'";
  TableContract contract = MakeContract(source, options, schema, ContractMode::kSoft, "p.live.members");
  contract.found = *ReadTargetIdentity(R"({"type":"TABLE","creationTime":"1700000000123",
    "clustering":{"fields":["id"]},"timePartitioning":{"type":"MONTH","field":"At"},
    "tableConstraints":{"primaryKey":{"columns":["id"]}},
    "schema":{"fields":[{"name":"id","type":"INTEGER","mode":"REQUIRED"},{"name":"tags","type":"STRING","mode":"REPEATED"},
                        {"name":"at","type":"DATETIME"},{"name":"ok","type":"BOOLEAN"},{"name":"x","type":"FLOAT"}]}})");
  return contract;
}

TEST(Contract, SurvivesItsText) {
  const TableContract contract = Example();
  const absl::StatusOr<TableContract> read = ContractFromJson(ContractToJson(contract));
  ASSERT_TRUE(read.ok()) << read.status();
  EXPECT_TRUE(*read == contract) << ContractToJson(*read);
  TableContract bare;
  bare.mode = ContractMode::kHistory;
  bare.history_without_key = true;
  EXPECT_TRUE(*ContractFromJson(ContractToJson(bare)) == bare);
}

TEST(Contract, HasNoSecretInItsText) {
  const std::string text = ContractToJson(Example());
  EXPECT_THAT(text, Not(HasSubstr("pepper")));
  EXPECT_THAT(text, Not(HasSubstr("company_id")));
  EXPECT_THAT(text, Not(HasSubstr("secret")));
}

TEST(Contract, SaysHowEachColumnIsMade) {
  const TableContract contract = Example();
  ASSERT_EQ(contract.columns.size(), 3u) << "the mode's own columns are no part of it";
  EXPECT_EQ(contract.columns[1].mask, "sha256");
  EXPECT_EQ(contract.columns[1].salt, ContractDigest("pepper"));
  EXPECT_TRUE(contract.columns[1].invalid_as_text);
  EXPECT_EQ(contract.columns[2].zone, "Asia/Tokyo");
  EXPECT_THAT(contract.key, ElementsAre("id"));
  EXPECT_THAT(contract.source_key, ElementsAre("id"));
  EXPECT_EQ(contract.source_columns[1], (SourceShape{"Mail", "varchar(80)"}));
  EXPECT_FALSE(contract.history_without_key);
}

TEST(Contract, RefusesATextThatIsNone) {
  for (const char* text : {"", "[]", "{}", R"({"format":2,"mode":"upsert"})",
                           R"({"format":1,"mode":"whatever"})", R"({"format":1,"mode":"upsert"})",
                           R"({"format":1,"mode":"upsert","source":7})", R"({"format":"one","mode":3})"}) {
    const absl::StatusOr<TableContract> read = ContractFromJson(text);
    EXPECT_EQ(read.status().code(), absl::StatusCode::kDataLoss) << text;
  }
}

TEST(Contract, DigestsTellTextsApartAndNotWhatTheyAre) {
  EXPECT_EQ(ContractDigest(""), "");
  EXPECT_EQ(ContractDigest("a").size(), 16u);
  EXPECT_NE(ContractDigest("a"), ContractDigest("b"));
  EXPECT_EQ(ContractDigest("a"), ContractDigest("a"));
}

TEST(Contract, KnowsATableByItsResource) {
  const TargetIdentity identity = *Example().found;
  EXPECT_EQ(identity.kind, "TABLE");
  EXPECT_EQ(identity.created_ms, 1'700'000'000'123);
  EXPECT_EQ(identity.partitioning, "MONTH of at");
  EXPECT_THAT(identity.clustering, ElementsAre("id"));
  EXPECT_THAT(identity.key, ElementsAre("id"));
  EXPECT_THAT(
      identity.columns,
      ElementsAre(TargetColumn{"id", "INT64"}, TargetColumn{"tags", "ARRAY<STRING>"},
                  TargetColumn{"at", "DATETIME"}, TargetColumn{"ok", "BOOL"}, TargetColumn{"x", "FLOAT64"}));
  EXPECT_EQ(ReadTargetIdentity(R"({"type":"VIEW"})")->kind, "VIEW");
  EXPECT_EQ(ReadTargetIdentity(
                R"({"rangePartitioning":{"field":"Id","range":{"start":"0","end":"100","interval":"10"}}})")
                ->partitioning,
            "0..100 by 10 of id");
  EXPECT_FALSE(ReadTargetIdentity("nonsense").ok());
}

TEST(Contract, NamesWhatHangsOnATable) {
  TableOptions options;
  options.labels = {{"team", "data"}};
  options.description = "ours";
  EXPECT_THAT(
      WhatHangsOn(R"({"description":"ours","labels":{"team":"data"},"schema":{"fields":[{"name":"id"}]}})",
                  options, ""),
      IsEmpty());
  EXPECT_THAT(
      WhatHangsOn(R"({"description":"the source's comment"})", TableOptions(), "the source's comment"),
      IsEmpty());
  EXPECT_THAT(
      WhatHangsOn(R"({"description":"theirs","labels":{"team":"data","cost":"7"},"resourceTags":{"a/b":"c"},
        "encryptionConfiguration":{"kmsKeyName":"k"},
        "schema":{"fields":[{"name":"mail","policyTags":{"names":["t"]}},{"name":"id"}]}})",
                  options, ""),
      ElementsAre("policy tags on mail", "a description", "labels cost", "resource tags",
                  "a key of the customer's own"));
}

}  // namespace
}  // namespace hakobu
