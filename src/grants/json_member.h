// Members of the JSON objects that grants are read from.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

namespace hakobu {

// A member that is a string; "" for one of another type, for none, and of what is no object.
std::string TextOf(const nlohmann::ordered_json& object, const char* key);

}  // namespace hakobu
