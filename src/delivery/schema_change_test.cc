#include "delivery/schema_change.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "base/status.h"
#include "delivery/merge_sql.h"
#include "delivery/table_resource.h"

namespace hakobu {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

// Columns id, name, price of shop.items, delivered as INT64, STRING, NUMERIC.
TableWork Items(WriteMode mode) {
  TableWork work;
  work.name = "shop.items";
  work.mode = mode;
  work.target = {"p", "d", "items"};
  work.source.database = "shop";
  work.source.name = "items";
  const auto add = [&](const char* name, SourceType type, const char* declared, FieldType field_type) {
    SourceColumn column;
    column.name = name;
    column.type = type;
    column.declared = declared;
    Field field;
    field.name = name;
    field.type = field_type;
    field.source_column = work.source.columns.size();
    work.columns.push_back(work.source.columns.size());
    work.source.columns.push_back(column);
    work.schema.fields.push_back(field);
  };
  add("id", SourceType::kInt, "int", FieldType::kInt64);
  add("name", SourceType::kVarchar, "varchar(20)", FieldType::kString);
  add("price", SourceType::kDecimal, "decimal(10,2)", FieldType::kNumeric);
  work.schema.key = {0};
  return work;
}

std::string Existing(const std::string& fields) {
  return R"({"schema":{"fields":[)" + fields + "]}}";
}
constexpr const char* kSame =
    R"({"name":"id","type":"INTEGER"},{"name":"NAME","type":"STRING"},{"name":"price","type":"NUMERIC"})";

TEST(CompareSchemas, TheSameSchemaIsNoChangeWhateverTheLegacyNamesAndCase) {
  TableWork work = Items(WriteMode::kAppend);
  const auto changes = CompareSchemas(Existing(kSame), "", &work);
  ASSERT_TRUE(changes.ok());
  EXPECT_THAT(changes->changes, IsEmpty());
  EXPECT_THAT(changes->ddl, IsEmpty());
}

TEST(CompareSchemas, AppendAddsAndWidensInPlaceAndKeepsWhatIsGone) {
  TableWork work = Items(WriteMode::kAppend);
  const auto changes = CompareSchemas(
      Existing(
          R"({"name":"id","type":"INT64"},{"name":"price","type":"INT64"},{"name":"old","type":"DATE"})"),
      "", &work);
  ASSERT_TRUE(changes.ok()) << changes.status();
  EXPECT_THAT(changes->ddl,
              ElementsAre("ALTER TABLE `p.d.items` ADD COLUMN IF NOT EXISTS `name` STRING",
                          "ALTER TABLE `p.d.items` ALTER COLUMN `price` SET DATA TYPE NUMERIC"));
  ASSERT_THAT(changes->changes, SizeIs(3));
  EXPECT_EQ(changes->changes[1].kind, SchemaChangeKind::kDropped);
  EXPECT_EQ(changes->changes[1].behaviour, "stays, NULL in new rows");
  EXPECT_EQ(changes->changes[2].kind, SchemaChangeKind::kWidened);
}

TEST(CompareSchemas, AppendRefusesATypeThatBigQueryCannotChangeInPlace) {
  TableWork work = Items(WriteMode::kIncremental);
  const auto changes = CompareSchemas(
      Existing(
          R"({"name":"id","type":"STRING"},{"name":"name","type":"STRING"},{"name":"price","type":"NUMERIC"})"),
      "", &work);
  EXPECT_EQ(changes.status().code(), absl::StatusCode::kDataLoss);
  EXPECT_THAT(std::string(View(changes.status().message())),
              HasSubstr("`id` is STRING in BigQuery and would become"));
}

TEST(CompareSchemas, ReplaceTakesTheNewSchemaWhole) {
  TableWork work = Items(WriteMode::kReplace);
  const auto changes =
      CompareSchemas(Existing(R"({"name":"id","type":"STRING"},{"name":"old","type":"DATE"})"), "", &work);
  ASSERT_TRUE(changes.ok());
  // The rest comes with the rows: a load cannot add columns and drop others in one step.
  EXPECT_THAT(changes->ddl, ElementsAre("ALTER TABLE `p.d.items` ADD COLUMN IF NOT EXISTS `name` STRING",
                                        "ALTER TABLE `p.d.items` ADD COLUMN IF NOT EXISTS `price` NUMERIC"));
  EXPECT_THAT(changes->changes, SizeIs(4));  // name and price added, old dropped, id retyped
}

constexpr const char* kBefore =
    R"j([{"name":"id","type":"INT64","source":"id","declared":"int","place":0},
        {"name":"title","type":"STRING","source":"title","declared":"varchar(20)","place":1},
        {"name":"price","type":"NUMERIC","source":"price","declared":"decimal(10,2)","place":2}])j";
constexpr const char* kRenamedFrom =
    R"j({"name":"id","type":"INT64"},{"name":"title","type":"STRING"},{"name":"price","type":"NUMERIC"})j";

