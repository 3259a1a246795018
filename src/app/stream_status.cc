#include "app/stream_status.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "absl/time/time.h"
#include "base/status.h"
#include "ledger/stream_log.h"

namespace hakobu {
namespace {

std::string TimeText(absl::Time time) {
  if (time == absl::InfinitePast()) return "";
  return absl::FormatTime("%Y-%m-%dT%H:%M:%SZ", time, absl::UTCTimeZone());
}

struct Kept {
  std::optional<StreamPosition> position;
  std::vector<StreamTableRecord> tables;
  size_t open_gaps = 0;
};

absl::StatusOr<Kept> Read(const std::string& path) {
  HAKOBU_ASSIGN_OR_RETURN(const std::unique_ptr<StreamLog> log, StreamLog::Open(path));
  Kept kept;
  HAKOBU_ASSIGN_OR_RETURN(kept.position, log->Position());
  HAKOBU_ASSIGN_OR_RETURN(kept.tables, log->Tables());
  HAKOBU_ASSIGN_OR_RETURN(const std::vector<StreamGapRecord> gaps, log->Gaps());
  for (const StreamGapRecord& gap : gaps) kept.open_gaps += gap.state == "open" ? 1 : 0;
  return kept;
}

}  // namespace

absl::StatusOr<std::string> StreamLedgerText(const std::string& ledger_path) {
  HAKOBU_ASSIGN_OR_RETURN(const Kept kept, Read(ledger_path));
  if (!kept.position.has_value()) return "";
  std::string text = fmt::format("\nStream: delivered up to {}:{}{}, stored {}\n", kept.position->file,
                                 kept.position->offset,
                                 kept.position->gtid_set.empty() ? "" : " gtid=" + kept.position->gtid_set,
                                 TimeText(kept.position->stored));
  for (const StreamTableRecord& table : kept.tables) {
    text += fmt::format("  {}  {}  {}", table.source, table.mode, table.state);
    if (table.state == "copying") text += fmt::format(" ({} of {} chunks)", table.chunks_done, table.chunks);
    text += table.reason.empty() ? "\n" : ": " + table.reason + "\n";
  }
  if (kept.open_gaps > 0) text += fmt::format("  {} open gaps: see `hakobu gaps`\n", kept.open_gaps);
  return text;
}

absl::StatusOr<std::string> StreamLedgerJson(const std::string& ledger_path) {
  HAKOBU_ASSIGN_OR_RETURN(const Kept kept, Read(ledger_path));
  if (!kept.position.has_value()) return "null";
  nlohmann::ordered_json json;
  json["position"] = {{"epoch", kept.position->epoch},
                      {"server_uuid", kept.position->server_uuid},
                      {"file", kept.position->file},
                      {"offset", kept.position->offset},
                      {"gtid_set", kept.position->gtid_set},
                      {"log_time", TimeText(kept.position->log_time)},
                      {"stored", TimeText(kept.position->stored)}};
  json["open_gaps"] = kept.open_gaps;
  json["tables"] = nlohmann::ordered_json::array();
  for (const StreamTableRecord& table : kept.tables) {
    json["tables"].push_back({{"source", table.source},
                              {"target", table.target},
                              {"mode", table.mode},
                              {"state", table.state},
                              {"reason", table.reason},
                              {"since", TimeText(table.since)},
                              {"copied_rows", table.copied_rows},
                              {"chunks", table.chunks},
                              {"chunks_done", table.chunks_done}});
  }
  return json.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
}

}  // namespace hakobu
