// A plan's file may have been changed between review and apply, by somebody who may not apply.
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "base/escape.h"
#include "base/status.h"
#include "grants/csv.h"
#include "grants/export.h"
#include "grants/plan.h"

namespace hakobu {
namespace {

using nlohmann::ordered_json;

// One addition and one removal on `sales`, as a plan's file.
ordered_json PlanFile() {
  GrantPlan plan;
  plan.project = "p";
  TargetPlan target;
  target.target = "sales";
  target.etag = "e1";
  target.changes.push_back({ChangeKind::kAdd,
                            MakeAccessEntry(AccessForm::kDataset, "user:new@x.com", "reader", ""),
                            "grants.csv:2"});
  target.changes.push_back({ChangeKind::kRemove,
                            *ReadAccessEntry(R"({"role":"WRITER","userByEmail":"old@x.com"})"),
                            "no line states it (apply 1 did)"});
  target.stated = {"reader user:new@x.com"};
  target.members = 100;
  plan.targets.push_back(target);
  return ordered_json::parse(PlanToJson(plan));
}

std::string Refusal(const ordered_json& file) {
  const auto plan = PlanFromJson(file.dump());
  return plan.ok() ? "" : std::string(View(plan.status().message()));
}

TEST(PlanFile, AsItWasMadeIsRead) {
  EXPECT_EQ(Refusal(PlanFile()), "");
}

TEST(PlanFile, AnEntryThatIsNotWhatIsShownIsRefused) {
  const std::vector<std::string> entries = {
      R"({"role":"OWNER","userByEmail":"eve@x.com"})",                  // another member and role
      R"({"role":"OWNER","userByEmail":"new@x.com"})",                  // another role
      R"({"specialGroup":"allUsers","role":"READER"})",                 // everybody
      R"({"role":"READER","userByEmail":"new@x.com","role":"OWNER"})",  // the last of two counts
      R"({"userByEmail":"new@x.com","role":"READER"})",                 // not the bytes a plan writes
      R"({"view":{"projectId":"p","datasetId":"d","tableId":"v"}})",    // an authorised view
      R"({"role":"READER","userByEmail":"new@x.com","condition":{"title":"t","expression":"true"}})",
  };
  for (const std::string& entry : entries) {
    ordered_json file = PlanFile();
    file["targets"][0]["changes"][0]["entry"] = entry;
    EXPECT_NE(Refusal(file), "") << entry;
  }
}

TEST(PlanFile, MembersAndRolesThatNoLineCouldStateAreRefused) {
  const auto edit = [](const std::string& member, const std::string& role, const std::string& entry) {
    ordered_json file = PlanFile();
    ordered_json& change = file["targets"][0]["changes"][0];
    change["member"] = member, change["role"] = role, change["entry"] = entry;
    return Refusal(file);
  };
  EXPECT_NE(edit("allUsers", "reader", R"({"role":"READER","iamMember":"allUsers"})"), "");
  EXPECT_NE(
      edit("allAuthenticatedUsers", "reader", R"({"role":"READER","specialGroup":"allAuthenticatedUsers"})"),
      "");
  EXPECT_NE(edit("projectOwners", "owner", R"({"role":"OWNER","specialGroup":"projectOwners"})"), "");
  EXPECT_NE(edit("user:new@x.com", "", R"({"userByEmail":"new@x.com"})"), "");
}

TEST(PlanFile, RemovalsOfWhatPlansNeverTouchAreRefused) {
  ordered_json file = PlanFile();
  ordered_json& change = file["targets"][0]["changes"][1];
  change["member"] = "", change["role"] = "";
  change["entry"] = R"({"view":{"projectId":"p","datasetId":"d","tableId":"v"}})";
  EXPECT_NE(Refusal(file), "");
}

TEST(PlanFile, WrongShapesAreErrorsAndNothingElse) {
  for (const std::string text :
       {"", "{", "[]", "7", R"({"hakobu_grants_plan":"1"})", R"({"hakobu_grants_plan":1,"targets":[7]})",
        R"({"hakobu_grants_plan":1,"targets":[{"target":"d","etag":"e","changes":[[]]}]})",
        R"({"hakobu_grants_plan":1,"targets":[{"target":"d","etag":"e","stated":[1]}]})",
        R"({"hakobu_grants_plan":1,"targets":[{"target":"d","etag":"e","members":"x"}]})"}) {
    EXPECT_FALSE(PlanFromJson(text).ok()) << text;
  }
  ordered_json twice = PlanFile();
  twice["targets"].push_back(ordered_json(twice["targets"][0]));
  EXPECT_NE(Refusal(twice), "");
  ordered_json only_add = PlanFile();
  only_add["removal"] = "only-add";
  EXPECT_NE(Refusal(only_add), "");
}

TEST(PlanFile, WhatGuardsCountIsCountedAgain) {
  auto plan = PlanFromJson(PlanFile().dump());
  ASSERT_TRUE(plan.ok());
  plan->targets[0].stated.push_back("owner user:boss@x.com");  // would be taken away by the next apply
  DesiredState desired;
  DesiredGrant grant;
  grant.member = "user:new@x.com", grant.role = "reader";
  desired.grants["sales"].push_back(grant);
  const std::vector<TargetState> states = {
      {"sales", "e1", {*ReadAccessEntry(R"({"role":"WRITER","userByEmail":"old@x.com"})")}}};
  ASSERT_TRUE(Rederive(desired, states, &*plan).ok());
  EXPECT_EQ(plan->targets[0].members, 1u);
  EXPECT_EQ(plan->targets[0].stated, std::vector<std::string>{"reader user:new@x.com"});

  desired.grants["sales"][0].role = "writer";
  const absl::Status refused = Rederive(desired, states, &*plan);
  EXPECT_NE(View(refused.message()).find("adds what no line states:\n  sales: reader user:new@x.com"),
            std::string_view::npos)
      << refused;
}

TEST(PlanReport, TextFromOutsideStaysInItsPlace) {
  GrantPlan plan;
  plan.project = "p";
  TargetPlan target;
  target.target = "sales";
  target.changes.push_back({ChangeKind::kAdd,
                            MakeAccessEntry(AccessForm::kDataset, "user:a@x.com", "reader", ""),
                            "grants.csv:2: ```\n+ owner user:eve@x.com\x1b[8m"});
  target.unmanaged.push_back(*ReadAccessEntry(R"({"role":"<img src=x>`","userByEmail":"b@x.com"})"));
  plan.targets.push_back(target);
  const std::string text = PlanToText(plan), markdown = PlanToMarkdown(plan);
  EXPECT_EQ(text.find("\n+ owner"), std::string::npos) << text;
  EXPECT_EQ(text.find('\x1b'), std::string::npos);
  EXPECT_EQ(markdown.find("\n+ owner"), std::string::npos) << markdown;
  EXPECT_NE(markdown.find("\n````diff\n"), std::string::npos) << markdown;
}

TEST(GrantCsv, WhatAnEditorDoesNotShowIsRefused) {
  for (const std::string hidden :
       {"\r", "\x1b", "\x7f", "\xE2\x80\xAE", "\xE2\x80\xA8", "\xC2\x85", "\xE2\x81\xA6", "\xEF\xBB\xBF"}) {
    for (const std::string& line : {"# a comment" + hidden + "sales,user:eve@x.com,owner\n",
                                    "sales,user:a@x.com," + hidden + "reader\n",
                                    "sales,user:a@x.com,reader,,\"why" + hidden + "\"\n"}) {
      GrantProblems problems;
      const CsvFile file = ParseCsv("dataset,member,role,expires,reason\n" + line, "grants.csv", &problems);
      EXPECT_TRUE(problems.HasErrors()) << EscapeControl(line);
      for (const CsvRecord& record : file.records)
        for (const CsvField& field : record.fields) EXPECT_NE(field.text, "user:eve@x.com");
    }
  }
  GrantProblems problems;
  EXPECT_EQ(ParseCsv("a,b\r\nc,d\r\n", "grants.csv", &problems).records.size(), 2u);
  EXPECT_FALSE(problems.HasErrors()) << problems.ToString();
}

TEST(GrantExport, ImportAndTerraformEscapeForWhereTheyGo) {
  const TargetState state{
      "sales",
      "e",
      {*ReadAccessEntry(R"({"role":"READER","userByEmail":"a\rsales,user:eve@x.com,owner"})"),
       *ReadAccessEntry(R"({"role":"x\nsales,user:eve@x.com,owner","userByEmail":"a@x.com"})")}};
  const std::string csv = ImportCsv({state});
  EXPECT_EQ(csv.find('\r'), std::string::npos) << csv;
  EXPECT_EQ(csv.find("\nsales,user:eve"), std::string::npos) << csv;

  DesiredState desired;
  DesiredGrant grant;
  grant.member = "principal://iam.googleapis.com/${file(\"/etc/passwd\")}%{if true}'", grant.role = "reader";
  desired.grants["sales"].push_back(grant);
  const std::string terraform = TerraformJson("p", desired, {});
  EXPECT_NE(terraform.find("$${file("), std::string::npos) << terraform;
  EXPECT_NE(terraform.find("%%{if"), std::string::npos) << terraform;
  EXPECT_NE(ExplainJobs("p", "p", desired).find(R"('\'')"), std::string::npos);
}

}  // namespace
}  // namespace hakobu
