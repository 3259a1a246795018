#include <cmath>
#include <nlohmann/json.hpp>

#include "base/status.h"
#include "delivery/stream/stream.h"

namespace hakobu {
namespace {

using Json = nlohmann::ordered_json;

// RFC 3339; null when it is not known.
Json TimeJson(absl::Time time) {
  if (time == absl::InfinitePast() || time == absl::InfiniteFuture()) return nullptr;
  return absl::FormatTime("%Y-%m-%dT%H:%M:%E3SZ", time, absl::UTCTimeZone());
}

Json TableJson(const StreamTableStatus& table) {
  return {{"source", table.source},
          {"target", table.target},
          {"state", NameOf(table.state)},
          {"reason", table.reason},
          {"inserts", table.inserts},
          {"updates", table.updates},
          {"deletes", table.deletes},
          {"bytes", table.bytes},
          {"copied_rows", table.copied_rows},
          {"chunks", table.chunks},
          {"chunks_done", table.chunks_done},
          {"quarantined", table.quarantined},
          {"fresh_until", TimeJson(table.fresh_until)}};
}

}  // namespace

std::string StreamStatusToJson(const StreamStatus& status) {
  Json json = {
      {"state", NameOf(status.state)},
      {"reason", status.reason},
      {"source_server", status.source_server},
      {"epoch", status.epoch},
      {"position", {{"file", status.file}, {"offset", status.offset}, {"gtid_set", status.gtid_set}}},
      {"read", {{"file", status.read_file}, {"offset", status.read_offset}}},
      {"started", TimeJson(status.started)},
      {"last_event", TimeJson(status.last_event)},
      {"last_stored", TimeJson(status.last_stored)},
      {"fresh_until", TimeJson(status.fresh_until)},
      {"transactions", status.transactions},
      {"changes", status.changes},
      {"bytes", status.bytes},
      {"log_bytes", status.log_bytes},
      {"reconnects", status.reconnects},
      {"resent_requests", status.resent_requests},
      {"held_bytes", status.held_bytes},
      {"open_gaps", status.open_gaps}};
  json["lag_bytes"] = status.lag_bytes < 0 ? Json(nullptr) : Json(status.lag_bytes);
  // JSON has no infinity: then the words say it.
  const auto seconds = [](double value) {
    return value < 0 || std::isinf(value) ? Json(nullptr) : Json(value);
  };
  json["headroom_seconds"] = seconds(status.headroom_seconds);
  json["stalled_seconds"] = seconds(status.stalled_seconds);
  json["headroom"] = status.headroom.empty() ? Json(nullptr) : Json(status.headroom);
  json["outages"] = Json::array();
  for (const Outage& outage : status.outages) {
    json["outages"].push_back({{"subject", NameOf(outage.subject)},
                               {"since", TimeJson(outage.since)},
                               {"tried", TimeJson(outage.tried)},
                               {"failures", outage.failures},
                               {"work", outage.what},
                               {"error", std::string(View(outage.error.message()))}});
  }
  json["tables"] = Json::array();
  for (const StreamTableStatus& table : status.tables) json["tables"].push_back(TableJson(table));
  return json.dump(2, ' ', false, Json::error_handler_t::replace);
}

}  // namespace hakobu
