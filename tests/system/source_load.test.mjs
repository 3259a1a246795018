// What reading costs the source, told by the server itself: no temporary table, no sort, no lock wait, and no
// transaction longer than a chunk. HAKOBU_LOAD_ROWS=5000000 for the full size.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { makeJob } from '../harness/delivery.mjs';
import { root, run, startBigquery, startMysql } from '../harness/servers.mjs';

const rows = Number(process.env.HAKOBU_LOAD_ROWS ?? 300000);

const perSecond = (picoseconds) => Number(picoseconds) / 1e12;

test(`reading ${rows} rows is gentle on the source`, { timeout: 1800000 }, async (t) => {
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

  const bigquery = await startBigquery({ test: t });
  const job = makeJob({ mysql: server, bigquery, dataset: 'gentle', test: t, source: { user: 'gentle', connections: 2 },
    tables: [{ table: 'bench.bench' }] });
  await admin.query(`SET GLOBAL slow_query_log_file = '${join(server.folder, 'gentle.log')}'; ` +
    'SET GLOBAL log_slow_extra = ON, GLOBAL long_query_time = 0, GLOBAL slow_query_log = ON');
  const result = await job.run({ timeoutMs: 1200000 });
  await admin.query('SET GLOBAL slow_query_log = OFF');
  assert.equal(result.code, 0, result.stderr);
  const report = result.report.tables[0];
  assert.equal(report.rows, rows);
  const chunkCount = report.chunks;
  assert.ok(chunkCount >= 2, `${chunkCount} chunks`);

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
  assert.equal(Number(chunks.statements), chunkCount);
  assert.equal(Number(chunks.sent), rows);
  assert.ok(Number(chunks.examined) <= rows + chunkCount, `${chunks.examined} rows examined by chunks`);
  // Planning goes by text: EXPLAINs and single-row probes.
  const planning = await one(`SELECT ${sums} FROM performance_schema.events_statements_summary_by_digest ` +
    "WHERE DIGEST_TEXT LIKE '%FROM `bench` . `bench`%' AND DIGEST_TEXT REGEXP '^(SELECT|EXPLAIN) '");
  assert.ok(Number(planning.statements) >= 3, `${planning.statements} planning statements seen`);
  assert.ok(Number(planning.examined) <= 20 * chunkCount + 20, `${planning.examined} rows examined by planning`);
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
  assert.ok(Number(transactions.count) >= chunkCount, `${transactions.count} transactions`);
  assert.ok(perSecond(transactions.longest) <= perSecond(all.longest) + 0.1,
    `a transaction of ${perSecond(transactions.longest)} s outlives the longest statement, ${perSecond(all.longest)} s`);
  const logged = slowLog(readFileSync(join(server.folder, 'gentle.log'), 'utf8'), 'gentle');
  assert.ok(logged.length >= chunkCount + Number(planning.statements), `${logged.length} statements in the server's log`);
  const sumOf = (name) => logged.reduce((sum, entry) => sum + (entry[name] ?? 0), 0);
  for (const name of ['Created_tmp_disk_tables', 'Sort_merge_passes']) assert.equal(sumOf(name), 0, `${name} in the log`);
  const reads = logged.filter((entry) => /FROM `bench`.`bench`/i.test(entry.sql) && entry.Rows_sent > 1);
  assert.equal(reads.length, chunkCount);
  for (const entry of reads) {
    for (const name of ['Created_tmp_tables', 'Sort_rows', 'Sort_range_count', 'Sort_scan_count']) {
      assert.equal(entry[name], 0, `${name} of ${entry.sql}`);
    }
    assert.ok(entry.Lock_time < 0.1, `${entry.Lock_time} s waited for locks by ${entry.sql}`);
  }
  t.diagnostic(JSON.stringify({ rows, chunks: chunkCount, seconds: report.seconds, reading: chunks, planning,
    transactions: transactions.count, longest_transaction_seconds: perSecond(transactions.longest),
    statements_in_the_log: logged.length }));
});

// The entries of one user in MySQL's slow query log with log_slow_extra: { sql, Query_time, Rows_sent, ... }.
function slowLog(text, user) {
  return text.split(/^# Time: /m).filter((entry) => entry.includes(`# User@Host: ${user}[`)).map((entry) => ({
    ...Object.fromEntries([...entry.matchAll(/(\w+): (-?[\d.]+)(?=\s)/g)].map(([, name, value]) => [name, Number(value)])),
    sql: entry.split('\n').filter((line) => !/^(#|SET timestamp|use )/.test(line)).slice(1).join('\n').trim(),
  }));
}
