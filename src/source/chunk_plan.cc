#include <fmt/format.h>

#include <algorithm>
#include <numeric>

#include "source/chunk.h"
#include "source/explain.h"
#include "source/key_value.h"

namespace hakobu {
namespace {

constexpr uint64_t kMostChunks = 100'000;
constexpr uint64_t kChunksPerConnection = 4;  // so that the last ones to finish differ by little
constexpr uint64_t kFewestRows = 20'000;      // a chunk below this is not worth its round trips
constexpr uint64_t kFewestBytes = 4ull << 20;
constexpr uint32_t kMostUnevenCuts = 12;  // then the index is walked instead

// Rows with after < key <= upto, by keys that were read from the table.
struct Segment {
  KeyBound after;
  KeyBound upto;
  uint64_t rows;         // estimated
  uint32_t uneven_cuts;  // in a row that parted next to nothing from it
};

class Planner {
 public:
  Planner(Connection* connection, const SourceTable& table, const ChunkOptions& options)
      : connection_(connection), table_(table), options_(options) {}
  absl::StatusOr<ChunkPlan> Plan();

 private:
  absl::StatusOr<ChunkPlan> SinglePass(std::string why);
  std::string WhyUnrangeable();
  // The first key, in the key's order or backwards, that meets `condition` (" WHERE …" or empty), after
  // `skip` others.
  absl::StatusOr<std::optional<KeyBound>> ProbeKey(const std::string& condition, bool backwards,
                                                   uint64_t skip = 0);
  absl::StatusOr<uint64_t> EstimateRows(const KeyBound& after, const KeyBound& upto);
  std::string Filter() const;
  absl::StatusOr<std::string> WhyNoWalk();
  absl::StatusOr<std::string> WhyNoRange(const std::vector<Chunk>& chunks);
  uint64_t TargetRows(uint64_t rows) const;
  // A key inside the segment, for two halves; nullopt when probing finds none.
  absl::StatusOr<std::optional<KeyBound>> FindCut(const Segment& segment);
  absl::StatusOr<std::optional<KeyBound>> Walk(const Segment& segment, uint64_t target);
  std::vector<KeyBound> Candidates(const Segment& segment) const;
  absl::Status Split(Segment whole, uint64_t target);
  std::vector<Chunk> Merge(uint64_t target) const;

