#include "delivery/stream/caveat.h"

#include <fmt/format.h>

#include "base/log.h"
#include "base/status.h"
#include "source/log_silence.h"

namespace hakobu {

absl::Status TakeCaveats(StreamContext* context, Connection* source, const std::set<std::string>& databases) {
  HAKOBU_ASSIGN_OR_RETURN(const auto cascades, ReadUnloggedCascades(source, databases));
  for (StreamTable* table : context->tables.all()) {
    const auto found = cascades.find(table->name);
    if (found == cascades.end()) continue;
    table->SetCaveat(fmt::format(
        "as far as the log tells: rows that a foreign key changes ({}) are not in it", found->second));
    Log(LogSeverity::kWarning, "a foreign key changes rows without the log",
        {{"table", table->name}, {"rule", found->second}, {"hint", "repair the table now and then"}});
  }
  return absl::OkStatus();
}

absl::Status KeepCaveat(StreamContext* context, StreamTable* table) {
  const StreamTableRecord record = table->record();
  const std::string caveat = table->caveat();
  if (record.state != StreamTableState::kWhole || record.reason == caveat) return absl::OkStatus();
  return table->Store(context->log, [&caveat](StreamTableRecord* whole) { whole->reason = caveat; });
}

}  // namespace hakobu
