#include "delivery/repair/stream_wait.h"

#include "base/log.h"
#include "base/status.h"

namespace hakobu {
namespace {

constexpr absl::Duration kLongestWaitForStream = absl::Seconds(60);

}  // namespace

absl::StatusOr<DeliveredPoint> DeliveredUpTo(StreamBook& log) {
  HAKOBU_ASSIGN_OR_RETURN(const std::optional<DeliveredPoint> stored, log.Position());
  if (stored.has_value()) return *stored;
  return WithHint(absl::FailedPreconditionError("nothing has been streamed with this ledger"),
                  "run `hakobu stream` first");
}

absl::StatusOr<bool> StreamStaysBehind(RepairContext* context, Connection* source, const std::string& table,
                                       absl::Duration staleness) {
  HAKOBU_ASSIGN_OR_RETURN(const LogPoint end, ReadLogPoint(source));
  HAKOBU_ASSIGN_OR_RETURN(const DeliveredPoint first, DeliveredUpTo(*context->log));
  const absl::Time until = context->clock->Now() + kLongestWaitForStream;
  for (;;) {
    HAKOBU_ASSIGN_OR_RETURN(const DeliveredPoint now, DeliveredUpTo(*context->log));
    if (HasPassed(now, first.epoch, end)) break;
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
