#include <fmt/format.h>
#include <unistd.h>

#include "base/crash_point.h"
#include "base/log.h"
#include "base/status.h"
#include "delivery/cursor.h"
#include "delivery/delivery.h"
#include "delivery/engine.h"
#include "delivery/governed/run_gate.h"
#include "delivery/move/retry.h"
#include "delivery/open_ledger.h"
#include "delivery/outage/watch.h"
#include "delivery/prepare.h"
#include "delivery/probe/answers.h"
#include "delivery/run_tables.h"
#include "delivery/staging.h"
#include "delivery/table_chunks.h"
#include "delivery/table_report.h"

namespace hakobu {
namespace {

// An interrupted run that is older is not continued: its chunks would be older than the user expects of a new
// run.
constexpr absl::Duration kContinueWithin = absl::Hours(12);

// Rows come all the time, once a chunk's first ones have: the server neither sorts nor stores them before.
constexpr absl::Duration kRowsWithin = absl::Seconds(10);
constexpr std::string_view kReadingRows = "read rows";

absl::StatusOr<std::unique_ptr<RunContext>> MakeContext(const Config& config, const RunOptions& options,
                                                        const Cancellation& cancel, Ledger* ledger,
                                                        OutageWatch* outages = nullptr) {
  auto run = std::make_unique<RunContext>();
  run->config = &config;
  run->options = options;
  run->cancel = &cancel;
  run->clock = options.clock;
  const auto listener = [&](OutageSubject subject) {
    return outages == nullptr ? nullptr : outages->of(subject);
  };
  run->connect = SourceOptions(config.source, &cancel, listener(OutageSubject::kSource));
  run->ledger = ledger;
  HAKOBU_ASSIGN_OR_RETURN(run->service, AnswersOf(ledger->probes(), config.destination));
  HAKOBU_ASSIGN_OR_RETURN(run->destination,
                          OpenDestination(config.destination, options.addresses, options.clock, &cancel,
                                          options.patience, {}, listener(OutageSubject::kBigQuery)));
  return run;
}

std::string PositionText(const absl::StatusOr<LogPoint>& position) {
  return position.ok() ? position->TextWithGtids() : std::string();
}

// The interrupted run to continue, if there is one that can be.
absl::StatusOr<std::optional<RunRecord>> FindResumable(RunContext* run, const Prepared& prepared) {
  if (run->options.fresh) return std::optional<RunRecord>();
  RunBook& runs = run->ledger->runs();
  HAKOBU_ASSIGN_OR_RETURN(std::optional<RunRecord> found, runs.ResumableRun(prepared.fingerprint));
  if (!found.has_value() || run->clock->Now() - found->started > kContinueWithin)
    return std::optional<RunRecord>();
  for (const TableWork& work : prepared.tables) {
    HAKOBU_ASSIGN_OR_RETURN(const bool readable, CanContinue(run->ledger, found->id, work));
    if (!readable) return std::optional<RunRecord>();
  }
  return found;
}

PlannedTable Planned(const TableWork& work, uint64_t chunks, uint64_t rows, const PublishChoice& publish,
                     std::vector<std::string> notes) {
  PlannedTable table;
  table.publish = publish.method;
  table.publish_why = publish.why;
  table.billed_bytes = publish.billed_bytes;
  table.source = work.name;
  table.target = work.target.ToString();
  table.mode = work.mode;
  table.write = work.write;
  table.estimated_rows = rows;
  table.estimated_bytes = EstimatedBytes(work.source, rows);
  table.chunks = chunks;
  if (work.source.key.has_value()) {
    std::vector<std::string> columns;
    for (const size_t column : work.source.key->columns) columns.push_back(work.source.columns[column].name);
    table.key = fmt::format("{} ({})", work.source.key->name, fmt::join(columns, ", "));
  }
  table.target_exists = work.existing.has_value();
  if (work.existing.has_value()) {
    const absl::StatusOr<TableFacts> facts = ReadTableFacts(*work.existing);
    if (facts.ok()) table.target_bytes = facts->bytes;
  }
  table.schema_changes = work.changes;
  for (const Field& field : work.schema.fields) {
    table.columns.emplace_back(field.name, std::string(FieldTypeName(field.type)));
  }
  table.notes = std::move(notes);
  return table;
}

absl::StatusOr<PlannedTable> PlanTable(RunContext* run, Connection* source, const TableWork& work) {
  std::vector<std::string> notes = work.notes;
  std::optional<Window> window;
  if (work.mode == WriteMode::kIncremental) {
    HAKOBU_ASSIGN_OR_RETURN(window, WindowOf(run, source, work));
    notes.insert(notes.end(), window->notes.begin(), window->notes.end());
  }
  HAKOBU_ASSIGN_OR_RETURN(
      const TableChunks chunks,
      PlanTableChunks(run, source, work, window.has_value() ? &*window : nullptr, &notes));
  HAKOBU_ASSIGN_OR_RETURN(
      const PublishChoice publish,
      ChooseFor(run, work, chunks.chunks.size(), EstimatedBytes(work.source, chunks.estimated_rows)));
  return Planned(work, chunks.chunks.size(), chunks.estimated_rows, publish, std::move(notes));
}

// The run that is under way.
class Delivery {
 public:
  Delivery(RunContext* run, RunObserver* observer) : run_(run), observer_(observer) {}
  absl::StatusOr<RunReport> Deliver();

