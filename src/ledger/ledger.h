// Durable state of hakobu: runs, the tables and chunks of each, publish steps, quarantined values, cursors
// and schema versions. One SQLite file (WAL, synchronous=FULL): what a function has returned OK for survives
// kill -9 and power loss.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"

namespace hakobu {

enum class RunState : uint8_t { kRunning, kDone, kFailed, kCancelled, kAbandoned };
std::string_view RunStateName(RunState state);  // "running", "done", "failed", "cancelled", "abandoned"

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
};

struct RunTableRecord {
  std::string run_id{};
  std::string source{};  // "shop.members"
  std::string target{};  // "project.dataset.members"
  std::string mode{};
  std::string state{};      // "planned", "reading", "read", "publishing", "done", "failed"
  std::string staging{};    // the staging table's name; empty when written directly
  std::string plan_json{};  // what the run decided once: bounds, cursor window, schema fingerprint
  std::string error{};
  uint64_t rows = 0;
  uint64_t bytes = 0;
  double seconds = 0;
};

enum class ChunkState : uint8_t { kPlanned, kReading, kDone };

struct ChunkRecord {
  uint64_t number = 0;
  std::string bounds_json{};
  ChunkState state = ChunkState::kPlanned;
  std::string stream{};  // BigQuery's name of the write stream, or the load job's id
  uint64_t rows = 0;
  uint64_t bytes = 0;
  uint64_t attempts = 0;  // how often reading it was begun
};

struct QuarantineRecord {
  std::string column{};
  uint64_t count = 0;
  std::vector<std::string> first_keys{};
  std::string example{};
};

// A durable step of publishing, written before the step is taken (`done` false) and after.
struct PublishStep {
  std::string step{};    // "commit", "copy", "merge", "metadata", "drop"
  std::string detail{};  // the job id
  bool done = false;
};

struct SchemaVersion {
  std::string target{};
  int64_t version = 0;  // 1, 2, …
  std::string run_id{};
  std::string schema_json{};
};

// Thread-safe: one writer, behind a mutex. A full disk is ResourceExhausted, with a hint; nothing is lost
// then: the transaction is rolled back whole.
class Ledger {
 public:
  // Creates or upgrades the file. FailedPrecondition for a file of a newer hakobu, or one that is not a
  // ledger.
  static absl::StatusOr<std::unique_ptr<Ledger>> Open(const std::string& path);
  virtual ~Ledger() = default;

  // Only one process delivers with a ledger at a time: FailedPrecondition naming the other's pid. Released by
  // the system when the process ends, however it ends.
  virtual absl::Status LockForRun() = 0;
  // A random name of this ledger, made once: labels what belongs to it in BigQuery.
  virtual std::string id() const = 0;

  virtual absl::Status StartRun(const RunRecord& run) = 0;
  virtual absl::Status FinishRun(const std::string& run_id, RunState state, absl::Time finished,
                                 const std::string& error, const std::string& report_json) = 0;
  virtual absl::Status SetRunState(const std::string& run_id, RunState state) = 0;
  virtual absl::StatusOr<std::vector<RunRecord>> Runs(size_t newest) = 0;
  // The newest run that did not end with kDone or kAbandoned and has this fingerprint.
  virtual absl::StatusOr<std::optional<RunRecord>> ResumableRun(const std::string& fingerprint) = 0;
  // Runs that ended nowhere: kRunning, kFailed or kCancelled, oldest first.
  virtual absl::StatusOr<std::vector<RunRecord>> UnfinishedRuns() = 0;

  // The table and its chunks in one transaction.
  virtual absl::Status AddTable(const RunTableRecord& table, const std::vector<ChunkRecord>& chunks) = 0;
  virtual absl::Status UpdateTable(const RunTableRecord& table) = 0;
  virtual absl::StatusOr<std::vector<RunTableRecord>> Tables(const std::string& run_id) = 0;
  virtual absl::StatusOr<std::vector<ChunkRecord>> Chunks(const std::string& run_id,
                                                          const std::string& source) = 0;
  // Marks the chunk kReading and counts the attempt.
  virtual absl::Status BeginChunk(const std::string& run_id, const std::string& source, uint64_t number) = 0;
  // Before a load job is let go: its id, rows, bytes and quarantined values, so that a later run that finds
  // the job done need not read the chunk again. The state stays kReading.
  virtual absl::Status SealChunk(const std::string& run_id, const std::string& source,
                                 const ChunkRecord& chunk,
                                 const std::vector<QuarantineRecord>& quarantined) = 0;
  // A sealed chunk whose job is done.
  virtual absl::Status FinishSealedChunk(const std::string& run_id, const std::string& source,
                                         uint64_t number) = 0;
  // The checkpoint: chunk kDone with its rows, bytes and stream, and its quarantined values, in one
  // transaction.
  virtual absl::Status FinishChunk(const std::string& run_id, const std::string& source,
                                   const ChunkRecord& chunk,
                                   const std::vector<QuarantineRecord>& quarantined) = 0;
  // Summed over the table's finished chunks; at most 10 first keys a column.
  virtual absl::StatusOr<std::vector<QuarantineRecord>> Quarantined(const std::string& run_id,
                                                                    const std::string& source) = 0;

  virtual absl::Status RecordStep(const std::string& run_id, const std::string& source,
                                  const PublishStep& step) = 0;
  virtual absl::StatusOr<std::vector<PublishStep>> Steps(const std::string& run_id,
                                                         const std::string& source) = 0;

  // Where the next incremental run of this table begins; moved by MoveCursor in one transaction with the step
  // "merge" being done.
  virtual absl::StatusOr<std::optional<std::string>> Cursor(const std::string& source,
                                                            const std::string& target) = 0;
  virtual absl::Status MoveCursor(const std::string& run_id, const std::string& source,
                                  const std::string& target, const std::string& value) = 0;

  // Adds a version when the schema differs from the newest; returns the newest version's number.
  virtual absl::StatusOr<int64_t> RecordSchema(const std::string& target, const std::string& run_id,
                                               const std::string& schema_json) = 0;
  virtual absl::StatusOr<std::optional<SchemaVersion>> NewestSchema(const std::string& target) = 0;
};

}  // namespace hakobu
