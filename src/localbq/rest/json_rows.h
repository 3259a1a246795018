// Rows as JSON objects, for insertAll and NDJSON loads. Numbers keep the digits they were written with.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "localbq/rest/row_filler.h"

namespace hakobu::localbq::rest {

// A parsed JSON value. Numbers and strings are their text; true and false are "true" and "false".
struct JsonValue {
  enum class Kind : uint8_t { kNull, kBool, kNumber, kString, kArray, kObject };
  Kind kind = Kind::kNull;
  std::string text;
  std::vector<JsonValue> elements;
  std::vector<std::pair<std::string, JsonValue>> members;

  const JsonValue* Find(std::string_view name) const;  // exactly
  std::string ToText() const;                          // as JSON, compact
};

// False: `error` says where it stops being JSON.
bool ParseJson(std::string_view text, JsonValue* value, std::string* error);

enum class UnknownFields : uint8_t { kRefuse, kIgnore };
// How a JSON column takes a string: as JSON text (insertAll), or as the string it is (loads).
enum class JsonStrings : uint8_t { kAreText, kAreValues };

struct RowProblem {
  std::string location;  // the column's path; empty: the row
  std::string message;
};

// Stores `row` into the filler's current slot. Every problem of the row is told; with one, the row is not
// complete.
void StoreJsonRow(const JsonValue& row, RowFiller* filler, UnknownFields unknown, JsonStrings strings,
                  std::vector<RowProblem>* problems);

}  // namespace hakobu::localbq::rest
