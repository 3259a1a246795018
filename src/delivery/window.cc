#include "delivery/window.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <nlohmann/json.hpp>

#include "base/status.h"
#include "delivery/outlying_values.h"

namespace hakobu {
namespace {

constexpr size_t kHistory = 20;

const SourceColumn& CursorColumn(const TableWork& work) {
  return *std::find_if(work.source.columns.begin(), work.source.columns.end(),
                       [&](const SourceColumn& column) { return column.name == work.options.cursor; });
}

bool IsTemporal(SourceType type) {
  return type == SourceType::kDate || type == SourceType::kDateTime || type == SourceType::kTimestamp;
}

bool IsInteger(SourceType type) {
  return type == SourceType::kTinyInt || type == SourceType::kSmallInt || type == SourceType::kMediumInt ||
         type == SourceType::kInt || type == SourceType::kBigInt;
}

std::string TableSql(const TableWork& work) {
  return QuoteIdentifier(work.source.database) + "." + QuoteIdentifier(work.source.name);
}

// The largest value of the cursor that satisfies `condition`; absent for an empty table.
absl::StatusOr<std::optional<std::string>> Largest(Connection* source, const TableWork& work,
                                                   const std::string& condition) {
  const std::string sql = fmt::format("SELECT MAX({}) FROM {} WHERE {}", QuoteIdentifier(work.options.cursor),
                                      TableSql(work), condition.empty() ? "TRUE" : condition);
  HAKOBU_ASSIGN_OR_RETURN(const auto row, source->QueryRow(sql));
  return row[0];
}

// What the server says about open transactions. Without the privilege: none known, and a note.
struct Open {
  absl::Time now;
  absl::Duration age;  // of the oldest
};
absl::StatusOr<Open> OldestTransaction(Connection* source, std::vector<std::string>* notes) {
  const absl::StatusOr<OpenTransactions> open = ReadOpenTransactions(source);
  if (open.ok()) {
    const absl::Duration age =
        open->oldest_start.has_value() ? open->now - *open->oldest_start : absl::ZeroDuration();
    return Open{open->now, std::max(age, absl::ZeroDuration())};
  }
  if (open.status().code() != absl::StatusCode::kPermissionDenied) return open.status();
  notes->push_back(
      "without the PROCESS privilege open transactions are not seen: rows that commit later than the overlap "
      "after "
      "they were written can be missed; grant PROCESS, or raise overlap");
  return Open{absl::Now(), absl::ZeroDuration()};
}

absl::StatusOr<std::string> Evaluate(Connection* source, const std::string& expression) {
  return source->QueryValue("SELECT " + expression);
}

// The condition, and what it cannot tell: from a lower bound on, or all rows.
void SetCondition(const TableWork& work, const std::optional<CursorState>& state, Window* window) {
  window->whole_table = !state.has_value() || state->lower.empty();
  if (window->whole_table) return;
  const SourceColumn& column = CursorColumn(work);
  const std::string cursor = QuoteIdentifier(work.options.cursor);
  window->condition = fmt::format("{} >= {}", cursor, QuoteText(state->lower));
  if (column.nullable) window->strays = cursor + " IS NULL";
  if (!IsTemporal(column.type)) return;
  // The zero date, and what else is below the type's range: a literal of it would be refused by some modes.
  const std::string least = column.type == SourceType::kTimestamp ? "1970-01-02" : "1000-01-01";
  window->strays += fmt::format("{}{} < '{}'", window->strays.empty() ? "" : " OR ", cursor, least);
}

absl::StatusOr<Window> TemporalWindow(Connection* source, const TableWork& work,
                                      const std::optional<CursorState>& state) {
  Window window;
  HAKOBU_ASSIGN_OR_RETURN(const Open open, OldestTransaction(source, &window.notes));
  const SourceColumn& column = CursorColumn(work);
  const bool zoned = column.type == SourceType::kTimestamp;
  // TIMESTAMP is compared in the session's zone, UTC. The others hold the application's clock, taken to be
  // the server's.
  const std::string clock =
      zoned ? "UTC_TIMESTAMP(6)" : "CONVERT_TZ(UTC_TIMESTAMP(6), '+00:00', @@global.time_zone)";
  const int64_t age_us = absl::ToInt64Microseconds(open.age);
  HAKOBU_ASSIGN_OR_RETURN(const std::string upper,
                          Evaluate(source, fmt::format("{} - INTERVAL {} MICROSECOND", clock, age_us)));
  const std::string cursor = QuoteIdentifier(work.options.cursor);
  const std::string below = fmt::format("{} <= {}", cursor, QuoteText(upper));
  HAKOBU_ASSIGN_OR_RETURN(const std::optional<std::string> largest, Largest(source, work, below));
  SetCondition(work, state, &window);
  if (!largest.has_value()) {
    window.next = state;
    return window;
  }
  // An application whose clock runs behind the server's (another time zone) writes below `upper` still: its
  // own largest value, less the age of the oldest transaction, bounds that too.
  const int64_t overlap_us = absl::ToInt64Microseconds(work.options.overlap);
  HAKOBU_ASSIGN_OR_RETURN(
      const std::string lower,
      Evaluate(source,
               fmt::format("LEAST({} - INTERVAL {} MICROSECOND, CAST({} AS DATETIME(6)) - INTERVAL {} "
                           "MICROSECOND) - INTERVAL {} MICROSECOND",
                           fmt::format("CAST({} AS DATETIME(6))", QuoteText(upper)), 0, QuoteText(*largest),
                           age_us, overlap_us)));
  window.next = CursorState{.lower = lower, .history = {}};
  if (state.has_value() && !state->lower.empty() && state->lower > lower) window.next->lower = state->lower;
  return window;
}

// The largest value that the bound may go by.
absl::StatusOr<std::optional<std::string>> LargestOfMany(Connection* source, const TableWork& work,
                                                         Window* window) {
  const std::string cursor = QuoteIdentifier(work.options.cursor);
  HAKOBU_ASSIGN_OR_RETURN(
      const QueryResult result,
      source->Query(fmt::format("SELECT {0} FROM {1} WHERE {0} IS NOT NULL ORDER BY {0} DESC LIMIT {2}",
                                cursor, TableSql(work), kLargestValues)));
  std::vector<std::string> values;
  for (const auto& row : result.rows) values.push_back(row[0].value_or(""));
  if (values.empty()) return std::optional<std::string>();
  const size_t outlying = CountOutlying(values);
  if (outlying > 0) {
    window->notes.push_back(
        fmt::format("the {} largest value{} of the cursor `{}`, from {} on, lie{} far above all others: the "
                    "bound stays at "
                    "{}, so that rows between are not missed, and what is above is read in every run until "
                    "more rows are there",
                    outlying, outlying == 1 ? "" : "s", work.options.cursor, values[outlying - 1],
                    outlying == 1 ? "s" : "", values[outlying]));
  }
  return std::optional<std::string>(values[outlying]);
}

absl::StatusOr<Window> IntegerWindow(Connection* source, const TableWork& work,
                                     const std::optional<CursorState>& state) {
  Window window;
  HAKOBU_ASSIGN_OR_RETURN(const Open open, OldestTransaction(source, &window.notes));
  HAKOBU_ASSIGN_OR_RETURN(const std::optional<std::string> largest, LargestOfMany(source, work, &window));
  SetCondition(work, state, &window);
  if (!largest.has_value()) {
    window.next = state;
    return window;
  }
  CursorState next = state.value_or(CursorState());
  next.history.push_back({open.now, *largest});
  if (next.history.size() > kHistory) next.history.erase(next.history.begin());
  // A transaction that was open just now took its values after it began, so above what was largest before
  // that.
  std::string safe;
  for (const CursorState::Seen& seen : next.history) {
    if (seen.at <= open.now - open.age) safe = seen.largest;
  }
  if (safe.empty()) {
    next.lower = state.has_value() ? state->lower : "";
    window.notes.push_back(
        "a transaction older than all noted positions is open: the cursor stays where it was");
  } else {
    HAKOBU_ASSIGN_OR_RETURN(next.lower, Evaluate(source, fmt::format("CAST({} AS DECIMAL(30)) - {}", safe,
                                                                     work.options.overlap_values)));
  }
  window.next = std::move(next);
  return window;
}

}  // namespace

std::string CursorState::ToJson() const {
  nlohmann::ordered_json json = {{"lower", lower}, {"history", nlohmann::ordered_json::array()}};
  for (const Seen& seen : history) {
    json["history"].push_back({{"at_us", absl::ToUnixMicros(seen.at)}, {"largest", seen.largest}});
  }
  return json.dump();
}

absl::StatusOr<CursorState> CursorState::FromJson(std::string_view text) {
  const nlohmann::json json = nlohmann::json::parse(text, nullptr, false);
  if (!json.is_object()) return absl::InternalError("the ledger's cursor is no JSON object");
  CursorState state{.lower = json.value("lower", ""), .history = {}};
  for (const nlohmann::json& seen : json.value("history", nlohmann::json::array())) {
    state.history.push_back(
        {absl::FromUnixMicros(seen.value("at_us", int64_t{0})), seen.value("largest", "")});
  }
  return state;
}

absl::StatusOr<Window> PlanWindow(Connection* source, const TableWork& work,
                                  const std::optional<CursorState>& state) {
  const SourceColumn& column = CursorColumn(work);
  absl::StatusOr<Window> window = absl::InvalidArgumentError("");
  if (IsTemporal(column.type)) {
    window = TemporalWindow(source, work, state);
  } else if (IsInteger(column.type)) {
    window = IntegerWindow(source, work, state);
  } else {
    return WithHint(absl::InvalidArgumentError(
                        fmt::format("{}: cursor: `{}` is {}", work.name, column.name, column.declared)),
                    "a cursor is an integer, DATE, DATETIME or TIMESTAMP column");
  }
  if (!window.ok()) return Annotate(window.status(), fmt::format("{}: bound the cursor's window", work.name));
  window->notes.push_back(
      work.options.deletes == Deletes::kCompare
          ? "incremental: all keys are read as well, and rows without one are deleted in BigQuery"
          : "incremental: rows deleted in the source are not seen; `deletes: compare` finds them by their "
            "keys");
  return window;
}

}  // namespace hakobu
