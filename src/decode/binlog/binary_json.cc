#include "decode/binlog/binary_json.h"

#include <algorithm>
#include <charconv>
#include <optional>
#include <vector>

#include "base/byte_reader.h"
#include "base/status.h"
#include "decode/binlog/json_node.h"
#include "decode/charset/utf8.h"

namespace hakobu::binlog {
namespace {

enum class DiffOperation : uint8_t { kReplace = 0, kInsert = 1, kRemove = 2 };

absl::Status BrokenDiff() {
  return absl::DataLossError("JSON diff of a partial update is cut short or corrupt");
}

// One leg of a path: a member's name, or an array's place.
struct Leg {
  std::optional<size_t> place;
  std::string member;
};

void AppendUnescaped(std::string_view quoted, std::string* out);

// '$."a b"[3].c': what Json_path prints.
absl::StatusOr<std::vector<Leg>> ParsePath(std::string_view path) {
  std::vector<Leg> legs;
  if (path.empty() || path[0] != '$') return BrokenDiff();
  size_t at = 1;
  while (at < path.size()) {
    Leg leg;
    if (path[at] == '[') {
      size_t place = 0;
      const auto [end, error] = std::from_chars(path.data() + at + 1, path.data() + path.size(), place);
      if (error != std::errc() || end == path.data() + path.size() || *end != ']') return BrokenDiff();
      leg.place = place;
      at = static_cast<size_t>(end - path.data()) + 1;
    } else if (path[at] == '.') {
      ++at;
      if (at < path.size() && path[at] == '"') {
        size_t end = at + 1;
        while (end < path.size() && path[end] != '"') end += path[end] == '\\' ? 2 : 1;
        if (end >= path.size()) return BrokenDiff();
        AppendUnescaped(path.substr(at + 1, end - at - 1), &leg.member);
        at = end + 1;
      } else {
        const size_t end = std::min(path.find_first_of(".[", at), path.size());
        leg.member = path.substr(at, end - at);
        at = end;
      }
    } else {
      return BrokenDiff();
    }
    legs.push_back(std::move(leg));
  }
  return legs;
}

void AppendUnescaped(std::string_view quoted, std::string* out) {
  static constexpr std::string_view kEscapes = "bfnrt", kMeanings = "\b\f\n\r\t";
  for (size_t i = 0; i < quoted.size(); ++i) {
    if (quoted[i] != '\\' || i + 1 == quoted.size()) {
      out->push_back(quoted[i]);
      continue;
    }
    const char c = quoted[++i];
    if (c == 'u' && i + 4 < quoted.size()) {
      uint32_t code_point = 0;
      std::from_chars(quoted.data() + i + 1, quoted.data() + i + 5, code_point, 16);
      char utf8[4];
      out->append(utf8, PutUtf8(code_point, utf8));
      i += 4;
    } else if (const size_t place = kEscapes.find(c); place != std::string_view::npos) {
      out->push_back(kMeanings[place]);
    } else {
      out->push_back(c);
    }
  }
}

JsonNode* Step(JsonNode* node, const Leg& leg) {
  if (leg.place) {
    if (node->kind != JsonNode::Kind::kArray) return *leg.place == 0 ? node : nullptr;
    return *leg.place < node->elements.size() ? &node->elements[*leg.place] : nullptr;
  }
  if (node->kind != JsonNode::Kind::kObject) return nullptr;
  for (JsonMember& member : node->members) {
    if (member.name == leg.member) return &member.value;
  }
  return nullptr;
}

// The server keeps an object's members by key length, then bytes.
bool KeyBefore(const std::string& a, const std::string& b) {
  return a.size() != b.size() ? a.size() < b.size() : a < b;
}

absl::Status Insert(JsonNode* parent, const Leg& leg, JsonNode value) {
  if (leg.place) {
    if (parent->kind != JsonNode::Kind::kArray) return BrokenDiff();
    const size_t place = std::min(*leg.place, parent->elements.size());
    parent->elements.insert(parent->elements.begin() + static_cast<ptrdiff_t>(place), std::move(value));
    return absl::OkStatus();
  }
  if (parent->kind != JsonNode::Kind::kObject) return BrokenDiff();
  auto place = std::find_if(parent->members.begin(), parent->members.end(),
                            [&](const JsonMember& member) { return !KeyBefore(member.name, leg.member); });
  if (place != parent->members.end() && place->name == leg.member) {
    place->value = std::move(value);
  } else {
    parent->members.insert(place, {leg.member, std::move(value)});
  }
  return absl::OkStatus();
}

absl::Status Remove(JsonNode* parent, const Leg& leg) {
  if (leg.place) {
    if (parent->kind != JsonNode::Kind::kArray || *leg.place >= parent->elements.size()) return BrokenDiff();
    parent->elements.erase(parent->elements.begin() + static_cast<ptrdiff_t>(*leg.place));
    return absl::OkStatus();
  }
  const size_t removed =
      std::erase_if(parent->members, [&](const JsonMember& member) { return member.name == leg.member; });
  return removed == 1 ? absl::OkStatus() : BrokenDiff();
}

absl::Status Apply(DiffOperation operation, const std::vector<Leg>& legs, JsonNode value, JsonNode* root) {
  JsonNode* parent = root;
  for (size_t i = 0; i + 1 < legs.size(); ++i) {
    parent = Step(parent, legs[i]);
    if (parent == nullptr) return BrokenDiff();
  }
  if (legs.empty()) {
    if (operation != DiffOperation::kReplace) return BrokenDiff();
    *root = std::move(value);
    return absl::OkStatus();
  }
  switch (operation) {
    case DiffOperation::kReplace: {
      JsonNode* target = Step(parent, legs.back());
      if (target == nullptr) return BrokenDiff();
      *target = std::move(value);
      return absl::OkStatus();
    }
    case DiffOperation::kInsert:
      return Insert(parent, legs.back(), std::move(value));
    case DiffOperation::kRemove:
      return Remove(parent, legs.back());
  }
  return BrokenDiff();
}

}  // namespace

absl::Status AppendJsonText(std::string_view document, std::string* text) {
  HAKOBU_ASSIGN_OR_RETURN(const JsonNode node, ParseBinaryJson(document));
  AppendNodeText(node, text);
  return absl::OkStatus();
}

absl::Status AppendPatchedJsonText(std::string_view document, std::string_view diffs, std::string* text) {
  HAKOBU_ASSIGN_OR_RETURN(JsonNode root, ParseBinaryJson(document));
  ByteReader reader(diffs);
  while (!reader.AtEnd()) {
    const auto operation = static_cast<DiffOperation>(reader.U8());
    if (operation > DiffOperation::kRemove) return BrokenDiff();
    HAKOBU_ASSIGN_OR_RETURN(const std::vector<Leg> legs, ParsePath(reader.Take(reader.LengthEncoded())));
    JsonNode value;
    if (operation != DiffOperation::kRemove) {
      HAKOBU_ASSIGN_OR_RETURN(value, ParseBinaryJson(reader.Take(reader.LengthEncoded())));
    }
    if (reader.failed()) return BrokenDiff();
    HAKOBU_RETURN_IF_ERROR(Apply(operation, legs, std::move(value), &root));
  }
  AppendNodeText(root, text);
  return absl::OkStatus();
}

}  // namespace hakobu::binlog
