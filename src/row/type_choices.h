// What a source column may become: each profile's own answer, and the `as:` choices a user has.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "row/field.h"
#include "row/source_table.h"
#include "row/type_map.h"

namespace hakobu {

struct Target {
  FieldType type;
  Conversion conversion = Conversion::kPlain;
  FieldMode mode = FieldMode::kNullable;
};

enum class ZoneArgument : uint8_t { kNone, kNeeded };

struct TypeChoice {
  std::string_view as;  // "STRING(HEX)"; without the zone where one is needed
  Target target;
  ZoneArgument zone = ZoneArgument::kNone;
};

// `key`: the column belongs to the table's key, which BigQuery does not let be BYTES, ARRAY, JSON or
// GEOGRAPHY.
Target ProfileTarget(TypeProfile profile, const SourceColumn& column, bool key);

// What `as:` accepts for the column, the natural type first.
std::vector<TypeChoice> AllowedChoices(const SourceColumn& column, bool key);

// Whether some value the column can hold may not fit the target, and so be quarantined.
bool ValuesMayNotFit(const SourceColumn& column, const Target& target);

}  // namespace hakobu
