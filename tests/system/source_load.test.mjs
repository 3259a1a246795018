// What reading costs the source, told by the server itself: no temporary table, no sort, no lock wait, and no
// transaction longer than a chunk. HAKOBU_LOAD_ROWS=5000000 for the full size.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { root, run, startMysql } from '../harness/servers.mjs';

const rows = Number(process.env.HAKOBU_LOAD_ROWS ?? 300000);
const reader = process.env.HAKOBU_READER ?? join(root, 'build/debug/bench/read_ceiling');

const perSecond = (picoseconds) => Number(picoseconds) / 1e12;

test(`reading ${rows} rows is gentle on the source`, { timeout: 1800000 }, async (t) => {
  assert.ok(existsSync(reader), `build it first: scripts/build debug read_ceiling (${reader})`);
  const server = await startMysql({ test: t, options: ['--innodb-buffer-pool-size=256M'] });
  const load = await run([server.socketPath, String(rows)],
    { command: join(root, 'bench/load_bench_table'), timeoutMs: 1200000 });
  assert.equal(load.code, 0, load.stderr);

  const admin = await server.connect();
  t.after(() => admin.end());
  const one = async (sql) => (await admin.query(sql))[0][0];
  const status = async () => Object.fromEntries((await admin.query(
    "SHOW GLOBAL STATUS WHERE Variable_name IN ('Innodb_row_lock_waits', 'Table_locks_waited', 'Innodb_rows_inserted', " +
    "'Innodb_rows_updated', 'Innodb_rows_deleted', 'Handler_write')"))[0]
    .map(({ Variable_name: name, Value: value }) => [name, Number(value)]));
  // Exactly what hakobu asks for.
  await admin.query("CREATE USER gentle@localhost; GRANT SELECT ON bench.* TO gentle@localhost; " +
    'GRANT REPLICATION CLIENT ON *.* TO gentle@localhost');
  await admin.query('TRUNCATE performance_schema.events_statements_summary_by_digest');
  const before = await status();

  const result = await run(['--socket', server.socketPath, '--user', 'gentle', '--decode', '--connections', '2',
    '--rounds', '1'], { command: reader, timeoutMs: 1200000 });
  assert.equal(result.code, 0, result.stderr);
  const report = JSON.parse(result.stdout);
  assert.equal(report.rows, rows);
  assert.ok(report.chunks >= 2, `${report.chunks} chunks`);

  const after = await status();
  for (const name of ['Innodb_row_lock_waits', 'Table_locks_waited', 'Innodb_rows_inserted', 'Innodb_rows_updated',
    'Innodb_rows_deleted']) {
    assert.equal(after[name] - before[name], 0, name);
  }

  const sums = 'SUM(COUNT_STAR) AS statements, SUM(SUM_ROWS_SENT) AS sent, SUM(SUM_ROWS_EXAMINED) AS examined, ' +
    'SUM(SUM_CREATED_TMP_TABLES) AS tmp, SUM(SUM_CREATED_TMP_DISK_TABLES) AS tmp_disk, SUM(SUM_SORT_ROWS) AS sorted, ' +
    'SUM(SUM_SORT_MERGE_PASSES) AS merges, SUM(SUM_NO_INDEX_USED) AS no_index';
  // Chunks are the only prepared statements.
  const chunks = await one(`SELECT ${sums} FROM performance_schema.events_statements_summary_by_user_by_event_name ` +
    "WHERE USER = 'gentle' AND EVENT_NAME = 'statement/com/Execute'");
  assert.equal(Number(chunks.statements), report.chunks);
  assert.equal(Number(chunks.sent), rows);
  assert.ok(Number(chunks.examined) <= rows + report.chunks, `${chunks.examined} rows examined by chunks`);
  // Planning goes by text: EXPLAINs and single-row probes.
  const planning = await one(`SELECT ${sums} FROM performance_schema.events_statements_summary_by_digest ` +
    "WHERE DIGEST_TEXT LIKE '%FROM `bench` . `bench`%' AND DIGEST_TEXT REGEXP '^(SELECT|EXPLAIN) '");
  assert.ok(Number(planning.statements) >= 3, `${planning.statements} planning statements seen`);
  assert.ok(Number(planning.examined) <= 20 * report.chunks + 20, `${planning.examined} rows examined by planning`);
  for (const part of [chunks, planning]) {
    for (const name of ['tmp', 'tmp_disk', 'sorted', 'merges', 'no_index']) assert.equal(Number(part[name]), 0, name);
  }

  // Everything the user did, the schema's questions included.
  const all = await one(
    'SELECT SUM(SUM_CREATED_TMP_DISK_TABLES) AS tmp_disk, SUM(SUM_SORT_MERGE_PASSES) AS merges, ' +
    "SUM(SUM_ERRORS) AS errors, MAX(MAX_TIMER_WAIT) AS longest " +
    "FROM performance_schema.events_statements_summary_by_user_by_event_name WHERE USER = 'gentle'");
  for (const name of ['tmp_disk', 'merges', 'errors']) assert.equal(Number(all[name]), 0, name);

  const transactions = await one(
    'SELECT COUNT_STAR AS count, COUNT_READ_WRITE AS writing, MAX_TIMER_WAIT AS longest ' +
    "FROM performance_schema.events_transactions_summary_by_user_by_event_name WHERE USER = 'gentle'");
  assert.equal(Number(transactions.writing), 0, 'read-write transactions');
  assert.ok(Number(transactions.count) >= report.chunks, `${transactions.count} transactions`);
  assert.ok(perSecond(transactions.longest) <= perSecond(all.longest) + 0.1,
    `a transaction of ${perSecond(transactions.longest)} s outlives the longest statement, ${perSecond(all.longest)} s`);
  t.diagnostic(JSON.stringify({ rows, chunks: report.chunks, seconds: report.seconds, reading: chunks, planning,
    transactions: transactions.count, longest_transaction_seconds: perSecond(transactions.longest) }));
});
