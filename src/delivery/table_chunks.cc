#include "delivery/table_chunks.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/status.h"
#include "source/explain.h"

namespace hakobu {
namespace {

// BatchCommitWriteStreams takes 10,000 streams [quotas], and each chunk is one; or a load job.
constexpr size_t kMostStreams = 9000;

size_t MostChunks(const TableWork& work) {
  return work.write == WriteBy::kLoad ? kMostLoads : kMostStreams;
}

ChunkOptions OptionsFor(const RunContext& run, const TableWork& work) {
  ChunkOptions options;
  options.target_rows = work.options.chunk_rows;
  options.target_bytes = work.options.chunk_bytes;
  options.connections = run.config->source.connections;
  options.where = work.options.where;
  return options;
}

absl::StatusOr<ChunkPlan> PlanFew(Connection* source, const SourceTable& table, ChunkOptions options,
                                  size_t most) {
  for (;;) {
    HAKOBU_ASSIGN_OR_RETURN(ChunkPlan plan, PlanChunks(source, table, options));
    if (plan.chunks.size() <= most) return plan;
    options.target_rows *= 2;
    options.target_bytes *= 2;
  }
}

std::optional<size_t> PlaceOf(const SourceTable& table, const std::string& name) {
  const auto column = std::find_if(table.columns.begin(), table.columns.end(),
                                   [&](const SourceColumn& candidate) { return candidate.name == name; });
  if (column == table.columns.end()) return std::nullopt;
  return static_cast<size_t>(column - table.columns.begin());
}

// The window's chunks.
class WindowPlanner {
 public:
  WindowPlanner(const RunContext& run, Connection* source, const TableWork& work, const Window& window,
                std::vector<std::string>* notes)
      : source_(source), work_(work), window_(window), notes_(notes), options_(OptionsFor(run, work)) {}
  absl::StatusOr<TableChunks> Plan();

 private:
  absl::Status FindIndex();
  absl::Status TakeStrays();
  absl::Status Estimate();
  // Whether the server would read the window by walking through all rows, whatever indexes there are.
  absl::StatusOr<bool> ReadsAllRows();
  absl::StatusOr<TableChunks> ByKey();
  absl::StatusOr<TableChunks> ByCursor();
  TableChunks OneChunk(const std::string& why);
  bool CursorIsDelivered() const;

