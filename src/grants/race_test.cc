// Two applies and a console that change the same datasets at once, against a service in memory that knows
// etags. HAKOBU_SEED repeats one story.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <random>
#include <set>
#include <thread>

#include "absl/synchronization/mutex.h"
#include "grants/apply.h"
#include "grants/drift.h"

namespace hakobu {
namespace {

class MemoryStore : public AccessStore {
 public:
  explicit MemoryStore(uint32_t seed) : random_(seed) {}
  void Set(const std::string& target, std::vector<AccessEntry> entries) {
    absl::MutexLock lock(&mutex_);
    targets_[target] = {target, NewEtag(), std::move(entries)};
  }
  absl::StatusOr<std::vector<std::string>> Datasets() override {
    absl::MutexLock lock(&mutex_);
    std::vector<std::string> names;
    for (const auto& [name, state] : targets_) names.push_back(name);
    return names;
  }
  absl::StatusOr<TargetState> Read(const std::string& target) override {
    Dawdle();
    absl::MutexLock lock(&mutex_);
    return targets_[target];
  }
  absl::StatusOr<std::string> Write(const TargetState& before,
                                    const std::vector<AccessEntry>& entries) override {
    Dawdle();
    absl::MutexLock lock(&mutex_);
    if (failing_ == before.target) return absl::PermissionDeniedError("not yours");
    TargetState& state = targets_[before.target];
    if (state.etag != before.etag) {
      ++conflicts_;
      return absl::FailedPreconditionError("Precondition check failed.");
    }
    state.entries = entries;
    state.etag = NewEtag();
    ++writes_;
    return state.etag;
  }
  void Fail(const std::string& target) { failing_ = target; }
  int conflicts() const { return conflicts_; }
  int writes() const { return writes_; }

 private:
  void Dawdle() {
    uint32_t times;
    {
      absl::MutexLock lock(&mutex_);
      times = random_() % 4;
    }
    for (uint32_t at = 0; at < times; ++at) std::this_thread::yield();
  }
  std::string NewEtag() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) { return "e" + std::to_string(++etags_); }

  absl::Mutex mutex_;
  std::mt19937 random_ ABSL_GUARDED_BY(mutex_);
  std::map<std::string, TargetState> targets_ ABSL_GUARDED_BY(mutex_);
  int etags_ = 0, conflicts_ = 0, writes_ = 0;
  std::string failing_;
};

AccessEntry Entry(const std::string& member, const std::string& role = "reader") {
  return MakeAccessEntry(AccessForm::kDataset, member, role, "");
}
AccessEntry Raw(const std::string& text) {
  return *ReadAccessEntry(text);
}
std::string Member(const std::string& who, uint32_t number) {
  return "user:" + who + std::to_string(number) + "@x.com";
}

const std::vector<AccessEntry> kOpaque = {
    Raw(R"({"role":"OWNER","specialGroup":"projectOwners"})"),
    Raw(R"({ "view" : {"projectId":"p","datasetId":"v","tableId":"t"}})"),
    Raw(R"({"role":"READER","groupByEmail":"g@x.com","condition":{"expression":"true","title":"theirs"}})"),
    Raw(R"({"later":{"x":[1.50, 2e3]}})")};

// What one apply is told: from its plan's own changes.
struct Told {
  std::set<std::string> adds, removes;
};

struct Story {
  MemoryStore store;
  std::map<std::string, std::set<std::string>> start, console_adds, console_removes;
  std::map<std::string, Told> told[2];

