// A cursor over protobuf's wire format. A malformed input fails once and reads as zeros from there.
#pragma once

#include <cstdint>
#include <cstring>
#include <string_view>

namespace hakobu::localbq {

class WireReader {
 public:
  explicit WireReader(std::string_view bytes)
      : at_(reinterpret_cast<const uint8_t*>(bytes.data())), end_(at_ + bytes.size()) {}

  bool AtEnd() const { return at_ == end_; }
  bool failed() const { return failed_; }

  uint64_t Varint() {
    if (at_ != end_ && *at_ < 0x80) [[likely]]
      return *at_++;
    uint64_t value = 0;
    for (int shift = 0; shift < 70 && at_ != end_; shift += 7) {
      const uint64_t byte = *at_++;
      value |= (byte & 0x7f) << (shift & 63);
      if (byte < 0x80) return value;
    }
    return Fail();
  }
  uint32_t Fixed32() { return static_cast<uint32_t>(Fixed(4)); }
  uint64_t Fixed64() { return Fixed(8); }
  std::string_view Bytes() {
    const uint64_t size = Varint();
    if (size > static_cast<uint64_t>(end_ - at_)) [[unlikely]] {
      Fail();
      return {};
    }
    const std::string_view bytes(reinterpret_cast<const char*>(at_), size);
    at_ += size;
    return bytes;
  }
  // Passes over a value of the wire type, whole groups included.
  void Skip(uint32_t wire_type, uint32_t number, int depth = 0) {
    switch (wire_type) {
      case 0:
        Varint();
        return;
      case 1:
        Fixed64();
        return;
      case 2:
        Bytes();
        return;
      case 5:
        Fixed32();
        return;
      case 3: {
        while (!failed_ && !AtEnd() && depth < 100) {
          const uint64_t tag = Varint();
          if ((tag & 7) == 4) {
            if (tag >> 3 != number) Fail();
            return;
          }
          Skip(tag & 7, static_cast<uint32_t>(tag >> 3), depth + 1);
        }
        Fail();
        return;
      }
      default:
        Fail();
    }
  }

 private:
  uint64_t Fixed(size_t size) {
    if (static_cast<size_t>(end_ - at_) < size) [[unlikely]]
      return Fail();
    uint64_t value = 0;
    std::memcpy(&value, at_, size);
    at_ += size;
    return value;
  }
  uint64_t Fail() {
    failed_ = true;
    at_ = end_;
    return 0;
  }

  const uint8_t* at_;
  const uint8_t* end_;
  bool failed_ = false;
};

}  // namespace hakobu::localbq
