// Values that did not fit their BigQuery type, of one table: how many in each column, and the first of them
// by key.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace hakobu {

struct QuarantinedValue {
  std::string key;    // the row's key as SQL-like literals: "17, 'Osaka'"; "(no key)" for a table without one
  std::string value;  // as the server would print it, at most 100 characters; "(masked)" for a masked column
  std::string reason;  // verb phrase: "is no date", "is out of NUMERIC's range"
};

struct QuarantinedColumn {
  std::string column;  // the source's name
  uint64_t values = 0;
  std::vector<QuarantinedValue> first;  // at most Quarantine::kSamples, in the order seen
};

// Each encoding thread fills its own; Merge brings them together. Not thread-safe. Memory: bounded by the
// columns.
class Quarantine {
 public:
  static constexpr size_t kSamples = 10;

  // Counts one value. True while samples of the column are still wanted: then call Sample.
  bool Count(std::string_view column);
  void Sample(std::string_view column, QuarantinedValue value);
  void Merge(const Quarantine& other);
  // Forgets everything: for a chunk that is encoded again from its start.
  void Clear() { columns_.clear(); }

  uint64_t values() const;
  bool empty() const { return columns_.empty(); }
  // In the order first seen. Only columns with at least one value.
  const std::vector<QuarantinedColumn>& columns() const { return columns_; }

 private:
  QuarantinedColumn& Find(std::string_view column);

  std::vector<QuarantinedColumn> columns_;
};

}  // namespace hakobu
