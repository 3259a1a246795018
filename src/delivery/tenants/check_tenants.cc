#include "delivery/tenants/check_tenants.h"

#include <fmt/format.h>

#include <memory>

#include "base/status.h"
#include "config/tenants/resolve.h"
#include "delivery/preflight/check_destination.h"
#include "delivery/preflight/check_source.h"
#include "delivery/preflight/preflight.h"
#include "delivery/preflight/selection.h"
#include "delivery/tenants/shared_table.h"

namespace hakobu {
namespace {

constexpr absl::Duration kCheckPatience = absl::Seconds(10);

void TakeOver(const Findings& from, const std::string& tenant, Findings* to) {
  for (const Finding& finding : from.list()) {
    const std::string subject = fmt::format("{} {}", tenant, finding.subject);
    if (finding.level == FindingLevel::kProblem) {
      to->AddStatus(subject, finding.ToStatus());
    } else {
      to->Add(finding.level, subject, finding.text, finding.hint);
    }
  }
}

class TenantsCheck {
 public:
  TenantsCheck(const Config& config, const std::vector<bool>& chosen, const DestinationAddresses& addresses,
               const Cancellation& cancel)
      : config_(config), chosen_(chosen), addresses_(addresses), cancel_(cancel) {}

  Findings Check() {
    CheckShared();
    const std::vector<TenantConfig>& list = config_.tenants->list;
    for (size_t i = 0; i < list.size() && !cancel_.cancelled(); ++i) {
      if (!chosen_[i]) continue;
      Findings own;
      if (list[i].database.empty()) {
        CheckTenant(list[i], &own);
      } else {
        own = CheckEverything(OwnConfig(config_, list[i]), addresses_, cancel_);
      }
      if (!own.has_problems()) findings_.Add(FindingLevel::kOk, list[i].id, "can be delivered to");
      TakeOver(own, list[i].id, &findings_);
    }
    return std::move(findings_);
  }

 private:
  void CheckShared() {
    Config shared = config_;
    std::erase_if(shared.tables, IsOwn);
    if (shared.tables.empty()) return;
    const std::unique_ptr<Connection> source = CheckServer(config_, &cancel_, &findings_);
    if (source == nullptr) return;
    Selection selection = Select(shared, {}, DeliveredBy::kRun, source.get(), &findings_);
    NoteLeftOut(selection, &findings_);
    CheckAccount(shared, selection.tables, source.get(), &findings_);
    for (TableWork& work : selection.tables) {
      std::map<size_t, absl::Status> refused;
      const auto scans = PlanScans(config_, work, chosen_, &refused);
      for (const auto& [place, status] : refused)
        findings_.AddStatus(fmt::format("{}: {}", config_.tenants->list[place].id, work.name), status);
      if (!scans.ok()) {
        findings_.AddStatus(work.name, scans.status());
        continue;
      }
      uint64_t tenants = 0;
      for (const auto& scan : *scans) tenants += scan->report.tenants;
      findings_.Add(FindingLevel::kOk, work.name,
                    fmt::format("shared by {} tenants, {} scan{}", tenants, scans->size(),
                                scans->size() == 1 ? "" : "s"));
      tables_.push_back(std::move(work));
    }
  }

  void CheckTenant(const TenantConfig& tenant, Findings* own) {
    Config config = config_;
    config.destination = DestinationOf(config_, tenant);
    config.tenants.reset();
    std::vector<TableWork> works;
    for (const TableWork& table : tables_) {
      const TableRule* rule = FindRule(config_, table.source.database, table.source.name);
      if (rule == nullptr) continue;
      TableWork work;
      work.name = table.name;
      work.source = table.source;
      work.options = TenantOptions(config_, tenant, *rule,
                                   OptionsFor(config_, *rule, table.source.database, table.source.name));
      const absl::Status mapped = MapTable(config, &work);
      own->AddStatus(work.name, mapped);
      if (mapped.ok()) works.push_back(std::move(work));
    }
    absl::StatusOr<Destination> destination =
        OpenDestination(config.destination, addresses_, Clock::Real(), &cancel_, kCheckPatience);
    if (!destination.ok()) return own->AddStatus("destination", destination.status());
    CheckDestination(config, &*destination, &works, {}, own);
  }

  const Config& config_;
  const std::vector<bool>& chosen_;
  const DestinationAddresses& addresses_;
  const Cancellation& cancel_;
  std::vector<TableWork> tables_;
  Findings findings_;
};

}  // namespace

Findings CheckTenants(const Config& config, const std::vector<bool>& chosen,
                      const DestinationAddresses& addresses, const Cancellation& cancel) {
  return TenantsCheck(config, chosen, addresses, cancel).Check();
}

}  // namespace hakobu
