#include "encode/geometry.h"

#include <bit>
#include <cmath>

#include "base/byte_reader.h"
#include "encode/number_text.h"

namespace hakobu {
namespace {

enum WkbType : uint32_t {
  kPoint = 1,
  kLineString,
  kPolygon,
  kMultiPoint,
  kMultiLineString,
  kMultiPolygon,
  kCollection
};

constexpr int kDeepestGeometry = 64;
constexpr uint32_t kWgs84 = 4326;
constexpr size_t kPointBytes = 16;

class WktWriter {
 public:
  WktWriter(std::string_view wkb, GeometryUse use, std::string* out) : reader_(wkb), use_(use), out_(*out) {}

  GeometryProblem Run() {
    if (!Geometry(0) || reader_.failed() || !reader_.AtEnd()) return GeometryProblem::kMalformed;
    return outside_ ? GeometryProblem::kOutsideTheGlobe : GeometryProblem::kNone;
  }

 private:
  // Byte order and type; false for an order that is neither.
  bool Header(uint32_t* type) {
    const uint8_t order = reader_.U8();
    if (order > 1) return false;
    big_endian_ = order == 0;
    *type = U32();
    return !reader_.failed();
  }

  uint32_t U32() { return static_cast<uint32_t>(big_endian_ ? reader_.BigEndian(4) : reader_.U32()); }
  double Coordinate(double bound) {
    const double value = std::bit_cast<double>(big_endian_ ? reader_.BigEndian(8) : reader_.U64());
    if (!std::isfinite(value)) outside_ = true;
    if (use_ == GeometryUse::kGeography && std::fabs(value) > bound) outside_ = true;
    return value;
  }

  bool Geometry(int depth) {
    uint32_t type;
    if (depth > kDeepestGeometry || !Header(&type)) return false;
    switch (type) {
      case kPoint:
        return Name("POINT") && Parenthesised([&] { return Point(); });
      case kLineString:
        return Name("LINESTRING") && Points();
      case kPolygon:
        return Name("POLYGON") && Rings();
      case kMultiPoint:
        return Name("MULTIPOINT") &&
               Members([&] { return Member(kPoint) && Parenthesised([&] { return Point(); }); });
      case kMultiLineString:
        return Name("MULTILINESTRING") && Members([&] { return Member(kLineString) && Points(); });
      case kMultiPolygon:
        return Name("MULTIPOLYGON") && Members([&] { return Member(kPolygon) && Rings(); });
      case kCollection:
        return Name("GEOMETRYCOLLECTION") && Members([&] { return Geometry(depth + 1); });
      default:
        return false;
    }
  }

  bool Name(std::string_view name) {
    out_ += name;
    return true;
  }
  bool Member(uint32_t expected) {
    uint32_t type;
    return Header(&type) && type == expected;
  }
  template <typename Body>
  bool Parenthesised(Body body) {
    out_ += '(';
    if (!body()) return false;
    out_ += ')';
    return true;
  }
  // A count, then that many parts; ` EMPTY` when there are none.
  template <typename Body>
  bool Members(Body body) {
    const uint32_t count = U32();
    if (reader_.failed() || count > reader_.remaining()) return false;
    if (count == 0) return Name(" EMPTY");
    return Parenthesised([&] {
      for (uint32_t i = 0; i < count; ++i) {
        if (i > 0) out_ += ',';
        if (!body()) return false;
      }
      return true;
    });
  }
  bool Rings() {
    return Members([&] { return Points(); });
  }
  bool Points() {
    return Members([&] { return Point(); });
  }
  bool Point() {
    if (reader_.remaining() < kPointBytes) return false;
    AppendDouble(Coordinate(180), &out_);
    out_ += ' ';
    AppendDouble(Coordinate(90), &out_);
    return true;
  }

  ByteReader reader_;
  GeometryUse use_;
  std::string& out_;
  bool big_endian_ = false;
  bool outside_ = false;
};

}  // namespace

std::string_view Wkb(std::string_view geometry) {
  return geometry.size() < 4 ? std::string_view() : geometry.substr(4);
}

GeometryProblem AppendWkt(std::string_view geometry, GeometryUse use, std::string* out) {
  const uint32_t srid = ByteReader(geometry).U32();
  if (use == GeometryUse::kGeography && srid != 0 && srid != kWgs84) return GeometryProblem::kOtherSrid;
  return WktWriter(Wkb(geometry), use, out).Run();
}

}  // namespace hakobu
