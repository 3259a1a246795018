// Strings, bytes, hashes and JSON scalars.
#include <farmhash.h>
#include <fmt/format.h>
#include <openssl/sha.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <nlohmann/json.hpp>
#include <numeric>
#include <vector>

#include "localbq/sql/lexer.h"
#include "localbq/sql/scalar_function.h"

namespace hakobu::localbq::sql {
namespace {

using Json = nlohmann::json;

bool IsContinuation(char c) {
  return (static_cast<unsigned char>(c) & 0xC0) == 0x80;
}

std::vector<uint32_t> CodePoints(std::string_view text) {
  std::vector<uint32_t> points;
  for (const char c : text) {
    if (IsContinuation(c) && !points.empty()) {
      points.back() = points.back() << 6 | (static_cast<unsigned char>(c) & 0x3fu);
    } else {
      points.push_back(static_cast<unsigned char>(c));
    }
  }
  return points;
}

// Levenshtein's, in characters: one row of the table at a time.
void EditDistance(Row& row) {
  const std::vector<uint32_t> from = CodePoints(row.Text(0)), to = CodePoints(row.Text(1));
  std::vector<int64_t> distances(to.size() + 1);
  std::iota(distances.begin(), distances.end(), 0);
  for (size_t i = 0; i < from.size(); ++i) {
    int64_t diagonal = distances[0]++;
    for (size_t j = 0; j < to.size(); ++j) {
      const int64_t replaced = diagonal + (from[i] == to[j] ? 0 : 1);
      diagonal = distances[j + 1];
      distances[j + 1] = std::min({replaced, diagonal + 1, distances[j] + 1});
    }
  }
  row.Set(distances.back());
}

int64_t Fingerprint(std::string_view bytes) {
  return static_cast<int64_t>(util::Fingerprint64(bytes.data(), bytes.size()));
}

// [begin, end) of the part that SUBSTR(value of `length`, position, count) takes; false: negative count.
bool Part(int64_t length, int64_t position, int64_t count, int64_t* begin, int64_t* end) {
  if (count < 0) return false;
  int64_t start = position > 0 ? position - 1 : position == 0 ? 0 : std::max<int64_t>(0, length + position);
  *begin = std::min(start, length);
  *end = count > length - *begin ? length : *begin + count;
  return true;
}

void Substring(Row& row) {
  std::string_view text = row.Text(0);
  int64_t length = 0, begin, end;
  for (char c : text) length += !IsContinuation(c);
  if (!Part(length, row.Get<int64_t>(1), row.Get<int64_t>(2), &begin, &end)) {
    return row.Fail("Third argument in SUBSTR() cannot be negative");
  }
  size_t from = text.size(), to = text.size();
  int64_t character = -1;
  for (size_t i = 0; i < text.size(); ++i) {
    if (IsContinuation(text[i])) continue;
    ++character;
    if (character == begin) from = i;
    if (character == end) to = i;
  }
  row.SetText(text.substr(from, to - from));
}

void Subbytes(Row& row) {
  std::string_view bytes = row.Text(0);
  int64_t begin, end;
  if (!Part(static_cast<int64_t>(bytes.size()), row.Get<int64_t>(1), row.Get<int64_t>(2), &begin, &end)) {
    return row.Fail("Third argument in SUBSTR() cannot be negative");
  }
  row.SetText(bytes.substr(static_cast<size_t>(begin), static_cast<size_t>(end - begin)));
}

void BoolOfText(Row& row) {
  std::string lower = Lower(row.Text(0));
  if (lower != "true" && lower != "false") return row.Fail(fmt::format("Bad bool value: {}", row.Text(0)));
  row.Set(lower == "true");
}

// Length of the valid UTF-8 character at the front; 0: none.
size_t CharacterLength(std::string_view bytes) {
  auto at = [&](size_t i) { return static_cast<unsigned char>(bytes[i]); };
  unsigned char lead = at(0);
  size_t length = lead < 0x80                   ? 1
                  : lead >= 0xC2 && lead < 0xE0 ? 2
                  : (lead & 0xF0) == 0xE0       ? 3
                  : lead >= 0xF0 && lead < 0xF5 ? 4
                                                : 0;
  if (length == 0 || bytes.size() < length) return 0;
  for (size_t i = 1; i < length; ++i) {
    if ((at(i) & 0xC0) != 0x80) return 0;
  }
  if ((lead == 0xE0 && at(1) < 0xA0) || (lead == 0xED && at(1) > 0x9F) || (lead == 0xF0 && at(1) < 0x90) ||
      (lead == 0xF4 && at(1) > 0x8F)) {
    return 0;
  }
  return length;
}

void SafeText(Row& row) {
  std::string_view bytes = row.Text(0);
  std::string out;
  while (!bytes.empty()) {
    size_t length = CharacterLength(bytes);
    out += length == 0 ? std::string_view("\xEF\xBF\xBD") : bytes.substr(0, length);
    bytes.remove_prefix(length == 0 ? 1 : length);
  }
  row.SetText(out);
}

void Sha512(Row& row) {
  std::string_view bytes = row.Text(0);
  unsigned char digest[SHA512_DIGEST_LENGTH];
  SHA512(reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size(), digest);
  row.SetText({reinterpret_cast<const char*>(digest), sizeof digest});
}

void ParseJson(Row& row) {
  // Checked here, kept as written but for spaces between tokens: digits of numbers stay.
  std::string_view text = row.Text(0);
  if (!Json::accept(text))
    return row.Fail(fmt::format("Invalid input to PARSE_JSON: syntax error in {}", text.substr(0, 80)));
  std::string out;
  bool quoted = false;
  for (size_t i = 0; i < text.size(); ++i) {
    char c = text[i];
    if (!quoted && (c == ' ' || c == '\t' || c == '\n' || c == '\r')) continue;
    out += c;
    if (quoted && c == '\\') {
      out += text[++i];
    } else if (c == '"') {
      quoted = !quoted;
    }
  }
  row.SetText(out);
}

Json JsonAt(const Row& row) {
  return Json::parse(row.Text(0), nullptr, false);
}

void JsonInt64(Row& row) {
  Json json = JsonAt(row);
  if (json.is_number_unsigned() && json.get<uint64_t>() <= INT64_MAX) return row.Set(json.get<int64_t>());
  if (json.is_number_integer() && !json.is_number_unsigned()) return row.Set(json.get<int64_t>());
  if (json.is_number_float()) {
    double value = json.get<double>();
    if (value == std::floor(value) && std::abs(value) < 9.2e18) return row.Set(static_cast<int64_t>(value));
  }
  row.Fail("The provided JSON input is not an integer");
}

void JsonType(Row& row) {
  Json json = JsonAt(row);
  row.SetText(json.is_null()      ? "null"
              : json.is_boolean() ? "boolean"
              : json.is_number()  ? "number"
              : json.is_string()  ? "string"
              : json.is_array()   ? "array"
                                  : "object");
}

}  // namespace

const ScalarFunction kTextFunctions[] = {
    {"bq_edit_distance", "ISS", EditDistance},
    {"bq_substr", "SSII", Substring},
    {"bq_substr_bytes", "YYII", Subbytes},
    {"bq_bool", "BS", BoolOfText},
    {"bq_safe_text", "SY", SafeText},
    {"bq_sha512", "YY", Sha512},
    {"bq_farm_fingerprint", "IY", [](Row& row) { row.Set(Fingerprint(row.Text(0))); }},
    {"bq_parse_json_text", "SS", ParseJson},
    {"bq_json_bool", "BS",
     [](Row& row) {
       Json json = JsonAt(row);
       if (!json.is_boolean()) return row.Fail("The provided JSON input is not a boolean");
       row.Set(json.get<bool>());
     }},
    {"bq_json_int64", "IS", JsonInt64},
    {"bq_json_float64", "FS",
     [](Row& row) {
       Json json = JsonAt(row);
       if (!json.is_number()) return row.Fail("The provided JSON input is not a number");
       row.Set(json.get<double>());
     }},
    {"bq_json_string", "SS",
     [](Row& row) {
       Json json = JsonAt(row);
       if (!json.is_string()) return row.Fail("The provided JSON input is not a string");
       row.SetText(json.get<std::string>());
     }},
    {"bq_json_type", "SS", JsonType},
};
const size_t kTextFunctionCount = std::size(kTextFunctions);

}  // namespace hakobu::localbq::sql
