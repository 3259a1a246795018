#include "row/type_choices.h"

#include <algorithm>
#include <array>

namespace hakobu {
namespace {

using enum FieldType;

constexpr Target kWkt{kString};
constexpr Target kVectorArray{kFloat64, Conversion::kPlain, FieldMode::kRepeated};

// NUMERIC holds 29 digits before the point and 9 after it, BIGNUMERIC 38 and 38 (any number of that size).
bool FitsNumeric(const SourceColumn& column) {
  return column.scale <= 9 && column.precision - column.scale <= 29;
}
bool FitsBigNumeric(const SourceColumn& column) {
  return column.scale <= 38 && column.precision - column.scale <= 38;
}

bool IsWide(const SourceColumn& column) {
  return column.type == SourceType::kBigInt && column.is_unsigned;
}

bool IsPlainPoint(const SourceColumn& column) {
  return column.geometry == "point" && column.srid == 4326u;
}

Target ExactTarget(const SourceColumn& column, bool key) {
  switch (column.type) {
    case SourceType::kTinyInt:
    case SourceType::kSmallInt:
    case SourceType::kMediumInt:
    case SourceType::kInt:
    case SourceType::kBigInt:
      return {IsWide(column) ? kNumeric : kInt64};
    case SourceType::kYear:
      return {kInt64};
    case SourceType::kBit:
      return {column.length <= 63 ? kInt64 : kNumeric};
    case SourceType::kDecimal:
      if (FitsNumeric(column)) return {kNumeric};
      return {FitsBigNumeric(column) ? kBigNumeric : kString};
    case SourceType::kFloat:
    case SourceType::kDouble:
      return {kFloat64};
    case SourceType::kChar:
    case SourceType::kVarchar:
    case SourceType::kText:
    case SourceType::kEnum:
    case SourceType::kSet:
    case SourceType::kTime:
      return {kString};
    case SourceType::kBinary:
    case SourceType::kVarbinary:
    case SourceType::kBlob:
      return key ? Target{kString, Conversion::kHex} : Target{kBytes};
    case SourceType::kDate:
      return {kDate};
    case SourceType::kDateTime:
      return {kDateTime};
    case SourceType::kTimestamp:
      return {kTimestamp};
    case SourceType::kJson:
      return {kJson};
    case SourceType::kGeometry:
      return IsPlainPoint(column) && !key ? Target{kGeography} : kWkt;
    case SourceType::kVector:
      return kVectorArray;
  }
  return {kString};
}

// Datastream's own table: https://cloud.google.com/datastream/docs/bq-map-data-types
Target DatastreamTarget(const SourceColumn& column, bool key) {
  switch (column.type) {
    case SourceType::kBit:
      return {kInt64};
    case SourceType::kDecimal:
      return {column.precision <= 38 && column.scale <= 9 ? kNumeric : kBigNumeric};
    case SourceType::kBinary:
    case SourceType::kVarbinary:
    case SourceType::kBlob:
      return {kString, Conversion::kHex};
    case SourceType::kTime:
      return {kInterval};
    case SourceType::kGeometry:
      return {kString, Conversion::kAlwaysNull};
    default:
      return ExactTarget(column, key);
  }
}

// embulk-input-mysql's types (JDBC's) as embulk-output-bigquery writes them.
Target EmbulkTarget(const SourceColumn& column, bool key) {
  switch (column.type) {
    case SourceType::kTinyInt:
      return {column.declared.starts_with("tinyint(1)") ? kBool : kInt64};
    case SourceType::kBigInt:
      return {kInt64};
    case SourceType::kBit:
      return {column.length == 1 ? kBool : kInt64};
    case SourceType::kDecimal:
      return {kFloat64};
    case SourceType::kDate:
    case SourceType::kDateTime:
    case SourceType::kTime:
      return {kTimestamp, Conversion::kCivilAsUtc};
    case SourceType::kJson:
      return {kString};
    case SourceType::kGeometry:
      return kWkt;
    default:
      return ExactTarget(column, key);
  }
}

std::vector<TypeChoice> BinaryChoices(const SourceColumn& column, bool key) {
  std::vector<TypeChoice> choices;
  if (!key) choices.push_back({"BYTES", {kBytes}});
  choices.push_back({"STRING", {kString, Conversion::kHex}});
  choices.push_back({"STRING(HEX)", {kString, Conversion::kHex}});
  choices.push_back({"STRING(BASE64)", {kString, Conversion::kBase64}});
  if (column.type == SourceType::kBinary && column.length == 16) {
    choices.push_back({"STRING(UUID)", {kString, Conversion::kUuid}});
  }
  return choices;
}

std::vector<TypeChoice> GeometryChoices(const SourceColumn& column, bool key) {
  std::vector<TypeChoice> choices{{"STRING", kWkt}};
  if (key) return choices;
  choices.push_back({"BYTES", {kBytes, Conversion::kWkb}});
  if (column.srid.value_or(0) == 0 || column.srid == 4326u) choices.push_back({"GEOGRAPHY", {kGeography}});
  return choices;
}

// UTF-8 text of these always comes out valid: the server checks it on the way in, or every byte has a
// character.
bool AlwaysDecodes(std::string_view charset) {
  constexpr std::array<std::string_view, 6> kSafe = {"utf8mb4", "utf8mb3", "utf8", "ascii", "latin1", ""};
  return std::find(kSafe.begin(), kSafe.end(), charset) != kSafe.end();
}

// A value that can outgrow a request to BigQuery (encode/ quarantines it then). 0: the length is not known.
bool MayBeHuge(uint64_t length) {
  return length == 0 || length > (uint64_t{1} << 20);
}

bool IntegerMayNotFit(const SourceColumn& column) {
  if (column.type == SourceType::kBit) return column.length > 63;
  return IsWide(column);
}

bool StringMayNotFit(const SourceColumn& column) {
  switch (column.type) {
    case SourceType::kChar:
    case SourceType::kVarchar:
    case SourceType::kText:
      return !AlwaysDecodes(column.charset) || MayBeHuge(column.length);
    case SourceType::kBinary:
    case SourceType::kVarbinary:
    case SourceType::kBlob:
      return MayBeHuge(column.length);
    case SourceType::kJson:
    case SourceType::kGeometry:
      return true;
    default:
      return false;
  }
}

bool IsReal(const SourceColumn& column) {
  return column.type == SourceType::kFloat || column.type == SourceType::kDouble;
}

}  // namespace

Target ProfileTarget(TypeProfile profile, const SourceColumn& column, bool key) {
  switch (profile) {
    case TypeProfile::kExact:
      return ExactTarget(column, key);
    case TypeProfile::kDatastream:
      return DatastreamTarget(column, key);
    case TypeProfile::kEmbulk:
      return EmbulkTarget(column, key);
  }
  return ExactTarget(column, key);
}

std::vector<TypeChoice> AllowedChoices(const SourceColumn& column, bool key) {
  switch (column.type) {
    case SourceType::kTinyInt:
      return {{"INT64", {kInt64}}, {"BOOL", {kBool}}, {"NUMERIC", {kNumeric}}, {"STRING", {kString}}};
    case SourceType::kSmallInt:
    case SourceType::kMediumInt:
    case SourceType::kInt:
    case SourceType::kYear:
      return {{"INT64", {kInt64}}, {"NUMERIC", {kNumeric}}, {"STRING", {kString}}};
    case SourceType::kBigInt:
      if (IsWide(column)) return {{"NUMERIC", {kNumeric}}, {"INT64", {kInt64}}, {"STRING", {kString}}};
      return {{"INT64", {kInt64}}, {"NUMERIC", {kNumeric}}, {"STRING", {kString}}};
    case SourceType::kDecimal:
      return {{"NUMERIC", {kNumeric}},
              {"BIGNUMERIC", {kBigNumeric}},
              {"STRING", {kString}},
              {"FLOAT64", {kFloat64}}};
    case SourceType::kFloat:
    case SourceType::kDouble:
      return {{"FLOAT64", {kFloat64}},
              {"NUMERIC", {kNumeric}},
              {"BIGNUMERIC", {kBigNumeric}},
              {"STRING", {kString}}};
    case SourceType::kBit: {
      std::vector<TypeChoice> choices{{"INT64", {kInt64}}, {"NUMERIC", {kNumeric}}};
      if (column.length == 1) choices.push_back({"BOOL", {kBool}});
      if (!key) choices.push_back({"BYTES", {kBytes}});
      return choices;
    }
    case SourceType::kChar:
    case SourceType::kVarchar:
    case SourceType::kText:
    case SourceType::kEnum:
    case SourceType::kSet:
      if (key) return {{"STRING", {kString}}};
      return {{"STRING", {kString}}, {"BYTES", {kBytes}}};
    case SourceType::kBinary:
    case SourceType::kVarbinary:
    case SourceType::kBlob:
      return BinaryChoices(column, key);
    case SourceType::kDate:
      return {{"DATE", {kDate}},
              {"STRING", {kString}},
              {"TIMESTAMP", {kTimestamp, Conversion::kZoned}, ZoneArgument::kNeeded}};
    case SourceType::kDateTime:
      return {{"DATETIME", {kDateTime}},
              {"TIMESTAMP", {kTimestamp, Conversion::kZoned}, ZoneArgument::kNeeded},
              {"STRING", {kString}}};
    case SourceType::kTimestamp:
      return {{"TIMESTAMP", {kTimestamp}},
              {"DATETIME", {kDateTime, Conversion::kZoned}, ZoneArgument::kNeeded},
              {"STRING", {kString}}};
    case SourceType::kTime:
      return {{"STRING", {kString}},
              {"TIME", {kTime}},
              {"INTERVAL", {kInterval}},
              {"INT64", {kInt64, Conversion::kTimeMicros}}};
    case SourceType::kJson:
      return {{"JSON", {kJson}}, {"STRING", {kString}}};
    case SourceType::kGeometry:
      return GeometryChoices(column, key);
    case SourceType::kVector:
      return {{"ARRAY<FLOAT64>", kVectorArray}, {"STRING", {kString}}};
  }
  return {};
}

bool ValuesMayNotFit(const SourceColumn& column, const Target& target) {
  if (target.conversion == Conversion::kAlwaysNull) return true;
  switch (target.type) {
    case kInt64:
      return target.conversion != Conversion::kTimeMicros && IntegerMayNotFit(column);
    case kFloat64:
      return target.mode == FieldMode::kRepeated;
    case kNumeric:
      if (IsReal(column)) return true;
      return column.type == SourceType::kDecimal && !FitsNumeric(column);
    case kBigNumeric:
      if (IsReal(column)) return true;
      return column.type == SourceType::kDecimal && !FitsBigNumeric(column);
    case kBool:
      return column.type != SourceType::kBit;
    case kString:
      return StringMayNotFit(column);
    case kBytes:
      return MayBeHuge(column.length);
    case kInterval:
      return false;
    case kDate:
    case kDateTime:
    case kTime:
    case kTimestamp:
    case kJson:
    case kGeography:
      return true;
  }
  return true;
}

}  // namespace hakobu
