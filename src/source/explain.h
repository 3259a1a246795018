// What the server says it would do with a SELECT, before it does it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "source/connection.h"

namespace hakobu {

struct Explained {
  std::string access;         // EXPLAIN's `type` for the table: "range", "ALL", "index" …
  std::string key;            // the index used; empty: none
  uint64_t rows = 0;          // estimated; 0 where the server knows that there is none
  bool sorts = false;         // "Using filesort" anywhere in the plan
  bool materialises = false;  // "Using temporary" anywhere in the plan
};

// `table`: whose line of the plan fills access, key and rows.
absl::StatusOr<Explained> Explain(Connection* connection, std::string_view select, std::string_view table);

}  // namespace hakobu
