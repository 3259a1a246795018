// Tables that tools for online schema changes make beside the one they change, by name. Pure.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace hakobu {

struct HelperTable {
  std::string_view tool;  // "gh-ost"
  std::string parent;     // the table it belongs to; empty where the name alone tells
};

// Whether the database has a table of this name or, with `prefix`, one whose name begins so. A name that the
// configuration names exactly, and one that was just renamed away, count as there.
using TableExists = std::function<bool(std::string_view name, bool prefix)>;

// Names that no table of a person's has (`_t_gho`, `lhma_2026_01_31_…`) are told by themselves; names that
// one may have (`_t_old`) only where the table they would belong to exists. Names that a tool had to cut to
// 64 characters belong to a table that begins with what is left.
std::optional<HelperTable> HelperTableOf(std::string_view table, const TableExists& exists);

}  // namespace hakobu
