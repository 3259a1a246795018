#include "encode/number_text.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>

namespace hakobu {
namespace {

// "1e+20" -> "1e20", "1e-07" -> "1e-7".
char* ShortenExponent(char* begin, char* end) {
  char* e = std::find(begin, end, 'e');
  if (e == end) return end;
  char* from = e + 1;
  char* to = e + 1;
  if (*from == '-') {
    ++from;
    ++to;
  } else if (*from == '+') {
    ++from;
  }
  while (from + 1 < end && *from == '0') ++from;
  return std::copy(from, end, to);
}

}  // namespace

char* WriteDouble(double value, char* out) {
  return ShortenExponent(out, std::to_chars(out, out + 32, value).ptr);
}

char* WriteFloat(float value, char* out) {
  return ShortenExponent(out, std::to_chars(out, out + 32, value).ptr);
}

void AppendDouble(double value, std::string* out) {
  std::array<char, 32> text;
  out->append(text.data(), WriteDouble(value, text.data()));
}

void AppendVector(std::string_view floats, std::string* out) {
  *out += '[';
  for (size_t at = 0; at + 4 <= floats.size(); at += 4) {
    if (at > 0) *out += ',';
    float value;
    std::memcpy(&value, floats.data() + at, 4);
    std::array<char, 32> text;
    out->append(text.data(), WriteFloat(value, text.data()));
  }
  *out += ']';
}

}  // namespace hakobu
