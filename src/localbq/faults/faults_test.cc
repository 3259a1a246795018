#include "localbq/faults/faults.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "base/status.h"

namespace hakobu::localbq {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

constexpr Call kGet{"tables.get", "p", "d", "orders", ""};
constexpr Call kAppend{"AppendRows", "p", "d", "orders", ""};

void Set(Faults* faults, std::string_view text) {
  absl::StatusOr<FaultPlan> plan = ReadFaultPlan(text, "faults.yaml");
  ASSERT_TRUE(plan.ok()) << plan.status();
  faults->Add(*std::move(plan));
}

// Which of `calls` calls, counted from 1, end with an error.
std::vector<int> Failing(Faults* faults, const Call& call, int calls) {
  std::vector<int> failing;
  for (int i = 1; i <= calls; ++i) {
    if (faults->Decide(call).end == Effect::End::kError) failing.push_back(i);
  }
  return failing;
}

TEST(FaultsTest, NothingIsSetAtFirst) {
  Faults faults;
  EXPECT_FALSE(faults.is_active());
  Set(&faults, "rules: [{fault: slow, ms: 1}]");
  EXPECT_TRUE(faults.is_active());
  faults.Clear();
  EXPECT_FALSE(faults.is_active());
  Set(&faults, "quotas: real");
  EXPECT_TRUE(faults.is_active());
}

TEST(FaultsTest, MatchesMethodAndPlaceByGlob) {
  Faults faults;
  Set(&faults, "rules: [{fault: backendError, method: [tables.*, jobs.get], dataset: 'd?', table: o*s}]");
  EXPECT_EQ(faults.Decide({"tables.get", "p", "d1", "orders", ""}).end, Effect::End::kError);
  EXPECT_EQ(faults.Decide({"jobs.get", "p", "d1", "os", ""}).end, Effect::End::kError);
  EXPECT_EQ(faults.Decide({"datasets.get", "p", "d1", "orders", ""}).end, Effect::End::kNone);
  EXPECT_EQ(faults.Decide({"tables.get", "p", "d", "orders", ""}).end, Effect::End::kNone);
  EXPECT_EQ(faults.Decide({"tables.get", "p", "d1", "order", ""}).end, Effect::End::kNone);
  EXPECT_EQ(faults.Decide({"tables.get", "p", "d1", "", ""}).end, Effect::End::kNone);
}

TEST(FaultsTest, AfterEveryAndTimesCount) {
  Faults faults;
  Set(&faults, "rules: [{fault: ABORTED, method: AppendRows, after: 2, every: 3, times: 2}]");
  EXPECT_THAT(Failing(&faults, kAppend, 20), ElementsAre(5, 8));
}

TEST(FaultsTest, ChanceIsRepeatedByItsSeed) {
  const std::string text = "{seed: 7, rules: [{fault: UNAVAILABLE, probability: 0.3}]}";
  Faults first, second, other;
  Set(&first, text);
  Set(&second, text);
  Set(&other, "{seed: 8, rules: [{fault: UNAVAILABLE, probability: 0.3}]}");
  const std::vector<int> failing = Failing(&first, kGet, 1000);
  EXPECT_EQ(failing, Failing(&second, kGet, 1000));
  EXPECT_NE(failing, Failing(&other, kGet, 1000));
  EXPECT_GT(failing.size(), 240U);
  EXPECT_LT(failing.size(), 360U);
}

TEST(FaultsTest, TheFirstEndingRuleEndsAndDelaysAddUp) {
  Faults faults;
  Set(&faults, R"(
rules:
  - {fault: slow, ms: 20}
  - {fault: slow, ms: 5, method: tables.get}
  - {fault: drop, when: after, method: tables.get, times: 1}
  - {fault: internalError}
)");
  const Effect first = faults.Decide(kGet);
  EXPECT_EQ(first.delay, absl::Milliseconds(25));
  EXPECT_TRUE(first.Is(Effect::End::kDrop, /*after_effect=*/true));
  const Effect second = faults.Decide(kGet);
  EXPECT_TRUE(second.Is(Effect::End::kError, /*after_effect=*/false));
  EXPECT_EQ(second.reason, "internalError");
  EXPECT_EQ(second.error.code(), absl::StatusCode::kInternal);
}

TEST(FaultsTest, TellsWhatFired) {
  Faults faults;
  Set(&faults, "{seed: 5, rules: [{fault: rateLimitExceeded, method: tables.get, after: 1}]}");
  (void)Failing(&faults, kGet, 3);
  (void)Failing(&faults, kAppend, 3);
  const auto told = nlohmann::json::parse(faults.Describe());
  EXPECT_EQ(told["seed"], 5);
  EXPECT_EQ(told["rules"][0]["matched"], 3);
  EXPECT_EQ(told["rules"][0]["fired"], 2);
  EXPECT_TRUE(faults.Remove(told["rules"][0]["id"]));
  EXPECT_FALSE(faults.Remove(told["rules"][0]["id"]));
  EXPECT_FALSE(faults.is_active());
}

TEST(FaultsTest, BadFilesAreRefusedWithEveryProblem) {
  const auto plan = ReadFaultPlan(R"(seed: x
rules:
  - {fault: rateLimitExceded}
  - {method: tables.get}
  - fault: slow
    methd: tables.get
  - {fault: drop, when: later, probability: 1.5, after: -1}
  - {fault: drop, method: job.load}
  - {fault: stale_schema}
quotes: real
)",
                                  "f.yaml");
  ASSERT_TRUE(absl::IsInvalidArgument(plan.status()));
  const std::string message(View(plan.status().message()));
  for (const char* expected :
       {"f.yaml:1: seed: expected a whole number from 0, found 'x'",
        "f.yaml:3: rules[0].fault: expected one of slow, drop, ", "found 'rateLimitExceded'",
        "f.yaml:4: rules[1].fault: expected what goes wrong, found nothing",
        "f.yaml:6: rules[2].methd: there is no such key", "f.yaml:5: rules[2].ms: slow needs",
        "f.yaml:7: rules[3].when: expected before or after, found 'later'",
        "f.yaml:7: rules[3].probability: expected a number from 0 to 1, found '1.5'",
        "f.yaml:7: rules[3].after: expected a whole number from 0, found '-1'",
        "f.yaml:8: rules[4].method: a job has no connection to lose",
        "f.yaml:9: rules[5].seconds: stale_schema needs", "f.yaml:10: quotes: there is no such key"}) {
    EXPECT_THAT(message, HasSubstr(expected));
  }
  EXPECT_THAT(std::string(View(ReadFaultPlan("rules: [", "f.yaml").status().message())),
              HasSubstr("f.yaml:1"));
  EXPECT_TRUE(ReadFaultPlan("", "f.yaml").ok());
}

