// Values in Avro's binary encoding (Avro 1.11 specification, "Binary Encoding" and "Logical Types"): zig-zag
// varints, decimals big-endian, nullable fields as unions whose first branch is null.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <string_view>

#include "encode/byte_buffer.h"
#include "encode/column.h"
#include "encode/decimal.h"
#include "encode/proto_sink.h"

namespace hakobu {

// Zig-zag, then a varint: -1 is 1, 1 is 2.
inline char* WriteAvroLong(int64_t value, char* out) {
  return WriteVarint(static_cast<uint64_t>(value) << 1 ^ static_cast<uint64_t>(value >> 63), out);
}

// The writing half of the kernels (kernels.h) for Avro.
struct AvroSink {
  // Branch 0 of the union, or an array of no blocks: one zero byte either way.
  static void Null(const Column&, ByteBuffer* out) { out->Append(std::string_view("\0", 1)); }

  static void Integer(const Column& column, int64_t value, ByteBuffer* out) {
    char* begin = out->Reserve(kFixedBytes);
    char* at = WriteAvroLong(value, Prefix(column, begin));
    out->Advance(static_cast<size_t>(at - begin));
  }
  static void Bool(const Column& column, bool value, ByteBuffer* out) {
    char* begin = out->Reserve(kFixedBytes);
    char* at = Prefix(column, begin);
    *at = value ? '\1' : '\0';
    out->Advance(static_cast<size_t>(at - begin) + 1);
  }
  static void Date(const Column& column, int64_t days, ByteBuffer* out) { Integer(column, days, out); }
  static void DateTime(const Column& column, int64_t micros, ByteBuffer* out) {
    Integer(column, micros, out);
  }
  static void Time(const Column& column, int64_t micros, ByteBuffer* out) { Integer(column, micros, out); }
  static void Timestamp(const Column& column, int64_t micros, ByteBuffer* out) {
    Integer(column, micros, out);
  }

  static void Double(const Column& column, double value, ByteBuffer* out) {
    ProtoSink::Double(column, value, out);
  }

  template <typename Scaled>
  static void Decimal(const Column& column, const Scaled& value, ByteBuffer* out) {
    char* begin = out->Reserve(kFixedBytes);
    char* length = Prefix(column, begin);
    const size_t size = WriteLittleEndian(value, length + 1);
    WriteAvroLong(static_cast<int64_t>(size), length);  // below 64: one byte
    std::reverse(length + 1, length + 1 + size);
    out->Advance(static_cast<size_t>(length - begin) + 1 + size);
  }

  static char* BeginText(const Column& column, size_t size, ByteBuffer* out) {
    char* begin = out->Reserve(kFixedBytes + size);
    char* at = WriteAvroLong(static_cast<int64_t>(size), Prefix(column, begin));
    out->Advance(static_cast<size_t>(at - begin) + size);
    return at;
  }
  static void Text(const Column& column, std::string_view text, ByteBuffer* out) {
    char* at = BeginText(column, text.size(), out);
    if (!text.empty()) std::memcpy(at, text.data(), text.size());
  }

  // One block of an array, then its end.
  static void Doubles(const Column& column, std::string_view floats, ByteBuffer* out) {
    const size_t count = floats.size() / 4;
    if (count == 0) return Null(column, out);
    char* begin = out->Reserve(kFixedBytes + count * 8 + 1);
    char* at = WriteAvroLong(static_cast<int64_t>(count), Prefix(column, begin));
    for (; floats.size() >= 4; floats.remove_prefix(4), at += 8) {
      float narrow;
      std::memcpy(&narrow, floats.data(), 4);
      const double value = narrow;
      std::memcpy(at, &value, 8);
    }
    *at++ = '\0';
    out->Advance(static_cast<size_t>(at - begin));
  }

 private:
  static constexpr size_t kFixedBytes = 4 + kMaxVarintBytes + 32;

  static char* Prefix(const Column& column, char* at) {
    std::memcpy(at, &column.prefix, sizeof(column.prefix));
    return at + column.prefix_size;
  }
};

}  // namespace hakobu