  Connection* connection_;
  const SourceTable& table_;
  const ChunkOptions& options_;
  uint64_t statements_ = 0;
  size_t depth_ = 0;               // columns of the key that bounds name, from the first
  std::vector<Segment> segments_;  // in key order
};

// What a chunk's SELECT filters by.
std::string Planner::Filter() const {
  if (options_.window.empty()) return options_.where;
  return options_.where.empty() ? options_.window
                                : fmt::format("({}\n) AND ({})", options_.where, options_.window);
}

absl::StatusOr<ChunkPlan> Planner::SinglePass(std::string why) {
  std::vector<size_t> first_column = {0};
  HAKOBU_ASSIGN_OR_RETURN(const std::string sql, ChunkSelect(table_, first_column, Chunk{}, Filter()));
  ++statements_;
  HAKOBU_ASSIGN_OR_RETURN(const Explained explained, Explain(connection_, sql, table_.name));
  if (explained.sorts || explained.materialises) {
    return WithHint(
        absl::FailedPreconditionError(fmt::format("reading it would {} on the source",
                                                  explained.sorts ? "sort" : "build a temporary table")),
        "simplify the table's `where`: EXPLAIN must show neither filesort nor temporary");
  }
  ChunkPlan plan;
  plan.chunks.push_back(Chunk{.estimated_rows = table_.estimated_rows});
  plan.single_pass = true;
  plan.why = std::move(why);
  plan.statements = statements_;
  return plan;
}

// Counts the key's leading columns that bounds can name; when there is none, says why.
std::string Planner::WhyUnrangeable() {
  if (!table_.key) return "it has no primary key, and no unique key whose columns are all NOT NULL";
  for (const size_t column : table_.key->columns) {
    if (!IsRangeable(table_.columns[column])) break;
    ++depth_;
  }
  if (depth_ > 0) return "";
  const SourceColumn& first = table_.columns[table_.key->columns[0]];
  return fmt::format("key column {} ({}) has no order to range over", first.name, first.declared);
}

absl::StatusOr<std::optional<KeyBound>> Planner::ProbeKey(const std::string& condition, bool backwards,
                                                          uint64_t skip) {
  std::string sql = "SELECT ";
  std::string order;
  for (size_t i = 0; i < depth_; ++i) {
    sql += (i == 0 ? "" : ", ") + KeyExpression(table_.columns[table_.key->columns[i]]);
    order += fmt::format("{}{}{}", i == 0 ? "" : ", ", KeyColumnName(table_, i), backwards ? " DESC" : "");
  }
  sql += FromTable(table_, true) + condition;
  if (!options_.window.empty()) {
    sql += fmt::format("{}({})", condition.empty() ? " WHERE " : " AND ", options_.window);
  }
  sql += " ORDER BY " + order + " LIMIT 1";
  if (skip > 0) sql += fmt::format(" OFFSET {}", skip);
  ++statements_;
  HAKOBU_ASSIGN_OR_RETURN(QueryResult result, connection_->Query(sql, depth_));
  if (result.rows.empty()) return std::nullopt;
  KeyBound key;
  for (auto& value : result.rows[0]) key.push_back(value.value_or(""));
  return key;
}

absl::StatusOr<uint64_t> Planner::EstimateRows(const KeyBound& after, const KeyBound& upto) {
  // USE, not FORCE: where an index is forced MySQL does not look how many rows the range has, and says 1.
  HAKOBU_ASSIGN_OR_RETURN(const std::string condition,
                          ChunkCondition(table_, Chunk{.after = after, .upto = upto}, options_.window));
  ++statements_;
  HAKOBU_ASSIGN_OR_RETURN(
      const Explained explained,
      Explain(connection_,
              fmt::format("SELECT {}{} USE INDEX ({}){}", KeyColumnName(table_, 0), FromTable(table_, false),
                          QuoteIdentifier(table_.key->name), condition),
              table_.name));
  return explained.rows;
}

// Shortens the bounds to the columns that the server walks in order without sorting: (a DESC, b) cannot be
// walked by a, b, but by a. Empty when some are left.
absl::StatusOr<std::string> Planner::WhyNoWalk() {
  std::string order;
  const std::string where = options_.window.empty() ? "" : fmt::format(" WHERE ({})", options_.window);
  size_t walkable = 0;
  for (size_t i = 0; i < depth_; ++i) {
    order += (i == 0 ? "" : ", ") + KeyColumnName(table_, i);
    ++statements_;
    HAKOBU_ASSIGN_OR_RETURN(const Explained walk,
                            Explain(connection_,
                                    fmt::format("SELECT {}{}{} ORDER BY {} LIMIT 1", KeyColumnName(table_, 0),
                                                FromTable(table_, true), where, order),
                                    table_.name));
    if (walk.sorts || walk.materialises) break;
    walkable = i + 1;
  }
  depth_ = walkable;
  return walkable > 0 ? "" : "EXPLAIN shows a sort for walking its key in order";
}

// Empty when the server reads the chunks as ranges of the key: asked for the first, a middle and the last
// one.
absl::StatusOr<std::string> Planner::WhyNoRange(const std::vector<Chunk>& chunks) {
  std::vector<size_t> columns(table_.columns.size());
  std::iota(columns.begin(), columns.end(), size_t{0});
  for (const size_t i : {size_t{0}, chunks.size() / 2, chunks.size() - 1}) {
    HAKOBU_ASSIGN_OR_RETURN(const std::string sql, ChunkSelect(table_, columns, chunks[i], Filter()));
    ++statements_;
    HAKOBU_ASSIGN_OR_RETURN(const Explained range, Explain(connection_, sql, table_.name));
    if (range.access.empty()) continue;  // the server knows that the chunk is empty
    if (range.access != "range" || range.key != table_.key->name) {
      return fmt::format("EXPLAIN reads its chunks by {} over {} instead of a range of {}", range.access,
                         range.key.empty() ? "no index" : range.key, table_.key->name);
    }
    if (range.sorts || range.materialises) return "EXPLAIN shows a sort or a temporary table for its chunks";
  }
  return "";
}

uint64_t Planner::TargetRows(uint64_t rows) const {
  const uint64_t all_rows = std::max({uint64_t{1}, rows, table_.estimated_rows});
  const uint64_t row_bytes = std::max<uint64_t>(1, table_.data_bytes / all_rows);
  uint64_t target = std::max<uint64_t>(1, std::min(options_.target_rows, options_.target_bytes / row_bytes));
  const uint64_t fewest = std::min(kFewestRows, std::max<uint64_t>(1, kFewestBytes / row_bytes));
  const uint64_t share = rows / (std::max<uint64_t>(1, options_.connections) * kChunksPerConnection);
  if (options_.connections > 1) target = std::min(target, std::max(share, fewest));
  return std::max(target, rows / kMostChunks);
}

// Keys to probe around, by their first columns: halfway on the first column in which the ends differ; then,
// for a composite key whose ends are neighbours there, the end of the lower one's group.
std::vector<KeyBound> Planner::Candidates(const Segment& segment) const {
  std::vector<KeyBound> candidates;
  size_t differs = 0;
  while (differs < segment.after.size() && segment.after[differs] == segment.upto[differs]) ++differs;
  if (differs == segment.after.size()) return candidates;
  const SourceColumn& column = table_.columns[table_.key->columns[differs]];
  KeyBound prefix(segment.after.begin(), segment.after.begin() + static_cast<std::ptrdiff_t>(differs) + 1);
  if (auto value = KeyMiddle(column, segment.after[differs], segment.upto[differs])) {
    candidates.push_back(prefix);
    candidates.back()[differs] = *std::move(value);
  }
  if (differs + 1 < segment.after.size()) candidates.push_back(std::move(prefix));
  return candidates;
}

absl::StatusOr<std::optional<KeyBound>> Planner::FindCut(const Segment& segment) {
  HAKOBU_ASSIGN_OR_RETURN(const std::string above,
                          KeyCondition(table_, segment.after, KeyComparison::kGreater));
  HAKOBU_ASSIGN_OR_RETURN(const std::string below, KeyCondition(table_, segment.upto, KeyComparison::kLess));
  const std::string inside = fmt::format(" WHERE {} AND {} AND ", above, below);
  for (const KeyBound& candidate : Candidates(segment)) {
    // The last key at or before the candidate, else the first one after it: both are keys that exist,
    // whatever the collation makes of the candidate.
    HAKOBU_ASSIGN_OR_RETURN(const std::string low,
                            KeyCondition(table_, candidate, KeyComparison::kLessOrEqual));
    HAKOBU_ASSIGN_OR_RETURN(auto cut, ProbeKey(inside + low, true));
    if (cut) return cut;
    HAKOBU_ASSIGN_OR_RETURN(const std::string high, KeyCondition(table_, candidate, KeyComparison::kGreater));
    HAKOBU_ASSIGN_OR_RETURN(cut, ProbeKey(inside + high, false));
    if (cut) return cut;
  }
  return std::nullopt;
}

// The key `target` rows further on, through the index: for ranges that halving does not part.
absl::StatusOr<std::optional<KeyBound>> Planner::Walk(const Segment& segment, uint64_t target) {
  HAKOBU_ASSIGN_OR_RETURN(const std::string above,
                          KeyCondition(table_, segment.after, KeyComparison::kGreater));
  HAKOBU_ASSIGN_OR_RETURN(const std::string below, KeyCondition(table_, segment.upto, KeyComparison::kLess));
  return ProbeKey(fmt::format(" WHERE {} AND {}", above, below), false, target - 1);
}

absl::Status Planner::Split(Segment whole, uint64_t target) {
  std::vector<Segment> open = {std::move(whole)};  // the first in key order is last
  while (!open.empty()) {
    Segment segment = std::move(open.back());
    open.pop_back();
    if (segment.rows <= target + target / 2) {
      segments_.push_back(std::move(segment));
      continue;
    }
    const bool walks = segment.uneven_cuts >= kMostUnevenCuts;
    std::optional<KeyBound> cut;
    if (!walks) {
      HAKOBU_ASSIGN_OR_RETURN(cut, FindCut(segment));
    }
    if (!cut) {
      HAKOBU_ASSIGN_OR_RETURN(cut, Walk(segment, target));
    }
    if (!cut) {  // fewer rows than the estimate
      segments_.push_back(std::move(segment));
      continue;
    }
    Segment lower{segment.after, *cut, 0, 0};
    Segment upper{*cut, segment.upto, 0, 0};
    HAKOBU_ASSIGN_OR_RETURN(lower.rows, EstimateRows(lower.after, lower.upto));
    HAKOBU_ASSIGN_OR_RETURN(upper.rows, EstimateRows(upper.after, upper.upto));
    if (walks) lower.rows = std::min(lower.rows, target);
    const bool uneven = std::min(lower.rows, upper.rows) < segment.rows / 32;
    Segment& larger = lower.rows > upper.rows ? lower : upper;
    larger.uneven_cuts = walks || uneven ? segment.uneven_cuts + 1 : 0;
    open.push_back(std::move(upper));
    open.push_back(std::move(lower));
  }
  return absl::OkStatus();
}

// Neighbours that together stay within the target become one chunk; the outermost are open, for rows that are
// inserted beyond the ends meanwhile.
std::vector<Chunk> Planner::Merge(uint64_t target) const {
  std::vector<Chunk> chunks;
  for (const Segment& segment : segments_) {
    if (!chunks.empty() && chunks.back().estimated_rows + segment.rows <= target) {
      chunks.back().upto = segment.upto;
      chunks.back().estimated_rows += segment.rows;
      continue;
    }
    chunks.push_back({static_cast<uint32_t>(chunks.size()), segment.after, segment.upto, segment.rows});
  }
  chunks.front().after.reset();
  chunks.back().upto.reset();
  return chunks;
}

absl::StatusOr<ChunkPlan> Planner::Plan() {
  if (std::string unrangeable = WhyUnrangeable(); !unrangeable.empty())
    return SinglePass(std::move(unrangeable));
  HAKOBU_ASSIGN_OR_RETURN(std::string why, WhyNoWalk());
  if (!why.empty()) return SinglePass(std::move(why));
  HAKOBU_ASSIGN_OR_RETURN(const std::optional<KeyBound> first, ProbeKey("", false));
  HAKOBU_ASSIGN_OR_RETURN(const std::optional<KeyBound> last, ProbeKey("", true));
  ChunkPlan plan;
  if (!first || !last || *first == *last) {
    plan.chunks.push_back(Chunk{.estimated_rows = first ? 1u : 0u});
    plan.statements = statements_;
    return plan;
  }
  HAKOBU_ASSIGN_OR_RETURN(const uint64_t dived, EstimateRows(*first, *last));
  // A dive reports half the table at most, the statistics may be old: the larger is nearer.
  const uint64_t rows = options_.window.empty() ? std::max(dived, table_.estimated_rows) : dived;
  const uint64_t target = TargetRows(rows);
  HAKOBU_RETURN_IF_ERROR(Split({*first, *last, rows, 0}, target));
  plan.chunks = Merge(target);
  if (plan.chunks.size() > 1) {
    HAKOBU_ASSIGN_OR_RETURN(why, WhyNoRange(plan.chunks));
    if (!why.empty()) return SinglePass(std::move(why));
  }
  plan.statements = statements_;
  return plan;
}

}  // namespace

absl::StatusOr<ChunkPlan> PlanChunks(Connection* connection, const SourceTable& table,
                                     const ChunkOptions& options) {
  auto plan = Planner(connection, table, options).Plan();
  if (!plan.ok())
    return Annotate(plan.status(), fmt::format("plan chunks of {}.{}", table.database, table.name));
  return plan;
}

}  // namespace hakobu
