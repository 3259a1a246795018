// Where `hakobu stream` loses the thread of the log: the gap names what the test knows was lost, `hakobu verify` sees
// the rows, `hakobu repair` makes the tables equal and closes the gap; where nothing is lost there is no gap.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { cpSync, readdirSync, rmSync, statSync, truncateSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { privateFolder, run, startBigquery, startMysql } from '../harness/servers.mjs';
import { bigqueryClient } from '../harness/clients.mjs';
import { makeStream, waitForLine, waitUntilEqual } from '../harness/stream.mjs';

const withGtids = ['--log-bin=binlog', '--gtid-mode=ON', '--enforce-gtid-consistency=ON'];
const options = (id, more = []) => [`--server-id=${id}`, ...withGtids, ...more];

const tables = ['members', 'visits', 'codes'];
const schema = `CREATE DATABASE shop CHARACTER SET utf8mb4; USE shop;
  CREATE TABLE members (id INT PRIMARY KEY, name VARCHAR(50), joined DATETIME(3), points DECIMAL(10,2), extra JSON);
  CREATE TABLE visits (member INT, at TIMESTAMP(6), note TEXT, photo BLOB, PRIMARY KEY (member, at));
  CREATE TABLE codes (code VARCHAR(20) COLLATE utf8mb4_general_ci PRIMARY KEY, rate DOUBLE, day DATE, flag BIT(1));
  INSERT INTO members VALUES (1, '佐藤', '2024-01-02 03:04:05.678', 10.50, '{"a": [1, 2]}'), (2, 'Tanaka', NULL, NULL, NULL),
    (3, 'Ito', NULL, 0, '[]'), (4, 'Kato', NULL, 4, '{}'), (5, 'Mori', NULL, 5, NULL);
  INSERT INTO visits VALUES (1, '2024-01-01 00:00:00.000001', 'x', X'00ff'), (2, '2024-01-01 00:00:00', NULL, NULL);
  INSERT INTO codes VALUES ('a', 0.1, '2024-02-29', b'1'), ('B', 1e300, NULL, b'0'), ('c', NULL, NULL, NULL)`;
// A change of each kind in each table.
const lost = `INSERT INTO members VALUES (101, 'lost', NOW(3), 1, '{"k": 1}'); UPDATE members SET name = 'lost too', extra = '[3]' WHERE id = 1;
  DELETE FROM members WHERE id = 2; UPDATE members SET id = 103 WHERE id = 3;
  INSERT INTO visits VALUES (9, NOW(6), 'lost', X'01'); DELETE FROM visits WHERE member = 2; UPDATE visits SET photo = X'02' WHERE member = 1;
  UPDATE codes SET rate = 0.2 WHERE code = 'a'; DELETE FROM codes WHERE code = 'B'; INSERT INTO codes VALUES ('é', 3, NULL, NULL)`;
const later = "INSERT INTO members VALUES (200, 'later', NULL, 2, NULL); UPDATE codes SET flag = b'1' WHERE code = 'c'";

async function begin(t, { flavor = 'mysql', serverOptions = options(1), stream = {}, defaults = {}, folder } = {}) {
  const mysql = await startMysql({ flavor, options: serverOptions, folder, test: t });
  const server = await startBigquery({ test: t });
  const bigquery = bigqueryClient(server);
  const admin = await mysql.connect();
  await admin.query(schema);
  const job = makeStream({ mysql, bigquery: server, dataset: 'live', tables: [{ table: 'shop.*' }], stream, defaults, test: t });
  const hakobu = async (...args) => {
    const result = await run(['-c', join(job.folder, 'hakobu.yaml'), '--json', ...args]);
    let json;
    try { json = JSON.parse(result.stdout); } catch { json = undefined; }
    return { ...result, json };
  };
  const caughtUp = async (expected = 0) => {
    const result = await job.catchUp();
    assert.equal(result.code, expected, result.stderr + result.stdout);
    return result;
  };
  const equal = (source = mysql, names = tables) =>
    waitUntilEqual({ mysql: source, bigquery, database: 'shop', dataset: 'live', tables: names, timeoutMs: 5000 });
  return { mysql, server, bigquery, admin, job, hakobu, caughtUp, equal };
}

