// `hakobu stream` killed at every durable step, and started again: BigQuery equals the source, and a history has each
// change once.
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { test } from 'node:test';
import { root, startBigquery, startMysql } from '../harness/servers.mjs';
import { bigqueryClient } from '../harness/clients.mjs';
import { deliveredTable } from '../harness/compare.mjs';
import { makeStream, waitUntilEqual } from '../harness/stream.mjs';

// Every name the stream can be killed at, from its source: a new one is tested as soon as it is written. Those of a
// gap and of a failed table are met elsewhere, and those of `scenarios` below.
function crashPoints() {
  const names = new Set();
  const folder = join(root, 'src/delivery/stream');
  for (const file of readdirSync(folder).filter((name) => name.endsWith('.cc'))) {
    for (const match of readFileSync(join(folder, file), 'utf8').matchAll(/CrashPoint\("(stream\.[^"]+)"\)/g)) names.add(match[1]);
  }
  for (const name of ['stream.gap_recorded', 'stream.gap_passed', 'stream.lane_failed', ...Object.keys(scenarios)]) names.delete(name);
  return [...names].sort();
}

test('stream killed at every step', async (t) => {
  const options = ['--server-id=1', '--log-bin=binlog', '--gtid-mode=ON', '--enforce-gtid-consistency=ON'];
  const mysql = await startMysql({ options, test: t });
  const server = await startBigquery({ test: t });
  const bigquery = bigqueryClient(server);
  const admin = await mysql.connect();
  t.after(() => admin.end());
  const points = crashPoints();
  assert.ok(points.length >= 12, points.join());

  for (const [number, point] of points.entries()) {
    await t.test(point, async () => {
      const database = `c${number}`;
      await admin.query(`CREATE DATABASE ${database}; USE ${database};
        CREATE TABLE a (id INT PRIMARY KEY, v VARCHAR(20)); CREATE TABLE h (id INT PRIMARY KEY, v INT);
        CREATE TABLE cut (id INT PRIMARY KEY, v INT); INSERT INTO cut VALUES (1, 1), (2, 2);
        INSERT INTO a VALUES (1, 'one'), (2, 'two'), (3, 'three'); INSERT INTO h VALUES (1, 1), (2, 2)`);
      const job = makeStream({ mysql, bigquery: server, dataset: database, test: t,
        defaults: { chunk_rows: 100 }, stream: { ddl_history: 'ddl' },
        tables: [{ table: `${database}.a` }, { table: `${database}.cut` }, { table: `${database}.h`, history: true }] });
      const victim = job.start({ env: { HAKOBU_CRASH_AT: point } });
      const work = async (round) => {
        await admin.query(`USE ${database}; START TRANSACTION; INSERT INTO a (id, v) VALUES (${100 + round}, 'new');
          UPDATE a SET v = 'round ${round}' WHERE id = 1; DELETE FROM a WHERE id = ${round === 1 ? 2 : 100 + round - 1};
          INSERT INTO h VALUES (${100 + round}, ${round}); UPDATE h SET v = v + 1 WHERE id = 1; COMMIT`);
      };
      while (victim.alive && !/stream following/.test(victim.output)) await sleep(20);
      for (let round = 1; round <= 3; ++round) {
        await work(round);
        await sleep(120);
      }
      await admin.query(`ALTER TABLE a ADD COLUMN extra INT NOT NULL DEFAULT 7; TRUNCATE TABLE cut; INSERT INTO cut VALUES (9, 9)`);
      for (let round = 4; round <= 5; ++round) await work(round);
      const timer = setTimeout(() => victim.child.kill('SIGTERM'), 20000);
      const { signal } = await victim.exited;
      clearTimeout(timer);
      assert.equal(signal, 'SIGKILL', `the stream never came to ${point}:\n${victim.output}`);
      await work(6);
      const result = await job.catchUp();
      assert.equal(result.code, 0, result.stderr);
      await waitUntilEqual({ mysql, bigquery, database, dataset: database, tables: ['a', 'cut'] });
      const ddl = await deliveredTable(bigquery, database, 'ddl');
      const effect = ddl.fields.findIndex((field) => field.name === 'effect');
      assert.deepEqual(ddl.rows.map((row) => row[effect]).sort(), ['altered', 'truncated']);
      const { fields, rows } = await deliveredTable(bigquery, database, 'h');
      const place = fields.findIndex((field) => field.name === '_hakobu_place');
      const type = fields.findIndex((field) => field.name === '_hakobu_type');
      const changes = rows.filter((row) => row[type] !== 'snapshot');
      assert.equal(new Set(changes.map((row) => row[place])).size, changes.length, 'a change is in the history twice');
      const inserted = changes.filter((row) => row[type] === 'insert').length;
      const snapshots = rows.filter((row) => row[type] === 'snapshot').length;
      assert.ok(inserted <= 6 && inserted + snapshots >= 8, `${inserted} inserts, ${snapshots} snapshots`);
    });
  }
});

// Steps that only some streams take, each brought about by what takes them there.
const scenarios = {
  'stream.target_dropped': {
    setup: 'CREATE TABLE a (id INT PRIMARY KEY, code INT NOT NULL, v VARCHAR(20)); INSERT INTO a VALUES (1, 10, "one"), (2, 20, "two")',
    change: 'ALTER TABLE a DROP PRIMARY KEY, ADD PRIMARY KEY (code); INSERT INTO a VALUES (1, 30, "three"); UPDATE a SET v = "changed" WHERE code = 10' },
  'stream.table_asked': {
    setup: 'CREATE TABLE a (id INT PRIMARY KEY, v VARCHAR(20)); INSERT INTO a VALUES (1, "one"), (2, "two"); CREATE DATABASE ELSEWHERE; CREATE TABLE ELSEWHERE.a (id INT PRIMARY KEY, w INT, v VARCHAR(20)); INSERT INTO ELSEWHERE.a VALUES (1, 5, "other"), (9, 9, "nine")',
    // Where nobody looks, so the log does not tell what it is.
    change: 'DROP TABLE a; RENAME TABLE ELSEWHERE.a TO a; INSERT INTO a VALUES (10, 10, "ten"); DELETE FROM a WHERE id = 9' },
  'stream.new_epoch': {
    setup: 'CREATE TABLE a (id INT PRIMARY KEY, v VARCHAR(20)); INSERT INTO a VALUES (1, "one"), (2, "two")',
    tables: (database) => [{ table: `${database}.a`, exclude: ['v'] }],
    change: 'UPDATE a SET v = "changed" WHERE id = 1; DELETE FROM a WHERE id = 2; INSERT INTO a VALUES (3, "three")',
    atStart: (config) => { delete config.tables[0].exclude; } },
};

test('stream killed at a step that not every stream takes', async (t) => {
  const options = ['--server-id=1', '--log-bin=binlog', '--gtid-mode=ON', '--enforce-gtid-consistency=ON'];
  const mysql = await startMysql({ options, test: t });
  const server = await startBigquery({ test: t });
  const bigquery = bigqueryClient(server);
  const admin = await mysql.connect();
  t.after(() => admin.end());
  for (const [number, [point, scenario]] of Object.entries(scenarios).entries()) {
    await t.test(point, async () => {
      const database = `s${number}`;
      const sql = (text) => admin.query(`USE ${database}; ${text.replaceAll('ELSEWHERE', `elsewhere${number}`).replaceAll('"', "'")}`);
      await admin.query(`CREATE DATABASE ${database}`);
      await sql(scenario.setup);
      const job = makeStream({ mysql, bigquery: server, dataset: database, test: t,
        tables: scenario.tables?.(database) ?? [{ table: `${database}.a` }] });
      const first = await job.catchUp();
      assert.equal(first.code, 0, first.stderr);
      scenario.atStart?.(job.config);
      const victim = job.start({ env: { HAKOBU_CRASH_AT: point } });
      t.after(() => victim.kill9());
      if (!scenario.atStart) while (victim.alive && !/stream following/.test(victim.output)) await sleep(20);
      await sql(scenario.change);
      const timer = setTimeout(() => victim.child.kill('SIGTERM'), 120000);
      const { signal } = await victim.exited;
      clearTimeout(timer);
      assert.equal(signal, 'SIGKILL', `the stream never came to ${point}:\n${victim.output}`);
      await sql("INSERT INTO a (id, v" + (point === 'stream.target_dropped' ? ", code) VALUES (77, 'after', 77)" : ") VALUES (77, 'after')"));
      const result = await job.catchUp({ timeoutMs: 120000 });
      assert.equal(result.code, 0, result.stderr);
      await waitUntilEqual({ mysql, bigquery, database, dataset: database, tables: ['a'], timeoutMs: 60000 });
    });
  }
});
