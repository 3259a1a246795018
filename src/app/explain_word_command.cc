#include "app/explain_word_command.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <memory>
#include <nlohmann/json.hpp>

#include "app/text_table.h"
#include "base/status.h"
#include "config/value.h"

namespace hakobu {
namespace {

// "run:table:shop.members" is explained by "run:table", "stream:outage:source" by "stream:outage".
const ExplainedWord* FindWord(std::string_view asked) {
  for (;;) {
    for (const ExplainedWord& each : ExplainedWords()) {
      if (each.word == asked) return &each;
    }
    const size_t colon = asked.rfind(':');
    if (colon == std::string_view::npos) return nullptr;
    asked = asked.substr(0, colon);
  }
}

void PrintWords(bool as_json) {
  if (as_json) {
    nlohmann::ordered_json list = nlohmann::ordered_json::array();
    for (const ExplainedWord& each : ExplainedWords()) {
      list.push_back(
          {{"word", each.word}, {"kind", each.kind}, {"meaning", each.meaning}, {"advice", each.advice}});
    }
    fmt::print("{}\n", list.dump(2));
    return;
  }
  TextTable table({{"word", Align::kLeft}, {"is", Align::kLeft}});
  for (const ExplainedWord& each : ExplainedWords())
    table.AddRow({std::string(each.word), std::string(each.kind)});
  fmt::print("{}", table.Render());
}

absl::StatusOr<int> ExplainWord(const GlobalOptions& globals, const std::string& word) {
  if (word.empty()) {
    PrintWords(globals.json);
    return kExitDone;
  }
  const ExplainedWord* found = FindWord(word);
  if (found == nullptr) {
    std::vector<std::string> known;
    for (const ExplainedWord& each : ExplainedWords()) known.emplace_back(each.word);
    const std::string hint = DidYouMean(word, known);
    return WithHint(absl::InvalidArgumentError(
                        fmt::format("expected an exit code, a state or an alert, found `{}`", word)),
                    hint.empty() ? "`hakobu explain` lists them" : hint);
  }
  if (globals.json) {
    const nlohmann::ordered_json explained = {
        {"word", found->word}, {"kind", found->kind}, {"meaning", found->meaning}, {"advice", found->advice}};
    fmt::print("{}\n", explained.dump(2));
  } else {
    fmt::print("{} ({})\n{}\n{}", found->word, found->kind, found->meaning,
               found->advice.empty() ? "" : fmt::format("{}\n", found->advice));
  }
  return kExitDone;
}

}  // namespace

void RegisterExplainWordCommand(CLI::App& app, CommandLine& line) {
  CLI::App* command = app.add_subcommand(
      "explain", "Say what an exit code, a state or an alert means, and what to do about it");
  auto word = std::make_shared<std::string>();
  command->add_option("word", *word, "What was met; none: all that can be explained")->type_name("WORD");
  command->footer(R"(Examples:
  hakobu explain 3
  hakobu explain gap
  hakobu explain run:table:shop.members
)");
  command->callback([&line, word] {
    line.action = [&line, word] {
      const absl::StatusOr<int> result = ExplainWord(line.options, *word);
      return result.ok() ? *result : ReportFailure(line.options, result.status());
    };
  });
}

}  // namespace hakobu
