#include <algorithm>

#include "base/glob.h"
#include "config/config.h"
#include "row/name_fold.h"

namespace hakobu {
namespace {

void ReplaceAll(std::string* text, std::string_view from, std::string_view to) {
  for (size_t at = text->find(from); at != std::string::npos; at = text->find(from, at + to.size())) {
    text->replace(at, from.size(), to);
  }
}

bool Matches(std::string_view pattern, std::string_view database, std::string_view table) {
  const size_t dot = pattern.find('.');
  if (dot == std::string_view::npos) return false;
  return GlobMatches(pattern.substr(0, dot), database) && GlobMatches(pattern.substr(dot + 1), table);
}

// Exact names above all globs, then by letters that are not wildcards.
size_t Specificity(std::string_view pattern) {
  if (!IsGlob(pattern)) return std::string_view::npos;
  return static_cast<size_t>(
      std::count_if(pattern.begin(), pattern.end(), [](char c) { return c != '*' && c != '?'; }));
}

}  // namespace

const TableRule* FindException(const Config& config, std::string_view database, std::string_view table) {
  const std::string lower_database = LowerName(database);
  const std::string lower_table = LowerName(table);
  for (const TableRule& rule : config.tables) {
    for (const std::string& pattern : rule.except) {
      if (Matches(LowerName(pattern), lower_database, lower_table)) return &rule;
    }
  }
  return nullptr;
}

const TableRule* FindRule(const Config& config, std::string_view database, std::string_view table) {
  const TableRule* best = nullptr;
  const bool excepted = FindException(config, database, table) != nullptr;
  for (const TableRule& rule : config.tables) {
    if (!Matches(rule.pattern, database, table)) continue;
    if (excepted && IsGlob(rule.pattern)) continue;
    if (best == nullptr || Specificity(rule.pattern) > Specificity(best->pattern)) best = &rule;
  }
  return best;
}

TableOptions OptionsFor(const Config& config, const TableRule& rule, std::string_view database,
                        std::string_view table) {
  TableOptions options = rule.options;
  for (const TableRule& other : config.tables) {
    if (&other == &rule || !Matches(other.pattern, database, table)) continue;
    for (const std::string& pattern : other.options.exclude) {
      const bool there =
          std::find(options.exclude.begin(), options.exclude.end(), pattern) != options.exclude.end();
      if (!there) options.exclude.push_back(pattern);
    }
    for (const ColumnRule& column : other.options.columns) {
      if (column.inherited) continue;  // of `defaults`: this entry has it too
      options.columns.push_back({.pattern = column.pattern, .column = column.column, .inherited = true});
    }
  }
  return options;
}

bool MayDeliverFrom(const Config& config, std::string_view database) {
  return std::any_of(config.tables.begin(), config.tables.end(), [&](const TableRule& rule) {
    return GlobMatches(std::string_view(rule.pattern).substr(0, rule.pattern.find('.')), database);
  });
}

std::vector<std::string> TargetNames(const TableOptions& options, std::string_view database,
                                     std::string_view table) {
  const std::string target = LowerName(TargetName(options, database, table));
  std::vector<std::string> names = {target};
  if (options.keep_previous && options.mode == TableMode::kReplace) names.push_back(target + "_previous");
  return names;
}

std::string TargetName(const TableOptions& options, std::string_view database, std::string_view table) {
  if (options.target.empty()) return std::string(table);
  std::string name = options.target;
  ReplaceAll(&name, "{database}", database);
  ReplaceAll(&name, "{table}", table);
  return name;
}

}  // namespace hakobu
