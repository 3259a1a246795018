#include "localbq/rest/partial_response.h"

#include <fmt/format.h>

#include <map>
#include <nlohmann/json.hpp>
#include <string>

#include "base/status.h"

namespace hakobu::localbq::rest {
namespace {

using nlohmann::json;

// Without members of its own: the whole value.
struct Selection {
  std::map<std::string, Selection, std::less<>> members;
};

class Parser {
 public:
  explicit Parser(std::string_view text) : text_(text) {}
  bool Parse(Selection* selection) { return List(selection, 0) && text_.empty(); }

 private:
  static constexpr int kDeepest = 50;

  bool Take(char c) {
    if (text_.empty() || text_.front() != c) return false;
    text_.remove_prefix(1);
    return true;
  }

  bool List(Selection* selection, int depth) {
    do {
      if (!Path(selection, depth)) return false;
    } while (Take(','));
    return true;
  }

  // a/b(c,d)
  bool Path(Selection* selection, int depth) {
    if (depth > kDeepest) return false;
    const std::string_view name = text_.substr(0, text_.find_first_of(",/()"));
    if (name.empty()) return false;
    text_.remove_prefix(name.size());
    Selection& member = selection->members[std::string(name)];
    if (Take('/')) return Path(&member, depth + 1);
    return !Take('(') || (List(&member, depth + 1) && Take(')'));
  }

  std::string_view text_;
};

json Select(const json& whole, const Selection& selection) {
  if (selection.members.empty()) return whole;
  json part = whole.is_array() ? json::array() : json::object();
  if (whole.is_array()) {
    for (const json& element : whole) part.push_back(Select(element, selection));
  }
  if (!whole.is_object()) return part;
  const auto every = selection.members.find("*");
  for (const auto& [name, value] : whole.items()) {
    auto found = selection.members.find(name);
    if (found == selection.members.end()) found = every;
    if (found != selection.members.end()) part[name] = Select(value, found->second);
  }
  return part;
}

}  // namespace

absl::StatusOr<json> PartOf(const json& whole, std::string_view fields) {
  Selection selection;
  if (!Parser(fields).Parse(&selection))
    return absl::InvalidArgumentError(fmt::format("Invalid field selection {}", fields));
  return Select(whole, selection);
}

}  // namespace hakobu::localbq::rest