TablePtr MakeTable(int64_t generation, int64_t schema_version) {
  auto table = std::make_shared<Table>();
  table->id = {"p", "d", "orders"};
  table->generation = generation;
  table->schema_version = schema_version;
  return table;
}

TEST(FaultsTest, OldSchemaHoldsForAWhile) {
  Faults faults;
  Set(&faults, "rules: [{fault: stale_schema, seconds: 0.2}]");
  const TablePtr before = MakeTable(1, 1), after = MakeTable(1, 2);
  EXPECT_EQ(faults.StaleTable(*after), nullptr);
  faults.OnTableChanged(before, after);
  EXPECT_EQ(faults.StaleTable(*after), before);
  EXPECT_EQ(faults.StaleTable(*MakeTable(2, 3)), nullptr);
  faults.Delay(absl::Milliseconds(250));
  EXPECT_EQ(faults.StaleTable(*after), nullptr);
}

TEST(FaultsTest, ATableIsReCreatedOnlyAfterADrop) {
  Faults faults;
  Set(&faults, "rules: [{fault: recreated, seconds: 60, times: 1}]");
  const TablePtr first = MakeTable(1, 1), second = MakeTable(2, 2);
  faults.OnTableChanged(nullptr, first);
  EXPECT_FALSE(faults.IsRecreated(*first));
  faults.OnTableChanged(first, nullptr);
  faults.OnTableChanged(nullptr, second);
  EXPECT_TRUE(faults.IsRecreated(*second));
  EXPECT_FALSE(faults.IsRecreated(*second)) << "times: 1";
}

TEST(FaultsTest, UnaryCallsEndBeforeOrAfterTheirEffect) {
  Faults faults;
  Set(&faults, R"(
rules:
  - {fault: UNAVAILABLE, method: FlushRows, times: 1}
  - {fault: drop, when: after, method: FlushRows, times: 1}
)");
  int effects = 0;
  const auto work = [&] {
    ++effects;
    return absl::OkStatus();
  };
  const Call call{"FlushRows", "p", "d", "t", ""};
  EXPECT_TRUE(absl::IsUnavailable(RunWithFaults(faults, call, work)));
  EXPECT_EQ(effects, 0);
  EXPECT_TRUE(absl::IsUnavailable(RunWithFaults(faults, call, work)));
  EXPECT_EQ(effects, 1);
  EXPECT_TRUE(RunWithFaults(faults, call, work).ok());
  EXPECT_EQ(effects, 2);
}

TEST(FaultsTest, StopEndsDelays) {
  Faults faults;
  faults.Stop();
  const absl::Time begin = absl::Now();
  faults.Delay(absl::Seconds(60));
  EXPECT_LT(absl::Now() - begin, absl::Seconds(10));
}

}  // namespace
}  // namespace hakobu::localbq
