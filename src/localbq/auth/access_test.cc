// Decisions: who is let in, by whatever names them, and what a condition makes of it.
#include "localbq/auth/access.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace hakobu::localbq::auth {
namespace {

using nlohmann::json;

const absl::Time kNow = absl::FromUnixSeconds(1'790'000'000);  // 2026-09-21

Subject Ana() {
  return {.member = "user:ana@example.com",
          .names = {"user:ana@example.com", "domain:example.com", "group:team@example.com",
                    "allauthenticatedusers", "allusers"},
          .project_roles = {"roles/viewer"}};
}

Question Asks(std::string_view permission) {
  return {permission,
          {.now = kNow,
           .resource_name = "projects/p/datasets/d",
           .resource_type = "bigquery.googleapis.com/Dataset"}};
}

bool MayRead(const json& entry, const Subject& subject = Ana()) {
  return AccessGrants(json::array({entry}), subject, Asks("bigquery.tables.getData"), {});
}

TEST(Access, AnEntryLetsInWhomItNames) {
  EXPECT_TRUE(MayRead({{"role", "READER"}, {"userByEmail", "Ana@Example.com"}}));
  EXPECT_TRUE(MayRead({{"role", "WRITER"}, {"groupByEmail", "team@example.com"}}));
  EXPECT_TRUE(MayRead({{"role", "OWNER"}, {"domain", "example.com"}}));
  EXPECT_TRUE(MayRead({{"role", "roles/bigquery.dataViewer"}, {"iamMember", "user:ana@example.com"}}));
  EXPECT_TRUE(MayRead({{"role", "READER"}, {"specialGroup", "allAuthenticatedUsers"}}));
  EXPECT_TRUE(MayRead({{"role", "READER"}, {"specialGroup", "projectReaders"}}));
  EXPECT_TRUE(MayRead({{"role", "READER"}, {"iamMember", "allUsers"}}));
  EXPECT_FALSE(MayRead({{"role", "READER"}, {"userByEmail", "bob@example.com"}}));
  EXPECT_FALSE(MayRead({{"role", "READER"}, {"groupByEmail", "others@example.com"}}));
  EXPECT_FALSE(MayRead({{"role", "READER"}, {"domain", "ample.com"}}));
  EXPECT_FALSE(MayRead({{"role", "READER"}, {"specialGroup", "projectWriters"}}));
  EXPECT_FALSE(MayRead({{"role", "READER"}, {"iamMember", "deleted:user:ana@example.com?uid=1"}}));
  EXPECT_FALSE(MayRead({{"role", "roles/bigquery.metadataViewer"}, {"userByEmail", "ana@example.com"}}));
  EXPECT_FALSE(MayRead({{"role", "roles/of.tomorrow"}, {"userByEmail", "ana@example.com"}}));
  EXPECT_FALSE(MayRead({{"view", {{"projectId", "p"}}}}));
  EXPECT_FALSE(MayRead({{"role", "READER"}, {"tomorrow", "user:ana@example.com"}}));
  EXPECT_FALSE(MayRead("READER"));
}

TEST(Access, AServiceAccountIsNamedByItsEmailToo) {
  const Subject loader{.member = "serviceAccount:l@p.iam.gserviceaccount.com",
                       .names = {"serviceaccount:l@p.iam.gserviceaccount.com"},
                       .project_roles = {}};
  EXPECT_TRUE(MayRead({{"role", "READER"}, {"userByEmail", "l@p.iam.gserviceaccount.com"}}, loader));
  EXPECT_FALSE(MayRead({{"role", "READER"}, {"specialGroup", "projectReaders"}}, loader));
}

TEST(Access, RolesGrantWhatTheyAreFor) {
  const auto has = [](std::string_view role, std::string_view permission) {
    return RoleGrants(RoleOfLegacyName(role), permission, {});
  };
  EXPECT_TRUE(has("READER", "bigquery.tables.list"));
  EXPECT_FALSE(has("READER", "bigquery.tables.updateData"));
  EXPECT_TRUE(has("WRITER", "bigquery.tables.updateData"));
  EXPECT_TRUE(has("WRITER", "bigquery.tables.delete"));
  EXPECT_FALSE(has("WRITER", "bigquery.datasets.update"));
  EXPECT_FALSE(has("WRITER", "bigquery.tables.setIamPolicy"));
  EXPECT_TRUE(has("OWNER", "bigquery.datasets.setIamPolicy"));
  EXPECT_TRUE(has("OWNER", "bigquery.rowAccessPolicies.create"));
  EXPECT_FALSE(has("OWNER", "bigquery.jobs.create"));
  EXPECT_TRUE(has("roles/bigquery.jobUser", "bigquery.jobs.create"));
  EXPECT_FALSE(has("roles/bigquery.jobUser", "bigquery.readsessions.create"));
  EXPECT_FALSE(has("roles/bigquery.user", "bigquery.tables.getData"));
  EXPECT_TRUE(has("roles/bigquery.admin", "bigquery.tables.getData"));
  EXPECT_FALSE(has("roles/bigquery.admin", "iam.serviceAccounts.getAccessToken"));
  EXPECT_FALSE(has("roles/viewer", "bigquery.tables.getData"));
  const CustomRoles custom = {{"projects/p/roles/x", {"bigquery.tables.get*"}}};
  EXPECT_TRUE(RoleGrants("projects/p/roles/x", "bigquery.tables.getData", custom));
  EXPECT_FALSE(RoleGrants("projects/p/roles/x", "bigquery.tables.update", custom));
}

TEST(Access, ConditionsHoldOrDoNotAndWhatIsNotUnderstoodDoesNot) {
  const auto entry = [](const char* expression) {
    return json{{"role", "READER"},
                {"userByEmail", "ana@example.com"},
                {"condition", {{"title", "t"}, {"expression", expression}}}};
  };
  EXPECT_TRUE(MayRead(entry("request.time < timestamp(\"2027-01-01T00:00:00Z\")")));
  EXPECT_FALSE(MayRead(entry("request.time < timestamp(\"2026-01-01T00:00:00Z\")")));
  EXPECT_TRUE(
      MayRead(entry("request.time >= timestamp('2026-01-01T00:00:00+09:00') && "
                    "request.time<timestamp('2027-01-01T00:00:00Z')")));
  EXPECT_TRUE(MayRead(entry("!(request.time > timestamp('2027-01-01T00:00:00Z')) || false")));
  EXPECT_TRUE(MayRead(entry("resource.name.startsWith(\"projects/p/datasets/d\")")));
  EXPECT_TRUE(MayRead(entry("resource.type == 'bigquery.googleapis.com/Dataset'")));
  EXPECT_FALSE(MayRead(entry("resource.name.endsWith('/secret')")));
  for (const char* strange : {"", "1 + 1 == 2", "request.auth.claims.x == 'y'", "request.time < 5",
                              "request.time < timestamp('tomorrow')", "true || has(x)", "true true", "(true",
                              "timestamp(\"2027-01-01T00:00:00Z\""}) {
    EXPECT_FALSE(MayRead(entry(strange))) << strange;
  }
}

TEST(Access, PoliciesGrantByRoleMemberAndCondition) {
  const auto may = [](const json& binding) {
    return PolicyGrants({{"bindings", {binding}}}, Ana(), Asks("bigquery.tables.getData"), {});
  };
  EXPECT_TRUE(may({{"role", "roles/bigquery.dataViewer"}, {"members", {"group:team@example.com"}}}));
  EXPECT_FALSE(may({{"role", "roles/bigquery.dataViewer"}, {"members", {"group:x@example.com"}}}));
  EXPECT_FALSE(may({{"role", "roles/bigquery.jobUser"}, {"members", {"user:ana@example.com"}}}));
  EXPECT_FALSE(may({{"role", "roles/bigquery.dataViewer"},
                    {"members", {"user:ana@example.com"}},
                    {"condition", {{"expression", "false"}}}}));
  EXPECT_FALSE(PolicyGrants({{"etag", "x"}}, Ana(), Asks("bigquery.tables.getData"), {}));
}

TEST(Access, ViewsAreAuthorisedByThemselvesOrTheirDataset) {
  const TableId view{"p", "views", "v"};
  EXPECT_TRUE(
      AuthorizesView({{{"view", {{"projectId", "p"}, {"datasetId", "views"}, {"tableId", "v"}}}}}, view));
  EXPECT_FALSE(
      AuthorizesView({{{"view", {{"projectId", "p"}, {"datasetId", "views"}, {"tableId", "w"}}}}}, view));
  const json dataset = {{"dataset", {{"projectId", "p"}, {"datasetId", "views"}}},
                        {"targetTypes", {"VIEWS"}}};
  EXPECT_TRUE(AuthorizesView(json::array({{{"dataset", dataset}}}), view));
  json routines = dataset;
  routines["targetTypes"] = {"ROUTINES"};
  EXPECT_FALSE(AuthorizesView(json::array({{{"dataset", routines}}}), view));
}

TEST(Access, RowsAreThoseOfThePoliciesThatNameTheSubject) {
  EXPECT_FALSE(RowAccessOf(json::object(), Ana()).is_filtered);
  const json policies = {{"a", {{"filterPredicate", "x = 1"}, {"grantees", {"user:ana@example.com"}}}},
                         {"b", {{"filterPredicate", "x = 2"}, {"grantees", {"user:bob@example.com"}}}},
                         {"c", {{"filterPredicate", "x = 3"}, {"grantees", {"domain:example.com"}}}}};
  const RowAccess rows = RowAccessOf(policies, Ana());
  EXPECT_TRUE(rows.is_filtered);
  EXPECT_FALSE(rows.is_full);
  EXPECT_EQ(rows.predicates, (std::vector<std::string>{"x = 1", "x = 3"}));
  const json all = {{"a", {{"filterPredicate", "(TRUE)"}, {"grantees", {"allAuthenticatedUsers"}}}}};
  EXPECT_TRUE(RowAccessOf(all, Ana()).is_full);
  const json nobodys = {{"a", {{"filterPredicate", "TRUE"}, {"grantees", json::array()}}}};
  EXPECT_TRUE(RowAccessOf(nobodys, Ana()).predicates.empty());
  EXPECT_TRUE(RowAccessOf(nobodys, Ana()).is_filtered);
}

}  // namespace
}  // namespace hakobu::localbq::auth
