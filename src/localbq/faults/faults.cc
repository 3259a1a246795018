#include "localbq/faults/faults.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>

#include "absl/random/random.h"
#include "absl/time/clock.h"
#include "base/glob.h"
#include "base/status.h"

namespace hakobu::localbq {
namespace {

using nlohmann::json;

bool MatchesPlace(const FaultRule& rule, const Call& call) {
  return (rule.project.empty() || GlobMatches(rule.project, call.project)) &&
         (rule.dataset.empty() || GlobMatches(rule.dataset, call.dataset)) &&
         (rule.table.empty() || GlobMatches(rule.table, call.table));
}

bool Matches(const FaultRule& rule, const Call& call) {
  const auto is_method = [&](const std::string& glob) { return GlobMatches(glob, call.method); };
  if (!rule.methods.empty() && std::ranges::none_of(rule.methods, is_method)) return false;
  return MatchesPlace(rule, call);
}

bool IsOfCalls(FaultKind kind) {
  return kind == FaultKind::kError || kind == FaultKind::kSlow || kind == FaultKind::kDrop ||
         kind == FaultKind::kTruncate;
}

// The same for the same seed, rule and call, whichever thread comes first elsewhere. In [0, 1).
double Draw(uint64_t seed, int64_t rule, int64_t call) {
  uint64_t mixed = seed + static_cast<uint64_t>(rule) * 0x9E3779B97F4A7C15ULL +
                   static_cast<uint64_t>(call) * 0xD1B54A32D192ED03ULL;
  mixed = (mixed ^ (mixed >> 30)) * 0xBF58476D1CE4E5B9ULL;
  mixed = (mixed ^ (mixed >> 27)) * 0x94D049BB133111EBULL;
  return static_cast<double>((mixed ^ (mixed >> 31)) >> 11) * 0x1.0p-53;
}

Call CallOf(const Table& table) {
  return {"AppendRows", table.id.project, table.id.dataset, table.id.table, ""};
}

json Shown(const FaultRule& rule) {
  json shown = {{"id", rule.id}, {"fault", rule.text}};
  if (!rule.methods.empty()) shown["method"] = rule.methods;
  for (const auto& [key, glob] :
       {std::pair{"project", &rule.project}, {"dataset", &rule.dataset}, {"table", &rule.table}}) {
    if (!glob->empty()) shown[key] = *glob;
  }
  if (rule.after != 0) shown["after"] = rule.after;
  if (rule.every != 1) shown["every"] = rule.every;
  if (rule.times != 0) shown["times"] = rule.times;
  if (rule.probability != 1) shown["probability"] = rule.probability;
  if (rule.is_after_effect) shown["when"] = "after";
  if (rule.is_in_band) shown["in_band"] = true;
  if (rule.kind == FaultKind::kError) shown["message"] = rule.message;
  if (rule.kind == FaultKind::kSlow) shown["ms"] = rule.duration_ms;
  if (!IsOfCalls(rule.kind)) shown["seconds"] = static_cast<double>(rule.duration_ms) / 1000;
  if (rule.bytes >= 0) shown["bytes"] = rule.bytes;
  return shown;
}

Effect EffectOf(const FaultRule& rule) {
  Effect effect;
  effect.is_after_effect = rule.is_after_effect || rule.kind == FaultKind::kTruncate;
  effect.is_in_band = rule.is_in_band;
  effect.bytes = rule.bytes;
  if (rule.kind == FaultKind::kDrop) effect.end = Effect::End::kDrop;
  if (rule.kind == FaultKind::kTruncate) effect.end = Effect::End::kTruncate;
  if (rule.kind == FaultKind::kError) {
    effect.end = Effect::End::kError;
    effect.error = absl::Status(rule.code, rule.message);
    effect.reason = rule.reason;
  }
  return effect;
}

}  // namespace

Faults::Faults() : seed_(absl::Uniform<uint32_t>(absl::BitGen())) {}

void Faults::SetActive() {
  is_active_ = !rules_.empty() || quotas_.is_on();
}

void Faults::Add(FaultPlan plan) {
  absl::MutexLock lock(&mutex_);
  if (plan.seed) seed_ = *plan.seed;
  if (plan.quotas) quotas_.Set(*plan.quotas);
  for (const auto& [behaviour, setting] : plan.behaviours) behaviours_.Set(behaviour, setting);
  if (plan.delays) behaviours_.SetLength(*plan.delays);
  behaviours_.Advance(plan.advance);
  for (FaultRule& rule : plan.rules) {
    rule.id = ++last_id_;
    rules_.push_back({std::move(rule)});
  }
  SetActive();
}

void Faults::Clear() {
  absl::MutexLock lock(&mutex_);
  rules_.clear();
  history_.clear();
  last_id_ = 0;
  quotas_.Set({});
  behaviours_.Reset();
  SetActive();
}

bool Faults::Remove(int64_t rule_id) {
  absl::MutexLock lock(&mutex_);
  const bool found =
      std::erase_if(rules_, [&](const Active& active) { return active.rule.id == rule_id; }) > 0;
  SetActive();
  return found;
}

std::string Faults::Describe() const {
  absl::MutexLock lock(&mutex_);
  const QuotaSettings quotas = quotas_.settings();
  json description = {{"seed", seed_}, {"quotas", "off"}, {"rules", json::array()}};
  if (quotas.is_on) description["quotas"] = {{"scale", quotas.scale}, {"windows", quotas.windows}};
  for (const Active& active : rules_) {
    json shown = Shown(active.rule);
    shown["matched"] = active.matched;
    shown["fired"] = active.fired;
    description["rules"].push_back(std::move(shown));
  }
  constexpr std::array kSettings = {"off", "on", "always"};
  for (const BehaviourName& row : BehaviourNames()) {
    description["behaviours"][std::string(row.name)] =
        kSettings[static_cast<size_t>(behaviours_.setting(row.behaviour))];
  }
  description["delays"] = behaviours_.length() == DelayLength::kReal ? "real" : "short";
  description["advanced_seconds"] = absl::ToInt64Seconds(behaviours_.advanced());
  return description.dump(-1, ' ', false, json::error_handler_t::replace);
}

std::string Faults::Summary() const {
  if (!is_active()) return "";
  absl::MutexLock lock(&mutex_);
  return fmt::format("{} rules, seed {}{}", rules_.size(), seed_, quotas_.is_on() ? ", quotas on" : "");
}

bool Faults::Takes(Active* active) {
  const FaultRule& rule = active->rule;
  const int64_t seen = ++active->matched;
  if (seen <= rule.after || (seen - rule.after) % rule.every != 0) return false;
  if (rule.times > 0 && active->fired >= rule.times) return false;
  if (rule.probability < 1 && Draw(seed_, rule.id, seen) >= rule.probability) return false;
  ++active->fired;
  return true;
}

Effect Faults::Decide(const Call& call) {
  absl::MutexLock lock(&mutex_);
  absl::Duration delay = absl::ZeroDuration();
  for (Active& active : rules_) {
    if (!IsOfCalls(active.rule.kind) || !Matches(active.rule, call) || !Takes(&active)) continue;
    if (active.rule.kind == FaultKind::kSlow) {
      delay += absl::Milliseconds(active.rule.duration_ms);
      continue;
    }
    Effect effect = EffectOf(active.rule);
    effect.delay = delay;
    return effect;
  }
  Effect effect;
  effect.delay = delay;
  return effect;
}

Faults::Active* Faults::Find(FaultKind kind, const Call& call) {
  for (Active& active : rules_) {
    const bool spent = active.rule.times > 0 && active.fired >= active.rule.times;
    if (active.rule.kind == kind && !spent && MatchesPlace(active.rule, call)) return &active;
  }
  return nullptr;
}

absl::Duration Faults::IdleClose(const Call& call) {
  absl::MutexLock lock(&mutex_);
  const Active* active = Find(FaultKind::kIdleClose, call);
  return active == nullptr ? absl::ZeroDuration() : absl::Milliseconds(active->rule.duration_ms);
}

void Faults::CountIdleClose(const Call& call) {
  absl::MutexLock lock(&mutex_);
  if (Active* active = Find(FaultKind::kIdleClose, call)) {
    ++active->matched;
    ++active->fired;
  }
}

void Faults::OnTableChanged(const TablePtr& before, const TablePtr& after) {
  tables_.OnTableChanged(before, after);
  if (!is_active()) return;
  const absl::Time now = absl::Now();
  absl::MutexLock lock(&mutex_);
  History& history = history_[(after ? after : before)->id];
  if (!after) {
    history = History();
    history.is_dropped = true;
  } else if (history.is_dropped) {
    history = History();
    history.recreated = now;
  } else if (before && before->schema_version != after->schema_version) {
    history.before = before;
    history.changed = now;
  }
}

TablePtr Faults::StaleTable(const Table& table) {
  if (!is_active()) return nullptr;
  absl::MutexLock lock(&mutex_);
  const auto found = history_.find(table.id);
  if (found == history_.end() || !found->second.before) return nullptr;
  Active* active = Find(FaultKind::kStaleSchema, CallOf(table));
  if (active == nullptr) return nullptr;
  const History& history = found->second;
  const absl::Duration age = absl::Now() - history.changed;
  if (age >= absl::Milliseconds(active->rule.duration_ms) || history.before->generation != table.generation) {
    return nullptr;
  }
  ++active->matched;
  ++active->fired;
  return history.before;
}

bool Faults::IsRecreated(const Table& table) {
  if (!is_active()) return false;
  absl::MutexLock lock(&mutex_);
  const auto found = history_.find(table.id);
  if (found == history_.end()) return false;
  Active* active = Find(FaultKind::kRecreated, CallOf(table));
  if (active == nullptr) return false;
  const absl::Duration age = absl::Now() - found->second.recreated;
  if (age >= absl::Milliseconds(active->rule.duration_ms)) return false;
  ++active->matched;
  ++active->fired;
  return true;
}

void Faults::Stop() {
  if (!is_stopped_.exchange(true)) stopped_.Notify();
}

}  // namespace hakobu::localbq
