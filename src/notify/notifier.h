// Tells people, beside whatever a command does: what is seen is judged, what is to be told goes into the
// ledger with that judgement, and from there to the channels, until they have it.
#pragma once

#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <thread>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/synchronization/mutex.h"
#include "base/cancel.h"
#include "base/clock.h"
#include "ledger/ledger.h"
#include "notify/carrier.h"
#include "notify/condition.h"
#include "notify/judge.h"

namespace hakobu {

// Thread-safe. A thread of its own, and a connection to the ledger of its own, which waits for a lock only
// shortly: neither a receiver nor the ledger holds the command up.
class Notifier {
 public:
  struct Options {
    NotifyConfig config;
    std::string ledger_path;
    std::string config_path;
    HttpOptions http;
    Clock* clock = Clock::Real();
  };
  explicit Notifier(Options options);
  ~Notifier();  // what is on its way is given up, and sent by whoever is next
  Notifier(const Notifier&) = delete;
  Notifier& operator=(const Notifier&) = delete;

  // Judged as soon as the ledger can be had. Quick.
  void Note(Observation observation);
  // The same, in place of the last one of this kind that nobody has judged yet: for what is seen again and
  // again.
  void Show(Observation observation);
  // All is well: the ping's address is asked, if that is due.
  void Well();
  // Waits until all that was noted is in the ledger, and every message is delivered. False when that took
  // longer than `patience`, or than 1 s once `cancel` has come, or when no message that waits is due before;
  // what is in the ledger is not lost then.
  bool Flush(absl::Duration patience, const Cancellation& cancel);

 private:
  void Run();
  // Whether anything is left that can be done now.
  bool Work();
  absl::Status OpenLedger();
  absl::Status JudgeNext(bool* is_left);
  absl::Status SendNext(bool* is_left);
  void PingIfDue();
  void Complain(std::string_view what, const absl::Status& status);

  const Options options_;
  const std::string host_;
  const std::string owner_;  // this process, for claims
  Carrier carrier_;
  Cancellation ending_;
  absl::Mutex mutex_;
  std::deque<Observation> noted_ ABSL_GUARDED_BY(mutex_);
  std::optional<Observation> shown_ ABSL_GUARDED_BY(mutex_);
  bool is_well_ ABSL_GUARDED_BY(mutex_) = false;
  uint64_t asked_ ABSL_GUARDED_BY(mutex_) = 0;                            // counts wishes to be woken
  absl::Time next_try_ ABSL_GUARDED_BY(mutex_) = absl::InfiniteFuture();  // of the messages that wait
  uint64_t seen_ ABSL_GUARDED_BY(mutex_) = 0;  // of them, before the last pass that left nothing to do
  // The thread's alone.
  std::unique_ptr<Ledger> ledger_;
  absl::Time last_ping_ = absl::InfinitePast();
  std::string last_complaint_;
  std::thread thread_;
};

// The message's name towards receivers: the same each time it is sent.
std::string NoticeId(const std::string& ledger_id, uint64_t number);
NoticeOrigin OriginOfThis(const std::string& ledger_id, const std::string& config_path);

}  // namespace hakobu
