#include "delivery/repair/stream_wait.h"

#include "base/log.h"
#include "base/status.h"
#include "delivery/stream/sequence.h"

namespace hakobu {
namespace {

constexpr absl::Duration kLongestWaitForStream = absl::Seconds(60);

bool Passed(const StreamPosition& position, int64_t epoch, const LogPosition& to) {
  return LogPlace::In(position.file, position.offset, position.epoch) >=
         LogPlace::In(to.file, to.offset, epoch);
}

}  // namespace

absl::StatusOr<StreamPosition> DeliveredUpTo(StreamBook& log) {
  HAKOBU_ASSIGN_OR_RETURN(const std::optional<StreamPosition> stored, log.Position());
  if (stored.has_value()) return *stored;
  return WithHint(absl::FailedPreconditionError("nothing has been streamed with this ledger"),
                  "run `hakobu stream` first");
}

absl::StatusOr<bool> StreamStaysBehind(RepairContext* context, Connection* source, const std::string& table,
                                       absl::Duration staleness) {
  HAKOBU_ASSIGN_OR_RETURN(const LogPosition end, ReadLogPosition(source));
  HAKOBU_ASSIGN_OR_RETURN(const StreamPosition first, DeliveredUpTo(*context->log));
  const absl::Time until = context->clock->Now() + kLongestWaitForStream;
  for (;;) {
    HAKOBU_ASSIGN_OR_RETURN(const StreamPosition now, DeliveredUpTo(*context->log));
    if (Passed(now, first.epoch, end)) break;
    // Whoever streams holds the lock.
    if (context->ledger->Lock(LedgerUse::kStream).ok()) return true;
    if (context->clock->Now() > until) {
      Log(LogSeverity::kWarning, "the stream is behind; comparing without waiting longer",
          {{"table", table}});
      return true;
    }
    if (context->cancel->WaitFor(absl::Milliseconds(200))) return context->cancel->Check();
  }
  if (staleness > absl::ZeroDuration() && context->cancel->WaitFor(staleness))
    return context->cancel->Check();
  return false;
}

}  // namespace hakobu
