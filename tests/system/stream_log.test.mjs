// What the log says without saying it: statements that change rows without events, statements that cannot be read, tables
// and databases that come and go by ways of their own, transactions of which a part is undone. On both servers BigQuery
// ends up equal, and nothing is stopped that need not be.
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { bigqueryClient } from '../harness/clients.mjs';
import { deliveredTable } from '../harness/compare.mjs';
import { startBigquery, startMysql } from '../harness/servers.mjs';
import { makeStream, waitForLine, waitUntilEqual } from '../harness/stream.mjs';

const options = {
  mysql: ['--server-id=1', '--log-bin=binlog', '--gtid-mode=ON', '--enforce-gtid-consistency=ON', '--local-infile=1'],
  mariadb: ['--server-id=1', '--log-bin=binlog', '--binlog-format=ROW', '--local-infile=1'],
};

async function begin({ t, flavor, setup, tables = [{ table: 'shop.*' }], stream = {}, server: more = [] }) {
  const mysql = await startMysql({ flavor, options: [...options[flavor], ...more], test: t });
  const bigquery = await startBigquery({ test: t });
  const admin = await mysql.connect();
  t.after(() => admin.end());
  await admin.query(`CREATE DATABASE shop CHARACTER SET utf8mb4; USE shop; SET sql_mode = ''; ${setup}`);
  const job = makeStream({ mysql, bigquery, dataset: 'live', tables, stream, test: t });
  const state = { mysql, bigquery, client: bigqueryClient(bigquery), admin, job, stream: job.start() };
  t.after(() => state.stream.kill9());
  state.equal = (names, extra = {}) => waitUntilEqual({ mysql, bigquery: state.client, database: 'shop', dataset: 'live',
    tables: names, server: state.stream, ...extra });
  return state;
}

