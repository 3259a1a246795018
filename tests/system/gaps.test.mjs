// Where `hakobu stream` loses the thread of the log: the gap names what the test knows was lost, `hakobu verify` sees
// the rows, `hakobu repair` makes the tables equal and closes the gap; where nothing is lost there is no gap.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { cpSync, rmSync, truncateSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { privateFolder, run, startBigquery, startMysql } from '../harness/servers.mjs';
import { bigqueryClient } from '../harness/clients.mjs';
import { executed, startReplica } from '../harness/replication.mjs';
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

// Deletes every log file but a new one. MariaDB keeps a file for a moment longer than one may expect.
async function purge(admin) {
  await admin.query('FLUSH BINARY LOGS');
  for (;;) {
    const [files] = await admin.query('SHOW BINARY LOGS');
    if (files.length === 1) return files[0].Log_name;
    await admin.query(`PURGE BINARY LOGS TO '${files.at(-1).Log_name}'`);
    await sleep(50);
  }
}

// Exactly one open gap; its tables may all be concerned, or just these.
async function theGap({ hakobu }, cause, concerned = tables) {
  const { code, json, stderr } = await hakobu('gaps');
  assert.equal(code, 3, stderr);
  assert.equal(json.gaps.length, 1, JSON.stringify(json, null, 1));
  const [gap] = json.gaps;
  assert.equal(gap.cause, cause, gap.explanation);
  assert.equal(gap.state, 'open');
  assert.deepEqual(gap.tables.map((table) => [table.table, table.concern]).sort(),
    tables.map((table) => [`shop.${table}`, concerned.includes(table) ? 'possible' : 'none']).sort());
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
  await purge(admin);
  await admin.query(later);
  await caughtUp(3);
  const gap = await theGap(context, 'purged');
  const misspelt = await context.hakobu('gaps', '--table', 'membres');
  assert.equal(misspelt.code, 2, 'a misspelt table is not one without gaps');
  assert.match(misspelt.stderr, /--table: expected one that `hakobu stream` has delivered, found `membres`; hint: `hakobu status` lists them/);
  const [[{ missing }]] = await admin.query('SELECT GTID_SUBTRACT(?, ?) AS missing', [after.gtids, before.gtids]);
  assert.equal(gap.missing_gtids, missing);
  assert.ok(Date.parse(gap.from) <= Date.parse(gap.until), `${gap.from} to ${gap.until}`);
  assert.equal(gap.phantom_gtids, '');
  await repaired(context, { found: {
    members: { missing: 2, different: 1, extra: 2 },
    visits: { missing: 1, different: 1, extra: 1 },
    codes: { missing: 1, different: 1, extra: 1 },
  } });
  await admin.end();
});

test('purged: MariaDB, without GTIDs; the repair is killed at every step', async (t) => {
  const context = await begin(t, { flavor: 'mariadb', serverOptions: ['--server-id=1', '--log-bin=binlog', '--binlog-format=ROW'] });
  const { admin, caughtUp, job, hakobu } = context;
  await caughtUp();
  await admin.query(lost);
  const oldest = await purge(admin);
  await admin.query(later);
  await caughtUp(3);
  const gap = await theGap(context, 'purged');
  assert.equal(gap.until_position.split(':')[0], oldest);
  for (const point of ['repair.begun', 'repair.chunk_sealed', 'repair.chunk_committed', 'repair.compared', 'repair.chunk_sent',
    'repair.sent', 'repair.removed', 'repair.proof_stored:2']) {
    const killed = await run(['-c', join(job.folder, 'hakobu.yaml'), 'repair', '--all'], { env: { HAKOBU_CRASH_AT: point } });
    assert.notEqual(killed.code, 0, `${point} was not reached: ${killed.stdout}`);
    assert.equal((await hakobu('gaps')).code, 3, point);
  }
  await hakobu('repair', '--all');
  await context.equal();
  assert.equal((await hakobu('gaps', '--open')).code, 0);
  const [left] = await context.bigquery.dataset('live').getTables();
  assert.deepEqual(left.map((table) => table.id).sort(), [...tables].sort(), 'nothing is left beside the tables');
  await admin.end();
});

