// Column types as information_schema.COLUMNS spells them.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "row/source_table.h"

namespace hakobu {

// Sets type, is_unsigned, length of BIT, labels and geometry from DATA_TYPE and column->declared. False when
// hakobu does not know the type.
bool ReadType(std::string_view data_type, SourceColumn* column);
// Sets generated and invisible from EXTRA.
void ReadExtra(std::string_view extra, SourceColumn* column);
// "enum('a','it''s')" -> {a, it's}; empty when `declared` is no ENUM or SET.
std::vector<std::string> ParseLabels(std::string_view declared);

}  // namespace hakobu
