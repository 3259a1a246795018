// `hakobu verify` in every mode: what is equal is proven, what differs is found and counted, what was not compared is said,
// and "nothing was compared" is never 0.
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { run, startBigquery, startMysql } from '../harness/servers.mjs';
import { bigqueryClient } from '../harness/clients.mjs';
import { makeJob } from '../harness/delivery.mjs';
import { makeStream } from '../harness/stream.mjs';

const logged = {
  mysql: ['--server-id=1', '--log-bin=binlog', '--gtid-mode=ON', '--enforce-gtid-consistency=ON'],
  mariadb: ['--server-id=1', '--log-bin=binlog', '--binlog-format=ROW'],
};
const patience = 240000;  // of states that come far sooner on a machine that does nothing else

async function begin(t, flavor) {
  const mysql = await startMysql({ flavor, options: logged[flavor], test: t });
  const server = await startBigquery({ test: t });
  const bigquery = bigqueryClient(server);
  let number = 0;
  return async (sql, tables, { make = makeJob, ...more } = {}) => {
    const name = `v${++number}`;
    const admin = await mysql.connect();
    await admin.query(`CREATE DATABASE ${name} CHARACTER SET utf8mb4; USE ${name}; ${sql}`);
    const job = make({ mysql, bigquery: server, dataset: name, tables: tables.map((entry) => ({ ...entry, table: `${name}.${entry.table}` })), test: t, ...more });
    const one = {
      name, admin, job, entry: job.config.tables[0],
      query: async (text) => (await bigquery.query({ query: text, defaultDataset: { datasetId: name } }))[0].map((row) => ({ ...row })),
      async delivers(code = 0) {
        const result = await job.run();
        assert.equal(result.code, code, result.stderr + result.stdout);
      },
      async catchUp(code = 0) {
        const result = await job.catchUp({ timeoutMs: patience });
        assert.equal(result.code, code, result.stderr);
      },
      // Must end with `code`; tables by their names without the database.
      async verify(code, ...names) {
        job.write();
        const result = await run(['-c', join(job.folder, 'hakobu.yaml'), '--json', 'verify', ...names]);
        assert.equal(result.code, code, result.stderr + result.stdout);
        const report = result.stdout ? JSON.parse(result.stdout) : { tables: [] };
        const found = Object.fromEntries((report.tables ?? []).map((table) => [table.source.slice(table.source.indexOf('.') + 1), { ...table, said: table.notes?.join('\n') }]));
        const left = (await bigquery.dataset(name).getTables().catch(() => [[]]))[0].map(({ id }) => id).filter((id) => id.startsWith('_hakobu'));
        assert.deepEqual(left, [], 'nothing is left beside');
        return Object.assign(found, { stderr: result.stderr });
      },
    };
    return one;
  };
}

const counts = ({ left }) => [left.missing, left.different, left.extra];