for (const flavor of ['mysql', 'mariadb']) {
  const mariadb = flavor === 'mariadb';
  test(`rows that ALTER changes without events, on ${flavor}`, async (t) => {
    const { admin, equal, stream } = await begin({ t, flavor, setup: `
      CREATE TABLE dec_key (k DECIMAL(6,2) PRIMARY KEY, v INT); INSERT INTO dec_key VALUES (1.25, 1), (2.5, 2), (3, 3);
      CREATE TABLE time_key (k DATETIME(3), n INT, PRIMARY KEY (k, n)); INSERT INTO time_key VALUES ('2024-01-01 10:00:00.6', 1), ('2024-01-01 10:00:01', 2);
      CREATE TABLE byte_key (k VARCHAR(9) PRIMARY KEY, v INT); INSERT INTO byte_key VALUES ('a', 1), ('予', 2);
      CREATE TABLE short_key (k VARCHAR(9) PRIMARY KEY, v INT); INSERT INTO short_key VALUES ('abcdef', 1), ('b', 2);
      CREATE TABLE narrow (id INT PRIMARY KEY, v VARCHAR(20), w TEXT); INSERT INTO narrow VALUES (1, '予約é', '予'), (2, 'plain', 'é');
      CREATE TABLE computed (id INT PRIMARY KEY, a INT, g INT AS (a * 2) STORED); INSERT INTO computed (id, a) VALUES (1, 5), (2, 6);
      CREATE TABLE back1 (id INT PRIMARY KEY, a INT, b VARCHAR(9)); INSERT INTO back1 VALUES (1, 1, 'x'), (2, 2, 'y');
      CREATE TABLE back2 LIKE back1; INSERT INTO back2 SELECT * FROM back1;
      CREATE TABLE back3 (id INT PRIMARY KEY, a INT, b INT); INSERT INTO back3 VALUES (1, 1, 10), (2, 2, NULL);
      CREATE TABLE new_key (id INT AUTO_INCREMENT PRIMARY KEY, v INT); INSERT INTO new_key VALUES (10, 1), (20, 2);
      CREATE TABLE renamed_key (id INT PRIMARY KEY, v INT); INSERT INTO renamed_key VALUES (1, 1), (2, 2);
      CREATE TABLE twice (id INT PRIMARY KEY, a INT); INSERT INTO twice VALUES (1, 5), (2, 5), (3, 6)` });
    const all = ['dec_key', 'time_key', 'byte_key', 'short_key', 'narrow', 'computed', 'back1', 'back2', 'back3', 'new_key', 'renamed_key', 'twice'];
    await equal(all);
    await admin.query(`ALTER TABLE dec_key MODIFY k DECIMAL(6,1); ALTER TABLE time_key MODIFY k DATETIME; ALTER TABLE byte_key MODIFY k VARBINARY(20);
      ALTER TABLE short_key MODIFY k VARCHAR(3); ALTER TABLE narrow MODIFY v VARCHAR(20) CHARACTER SET latin1, MODIFY w TEXT CHARACTER SET ascii;
      ALTER TABLE computed MODIFY g INT AS (a * 3) STORED; ALTER TABLE back1 DROP a, ADD a INT;
      ALTER TABLE back2 DROP a; ALTER TABLE back2 ADD a INT; ALTER TABLE back3 DROP a, CHANGE b a INT;
      ALTER TABLE new_key DROP PRIMARY KEY, DROP id, ADD id INT AUTO_INCREMENT PRIMARY KEY FIRST; ALTER TABLE renamed_key CHANGE id key_id INT`);
    if (mariadb) await admin.query('ALTER IGNORE TABLE twice ADD UNIQUE (a)');
    await admin.query(`INSERT INTO dec_key VALUES (9, 9); UPDATE computed SET a = 7 WHERE id = 2; INSERT INTO back1 (id, a) VALUES (3, 33);
      INSERT INTO back2 (id, a) VALUES (3, 33); UPDATE new_key SET v = 5 WHERE id = 1; INSERT INTO byte_key VALUES ('c', 3); DELETE FROM renamed_key WHERE key_id = 2`);
    await equal(all);
    assert.equal((await stream.stop()).code, 0, stream.output);
  });

  test(`tables that come by ways of their own, on ${flavor}`, async (t) => {
    const state = await begin({ t, flavor, tables: [{ table: 'shop.*' }, { table: 'tenant_*.*', target: '{database}_{table}' }], setup: `
      CREATE TABLE a (id INT PRIMARY KEY, v INT); INSERT INTO a VALUES (1, 1);
      CREATE TABLE b (id INT PRIMARY KEY, v INT); INSERT INTO b VALUES (2, 2);
      CREATE TABLE gone (id INT PRIMARY KEY, v INT); INSERT INTO gone VALUES (1, 1), (2, 2), (3, 3);
      CREATE DATABASE tenant_1; CREATE TABLE tenant_1.orders (id INT PRIMARY KEY, v INT);
      CREATE DATABASE other; CREATE TABLE other.model (id INT PRIMARY KEY, v INT); CREATE TABLE other.moves (id INT PRIMARY KEY, v INT);
      INSERT INTO other.moves VALUES (7, 7)` });
    const { admin, equal, job, mysql, client } = state;
    await equal(['a', 'b', 'gone']);

    await t.test('a database that matches', async () => {
      await admin.query(`CREATE DATABASE tenant_2; CREATE TABLE tenant_2.orders (id INT PRIMARY KEY, v INT); INSERT INTO tenant_2.orders VALUES (1, 1);
        CREATE DATABASE elsewhere; CREATE TABLE elsewhere.orders (id INT PRIMARY KEY)`);
      await waitUntilEqual({ mysql, bigquery: client, database: 'tenant_2', dataset: 'live', tables: ['orders'], target: 'tenant_2_orders', server: state.stream });
    });
    await t.test('from another database, like a table of one, and of a SELECT', async () => {
      await admin.query(`RENAME TABLE other.moves TO shop.moved; INSERT INTO moved VALUES (8, 8); CREATE TABLE liked LIKE other.model;
        INSERT INTO liked VALUES (1, 1); CREATE TABLE chosen (PRIMARY KEY (id)) ENGINE=InnoDB SELECT 5 AS id, 'x' AS v; INSERT INTO chosen VALUES (6, 'y')`);
      await equal(['moved', 'liked', 'chosen']);
      // Logged as a statement: its columns are nowhere in the log.
      if (mariadb) await admin.query("SET SESSION binlog_format=STATEMENT; CREATE TABLE told (id INT PRIMARY KEY) SELECT 1 AS id, 'a' AS v; SET SESSION binlog_format=ROW; INSERT INTO told VALUES (2, 'b')");
      if (mariadb) await equal(['told']);
    });
    await t.test('in a circle, and made again under the old name', async () => {
      await admin.query(`RENAME TABLE a TO between_names, b TO a, between_names TO b; INSERT INTO a VALUES (22, 22); INSERT INTO b VALUES (11, 11);
        CREATE TABLE log (id INT PRIMARY KEY, v INT); INSERT INTO log VALUES (1, 1);
        ALTER TABLE log RENAME TO log_2023, ADD COLUMN w INT DEFAULT 4; CREATE TABLE log (id INT PRIMARY KEY, x VARCHAR(9)); INSERT INTO log VALUES (5, 'new');
        INSERT INTO log_2023 VALUES (6, 6, 6)`);
      await equal(['a', 'b', 'log', 'log_2023']);
    });
    await t.test('60 that go at once hold nothing up', async () => {
      let sql = '';
      for (let i = 0; i < 60; ++i) sql += `CREATE TABLE scratch${i} (id INT PRIMARY KEY); INSERT INTO scratch${i} VALUES (1), (2); DROP TABLE scratch${i};`;
      await admin.query(`${sql} INSERT INTO a VALUES (23, 23)`);
      await equal(['a']);
    });
    await t.test('changed and dropped while the stream is down', async () => {
      assert.equal((await state.stream.stop()).code, 0, state.stream.output);
      assert.doesNotMatch(state.stream.output, /table stopped/);
      await admin.query(`UPDATE gone SET v = 22 WHERE id = 2; INSERT INTO gone VALUES (4, 4); DELETE FROM gone WHERE id = 1; DROP TABLE gone;
        CREATE TABLE missed (id INT PRIMARY KEY); INSERT INTO missed VALUES (1)`);
      const done = await job.catchUp();
      assert.equal(done.code, 0, done.stderr);
      const { rows } = await deliveredTable(client, 'live', 'gone');
      assert.deepEqual(rows.sort(), [['2', '22'], ['3', '3'], ['4', '4']]);
      const states = Object.fromEntries(done.status.tables.map((table) => [table.source, table.state]));
      assert.equal(states['shop.gone'], 'dropped', JSON.stringify(states));
      assert.equal(states['shop.missed'], 'whole', JSON.stringify(states));
      assert.ok(!('shop.between_names' in states) && Object.keys(states).every((name) => name !== ''), JSON.stringify(states));
    });
    await t.test('a stopped one that is dropped and made again', async () => {
      state.stream = job.start();
      await admin.query('CREATE TABLE wrong (id FLOAT PRIMARY KEY); INSERT INTO wrong VALUES (1)');
      await waitForLine(state.stream, /table stopped/);
      await admin.query('DROP TABLE wrong; CREATE TABLE wrong (id INT PRIMARY KEY); INSERT INTO wrong VALUES (2)');
      await equal(['wrong']);
      assert.equal((await state.stream.stop()).code, 0, state.stream.output);
    });
  });

  test(`a backlog that changes a table more than once, on ${flavor}`, async (t) => {
    const state = await begin({ t, flavor, setup: `CREATE TABLE a (id INT PRIMARY KEY, old_name INT, v INT); INSERT INTO a VALUES (1, 1, 1);
      CREATE TABLE other (id INT PRIMARY KEY); INSERT INTO other VALUES (1)` });
    const { admin, equal, job } = state;
    await equal(['a', 'other']);
    assert.equal((await state.stream.stop()).code, 0, state.stream.output);
    await admin.query(`TRUNCATE a; INSERT INTO a VALUES (2, 2, 2); ALTER TABLE a RENAME COLUMN old_name TO new_name, DROP v; INSERT INTO a VALUES (3, 3);
      ALTER TABLE a ADD w VARCHAR(9) FIRST; INSERT INTO a VALUES ('w', 4, 4); TRUNCATE a; INSERT INTO a VALUES ('x', 5, 5); INSERT INTO other VALUES (2)`);
    state.stream = job.start();
    await equal(['a', 'other']);
    assert.equal((await state.stream.stop()).code, 0, state.stream.output);
  });

  test(`prepared before its table is followed, on ${flavor}`, async (t) => {
    const state = await begin({ t, flavor, tables: [{ table: 'shop.first' }], setup: `CREATE TABLE first (id INT PRIMARY KEY, v INT); INSERT INTO first VALUES (1, 1);
      CREATE TABLE second (id INT PRIMARY KEY, v INT); INSERT INTO second VALUES (1, 1), (2, 2)` });
    const { admin, mysql, job, equal } = state;
    await equal(['first']);
    const session = await mysql.connect();
    await session.query("USE shop; XA START 'p'; UPDATE second SET v = 10 WHERE id = 1; DELETE FROM second WHERE id = 2; INSERT INTO second VALUES (3, 3); XA END 'p'; XA PREPARE 'p'");
    await session.end();
    await admin.query('INSERT INTO first VALUES (2, 2)');
    await equal(['first']);
    assert.equal((await state.stream.stop()).code, 0, state.stream.output);
    job.config.tables.push({ table: 'shop.second' });
    state.stream = job.start();
    await waitForLine(state.stream, /"table":"shop\.second"[^\n]*copied|copied[^\n]*"table":"shop\.second"/);
    await admin.query("XA COMMIT 'p'; INSERT INTO second VALUES (4, 4)");
    await equal(['first', 'second']);
    assert.equal((await state.stream.stop()).code, 0, state.stream.output);
  });

  test(`rows that were logged as statements, on ${flavor}`, async (t) => {
    const { admin, equal, stream, mysql } = await begin({ t, flavor, setup: `CREATE TABLE a (id INT PRIMARY KEY, v VARCHAR(9)); INSERT INTO a VALUES (1, 'a');
      CREATE TABLE b (id INT PRIMARY KEY, v VARCHAR(9)); INSERT INTO b VALUES (1, 'b'); CREATE DATABASE other; CREATE TABLE other.c (id INT PRIMARY KEY, v VARCHAR(9))` });
    await equal(['a', 'b']);
    const path = join(mysql.folder, 'rows.txt');
    writeFileSync(path, '5\tfive\n6\tsix\n');
    await admin.query('SET SESSION binlog_format=STATEMENT');
    await admin.query(`LOAD DATA INFILE '${path}' INTO TABLE other.c; LOAD DATA INFILE '${path}' INTO TABLE a; START TRANSACTION; UPDATE a SET v = 'one' WHERE id = 1; COMMIT`);
    await admin.query("SET SESSION binlog_format=ROW; INSERT INTO a VALUES (9, 'nine'); INSERT INTO b VALUES (9, 'nine')");
    await equal(['a', 'b']);
    assert.equal((await stream.stop()).code, 0, stream.output);
  });
}

