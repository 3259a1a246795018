#include "delivery/stream/stream.h"

#include <fmt/format.h>

#include <limits>
#include <set>
#include <stop_token>
#include <thread>

#include "base/crash_point.h"
#include "base/log.h"
#include "base/status.h"
#include "delivery/open_ledger.h"
#include "delivery/preflight/check_stream.h"
#include "delivery/stream/caveat.h"
#include "delivery/stream/copier.h"
#include "delivery/stream/ddl_history.h"
#include "delivery/stream/follower.h"
#include "delivery/stream/headroom_watch.h"
#include "delivery/stream/reader.h"
#include "delivery/stream/start_contracts.h"
#include "delivery/stream/start_point.h"
#include "delivery/stream/stream_context.h"
#include "delivery/stream/table_inquiry.h"
#include "delivery/stream/target_watch.h"

namespace hakobu {
namespace {

// How long a source that does not answer is waited for before anything has begun: long enough for its
// restart, short enough to tell whoever has mistyped its address.
constexpr absl::Duration kStartPatience = absl::Minutes(1);
constexpr absl::Duration kStoreEvery = absl::Milliseconds(100);
constexpr absl::Duration kShowEvery = absl::Seconds(1);
// How long what is on its way is waited for after a request to stop.
constexpr absl::Duration kDrainFor =
    absl::Seconds(8);  // containers are killed 10 s after they are asked to stop
constexpr absl::Duration kRestPatience = absl::Minutes(10);

RetryPolicy Patient() {
  RetryPolicy policy;
  policy.first_delay = absl::Milliseconds(200);
  policy.longest_delay = absl::Seconds(5);
  policy.max_elapsed = absl::InfiniteDuration();
  policy.max_tries = std::numeric_limits<int>::max();
  return policy;
}

bool Passed(const StreamPosition& position, int64_t epoch, std::string_view file, uint64_t offset) {
  return LogPlace::In(position.file, position.offset, position.epoch) >= LogPlace::In(file, offset, epoch);
}

class Stream : public SenderEvents {
 public:
  Stream(const Config& config, const StreamOptions& options, StreamObserver* observer,
         const Cancellation& cancel)
      : config_(config),
        observer_(observer),
        cancel_(cancel),
        keeper_(config.stream.memory),
        follower_(&context_),
        reader_(&context_, &follower_),
        copier_(&context_),
        table_watch_(&context_),
        headroom_(&context_),
        contracts_(&context_) {
    context_.config = &config;
    context_.options = options;
    context_.clock = options.clock;
    context_.keeper = &keeper_;
    context_.senders = &senders_;
    context_.copier = &copier_;
    context_.table_watch = &table_watch_;
    context_.connect = SourceOptions(config.source, &context_.stop);
  }

  absl::StatusOr<StreamReport> Run() {
    started_ = context_.clock->Now();
    {
      // Until it has begun nothing is on its way that is worth waiting for.
      const std::stop_callback at_once(cancel_.token(), [this] { context_.stop.Cancel(); });
      HAKOBU_RETURN_IF_ERROR(Open());
      HAKOBU_RETURN_IF_ERROR(Prepare());
    }
    begun_ = true;
    Log(LogSeverity::kInfo, "stream started", {{"tables", fmt::format("{}", context_.tables.all().size())}});
    std::thread reader([this] {
      const absl::Status status = reader_.Run(start_);
      if (!status.ok()) context_.Fail(status);
    });
    std::vector<std::thread> copiers;
    for (uint32_t i = 0; i < config_.stream.copy_connections; ++i)
      copiers.emplace_back([this] { copier_.Work(); });
    headroom_.SetDelivered(stored_, whole_until_);
    std::thread headroom([this] { headroom_.Run(); });
    std::thread table_watch([this] { table_watch_.Run(); });
    target_watch_ = std::thread([this] { TargetWatch(&context_).Run(); });
    Watch();
    context_.stop.Cancel();
    reader_.Interrupt();
    context_.connections.InterruptAll();
    copier_.Interrupt();
    reader.join();
    for (std::thread& thread : copiers) thread.join();
    headroom.join();
    table_watch.join();
    return End();
  }

  // Whether everything was ready: what fails after that is retried by those who do it.
  bool begun() const { return begun_; }

