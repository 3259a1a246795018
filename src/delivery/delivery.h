// The main job: what a run would do (PlanRun) and the run itself (Run). Only here do source, decode, encode,
// destination and ledger meet; threads live here and nowhere else.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "base/cancel.h"
#include "base/clock.h"

namespace hakobu {

struct Config;  // config/config.h

// Where BigQuery is. Both empty: Google's own. The app fills them for `endpoint: local` after it has started
// the local BigQuery; delivery itself never knows which one it talks to.
struct DestinationAddresses {
  std::string rest;     // "http://127.0.0.1:9050"
  std::string storage;  // "127.0.0.1:9060"
  std::string token;    // what it wants to be shown; empty: what the configuration names, or nothing
};

enum class WriteMode : uint8_t { kReplace, kAppend, kIncremental, kStream };
enum class WriteBy : uint8_t { kStorage, kLoad };
// How rows get into the target (docs/publishing.md).
enum class PublishMethod : uint8_t {
  kLoad,     // one load job, straight into it
  kStreams,  // write streams of its own, committed together
  kCopy,     // a staging table, then a copy job
  kQuery,    // a staging table, then a query job that writes into it
  kMerge,    // a staging table, then a MERGE that replaces every row
  kUpsert    // a staging table, then a MERGE by key
};
PublishMethod PublishMethodOf(std::string_view name);
std::string_view PublishMethodName(
    PublishMethod method);                       // "load", "streams", "copy", "query", "merge", "upsert"
std::string_view WriteModeName(WriteMode mode);  // "replace" …, as in the configuration
std::string_view WriteByName(WriteBy by);        // "storage", "load"

// One difference between the table as BigQuery has it and as this run would make it.
enum class SchemaChangeKind : uint8_t { kAdded, kDropped, kRenamed, kWidened, kRetyped };
struct SchemaChange {
  SchemaChangeKind kind = SchemaChangeKind::kAdded;
  std::string column;     // BigQuery's name; for kRenamed the new one
  std::string before;     // type, or the old name for kRenamed; empty for kAdded
  std::string after;      // type; empty for kDropped
  std::string behaviour;  // what the run does about it: "new column, NULL in rows already there"
};
std::string_view SchemaChangeName(SchemaChangeKind kind);  // "added" …

struct PlannedTable {
  std::string source;  // "shop.members"
  std::string target;  // "project.dataset.members"
  WriteMode mode = WriteMode::kReplace;
  WriteBy write = WriteBy::kStorage;
  uint64_t estimated_rows = 0;
  uint64_t estimated_bytes = 0;
  uint64_t chunks = 0;
  PublishMethod publish = PublishMethod::kLoad;
  std::string publish_why;    // "fits one load job"
  uint64_t billed_bytes = 0;  // by the query that publishes, about; 0: free
  std::string key;            // "PRIMARY (id)"; empty: one streamed pass
  bool target_exists = false;
  uint64_t target_bytes = 0;  // logical bytes of the table as it is in BigQuery
  std::vector<SchemaChange> schema_changes;
  std::vector<std::pair<std::string, std::string>> columns;  // BigQuery name and type, in order
  std::vector<std::string> notes;  // "no key: read in one streamed pass", "deletes are not seen" …
};

// A table that cannot be delivered; the others are.
struct TableTrouble {
  std::string source;  // "shop.members", or the configuration's pattern that matches nothing
  std::string error;
  bool refused = false;  // delivering it would lose data
};

struct RunPlan {
  std::vector<PlannedTable> tables;
  std::vector<TableTrouble> troubles;
  std::optional<std::string> resumes_run;  // the id of the interrupted run that Run would continue
  uint64_t chunks_already_done = 0;
};

// What the source was made to do, from its own counters (all connections of the run, and the whole server's
// where the name says so in `SHOW GLOBAL STATUS`).
struct SourceLoad {
  uint64_t statements = 0;
  uint64_t rows_examined = 0;
  uint64_t server_data_reads = 0;  // Innodb_data_reads, difference over the run
  uint64_t created_tmp_disk_tables = 0;
  uint64_t sort_merge_passes = 0;
};

struct QuarantinedValues {
  std::string column;
  uint64_t count = 0;
  std::vector<std::string> first_keys;  // "id=7", at most 10
  std::string example;                  // the first value, as the server prints it
  bool accepted = false;                // known, by `accept` of the configuration: no news
};

struct TableReport {
  std::string source;
  std::string target;
  WriteMode mode = WriteMode::kReplace;
  WriteBy write = WriteBy::kStorage;
  PublishMethod publish = PublishMethod::kLoad;
  bool unchanged = false;  // the target holds these rows already: nothing was published
  std::string state;       // "done", "failed", "cancelled", "not started"
  uint64_t rows = 0;       // rows delivered by this run, resumed chunks included
  uint64_t bytes = 0;      // encoded
  double seconds = 0;
  uint64_t chunks = 0;
  uint64_t chunks_resumed = 0;  // finished by the interrupted run that this one continued
  uint64_t chunk_retries = 0;
  std::vector<QuarantinedValues> quarantined;
  std::vector<SchemaChange> schema_changes;
  std::vector<std::string> notes;
  std::string error;     // empty unless failed
  bool refused = false;  // failed because delivering it would have lost data
};

// Where a run's time went, and what became of its promise (docs/promises.md).
struct PaceReport {
  std::vector<std::pair<std::string, double>>
      seconds_by_reason;                // the sum is the time of reading and publishing
  uint64_t pages = 0;                   // of 16 KiB that were read, by the tables' sizes
  std::optional<double> credits_start;  // of the bucket; none: not looked at
  std::optional<double> credits_lowest;
  std::optional<double> credits_end;
  std::optional<absl::Time> promise;
  std::vector<std::string> late_tables;  // that were not published by then
  std::vector<std::string> notes;
};

struct RunReport {
  std::string run_id;
  std::string
      state;  // "done", "failed", "interrupted" (a side stayed away; the next run continues), "cancelled"
  absl::Time started;
  absl::Time finished;
  std::optional<std::string> resumed_run;
  std::vector<TableReport> tables;
  SourceLoad source_load;
  std::string log_position_before;  // "binlog.000004:1234 gtid=…"; empty where the source keeps no log
  std::string log_position_after;
  std::string consistency = "chunk";
  bool late = false;  // took longer than `limits.finish_within`, or missed the promise
  PaceReport pace;
  std::vector<std::string> notes;  // leftovers that were removed, warnings
};

// 0 done, 1 failed, 3 done but late or with quarantined values that are not accepted, 4 a table was refused
// because it would lose data.
int ExitCode(const RunReport& report);
std::string ReportToJson(const RunReport& report);

struct TableProgress {
  std::string source;
  uint64_t rows = 0;
  uint64_t bytes = 0;
  uint64_t estimated_rows = 0;
  uint64_t chunks_done = 0;
  uint64_t chunks = 0;
  std::string state;  // "reading", "publishing", "done", "failed"
};

// Called from the run's own threads, one call at a time; must return quickly.
class RunObserver {
 public:
  virtual ~RunObserver() = default;
  virtual void OnStart(const std::string& /*run_id*/, const RunPlan& /*plan*/) {}
  // About five times a second, and at every change of state; all tables, in the plan's order.
  virtual void OnProgress(const std::vector<TableProgress>& /*tables*/) {}
};

struct RunOptions {
  std::vector<std::string> tables;  // "members", "shop.members" or globs; empty: all that are configured
  DestinationAddresses addresses;
  std::string ledger_path;                      // empty: the configuration's
  std::string tenant;                           // whose tables these are; empty: no tenant's in particular
  bool fresh = false;                           // do not continue an interrupted run
  absl::Duration patience = absl::Minutes(10);  // how long a source or service that is away is waited for
  Clock* clock = Clock::Real();
};

// Touches nothing on either side. What cannot be delivered is in `troubles`; an error when nothing can, with
// all problems at once.
absl::StatusOr<RunPlan> PlanRun(const Config& config, const RunOptions& options, const Cancellation& cancel);

// Delivers. An error status means that nothing was started (a second run holds the ledger, a side is
// unreachable, the schema does not fit); once tables are being delivered, failures are in the report: one
// table's failure does not stop the others. After `cancel` the report says "cancelled" and the next Run
// continues.
absl::StatusOr<RunReport> Run(const Config& config, const RunOptions& options, RunObserver* observer,
                              const Cancellation& cancel);

}  // namespace hakobu
