// Incremental runs lose nothing: whatever a cursor holds, whatever its overlap is, whenever a row commits, and whatever
// changes in the configuration between two runs or in the middle of one.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { bigqueryClient } from '../harness/clients.mjs';
import { assertDelivered, deliveredTable } from '../harness/compare.mjs';
import { makeJob } from '../harness/delivery.mjs';
import { startBigquery, startMysql } from '../harness/servers.mjs';

const salts = { ONE_SALT: 'a salt of some length', OTHER_SALT: 'another one, as long' };

for (const flavor of ['mysql', 'mariadb']) test(`incremental from ${flavor}`, { timeout: 600000 }, async (t) => {
  const mysql = await startMysql({ flavor, options: ['--default-time-zone=+00:00'], test: t });
  const bigquery = await startBigquery({ test: t });
  const client = bigqueryClient(bigquery);
  const admin = await mysql.connect();
  t.after(() => admin.end());
  let number = 0;
  // A database of its own; run() delivers everything and must end well.
  const begin = async (part, setup, tables, more = {}) => {
    const database = `d${number++}`;
    await admin.query(`SET sql_mode = ''; CREATE DATABASE ${database}; USE ${database}; ${setup}`);
    const job = makeJob({ mysql, bigquery, dataset: database, test: part, defaults: { mode: 'incremental' },
      tables: Object.entries(tables).map(([table, options]) => ({ table: `${database}.${table}`, ...options })), ...more });
    const deliver = async (code = 0) => {
      const done = await job.run({ env: salts });
      assert.equal(done.code, code, done.stderr + done.stdout);
      return done.report;
    };
    const equal = (names = Object.keys(tables)) => assertDelivered({ mysql, bigquery: client, dataset: database, database, tables: names });
    return { database, job, deliver, equal, sql: (text) => admin.query(`USE ${database}; ${text}`) };
  };
  const notes = (report, table) => report.tables.find((each) => each.source.endsWith(`.${table}`)).notes.join('; ');

  await t.test('cursors that are NULL, no date, long ago, and far in the future', async (part) => {
    const types = { stamp: 'TIMESTAMP NULL', time: 'DATETIME(3) NULL', bare: 'DATETIME NULL', day: 'DATE NULL', n: 'BIGINT NULL' };
    const setup = Object.entries(types).map(([name, type]) => `CREATE TABLE ${name} (id INT PRIMARY KEY, v VARCHAR(20), c ${type}${name === 'bare' ? '' : ', KEY (c)'})`).join(';');
    const tables = Object.fromEntries(Object.keys(types).map((name) => [name, { cursor: 'c' }]));
    const { deliver, equal, sql } = await begin(part, setup, tables);
    const far = { stamp: '2037-01-01', time: '2099-01-01', bare: '2099-01-01', day: '2099-01-01' };
    const temporal = Object.keys(far);
    const add = (round, text) => sql([...temporal.map((name) => `INSERT INTO ${name} VALUES (${round}, '${text}', NULL),
        (${round + 1}, '${text}', NOW() - INTERVAL ${100 - round} MINUTE), (${round + 2}, '${text}', '${far[name]}')`),
      `INSERT INTO n VALUES (${round}, '${text}', NULL), (${round + 1}, '${text}', ${round})`].join(';'));
    await add(10, 'first');
    await deliver();
    await equal();
    // Rows whose cursor says nothing of them change, and others of the kind come.
    await sql([...temporal.map((name) => `UPDATE ${name} SET v = 'changed' WHERE c IS NULL OR c > '2030-01-01'`), "UPDATE n SET v = 'changed' WHERE c IS NULL"].join(';'));
    await add(20, 'second');
    const report = await deliver();
    await equal();
    for (const name of ['stamp', 'time', 'day', 'n']) assert.match(notes(report, name), /2 rows have no cursor in `c`/);
    await add(30, 'third');
    await deliver();
    await equal();
  });

  await t.test('rows of zero dates are delivered, the dates as NULL and counted, also those of later runs', async (part) => {
    const { deliver, sql, database } = await begin(part, `CREATE TABLE zero (id INT PRIMARY KEY, v VARCHAR(20), c DATETIME NOT NULL, KEY (c));
      INSERT INTO zero VALUES (1, 'a', '0000-00-00'), (2, 'b', NOW() - INTERVAL 1 HOUR)`, { zero: { cursor: 'c' } });
    const values = async () => (await deliveredTable(client, database, 'zero')).rows.map((row) => row.slice(0, 2).join()).sort();
    await deliver(3);
    assert.deepEqual(await values(), ['1,a', '2,b']);
    await sql("INSERT INTO zero VALUES (3, 'c', '0000-00-00'); UPDATE zero SET v = 'A' WHERE id = 1");
    await deliver(3);
    assert.deepEqual(await values(), ['1,A', '2,b', '3,c']);
  });

  await t.test('a DATETIME written in another zone than the server\'s, ahead of it and behind it', async (part) => {
    const { deliver, equal, sql } = await begin(part, 'CREATE TABLE ahead (id INT PRIMARY KEY, c DATETIME(6), KEY (c)); CREATE TABLE behind LIKE ahead',
      { ahead: { cursor: 'c' }, behind: { cursor: 'c' } });
    for (let round = 0; round < 3; ++round) {
      await sql(`INSERT INTO ahead VALUES (${round}, NOW(6) + INTERVAL 9 HOUR); INSERT INTO behind VALUES (${round}, NOW(6) - INTERVAL 8 HOUR)`);
      await deliver();
      await equal();
    }
  });

  await t.test('an overlap of nothing, for both kinds of cursor', async (part) => {
    const { deliver, equal, sql } = await begin(part, 'CREATE TABLE time (id INT PRIMARY KEY, c DATETIME, KEY (c)); CREATE TABLE n (id INT PRIMARY KEY, c INT, KEY (c))',
      { time: { cursor: 'c', overlap: '0s' }, n: { cursor: 'c', overlap_values: 0 } });
    for (let round = 0; round < 4; ++round) {
      // Within one second, and with the value that the run before has seen as its largest.
      await sql(`INSERT INTO time VALUES (${round}, NOW()); INSERT INTO n VALUES (${2 * round}, ${round}), (${2 * round + 1}, ${Math.max(0, round - 1)})`);
      await deliver();
      await equal();
    }
  });

  await t.test('rows that commit late, by an integer cursor', async (part) => {
    const { deliver, equal, sql, database } = await begin(part, 'CREATE TABLE n (id INT PRIMARY KEY, v INT NOT NULL, KEY (v)); INSERT INTO n VALUES (1, 1), (2, 2)',
      { n: { cursor: 'v', overlap_values: 0 } });
    await deliver();
    const late = await mysql.connect();
    await late.query(`USE ${database}; BEGIN; INSERT INTO n VALUES (3, 3)`);
    await sql('INSERT INTO n VALUES (4, 4), (5, 5)');
    await deliver();
    await sql('INSERT INTO n VALUES (6, 6)');
    await deliver();
    await late.query('COMMIT');
    await late.end();
    await deliver();
    await equal();
  });

  await t.test('a few integer cursors that lie far above all others do not hide the rows that come below them', async (part) => {
    const types = { big: ['BIGINT', '9223372036854775807'], wide: ['BIGINT UNSIGNED', '18446744073709551615'], small: ['SMALLINT', '32767'], bare: ['BIGINT', '9000000000000000'] };
    const setup = Object.entries(types).map(([name, [type, far]]) => `CREATE TABLE ${name} (id INT PRIMARY KEY, v INT, c ${type}${name === 'bare' ? '' : ', KEY (c)'});
      INSERT INTO ${name} VALUES (1, 0, 1), (2, 0, 2), (3, 0, 3), (4, 0, 3), (5, 0, ${far})`).join(';');
    const { deliver, equal, sql } = await begin(part, setup, Object.fromEntries(Object.keys(types).map((name) => [name, { cursor: 'c', overlap_values: 0 }])));
    for (let round = 1; round < 4; ++round) {
      const report = await deliver();
      await equal();
      for (const name of Object.keys(types)) assert.match(notes(report, name), /the 1 largest value of the cursor `c`, from \d+ on, lies far above all others/, name);
      // Rows below it, and another version of its own.
      await sql(Object.keys(types).map((name) => `INSERT INTO ${name} VALUES (${10 + round}, 0, ${3 + round}); UPDATE ${name} SET v = ${round} WHERE id = 5`).join(';'));
    }
    await deliver();
    await equal();
  });

  await t.test('a filter, a salt and a type that change between two runs: everything is delivered as it is now', async (part) => {
    const { job, deliver, equal, sql, database } = await begin(part, `CREATE TABLE a (id INT PRIMARY KEY, kind INT, mail VARCHAR(50), c DATETIME(6), KEY (c));
      INSERT INTO a SELECT 1, 1, 'one@x', NOW(6) - INTERVAL 2 DAY UNION SELECT 2, 2, 'two@x', NOW(6) - INTERVAL 2 DAY`,
    { a: { cursor: 'c', where: 'kind = 1' } });
    await deliver();
    assert.equal((await deliveredTable(client, database, 'a')).rows.length, 1);
    job.config.tables[0].where = 'kind < 3';
    assert.match(notes(await deliver(), 'a'), /put in place anew: `where` is another/);
    await equal();
    assert.doesNotMatch(notes(await deliver(), 'a'), /put in place anew|all rows are read again/);
    const hashes = async () => {
      const { fields, rows } = await deliveredTable(client, database, 'a');
      return rows.map((row) => row[fields.findIndex((field) => field.name === 'mail')]).sort();
    };
    job.config.tables[0].columns = { mail: { mask: 'sha256', salt: '${env:ONE_SALT}' } };
    await deliver();
    const first = await hashes();
    assert.ok(first.every((value) => !value.includes('@')), first.join());
    job.config.tables[0].columns.mail.salt = '${env:OTHER_SALT}';
    await sql("INSERT INTO a VALUES (3, 1, 'three@x', NOW(6))");
    await deliver();
    const second = await hashes();
    assert.equal(second.length, 3);
    assert.ok(second.every((value) => !first.includes(value)), 'no row is left with the earlier salt');
  });

  await t.test('a run that is cut off is not continued by another filter or salt', async (part) => {
    const rows = Array.from({ length: 3000 }, (_, i) => `(${i}, ${i % 2}, 'mail${i}', NOW(6) - INTERVAL 1 DAY)`).join();
    for (const [name, change] of Object.entries({
      filter: (table) => { table.where = 'kind < 2'; },
      salt: (table) => { table.columns.mail.salt = '${env:OTHER_SALT}'; },
    })) {
      const { job, deliver, database } = await begin(part, `CREATE TABLE a (id INT PRIMARY KEY, kind INT, mail VARCHAR(50), c DATETIME(6), KEY (c)); INSERT INTO a VALUES ${rows}`,
        { a: { cursor: 'c', where: 'kind = 1', chunk_rows: 300, write: 'storage', columns: { mail: { mask: 'sha256', salt: '${env:ONE_SALT}' } } } });
      const killed = await job.run({ env: { ...salts, HAKOBU_CRASH_AT: 'chunk.checkpointed' } });
      assert.equal(killed.signal, 'SIGKILL', killed.stderr);
      change(job.config.tables[0]);
      const report = await deliver();
      assert.equal(report.tables[0].chunksResumed ?? 0, 0, name);
      const { fields, rows: found } = await deliveredTable(client, database, 'a');
      assert.equal(found.length, name === 'filter' ? 3000 : 1500, name);
      // All by one salt: what another whole delivery of the same configuration makes.
      const fresh = await begin(part, `CREATE TABLE a LIKE ${database}.a; INSERT INTO a SELECT * FROM ${database}.a`,
        { a: Object.fromEntries(Object.entries(job.config.tables[0]).filter(([key]) => key !== 'table')) });
      await fresh.deliver();
      const mail = fields.findIndex((field) => field.name === 'mail');
      const sorted = (all) => all.map((row) => row[mail]).sort();
      assert.deepEqual(sorted(found), sorted((await deliveredTable(client, fresh.database, 'a')).rows), name);
    }
  });

  await t.test('deletes: compare finds what is gone, by keys of every kind', async (part) => {
    const { database, job, deliver, equal, sql } = await begin(part, `
      CREATE TABLE a (id INT PRIMARY KEY, v VARCHAR(20), c DATETIME(6) DEFAULT NOW(6), KEY (c)); INSERT INTO a (id, v) VALUES (1, 'a'), (2, 'b'), (3, 'c');
      CREATE TABLE pair (v INT, x VARCHAR(20) CHARACTER SET utf8mb4, y DATE, c INT NOT NULL DEFAULT 1, PRIMARY KEY (y, x)); INSERT INTO pair (v, x, y) VALUES (1, '予', '2024-01-01'), (2, 'b', '2024-01-01'), (3, 'b', '2024-01-02');
      CREATE TABLE hidden (mail VARCHAR(50) PRIMARY KEY, c INT NOT NULL DEFAULT 1); INSERT INTO hidden (mail) VALUES ('one@x'), ('two@x'), ('three@x');
      CREATE TABLE some (id INT PRIMARY KEY, kind INT, c INT NOT NULL DEFAULT 1); INSERT INTO some (id, kind) VALUES (1, 1), (2, 1), (3, 2);
      CREATE TABLE emptied (id INT PRIMARY KEY, c INT NOT NULL DEFAULT 1); INSERT INTO emptied (id) VALUES (1), (2);
      CREATE TABLE days (id INT PRIMARY KEY, day DATE NOT NULL, c INT NOT NULL DEFAULT 1); INSERT INTO days (id, day) VALUES (1, CURRENT_DATE), (2, CURRENT_DATE - INTERVAL 3 DAY);
      CREATE TABLE kept (id INT PRIMARY KEY, c INT NOT NULL DEFAULT 1); INSERT INTO kept (id) VALUES (1), (2)`,
    { a: { cursor: 'c' }, pair: { cursor: 'c' }, hidden: { cursor: 'c', columns: { mail: { mask: 'sha256', salt: '${env:ONE_SALT}' } } },
      some: { cursor: 'c', where: 'kind = 1' }, emptied: { cursor: 'c' }, kept: { cursor: 'c' },
      days: { cursor: 'c', partition: { column: 'day', require_filter: true } } });
    for (const table of job.config.tables) if (!table.table.endsWith('.kept')) table.deletes = 'compare';
    await deliver();
    await sql(`DELETE FROM a WHERE id = 2; UPDATE a SET id = 30, c = NOW(6) WHERE id = 3; DELETE FROM pair WHERE v IN (1, 3); DELETE FROM hidden WHERE mail = 'two@x';
      UPDATE some SET kind = 2 WHERE id = 2; DELETE FROM emptied; DELETE FROM days WHERE id = 2; DELETE FROM kept WHERE id = 2`);
    const report = await deliver();
    await equal(['a', 'pair', 'emptied']);
    const count = async (table, filter = 'TRUE') => Number((await client.query(`SELECT COUNT(*) AS n FROM ${database}.${table} WHERE ${filter}`))[0][0].n);
    assert.equal(await count('hidden'), 2);
    assert.equal(await count('some'), 1);
    assert.equal(await count('days', "day > '2000-01-01'"), 1);
    assert.equal(await count('kept'), 2, 'nobody asked for it');
    assert.match(notes(report, 'pair'), /2 rows that the source has not any more were deleted/);
    assert.match(notes(report, 'kept'), /deleted in the source are not seen/);
    // Killed at each of its steps, the next run does it.
    for (const [n, step] of ['publish.keys_read', 'publish.gone_deleted'].entries()) {
      await sql(`DELETE FROM a WHERE id = ${n === 0 ? 1 : 30}; INSERT INTO a (id, v) VALUES (${100 + n}, 'new')`);
      const killed = await job.run({ args: ['a'], env: { ...salts, HAKOBU_CRASH_AT: step } });
      assert.equal(killed.signal, 'SIGKILL', killed.stderr);
      const next = await job.run({ args: ['a'], env: salts });
      assert.equal(next.code, 0, next.stderr);
      await equal(['a']);
    }
    const [tables] = await client.dataset(database).getTables();
    assert.deepEqual(tables.map((table) => table.id).filter((id) => id.startsWith('_hakobu')), []);
  });

  await t.test('deletes are not compared where no cursor needs it', async (part) => {
    const { job } = await begin(part, 'CREATE TABLE a (id INT PRIMARY KEY)', { a: { mode: 'replace', deletes: 'compare' } });
    const refused = await job.run();
    assert.equal(refused.code, 2, refused.stderr);
    assert.match(refused.stderr, /deletes: expected it with mode: stream or incremental only/);
  });
});