  void OnLaneFailed(size_t lane, const absl::Status& status) override {
    CrashPoint("stream.lane_failed");
    context_.StopTable(context_.tables.At(lane), status);
  }
  void OnSenderFailed(const absl::Status& status) override {
    if (!context_.abandon.cancelled()) context_.Fail(Annotate(status, "send to BigQuery"));
  }

 private:
  absl::Status Open() {
    HAKOBU_ASSIGN_OR_RETURN(ledger_, OpenLedger(config_, context_.options.ledger_path));
    HAKOBU_ASSIGN_OR_RETURN(lock_, ledger_->Lock(LedgerUse::kStream));
    log_ = &ledger_->streams();
    context_.ledger = ledger_.get();
    context_.log = log_;
    HAKOBU_ASSIGN_OR_RETURN(context_.destination,
                            OpenDestination(config_.destination, context_.options.addresses, context_.clock,
                                            &context_.abandon, kRestPatience, Patient()));
    AppendOptions options;
    options.max_bytes_in_flight =
        std::max<uint64_t>(config_.stream.memory / config_.stream.connections, 2 << 20);
    options.table_patience = absl::Minutes(10);
    options.schema_patience = kSchemaPatience;
    options.location = config_.destination.location;
    for (uint32_t i = 0; i < config_.stream.connections; ++i) {
      senders_.push_back(
          std::make_unique<Sender>(context_.destination.storage.get(), options, &keeper_, this));
    }
    return absl::OkStatus();
  }

  absl::Status Prepare() {
    HAKOBU_ASSIGN_OR_RETURN(const std::unique_ptr<Connection> source, Connection::Open(context_.connect));
    HAKOBU_RETURN_IF_ERROR(CheckMayReadLog(source.get()));
    MakeDdlHistory();
    HAKOBU_ASSIGN_OR_RETURN(const std::optional<StreamPosition> stored, log_->Position());
    if (stored.has_value()) start_ = *stored;
    first_ = !stored.has_value();
    HAKOBU_RETURN_IF_ERROR(SelectStreamTables(source.get()));
    HAKOBU_RETURN_IF_ERROR(contracts_.Ask(source.get(), first_, &start_));
    // Once all is known to be right: what is refused has touched nothing.
    HAKOBU_RETURN_IF_ERROR(EnsureStreamDataset(context_.target()));
    if (ddl_history_ != nullptr) HAKOBU_RETURN_IF_ERROR(ddl_history_->Begin());
    if (first_) {
      start_.stored = context_.clock->Now();
      HAKOBU_RETURN_IF_ERROR(log_->StorePosition(start_, {}, follower_.schemas()->ToJson()));
      CrashPoint("stream.begun");
    }
    stored_ = start_;
    HAKOBU_RETURN_IF_ERROR(follower_.Begin(start_));
    for (StreamTable* table : context_.tables.all()) HAKOBU_RETURN_IF_ERROR(JoinTable(table));
    HAKOBU_ASSIGN_OR_RETURN(goal_, ReadLogPosition(source.get()));
    return absl::OkStatus();
  }

  void MakeDdlHistory() {
    const DestinationConfig& destination = config_.destination;
    if (config_.stream.ddl_history.empty()) return;
    ddl_history_ = std::make_unique<DdlHistory>(
        context_.target(), TableName{destination.project, destination.dataset, config_.stream.ddl_history});
    context_.ddl_history = ddl_history_.get();
  }

