#include "delivery/stream/stream_context.h"

#include "base/log.h"
#include "base/status.h"
#include "delivery/stream/copier.h"

namespace hakobu {

void StreamContext::Fail(const absl::Status& status) {
  {
    absl::MutexLock lock(&mutex_);
    if (failure_.ok()) failure_ = status;
  }
  stop.Cancel();
  abandon.Cancel();
  keeper->Stop();
  connections.InterruptAll();
  if (copier != nullptr) copier->Interrupt();
}

void StreamContext::StopTable(StreamTable* table, const absl::Status& why) {
  table->delivered = false;
  const std::string reason(View(why.message()));
  const absl::Status stored = table->Advance(log, StreamTableEvent::kStop, [&](StreamTableRecord* record) {
    record->reason = reason;
    record->since = clock->Now();
  });
  if (!stored.ok()) return Fail(stored);
  Log(LogSeverity::kError, "table stopped, the others go on",
      {{"table", table->name}, {"reason", reason}, {"hint", "hakobu repair " + table->name}});
}

}  // namespace hakobu