test('RESET BINARY LOGS AND GTIDS; repaired while the stream runs and rows change', async (t) => {
  const context = await begin(t);
  const { admin, caughtUp, job, hakobu, equal, mysql } = context;
  await caughtUp();
  await admin.query(lost);
  await sleep(1100);
  await admin.query('RESET BINARY LOGS AND GTIDS');
  await admin.query(later);
  await caughtUp(3);
  const gap = await theGap(context, 'reset');
  assert.equal(gap.phantom_gtids, '');
  const stream = job.start();
  t.after(() => stream.stop());
  await waitForLine(stream, /stream following/);
  let writing = true;
  const writer = (async () => {
    const writes = await mysql.connect();
    await writes.query('USE shop');
    for (let i = 0; writing; ++i) {
      await writes.query(`REPLACE INTO members VALUES (${500 + i % 7}, 'w${i}', NULL, ${i}, NULL); DELETE FROM members WHERE id = ${500 + (i + 3) % 7}`);
      await sleep(20);
    }
    await writes.end();
  })();
  await sleep(300);
  const repair = await hakobu('repair', '--all');
  writing = false;
  await writer;
  assert.ok([0, 3].includes(repair.code), repair.stderr + repair.stdout);
  const again = await hakobu('repair', '--all');  // what changed in every moment of the first
  assert.equal(again.code, 0, again.stderr + again.stdout);
  await equal();
  assert.equal((await hakobu('gaps')).code, 0);
  await stream.stop();
  await admin.end();
});

test('the server crashed and lost its log\'s tail', async (t) => {
  const folder = privateFolder('crash');
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const context = await begin(t, { folder });
  const { mysql, admin, caughtUp } = context;
  await caughtUp();
  const before = await executed(admin);
  const [[place]] = await admin.query('SHOW BINARY LOG STATUS');
  await admin.query(lost);
  await caughtUp();
  const after = await executed(admin);
  const [[{ phantoms }]] = await admin.query('SELECT GTID_SUBTRACT(?, ?) AS phantoms', [after.gtids, before.gtids]);
  await admin.end();
  await sleep(1100);
  await mysql.kill9();
  truncateSync(join(folder, 'data', place.File), Number(place.Position));
  const again = await startMysql({ options: options(1), folder, port: mysql.port, test: t });
  const writes = await again.connect();
  await writes.query(`USE shop; UPDATE members SET name = 'after the crash' WHERE id = 4; ${later}`);
  // The rows went with the log.
  await writes.query("SET sql_log_bin = 0; DELETE FROM members WHERE id = 101; UPDATE members SET name = '佐藤' WHERE id = 1; DELETE FROM visits WHERE member = 9");
  await writes.end();
  await caughtUp(3);
  const gap = await theGap(context, 'crash_tail');
  assert.ok(gap.phantom_gtids.length > 0 && phantoms.length > 0);
  assert.equal(gap.from_position, `${place.File}:${place.Position}`);
  await repaired(context, { source: again });
});

test('restored from a snapshot', async (t) => {
  const folder = privateFolder('snapshot');
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const context = await begin(t, { folder });
  const { mysql, admin, caughtUp } = context;
  await caughtUp();
  await admin.end();
  await mysql.stop();
  cpSync(join(folder, 'data'), join(folder, 'snapshot'), { recursive: true });
  const second = await startMysql({ options: options(1), folder, port: mysql.port, test: t });
  const writes = await second.connect();
  const before = await executed(writes);
  await writes.query('USE shop; ' + lost);
  const after = await executed(writes);
  const [[{ phantoms }]] = await writes.query('SELECT GTID_SUBTRACT(?, ?) AS phantoms', [after.gtids, before.gtids]);
  await writes.end();
  await caughtUp();
  await sleep(1100);
  await second.stop();
  rmSync(join(folder, 'data'), { recursive: true });
  cpSync(join(folder, 'snapshot'), join(folder, 'data'), { recursive: true });
  const third = await startMysql({ options: options(1), folder, port: mysql.port, test: t });
  const other = await third.connect();
  await other.query('USE shop; ' + later);
  await other.end();
  await caughtUp(3);
  const gap = await theGap(context, 'snapshot');
  assert.equal(gap.phantom_gtids.split(':')[0], phantoms.split(':')[0]);
  await repaired(context, { source: third });
});

