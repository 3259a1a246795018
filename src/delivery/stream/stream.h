// The stream: follows the source's binary log and keeps BigQuery tables current, for months.
// docs/streaming.md states what it promises.
//
// clang-format off
// The loop, over all of its parts:
//
//     stream_start    what is stored, what both servers are now, what the contracts say
//     reader          for each event of the log
//     follower          what it means for the tables; rows to their lane
//     lane              encodes them; full requests go to a sender, each with a ticket
//     position_keeper   after each transaction a mark
//     sender          appends to BigQuery until it is acknowledged; hands the ticket back
//     stored_place    the newest mark that all tickets before are back for goes to the ledger
//
// Threads, and what each owns:
//
//     main            StreamRun: the start; then every 100 ms StoredPlace::Store; the end
//     reader          LogReader, Follower, Lanes, SchemaFollower; another one fills the spool
//     senders         `stream.connections`: a connection to BigQuery each, and the tables that keep to it
//     copiers         `stream.copy_connections`: Copier, TableCopy: first copies, and repeated ones
//     headroom        HeadroomWatch: how much log the source still has
//     table watch     TableWatch: which tables the source has, now and then
//     target watch    TargetWatch: one table of BigQuery a second, against its contract
//     outage watch    OutageWatch: says what is away, shows the status; waits for nothing
//     deadline        DrainDeadline: ends what a request to stop would wait for too long
//
// Words:
//
//     place           where in the log something is: file, offset, epoch
//     epoch           counted up whenever places begin anew, so that later ones win
//     stored place    everything before it is acknowledged; it is in the ledger
//     lane            one table's way to BigQuery; parked while a column is not known everywhere yet
//     ticket, mark    one request on its way; a place between two transactions
//     whole           of a table: all of the log before the stored place is in it
//     copy            brings what the log does not have; anew: over rows that are there
//     gap             log that was not, or may not have been, delivered
//     outage          a side is away, or refuses
//     drain           deliver what was read before ending
// clang-format on
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "base/cancel.h"
#include "base/clock.h"
#include "base/enum_name.h"
#include "delivery/delivery.h"
#include "delivery/outage/board.h"
#include "ledger/table_life.h"

namespace hakobu {

struct Config;  // config/config.h

// How one table of the stream stands.
struct StreamTableStatus {
  std::string source;  // "shop.members"
  std::string target;  // "project.dataset.members"
  StreamTableState state = StreamTableState::kNone;
  std::string reason;
  uint64_t changes = 0;                            // read since this process began
  uint64_t inserts = 0, updates = 0, deletes = 0;  // of them
  uint64_t bytes = 0;
  uint64_t copied_rows = 0;
  uint64_t chunks = 0;
  uint64_t chunks_done = 0;
  uint64_t quarantined = 0;
  // Everything committed on the source up to this moment is in BigQuery; InfinitePast: not known.
  absl::Time fresh_until = absl::InfinitePast();
};

enum class StreamPhase : uint8_t { kStarting, kConnecting, kStreaming, kDraining, kStopped, kFailed };
inline constexpr std::string_view kStreamPhaseNames[] = {"starting", "connecting", "streaming",
                                                         "draining", "stopped",    "failed"};
constexpr std::span<const std::string_view> NamesOf(StreamPhase) {
  return kStreamPhaseNames;
}

// Everything that metrics, health and `status` show, at one moment.
struct StreamStatus {
  StreamPhase state = StreamPhase::kStarting;
  std::string reason;
  std::string source_server;  // UUID, or server id
  int64_t epoch = 0;
  std::string file;  // of the stored position
  uint64_t offset = 0;
  std::string gtid_set;
  std::string read_file;  // how far the log has been read
  uint64_t read_offset = 0;
  absl::Time started = absl::InfinitePast();
  absl::Time last_event = absl::InfinitePast();   // when an event or heartbeat last came
  absl::Time last_stored = absl::InfinitePast();  // when the position last moved
  absl::Time fresh_until = absl::InfinitePast();
  int64_t lag_bytes = -1;  // of log not yet delivered; -1: not known
  uint64_t transactions = 0;
  uint64_t changes = 0;
  uint64_t bytes = 0;  // encoded
  uint64_t log_bytes = 0;
  uint64_t reconnects = 0;
  uint64_t resent_requests = 0;
  uint64_t held_bytes = 0;  // encoded and not yet acknowledged
  uint64_t open_gaps = 0;
  // Until the source purges what is still needed, at this rate and if the stream stalled; infinity: it does
  // not; -1: not known.
  double headroom_seconds = -1;
  double stalled_seconds = -1;
  std::string headroom;         // the same in words
  std::vector<Outage> outages;  // that last
  std::vector<StreamTableStatus> tables;
};
std::string StreamStatusToJson(const StreamStatus& status);

// How a stream ended.
struct StreamReport {
  StreamStatus status;
  bool caught_up = false;  // StreamOptions::until_caught_up was reached
};
// 0 done, 3 tables are stopped, values quarantined or gaps open.
int ExitCode(const StreamReport& report);

// Called from the stream's own threads, one call at a time; must return quickly.
class StreamObserver {
 public:
  virtual ~StreamObserver() = default;
  // About once a second, from before the start on, and at the end. No more while the stream hangs.
  virtual void OnStatus(const StreamStatus& /*status*/) {}
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
// every case.
absl::StatusOr<StreamReport> RunStream(const Config& config, const StreamOptions& options,
                                       StreamObserver* observer, const Cancellation& cancel);

}  // namespace hakobu
