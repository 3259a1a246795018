#include "grants/json_member.h"

#include <nlohmann/json.hpp>

namespace hakobu {

std::string TextOf(const nlohmann::ordered_json& object, const char* key) {
  if (!object.is_object()) return {};
  const auto found = object.find(key);
  return found != object.end() && found->is_string() ? found->get<std::string>() : "";
}

}  // namespace hakobu
