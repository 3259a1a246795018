// What a configuration takes from outside: for whoever has to bring it there. Never a value.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace hakobu {

struct ConfigReferences {
  std::vector<std::string> variables;  // NAME of ${env:NAME}
  std::vector<std::string> files;      // PATH of ${file:PATH}
  std::vector<std::string> commands;   // the text of ${command:…}
};

// Of all values of the file, each once and sorted. Empty where the text is no YAML.
ConfigReferences ReferencesOf(std::string_view yaml);

}  // namespace hakobu
