#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <set>

#include "source/server_facts.h"

namespace hakobu {
namespace {

// What only reads or only watches; everything else that is granted is reported as too much.
constexpr std::string_view kHarmless[] = {
    "SELECT",
    "USAGE",
    "SHOW VIEW",
    "SHOW DATABASES",
    "PROCESS",
    "REPLICATION CLIENT",
    "REPLICATION SLAVE",
    "BINLOG MONITOR",
    "SLAVE MONITOR",
};

bool IsHarmless(std::string_view privilege) {
  return std::find(std::begin(kHarmless), std::end(kHarmless), privilege) != std::end(kHarmless);
}

// LIKE as GRANT uses it for databases: % and _, with \ before either to mean itself.
bool Like(std::string_view pattern, std::string_view text) {
  while (!pattern.empty()) {
    if (pattern.front() == '%') {
      pattern.remove_prefix(1);
      for (size_t skip = 0; skip <= text.size(); ++skip) {
        if (Like(pattern, text.substr(skip))) return true;
      }
      return false;
    }
    if (text.empty()) return false;
    const bool any = pattern.front() == '_';
    if (pattern.front() == '\\' && pattern.size() > 1) pattern.remove_prefix(1);
    if (!any && pattern.front() != text.front()) return false;
    pattern.remove_prefix(1);
    text.remove_prefix(1);
  }
  return text.empty();
}

// Takes `name` or name, up to a stop character, from the front of `text`.
std::string TakeName(std::string_view* text, char stop) {
  std::string name;
  if (!text->empty() && text->front() == '`') {
    text->remove_prefix(1);
    while (!text->empty()) {
      if (text->front() == '`') {
        text->remove_prefix(1);
        if (text->empty() || text->front() != '`') break;
      }
      name += text->front();
      text->remove_prefix(1);
    }
    return name;
  }
  while (!text->empty() && text->front() != stop && text->front() != ' ') {
    name += text->front();
    text->remove_prefix(1);
  }
  return name;
}

// "SELECT (a, b), INSERT" -> SELECT, INSERT. A privilege on columns counts for the table: reading checks
// columns.
std::vector<std::string> SplitNames(std::string_view list) {
  std::vector<std::string> names;
  std::string name;
  int depth = 0;
  for (const char character : list) {
    depth += character == '(' ? 1 : 0;
    if (depth == 0 && character == ',') {
      names.push_back(std::move(name));
      name.clear();
    } else if (depth == 0 && !(name.empty() && character == ' ')) {
      name += static_cast<char>(std::toupper(static_cast<unsigned char>(character)));
    }
    depth -= character == ')' ? 1 : 0;
  }
  names.push_back(std::move(name));
  for (std::string& each : names) each.erase(each.find_last_not_of(' ') + 1);
  return names;
}

bool HasAny(const Privileges& privileges, std::initializer_list<std::string_view> names) {
  return std::any_of(names.begin(), names.end(),
                     [&privileges](std::string_view name) { return privileges.Has(name); });
}

}  // namespace

std::optional<Privileges::Grant> ParseGrant(std::string_view line) {
  constexpr std::string_view kGrant = "GRANT ";
  if (!line.starts_with(kGrant)) return std::nullopt;
  line.remove_prefix(kGrant.size());
  const size_t on = line.find(" ON ");
  if (on == line.npos) return std::nullopt;  // a role's membership
  Privileges::Grant grant;
  grant.names = SplitNames(line.substr(0, on));
  line.remove_prefix(on + 4);
  grant.database = TakeName(&line, '.');
  if (line.empty() || line.front() != '.') return std::nullopt;  // PROXY, FUNCTION …
  line.remove_prefix(1);
  grant.table = TakeName(&line, ' ');
  grant.grant_option = line.find("WITH GRANT OPTION") != line.npos;
  return grant;
}

bool Privileges::Has(std::string_view name, std::string_view database, std::string_view table) const {
  return std::any_of(grants.begin(), grants.end(), [&](const Grant& grant) {
    const bool named =
        std::any_of(grant.names.begin(), grant.names.end(), [name](const std::string& granted) {
          return granted == name || granted == "ALL PRIVILEGES" || granted == "ALL";
        });
    const bool in_database = grant.database == "*" || (database != "*" && Like(grant.database, database));
    const bool on_table = grant.table == "*" || (table != "*" && grant.table == table);
    return named && in_database && on_table;
  });
}

PrivilegeReport CheckPrivileges(const Privileges& privileges, const std::vector<std::string>& databases,
                                bool streams) {
  PrivilegeReport report;
  const std::string user = privileges.user.empty() ? "the user" : privileges.user;
  for (const std::string& database : databases) {
    if (!privileges.Has("SELECT", database)) {
      report.missing.push_back(fmt::format("GRANT SELECT ON {}.* TO {}", QuoteIdentifier(database), user));
    }
  }
  if (!HasAny(privileges, {"REPLICATION CLIENT", "BINLOG MONITOR"})) {
    report.missing.push_back(fmt::format("GRANT REPLICATION CLIENT ON *.* TO {}", user));
  }
  if (streams && !privileges.Has("REPLICATION SLAVE")) {
    report.missing.push_back(fmt::format("GRANT REPLICATION SLAVE ON *.* TO {}", user));
  }
  std::set<std::string> excessive;
  for (const Privileges::Grant& grant : privileges.grants) {
    for (const std::string& name : grant.names) {
      if (!IsHarmless(name)) excessive.insert(fmt::format("{} on {}.{}", name, grant.database, grant.table));
    }
    if (grant.grant_option)
      excessive.insert(fmt::format("GRANT OPTION on {}.{}", grant.database, grant.table));
  }
  report.excessive.assign(excessive.begin(), excessive.end());
  return report;
}

}  // namespace hakobu
