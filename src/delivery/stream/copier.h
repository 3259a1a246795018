// First copies beside the stream: tables are read in chunks of their key and sent so that any change of the
// log since the table joined wins over a copied row.
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/synchronization/mutex.h"
#include "delivery/stream/stream_context.h"
#include "source/source.h"

namespace hakobu {

// Thread-safe. Its threads are the caller's: each calls Work. A copy that fails waits behind the others for
// its next try.
class Copier {
 public:
  explicit Copier(StreamContext* context) : context_(context) {}

  // The table's record says "copying"; its changes are delivered from `joined` on, a set of transactions that
  // the source must have committed before it is read (MySQL; "" otherwise).
  void Add(StreamTable* table, std::string joined);
  // The table's copy is not under way any more when this returns; what it has sent may be on its way still.
  void Cancel(StreamTable* table);
  // Copies tables until the context's `stop`.
  void Work();
  // The stream ends: what is being read is cut off.
  void Interrupt();
  bool idle() const;

 private:
  struct Task {
    StreamTable* table = nullptr;
    std::string joined;
    absl::Time not_before = absl::InfinitePast();
    absl::Duration delay = absl::ZeroDuration();  // before the next try
    // Where the source's log was when a try failed for the table's own sake. Until the stream has come there
    // the table may be another one than the stream knows, and tries do not count.
    std::optional<ChangeSequence> failed_at;
    int tries = 0;
  };
  std::optional<Task> Take();
  void Again(Task task, const absl::Status& status, bool progress);
  // False: there are no more tries.
  bool MayTryAgain(Task* task, const absl::Status& status);

  mutable absl::Mutex mutex_;
  StreamContext* context_;
  std::deque<Task> tasks_ ABSL_GUARDED_BY(mutex_);
  // Tables that are read, with the connections that do it.
  std::map<StreamTable*, std::shared_ptr<OpenConnections>> working_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace hakobu
