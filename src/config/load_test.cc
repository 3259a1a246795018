#include "config/load.h"

#include <gtest/gtest.h>

#include <map>
#include <sstream>

#include "config/column_rules.h"

namespace hakobu {
namespace {

constexpr char kSmallest[] = R"(source:
  user: hakobu
destination:
  project: example
  dataset: shop
tables:
  - table: shop.members
)";

Environment Variables(std::map<std::string, std::string> values) {
  return [values = std::move(values)](const std::string& name) -> std::optional<std::string> {
    const auto found = values.find(name);
    return found == values.end() ? std::nullopt : std::optional<std::string>(found->second);
  };
}

Config Parsed(const std::string& text, const Environment& environment = Variables({})) {
  auto config = ParseConfig(text, "hakobu.yaml", environment);
  EXPECT_TRUE(config.ok()) << config.status();
  return config.ok() ? *config : Config{};
}

TEST(Load, SmallestFileTakesEveryDefault) {
  const Config config = Parsed(kSmallest);
  EXPECT_EQ(config.source.host, "127.0.0.1");
  EXPECT_EQ(config.source.port, 3306);
  EXPECT_EQ(config.source.tls.mode, TlsMode::kVerifyIdentity);
  EXPECT_EQ(config.destination.billing_project, "example");
  EXPECT_EQ(config.destination.staging_dataset, "shop");
  EXPECT_FALSE(config.destination.local());
  ASSERT_EQ(config.tables.size(), 1u);
  EXPECT_EQ(config.tables[0].line, 7);
  EXPECT_EQ(config.tables[0].options.mode, TableMode::kReplace);
  EXPECT_EQ(config.tables[0].options.chunk_bytes, 256u << 20);
}

TEST(Load, TablesStartFromDefaultsWhereverTheyStand) {
  const Config config = Parsed(R"(tables:
  - table: shop.members
    mode: append
    labels: {kind: people}
    cluster: []
    columns: {email: {description: where to write}}
    partition: null
  - table: shop.plans
defaults:
  mode: replace
  chunk_rows: 1_000
  labels: {team: data}
  cluster: [shop_id]
  columns: {email: {mask: null}}
  partition: {by: month, column: created_at}
source: {user: hakobu}
destination: {project: example, dataset: shop}
)");
  const TableOptions& members = config.tables[0].options;
  EXPECT_EQ(members.mode, TableMode::kAppend);
  EXPECT_EQ(members.chunk_rows, 1000u);
  EXPECT_EQ(members.labels, (std::map<std::string, std::string>{{"kind", "people"}, {"team", "data"}}));
  EXPECT_TRUE(members.cluster.empty());
  EXPECT_EQ(TreatmentOf(members, "email").choice.mask, Mask::kNull);
  EXPECT_EQ(TreatmentOf(members, "email").description, "where to write");
  EXPECT_FALSE(members.partition.has_value());
  const TableOptions& plans = config.tables[1].options;
  EXPECT_EQ(plans.mode, TableMode::kReplace);
  EXPECT_EQ(plans.partition->by, PartitionUnit::kMonth);
  EXPECT_EQ(plans.cluster, std::vector<std::string>{"shop_id"});
}

TEST(Load, AnchorsAndMergesWork) {
  const Config config = Parsed(std::string(R"(x-common: &common
  mode: append
  chunk_rows: 500
)") + kSmallest + R"(    <<: *common
    chunk_rows: 700
)");
  EXPECT_EQ(config.tables[0].options.mode, TableMode::kAppend);
  EXPECT_EQ(config.tables[0].options.chunk_rows, 700u);
}

TEST(Load, ValuesComeFromEnvironmentFileAndCommand) {
  const Config config = Parsed(R"(source:
  host: "${env:HOST}.internal"
  port: ${env:PORT}
  user: "${command:printf 'hako%s\n' bu}"
  password: ${env:PASSWORD}
destination: {project: example, dataset: shop}
tables: [{table: shop.members}]
)",
                               Variables({{"HOST", "db"}, {"PORT", "3307"}, {"PASSWORD", "p$${w}"}}));
  EXPECT_EQ(config.source.host, "db.internal");
  EXPECT_EQ(config.source.port, 3307);
  EXPECT_EQ(config.source.user, "hakobu");
  EXPECT_EQ(config.source.password.Reveal(), "p$${w}");
}

TEST(Load, SecretsDoNotPrint) {
  std::ostringstream out;
  out << Secret("swordfish") << Secret();
  EXPECT_EQ(out.str(), "***");
}

TEST(Load, MissingFileSaysWhatToDo) {
  const auto config = LoadConfig("/nonexistent/hakobu.yaml");
  EXPECT_EQ(config.status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_NE(config.status().message().find("hakobu init"), absl::string_view::npos);
}

TEST(FindRule, ExactBeatsGlobAndMoreLettersBeatFewer) {
  Config config;
  for (const char* pattern : {"*.*", "shop.*", "shop.mem*", "shop.mem???s", "shop.plans"}) {
    config.tables.push_back({.pattern = pattern, .except = {}, .options = {}, .line = 0});
  }
  EXPECT_EQ(FindRule(config, "shop", "plans")->pattern, "shop.plans");
  EXPECT_EQ(FindRule(config, "shop", "members")->pattern, "shop.mem???s");
  EXPECT_EQ(FindRule(config, "shop", "memo")->pattern, "shop.mem*");
  EXPECT_EQ(FindRule(config, "shop", "visits")->pattern, "shop.*");
  EXPECT_EQ(FindRule(config, "other", "plans")->pattern, "*.*");
  config.tables.erase(config.tables.begin());
  EXPECT_EQ(FindRule(config, "other", "plans"), nullptr);
}

TEST(Load, ATablesFilterNarrowsThatOfDefaults) {
  const Config config = Parsed(R"(source: {user: hakobu}
destination: {project: example, dataset: shop}
defaults: {where: "company_id = 7"}
tables:
  - {table: shop.members}
  - {table: shop.plans, where: "price > 0 OR 1 = 1 -- all"}
)");
  EXPECT_EQ(config.tables[0].options.where, "company_id = 7");
  EXPECT_EQ(config.tables[1].options.where, "(company_id = 7\n) AND (price > 0 OR 1 = 1 -- all\n)");
}

TEST(FindRule, ExceptionsHoldForEveryGlobAndForNoExactName) {
  Config config;
  config.tables.push_back({.pattern = "shop.*", .except = {"shop.secret*", "shop.Logs"}, .options = {}});
  config.tables.push_back({.pattern = "*.*", .except = {}, .options = {}});
  config.tables.push_back({.pattern = "shop.secret_plan", .except = {}, .options = {}});
  EXPECT_EQ(FindRule(config, "shop", "secrets"), nullptr);
  EXPECT_EQ(FindRule(config, "shop", "logs"), nullptr) << "servers differ in case";
  EXPECT_EQ(FindRule(config, "shop", "secret_plan")->pattern, "shop.secret_plan");
  EXPECT_EQ(FindRule(config, "other", "secrets")->pattern, "*.*");
}

TEST(FindRule, DatabasesThatAreYetToBeMade) {
  Config config;
  config.tables.push_back({.pattern = "tenant_*.*", .except = {}, .options = {}});
  EXPECT_TRUE(MayDeliverFrom(config, "tenant_2"));
  EXPECT_FALSE(MayDeliverFrom(config, "shop"));
}

TEST(TargetName, LettersCaseAndPreviousVersions) {
  TableOptions options;
  EXPECT_EQ(TargetNames(options, "tokyo", "Members"), std::vector<std::string>{"members"});
  options.keep_previous = true;
  EXPECT_EQ(TargetNames(options, "tokyo", "Members"),
            (std::vector<std::string>{"members", "members_previous"}));
}

TEST(TargetName, FillsDatabaseAndTable) {
  TableOptions options;
  EXPECT_EQ(TargetName(options, "tokyo", "members"), "members");
  options.target = "{database}_{table}_v2";
  EXPECT_EQ(TargetName(options, "tokyo", "members"), "tokyo_members_v2");
}

}  // namespace
}  // namespace hakobu
