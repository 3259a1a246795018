#include "app/stream_status.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "absl/time/time.h"
#include "base/status.h"
#include "delivery/stream/headroom.h"
#include "ledger/ledger.h"

namespace hakobu {
namespace {

// "2026-11-30T01:02:03Z"; empty when there is none.
std::string UtcText(absl::Time time) {
  if (time == absl::InfinitePast()) return "";
  return absl::FormatTime("%Y-%m-%dT%H:%M:%SZ", time, absl::UTCTimeZone());
}

struct Kept {
  std::optional<DeliveredPoint> position;
  std::vector<StreamTableRecord> tables;
  std::optional<StreamHealth> health;
  size_t open_gaps = 0;
};

absl::StatusOr<Kept> Read(const std::string& path) {
  HAKOBU_ASSIGN_OR_RETURN(const std::unique_ptr<Ledger> ledger, Ledger::Open(path));
  Kept kept;
  HAKOBU_ASSIGN_OR_RETURN(kept.position, ledger->streams().Position());
  HAKOBU_ASSIGN_OR_RETURN(kept.tables, ledger->streams().Tables());
  HAKOBU_ASSIGN_OR_RETURN(kept.health, ledger->streams().Health());
  HAKOBU_ASSIGN_OR_RETURN(const std::vector<StreamGapRecord> gaps, ledger->streams().Gaps());
  for (const StreamGapRecord& gap : gaps) kept.open_gaps += gap.state == GapState::kOpen ? 1 : 0;
  return kept;
}

// "  at 2026-11-23T01:00:00Z: 1234 bytes of log behind, fresh until …; the source purges …"
std::string HealthText(const StreamHealth& health) {
  std::string text = fmt::format("  at {}: ", UtcText(health.looked));
  if (health.lag_bytes >= 0) text += fmt::format("{} bytes of log behind, ", health.lag_bytes);
  if (health.fresh_until != absl::InfinitePast()) {
    text += fmt::format("{} behind (fresh until {}), ",
                        SpokenDuration(health.looked - std::min(health.looked, health.fresh_until)),
                        UtcText(health.fresh_until));
  }
  return text + health.headroom + "\n";
}

nlohmann::ordered_json HealthJson(const StreamHealth& health) {
  // JSON has no infinity: then the words say it.
  const auto seconds = [](double value) {
    return value < 0 || std::isinf(value) ? nlohmann::ordered_json(nullptr) : nlohmann::ordered_json(value);
  };
  const bool fresh = health.fresh_until != absl::InfinitePast();
  const absl::Duration lag = health.looked - std::min(health.looked, health.fresh_until);
  return {{"looked", UtcText(health.looked)},
          {"fresh_until",
           fresh ? nlohmann::ordered_json(UtcText(health.fresh_until)) : nlohmann::ordered_json(nullptr)},
          {"lag_seconds",
           fresh ? nlohmann::ordered_json(absl::ToDoubleSeconds(lag)) : nlohmann::ordered_json(nullptr)},
          {"lag_bytes",
           health.lag_bytes < 0 ? nlohmann::ordered_json(nullptr) : nlohmann::ordered_json(health.lag_bytes)},
          {"headroom_seconds", seconds(health.headroom_seconds)},
          {"stalled_seconds", seconds(health.stalled_seconds)},
          {"headroom", health.headroom}};
}

}  // namespace

absl::StatusOr<std::string> StreamLedgerText(const std::string& ledger_path) {
  HAKOBU_ASSIGN_OR_RETURN(const Kept kept, Read(ledger_path));
  if (!kept.position.has_value()) return "";
  std::string text = fmt::format("\nStream: delivered up to {}:{}{}, stored {}\n", kept.position->file,
                                 kept.position->offset,
                                 kept.position->gtid_set.empty() ? "" : " gtid=" + kept.position->gtid_set,
                                 UtcText(kept.position->stored));
  if (kept.health.has_value()) text += HealthText(*kept.health);
  for (const StreamTableRecord& table : kept.tables) {
    text += fmt::format("  {}  {}  {}", table.source, table.mode, NameOf(table.state));
    if (IsCopying(table.state)) text += fmt::format(" ({} of {} chunks)", table.chunks_done, table.chunks);
    text += table.reason.empty() ? "\n" : ": " + table.reason + "\n";
  }
  if (kept.open_gaps > 0) text += fmt::format("  open gaps: {}; see `hakobu gaps`\n", kept.open_gaps);
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
                      {"log_time", UtcText(kept.position->committed)},
                      {"stored", UtcText(kept.position->stored)}};
  if (kept.health.has_value()) json["log"] = HealthJson(*kept.health);
  json["open_gaps"] = kept.open_gaps;
  json["tables"] = nlohmann::ordered_json::array();
  for (const StreamTableRecord& table : kept.tables) {
    json["tables"].push_back({{"source", table.source},
                              {"target", table.target},
                              {"mode", table.mode},
                              {"state", NameOf(table.state)},
                              {"reason", table.reason},
                              {"since", UtcText(table.since)},
                              {"copied_rows", table.copied_rows},
                              {"chunks", table.chunks},
                              {"chunks_done", table.chunks_done}});
  }
  return json.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
}

}  // namespace hakobu
