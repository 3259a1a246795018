#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>

#include "delivery/contract/compare_fixture.h"

namespace hakobu::contract_test {
namespace {

using ::testing::HasSubstr;

// One change, and what each mode makes of it: replace, append, incremental, upsert, soft, history.
struct Case {
  const char* name;
  std::function<void(ContractQuestion*)> change;
  ContractAction answers[6];
  const char* says;  // in a finding; "" where nothing needs to be said
};

const Case kCases[] = {
    {"an exclusion is taken away",
     [](ContractQuestion* q) { q->wanted.columns.push_back(Form("email")); },
     {kFollow, kFollow, kAnew, kAnew, kAnew, kAnew},
     "was left out so far"},
    {"a column is new at the source",
     [](ContractQuestion* q) {
       q->wanted.source_columns.push_back({"points", "int"});
       q->wanted.columns.push_back(Form("points", "INT64"));
     },
     {kFollow, kFollow, kFollow, kFollow, kFollow, kFollow},
     ""},
    {"another zone",
     [](ContractQuestion* q) { Wanted(q, "at").zone = "UTC"; },
     {kFollow, kRefuse, kAnew, kAnew, kRefuse, kRefuse},
     "expected DATETIME (zoned) in Asia/Tokyo, not masked, found DATETIME (zoned) in UTC"},
    {"a mask is added",
     [](ContractQuestion* q) {
       Wanted(q, "name").mask = "sha256";
       Wanted(q, "name").salt = "0011223344556677";
     },
     {kFollow, kRefuse, kAnew, kAnew, kRefuse, kRefuse},
     "masked by sha256 with salt 001122"},
    {"a mask is taken away",
     [](ContractQuestion* q) { q->recorded->columns[1].mask = "null"; },
     {kFollow, kRefuse, kAnew, kAnew, kRefuse, kRefuse},
     "masked by null"},
    {"another salt",
     [](ContractQuestion* q) {
       q->recorded->columns[1].mask = Wanted(q, "name").mask = "sha256";
       q->recorded->columns[1].salt = "aa00000000000000";
       Wanted(q, "name").salt = "bb00000000000000";
     },
     {kFollow, kRefuse, kAnew, kAnew, kRefuse, kRefuse},
     "another form"},
    {"more characters are kept",
     [](ContractQuestion* q) {
       q->recorded->columns[1].mask = "first_n(2)";
       Wanted(q, "name").mask = "first_n(5)";
     },
     {kFollow, kRefuse, kAnew, kAnew, kRefuse, kRefuse},
     "first_n(5)"},
    {"`as:` makes other text of the same bytes",
     [](ContractQuestion* q) {
       q->recorded->columns[1].conversion = "hex";
       Wanted(q, "name").conversion = "base64";
     },
     {kFollow, kRefuse, kAnew, kAnew, kRefuse, kRefuse},
     "base64"},
    {"invalid values as text",
     [](ContractQuestion* q) { Wanted(q, "name").invalid_as_text = true; },
     {kFollow, kRefuse, kAnew, kAnew, kRefuse, kRefuse},
     "invalid values as text"},
    {"`as:` widens",
     [](ContractQuestion* q) { WithBalance(q, "BIGNUMERIC", "NUMERIC", "NUMERIC"); },
     {kFollow, kFollow, kFollow, kFollow, kFollow, kFollow},
     ""},
    {"`as:` asks for what BigQuery cannot do",
     [](ContractQuestion* q) { WithBalance(q, "STRING", "NUMERIC", "NUMERIC"); },
     {kFollow, kFollow, kFollow, kStop, kStop, kStop},
     ""},
    {"somebody widened the column in BigQuery",
     [](ContractQuestion* q) { WithBalance(q, "NUMERIC", "BIGNUMERIC", "NUMERIC"); },
     {kFollow, kFollow, kFollow, kFollow, kFollow, kFollow},
     ""},
    {"somebody retyped the column in BigQuery",
     [](ContractQuestion* q) { WithBalance(q, "NUMERIC", "STRING", "NUMERIC"); },
     {kFollow, kRefuse, kRefuse, kStop, kStop, kStop},
     "changed in BigQuery by somebody else"},
    {"somebody widened it, and `as:` has followed",
     [](ContractQuestion* q) { WithBalance(q, "BIGNUMERIC", "BIGNUMERIC", "NUMERIC"); },
     {kFollow, kFollow, kFollow, kFollow, kFollow, kFollow},
     ""},
    {"somebody dropped a column in BigQuery",
     [](ContractQuestion* q) { Lose(&*q->found, "name"); },
     {kFollow, kRefuse, kAnew, kAnew, kAnew, kAnew},
     ""},
    {"a column is left out from now on",
     [](ContractQuestion* q) {
       std::erase_if(q->wanted.columns, [](const ColumnForm& form) { return form.name == "name"; });
     },
     {kFollow, kFollow, kFollow, kFollow, kFollow, kFollow},
     ""},
    {"the target is gone",
     [](ContractQuestion* q) { q->found.reset(); },
     {kAnew, kRefuse, kAnew, kStop, kStop, kStop},
     "gone from BigQuery"},
    {"the target was made again, with rows",
     [](ContractQuestion* q) { q->found->created_ms += 1; },
     {kFollow, kRefuse, kRefuse, kStop, kStop, kStop},
     "expected the table made at 2023-11-14 22:13:20.000Z, found one made at 2023-11-14 22:13:20.001Z"},
    {"the target was made again, and nobody looked for rows",
     [](ContractQuestion* q) {
       q->found->created_ms += 1;
       q->target_is_empty.reset();
     },
     {kFollow, kRefuse, kRefuse, kStop, kStop, kStop},
     "made again by somebody"},
    {"the target was made again, with rows and columns of somebody's own",
     [](ContractQuestion* q) {
       q->found->created_ms += 1;
       q->found->columns.push_back({"theirs", "STRING"});
     },
     {kRefuse, kRefuse, kRefuse, kStop, kStop, kStop},
     "somebody else"},
    {"the target was made again, empty",
     [](ContractQuestion* q) {
       q->found->created_ms += 1;
       q->target_is_empty = true;
     },
     {kFollow, kRefuse, kAnew, kAnew, kAnew, kAnew},
     "made again by somebody"},
    {"the target was emptied",
     [](ContractQuestion* q) { q->target_is_empty = true; },
     {kFollow, kRefuse, kAnew, kAnew, kAnew, kAnew},
     "emptied by somebody else"},
    {"target and source are empty",
     [](ContractQuestion* q) { q->target_is_empty = q->source_is_empty = true; },
     {kFollow, kFollow, kFollow, kFollow, kFollow, kFollow},
     ""},
    {"a view has the name",
     [](ContractQuestion* q) { q->found->kind = "VIEW"; },
     {kRefuse, kRefuse, kRefuse, kStop, kStop, kStop},
     "expected TABLE, found VIEW"},
    {"an external table has the name, empty and never recorded",
     [](ContractQuestion* q) {
       q->found->kind = "EXTERNAL";
       q->recorded.reset();
       q->target_is_empty = true;
     },
     {kRefuse, kRefuse, kRefuse, kRefuse, kRefuse, kRefuse},
     "EXTERNAL"},
    {"nothing is there and nothing recorded",
     [](ContractQuestion* q) {
       q->recorded.reset();
       q->found.reset();
     },
     {kAnew, kAnew, kAnew, kAnew, kAnew, kAnew},
     "new in BigQuery"},
    {"somebody's table with rows",
     [](ContractQuestion* q) { q->recorded.reset(); },
     {kFollow, kFollow, kFollow, kRefuse, kRefuse, kRefuse},
     ""},
    {"somebody's table with rows and columns of its own",
     [](ContractQuestion* q) {
       q->recorded.reset();
       q->found->columns.push_back({"theirs", "STRING"});
     },
     {kRefuse, kFollow, kFollow, kRefuse, kRefuse, kRefuse},
     ""},
    {"somebody's table, and nobody looked for rows",
     [](ContractQuestion* q) {
       q->recorded.reset();
       q->target_is_empty.reset();
     },
     {kFollow, kFollow, kFollow, kRefuse, kRefuse, kRefuse},
     ""},
    {"somebody's empty table",
     [](ContractQuestion* q) {
       q->recorded.reset();
       q->target_is_empty = true;
     },
     {kFollow, kFollow, kFollow, kAnew, kAnew, kAnew},
     ""},
    {"another table of the source takes the target",
     [](ContractQuestion* q) { q->recorded->source = "shop.customers"; },
     {kFollow, kRefuse, kRefuse, kStop, kStop, kStop},
     "expected shop.customers, found shop.members"},
    {"the server writes the table's name in other letters",
     [](ContractQuestion* q) { q->recorded->source = "Shop.Members"; },
     {kFollow, kFollow, kFollow, kFollow, kFollow, kFollow},
     ""},
    {"the target was about to be made",
     [](ContractQuestion* q) {
       q->recorded->found.reset();
       q->found.reset();
     },
     {kAnew, kAnew, kAnew, kAnew, kAnew, kAnew},
     "is made"},
    {"another filter",
     [](ContractQuestion* q) { q->wanted.filter = ContractDigest("company_id = 2"); },
     {kFollow, kFollow, kAnew, kRefuse, kRefuse, kRefuse},
     "`where` is another"},
    {"another cursor",
     [](ContractQuestion* q) {
       q->recorded->cursor = "at";
       q->wanted.cursor = "id";
     },
     {kFollow, kFollow, kAnew, kFollow, kFollow, kFollow},
     "`cursor` is another"},
    {"another key at the source",
     [](ContractQuestion* q) { q->wanted.source_key = {"name"}; },
     {kFollow, kFollow, kAnew, kFollow, kFollow, kFollow},
     "the key is another"},
    {"a run ended while it put the rows in place anew",
     [](ContractQuestion* q) { q->recorded->underway = true; },
     {kAnew, kFollow, kAnew, kAnew, kAnew, kAnew},
     "when a run ended"},
    {"a column that was left out gets another name and another type",
     [](ContractQuestion* q) {
       RenameAtSource(q, "email", "mail");
       q->wanted.source_columns[2].declared = "text";
       q->wanted.columns.push_back(Form("mail"));
     },
     {kRefuse, kRefuse, kRefuse, kStop, kStop, kStop},
     "`email` of the source is `mail` now"},
    {"… and is of another kind in the same place",
     [](ContractQuestion* q) {
       RenameAtSource(q, "email", "mail");
       q->wanted.source_columns[2].declared = "bigint";
       q->wanted.columns.push_back(Form("mail"));
     },
     {kRefuse, kRefuse, kRefuse, kStop, kStop, kStop},
     "`email` of the source is `mail` now"},
    {"… and takes the place of one in clear that is dropped",
     [](ContractQuestion* q) {
       q->recorded->source_columns[1].declared = "varchar(80)";
       q->wanted.source_columns = {{"id", "int"}, {"mail", "varchar(80)"}, {"at", "timestamp"}};
       q->wanted.columns[1] = Form("mail");
     },
     {kRefuse, kRefuse, kRefuse, kStop, kStop, kStop},
     "`email` of the source is `mail` now"},
    {"… and every value of it is NULL",
     [](ContractQuestion* q) {
       RenameAtSource(q, "email", "mail");
       q->wanted.columns.push_back(Form("mail"));
       q->wanted.columns.back().mask = "null";
     },
     {kFollow, kFollow, kFollow, kFollow, kFollow, kFollow},
     ""},
    {"what was left out is dropped, and something of another kind is new",
     [](ContractQuestion* q) {
       q->wanted.source_columns = {
           {"id", "int"}, {"name", "varchar(20)"}, {"at", "timestamp"}, {"points", "int"}};
       q->wanted.columns.push_back(Form("points", "INT64"));
     },
     {kFollow, kFollow, kFollow, kFollow, kFollow, kFollow},
     ""},
    {"a column in clear and one that was left out change names",
     [](ContractQuestion* q) {
       for (TableContract* each : {&*q->recorded, &q->wanted})
         each->source_columns[1].declared = "varchar(80)";
       std::swap(q->wanted.source_columns[1], q->wanted.source_columns[2]);
     },
     {kRefuse, kRefuse, kRefuse, kFollow, kFollow, kFollow},  // a stream has followed the names
     "`email` of the source is `name` now"},
    {"columns change places, and their types with them",
     [](ContractQuestion* q) { std::swap(q->wanted.source_columns[1], q->wanted.source_columns[2]); },
     {kFollow, kFollow, kFollow, kFollow, kFollow, kFollow},
     ""},
    {"a column that was left out gets another name",
     [](ContractQuestion* q) {
       RenameAtSource(q, "email", "mail");
       q->wanted.columns.push_back(Form("mail"));
     },
     {kRefuse, kRefuse, kRefuse, kStop, kStop, kStop},
     "column `email` of the source is `mail` now, and would be delivered though it was left out"},
    {"a masked column gets another name",
     [](ContractQuestion* q) {
       q->recorded->columns[1].mask = "sha256";
       RenameAtSource(q, "name", "full_name");
       q->wanted.columns[1] = Form("full_name");
     },
     {kRefuse, kRefuse, kRefuse, kStop, kStop, kStop},
     "without its mask"},
    {"a masked column gets another name and another mask",
     [](ContractQuestion* q) {
       q->recorded->columns[1].mask = "null";
       RenameAtSource(q, "name", "full_name");
       q->wanted.columns[1] = Form("full_name");
       q->wanted.columns[1].mask = "first_n(9)";
     },
     {kRefuse, kRefuse, kRefuse, kStop, kStop, kStop},
     "without its mask"},
    {"a column that was left out gets another name and another place",
     [](ContractQuestion* q) {
       std::swap(q->wanted.source_columns[2], q->wanted.source_columns[0]);
       RenameAtSource(q, "email", "mail");
       q->wanted.columns.push_back(Form("mail"));
     },
     {kRefuse, kRefuse, kRefuse, kStop, kStop, kStop},
     "`email` of the source is `mail` now"},
    {"a column that was left out gets another name, and that is left out too",
     [](ContractQuestion* q) { RenameAtSource(q, "email", "mail"); },
     {kFollow, kFollow, kFollow, kFollow, kFollow, kFollow},
     ""},
    {"… and somebody has named it",
     [](ContractQuestion* q) {
       RenameAtSource(q, "email", "mail");
       q->wanted.columns.push_back(Form("mail"));
       q->named = {"mail"};
     },
     {kFollow, kFollow, kFollow, kFollow, kFollow, kFollow},
     ""},
    {"a masked column gets another name and keeps its mask",
     [](ContractQuestion* q) {
       q->recorded->columns[1].mask = "sha256";
       RenameAtSource(q, "name", "full_name");
       q->wanted.columns[1] = Form("full_name");
       q->wanted.columns[1].mask = "sha256";
     },
     {kFollow, kFollow, kFollow, kFollow, kFollow, kFollow},
     ""},
    {"a column in clear gets another name",
     [](ContractQuestion* q) {
       RenameAtSource(q, "name", "full_name");
       q->wanted.columns[1] = Form("full_name");
     },
     {kFollow, kFollow, kFollow, kFollow, kFollow, kFollow},
     ""},
    {"somebody partitioned it otherwise",
     [](ContractQuestion* q) { q->found->partitioning = "DAY of at"; },
     {kFollow, kFollow, kFollow, kFollow, kFollow, kFollow},
     "expected none, found DAY of at"},
};

TEST(Compare, EachChangeHasItsOutcomeInEachMode) {
  for (const Case& each : kCases) {
    for (size_t i = 0; i < std::size(kModes); ++i) {
      SCOPED_TRACE(std::string(each.name) + ", " + std::string(ContractModeName(kModes[i])));
      ContractQuestion question = Same(kModes[i]);
      each.change(&question);
      const ContractAnswer answer = CompareContracts(question);
      EXPECT_EQ(ContractActionName(answer.action), ContractActionName(each.answers[i])) << Texts(answer);
      EXPECT_FALSE(answer.make_again);
      if (answer.action != kFollow) {
        EXPECT_FALSE(answer.findings.empty());
        EXPECT_THAT(Texts(answer), HasSubstr(each.says));
      }
      for (const ContractFinding& finding : answer.findings) {
        EXPECT_FALSE(finding.what.empty());
        EXPECT_TRUE(finding.action < kStop || !finding.hint.empty()) << finding.what;
      }
      const absl::Status status = AnswerStatus("shop.members", answer);
      EXPECT_EQ(status.ok(), answer.action < kStop);
      const absl::StatusCode code = answer.action == kRefuse ? absl::StatusCode::kDataLoss
                                    : answer.action == kStop ? absl::StatusCode::kFailedPrecondition
                                                             : absl::StatusCode::kOk;
      EXPECT_EQ(status.code(), code) << status;
    }
  }
}

}  // namespace
}  // namespace hakobu::contract_test
