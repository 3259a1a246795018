#include "grants/store.h"

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>

#include "absl/synchronization/mutex.h"
#include "base/status.h"
#include "destination/rest.h"
#include "destination/retry.h"
#include "destination/tables.h"

namespace hakobu {
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

}  // namespace hakobu
