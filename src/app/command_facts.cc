#include "app/command_facts.h"

#include <CLI/CLI.hpp>

namespace hakobu {
namespace {

// CLI11 shows the members that a value is checked against as `TYPE:{a,b}`.
std::vector<std::string> ChoicesOf(const std::string& type) {
  std::vector<std::string> choices;
  const size_t open = type.find('{');
  const size_t close = type.find('}', open);
  if (open == std::string::npos || close == std::string::npos) return choices;
  std::string list = type.substr(open + 1, close - open - 1);
  for (size_t comma = list.find(','); comma != std::string::npos; comma = list.find(',')) {
    choices.push_back(list.substr(0, comma));
    list.erase(0, comma + 1);
  }
  choices.push_back(list);
  return choices;
}

}  // namespace

std::vector<OptionFacts> OptionsOf(const CLI::App& app) {
  std::vector<OptionFacts> options;
  for (const CLI::Option* option : app.get_options()) {
    OptionFacts& facts = options.emplace_back();
    for (const std::string& name : option->get_lnames()) facts.names.push_back("--" + name);
    for (const std::string& name : option->get_snames()) facts.names.push_back("-" + name);
    facts.takes_value = option->get_items_expected_max() > 0;
    const std::string type = option->get_type_name();
    facts.choices = ChoicesOf(type);
    facts.takes_file = type.starts_with("FILE") || type.starts_with("DIR");
    facts.takes_table = type.starts_with("TABLE");
    facts.about = option->get_description();
  }
  return options;
}

std::vector<CommandFacts> CommandsOf(const CLI::App& app) {
  std::vector<CommandFacts> commands;
  for (const CLI::App* command : app.get_subcommands([](const CLI::App*) { return true; })) {
    CommandFacts facts{command->get_name(), command->get_description(), OptionsOf(*command)};
    for (OptionFacts& option : OptionsOf(app)) {
      const bool help =
          !option.names.empty() && (option.names[0] == "--help" || option.names[0] == "--version");
      if (!help) facts.options.push_back(std::move(option));
    }
    commands.push_back(std::move(facts));
  }
  return commands;
}

}  // namespace hakobu
