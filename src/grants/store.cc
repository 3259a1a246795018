#include "grants/store.h"

#include <algorithm>
#include <deque>
#include <map>
#include <nlohmann/json.hpp>
#include <thread>

#include "absl/synchronization/mutex.h"
#include "base/status.h"
#include "destination/rest.h"
#include "destination/retry.h"
#include "destination/tables.h"

namespace hakobu {

struct CallPacer::State {
  const Limits limits;
  Clock* const clock;
  mutable absl::Mutex mutex;
  std::deque<absl::Time> calls ABSL_GUARDED_BY(mutex);
  std::map<std::string, std::deque<absl::Time>> writes_to ABSL_GUARDED_BY(mutex);
  size_t reads ABSL_GUARDED_BY(mutex) = 0;
  size_t writes ABSL_GUARDED_BY(mutex) = 0;

  State(Limits limits_in, Clock* clock_in) : limits(limits_in), clock(clock_in) {}

  // Zero when another call may go now; else how long until the window has room.
  static absl::Duration Delay(std::deque<absl::Time>* times, int limit, absl::Duration window,
                              absl::Time now) {
    while (!times->empty() && times->front() + window <= now) times->pop_front();
    if (times->size() < static_cast<size_t>(limit)) return absl::ZeroDuration();
    return times->front() + window - now;
  }

  void Wait(const std::string* target) {
    while (true) {
      absl::Duration delay;
      {
        absl::MutexLock lock(&mutex);
        const absl::Time now = clock->Now();
        delay = Delay(&calls, limits.per_second, absl::Seconds(1), now);
        if (target != nullptr) {
          delay = std::max(delay, Delay(&writes_to[*target], limits.per_target, limits.window, now));
        }
        if (delay <= absl::ZeroDuration()) {
          calls.push_back(now);
          if (target != nullptr) writes_to[*target].push_back(now);
          ++(target == nullptr ? reads : writes);
          return;
        }
      }
      clock->Sleep(delay);
    }
  }
};

CallPacer::CallPacer(Limits limits, Clock* clock) : state_(std::make_unique<State>(limits, clock)) {}
CallPacer::~CallPacer() = default;
void CallPacer::WaitForRead() {
  state_->Wait(nullptr);
}
void CallPacer::WaitForWrite(const std::string& target) {
  state_->Wait(&target);
}
size_t CallPacer::reads() const {
  absl::MutexLock lock(&state_->mutex);
  return state_->reads;
}
size_t CallPacer::writes() const {
  absl::MutexLock lock(&state_->mutex);
  return state_->writes;
}

namespace {

class BigqueryStore : public AccessStore {
 public:
  explicit BigqueryStore(const BigqueryStoreOptions& options) : options_(options) {
    policy_.max_elapsed = options.patience;
  }

  absl::StatusOr<std::vector<std::string>> Datasets() override {
    HAKOBU_ASSIGN_OR_RETURN(const std::vector<DatasetName> names, Paced([&] {
                              options_.pacer->WaitForRead();
                              return ListDatasets(*options_.rest, options_.project);
                            }));
    std::vector<std::string> datasets;
    for (const DatasetName& name : names) datasets.push_back(name.dataset);
    std::sort(datasets.begin(), datasets.end());
    return datasets;
  }

  absl::StatusOr<TargetState> Read(const std::string& target) override {
    return Paced([&]() -> absl::StatusOr<TargetState> {
      options_.pacer->WaitForRead();
      TargetState state{target, "", {}};
      if (const size_t dot = target.find('.'); dot != std::string::npos) {
        HAKOBU_ASSIGN_OR_RETURN(const std::string policy, GetTablePolicy(*options_.rest, Table(target)));
        // The policy itself stands for its etag: a write starts from it.
        HAKOBU_ASSIGN_OR_RETURN(state.entries, ReadTableAccess(policy));
        state.etag = nlohmann::json::parse(policy, nullptr, false).value("etag", "");
        absl::MutexLock lock(&mutex_);
        policies_[target] = policy;
        return state;
      }
      HAKOBU_ASSIGN_OR_RETURN(const Resource resource,
                              GetDataset(*options_.rest, {options_.project, target}));
      state.etag = resource.etag;
      auto entries = ReadDatasetAccess(resource.json);
      if (!entries.ok()) return Annotate(entries.status(), "read the access list of " + target);
      state.entries = *std::move(entries);
      return state;
    });
  }

  absl::StatusOr<std::string> Write(const TargetState& before,
                                    const std::vector<AccessEntry>& entries) override {
    return Paced([&]() -> absl::StatusOr<std::string> {
      options_.pacer->WaitForWrite(before.target);
      if (before.target.find('.') != std::string::npos) return WriteTable(before, entries);
      HAKOBU_ASSIGN_OR_RETURN(const Resource resource,
                              PatchDataset(*options_.rest, {options_.project, before.target},
                                           DatasetAccessPatch(entries), before.etag));
      return resource.etag;
    });
  }

 private:
  template <typename Call>
  auto Paced(Call&& call) -> decltype(call()) {
    const RetryContext context{options_.clock, options_.cancellation, {}};
    return Retry(policy_, context, Idempotency::kIdempotent, call);
  }

  TableName Table(const std::string& target) const {
    const size_t dot = target.find('.');
    return {options_.project, target.substr(0, dot), target.substr(dot + 1)};
  }

  absl::StatusOr<std::string> WriteTable(const TargetState& before, const std::vector<AccessEntry>& entries) {
    std::string policy;
    {
      absl::MutexLock lock(&mutex_);
      policy = policies_[before.target];
    }
    HAKOBU_ASSIGN_OR_RETURN(std::string wanted, TablePolicy(policy, entries));
    auto document = nlohmann::ordered_json::parse(wanted);
    document["etag"] = before.etag;
    HAKOBU_ASSIGN_OR_RETURN(const std::string after,
                            SetTablePolicy(*options_.rest, Table(before.target), document.dump()));
    return nlohmann::json::parse(after, nullptr, false).value("etag", "");
  }

  const BigqueryStoreOptions options_;
  RetryPolicy policy_;
  absl::Mutex mutex_;
  std::map<std::string, std::string> policies_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace

std::unique_ptr<AccessStore> OpenBigqueryStore(const BigqueryStoreOptions& options) {
  return std::make_unique<BigqueryStore>(options);
}

ReadResult ReadTargets(AccessStore& store, const std::vector<std::string>& targets, int parallel,
                       const std::function<void(size_t)>& progress) {
  std::vector<absl::StatusOr<TargetState>> answers(targets.size(), absl::UnknownError("not read"));
  absl::Mutex mutex;
  size_t next = 0, done = 0;
  const auto work = [&] {
    while (true) {
      size_t at;
      {
        absl::MutexLock lock(&mutex);
        if (next >= targets.size()) return;
        at = next++;
      }
      answers[at] = store.Read(targets[at]);
      absl::MutexLock lock(&mutex);
      if (progress) progress(++done);
    }
  };
  std::vector<std::thread> threads;
  const size_t count = std::min<size_t>(static_cast<size_t>(std::max(parallel, 1)), targets.size());
  for (size_t at = 0; at < count; ++at) threads.emplace_back(work);
  for (std::thread& thread : threads) thread.join();
  ReadResult result;
  for (size_t at = 0; at < targets.size(); ++at) {
    if (answers[at].ok())
      result.states.push_back(*std::move(answers[at]));
    else
      result.failed.emplace_back(targets[at], answers[at].status());
  }
  return result;
}

}  // namespace hakobu
