// Names of columns and indexes: the servers compare them without case and accents (utf8mb3_general_ci).
#pragma once

#include <string>
#include <string_view>

namespace hakobu::ddl {

// Equal for names the servers hold equal.
std::string FoldName(std::string_view name);
bool SameName(std::string_view a, std::string_view b);

}  // namespace hakobu::ddl
