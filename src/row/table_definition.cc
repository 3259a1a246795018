#include "row/table_definition.h"

#include <tuple>
#include <utility>

namespace hakobu {
namespace {

// The index as a key, where every part is a whole column that is NOT NULL.
std::optional<SourceKey> AsKey(const SourceTable& table, const TableIndex& index) {
  if (!index.unique || index.parts.empty()) return std::nullopt;
  // An index that the optimizer must not use cannot be forced either.
  if (index.hash || (!index.visible && !index.primary())) return std::nullopt;
  SourceKey key{index.name, {}, index.primary()};
  for (const IndexPart& part : index.parts) {
    size_t place = 0;
    while (place < table.columns.size() && table.columns[place].name != part.column) ++place;
    if (part.column.empty() || place == table.columns.size()) return std::nullopt;
    if (table.columns[place].nullable || (part.prefix != 0 && !key.primary)) return std::nullopt;
    key.columns.push_back(place);
  }
  return key;
}

bool Better(const SourceTable& table, const SourceKey& a, const SourceKey& b) {
  const auto rank = [&table](const SourceKey& key) {
    const bool integer = table.columns[key.columns[0]].type <= SourceType::kBigInt;
    return std::make_tuple(!key.primary, key.columns.size(), !integer, std::string_view(key.name));
  };
  return rank(a) < rank(b);
}

}  // namespace

std::optional<SourceKey> ChooseKey(const SourceTable& table, const std::vector<TableIndex>& indexes) {
  std::optional<SourceKey> chosen;
  for (const TableIndex& index : indexes) {
    std::optional<SourceKey> key = AsKey(table, index);
    if (key && (!chosen || Better(table, *key, *chosen))) chosen = std::move(key);
  }
  return chosen;
}

}  // namespace hakobu
