// A JSON document in memory: what partial updates are applied to.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"

namespace hakobu::binlog {

struct JsonMember;

// A scalar is kept as its finished text; order of members is the server's.
struct JsonNode {
  enum class Kind { kScalar, kArray, kObject };
  Kind kind = Kind::kScalar;
  std::string scalar;
  std::vector<JsonNode> elements;   // of an array
  std::vector<JsonMember> members;  // of an object
};
struct JsonMember {
  std::string name;  // not escaped
  JsonNode value;
};

// DataLoss when the bytes are no document.
absl::StatusOr<JsonNode> ParseBinaryJson(std::string_view document);
void AppendNodeText(const JsonNode& node, std::string* text);

}  // namespace hakobu::binlog
