// Values on protobuf's wire (https://protobuf.dev/programming-guides/encoding), in the forms of the Storage
// Write API's page "Supported data types": DATE int32 days, DATETIME and TIME packed int64, TIMESTAMP int64
// microseconds, NUMERIC and BIGNUMERIC little-endian bytes.
#pragma once

#include <cstdint>
#include <cstring>
#include <string_view>

#include "encode/byte_buffer.h"
#include "encode/column.h"
#include "encode/decimal.h"
#include "encode/temporal.h"

namespace hakobu {

constexpr size_t kMaxVarintBytes = 10;

inline char* WriteVarint(uint64_t value, char* out) {
  while (value >= 0x80) {
    *out++ = static_cast<char>(value | 0x80);
    value >>= 7;
  }
  *out++ = static_cast<char>(value);
  return out;
}

// The writing half of the kernels (kernels.h) for protobuf. NULL is a field that is not there.
struct ProtoSink {
  static void Null(const Column&, ByteBuffer*) {}

  static void Integer(const Column& column, int64_t value, ByteBuffer* out) {
    char* begin = out->Reserve(kFixedBytes);
    char* at = WriteVarint(static_cast<uint64_t>(value), Prefix(column, begin));
    out->Advance(static_cast<size_t>(at - begin));
  }
  static void Bool(const Column& column, bool value, ByteBuffer* out) { Integer(column, value ? 1 : 0, out); }
  static void Date(const Column& column, int64_t days, ByteBuffer* out) { Integer(column, days, out); }
  static void DateTime(const Column& column, int64_t micros, ByteBuffer* out) {
    Integer(column, PackDateTime(micros), out);
  }
  static void Time(const Column& column, int64_t micros, ByteBuffer* out) {
    Integer(column, PackTime(micros), out);
  }
  static void Timestamp(const Column& column, int64_t micros, ByteBuffer* out) {
    Integer(column, micros, out);
  }

  static void Double(const Column& column, double value, ByteBuffer* out) {
    char* begin = out->Reserve(kFixedBytes);
    char* at = Prefix(column, begin);
    std::memcpy(at, &value, 8);
    out->Advance(static_cast<size_t>(at - begin) + 8);
  }

  // Int128 or Int256.
  template <typename Scaled>
  static void Decimal(const Column& column, const Scaled& value, ByteBuffer* out) {
    char* begin = out->Reserve(kFixedBytes);
    char* length = Prefix(column, begin);
    const size_t size = WriteLittleEndian(value, length + 1);
    *length = static_cast<char>(size);
    out->Advance(static_cast<size_t>(length - begin) + 1 + size);
  }

  // Where `size` bytes are to be written; they count as written already.
  static char* BeginText(const Column& column, size_t size, ByteBuffer* out) {
    char* begin = out->Reserve(kFixedBytes + size);
    char* at = WriteVarint(size, Prefix(column, begin));
    out->Advance(static_cast<size_t>(at - begin) + size);
    return at;
  }
  static void Text(const Column& column, std::string_view text, ByteBuffer* out) {
    char* at = BeginText(column, text.size(), out);
    if (!text.empty()) std::memcpy(at, text.data(), text.size());
  }

  // Little-endian float32s as packed doubles.
  static void Doubles(const Column& column, std::string_view floats, ByteBuffer* out) {
    char* at = BeginText(column, floats.size() / 4 * 8, out);
    for (; floats.size() >= 4; floats.remove_prefix(4), at += 8) {
      float narrow;
      std::memcpy(&narrow, floats.data(), 4);
      const double value = narrow;
      std::memcpy(at, &value, 8);
    }
  }

 private:
  // Tag, length or varint, and the 32 bytes of a BIGNUMERIC.
  static constexpr size_t kFixedBytes = 4 + kMaxVarintBytes + 32;

  static char* Prefix(const Column& column, char* at) {
    std::memcpy(at, &column.prefix, sizeof(column.prefix));
    return at + column.prefix_size;
  }
};

}  // namespace hakobu
