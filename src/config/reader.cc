#include "config/reader.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <yaml-cpp/yaml.h>

#include <algorithm>

#include "base/hidden_text.h"
#include "base/status.h"
#include "config/scalar.h"
#include "config/substitute.h"
#include "config/value.h"

namespace hakobu {
namespace {

Place PlaceAt(const YAML::Mark& mark) {
  return {mark.line + 1, mark.column + 1, ""};
}

std::string Child(const std::string& path, const std::string& name) {
  return path.empty() ? name : fmt::format("{}.{}", path, name);
}

// Entries of lists and maps are text like any other.
const Key kPlainText;

// A value, a list of values or a mapping of names as one line of YAML.
std::string OneLine(const YAML::Node& node) {
  if (node.IsScalar()) return node.Scalar();
  std::string text;
  for (const auto& item : node) {
    if (!text.empty()) text += ", ";
    if (node.IsSequence()) text += item.IsScalar() ? item.Scalar() : "…";
    if (node.IsMap()) text += fmt::format("{}: {}", item.first.Scalar(), item.second.Scalar());
  }
  if (node.IsSequence()) return fmt::format("[{}]", text);
  return node.IsMap() ? fmt::format("{{{}}}", text) : "null";
}

bool IsQuoted(const YAML::Node& node) {
  return node.Tag() == "!";
}

}  // namespace

struct SectionReader::Entry {
  std::string name;
  YAML::Node value;
  Place place;
};

std::vector<SectionReader::Entry> SectionReader::Entries(const YAML::Node& node, const std::string& path) {
  std::vector<Entry> entries;
  std::vector<YAML::Node> merges;
  for (const auto& pair : node) {
    if (!pair.first.IsScalar()) {
      problems_->Add(PlaceAt(pair.first.Mark()), path, "names as keys", "another key");
      continue;
    }
    const std::string& name = pair.first.Scalar();
    const Place place = PlaceAt(pair.first.Mark());
    if (name == "<<") {
      merges.push_back(pair.second);
      continue;
    }
    const auto same =
        std::find_if(entries.begin(), entries.end(), [&](const Entry& e) { return e.name == name; });
    if (same != entries.end()) {
      problems_->Add(place, Child(path, name), "each key once",
                     fmt::format("it on line {} already", same->place.line));
      continue;
    }
    entries.push_back({name, pair.second, place});
  }
  for (const YAML::Node& merged : merges) AddMerged(merged, path, &entries);
  return entries;
}

// What is written beats what is merged; of several merged maps the first wins, as YAML 1.1 has it.
void SectionReader::AddMerged(const YAML::Node& merged, const std::string& path,
                              std::vector<Entry>* entries) {
  if (merged.IsSequence()) {
    for (const auto& item : merged) AddMerged(item, path, entries);
    return;
  }
  if (!merged.IsMap()) {
    problems_->Add(PlaceAt(merged.Mark()), Child(path, "<<"), "a mapping, or a list of mappings",
                   Found(merged));
    return;
  }
  for (Entry& entry : Entries(merged, path)) {
    const bool written =
        std::any_of(entries->begin(), entries->end(), [&](const Entry& e) { return e.name == entry.name; });
    if (!written) entries->push_back(std::move(entry));
  }
}

void SectionReader::Read(const Section& section, const YAML::Node& node, const std::string& path,
                         void* object) {
  const std::vector<Entry> entries = Entries(node, path);
  for (const Entry& entry : entries) {
    const bool known = std::any_of(section.keys.begin(), section.keys.end(),
                                   [&](const Key& key) { return key.name == entry.name; });
    const bool private_use = path.empty() && entry.name.starts_with("x-");
    if (!known && !private_use) RefuseUnknown(section, entry, path);
  }
  // In the table's order, not the file's: `defaults` are read before the tables that start from them.
  for (const Key& key : section.keys) {
    const auto entry =
        std::find_if(entries.begin(), entries.end(), [&](const Entry& e) { return e.name == key.name; });
    if (entry == entries.end()) {
      if (key.required) RefuseMissing(key, path);
      continue;
    }
    problems_->SetPlace(Child(path, key.name), entry->place);
    ReadKey(key, *entry, Child(path, key.name), object);
  }
}

void SectionReader::RefuseUnknown(const Section& section, const Entry& entry, const std::string& path) {
  std::vector<std::string> names;
  for (const Key& key : section.keys) names.push_back(key.name);
  const std::string_view near = NearestName(entry.name, names);
  problems_->Add(entry.place, Child(path, entry.name), "a known key", fmt::format("\"{}\"", entry.name),
                 near.empty() ? fmt::format("known here: {}", fmt::join(names, ", "))
                              : fmt::format("did you mean \"{}\"?", near));
}

void SectionReader::RefuseMissing(const Key& key, const std::string& path) {
  std::string hint;
  if (!key.example.empty()) hint = fmt::format("for example `{}: {}`", key.name, key.example);
  problems_->Add(path.empty() ? Place{1, 1, ""} : problems_->PlaceOf(path), Child(path, key.name),
                 Expectation(key), "nothing", hint);
}

void SectionReader::ReadKey(const Key& key, const Entry& entry, const std::string& path, void* object) {
  if (key.clearable && IsWrittenNull(entry.value)) return key.clear(object);
  std::optional<KeyValue> value;
  switch (key.kind) {
    case KeyKind::kSection:
    case KeyKind::kSectionList:
    case KeyKind::kSectionMap:
      return ReadNested(key, entry, path, object);
    case KeyKind::kTextList:
      value = ListValue(key, entry.value, path);
      break;
    case KeyKind::kTextMap:
      value = MapValue(key, entry.value, path);
      break;
    default:
      value = ScalarValue(key, entry.value, path);
  }
  if (!value) return;
  problems_->SetText(path, OneLine(entry.value));
  key.assign(object, *value);
}

void SectionReader::ReadNested(const Key& key, const Entry& entry, const std::string& path, void* object) {
  if (key.kind == KeyKind::kSectionList) return ReadList(key, entry.value, path, object);
  if (!entry.value.IsMap()) return Mismatch(key, entry.value, path);
  if (key.kind == KeyKind::kSectionMap) return ReadMap(key, entry.value, path, object);
  Read(*key.section, entry.value, path, key.open(object, ""));
}

void SectionReader::ReadList(const Key& key, const YAML::Node& node, const std::string& path, void* object) {
  if (!node.IsSequence()) return Mismatch(key, node, path);
  for (size_t i = 0; i < node.size(); ++i) {
    const std::string item = fmt::format("{}[{}]", path, i);
    problems_->SetPlace(item, PlaceAt(node[i].Mark()));
    if (!node[i].IsMap()) {
      problems_->Add(item, "a mapping", Found(node[i]));
      continue;
    }
    Read(*key.section, node[i], item, key.open(object, ""));
  }
}

void SectionReader::ReadMap(const Key& key, const YAML::Node& node, const std::string& path, void* object) {
  for (const Entry& entry : Entries(node, path)) {
    const std::string child = Child(path, entry.name);
    problems_->SetPlace(child, entry.place);
    if (!entry.value.IsMap()) {
      problems_->Add(child, "a mapping", Found(entry.value));
      continue;
    }
    Read(*key.section, entry.value, child, key.open(object, entry.name));
  }
}

std::optional<std::string> SectionReader::ScalarText(const Key& key, const YAML::Node& node,
                                                     const std::string& path) {
  const std::string& raw = node.Scalar();
  const bool substituted = HasSubstitutions(raw);
  const bool secret = key.kind == KeyKind::kSecret;
  if (secret && !substituted && !raw.empty()) {
    problems_->Add(PlaceAt(node.Mark()), path, Expectation(key), "a value written in the file",
                   "keep it out of the file, for example in an environment variable");
    return std::nullopt;
  }
  if (!substituted && IsQuoted(node) && IsNumberLike(key.kind)) {
    Mismatch(key, node, path, "write it without quotes");
    return std::nullopt;
  }
  if (secret && substituted && secrets_ == SecretUse::kUnread) return "unread";
  std::vector<std::string> values;
  absl::StatusOr<std::string> text = Substitute(raw, folder_, environment_, absl::Minutes(1), &values);
  if (key.name == "where") {
    for (const std::string& value : values) HideText(value);
  }
  if (text.ok() && secret && substituted && text->empty()) {
    text = absl::InvalidArgumentError(fmt::format("a secret from {}, found it empty", raw));
  }
  if (text.ok() && secret && static_cast<int64_t>(text->size()) < key.least) {
    problems_->Add(PlaceAt(node.Mark()), path, fmt::format("a secret of at least {} characters", key.least),
                   fmt::format("one of {}", text->size()), "for example what `openssl rand -hex 32` prints");
    return std::nullopt;
  }
  if (!text.ok()) {
    const std::string_view message = View(text.status().message());
    const size_t cut = message.find(", found ");
    problems_->Add(PlaceAt(node.Mark()), path, std::string(message.substr(0, cut)),
                   std::string(message.substr(cut + 8)));
    return std::nullopt;
  }
  return *std::move(text);
}

std::optional<KeyValue> SectionReader::ScalarValue(const Key& key, const YAML::Node& node,
                                                   const std::string& path) {
  const bool null_choice = key.kind == KeyKind::kChoice && IsWrittenNull(node);
  if (!node.IsScalar() && !null_choice) {
    Mismatch(key, node, path);
    return std::nullopt;
  }
  const std::optional<std::string> text = null_choice ? "null" : ScalarText(key, node, path);
  if (!text) return std::nullopt;
  std::optional<KeyValue> value = ParseScalar(key, *text);
  if (!value) Mismatch(key, node, path, MismatchHint(key, node.IsScalar() ? node.Scalar() : *text));
  return value;
}

std::optional<KeyValue> SectionReader::ListValue(const Key& key, const YAML::Node& node,
                                                 const std::string& path) {
  if (!node.IsSequence()) {
    Mismatch(key, node, path, node.IsScalar() ? fmt::format("write [{}]", node.Scalar()) : "");
    return std::nullopt;
  }
  std::vector<std::string> list;
  for (size_t i = 0; i < node.size(); ++i) {
    const std::string item = fmt::format("{}[{}]", path, i);
    problems_->SetPlace(item, PlaceAt(node[i].Mark()));
    if (!node[i].IsScalar()) {
      problems_->Add(item, "text", Found(node[i]));
      continue;
    }
    if (auto text = ScalarText(kPlainText, node[i], item)) list.push_back(*std::move(text));
  }
  return list;
}

std::optional<KeyValue> SectionReader::MapValue(const Key& key, const YAML::Node& node,
                                                const std::string& path) {
  if (!node.IsMap()) {
    Mismatch(key, node, path);
    return std::nullopt;
  }
  std::map<std::string, std::string> map;
  for (const Entry& entry : Entries(node, path)) {
    const std::string child = Child(path, entry.name);
    problems_->SetPlace(child, entry.place);
    if (!entry.value.IsScalar()) {
      problems_->Add(child, "text", Found(entry.value));
      continue;
    }
    if (auto text = ScalarText(kPlainText, entry.value, child)) map[entry.name] = *std::move(text);
  }
  return map;
}

void SectionReader::Mismatch(const Key& key, const YAML::Node& node, const std::string& path,
                             std::string hint) {
  // An empty value has no place of its own.
  const Place place = node.IsNull() && !IsWrittenNull(node) ? problems_->PlaceOf(path) : PlaceAt(node.Mark());
  problems_->Add(place, path, Expectation(key), Found(node), std::move(hint));
}

// yaml-cpp reads `key:` and `key: null` alike; only the second says null.
bool SectionReader::IsWrittenNull(const YAML::Node& node) const {
  if (!node.IsNull() || node.Mark().pos < 0) return false;
  const std::string_view at = text_.substr(std::min(text_.size(), static_cast<size_t>(node.Mark().pos)));
  return at.starts_with("null") || at.starts_with("~") || at.starts_with("Null") || at.starts_with("NULL");
}

std::string SectionReader::Found(const YAML::Node& node) const {
  if (node.IsMap()) return "a mapping";
  if (node.IsSequence()) return "a list";
  if (!node.IsScalar()) return IsWrittenNull(node) ? "null" : "nothing";
  constexpr size_t kLongest = 80;
  const std::string& text = node.Scalar();
  return fmt::format("\"{}\"", text.size() <= kLongest ? text : text.substr(0, kLongest) + "…");
}

}  // namespace hakobu