  absl::Status SelectStreamTables(Connection* source) {
    Problems problems;
    const std::vector<TableWork> works = SelectTables(config_, {}, source, &problems, DeliveredBy::kStream);
    HAKOBU_RETURN_IF_ERROR(problems.Status());
    if (works.empty()) {
      return WithHint(absl::InvalidArgumentError("there is no table to stream"),
                      "say `mode: stream` for the tables that `hakobu stream` is to follow");
    }
    std::set<std::string> databases;
    for (const TableWork& work : works) databases.insert(work.source.database);
    HAKOBU_ASSIGN_OR_RETURN(std::unique_ptr<SchemaFollower> follower, OpenSchemas(source, databases));
    for (const TableWork& work : works) {
      // As it was at the place where reading begins; a table that is new to the stream, as it is now.
      const SourceTable* known = follower->Find(work.source.database, work.source.name);
      // The log tells of it, or the list of tables that is made once it is followed.
      const bool absent = known == nullptr && !follower->IsThere({work.source.database, work.source.name});
      if (absent && (first_ || follower->IsYetToCome(work.source.database, work.source.name))) continue;
      if (absent) follower->Replace(work.source);
      HAKOBU_ASSIGN_OR_RETURN(const bool keeps_history, StaysHistory(config_, context_.ledger, work));
      TableOptions options = work.options;
      options.history = options.history || keeps_history;
      absl::StatusOr<LaneSchema> schema =
          MakeLaneSchema(config_, options, known == nullptr ? work.source : *known);
      problems.Add(schema.status());
      if (!schema.ok()) continue;
      if (ddl_history_ != nullptr && schema->work.target == ddl_history_->target()) {
        problems.Add(
            WithHint(absl::InvalidArgumentError(fmt::format("stream.ddl_history: {} is delivered to {} too",
                                                            work.name, schema->work.target.ToString())),
                     "give the history a name of its own"));
        continue;
      }
      StreamTable* const table = context_.tables.Add(work.name, work.options);
      problems.Add(context_.CheckTarget(*table, schema->work.target));
      if (keeps_history) table->KeepHistory();
      table->SetSchema(std::make_shared<const LaneSchema>(*std::move(schema)));
    }
    HAKOBU_RETURN_IF_ERROR(TakeCaveats(&context_, source, databases));
    follower->FollowAlso([this](std::string_view database) { return MayStream(config_, database); });
    follower_.UseSchemas(std::move(follower));
    HAKOBU_RETURN_IF_ERROR(problems.Status());
    return LoadRecords();
  }

  // At the first start: a place and what the tables look like there, which is so when they look the same
  // before and after the place was read.
  absl::StatusOr<std::unique_ptr<SchemaFollower>> OpenSchemas(Connection* source,
                                                              const std::set<std::string>& databases) {
    HAKOBU_ASSIGN_OR_RETURN(const std::string stored, log_->Schemas());
    if (!first_) return SchemaFollower::Open(source, databases, stored);
    constexpr int kReadings = 20;
    HAKOBU_ASSIGN_OR_RETURN(std::unique_ptr<SchemaFollower> before,
                            SchemaFollower::Open(source, databases, ""));
    for (int reading = 0; reading < kReadings; ++reading) {
      HAKOBU_ASSIGN_OR_RETURN(StartPoint first, FirstStart(&context_, source, databases));
      start_ = std::move(first.position);
      HAKOBU_ASSIGN_OR_RETURN(std::unique_ptr<SchemaFollower> after,
                              SchemaFollower::Open(source, databases, ""));
      if (after->Shape() == before->Shape()) return after;
      before = std::move(after);
    }
    return WithHint(absl::UnavailableError("the source's tables change faster than they can be read"),
                    "start the stream when no DDL is running");
  }

  // A table that the source does not have any more is followed to the place where the log drops it.
  absl::Status AddGoneTable(const StreamTableRecord& record) {
    if (record.state == StreamTableState::kDropped || record.state == StreamTableState::kStopped)
      return absl::OkStatus();
    for (const ddl::TableName& name : follower_.schemas()->Tables()) {
      if (fmt::format("{}.{}", name.database, name.table) != record.source) continue;
      const TableRule* rule = FindRule(config_, name.database, name.table);
      const SourceTable* known = follower_.schemas()->Find(name.database, name.table);
      if (rule == nullptr || rule->options.mode != TableMode::kStream || known == nullptr) break;
      const TableOptions options = OptionsFor(config_, *rule, name.database, name.table);
      absl::StatusOr<LaneSchema> schema = MakeLaneSchema(config_, options, *known);
      if (!schema.ok()) break;
      context_.tables.Add(record.source, options)
          ->SetSchema(std::make_shared<const LaneSchema>(*std::move(schema)));
      break;
    }
    return absl::OkStatus();
  }

  // Tables that are no longer in the configuration miss changes from now on: they are copied anew when they
  // come back.
  absl::Status LoadRecords() {
    HAKOBU_ASSIGN_OR_RETURN(const std::vector<StreamTableRecord> records, log_->Tables());
    for (StreamTableRecord record : records) {
      if (context_.tables.Find(record.source) == nullptr) HAKOBU_RETURN_IF_ERROR(AddGoneTable(record));
      if (StreamTable* table = context_.tables.Find(record.source); table != nullptr) {
        table->SetRecord(std::move(record));
        continue;
      }
      if (record.state == StreamTableState::kDropped) continue;
      const absl::Status forgotten = log_->Advance(record.source, StreamTableEvent::kForget,
                                                   [&](StreamTableRecord* gone) {
                                                     gone->reason = "not in the configuration any more";
                                                     gone->since = context_.clock->Now();
                                                   })
                                         .status();
      HAKOBU_RETURN_IF_ERROR(forgotten);
    }
    return absl::OkStatus();
  }

