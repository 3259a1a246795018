#include "delivery/cursor.h"

#include "base/log.h"
#include "base/status.h"
#include "delivery/sealed_values.h"

namespace hakobu {

absl::StatusOr<std::optional<CursorState>> ReadCursor(Ledger* ledger, const TableWork& work) {
  HAKOBU_ASSIGN_OR_RETURN(const std::optional<std::string> kept,
                          ledger->runs().Cursor(work.name, work.target.ToString()));
  if (!kept.has_value() || !work.existing.has_value() || work.from_start) return std::optional<CursorState>();
  const SealedValues values(ledger->id(), work);
  if (values.Exposed(*kept)) {
    HAKOBU_RETURN_IF_ERROR(
        ledger->runs().RewriteCursor(work.name, work.target.ToString(), values.Write(*kept)));
  }
  const absl::StatusOr<std::string> text = values.Read(*kept);
  if (absl::IsFailedPrecondition(text.status())) {
    Log(LogSeverity::kWarning,
        "the cursor in the ledger was sealed with another salt: the whole table is read once",
        {{"table", work.name}});
    return std::optional<CursorState>();
  }
  HAKOBU_RETURN_IF_ERROR(text.status());
  HAKOBU_ASSIGN_OR_RETURN(CursorState state, CursorState::FromJson(*text));
  return std::optional<CursorState>(std::move(state));
}

absl::Status MoveCursor(Ledger* ledger, const std::string& run_id, const TableWork& work,
                        const CursorState& next) {
  return ledger->runs().MoveCursor(run_id, work.name, work.target.ToString(),
                                   SealedValues(ledger->id(), work).Write(next.ToJson()));
}

}  // namespace hakobu
