// Makes a Section over a struct's members. Defaults are taken from a default-made object, so that the structs
// in config.h remain the only place where they are written.
#pragma once

#include <fmt/format.h>

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "config/keys.h"
#include "config/secret.h"
#include "config/value.h"

namespace hakobu {

template <class Enum>
struct ChoiceOf {
  Enum value;
  std::string name;
  std::string explanation;
};

// `get` is a pointer to member or a function from Object& to a reference.
template <class Object>
class SectionBuilder {
 public:
  explicit SectionBuilder(std::string explanation) { section_.explanation = std::move(explanation); }

  Section Take() { return std::move(section_); }

  template <class Get>
  Key& Text(std::string name, Get get, std::string explanation) {
    Key& key = Add(std::move(name), KeyKind::kText, std::move(explanation), Get(get), &TakeText);
    key.default_text = TextOf(Default(get));
    return key;
  }
  // `least` characters at least.
  template <class Get>
  Key& Private(std::string name, Get get, std::string explanation, int64_t least = 0) {
    Key& key = Add(std::move(name), KeyKind::kSecret, std::move(explanation), get, &TakeText);
    key.example = fmt::format("${{env:{}}}", "MYSQL_PASSWORD");
    key.least = least;
    return key;
  }
  template <class Get>
  Key& Integer(std::string name, Get get, int64_t least, int64_t most, std::string explanation) {
    Key& key = Add(std::move(name), KeyKind::kInteger, std::move(explanation), get,
                   [](const KeyValue& value) { return std::get<int64_t>(value); });
    key.default_text = TextOf(Default(get));
    return Range(key, least, most);
  }
  template <class Get>
  Key& Number(std::string name, Get get, std::string explanation) {
    Key& key = Add(std::move(name), KeyKind::kNumber, std::move(explanation), get,
                   [](const KeyValue& value) { return std::get<double>(value); });
    key.default_text = fmt::format("{}", Default(get));
    return Range(key, 0, std::numeric_limits<int64_t>::max());
  }
  template <class Get>
  Key& Boolean(std::string name, Get get, std::string explanation) {
    Key& key = Add(std::move(name), KeyKind::kBoolean, std::move(explanation), get,
                   [](const KeyValue& value) { return std::get<bool>(value); });
    key.default_text = Default(get) ? "true" : "false";
    return key;
  }
  template <class Get>
  Key& Duration(std::string name, Get get, absl::Duration least, absl::Duration most,
                std::string explanation) {
    Key& key = Add(std::move(name), KeyKind::kDuration, std::move(explanation), get,
                   [](const KeyValue& value) { return std::get<absl::Duration>(value); });
    key.default_text = TextOf(Default(get));
    return Range(key, absl::ToInt64Milliseconds(least), absl::ToInt64Milliseconds(most));
  }
  template <class Get>
  Key& Size(std::string name, Get get, int64_t least, int64_t most, std::string explanation) {
    Key& key = Add(std::move(name), KeyKind::kSize, std::move(explanation), get,
                   [](const KeyValue& value) { return static_cast<uint64_t>(std::get<int64_t>(value)); });
    key.default_text = SizeText(Default(get));
    return Range(key, least, most);
  }
  template <class Enum, class Get>
  Key& Choose(std::string name, Get get, std::vector<ChoiceOf<Enum>> choices, std::string explanation) {
    std::vector<Enum> values;
    for (const auto& choice : choices) values.push_back(choice.value);
    Key& key = Add(
        std::move(name), KeyKind::kChoice, std::move(explanation), get,
        [values](const KeyValue& value) { return values[static_cast<size_t>(std::get<int64_t>(value))]; });
    for (const auto& choice : choices) {
      if (Default(get) == choice.value) key.default_text = choice.name;
      key.choices.push_back({choice.name, choice.explanation});
    }
    return key;
  }
  // Items are added to those that are there already.
  template <class Get>
  Key& TextListAdded(std::string name, Get get, std::string explanation) {
    Key& key = Named(std::move(name), KeyKind::kTextList, std::move(explanation));
    key.assign = [get](void* object, const KeyValue& value) {
      auto& list = std::invoke(get, *static_cast<Object*>(object));
      for (const std::string& item : std::get<std::vector<std::string>>(value)) list.push_back(item);
    };
    return key;
  }
  template <class Get>
  Key& TextList(std::string name, Get get, std::string explanation) {
    return Add(std::move(name), KeyKind::kTextList, std::move(explanation), get,
               [](const KeyValue& value) { return std::get<std::vector<std::string>>(value); });
  }
  // Entries are added to those that are there already.
  template <class Get>
  Key& TextMap(std::string name, Get get, std::string explanation) {
    Key& key = Named(std::move(name), KeyKind::kTextMap, std::move(explanation));
    key.assign = [get](void* object, const KeyValue& value) {
      for (const auto& [entry, text] : std::get<std::map<std::string, std::string>>(value)) {
        std::invoke(get, *static_cast<Object*>(object))[entry] = text;
      }
    };
    return key;
  }

