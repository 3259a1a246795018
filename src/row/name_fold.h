// Names that are compared otherwise than byte by byte. The servers compare columns and indexes without case
// and accents (utf8mb3_general_ci).
#pragma once

#include <string>
#include <string_view>

namespace hakobu {

// In lower case, accents kept.
std::string LowerName(std::string_view name);
// One of the databases that a server has by itself; names as servers spell them.
bool IsServersDatabase(std::string_view name);
// Equal for names the servers hold equal.
std::string FoldName(std::string_view name);
bool SameName(std::string_view a, std::string_view b);

}  // namespace hakobu
