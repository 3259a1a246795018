// What makes a server's log say less than what happens in its tables.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "source/log_state.h"

namespace hakobu {

struct LogSilence {
  std::string what;  // "binlog_format: expected ROW, found STATEMENT"
  std::string hint;
};

// Why changes of these databases would not come at all, or not whole; empty: nothing is known to keep them
// out. Pure. Sessions may still switch their own log off (sql_log_bin), which nobody can see.
std::vector<LogSilence> SilencesOf(const LogState& state, const std::set<std::string>& databases);

// Filters that let these databases' rows through, but leave out their DDL when it is run from another one;
// each as a sentence.
std::vector<std::string> FilteredStatements(const LogState& state, const std::set<std::string>& databases);

// Tables whose rows a foreign key changes without an event, "shop.orders", and what does it: "ON DELETE
// CASCADE of shop.members". Empty where the server logs what its foreign keys do (MySQL from 9.6, unless
// innodb_native_foreign_keys is on).
absl::StatusOr<std::map<std::string, std::string>> ReadUnloggedCascades(
    Connection* connection, const std::set<std::string>& databases);

}  // namespace hakobu
