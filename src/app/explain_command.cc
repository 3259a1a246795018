#include "app/explain_command.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cmath>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>

#include "app/night_history.h"
#include "app/text_table.h"
#include "base/status.h"
#include "config/load.h"
#include "governor/forecast.h"

namespace hakobu {
namespace {

using nlohmann::ordered_json;

absl::StatusOr<Config> ReadConfig(const GlobalOptions& globals) {
  return LoadConfig(globals.config_path, ProcessEnvironment(), SecretUse::kUnread);
}

std::string NightText(const PastNight& night, const std::vector<Cause>& causes, size_t usual) {
  std::string text = fmt::format("Run {}: {}{}, {}.\n", night.run_id, night.state,
                                 night.late ? ", but late" : "", SecondsText(night.facts.seconds));
  if (!night.error.empty()) text += fmt::format("It failed: {}\n", night.error);
  for (const Cause& cause : causes)
    text += fmt::format("  {:>9}  {}\n", SecondsText(cause.seconds), cause.text);
  if (causes.empty()) text += "Nothing held it back beyond what is usual.\n";
  text += usual == 0 ? "There is no earlier night to hold it against.\n"
                     : fmt::format("Held against {} earlier night{}.\n", usual, usual == 1 ? "" : "s");
  return text;
}

ordered_json NightJson(const PastNight& night, const std::vector<Cause>& causes, size_t usual) {
  ordered_json list = ordered_json::array();
  for (const Cause& cause : causes) {
    list.push_back({{"reason", cause.kind == CauseKind::kReason         ? std::string(NameOf(cause.reason))
                               : cause.kind == CauseKind::kMoreRows     ? "more rows"
                               : cause.kind == CauseKind::kMoreExamined ? "more rows examined"
                                                                        : "retries"},
                    {"seconds", cause.seconds},
                    {"text", cause.text}});
  }
  return {{"runId", night.run_id},          {"state", night.state}, {"late", night.late},
          {"seconds", night.facts.seconds}, {"error", night.error}, {"causes", std::move(list)},
          {"earlierNights", usual}};
}

absl::StatusOr<int> ExplainRun(const GlobalOptions& globals, const std::string& run_id) {
  HAKOBU_ASSIGN_OR_RETURN(const Config config, ReadConfig(globals));
  HAKOBU_ASSIGN_OR_RETURN(const std::vector<PastNight> nights, ReadNights(config));
  const auto night = std::find_if(nights.begin(), nights.end(), [&](const PastNight& one) {
    return run_id.empty() || one.run_id == run_id;
  });
  if (night == nights.end()) {
    return WithHint(absl::InvalidArgumentError(run_id.empty() ? std::string("no run has ended yet")
                                                              : fmt::format("no run {} has ended", run_id)),
                    "`hakobu status` lists them");
  }
  std::vector<NightFacts> usual;
  for (auto earlier = night + 1; earlier != nights.end() && usual.size() < 30; ++earlier) {
    if (earlier->state == "done") usual.push_back(earlier->facts);
  }
  const std::vector<Cause> causes = Explain(night->facts, usual);
  fmt::print("{}", globals.json ? NightJson(*night, causes, usual.size()).dump() + "\n"
                                : NightText(*night, causes, usual.size()));
  return kExitDone;
}

std::string DayText(double day) {
  if (std::isinf(day)) return "-";
  return absl::FormatCivilTime(absl::CivilDay(1970, 1, 1) + static_cast<int64_t>(day));
}

// Each table by itself, as if all that is left until the promise were its own.
absl::StatusOr<int> ShowForecast(const GlobalOptions& globals) {
  HAKOBU_ASSIGN_OR_RETURN(const Config config, ReadConfig(globals));
  const std::optional<DailyHour> hour = ParseDailyHour(config.promise);
  if (!hour.has_value()) {
    return WithHint(absl::InvalidArgumentError("there is no `promise` that could be missed"),
                    "set it: promise: \"06:00 Asia/Tokyo\"");
  }
  HAKOBU_ASSIGN_OR_RETURN(const std::vector<PastNight> nights, ReadNights(config));
  std::map<std::string, ForecastQuestion> questions;
  for (const PastNight& night : nights) {
    const double day = absl::ToDoubleHours(night.started - absl::UnixEpoch()) / 24;
    ForecastQuestion& all = questions["all tables"];
    if (night.state != "done") continue;
    if (all.nights.empty())
      all.available_seconds = absl::ToDoubleSeconds(hour->After(night.started) - night.started);
    all.nights.push_back({day, night.facts.rows, night.facts.seconds});
    for (const NightTable& table : night.tables) {
      ForecastQuestion& question = questions[table.source];
      question.available_seconds = all.available_seconds;
      question.nights.push_back({day, table.rows, table.seconds});
    }
  }
  TextTable text({{"table", Align::kLeft},
                  {"nights", Align::kRight},
                  {"rows more a day", Align::kRight},
                  {"one night of ten is late from", Align::kLeft},
                  {"the promise is missed from", Align::kLeft},
                  {"between", Align::kLeft}});
  ordered_json list = ordered_json::array();
  for (const auto& [name, question] : questions) {
    const WorkForecast forecast = ForecastMiss(question);
    const std::string band =
        std::isinf(forecast.missed)
            ? ""
            : fmt::format("{} and {}", DayText(forecast.earliest), DayText(forecast.latest));
    text.AddRow({name, CountText(question.nights.size()),
                 forecast.known ? fmt::format("{:.0f}", forecast.growth_a_day) : "no forecast",
                 forecast.known ? DayText(forecast.first_risk) : forecast.why_not, DayText(forecast.missed),
                 band});
    list.push_back({{"table", name},
                    {"nights", question.nights.size()},
                    {"known", forecast.known},
                    {"whyNot", forecast.why_not},
                    {"rowsMoreADay", forecast.growth_a_day},
                    {"atRiskFrom", DayText(forecast.first_risk)},
                    {"missedFrom", DayText(forecast.missed)},
                    {"earliest", DayText(forecast.earliest)},
                    {"latest", DayText(forecast.latest)}});
  }
  fmt::print("{}", globals.json ? list.dump() + "\n" : text.Render());
  return kExitDone;
}

}  // namespace

void RegisterExplainCommands(CLI::App& app, CommandLine& line) {
  CLI::App* explain = app.add_subcommand("explain-run", "Say why a run took as long as it did");
  auto run_id = std::make_shared<std::string>();
  explain->add_option("run", *run_id, "Its id; the newest that has ended when not given")->type_name("RUN");
  explain->footer(
      R"(Holds the run against up to 30 earlier ones of the same ledger: where the time went beyond the usual, the most of
it first. Reads the ledger alone. A run that is cut off is not there before it has ended.
)");
  explain->callback([&line, run_id] {
    line.action = [&line, run_id] {
      const absl::StatusOr<int> result = ExplainRun(line.options, *run_id);
      return result.ok() ? *result : ReportError(result.status());
    };
  });
  CLI::App* forecast =
      app.add_subcommand("forecast", "Say on which day the promise will be missed, if work grows on");
  forecast->footer(
      R"(From the rows and seconds of past runs: the trend of each table and of all together, with the weekdays taken out. It says
`no forecast` below 21 nights, and where no growth is seen. Reads the ledger alone.
)");
  forecast->callback([&line] {
    line.action = [&line] {
      const absl::StatusOr<int> result = ShowForecast(line.options);
      return result.ok() ? *result : ReportError(result.status());
    };
  });
}

}  // namespace hakobu
