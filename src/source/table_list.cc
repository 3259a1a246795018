#include "source/table_list.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "absl/strings/numbers.h"
#include "absl/time/clock.h"

namespace hakobu {
namespace {

// Not a fixed step: whoever alters at a steady pace must not be met at the same place each time.
constexpr int kPausesMs[] = {20, 55, 95, 30, 140, 75, 210, 45, 170, 110, 60};

// What tells whether anybody but this connection does anything. A server that does not say is taken for a
// busy one.
struct Activity {
  int64_t running = 0;     // threads that are at a statement, this one among them
  int64_t statements = 0;  // that were begun since the server started
};

absl::StatusOr<Activity> ReadActivity(Connection* connection) {
  HAKOBU_ASSIGN_OR_RETURN(
      const QueryResult result,
      connection->Query("SHOW GLOBAL STATUS WHERE Variable_name IN ('Threads_running', 'Queries')", 2));
  Activity activity;
  for (const auto& row : result.rows) {
    int64_t value = 0;
    if (!row[0] || !row[1] || !absl::SimpleAtoi(*row[1], &value)) continue;
    (*row[0] == "Queries" ? activity.statements : activity.running) = value;
  }
  return activity;
}

class Lister {
 public:
  Lister(Connection* connection, const std::vector<std::string>& databases)
      : connection_(connection), databases_(databases) {}

  absl::StatusOr<TablesByDatabase> Run() {
    if (connection_->flavor() == ServerFlavor::kMariaDb) {
      HAKOBU_ASSIGN_OR_RETURN(const bool alone, ListAlone());
      if (alone) return std::move(last_);
      for (const int pause_ms : kPausesMs) {
        for (const std::string& database : databases_) HAKOBU_RETURN_IF_ERROR(Look(database));
        absl::SleepFor(absl::Milliseconds(pause_ms));
      }
    }
    HAKOBU_RETURN_IF_ERROR(ListTyped());
    HAKOBU_RETURN_IF_ERROR(AskForHidden());
    return std::move(last_);
  }

 private:
  // Whether nothing else ran from before the listing to after it, so that nothing can have been hidden.
  absl::StatusOr<bool> ListAlone() {
    HAKOBU_ASSIGN_OR_RETURN(const Activity before, ReadActivity(connection_));
    HAKOBU_RETURN_IF_ERROR(ListTyped());
    HAKOBU_ASSIGN_OR_RETURN(const Activity after, ReadActivity(connection_));
    const auto own = static_cast<int64_t>(databases_.size()) + 1;
    return before.running == 1 && after.running == 1 && after.statements - before.statements == own &&
           unclear_.empty();
  }

  // Names alone: no table is opened for them, and a listing costs as much as that of a folder.
  absl::Status Look(const std::string& database) {
    const absl::StatusOr<QueryResult> result = connection_->Query(fmt::format(
        "SELECT TABLE_NAME FROM information_schema.TABLES WHERE TABLE_SCHEMA = {}", QuoteText(database)));
    if (!result.ok()) return Annotate(result.status(), fmt::format("list the tables of {}", database));
    for (const auto& row : result->rows) {
      if (row[0]) seen_[database].insert(*row[0]);
    }
    return absl::OkStatus();
  }

  absl::Status ListTyped() {
    last_.clear();
    unclear_.clear();
    for (const std::string& database : databases_) {
      const absl::StatusOr<QueryResult> result = connection_->Query(
          fmt::format("SELECT TABLE_NAME, TABLE_TYPE FROM information_schema.TABLES WHERE TABLE_SCHEMA = {}",
                      QuoteText(database)),
          2);
      if (!result.ok()) return Annotate(result.status(), fmt::format("list the tables of {}", database));
      std::vector<std::string>& tables = last_[database];
      std::set<std::string>& seen = seen_[database];
      std::set<std::string> known;
      for (const auto& row : result->rows) {
        if (!row[0]) continue;
        seen.insert(*row[0]);
        // Without a type it went while the list was made.
        if (row[1] && !row[1]->empty()) known.insert(*row[0]);
        if (row[1] == "BASE TABLE" || row[1] == "SYSTEM VERSIONED") tables.push_back(*row[0]);
      }
      std::set_difference(seen.begin(), seen.end(), known.begin(), known.end(),
                          std::inserter(unclear_[database], unclear_[database].end()));
      if (unclear_[database].empty()) unclear_.erase(database);
      std::sort(tables.begin(), tables.end());
    }
    return absl::OkStatus();
  }

  absl::Status AskForHidden() {
    for (const auto& [database, names] : unclear_) {
      std::vector<std::string>& tables = last_[database];
      for (const std::string& name : names) {
        HAKOBU_ASSIGN_OR_RETURN(const bool is_there, IsBaseTable(connection_, database, name));
        if (is_there) tables.push_back(name);
      }
      std::sort(tables.begin(), tables.end());
    }
    return absl::OkStatus();
  }

  Connection* connection_;
  const std::vector<std::string>& databases_;
  std::map<std::string, std::set<std::string>> seen_;  // in any listing, views among them
  TablesByDatabase last_;
  std::map<std::string, std::set<std::string>> unclear_;  // seen, but not, or without a type, in the last one
};

}  // namespace

absl::StatusOr<TablesByDatabase> ListTablesOf(Connection* connection,
                                              const std::vector<std::string>& databases) {
  return Lister(connection, databases).Run();
}

absl::StatusOr<std::vector<std::string>> ListTables(Connection* connection, std::string_view database) {
  HAKOBU_ASSIGN_OR_RETURN(TablesByDatabase tables, ListTablesOf(connection, {std::string(database)}));
  return std::move(tables.begin()->second);
}

absl::StatusOr<bool> IsBaseTable(Connection* connection, std::string_view database, std::string_view table) {
  const absl::StatusOr<QueryResult> result = connection->Query(fmt::format(
      "SELECT TABLE_NAME FROM information_schema.TABLES WHERE TABLE_SCHEMA = {} AND TABLE_NAME = {} "
      "AND TABLE_TYPE IN ('BASE TABLE', 'SYSTEM VERSIONED')",
      QuoteText(database), QuoteText(table)));
  if (!result.ok()) return Annotate(result.status(), fmt::format("look for {}.{}", database, table));
  // Exactly: the server's comparison may ignore case.
  return std::any_of(result->rows.begin(), result->rows.end(),
                     [&](const auto& row) { return row[0] == table; });
}

}  // namespace hakobu
