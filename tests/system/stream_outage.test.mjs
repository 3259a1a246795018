// Long trouble while changes go on: BigQuery is away for 20 s, both lines are slow and cut, hundreds of tables share a
// few connections. Nothing is lost, and no change is in a history twice.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { startBigquery, startMysql } from '../harness/servers.mjs';
import { bigqueryClient } from '../harness/clients.mjs';
import { deliveredTable } from '../harness/compare.mjs';
import { startTcpProxy } from '../harness/proxies.mjs';
import { makeStream, waitForLine, waitUntilEqual } from '../harness/stream.mjs';

const options = {
  mysql: ['--server-id=1', '--log-bin=binlog', '--gtid-mode=ON', '--enforce-gtid-consistency=ON'],
  mariadb: ['--server-id=1', '--log-bin=binlog', '--binlog-format=ROW'],
};
const tables = ['members', 'visits'];

async function begin(t, flavor) {
  const mysql = await startMysql({ flavor, options: options[flavor], test: t });
  const admin = await mysql.connect();
  t.after(() => admin.end());
  await admin.query(`CREATE DATABASE shop CHARACTER SET utf8mb4; USE shop;
    CREATE TABLE members (id INT PRIMARY KEY, name VARCHAR(50), n INT);
    CREATE TABLE visits (id INT AUTO_INCREMENT PRIMARY KEY, member INT, note TEXT);
    CREATE TABLE story (id INT, round INT)`);
  for (let id = 0; id < 200; ++id) await admin.query('INSERT INTO members VALUES (?, ?, 0)', [id, `member ${id}`]);
  return { mysql, admin };
}

// Changes of every kind until stop(), which says how many rows went to `story`.
function write(mysql, pauseMs) {
  let writing = true;
  const done = (async () => {
    const connection = await mysql.connect();
    await connection.query('USE shop');
    let round = 0;
    for (; writing; ++round) {
      await connection.query(`START TRANSACTION; UPDATE members SET n = n + 1, name = CONCAT('round ', ${round}) WHERE id % 10 = ${round % 10};
        INSERT INTO visits (member, note) VALUES (${round}, REPEAT('予約', ${round % 300})); DELETE FROM visits WHERE id = ${round - 50};
        INSERT INTO story VALUES (${round % 7}, ${round}); COMMIT`);
      await sleep(pauseMs);
    }
    await connection.end();
    return round;
  })();
  return { stop: () => { writing = false; return done; } };
}

// Every round is in the history: its insert at most once, in the log's order, or it was there when the table was copied.
async function assertStory(bigquery, rounds) {
  const { fields, rows } = await deliveredTable(bigquery, 'live', 'story');
  const [round, place, type] = ['round', '_hakobu_place', '_hakobu_type'].map((name) => fields.findIndex((field) => field.name === name));
  rows.sort((a, b) => (a[place] < b[place] ? -1 : 1));
  const of = (wanted) => rows.filter((row) => row[type] === wanted).map((row) => Number(row[round]));
  const inserts = of('insert'), snapshot = of('snapshot');
  assert.equal(inserts.length + snapshot.length, rows.length);
  const all = Array.from({ length: rounds }, (_, i) => i);
  assert.deepEqual(inserts, all.slice(rounds - inserts.length), 'changes, once and in order');
  assert.deepEqual(snapshot.sort((a, b) => a - b), all.slice(0, snapshot.length), 'copied rows, once');
  assert.ok(inserts.length + snapshot.length >= rounds, `${inserts.length} changes and ${snapshot.length} copied rows of ${rounds}`);
}

const memoryMiB = (pid) => Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))[1]) / 1024;

test('BigQuery is away for 20 s', { timeout: 180000, concurrency: 2 }, (both) => Promise.all(['mysql', 'mariadb'].map((flavor) =>
  both.test(`while ${flavor} is written to`, async (t) => {
    const { mysql } = await begin(t, flavor);
    let server = await startBigquery({ test: t });
    const job = makeStream({ mysql, bigquery: server, dataset: 'live', tables: [{ table: 'shop.*' }], test: t });
    const stream = job.start();
    t.after(() => stream.kill9());
    await waitForLine(stream, /table is whole/, 30000, 3);
    const writer = write(mysql, 20);
    await sleep(1000);
    const before = memoryMiB(stream.pid);
    const { folder, restPort, grpcPort } = server;
    await (flavor === 'mysql' ? server.kill9() : server.stop());
    await sleep(20000);
    assert.ok(stream.alive, stream.output);
    server = await startBigquery({ folder, restPort, grpcPort });
    t.after(() => server.stop());
    await sleep(1000);
    const rounds = await writer.stop();
    const bigquery = bigqueryClient(server);
    await waitUntilEqual({ mysql, bigquery, database: 'shop', dataset: 'live', tables, server: stream, timeoutMs: 60000 });
    const grown = memoryMiB(stream.pid) - before;
    assert.ok(grown < 64, `${grown} MiB more`);
    assert.equal((await stream.stop()).code, 0, stream.output);
    const { code, status, stderr } = await job.catchUp();
    assert.equal(code, 0, stderr);
    assert.deepEqual(status.tables.map((table) => table.state), ['whole', 'whole', 'whole']);
    assert.equal(status.open_gaps, 0);
    await waitUntilEqual({ mysql, bigquery, database: 'shop', dataset: 'live', tables, timeoutMs: 5000 });
    assert.ok(rounds > 200, `${rounds} rounds`);
    await assertStory(bigquery, rounds);
  }))));