  explicit Story(uint32_t seed) : store(seed) {}
};

void SetUp(Story& story, const std::vector<std::string>& targets, std::mt19937& random) {
  for (const std::string& target : targets) {
    std::vector<AccessEntry> entries = kOpaque;
    for (uint32_t number = 0; number < 12; ++number) {
      if (random() % 2 == 0) continue;
      entries.push_back(Entry(Member("start", number)));
      story.start[target].insert(entries.back().Key());
    }
    std::shuffle(entries.begin() + 1, entries.end(), random);
    story.store.Set(target, entries);
  }
}

// Every apply owns the members start0…5 or start6…11, and wants some of them and some new ones.
GrantPlan PlanFor(Story& story, int who, const std::vector<std::string>& targets, std::mt19937& random) {
  GrantPlan plan;
  for (const std::string& target : targets) {
    std::vector<DesiredGrant> desired;
    std::map<std::string, std::string> managed;
    for (uint32_t number = 0; number < 6; ++number) {
      const std::string mine = Member("start", number + (who == 0 ? 0 : 6));
      managed["reader " + mine] = "apply 0";
      if (random() % 2 == 0) desired.push_back({mine, "reader", "", "f:1", ""});
      if (random() % 3 == 0)
        desired.push_back({Member(who == 0 ? "a" : "b", number), "reader", "", "f:1", ""});
    }
    if (random() % 2 == 0) desired.push_back({"user:both@x.com", "writer", "", "f:1", ""});
    plan.targets.push_back(PlanTarget(*story.store.Read(target), desired, {}, managed, {}));
    for (const GrantChange& change : plan.targets.back().changes) {
      Told& told = story.told[who][target];
      (change.kind == ChangeKind::kAdd ? told.adds : told.removes).insert(change.entry.Key());
    }
  }
  return plan;
}

// Read, change, write with the etag, again on 412: as a careful console does.
void Console(Story& story, const std::vector<std::string>& targets, uint32_t seed) {
  std::mt19937 random(seed);
  for (int step = 0; step < 12; ++step) {
    const std::string target = targets[random() % targets.size()];
    const bool add = random() % 2 == 0;
    const AccessEntry entry = Entry(Member(add ? "console" : "start", random() % 12));
    while (true) {
      TargetState state = *story.store.Read(target);
      std::vector<AccessEntry> entries = state.entries;
      std::erase(entries, entry);
      if (add) entries.push_back(entry);
      if (!story.store.Write(state, entries).ok()) continue;
      (add ? story.console_adds : story.console_removes)[target].insert(entry.Key());
      break;
    }
  }
}

void Check(Story& story, const std::string& target) {
  const TargetState state = *story.store.Read(target);
  std::set<std::string> keys;
  for (const AccessEntry& entry : state.entries) {
    if (entry.kind != EntryKind::kGrant) continue;
    EXPECT_TRUE(keys.insert(entry.Key()).second) << entry.raw << " twice";
  }
  for (const AccessEntry& opaque : kOpaque) {
    EXPECT_EQ(std::count(state.entries.begin(), state.entries.end(), opaque), 1) << opaque.raw;
  }
  std::set<std::string> expected = story.start[target];
  const auto drop = [&](const std::set<std::string>& gone) {
    for (const std::string& key : gone) expected.erase(key);
  };
  drop(story.told[0][target].removes);
  drop(story.told[1][target].removes);
  drop(story.console_removes[target]);
  for (const auto* added :
       {&story.told[0][target].adds, &story.told[1][target].adds, &story.console_adds[target]}) {
    expected.insert(added->begin(), added->end());
  }
  // A grant that one side adds and the console takes away is decided by who came last: either is right.
  for (const std::string& key : story.console_removes[target]) {
    if (!story.told[0][target].adds.contains(key) && !story.told[1][target].adds.contains(key)) continue;
    expected.erase(key);
    keys.erase(key);
  }
  EXPECT_EQ(keys, expected);
}

int RunStory(uint32_t seed) {
  std::mt19937 random(seed);
  Story story(seed);
  const std::vector<std::string> targets = {"one", "two", "three"};
  SetUp(story, targets, random);
  const GrantPlan plans[2] = {PlanFor(story, 0, targets, random), PlanFor(story, 1, targets, random)};
  const ReadResult states = ReadTargets(story.store, targets, 2, {});
  std::vector<std::thread> threads;
  for (const GrantPlan& plan : plans) {
    threads.emplace_back([&] {
      ApplyOptions options;
      options.parallel = 2;
      options.max_conflicts = 1000;
      const auto results = ApplyPlan(plan, states.states, story.store, options);
      ASSERT_TRUE(results.ok());
      for (const TargetResult& result : *results)
        EXPECT_NE(result.outcome, TargetOutcome::kFailed) << result.error;
    });
  }
  threads.emplace_back([&] { Console(story, targets, seed + 1); });
  for (std::thread& thread : threads) thread.join();
  for (const std::string& target : targets) Check(story, target);
  return story.store.conflicts();
}

TEST(Race, NobodysChangeIsLost) {
  int conflicts = 0;
  if (const char* one = std::getenv("HAKOBU_SEED")) {
    RunStory(static_cast<uint32_t>(std::atoi(one)));
    return;
  }
  for (uint32_t seed = 1; seed <= 200; ++seed) {
    SCOPED_TRACE("HAKOBU_SEED=" + std::to_string(seed));
    conflicts += RunStory(seed);
    if (HasFailure()) return;
  }
  EXPECT_GT(conflicts, 200) << "the stories did not race";
}

GrantPlan AddTo(const std::vector<TargetState>& states) {
  GrantPlan plan;
  for (const TargetState& state : states)
    plan.targets.push_back(PlanTarget(state, {{"user:n@x.com", "reader", "", "f:1", ""}}, {}, {}, {}));
  return plan;
}

TEST(Apply, AFailureStopsNoOtherTarget) {
  MemoryStore store(1);
  for (const char* name : {"a", "b", "c"}) store.Set(name, kOpaque);
  store.Fail("b");
  const ReadResult states = ReadTargets(store, {"a", "b", "c"}, 1, {});
  const auto results = ApplyPlan(AddTo(states.states), states.states, store, {});
  ASSERT_TRUE(results.ok());
  EXPECT_EQ((*results)[0].outcome, TargetOutcome::kApplied);
  EXPECT_EQ((*results)[1].outcome, TargetOutcome::kFailed);
  EXPECT_EQ((*results)[1].error, "not yours");
  EXPECT_EQ((*results)[2].outcome, TargetOutcome::kApplied);
}

TEST(Apply, AReviewedPlanIsRefusedWhenADatasetChangedSince) {
  MemoryStore store(1);
  for (const char* name : {"a", "b"}) store.Set(name, kOpaque);
  const GrantPlan plan = AddTo(ReadTargets(store, {"a", "b"}, 1, {}).states);
  EXPECT_TRUE(CheckEtags(plan, ReadTargets(store, {"a", "b"}, 1, {}).states).ok());
  store.Set("b", kOpaque);
  EXPECT_EQ(CheckEtags(plan, ReadTargets(store, {"a", "b"}, 1, {}).states).message(),
            "changed since the plan was made: b; hint: plan again, and review it");
}

TEST(Apply, ASecondApplyWritesNothing) {
  MemoryStore store(1);
  store.Set("a", kOpaque);
  ReadResult states = ReadTargets(store, {"a"}, 1, {});
  const GrantPlan plan = AddTo(states.states);
  ASSERT_TRUE(ApplyPlan(plan, states.states, store, {}).ok());
  states = ReadTargets(store, {"a"}, 1, {});
  EXPECT_FALSE(AddTo(states.states).HasChanges());
  EXPECT_EQ((*ApplyPlan(plan, states.states, store, {}))[0].outcome, TargetOutcome::kUnchanged);
  EXPECT_EQ(store.writes(), 1);
}

TEST(Pacer, KeepsFiveWritesInTenSecondsToOneTargetAndTheRateOfAll) {
  FakeClock clock;
  CallPacer pacer({}, &clock);
  std::vector<absl::Time> writes, calls;
  for (int at = 0; at < 23; ++at) {
    pacer.WaitForWrite("one");
    writes.push_back(clock.Now());
    calls.push_back(clock.Now());
  }
  for (int at = 0; at < 500; ++at) {
    pacer.WaitForWrite("d" + std::to_string(at));
    calls.push_back(clock.Now());
  }
  for (size_t at = 5; at < writes.size(); ++at) EXPECT_GE(writes[at] - writes[at - 5], absl::Seconds(10));
  for (size_t at = 90; at < calls.size(); ++at) EXPECT_GE(calls[at] - calls[at - 90], absl::Seconds(1));
  EXPECT_EQ(pacer.writes(), 523u);
}

TEST(Drift, SaysWhatChangedSinceWhichApplyAndWho) {
  const auto audit = ParseAuditLog(R"({"timestamp":"2026-05-01T10:00:00Z",)"
                                   R"("protoPayload":{"authenticationInfo":{"principalEmail":"eve@x.com"},)"
                                   R"("resourceName":"projects/p/datasets/d",)"
                                   R"("metadata":{"datasetChange":{"bindingDeltas":[{"action":"ADD",)"
                                   R"("member":"user:New@x.com","role":"roles/bigquery.dataViewer"}]}}}})"
                                   "\n\n"
                                   R"({"timestamp":"2026-05-01T11:00:00Z","protoPayload":{}})");
  ASSERT_TRUE(audit.ok()) << audit.status();
  ASSERT_EQ(audit->size(), 1u);
  const std::map<std::string, Baseline> baselines = {
      {"d", {7, absl::FromUnixSeconds(1'700'000'000), {kOpaque[0], Entry("user:gone@x.com")}}}};
  const auto lines =
      FindDrift(baselines, {{"d", "e", {kOpaque[0], Entry("user:new@x.com")}}, {"other", "e", {}}}, *audit);
  EXPECT_EQ(DriftToText(lines),
            "d (since apply 7 of 2023-11-14T22:13:20Z)\n  - reader user:gone@x.com\n"
            "  + reader user:new@x.com  # eve@x.com at 2026-05-01T10:00:00Z\n2 changed outside of hakobu\n");
  EXPECT_EQ(*EntriesFromJson(EntriesToJson(kOpaque)), kOpaque);
}

}  // namespace
}  // namespace hakobu