for (const flavor of ['mysql', 'mariadb']) test(`nightly tables, ${flavor}`, async (t) => {
  const start = await begin(t, flavor);

  await t.test('replace: by key, in every type, and by how often a row is there where there is no key', async () => {
    const one = await start(`CREATE TABLE types (id INT, code VARCHAR(9) COLLATE utf8mb4_bin, n BIGINT UNSIGNED, d DECIMAL(20,5), f DOUBLE, s TEXT, b BLOB, day DATE, at DATETIME(6), ts TIMESTAMP NULL, clock TIME(3), j JSON, e ENUM('a','b'), bits BIT(9), p POINT, PRIMARY KEY (id, code));
      INSERT INTO types VALUES (1, 'a', 18446744073709551615, 1.5, 0.1, '日本', x'00ff', '2024-02-29', '2024-02-29 12:00:00.123456', '2024-02-29 12:00:00', '10:00:00.5', '{"b": 1, "a": [true]}', 'b', b'100000001', ST_GeomFromText('POINT(1 2)')), (1, 'A', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL), (2, '', 0, 0, -0.0, '', '', '0001-01-01', '9999-12-31 23:59:59', '1970-01-01 00:00:01', '00:00:00', '[]', 'a', b'0', NULL);
      CREATE TABLE bag (a INT, b VARCHAR(9)); INSERT INTO bag VALUES (1, 'x'), (1, 'x'), (2, NULL), (NULL, NULL);
      CREATE TABLE many (id INT PRIMARY KEY); INSERT INTO many VALUES ${Array.from({ length: 450 }, (_, i) => `(${i})`)}; ANALYZE TABLE many`,
      [{ table: 'types' }, { table: 'bag' }, { table: 'many', chunk_rows: 100 }]);
    await one.verify(1);  // nothing was delivered
    await one.delivers();
    let found = await one.verify(0);
    assert.deepEqual([found.types.rows, found.bag.rows, found.many.rows], [3, 4, 450]);
    assert.ok(found.many.chunks > 1, 'by ranges of the key');
    assert.match(found.bag.said, /without a key/);
    // The source goes on; each difference is one of its kind.
    await one.admin.query("UPDATE types SET s = 'other' WHERE id = 2; DELETE FROM types WHERE code = 'A'; INSERT INTO types (id, code) VALUES (3, 'new'), (4, 'new'); DELETE FROM bag WHERE a = 1 LIMIT 1; INSERT INTO bag VALUES (2, NULL)");
    found = await one.verify(3);
    assert.deepEqual(counts(found.types), [2, 1, 1]);
    assert.match(found.types.first_keys.join(), /"id":3/);
    assert.match(found.types.said, /what changed at the source since run .* counts as a difference/);
    assert.deepEqual(counts(found.bag), [1, 0, 1]);
    assert.deepEqual(Object.keys(await one.verify(3, 'bag')), ['bag', 'stderr']);
    await one.delivers();
    await one.verify(0);
    // Somebody writes to the targets: one value, one row, one row twice.
    await one.query("UPDATE types SET d = NUMERIC '1.50001' WHERE code = 'a'");
    await one.query('INSERT INTO types SELECT * FROM types WHERE id = 3');
    await one.query('INSERT INTO bag SELECT * FROM bag WHERE a = 1');
    found = await one.verify(3);
    assert.deepEqual(counts(found.types), [0, 1, 1]);
    assert.deepEqual(counts(found.bag), [0, 0, 1]);
    await one.admin.end();
  });

  await t.test('replace: filters, masks, exclusions and pending columns', async () => {
    process.env.VERIFY_SALT = 'pepper-of-sixteen-letters';
    const one = await start(`CREATE TABLE t (id INT PRIMARY KEY, mail VARCHAR(20), secret INT, company INT); INSERT INTO t VALUES (1, 'a', 1, 1), (2, 'b', 2, 2), (3, 'c', 3, 1)`,
      [{ table: 't', where: 'company = 1', exclude: ['secret'], columns: { mail: { mask: 'sha256', salt: '${env:VERIFY_SALT}' } } }]);
    await one.delivers();
    assert.equal((await one.verify(0)).t.rows, 2);
    await one.admin.query('UPDATE t SET secret = 9; INSERT INTO t VALUES (4, NULL, NULL, 2)');
    await one.verify(0);
    await one.admin.query('ALTER TABLE t ADD COLUMN later INT; UPDATE t SET later = 1');
    assert.match((await one.verify(0)).t.said, /column `later` was not compared/);
    await one.query("UPDATE t SET mail = 'clear' WHERE id = 1");
    assert.deepEqual(counts((await one.verify(3)).t), [0, 1, 0]);
    await one.admin.end();
  });

  await t.test('incremental: what lies below the cursor; deletes are not differences, and said', async () => {
    const one = await start(`CREATE TABLE i (id INT PRIMARY KEY, v INT, at DATETIME(6) NULL, KEY (at)); INSERT INTO i VALUES (1, 1, '2024-01-01'), (2, 2, '2024-01-02'), (3, 3, '2024-01-03'), (4, 4, NULL)`,
      [{ table: 'i', mode: 'incremental', cursor: 'at', overlap: '1s' }]);
    await one.delivers();
    let found = await one.verify(0);
    assert.ok(found.i.rows >= 3, JSON.stringify(found));
    assert.match(found.i.said, /compared: rows whose `at` is below/);
    // Later rows and deleted ones: not compared, and said. Changed behind the cursor's back: found.
    await one.admin.query("UPDATE i SET v = 20, at = '2024-02-01' WHERE id = 2; DELETE FROM i WHERE id = 1; INSERT INTO i VALUES (5, 5, '2024-02-02')");
    found = await one.verify(0);
    assert.match(found.i.said, /\d rows of BigQuery were not compared/);
    await one.admin.query('UPDATE i SET v = 40 WHERE id = 4');
    found = await one.verify(3);
    assert.deepEqual(counts(found.i), [0, 1, 0]);
    assert.match(found.i.first_keys.join(), /"id":4/);
    await one.query('DELETE FROM i WHERE id = 4');
    assert.deepEqual(counts((await one.verify(3)).i), [1, 0, 0]);
    // With everything in the window there is nothing to compare, and that is no 0.
    await one.admin.query("UPDATE i SET at = '2099-01-01'");
    assert.match((await one.verify(1)).i.error, /nothing can be compared/);
    await one.admin.end();
  });

  await t.test('append: rows are counted against what runs have added', async () => {
    const one = await start('CREATE TABLE a (id INT PRIMARY KEY); INSERT INTO a VALUES (1), (2)', [{ table: 'a', mode: 'append' }]);
    await one.delivers();
    await one.admin.query('INSERT INTO a VALUES (3)');
    await one.delivers();
    let found = await one.verify(0);
    assert.equal(found.a.rows, 5);
    assert.match(found.a.said, /5 by 2 runs, 5 in BigQuery; their values were not compared/);
    await one.query('DELETE FROM a WHERE id = 2');
    assert.deepEqual(counts((await one.verify(3)).a), [2, 0, 0]);
    await one.query('INSERT INTO a (id) VALUES (7), (8), (9)');
    assert.deepEqual(counts((await one.verify(3)).a), [0, 0, 1]);
    // Taken as it is by somebody who has decided: counted from there.
    await one.query('TRUNCATE TABLE a');
    assert.match((await one.verify(1)).a.error, /emptied by somebody else/);
    assert.equal((await run(['-c', join(one.job.folder, 'hakobu.yaml'), 'repair', '--recopy', 'a'])).code, 0);
    await one.delivers();
    await one.delivers();
    assert.equal((await one.verify(0)).a.rows, 6);
    await one.admin.end();
  });

  await t.test('a configuration that was changed since, a target that is gone, a table that does not exist', async () => {
    const one = await start('CREATE TABLE i (id INT PRIMARY KEY, v INT, at DATETIME, KEY (at)); INSERT INTO i VALUES (1, 1, \'2024-01-01\'), (2, 1, \'2024-01-02\'); CREATE TABLE r (id INT PRIMARY KEY)',
      [{ table: 'i', mode: 'incremental', cursor: 'at' }, { table: 'r' }]);
    await one.delivers();
    await one.verify(0, 'r');  // both are empty: that is equal
    one.entry.columns = { v: { mask: 'null' } };
    assert.match((await one.verify(1)).i.error, /come in another form with the next run/);
    await one.delivers();
    await one.query('DROP TABLE i');
    const found = await one.verify(1);
    assert.match(found.i.error, /gone from BigQuery/);
    assert.equal(found.r.equal, true, 'one table’s trouble is that table’s');
    assert.match((await one.verify(2, 'nobody')).stderr, /`nobody` matches none/);
    one.job.config.tables = [{ table: `${one.name}.nothing_*` }];
    const nothing = await one.verify(1);
    assert.doesNotMatch(nothing.stderr, /equal/);
    await one.admin.end();
  });
});