test('both lines are slow and cut again and again', { timeout: 180000 }, async (t) => {
  const { mysql } = await begin(t, 'mysql');
  const server = await startBigquery({ test: t });
  const bigquery = bigqueryClient(server);
  const trouble = (n) => (n % 3 === 0 ? { afterBytes: 20000, action: 'cut' } : { afterBytes: 4000, action: 'throttle', bytesPerSecond: 150000 });
  const source = await startTcpProxy({ port: mysql.port, test: t, fault: (n) => (n <= 9 ? trouble(n) : undefined) });
  const destination = await startTcpProxy({ port: server.grpcPort, test: t,
    fault: (n) => (n <= 6 ? { afterBytes: 1500, action: n % 2 ? 'cut' : 'throttle', bytesPerSecond: 20000 } : undefined) });
  const job = makeStream({ mysql: { ...mysql, port: source.port }, bigquery: server, dataset: 'live', tables: [{ table: 'shop.*' }],
    defaults: { chunk_rows: 100 }, source: { read_timeout: '3s' }, test: t });
  job.config.destination.grpc_address = `127.0.0.1:${destination.port}`;
  const stream = job.start();
  t.after(() => stream.kill9());
  const writer = write(mysql, 20);
  await waitForLine(stream, /table is whole/, 60000, 2);
  await sleep(3000);
  source.pointTo(mysql.port);  // cuts what there is
  destination.pointTo(server.grpcPort);
  await sleep(1000);
  const rounds = await writer.stop();
  await waitUntilEqual({ mysql, bigquery, database: 'shop', dataset: 'live', tables, server: stream, timeoutMs: 60000 });
  assert.equal((await stream.stop()).code, 0, stream.output);
  assert.equal((await job.catchUp()).code, 0);
  await waitUntilEqual({ mysql, bigquery, database: 'shop', dataset: 'live', tables, timeoutMs: 5000 });
  assert.ok(source.connections() > 4 && destination.connections() > 2, `${source.connections()}, ${destination.connections()} connections`);
  await assertStory(bigquery, rounds);
});

test('the source is lost at any moment of a start', { timeout: 180000 }, async (t) => {
  const { mysql } = await begin(t, 'mysql');
  const server = await startBigquery({ test: t });
  for (const [i, afterBytes] of [100, 200, 300, 350, 400, 500, 1000, 3000, 9000].entries()) {
    const line = await startTcpProxy({ port: mysql.port, test: t, fault: (n) => (n <= 2 ? { afterBytes, action: 'cut' } : undefined) });
    const dataset = `start${i}`;
    const job = makeStream({ mysql: { ...mysql, port: line.port }, bigquery: server, dataset, tables: [{ table: 'shop.*' }], test: t });
    const { code, stderr } = await job.catchUp();
    assert.equal(code, 0, `cut after ${afterBytes} bytes: ${stderr}`);
    await waitUntilEqual({ mysql, bigquery: bigqueryClient(server), database: 'shop', dataset, tables, timeoutMs: 5000 });
  }
});

test('240 tables over two connections', { timeout: 240000 }, async (t) => {
  const mysql = await startMysql({ options: options.mysql, test: t });
  const server = await startBigquery({ test: t });
  const admin = await mysql.connect();
  t.after(() => admin.end());
  const names = Array.from({ length: 240 }, (_, i) => `t${String(i).padStart(3, '0')}`);
  await admin.query('CREATE DATABASE many; USE many');
  for (const [i, name] of names.entries()) {
    await admin.query(`CREATE TABLE ${name} (id INT PRIMARY KEY, v VARCHAR(20)${i % 3 ? '' : ', extra INT'});
      INSERT INTO ${name} (id, v) VALUES (1, '${name}'), (2, 'two')`);
  }
  const line = await startTcpProxy({ port: server.grpcPort, test: t });
  const job = makeStream({ mysql, bigquery: server, dataset: 'live', tables: [{ table: 'many.*' }], stream: { connections: 2 }, test: t });
  job.config.destination.grpc_address = `127.0.0.1:${line.port}`;
  const stream = job.start();
  t.after(() => stream.kill9());
  await waitForLine(stream, /stream following/, 120000);
  await admin.query('START TRANSACTION');
  for (const name of names) await admin.query(`INSERT INTO ${name} (id, v) VALUES (3, 'in one'), (4, 'transaction'); DELETE FROM ${name} WHERE id = 2`);
  await admin.query('COMMIT');
  for (let i = 0; i < 1000; ++i) await admin.query(`UPDATE ${names[(i * 7) % 240]} SET v = 'round ${i}' WHERE id = ${i % 5}`);
  await waitForLine(stream, /table is whole/, 120000, 240);
  await waitUntilEqual({ mysql, bigquery: bigqueryClient(server), database: 'many', dataset: 'live', tables: names, server: stream, timeoutMs: 60000 });
  assert.ok(line.connections() <= 4, `${line.connections()} connections`);
  assert.equal((await stream.stop()).code, 0, stream.output);
});
