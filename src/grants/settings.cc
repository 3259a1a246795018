#include "grants/settings.h"

#include <fmt/format.h>
#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <charconv>
#include <functional>
#include <optional>

#include "grants/principal.h"

namespace hakobu {
namespace {

class Reader {
 public:
  Reader(const std::string& file, GrantProblems* problems) : file_(file), problems_(problems) {}

  GrantPlace Place(const YAML::Node& node) const {
    return {file_, node.Mark().line + 1, node.Mark().column + 1};
  }
  void Fail(const YAML::Node& node, std::string message, std::string hint = "") {
    problems_->Error(Place(node), std::move(message), std::move(hint));
  }

  using Handlers = std::map<std::string, std::function<void(const YAML::Node&)>>;
  // Calls the handler of each key; refuses unknown and repeated keys.
  void ReadMap(const YAML::Node& node, const std::string& what, const Handlers& handlers) {
    if (!node.IsMap())
      return Fail(node, fmt::format("expected {} as keys and values, found {}", what, KindOf(node)));
    std::vector<std::string> seen;
    for (const auto& item : node) {
      const std::string key = item.first.IsScalar() ? item.first.Scalar() : "";
      const auto handler = handlers.find(key);
      if (handler == handlers.end()) {
        std::string known;
        for (const auto& [name, unused] : handlers) known += (known.empty() ? "" : ", ") + name;
        Fail(item.first, fmt::format("expected one of {}, found `{}`", known, key));
      } else if (std::find(seen.begin(), seen.end(), key) != seen.end()) {
        Fail(item.first, fmt::format("expected the key `{}` once, found it again", key));
      } else {
        handler->second(item.second);
      }
      seen.push_back(key);
    }
  }

  std::vector<std::string> Texts(const YAML::Node& node, const std::string& what) {
    std::vector<std::string> texts;
    if (node.IsScalar()) return {node.Scalar()};
    if (!node.IsSequence()) {
      Fail(node, fmt::format("expected {}, found {}", what, KindOf(node)));
      return texts;
    }
    for (const YAML::Node& item : node) {
      if (item.IsScalar() && !item.Scalar().empty())
        texts.push_back(item.Scalar());
      else
        Fail(item, fmt::format("expected {}, found {}", what, KindOf(item)));
    }
    return texts;
  }

  std::string Text(const YAML::Node& node, const std::string& what) {
    if (node.IsScalar()) return node.Scalar();
    Fail(node, fmt::format("expected {}, found {}", what, KindOf(node)));
    return "";
  }

  std::optional<double> Number(const YAML::Node& node, const std::string& what) {
    const std::string text = node.IsScalar() ? node.Scalar() : "";
    double value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error == std::errc() && end == text.data() + text.size() && value >= 0) return value;
    Fail(node, fmt::format("expected {}, found {}", what, node.IsScalar() ? "`" + text + "`" : KindOf(node)));
    return std::nullopt;
  }

  static std::string KindOf(const YAML::Node& node) {
    if (node.IsMap()) return "keys and values";
    if (node.IsSequence()) return "a list";
    return node.IsScalar() ? "`" + node.Scalar() + "`" : "nothing";
  }

