#include "delivery/stream/gap.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "base/status.h"

namespace hakobu {
namespace {

using Json = nlohmann::ordered_json;

std::string_view ReasonCode(ConcernReason reason) {
  switch (reason) {
    case ConcernReason::kFollowed:
      return "followed";
    case ConcernReason::kCopyToCome:
      return "copy_to_come";
    case ConcernReason::kUntouched:
      return "untouched";
    case ConcernReason::kNotFollowed:
      return "not_followed";
  }
  return "";
}

ConcernReason ReasonOf(const StreamTableRecord& table, const std::optional<std::set<std::string>>& tables) {
  using State = StreamTableState;
  if (table.state == State::kStopped || table.state == State::kDropped) return ConcernReason::kNotFollowed;
  // Not even planned: a range that is being read may have been read before the gap. A copy that is made again
  // does not take away what the gap's statements deleted.
  const bool planned = table.copied_rows != 0 || table.chunks != 0;
  if (table.state == State::kBeginning || (table.state == State::kCopying && !planned)) {
    return ConcernReason::kCopyToCome;
  }
  if (tables.has_value() && !tables->contains(table.source)) return ConcernReason::kUntouched;
  return ConcernReason::kFollowed;
}

Json RepairJson(const TableRepair& repair) {
  return {{"method", repair.method == TableRepair::Method::kCompared ? "compared" : "copied"},
          {"when_us", absl::ToUnixMicros(repair.when)},
          {"chunks", repair.chunks},
          {"rows", repair.rows},
          {"missing", repair.missing},
          {"differed", repair.differed},
          {"extra", repair.extra},
          {"first_keys", repair.first_keys},
          {"position", repair.position}};
}

TableRepair RepairOf(const Json& json) {
  TableRepair repair;
  repair.method =
      json.value("method", "") == "copied" ? TableRepair::Method::kCopied : TableRepair::Method::kCompared;
  repair.when = absl::FromUnixMicros(json.value("when_us", int64_t{0}));
  repair.chunks = json.value("chunks", uint64_t{0});
  repair.rows = json.value("rows", uint64_t{0});
  repair.missing = json.value("missing", uint64_t{0});
  repair.differed = json.value("differed", uint64_t{0});
  repair.extra = json.value("extra", uint64_t{0});
  repair.first_keys = json.value("first_keys", std::vector<std::string>());
  repair.position = json.value("position", "");
  return repair;
}

GapTable TableOf(const Json& json) {
  GapTable table;
  table.source = json.value("table", "");
  table.target = json.value("target", "");
  table.copy = json.value("copy", "");
  table.concern = json.value("concern", "") == "none" ? GapConcern::kNone : GapConcern::kPossible;
  const std::string why = json.value("why", "");
  for (const ConcernReason reason :
       {ConcernReason::kCopyToCome, ConcernReason::kUntouched, ConcernReason::kNotFollowed}) {
    if (why == ReasonCode(reason)) table.reason = reason;
  }
  if (json.contains("repair")) table.repair = RepairOf(json["repair"]);
  return table;
}

}  // namespace

std::string CompactJson(const nlohmann::ordered_json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

std::string GapTablesJson(const std::vector<GapTable>& tables) {
  Json list = Json::array();
  for (const GapTable& table : tables) {
    Json json = {{"table", table.source},
                 {"target", table.target},
                 {"copy", table.copy},
                 {"concern", table.concern == GapConcern::kNone ? "none" : "possible"},
                 {"why", ReasonCode(table.reason)}};
    if (table.repair.has_value()) json["repair"] = RepairJson(*table.repair);
    list.push_back(std::move(json));
  }
  return CompactJson(list);
}

GapTable ConcernOf(const StreamTableRecord& table, const std::optional<std::set<std::string>>& tables) {
  GapTable concern;
  concern.source = table.source;
  concern.target = table.target;
  concern.copy = table.copy_sequence;
  concern.reason = ReasonOf(table, tables);
  concern.concern = concern.reason == ConcernReason::kFollowed ? GapConcern::kPossible : GapConcern::kNone;
  return concern;
}

absl::StatusOr<Gap> ReadGap(StreamGapRecord record) {
  Gap gap;
  const auto detail = nlohmann::ordered_json::parse(record.detail_json, nullptr, false);
  const auto tables = nlohmann::ordered_json::parse(record.tables_json, nullptr, false);
  if (!detail.is_object() || !tables.is_array()) {
    return absl::DataLossError(fmt::format("gap {}: the ledger's record cannot be read", record.id));
  }
  gap.cause = GapCauseFromCode(record.cause);
  gap.explanation = detail.value("explanation", "");
  gap.hint = detail.value("hint", "");
  gap.missing_gtids = detail.value("missing_gtids", "");
  gap.phantom_gtids = detail.value("phantom_gtids", "");
  gap.from_position = detail.value("from_position", "");
  gap.until_position = detail.value("until_position", "");
  gap.other_server = detail.value("other_server", false);
  for (const Json& table : tables) gap.tables.push_back(TableOf(table));
  gap.record = std::move(record);
  return gap;
}

}  // namespace hakobu
