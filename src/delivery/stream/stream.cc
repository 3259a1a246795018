#include "delivery/stream/stream.h"

#include <fmt/format.h>

#include "absl/synchronization/mutex.h"
#include "base/log.h"
#include "base/status.h"
#include "delivery/open_ledger.h"
#include "delivery/stream/stream_run.h"

namespace hakobu {
namespace {

// How long a source that does not answer is waited for before anything has begun: long enough for its
// restart, short enough to tell whoever has mistyped its address.
constexpr absl::Duration kStartPatience = absl::Minutes(1);
// A stream whose own loop gives no sign for so long is not shown any more: it hangs. Unless it waits for its
// ledger.
constexpr absl::Duration kHangsAfter = absl::Seconds(30);

bool IsAway(const std::vector<Outage>& outages, OutageSubject subject) {
  for (const Outage& outage : outages) {
    if (outage.subject == subject) return true;
  }
  return false;
}

// Shows the try that is under way to the observer. Thread-safe.
class Shown {
 public:
  Shown(const StreamOptions& options, StreamObserver* observer)
      : clock_(options.clock), observer_(observer), started_(clock_->Now()) {}

  void Follow(const StreamRun* run) {
    absl::MutexLock lock(&mutex_);
    run_ = run;
  }
  void Show(const std::vector<Outage>& outages) {
    absl::MutexLock lock(&mutex_);
    StreamStatus status;
    status.started = started_;
    if (run_ != nullptr) {
      const absl::Time round = run_->last_round();
      const bool hangs = round != absl::UnixEpoch() && clock_->Now() - round > kHangsAfter;
      if (hangs && !IsAway(outages, OutageSubject::kLedger)) return;
      status = run_->Status();
    }
    status.outages = outages;
    if (status.reason.empty() && !outages.empty()) status.reason = outages.front().Text();
    observer_->OnStatus(status);
  }
  std::string Meanwhile(OutageSubject subject) {
    absl::MutexLock lock(&mutex_);
    switch (subject) {
      case OutageSubject::kSource:
        return "a new connection is tried every few seconds; what was read is delivered";
      case OutageSubject::kBigQuery:
        return fmt::format(
            "it is tried again every few seconds; {} bytes wait in memory, more in the source's log",
            run_ == nullptr ? 0 : run_->Status().held_bytes);
      case OutageSubject::kLedger:
        return "it is waited for; changes are delivered, and would be again after a kill, which changes "
               "nothing";
    }
    return "";
  }

 private:
  Clock* const clock_;
  StreamObserver* const observer_;
  const absl::Time started_;
  absl::Mutex mutex_;
  const StreamRun* run_ ABSL_GUARDED_BY(mutex_) = nullptr;
};

// Asked to stop before it could start: nothing was read, and nothing is lost.
StreamReport NeverStarted(const absl::Status& reason) {
  Log(LogSeverity::kInfo, "stopped before it could start");
  StreamReport report;
  report.status.state = StreamPhase::kStopped;
  report.status.reason = fmt::format("stopped before it could start: {}", View(reason.message()));
  return report;
}

absl::StatusOr<StreamReport> TryUntilBegun(StreamRun::Outside outside, Shown* shown) {
  RetryPolicy policy;
  policy.longest_delay = absl::Seconds(5);
  policy.max_elapsed = kStartPatience;
  const Cancellation& cancel = *outside.cancel;
  const RetryContext retry{.clock = outside.options->clock, .cancellation = &cancel, .jitter = {}};
  for (Backoff backoff(policy, retry);;) {
    absl::StatusOr<StreamReport> report;
    bool begun = false;
    {
      StreamRun run(outside);
      shown->Follow(&run);
      report = run.Run();
      begun = run.begun();
      shown->Follow(nullptr);
    }
    if (report.ok() || begun) return report;
    if (cancel.cancelled()) return NeverStarted(report.status());
    if (report.status().code() != absl::StatusCode::kUnavailable) return report;
    Log(LogSeverity::kWarning, "the stream cannot start yet",
        {{"reason", std::string(View(report.status().message()))}});
    const absl::Status unready = report.status();
    if (backoff.Wait(unready).ok()) continue;
    return cancel.cancelled() ? NeverStarted(unready) : absl::StatusOr<StreamReport>(unready);
  }
}

}  // namespace

int ExitCode(const StreamReport& report) {
  for (const StreamTableStatus& table : report.status.tables) {
    if (table.state == StreamTableState::kStopped || table.quarantined > 0) return 3;
  }
  return report.status.open_gaps > 0 ? 3 : 0;
}

absl::StatusOr<StreamReport> RunStream(const Config& config, const StreamOptions& options,
                                       StreamObserver* observer, const Cancellation& cancel) {
  StreamObserver silent;
  if (observer == nullptr) observer = &silent;
  HAKOBU_ASSIGN_OR_RETURN(const std::string ledger_path, LedgerPath(config, options.ledger_path));
  Shown shown(options, observer);
  absl::StatusOr<StreamReport> report;
  {
    OutageWatch outages({.command = "stream",
                         .ledger_path = ledger_path,
                         .doing = [&](OutageSubject subject) { return shown.Meanwhile(subject); },
                         .each_second = [&](OutageWatch& watch) { shown.Show(watch.Present()); },
                         .clock = options.clock});
    report = TryUntilBegun({.config = &config, .options = &options, .cancel = &cancel, .outages = &outages},
                           &shown);
  }
  if (report.ok()) observer->OnStatus(report->status);
  return report;
}

}  // namespace hakobu