  template <class Child>
  Key& Nested(std::string name, Child Object::* member, Section section) {
    Key& key = AddNested(std::move(name), KeyKind::kSection, std::move(section));
    key.open = [member](void* object, const std::string&) -> void* {
      return &(static_cast<Object*>(object)->*member);
    };
    return key;
  }
  template <class Child>
  Key& Nested(std::string name, std::optional<Child> Object::* member, Section section) {
    Key& key = AddNested(std::move(name), KeyKind::kSection, std::move(section));
    key.clearable = true;
    key.clear = [member](void* object) { (static_cast<Object*>(object)->*member).reset(); };
    key.open = [member](void* object, const std::string&) -> void* {
      auto& child = static_cast<Object*>(object)->*member;
      if (!child) child.emplace();
      return &*child;
    };
    return key;
  }
  // `entry` makes or finds what a name stands for in Object& and returns a pointer to it, valid until the
  // next call.
  template <class Entry>
  Key& NestedMap(std::string name, Entry entry, Section section) {
    Key& key = AddNested(std::move(name), KeyKind::kSectionMap, std::move(section));
    key.open = [entry](void* object, const std::string& of) -> void* {
      return entry(*static_cast<Object*>(object), of);
    };
    return key;
  }
  // `append` makes the next entry in Object& and returns a pointer to it, valid until the next call.
  template <class Append>
  Key& NestedList(std::string name, Append append, Section section) {
    Key& key = AddNested(std::move(name), KeyKind::kSectionList, std::move(section));
    key.open = [append](void* object, const std::string&) -> void* {
      return append(*static_cast<Object*>(object));
    };
    return key;
  }
  // The keys of a member's section as if they were this section's own.
  template <class Child>
  void Inline(Child Object::* member, Section section) {
    const auto child = [member](void* object) -> void* { return &(static_cast<Object*>(object)->*member); };
    for (Key& key : section.keys) {
      if (key.assign) {
        key.assign = [child, inner = key.assign](void* object, const KeyValue& value) {
          inner(child(object), value);
        };
      }
      if (key.open) {
        key.open = [child, inner = key.open](void* object, const std::string& name) {
          return inner(child(object), name);
        };
      }
      if (key.clear) key.clear = [child, inner = key.clear](void* object) { inner(child(object)); };
      section_.keys.push_back(std::move(key));
    }
  }

 private:
  static std::string TakeText(const KeyValue& value) { return std::get<std::string>(value); }
  static std::string TextOf(const std::string& text) { return text; }
  template <class Integer>
    requires std::is_integral_v<Integer>
  static std::string TextOf(Integer value) {
    return fmt::format("{}", value);
  }
  template <class Value>
  static std::string TextOf(const std::optional<Value>& value) {
    return value ? TextOf(*value) : "";
  }
  static std::string TextOf(absl::Duration duration) { return DurationText(duration); }
  template <class Get>
  static auto Default(Get get) {
    Object object{};
    return std::invoke(get, object);
  }
  static Key& Range(Key& key, int64_t least, int64_t most) {
    key.least = least;
    key.most = most;
    return key;
  }
  Key& Named(std::string name, KeyKind kind, std::string explanation) {
    Key& key = section_.keys.emplace_back();
    key.name = std::move(name);
    key.kind = kind;
    key.explanation = std::move(explanation);
    return key;
  }
  Key& AddNested(std::string name, KeyKind kind, Section section) {
    Key& key = Named(std::move(name), kind, section.explanation);
    key.section = std::make_shared<const Section>(std::move(section));
    return key;
  }
  template <class Get, class Convert>
  Key& Add(std::string name, KeyKind kind, std::string explanation, Get get, Convert convert) {
    Key& key = Named(std::move(name), kind, std::move(explanation));
    key.assign = [get, convert](void* object, const KeyValue& value) {
      auto& member = std::invoke(get, *static_cast<Object*>(object));
      using Member = std::remove_reference_t<decltype(member)>;
      if constexpr (std::is_arithmetic_v<Member>) {
        member = static_cast<Member>(convert(value));
      } else {
        member = Member(convert(value));
      }
    };
    return key;
  }

  Section section_;
};

}  // namespace hakobu
