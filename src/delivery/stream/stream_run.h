// One try at following the log: its parts, its threads, its end. stream.h has the map.
#pragma once

#include <atomic>
#include <memory>
#include <thread>
#include <vector>

#include "absl/status/statusor.h"
#include "base/cancel.h"
#include "delivery/outage/watch.h"
#include "delivery/stream/copier.h"
#include "delivery/stream/ddl_history.h"
#include "delivery/stream/follower.h"
#include "delivery/stream/headroom_watch.h"
#include "delivery/stream/reader.h"
#include "delivery/stream/stored_place.h"
#include "delivery/stream/stream.h"
#include "delivery/stream/stream_context.h"
#include "delivery/stream/stream_start.h"
#include "delivery/stream/table_inquiry.h"

namespace hakobu {

class StreamRun : public SenderEvents {
 public:
  // All of them outlive it.
  struct Outside {
    const Config* config = nullptr;
    const StreamOptions* options = nullptr;
    const Cancellation* cancel = nullptr;
    OutageWatch* outages = nullptr;
  };
  explicit StreamRun(const Outside& outside);

  // Once.
  absl::StatusOr<StreamReport> Run();
  // Whether everything was ready: what fails after that is tried again by those who do it.
  bool begun() const { return begun_; }
  // Thread-safe; waits for nothing that may be away.
  StreamStatus Status() const;
  // The last sign of whoever stores the place; InfinitePast: not begun.
  absl::Time last_round() const { return absl::FromUnixMicros(last_round_us_); }

  void OnLaneFailed(size_t lane, const absl::Status& status) override;
  void OnSenderFailed(const absl::Status& status) override;

 private:
  struct Threads;
  absl::Status Open();
  void Begin(Threads* threads);
  void Watch();
  bool CaughtUp() const;
  absl::Status LookAtGaps();
  absl::Status CountGaps();
  absl::StatusOr<StreamReport> End(Threads* threads);
  void GiveUp();
  void CountResent();
  void ShowTables(StreamStatus* status, absl::Time whole_until) const;

  const Config& config_;
  const Cancellation& cancel_;
  StreamContext context_;
  std::unique_ptr<Ledger> ledger_;
  std::unique_ptr<LedgerLock> lock_;  // after the ledger: released first
  std::unique_ptr<DdlHistory> ddl_history_;
  PositionKeeper keeper_;
  Follower follower_;
  LogReader reader_;
  Copier copier_;
  TableWatch table_watch_;
  HeadroomWatch headroom_;
  StreamStart start_;
  StoredPlace place_;
  std::vector<std::unique_ptr<Sender>> senders_;
  const absl::Time started_;
  std::atomic<bool> begun_{false};
  std::atomic<bool> ended_{false};
  std::atomic<int64_t> last_round_us_{0};
  std::atomic<uint64_t> open_gaps_{0}, resent_requests_{0};
  bool caught_up_ = false;
};

}  // namespace hakobu
