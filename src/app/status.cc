#include "app/status.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "app/text_table.h"
#include "base/status.h"

namespace hakobu {
namespace {

using Json = nlohmann::ordered_json;

constexpr size_t kNoticesLookedThrough = 10'000;
constexpr size_t kAttemptsShown = 10;
constexpr absl::Duration kAttemptsFor = absl::Hours(24 * 7);

std::string TimeText(absl::Time time) {
  return absl::FormatTime("%Y-%m-%d %H:%M:%S", time, absl::LocalTimeZone());
}

Json TimeJson(absl::Time time) {
  if (time == absl::InfinitePast()) return nullptr;
  return absl::FormatTime("%Y-%m-%dT%H:%M:%E3SZ", time, absl::UTCTimeZone());
}

std::string Took(const RunRecord& run) {
  if (run.finished == absl::InfinitePast()) return "";
  return SecondsText(absl::ToDoubleSeconds(run.finished - run.started));
}

uint64_t Rows(const RunStatus& status) {
  uint64_t rows = 0;
  for (const RunTableRecord& table : status.tables) rows += table.rows;
  return rows;
}

std::string_view StateName(const RunStatus& status) {
  return status.interrupted ? "interrupted" : NameOf(status.run.state);
}

std::string FirstLine(const std::string& text) {
  return text.substr(0, text.find('\n'));
}

std::string TablesText(const RunStatus& newest) {
  TextTable table({{"table", Align::kLeft},
                   {"target", Align::kLeft},
                   {"mode", Align::kLeft},
                   {"state", Align::kLeft},
                   {"rows", Align::kRight},
                   {"bytes", Align::kRight},
                   {"took", Align::kRight}});
  std::string errors;
  for (const RunTableRecord& record : newest.tables) {
    table.AddRow({record.source, record.target, record.mode, std::string(NameOf(record.state)),
                  CountText(record.rows), BytesText(record.bytes), SecondsText(record.seconds)});
    if (record.state == RunTableState::kFailed)
      errors += fmt::format("{}: {}\n", record.source, record.error);
  }
  std::string values;
  for (const auto& [source, column] : newest.quarantined) {
    values += fmt::format("{}.{}: {} value{} that BigQuery cannot hold\n", source, column.column,
                          CountText(column.count), column.count == 1 ? "" : "s");
  }
  return fmt::format("\nTables of run {}\n{}{}{}", newest.run.id, table.Render(),
                     errors.empty() ? "" : "\n" + errors, values.empty() ? "" : "\n" + values);
}

Json QuarantinedJson(const RunStatus& status) {
  Json list = Json::array();
  for (const auto& [source, column] : status.quarantined)
    list.push_back({{"source", source}, {"column", column.column}, {"count", column.count}});
  return list;
}

void AddTroubles(const Troubles& troubles, Json* all) {
  Json alerts = Json::array();
  for (const AlertRecord& alert : troubles.alerts) {
    alerts.push_back({{"cause", alert.cause},
                      {"level", alert.level},
                      {"title", alert.title},
                      {"detail", alert.detail},
                      {"since", TimeJson(alert.since)}});
  }
  Json attempts = Json::array();
  for (const AttemptRecord& attempt : troubles.attempts) {
    const bool is_over = attempt.ended != absl::InfinitePast();
    attempts.push_back({{"command", attempt.command},
                        {"began", TimeJson(attempt.began)},
                        {"ended", TimeJson(attempt.ended)},
                        {"exit_code", is_over ? Json(attempt.exit_code) : Json(nullptr)},
                        {"error", attempt.error}});
  }
  (*all)["alerts"] = std::move(alerts);
  (*all)["messages_waiting"] = troubles.waiting.size();
  (*all)["attempts"] = std::move(attempts);
}

// A table's own rows and bytes are written when it is done: before that, those of its finished chunks.
absl::Status SumFinished(Ledger* ledger, RunTableRecord* table) {
  HAKOBU_ASSIGN_OR_RETURN(const std::vector<ChunkRecord> chunks,
                          ledger->runs().Chunks(table->run_id, table->source));
  table->rows = 0;
  table->bytes = 0;
  for (const ChunkRecord& chunk : chunks) {
    if (chunk.state != ChunkState::kDone) continue;
    table->rows += chunk.rows;
    table->bytes += chunk.bytes;
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<std::vector<RunStatus>> ReadStatus(Ledger* ledger, size_t count) {
  HAKOBU_ASSIGN_OR_RETURN(const std::vector<RunRecord> runs, ledger->runs().Runs(count));
  std::vector<RunStatus> result;
  for (const RunRecord& run : runs) {
    HAKOBU_ASSIGN_OR_RETURN(std::vector<RunTableRecord> tables, ledger->runs().Tables(run.id));
    for (RunTableRecord& table : tables) {
      if (table.state != RunTableState::kDone) HAKOBU_RETURN_IF_ERROR(SumFinished(ledger, &table));
    }
    RunStatus status{.run = run, .tables = std::move(tables)};
    for (const RunTableRecord& table : status.tables) {
      HAKOBU_ASSIGN_OR_RETURN(std::vector<QuarantineRecord> columns,
                              ledger->runs().Quarantined(run.id, table.source));
      for (QuarantineRecord& column : columns)
        status.quarantined.emplace_back(table.source, std::move(column));
    }
    result.push_back(std::move(status));
  }
  return result;
}

void MarkInterrupted(Ledger* ledger, std::vector<RunStatus>* runs) {
  const auto running = [](const RunStatus& status) { return status.run.state == RunState::kRunning; };
  if (std::none_of(runs->begin(), runs->end(), running)) return;
  const auto lock = ledger->Lock(LedgerUse::kRun);
  if (!lock.ok()) return;
  for (RunStatus& status : *runs) status.interrupted = running(status);
}

std::string StatusText(const std::vector<RunStatus>& runs) {
  if (runs.empty()) return "No run yet.\n";
  TextTable table({{"run", Align::kLeft},
                   {"started", Align::kLeft},
                   {"took", Align::kRight},
                   {"state", Align::kLeft},
                   {"tables", Align::kRight},
                   {"rows", Align::kRight},
                   {"", Align::kLeft}});
  for (const RunStatus& status : runs) {
    const RunRecord& run = status.run;
    table.AddRow({run.id, TimeText(run.started), Took(run), std::string(StateName(status)),
                  CountText(status.tables.size()), CountText(Rows(status)), FirstLine(run.error)});
  }
  return table.Render() + TablesText(runs.front());
}

absl::StatusOr<Troubles> ReadTroubles(Ledger* ledger) {
  Troubles troubles;
  HAKOBU_ASSIGN_OR_RETURN(troubles.alerts, ledger->alerts().Alerts());
  std::erase_if(troubles.alerts, [](const AlertRecord& alert) { return !alert.lasts(); });
  HAKOBU_ASSIGN_OR_RETURN(troubles.waiting, ledger->alerts().Notices(kNoticesLookedThrough));
  std::erase_if(troubles.waiting,
                [](const NoticeRecord& notice) { return notice.state != NoticeState::kWaiting; });
  HAKOBU_ASSIGN_OR_RETURN(troubles.attempts, ledger->attempts().Newest(kAttemptsShown));
  return troubles;
}

std::string TroublesText(const Troubles& troubles, absl::Time now) {
  std::string text;
  for (const AlertRecord& alert : troubles.alerts) {
    text += fmt::format("{}{}  {}  {}  since {}\n", text.empty() ? "\nAlerts that last\n" : "", alert.level,
                        alert.cause, alert.title, TimeText(alert.since));
  }
  if (!troubles.waiting.empty()) {
    text += fmt::format("\n{} message{} not delivered yet; the last error: {}\n", troubles.waiting.size(),
                        troubles.waiting.size() == 1 ? " is" : "s are",
                        troubles.waiting.front().error.empty() ? "none" : troubles.waiting.front().error);
  }
  std::string failed;
  for (const AttemptRecord& attempt : troubles.attempts) {
    if (attempt.error.empty() || now - attempt.began > kAttemptsFor) continue;
    failed += fmt::format(
        "{}{}  {}  exit code {}  {}\n", failed.empty() ? "\nAttempts that ended with an error\n" : "",
        TimeText(attempt.began), attempt.command, attempt.exit_code, FirstLine(attempt.error));
  }
  return text + failed;
}

std::string StatusJson(const std::vector<RunStatus>& runs, const std::string& stream_json,
                       const std::vector<OutageRecord>& outages, const std::vector<LateTable>* late,
                       const Troubles& troubles, const std::string& tenants_json) {
  Json list = Json::array();
  for (const RunStatus& status : runs) {
    const RunRecord& run = status.run;
    Json tables = Json::array();
    for (const RunTableRecord& record : status.tables) {
      tables.push_back({{"source", record.source},
                        {"target", record.target},
                        {"mode", record.mode},
                        {"state", NameOf(record.state)},
                        {"rows", record.rows},
                        {"bytes", record.bytes},
                        {"seconds", record.seconds},
                        {"error", record.error}});
    }
    list.push_back({{"run", run.id},
                    {"started", TimeJson(run.started)},
                    {"finished", TimeJson(run.finished)},
                    {"state", StateName(status)},
                    {"error", run.error},
                    {"tables", tables},
                    {"quarantined", QuarantinedJson(status)}});
  }
  Json all = {{"runs", list}};
  if (late != nullptr) {
    Json list_late = Json::array();
    for (const LateTable& table : *late) {
      list_late.push_back(
          {{"table", table.source}, {"as_of", TimeJson(table.as_of)}, {"reason", table.reason}});
    }
    all["late"] = std::move(list_late);
  }
  const Json stream = Json::parse(stream_json, nullptr, false);
  if (stream.is_object()) all["stream"] = stream;
  const Json tenants = Json::parse(tenants_json, nullptr, false);
  if (tenants.is_array() && !tenants.empty()) all["tenants"] = tenants;
  if (!outages.empty()) all["outages"] = OutageJson(outages);
  AddTroubles(troubles, &all);
  return all.dump(2) + "\n";
}

}  // namespace hakobu
