#include "ledger/migrations.h"

#include <fmt/format.h>

#include <iterator>

#include "base/status.h"

namespace hakobu {
namespace {

// Times are microseconds since the epoch, UTC. `source` is "database.table", `target`
// "project.dataset.table".
constexpr const char* kVersion1 = R"sql(
CREATE TABLE identity (id TEXT NOT NULL);
CREATE TABLE runs (
  id TEXT PRIMARY KEY, started_us INTEGER NOT NULL, finished_us INTEGER, state TEXT NOT NULL,
  fingerprint TEXT NOT NULL, pid INTEGER NOT NULL, log_position_before TEXT NOT NULL, error TEXT NOT NULL,
  report_json TEXT NOT NULL);
CREATE TABLE run_tables (
  run_id TEXT NOT NULL REFERENCES runs(id) ON DELETE CASCADE, source TEXT NOT NULL, target TEXT NOT NULL,
  mode TEXT NOT NULL, state TEXT NOT NULL, staging TEXT NOT NULL, plan_json TEXT NOT NULL, error TEXT NOT NULL,
  rows INTEGER NOT NULL, bytes INTEGER NOT NULL, seconds REAL NOT NULL, PRIMARY KEY (run_id, source)) WITHOUT ROWID;
CREATE TABLE chunks (
  run_id TEXT NOT NULL, source TEXT NOT NULL, number INTEGER NOT NULL, bounds_json TEXT NOT NULL,
  state TEXT NOT NULL, stream TEXT NOT NULL, rows INTEGER NOT NULL, bytes INTEGER NOT NULL, attempts INTEGER NOT NULL,
  PRIMARY KEY (run_id, source, number),
  FOREIGN KEY (run_id, source) REFERENCES run_tables(run_id, source) ON DELETE CASCADE) WITHOUT ROWID;
CREATE TABLE quarantined (
  run_id TEXT NOT NULL, source TEXT NOT NULL, chunk INTEGER NOT NULL, column_name TEXT NOT NULL,
  count INTEGER NOT NULL, first_keys TEXT NOT NULL, example TEXT NOT NULL,
  PRIMARY KEY (run_id, source, chunk, column_name),
  FOREIGN KEY (run_id, source) REFERENCES run_tables(run_id, source) ON DELETE CASCADE) WITHOUT ROWID;
CREATE TABLE publish_steps (
  run_id TEXT NOT NULL, source TEXT NOT NULL, step TEXT NOT NULL, detail TEXT NOT NULL, done INTEGER NOT NULL,
  PRIMARY KEY (run_id, source, step),
  FOREIGN KEY (run_id, source) REFERENCES run_tables(run_id, source) ON DELETE CASCADE) WITHOUT ROWID;
CREATE TABLE cursors (
  source TEXT NOT NULL, target TEXT NOT NULL, value TEXT NOT NULL, run_id TEXT NOT NULL,
  PRIMARY KEY (source, target)) WITHOUT ROWID;
CREATE TABLE schema_versions (
  target TEXT NOT NULL, version INTEGER NOT NULL, run_id TEXT NOT NULL, schema_json TEXT NOT NULL,
  PRIMARY KEY (target, version)) WITHOUT ROWID;
INSERT INTO identity VALUES (lower(hex(randomblob(8))));
)sql";

// Permissions as code (grant_book.h). `target` is "dataset" or "dataset.table", grant_key "role member".
constexpr const char* kGrants = R"sql(
CREATE TABLE grant_applies (
  id INTEGER PRIMARY KEY, started_us INTEGER NOT NULL, finished_us INTEGER, project TEXT NOT NULL, caller TEXT NOT NULL,
  reason TEXT NOT NULL, commit_id TEXT NOT NULL, state TEXT NOT NULL, plan_json TEXT NOT NULL, error TEXT NOT NULL);
CREATE TABLE grant_targets (
  apply_id INTEGER NOT NULL REFERENCES grant_applies(id) ON DELETE CASCADE, target TEXT NOT NULL,
  outcome TEXT NOT NULL, etag_before TEXT NOT NULL, etag_after TEXT NOT NULL, entries_json TEXT NOT NULL,
  error TEXT NOT NULL, PRIMARY KEY (apply_id, target)) WITHOUT ROWID;
CREATE TABLE grant_managed (
  project TEXT NOT NULL, target TEXT NOT NULL, grant_key TEXT NOT NULL, apply_id INTEGER NOT NULL,
  PRIMARY KEY (project, target, grant_key)) WITHOUT ROWID;
)sql";

