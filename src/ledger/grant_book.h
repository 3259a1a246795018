// What `hakobu grants` did: every apply, each dataset's part of it, the grants that hakobu answers for, and
// how each dataset was left. In the ledger's file, as durable as the rest of it.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "ledger/session.h"

namespace hakobu {

struct GrantApplyRecord {
  int64_t id = 0;  // 1, 2, …; given by StartApply
  absl::Time started{};
  absl::Time finished{};  // InfinitePast: it never ended
  std::string project{};
  std::string caller{};
  std::string reason{};
  std::string commit{};     // of the CSV, when it is in git
  std::string state{};      // "running", "done", "failed"
  std::string plan_json{};  // without the targets that had nothing to do
  std::string error{};
};

struct GrantTargetRecord {
  int64_t apply_id = 0;
  std::string target{};   // "dataset" or "dataset.table"
  std::string outcome{};  // "unchanged", "applied", "refused", "failed"
  std::string etag_before{};
  std::string etag_after{};
  std::string entries_json{};  // the access list after, as a JSON array
  std::string error{};
};

// Thread-safe.
class GrantBook {
 public:
  explicit GrantBook(LedgerFile* file) : file_(file) {}

  // Before anything is written to BigQuery: the apply and, in the same transaction, the grants it answers for
  // from now on ("role member" by target), so that an apply that dies is not forgotten.
  absl::StatusOr<int64_t> StartApply(const GrantApplyRecord& apply,
                                     const std::map<std::string, std::vector<std::string>>& stated);
  // One target is done: how it was left. `released`: grants hakobu no longer answers for.
  absl::Status RecordTarget(const GrantTargetRecord& record, const std::vector<std::string>& released);
  absl::Status FinishApply(int64_t id, absl::Time finished, const std::string& state,
                           const std::string& error);

  absl::StatusOr<std::vector<GrantApplyRecord>> Applies(const std::string& project, size_t newest);
  absl::StatusOr<std::vector<GrantTargetRecord>> Targets(int64_t apply_id);
  // target -> "role member" -> the apply that made it its own.
  absl::StatusOr<std::map<std::string, std::map<std::string, int64_t>>> Managed(const std::string& project);
  // target -> how the last apply that reached it left it.
  absl::StatusOr<std::map<std::string, GrantTargetRecord>> Baselines(const std::string& project);

 private:
  LedgerFile* file_;
};

}  // namespace hakobu
