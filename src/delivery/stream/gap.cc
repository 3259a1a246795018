#include "delivery/stream/gap.h"

#include <fmt/format.h>

#include <charconv>
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
    case ConcernReason::kNotFollowed:
      return "not_followed";
  }
  return "";
}

ConcernReason ReasonOf(const StreamTableRecord& table) {
  if (table.state == "stopped" || table.state == "dropped") return ConcernReason::kNotFollowed;
  if (table.state == "copying" && table.copied_rows == 0 && table.chunks_done == 0) {
    return ConcernReason::kCopyToCome;
  }
  return ConcernReason::kFollowed;
}

std::string Dump(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
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
  table.concern = json.value("concern", "") == "none" ? GapConcern::kNone : GapConcern::kPossible;
  const std::string why = json.value("why", "");
  for (const ConcernReason reason : {ConcernReason::kCopyToCome, ConcernReason::kNotFollowed}) {
    if (why == ReasonCode(reason)) table.reason = reason;
  }
  if (json.contains("repair")) table.repair = RepairOf(json["repair"]);
  return table;
}

// "binlog.000041:157" taken apart.
void SplitPlace(std::string_view place, std::string* file, uint64_t* offset) {
  const size_t colon = place.rfind(':');
  if (colon == std::string_view::npos) return;
  *file = place.substr(0, colon);
  std::from_chars(place.data() + colon + 1, place.data() + place.size(), *offset);
}

}  // namespace

std::string GapTablesJson(const std::vector<GapTable>& tables) {
  Json list = Json::array();
  for (const GapTable& table : tables) {
    Json json = {{"table", table.source},
                 {"target", table.target},
                 {"concern", table.concern == GapConcern::kNone ? "none" : "possible"},
                 {"why", ReasonCode(table.reason)}};
    if (table.repair.has_value()) json["repair"] = RepairJson(*table.repair);
    list.push_back(std::move(json));
  }
  return Dump(list);
}

StreamGapRecord MakeGapRecord(const StoredPosition& stored, const Continuity& found,
                              const std::vector<StreamTableRecord>& tables, absl::Time now) {
  StreamGapRecord gap;
  gap.from_gtid = stored.gtid_set;
  gap.to_gtid = found.gtid_set;
  SplitPlace(found.from_position, &gap.from_file, &gap.from_offset);
  SplitPlace(found.until_position, &gap.to_file, &gap.to_offset);
  if (found.from.has_value()) gap.from_time = *found.from;
  if (found.until.has_value()) gap.to_time = *found.until;
  gap.cause = GapCauseCode(found.cause);
  gap.detail_json = Dump({{"explanation", found.explanation},
                          {"hint", found.hint},
                          {"missing_gtids", found.missing_gtids},
                          {"phantom_gtids", found.phantom_gtids},
                          {"from_position", found.from_position},
                          {"until_position", found.until_position},
                          {"other_server", found.other_server}});
  std::vector<GapTable> concerned;
  for (const StreamTableRecord& table : tables) {
    const ConcernReason reason = ReasonOf(table);
    GapTable one;
    one.source = table.source;
    one.target = table.target;
    one.reason = reason;
    one.concern = reason == ConcernReason::kFollowed ? GapConcern::kPossible : GapConcern::kNone;
    concerned.push_back(std::move(one));
  }
  gap.tables_json = GapTablesJson(concerned);
  gap.state = "open";
  gap.opened = now;
  return gap;
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
