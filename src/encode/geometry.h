// Geometry from MySQL's internal form: SRID (4 bytes, little-endian), then WKB with x = longitude (cell.h).
#pragma once

#include <string>
#include <string_view>

namespace hakobu {

enum class GeometryProblem : uint8_t {
  kNone,
  kMalformed,        // not WKB of one of the seven types, or bytes left over
  kOtherSrid,        // neither 0 nor 4326: not longitude and latitude
  kOutsideTheGlobe,  // |longitude| > 180, |latitude| > 90, or not finite
};

// What GEOGRAPHY takes is a part of what a geometry can be.
enum class GeometryUse : uint8_t { kText, kGeography };

// Appends WKT: `POINT(139.7 35.6)`, `GEOMETRYCOLLECTION EMPTY`; coordinates in the fewest digits that give
// them back. On a problem `out` holds a part and is to be cut back by the caller.
GeometryProblem AppendWkt(std::string_view geometry, GeometryUse use, std::string* out);

// The WKB alone; empty when the value is too short to have any.
std::string_view Wkb(std::string_view geometry);

}  // namespace hakobu
