// Texts for people, made from the table of keys.
#pragma once

#include <map>
#include <string>

#include "config/keys.h"

namespace hakobu {

// docs/configuration.md from its first generated heading on: every section as a table of keys.
std::string ConfigurationReference();

// One section as YAML, each key under a comment that explains it. `values` (key path within the section ->
// YAML) are written as given; every other key is written with its default, as a comment. `indent` is in
// spaces.
std::string CommentedSection(const Section& section, const std::map<std::string, std::string>& values,
                             int indent);

// The root's section under `name` ("source", "defaults" …). The name must exist.
const Section& RootChild(std::string_view name);

}  // namespace hakobu
