#include "row/type_map.h"

#include <fmt/format.h>

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/time/time.h"
#include "base/status.h"
#include "row/type_choices.h"

namespace hakobu {
namespace {

constexpr size_t kMaxDescriptionCharacters = 1024;

// The first `characters` characters of UTF-8 text, whole ones.
std::string_view CutCharacters(std::string_view text, size_t characters) {
  size_t seen = 0;
  for (size_t at = 0; at < text.size(); ++at) {
    const bool begins = (static_cast<unsigned char>(text[at]) & 0xc0) != 0x80;
    if (begins && seen++ == characters) return text.substr(0, at);
  }
  return text;
}

bool IsKeyColumn(const SourceTable& table, size_t column) {
  if (!table.key.has_value()) return false;
  const std::vector<size_t>& columns = table.key->columns;
  return std::find(columns.begin(), columns.end(), column) != columns.end();
}

std::string Allowed(const std::vector<TypeChoice>& choices) {
  std::string list;
  for (const TypeChoice& choice : choices) {
    if (!list.empty()) list += ", ";
    list += choice.as;
    if (choice.zone == ZoneArgument::kNeeded) list += "(zone)";
  }
  return list;
}

// Asks one column's choices, profile and policy in turn; each step fills or checks a part of `field_`.
class ColumnMapper {
 public:
  ColumnMapper(const SourceTable& table, size_t place, const TypeChoices& choices, const ColumnChoice& choice)
      : table_(table),
        column_(table.columns[place]),
        choices_(choices),
        choice_(choice),
        key_(IsKeyColumn(table, place)) {
    field_.name = DestinationName(column_.name);
    field_.source_column = place;
    field_.description = CutCharacters(column_.comment, kMaxDescriptionCharacters);
    field_.invalid = choice.invalid.value_or(choices.invalid);
  }

  absl::StatusOr<Field> Map() {
    Target target = ProfileTarget(choices_.profile, column_, key_);
    if (!choice_.as.empty()) {
      HAKOBU_ASSIGN_OR_RETURN(target, Chosen());
    }
    HAKOBU_RETURN_IF_ERROR(ApplyInvalidPolicy(&target));
    HAKOBU_RETURN_IF_ERROR(ApplyMask(&target));
    field_.type = target.type;
    field_.conversion = target.conversion;
    field_.mode = Mode(target);
    return std::move(field_);
  }

 private:
  absl::Status Refuse(std::string_view problem) const {
    return absl::InvalidArgumentError(fmt::format("column {}.{}.{} ({}): {}", table_.database, table_.name,
                                                  column_.name, column_.declared, problem));
  }

  // The target that `as:` names, and its zone.
  absl::StatusOr<Target> Chosen() {
    const std::vector<TypeChoice> allowed = AllowedChoices(column_, key_);
    const std::string_view as = choice_.as;
    const size_t open = as.find('(');
    const std::string whole = absl::AsciiStrToUpper(std::string(as));
    const std::string_view name = std::string_view(whole).substr(0, open);
    for (const TypeChoice& candidate : allowed) {
      if (candidate.zone == ZoneArgument::kNone) {
        if (candidate.as == whole) return candidate.target;
        continue;
      }
      if (candidate.as != name) continue;
      if (open == std::string_view::npos || as.back() != ')') {
        return Refuse(
            fmt::format("as: {0} needs the zone that the values are in; hint: write as: {0}(Asia/Tokyo), or "
                        "{0}(UTC)",
                        name));
      }
      field_.zone = as.substr(open + 1, as.size() - open - 2);
      absl::TimeZone zone;
      if (!absl::LoadTimeZone(field_.zone, &zone)) {
        return Refuse(
            fmt::format("as: {}: expected a zone of the IANA database, found '{}'; hint: for example "
                        "Asia/Tokyo, Europe/Berlin or UTC",
                        as, field_.zone));
      }
      return candidate.target;
    }
    return Refuse(fmt::format("expected as: one of {}{}, found '{}'", Allowed(allowed),
                              key_ ? " (the column is part of the key)" : "", as));
  }

  // `invalid: string` keeps the text of what does not fit, so such a column must be a STRING altogether.
  absl::Status ApplyInvalidPolicy(Target* target) {
    if (field_.invalid != InvalidPolicy::kString || target->type == FieldType::kString)
      return absl::OkStatus();
    if (!ValuesMayNotFit(column_, *target)) return absl::OkStatus();
    const std::vector<TypeChoice> allowed = AllowedChoices(column_, key_);
    const auto text = std::find_if(allowed.begin(), allowed.end(),
                                   [](const TypeChoice& candidate) { return candidate.as == "STRING"; });
    if (!choice_.as.empty() || text == allowed.end()) {
      return Refuse(
          fmt::format("invalid: string needs a STRING, and the column becomes {}; hint: as: STRING, or "
                      "invalid: null, or invalid: error",
                      choice_.as.empty() ? FieldTypeName(target->type) : choice_.as));
    }
    *target = text->target;
    return absl::OkStatus();
  }

  absl::Status ApplyMask(Target* target) {
    field_.mask = choice_.mask;
    field_.mask_salt = choice_.mask_salt;
    field_.mask_keep_characters = choice_.mask_keep_characters;
    if (choice_.mask == Mask::kNone) return absl::OkStatus();
    if (choice_.mask == Mask::kNull) {
      if (key_) return Refuse("a key masked to NULL would make all rows one; hint: mask: sha256");
      return absl::OkStatus();
    }
    if (choice_.mask == Mask::kFirstN && key_) {
      return Refuse("a key masked to its first characters would make different rows one; hint: mask: sha256");
    }
    if (target->type == FieldType::kString) return absl::OkStatus();
    if (!choice_.as.empty()) {
      return Refuse(fmt::format("a masked value is a STRING, found as: {}; hint: leave out as:", choice_.as));
    }
    const bool binary = column_.type == SourceType::kBinary || column_.type == SourceType::kVarbinary ||
                        column_.type == SourceType::kBlob;
    if (binary && choice_.mask == Mask::kFirstN) {
      return Refuse("the first characters of binary values cannot be kept; hint: mask: sha256 or null");
    }
    *target = {FieldType::kString, binary ? Conversion::kHex : Conversion::kPlain};
    field_.zone.clear();
    return absl::OkStatus();
  }

  FieldMode Mode(const Target& target) const {
    if (target.mode == FieldMode::kRepeated) return FieldMode::kRepeated;
    const bool may_become_null =
        field_.mask == Mask::kNull || target.conversion == Conversion::kAlwaysNull ||
        (field_.invalid != InvalidPolicy::kError && ValuesMayNotFit(column_, target));
    return column_.nullable || may_become_null ? FieldMode::kNullable : FieldMode::kRequired;
  }

  const SourceTable& table_;
  const SourceColumn& column_;
  const TypeChoices& choices_;
  const ColumnChoice& choice_;
  const bool key_;
  Field field_;
};

}  // namespace

absl::StatusOr<Field> MapColumn(const SourceTable& table, size_t column, const TypeChoices& choices,
                                const ColumnChoice& choice) {
  return ColumnMapper(table, column, choices, choice).Map();
}

}  // namespace hakobu
