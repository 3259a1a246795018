// The JSON Schema (draft 2020-12) of hakobu.yaml, made from the parser's own table of keys.
#pragma once

#include <string>

namespace hakobu {

std::string ConfigJsonSchema();  // ends with a newline

}  // namespace hakobu
