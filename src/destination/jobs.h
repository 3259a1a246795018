// Jobs [REST v2: jobs]: loads, queries and copies, made idempotent by ids of our own.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/statusor.h"
#include "destination/rest.h"
#include "destination/tables.h"

namespace hakobu {

// What waits for a job, and a job that is inserted may be done at once.
inline constexpr absl::Duration kJobAnswerWithin = absl::Seconds(30);

struct JobName {
  std::string project;   // whose quota and bill it is
  std::string id;        // [A-Za-z0-9_-]{1,1024}
  std::string location;  // "US", "asia-northeast1"; empty: the service finds out
  std::string ToString() const { return project + ":" + id; }
};

struct Job {
  JobName name;
  bool existed = false;  // was there before this call: what jobs.insert answered with 409
  bool done = false;
  absl::Status error;            // why the job failed (OK while it runs); RemedyFor(error) says what to do
  uint64_t output_rows = 0;      // loads: rows written
  uint64_t affected_rows = 0;    // DML
  uint64_t bytes_processed = 0;  // queries, dry runs too
  uint64_t bytes_billed = 0;
  std::string json;  // the Job resource
};

// An id that is the same for the same parts (so that a run after a crash finds its job), different otherwise:
// `hakobu_<kind>_<hex of a digest>_<attempt>`.
std::string MakeJobId(std::string_view kind, const std::vector<std::string_view>& parts, int attempt = 0);

// The id is used up by a job of an earlier call that ended in failure: the next attempt needs another.
inline bool IsBurned(const Job& job) {
  return job.existed && job.done && !job.error.ok();
}

// `configuration` is a JobConfiguration. If a job of that id exists already, it is that job that is returned
// (`existed`): a lost answer costs nothing. jobs.get may answer 404 for a while after that 409; it is asked
// again for minutes [python-bigquery, _job_helpers.py].
absl::StatusOr<Job> InsertJob(Rest& rest, const JobName& name, std::string_view configuration);
absl::StatusOr<Job> GetJob(Rest& rest, const JobName& name);
absl::Status CancelJob(Rest& rest, const JobName& name);  // asks; the job may still succeed
// Until done, asking ever more rarely (to once in 10 s). A failed job is returned as its error. Stops waiting
// (and leaves the job running) when cancelled.
absl::StatusOr<Job> WaitForJob(Rest& rest, const JobName& name);
// Insert and wait; when the service itself failed (jobBackendError, jobInternalError, jobRateLimitExceeded,
// or backendError in the job), again with a new id: name.id with `_r1`, `_r2` … up to the retry policy's
// time. A job of that id that failed in an earlier life is passed over in the same way, so the same call
// after a crash or a failure either finds the job that succeeded or runs a new one; a failure of the job's
// content that happens in this call is returned.
absl::StatusOr<Job> RunJob(Rest& rest, const JobName& name, std::string_view configuration);

enum class WriteDisposition : uint8_t { kAppend, kEmpty, kTruncate, kTruncateData };
std::string_view WriteDispositionName(WriteDisposition disposition);

// Configurations, as JSON text. `kms_key`: projects/p/locations/l/keyRings/r/cryptoKeys/k; a job that
// replaces a table takes its key away unless the job names it; empty: none named.
std::string CopyConfiguration(const std::vector<TableName>& sources, const TableName& target,
                              WriteDisposition disposition, std::string_view kms_key = "");
// WRITE_TRUNCATE_DATA keeps schema, key, layout, description and labels, and needs no bigquery.tables.update
// unless fields may be added; it does not exist for copies. With CREATE_NEVER a table that went away
// meanwhile is an error rather than a new table without its layout.
struct LoadSettings {
  TableName target;
  WriteDisposition disposition = WriteDisposition::kAppend;
  bool may_add_fields = false;  // ALLOW_FIELD_ADDITION: needs tables.update even when nothing is added
  std::string format = "AVRO";
  std::string schema_fields;  // SchemaFieldsJson; empty: the table's, or the file's
  bool use_avro_logical_types = true;
  std::vector<std::string> decimal_target_types = {"NUMERIC", "BIGNUMERIC", "STRING"};
  bool create = true;        // CREATE_IF_NEEDED; else CREATE_NEVER
  std::string layout = {};   // {timePartitioning, clustering …} of a table that the load makes; empty: none
  std::string kms_key = {};  // of the target; empty: Google's own
};
std::string LoadConfiguration(const LoadSettings& settings);

// A load job whose data is sent by a resumable upload of unknown length. One thread at a time.
// Holds at most `chunk_bytes` of data: what the service has confirmed is forgotten.
class LoadUpload {
 public:
  // chunk_bytes is rounded up to a multiple of 256 KiB, as the protocol demands.
  static absl::StatusOr<std::unique_ptr<LoadUpload>> Start(Rest& rest, const JobName& name,
                                                           std::string_view configuration,
                                                           size_t chunk_bytes = size_t{4} << 20);
  ~LoadUpload();
  absl::Status Write(std::string_view bytes);
  // Sends the rest and returns the job, which may still run: WaitForJob. If the job id is taken, the earlier
  // job.
  absl::StatusOr<Job> Finish();
  // Whether the id was taken: what was written here went nowhere, and the job is that earlier one.
  bool found_earlier() const;

 private:
  class State;
  explicit LoadUpload(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

struct QueryParameter {
  std::string name;                  // empty: positional, and then all are
  std::string type;                  // "INT64", "STRING", "TIMESTAMP" …
  std::optional<std::string> value;  // as GoogleSQL's REST writes it; absent: NULL
};
struct QuerySpec {
  std::string project;  // who pays
  std::string sql;      // GoogleSQL
  std::vector<QueryParameter> parameters;
  std::string location;
  std::string job_id;  // empty: a random one
  std::vector<std::pair<std::string, std::string>> labels;
  // Where the rows of a SELECT go; absent: back to the caller. An existing table (CREATE_NEVER).
  std::optional<TableName> destination = {};
  WriteDisposition disposition = WriteDisposition::kEmpty;
  std::string kms_key = {};
};
struct QueryAnswer {
  Job job;
  std::vector<std::string> columns;
  std::vector<RowValues> rows;  // TIMESTAMP as microseconds since 1970
};
std::string QueryConfiguration(const QuerySpec& query);
// All rows in memory: for answers that are small.
absl::StatusOr<QueryAnswer> RunQuery(Rest& rest, const QuerySpec& query);
// Page by page.
absl::StatusOr<Job> RunQuery(Rest& rest, const QuerySpec& query,
                             absl::FunctionRef<absl::Status(const RowValues&)> each);
// A statement that changes a table's definition, paced as the service bounds such changes. Afterwards
// GetTable waits for the table where the service does not find it for a moment.
absl::Status RunTableDdl(Rest& rest, const QuerySpec& query, const TableName& table);
// Checks the SQL and says what it would process; runs nothing.
absl::StatusOr<Job> DryRunQuery(Rest& rest, const QuerySpec& query);

}  // namespace hakobu
