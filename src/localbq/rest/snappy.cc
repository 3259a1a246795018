#include "localbq/rest/snappy.h"

#include <cstdint>

#include "base/byte_reader.h"

namespace hakobu::localbq::rest {
namespace {

bool ReadLength(ByteReader* reader, size_t* length) {
  uint64_t value = 0;
  for (int shift = 0; shift < 35; shift += 7) {
    const uint8_t byte = reader->U8();
    value |= static_cast<uint64_t>(byte & 0x7f) << shift;
    if ((byte & 0x80) == 0) {
      *length = value;
      return !reader->failed();
    }
  }
  return false;
}

// A copy may overlap what it makes.
bool CopyBack(size_t offset, size_t length, std::string* to) {
  if (offset == 0 || offset > to->size()) return false;
  for (size_t i = 0; i < length; ++i) to->push_back((*to)[to->size() - offset]);
  return true;
}

}  // namespace

bool UncompressSnappy(std::string_view from, size_t limit, std::string* to) {
  ByteReader reader(from);
  size_t size = 0;
  if (!ReadLength(&reader, &size) || size > limit) return false;
  to->clear();
  to->reserve(size);
  while (!reader.AtEnd()) {
    const uint8_t tag = reader.U8();
    switch (tag & 3) {
      case 0: {  // a literal
        size_t length = tag >> 2;
        if (length >= 60) length = reader.LittleEndian(length - 59);
        if (length >= size) return false;
        const std::string_view literal = reader.Take(length + 1);
        if (reader.failed()) return false;
        to->append(literal);
        break;
      }
      case 1: {
        const size_t offset = static_cast<size_t>(tag >> 5) << 8 | reader.U8();
        if (!CopyBack(offset, (tag >> 2 & 7) + 4U, to)) return false;
        break;
      }
      case 2:
        if (const size_t offset = reader.U16(); !CopyBack(offset, (tag >> 2) + 1U, to)) return false;
        break;
      default:
        if (const size_t offset = reader.U32(); !CopyBack(offset, (tag >> 2) + 1U, to)) return false;
    }
    if (to->size() > size) return false;
  }
  return to->size() == size && !reader.failed();
}

}  // namespace hakobu::localbq::rest
