#include "encode/avro_schema.h"

#include <fmt/format.h>

#include <algorithm>

namespace hakobu {
namespace {

// JSON, GEOGRAPHY and INTERVAL travel as texts; sqlType is how BigQuery's own exports mark them, and the load
// job's schema decides.
std::string_view TypeJson(const Column& column) {
  switch (column.type) {
    case FieldType::kInt64:
      return R"("long")";
    case FieldType::kFloat64:
      return column.mode == FieldMode::kRepeated ? R"({"type":"array","items":"double"})" : R"("double")";
    case FieldType::kNumeric:
      return R"({"type":"bytes","logicalType":"decimal","precision":38,"scale":9})";
    case FieldType::kBigNumeric:
      return R"({"type":"bytes","logicalType":"decimal","precision":77,"scale":38})";
    case FieldType::kBool:
      return R"("boolean")";
    case FieldType::kString:
      return R"("string")";
    case FieldType::kBytes:
      return R"("bytes")";
    case FieldType::kDate:
      return R"({"type":"int","logicalType":"date"})";
    case FieldType::kDateTime:
      return R"({"type":"long","logicalType":"local-timestamp-micros"})";
    case FieldType::kTime:
      return R"({"type":"long","logicalType":"time-micros"})";
    case FieldType::kTimestamp:
      return R"({"type":"long","logicalType":"timestamp-micros"})";
    case FieldType::kJson:
      return R"({"type":"string","sqlType":"JSON"})";
    case FieldType::kGeography:
      return R"({"type":"string","sqlType":"GEOGRAPHY"})";
    case FieldType::kInterval:
      return R"({"type":"string","sqlType":"INTERVAL"})";
  }
  return R"("string")";
}

bool IsAvroName(std::string_view name) {
  const auto letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; };
  return !name.empty() && letter(name.front()) &&
         std::all_of(name.begin(), name.end(), [&](char c) { return letter(c) || (c >= '0' && c <= '9'); });
}

}  // namespace

absl::StatusOr<std::string> MakeAvroSchema(Columns* columns) {
  std::string fields;
  std::string refused;
  for (Column& column : columns->all) {
    if (!IsAvroName(column.name)) {
      refused += fmt::format("{}'{}'", refused.empty() ? "" : ", ", column.name);
      continue;
    }
    const bool nullable = column.mode == FieldMode::kNullable;
    column.prefix = 2;  // branch 1, zig-zag
    column.prefix_size = nullable ? 1 : 0;
    fields += fmt::format(R"({}{{"name":"{}","type":{}{}{}}})", fields.empty() ? "" : ",", column.name,
                          nullable ? R"(["null",)" : "", TypeJson(column), nullable ? "]" : "");
  }
  if (!refused.empty()) {
    return absl::InvalidArgumentError(fmt::format(
        "write an Avro file of {}: Avro's names are letters, digits and '_', found {}; hint: write: storage "
        "takes these names",
        columns->table, refused));
  }
  return fmt::format(R"({{"type":"record","name":"Row","fields":[{}]}})", fields);
}

}  // namespace hakobu
