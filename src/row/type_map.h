// The one type map (TYPES.md in docs/formats/types.md): which BigQuery column a source column becomes. Batch
// and stream both ask here, so that a table never changes type with its mode.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "row/field.h"
#include "row/source_table.h"

namespace hakobu {

enum class TypeProfile : uint8_t { kExact, kDatastream, kEmbulk };

// What the configuration says of one column; empty means the profile decides.
struct ColumnChoice {
  std::string as;  // `as:`, upper-case: "INT64", "STRING", "STRING(HEX)", "TIMESTAMP(Asia/Tokyo)" …
  Mask mask = Mask::kNone;
  std::string mask_salt;
  uint32_t mask_keep_characters = 0;
  std::optional<InvalidPolicy> invalid;
};

struct TypeChoices {
  TypeProfile profile = TypeProfile::kExact;
  InvalidPolicy invalid = InvalidPolicy::kNull;
};

// The field for `table.columns[column]`. InvalidArgument, with what is allowed, when `as` does not suit the
// column.
absl::StatusOr<Field> MapColumn(const SourceTable& table, size_t column, const TypeChoices& choices,
                                const ColumnChoice& choice);

// BigQuery's name for a source name: kept where BigQuery allows it (flexible names included), else changed by
// the one rule: each character that is not allowed becomes '_', and a reserved prefix or a leading digit gets
// '_' before it. Collisions are the caller's to refuse.
std::string DestinationName(std::string_view source_name);

}  // namespace hakobu