  Connection* source_;
  const TableWork& work_;
  const Window& window_;
  std::vector<std::string>* notes_;
  ChunkOptions options_;
  size_t cursor_ = 0;                 // its place in the table
  std::optional<std::string> index_;  // begins with the cursor
  std::string condition_;             // the window's, and that of strays where there may be any
  bool has_strays_ = false;
  uint64_t rows_ = 0;  // in the window, estimated
};

absl::Status WindowPlanner::FindIndex() {
  cursor_ = PlaceOf(work_.source, work_.options.cursor).value_or(0);
  HAKOBU_ASSIGN_OR_RETURN(const std::vector<TableDefinition> definitions,
                          ReadTableDefinitions(source_, work_.source.database, {work_.source.name}));
  if (definitions.empty()) return absl::OkStatus();
  for (const TableIndex& index : definitions[0].indexes) {
    if (!index.visible || index.hash || index.parts.empty()) continue;
    if (index.parts[0].column == work_.options.cursor && !index.parts[0].prefix) {
      index_ = index.name;
      break;
    }
  }
  return absl::OkStatus();
}

// Without an index all rows are looked at anyway, and these among them.
absl::Status WindowPlanner::TakeStrays() {
  condition_ = window_.condition;
  if (window_.strays.empty()) return absl::OkStatus();
  if (index_.has_value()) {
    HAKOBU_ASSIGN_OR_RETURN(
        const std::string count,
        source_->QueryValue(fmt::format(
            "SELECT COUNT(*) FROM {}.{} USE INDEX ({}) WHERE {}", QuoteIdentifier(work_.source.database),
            QuoteIdentifier(work_.source.name), QuoteIdentifier(*index_), window_.strays)));
    if (count == "0") return absl::OkStatus();
    notes_->push_back(
        fmt::format("{} rows have no cursor in `{}` (NULL, or no date): they are read in every run", count,
                    work_.options.cursor));
  }
  has_strays_ = true;
  condition_ = fmt::format("({}) OR {}", window_.condition, window_.strays);
  return absl::OkStatus();
}

absl::Status WindowPlanner::Estimate() {
  rows_ = work_.source.estimated_rows;
  if (!index_.has_value()) return absl::OkStatus();
  // USE, not FORCE, and the cursor alone: the server looks into the index how many rows the range has.
  HAKOBU_ASSIGN_OR_RETURN(
      const Explained range,
      Explain(source_,
              fmt::format("SELECT {} FROM {}.{} USE INDEX ({}) WHERE {}",
                          QuoteIdentifier(work_.options.cursor), QuoteIdentifier(work_.source.database),
                          QuoteIdentifier(work_.source.name), QuoteIdentifier(*index_), condition_),
              work_.source.name));
  rows_ = range.rows;
  return absl::OkStatus();
}

absl::StatusOr<bool> WindowPlanner::ReadsAllRows() {
  const std::string where =
      options_.where.empty() ? condition_ : fmt::format("({}\n) AND ({})", options_.where, condition_);
  HAKOBU_ASSIGN_OR_RETURN(const std::string sql, ChunkSelect(work_.source, work_.columns, Chunk(), where));
  HAKOBU_ASSIGN_OR_RETURN(const Explained whole, Explain(source_, sql, work_.source.name));
  return whole.access == "ALL" || whole.access == "index";
}

// Every row is looked at anyway: the connections share that, and no read view outlives a chunk.
absl::StatusOr<TableChunks> WindowPlanner::ByKey() {
  if (!index_.has_value()) {
    notes_->push_back(fmt::format(
        "no index begins with `{}`: every run looks at all rows to find what changed; rows and bytes "
        "are those of the whole table",
        work_.options.cursor));
  } else {
    notes_->push_back("much of the table is in the window: it is read through its key");
  }
  HAKOBU_ASSIGN_OR_RETURN(ChunkPlan plan, PlanFew(source_, work_.source, options_, MostChunks(work_)));
  if (plan.single_pass) notes_->push_back("read in one streamed pass: " + plan.why);
  return TableChunks{.chunks = std::move(plan.chunks), .estimated_rows = rows_, .condition = condition_};
}

// Rows of the same cursor value are told apart by the primary key, which InnoDB keeps in every index; where
// the server cannot range over that, by the cursor alone.
absl::StatusOr<TableChunks> WindowPlanner::ByCursor() {
  SourceKey with_key{.name = *index_, .columns = {cursor_}};
  if (work_.source.key.has_value() && work_.source.key->primary) {
    for (const size_t column : work_.source.key->columns) {
      if (column != cursor_) with_key.columns.push_back(column);
    }
  }
  options_.window = condition_;
  std::string why;
  for (const SourceKey& range : {with_key, SourceKey{.name = *index_, .columns = {cursor_}}}) {
    SourceTable table = work_.source;
    table.key = range;
    HAKOBU_ASSIGN_OR_RETURN(ChunkPlan plan, PlanFew(source_, table, options_, MostChunks(work_)));
    if (!plan.single_pass) {
      TableChunks chunks{.chunks = std::move(plan.chunks), .estimated_rows = rows_, .condition = condition_};
      if (chunks.chunks.size() > 1) chunks.range = range;
      return chunks;
    }
    why = std::move(plan.why);
  }
  return OneChunk(why);
}

TableChunks WindowPlanner::OneChunk(const std::string& why) {
  notes_->push_back("the window is read in one streamed pass: " + why);
  return {.chunks = {Chunk()}, .estimated_rows = rows_, .condition = condition_};
}

bool WindowPlanner::CursorIsDelivered() const {
  return std::any_of(work_.schema.fields.begin(), work_.schema.fields.end(), [&](const Field& field) {
    return field.source_column == cursor_ && field.mask == Mask::kNone;
  });
}

absl::StatusOr<TableChunks> WindowPlanner::Plan() {
  HAKOBU_RETURN_IF_ERROR(FindIndex());
  HAKOBU_RETURN_IF_ERROR(TakeStrays());
  HAKOBU_RETURN_IF_ERROR(Estimate());
  HAKOBU_ASSIGN_OR_RETURN(const bool all, ReadsAllRows());
  if (all) return ByKey();
  if (!index_.has_value()) return OneChunk(fmt::format("no index begins with `{}`", work_.options.cursor));
  if (has_strays_) return OneChunk("rows without a cursor belong to no range of it");
  // A row that moves from one chunk to the next while they are read comes twice: the MERGE takes the newer
  // one, by the cursor.
  if (!CursorIsDelivered())
    return OneChunk(fmt::format("`{}` is not delivered as it is", work_.options.cursor));
  return ByCursor();
}

}  // namespace

absl::StatusOr<TableChunks> PlanTableChunks(RunContext* run, Connection* source, const TableWork& work,
                                            const Window* window, std::vector<std::string>* notes) {
  if (window != nullptr && !window->whole_table) {
    return WindowPlanner(*run, source, work, *window, notes).Plan();
  }
  HAKOBU_ASSIGN_OR_RETURN(ChunkPlan plan,
                          PlanFew(source, work.source, OptionsFor(*run, work), MostChunks(work)));
  if (plan.single_pass) notes->push_back("read in one streamed pass: " + plan.why);
  return TableChunks{.chunks = std::move(plan.chunks), .estimated_rows = work.source.estimated_rows};
}

uint64_t EstimatedBytes(const SourceTable& table, uint64_t rows) {
  if (rows >= table.estimated_rows) return table.data_bytes;
  return static_cast<uint64_t>(static_cast<double>(table.data_bytes) * static_cast<double>(rows) /
                               static_cast<double>(table.estimated_rows));
}

}  // namespace hakobu
