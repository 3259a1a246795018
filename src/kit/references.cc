#include "kit/references.h"

#include <yaml-cpp/yaml.h>

#include <algorithm>

namespace hakobu {
namespace {

void AddReference(std::string_view reference, ConfigReferences* found) {
  const size_t colon = reference.find(':');
  if (colon == std::string_view::npos) return;
  const std::string_view kind = reference.substr(0, colon);
  const std::string argument(reference.substr(colon + 1));
  if (kind == "env") found->variables.push_back(argument);
  if (kind == "file") found->files.push_back(argument);
  if (kind == "command") found->commands.push_back(argument);
}

// `$${` stands for a plain `${`; braces inside a reference are counted, as they are when it is read.
void AddReferencesOf(std::string_view text, ConfigReferences* found) {
  for (size_t at = text.find("${"); at != std::string_view::npos; at = text.find("${", at + 2)) {
    if (at > 0 && text[at - 1] == '$') continue;
    int depth = 0;
    for (size_t end = at + 1; end < text.size(); ++end) {
      if (text[end] == '{') ++depth;
      if (text[end] != '}' || --depth > 0) continue;
      AddReference(text.substr(at + 2, end - at - 2), found);
      break;
    }
  }
}

void Walk(const YAML::Node& node, ConfigReferences* found) {
  if (node.IsScalar()) AddReferencesOf(node.Scalar(), found);
  if (node.IsSequence()) {
    for (const YAML::Node& item : node) Walk(item, found);
  }
  if (node.IsMap()) {
    for (const auto& entry : node) Walk(entry.second, found);
  }
}

void SortOnce(std::vector<std::string>* texts) {
  std::sort(texts->begin(), texts->end());
  texts->erase(std::unique(texts->begin(), texts->end()), texts->end());
}

}  // namespace

ConfigReferences ReferencesOf(std::string_view yaml) {
  ConfigReferences found;
  try {
    Walk(YAML::Load(std::string(yaml)), &found);
  } catch (const YAML::Exception&) {
    return {};
  }
  SortOnce(&found.variables);
  SortOnce(&found.files);
  SortOnce(&found.commands);
  return found;
}

}  // namespace hakobu
