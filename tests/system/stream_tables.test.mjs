// What a stream knows of its tables: one that stops while its first copy is being planned stays stopped, and ever new
// numbers of tables in the log are not kept.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { bigqueryClient } from '../harness/clients.mjs';
import { startBigquery, startMysql } from '../harness/servers.mjs';
import { makeStream, waitForLine, waitUntilEqual } from '../harness/stream.mjs';

const options = {
  mysql: ['--server-id=1', '--log-bin=binlog', '--gtid-mode=ON', '--enforce-gtid-consistency=ON'],
  mariadb: ['--server-id=1', '--log-bin=binlog', '--binlog-format=ROW'],
};

async function until(what, ask) {
  for (let tries = 0; tries < 1200; ++tries) {
    if (await ask()) return;
    await sleep(100);
  }
  assert.fail(`no ${what}`);
}

for (const flavor of ['mysql', 'mariadb']) {
  test(`a table that is stopped while its copy is planned stays stopped, ${flavor}`, { timeout: 300000 }, async (t) => {
    const mysql = await startMysql({ flavor, options: options[flavor], test: t });
    const bigquery = await startBigquery({ test: t });
    const admin = await mysql.connect();
    const watcher = await mysql.connect();
    t.after(() => { admin.destroy(); watcher.destroy(); });
    await admin.query(`CREATE DATABASE shop; USE shop; CREATE TABLE hidden (id INT PRIMARY KEY, email VARCHAR(80)); INSERT INTO hidden VALUES (1, 'secret');
      CREATE TABLE other (id INT PRIMARY KEY); INSERT INTO other VALUES (1)`);
    const job = makeStream({ mysql, bigquery, dataset: 'live', test: t, tables: [{ table: 'shop.hidden', exclude: ['email'] }, { table: 'shop.other' }] });
    // Whoever reads its rows waits from now on; its definition can be read.
    await admin.query('LOCK TABLES hidden WRITE');
    const stream = job.start();
    const waits = async () => {
      const [rows] = await watcher.query("SELECT INFO FROM information_schema.PROCESSLIST WHERE STATE LIKE '%metadata lock%' AND INFO LIKE 'EXPLAIN%`hidden`%'");
      return rows.length > 0;
    };
    await until('plan of its chunks', waits);
    await admin.query('ALTER TABLE hidden CHANGE email mail VARCHAR(80)');
    await waitForLine(stream, /"table is stopped"|stopped/, 120000);
    await admin.query('UNLOCK TABLES; INSERT INTO other VALUES (2)');
    await until('end of the waiting', async () => !(await waits()));
    await waitUntilEqual({ mysql, bigquery: bigqueryClient(bigquery), database: 'shop', dataset: 'live', tables: ['other'], server: stream, timeoutMs: 120000 });
    assert.equal((await stream.stop()).code, 3, stream.output);
    const { status, stderr } = await job.catchUp({ timeoutMs: 120000 });
    assert.equal(status.tables.find((table) => table.source === 'shop.hidden').state, 'stopped', stderr);
    assert.equal(status.tables.find((table) => table.source === 'shop.other').state, 'whole');
  });
}

test('ever new numbers of tables in the log are not kept', { timeout: 600000 }, async (t) => {
  const mysql = await startMysql({ flavor: 'mariadb', options: [...options.mariadb, '--sync-binlog=0', '--innodb-flush-log-at-trx-commit=0'], test: t });
  const bigquery = await startBigquery({ test: t });
  const admin = await mysql.connect();
  t.after(() => admin.destroy());
  const columns = Array.from({ length: 30 }, (_, i) => `a_column_with_a_name_${i} VARCHAR(40)`).join(', ');
  await admin.query(`CREATE DATABASE shop; USE shop; CREATE TABLE t (id INT PRIMARY KEY, n INT, ${columns}); INSERT INTO t (id, n) VALUES (1, 0);
    CREATE PROCEDURE renumber(times INT) BEGIN WHILE times > 0 DO
      FLUSH NO_WRITE_TO_BINLOG TABLES t; UPDATE t SET n = n + 1; SET times = times - 1; END WHILE; END`);
  const job = makeStream({ mysql, bigquery, dataset: 'live', test: t, tables: [{ table: 'shop.t' }] });
  const stream = job.start();
  const client = bigqueryClient(bigquery);
  const followed = () => waitUntilEqual({ mysql, bigquery: client, database: 'shop', dataset: 'live', tables: ['t'], server: stream, timeoutMs: 200000 });
  const memoryKb = () => Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${stream.pid}/status`, 'utf8'))[1]);
  await followed();
  // More than are kept, so that what comes then takes no more room.
  await admin.query('CALL renumber(3000)');
  await followed();
  const before = memoryKb();
  await admin.query('CALL renumber(9000)');
  await followed();
  // Each took 6 to 13 kB: 54 MB and more.
  assert.ok(memoryKb() - before < 25000, `${before} kB, then ${memoryKb()} kB`);
  assert.equal((await stream.stop()).code, 0, stream.output);
});