for (const metadata of ['MINIMAL', 'FULL']) test(`what MariaDB alone has, binlog_row_metadata=${metadata}`, async (t) => {
  const { admin, equal, stream } = await begin({ t, flavor: 'mariadb', server: [`--binlog-row-metadata=${metadata}`], setup: `
    CREATE TABLE ids (k UUID PRIMARY KEY, i INET6, j INET4, v INT); INSERT INTO ids VALUES (UUID(), '::1', '10.0.0.1', 1), ('018fd9c2-ad4b-7cc3-98c4-dc0c0c07398f', 'fe80::', '0.0.0.0', 2);
    CREATE TABLE addresses (i INET6, j INET4, v INT, PRIMARY KEY (i, j)); INSERT INTO addresses VALUES ('2001:db8::1', '1.2.3.4', 1), ('::ffff:1.2.3.4', '0.0.0.0', 2);
    CREATE TABLE versioned (id INT PRIMARY KEY, a INT) WITH SYSTEM VERSIONING; INSERT INTO versioned VALUES (1, 1), (2, 2), (3, 3); UPDATE versioned SET a = 10 WHERE id = 1;
    CREATE TABLE later (id INT PRIMARY KEY, a INT); INSERT INTO later VALUES (1, 1), (2, 2);
    CREATE TABLE a (id INT PRIMARY KEY, v INT); CREATE TABLE m (id INT PRIMARY KEY, v INT) ENGINE=MyISAM; CREATE TABLE cleared (id INT PRIMARY KEY); INSERT INTO cleared VALUES (1)` });
  const all = ['ids', 'addresses', 'versioned', 'later', 'a', 'm', 'cleared'];
  await equal(all);
  await admin.query(`INSERT INTO ids VALUES (UUID(), '::', '255.0.0.0', 3), ('1ec9414c-232a-6b00-b3c8-9e6bdeced846', NULL, NULL, 4), ('550e8400-e29b-41d4-a716-446655440000', '1::', '1.0.0.0', 5);
    UPDATE ids SET v = v + 10, i = '::2'; DELETE FROM ids WHERE v = 12; UPDATE ids SET k = UUID() WHERE v = 11;
    INSERT INTO addresses VALUES ('::', '9.9.9.9', 3); UPDATE addresses SET v = 9; DELETE FROM addresses WHERE j = '0.0.0.0'; ALTER TABLE addresses ADD u UUID DEFAULT NULL; UPDATE addresses SET u = UUID();
    UPDATE versioned SET a = a + 1; DELETE FROM versioned WHERE id = 2; UPDATE versioned SET id = 30 WHERE id = 3; REPLACE INTO versioned VALUES (1, 50); INSERT INTO versioned VALUES (2, 22);
    DELETE HISTORY FROM versioned; ALTER TABLE later ADD SYSTEM VERSIONING; UPDATE later SET a = 9; DELETE FROM later WHERE id = 1;
    START TRANSACTION; INSERT INTO a VALUES (1, 1); SAVEPOINT s1; INSERT INTO a VALUES (2, 2); INSERT INTO m VALUES (1, 1); SAVEPOINT s2; INSERT INTO a VALUES (3, 3);
      ROLLBACK TO S2; INSERT INTO a VALUES (4, 4); ROLLBACK TO s1; INSERT INTO a VALUES (5, 5); COMMIT;
    START TRANSACTION; SAVEPOINT x; INSERT INTO a VALUES (6, 6); INSERT INTO m VALUES (2, 2); UPDATE a SET v = 50 WHERE id = 5; ROLLBACK TO x; COMMIT;
    XA START 'q'; INSERT INTO a VALUES (7, 7); SAVEPOINT x; INSERT INTO a VALUES (8, 8); INSERT INTO m VALUES (3, 3); ROLLBACK TO x; XA END 'q'; XA PREPARE 'q'; XA COMMIT 'q';
    SET STATEMENT lock_wait_timeout=5 FOR TRUNCATE cleared; SET STATEMENT lock_wait_timeout=5, max_statement_time=9 FOR ALTER TABLE cleared ADD n INT; INSERT INTO cleared VALUES (2, 2);
    SET STATEMENT lock_wait_timeout=5 FOR CREATE TABLE made (id INT PRIMARY KEY); INSERT INTO made VALUES (1)`);
  await equal([...all, 'made']);
  assert.equal((await stream.stop()).code, 0, stream.output);
});