TEST(CompareSchemas, ARenamedColumnIsKnownByItsPlaceAndType) {
  TableWork work = Items(WriteMode::kAppend);
  work.options.schema_changes.renamed = RenamedColumn::kRename;
  const auto changes = CompareSchemas(Existing(kRenamedFrom), kBefore, &work);
  ASSERT_TRUE(changes.ok());
  EXPECT_THAT(changes->ddl, ElementsAre("ALTER TABLE `p.d.items` RENAME COLUMN `title` TO `name`"));
  ASSERT_THAT(changes->changes, SizeIs(1));
  EXPECT_EQ(changes->changes[0].kind, SchemaChangeKind::kRenamed);
}

TEST(CompareSchemas, IgnoredColumnsAreNotRead) {
  TableWork work = Items(WriteMode::kAppend);
  work.options.schema_changes.added = AddedColumn::kIgnore;
  const auto changes = CompareSchemas(
      Existing(R"({"name":"id","type":"INT64"},{"name":"price","type":"NUMERIC"})"), "", &work);
  ASSERT_TRUE(changes.ok());
  EXPECT_THAT(work.columns, ElementsAre(0, 2));
  EXPECT_THAT(work.schema.fields, SizeIs(2));
}

TEST(CompareSchemas, EveryRefusalIsNamedAtOnce) {
  TableWork work = Items(WriteMode::kReplace);
  work.options.schema_changes = {AddedColumn::kRefuse, DroppedColumn::kRefuse, RenamedColumn::kRefuse,
                                 RetypedColumn::kRefuse};
  const auto changes =
      CompareSchemas(Existing(R"({"name":"id","type":"STRING"},{"name":"old","type":"DATE"})"), "", &work);
  EXPECT_EQ(changes.status().code(), absl::StatusCode::kDataLoss);
  for (const char* column : {"`id`", "`old`", "`name`", "`price`"}) {
    EXPECT_THAT(std::string(View(changes.status().message())), HasSubstr(column));
  }
}

TEST(CheckPartitioning, ADifferenceIsRefused) {
  TableWork work = Items(WriteMode::kReplace);
  EXPECT_TRUE(CheckPartitioning("{}", work).ok());
  work.options.partition = PartitionConfig();
  work.options.partition->column = "born";
  EXPECT_EQ(CheckPartitioning("{}", work).code(), absl::StatusCode::kDataLoss);
  EXPECT_TRUE(CheckPartitioning(R"({"timePartitioning":{"type":"DAY","field":"Born"}})", work).ok());
}

TEST(TableResource, DescriptionsAndPolicyTagsOfTheTargetAreCarried) {
  TableWork work = Items(WriteMode::kReplace);
  work.schema.fields[1].description = "from the source";
  work.existing = Existing(
      R"({"name":"id","type":"INT64","policyTags":{"names":["t1"]}},{"name":"title","type":"STRING","description":"d"})");
  work.changes = {{SchemaChangeKind::kRenamed, "name", "title", "name", ""}};
  PublishTarget target;
  target.resource = *work.existing;
  target.kms_key = "k";
  const auto staging =
      nlohmann::json::parse(StagingResource(work, target, {"l", "r"}, absl::FromUnixSeconds(1)));
  EXPECT_EQ(staging["schema"]["fields"][0]["policyTags"]["names"][0], "t1");
  EXPECT_EQ(staging["schema"]["fields"][1]["description"], "d");
  EXPECT_EQ(staging["labels"]["hakobu_run"], "r");
  EXPECT_EQ(staging["expirationTime"], "1000");
  EXPECT_EQ(staging["encryptionConfiguration"]["kmsKeyName"], "k");
}

TEST(TableResource, ThePublishedTableGetsItsOwnWordsBack) {
  TableWork work = Items(WriteMode::kReplace);
  work.source.comment = "items we sell";
  work.options.labels = {{"team", "data"}};
  const std::string copied =
      R"({"description":"rows on their way","labels":{"hakobu_run":"r"},"expirationTime":"1"})";
  const auto patch =
      nlohmann::json::parse(TargetPatch(copied, R"({"description":"by hand","labels":{"a":"b"}})", work));
  EXPECT_EQ(patch["description"], "by hand");
  EXPECT_EQ(patch["labels"], nlohmann::json::parse(R"({"a":"b","team":"data","hakobu_run":null})"));
  EXPECT_TRUE(patch["expirationTime"].is_null());
  EXPECT_EQ(TargetPatch(R"({"description":"items we sell","labels":{"team":"data"}})", "", work), "");
}

TEST(MergeSql, UpdatesByKeyAndInsertsTheRest) {
  const TableWork work = Items(WriteMode::kIncremental);
  EXPECT_EQ(MergeSql(work.schema, {"p", "d", "s"}, work.target),
            "MERGE `p.d.items` AS target USING `p.d.s` AS staged ON target.`id` = staged.`id` "
            "WHEN MATCHED THEN UPDATE SET `name` = staged.`name`, `price` = staged.`price` "
            "WHEN NOT MATCHED THEN INSERT (`id`, `name`, `price`) VALUES (staged.`id`, staged.`name`, "
            "staged.`price`)");
}

}  // namespace
}  // namespace hakobu
