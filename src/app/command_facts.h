// What the command line says of itself, for those who write it down in other forms: completions, manual
// pages.
#pragma once

#include <string>
#include <vector>

namespace CLI {
class App;
}

namespace hakobu {

struct OptionFacts {
  std::vector<std::string> names;    // "--config", "-c"; empty: a positional
  std::vector<std::string> choices;  // values it takes, where they are few
  std::string about;
  bool takes_value = false;
  bool takes_file = false;
  bool takes_table = false;
};

struct CommandFacts {
  std::string name;
  std::string about;
  std::vector<OptionFacts> options;  // the global ones too
};

std::vector<OptionFacts> OptionsOf(const CLI::App& app);
std::vector<CommandFacts> CommandsOf(const CLI::App& app);

}  // namespace hakobu
