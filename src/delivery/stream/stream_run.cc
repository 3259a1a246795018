#include "delivery/stream/stream_run.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <stop_token>

#include "base/crash_point.h"
#include "base/log.h"
#include "base/status.h"
#include "delivery/open_ledger.h"
#include "delivery/stream/drain.h"
#include "delivery/stream/target_watch.h"

namespace hakobu {
namespace {

constexpr absl::Duration kStoreEvery = absl::Milliseconds(100);
constexpr absl::Duration kLookAtGapsEvery = absl::Seconds(1);
// How long what is on its way is waited for after a request to stop: containers are killed 10 s after it, and
// what was given up takes a moment to end.
constexpr absl::Duration kDrainFor = absl::Seconds(5);
constexpr absl::Duration kRestPatience = absl::Minutes(10);

RetryPolicy Patient() {
  RetryPolicy policy;
  policy.first_delay = absl::Milliseconds(200);
  policy.longest_delay = absl::Seconds(5);
  policy.max_elapsed = absl::InfiniteDuration();
  policy.max_tries = std::numeric_limits<int>::max();
  return policy;
}

}  // namespace

struct StreamRun::Threads {
  std::thread reader, headroom, table_watch, target_watch;
  std::vector<std::thread> copiers;
};

StreamRun::StreamRun(const Outside& outside)
    : config_(*outside.config),
      cancel_(*outside.cancel),
      keeper_(config_.stream.memory),
      follower_(&context_),
      reader_(&context_, &follower_),
      copier_(&context_),
      table_watch_(&context_),
      headroom_(&context_),
      start_(&context_, &follower_),
      place_(&context_),
      started_(outside.options->clock->Now()) {
  context_.config = &config_;
  context_.options = *outside.options;
  context_.clock = outside.options->clock;
  context_.keeper = &keeper_;
  context_.senders = &senders_;
  context_.copier = &copier_;
  context_.table_watch = &table_watch_;
  context_.outages = outside.outages;
  context_.connect =
      SourceOptions(config_.source, &context_.stop, outside.outages->of(OutageSubject::kSource));
}

absl::StatusOr<StreamReport> StreamRun::Run() {
  {
    // Until it has begun nothing is on its way that is worth waiting for.
    const std::stop_callback at_once(cancel_.token(), [this] {
      context_.stop.Cancel();
      context_.abandon.Cancel();
    });
    HAKOBU_RETURN_IF_ERROR(Open());
    HAKOBU_RETURN_IF_ERROR(start_.Prepare());
  }
  place_.Begin(start_.position());
  begun_ = true;
  Log(LogSeverity::kInfo, "stream started", {{"tables", fmt::format("{}", context_.tables.all().size())}});
  const DrainDeadline deadline([this] { return cancel_.cancelled() || context_.stop.cancelled(); }, kDrainFor,
                               [this] { GiveUp(); });
  Threads threads;
  Begin(&threads);
  Watch();
  return End(&threads);
}

absl::Status StreamRun::Open() {
  OutageWatch& outages = *context_.outages;
  SqliteOptions patient;
  patient.patience = absl::InfiniteDuration();
  patient.cancel = &context_.abandon;
  patient.outages = outages.of(OutageSubject::kLedger);
  HAKOBU_ASSIGN_OR_RETURN(ledger_, OpenLedger(config_, context_.options.ledger_path, patient));
  HAKOBU_ASSIGN_OR_RETURN(lock_, ledger_->Lock(LedgerUse::kStream));
  context_.ledger = ledger_.get();
  context_.log = &ledger_->streams();
  const DestinationConfig& destination = config_.destination;
  HAKOBU_ASSIGN_OR_RETURN(
      context_.destination,
      OpenDestination(destination, context_.options.addresses, context_.clock, &context_.abandon,
                      kRestPatience, Patient(), outages.of(OutageSubject::kBigQuery)));
  if (!config_.stream.ddl_history.empty()) {
    ddl_history_ = std::make_unique<DdlHistory>(
        context_, TableName{destination.project, destination.dataset, config_.stream.ddl_history});
    context_.ddl_history = ddl_history_.get();
  }
  AppendOptions options;
  options.max_bytes_in_flight =
      std::max<uint64_t>(config_.stream.memory / config_.stream.connections, 2 << 20);
  options.table_patience = absl::Minutes(10);
  options.schema_patience = kSchemaPatience;
  options.location = destination.location;
  for (uint32_t i = 0; i < config_.stream.connections; ++i) {
    senders_.push_back(std::make_unique<Sender>(context_.destination.storage.get(), options, &keeper_, this));
  }
  return absl::OkStatus();
}

void StreamRun::Begin(Threads* threads) {
  threads->reader = std::thread([this] {
    const absl::Status status = reader_.Run(start_.position());
    if (!status.ok()) context_.Fail(status);
  });
  for (uint32_t i = 0; i < config_.stream.copy_connections; ++i)
    threads->copiers.emplace_back([this] { copier_.Work(); });
  headroom_.SetDelivered(start_.position(), absl::InfinitePast());
  threads->headroom = std::thread([this] { headroom_.Run(); });
  threads->table_watch = std::thread([this] { table_watch_.Run(); });
  threads->target_watch = std::thread([this] { TargetWatch(&context_).Run(); });
}

// Until the stream is to end.
void StreamRun::Watch() {
  absl::Time looked = absl::InfinitePast();
  while (!cancel_.WaitFor(kStoreEvery) && !context_.stop.cancelled()) {
    last_round_us_ = absl::ToUnixMicros(context_.clock->Now());
    const absl::Status stored = place_.Store();
    if (!stored.ok()) return context_.Fail(stored);
    if (context_.clock->Now() - looked >= kLookAtGapsEvery) {
      looked = context_.clock->Now();
      const StoredPlace::View place = place_.view();
      headroom_.SetDelivered(place.position, place.whole_until);
      CountResent();
      const absl::Status gaps = LookAtGaps();
      if (!gaps.ok()) return context_.Fail(gaps);
    }
    if (context_.options.until_caught_up && CaughtUp()) {
      caught_up_ = true;
      return;
    }
  }
}

bool StreamRun::CaughtUp() const {
  const bool looked = table_watch_.has_looked() && !table_watch_.has_list() && follower_.asked() == 0;
  const bool passed = HasPassed(place_.view().position, start_.position().epoch, start_.goal());
  if (!looked || !copier_.idle() || !passed) return false;
  return std::ranges::none_of(context_.tables.all(), [](const StreamTable* table) {
    const StreamTableState state = table->record().state;
    return IsCopying(state) || state == StreamTableState::kCatching || state == StreamTableState::kBeginning;
  });
}

// `hakobu repair`, another process, closes gaps and makes their tables whole again.
absl::Status StreamRun::LookAtGaps() {
  HAKOBU_RETURN_IF_ERROR(CountGaps());
  for (StreamTable* table : context_.tables.all()) {
    if (table->record().state != StreamTableState::kGap) continue;
    HAKOBU_RETURN_IF_ERROR(table->Reload(context_.log));
    if (table->record().state == StreamTableState::kWhole)
      Log(LogSeverity::kInfo, "table is whole", {{"table", table->name}});
  }
  return absl::OkStatus();
}

absl::Status StreamRun::CountGaps() {
  HAKOBU_ASSIGN_OR_RETURN(const std::vector<StreamGapRecord> gaps, context_.log->Gaps());
  open_gaps_ = static_cast<uint64_t>(
      std::ranges::count(gaps, GapState::kOpen, [](const StreamGapRecord& gap) { return gap.state; }));
  return absl::OkStatus();
}

void StreamRun::CountResent() {
  uint64_t all = 0;
  for (const auto& sender : senders_) all += sender->counters().resent_requests;
  resent_requests_ = all;
}

// Whatever anything waits for after this, it does not come.
void StreamRun::GiveUp() {
  context_.abandon.Cancel();
  keeper_.Stop();
}

absl::StatusOr<StreamReport> StreamRun::End(Threads* threads) {
  context_.stop.Cancel();
  reader_.Interrupt();
  context_.connections.InterruptAll();
  copier_.Interrupt();
  threads->reader.join();
  for (std::thread& thread : threads->copiers) thread.join();
  threads->headroom.join();
  threads->table_watch.join();
  const bool delivered = !context_.failure().ok() || keeper_.WaitForAll(kDrainFor);
  absl::Status stored = place_.Store();
  const bool given_up = context_.failure().ok() && (!delivered || (!stored.ok() && cancel_.cancelled()));
  if (given_up) {
    Log(LogSeverity::kWarning, "stopped before everything was acknowledged; the next start repeats it",
        {{"reason", std::string(View(stored.message()))}});
    stored = absl::OkStatus();
  }
  context_.abandon.Cancel();
  threads->target_watch.join();  // it may have waited for BigQuery
  keeper_.Stop();
  CountResent();
  senders_.clear();
  HAKOBU_RETURN_IF_ERROR(context_.failure());
  HAKOBU_RETURN_IF_ERROR(stored);
  const absl::Status counted = CountGaps();
  if (!given_up) HAKOBU_RETURN_IF_ERROR(counted);
  ended_ = true;
  StreamReport report;
  report.status = Status();
  report.caught_up = caught_up_;
  const DeliveredPoint position = place_.view().position;
  Log(LogSeverity::kInfo, "stream ended",
      {{"file", position.file}, {"offset", fmt::format("{}", position.offset)}, {"gtid", position.gtid_set}});
  return report;
}

void StreamRun::OnLaneFailed(size_t lane, const absl::Status& status) {
  CrashPoint("stream.lane_failed");
  context_.StopTable(context_.tables.At(lane), status);
}

void StreamRun::OnSenderFailed(const absl::Status& status) {
  if (!context_.abandon.cancelled()) context_.Fail(Annotate(status, "send to BigQuery"));
}

}  // namespace hakobu
