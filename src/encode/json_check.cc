#include "encode/json_check.h"

#include <bitset>
#include <cstddef>

#include "absl/strings/ascii.h"

namespace hakobu {
namespace {

constexpr size_t kDeepestJson = 500;

class JsonChecker {
 public:
  explicit JsonChecker(std::string_view text) : rest_(text) {}

  bool Check() {
    bool value_wanted = true;
    while (true) {
      if (value_wanted) {
        SkipSpace();
        if (!Begin(&value_wanted)) return false;
        if (value_wanted) continue;
      }
      // A value has just ended.
      SkipSpace();
      if (depth_ == 0) return rest_.empty();
      if (Take(',')) {
        if (InObject() && !Name()) return false;
        value_wanted = true;
      } else if (Take(InObject() ? '}' : ']')) {
        --depth_;
      } else {
        return false;
      }
    }
  }

 private:
  bool InObject() const { return objects_[depth_ - 1]; }

  // Begins a value; `value_wanted` stays true when it was an opened container whose first value comes next.
  bool Begin(bool* value_wanted) {
    *value_wanted = false;
    if (rest_.empty()) return false;
    switch (rest_.front()) {
      case '{':
        return Open('}', true, value_wanted);
      case '[':
        return Open(']', false, value_wanted);
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

  bool Open(char close, bool object, bool* value_wanted) {
    if (depth_ == kDeepestJson) return false;
    rest_.remove_prefix(1);
    SkipSpace();
    if (Take(close)) return true;
    objects_[depth_++] = object;
    *value_wanted = true;
    return !object || Name();
  }

  bool Name() {
    SkipSpace();
    if (!String()) return false;
    SkipSpace();
    return Take(':');
  }

  bool String() {
    if (!Take('"')) return false;
    while (!rest_.empty()) {
      const char letter = rest_.front();
      rest_.remove_prefix(1);
      if (letter == '"') return true;
      if (static_cast<unsigned char>(letter) < 0x20) return false;
      if (letter == '\\' && !Escape()) return false;
    }
    return false;
  }

  bool Escape() {
    if (rest_.empty()) return false;
    const char letter = rest_.front();
    rest_.remove_prefix(1);
    if (letter != 'u') return std::string_view("\"\\/bfnrt").find(letter) != std::string_view::npos;
    if (rest_.size() < 4) return false;
    for (size_t i = 0; i < 4; ++i) {
      if (!absl::ascii_isxdigit(rest_[i])) return false;
    }
    rest_.remove_prefix(4);
    return true;
  }

  bool Number() {
    Take('-');
    if (Take('0')) {
      if (!rest_.empty() && absl::ascii_isdigit(rest_.front())) return false;
    } else if (!Digits()) {
      return false;
    }
    if (Take('.') && !Digits()) return false;
    if (Take('e') || Take('E')) {
      if (!Take('+')) Take('-');
      return Digits();
    }
    return true;
  }

  bool Digits() {
    size_t digits = 0;
    while (digits < rest_.size() && absl::ascii_isdigit(rest_[digits])) ++digits;
    rest_.remove_prefix(digits);
    return digits > 0;
  }

  bool Word(std::string_view word) {
    if (!rest_.starts_with(word)) return false;
    rest_.remove_prefix(word.size());
    return true;
  }
  bool Take(char letter) {
    if (rest_.empty() || rest_.front() != letter) return false;
    rest_.remove_prefix(1);
    return true;
  }
  void SkipSpace() {
    const size_t first = rest_.find_first_not_of(" \t\r\n");
    rest_.remove_prefix(first == std::string_view::npos ? rest_.size() : first);
  }

  std::string_view rest_;
  size_t depth_ = 0;
  std::bitset<kDeepestJson> objects_;
};

}  // namespace

bool IsJson(std::string_view text) {
  return JsonChecker(text).Check();
}

}  // namespace hakobu
