// DDL in the log while it is followed: what BigQuery can follow is followed, what it cannot stops that table alone.
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
  for (const metadata of ['MINIMAL', 'FULL']) {
    test(`DDL on ${flavor}, binlog_row_metadata=${metadata}`, async (t) => {
      const mysql = await startMysql({ flavor, options: [...options[flavor], `--binlog-row-metadata=${metadata}`], test: t });
      const server = await startBigquery({ test: t });
      const bigquery = bigqueryClient(server);
      const admin = await mysql.connect();
      t.after(() => admin.end());
      await admin.query(`CREATE DATABASE shop CHARACTER SET utf8mb4; USE shop;
        CREATE TABLE a (id INT PRIMARY KEY, x INT, y VARCHAR(20));
        CREATE TABLE b (id INT PRIMARY KEY, v VARCHAR(20));
        CREATE TABLE p (id INT PRIMARY KEY, v INT) PARTITION BY RANGE (id)
          (PARTITION p0 VALUES LESS THAN (10), PARTITION p1 VALUES LESS THAN (100));
        INSERT INTO a VALUES (1, 1, 'one'), (2, 2, 'two'); INSERT INTO b VALUES (1, 'b'); INSERT INTO p VALUES (1, 1), (50, 2)`);
      const job = makeStream({ mysql, bigquery: server, dataset: 'live', tables: [{ table: 'shop.*' }], test: t });
      const stream = job.start();
      t.after(() => stream.stop());
      const equal = (...tables) =>
        waitUntilEqual({ mysql, bigquery, database: 'shop', dataset: 'live', tables, server: stream });
      await equal('a', 'b', 'p');

      await t.test('columns are added first, after and last, with and without defaults', async () => {
        await admin.query(`ALTER TABLE a ADD COLUMN n INT AFTER id; INSERT INTO a (id, n) VALUES (3, 33);
          ALTER TABLE a ADD COLUMN f VARCHAR(10) NOT NULL DEFAULT 'new' FIRST, ADD COLUMN l DATETIME;
          UPDATE a SET l = '2024-05-06 07:08:09' WHERE id = 2; INSERT INTO a (id, f) VALUES (4, 'four')`);
        await equal('a');
      });
      await t.test('columns are moved, dropped and widened', async () => {
        await admin.query(`ALTER TABLE a MODIFY COLUMN y VARCHAR(50) AFTER id; UPDATE a SET y = 'moved' WHERE id = 1;
          ALTER TABLE a DROP COLUMN n; INSERT INTO a (id, y) VALUES (5, REPEAT('y', 45));
          ALTER TABLE a MODIFY COLUMN x BIGINT; UPDATE a SET x = 5000000000 WHERE id = 5`);
        await equal('a');
      });
      await t.test('TRUNCATE and partitions', async () => {
        await admin.query('TRUNCATE TABLE b; INSERT INTO b VALUES (7, \'after\'); ALTER TABLE p DROP PARTITION p0');
        await equal('b', 'p');
      });
      await t.test('tables are created, renamed and swapped', async () => {
        await admin.query(`CREATE TABLE c (id INT PRIMARY KEY, t TEXT); INSERT INTO c VALUES (1, 'c');
          CREATE TABLE b_new (id INT PRIMARY KEY, v VARCHAR(20), w INT); INSERT INTO b_new SELECT id, v, 9 FROM b;
          RENAME TABLE b TO b_old, b_new TO b; INSERT INTO b VALUES (8, 'swapped', 1)`);
        await equal('c', 'b');
      });
      await t.test('what BigQuery cannot follow stops that table alone', async () => {
        await admin.query("ALTER TABLE a MODIFY COLUMN x VARCHAR(30); INSERT INTO a (id, x) VALUES (6, 'text'); INSERT INTO c VALUES (2, 'still')");
        await waitForLine(stream, /table stopped/);
        await equal('c');
        assert.match(stream.output, /shop\.a/);
      });
      const { code } = await stream.stop();
      assert.equal(code, 3, stream.output);
    });
  }
}

