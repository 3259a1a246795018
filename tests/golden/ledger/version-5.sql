-- A ledger of version 5 as hakobu 0.1.0 left it: every table with rows, times that were never kept as NULL.
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
INSERT INTO identity VALUES ('00c0ffee00c0ffee');
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
CREATE TABLE repair_tables (
  source TEXT PRIMARY KEY, target TEXT NOT NULL, rows_table TEXT NOT NULL, fingerprint TEXT NOT NULL,
  sequence TEXT NOT NULL, started_us INTEGER NOT NULL, round INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE repair_chunks (
  source TEXT NOT NULL REFERENCES repair_tables(source) ON DELETE CASCADE, number INTEGER NOT NULL,
  bounds_json TEXT NOT NULL, done INTEGER NOT NULL, rows INTEGER NOT NULL, write_stream TEXT NOT NULL,
  PRIMARY KEY (source, number)) WITHOUT ROWID;
CREATE TABLE stream_health (
  id INTEGER PRIMARY KEY CHECK (id = 1), looked_us INTEGER NOT NULL, fresh_until_us INTEGER NOT NULL,
  lag_bytes INTEGER NOT NULL, headroom_seconds REAL NOT NULL, stalled_seconds REAL NOT NULL, headroom TEXT NOT NULL);
INSERT INTO runs VALUES ('r1', 1000000, 2000000, 'done', 'f', 7, 'b.1:4', '', '{}');
INSERT INTO runs VALUES ('r2', 3000000, NULL, 'running', 'f', 8, '', '', '');
INSERT INTO run_tables VALUES ('r2', 'shop.members', 'p.d.members', 'replace', 'reading', 'st', '{}', '', 1, 2, 0.5);
INSERT INTO chunks VALUES ('r2', 'shop.members', 0, '{}', 'done', 'job', 3, 4, 1);
INSERT INTO chunks VALUES ('r2', 'shop.members', 1, '{}', 'reading', '', 0, 0, 2);
INSERT INTO quarantined VALUES ('r2', 'shop.members', 0, 'born', 2, '["id=1","id=2"]', '0000-00-00');
INSERT INTO publish_steps VALUES ('r2', 'shop.members', 'copy', 'job-1', 1);
INSERT INTO cursors VALUES ('shop.members', 'p.d.members', '2026-01-01', 'r1');
INSERT INTO schema_versions VALUES ('p.d.members', 1, 'r1', '[1]');
INSERT INTO grant_applies VALUES (1, 1000000, NULL, 'p', 'me', 'why', 'abc', 'running', '{}', '');
INSERT INTO grant_targets VALUES (1, 'd', 'applied', 'e1', 'e2', '[]', '');
INSERT INTO grant_managed VALUES ('p', 'd', 'reader user:a@x.com', 1);
INSERT INTO stream_position VALUES (1, 2, 'mysql', 'u', 4, 'b.7', 1234, 'i', 'u:1-9', 5000000, 6000000);
INSERT INTO stream_schemas VALUES (1, '{"a":1}');
INSERT INTO stream_tables VALUES ('shop.members', 'p.d.members', 'upsert', 'copying', '', 1000000, '0/1', 2, 'b.7', 99, 'ws', 5, 6, 7);
INSERT INTO stream_tables VALUES ('shop.plans', 'p.d.plans', 'history', 'gap', 'gap 1', 1000000, '0/1', 2, 'b.7', 99, 'ws', 5, 6, 7);
INSERT INTO stream_chunks VALUES ('shop.members', 0, '{}', 1, 9, '');
INSERT INTO stream_chunks VALUES ('shop.members', 1, '{}', 0, 0, '');
INSERT INTO stream_gaps VALUES (1, 'u:1-5', 'u:1-9', 'b.1', 4, 'b.2', 5, NULL, 1000000, 'purged', '{}', '[]', 'open', 2000000, NULL, '');
INSERT INTO repair_tables VALUES ('shop.plans', 'p.d.plans', 'rows', 'fp', '0/2', 1000000, 3);
INSERT INTO repair_chunks VALUES ('shop.plans', 0, '{}', 1, 8, 'ws');
INSERT INTO stream_health VALUES (1, 1000000, 0, 12, 60.5, 30, 'long');
PRAGMA user_version = 5;
