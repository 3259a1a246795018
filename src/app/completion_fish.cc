#include <fmt/format.h>
#include <fmt/ranges.h>

#include <CLI/CLI.hpp>

#include "app/command_facts.h"
#include "app/completion.h"

namespace hakobu {
namespace {

std::string Quoted(std::string_view text) {
  std::string quoted = "'";
  for (const char c : text) {
    if (c == '\'' || c == '\\') quoted += '\\';
    quoted += c;
  }
  return quoted + "'";
}

// The names of one option as `complete` takes them: -s c -l config.
std::string Names(const OptionFacts& option) {
  std::string names;
  for (const std::string& name : option.names) {
    names += name.starts_with("--") ? " -l " + name.substr(2) : " -s " + name.substr(1);
  }
  return names;
}

std::string Values(const OptionFacts& option) {
  if (option.takes_table) return " -f -a '(_hakobu_tables)'";
  if (option.takes_file) return option.names.empty() ? " -F" : " -r -F";
  if (!option.choices.empty())
    return fmt::format(" -x -a {}", Quoted(fmt::format("{}", fmt::join(option.choices, " "))));
  return option.takes_value && !option.names.empty() ? " -x" : "";
}

// Tables that the configuration names, from the file alone: nothing in it is ever run.
constexpr std::string_view kFishTables = R"(function _hakobu_tables
    set -l file hakobu.yaml
    set -l before ''
    for word in (commandline -opc)
        contains -- $before -c --config; and set file $word
        set before $word
    end
    sed -n -e 's/#.*//' -e "s/^[- {]*[\"']*table[\"']*: *[\"']*\([^\"',}]*[^\"',} ]\).*/\1/p" $file 2>/dev/null
end
)";

}  // namespace

std::string FishCompletion(const CLI::App& app) {
  std::string text = "# fish completion for hakobu: put it as hakobu.fish into ~/.config/fish/completions.\n";
  text += kFishTables;
  text += "complete -c hakobu -f\n";
  for (const CommandFacts& command : CommandsOf(app)) {
    text += fmt::format("complete -c hakobu -n __fish_use_subcommand -a {} -d {}\n", command.name,
                        Quoted(command.about));
    for (const OptionFacts& option : command.options) {
      text += fmt::format("complete -c hakobu -n '__fish_seen_subcommand_from {}'{}{} -d {}\n", command.name,
                          Names(option), Values(option), Quoted(option.about));
    }
  }
  for (const OptionFacts& option : OptionsOf(app)) {
    text += fmt::format("complete -c hakobu -n __fish_use_subcommand{}{} -d {}\n", Names(option),
                        Values(option), Quoted(option.about));
  }
  return text;
}

}  // namespace hakobu
