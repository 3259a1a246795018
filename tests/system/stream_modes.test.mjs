// What a stream delivers other than the table as it is: deleted rows kept and marked, and histories, which tables
// without a key always are. On both servers, over a crash of hakobu.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startBigquery, startMysql } from '../harness/servers.mjs';
import { bigqueryClient } from '../harness/clients.mjs';
import { deliveredTable } from '../harness/compare.mjs';
import { makeStream, waitForLine, waitUntilEqual } from '../harness/stream.mjs';

const options = {
  mysql: ['--server-id=1', '--log-bin=binlog', '--gtid-mode=ON', '--enforce-gtid-consistency=ON'],
  mariadb: ['--server-id=1', '--log-bin=binlog', '--binlog-format=ROW'],
};
const none = null;

// Rows as objects, in the order of the log.
async function rowsOf(bigquery, table) {
  const { fields, rows } = await deliveredTable(bigquery, 'live', table);
  const objects = rows.map((row) => Object.fromEntries(fields.map((field, i) => [field.name, row[i]])));
  return objects.sort((a, b) => (a._hakobu_place < b._hakobu_place ? -1 : a._hakobu_place > b._hakobu_place ? 1 : 0));
}

for (const flavor of ['mysql', 'mariadb']) {
  test(`soft deletes and histories from ${flavor}`, async (t) => {
    const mysql = await startMysql({ flavor, options: options[flavor], test: t });
    const server = await startBigquery({ test: t });
    const bigquery = bigqueryClient(server);
    const admin = await mysql.connect();
    t.after(() => admin.end());
    await admin.query(`CREATE DATABASE shop CHARACTER SET utf8mb4; USE shop;
      CREATE TABLE soft (id INT PRIMARY KEY, name VARCHAR(20), n INT);
      CREATE TABLE story (id INT PRIMARY KEY, name VARCHAR(20));
      CREATE TABLE keyless (a INT, b VARCHAR(20));
      INSERT INTO soft VALUES (1, '佐藤', 1), (2, 'two', 2), (3, 'three', 3), (4, 'four', 4);
      INSERT INTO story VALUES (1, 'one'), (2, 'two'); INSERT INTO keyless VALUES (1, 'same'), (1, 'same'), (2, NULL)`);
    const job = makeStream({ mysql, bigquery: server, dataset: 'live', test: t, tables: [
      { table: 'shop.soft', deletes: 'soft' }, { table: 'shop.story', history: true }, { table: 'shop.keyless' }] });
    let stream = job.start();
    t.after(() => stream.kill9());
    const present = () => waitUntilEqual({ mysql, bigquery, database: 'shop', dataset: 'live', tables: ['soft'], server: stream,
      only: (row) => row._hakobu_deleted !== 'true' });
    const marked = async () => Object.fromEntries((await rowsOf(bigquery, 'soft')).filter((row) => row._hakobu_deleted === 'true')
      .map((row) => [row.id, [row.name, row.n]]));
    await waitForLine(stream, /table is whole/, 30000, 3);
    await present();

    await t.test('a deleted row stays with its last values, and comes back', async () => {
      await admin.query(`UPDATE soft SET name = 'last', n = 22 WHERE id = 2; DELETE FROM soft WHERE id = 2; DELETE FROM soft WHERE id = 3;
        UPDATE soft SET id = 40 WHERE id = 4; START TRANSACTION; DELETE FROM soft; ROLLBACK;
        INSERT INTO soft VALUES (5, 'here', 5); DELETE FROM soft WHERE id = 5`);
      await present();
      assert.deepEqual(await marked(), { 2: ['last', '22'], 3: ['three', '3'], 4: ['four', '4'], 5: ['here', '5'] });
      await admin.query("INSERT INTO soft VALUES (3, 'again', 33); REPLACE INTO soft VALUES (40, 'replaced', 1)");
      await present();
      assert.deepEqual(Object.keys(await marked()), ['2', '4', '5']);
    });

    await t.test('a history has every change once, in order, over a crash', async () => {
      await admin.query(`INSERT INTO story VALUES (3, 'three'); UPDATE story SET name = 'uno' WHERE id = 1; UPDATE story SET id = 20 WHERE id = 2;
        START TRANSACTION; INSERT INTO story VALUES (9, 'never'); ROLLBACK;
        START TRANSACTION; INSERT INTO story VALUES (6, 'six'); SAVEPOINT s; DELETE FROM story; ROLLBACK TO SAVEPOINT s; COMMIT;
        INSERT INTO keyless VALUES (1, 'same'), (3, 'three'); UPDATE keyless SET b = 'changed' WHERE a = 2; DELETE FROM keyless WHERE a = 1 LIMIT 2`);
      await stream.kill9();
      await admin.query(`DELETE FROM story WHERE id = 3; INSERT INTO keyless VALUES (4, 'while away')`);
      stream = job.start();
      await waitForLine(stream, /stream following/);
      await admin.query(`UPDATE story SET name = 'sechs' WHERE id = 6; TRUNCATE TABLE keyless; INSERT INTO keyless VALUES (7, 'after')`);
      assert.equal((await stream.stop()).code, 0, stream.output);
      assert.equal((await job.catchUp()).code, 0);
      const story = await rowsOf(bigquery, 'story');
      assert.deepEqual(story.map((row) => [row._hakobu_type, row.id, row.name]).slice(0, 2).sort(),
        [['snapshot', '1', 'one'], ['snapshot', '2', 'two']]);
      assert.deepEqual(story.map((row) => [row._hakobu_type, row.id, row.name]).slice(2), [
        ['insert', '3', 'three'], ['update', '1', 'uno'], ['delete', '2', 'two'], ['insert', '20', 'two'], ['insert', '6', 'six'],
        ['delete', '3', 'three'], ['update', '6', 'sechs']]);
      const keyless = await rowsOf(bigquery, 'keyless');
      assert.deepEqual(keyless.filter((row) => row._hakobu_type === 'snapshot').map((row) => [row.a, row.b]).sort(),
        [['1', 'same'], ['1', 'same'], ['2', none]]);
      assert.deepEqual(keyless.map((row) => [row._hakobu_type, row.a, row.b]).slice(3), [
        ['insert', '1', 'same'], ['insert', '3', 'three'], ['update', '2', 'changed'], ['delete', '1', 'same'], ['delete', '1', 'same'],
        ['insert', '4', 'while away'], ['truncate', none, none], ['insert', '7', 'after']]);
      for (const rows of [story, keyless]) {
        const changes = rows.filter((row) => row._hakobu_type !== 'snapshot');
        assert.equal(new Set(changes.map((row) => row._hakobu_place)).size, changes.length, 'every change has its own place');
        for (const change of changes) {
          assert.ok(change._hakobu_gtid.length > 0, JSON.stringify(change));
          assert.ok(change._hakobu_time, JSON.stringify(change));
        }
      }
    });
  });
}