  absl::Status JoinTable(StreamTable* table) {
    const StreamTableRecord record = table->record();
    if (record.state == StreamTableState::kStopped) {
      Log(LogSeverity::kWarning, "table is stopped", {{"table", table->name}, {"reason", record.reason}});
      return absl::OkStatus();
    }
    const SourceTable& base = table->schema()->base;
    if (follower_.schemas()->Find(base.database, base.name) == nullptr) {
      return follower_.AskAnew({base.database, base.name},
                               "what the log's statements made of it is not known");
    }
    const ContractAnswer& answer = contracts_.AnswerFor(table);
    const absl::Status held = AnswerStatus(table->name, answer);
    if (!held.ok()) {
      if (first_) return held;
      context_.StopTable(table, held);
      return context_.failure();
    }
    LaneSchema schema = *table->schema();
    const bool anew = answer.action == ContractAction::kAnew || BeginsAnew(record, schema);
    if (!anew || record.state != StreamTableState::kNone) LogContract(table->name, answer);
    if (anew) return follower_.BeginTable(table, first_, OccasionOf(record));
    const absl::Status followed = FollowTarget(context_.target(), Follow::kAddOnly, &schema).status();
    if (followed.code() == absl::StatusCode::kNotFound || followed.code() == absl::StatusCode::kDataLoss) {
      context_.StopTable(table, followed);
      return context_.failure();
    }
    HAKOBU_RETURN_IF_ERROR(followed);
    HAKOBU_RETURN_IF_ERROR(RecordContract(context_.target(), schema, table->options, std::nullopt));
    table->SetSchema(std::make_shared<const LaneSchema>(std::move(schema)));
    HAKOBU_RETURN_IF_ERROR(follower_.Join(table));
    HAKOBU_RETURN_IF_ERROR(KeepCaveat(&context_, table));
    if (IsCopying(record.state)) copier_.Add(table, "");
    return absl::OkStatus();
  }

  // Until the stream is to end.
  void Watch() {
    absl::Time shown = absl::InfinitePast();
    while (!cancel_.WaitFor(kStoreEvery) && !context_.stop.cancelled()) {
      const absl::Status stored = StoreAcknowledged();
      if (!stored.ok()) return context_.Fail(stored);
      if (context_.clock->Now() - shown >= kShowEvery) {
        shown = context_.clock->Now();
        headroom_.SetDelivered(stored_, whole_until_);
        const absl::Status looked = LookAtGaps();
        if (!looked.ok()) return context_.Fail(looked);
        observer_->OnStatus(Status());
      }
      if (context_.options.until_caught_up && CaughtUp()) {
        caught_up_ = true;
        return;
      }
    }
  }

  bool CaughtUp() {
    const bool looked = table_watch_.has_looked() && !table_watch_.has_list() && follower_.asked() == 0;
    if (!looked || !copier_.idle() || !Passed(stored_, start_.epoch, goal_.file, goal_.offset)) return false;
    for (const StreamTable* table : context_.tables.all()) {
      const StreamTableState state = table->record().state;
      if (IsCopying(state) || state == StreamTableState::kCatching || state == StreamTableState::kBeginning)
        return false;
    }
    return true;
  }

