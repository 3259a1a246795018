// The governor at work in a run: it looks at the source once a second over a connection of its own, and lets
// readers begin chunks at the rate that budget and promise allow (docs/promises.md).
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "absl/synchronization/notification.h"
#include "delivery/governed/source_watch.h"
#include "delivery/run_context.h"
#include "delivery/run_tables.h"
#include "governor/governor.h"
#include "governor/page_tokens.h"

namespace hakobu {

// Thread-safe, but for Start and Stop. All it is given outlives it.
class RunGate {
 public:
  RunGate(RunContext* run, const TableRuns& tables);
  ~RunGate() { Stop(); }

  // Looks once, says what it foresees, and goes on looking.
  void Start();
  void Stop();
  // Before each chunk; waits until it may begin. Not OK: cancelled.
  absl::Status Enter(const TableRun& table);
  // After Stop: where the time went, and what became of the promise.
  PaceReport report() const;

 private:
  struct Left {
    double operations = 0;
    double done = 0;  // by this run
  };
  GovernorOptions Options();
  void Second();
  void Look(double now);
  void Decide(double now);
  void Book(double now) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void SayAtStart();
  void WatchPromise(double now);
  void NoteLate(double now);
  void TakeWish();
  Left WhatIsLeft() const;
  double PagesOf(const TableRun& table, double rows) const;

  RunContext* run_;
  const TableRuns& tables_;
  const double start_;
  std::vector<double> rows_before_;  // of earlier runs that this one continues
  std::optional<DailyHour> hour_;
  std::optional<absl::Time> promise_;
  bool limited_ = false;  // there is a budget at all
  std::unique_ptr<SourceWatch> watch_;
  std::unique_ptr<Governor> governor_;
  std::thread thread_;
  absl::Notification ended_;
  double done_before_ = 0;  // of WhatIsLeft, when it was last looked at
  double foreseen_at_ = 0;
  bool warned_ = false;
  bool late_noted_ = false;

  mutable absl::Mutex mutex_;
  PageTokens tokens_ ABSL_GUARDED_BY(mutex_);
  Decision decision_ ABSL_GUARDED_BY(mutex_);
  double share_ ABSL_GUARDED_BY(mutex_) = 1;
  ReasonLedger reasons_ ABSL_GUARDED_BY(mutex_);
  PaceReport report_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace hakobu
