#include <algorithm>

#include "base/glob.h"
#include "config/config.h"

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

const TableRule* FindRule(const Config& config, std::string_view database, std::string_view table) {
  const TableRule* best = nullptr;
  for (const TableRule& rule : config.tables) {
    if (!Matches(rule.pattern, database, table)) continue;
    if (best == nullptr || Specificity(rule.pattern) > Specificity(best->pattern)) best = &rule;
  }
  return best;
}

std::string TargetName(const TableOptions& options, std::string_view database, std::string_view table) {
  if (options.target.empty()) return std::string(table);
  std::string name = options.target;
  ReplaceAll(&name, "{database}", database);
  ReplaceAll(&name, "{table}", table);
  return name;
}

}  // namespace hakobu
