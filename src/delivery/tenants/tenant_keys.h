// Whose a row is, by the value of the tenant column. Pure. docs/tenants.md states the rule.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/statusor.h"
#include "row/cell.h"
#include "row/source_table.h"

namespace hakobu {

// The place of the tenant column. InvalidArgument when there is none of the name, or when its values have no
// one text: integers, CHAR, VARCHAR and ENUM have.
absl::StatusOr<size_t> FindTenantColumn(const SourceTable& table, std::string_view column);

// A value as text: digits of a number, UTF-8 of a text. Points into the cell's text, or into `digits`.
std::string_view KeyText(const Cell& cell, std::array<char, 24>* digits);

// Rows that no tenant gets.
struct NobodyRows {
  static constexpr size_t kMostNames = 50;  // of values; further ones are counted together
  uint64_t null_rows = 0;
  uint64_t unknown_rows = 0;
  std::map<std::string, uint64_t> values;  // unknown ones, as they may be printed

  uint64_t rows() const { return null_rows + unknown_rows; }
  void AddUnknown(std::string_view value);
  void Add(const NobodyRows& other);
};

// Which tenant a value means: exactly the text that the configuration has, letter by letter.
class TenantKeys {
 public:
  static constexpr uint32_t kNone = UINT32_MAX;

  // FailedPrecondition when the value is another tenant's.
  absl::Status Add(std::string value, uint32_t tenant);
  uint32_t Find(std::string_view value) const {
    const auto found = tenants_.find(absl::string_view(value.data(), value.size()));
    return found == tenants_.end() ? kNone : found->second;
  }

 private:
  absl::flat_hash_map<std::string, uint32_t> tenants_;
};

}  // namespace hakobu
