// What rows add up to, whatever the order they come in: two deliveries of a table with equal sums delivered
// the same rows.
#pragma once

#include <cstdint>
#include <string_view>

namespace hakobu {

struct ContentSum {
  uint64_t rows = 0;
  uint64_t sum = 0;  // of a 64-bit hash (XXH3) of each row's encoded bytes, modulo 2^64

  void Add(std::string_view row);
  void Add(const ContentSum& other) {
    rows += other.rows;
    sum += other.sum;
  }
  bool operator==(const ContentSum&) const = default;
};

}  // namespace hakobu
