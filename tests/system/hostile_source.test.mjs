// Sources whose settings would cut, alter or end what is read: a run, a stream and a repair bring every row all the
// same. And sources whose log says less than what happens: the stream itself says no.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { hakobu, run, Server, startBigquery, startMysql } from '../harness/servers.mjs';
import { bigqueryClient } from '../harness/clients.mjs';
import { makeJob } from '../harness/delivery.mjs';
import { makeStream, waitUntilEqual } from '../harness/stream.mjs';
import { startReplica } from '../harness/replication.mjs';

const options = {
  mysql: ['--server-id=1', '--log-bin=binlog', '--gtid-mode=ON', '--enforce-gtid-consistency=ON'],
  mariadb: ['--server-id=1', '--log-bin=binlog', '--binlog-format=ROW'],
};

// What reaches every new session, as SET GLOBAL.
const hostile = {
  both: `sql_select_limit = 7, max_join_size = 10, group_concat_max_len = 4, time_zone = '+09:00', div_precision_increment = 0,
    sql_mode = 'ANSI_QUOTES,NO_BACKSLASH_ESCAPES,PIPES_AS_CONCAT,PAD_CHAR_TO_FULL_LENGTH', character_set_results = latin1,
    character_set_client = latin1, character_set_connection = latin1, lc_time_names = 'ja_JP', default_week_format = 3,
    completion_type = 'CHAIN', autocommit = OFF, lock_wait_timeout = 1, net_read_timeout = 1, net_write_timeout = 1,
    sql_buffer_result = ON, max_sort_length = 64, lc_messages = 'ja_JP'`,
  mysql: `max_execution_time = 1, transaction_isolation = 'READ-UNCOMMITTED', cte_max_recursion_depth = 1,
    show_gipk_in_create_table_and_information_schema = OFF, terminology_use_previous = 'BEFORE_8_0_26',
    block_encryption_mode = 'aes-256-cbc', windowing_use_high_precision = OFF`,
  mariadb: `max_statement_time = 0.1, tx_isolation = 'READ-UNCOMMITTED', max_recursive_iterations = 1, default_regex_flags = 'EXTENDED',
    system_versioning_asof = '2001-01-01 00:00:00', old_mode = 'ZERO_DATE_TIME_CAST', idle_readonly_transaction_timeout = 1,
    optimizer_max_sel_args = 1`,
};

