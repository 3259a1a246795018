// What an ALTER TABLE did, column by column.
#include <algorithm>

#include "decode/ddl/table_editor.h"

namespace hakobu::ddl {
namespace {

ColumnEffect Effect(ColumnEffect::Kind kind, std::string_view name) {
  ColumnEffect effect;
  effect.kind = kind;
  effect.name = name;
  return effect;
}

// Of the columns that stayed, those outside the longest run that kept its order.
std::vector<bool> Moved(const std::vector<ColumnOrigin>& origins) {
  std::vector<size_t> stayed;
  for (size_t i = 0; i < origins.size(); ++i) {
    if (origins[i].before) stayed.push_back(i);
  }
  std::vector<size_t> length(stayed.size(), 1), previous(stayed.size(), stayed.size());
  size_t best = stayed.size();
  for (size_t i = 0; i < stayed.size(); ++i) {
    // Most lists kept their order: then the nearest is the best there can be.
    for (size_t j = i; j-- > 0;) {
      if (*origins[stayed[j]].before < *origins[stayed[i]].before && length[j] + 1 > length[i]) {
        length[i] = length[j] + 1;
        previous[i] = j;
        if (length[i] == i + 1) break;
      }
    }
    if (best == stayed.size() || length[i] > length[best]) best = i;
  }
  std::vector<bool> moved(origins.size(), false);
  for (const size_t place : stayed) moved[place] = true;
  for (size_t i = best; i < stayed.size(); i = previous[i]) moved[stayed[i]] = false;
  return moved;
}

}  // namespace

std::vector<ColumnEffect> CompareColumns(const std::vector<SourceColumn>& before,
                                         const std::vector<SourceColumn>& after,
                                         const std::vector<ColumnOrigin>& origins) {
  using Kind = ColumnEffect::Kind;
  std::vector<ColumnEffect> effects;
  std::vector<bool> kept(before.size(), false);
  for (const ColumnOrigin& origin : origins) {
    if (origin.before) kept[*origin.before] = true;
  }
  for (size_t i = 0; i < before.size(); ++i) {
    if (!kept[i]) effects.push_back(Effect(Kind::kDropped, before[i].name));
  }
  const std::vector<bool> moved = Moved(origins);
  for (size_t i = 0; i < after.size(); ++i) {
    const SourceColumn& column = after[i];
    if (!origins[i].before) {
      ColumnEffect added = Effect(Kind::kAdded, column.name);
      added.fill = origins[i].fill;
      added.constant = origins[i].constant;
      effects.push_back(std::move(added));
      continue;
    }
    const SourceColumn& old = before[*origins[i].before];
    if (column.name != old.name) {
      effects.push_back(Effect(Kind::kRenamed, column.name));
      effects.back().before = old.name;
    }
    if (column.declared != old.declared || column.type != old.type) {
      effects.push_back(Effect(Kind::kRetyped, column.name));
    }
    if (column.charset != old.charset) effects.push_back(Effect(Kind::kCharset, column.name));
    if (origins[i].recomputed) effects.push_back(Effect(Kind::kRecomputed, column.name));
    if (column.nullable != old.nullable) effects.push_back(Effect(Kind::kNullability, column.name));
    if (moved[i]) effects.push_back(Effect(Kind::kMoved, column.name));
  }
  return effects;
}

}  // namespace hakobu::ddl