// The stream (stream_book.h). One position, one set of schemas: id is always 1.
constexpr const char* kStream = R"sql(
CREATE TABLE stream_position (
  id INTEGER PRIMARY KEY CHECK (id = 1), epoch INTEGER NOT NULL, flavor TEXT NOT NULL, server_uuid TEXT NOT NULL,
  server_id INTEGER NOT NULL, file TEXT NOT NULL, file_offset INTEGER NOT NULL, file_identity TEXT NOT NULL,
  gtid_set TEXT NOT NULL, log_time_us INTEGER NOT NULL, stored_us INTEGER NOT NULL);
CREATE TABLE stream_schemas (id INTEGER PRIMARY KEY CHECK (id = 1), schemas_json TEXT NOT NULL);
CREATE TABLE stream_tables (
  source TEXT PRIMARY KEY, target TEXT NOT NULL, mode TEXT NOT NULL, state TEXT NOT NULL, reason TEXT NOT NULL,
  since_us INTEGER NOT NULL, copy_sequence TEXT NOT NULL, whole_epoch INTEGER NOT NULL, whole_file TEXT NOT NULL,
  whole_offset INTEGER NOT NULL, write_stream TEXT NOT NULL, write_offset INTEGER NOT NULL,
  copied_rows INTEGER NOT NULL, write_base INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE stream_chunks (
  source TEXT NOT NULL REFERENCES stream_tables(source) ON DELETE CASCADE, number INTEGER NOT NULL,
  bounds_json TEXT NOT NULL, done INTEGER NOT NULL, rows INTEGER NOT NULL, write_stream TEXT NOT NULL,
  PRIMARY KEY (source, number)) WITHOUT ROWID;
CREATE TABLE stream_gaps (
  id INTEGER PRIMARY KEY, from_gtid TEXT NOT NULL, to_gtid TEXT NOT NULL, from_file TEXT NOT NULL,
  from_offset INTEGER NOT NULL, to_file TEXT NOT NULL, to_offset INTEGER NOT NULL, from_us INTEGER, to_us INTEGER,
  cause TEXT NOT NULL, detail_json TEXT NOT NULL, tables_json TEXT NOT NULL, state TEXT NOT NULL,
  opened_us INTEGER NOT NULL, closed_us INTEGER, proof_json TEXT NOT NULL);
)sql";

// Comparisons of streamed tables with their source that are under way (repair_book.h).
constexpr const char* kRepair = R"sql(
CREATE TABLE repair_tables (
  source TEXT PRIMARY KEY, target TEXT NOT NULL, rows_table TEXT NOT NULL, fingerprint TEXT NOT NULL,
  sequence TEXT NOT NULL, started_us INTEGER NOT NULL, round INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE repair_chunks (
  source TEXT NOT NULL REFERENCES repair_tables(source) ON DELETE CASCADE, number INTEGER NOT NULL,
  bounds_json TEXT NOT NULL, done INTEGER NOT NULL, rows INTEGER NOT NULL, write_stream TEXT NOT NULL,
  PRIMARY KEY (source, number)) WITHOUT ROWID;
)sql";

// How the stream stood when it last looked at its source's log (stream_book.h).
constexpr const char* kHealth = R"sql(
CREATE TABLE stream_health (
  id INTEGER PRIMARY KEY CHECK (id = 1), looked_us INTEGER NOT NULL, fresh_until_us INTEGER NOT NULL,
  lag_bytes INTEGER NOT NULL, headroom_seconds REAL NOT NULL, stalled_seconds REAL NOT NULL, headroom TEXT NOT NULL);
)sql";

// What was published last, and what each chunk of it adds up to.
constexpr const char* kPublished = R"sql(
ALTER TABLE chunks ADD COLUMN content INTEGER NOT NULL DEFAULT 0;
CREATE TABLE published (
  target TEXT PRIMARY KEY, run_id TEXT NOT NULL, form TEXT NOT NULL, rows INTEGER NOT NULL,
  content INTEGER NOT NULL, created_ms INTEGER NOT NULL, modified_ms INTEGER NOT NULL) WITHOUT ROWID;
)sql";

