#include "delivery/stream/spooled_stream.h"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <filesystem>
#include <thread>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "base/status.h"

namespace hakobu {
namespace {

constexpr absl::Duration kAtATime = absl::Milliseconds(200);  // how soon a stop is seen
constexpr uint64_t kAcknowledgeEvery = 1000;                  // events

class SpooledStream : public LogStream {
 public:
  SpooledStream(std::unique_ptr<LogStream> live, Spool* spool)
      : live_(std::move(live)), spool_(spool), seen_{live_->last_heard(), live_->waited_at()} {}
  ~SpooledStream() override {
    Interrupt();
    if (thread_.joinable()) thread_.join();
  }

  absl::Status Begin() {
    HAKOBU_RETURN_IF_ERROR(spool_->Clear());
    HAKOBU_ASSIGN_OR_RETURN(reader_, spool_->ReadFrom(spool_->end().sequence));
    thread_ = std::thread([this] { Fill(); });
    return absl::OkStatus();
  }

  absl::StatusOr<std::optional<std::string_view>> Next(absl::Duration timeout) override {
    if (stop_) return absl::CancelledError("stopped on request");
    const Seen seen = seen_now();  // before the look into the spool: what is in it then is older
    HAKOBU_ASSIGN_OR_RETURN(auto event, reader_->Next(absl::ZeroDuration()));
    if (!event) {
      if (seen.ended && !seen.at_end) return seen.status;
      at_end_ = seen.ended;
      if (at_end_) return std::optional<std::string_view>();
      waited_at_ = std::min(absl::Now(), seen.waited_at);
      HAKOBU_ASSIGN_OR_RETURN(event, reader_->Next(std::min(timeout, kAtATime)));
    }
    if (!event) return std::optional<std::string_view>();
    // Read is done with: whoever fails begins at the source again.
    if (event->sequence % kAcknowledgeEvery == 0)
      HAKOBU_RETURN_IF_ERROR(spool_->Acknowledge(event->sequence));
    return std::optional<std::string_view>(event->bytes);
  }

  bool at_end() const override { return at_end_; }
  void Interrupt() override {
    stop_ = true;
    live_->Interrupt();
  }
  ServerFlavor flavor() const override { return live_->flavor(); }
  uint32_t server_id() const override { return live_->server_id(); }
  const std::string& replica_uuid() const override { return live_->replica_uuid(); }
  uint64_t bytes_read() const override { return seen_now().bytes_read; }
  absl::Time last_heard() const override { return seen_now().last_heard; }
  absl::Time waited_at() const override { return waited_at_; }

 private:
  // Of the live stream, which belongs to the thread that fills.
  struct Seen {
    absl::Time last_heard, waited_at;
    uint64_t bytes_read = 0;
    bool ended = false, at_end = false;
    absl::Status status{};
  };
  Seen seen_now() const {
    absl::MutexLock lock(&mutex_);
    return seen_;
  }

  void Fill() {
    absl::Status status;
    while (!stop_ && status.ok() && !live_->at_end()) {
      const auto event = live_->Next(kAtATime);
      status = event.status();
      if (status.ok() && *event) status = Append(**event);
      absl::MutexLock lock(&mutex_);
      seen_.last_heard = live_->last_heard();
      seen_.waited_at = live_->waited_at();
      seen_.bytes_read = live_->bytes_read();
    }
    absl::MutexLock lock(&mutex_);
    seen_.ended = true;
    seen_.at_end = status.ok() && live_->at_end();
    seen_.status = status.ok() && stop_ ? absl::CancelledError("stopped on request") : status;
  }

  // A full spool is waited for: then the source's log is what holds the rest.
  absl::Status Append(std::string_view event) {
    for (;;) {
      const absl::Status appended = spool_->Append(event, kAtATime);
      if (!absl::IsDeadlineExceeded(appended)) return appended;
      if (stop_) return absl::CancelledError("stopped on request");
    }
  }

  std::unique_ptr<LogStream> live_;
  Spool* spool_;
  std::unique_ptr<SpoolReader> reader_;
  std::atomic<bool> stop_{false};
  absl::Time waited_at_ = absl::InfinitePast();
  bool at_end_ = false;
  mutable absl::Mutex mutex_;
  Seen seen_ ABSL_GUARDED_BY(mutex_);
  std::thread thread_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<Spool>> OpenEmptySpool(const std::string& folder, uint64_t max_bytes) {
  SpoolOptions options;
  options.folder = folder;
  options.max_bytes = max_bytes;
  // It is emptied at each start: nobody has to read what another process wrote.
  options.sealer = Sealer::Random();
  auto spool = Spool::Open(options);
  if (absl::IsDataLoss(spool.status())) {  // it is not needed, so it may be damaged
    std::error_code ignored;
    for (const auto& entry : std::filesystem::directory_iterator(folder, ignored)) {
      if (entry.path().extension() == ".spool") std::filesystem::remove(entry.path(), ignored);
    }
    spool = Spool::Open(options);
  }
  if (!spool.ok()) return Annotate(spool.status(), "open the spool");
  HAKOBU_RETURN_IF_ERROR((*spool)->Clear());
  return spool;
}

absl::StatusOr<std::unique_ptr<LogStream>> ReadThroughSpool(std::unique_ptr<LogStream> live, Spool* spool) {
  auto stream = std::make_unique<SpooledStream>(std::move(live), spool);
  HAKOBU_RETURN_IF_ERROR(stream->Begin());
  return stream;
}

}  // namespace hakobu
