// Members of REST's JSON objects.
#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <string>

namespace hakobu::localbq {

// A member that is a string; "" for one of another type or none. `object` must be an object.
std::string TextField(const nlohmann::json& object, const char* key);
// A number, or a string that holds one, as REST writes 64-bit integers; 0 for anything else.
int64_t IntegerField(const nlohmann::json& object, const char* key);

}  // namespace hakobu::localbq