// What each target was delivered from, as and to (contract_book.h).
constexpr const char* kContracts = R"sql(
CREATE TABLE contracts (
  target TEXT PRIMARY KEY, source TEXT NOT NULL, contract_json TEXT NOT NULL, sweep INTEGER NOT NULL,
  stored_us INTEGER NOT NULL) WITHOUT ROWID;
)sql";

// What the service was found to do, and datasets of the looking that are not removed yet (probe_book.h).
constexpr const char* kProbe = R"sql(
CREATE TABLE probe_answers (
  project TEXT NOT NULL, location TEXT NOT NULL, question TEXT NOT NULL, answer TEXT NOT NULL, seen TEXT NOT NULL,
  asked_us INTEGER NOT NULL, PRIMARY KEY (project, location, question)) WITHOUT ROWID;
CREATE TABLE probe_scratch (dataset TEXT PRIMARY KEY) WITHOUT ROWID;
)sql";

// Earlier versions kept bounds, windows and filters in clear, whatever a column's mask. What is over or
// begins anew needs none of it; what a copy under way and a cursor need is sealed when it is next read.
constexpr const char* kErased = R"sql(
UPDATE chunks SET bounds_json = '';
UPDATE run_tables SET plan_json = '{}';
UPDATE publish_steps SET detail = '' WHERE step = 'cursor';
UPDATE stream_chunks SET bounds_json = '' WHERE done <> 0;
UPDATE repair_chunks SET bounds_json = '';
UPDATE repair_tables SET fingerprint = '';
CREATE TABLE chores (name TEXT PRIMARY KEY);
INSERT INTO chores VALUES ('compact');
)sql";

// What was away last, for each command and side (outage_book.h).
constexpr const char* kOutages = R"sql(
CREATE TABLE outages (
  command TEXT NOT NULL, subject TEXT NOT NULL, since_us INTEGER NOT NULL, tried_us INTEGER NOT NULL,
  failures INTEGER NOT NULL, work TEXT NOT NULL, error TEXT NOT NULL, doing TEXT NOT NULL, ended_us INTEGER NOT NULL,
  PRIMARY KEY (command, subject)) WITHOUT ROWID;
)sql";

// What is kept of a source's load, and a person's wish (pace_book.h).
constexpr const char* kPace = R"sql(
CREATE TABLE pace_wish (id INTEGER PRIMARY KEY CHECK (id = 1), share REAL NOT NULL, since_us INTEGER NOT NULL);
CREATE TABLE pace_fits (
  bucket TEXT PRIMARY KEY, refill REAL NOT NULL, cost REAL NOT NULL, doubt REAL NOT NULL) WITHOUT ROWID;
CREATE TABLE pace_loads (
  source TEXT NOT NULL, week INTEGER NOT NULL, slot INTEGER NOT NULL, iops REAL NOT NULL,
  PRIMARY KEY (source, week, slot)) WITHOUT ROWID;
)sql";

// Who was told of what (alert_book.h), and what was begun (attempt_book.h).
constexpr const char* kAlerts = R"sql(
CREATE TABLE alerts (
  cause TEXT PRIMARY KEY, level TEXT NOT NULL, title TEXT NOT NULL, detail TEXT NOT NULL, episode INTEGER NOT NULL,
  recurrences INTEGER NOT NULL, since_us INTEGER NOT NULL, said_us INTEGER NOT NULL, gone_since_us INTEGER NOT NULL,
  ended_us INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE notices (
  number INTEGER PRIMARY KEY, channel TEXT NOT NULL, cause TEXT NOT NULL, event_json TEXT NOT NULL,
  created_us INTEGER NOT NULL, state TEXT NOT NULL, tries INTEGER NOT NULL, next_try_us INTEGER NOT NULL,
  ended_us INTEGER NOT NULL, error TEXT NOT NULL, claimed TEXT NOT NULL, claimed_until_us INTEGER NOT NULL);
CREATE TABLE attempts (
  number INTEGER PRIMARY KEY, command TEXT NOT NULL, pid INTEGER NOT NULL, began_us INTEGER NOT NULL,
  ended_us INTEGER NOT NULL, exit_code INTEGER NOT NULL, error TEXT NOT NULL);
)sql";

