// Which numbers of a JSON text BigQuery's JSON can hold.
#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "absl/strings/ascii.h"
#include "encode/json_check.h"

namespace hakobu {
namespace {

// As many significant digits survive text -> FLOAT64 -> text whatever they are (DBL_DIG), within the
// exponents of normal values.
constexpr size_t kSafeDigits = 15;
constexpr int64_t kSafeExponent = 290;

// 0.d1d2d3… x 10^exponent, without zeros at either end; zero has no digits.
struct DecimalForm {
  std::string digits;
  int64_t exponent = 0;
  bool operator==(const DecimalForm&) const = default;
};

// `text`: a JSON number, or what std::to_chars writes of a finite double; the sign is left out.
DecimalForm FormOf(std::string_view text) {
  DecimalForm form;
  if (text.starts_with('-')) text.remove_prefix(1);
  const size_t mark = std::min(text.find_first_of("eE"), text.size());
  int64_t power = 0;
  if (mark < text.size()) {
    std::string_view exponent = text.substr(mark + 1);
    if (exponent.starts_with('+')) exponent.remove_prefix(1);
    const auto [end, error] = std::from_chars(exponent.data(), exponent.data() + exponent.size(), power);
    // Beyond any FLOAT64; its sign is all that matters.
    if (error == std::errc::result_out_of_range) power = exponent.starts_with('-') ? INT32_MIN : INT32_MAX;
  }
  const std::string_view mantissa = text.substr(0, mark);
  const size_t point = std::min(mantissa.find('.'), mantissa.size());
  form.digits.reserve(mantissa.size());
  for (const char c : mantissa) {
    if (c != '.') form.digits += c;
  }
  const size_t zeros = std::min(form.digits.find_first_not_of('0'), form.digits.size());
  form.digits.erase(0, zeros);
  while (form.digits.ends_with('0')) form.digits.pop_back();
  if (!form.digits.empty()) form.exponent = power + static_cast<int64_t>(point) - static_cast<int64_t>(zeros);
  return form;
}

bool FitsInteger(std::string_view text) {
  const char* end = text.data() + text.size();
  if (text.starts_with('-')) {
    int64_t value;
    return std::from_chars(text.data(), end, value).ec == std::errc();
  }
  uint64_t value;
  return std::from_chars(text.data(), end, value).ec == std::errc();
}

bool IsWide(std::string_view number) {
  if (number.find_first_of(".eE") == std::string_view::npos) {
    return number.size() > 18 && !FitsInteger(number);
  }
  const DecimalForm form = FormOf(number);
  const bool safe = form.digits.size() <= kSafeDigits && std::abs(form.exponent) <= kSafeExponent;
  if (form.digits.empty() || safe) return false;
  double value;
  const auto [read, error] = std::from_chars(number.data(), number.data() + number.size(), value);
  if (error != std::errc()) return true;  // beyond FLOAT64, at either end
  std::array<char, 32> shortest;
  const auto [end, written] = std::to_chars(shortest.data(), shortest.data() + shortest.size(), value);
  return written != std::errc() ||
         FormOf({shortest.data(), static_cast<size_t>(end - shortest.data())}) != form;
}

// The end of a string that begins at `place`, behind its quote.
size_t SkipString(std::string_view text, size_t place) {
  while (++place < text.size() && text[place] != '"') {
    if (text[place] == '\\') ++place;
  }
  return place + 1;
}

bool IsOfNumber(char c) {
  return absl::ascii_isdigit(static_cast<unsigned char>(c)) || c == '.' || c == '-' || c == '+' || c == 'e' ||
         c == 'E';
}

}  // namespace

bool HasWideNumber(std::string_view text) {
  for (size_t place = 0; place < text.size();) {
    const char c = text[place];
    if (c == '"') {
      place = SkipString(text, place);
    } else if (c == '-' || absl::ascii_isdigit(static_cast<unsigned char>(c))) {
      size_t end = place + 1;
      while (end < text.size() && IsOfNumber(text[end])) ++end;
      // The shortest wide number has more digits than this, or an exponent.
      const std::string_view number = text.substr(place, end - place);
      if ((number.size() > kSafeDigits || number.find_first_of("eE") != std::string_view::npos) &&
          IsWide(number)) {
        return true;
      }
      place = end;
    } else {
      ++place;
    }
  }
  return false;
}

}  // namespace hakobu
