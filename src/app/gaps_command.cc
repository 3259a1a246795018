#include "app/gaps_command.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <filesystem>
#include <memory>

#include "base/status.h"
#include "config/load.h"
#include "delivery/stream/gap_statement.h"
#include "ledger/ledger.h"

namespace hakobu {
namespace {

struct GapsChoices {
  std::string language = "en";
  std::string zone;
  std::string table;
  bool open = false;
};

absl::StatusOr<StatementOptions> Shown(const GapsChoices& choices) {
  StatementOptions options;
  if (choices.zone.empty()) {
    options.zone = absl::LocalTimeZone();
    options.zone_name = absl::FormatTime("%Z", absl::Now(), options.zone);
    return options;
  }
  options.zone_name = choices.zone;
  if (!absl::LoadTimeZone(choices.zone, &options.zone)) {
    return WithHint(absl::InvalidArgumentError(fmt::format("--time-zone: no such zone: {}", choices.zone)),
                    "give an IANA name such as Asia/Tokyo or UTC");
  }
  return options;
}

bool IsNamed(const std::string& source, const std::string& target, const std::string& name) {
  return source == name || source.ends_with("." + name) || target == name;
}

bool Concerns(const Gap& gap, const std::string& table) {
  return table.empty() || std::any_of(gap.tables.begin(), gap.tables.end(), [&](const GapTable& each) {
           return IsNamed(each.source, each.target, table);
         });
}

// A misspelt table must not read as one without gaps.
absl::Status CheckTableIsKnown(StreamBook& book, const std::string& table) {
  HAKOBU_ASSIGN_OR_RETURN(const std::vector<StreamTableRecord> tables, book.Tables());
  const bool known = std::any_of(tables.begin(), tables.end(), [&](const StreamTableRecord& each) {
    return IsNamed(each.source, each.target, table);
  });
  if (known) return absl::OkStatus();
  return WithHint(absl::InvalidArgumentError(fmt::format(
                      "--table: expected one that `hakobu stream` has delivered, found `{}`", table)),
                  "`hakobu status` lists them");
}

absl::StatusOr<std::vector<Gap>> ReadGaps(const Config& config, const GapsChoices& choices) {
  std::vector<Gap> gaps;
  bool named = choices.table.empty();
  // Looking must not make a ledger where there is none.
  if (!std::filesystem::exists(config.ledger)) return gaps;
  HAKOBU_ASSIGN_OR_RETURN(const std::unique_ptr<Ledger> ledger, Ledger::Open(config.ledger));
  HAKOBU_ASSIGN_OR_RETURN(std::vector<StreamGapRecord> records, ledger->streams().Gaps());
  for (StreamGapRecord& record : records) {
    HAKOBU_ASSIGN_OR_RETURN(Gap gap, ReadGap(std::move(record)));
    if (!Concerns(gap, choices.table)) continue;
    named = true;
    if (!choices.open || gap.open()) gaps.push_back(std::move(gap));
  }
  if (!named) HAKOBU_RETURN_IF_ERROR(CheckTableIsKnown(ledger->streams(), choices.table));
  return gaps;
}

std::string GapsText(const std::vector<Gap>& gaps, const std::string& language, StatementOptions options) {
  std::string text;
  const auto add = [&](const Gap& gap, Language in) {
    options.language = in;
    if (!text.empty()) text += fmt::format("\n{:-<72}\n\n", "");
    text += GapStatement(gap, options);
  };
  for (const Gap& gap : gaps) {
    if (language != "ja") add(gap, Language::kEnglish);
    if (language != "en") add(gap, Language::kJapanese);
  }
  return text.empty() ? "No gaps.\n" : text;
}

absl::StatusOr<int> ShowGaps(const GlobalOptions& globals, const GapsChoices& choices) {
  HAKOBU_ASSIGN_OR_RETURN(const Config config,
                          LoadConfig(globals.config_path, ProcessEnvironment(), SecretUse::kUnread));
  HAKOBU_ASSIGN_OR_RETURN(const StatementOptions options, Shown(choices));
  HAKOBU_ASSIGN_OR_RETURN(const std::vector<Gap> gaps, ReadGaps(config, choices));
  fmt::print("{}", globals.json ? GapsJson(gaps, options) : GapsText(gaps, choices.language, options));
  const bool any_open = std::any_of(gaps.begin(), gaps.end(), [](const Gap& gap) { return gap.open(); });
  return any_open ? kExitDoneButLate : kExitDone;
}

}  // namespace

void RegisterGapsCommand(CLI::App& app, CommandLine& line) {
  CLI::App* command =
      app.add_subcommand("gaps", "Say what the stream may have missed, as statements for customers");
  auto choices = std::make_shared<GapsChoices>();
  command->add_option("--language", choices->language, "en, ja or both")
      ->check(CLI::IsMember({"en", "ja", "both"}))
      ->capture_default_str()
      ->type_name("LANGUAGE");
  command->add_option("--time-zone", choices->zone, "Show times in this zone (default: the system's)")
      ->type_name("ZONE");
  command->add_option("--table", choices->table, "Only gaps in which this table was streamed")
      ->type_name("TABLE");
  command->add_flag("--open", choices->open, "Only gaps that are not repaired yet");
  command->footer(R"(Reads the ledger alone; neither side is asked. Exit codes: 0 no open gap, 3 open gaps.
Examples:
  hakobu gaps --open
  hakobu gaps --language ja --time-zone Asia/Tokyo --table members
  hakobu gaps --json | jq -r '.gaps[] | select(.state == "open") | .statement.ja'
)");
  command->callback([&line, choices] {
    line.action = [&line, choices] {
      const absl::StatusOr<int> result = ShowGaps(line.options, *choices);
      return result.ok() ? *result : ReportFailure(line.options, result.status());
    };
  });
}

}  // namespace hakobu
