#include "config/reference.h"

#include <fmt/format.h>

#include <algorithm>

namespace hakobu {
namespace {

std::string_view KindName(const Key& key) {
  switch (key.kind) {
    case KeyKind::kSecret:
      return "secret";
    case KeyKind::kInteger:
      return "whole number";
    case KeyKind::kNumber:
      return "number";
    case KeyKind::kBoolean:
      return "true or false";
    case KeyKind::kDuration:
      return "duration";
    case KeyKind::kSize:
      return "size";
    case KeyKind::kChoice:
      return "choice";
    case KeyKind::kTextList:
      return "list";
    case KeyKind::kTextMap:
      return "names to texts";
    case KeyKind::kSection:
      return "mapping";
    case KeyKind::kSectionList:
      return "list of mappings";
    case KeyKind::kSectionMap:
      return "names to mappings";
    default:
      return "text";
  }
}

bool HasRange(const Key& key) {
  const bool ranged =
      key.kind == KeyKind::kInteger || key.kind == KeyKind::kDuration || key.kind == KeyKind::kSize;
  return ranged && key.most < std::numeric_limits<int64_t>::max();
}

std::string Cell(std::string text) {
  for (size_t at = text.find('|'); at != std::string::npos; at = text.find('|', at + 2))
    text.insert(at, 1, '\\');
  return text;
}

std::string KeyRow(const Key& key) {
  std::string about = key.explanation;
  for (const Choice& choice : key.choices)
    about += fmt::format("<br>`{}`: {}", choice.name, choice.explanation);
  if (HasRange(key)) {
    const std::string expectation = Expectation(key);
    about += fmt::format(" ({})", expectation.substr(expectation.find("from ")));
  }
  if (!key.example.empty()) about += fmt::format("<br>Example: `{}`", key.example);
  const std::string fallback = key.required               ? "required"
                               : key.default_text.empty() ? ""
                                                          : fmt::format("`{}`", key.default_text);
  return fmt::format("| `{}` | {} | {} | {} |\n", key.name, KindName(key), fallback, Cell(about));
}

// A section's own table, then those of the sections in it. `inherited` keys are explained elsewhere.
void AddTables(const std::string& title, const Section& section, const Section* inherited,
               std::string* text) {
  *text += fmt::format("\n### {}\n\n{}\n\n| key | kind | default | |\n|---|---|---|---|\n", title,
                       section.explanation);
  std::vector<const Key*> nested;
  for (const Key& key : section.keys) {
    const bool elsewhere =
        inherited != nullptr && std::any_of(inherited->keys.begin(), inherited->keys.end(),
                                            [&](const Key& other) { return other.name == key.name; });
    if (elsewhere) continue;
    *text += KeyRow(key);
    if (key.section) nested.push_back(&key);
  }
  if (inherited != nullptr) *text += "| every key of `defaults` | | | beats the default |\n";
  for (const Key* key : nested) {
    AddTables(fmt::format("{}.{}{}", title, key->name, key->kind == KeyKind::kSectionMap ? ".NAME" : ""),
              *key->section, nullptr, text);
  }
}

std::string Wrapped(std::string_view text, const std::string& prefix) {
  constexpr size_t kWidth = 100;
  std::string result;
  std::string line;
  while (!text.empty()) {
    const size_t space = text.find(' ');
    const std::string_view word = text.substr(0, space);
    text.remove_prefix(space == std::string_view::npos ? text.size() : space + 1);
    if (!line.empty() && prefix.size() + line.size() + 1 + word.size() > kWidth) {
      result += prefix + line + "\n";
      line.clear();
    }
    if (!line.empty()) line += ' ';
    line += word;
  }
  return result + prefix + line + "\n";
}

void AddKeyComment(const Key& key, const std::string& pad, std::string* text) {
  *text += Wrapped(key.explanation, pad + "# ");
  for (const Choice& choice : key.choices) {
    *text += Wrapped(fmt::format("{}: {}", choice.name, choice.explanation), pad + "#   ");
  }
}

void AddKey(const Key& key, const std::string& path, const std::map<std::string, std::string>& values,
            bool commented, int indent, std::string* text);

void AddSection(const Section& section, const std::string& path,
                const std::map<std::string, std::string>& values, bool commented, int indent,
                std::string* text) {
  for (const Key& key : section.keys) AddKey(key, path, values, commented, indent, text);
}

void AddKey(const Key& key, const std::string& path, const std::map<std::string, std::string>& values,
            bool commented, int indent, std::string* text) {
  const std::string pad(static_cast<size_t>(indent), ' ');
  const std::string own = path.empty() ? key.name : fmt::format("{}.{}", path, key.name);
  if (key.kind == KeyKind::kSectionMap || key.kind == KeyKind::kSectionList) return;
  AddKeyComment(key, pad, text);
  if (key.kind == KeyKind::kSection) {
    const auto below = values.lower_bound(own + ".");
    const bool given = below != values.end() && below->first.starts_with(own + ".");
    *text += fmt::format("{}{}{}:\n", pad, given || !commented ? "" : "# ", key.name);
    return AddSection(*key.section, own, values, commented, indent + 2, text);
  }
  if (const auto value = values.find(own); value != values.end()) {
    *text += fmt::format("{}{}: {}\n", pad, key.name, value->second);
    return;
  }
  const bool example = key.default_text.empty() && !key.example.empty();
  const std::string& shown = example ? key.example : key.default_text;
  *text += fmt::format("{}# {}:{}{}{}\n", pad, key.name, shown.empty() ? "" : " ", shown,
                       example ? "  # an example: there is no default" : "");
}

}  // namespace

const Section& RootChild(std::string_view name) {
  const auto& keys = RootSection().keys;
  return *std::find_if(keys.begin(), keys.end(), [&](const Key& key) { return key.name == name; })->section;
}

std::string ConfigurationReference() {
  std::string text;
  std::string top = "\n### The file\n\n| key | kind | default | |\n|---|---|---|---|\n";
  for (const Key& key : RootSection().keys) {
    top += KeyRow(key);
    if (!key.section) continue;
    AddTables(key.kind == KeyKind::kSectionList ? key.name + "[]" : key.name, *key.section,
              key.name == "tables" ? &RootChild("defaults") : nullptr, &text);
  }
  return top + text;
}

std::string CommentedSection(const Section& section, const std::map<std::string, std::string>& values,
                             int indent) {
  std::string text;
  AddSection(section, "", values, true, indent, &text);
  return text;
}

}  // namespace hakobu