const replicaOf = (t, mysql, admin, id = 2) => startReplica({ mysql, admin, options: options(id), test: t });

// The source dies, its replica takes over and is written to.
async function failOver({ mysql, admin, job }, { replica, connection, promote }) {
  await admin.end();
  await mysql.kill9();
  await promote();
  await connection.query('USE shop; ' + later);
  await connection.end();
  job.config.source.port = replica.port;
}

test('failover to a replica that lacks some transactions', async (t) => {
  const context = await begin(t);
  const { mysql, admin, caughtUp } = context;
  const standby = await replicaOf(t, mysql, admin);
  const { replica, connection } = standby;
  await caughtUp();
  const before = await executed(admin);
  await connection.query('STOP REPLICA');
  await admin.query(lost);
  const after = await executed(admin);
  const [[{ phantoms }]] = await admin.query('SELECT GTID_SUBTRACT(?, ?) AS phantoms', [after.gtids, before.gtids]);
  await caughtUp();
  await failOver(context, standby);
  await caughtUp(3);
  const gap = await theGap(context, 'fork');
  assert.equal(gap.phantom_gtids, phantoms);
  assert.equal(gap.other_server, true);
  await repaired(context, { source: replica });
});

// Somebody wrote to the replica before it had what came later. Delivered behind that, the older values would win.
for (const more of [[], ['--binlog-transaction-compression=ON']]) test(`failover to a replica with errant transactions ${more}`, async (t) => {
  const context = await begin(t);
  const { mysql, admin, caughtUp, equal, hakobu } = context;
  const standby = await startReplica({ mysql, admin, options: options(2, more), test: t });
  const { replica, connection, catchUp } = standby;
  await caughtUp();
  const before = await executed(connection);
  await connection.query(`USE shop; UPDATE members SET name = 'errant' WHERE id = 5; INSERT INTO codes VALUES ('errant', 1, NULL, NULL);
    FLUSH BINARY LOGS; UPDATE members SET points = -1 WHERE id = 4`);
  const errant = await executed(connection);
  const [[{ left_out }]] = await connection.query('SELECT GTID_SUBTRACT(?, ?) AS left_out', [errant.gtids, before.gtids]);
  await admin.query(`${lost}; UPDATE members SET name = 'newer', points = 50 WHERE id = 5`);
  await catchUp();
  await caughtUp();
  await failOver(context, standby);
  await caughtUp(3);
  const gap = await theGap(context, 'errant', ['members', 'codes']);
  assert.equal(gap.missing_gtids, left_out);
  assert.equal(gap.other_server, true);
  assert.ok(gap.from < gap.until);
  await equal(replica, ['visits']);
  // No newer value was overwritten: what is there is what the former server had, and what came since.
  const [members] = await context.bigquery.query('SELECT id, name FROM live.members WHERE id IN (5, 200) ORDER BY id');
  assert.deepEqual(members.map((row) => row.name), ['newer', 'later']);
  await repaired(context, { source: replica, found: {
    members: { missing: 0, different: 1, extra: 0 }, codes: { missing: 1, different: 0, extra: 0 } } });
  const other = await hakobu('gaps');
  assert.deepEqual(other.json.gaps[0].tables.find((table) => table.table === 'shop.visits').why, 'untouched');
});

