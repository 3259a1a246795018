// A random workload while first copies run and the log is followed: afterwards BigQuery equals the source, row for row
// and value for value. Each seed has its own kind of trouble.
//   scripts/soak-stream 300 1    a soak
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { bigqueryClient } from '../harness/clients.mjs';
import { startTcpProxy } from '../harness/proxies.mjs';
import { generator } from '../harness/random_values.mjs';
import { startReplica } from '../harness/replication.mjs';
import { startBigquery, startMysql } from '../harness/servers.mjs';
import { makeStream, waitUntilEqual } from '../harness/stream.mjs';
import { makeWorkload, runWorkload, workloadTables } from '../harness/workload.mjs';

const seeds = Number(process.env.HAKOBU_STREAM_SEEDS ?? 20);
const first = Number(process.env.HAKOBU_STREAM_FIRST_SEED ?? 1);
const options = {
  mysql: ['--server-id=1', '--log-bin=binlog', '--gtid-mode=ON', '--enforce-gtid-consistency=ON', '--sync-binlog=1'],
  mariadb: ['--server-id=1', '--log-bin=binlog', '--binlog-format=ROW', '--sync-binlog=1'],
};
const variants = [[], ['--binlog-row-metadata=FULL'], ['--binlog-transaction-compression=ON'], ['--binlog-row-value-options=PARTIAL_JSON'],
  ['--binlog-checksum=NONE'], ['--max-binlog-size=65536']];

// What goes wrong, by seed. Each is called while the workload runs and may return when it is over.
const troubles = {
  async nothing() {},
  async 'hakobu is killed'({ random, job, state }) {
    for (let i = 0; i < 3; ++i) {
      await sleep(200 + random() * 900);
      await state.stream.kill9();
      state.stream = job.start();
    }
  },
  async 'the source is killed'({ random, state }) {
    await sleep(300 + random() * 900);
    let release;
    state.gate = new Promise((resolve) => (release = resolve));
    await state.mysql.kill9();
    const { flavor, folder, port } = state.mysql;
    Object.assign(state.mysql, await startMysql({ flavor, folder, port, options: state.options }));
    release();
  },
  async 'connections are cut, stalled and throttled'({ random }) { await sleep(500 * random()); },  // by the proxy
  async 'BigQuery is restarted'({ random, state }) {
    await sleep(300 + random() * 900);
    const { folder, restPort, grpcPort } = state.server;
    await (random() < 0.5 ? state.server.kill9() : state.server.stop());
    await sleep(random() * 1500);
    state.server = await startBigquery({ folder, restPort, grpcPort });
  },
  async 'hakobu stops and goes on'({ random, job, state }) {
    await sleep(300 + random() * 600);
    const { code, signal } = await state.stream.stop();
    // On a busy machine it may be asked before it has said a word, and then ends as any program does.
    if (signal !== 'SIGTERM' || state.stream.output !== '') assert.equal(code, 0, `${signal}\n${state.stream.output}`);
    await sleep(random() * 500);
    state.stream = job.start();
  },
};

// Which needs a replica from the start, and an address that stays.
const promotion = 'a replica is promoted';
troubles[promotion] = async ({ random, state }) => {
  await sleep(300 + random() * 900);
  let release;
  state.gate = new Promise((resolve) => (release = resolve));
  const { replica, connection, catchUp, promote } = state.replica;
  const admin = await state.mysql.connect();
  for (;;) {  // a planned promotion waits for what is under way
    // The view converts what runs to utf8mb3, and fails over an emoji.
    const [[{ n }]] = await admin.query('SELECT COUNT(*) AS n FROM information_schema.innodb_trx')
      .catch((error) => (error.code === 'ER_CANNOT_CONVERT_STRING' ? [[{ n: 1 }]] : Promise.reject(error)));
    if (Number(n) === 0) break;
    await sleep(250);  // the servers answer from a cache that is renewed when nobody has asked for 0.1 s
  }
  await catchUp(admin);
  await admin.end();
  await state.mysql.kill9();
  await promote();
  await connection.end();
  state.proxy.pointTo(replica.port);
  Object.assign(state.mysql, replica);
  release();
};