for (const flavor of ['mysql', 'mariadb']) {
  test(`${flavor} with globals that would cut, alter and end what is read`, async (t) => {
    const mysql = await startMysql({ flavor, options: options[flavor], test: t });
    const server = await startBigquery({ test: t });
    const bigquery = bigqueryClient(server);
    const admin = await mysql.connect();
    t.after(() => admin.end());
    await admin.query(`CREATE DATABASE shop CHARACTER SET utf8mb4; USE shop; SET time_zone = '+00:00';
      CREATE TABLE members (id INT PRIMARY KEY AUTO_INCREMENT, name VARCHAR(50), code CHAR(8), at TIMESTAMP(3) NULL, pattern VARCHAR(20));
      CREATE TABLE visits (member INT, day DATE, note TEXT, PRIMARY KEY (member, day));
      INSERT INTO members (name, code, at, pattern) WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 900)
        SELECT CONCAT('佐藤 ', i), i, '2024-01-02 03:04:05.678', 'a\\\\b"c' FROM n;
      INSERT INTO visits SELECT id, '2024-02-29', REPEAT('ł', id % 90) FROM members`);
    if (flavor === 'mysql') {
      await admin.query(`SET sql_generate_invisible_primary_key = ON; CREATE TABLE shop.scans (at DATETIME(6), what VARCHAR(20));
        INSERT INTO shop.scans SELECT NOW(6), name FROM shop.members LIMIT 50`);
    }
    for (const part of [hostile.both, hostile[flavor]]) await admin.query(`SET GLOBAL ${part.split(/,\s*(?=\w+ =)/).join(', GLOBAL ')}`);
    // The judge's sessions are as this one, which was there before.
    const sane = { ...mysql, flavor, connect: async () => {
      const connection = await mysql.connect();
      await connection.query(`SET ${flavor === 'mysql' ? 'max_execution_time' : 'max_statement_time'} = 0, sql_mode = '', autocommit = 1,
        sql_select_limit = 18446744073709551615, max_join_size = 18446744073709551615, sql_big_selects = 1, completion_type = 0,
        group_concat_max_len = 1000000, lock_wait_timeout = 60, net_write_timeout = 60, time_zone = '+00:00'
        ${flavor === 'mysql' ? '' : ', system_versioning_asof = DEFAULT'}; SET NAMES utf8mb4`);
      return connection;
    } };
    const stream = makeStream({ mysql, bigquery: server, dataset: 'live', tables: [{ table: 'shop.*' }], test: t });
    const compare = (dataset, more = {}) =>
      waitUntilEqual({ mysql: sane, bigquery, database: 'shop', tables: ['members', 'visits'], dataset, timeoutMs: 60000, ...more });

    await t.test('a run brings every row', async () => {
      const job = makeJob({ mysql, bigquery: server, dataset: 'nightly', tables: [{ table: 'shop.*' }], test: t });
      const { code, report, stderr } = await job.run();
      assert.equal(code, 0, stderr);
      assert.equal(report.tables.find((table) => table.source === 'shop.members').rows, 900);
      await compare('nightly');
    });
    await t.test('a stream brings every row and every change', async () => {
      const first = await stream.catchUp();
      assert.equal(first.code, 0, first.stderr);
      await admin.query(`UPDATE shop.members SET name = CONCAT(name, '!') WHERE id % 7 = 0; DELETE FROM shop.visits WHERE member > 890`);
      const second = await stream.catchUp();
      assert.equal(second.code, 0, second.stderr);
      await compare('live');
      if (flavor === 'mysql') {  // a generated key is a key: changes of such a table are upserts
        const { stdout } = await run(['-c', join(stream.folder, 'hakobu.yaml'), '--json', 'status']);
        assert.equal(JSON.parse(stdout).stream.tables.find((table) => table.source === 'shop.scans').mode, 'upsert', stdout);
      }
    });
    await t.test('a repair finds nothing to delete, and a comparison nothing that differs', async () => {
      const args = ['-c', join(stream.folder, 'hakobu.yaml'), '--json'];
      const repaired = await run([...args, 'repair', 'shop.members', 'shop.visits']);
      assert.equal(repaired.code, 0, repaired.stderr + repaired.stdout);
      await compare('live');
      const verified = await run([...args, 'verify']);
      assert.equal(verified.code, 0, verified.stderr + verified.stdout);
    });
  });
}

// Refused before anything is made, by the stream and by check alike.
async function refuses(job, pattern) {
  const { code, stdout, stderr } = await job.catchUp();
  assert.equal(code, 2, stderr + stdout);
  assert.match(stderr, pattern);
  const check = await run(['-c', join(job.folder, 'hakobu.yaml'), 'check']);
  assert.notEqual(check.code, 0);
  assert.match(check.stdout + check.stderr, pattern);
}

