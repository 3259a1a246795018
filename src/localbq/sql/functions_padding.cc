// Functions whose result can be much longer than what they are given: bounded, as GoogleSQL bounds them.
#include <fmt/format.h>

#include <algorithm>

#include "localbq/sql/scalar_function.h"

namespace hakobu::localbq::sql {
namespace {

constexpr size_t kMostTextBytes = size_t{1} << 20;

bool IsInsideCharacter(char c) {
  return (static_cast<unsigned char>(c) & 0xC0) == 0x80;
}

size_t Characters(std::string_view text) {
  return static_cast<size_t>(
      std::count_if(text.begin(), text.end(), [](char c) { return !IsInsideCharacter(c); }));
}

// The first `count` characters.
std::string_view First(std::string_view text, size_t count) {
  for (size_t i = 0; i < text.size(); ++i) {
    if (IsInsideCharacter(text[i])) continue;
    if (count-- == 0) return text.substr(0, i);
  }
  return text;
}

void Refuse(Row& row, std::string_view function) {
  row.Fail(fmt::format("Output of {} exceeds max allowed output size of 1MB", function));
}

void Repeat(Row& row) {
  const std::string_view text = row.Text(0);
  const auto count = row.Get<int64_t>(1);
  if (count < 0) return row.Fail("REPEAT count cannot be negative");
  if (!text.empty() && static_cast<uint64_t>(count) > kMostTextBytes / text.size())
    return Refuse(row, "REPEAT");
  std::string result;
  result.reserve(text.size() * static_cast<size_t>(count));
  for (int64_t i = 0; i < count && !text.empty(); ++i) result += text;
  row.SetText(result);
}

// What stands before or behind `text` so that both have `length` characters; the text itself, cut, when it is
// longer.
bool Padding(Row& row, std::string_view function, std::string* padding, std::string_view* text) {
  *text = row.Text(0);
  const auto length = row.Get<int64_t>(1);
  const std::string_view pattern = row.Text(2);
  if (length < 0) {
    row.Fail(fmt::format("Second arg (output size) for {} cannot be negative", function));
    return false;
  }
  if (pattern.empty()) {
    row.Fail(fmt::format("Third arg (pad pattern) for {} cannot be empty", function));
    return false;
  }
  if (static_cast<uint64_t>(length) > kMostTextBytes) {
    Refuse(row, function);
    return false;
  }
  const size_t wanted = static_cast<size_t>(length), has = Characters(*text);
  if (has >= wanted) {
    *text = First(*text, wanted);
    return true;
  }
  const size_t missing = wanted - has, each = Characters(pattern);
  for (size_t i = 0; i < missing / each; ++i) *padding += pattern;
  *padding += First(pattern, missing % each);
  if (padding->size() + text->size() <= kMostTextBytes) return true;
  Refuse(row, function);
  return false;
}

void PadLeft(Row& row) {
  std::string padding;
  std::string_view text;
  if (Padding(row, "LPAD", &padding, &text)) row.SetText(padding.append(text));
}

void PadRight(Row& row) {
  std::string padding;
  std::string_view text;
  if (Padding(row, "RPAD", &padding, &text)) row.SetText(std::string(text) + padding);
}

void Replace(Row& row) {
  const std::string_view text = row.Text(0), from = row.Text(1), to = row.Text(2);
  if (from.empty()) return row.SetText(text);
  std::string result;
  size_t at = 0;
  for (size_t found = text.find(from); found != std::string_view::npos; found = text.find(from, at)) {
    result.append(text, at, found - at).append(to);
    at = found + from.size();
    if (result.size() > std::max(kMostTextBytes, text.size())) return Refuse(row, "REPLACE");
  }
  result.append(text, at);
  row.SetText(result);
}

}  // namespace

const ScalarFunction kPaddingFunctions[] = {{"bq_repeat", "SSI", Repeat},
                                            {"bq_lpad", "SSIS", PadLeft},
                                            {"bq_rpad", "SSIS", PadRight},
                                            {"bq_replace", "SSSS", Replace}};
const size_t kPaddingFunctionCount = std::size(kPaddingFunctions);

}  // namespace hakobu::localbq::sql