function testSeed(all, seed) {
  const random = generator(seed);
  const flavor = seed % 4 === 3 ? 'mariadb' : 'mysql';
  const [name, trouble] = Object.entries(troubles)[seed % Object.keys(troubles).length];
  const variant = flavor === 'mysql' ? variants[Math.floor(random() * variants.length)] : variants[Math.floor(seed / 4) % 2];
  return all.test(`seed ${seed}: ${flavor} ${variant.join(' ')}, ${name}`, { timeout: 240000 }, async (t) => {
    const state = { options: [...options[flavor], ...variant], gate: Promise.resolve() };
    state.mysql = await startMysql({ flavor, options: state.options, test: t });
    state.server = await startBigquery({ test: t });
    t.after(() => Promise.all([state.replica?.replica.kill9(), state.stream?.kill9(), state.mysql.kill9(), state.server.kill9()]));
    const database = 'work';
    if (name === promotion) {
      const admin = await state.mysql.connect();
      state.replica = await startReplica({ mysql: state.mysql, admin, test: t,
        options: [...state.options.slice(1), '--server-id=2', ...(flavor === 'mariadb' ? ['--log-slave-updates'] : [])] });
      await admin.end();
    }
    await makeWorkload({ mysql: state.mysql, database, seed });
    let { port } = state.mysql;
    if (name === 'connections are cut, stalled and throttled') {
      const fault = (n) => (n < 14 ? { afterBytes: 2000 + random() * 150000, bytesPerSecond: 400000 + random() * 800000,
        action: ['cut', 'cut', 'cut', 'stall', 'throttle'][Math.floor(random() * 5)] } : undefined);
      ({ port } = await startTcpProxy({ port, fault, test: t }));
    }
    if (name === promotion) {
      state.proxy = await startTcpProxy({ port, test: t });
      ({ port } = state.proxy);
    }
    const job = makeStream({ mysql: { ...state.mysql, port }, bigquery: state.server, dataset: 'live', test: t,
      tables: [{ table: `${database}.*` }, { table: `${database}_*.own`, target: '{database}_{table}' }], defaults: { chunk_rows: 100 },
      source: { connections: 2, connect_timeout: '3s', read_timeout: '3s' } });
    if (random() < 0.7) state.stream = job.start();
    const work = runWorkload({ mysql: state.mysql, database, seed, hold: () => state.gate });
    await sleep(random() * 300);
    state.stream ??= job.start();
    await trouble({ random, job, state });
    const done = await work;
    assert.ok(Object.keys(done).length > 10, JSON.stringify(done));
    await waitUntilEqual({ mysql: state.mysql, bigquery: bigqueryClient(state.server), database, dataset: 'live',
      tables: workloadTables, server: state.stream, timeoutMs: 180000 });
    const bigquery = bigqueryClient(state.server);
    for (const made of done.databases) {
      await waitUntilEqual({ mysql: state.mysql, bigquery, database: made, dataset: 'live', tables: ['own'], target: `${made}_own`,
        server: state.stream, timeoutMs: 60000 });
    }
    const { code } = await state.stream.stop();
    assert.equal(code, 0, state.stream.output);
    const caughtUp = await job.catchUp();
    assert.equal(caughtUp.code, 0, caughtUp.stderr);
    for (const table of caughtUp.status.tables) assert.equal(table.state, 'whole', JSON.stringify(table));
    await waitUntilEqual({ mysql: state.mysql, bigquery: bigqueryClient(state.server), database, dataset: 'live',
      tables: workloadTables, timeoutMs: 5000 });
  });
}

// Two at a time: they wait more than they work.
test('a random workload while the log is followed', { concurrency: 2 }, (all) =>
  Promise.all(Array.from({ length: seeds }, (_, i) => testSeed(all, first + i))));
