#include "localbq/sql/farm_fingerprint.h"

#include <bit>
#include <cstring>
#include <utility>

namespace hakobu::localbq::sql {
namespace {

constexpr uint64_t kPrime0 = 0xc3a5c85c97cb3127, kPrime1 = 0xb492b66fbe98f273, kPrime2 = 0x9ae16a3b2f90404f;

template <typename T>
uint64_t Fetch(const char* from) {
  T value;
  std::memcpy(&value, from, sizeof value);
  return value;
}
uint64_t Word(const char* from) {
  return Fetch<uint64_t>(from);
}
uint64_t Half(const char* from) {
  return Fetch<uint32_t>(from);
}
uint64_t Mix(uint64_t value) {
  return value ^ (value >> 47);
}

uint64_t Fold(uint64_t u, uint64_t v, uint64_t multiplier) {
  uint64_t a = Mix((u ^ v) * multiplier);
  return Mix((v ^ a) * multiplier) * multiplier;
}

uint64_t UpTo16(const char* s, size_t n) {
  uint64_t multiplier = kPrime2 + n * 2;
  if (n >= 8) {
    uint64_t a = Word(s) + kPrime2, b = Word(s + n - 8);
    return Fold(std::rotr(b, 37) * multiplier + a, (std::rotr(a, 25) + b) * multiplier, multiplier);
  }
  if (n >= 4) return Fold(n + (Half(s) << 3), Half(s + n - 4), multiplier);
  if (n == 0) return kPrime2;
  auto byte = [&](size_t at) { return static_cast<uint32_t>(static_cast<uint8_t>(s[at])); };
  uint32_t y = byte(0) + (byte(n >> 1) << 8);
  uint32_t z = static_cast<uint32_t>(n) + (byte(n - 1) << 2);
  return Mix(y * kPrime2 ^ z * kPrime0) * kPrime2;
}

uint64_t UpTo32(const char* s, size_t n) {
  uint64_t multiplier = kPrime2 + n * 2;
  uint64_t a = Word(s) * kPrime1, b = Word(s + 8), c = Word(s + n - 8) * multiplier,
           d = Word(s + n - 16) * kPrime2;
  return Fold(std::rotr(a + b, 43) + std::rotr(c, 30) + d, a + std::rotr(b + kPrime2, 18) + c, multiplier);
}

uint64_t UpTo64(const char* s, size_t n) {
  uint64_t multiplier = kPrime2 + n * 2;
  uint64_t a = Word(s) * kPrime2, b = Word(s + 8), c = Word(s + n - 8) * multiplier,
           d = Word(s + n - 16) * kPrime2;
  uint64_t y = std::rotr(a + b, 43) + std::rotr(c, 30) + d;
  uint64_t z = Fold(y, a + std::rotr(b + kPrime2, 18) + c, multiplier);
  uint64_t e = Word(s + 16) * multiplier, f = Word(s + 24);
  uint64_t g = (y + Word(s + n - 32)) * multiplier, h = (z + Word(s + n - 24)) * multiplier;
  return Fold(std::rotr(e + f, 43) + std::rotr(g, 30) + h, e + std::rotr(f + a, 18) + g, multiplier);
}

using Pair = std::pair<uint64_t, uint64_t>;

Pair Weak(const char* s, uint64_t a, uint64_t b) {
  a += Word(s);
  b = std::rotr(b + a + Word(s + 24), 21);
  uint64_t c = a;
  a += Word(s + 8) + Word(s + 16);
  b += std::rotr(a, 44);
  return {a + Word(s + 24), b + c};
}

}  // namespace

uint64_t FarmFingerprint(std::string_view bytes) {
  const char* s = bytes.data();
  size_t n = bytes.size();
  if (n <= 16) return UpTo16(s, n);
  if (n <= 32) return UpTo32(s, n);
  if (n <= 64) return UpTo64(s, n);
  uint64_t x = 81, y = 81 * kPrime1 + 113, z = Mix(y * kPrime2 + 113) * kPrime2;
  Pair v{0, 0}, w{0, 0};
  x = x * kPrime2 + Word(s);
  const char* end = s + (n - 1) / 64 * 64;
  const char* last = end + ((n - 1) & 63) - 63;
  do {
    x = std::rotr(x + y + v.first + Word(s + 8), 37) * kPrime1;
    y = std::rotr(y + v.second + Word(s + 48), 42) * kPrime1;
    x ^= w.second;
    y += v.first + Word(s + 40);
    z = std::rotr(z + w.first, 33) * kPrime1;
    v = Weak(s, v.second * kPrime1, x + w.first);
    w = Weak(s + 32, z + w.second, y + Word(s + 16));
    std::swap(z, x);
    s += 64;
  } while (s != end);
  uint64_t multiplier = kPrime1 + ((z & 0xff) << 1);
  s = last;
  w.first += (n - 1) & 63;
  v.first += w.first;
  w.first += v.first;
  x = std::rotr(x + y + v.first + Word(s + 8), 37) * multiplier;
  y = std::rotr(y + v.second + Word(s + 48), 42) * multiplier;
  x ^= w.second * 9;
  y += v.first * 9 + Word(s + 40);
  z = std::rotr(z + w.first, 33) * multiplier;
  v = Weak(s, v.second * multiplier, x + w.first);
  w = Weak(s + 32, z + w.second, y + Word(s + 16));
  std::swap(z, x);
  return Fold(Fold(v.first, w.first, multiplier) + Mix(y) * kPrime0 + z,
              Fold(v.second, w.second, multiplier) + x, multiplier);
}

}  // namespace hakobu::localbq::sql