async function executed(admin) {
  const [[row]] = await admin.query('SELECT @@GLOBAL.gtid_executed AS gtids, @@GLOBAL.server_uuid AS uuid');
  return { gtids: row.gtids.replaceAll('\n', ''), uuid: row.uuid };
}

// Exactly one open gap; its tables may all be concerned.
async function theGap({ hakobu }, cause) {
  const { code, json, stderr } = await hakobu('gaps');
  assert.equal(code, 3, stderr);
  assert.equal(json.gaps.length, 1, JSON.stringify(json, null, 1));
  const [gap] = json.gaps;
  assert.equal(gap.cause, cause, gap.explanation);
  assert.equal(gap.state, 'open');
  assert.deepEqual(gap.tables.map((table) => [table.table, table.concern]).sort(),
    tables.map((table) => [`shop.${table}`, 'possible']).sort());
  for (const table of tables) {
    assert.match(gap.statement.en, new RegExp(`shop\\.${table} \\(BigQuery: `));
    assert.match(gap.statement.ja, new RegExp(`shop\\.${table}（BigQuery：`));
  }
  return gap;
}

// Repairs, and holds the ledger's word against Google's client.
async function repaired(context, { source, found } = {}) {
  const { hakobu, equal, caughtUp } = context;
  const before = await hakobu('verify');
  assert.equal(before.code, 3, before.stderr);
  const repair = await hakobu('repair', '--all');
  assert.equal(repair.code, 0, repair.stderr + repair.stdout);
  assert.deepEqual(repair.json.open_gaps, []);
  for (const table of repair.json.tables) {
    assert.deepEqual(table.left, { missing: 0, different: 0, extra: 0 });
    const name = table.source.slice('shop.'.length);
    if (found) assert.deepEqual({ [name]: table.found }, { [name]: found[name] });
  }
  await equal(source);
  const gaps = await hakobu('gaps');
  assert.equal(gaps.code, 0, gaps.stdout);
  const gap = gaps.json.gaps.at(-1);
  assert.equal(gap.state, 'repaired');
  assert.match(gap.statement.ja, /再度照合し、データベースと一致することを確認いたしました/);
  const after = await hakobu('verify');
  assert.equal(after.code, 0, after.stdout + after.stderr);
  // The stream goes on from there, and what it brings wins over what was repaired.
  const admin = await (source ?? context.mysql).connect();
  await admin.query("USE shop; UPDATE members SET name = 'after repair' WHERE id = 1; DELETE FROM members WHERE id = 101; DELETE FROM codes WHERE code = 'a'");
  await admin.end();
  const { status } = await caughtUp();
  assert.deepEqual([...new Set(status.tables.map((table) => table.state))], ['whole']);
  await equal(source);
  return gap;
}

test('purged while the stream was off', async (t) => {
  const context = await begin(t);
  const { admin, caughtUp } = context;
  await caughtUp();
  const before = await executed(admin);
  await admin.query(lost);
  const after = await executed(admin);
  await admin.query('FLUSH BINARY LOGS');
  const [files] = await admin.query('SHOW BINARY LOGS');
  await admin.query(`PURGE BINARY LOGS TO '${files.at(-1).Log_name}'`);
  await admin.query(later);
  await caughtUp(3);
  const gap = await theGap(context, 'purged');
  const [[{ missing }]] = await admin.query('SELECT GTID_SUBTRACT(?, ?) AS missing', [after.gtids, before.gtids]);
  assert.equal(gap.missing_gtids, missing);
  assert.equal(gap.phantom_gtids, '');
  await repaired(context, { found: {
    members: { missing: 2, different: 1, extra: 2 },
    visits: { missing: 1, different: 1, extra: 1 },
    codes: { missing: 1, different: 1, extra: 1 },
  } });
  await admin.end();
});