 private:
  const std::string& file_;
  GrantProblems* problems_;
};

void ReadKinds(Reader& reader, const YAML::Node& node, GrantSettings* settings) {
  if (!node.IsMap())
    return reader.Fail(node, "expected kinds as names and lists of roles, found " + Reader::KindOf(node));
  for (const auto& item : node) {
    const std::string name = item.first.IsScalar() ? item.first.Scalar() : "";
    if (name.empty() || name.find_first_of(" /:") != std::string::npos) {
      reader.Fail(item.first, fmt::format("expected a name without blanks, `/` and `:`, found `{}`", name));
      continue;
    }
    if (RoleRank(CanonicalRole(name)) > 0) {
      reader.Fail(item.first, fmt::format("expected a name of its own, found the role `{}`", name));
      continue;
    }
    if (settings->kinds.contains(name)) {
      reader.Fail(item.first, fmt::format("expected the kind `{}` once, found it again", name));
      continue;
    }
    std::vector<std::string>& roles = settings->kinds[name];
    for (const std::string& text : reader.Texts(item.second, "roles")) {
      const ParsedRole role = ParseRole(text);
      if (role.role.empty())
        reader.Fail(item.second, fmt::format("expected {}, found `{}`", role.expected, text), role.hint);
      else
        roles.push_back(role.role);
    }
    if (item.second.IsSequence() && item.second.size() == 0)
      reader.Fail(item.second, "expected roles, found an empty list");
  }
}

void ReadTemplateGrant(Reader& reader, const YAML::Node& node, GrantTemplate* result) {
  TemplateGrant grant;
  grant.place = reader.Place(node);
  reader.ReadMap(
      node, "a grant",
      {{"member", [&](const YAML::Node& value) { grant.member = reader.Text(value, "a member"); }},
       {"role", [&](const YAML::Node& value) { grant.role = reader.Text(value, "a role"); }},
       {"reason", [&](const YAML::Node& value) { grant.reason = reader.Text(value, "a reason"); }}});
  if (!node.IsMap()) return;
  for (const char* key : {"member", "role"}) {
    if (!node[key]) return reader.Fail(node, fmt::format("expected the key `{}`, found none", key));
  }
  result->grants.push_back(grant);
}

void ReadTemplate(Reader& reader, const YAML::Node& node, GrantSettings* settings) {
  GrantTemplate result;
  result.place = reader.Place(node);
  reader.ReadMap(
      node, "a template",
      {{"name", [&](const YAML::Node& value) { result.name = reader.Text(value, "a name"); }},
       {"datasets",
        [&](const YAML::Node& value) {
          result.datasets = reader.Texts(value, "names or globs of datasets");
        }},
       {"except",
        [&](const YAML::Node& value) { result.except = reader.Texts(value, "names or globs of datasets"); }},
       {"grants", [&](const YAML::Node& value) {
          if (!value.IsSequence())
            return reader.Fail(value, "expected a list of grants, found " + Reader::KindOf(value));
          for (const YAML::Node& item : value) ReadTemplateGrant(reader, item, &result);
        }}});
  if (node.IsMap() && result.datasets.empty()) reader.Fail(node, "expected the key `datasets`, found none");
  settings->templates.push_back(std::move(result));
}

void ReadGuards(Reader& reader, const YAML::Node& node, GrantGuards* guards) {
  reader.ReadMap(node, "guards",
                 {{"max_removals",
                   [&](const YAML::Node& value) {
                     if (const auto number = reader.Number(value, "a number from 0")) {
                       guards->max_removals = static_cast<uint64_t>(*number);
                     }
                   }},
                  {"max_removed_share", [&](const YAML::Node& value) {
                     const auto number = reader.Number(value, "a share from 0 to 1");
                     if (number && *number > 1)
                       reader.Fail(value,
                                   fmt::format("expected a share from 0 to 1, found `{}`", value.Scalar()));
                     else if (number)
                       guards->max_removed_share = *number;
                   }}});
}

void ReadSettings(Reader& reader, const YAML::Node& root, GrantSettings* settings) {
  reader.ReadMap(
      root, "settings",
      {{"files", [&](const YAML::Node& node) { settings->files = reader.Texts(node, "names of CSV files"); }},
       {"datasets",
        [&](const YAML::Node& node) {
          settings->datasets = reader.Texts(node, "names or globs of datasets");
        }},
       {"kinds", [&](const YAML::Node& node) { ReadKinds(reader, node, settings); }},
       {"templates",
        [&](const YAML::Node& node) {
          if (!node.IsSequence())
            return reader.Fail(node, "expected a list of templates, found " + Reader::KindOf(node));
          for (const YAML::Node& item : node) ReadTemplate(reader, item, settings);
        }},
       {"guards", [&](const YAML::Node& node) { ReadGuards(reader, node, &settings->guards); }},
       {"expiry", [&](const YAML::Node& node) {
          const std::string text = reader.Text(node, "`condition` or `remove`");
          if (text == "condition")
            settings->expiry = ExpiryForm::kCondition;
          else if (text == "remove")
            settings->expiry = ExpiryForm::kRemove;
          else if (node.IsScalar())
            reader.Fail(node, fmt::format("expected `condition` or `remove`, found `{}`", text));
        }}});
}

// Members and roles of templates are checked when all kinds are known.
void CheckTemplates(const GrantSettings& settings, GrantProblems* problems) {
  for (const GrantTemplate& item : settings.templates) {
    for (const TemplateGrant& grant : item.grants) {
      std::string member = grant.member;
      if (const size_t at = member.find("{dataset}"); at != std::string::npos)
        member.replace(at, 9, "dataset");
      const ParsedMember parsed = ParseMember(member);
      if (parsed.member.empty()) {
        problems->Error(grant.place, fmt::format("expected {}, found `{}`", parsed.expected, grant.member),
                        parsed.hint);
      }
      const ParsedRole role = ParseRole(grant.role);
      if (role.role.empty() && !settings.kinds.contains(grant.role)) {
        problems->Error(grant.place, fmt::format("expected {}, found `{}`", role.expected, grant.role),
                        role.hint);
      }
    }
  }
}

}  // namespace

GrantSettings ParseGrantSettings(std::string_view text, const std::string& file, GrantProblems* problems) {
  GrantSettings settings;
  YAML::Node root;
  try {
    root = YAML::Load(std::string(text));
  } catch (const YAML::Exception& error) {
    problems->Error({file, error.mark.line + 1, error.mark.column + 1}, "expected YAML, found: " + error.msg);
    return settings;
  }
  if (root.IsNull()) return settings;
  Reader reader(file, problems);
  ReadSettings(reader, root, &settings);
  CheckTemplates(settings, problems);
  return settings;
}

}  // namespace hakobu
