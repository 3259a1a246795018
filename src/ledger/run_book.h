// Runs, their tables and chunks, publish steps, quarantined values, and the cursors of incremental tables.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "base/enum_name.h"
#include "ledger/publish_life.h"
#include "ledger/session.h"
#include "ledger/table_life.h"

namespace hakobu {

// kInterrupted: a side went away and stayed away, or a disk was full, and nothing else failed. Like
// kCancelled it can be continued.
enum class RunState : uint8_t { kRunning, kDone, kFailed, kCancelled, kInterrupted, kAbandoned };
inline constexpr std::string_view kRunStateNames[] = {"running",   "done",        "failed",
                                                      "cancelled", "interrupted", "abandoned"};
constexpr std::span<const std::string_view> NamesOf(RunState) {
  return kRunStateNames;
}

struct RunRecord {
  std::string id{};
  absl::Time started{};
  absl::Time finished{};  // InfinitePast while it runs
  RunState state = RunState::kRunning;
  std::string fingerprint{};  // of what decides the delivered bytes; a run continues only one with the same
  int64_t pid = 0;
  std::string log_position_before{};
  std::string error{};
  std::string report_json{};  // ReportToJson, when the run has ended
  std::string tenant{};       // whose tables it delivers; empty: no tenant's in particular
};

struct RunTableRecord {
  std::string run_id{};
  std::string source{};  // "shop.members"
  std::string target{};  // "project.dataset.members"
  std::string mode{};
  RunTableState state = RunTableState::kPlanned;
  std::string staging{};    // the staging table's name; empty when written directly
  std::string plan_json{};  // what the run decided once: bounds, cursor window, schema fingerprint
  std::string error{};
  uint64_t rows = 0;
  uint64_t bytes = 0;
  double seconds = 0;
};

enum class ChunkState : uint8_t { kPlanned, kReading, kDone };
inline constexpr std::string_view kChunkStateNames[] = {"planned", "reading", "done"};
constexpr std::span<const std::string_view> NamesOf(ChunkState) {
  return kChunkStateNames;
}

struct ChunkRecord {
  uint64_t number = 0;
  std::string bounds_json{};
  ChunkState state = ChunkState::kPlanned;
  std::string stream{};  // BigQuery's name of the write stream, or the load job's id
  uint64_t rows = 0;
  uint64_t bytes = 0;
  uint64_t attempts = 0;  // how often reading it was begun
  uint64_t content = 0;   // ContentSum::sum of its rows
};

struct QuarantineRecord {
  std::string column{};
  uint64_t count = 0;
  std::vector<std::string> first_keys{};
  std::string example{};
};

// A step of publishing, in the ledger before it is taken (`done` false) or after.
struct PublishStepRecord {
  PublishStep step = PublishStep::kStaging;
  std::string detail{};  // publish_life.h; of a job: its id
  bool done = false;
};

// Thread-safe.
class RunBook {
 public:
  explicit RunBook(LedgerFile* file) : file_(file) {}

  absl::Status StartRun(const RunRecord& run);
  absl::Status FinishRun(const std::string& run_id, RunState state, absl::Time finished,
                         const std::string& error, const std::string& report_json);
  absl::Status SetRunState(const std::string& run_id, RunState state);
  // Those that are no tenant's.
  absl::StatusOr<std::vector<RunRecord>> Runs(size_t newest);
  // The newest run that was cut off (kRunning, kCancelled, kInterrupted) and has this fingerprint.
  absl::StatusOr<std::optional<RunRecord>> ResumableRun(const std::string& fingerprint);
  // Runs of the tenant, or of none, that were cut off: kRunning, kCancelled or kInterrupted, oldest first.
  absl::StatusOr<std::vector<RunRecord>> UnfinishedRuns(const std::string& tenant = "");

  // The table and its chunks in one transaction.
  absl::Status AddTable(const RunTableRecord& table, const std::vector<ChunkRecord>& chunks);
  // Takes the table from the record's state to the one that follows on `event`, and stores the rest of the
  // record with it. FailedPrecondition, and nothing is changed, when the event does not follow, or when the
  // ledger does not hold the record's state.
  absl::Status AdvanceTable(RunTableRecord* table, RunTableEvent event);
  absl::StatusOr<std::vector<RunTableRecord>> Tables(const std::string& run_id);
  // What runs have delivered to the target, oldest first: their tables that are done.
  absl::StatusOr<std::vector<RunTableRecord>> Deliveries(const std::string& target);
  absl::StatusOr<std::vector<ChunkRecord>> Chunks(const std::string& run_id, const std::string& source);
  // Marks the chunk kReading and counts the attempt.
  absl::Status BeginChunk(const std::string& run_id, const std::string& source, uint64_t number);
  // Before a load job is let go: its id, rows, bytes and quarantined values, so that a later run that finds
  // the job done need not read the chunk again. The state stays kReading.
  absl::Status SealChunk(const std::string& run_id, const std::string& source, const ChunkRecord& chunk,
                         const std::vector<QuarantineRecord>& quarantined);
  // A sealed chunk whose job is done.
  absl::Status FinishSealedChunk(const std::string& run_id, const std::string& source, uint64_t number);
  // The checkpoint: chunk kDone with its rows, bytes and stream, and its quarantined values, in one
  // transaction.
  absl::Status FinishChunk(const std::string& run_id, const std::string& source, const ChunkRecord& chunk,
                           const std::vector<QuarantineRecord>& quarantined);
  // Summed over the table's finished chunks; at most 10 first keys a column.
  absl::StatusOr<std::vector<QuarantineRecord>> Quarantined(const std::string& run_id,
                                                            const std::string& source);

  // FailedPrecondition, and nothing is changed, when the step does not follow on what the ledger holds.
  absl::Status RecordStep(const std::string& run_id, const std::string& source,
                          const PublishStepRecord& step);
  absl::StatusOr<std::vector<PublishStepRecord>> Steps(const std::string& run_id, const std::string& source);

  // Where the next incremental run of this table begins; moved by MoveCursor in one transaction with the step
  // "cursor" being done.
  absl::StatusOr<std::optional<std::string>> Cursor(const std::string& source, const std::string& target);
  // The same cursor in other words: sealed.
  absl::Status RewriteCursor(const std::string& source, const std::string& target, const std::string& value);
  absl::Status MoveCursor(const std::string& run_id, const std::string& source, const std::string& target,
                          const std::string& value);

 private:
  absl::Status WriteChunk(const std::string& run_id, const std::string& source, const ChunkRecord& chunk,
                          ChunkState state, const std::vector<QuarantineRecord>& quarantined);

  LedgerFile* file_;
};

}  // namespace hakobu