test('errant transactions in tables that nobody delivers are no gap', async (t) => {
  const context = await begin(t);
  const { mysql, admin, caughtUp, equal, hakobu } = context;
  const standby = await replicaOf(t, mysql, admin);
  const { replica, connection, catchUp } = standby;
  await caughtUp();
  await connection.query("CREATE USER books@localhost; FLUSH STATUS; GRANT SELECT ON *.* TO books@localhost");
  await connection.query("CREATE DATABASE books; CREATE TABLE books.entries (id INT PRIMARY KEY, at DATETIME); INSERT INTO books.entries VALUES (1, NOW())");
  await connection.query("ALTER TABLE books.entries ADD note TEXT; TRUNCATE books.entries; DROP TABLE books.entries");
  await admin.query(lost);
  await catchUp();
  await caughtUp();
  await failOver(context, standby);
  await caughtUp();
  await equal(replica);
  assert.equal((await hakobu('gaps')).json.gaps.length, 0);
});

test('failover to a replica that has everything, and a Blue/Green switch under the same address: no gap', async (t) => {
  const context = await begin(t);
  const { mysql, admin, caughtUp, job, equal, hakobu } = context;
  const standby = await replicaOf(t, mysql, admin);
  const { replica, catchUp } = standby;
  await caughtUp();
  await admin.query(lost);
  await catchUp();
  await failOver(context, standby);
  await caughtUp();
  await equal(replica);
  assert.equal((await hakobu('gaps')).json.gaps.length, 0);
  // Green takes blue's address while the stream runs.
  const blue = await replica.connect();
  const { replica: green, connection: onGreen, catchUp: greenHasAll } = await replicaOf(t, replica, blue, 3);
  const stream = job.start();
  t.after(() => stream.stop());
  await waitForLine(stream, /stream following/);
  await blue.query("USE shop; INSERT INTO members VALUES (300, 'on blue', NULL, 1, NULL)");
  await greenHasAll();
  await onGreen.query('STOP REPLICA; RESET REPLICA ALL');
  await onGreen.end();
  await blue.end();
  await replica.stop();
  await green.stop();
  const switched = await startMysql({ options: options(3), folder: green.folder, port: replica.port, test: t });
  const writes = await switched.connect();
  await writes.query("USE shop; INSERT INTO members VALUES (301, 'on green', NULL, 1, NULL); DELETE FROM members WHERE id = 300");
  await writes.end();
  await waitUntilEqual({ mysql: switched, bigquery: context.bigquery, database: 'shop', dataset: 'live', tables, server: stream });
  await stream.stop();
  assert.equal((await hakobu('gaps')).json.gaps.length, 0);
});

test('soft deletes, a stopped stream and --recopy', async (t) => {
  const context = await begin(t, { defaults: { deletes: 'soft' } });
  const { admin, caughtUp, hakobu, mysql, bigquery } = context;
  const present = () => waitUntilEqual({ mysql, bigquery, database: 'shop', dataset: 'live', tables, timeoutMs: 5000,
    only: (row) => row._hakobu_deleted !== 'true' });
  await caughtUp();
  assert.equal((await hakobu('verify')).code, 0);
  await admin.query('SET sql_log_bin = 0; ' + lost);
  const differs = await hakobu('verify', 'members');
  assert.equal(differs.code, 3, differs.stdout + differs.stderr);
  assert.deepEqual(differs.json.tables[0].found, { missing: 2, different: 1, extra: 2 });
  assert.equal(differs.json.tables[0].repaired, false);
  const repair = await hakobu('repair', 'shop.*');
  assert.equal(repair.code, 0, repair.stdout + repair.stderr);
  await present();
  const [rows] = await bigquery.query('SELECT id, name, CAST(points AS STRING) AS points FROM live.members WHERE _hakobu_deleted ORDER BY id');
  assert.deepEqual(rows, [{ id: 2, name: 'Tanaka', points: null }, { id: 3, name: 'Ito', points: '0' }], 'the last values stay');
  const recopy = await hakobu('repair', '--recopy', 'codes');
  assert.equal(recopy.code, 0, recopy.stderr);
  await caughtUp();
  await present();
  assert.equal((await hakobu('repair', '7')).code, 2);
  assert.equal((await hakobu('repair')).code, 2);
  await admin.end();
});

