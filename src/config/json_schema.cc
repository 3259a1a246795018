#include "config/json_schema.h"

#include <nlohmann/json.hpp>

#include "config/keys.h"
#include "config/value.h"

namespace hakobu {
namespace {

using Json = nlohmann::ordered_json;

constexpr char kSubstitution[] = R"(\$\{(env|file|command):.+\})";

Json SectionSchema(const Section& section);

// A value that is read from elsewhere stands for one of any kind.
Json OrSubstitution(Json schema) {
  return Json{
      {"anyOf", Json::array({std::move(schema), Json{{"type", "string"}, {"pattern", kSubstitution}}})}};
}

Json IntegerSchema(const Key& key) {
  Json schema{{"type", "integer"}};
  if (key.least > std::numeric_limits<int64_t>::min() + 1) schema["minimum"] = key.least;
  if (key.most < std::numeric_limits<int64_t>::max()) schema["maximum"] = key.most;
  return OrSubstitution(schema);
}

Json ChoiceSchema(const Key& key) {
  Json names = Json::array();
  for (const Choice& choice : key.choices) {
    names.push_back(choice.name);
    if (choice.name == "null") names.push_back(nullptr);
  }
  return Json{{"enum", names}};
}

Json KindSchema(const Key& key) {
  switch (key.kind) {
    case KeyKind::kText:
      return Json{{"type", {"string", "number"}}};
    case KeyKind::kSecret:
      return Json{{"type", "string"}, {"pattern", kSubstitution}};
    case KeyKind::kInteger:
      return IntegerSchema(key);
    case KeyKind::kNumber:
      return OrSubstitution(Json{{"type", "number"}, {"minimum", 0}});
    case KeyKind::kBoolean:
      return OrSubstitution(Json{{"type", "boolean"}});
    case KeyKind::kDuration:
      return OrSubstitution(Json{{"type", "string"}, {"pattern", "^([0-9]+(ms|s|m|h|d))+$"}});
    case KeyKind::kSize:
      return OrSubstitution(Json{{"type", "string"}, {"pattern", "^[0-9]+([KMGT]i?)?B$"}});
    case KeyKind::kChoice:
      return ChoiceSchema(key);
    case KeyKind::kTextList:
      return Json{{"type", "array"}, {"items", {{"type", "string"}}}};
    case KeyKind::kTextMap:
      return Json{{"type", "object"}, {"additionalProperties", {{"type", {"string", "number"}}}}};
    case KeyKind::kSection:
      return SectionSchema(*key.section);
    case KeyKind::kSectionList:
      return Json{{"type", "array"}, {"items", SectionSchema(*key.section)}};
    case KeyKind::kSectionMap:
      return Json{{"type", "object"}, {"additionalProperties", SectionSchema(*key.section)}};
  }
  return Json::object();
}

std::string Description(const Key& key) {
  std::string text = key.explanation;
  for (const Choice& choice : key.choices) text += "\n- " + choice.name + ": " + choice.explanation;
  if (!key.default_text.empty()) text += "\nDefault: " + key.default_text;
  return text;
}

Json KeySchema(const Key& key) {
  Json schema = KindSchema(key);
  if (key.clearable) schema = Json{{"anyOf", Json::array({std::move(schema), Json{{"type", "null"}}})}};
  schema["description"] = Description(key);
  return schema;
}

Json SectionSchema(const Section& section) {
  Json properties = Json::object();
  Json required = Json::array();
  for (const Key& key : section.keys) {
    properties[key.name] = KeySchema(key);
    if (key.required) required.push_back(key.name);
  }
  // `<<` merges another mapping, which may bring what is required.
  properties["<<"] = Json{{"description", "Merges the keys of another mapping, as YAML 1.1 has it."}};
  Json schema{{"type", "object"}, {"additionalProperties", false}, {"properties", properties}};
  if (!required.empty()) {
    schema["if"] = Json{{"not", {{"required", Json::array({"<<"})}}}};
    schema["then"] = Json{{"required", required}};
  }
  return schema;
}

}  // namespace

std::string ConfigJsonSchema() {
  Json schema{{"$schema", "https://json-schema.org/draft/2020-12/schema"},
              {"title", "hakobu.yaml"},
              {"description", "Made by `hakobu schema`; docs/configuration.md explains the same keys."}};
  schema.update(SectionSchema(RootSection()));
  schema["patternProperties"] = Json{{"^x-", {{"description", "Not read: a place for YAML anchors."}}}};
  return schema.dump(2) + "\n";
}

}  // namespace hakobu