  absl::Status StoreAcknowledged() {
    std::optional<LogMark> mark = keeper_.TakeAcknowledged();
    if (!mark.has_value()) return absl::OkStatus();
    whole_until_ = mark->whole_until;
    std::vector<StreamTableProgress> changed;
    for (const StreamTable* table : context_.tables.all()) {
      const StreamTableRecord record = table->record();
      StreamTableProgress progress{.source = table->name};
      const auto rows = mark->history_rows.find(table->id);
      if (rows != mark->history_rows.end() && rows->second != record.write_offset)
        progress.write_offset = rows->second;
      if (record.state == StreamTableState::kCatching &&
          Passed(mark->position, record.whole_epoch, record.whole_file, record.whole_offset)) {
        progress.event = StreamTableEvent::kCaughtUp;
        progress.copy_sequence = record.copy_sequence;
        progress.reason = table->caveat();
        progress.since = context_.clock->Now();
      }
      if (progress.write_offset.has_value() || progress.event.has_value())
        changed.push_back(std::move(progress));
    }
    const bool moved = mark->position.file != stored_.file || mark->position.offset != stored_.offset ||
                       mark->position.gtid_set != stored_.gtid_set || mark->position.epoch != stored_.epoch;
    if (!moved && changed.empty() && mark->schemas_json == nullptr) return absl::OkStatus();
    mark->position.stored = context_.clock->Now();
    CrashPoint("stream.acknowledged");
    HAKOBU_RETURN_IF_ERROR(log_->StorePosition(
        mark->position, changed,
        mark->schemas_json == nullptr ? std::nullopt : std::optional<std::string>(*mark->schemas_json)));
    CrashPoint("stream.position_stored");
    stored_ = std::move(mark->position);
    for (const StreamTableProgress& progress : changed) {
      StreamTable* table = context_.tables.Find(progress.source);
      HAKOBU_RETURN_IF_ERROR(table->Reload(log_));
      if (progress.event.has_value() && table->record().state == StreamTableState::kWhole)
        Log(LogSeverity::kInfo, "table is whole", {{"table", progress.source}});
    }
    return absl::OkStatus();
  }

  // `hakobu repair`, another process, closes gaps and makes their tables whole again.
  absl::Status LookAtGaps() {
    HAKOBU_RETURN_IF_ERROR(CountGaps());
    for (StreamTable* table : context_.tables.all()) {
      if (table->record().state != StreamTableState::kGap) continue;
      HAKOBU_RETURN_IF_ERROR(table->Reload(log_));
      if (table->record().state == StreamTableState::kWhole)
        Log(LogSeverity::kInfo, "table is whole", {{"table", table->name}});
    }
    return absl::OkStatus();
  }

  absl::Status CountGaps() {
    HAKOBU_ASSIGN_OR_RETURN(const std::vector<StreamGapRecord> gaps, log_->Gaps());
    open_gaps_ = 0;
    for (const StreamGapRecord& gap : gaps) open_gaps_ += gap.state == GapState::kOpen ? 1 : 0;
    return absl::OkStatus();
  }

  absl::StatusOr<StreamReport> End() {
    if (context_.failure().ok()) {
      if (!keeper_.WaitForAll(kDrainFor) && context_.failure().ok()) {
        Log(LogSeverity::kWarning, "stopped before everything was acknowledged; the next start repeats it");
      }
    }
    const absl::Status stored = StoreAcknowledged();
    context_.abandon.Cancel();
    target_watch_.join();  // it may have waited for BigQuery
    keeper_.Stop();
    senders_.clear();
    HAKOBU_RETURN_IF_ERROR(context_.failure());
    HAKOBU_RETURN_IF_ERROR(stored);
    StreamReport report;
    HAKOBU_RETURN_IF_ERROR(CountGaps());
    ended_ = true;
    report.status = Status();
    report.caught_up = caught_up_;
    observer_->OnStatus(report.status);
    Log(LogSeverity::kInfo, "stream ended",
        {{"file", stored_.file}, {"offset", fmt::format("{}", stored_.offset)}, {"gtid", stored_.gtid_set}});
    return report;
  }

  StreamStatus Status();

