#include <fmt/format.h>

#include "source/chunk.h"
#include "source/key_value.h"

namespace hakobu {
namespace {

// A chunk's bound names the key's first columns, or all.
absl::Status CheckBound(const SourceTable& table, const KeyBound& bound) {
  if (!table.key || bound.empty() || bound.size() > table.key->columns.size()) {
    return absl::InvalidArgumentError(
        fmt::format("chunk of {}.{}: expected a bound of at most {} values, found {}", table.database,
                    table.name, table.key ? table.key->columns.size() : 0, bound.size()));
  }
  return absl::OkStatus();
}

// The values as SQL literals of the key's first columns.
absl::StatusOr<std::vector<std::string>> Literals(const SourceTable& table, const KeyBound& bound) {
  std::vector<std::string> literals;
  for (size_t i = 0; i < bound.size(); ++i) {
    HAKOBU_ASSIGN_OR_RETURN(literals.emplace_back(),
                            KeyLiteral(table.columns[table.key->columns[i]], bound[i]));
  }
  return literals;
}

}  // namespace

std::string KeyColumnName(const SourceTable& table, size_t part) {
  return QuoteIdentifier(table.columns[table.key->columns[part]].name);
}

// `(a, b) > (x, y)` as `a > x OR (a = x AND b > y)`: the row constructor is no range for the optimizer, this
// is.
absl::StatusOr<std::string> KeyCondition(const SourceTable& table, const KeyBound& bound,
                                         KeyComparison comparison) {
  HAKOBU_ASSIGN_OR_RETURN(const std::vector<std::string> literals, Literals(table, bound));
  const bool greater = comparison == KeyComparison::kGreater || comparison == KeyComparison::kGreaterOrEqual;
  const bool inclusive =
      comparison == KeyComparison::kGreaterOrEqual || comparison == KeyComparison::kLessOrEqual;
  std::string condition;
  std::string equal;
  for (size_t i = 0; i < literals.size(); ++i) {
    const bool last = i + 1 == literals.size();
    const std::string name = KeyColumnName(table, i);
    condition += fmt::format("{}({}{} {}{} {})", i == 0 ? "" : " OR ", equal, name, greater ? ">" : "<",
                             last && inclusive ? "=" : "", literals[i]);
    equal += fmt::format("{} = {} AND ", name, literals[i]);
  }
  return literals.size() == 1 ? condition : fmt::format("({})", condition);
}

absl::StatusOr<std::string> ChunkCondition(const SourceTable& table, const Chunk& chunk,
                                           std::string_view where) {
  std::string condition;
  const auto add = [&condition](std::string_view term) {
    condition += condition.empty() ? " WHERE " : " AND ";
    condition += term;
  };
  if (chunk.after) {
    HAKOBU_RETURN_IF_ERROR(CheckBound(table, *chunk.after));
    HAKOBU_ASSIGN_OR_RETURN(const std::string term,
                            KeyCondition(table, *chunk.after, KeyComparison::kGreater));
    add(term);
  }
  if (chunk.upto) {
    HAKOBU_RETURN_IF_ERROR(CheckBound(table, *chunk.upto));
    HAKOBU_ASSIGN_OR_RETURN(const std::string term,
                            KeyCondition(table, *chunk.upto, KeyComparison::kLessOrEqual));
    add(term);
  }
  if (!where.empty()) add(fmt::format("({}\n)", where));  // the line's end closes a comment in it
  return condition;
}

std::string FromTable(const SourceTable& table, bool force_key) {
  std::string from = fmt::format(" FROM {}.{}", QuoteIdentifier(table.database), QuoteIdentifier(table.name));
  if (force_key) from += fmt::format(" FORCE INDEX ({})", QuoteIdentifier(table.key->name));
  return from;
}

absl::StatusOr<std::string> ChunkSelect(const SourceTable& table, const std::vector<size_t>& columns,
                                        const Chunk& chunk, std::string_view where) {
  std::string sql = "SELECT ";
  for (size_t i = 0; i < columns.size(); ++i) {
    const SourceColumn& column = table.columns[columns[i]];
    const std::string name = QuoteIdentifier(column.name);
    sql += i == 0 ? "" : ", ";
    sql += ArrivesInOwnCharset(column) ? fmt::format("CAST({} AS BINARY)", name) : name;
  }
  HAKOBU_ASSIGN_OR_RETURN(const std::string condition, ChunkCondition(table, chunk, where));
  return sql + FromTable(table, chunk.after || chunk.upto) + condition;
}

}  // namespace hakobu
