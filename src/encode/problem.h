// Why a value does not fit, as the report says it after the value.
#pragma once

#include "encode/geometry.h"

namespace hakobu {

inline constexpr char kAnotherKind[] = "is of another kind than the table's schema says";
inline constexpr char kDoesNotDecode[] = "is no text in the column's character set";
inline constexpr char kNotInteger[] = "is no integer";
inline constexpr char kAboveInt64[] = "is above INT64's 9223372036854775807";
inline constexpr char kNotNumber[] = "is no number";
inline constexpr char kOutOfNumeric[] = "is out of NUMERIC's 29 digits before the point";
inline constexpr char kOutOfBigNumeric[] = "is out of BIGNUMERIC's range of about 5.79e38";
inline constexpr char kTooFineForNumeric[] = "has more than NUMERIC's 9 digits after the point";
inline constexpr char kTooFineForBigNumeric[] = "has more than BIGNUMERIC's 38 digits after the point";
inline constexpr char kNotBool[] = "is neither 0 nor 1";
inline constexpr char kNotDate[] = "is no date of the calendar's years 1 to 9999";
inline constexpr char kNotTimeOfDay[] = "is outside 00:00:00 to 23:59:59.999999";
inline constexpr char kNotTime[] = "is no time";
inline constexpr char kSkippedHour[] = "does not exist in the zone: its clocks were put forward over it";
inline constexpr char kOutsideYears[] = "is outside the years 1 to 9999 in the other zone";
inline constexpr char kNotJson[] = "is no JSON";
inline constexpr char kWideJsonNumber[] =
    "has a number that is neither a 64-bit integer nor a FLOAT64, and BigQuery's JSON has no others";
inline constexpr char kNotGeometry[] = "is no geometry of the seven known types";
inline constexpr char kNotGlobe[] = "has coordinates outside longitude -180..180 and latitude -90..90";
inline constexpr char kOtherSrid[] = "has an SRID other than 0 and 4326";
inline constexpr char kNotUuid[] = "is not 16 bytes long";
inline constexpr char kTooLarge[] = "is too large for one row of BigQuery's";

inline const char* ProblemOf(GeometryProblem problem) {
  switch (problem) {
    case GeometryProblem::kNone:
      return nullptr;
    case GeometryProblem::kMalformed:
      return kNotGeometry;
    case GeometryProblem::kOtherSrid:
      return kOtherSrid;
    case GeometryProblem::kOutsideTheGlobe:
      return kNotGlobe;
  }
  return kNotGeometry;
}

}  // namespace hakobu