 private:
  absl::Status Begin(Connection* source);
  absl::Status NoteTroubles();
  absl::Status Finish(const absl::StatusOr<LoadCounters>& before);
  RunState EndState() const;

  RunContext* run_;
  RunObserver* observer_;
  TableRuns tables_;
  std::vector<TableTrouble> troubles_;  // of tables that are not among tables_
  RunReport report_;
};

absl::Status Delivery::Begin(Connection* source) {
  HAKOBU_ASSIGN_OR_RETURN(Prepared prepared, Prepare(run_, source));
  report_.notes = prepared.notes;
  troubles_ = prepared.troubles;
  HAKOBU_ASSIGN_OR_RETURN(const std::optional<RunRecord> resumed, FindResumable(run_, prepared));
  run_->run_id = resumed.has_value() ? resumed->id : NewRunId(report_.started);
  report_.run_id = run_->run_id;
  HAKOBU_RETURN_IF_ERROR(EnsureDatasets(run_, prepared.dataset_exists));
  HAKOBU_ASSIGN_OR_RETURN(const std::vector<std::string> removed,
                          RemoveLeftovers(run_, resumed.has_value() ? resumed->id : ""));
  report_.notes.insert(report_.notes.end(), removed.begin(), removed.end());
  // Noted before the first row is read: following the log from here misses nothing.
  report_.log_position_before =
      resumed.has_value() ? resumed->log_position_before : PositionText(ReadLogPoint(source));
  if (resumed.has_value()) {
    report_.resumed_run = resumed->id;
    HAKOBU_RETURN_IF_ERROR(run_->ledger->runs().SetRunState(run_->run_id, RunState::kRunning));
    HAKOBU_ASSIGN_OR_RETURN(tables_, ContinueTables(run_, source, std::move(prepared.tables)));
  } else {
    HAKOBU_RETURN_IF_ERROR(run_->ledger->runs().StartRun({.id = run_->run_id,
                                                          .started = report_.started,
                                                          .fingerprint = prepared.fingerprint,
                                                          .pid = getpid(),
                                                          .log_position_before = report_.log_position_before,
                                                          .tenant = run_->options.tenant}));
    CrashPoint("run.started");
    HAKOBU_ASSIGN_OR_RETURN(tables_, BeginTables(run_, source, std::move(prepared.tables)));
  }
  return NoteTroubles();
}

// In the ledger too: `status` shows them with the run.
absl::Status Delivery::NoteTroubles() {
  if (report_.resumed_run.has_value()) return absl::OkStatus();
  for (const TableTrouble& trouble : troubles_) {
    HAKOBU_RETURN_IF_ERROR(run_->ledger->runs().AddTable({.run_id = run_->run_id,
                                                          .source = trouble.source,
                                                          .state = RunTableState::kFailed,
                                                          .error = trouble.error},
                                                         {}));
  }
  return absl::OkStatus();
}

// Interrupted: nothing failed but that a side went away and stayed away, or a disk was full. The next run
// goes on where this one stopped; after any other failure it begins anew.
RunState Delivery::EndState() const {
  if (run_->cancel->cancelled()) return RunState::kCancelled;
  bool failed = !troubles_.empty();
  bool away = false;
  for (const auto& table : tables_) {
    absl::MutexLock lock(&table->mutex);
    const absl::StatusCode code = table->failure.code();
    away |= code == absl::StatusCode::kUnavailable || code == absl::StatusCode::kResourceExhausted;
    failed |= !table->failure.ok() && code != absl::StatusCode::kUnavailable &&
              code != absl::StatusCode::kResourceExhausted;
  }
  if (failed) return RunState::kFailed;
  return away ? RunState::kInterrupted : RunState::kDone;
}

absl::Status Delivery::Finish(const absl::StatusOr<LoadCounters>& before) {
  report_.finished = run_->clock->Now();
  const absl::Duration limit = run_->config->limits.finish_within;
  report_.late = limit > absl::ZeroDuration() && report_.finished - report_.started > limit;
  report_.late |= report_.pace.promise.has_value() && report_.finished > *report_.pace.promise;
  report_.notes.insert(report_.notes.end(), report_.pace.notes.begin(), report_.pace.notes.end());
  for (const auto& table : tables_) report_.tables.push_back(ReportOf(run_, table.get()));
  for (const TableTrouble& trouble : troubles_) {
    TableReport& table = report_.tables.emplace_back();
    table.source = trouble.source;
    table.state = "failed";
    table.error = trouble.error;
    table.refused = trouble.refused;
  }
  std::string error;
  for (const TableReport& table : report_.tables) {
    if (error.empty()) error = table.error;
  }
  const RunState state = EndState();
  report_.state = NameOf(state);
  const LoadCounters load = run_->load.sum();
  report_.source_load = {.statements = load.statements,
                         .rows_examined = load.rows_examined,
                         .server_data_reads = 0,
                         .created_tmp_disk_tables = load.tmp_disk_tables,
                         .sort_merge_passes = load.sort_merge_passes};
  if (!run_->cancel->cancelled()) {
    const absl::StatusOr<std::unique_ptr<Connection>> connection = Connection::Open(run_->connect);
    if (connection.ok()) {
      report_.log_position_after = PositionText(ReadLogPoint(connection->get()));
      const absl::StatusOr<LoadCounters> after = ReadLoadCounters(connection->get());
      if (after.ok() && before.ok()) {
        report_.source_load.server_data_reads = after->innodb_data_reads - before->innodb_data_reads;
      }
    }
  }
  CrashPoint("run.finishing");
  return run_->ledger->runs().FinishRun(run_->run_id, state, report_.finished, error, ReportToJson(report_));
}

absl::StatusOr<RunReport> Delivery::Deliver() {
  report_.started = run_->clock->Now();
  absl::StatusOr<LoadCounters> before = absl::UnknownError("not read");
  {
    SourceLease connection(run_->source());
    HAKOBU_ASSIGN_OR_RETURN(Connection * source, connection.Get());
    before = ReadLoadCounters(source);
    HAKOBU_RETURN_IF_ERROR(Begin(source));
  }
  uint64_t resumed_chunks = 0;
  std::vector<uint64_t> resumed(tables_.size());
  RunPlan plan;
  for (size_t i = 0; i < tables_.size(); ++i) {
    TableRun& table = *tables_[i];
    resumed[i] = table.chunks_done;
    resumed_chunks += resumed[i];
    absl::MutexLock lock(&table.mutex);
    plan.tables.push_back(
        Planned(table.work, table.chunks.size(), table.estimated_rows, table.publish, table.notes));
    if (table.resumed && table.record.state == RunTableState::kDone) {
      table.notes.push_back(
          "delivered already by the run that this one continues; --fresh delivers it again");
    }
  }
  plan.troubles = troubles_;
  plan.resumes_run = report_.resumed_run;
  plan.chunks_already_done = resumed_chunks;
  if (observer_ != nullptr) observer_->OnStart(run_->run_id, plan);
  {
    RunGate gate(run_, tables_);
    run_->gate = &gate;
    gate.Start();
    DeliverTables(run_, tables_, observer_);
    gate.Stop();
    run_->gate = nullptr;
    report_.pace = gate.report();
  }
  const absl::Status finished = Finish(before);
  for (size_t i = 0; i < report_.tables.size(); ++i) report_.tables[i].chunks_resumed = resumed[i];
  if (!finished.ok()) {
    report_.state = "failed";
    report_.notes.push_back("the ledger could not be written: " + std::string(View(finished.message())));
  }
  return std::move(report_);
}

}  // namespace

absl::StatusOr<RunPlan> PlanRun(const Config& config, const RunOptions& options, const Cancellation& cancel) {
  HAKOBU_ASSIGN_OR_RETURN(const std::unique_ptr<Ledger> ledger, OpenLedger(config, options.ledger_path));
  HAKOBU_ASSIGN_OR_RETURN(const std::unique_ptr<RunContext> run,
                          MakeContext(config, options, cancel, ledger.get()));
  SourceLease connection(run->source());
  HAKOBU_ASSIGN_OR_RETURN(Connection * source, connection.Get());
  HAKOBU_ASSIGN_OR_RETURN(Prepared prepared, Prepare(run.get(), source));
  RunPlan plan;
  plan.troubles = prepared.troubles;
  for (const TableWork& work : prepared.tables) {
    absl::StatusOr<PlannedTable> table = PlanTable(run.get(), source, work);
    if (table.ok()) {
      plan.tables.push_back(*std::move(table));
      continue;
    }
    if (PassesByItself(table.status()) || cancel.cancelled()) return table.status();
    plan.troubles.push_back({.source = work.name,
                             .error = std::string(View(table.status().message())),
                             .refused = table.status().code() == absl::StatusCode::kDataLoss});
  }
  HAKOBU_ASSIGN_OR_RETURN(const std::optional<RunRecord> resumable, FindResumable(run.get(), prepared));
  if (resumable.has_value()) {
    plan.resumes_run = resumable->id;
    for (const TableWork& work : prepared.tables) {
      HAKOBU_ASSIGN_OR_RETURN(const std::vector<ChunkRecord> chunks,
                              ledger->runs().Chunks(resumable->id, work.name));
      for (const ChunkRecord& chunk : chunks)
        plan.chunks_already_done += chunk.state == ChunkState::kDone ? 1 : 0;
    }
  }
  return plan;
}

absl::StatusOr<RunReport> Run(const Config& config, const RunOptions& options, RunObserver* observer,
                              const Cancellation& cancel) {
  HAKOBU_ASSIGN_OR_RETURN(const std::string ledger_path, LedgerPath(config, options.ledger_path));
  const auto connections = std::make_shared<OpenConnections>();
  const auto watch_reads = [&](OutageWatch& watch) {
    OutageListener* const source = watch.of(OutageSubject::kSource);
    const absl::Time since = connections->waiting_since();
    const bool long_ago = since != absl::InfinitePast() && options.clock->Now() - since > kRowsWithin;
    if (long_ago) return source->OnSilence(kReadingRows, since);
    source->OnSuccess(kReadingRows);
  };
  OutageWatch outages({.command = "run",
                       .ledger_path = ledger_path,
                       .doing = [](OutageSubject) { return "it is tried again every few seconds"; },
                       .each_second = watch_reads,
                       .clock = options.clock});
  SqliteOptions patient;
  patient.patience = options.patience;
  patient.cancel = &cancel;
  patient.outages = outages.of(OutageSubject::kLedger);
  HAKOBU_ASSIGN_OR_RETURN(const std::unique_ptr<Ledger> ledger,
                          OpenLedger(config, options.ledger_path, patient));
  HAKOBU_ASSIGN_OR_RETURN(const std::unique_ptr<LedgerLock> lock, ledger->Lock(LedgerUse::kRun));
  HAKOBU_ASSIGN_OR_RETURN(const std::unique_ptr<RunContext> run,
                          MakeContext(config, options, cancel, ledger.get(), &outages));
  run->connections = connections;
  return Delivery(run.get(), observer).Deliver();
}

}  // namespace hakobu