for (const flavor of ['mysql', 'mariadb']) {
  test(`${flavor}: a log that is silent is not followed`, async (t) => {
    const mysql = await startMysql({ flavor, options: [...options[flavor], '--binlog-ignore-db=quiet', '--binlog-ignore-db=calm'], test: t });
    const server = await startBigquery({ test: t });
    const admin = await mysql.connect();
    t.after(() => admin.end());
    await admin.query(`CREATE DATABASE shop; CREATE TABLE shop.members (id INT PRIMARY KEY); INSERT INTO shop.members VALUES (1);
      CREATE DATABASE quiet; USE quiet; CREATE TABLE members (id INT PRIMARY KEY); USE shop`);
    const make = (table, from = mysql, dataset = 'live') => makeStream({ mysql: from, bigquery: server, dataset, tables: [{ table }], test: t });

    await t.test('of a database that the log leaves out', () => refuses(make('quiet.members'), /binlog_ignore_db: the source does not log quiet/));
    await t.test('with row images that are not whole, or with statements, also when that is so only later', async () => {
      const job = make('shop.members');
      const first = await job.catchUp();
      assert.equal(first.code, 0, first.stderr);
      await admin.query('SET GLOBAL binlog_row_image = MINIMAL');
      await refuses(job, /binlog_row_image: expected FULL, found MINIMAL/);
      await admin.query("SET GLOBAL binlog_row_image = FULL, GLOBAL binlog_format = 'STATEMENT'");
      await refuses(job, /binlog_format: expected ROW, found STATEMENT/);
      await admin.query("SET GLOBAL binlog_format = 'ROW'");
      const again = await job.catchUp();
      assert.equal(again.code, 0, again.stderr);
    });
    await t.test('rows that a foreign key changes: in the log, or said of the table that is called whole', async () => {
      await admin.query(`CREATE DATABASE family; USE family; CREATE TABLE parents (id INT PRIMARY KEY) ENGINE=InnoDB;
        CREATE TABLE children (id INT PRIMARY KEY, parent INT, FOREIGN KEY (parent) REFERENCES parents (id) ON DELETE CASCADE) ENGINE=InnoDB;
        INSERT INTO parents VALUES (1), (2); INSERT INTO children VALUES (10, 1), (20, 2)`);
      const job = makeStream({ mysql, bigquery: server, dataset: 'family', tables: [{ table: 'family.*' }], test: t });
      const first = await job.catchUp();
      assert.equal(first.code, 0, first.stderr);
      await admin.query('DELETE FROM family.parents WHERE id = 1');
      const second = await job.catchUp();
      assert.equal(second.code, 0, second.stderr);
      const { stdout } = await run(['-c', join(job.folder, 'hakobu.yaml'), '--json', 'status']);
      const states = Object.fromEntries(JSON.parse(stdout).stream.tables.map((table) => [table.source, table]));
      assert.equal(states['family.parents'].reason, '');
      assert.equal(states['family.children'].state, 'whole');
      const check = await run(['-c', join(job.folder, 'hakobu.yaml'), 'check']);
      if (flavor === 'mysql') {
        assert.equal(states['family.children'].reason, '');
        assert.doesNotMatch(check.stdout, /foreign key/);
        await waitUntilEqual({ mysql, bigquery: bigqueryClient(server), database: 'family', tables: ['parents', 'children'], dataset: 'family' });
      } else {
        assert.match(states['family.children'].reason, /as far as the log tells: .*ON DELETE CASCADE of family\.parents/);
        assert.match(check.stdout, /family\.children.*foreign key changes its rows without the log/s);
      }
    });
    await t.test('a transaction from the future does not make it fresh until then', async () => {
      await admin.query('SET timestamp = 2147000000; INSERT INTO shop.members VALUES (2100); SET timestamp = DEFAULT');
      const job = make('shop.members', mysql, 'future');
      const first = await job.catchUp();
      assert.equal(first.code, 0, first.stderr);
      await admin.query('SET timestamp = 2147000000; INSERT INTO shop.members VALUES (2101); SET timestamp = DEFAULT');
      const second = await job.catchUp();
      assert.equal(second.code, 0, second.stderr);
      const { stdout } = await run(['-c', join(job.folder, 'hakobu.yaml'), '--json', 'status']);
      const { position, log } = JSON.parse(stdout).stream;
      for (const time of [position.log_time, log?.fresh_until ?? position.log_time]) {
        assert.ok(Date.parse(time) <= Date.now() + 2000, stdout);
      }
    });
    await t.test('a password that rotates while a stream runs is read again', async () => {
      await admin.query(`CREATE USER carrier@'%' IDENTIFIED BY 'first'; GRANT SELECT, REPLICATION SLAVE, REPLICATION CLIENT ON *.* TO carrier@'%'`);
      const job = makeStream({ mysql, bigquery: server, dataset: 'rotating', tables: [{ table: 'shop.members' }],
        source: { user: 'carrier', password: '${file:password}' }, test: t });
      writeFileSync(join(job.folder, 'password'), 'first\n');
      const stream = job.start();
      t.after(() => stream.stop());
      const equal = () => waitUntilEqual({ mysql, bigquery: bigqueryClient(server), database: 'shop', tables: ['members'], dataset: 'rotating', server: stream });
      await equal();
      await admin.query(`ALTER USER carrier@'%' IDENTIFIED BY 'second'`);
      writeFileSync(join(job.folder, 'password'), 'second\n');
      const [threads] = await admin.query("SELECT ID AS id FROM information_schema.PROCESSLIST WHERE USER = 'carrier'");
      for (const { id } of threads) await admin.query(`KILL ${id}`).catch(() => undefined);
      await admin.query('INSERT INTO shop.members VALUES (3000)');
      await equal();
      assert.doesNotMatch(stream.output, /first|second/);
      await stream.stop();
    });
    await t.test('of a replica that does not log what it replicates', async () => {
      const flag = flavor === 'mysql' ? '--log-replica-updates=OFF' : '--log-slave-updates=OFF';
      const { replica, connection } = await startReplica({ mysql, admin, test: t,
        options: [...options[flavor].filter((option) => !option.startsWith('--server-id')), '--server-id=2', flag] });
      t.after(() => connection.end());
      await refuses(make('shop.members', replica), /a replica that does not log what it replicates/);
      // Also when it has stopped replicating for now.
      await connection.query(flavor === 'mysql' ? 'STOP REPLICA' : 'STOP SLAVE');
      await refuses(make('shop.members', replica), /a replica that does not log what it replicates/);
    });
  });
}