for (const flavor of ['mysql', 'mariadb']) test(`streamed and nightly tables together, without keys too, ${flavor}`, async (t) => {
  const start = await begin(t, flavor);
  const one = await start(`CREATE TABLE keyed (id INT PRIMARY KEY, v INT); CREATE TABLE bag (a INT, b VARCHAR(9)); CREATE TABLE moved (a INT); CREATE TABLE night (id INT PRIMARY KEY);
    INSERT INTO keyed VALUES (1, 1), (2, 2); INSERT INTO bag VALUES (1, 'x'), (1, 'x'), (2, NULL); INSERT INTO moved VALUES (1), (2), (3); INSERT INTO night VALUES (1)`,
    [{ table: 'keyed' }, { table: 'bag' }, { table: 'moved' }, { table: 'night', mode: 'replace' }], { make: makeStream });
  await one.catchUp();
  await one.delivers();
  let found = await one.verify(0);
  assert.deepEqual(Object.keys(found).sort(), ['bag', 'keyed', 'moved', 'night', 'stderr']);
  assert.match(found.bag.said, /without a key/);

  await one.admin.query("INSERT INTO bag VALUES (2, NULL), (3, 'y'); DELETE FROM bag WHERE a = 1 LIMIT 1; UPDATE moved SET a = 7 WHERE a = 1; INSERT INTO moved VALUES (4)");
  found = await one.verify(3);
  assert.deepEqual(counts(found.bag), [2, 0, 1], 'no stream has delivered it');
  assert.equal(found.bag.stream_behind, true);
  await one.catchUp();
  found = await one.verify(0);
  assert.match(found.moved.said, /rows were counted; their values were not compared/);
  assert.equal(found.moved.rows, 4);

  // Emptied and filled again: the history begins to count anew.
  await one.admin.query("TRUNCATE TABLE bag; INSERT INTO bag VALUES (5, 'z'), (5, 'z')");
  await one.catchUp();
  assert.equal((await one.verify(0)).bag.rows, 2);
  // What the log does not tell is found.
  await one.admin.query("SET sql_log_bin = 0; INSERT INTO bag VALUES (6, 'unseen'); DELETE FROM moved WHERE a = 2; UPDATE keyed SET v = 9 WHERE id = 1; SET sql_log_bin = 1");
  found = await one.verify(3);
  assert.deepEqual([counts(found.bag), counts(found.moved), counts(found.keyed)], [[1, 0, 0], [0, 0, 1], [0, 1, 0]]);
  assert.equal(found.night.equal, true);
  await one.admin.end();
});
