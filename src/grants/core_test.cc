#include <gtest/gtest.h>

#include "grants/access.h"
#include "grants/desired.h"
#include "grants/plan.h"

namespace hakobu {
namespace {

const absl::Time kNow = absl::FromUnixSeconds(1'790'000'000);  // 2026-09-21

std::vector<GrantLine> Lines(std::string_view csv, const GrantSettings& settings = {}) {
  GrantProblems problems;
  auto lines = ReadGrantLines(csv, "grants.csv", settings, kNow, &problems);
  EXPECT_FALSE(problems.HasErrors()) << problems.ToString();
  return lines;
}

TEST(Csv, ToleratesWhatSpreadsheetsWrite) {
  const auto lines = Lines(
      "\xEF\xBB\xBF"
      "Dataset;Member;Role;Expires;Reason;;\r\n# all of them\r\n"
      "sales ; user:Ann@Example.com;Reader;2026-12-31;\"said \"\"yes\"\"; twice\";;\r\n;;;;;;\r\n"
      "\"shop_*\";group:a@x.com;roles/bigquery.dataEditor;;\"two\nlines\"");
  ASSERT_EQ(lines.size(), 2u);
  EXPECT_EQ(lines[0].member, "user:ann@example.com");
  EXPECT_EQ(lines[0].role, "reader");
  EXPECT_EQ(lines[0].expires, "2027-01-01T00:00:00Z");
  EXPECT_EQ(lines[0].reason, "said \"yes\"; twice");
  EXPECT_EQ(lines[1].role, "writer");
  EXPECT_EQ(lines[1].reason, "two\nlines");
  EXPECT_EQ(lines[1].place.line, 5);
}

TEST(Csv, QuotingIsReadBack) {
  for (const std::string text : {"", "a", " a ", "a,b", "a;b", "\"", "a\"b", "#x", "two\nlines", "tab\tx"}) {
    GrantProblems problems;
    const CsvFile file = ParseCsv("h,h\nx," + CsvQuote(text), "f", &problems);
    ASSERT_EQ(file.records.size(), 2u);
    EXPECT_EQ(file.records[1].fields[1].text, text);
  }
}

constexpr std::string_view kDataset = R"({
 "kind": "bigquery#dataset", "etag": "e1",
 "access": [
  {"role": "OWNER", "specialGroup": "projectOwners"},
  { "role":"READER" , "userByEmail":"Ann@X.com"},
  {"view": {"projectId": "p", "datasetId": "d", "tableId": "v\"]}"}},
  {"routine": {"routineId": "r"}, "later": 1.50},
  {"dataset": {"dataset": {"datasetId": "z"}, "targetTypes": ["VIEWS"]}},
  {"role": "roles/bigquery.dataViewer", "groupByEmail": "g@x.com", "condition": {"title": "t", "expression": "true"}},
  {"role": "READER", "groupByEmail": "g@x.com", "future": {"a": [1, 2.0]}},
  {"futureKind": "x"},
  {"role": "READER", "iamMember": "deleted:user:bob@x.com?uid=1"}
 ]})";

TEST(Access, EveryEntryIsClassifiedAndKeepsItsBytes) {
  const auto entries = ReadDatasetAccess(kDataset);
  ASSERT_TRUE(entries.ok()) << entries.status();
  std::vector<EntryKind> kinds;
  for (const AccessEntry& entry : *entries) kinds.push_back(entry.kind);
  EXPECT_EQ(kinds, (std::vector{EntryKind::kProject, EntryKind::kGrant, EntryKind::kAuthorized,
                                EntryKind::kAuthorized, EntryKind::kAuthorized, EntryKind::kConditional,
                                EntryKind::kUnknown, EntryKind::kUnknown, EntryKind::kDeleted}));
  EXPECT_EQ((*entries)[1].Key(), "reader user:ann@x.com");
  EXPECT_EQ((*entries)[1].raw, R"({ "role":"READER" , "userByEmail":"Ann@X.com"})");
  EXPECT_EQ((*entries)[3].raw, R"({"routine": {"routineId": "r"}, "later": 1.50})");
  const auto again = ReadDatasetAccess(DatasetAccessPatch(*entries));
  ASSERT_TRUE(again.ok());
  EXPECT_EQ(*again, *entries);
}

TEST(Access, OwnEntriesAreReadBackWithTheirEnd) {
  for (const AccessForm form : {AccessForm::kDataset, AccessForm::kTable}) {
    for (const std::string member :
         {"user:a@x.com", "group:g@x.com", "domain:x.com", "serviceAccount:s@p.iam.gserviceaccount.com",
          "principal://iam.googleapis.com/locations/global/x"}) {
      for (const std::string role : {"reader", "owner", "roles/bigquery.metadataViewer"}) {
        for (const std::string expires : {"", "2027-01-01T00:00:00Z"}) {
          const AccessEntry made = MakeAccessEntry(form, member, role, expires);
          const auto read = ReadAccessEntry(made.raw);
          ASSERT_TRUE(read.ok());
          EXPECT_EQ(read->kind, EntryKind::kGrant) << made.raw;
          EXPECT_EQ(read->Key(), GrantKey(member, role, expires)) << made.raw;
        }
      }
    }
  }
}

TEST(Access, TablePolicyKeepsWhatItDoesNotKnow) {
  const std::string policy = R"({"version":1,"etag":"abc","auditConfigs":[{"x":1}],)"
                             R"("bindings":[{"role":"roles/bigquery.dataViewer","members":["user:a@x.com",)"
                             R"("group:b@x.com"]},{"role":"roles/x","members":["user:c@x.com"],)"
                             R"("condition":{"title":"t","expression":"e"}}]})";
  auto entries = ReadTableAccess(policy);
  ASSERT_TRUE(entries.ok());
  ASSERT_EQ(entries->size(), 3u);
  EXPECT_EQ((*entries)[2].kind, EntryKind::kConditional);
  EXPECT_EQ(*TablePolicy(policy, *entries),
            R"({"version":3,"etag":"abc","auditConfigs":[{"x":1}],)"
            R"("bindings":[{"role":"roles/bigquery.dataViewer","members":["user:a@x.com",)"
            R"("group:b@x.com"]},{"role":"roles/x","condition":{"title":"t","expression":"e"},)"
            R"("members":["user:c@x.com"]}]})");
  entries->erase(entries->begin());
  entries->push_back(MakeAccessEntry(AccessForm::kTable, "user:d@x.com", "reader", ""));
  EXPECT_NE(TablePolicy(policy, *entries)->find(R"("members":["group:b@x.com","user:d@x.com"])"),
            std::string::npos);
}

TargetState State(std::vector<AccessEntry> entries) {
  return {"d", "e1", std::move(entries)};
}
AccessEntry Entry(const std::string& member, const std::string& role, const std::string& expires = "") {
  return MakeAccessEntry(AccessForm::kDataset, member, role, expires);
}
DesiredGrant Wish(const std::string& member, const std::string& role, const std::string& expires = "") {
  return {member, role, expires, "grants.csv:2", ""};
}
std::string Changes(const TargetPlan& plan) {
  std::string text;
  for (const GrantChange& change : plan.changes) {
    text += (change.kind == ChangeKind::kAdd ? "+" : "-") + change.entry.Key() + "\n";
  }
  return text;
}
const AccessEntry kOwners = *ReadAccessEntry(R"({"role":"OWNER","specialGroup":"projectOwners"})");

TEST(Plan, AddsRemovesAndLeavesTheUnmanagedAlone) {
  const auto state = State({kOwners, Entry("user:a@x.com", "reader"), Entry("user:old@x.com", "reader"),
                            Entry("user:console@x.com", "reader")});
  const std::vector<DesiredGrant> desired = {Wish("user:a@x.com", "reader"),
                                             Wish("user:new@x.com", "writer")};
  const std::map<std::string, std::string> managed = {{"reader user:old@x.com", "apply 1"},
                                                      {"reader user:a@x.com", "apply 1"}};
  PlanOptions options;
  TargetPlan plan = PlanTarget(state, desired, {}, managed, options);
  EXPECT_EQ(Changes(plan), "-reader user:old@x.com\n+writer user:new@x.com\n");
  ASSERT_EQ(plan.unmanaged.size(), 1u);
  EXPECT_EQ(plan.unmanaged[0].member, "user:console@x.com");
  options.removal = RemovalPolicy::kOnlyAdd;
  EXPECT_EQ(Changes(PlanTarget(state, desired, {}, managed, options)), "+writer user:new@x.com\n");
  options = {};
  options.unmanaged = UnmanagedPolicy::kPrune;
  EXPECT_EQ(Changes(PlanTarget(state, desired, {}, managed, options)),
            "-reader user:old@x.com\n-reader user:console@x.com\n+writer user:new@x.com\n");
}

TEST(Plan, ExpiryReplacesAndRemoves) {
  const std::string end = "2027-01-01T00:00:00Z";
  EXPECT_EQ(Changes(PlanTarget(State({kOwners, Entry("user:a@x.com", "reader")}),
                               {Wish("user:a@x.com", "reader", end)}, {}, {}, {})),
            "-reader user:a@x.com\n+reader user:a@x.com until " + end + "\n");
  EXPECT_EQ(Changes(PlanTarget(State({kOwners, Entry("user:a@x.com", "reader")}), {},
                               {Wish("user:a@x.com", "reader")}, {}, {})),
            "-reader user:a@x.com\n");
  EXPECT_EQ(Changes(PlanTarget(State({kOwners, Entry("user:a@x.com", "reader", end)}), {}, {}, {}, {})),
            "-reader user:a@x.com until " + end + "\n");
  EXPECT_EQ(Changes(PlanTarget(State({kOwners, Entry("user:a@x.com", "reader", end)}),
                               {Wish("user:a@x.com", "reader", end)}, {}, {}, {})),
            "");
}

TEST(Plan, DeletedAccountsAreCleaned) {
  const auto gone = ReadAccessEntry(R"({"role":"READER","iamMember":"deleted:user:bob@x.com?uid=1"})");
  const TargetPlan plan = PlanTarget(State({kOwners, *gone}), {}, {}, {}, {});
  ASSERT_EQ(plan.changes.size(), 1u);
  EXPECT_EQ(plan.changes[0].why, "the account was deleted");
}

TEST(Guards, TheLastOwnerStays) {
  PlanOptions options;
  options.unmanaged = UnmanagedPolicy::kPrune;
  TargetPlan plan = PlanTarget(State({Entry("user:boss@x.com", "owner"), Entry("user:a@x.com", "reader")}),
                               {}, {}, {}, options);
  EXPECT_EQ(Changes(plan), "-reader user:a@x.com\n");
  ASSERT_EQ(plan.refused.size(), 1u);
  EXPECT_EQ(plan.refused[0], "keep owner user:boss@x.com: nobody would own the dataset");
  plan = PlanTarget(State({Entry("user:boss@x.com", "owner")}), {Wish("group:admins@x.com", "owner")}, {}, {},
                    options);
  EXPECT_EQ(Changes(plan), "-owner user:boss@x.com\n+owner group:admins@x.com\n") << "a handover is no loss";
}

TEST(Guards, AnOwnerWhoseRightEndsDoesNotCount) {
  PlanOptions options;
  options.unmanaged = UnmanagedPolicy::kPrune;
  const TargetPlan plan =
      PlanTarget(State({Entry("user:boss@x.com", "owner")}),
                 {Wish("user:b@x.com", "owner", "2027-01-01T00:00:00Z")}, {}, {}, options);
  EXPECT_EQ(plan.refused.size(), 1u);
}

TEST(Guards, AnOwnerUntilATimeIsTheLastOwnerToo) {
  const std::string end = "2027-01-01T00:00:00Z";
  PlanOptions options;
  options.now = kNow;
  const auto state = State({Entry("user:boss@x.com", "owner", end), Entry("user:a@x.com", "reader", end)});
  EXPECT_EQ(Changes(PlanTarget(state, {}, {}, {}, options)), "-reader user:a@x.com until " + end + "\n");
  const auto longer =
      PlanTarget(state, {Wish("user:boss@x.com", "owner", "2028-01-01T00:00:00Z")}, {}, {}, options);
  EXPECT_TRUE(longer.refused.empty()) << "another end is no loss";
  options.now = kNow + absl::Hours(24 * 365);
  EXPECT_TRUE(PlanTarget(state, {}, {}, {}, options).refused.empty())
      << "it has ended: nobody owns it already";
}

TEST(Guards, TheCallersAccessUntilATimeIsKeptUntilThen) {
  const std::string end = "2027-01-01T00:00:00Z";
  PlanOptions options;
  options.caller = "user:me@x.com";
  options.now = kNow;
  const auto state = State({kOwners, Entry("user:me@x.com", "writer", end)});
  const TargetPlan plan = PlanTarget(state, {}, {}, {}, options);
  EXPECT_TRUE(plan.changes.empty());
  EXPECT_EQ(plan.refused, (std::vector<std::string>{"keep writer user:me@x.com until " + end +
                                                    ": it is the caller's own access"}));
  options.now = kNow + absl::Hours(24 * 365);
  EXPECT_EQ(PlanTarget(state, {}, {}, {}, options).changes.size(), 1u) << "it has ended: cleaned";
}

TEST(Guards, TheCallerKeepsItsAccess) {
  PlanOptions options;
  options.unmanaged = UnmanagedPolicy::kPrune;
  options.caller = "user:me@x.com";
  const auto state = State({kOwners, Entry("user:me@x.com", "owner")});
  EXPECT_EQ(PlanTarget(state, {}, {}, {}, options).refused.size(), 1u);
  EXPECT_EQ(PlanTarget(state, {Wish("user:me@x.com", "reader")}, {}, {}, options).refused.size(), 1u)
      << "a lower role is a loss";
  EXPECT_TRUE(PlanTarget(State({kOwners, Entry("user:me@x.com", "reader")}), {Wish("user:me@x.com", "owner")},
                         {}, {}, options)
                  .refused.empty());
}

TEST(Guards, TheListFoundAtWritingCountsToo) {
  const std::vector<AccessEntry> then = {Entry("user:boss@x.com", "owner"),
                                         Entry("user:other@x.com", "owner")};
  const std::vector<GrantChange> changes = {{ChangeKind::kRemove, then[0], ""}};
  std::vector<std::string> refused;
  EXPECT_EQ(ApplyChanges(then, changes, "", &refused), (std::vector{then[1]}));
  EXPECT_EQ(ApplyChanges({then[0]}, changes, "", &refused), (std::vector{then[0]}))
      << "the other owner has gone meanwhile";
  EXPECT_EQ(refused.size(), 1u);
}

GrantPlan PlanOf(size_t removals, size_t members) {
  GrantPlan plan;
  TargetPlan target;
  target.target = "d";
  target.members = members;
  for (size_t i = 0; i < removals; ++i)
    target.changes.push_back(
        {ChangeKind::kRemove, Entry("user:u" + std::to_string(i) + "@x.com", "reader"), ""});
  plan.targets.push_back(target);
  return plan;
}

TEST(Guards, TooManyRemovalsAreRefused) {
  EXPECT_TRUE(CheckRemovals(PlanOf(50, 1000), {}).ok());
  EXPECT_TRUE(absl::IsDataLoss(CheckRemovals(PlanOf(51, 1000), {})));
  EXPECT_TRUE(CheckRemovals(PlanOf(5, 5), {}).ok()) << "few are always allowed";
  EXPECT_TRUE(CheckRemovals(PlanOf(6, 20), {}).ok());
  EXPECT_TRUE(absl::IsDataLoss(CheckRemovals(PlanOf(7, 20), {})));
  EXPECT_TRUE(CheckRemovals(PlanOf(51, 60), {100, 1.0}).ok());
}

TEST(Plan, JsonIsReadBackByteForByte) {
  const auto entries = ReadDatasetAccess(kDataset);
  ASSERT_TRUE(entries.ok());
  PlanOptions options;
  options.unmanaged = UnmanagedPolicy::kPrune;
  GrantPlan plan;
  plan.project = "p";
  plan.targets.push_back(PlanTarget(State(*entries), {Wish("user:n@x.com", "reader")}, {}, {}, options));
  const std::string json = PlanToJson(plan);
  const auto again = PlanFromJson(json);
  ASSERT_TRUE(again.ok()) << again.status();
  EXPECT_EQ(PlanToJson(*again), json);
  EXPECT_EQ(ApplyChanges(*entries, again->targets[0].changes, "", nullptr),
            ApplyChanges(*entries, plan.targets[0].changes, "", nullptr));
  EXPECT_FALSE(PlanFromJson("{}").ok());
}

TEST(Desired, TemplatesKindsAndGlobsMeet) {
  GrantProblems problems;
  const GrantSettings settings = ParseGrantSettings(
      "kinds:\n  analyst: [reader, roles/bigquery.metadataViewer]\n"
      "templates:\n- datasets: tenant_*\n  except: tenant_test\n  grants:\n"
      "  - {member: 'group:{dataset}@x.com', role: reader}\n",
      "grants.yaml", &problems);
  EXPECT_FALSE(problems.HasErrors()) << problems.ToString();
  const auto lines = Lines(
      "dataset,member,role,expires\ntenant_*,group:all@x.com,analyst,\ntenant_a,group:all@x.com,reader,2027-"
      "01-01\n",
      settings);
  const DesiredState state = ResolveGrants(lines, settings, {"other", "tenant_a", "tenant_test"}, &problems);
  EXPECT_FALSE(problems.HasErrors()) << problems.ToString();
  EXPECT_EQ(state.grants.at("tenant_test").size(), 2u);
  EXPECT_TRUE(state.grants.at("other").empty());
  std::set<std::string> keys;
  for (const DesiredGrant& grant : state.grants.at("tenant_a"))
    keys.insert(GrantKey(grant.member, grant.role, grant.expires));
  EXPECT_EQ(keys, (std::set<std::string>{"reader group:all@x.com until 2027-01-02T00:00:00Z",
                                         "reader group:tenant_a@x.com",
                                         "roles/bigquery.metadataViewer group:all@x.com"}));
}

}  // namespace
}  // namespace hakobu