  const Config& config_;
  StreamObserver* observer_;
  const Cancellation& cancel_;
  StreamContext context_;
  std::unique_ptr<Ledger> ledger_;
  StreamBook* log_ = nullptr;
  std::unique_ptr<LedgerLock> lock_;  // after the ledger: released first
  std::unique_ptr<DdlHistory> ddl_history_;
  PositionKeeper keeper_;
  Follower follower_;
  LogReader reader_;
  Copier copier_;
  TableWatch table_watch_;
  HeadroomWatch headroom_;
  std::thread target_watch_;
  StartContracts contracts_;
  std::vector<std::unique_ptr<Sender>> senders_;
  absl::Time started_;
  StreamPosition start_;
  StreamPosition stored_;
  bool begun_ = false;
  bool first_ = false;
  LogPosition goal_;
  bool caught_up_ = false;
  bool ended_ = false;
  uint64_t open_gaps_ = 0;
  absl::Time whole_until_ = absl::InfinitePast();
};

StreamStatus Stream::Status() {
  StreamStatus status;
  const ReaderState reader = reader_.state();
  const absl::Status failure = context_.failure();
  status.state = !failure.ok()                 ? StreamPhase::kFailed
                 : context_.stop.cancelled()   ? (ended_ ? StreamPhase::kStopped : StreamPhase::kDraining)
                 : reader.state == "following" ? StreamPhase::kStreaming
                 : reader.state.empty()        ? StreamPhase::kStarting
                                               : StreamPhase::kConnecting;
  status.reason = failure.ok() ? reader.reason : failure.ToString();
  status.source_server =
      stored_.server_uuid.empty() ? fmt::format("{}", stored_.server_id) : stored_.server_uuid;
  status.epoch = stored_.epoch;
  status.file = stored_.file;
  status.offset = stored_.offset;
  status.gtid_set = stored_.gtid_set;
  status.read_file = reader.file;
  status.read_offset = reader.offset;
  status.started = started_;
  status.last_event = reader.last_heard;
  status.last_stored = stored_.stored;
  status.fresh_until = whole_until_;
  status.transactions = follower_.transactions();
  status.log_bytes = reader.bytes;
  status.reconnects = reader.reconnects;
  status.held_bytes = keeper_.held_bytes();
  status.open_gaps = open_gaps_;
  const StreamHealth health = headroom_.health();
  status.lag_bytes = health.lag_bytes;
  status.headroom_seconds = health.headroom_seconds;
  status.stalled_seconds = health.stalled_seconds;
  status.headroom = health.headroom;
  for (const auto& sender : senders_) status.resent_requests += sender->counters().resent_requests;
  for (const StreamTable* table : context_.tables.all()) {
    const StreamTableRecord record = table->record();
    StreamTableStatus one;
    one.source = table->name;
    one.target = record.target;
    one.state = record.state;
    one.reason = record.reason;
    one.inserts = table->inserts;
    one.updates = table->updates;
    one.deletes = table->deletes;
    one.bytes = table->bytes;
    one.copied_rows = record.copied_rows;
    one.chunks = record.chunks;
    one.chunks_done = record.chunks_done;
    one.quarantined = table->quarantined;
    if (record.state == StreamTableState::kWhole) one.fresh_until = whole_until_;
    one.changes = one.inserts + one.updates + one.deletes;
    status.changes += one.changes;
    status.bytes += one.bytes;
    status.tables.push_back(std::move(one));
  }
  return status;
}

}  // namespace

int ExitCode(const StreamReport& report) {
  for (const StreamTableStatus& table : report.status.tables) {
    if (table.state == StreamTableState::kStopped || table.quarantined > 0) return 3;
  }
  return report.status.open_gaps > 0 ? 3 : 0;
}

namespace {

// Asked to stop before it could start: nothing was read, and nothing is lost.
StreamReport NeverStarted(const absl::Status& reason) {
  StreamReport report;
  report.status.state = StreamPhase::kStopped;
  report.status.reason = fmt::format("stopped before it could start: {}", View(reason.message()));
  return report;
}

}  // namespace

absl::StatusOr<StreamReport> RunStream(const Config& config, const StreamOptions& options,
                                       StreamObserver* observer, const Cancellation& cancel) {
  StreamObserver silent;
  if (observer == nullptr) observer = &silent;
  RetryPolicy policy;
  policy.longest_delay = absl::Seconds(5);
  policy.max_elapsed = kStartPatience;
  const RetryContext retry{.clock = options.clock, .cancellation = &cancel, .jitter = {}};
  for (Backoff backoff(policy, retry);;) {
    Stream stream(config, options, observer, cancel);
    absl::StatusOr<StreamReport> report = stream.Run();
    if (!report.ok() && !stream.begun() && cancel.cancelled() && absl::IsCancelled(report.status())) {
      Log(LogSeverity::kInfo, "stopped before it could start");
      return NeverStarted(report.status());
    }
    if (report.ok() || stream.begun() || report.status().code() != absl::StatusCode::kUnavailable)
      return report;
    Log(LogSeverity::kWarning, "the stream cannot start yet",
        {{"reason", std::string(View(report.status().message()))}});
    const absl::Status unready = report.status();
    if (backoff.Wait(unready).ok()) continue;
    if (!cancel.cancelled()) return unready;
    Log(LogSeverity::kInfo, "stopped before it could start");
    return NeverStarted(unready);
  }
}

}  // namespace hakobu
