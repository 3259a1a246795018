// Looks at the targets while rows are written to them: somebody may make one again, put a view in its place,
// take a column, or all rows. The table stops then, with what differs; the others go on.
#pragma once

#include <cstdint>
#include <map>

#include "delivery/stream/emptied.h"
#include "delivery/stream/stream_context.h"

namespace hakobu {

// One thread, the caller's. One table at a time, so that many tables cost no more calls than few.
class TargetWatch {
 public:
  explicit TargetWatch(StreamContext* context) : context_(context), emptied_(context) {}
  void Run();  // until the context's `stop`

 private:
  void Look(StreamTable* table);
  StreamContext* context_;
  Emptied emptied_;
};

}  // namespace hakobu
