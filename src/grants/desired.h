// What the CSV files and templates say who may do, for each dataset and table that is there. Pure.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/time/time.h"
#include "grants/csv.h"
#include "grants/problems.h"
#include "grants/settings.h"

namespace hakobu {

// One line of a CSV file, checked as far as it can be without knowing the datasets.
struct GrantLine {
  GrantPlace place;                // of the line's first field
  std::string dataset;             // a name or a glob
  std::string table;               // empty: the dataset itself
  std::string member;              // canonical
  std::string role;                // as written, lower case where it is reader, writer or owner
  std::vector<std::string> roles;  // canonical; several for a kind
  std::string expires;             // RFC 3339, UTC; empty: never
  bool expired = false;
  std::string reason;
};

// Header `dataset,member,role[,expires][,reason]`, columns in any order and case. `expires` is a date (the
// grant ends with that day, UTC) or an RFC 3339 time.
std::vector<GrantLine> ReadGrantLines(std::string_view text, const std::string& file,
                                      const GrantSettings& settings, absl::Time now, GrantProblems* problems);

struct DesiredGrant {
  std::string member;
  std::string role;
  std::string expires;
  std::string source;  // "grants.csv:12"
  std::string reason;
};

// Targets are "dataset" or "dataset.table". A target that is looked at but should have no grant is there too.
struct DesiredState {
  std::map<std::string, std::vector<DesiredGrant>> grants;
  std::map<std::string, std::vector<DesiredGrant>> expired;  // lines past their time
};

// `datasets`: all that exist. A line that names none of them, or one outside settings.datasets, is an error.
// Two lines of which one is a glob may say the same: the one with more literal characters counts.
DesiredState ResolveGrants(const std::vector<GrantLine>& lines, const GrantSettings& settings,
                           const std::vector<std::string>& datasets, GrantProblems* problems);

bool MatchesAny(const std::vector<std::string>& globs, std::string_view name);

}  // namespace hakobu
