// The one table of keys of hakobu.yaml: name, kind, range, default, explanation. The parser,
// docs/configuration.md, docs/hakobu.schema.json and the file that `hakobu init` writes are all made from it.
#pragma once

#include <cstdint>
#include <functional>
#include <limits>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "absl/time/time.h"

namespace hakobu {

enum class KeyKind : uint8_t {
  kText,
  kSecret,  // text that may only come from ${env:…}, ${file:…} or ${command:…}
  kInteger,
  kNumber,
  kBoolean,
  kDuration,
  kSize,
  kChoice,
  kTextList,
  kTextMap,
  kSection,
  kSectionList,
  kSectionMap,  // free names, each with a section
};

// What a scalar or flat key was read as; kChoice holds the choice's place as int64_t, kSize bytes as int64_t.
using KeyValue = std::variant<std::string, int64_t, double, bool, absl::Duration, std::vector<std::string>,
                              std::map<std::string, std::string>>;

struct Choice {
  std::string name;
  std::string explanation;
};

struct Section;

struct Key {
  std::string name;
  KeyKind kind = KeyKind::kText;
  std::string explanation;
  std::string default_text;  // as YAML; empty: none
  std::string example;       // as YAML
  bool required = false;
  bool clearable = false;                               // `key: null` takes back what `defaults:` gave
  int64_t least = std::numeric_limits<int64_t>::min();  // kInteger; kDuration in ms; kSize, kSecret in bytes
  int64_t most = std::numeric_limits<int64_t>::max();
  std::vector<Choice> choices;
  std::shared_ptr<const Section> section;

  // Stores a value in the section's object.
  std::function<void(void* object, const KeyValue& value)> assign;
  // The object that a nested section is read into. `name` is the entry's, for kSectionMap.
  std::function<void*(void* object, const std::string& name)> open;
  std::function<void(void* object)> clear;

  Key& Required() {
    required = true;
    return *this;
  }
  Key& Example(std::string text) {
    example = std::move(text);
    return *this;
  }
};

struct Section {
  std::string explanation;
  std::vector<Key> keys;
};

// hakobu.yaml as a whole; its object is a Config. Lives as long as the process.
const Section& RootSection();

// "whole number from 1 to 65535", "one of replace, append", "duration such as 30s (from 1s to 1h)" …
std::string Expectation(const Key& key);

}  // namespace hakobu
