#include "row/field.h"

namespace hakobu {

std::string_view FieldTypeName(FieldType type) {
  switch (type) {
    case FieldType::kInt64:
      return "INT64";
    case FieldType::kFloat64:
      return "FLOAT64";
    case FieldType::kNumeric:
      return "NUMERIC";
    case FieldType::kBigNumeric:
      return "BIGNUMERIC";
    case FieldType::kBool:
      return "BOOL";
    case FieldType::kString:
      return "STRING";
    case FieldType::kBytes:
      return "BYTES";
    case FieldType::kDate:
      return "DATE";
    case FieldType::kDateTime:
      return "DATETIME";
    case FieldType::kTime:
      return "TIME";
    case FieldType::kTimestamp:
      return "TIMESTAMP";
    case FieldType::kJson:
      return "JSON";
    case FieldType::kGeography:
      return "GEOGRAPHY";
    case FieldType::kInterval:
      return "INTERVAL";
  }
  return "STRING";
}

}  // namespace hakobu
