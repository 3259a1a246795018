#include "source/wire_type.h"

namespace hakobu {
namespace {

// Type codes, field_types.h of MySQL.
enum Code {
  kDecimalOld = 0,
  kTiny = 1,
  kShort = 2,
  kLong = 3,
  kFloatCode = 4,
  kDoubleCode = 5,
  kTimestampCode = 7,
  kLongLong = 8,
  kInt24 = 9,
  kDateCode = 10,
  kTimeCode = 11,
  kDateTimeCode = 12,
  kYearCode = 13,
  kNewDate = 14,
  kVarcharCode = 15,
  kBitCode = 16,
  kVectorCode = 242,
  kJsonCode = 245,
  kNewDecimal = 246,
  kEnumCode = 247,
  kSetCode = 248,
  kTinyBlob = 249,
  kMediumBlob = 250,
  kLongBlob = 251,
  kBlobCode = 252,
  kVarString = 253,
  kString = 254,
  kGeometryCode = 255,
};

// All of these arrive as length-encoded bytes, so that one may stand for another.
bool IsBytes(int code) {
  switch (code) {
    case kVarcharCode:
    case kEnumCode:
    case kSetCode:
    case kTinyBlob:
    case kMediumBlob:
    case kLongBlob:
    case kBlobCode:
    case kVarString:
    case kString:
      return true;
    default:
      return false;
  }
}

int IntegerCode(SourceType type) {
  switch (type) {
    case SourceType::kTinyInt:
      return kTiny;
    case SourceType::kSmallInt:
      return kShort;
    case SourceType::kMediumInt:
      return kInt24;
    case SourceType::kInt:
      return kLong;
    default:
      return kLongLong;
  }
}

}  // namespace

bool ArrivesAs(const SourceColumn& column, int type_code, bool is_unsigned) {
  switch (column.type) {
    case SourceType::kTinyInt:
    case SourceType::kSmallInt:
    case SourceType::kMediumInt:
    case SourceType::kInt:
    case SourceType::kBigInt:
      return type_code == IntegerCode(column.type) && is_unsigned == column.is_unsigned;
    case SourceType::kDecimal:
      return type_code == kNewDecimal || type_code == kDecimalOld;
    case SourceType::kFloat:
      return type_code == kFloatCode;
    case SourceType::kDouble:
      return type_code == kDoubleCode;
    case SourceType::kBit:
      return type_code == kBitCode;
    case SourceType::kYear:
      return type_code == kYearCode;
    case SourceType::kChar:
    case SourceType::kVarchar:
    case SourceType::kText:
    case SourceType::kEnum:
    case SourceType::kSet:
    case SourceType::kBinary:
    case SourceType::kVarbinary:
    case SourceType::kBlob:
      return IsBytes(type_code);
    case SourceType::kDate:
      return type_code == kDateCode || type_code == kNewDate;
    case SourceType::kDateTime:
      return type_code == kDateTimeCode;
    case SourceType::kTimestamp:
      return type_code == kTimestampCode;
    case SourceType::kTime:
      return type_code == kTimeCode;
    case SourceType::kJson:
      return type_code == kJsonCode || IsBytes(type_code);
    case SourceType::kGeometry:
      return type_code == kGeometryCode;
    case SourceType::kVector:
      return type_code == kVectorCode || IsBytes(type_code);
  }
  return false;
}

}  // namespace hakobu
