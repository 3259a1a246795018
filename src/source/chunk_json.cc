#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "source/chunk.h"

namespace hakobu {
namespace {

using nlohmann::json;

absl::StatusOr<std::optional<KeyBound>> ReadBound(const json& object, const char* name) {
  const auto found = object.find(name);
  if (found == object.end()) return std::nullopt;
  if (!found->is_array()) return absl::InvalidArgumentError(fmt::format("chunk: '{}' is no list", name));
  KeyBound bound;
  for (const json& value : *found) {
    if (!value.is_string()) return absl::InvalidArgumentError(fmt::format("chunk: '{}' holds no text", name));
    bound.push_back(value.get<std::string>());
  }
  return bound;
}

}  // namespace

std::string Chunk::ToJson() const {
  json object = {{"number", number}, {"rows", estimated_rows}};
  if (after) object["after"] = *after;
  if (upto) object["upto"] = *upto;
  return object.dump();
}

absl::StatusOr<Chunk> Chunk::FromJson(std::string_view text) {
  const json object = json::parse(text, nullptr, false);
  if (!object.is_object() || !object.contains("number") || !object["number"].is_number_unsigned()) {
    return absl::InvalidArgumentError("chunk: not a chunk's JSON");
  }
  Chunk chunk;
  chunk.number = object["number"].get<uint32_t>();
  if (object.contains("rows") && object["rows"].is_number_unsigned()) {
    chunk.estimated_rows = object["rows"].get<uint64_t>();
  }
  HAKOBU_ASSIGN_OR_RETURN(chunk.after, ReadBound(object, "after"));
  HAKOBU_ASSIGN_OR_RETURN(chunk.upto, ReadBound(object, "upto"));
  return chunk;
}

}  // namespace hakobu
