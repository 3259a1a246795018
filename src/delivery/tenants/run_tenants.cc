#include "delivery/tenants/run_tenants.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <deque>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>

#include "absl/synchronization/blocking_counter.h"
#include "base/crash_point.h"
#include "base/elastic_threads.h"
#include "base/log.h"
#include "base/status.h"
#include "config/tenants/resolve.h"
#include "config/value.h"
#include "delivery/governed/run_gate.h"
#include "delivery/move/retry.h"
#include "delivery/open_ledger.h"
#include "delivery/outage/watch.h"
#include "delivery/preflight/selection.h"
#include "delivery/run_tables.h"
#include "delivery/table_report.h"
#include "delivery/tenants/shared_table.h"
#include "delivery/tenants/tenant_delivery.h"

namespace hakobu {
namespace {

constexpr size_t kTablesUnderWay = 2;

Config WithoutTables(const Config& config) {
  Config base = config;
  base.tables.clear();
  base.tiers.clear();
  base.tenants.reset();
  base.written.reset();
  return base;
}

Config WithSharedTables(const Config& config) {
  Config shared = config;
  std::erase_if(shared.tables, IsOwn);
  return shared;
}

std::string ScansJson(const NobodyRows& nobody) {
  return nlohmann::json(nobody.values).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

// The tables that tenants share, of one run.
class SharedTables {
 public:
  SharedTables(const Config& config, const RunOptions& options, const std::vector<bool>& chosen,
               const Cancellation& cancel, Ledger* ledger, OutageWatch* outages)
      : config_(WithSharedTables(config)),
        base_(WithoutTables(config)),
        chosen_(chosen),
        destinations_(options, &cancel, outages->of(OutageSubject::kBigQuery)),
        context_{.config = &config_,
                 .base = &base_,
                 .options = options,
                 .cancel = &cancel,
                 .ledger = ledger,
                 .destinations = &destinations_} {
    run_.config = &config_;
    run_.options = options;
    run_.cancel = &cancel;
    run_.clock = options.clock;
    run_.ledger = ledger;
    run_.connect = SourceOptions(config.source, &cancel, outages->of(OutageSubject::kSource));
    for (uint32_t i = 0; i < config_.tenants->list.size(); ++i) {
      const bool shares = chosen[i] && !config_.tenants->list[i].values.empty();
      tenants_.push_back(shares ? std::make_unique<TenantDelivery>(&context_, i) : nullptr);
    }
  }

  // What is wrong with all of it, before anything is delivered.
  absl::Status Deliver(TenantsReport* report) {
    HAKOBU_RETURN_IF_ERROR(Plan(report));
    {
      RunGate gate(&run_, scans_);
      run_.gate = &gate;
      gate.Start();
      ScanAndDeliver(report);
      gate.Stop();
      run_.gate = nullptr;
      report->pace = gate.report();
    }
    return Finish(report);
  }

  std::unique_ptr<TenantDelivery>& tenant(size_t place) { return tenants_[place]; }

 private:
  absl::Status Plan(TenantsReport* report) {
    SourceLease lease(run_.source());
    HAKOBU_ASSIGN_OR_RETURN(Connection * source, lease.Get());
    Findings findings;
    const Selection selection = Select(config_, run_.options.tables, DeliveredBy::kRun, source, &findings);
    for (const Finding& finding : findings.list()) {
      if (finding.level != FindingLevel::kProblem) continue;
      if (!finding.concerns_table()) return finding.ToStatus();
      Trouble(finding.subject, finding.ToStatus(), report);
    }
    for (const LeftOutTable& table : selection.left_out)
      report->notes.push_back(fmt::format("{} is left out: {}", table.name, table.reason));
    HAKOBU_RETURN_IF_ERROR(StartRun(report));
    for (const TableWork& work : selection.tables) {
      absl::Status status = PlanTable(source, work);
      if (PassesByItself(status)) return status;
      if (!status.ok()) Trouble(work.name, status, report);
    }
    return absl::OkStatus();
  }

  absl::Status StartRun(TenantsReport* report) {
    HAKOBU_ASSIGN_OR_RETURN(const std::vector<RunRecord> unfinished, run_.ledger->runs().UnfinishedRuns());
    for (const RunRecord& dead : unfinished)
      HAKOBU_RETURN_IF_ERROR(run_.ledger->runs().SetRunState(dead.id, RunState::kAbandoned));
    run_.run_id = NewRunId(report->started);
    report->run_id = run_.run_id;
    return run_.ledger->runs().StartRun({.id = run_.run_id, .started = report->started, .pid = getpid()});
  }

  absl::Status PlanTable(Connection* source, const TableWork& work) {
    std::map<size_t, absl::Status> refused;
    HAKOBU_ASSIGN_OR_RETURN(std::vector<std::unique_ptr<SharedTable>> scans,
                            PlanScans(config_, work, chosen_, &refused));
    for (const auto& [place, status] : refused) tenants_[place]->Refuse(work.name, status);
    for (std::unique_ptr<SharedTable>& scan : scans) {
      HAKOBU_ASSIGN_OR_RETURN(std::unique_ptr<TableRun> table, BeginScan(&run_, source, scan->work));
      scans_.push_back(std::move(table));
      shared_.push_back(std::move(scan));
    }
    return absl::OkStatus();
  }

  // A table that nobody gets.
  void Trouble(const std::string& source, const absl::Status& status, TenantsReport* report) {
    report->scans.push_back(
        {.source = source, .column = "", .nobody = {}, .error = std::string(View(status.message()))});
    for (const auto& tenant : tenants_) {
      if (tenant != nullptr) tenant->Refuse(source, status);
    }
  }

  void ScanAndDeliver(TenantsReport* report) {
    ElasticThreads senders(config_.tenants->deliveries);
    std::deque<std::unique_ptr<absl::BlockingCounter>> under_way;
    std::deque<std::shared_ptr<SharedTable>> sent;
    const auto wait_for_oldest = [&] {
      under_way.front()->Wait();
      under_way.pop_front();
      sent.front()->spool.reset();
      sent.pop_front();
    };
    for (size_t i = 0; i < shared_.size() && !run_.cancel->cancelled(); ++i) {
      if (under_way.size() >= kTablesUnderWay) wait_for_oldest();
      const std::shared_ptr<SharedTable> table = std::move(shared_[i]);
      if (!Scan(scans_[i].get(), table.get(), report)) continue;
      under_way.push_back(Send(table, &senders));
      sent.push_back(table);
    }
    while (!under_way.empty()) wait_for_oldest();
  }

  // False: nothing of the table may be delivered.
  bool Scan(TableRun* scan, SharedTable* table, TenantsReport* report) {
    absl::Status status = ScanTable(&run_, scan, table);
    if (status.ok()) status = KeepScan(scan, *table);
    if (!status.ok()) {
      table->report.error = std::string(View(status.message()));
      scan->stopped = true;
      absl::MutexLock lock(&scan->mutex);
      scan->record.error = table->report.error;
      const RunTableEvent event = run_.cancel->cancelled() ? RunTableEvent::kCancel : RunTableEvent::kFail;
      const absl::Status noted = run_.ledger->runs().AdvanceTable(&scan->record, event);
      if (!noted.ok()) report->notes.push_back(std::string(View(noted.message())));
    }
    report->scans.push_back(table->report);
    if (status.ok()) return true;
    for (size_t i = 0; i < tenants_.size(); ++i) {
      if (tenants_[i] != nullptr && table->served[i] && !run_.cancel->cancelled())
        tenants_[i]->Refuse(table->work.name, status);
    }
    return false;
  }

  absl::Status KeepScan(TableRun* scan, const SharedTable& table) {
    const ScanReport& found = table.report;
    HAKOBU_RETURN_IF_ERROR(run_.ledger->tenants().KeepScan({.run_id = run_.run_id,
                                                            .source = found.source,
                                                            .scanned = found.scanned,
                                                            .handed_out = found.handed_out,
                                                            .null_rows = found.nobody.null_rows,
                                                            .unknown_rows = found.nobody.unknown_rows,
                                                            .elsewhere = found.elsewhere,
                                                            .values_json = ScansJson(found.nobody)}));
    absl::MutexLock lock(&scan->mutex);
    scan->record.rows = scan->rows;
    scan->record.bytes = scan->bytes;
    scan->record.seconds = absl::ToDoubleSeconds(run_.clock->Now() - scan->started);
    HAKOBU_RETURN_IF_ERROR(run_.ledger->runs().AdvanceTable(&scan->record, RunTableEvent::kPublish));
    return run_.ledger->runs().AdvanceTable(&scan->record, RunTableEvent::kPublished);
  }

  std::unique_ptr<absl::BlockingCounter> Send(const std::shared_ptr<SharedTable>& table,
                                              ElasticThreads* senders) {
    std::vector<TenantDelivery*> tenants;
    for (size_t i = 0; i < tenants_.size(); ++i) {
      if (tenants_[i] != nullptr && table->served[i]) tenants.push_back(tenants_[i].get());
    }
    auto left = std::make_unique<absl::BlockingCounter>(static_cast<int>(tenants.size()));
    for (TenantDelivery* tenant : tenants) {
      senders->Post([tenant, table, counter = left.get()] {
        tenant->Deliver(*table);
        counter->DecrementCount();
      });
    }
    return left;
  }

  absl::Status Finish(TenantsReport* report) {
    const LoadCounters load = run_.load.sum();
    report->source_load.statements = load.statements;
    report->source_load.rows_examined = load.rows_examined;
    std::string error;
    for (const ScanReport& scan : report->scans) {
      if (error.empty()) error = scan.error;
    }
    const RunState state = run_.cancel->cancelled() ? RunState::kCancelled
                           : error.empty()          ? RunState::kDone
                                                    : RunState::kFailed;
    CrashPoint("run.finishing");
    return run_.ledger->runs().FinishRun(run_.run_id, state, run_.clock->Now(), error, "");
  }

  const Config config_;
  const Config base_;
  const std::vector<bool>& chosen_;
  DestinationPool destinations_;
  const TenantsContext context_;
  RunContext run_;
  TableRuns scans_;
  std::vector<std::unique_ptr<SharedTable>> shared_;      // beside scans_
  std::vector<std::unique_ptr<TenantDelivery>> tenants_;  // by place; null where nothing is shared with it
};

absl::Status LookForDataset(const DestinationConfig& destination, const RunOptions& options,
                            const Cancellation& cancel) {
  HAKOBU_ASSIGN_OR_RETURN(const Destination sides, OpenDestination(destination, options.addresses,
                                                                   options.clock, &cancel, options.patience));
  const absl::Status found = GetDataset(*sides.rest, {destination.project, destination.dataset}).status();
  return found.code() == absl::StatusCode::kNotFound ? MissingDataset(destination) : found;
}

// One after the other, each with the ledger to itself, as if nobody else were there.
TenantReport DeliverOwn(const Config& config, const TenantConfig& tenant, RunOptions options,
                        const Cancellation& cancel) {
  TenantReport report{.id = tenant.id, .reason = "", .parked = false, .run = {}};
  const Config own = OwnConfig(config, tenant);
  options.tenant = tenant.id;
  const absl::Status there =
      config.tenants->create_datasets ? absl::OkStatus() : LookForDataset(own.destination, options, cancel);
  absl::StatusOr<RunReport> delivered =
      there.ok() ? Run(own, options, nullptr, cancel) : absl::StatusOr<RunReport>(there);
  const absl::Time began = delivered.ok() ? delivered->started : options.clock->Now();
  if (delivered.ok()) {
    report.run = *std::move(delivered);
    for (const TableReport& table : report.run.tables) {
      if (report.reason.empty()) report.reason = table.error;
    }
  } else {
    report.parked = true;
    report.reason = std::string(View(delivered.status().message()));
    report.run.state = "failed";
    report.run.started = report.run.finished = began;
  }
  const bool whole = options.tables.empty() || report.parked || report.run.state != "done";
  if (cancel.cancelled() || !whole) return report;  // a part that went well says nothing of the rest
  const absl::StatusOr<std::unique_ptr<Ledger>> ledger = OpenLedger(own, options.ledger_path);
  absl::Status noted = ledger.status();
  if (noted.ok()) {
    const TenantState state =
        report.run.state == "done" && !report.parked ? TenantState::kDelivered : TenantState::kParked;
    noted = (*ledger)->tenants().Note(tenant.id, report.run.run_id, state, report.reason, began);
  }
  if (!noted.ok()) report.run.notes.push_back(std::string(View(noted.message())));
  return report;
}

absl::Status DeliverShared(const Config& config, const RunOptions& options, const std::vector<bool>& chosen,
                           const Cancellation& cancel, TenantsReport* report,
                           std::vector<std::optional<TenantReport>>* tenants) {
  HAKOBU_ASSIGN_OR_RETURN(const std::string ledger_path, LedgerPath(config, options.ledger_path));
  OutageWatch outages({.command = "run",
                       .ledger_path = ledger_path,
                       .doing = [](OutageSubject) { return "it is tried again every few seconds"; },
                       .each_second = {},
                       .clock = options.clock});
  HAKOBU_ASSIGN_OR_RETURN(
      const std::unique_ptr<Ledger> ledger,
      OpenLedger(
          config, options.ledger_path,
          {.patience = options.patience, .cancel = &cancel, .outages = outages.of(OutageSubject::kLedger)}));
  HAKOBU_ASSIGN_OR_RETURN(const std::unique_ptr<LedgerLock> lock, ledger->Lock(LedgerUse::kRun));
  SharedTables shared(config, options, chosen, cancel, ledger.get(), &outages);
  HAKOBU_RETURN_IF_ERROR(shared.Deliver(report));
  for (size_t i = 0; i < tenants->size(); ++i) {
    if (shared.tenant(i) != nullptr) (*tenants)[i] = shared.tenant(i)->Finish();
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<std::vector<bool>> ChooseTenants(const Config& config, const std::vector<std::string>& names) {
  const std::vector<TenantConfig>& list = config.tenants->list;
  std::vector<bool> chosen(list.size(), names.empty());
  std::vector<std::string> ids;
  for (const TenantConfig& tenant : list) ids.push_back(tenant.id);
  for (const std::string& name : names) {
    bool found = false;
    for (size_t i = 0; i < list.size(); ++i) {
      const bool meant = list[i].id == name || (!list[i].tier.empty() && name == "tier:" + list[i].tier);
      if (meant) found = chosen[i] = true;
    }
    if (found) continue;
    return WithHint(absl::InvalidArgumentError(
                        fmt::format("expected the id of a tenant, or tier:NAME, found \"{}\"", name)),
                    DidYouMean(name, ids));
  }
  return chosen;
}

absl::StatusOr<TenantsReport> RunTenants(const Config& config, const RunOptions& options,
                                         const std::vector<std::string>& tenants,
                                         const Cancellation& cancel) {
  HAKOBU_ASSIGN_OR_RETURN(const std::vector<bool> chosen, ChooseTenants(config, tenants));
  const std::vector<TenantConfig>& list = config.tenants->list;
  TenantsReport report;
  report.started = options.clock->Now();
  std::vector<std::optional<TenantReport>> reports(list.size());
  bool shares = false;
  for (size_t i = 0; i < list.size(); ++i) shares |= chosen[i] && !list[i].values.empty();
  if (shares) HAKOBU_RETURN_IF_ERROR(DeliverShared(config, options, chosen, cancel, &report, &reports));
  for (size_t i = 0; i < list.size() && !cancel.cancelled(); ++i) {
    if (chosen[i] && !list[i].database.empty()) reports[i] = DeliverOwn(config, list[i], options, cancel);
  }
  for (std::optional<TenantReport>& tenant : reports) {
    if (tenant.has_value()) report.tenants.push_back(*std::move(tenant));
  }
  report.finished = options.clock->Now();
  report.state = cancel.cancelled() ? "cancelled" : "done";
  const absl::Duration limit = config.limits.finish_within;
  const bool late = limit > absl::ZeroDuration() && report.finished - report.started > limit;
  for (TenantReport& tenant : report.tenants) tenant.run.late |= late;
  return report;
}

}  // namespace hakobu
