#include "localbq/storage_api/text_check.h"

#include <simdjson.h>

#include <charconv>
#include <cstdint>
#include <cstring>
#include <vector>

namespace hakobu::localbq {
namespace {

class JsonChecker {
 public:
  explicit JsonChecker(std::string_view text) : at_(text.data()), end_(at_ + text.size()) {}
  bool Check() { return Value(0) && (Blanks(), at_ == end_); }

 private:
  static constexpr int kMaxDepth = 500;
  void Blanks() {
    while (at_ != end_ && (*at_ == ' ' || *at_ == '\t' || *at_ == '\n' || *at_ == '\r')) ++at_;
  }
  bool Take(char c) {
    if (at_ == end_ || *at_ != c) return false;
    ++at_;
    return true;
  }
  bool Word(std::string_view word) {
    if (static_cast<size_t>(end_ - at_) < word.size() || std::memcmp(at_, word.data(), word.size()) != 0)
      return false;
    at_ += word.size();
    return true;
  }
  bool Digits() {
    const char* start = at_;
    while (at_ != end_ && *at_ >= '0' && *at_ <= '9') ++at_;
    return at_ != start;
  }
  bool Number() {
    Take('-');
    if (!Take('0') && !Digits()) return false;
    if (Take('.') && !Digits()) return false;
    if (Take('e') || Take('E')) {
      if (!Take('+')) Take('-');
      return Digits();
    }
    return true;
  }
  bool Hex4() {
    for (int i = 0; i < 4; ++i, ++at_) {
      if (at_ == end_) return false;
      const char c = *at_;
      if (!((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'))) return false;
    }
    return true;
  }
  bool String() {
    if (!Take('"')) return false;
    while (at_ != end_) {
      const char c = *at_++;
      if (c == '"') return true;
      if (static_cast<uint8_t>(c) < 0x20) return false;
      if (c != '\\') continue;
      if (at_ == end_) return false;
      const char escape = *at_++;
      if (escape == 'u' ? !Hex4() : std::strchr("\"\\/bfnrt", escape) == nullptr || escape == '\0')
        return false;
    }
    return false;
  }
  bool Object(int depth) {
    if (Blanks(), Take('}')) return true;
    do {
      if (Blanks(), !String()) return false;
      if (Blanks(), !Take(':')) return false;
      if (!Value(depth)) return false;
      Blanks();
    } while (Take(','));
    return Take('}');
  }
  bool Array(int depth) {
    if (Blanks(), Take(']')) return true;
    do {
      if (!Value(depth)) return false;
      Blanks();
    } while (Take(','));
    return Take(']');
  }
  bool Value(int depth) {
    Blanks();
    if (at_ == end_ || depth > kMaxDepth) return false;
    switch (*at_) {
      case '{':
        return ++at_, Object(depth + 1);
      case '[':
        return ++at_, Array(depth + 1);
      case '"':
        return String();
      case 't':
        return Word("true");
      case 'f':
        return Word("false");
      case 'n':
        return Word("null");
      default:
        return Number();
    }
  }

  const char* at_;
  const char* end_;
};

}  // namespace

bool IsUtf8(std::string_view bytes) {
  const char* at = bytes.data();
  const char* const end = at + bytes.size();
  for (uint64_t word; end - at >= 8; at += 8) {
    std::memcpy(&word, at, 8);
    if ((word & 0x8080808080808080ULL) != 0) break;
  }
  while (at != end && static_cast<uint8_t>(*at) < 0x80) ++at;
  return at == end || simdjson::validate_utf8(at, static_cast<size_t>(end - at));
}

bool IsJson(std::string_view text) {
  return JsonChecker(text).Check();
}

std::string_view FindWideNumber(std::string_view json) {
  const auto is_number = [](char c) {
    return (c >= '0' && c <= '9') || c == '-' || c == '+' || c == '.' || c == 'e' || c == 'E';
  };
  for (size_t at = 0; at < json.size(); ++at) {
    if (json[at] == '"') {
      for (++at; at < json.size() && json[at] != '"'; ++at) at += json[at] == '\\' ? 1 : 0;
      continue;
    }
    if (json[at] != '-' && (json[at] < '0' || json[at] > '9')) continue;
    size_t end = at;
    while (end < json.size() && is_number(json[end])) ++end;
    const std::string_view number = json.substr(at, end - at);
    at = end - 1;
    if (number.find_first_of(".eE") != std::string_view::npos) continue;
    int64_t narrow = 0;
    uint64_t wide = 0;
    const char* const last = number.data() + number.size();
    const bool fits = std::from_chars(number.data(), last, narrow).ec == std::errc() ||
                      std::from_chars(number.data(), last, wide).ec == std::errc();
    if (!fits) return number;
  }
  return {};
}

}  // namespace hakobu::localbq