test('killed half-way through a first copy, and the log purged meanwhile: the end of the copy makes nothing whole', async (t) => {
  const context = await begin(t, { defaults: { chunk_rows: 1000 } });
  const { admin, caughtUp, hakobu, equal, job } = context;
  job.config.tables = [{ table: 'shop.members' }];
  await admin.query(`SET SESSION cte_max_recursion_depth = 20000; INSERT INTO members
    WITH RECURSIVE n AS (SELECT 1000 AS i UNION ALL SELECT i + 1 FROM n WHERE i < 9000) SELECT i, CONCAT('name ', i), NULL, i, NULL FROM n;
    ANALYZE TABLE members`);
  const killed = await job.catchUp({ env: { HAKOBU_CRASH_AT: 'stream.chunk_done:3' } });
  assert.notEqual(killed.code, 0, 'the copy has that many ranges');
  await admin.query("UPDATE members SET name = 'lost' WHERE id = 1; DELETE FROM members WHERE id = 2; INSERT INTO members VALUES (9500, 'read', NULL, NULL, NULL)");
  await purge(admin);
  const { status } = await caughtUp(3);
  assert.deepEqual(status.tables.map((table) => [table.source, table.state]), [['shop.members', 'gap']]);
  const { json } = await hakobu('gaps');
  assert.deepEqual(json.gaps.map((gap) => [gap.state, gap.tables.map((table) => table.concern)]), [['open', ['possible']]]);
  const again = await caughtUp(3);
  assert.equal(again.status.tables[0].state, 'gap', 'nor does another start');
  const repair = await hakobu('repair', '--all');
  assert.equal(repair.code, 0, repair.stdout + repair.stderr);
  assert.deepEqual(repair.json.tables.map((table) => table.found), [{ missing: 0, different: 1, extra: 1 }]);
  await equal(undefined, ['members']);
  assert.equal((await caughtUp()).status.tables[0].state, 'whole');
  await admin.end();
});

test('many key ranges, and a history', async (t) => {
  const context = await begin(t, { defaults: { chunk_rows: 1000 } });
  const { admin, caughtUp, hakobu, bigquery, equal, job } = context;
  job.config.tables = [{ table: 'shop.*' }, { table: 'shop.visits', history: true }];
  await admin.query(`SET SESSION cte_max_recursion_depth = 20000; INSERT INTO members
    WITH RECURSIVE n AS (SELECT 1000 AS i UNION ALL SELECT i + 1 FROM n WHERE i < 9000) SELECT i, CONCAT('name ', i), NULL, i, NULL FROM n;
    ANALYZE TABLE members`);
  await caughtUp();
  assert.equal((await hakobu('verify')).code, 0);
  await admin.query(`SET sql_log_bin = 0; DELETE FROM members WHERE id IN (1500, 8500); UPDATE members SET points = -1 WHERE id = 5000;
    INSERT INTO members VALUES (9500, 'lost', NULL, NULL, NULL); ${lost.split(';').filter((each) => each.includes('visits')).join(';')}`);
  const repair = await hakobu('repair', 'members', 'visits');
  assert.equal(repair.code, 0, repair.stdout + repair.stderr);
  const [members, visits] = ['shop.members', 'shop.visits'].map((name) => repair.json.tables.find((table) => table.source === name));
  assert.ok(members.chunks > 4, `${members.chunks} ranges`);
  assert.deepEqual(members.found, { missing: 1, different: 1, extra: 2 });
  assert.equal(members.rows, 8005);
  assert.deepEqual(members.first_keys, ['1500', '5000', '8500', '9500']);
  assert.deepEqual(visits.found, { missing: 1, different: 1, extra: 1 });
  await equal(undefined, ['members']);
  const [types] = await bigquery.query('SELECT _hakobu_type AS type, COUNT(*) AS count FROM live.visits GROUP BY 1 ORDER BY 1');
  assert.deepEqual(types, [{ type: 'repair', count: 2 }, { type: 'repair_delete', count: 1 }, { type: 'snapshot', count: 2 }]);
  assert.equal((await hakobu('verify')).code, 0);
  await admin.end();
});
