#include "delivery/tenants/tenant_keys.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "base/escape.h"
#include "base/status.h"
#include "config/value.h"
#include "row/name_fold.h"

namespace hakobu {
namespace {

constexpr size_t kLongestName = 60;

bool HasOneText(SourceType type) {
  switch (type) {
    case SourceType::kTinyInt:
    case SourceType::kSmallInt:
    case SourceType::kMediumInt:
    case SourceType::kInt:
    case SourceType::kBigInt:
    case SourceType::kChar:
    case SourceType::kVarchar:
    case SourceType::kEnum:
      return true;
    default:
      return false;
  }
}

}  // namespace

absl::StatusOr<size_t> FindTenantColumn(const SourceTable& table, std::string_view column) {
  const std::string name = fmt::format("{}.{}", table.database, table.name);
  const auto found = std::find_if(table.columns.begin(), table.columns.end(),
                                  [&](const SourceColumn& each) { return SameName(each.name, column); });
  if (found == table.columns.end()) {
    std::vector<std::string> names;
    for (const SourceColumn& each : table.columns) names.push_back(each.name);
    return WithHint(
        absl::InvalidArgumentError(
            fmt::format("{}: expected the tenant column `{}`, found no such column", name, column)),
        names.empty() ? "" : "name the entry's own with tenant_column; " + DidYouMean(column, names));
  }
  if (HasOneText(found->type)) return static_cast<size_t>(found - table.columns.begin());
  return WithHint(absl::InvalidArgumentError(fmt::format(
                      "{}: expected an integer, CHAR, VARCHAR or ENUM as tenant column, found `{}` {}", name,
                      column, found->declared)),
                  "values of other types have more than one text");
}

std::string_view KeyText(const Cell& cell, std::array<char, 24>* digits) {
  if (IsText(cell.kind)) return cell.text();
  char* const begin = digits->data();
  char* const end = begin + digits->size();
  const std::to_chars_result result = cell.kind == CellKind::kUInt64
                                          ? std::to_chars(begin, end, cell.unsigned_integer)
                                          : std::to_chars(begin, end, cell.integer);
  return {begin, static_cast<size_t>(result.ptr - begin)};
}

void NobodyRows::AddUnknown(std::string_view value) {
  ++unknown_rows;
  std::string shown = EscapeControl(value.substr(0, kLongestName));
  if (value.size() > kLongestName) shown += "…";
  const auto found = values.find(shown);
  if (found != values.end()) {
    ++found->second;
  } else if (values.size() < kMostNames) {
    values.emplace(std::move(shown), 1);
  }
}

void NobodyRows::Add(const NobodyRows& other) {
  null_rows += other.null_rows;
  unknown_rows += other.unknown_rows;
  for (const auto& [value, rows] : other.values) {
    if (values.contains(value) || values.size() < kMostNames) values[value] += rows;
  }
}

absl::Status TenantKeys::Add(std::string value, uint32_t tenant) {
  const auto [other, is_new] = tenants_.emplace(std::move(value), tenant);
  if (is_new || other->second == tenant) return absl::OkStatus();
  return absl::FailedPreconditionError(fmt::format("the value \"{}\" belongs to two tenants", other->first));
}

}  // namespace hakobu