// Whose a run is, how its tenants stand, and what scans of shared tables found (tenant_book.h).
constexpr const char* kTenants = R"sql(
ALTER TABLE runs ADD COLUMN tenant TEXT NOT NULL DEFAULT '';
CREATE TABLE tenants (
  id TEXT PRIMARY KEY, state TEXT NOT NULL, reason TEXT NOT NULL, since_us INTEGER NOT NULL,
  delivered_us INTEGER NOT NULL, run_id TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE scans (
  run_id TEXT NOT NULL, source TEXT NOT NULL, scanned INTEGER NOT NULL, handed_out INTEGER NOT NULL,
  null_rows INTEGER NOT NULL, unknown_rows INTEGER NOT NULL, elsewhere INTEGER NOT NULL,
  values_json TEXT NOT NULL, PRIMARY KEY (run_id, source)) WITHOUT ROWID;
)sql";

// The n-th (from 1) brings a ledger from version n-1 to n; `PRAGMA user_version` holds the version.
constexpr const char* kMigrations[] = {kVersion1, kGrants, kStream,  kRepair, kHealth, kPublished, kContracts,
                                       kProbe,    kErased, kOutages, kPace,   kAlerts, kTenants};

absl::StatusOr<size_t> VersionOf(Sqlite* sqlite) {
  HAKOBU_ASSIGN_OR_RETURN(SqliteRows rows, sqlite->Prepare("PRAGMA user_version"));
  HAKOBU_RETURN_IF_ERROR(rows.Next().status());
  return static_cast<size_t>(rows.Integer(0));
}

absl::Status Migrate(Sqlite* sqlite, const std::string& path) {
  // Read again, under the lock: another process may have upgraded the file meanwhile.
  HAKOBU_ASSIGN_OR_RETURN(size_t version, VersionOf(sqlite));
  if (version > std::size(kMigrations)) {
    return WithHint(
        absl::FailedPreconditionError(fmt::format("ledger {} has version {}, this hakobu knows up to {}",
                                                  path, version, std::size(kMigrations))),
        "use the newer hakobu that wrote it, or name another file with `ledger:`");
  }
  for (; version < std::size(kMigrations); ++version) {
    HAKOBU_RETURN_IF_ERROR(Annotate(sqlite->Execute(kMigrations[version]),
                                    fmt::format("bring ledger {} to version {}", path, version + 1)));
  }
  return sqlite->Execute(fmt::format("PRAGMA user_version = {}", version).c_str());
}

// Pages that were given back before, and the log that pages were written to on their way, hold what was
// erased. Another process that has the file open may keep this from being done: the next start tries again.
absl::Status Compact(Sqlite* sqlite) {
  {
    HAKOBU_ASSIGN_OR_RETURN(SqliteRows rows,
                            sqlite->Prepare("SELECT name FROM chores WHERE name = 'compact'"));
    HAKOBU_ASSIGN_OR_RETURN(const bool to_do, rows.Next());
    if (!to_do) return absl::OkStatus();
  }
  absl::Status status = sqlite->Execute("VACUUM");
  if (status.ok()) {
    HAKOBU_ASSIGN_OR_RETURN(SqliteRows rows, sqlite->Prepare("PRAGMA wal_checkpoint(TRUNCATE)"));
    status = rows.Next().status();
    if (status.ok() && rows.Integer(0) != 0) return absl::OkStatus();  // a reader holds the log
  }
  if (status.ok()) status = sqlite->Execute("DELETE FROM chores WHERE name = 'compact'");
  if (absl::IsUnavailable(status)) return absl::OkStatus();
  return Annotate(status, "erase what an earlier version kept in the ledger");
}

}  // namespace

absl::StatusOr<std::string> UpgradeLedger(Sqlite* sqlite, const std::string& path) {
  HAKOBU_ASSIGN_OR_RETURN(const size_t version, VersionOf(sqlite));
  if (version != std::size(kMigrations)) {
    HAKOBU_RETURN_IF_ERROR(sqlite->Execute("BEGIN IMMEDIATE"));
    absl::Status status = Migrate(sqlite, path);
    if (status.ok()) status = sqlite->Execute("COMMIT");
    if (!status.ok()) {
      sqlite->Rollback();
      return status;
    }
  }
  HAKOBU_RETURN_IF_ERROR(Compact(sqlite));
  HAKOBU_ASSIGN_OR_RETURN(SqliteRows rows, sqlite->Prepare("SELECT id FROM identity"));
  HAKOBU_RETURN_IF_ERROR(rows.Next().status());
  return rows.Text(0);
}

}  // namespace hakobu
