#include <nlohmann/json.hpp>

#include "delivery/delivery.h"

namespace hakobu {
namespace {

using nlohmann::ordered_json;

std::string TimeText(absl::Time time) {
  return absl::FormatTime("%Y-%m-%dT%H:%M:%E3SZ", time, absl::UTCTimeZone());
}

ordered_json ToJson(const QuarantinedValues& values) {
  return {{"column", values.column},
          {"count", values.count},
          {"firstKeys", values.first_keys},
          {"example", values.example},
          {"accepted", values.accepted}};
}

ordered_json ToJson(const SchemaChange& change) {
  return {{"change", SchemaChangeName(change.kind)},
          {"column", change.column},
          {"before", change.before},
          {"after", change.after},
          {"behaviour", change.behaviour}};
}

ordered_json ToJson(const TableReport& table) {
  ordered_json quarantined = ordered_json::array();
  for (const QuarantinedValues& values : table.quarantined) quarantined.push_back(ToJson(values));
  ordered_json changes = ordered_json::array();
  for (const SchemaChange& change : table.schema_changes) changes.push_back(ToJson(change));
  return {{"source", table.source},
          {"target", table.target},
          {"mode", WriteModeName(table.mode)},
          {"write", WriteByName(table.write)},
          {"publish", PublishMethodName(table.publish)},
          {"unchanged", table.unchanged},
          {"state", table.state},
          {"rows", table.rows},
          {"bytes", table.bytes},
          {"seconds", table.seconds},
          {"chunks", table.chunks},
          {"chunksResumed", table.chunks_resumed},
          {"chunkRetries", table.chunk_retries},
          {"quarantined", std::move(quarantined)},
          {"schemaChanges", std::move(changes)},
          {"notes", table.notes},
          {"error", table.error}};
}

ordered_json ToJson(const PaceReport& pace) {
  ordered_json seconds = ordered_json::object();
  for (const auto& [reason, value] : pace.seconds_by_reason) seconds[reason] = value;
  const auto part = [](const std::optional<double>& value) {
    return value.has_value() ? ordered_json(*value) : ordered_json(nullptr);
  };
  return {
      {"secondsByReason", std::move(seconds)},
      {"pages", pace.pages},
      {"creditsStart", part(pace.credits_start)},
      {"creditsLowest", part(pace.credits_lowest)},
      {"creditsEnd", part(pace.credits_end)},
      {"promise", pace.promise.has_value() ? ordered_json(TimeText(*pace.promise)) : ordered_json(nullptr)},
      {"lateTables", pace.late_tables}};
}

}  // namespace

int ExitCode(const RunReport& report) {
  bool failed = report.state != "done";
  bool refused = false;
  bool quarantined = report.late;
  for (const TableReport& table : report.tables) {
    failed |= table.state == "failed";
    refused |= table.refused;
    for (const QuarantinedValues& values : table.quarantined) quarantined |= !values.accepted;
  }
  if (refused) return 4;
  if (failed) return 1;
  return quarantined ? 3 : 0;
}

std::string ReportToJson(const RunReport& report) {
  ordered_json tables = ordered_json::array();
  for (const TableReport& table : report.tables) tables.push_back(ToJson(table));
  const SourceLoad& load = report.source_load;
  ordered_json json = {{"runId", report.run_id},
                       {"state", report.state},
                       {"started", TimeText(report.started)},
                       {"finished", TimeText(report.finished)},
                       {"seconds", absl::ToDoubleSeconds(report.finished - report.started)},
                       {"resumedRun", report.resumed_run.has_value() ? ordered_json(*report.resumed_run)
                                                                     : ordered_json(nullptr)},
                       {"late", report.late},
                       {"consistency", report.consistency},
                       {"logPositionBefore", report.log_position_before},
                       {"logPositionAfter", report.log_position_after},
                       {"sourceLoad",
                        {{"statements", load.statements},
                         {"rowsExamined", load.rows_examined},
                         {"serverDataReads", load.server_data_reads},
                         {"createdTmpDiskTables", load.created_tmp_disk_tables},
                         {"sortMergePasses", load.sort_merge_passes}}},
                       {"pace", ToJson(report.pace)},
                       {"notes", report.notes},
                       {"tables", std::move(tables)},
                       {"exitCode", ExitCode(report)}};
  return json.dump(-1, ' ', false, ordered_json::error_handler_t::replace);
}

}  // namespace hakobu
