// `hakobu stream` on both servers: what is written at the source is in BigQuery, whatever happens between.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startBigquery, startMysql } from '../harness/servers.mjs';
import { bigqueryClient } from '../harness/clients.mjs';
import { makeStream, waitForLine, waitUntilEqual } from '../harness/stream.mjs';

const options = {
  mysql: ['--server-id=1', '--log-bin=binlog', '--gtid-mode=ON', '--enforce-gtid-consistency=ON'],
  mariadb: ['--server-id=1', '--log-bin=binlog', '--binlog-format=ROW'],
};

for (const flavor of ['mysql', 'mariadb']) {
  test(`stream from ${flavor}`, async (t) => {
    const first = await startMysql({ flavor, options: options[flavor], test: t });
    let mysql = first;
    const server = await startBigquery({ test: t });
    const bigquery = bigqueryClient(server);
    let admin = await mysql.connect();
    t.after(() => admin.end());
    await admin.query(`CREATE DATABASE shop CHARACTER SET utf8mb4; USE shop;
      CREATE TABLE members (id INT PRIMARY KEY, name VARCHAR(50), joined DATETIME(3), points DECIMAL(10,2));
      CREATE TABLE visits (member INT, at TIMESTAMP(6), note TEXT, PRIMARY KEY (member, at));
      INSERT INTO members VALUES (1, '佐藤', '2024-01-02 03:04:05.678', 10.50), (2, 'Tanaka', NULL, NULL), (3, 'Ito', NULL, 0)`);
    const job = makeStream({ mysql, bigquery: server, dataset: 'live', tables: [{ table: 'shop.*' }], test: t });
    const common = { mysql, bigquery, database: 'shop', dataset: 'live' };
    let stream = job.start();
    t.after(() => stream.stop());
    const equal = () => waitUntilEqual({ ...common, tables: ['members', 'visits'], server: stream });

    await t.test('the first copy, then inserts, updates and deletes', async () => {
      await equal();
      await admin.query(`INSERT INTO members VALUES (4, 'new', NOW(3), 1); UPDATE members SET name = 'changed' WHERE id = 1;
        DELETE FROM members WHERE id = 2; INSERT INTO visits VALUES (1, NOW(6), 'x')`);
      await equal();
    });
    await t.test('a changed key', async () => {
      await admin.query('UPDATE members SET id = 40 WHERE id = 4; UPDATE members SET id = 4, name = NULL WHERE id = 40');
      await equal();
    });
    await t.test('transactions, rolled back ones, savepoints', async () => {
      await admin.query(`START TRANSACTION; INSERT INTO members VALUES (10, 'a', NULL, 1); INSERT INTO visits VALUES (10, NOW(6), 'b');
        SAVEPOINT one; INSERT INTO members VALUES (11, 'gone', NULL, 1); ROLLBACK TO SAVEPOINT one;
        UPDATE members SET points = points + 1; COMMIT;
        START TRANSACTION; INSERT INTO members VALUES (12, 'never', NULL, 1); ROLLBACK`);
      await equal();
    });
    await t.test('XA transactions: in one phase, in two, rolled back, and over a restart of hakobu', async () => {
      await admin.query(`XA START 'one'; INSERT INTO members VALUES (50, 'one phase', NULL, 1); XA END 'one'; XA COMMIT 'one' ONE PHASE;
        XA START 'two'; INSERT INTO members VALUES (51, 'two phases', NULL, 1); DELETE FROM members WHERE id = 10; XA END 'two';
        XA PREPARE 'two'`);
      await admin.query(`INSERT INTO visits VALUES (51, NOW(6), 'between')`).catch(() => undefined);  // MariaDB: other sessions only
      const other = await mysql.connect();
      await other.query(`USE shop; INSERT INTO members VALUES (52, 'meanwhile', NULL, 1)`);
      await equal();
      await admin.query(`XA COMMIT 'two'; XA START 'three', 'branch', 7; INSERT INTO members VALUES (53, 'never', NULL, 1);
        XA END 'three', 'branch', 7; XA PREPARE 'three', 'branch', 7; XA ROLLBACK 'three', 'branch', 7`);
      await equal();
      await admin.query(`XA START 'four'; UPDATE members SET name = 'four' WHERE id = 51; XA END 'four'; XA PREPARE 'four'`);
      await other.query(`INSERT INTO members VALUES (54, 'after four', NULL, 1)`);
      await equal();
      assert.equal((await stream.stop()).code, 0, stream.output);
      stream = job.start();
      await waitForLine(stream, /stream following/);
      await admin.query(`XA COMMIT 'four'`);
      await equal();
      await other.end();
    });
    await t.test('a transaction of many rows and tables', async () => {
      await admin.query(`CREATE TABLE n (i INT PRIMARY KEY); INSERT INTO n SELECT a.i + 10 * b.i FROM
          (SELECT 0 i UNION SELECT 1 UNION SELECT 2 UNION SELECT 3 UNION SELECT 4 UNION SELECT 5 UNION SELECT 6 UNION SELECT 7
           UNION SELECT 8 UNION SELECT 9) a, (SELECT 0 i UNION SELECT 1 UNION SELECT 2 UNION SELECT 3 UNION SELECT 4) b;
        START TRANSACTION; INSERT INTO members SELECT 1000 + a.i + 50 * b.i, REPEAT('x', 40), NULL, a.i FROM n a, n b;
        INSERT INTO visits SELECT 1000 + a.i + 50 * b.i, '2024-01-01', REPEAT('long', 200) FROM n a, n b;
        DELETE FROM members WHERE id BETWEEN 1100 AND 1200; COMMIT`);
      await waitUntilEqual({ ...common, tables: ['members', 'visits', 'n'], server: stream });
    });
    await t.test('an idle source: copies become whole, and the place stands at the end of the log', async () => {
      const idle = makeStream({ mysql, bigquery: server, dataset: 'idle', tables: [{ table: 'shop.members' }], test: t });
      const result = await idle.catchUp();
      assert.equal(result.code, 0, result.stderr);
      assert.equal(result.status.tables[0].state, 'whole');
      assert.deepEqual([result.status.tables[0].chunks, result.status.tables[0].chunks_done], [1, 1]);
      const again = await idle.catchUp({ timeoutMs: 20000 });
      assert.equal(again.code, 0, again.stderr);
    });
    await t.test('a stream that cannot start yet, and is asked to stop, has ended well', async () => {
      const nobody = makeStream({ mysql: { ...mysql, port: 1, socket: undefined }, bigquery: server, dataset: 'idle',
        tables: [{ table: 'shop.members' }], test: t });
      const waiting = nobody.start();
      await waitForLine(waiting, /the stream cannot start yet/);
      assert.equal((await waiting.stop()).code, 0, waiting.output);
      assert.match(waiting.output, /"reason": ?"stopped before it could start: /);
    });
    await t.test('a stop keeps the place, and the next start goes on', async () => {
      const { code } = await stream.stop();
      assert.equal(code, 0, stream.output);
      await admin.query("INSERT INTO members VALUES (20, 'while away', NULL, 3); DELETE FROM members WHERE id = 3");
      const result = await job.catchUp();
      assert.equal(result.code, 0, result.stderr);
      assert.equal(result.status.tables.find((table) => table.source === 'shop.members').state, 'whole');
      await waitUntilEqual({ ...common, tables: ['members', 'visits'] });
    });
    await t.test('the source is restarted and killed, hakobu reconnects and nothing is missing', async () => {
      const again = job.start();
      t.after(() => again.stop());
      await waitForLine(again, /stream following/);
      await admin.query("INSERT INTO members VALUES (30, 'before', NULL, 3)");
      await admin.end();
      for (const end of ['stop', 'kill9']) {
        await mysql[end]();
        mysql = await startMysql({ flavor, folder: mysql.folder, port: mysql.port, options: options[flavor] });
        t.after(() => mysql.stop());
        admin = await mysql.connect();
        await admin.query(`USE shop; UPDATE members SET name = 'after ${end}' WHERE id = 30; INSERT INTO visits VALUES (30, NOW(6), '${end}')`);
        await waitUntilEqual({ ...common, mysql, tables: ['members', 'visits'], server: again });
      }
      const { code } = await again.stop();
      assert.equal(code, 0, again.output);
    });
  });
}
