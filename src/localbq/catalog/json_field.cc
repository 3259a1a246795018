#include "localbq/catalog/json_field.h"

#include <nlohmann/json.hpp>

namespace hakobu::localbq {

std::string TextField(const nlohmann::json& object, const char* key) {
  const auto found = object.find(key);
  return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}

}  // namespace hakobu::localbq
