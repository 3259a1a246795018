#include "destination/recent_ddl.h"

namespace hakobu {

void RecentDdl::Note(std::string_view table, absl::Time now) {
  absl::MutexLock lock(&mutex_);
  std::erase_if(changed_, [&](const auto& each) { return each.second < now - kHiddenAfterDdl; });
  changed_.insert_or_assign(std::string(table), now);
}

void RecentDdl::Forget(std::string_view table) {
  absl::MutexLock lock(&mutex_);
  const auto found = changed_.find(table);
  if (found != changed_.end()) changed_.erase(found);
}

bool RecentDdl::MayBeHidden(std::string_view table, absl::Time now) const {
  absl::MutexLock lock(&mutex_);
  const auto found = changed_.find(table);
  return found != changed_.end() && now - found->second < kHiddenAfterDdl;
}

}  // namespace hakobu
