// A cursor over borrowed bytes that never reads past its end: a short input sets failed() and reads as zeros,
// so that a decoder checks once, after a group of reads.
#pragma once

#include <cstdint>
#include <cstring>
#include <string_view>

namespace hakobu {

class ByteReader {
 public:
  explicit ByteReader(std::string_view bytes)
      : begin_(bytes.data()), at_(bytes.data()), end_(at_ + bytes.size()) {}

  bool failed() const { return failed_; }
  bool AtEnd() const { return at_ == end_; }
  size_t remaining() const { return static_cast<size_t>(end_ - at_); }
  size_t position() const { return static_cast<size_t>(at_ - begin_); }
  std::string_view Rest() const { return {at_, remaining()}; }

  std::string_view Take(size_t size) {
    if (size > remaining()) [[unlikely]]
      return Fail();
    const char* taken = at_;
    at_ += size;
    return {taken, size};
  }
  void Skip(size_t size) { (void)Take(size); }

  uint8_t U8() { return static_cast<uint8_t>(LittleEndian(1)); }
  uint16_t U16() { return static_cast<uint16_t>(LittleEndian(2)); }
  uint32_t U24() { return static_cast<uint32_t>(LittleEndian(3)); }
  uint32_t U32() { return static_cast<uint32_t>(LittleEndian(4)); }
  uint64_t U48() { return LittleEndian(6); }
  uint64_t U64() { return LittleEndian(8); }
  // size: 1..8 bytes.
  uint64_t LittleEndian(size_t size) {
    const std::string_view bytes = Take(size);
    uint64_t value = 0;
    if (!bytes.empty()) std::memcpy(&value, bytes.data(), bytes.size());
    return value;
  }
  uint64_t BigEndian(size_t size) {
    uint64_t value = 0;
    for (const char byte : Take(size)) value = value << 8 | static_cast<uint8_t>(byte);
    return value;
  }
  // MySQL's length-encoded integer; 0xfb (NULL) and 0xff (error) fail here, callers look at Peek() first.
  uint64_t LengthEncoded() {
    const uint8_t first = U8();
    if (first < 0xfb) return first;
    if (first == 0xfc) return U16();
    if (first == 0xfd) return U24();
    if (first == 0xfe) return U64();
    Fail();
    return 0;
  }
  // The next byte without taking it; 0 at the end.
  uint8_t Peek() const { return AtEnd() ? 0 : static_cast<uint8_t>(*at_); }

 private:
  std::string_view Fail() {
    failed_ = true;
    at_ = end_;
    return {};
  }

  const char* begin_;
  const char* at_;
  const char* end_;
  bool failed_ = false;
};

}  // namespace hakobu