// The server's names are in lower case, whatever the file says; its log has them so. MySQL can be told so at
// its initialisation alone.
test('mariadb with lower_case_table_names=1: changes come under the server\'s spelling', async (t) => {
  const mysql = await startMysql({ flavor: 'mariadb', options: [...options.mariadb, '--lower-case-table-names=1'], test: t });
  const server = await startBigquery({ test: t });
  const admin = await mysql.connect();
  t.after(() => admin.end());
  await admin.query('CREATE DATABASE Shop; CREATE TABLE Shop.members (id INT PRIMARY KEY); INSERT INTO Shop.members VALUES (1)');
  const job = makeStream({ mysql, bigquery: server, dataset: 'live', tables: [{ table: 'Shop.members' }], test: t });
  const first = await job.catchUp();
  assert.equal(first.code, 0, first.stderr);
  await admin.query('INSERT INTO SHOP.members VALUES (2)');
  const second = await job.catchUp();
  assert.equal(second.code, 0, second.stderr);
  await waitUntilEqual({ mysql, bigquery: bigqueryClient(server), database: 'shop', tables: ['members'], dataset: 'live' });
});

// Protocol::HandshakeV10 of a server that then says nothing.
const greeting = Buffer.concat([Buffer.from([0x0a]), Buffer.from('9.7.0\0'), Buffer.from([1, 0, 0, 0]), Buffer.from('abcdefgh\0'),
  Buffer.from([0x09, 0xa2, 0x2d, 2, 0, 0x0f, 0, 0x15]), Buffer.alloc(10), Buffer.from('ijklmnopqrst\0mysql_native_password\0')]);
const silent = { 'from the start': Buffer.alloc(0), 'after its greeting': Buffer.concat([Buffer.from([greeting.length, 0, 0, 0]), greeting]) };

test('every command that waits for a silent source obeys SIGTERM', async (t) => {
  const server = await startBigquery({ test: t });
  for (const [when, hello] of Object.entries(silent)) {
    const sockets = new Set();
    let connected;
    const listener = createServer((socket) => {
      sockets.add(socket);
      socket.on('error', () => undefined);
      if (hello.length > 0) socket.write(hello);
      connected?.();
    });
    await new Promise((resolve) => listener.listen(0, '127.0.0.1', resolve));
    t.after(() => { sockets.forEach((socket) => socket.destroy()); listener.close(); });
    const job = makeStream({ mysql: { port: listener.address().port }, bigquery: server, dataset: 'live',
      tables: [{ table: 'shop.members' }], source: { connect_timeout: '300s', read_timeout: '300s' }, test: t });
    job.write();
    for (const command of [['check'], ['plan'], ['run'], ['stream'], ['binlog', '--live']]) {
      await t.test(`${command[0]}, silent ${when}`, async () => {
        const asked = new Promise((resolve) => (connected = resolve));
        const child = new Server(hakobu, ['-c', join(job.folder, 'hakobu.yaml'), ...command]);
        await Promise.race([asked, child.exited.then(() => assert.fail(child.output))]);
        const stopped = Date.now();
        child.child.kill('SIGTERM');
        await child.exited;
        assert.ok(Date.now() - stopped < 8000, `${Date.now() - stopped} ms\n${child.output}`);
      });
    }
  }
});
