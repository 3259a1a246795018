#include "app/probe_command.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <memory>
#include <nlohmann/json.hpp>

#include "app/destination_side.h"
#include "app/interrupt.h"
#include "app/text_table.h"
#include "base/escape.h"
#include "base/status.h"
#include "config/load.h"
#include "delivery/probe/run_probe.h"

namespace hakobu {
namespace {

constexpr std::string_view kStopping = "stopping; the scratch dataset is removed. Once more ends at once.";

struct ProbeChoices {
  ProbeOptions options;
  std::string watch = "2m";
  std::string stream_age = "0s";
};

absl::Status ReadDuration(const std::string& text, const char* option, absl::Duration* duration) {
  if (absl::ParseDuration(text, duration) && *duration >= absl::ZeroDuration() &&
      *duration <= absl::Hours(24 * 30)) {
    return absl::OkStatus();
  }
  return WithHint(absl::InvalidArgumentError(
                      fmt::format("{}: expected a duration of at most 30 days, found `{}`", option, text)),
                  "hours, minutes and seconds: 120h, 5m, 30s");
}

std::string ProbeText(const std::vector<ProbeOutcome>& outcomes) {
  TextTable table({{"question"}, {"answer"}, {"what follows"}, {"hakobu"}});
  std::string seen;
  for (const ProbeOutcome& outcome : outcomes) {
    for (const ProbeAnswer& answer : outcome.answers) {
      table.AddRow({answer.question, answer.answer, answer.meaning, answer.taken});
      seen += fmt::format("  {}: {}\n", answer.question, EscapeControl(answer.seen));
    }
  }
  return fmt::format("{}\nseen\n{}", table.Render(), seen);
}

std::string ProbeJson(const std::vector<ProbeOutcome>& outcomes) {
  nlohmann::json list = nlohmann::json::array();
  for (const ProbeOutcome& outcome : outcomes) {
    for (const ProbeAnswer& answer : outcome.answers) {
      list.push_back({{"experiment", outcome.experiment},
                      {"question", answer.question},
                      {"answer", answer.answer},
                      {"seen", answer.seen},
                      {"meaning", answer.meaning},
                      {"taken", answer.taken}});
    }
  }
  return nlohmann::json{{"answers", list}}.dump(2, ' ', false, nlohmann::json::error_handler_t::replace) +
         "\n";
}

// What was answered is printed also when the rest failed.
absl::StatusOr<int> Probe(const GlobalOptions& globals, const ProbeChoices& choices) {
  HAKOBU_ASSIGN_OR_RETURN(const Config config, LoadConfig(globals.config_path));
  SetUpLogFor(globals, config);
  ProbeOptions options = choices.options;
  HAKOBU_RETURN_IF_ERROR(ReadDuration(choices.watch, "--watch", &options.watch));
  HAKOBU_RETURN_IF_ERROR(ReadDuration(choices.stream_age, "--stream-age", &options.stream_age));
  Cancellation cancel;
  const std::unique_ptr<InterruptGuard> guard = InterruptGuard::Watch(&cancel, kStopping);
  HAKOBU_ASSIGN_OR_RETURN(const std::unique_ptr<DestinationSide> destination, DestinationSide::Open(config));
  options.addresses = destination->addresses();
  std::vector<ProbeOutcome> outcomes;
  const absl::Status done = RunProbe(
      config, options,
      [&](const ProbeOutcome& outcome) {
        outcomes.push_back(outcome);
        fmt::print(stderr, "{} of {} experiments done: {}\n", outcomes.size(),
                   options.experiments.empty() ? Experiments().size() : options.experiments.size(),
                   outcome.experiment);
      },
      cancel);
  if (!outcomes.empty() || done.ok())
    fmt::print("{}", globals.json ? ProbeJson(outcomes) : ProbeText(outcomes));
  HAKOBU_RETURN_IF_ERROR(done);
  return kExitDone;
}

CLI::Validator IsExperiment() {
  std::vector<std::string> names;
  for (const Experiment& experiment : Experiments()) names.emplace_back(experiment.name);
  return CLI::IsMember(names);
}

std::string ProbeFooter() {
  std::string text =
      "Makes a scratch dataset in destination.project, tries there what Google's pages leave open, prints "
      "what was\n"
      "seen and what follows, and removes the dataset, also after a failure or Ctrl-C. It touches nothing "
      "else. A\n"
      "few kilobytes, some minutes, the least that a few dozen queries bill. The answers are kept in the "
      "ledger, and\n"
      "runs go by them. Experiments:\n";
  for (const Experiment& experiment : Experiments()) {
    text += fmt::format("  {:<18} {}\n", experiment.name, experiment.question);
  }
  return text +
         "Examples:\n  hakobu probe\n  hakobu probe truncate_data --policy-tag projects/p/locations/us/…\n"
         "  hakobu probe old_streams --stream-age 120h\n";
}

}  // namespace

void RegisterProbeCommand(CLI::App& app, CommandLine& line) {
  CLI::App* command = app.add_subcommand("probe", "Try once how the service of this project behaves");
  auto choices = std::make_shared<ProbeChoices>();
  ProbeOptions& options = choices->options;
  command->add_option("experiment", options.experiments, "Only these")
      ->check(IsExperiment())
      ->type_name("NAME");
  command
      ->add_option("--policy-tag", options.policy_tag,
                   "A policy tag that a column is given, to see if it stays")
      ->type_name("RESOURCE");
  command
      ->add_option("--members", options.members,
                   "E-mail addresses that exist, for the access list of the scratch dataset")
      ->delimiter(',')
      ->type_name("ADDRESSES");
  command->add_option("--watch", choices->watch, "How long delays are watched")
      ->capture_default_str()
      ->type_name("DURATION");
  command
      ->add_option(
          "--stream-age", choices->stream_age,
          "Leave write streams alone for so long before they are used again (days, to learn anything)")
      ->type_name("DURATION");
  command->footer(ProbeFooter());
  command->callback([&line, choices] {
    line.action = [&line, choices] {
      const absl::StatusOr<int> result = Probe(line.options, *choices);
      return result.ok() ? *result : ReportError(result.status());
    };
  });
}

}  // namespace hakobu
