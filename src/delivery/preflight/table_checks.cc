#include "delivery/preflight/table_checks.h"

#include <fmt/format.h>
#include <unicode/uchar.h>
#include <unicode/utf8.h>

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>

#include "base/status.h"

namespace hakobu {
namespace {

constexpr size_t kLongestTableName = 1024;  // bytes of UTF-8

// Letters, marks, numbers, connectors, dashes and spaces [D:tables, "Table naming"].
bool MayNameTable(UChar32 character) {
  switch (u_charType(character)) {
    case U_UPPERCASE_LETTER:
    case U_LOWERCASE_LETTER:
    case U_TITLECASE_LETTER:
    case U_MODIFIER_LETTER:
    case U_OTHER_LETTER:
    case U_NON_SPACING_MARK:
    case U_ENCLOSING_MARK:
    case U_COMBINING_SPACING_MARK:
    case U_DECIMAL_DIGIT_NUMBER:
    case U_LETTER_NUMBER:
    case U_OTHER_NUMBER:
    case U_CONNECTOR_PUNCTUATION:
    case U_DASH_PUNCTUATION:
    case U_SPACE_SEPARATOR:
      return true;
    default:
      return false;
  }
}

bool IsTableName(std::string_view name) {
  if (name.empty() || name.size() > kLongestTableName) return false;
  const auto size = static_cast<int32_t>(name.size());
  for (int32_t at = 0; at < size;) {
    UChar32 character;
    U8_NEXT(name.data(), at, size, character);
    if (character < 0 || !MayNameTable(character)) return false;
  }
  return true;
}

// GoogleSQL has no `=` for these.
bool CanBeMerged(FieldType type) {
  return type != FieldType::kJson && type != FieldType::kGeography;
}

std::string_view KindText(std::string_view type) {
  constexpr std::array<std::pair<std::string_view, std::string_view>, 6> kKinds = {{
      {"VIEW", "a view"},
      {"MATERIALIZED_VIEW", "a materialized view"},
      {"EXTERNAL", "an external table"},
      {"SNAPSHOT", "a snapshot"},
      {"MODEL", "a model"},
      {"RECORDING", "a recording"},
  }};
  const auto* found =
      std::find_if(kKinds.begin(), kKinds.end(), [&](const auto& kind) { return kind.first == type; });
  return found == kKinds.end() ? "no plain table" : found->second;
}

}  // namespace

absl::Status CheckNames(const TableWork& work) {
  if (IsTableName(work.target.table)) return absl::OkStatus();
  return WithHint(absl::InvalidArgumentError(fmt::format("{}: BigQuery takes no table of the name `{}`",
                                                         work.name, work.target.table)),
                  "give it a `target` of letters, digits, _ and -");
}

absl::Status CheckKeyTypes(const TableWork& work) {
  Problems problems;
  for (const size_t place : work.schema.key) {
    const Field& field = work.schema.fields[place];
    const bool fits = work.mode == WriteMode::kStream        ? MayBeKey(field)
                      : work.mode == WriteMode::kIncremental ? CanBeMerged(field.type)
                                                             : true;
    if (fits && field.mode != FieldMode::kRepeated) continue;
    const bool stream = work.mode == WriteMode::kStream;
    problems.Add(WithHint(absl::InvalidArgumentError(
                              fmt::format("{}: key column `{}` would be {}, which BigQuery takes in no key",
                                          work.name, field.name, FieldTypeName(field.type))),
                          stream
                              ? fmt::format("columns: {{{}: {{as: STRING}}}}, or `history: true`", field.name)
                              : fmt::format("columns: {{{}: {{as: STRING}}}}", field.name)));
  }
  return problems.Status();
}

absl::Status CheckTargetKind(std::string_view existing, const TableWork& work) {
  const nlohmann::json resource = nlohmann::json::parse(existing, nullptr, false);
  const std::string type = resource.is_object() ? resource.value("type", "TABLE") : "TABLE";
  if (type == "TABLE") return absl::OkStatus();
  return WithHint(absl::DataLossError(fmt::format("{}: {} is {}, and rows go into tables only", work.name,
                                                  work.target.ToString(), KindText(type))),
                  "give it another `target`; hakobu takes nothing away that it did not make");
}

}  // namespace hakobu
