// What goes wrong: by itself, as with Google's service (behaviours.h), and on demand: faults and quotas,
// which are off until a rule is set, and then one atomic read for each call.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "absl/synchronization/notification.h"
#include "absl/time/time.h"
#include "localbq/catalog/catalog.h"
#include "localbq/faults/behaviours.h"
#include "localbq/faults/quotas.h"
#include "localbq/faults/rule.h"
#include "localbq/faults/table_history.h"

namespace hakobu::localbq {

// A file of rules, or a request to the admin endpoint.
struct FaultPlan {
  std::optional<uint64_t> seed;  // of the probabilities
  std::optional<QuotaSettings> quotas;
  std::vector<FaultRule> rules;
  std::vector<std::pair<Behaviour, Setting>> behaviours;
  std::optional<DelayLength> delays;
  absl::Duration advance = absl::ZeroDuration();  // of the clock
};
// YAML or JSON. InvalidArgument with every problem at once, each as "NAME:LINE: key: expected …, found …".
absl::StatusOr<FaultPlan> ReadFaultPlan(std::string_view text, std::string_view name);

// What happens to one call.
struct Effect {
  enum class End : uint8_t { kNone, kError, kDrop, kTruncate };
  absl::Duration delay = absl::ZeroDuration();
  End end = End::kNone;
  bool is_after_effect = false, is_in_band = false;
  absl::Status error;  // kError
  std::string reason;  // kError: REST's
  int64_t bytes = -1;  // kTruncate

  bool Is(End wanted, bool after_effect) const { return end == wanted && is_after_effect == after_effect; }
};

// Thread-safe.
class Faults {
 public:
  Faults();

  // The rules of a plan come after those that are there; what else it has replaces.
  void Add(FaultPlan plan);
  void Clear();                  // rules, counts and quotas; behaviours are as Keep left them
  bool Remove(int64_t rule_id);  // false: there is no such rule
  // {"seed", "quotas", "rules": [{"id", "fault", "method", …, "matched", "fired"}], "behaviours": {name:
  // setting}, "delays", "advanced_seconds"}: JSON text.
  std::string Describe() const;
  // "3 rules, seed 42, quotas on"; empty when nothing is set.
  std::string Summary() const;

  // False: nothing is set, and nothing below has an effect.
  bool is_active() const { return is_active_.load(std::memory_order_relaxed); }
  // Counts the call and says what happens to it. The first rule that ends a call does; those after it do not
  // see it. Delays of the rules before add up.
  Effect Decide(const Call& call);
  // As long as the effect says, less when the server stops.
  void Delay(absl::Duration duration) const { (void)stopped_.WaitForNotificationWithTimeout(duration); }
  Quotas& quotas() { return quotas_; }
  Behaviours& behaviours() { return behaviours_; }
  const Behaviours& behaviours() const { return behaviours_; }
  bool Has(Behaviour behaviour) const { return behaviours_.Has(behaviour); }
  TableHistory& tables() { return tables_; }

  // Of kIdleClose; zero: no rule.
  absl::Duration IdleClose(const Call& call);
  void CountIdleClose(const Call& call);
  // The catalog's changes: what kStaleSchema and kRecreated go by. `before`, `after`: null for none.
  void OnTableChanged(const TablePtr& before, const TablePtr& after);
  // The schema that appends still go by, if there is one.
  TablePtr StaleTable(const Table& table);
  bool IsRecreated(const Table& table);

  // Ends all delays, for good.
  void Stop();

 private:
  struct Active {
    FaultRule rule;
    int64_t matched = 0, fired = 0;
  };
  struct History {
    TablePtr before;  // the schema changed from this …
    absl::Time changed = absl::InfinitePast();
    absl::Time recreated = absl::InfinitePast();
    bool is_dropped = false;
  };
  bool Takes(Active* active) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  Active* Find(FaultKind kind, const Call& call) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void SetActive() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  std::atomic<bool> is_active_{false};
  absl::Notification stopped_;
  std::atomic<bool> is_stopped_{false};
  Quotas quotas_;
  Behaviours behaviours_;
  TableHistory tables_{&behaviours_};
  mutable absl::Mutex mutex_;
  uint64_t seed_ ABSL_GUARDED_BY(mutex_);
  int64_t last_id_ ABSL_GUARDED_BY(mutex_) = 0;
  std::vector<Active> rules_ ABSL_GUARDED_BY(mutex_);
  absl::flat_hash_map<TableId, History> history_ ABSL_GUARDED_BY(mutex_);
};

// The effect on an answer that is a plain status (the Storage API's unary calls): delays, and runs `work`
// unless the call ends before it. A dropped answer is UNAVAILABLE "Socket closed", as a client sees it.
template <typename Work>
absl::Status RunWithFaults(Faults& faults, const Call& call, const Work& work) {
  if (!faults.is_active()) return work();
  if (absl::Status charged = faults.quotas().Charge(call); !charged.ok()) return charged;
  const Effect effect = faults.Decide(call);
  faults.Delay(effect.delay);
  const absl::Status dropped = absl::UnavailableError("Socket closed");
  if (effect.Is(Effect::End::kError, false)) return effect.error;
  if (effect.Is(Effect::End::kDrop, false)) return dropped;
  absl::Status status = work();
  if (!status.ok() || effect.end == Effect::End::kNone) return status;
  return effect.end == Effect::End::kError ? effect.error : dropped;
}

}  // namespace hakobu::localbq
