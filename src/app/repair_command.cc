#include "app/repair_command.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <charconv>
#include <memory>
#include <nlohmann/json.hpp>

#include "app/destination_side.h"
#include "app/interrupt.h"
#include "app/text_table.h"
#include "base/status.h"
#include "config/load.h"
#include "delivery/repair/copy_anew.h"
#include "delivery/repair/repair.h"

namespace hakobu {
namespace {

struct RepairChoices {
  std::vector<std::string> what;  // gaps by number, tables by name
  bool all = false;
  bool recopy = false;
  bool verify = false;
};

nlohmann::ordered_json DifferencesJson(const Differences& differences) {
  return {
      {"missing", differences.missing}, {"different", differences.different}, {"extra", differences.extra}};
}

std::string ReportJson(const RepairReport& report) {
  nlohmann::ordered_json json = {{"tables", nlohmann::ordered_json::array()},
                                 {"closed_gaps", report.closed_gaps},
                                 {"open_gaps", report.open_gaps}};
  for (const RepairedTable& table : report.tables) {
    json["tables"].push_back({{"source", table.source},
                              {"target", table.target},
                              {"equal", table.equal()},
                              {"chunks", table.chunks},
                              {"rows", table.rows},
                              {"found", DifferencesJson(table.found)},
                              {"left", DifferencesJson(table.left)},
                              {"repaired", table.repaired},
                              {"first_keys", table.first_keys},
                              {"position", table.position},
                              {"stream_behind", table.behind},
                              {"notes", table.notes},
                              {"error", table.error}});
  }
  return json.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n";
}

std::string OutcomeText(const RepairedTable& table) {
  if (!table.error.empty()) return "not compared: " + table.error;
  if (table.equal()) return table.repaired ? "repaired, equal" : "equal";
  return table.repaired ? fmt::format("{} rows still differ", CountText(table.left.all())) : "differs";
}

std::string ReportText(const RepairReport& report) {
  TextTable table({{"table", Align::kLeft},
                   {"rows", Align::kRight},
                   {"missing", Align::kRight},
                   {"different", Align::kRight},
                   {"extra", Align::kRight},
                   {"result", Align::kLeft}});
  std::string notes;
  for (const RepairedTable& each : report.tables) {
    table.AddRow({each.source, CountText(each.rows), CountText(each.found.missing),
                  CountText(each.found.different), CountText(each.found.extra), OutcomeText(each)});
    if (!each.first_keys.empty()) {
      notes += fmt::format("{}: first keys: {}\n", each.source, fmt::join(each.first_keys, "; "));
    }
    for (const std::string& note : each.notes) notes += fmt::format("{}: {}\n", each.source, note);
    if (each.behind && each.found.all() > 0) {
      notes += fmt::format(
          "{}: the stream had not delivered everything up to {}; what it still delivers counts as a "
          "difference\n",
          each.source, each.position);
    }
  }
  std::string text = report.tables.empty() ? "No table was to be compared.\n" : table.Render() + notes;
  for (const int64_t gap : report.closed_gaps) text += fmt::format("gap {} is closed\n", gap);
  for (const int64_t gap : report.open_gaps) text += fmt::format("gap {} is open\n", gap);
  return text;
}

absl::StatusOr<RepairOptions> OptionsOf(const RepairChoices& choices) {
  RepairOptions options;
  options.verify = choices.verify;
  options.all_open = choices.all;
  for (const std::string& what : choices.what) {
    int64_t gap = 0;
    const auto [end, error] = std::from_chars(what.data(), what.data() + what.size(), gap);
    const bool number = error == std::errc() && end == what.data() + what.size();
    if (number && !choices.verify) {
      options.gaps.push_back(gap);
    } else {
      options.tables.push_back(what);
    }
  }
  if (!choices.verify && !choices.all && choices.what.empty()) {
    return WithHint(absl::InvalidArgumentError("say what to repair"),
                    "gaps by number (`hakobu gaps --open` lists them), tables by name, or --all");
  }
  return options;
}

std::string_view AnewText(AnewBy by) {
  switch (by) {
    case AnewBy::kRun:
      return "the next `hakobu run` reads all its rows and puts them in place; what the source has not goes";
    case AnewBy::kAppend:
      return "the next `hakobu run` appends to what is in BigQuery, as it is";
    case AnewBy::kStream:
      break;
  }
  return "its rows are put in place anew when `hakobu stream` starts next; until then they stay as they are";
}

absl::StatusOr<int> Recopy(const Config& config, const RepairChoices& choices) {
  if (choices.what.empty()) return absl::InvalidArgumentError("--recopy: say which tables");
  HAKOBU_ASSIGN_OR_RETURN(const std::vector<TableAnew> tables, CopyAnew(config, choices.what));
  for (const TableAnew& table : tables) fmt::print("{}: {}\n", table.source, AnewText(table.by));
  return kExitDone;
}

absl::StatusOr<int> Repair(const GlobalOptions& globals, const RepairChoices& choices) {
  HAKOBU_ASSIGN_OR_RETURN(const Config config, LoadConfig(globals.config_path));
  SetUpLogFor(globals, config);
  if (choices.recopy) return Recopy(config, choices);
  HAKOBU_ASSIGN_OR_RETURN(RepairOptions options, OptionsOf(choices));
  Cancellation cancel;
  const std::unique_ptr<InterruptGuard> guard = InterruptGuard::Watch(&cancel);
  HAKOBU_ASSIGN_OR_RETURN(const std::unique_ptr<DestinationSide> destination, DestinationSide::Open(config));
  options.addresses = destination->addresses();
  HAKOBU_ASSIGN_OR_RETURN(const RepairReport report, RunRepair(config, options, cancel));
  fmt::print("{}", globals.json ? ReportJson(report) : ReportText(report));
  const auto failed = [](const RepairedTable& table) { return !table.error.empty(); };
  const auto equal = [](const RepairedTable& table) { return table.equal(); };
  if (std::any_of(report.tables.begin(), report.tables.end(), failed)) return kExitFailed;
  return std::all_of(report.tables.begin(), report.tables.end(), equal) ? kExitDone : kExitDoneButLate;
}

void SetAction(CLI::App* command, CommandLine& line, const std::shared_ptr<RepairChoices>& choices) {
  command->callback([&line, choices] {
    line.action = [&line, choices] {
      const absl::StatusOr<int> result = Repair(line.options, *choices);
      return result.ok() ? *result : ReportFailure(line.options, result.status());
    };
  });
}

}  // namespace

void RegisterVerifyCommand(CLI::App& app, CommandLine& line) {
  CLI::App* command =
      app.add_subcommand("verify", "Compare the tables in BigQuery with the source; change nothing");
  auto choices = std::make_shared<RepairChoices>();
  choices->verify = true;
  command->add_option("tables", choices->what, "Tables (all that are delivered, if none is given)")
      ->type_name("TABLE");
  command->footer(
      R"(The source is read by key ranges; BigQuery compares. Works beside a running stream, whose changes on their way are
waited for. Of a nightly table the source is compared as it is now: what changed since the last run differs. Appended rows
are counted. What was not compared is said.
Exit codes: 0 equal, 3 differs, 1 a table could not be compared, or there was none.
Examples:
  hakobu verify
  hakobu verify members reservations --json
)");
  SetAction(command, line, choices);
}

void RegisterRepairCommand(CLI::App& app, CommandLine& line) {
  CLI::App* command =
      app.add_subcommand("repair", "Make streamed tables equal to the source, and close gaps");
  auto choices = std::make_shared<RepairChoices>();
  command->add_option("what", choices->what, "Gaps by number, or tables by name")->type_name("GAP|TABLE");
  command->add_flag("--all", choices->all, "Every open gap");
  command->add_flag("--recopy", choices->recopy,
                    "Put the rows of these tables in place anew, all of them, with the next start of the "
                    "stream or the next run");
  command->footer(
      R"(Compares the tables that the gaps concern with the source, sends what differs through the stream's own path, where
newer changes always win, compares again, and closes the gaps with that proof. The source is only read. Interrupted, it
goes on where it was. `hakobu verify` compares alone.
Exit codes: 0 equal now, 3 some rows still differ, 1 a table could not be compared.
Examples:
  hakobu repair --all
  hakobu repair 3
  hakobu repair members
  hakobu repair --recopy members
)");
  SetAction(command, line, choices);
}

}  // namespace hakobu
