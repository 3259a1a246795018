#include "delivery/tenants/tenant_delivery.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>

#include "absl/cleanup/cleanup.h"
#include "base/crash_point.h"
#include "base/log.h"
#include "base/status.h"
#include "config/tenants/resolve.h"
#include "delivery/chunk_delivery.h"
#include "delivery/engine.h"
#include "delivery/move/chunk_read.h"
#include "delivery/prepare.h"
#include "delivery/probe/answers.h"
#include "delivery/run_tables.h"
#include "delivery/staging.h"
#include "delivery/table_report.h"

namespace hakobu {

absl::StatusOr<Destination> DestinationPool::Get(const DestinationConfig& destination) {
  const CredentialConfig& credentials = destination.credentials;
  const std::string key =
      fmt::format("{}|{}|{}|{}|{}|{}|{}|{}", destination.rest_address, destination.grpc_address,
                  destination.ca, destination.proxy, destination.quota_project,
                  static_cast<int>(credentials.type), credentials.file, credentials.impersonate);
  absl::MutexLock lock(&mutex_);
  if (const auto found = open_.find(key); found != open_.end()) return found->second;
  HAKOBU_ASSIGN_OR_RETURN(Destination opened, OpenDestination(destination, options_.addresses, options_.clock,
                                                              cancel_, options_.patience, {}, outages_));
  return open_.emplace(key, std::move(opened)).first->second;
}

bool StopsTenant(const absl::Status& status) {
  switch (status.code()) {
    case absl::StatusCode::kPermissionDenied:
    case absl::StatusCode::kUnauthenticated:
    case absl::StatusCode::kNotFound:
    case absl::StatusCode::kResourceExhausted:
    case absl::StatusCode::kUnavailable:
    case absl::StatusCode::kDeadlineExceeded:
      return true;
    default:
      return false;
  }
}

absl::Status MissingDataset(const DestinationConfig& destination) {
  return WithHint(absl::NotFoundError(
                      fmt::format("dataset {}.{} does not exist", destination.project, destination.dataset)),
                  "let the customer make it, or set tenants.create_datasets");
}

absl::Status TenantDelivery::Begin() {
  if (begun_) return absl::OkStatus();
  config_ = *context_.base;
  config_.destination = DestinationOf(*context_.config, tenant_);
  run_.config = &config_;
  run_.options = context_.options;
  run_.options.tenant = tenant_.id;
  run_.cancel = context_.cancel;
  run_.clock = context_.options.clock;
  run_.ledger = context_.ledger;
  HAKOBU_ASSIGN_OR_RETURN(run_.service, AnswersOf(context_.ledger->probes(), config_.destination));
  HAKOBU_ASSIGN_OR_RETURN(run_.destination, context_.destinations->Get(config_.destination));
  Prepared prepared;
  HAKOBU_RETURN_IF_ERROR(CheckDataset(&run_, &prepared));
  if (!prepared.dataset_exists && !context_.config->tenants->create_datasets)
    return MissingDataset(config_.destination);
  HAKOBU_RETURN_IF_ERROR(EnsureDatasets(&run_, prepared.dataset_exists));
  HAKOBU_ASSIGN_OR_RETURN(report_.notes, RemoveLeftovers(&run_, ""));
  report_.started = run_.clock->Now();
  run_.run_id = NewRunId(report_.started);
  report_.run_id = run_.run_id;
  HAKOBU_RETURN_IF_ERROR(context_.ledger->runs().StartRun(
      {.id = run_.run_id, .started = report_.started, .pid = getpid(), .tenant = tenant_.id}));
  CrashPoint("tenant.run_started");
  begun_ = true;
  return absl::OkStatus();
}

absl::StatusOr<TableWork> TenantDelivery::MakeWork(const SharedTable& table) {
  TableWork work;
  work.name = fmt::format("{}.{}", table.work.source.database, table.work.source.name);
  work.source = table.work.source;
  work.options = TenantOptions(*context_.config, tenant_, *table.rule, table.options);
  work.rows = table.RowsOf(place_);
  HAKOBU_RETURN_IF_ERROR(MapTable(config_, &work));
  HAKOBU_RETURN_IF_ERROR(CompareWithTarget(&run_, nullptr, /*dataset_exists=*/true, &work));
  // What is read is what the scan has read, of which this tenant's columns are a part.
  work.columns = table.work.columns;
  return work;
}

absl::Status TenantDelivery::ReadBack(const SharedTable& table, const TableRun& run_table,
                                      absl::FunctionRef<absl::Status(Batch&)> take) const {
  Batch batch(run_table.decoder->batch_columns());
  std::string memory;
  uint64_t rows = 0;
  const auto hand_over = [&]() -> absl::Status {
    rows += batch.rows();
    HAKOBU_RETURN_IF_ERROR(take(batch));
    batch.Clear();
    return absl::OkStatus();
  };
  for (const Piece& piece : table.pieces[place_]) {
    const absl::Status read =
        table.spool->Read(place_, piece, &memory, [&](std::string_view packet) -> absl::Status {
          HAKOBU_RETURN_IF_ERROR(run_table.decoder->Decode(packet, &batch));
          return IsFull(batch) ? hand_over() : absl::OkStatus();
        });
    HAKOBU_RETURN_IF_ERROR(read);
    HAKOBU_RETURN_IF_ERROR(hand_over());  // its cells point into the piece's memory
  }
  if (rows == table.RowsOf(place_)) return absl::OkStatus();
  return absl::DataLossError(
      fmt::format("{} rows were handed to tenant {}, {} came back", table.RowsOf(place_), tenant_.id, rows));
}

absl::Status TenantDelivery::DeliverTable(const SharedTable& table) {
  run_.readers.Add(ReaderState::kReading, 1);
  const absl::Cleanup leave = [this] { run_.readers.Add(ReaderState::kReading, -1); };
  HAKOBU_ASSIGN_OR_RETURN(TableWork work, MakeWork(table));
  HAKOBU_ASSIGN_OR_RETURN(
      const std::unique_ptr<TableRun> run_table,
      BeginReadTable(&run_, std::move(work), table.RowsOf(place_), table.BytesOf(place_)));
  absl::Status status = EnsureDestination(&run_, run_table.get());
  if (status.ok()) {
    ChunkDelivery delivery(&run_,
                           [&](TableRun* of, const Chunk&, absl::FunctionRef<absl::Status(Batch&)> take) {
                             return ReadBack(table, *of, take);
                           });
    status = delivery.Deliver(run_table.get(), run_table->chunks.data());
  }
  if (status.ok()) {
    ++run_table->chunks_done;
    status = PublishAndRecord(&run_, run_table.get());
  }
  if (!status.ok()) FailTable(&run_, run_table.get(), status);
  report_.tables.push_back(ReportOf(&run_, run_table.get()));
  if (StopsTenant(status)) return status;
  return absl::OkStatus();  // what is the table's own is in its report
}

void TenantDelivery::Deliver(const SharedTable& table) {
  absl::MutexLock lock(&mutex_);
  if (!parked_.ok() || context_.cancel->cancelled()) return;
  absl::Status status = Begin();
  const bool there = status.ok();
  if (there) status = DeliverTable(table);
  if (status.ok() || context_.cancel->cancelled()) return;  // who is asked to stop has no trouble
  if (!there || StopsTenant(status)) {
    parked_ = status;
    Log(LogSeverity::kWarning, "a tenant is parked",
        {{"tenant", tenant_.id}, {"reason", std::string(View(status.message()))}});
    return;
  }
  AddTrouble(table.work.name, status);
}

void TenantDelivery::AddTrouble(const std::string& source, const absl::Status& status) {
  TableReport& report = report_.tables.emplace_back();
  report.source = source;
  report.state = "failed";
  report.error = std::string(View(status.message()));
  report.refused = status.code() == absl::StatusCode::kDataLoss;
  if (!begun_) return;
  const absl::Status noted = context_.ledger->runs().AddTable(
      {.run_id = run_.run_id, .source = source, .state = RunTableState::kFailed, .error = report.error}, {});
  if (!noted.ok()) report_.notes.push_back(std::string(View(noted.message())));
}

void TenantDelivery::Refuse(const std::string& source, const absl::Status& status) {
  absl::MutexLock lock(&mutex_);
  AddTrouble(source, status);
}

RunState TenantDelivery::EndState() const {
  if (context_.cancel->cancelled()) return RunState::kCancelled;
  const bool failed =
      !parked_.ok() || std::any_of(report_.tables.begin(), report_.tables.end(),
                                   [](const TableReport& table) { return table.state != "done"; });
  return failed ? RunState::kFailed : RunState::kDone;
}

TenantReport TenantDelivery::Finish() {
  absl::MutexLock lock(&mutex_);
  TenantReport report{
      .id = tenant_.id, .reason = std::string(View(parked_.message())), .parked = !parked_.ok(), .run = {}};
  const RunState state = EndState();
  report_.state = begun_ || !report_.tables.empty() || report.parked ? NameOf(state) : "not started";
  report_.finished = context_.options.clock->Now();
  if (!begun_) report_.started = report_.finished;
  std::string error = report.reason;
  for (const TableReport& table : report_.tables) {
    if (error.empty()) error = table.error;
  }
  absl::Status kept;
  if (begun_) {
    kept =
        context_.ledger->runs().FinishRun(run_.run_id, state, report_.finished, error, ReportToJson(report_));
  }
  // A part that went well says nothing of the rest.
  const bool whole = context_.options.tables.empty() || state != RunState::kDone;
  if (kept.ok() && whole && state != RunState::kCancelled && report_.state != "not started") {
    kept = context_.ledger->tenants().Note(
        tenant_.id, run_.run_id, state == RunState::kDone ? TenantState::kDelivered : TenantState::kParked,
        error, report_.started);
  }
  if (!kept.ok())
    report_.notes.push_back("the ledger could not be written: " + std::string(View(kept.message())));
  report.run = std::move(report_);
  return report;
}

}  // namespace hakobu
