// What each target was delivered from, as and to: one contract a target, the newest.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "ledger/session.h"

namespace hakobu {

struct ContractRecord {
  std::string target{};         // "project.dataset.table"
  std::string source{};         // "shop.members"
  std::string contract_json{};  // delivery/contract's ContractToJson
  // The rows are being put in place anew, or somebody has asked for it: once they are, those that did not
  // come are to go.
  bool sweep = false;
  absl::Time stored = absl::InfinitePast();
};

// Thread-safe.
class ContractBook {
 public:
  explicit ContractBook(LedgerFile* file) : file_(file) {}

  absl::StatusOr<std::optional<ContractRecord>> Find(const std::string& target);
  absl::StatusOr<std::vector<ContractRecord>> All();  // by target
  absl::Status Store(const ContractRecord& record);
  // The same, but whether rows are to go stays as it was.
  absl::Status StoreButSweep(ContractRecord record);
  absl::Status BeginSweep(const std::string& target);  // of a contract that is there
  absl::Status EndSweep(const std::string& target);

 private:
  LedgerFile* file_;
};

}  // namespace hakobu
