#include "delivery/repair/copy_anew.h"

#include <fmt/format.h>

#include <algorithm>
#include <memory>

#include "base/status.h"
#include "delivery/open_ledger.h"
#include "delivery/recorded_contract.h"

namespace hakobu {
namespace {

bool IsMeant(const std::string& source, const std::string& wanted) {
  return source == wanted || source.ends_with("." + wanted);
}

class Asked {
 public:
  explicit Asked(Ledger* ledger) : ledger_(ledger) {}

  absl::StatusOr<TableAnew> Take(const std::string& wanted) {
    HAKOBU_ASSIGN_OR_RETURN(const std::vector<ContractRecord> contracts, ledger_->contracts().All());
    for (const ContractRecord& record : contracts) {
      if (!IsMeant(record.source, wanted)) continue;
      HAKOBU_ASSIGN_OR_RETURN(const TableContract contract, ContractFromJson(record.contract_json));
      if (contract.mode >= ContractMode::kUpsert) continue;
      HAKOBU_RETURN_IF_ERROR(
          LockFor(LedgerUse::kRun, "wait until `hakobu run` has ended, and say this again"));
      HAKOBU_RETURN_IF_ERROR(ledger_->contracts().BeginSweep(record.target));
      return TableAnew{record.source,
                       contract.mode == ContractMode::kAppend ? AnewBy::kAppend : AnewBy::kRun};
    }
    HAKOBU_ASSIGN_OR_RETURN(const std::vector<StreamTableRecord> records, ledger_->streams().Tables());
    for (const StreamTableRecord& record : records) {
      if (IsMeant(record.source, wanted)) return Forget(record.source);
    }
    return absl::InvalidArgumentError(fmt::format("{} has not been delivered with this ledger", wanted));
  }

 private:
  absl::StatusOr<TableAnew> Forget(const std::string& source) {
    HAKOBU_RETURN_IF_ERROR(LockFor(LedgerUse::kStream, "stop `hakobu stream`, say this again, and start it"));
    const auto forget = [](StreamTableRecord* gone) {
      gone->reason = kCopyAnewReason;
      gone->since = absl::Now();
    };
    HAKOBU_RETURN_IF_ERROR(ledger_->streams().Advance(source, StreamTableEvent::kForget, forget).status());
    return TableAnew{source, AnewBy::kStream};
  }

  absl::Status LockFor(LedgerUse use, std::string_view hint) {
    std::unique_ptr<LedgerLock>& lock = use == LedgerUse::kRun ? run_ : stream_;
    if (lock != nullptr) return absl::OkStatus();
    absl::StatusOr<std::unique_ptr<LedgerLock>> taken = ledger_->Lock(use);
    if (!taken.ok()) return WithHint(taken.status(), hint);
    lock = *std::move(taken);
    return absl::OkStatus();
  }

  Ledger* ledger_;
  std::unique_ptr<LedgerLock> run_;
  std::unique_ptr<LedgerLock> stream_;
};

}  // namespace

absl::StatusOr<std::vector<TableAnew>> CopyAnew(const Config& config,
                                                const std::vector<std::string>& tables) {
  HAKOBU_ASSIGN_OR_RETURN(const std::unique_ptr<Ledger> ledger, OpenLedger(config, ""));
  Asked asked(ledger.get());
  std::vector<TableAnew> taken;
  for (const std::string& wanted : tables) {
    HAKOBU_ASSIGN_OR_RETURN(TableAnew table, asked.Take(wanted));
    taken.push_back(std::move(table));
  }
  return taken;
}

}  // namespace hakobu