for (const flavor of ['mysql', 'mariadb']) test(`the DDL history on ${flavor}, each statement once over a crash`, async (t) => {
  const mysql = await startMysql({ flavor, options: options[flavor], test: t });
  const server = await startBigquery({ test: t });
  const bigquery = bigqueryClient(server);
  const admin = await mysql.connect();
  t.after(() => admin.end());
  await admin.query(`CREATE DATABASE shop CHARACTER SET utf8mb4; CREATE DATABASE other; USE shop;
    CREATE TABLE a (id INT PRIMARY KEY, x INT); INSERT INTO a VALUES (1, 1)`);
  const job = makeStream({ mysql, bigquery: server, dataset: 'live', tables: [{ table: 'shop.*' }], stream: { ddl_history: 'ddl' }, test: t });
  assert.equal((await job.catchUp()).code, 0);
  await admin.query("ALTER TABLE a ADD COLUMN y INT COMMENT '列'; CREATE TABLE other.z (id INT); DROP TABLE other.z; INSERT INTO a VALUES (2, 2, 2)");
  // Killed once it is noted, before the place is stored: the statement is read again.
  const killed = await job.catchUp({ env: { HAKOBU_CRASH_AT: 'stream.ddl_noted' } });
  assert.notEqual(killed.code, 0, killed.stderr);
  await admin.query(`CREATE TABLE b (id INT PRIMARY KEY); TRUNCATE TABLE a; RENAME TABLE b TO c; DROP TABLE c;
    ALTER TABLE a MODIFY COLUMN x VARCHAR(9)`);
  const done = await job.catchUp();
  assert.equal(done.code, 3, done.stderr);  // a has stopped
  assert.doesNotMatch(killed.stderr + done.stderr, /history lacks/);
  const [rows] = await bigquery.query({ query: 'SELECT *, time IS NOT NULL AND time <= CURRENT_TIMESTAMP() AS timed FROM live.ddl ORDER BY place' });
  assert.deepEqual(rows.map(({ database_name, table_name, effect }) => `${database_name}.${table_name} ${effect}`),
    ['shop.a altered', 'shop.b created', 'shop.a truncated', 'shop.b renamed', 'shop.c dropped', 'shop.a altered']);
  const [added, created, truncated, renamed, dropped, refused] = rows;
  assert.match(added.statement, /^ALTER TABLE a ADD COLUMN y INT COMMENT '列'$/);
  assert.match(added.action, /y/);
  assert.match(created.action, /^copied$/);
  assert.match(truncated.action, /^copied$/);
  assert.match(renamed.action, /^no longer delivered.*; shop\.c: copied$/);
  assert.match(dropped.action, /^no longer delivered/);
  assert.match(refused.action, /^the table is stopped: .*x/s);
  assert.ok(rows.every(({ timed, gtid }) => timed && gtid));
  assert.equal(new Set(rows.map(({ place }) => place)).size, rows.length);
});

test('a DDL history does not take a table that is something else', async (t) => {
  const mysql = await startMysql({ options: options.mysql, test: t });
  const server = await startBigquery({ test: t });
  const admin = await mysql.connect();
  t.after(() => admin.end());
  await admin.query('CREATE DATABASE shop; CREATE TABLE shop.a (id INT PRIMARY KEY)');
  const client = bigqueryClient(server);
  await client.createDataset('live');
  await client.dataset('live').createTable('ddl', { schema: [{ name: 'id', type: 'INTEGER' }] });
  const job = makeStream({ mysql, bigquery: server, dataset: 'live', tables: [{ table: 'shop.*' }], stream: { ddl_history: 'ddl' }, test: t });
  const refused = await job.catchUp();
  assert.equal(refused.code, 4, refused.stderr);
  assert.match(refused.stderr, /ddl_history: hakobu-test\.live\.ddl is there already, and is another table/);
  job.rewrite((config) => { config.stream.ddl_history = 'a'; });
  const same = await job.catchUp();
  assert.equal(same.code, 2, same.stderr);
  assert.match(same.stderr, /shop\.a: would be delivered to live\.a, where stream\.ddl_history goes too/);
});
