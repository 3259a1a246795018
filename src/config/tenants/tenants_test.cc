#include <fmt/format.h>
#include <gtest/gtest.h>

#include "config/load.h"
#include "config/tenants/csv.h"
#include "config/tenants/explain.h"
#include "config/tenants/resolve.h"

namespace hakobu {
namespace {

constexpr char kLayers[] = R"(source: {user: hakobu, socket: /run/mysqld/mysqld.sock}
destination:
  project: vendor
  dataset: "gym_{tenant}"
  location: asia-northeast1
defaults:
  where: "deleted_at IS NULL"
  labels: {by: hakobu, team: data}
  types: embulk
tiers:
  gold:
    destination: {location: europe-west3, impersonate: "load@{tenant}.iam.gserviceaccount.com"}
    where: "is_test = 0"
    columns: {email: {mask: "null"}}
    labels: {tier: gold, team: gold-team}
    invalid: string
    description: of gold
tenants:
  column: company_id
  list:
    - id: acme
      value: 7
      tier: gold
      where: "region = 'jp'"
      labels: {team: acme}
      description: of acme
    - {id: bold, values: [8, 9], destination: {project: bold-project, dataset: gym}, exclude: ["*_memo"]}
    - {id: cold, database: gym_cold}
tables:
  - table: gym.members
    where: "id > 10"
    invalid: error
    labels: {by: table}
  - table: gym.visits
    tenant_column: gym_company
  - table: "{tenant_database}.*"
    mode: append
)";

absl::StatusOr<Config> Parse(std::string_view text) {
  return ParseConfig(text, "hakobu.yaml", [](const std::string&) { return std::nullopt; });
}

TableOptions OptionsOf(const Config& config, std::string_view tenant, std::string_view table) {
  const TableRule* rule = FindRule(config, "gym", table);
  return TenantOptions(config, *FindTenant(config, tenant), *rule, OptionsFor(config, *rule, "gym", table));
}

TEST(Tenants, LayersArePutTogetherByTheStatedRules) {
  const absl::StatusOr<Config> config = Parse(kLayers);
  ASSERT_TRUE(config.ok()) << config.status();
  const TableOptions acme = OptionsOf(*config, "acme", "members");
  EXPECT_EQ(acme.where,
            "(((deleted_at IS NULL\n) AND (id > 10\n)\n) AND (is_test = 0\n)\n) AND (region = 'jp'\n)");
  EXPECT_EQ(acme.labels,
            (std::map<std::string, std::string>{{"by", "table"}, {"team", "acme"}, {"tier", "gold"}}));
  EXPECT_EQ(acme.invalid, InvalidPolicy::kError) << "the entry of tables is the strongest";
  EXPECT_EQ(acme.description, "of acme") << "the tenant beats its tier";
  EXPECT_EQ(acme.types, TypeProfile::kEmbulk) << "defaults hold where nobody says otherwise";
  ASSERT_EQ(acme.columns.size(), 1u);
  EXPECT_EQ(acme.columns[0].column.mask, Mask::kNull);
  EXPECT_EQ(OptionsOf(*config, "acme", "visits").invalid, InvalidPolicy::kString)
      << "the tier beats defaults";
  const TableOptions bold = OptionsOf(*config, "bold", "members");
  EXPECT_EQ(bold.exclude, std::vector<std::string>{"*_memo"});
  EXPECT_TRUE(bold.columns.empty());
}

TEST(Tenants, DestinationsAreTakenKeyByKey) {
  const absl::StatusOr<Config> config = Parse(kLayers);
  ASSERT_TRUE(config.ok()) << config.status();
  const DestinationConfig acme = DestinationOf(*config, *FindTenant(*config, "acme"));
  EXPECT_EQ(acme.project + "." + acme.dataset, "vendor.gym_acme");
  EXPECT_EQ(acme.billing_project + "." + acme.staging_dataset, "vendor.gym_acme");
  EXPECT_EQ(acme.location, "europe-west3");
  EXPECT_EQ(acme.credentials.impersonate, "load@acme.iam.gserviceaccount.com");
  const DestinationConfig bold = DestinationOf(*config, *FindTenant(*config, "bold"));
  EXPECT_EQ(bold.project + "." + bold.dataset + " " + bold.location, "bold-project.gym asia-northeast1");
  EXPECT_EQ(bold.billing_project, "bold-project");
}

TEST(Tenants, ATenantsOwnDatabaseIsAConfigurationOfItsOwn) {
  const absl::StatusOr<Config> config = Parse(kLayers);
  ASSERT_TRUE(config.ok()) << config.status();
  const Config own = OwnConfig(*config, *FindTenant(*config, "cold"));
  ASSERT_EQ(own.tables.size(), 1u);
  EXPECT_EQ(own.tables[0].pattern, "gym_cold.*");
  EXPECT_EQ(own.tables[0].options.mode, TableMode::kAppend);
  EXPECT_EQ(own.destination.dataset, "gym_cold");
  EXPECT_TRUE(OwnConfig(*config, *FindTenant(*config, "acme")).tables.empty());
  EXPECT_EQ(TenantColumn(*config, config->tables[0]), "company_id");
  EXPECT_EQ(TenantColumn(*config, config->tables[1]), "gym_company");
}

std::string Text(const std::vector<ExplainedValue>& values, std::string_view key) {
  std::string text;
  for (const ExplainedValue& value : values) {
    if (value.key == key)
      text += fmt::format("{}{} [{} {}]", text.empty() ? "" : " + ", value.value, value.layer, value.place);
  }
  return text;
}

TEST(Explain, EachValueHasItsPlace) {
  const absl::StatusOr<Config> config = Parse(kLayers);
  ASSERT_TRUE(config.ok()) << config.status();
  const auto values = ExplainTable(*config, "acme", "gym.members");
  ASSERT_TRUE(values.ok()) << values.status();
  EXPECT_EQ(Text(*values, "row filter"), "company_id is 7 [tenant acme hakobu.yaml:21]");
  EXPECT_EQ(Text(*values, "where"),
            "deleted_at IS NULL [defaults hakobu.yaml:7] + is_test = 0 [tier gold hakobu.yaml:13] + "
            "region = 'jp' [tenant acme hakobu.yaml:24] + id > 10 [tables[0] hakobu.yaml:31]");
  EXPECT_EQ(Text(*values, "invalid"), "error [tables[0] hakobu.yaml:32]");
  EXPECT_EQ(Text(*values, "types"), "embulk [defaults hakobu.yaml:9]");
  EXPECT_EQ(Text(*values, "columns.email.mask"), "null [tier gold hakobu.yaml:14]");
  EXPECT_EQ(Text(*values, "destination.location"), "europe-west3 [tier gold hakobu.yaml:12]");
  EXPECT_EQ(Text(*values, "destination.dataset"), "gym_{tenant} [destination hakobu.yaml:4]");
  EXPECT_EQ(Text(*values, "keep_previous"), "false [default ]");
  const auto own = ExplainTable(*config, "cold", "gym_cold.anything");
  ASSERT_TRUE(own.ok()) << own.status();
  EXPECT_EQ(Text(*own, "database"), "gym_cold [tenant cold hakobu.yaml:28]");
  EXPECT_EQ(Text(*own, "mode"), "append [tables[2] hakobu.yaml:37]");
}

TEST(Explain, WhatIsNotThereIsSaid) {
  const absl::StatusOr<Config> config = Parse(kLayers);
  ASSERT_TRUE(config.ok()) << config.status();
  EXPECT_EQ(ExplainTable(*config, "acne", "gym.members").status().message(),
            "there is no tenant \"acne\"; hint: did you mean `acme`?");
  EXPECT_FALSE(ExplainTable(*config, "acme", "shop.members").ok());
  EXPECT_FALSE(ExplainTable(*config, "acme", "gym_cold.members").ok()) << "another tenant's database";
  EXPECT_FALSE(ExplainTable(*config, "cold", "gym.members").ok()) << "it has no rows there";
}

TEST(Compare, OnlyWhatDiffersIsNamed) {
  const absl::StatusOr<Config> config = Parse(kLayers);
  ASSERT_TRUE(config.ok()) << config.status();
  const auto differences = CompareTenants(*config, "acme", "bold");
  ASSERT_TRUE(differences.ok()) << differences.status();
  std::string text;
  for (const TenantDifference& each : *differences) {
    if (each.table.empty() || each.table == "gym.members")
      text += fmt::format("{} {}: {} | {}\n", each.table, each.key, each.first, each.second);
  }
  EXPECT_EQ(
      text,
      " destination.credentials.impersonate: load@{tenant}.iam.gserviceaccount.com | \n"
      " destination.dataset: gym_{tenant} | gym\n"
      " destination.location: europe-west3 | asia-northeast1\n"
      " destination.project: vendor | bold-project\n"
      "gym.members columns.email.mask: null | \n"
      "gym.members description: of acme | \n"
      "gym.members exclude:  | [*_memo]\n"
      "gym.members labels: {by: hakobu, team: data} and {tier: gold, team: gold-team} and {team: acme} and "
      "{by: table} | {by: hakobu, team: data} and {by: table}\n"
      "gym.members row filter: company_id is 7 | company_id is 8 or 9\n"
      "gym.members where: deleted_at IS NULL and is_test = 0 and region = 'jp' and id > 10 | deleted_at IS "
      "NULL and id > 10\n");
}

TEST(TenantsCsv, GivesWhatTheFileOfTheTenantsWouldGive) {
  ConfigProblems problems;
  TenantsConfig tenants;
  ReadTenantsCsv(
      "\xef\xbb\xbf# of the sales "
      "people\r\nid;values;dataset;label.team;tier\r\nacme;7|12;gym;\"da;ta\";gold\r\n\r\n",
      "t.csv", &tenants, &problems);
  EXPECT_TRUE(problems.ToStatus("").ok());
  ASSERT_EQ(tenants.list.size(), 1u);
  const TenantConfig& acme = tenants.list[0];
  EXPECT_EQ(acme.id + " " + acme.tier, "acme gold");
  EXPECT_EQ(acme.values, (std::vector<std::string>{"7", "12"}));
  EXPECT_EQ(acme.destination.dataset, "gym");
  EXPECT_EQ(acme.tables.added.labels.at("team"), "da;ta");
  EXPECT_EQ(acme.place.line, 3);
  EXPECT_EQ(problems.PlaceOf("tenants.csv[line 3].destination.dataset").column, 11);
}

// What is kept and looked at grows with tenants plus tables; a product would be 100,000 of each.
TEST(Tenants, AThousandTenantsAndAHundredTablesAreASum) {
  std::string text(kLayers);
  text.resize(text.find("tenants:"));
  text += "tenants:\n  column: company_id\n  list:\n";
  for (int i = 0; i < 1000; ++i)
    text += fmt::format("    - {{id: t{0}, value: {0}, tier: gold, labels: {{n: \"{0}\"}}}}\n", i);
  text += "tables:\n";
  for (int i = 0; i < 100; ++i) text += fmt::format("  - {{table: gym.t{}, cluster: [id]}}\n", i);
  const absl::StatusOr<Config> config = Parse(text);
  ASSERT_TRUE(config.ok()) << config.status();
  EXPECT_EQ(config->tenants->list.size(), 1000u);
  EXPECT_EQ(config->tables.size(), 100u);
  EXPECT_LT(config->written->size(), 10'000u);
  EXPECT_EQ(OptionsOf(*config, "t999", "t99").labels.at("n"), "999");
}

}  // namespace
}  // namespace hakobu
