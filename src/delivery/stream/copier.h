// First copies beside the stream: tables are read in chunks of their key and sent so that any change of the
// log since the table joined wins over a copied row.
#pragma once

#include <deque>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/synchronization/mutex.h"
#include "delivery/stream/stream_context.h"
#include "source/source.h"

namespace hakobu {

// Thread-safe. Its threads are the caller's: each calls Work.
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
  bool idle() const;

 private:
  struct Task {
    StreamTable* table = nullptr;
    std::string joined;
  };

  mutable absl::Mutex mutex_;
  StreamContext* context_;
  std::deque<Task> tasks_ ABSL_GUARDED_BY(mutex_);
  std::set<StreamTable*> working_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace hakobu
