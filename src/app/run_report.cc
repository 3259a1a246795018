#include "app/run_report.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "app/text_table.h"

namespace hakobu {
namespace {

std::string TablesText(const RunReport& report) {
  TextTable table({{"table", Align::kLeft},
                   {"target", Align::kLeft},
                   {"mode", Align::kLeft},
                   {"by", Align::kLeft},
                   {"state", Align::kLeft},
                   {"rows", Align::kRight},
                   {"bytes", Align::kRight},
                   {"took", Align::kRight},
                   {"chunks", Align::kRight}});
  for (const TableReport& row : report.tables) {
    std::string chunks = CountText(row.chunks);
    if (row.chunks_resumed > 0) chunks += fmt::format(" ({} from before)", CountText(row.chunks_resumed));
    table.AddRow({row.source, row.target, std::string(WriteModeName(row.mode)),
                  row.unchanged ? "unchanged" : std::string(PublishMethodName(row.publish)), row.state,
                  CountText(row.rows), BytesText(row.bytes), SecondsText(row.seconds), chunks});
  }
  return table.Render();
}

std::string QuarantineText(const TableReport& table) {
  std::string text;
  for (const QuarantinedValues& column : table.quarantined) {
    text +=
        fmt::format("  {}.{}: {} value{} that BigQuery cannot hold{}; first keys {}; {}\n", table.source,
                    column.column, CountText(column.count), column.count == 1 ? "" : "s",
                    column.accepted ? " (accepted)" : "", fmt::join(column.first_keys, ", "), column.example);
  }
  return text;
}

std::string ChangesText(const TableReport& table) {
  std::string text;
  for (const SchemaChange& change : table.schema_changes) {
    text += fmt::format("  {}: column {} {}: {}\n", table.source, change.column,
                        SchemaChangeName(change.kind), change.behaviour);
  }
  return text;
}

std::string Part(std::string_view title, const std::string& lines) {
  return lines.empty() ? "" : fmt::format("\n{}\n{}", title, lines);
}

std::string DetailText(const RunReport& report) {
  std::string quarantined;
  std::string changes;
  std::string notes;
  std::string errors;
  for (const TableReport& table : report.tables) {
    quarantined += QuarantineText(table);
    changes += ChangesText(table);
    for (const std::string& note : table.notes) notes += fmt::format("  {}: {}\n", table.source, note);
    if (table.state == "failed") errors += fmt::format("  {}: {}\n", table.source, table.error);
  }
  for (const std::string& note : report.notes) notes += fmt::format("  {}\n", note);
  return Part("Quarantined", quarantined) + Part("Schema changes", changes) + Part("Notes", notes) +
         Part("Failed", errors);
}

std::string LoadText(const SourceLoad& load) {
  return fmt::format(
      "\nSource: {} statements, {} rows examined, {} temporary tables on disk, {} sort passes on disk; the "
      "whole "
      "server read {} times from its files meanwhile\n",
      CountText(load.statements), CountText(load.rows_examined), CountText(load.created_tmp_disk_tables),
      CountText(load.sort_merge_passes), CountText(load.server_data_reads));
}

// Where the time went, if anything but the source's own speed took a second of it; and the promise.
std::string PaceText(const RunReport& report) {
  std::string text;
  double held = 0;
  for (const auto& [reason, seconds] : report.pace.seconds_by_reason) {
    text += fmt::format("{}{} {}", text.empty() ? "\nTime: " : ", ", SecondsText(seconds), reason);
    if (reason != "full speed") held += seconds;
  }
  text = held < 1 ? "" : text + "\n";
  if (report.pace.credits_lowest.has_value()) {
    text += fmt::format("Burst credits: {:.0f} % at the start, {:.0f} % at the lowest, {:.0f} % at the end\n",
                        100 * report.pace.credits_start.value_or(0), 100 * *report.pace.credits_lowest,
                        100 * report.pace.credits_end.value_or(0));
  }
  if (!report.pace.late_tables.empty()) {
    text += fmt::format("Late by {}: {}\n",
                        SecondsText(absl::ToDoubleSeconds(report.finished - *report.pace.promise)),
                        fmt::join(report.pace.late_tables, ", "));
  }
  return text;
}

std::string PositionText(const RunReport& report) {
  if (report.log_position_before.empty()) return "";
  return fmt::format("Log position before {}\nLog position after  {}\n", report.log_position_before,
                     report.log_position_after);
}

// The last line: what is to be done about it.
std::string EndText(const RunReport& report) {
  if (report.state == "cancelled") return "The next `hakobu run` continues it.\n";
  std::vector<std::string> failed;
  for (const TableReport& table : report.tables) {
    if (table.state == "failed") failed.push_back(table.source);
  }
  if (failed.empty()) return "";
  return fmt::format("{} of {} tables failed: {}. {}\n", failed.size(), report.tables.size(),
                     fmt::join(failed, ", "),
                     report.state == "interrupted" ? "The next `hakobu run` continues where it stopped."
                                                   : "The others were delivered.");
}

}  // namespace

std::string RunReportText(const RunReport& report) {
  uint64_t rows = 0;
  uint64_t bytes = 0;
  for (const TableReport& table : report.tables) {
    rows += table.rows;
    bytes += table.bytes;
  }
  const double seconds = absl::ToDoubleSeconds(report.finished - report.started);
  std::string state = report.late ? report.state + ", but late" : report.state;
  if (report.resumed_run) state += ", continued where it was interrupted";
  return TablesText(report) + DetailText(report) + LoadText(report.source_load) + PaceText(report) +
         PositionText(report) +
         fmt::format("\nRun {}: {}. {} rows, {} in {} ({}), consistency: {}\n", report.run_id, state,
                     CountText(rows), BytesText(bytes), SecondsText(seconds),
                     RateText(seconds <= 0 ? 0 : static_cast<double>(bytes) / seconds), report.consistency) +
         EndText(report);
}

}  // namespace hakobu
