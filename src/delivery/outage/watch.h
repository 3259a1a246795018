// Outages, heard: in the log within seconds and again at growing intervals, in the ledger for other
// processes, and for whoever shows the command's state.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "base/clock.h"
#include "base/outage.h"
#include "delivery/outage/board.h"
#include "ledger/ledger.h"

namespace hakobu {

// Thread-safe. One thread of its own, which waits for nothing but time: it speaks also while the ledger is
// locked, over a connection of its own whose tries are short.
class OutageWatch {
 public:
  struct Options {
    std::string command;      // "stream": whose outages these are
    std::string ledger_path;  // empty: they are not kept
    // From the watch's thread; each may be empty.
    std::function<std::string(OutageSubject)> doing;  // what is done meanwhile, a clause
    std::function<void(OutageWatch&)> each_second;
    Clock* clock = Clock::Real();
  };
  explicit OutageWatch(Options options);
  ~OutageWatch();  // what has ended is said and kept; what lasts stays open in the ledger
  OutageWatch(const OutageWatch&) = delete;
  OutageWatch& operator=(const OutageWatch&) = delete;

  OutageListener* of(OutageSubject subject);  // as long as the watch
  std::vector<Outage> Present() const;

 private:
  class Listener;
  void Run();
  void Speak();
  void Record();
  void Keep(const OutageWord& word);

  const Options options_;
  std::vector<std::unique_ptr<Listener>> listeners_;
  mutable absl::Mutex mutex_;
  OutageBoard board_ ABSL_GUARDED_BY(mutex_);
  bool ending_ ABSL_GUARDED_BY(mutex_) = false;
  // The thread's alone.
  std::unique_ptr<Ledger> ledger_;
  std::map<OutageSubject, OutageRecord> unrecorded_;
  bool begun_ = false;  // what an earlier process left open is closed
  std::thread thread_;
};

}  // namespace hakobu
