// The stream: follows the source's binary log and keeps BigQuery tables current, for months.
// docs/streaming.md states what it promises.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "base/cancel.h"
#include "base/clock.h"
#include "delivery/delivery.h"
#include "delivery/stream/snapshot.h"
#include "ledger/stream_log.h"

namespace hakobu {

struct Config;  // config/config.h

// How a stream ended.
struct StreamReport {
  StreamSnapshot snapshot;
  bool caught_up = false;                 // StreamOptions::until_caught_up was reached
  uint64_t open_gaps = 0;                 // intervals of the log that are not proven to be delivered
  std::vector<StreamTableRecord> tables;  // ledger/stream_log.h
};
// 0 done, 3 tables are stopped, values quarantined or gaps open.
int ExitCode(const StreamReport& report);
std::string ReportToJson(const StreamReport& report);

// Called from the stream's own threads, one call at a time; must return quickly.
class StreamObserver {
 public:
  virtual ~StreamObserver() = default;
  // About once a second, and at every change of state.
  virtual void OnSnapshot(const StreamSnapshot& /*snapshot*/) {}
};

struct StreamOptions {
  DestinationAddresses addresses;
  std::string ledger_path;  // empty: the configuration's
  bool until_caught_up =
      false;  // end once all that was in the log at the start is delivered and copies are done
  Clock* clock = Clock::Real();
};

// Runs until cancelled (then drains, stores and returns OK), until caught up, or until it cannot go on.
// Errors: InvalidArgument (configuration, preflight), DataLoss (the log cannot be continued and a gap was
// recorded that the configuration does not let pass), else what failed. What was acknowledged is stored in
// every case. The result is the status at the end.
absl::StatusOr<StreamReport> RunStream(const Config& config, const StreamOptions& options,
                                       StreamObserver* observer, const Cancellation& cancel);

}  // namespace hakobu
