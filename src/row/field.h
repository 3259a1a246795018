// A BigQuery column as hakobu makes it, and how its values come from the source column.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace hakobu {

enum class FieldType : uint8_t {
  kInt64,
  kFloat64,
  kNumeric,
  kBigNumeric,
  kBool,
  kString,
  kBytes,
  kDate,
  kDateTime,
  kTime,
  kTimestamp,
  kJson,
  kGeography,
  kInterval,
};
enum class FieldMode : uint8_t { kNullable, kRequired, kRepeated };

// GoogleSQL's name as REST's schema.fields[].type writes it ("INTEGER" is the legacy name, never used here).
std::string_view FieldTypeName(FieldType type);

// What happens on the way, where the pair (cell kind, field type) alone does not say.
enum class Conversion : uint8_t {
  kPlain,
  kHex,         // bytes -> lower-case hex STRING
  kBase64,      // bytes -> base64 STRING
  kUuid,        // BINARY(16) -> STRING 8-4-4-4-12, lower case
  kTimeMicros,  // TIME -> INT64 microseconds
  kZoned,       // DATETIME -> TIMESTAMP, or TIMESTAMP -> DATETIME, in Field::zone
  kCivilAsUtc,  // DATE, DATETIME, TIME -> TIMESTAMP at UTC (the embulk profile)
  kWkb,         // geometry -> BYTES
  kAlwaysNull,  // the datastream profile's spatial columns
};
enum class Mask : uint8_t { kNone, kSha256, kNull, kFirstN };
enum class InvalidPolicy : uint8_t { kNull, kError, kString };

struct Field {
  std::string name;
  FieldType type = FieldType::kString;
  FieldMode mode = FieldMode::kNullable;
  std::string description;
  size_t source_column = 0;  // place in SourceTable::columns
  Conversion conversion = Conversion::kPlain;
  std::string zone;  // IANA name, for kZoned
  Mask mask = Mask::kNone;
  std::string mask_salt;              // for kSha256
  uint32_t mask_keep_characters = 0;  // for kFirstN
  InvalidPolicy invalid = InvalidPolicy::kNull;
};

// The fields of one delivered table, in order, and the key by place in `fields` (empty: no key).
struct TableSchema {
  std::vector<Field> fields;
  std::vector<size_t> key;
};

}  // namespace hakobu
