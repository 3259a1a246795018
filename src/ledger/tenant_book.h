// How tenants stand, and what scans of the tables that they share found.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "base/enum_name.h"
#include "ledger/session.h"

namespace hakobu {

// kParked: the newest run could not deliver all of its tables to it; the next one tries again.
enum class TenantState : uint8_t { kDelivered, kParked };
inline constexpr std::string_view kTenantStateNames[] = {"delivered", "parked"};
constexpr std::span<const std::string_view> NamesOf(TenantState) {
  return kTenantStateNames;
}

struct TenantRecord {
  std::string id{};
  TenantState state = TenantState::kDelivered;
  std::string reason{};    // why it is parked
  absl::Time since{};      // since when it is in that state
  absl::Time delivered{};  // when the newest run began that delivered everything; InfinitePast: none
  std::string run_id{};    // its newest run
};

// One scan of one shared table. scanned = handed_out + null_rows + unknown_rows + elsewhere.
struct ScanRecord {
  std::string run_id{};
  std::string source{};
  uint64_t scanned = 0;
  uint64_t handed_out = 0;
  uint64_t null_rows = 0;
  uint64_t unknown_rows = 0;
  uint64_t elsewhere = 0;     // of tenants that another scan serves
  std::string values_json{};  // unknown values and their rows
};

// Thread-safe.
class TenantBook {
 public:
  explicit TenantBook(LedgerFile* file) : file_(file) {}

  // `delivered`: everything, by a run that began at `began`. `since` moves only when the state changes.
  absl::Status Note(const std::string& id, const std::string& run_id, TenantState state,
                    const std::string& reason, absl::Time began);
  absl::StatusOr<std::optional<TenantRecord>> Find(const std::string& id);
  absl::StatusOr<std::vector<TenantRecord>> All();  // in the order of their ids

  absl::Status KeepScan(const ScanRecord& record);
  absl::StatusOr<std::vector<ScanRecord>> Scans(const std::string& run_id);

 private:
  LedgerFile* file_;
};

}  // namespace hakobu
