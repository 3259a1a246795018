#include "config/helper_tables.h"

#include <algorithm>
#include <array>
#include <cctype>

namespace hakobu {
namespace {

constexpr size_t kLongestName = 64;  // characters; what tools cut, they cut in bytes or characters

struct NamePattern {
  std::string_view tool;
  std::string_view prefix;
  std::string_view suffix;
  bool unmistakable;
};

// gh-ost: go/base/context.go; Bytebase's gh-ost begins with `~` and ends with a number.
// pt-online-schema-change:
// --new-table-name, up to ten `_` before it. Spirit: pkg/migration. Large Hadron Migrator: lib/lhm/table.rb.
// OSC: facebookincubator/OnlineSchemaChange. openark kit: oak-online-alter-table.
constexpr std::array<NamePattern, 18> kPatterns = {{
    {"gh-ost", "_", "_gho", true},
    {"gh-ost", "_", "_ghc", true},
    {"gh-ost", "_", "_del", false},
    {"gh-ost", "~", "_gho", true},
    {"gh-ost", "~", "_ghc", true},
    {"gh-ost", "~", "_del", false},
    {"pt-online-schema-change or Spirit", "_", "_new", false},
    {"pt-online-schema-change or Spirit", "_", "_old", false},
    {"Spirit", "_", "_chkpnt", false},
    {"Large Hadron Migrator", "lhmn_", "", false},
    {"OnlineSchemaChange", "__osc_new_", "", true},
    {"OnlineSchemaChange", "__osc_chg_", "", true},
    {"OnlineSchemaChange", "__osc_old_", "", true},
    {"oak-online-alter-table", "__oak_", "", false},
    {"oak-online-alter-table", "__arc_", "", false},
    {"the server's own ALTER TABLE", "#sql", "", true},
    {"the server's own ALTER TABLE", "#mysql50##sql", "", true},
    {"Spirit", "_spirit_", "", true},
}};

bool IsDigits(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

// `9` stands for a digit, `x` for one of hexadecimal in lower case, all else for itself.
bool HasShape(std::string_view text, std::string_view shape) {
  if (text.size() < shape.size()) return false;
  for (size_t i = 0; i < shape.size(); ++i) {
    const auto c = static_cast<unsigned char>(text[i]);
    const bool fits = shape[i] == '9'   ? std::isdigit(c) != 0
                      : shape[i] == 'x' ? std::isdigit(c) != 0 || (c >= 'a' && c <= 'f')
                                        : text[i] == shape[i];
    if (!fits) return false;
  }
  return true;
}

// The parent that `name` would have; empty when there is none. A number that a tool puts before its suffix
// (gh-ost --timestamp-old-table, Bytebase) or after it (Spirit) is not the parent's.
std::string_view WithoutNumber(std::string_view name) {
  const size_t cut = name.find_last_of('_');
  if (cut == std::string_view::npos || cut == 0 || !IsDigits(name.substr(cut + 1))) return {};
  return name.substr(0, cut);
}

size_t Characters(std::string_view text) {
  return static_cast<size_t>(std::count_if(
      text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }));
}

std::optional<HelperTable> OfParent(std::string_view tool, std::string_view table, std::string_view parent,
                                    const TableExists& exists) {
  if (parent.empty()) return std::nullopt;
  const auto found = [&](std::string_view name) { return HelperTable{tool, std::string(name)}; };
  if (exists(parent, false)) return found(parent);
  if (const std::string_view shorter = WithoutNumber(parent); !shorter.empty() && exists(shorter, false))
    return found(shorter);
  const bool cut = Characters(table) == kLongestName || table.size() == kLongestName;
  if (cut && exists(parent, true)) return found(parent);
  return std::nullopt;
}

std::optional<HelperTable> Matches(const NamePattern& pattern, std::string_view table,
                                   const TableExists& exists) {
  std::string_view parent = table;
  if (!parent.starts_with(pattern.prefix) || !parent.ends_with(pattern.suffix) ||
      parent.size() <= pattern.prefix.size() + pattern.suffix.size())
    return std::nullopt;
  parent.remove_prefix(pattern.prefix.size());
  parent.remove_suffix(pattern.suffix.size());
  // pt-online-schema-change puts more `_` before the name until it is free.
  for (int more = 0; more < 10; ++more) {
    if (const auto found = OfParent(pattern.tool, table, parent, exists)) return found;
    if (pattern.prefix != "_" || !parent.starts_with('_')) break;
    parent.remove_prefix(1);
  }
  if (pattern.unmistakable) return HelperTable{pattern.tool, ""};
  return std::nullopt;
}

// Vitess' table lifecycle: `_vt_HOLD_<uuid>_<time>`, `_vt_hld_<uuid>_<time>_`, `_<uuid>_<time>_vrepl`.
std::optional<HelperTable> OfVitess(std::string_view table) {
  constexpr std::string_view kUuid = "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx_99999999999999";
  constexpr std::string_view kSpelledUuid = "xxxxxxxx_xxxx_xxxx_xxxx_xxxxxxxxxxxx_99999999999999_";
  for (const std::string_view kind :
       {"hld", "prg", "evc", "drp", "vrp", "gho", "ghc", "del", "HOLD", "PURGE", "EVAC", "DROP"}) {
    const std::string prefix = "_vt_" + std::string(kind) + "_";
    if (table.starts_with(prefix) && HasShape(table.substr(prefix.size()), kUuid))
      return HelperTable{"Vitess", ""};
  }
  if (table.starts_with('_') && HasShape(table.substr(1), kSpelledUuid)) return HelperTable{"Vitess", ""};
  return std::nullopt;
}

// `lhma_2026_01_31_23_59_59_999_members`
std::optional<HelperTable> OfLhmArchive(std::string_view table) {
  if (!HasShape(table, "lhma_9999_99_99_99_99_99_")) return std::nullopt;
  return HelperTable{"Large Hadron Migrator", ""};
}

// Spirit keeps `_members_old_20260131_235959`; DMS of Alibaba makes `tp_123_ogt_members`, `_ogl_` and
// `_del_`.
std::optional<HelperTable> OfNumbered(std::string_view table, const TableExists& exists) {
  if (const size_t old = table.rfind("_old_");
      table.starts_with('_') && old != std::string_view::npos && old > 1) {
    const std::string_view time = table.substr(old + 5);
    if (HasShape(time, "99999999_999999") && time.size() == 15)
      return OfParent("Spirit", table, table.substr(1, old - 1), exists);
  }
  if (!table.starts_with("tp_")) return std::nullopt;
  const size_t end = table.find('_', 3);
  if (end == std::string_view::npos || !IsDigits(table.substr(3, end - 3))) return std::nullopt;
  for (const std::string_view kind : {"_ogt_", "_ogl_", "_del_"}) {
    if (table.substr(end).starts_with(kind))
      return OfParent("Data Management Service", table, table.substr(end + kind.size()), exists);
  }
  return std::nullopt;
}

}  // namespace

std::optional<HelperTable> HelperTableOf(std::string_view table, const TableExists& exists) {
  if (auto found = OfVitess(table)) return found;
  if (auto found = OfLhmArchive(table)) return found;
  if (auto found = OfNumbered(table, exists)) return found;
  for (const NamePattern& pattern : kPatterns) {
    if (auto found = Matches(pattern, table, exists)) return found;
  }
  return std::nullopt;
}

}  // namespace hakobu
