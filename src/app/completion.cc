#include "app/completion.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <CLI/CLI.hpp>
#include <string_view>
#include <vector>

#include "app/command_facts.h"

namespace hakobu {
namespace {

// What may be typed next: option names, and the values of positionals.
std::string WordsOf(const std::vector<OptionFacts>& options) {
  std::vector<std::string> words;
  for (const OptionFacts& option : options) {
    const auto& add = option.names.empty() ? option.choices : option.names;
    words.insert(words.end(), add.begin(), add.end());
  }
  return fmt::format("{}", fmt::join(words, " "));
}

bool TakesTables(const std::vector<OptionFacts>& options) {
  for (const OptionFacts& option : options) {
    if (option.names.empty() && option.takes_table) return true;
  }
  return false;
}

// A shell function that prints the tables the configuration names, one a line, from the file alone.
constexpr std::string_view kTables = R"(_hakobu_tables() {
  local file=hakobu.yaml word before=
  for word in "$@"; do
    case $before in -c|--config) file=$word ;; esac
    before=$word
  done
  sed -n -e 's/#.*//' -e "s/^[- {]*[\"']*table[\"']*: *[\"']*\([^\"',}]*[^\"',} ]\).*/\1/p" "$file" 2>/dev/null |
    grep -v '[$`\\]'
}
)";

// The `case $previous` arms for options that take a value.
std::string ValueArms(const std::vector<OptionFacts>& options) {
  std::string arms;
  for (const OptionFacts& option : options) {
    if (option.names.empty() || !option.takes_value) continue;
    const std::string action =
        option.takes_file ? "COMPREPLY=($(compgen -f -- \"$current\"))"
        : option.choices.empty()
            ? "COMPREPLY=()"
            : fmt::format("COMPREPLY=($(compgen -W \"{}\" -- \"$current\"))", fmt::join(option.choices, " "));
    arms += fmt::format("        {}) {}; return ;;\n", fmt::join(option.names, "|"), action);
  }
  return arms;
}

std::string ZshQuoted(std::string_view text) {
  std::string quoted;
  for (const char c : text) {
    if (c == '\'') {
      quoted += "'\\''";
      continue;
    }
    if (c == '[' || c == ']' || c == ':') quoted += '\\';
    quoted += c;
  }
  return quoted;
}

std::string ZshValue(const OptionFacts& option) {
  if (option.takes_table) return ":table:{compadd -- ${(f)\"$(_hakobu_tables $words)\"}}";
  if (option.takes_file) return ":file:_files";
  if (option.choices.empty()) return ":value: ";
  return fmt::format(":value:({})", fmt::join(option.choices, " "));
}

std::string ZshArguments(const std::vector<OptionFacts>& options) {
  std::string lines;
  for (const OptionFacts& option : options) {
    if (option.names.empty()) {
      lines += fmt::format(" \\\n        '*{}'", ZshValue(option));
      continue;
    }
    for (const std::string& name : option.names) {
      lines += fmt::format(" \\\n        '{}[{}]{}'", name, ZshQuoted(option.about),
                           option.takes_value ? ZshValue(option) : "");
    }
  }
  return lines;
}

}  // namespace

std::string BashCompletion(const CLI::App& app) {
  const std::vector<CommandFacts> commands = CommandsOf(app);
  std::vector<std::string> names;
  std::string arms;
  for (const CommandFacts& command : commands) {
    names.push_back(command.name);
    const std::string values = ValueArms(command.options);
    arms += fmt::format("    {})\n", command.name);
    if (!values.empty()) arms += fmt::format("      case $previous in\n{}      esac\n", values);
    const bool tables = TakesTables(command.options);
    arms += fmt::format("      words=\"{}{}\" ;;\n", WordsOf(command.options),
                        tables ? " $(_hakobu_tables \"${COMP_WORDS[@]}\")" : "");
  }
  const std::vector<OptionFacts> globals = OptionsOf(app);
  return fmt::format(
      R"(# bash completion for hakobu: source it, or put it into bash-completion's folder.
{5}_hakobu() {{
  local current=${{COMP_WORDS[COMP_CWORD]}} previous=${{COMP_WORDS[COMP_CWORD-1]}} command= words= i
  for ((i = 1; i < COMP_CWORD; i++)); do
    case ${{COMP_WORDS[i]}} in
      {0}) command=${{COMP_WORDS[i]}}; break ;;
    esac
  done
  case $command in
    '')
      case $previous in
{1}      esac
      words="{2} {3}" ;;
{4}  esac
  COMPREPLY=($(compgen -W "$words" -- "$current"))
}}
complete -F _hakobu hakobu
)",
      fmt::join(names, "|"), ValueArms(globals), fmt::join(names, " "), WordsOf(globals), arms, kTables);
}

std::string ZshCompletion(const CLI::App& app) {
  std::string described;
  std::string arms;
  for (const CommandFacts& command : CommandsOf(app)) {
    described += fmt::format("    '{}:{}'\n", command.name, ZshQuoted(command.about));
    arms += fmt::format("    {})\n      _arguments{} ;;\n", command.name, ZshArguments(command.options));
  }
  return fmt::format(R"(#compdef hakobu
# zsh completion for hakobu: put it as _hakobu into a folder of $fpath.
{3}_hakobu() {{
  local -a commands=(
{0})
  local context state state_descr line
  typeset -A opt_args
  _arguments -C{1} \
        '1:command:->command' \
        '*::argument:->argument'
  case $state in
    command) _describe command commands; return ;;
  esac
  case $line[1] in
{2}  esac
}}
_hakobu "$@"
)",
                     described, ZshArguments(OptionsOf(app)), arms, kTables);
}

}  // namespace hakobu
