// Online schema changes while a stream follows: what a tool makes beside a table is never delivered by a glob, and
// nothing that is masked or left out is ever seen in BigQuery, whatever is renamed.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { test } from 'node:test';
import { startBigquery, startMysql } from '../harness/servers.mjs';
import { bigqueryClient } from '../harness/clients.mjs';
import { deliveredTable } from '../harness/compare.mjs';
import { makeStream, waitForLine } from '../harness/stream.mjs';

const options = {
  mysql: ['--server-id=1', '--log-bin=binlog', '--gtid-mode=ON', '--enforce-gtid-consistency=ON'],
  mariadb: ['--server-id=1', '--log-bin=binlog', '--binlog-format=ROW'],
};
const clear = '@clear.example';

// The distribution's own tool, on the socket.
async function onlineChange(mysql, table, alter) {
  const dsn = `S=${mysql.socketPath},u=root,D=shop,t=${table},A=utf8mb4`;
  const child = spawn('pt-online-schema-change', [dsn, '--alter', alter, '--execute', '--recursion-method=none',
    '--no-version-check', '--chunk-size=20', '--sleep=0.05'], { stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  child.stdout.on('data', (data) => { output += data; });
  child.stderr.on('data', (data) => { output += data; });
  const [code] = await once(child, 'close');
  assert.equal(code, 0, output);
  return output;
}

// Looks at every cell of every table of the dataset again and again, and keeps what nobody may see.
function watchForClear(bigquery, dataset) {
  const seen = new Map();
  let stopped = false;
  let looks = 0;
  const look = async () => {
    const [tables] = await bigquery.dataset(dataset).getTables().catch(() => [[]]);
    for (const { id } of tables) {
      const delivered = await deliveredTable(bigquery, dataset, id).catch(() => undefined);
      if (delivered === undefined) continue;  // gone between the list and the look
      const text = JSON.stringify(delivered.rows);
      if (text.includes(clear)) seen.set(id, text.slice(0, 300));
    }
    looks += 1;
  };
  const done = (async () => { while (!stopped) { await look(); await sleep(100); } })();
  return {
    async end() {
      stopped = true;
      await done;
      await look();
      assert.ok(looks > 1);
      assert.deepEqual(Object.fromEntries(seen), {}, 'addresses in clear');
    },
  };
}

for (const flavor of ['mysql', 'mariadb']) test(`online schema changes on ${flavor}, with masks and with a history`, async (t) => {
  const mysql = await startMysql({ flavor, options: options[flavor], test: t });
  const server = await startBigquery({ test: t });
  const bigquery = bigqueryClient(server);
  const admin = await mysql.connect();
  const writer = await mysql.connect();
  t.after(() => Promise.all([admin.end(), writer.end()]));
  const table = (name) => `CREATE TABLE ${name} (id INT PRIMARY KEY AUTO_INCREMENT, mail VARCHAR(80), pin VARCHAR(80), n INT);
    INSERT INTO ${name} (mail, pin, n) SELECT CONCAT('a', seq, '${clear}'), CONCAT('p', seq, '${clear}'), seq FROM numbers;`;
  await admin.query(`CREATE DATABASE shop CHARACTER SET utf8mb4; USE shop;
    CREATE TABLE numbers (seq INT PRIMARY KEY); INSERT INTO numbers VALUES ${Array.from({ length: 200 }, (_, i) => `(${i + 1})`).join()};
    ${table('members')} ${table('visits')} CREATE TABLE _x_old (id INT PRIMARY KEY); INSERT INTO _x_old VALUES (7)`);
  // The members' own entry alone has the masks: a glob would deliver what is made beside it in clear.
  const own = { exclude: ['pin'], columns: { mail: { mask: 'sha256', salt: '${env:SALT}' } } };
  const job = makeStream({ mysql, bigquery: server, dataset: 'live', test: t,
    tables: [{ table: 'shop.*' }, { table: 'shop.members', ...own }, { table: 'shop.visits', history: true, ...own }] });
  const stream = job.start({ env: { SALT: 'a salt of many letters' } });
  t.after(() => stream.stop());
  const watch = watchForClear(bigquery, 'live');

  let writing = true;
  const written = (async () => {
    for (let i = 0; writing; ++i) {
      for (const name of ['members', 'visits']) {
        await writer.query(`INSERT INTO shop.${name} (mail, pin, n) VALUES ('w${i}${clear}', 'w${i}${clear}', ${i});
          UPDATE shop.${name} SET n = n + 1 WHERE id = ${1 + i % 150}; DELETE FROM shop.${name} WHERE id = ${151 + i % 50} AND n > 100`);
      }
      await sleep(20);
    }
  })();

  // Keys and numbers of a table on both sides; those of a history are its newest rows.
  const expected = async (name) => (await admin.query({ sql: `SELECT id, n FROM shop.${name} ORDER BY id`, rowsAsArray: true }))[0]
    .map((row) => row.map(String).join(':'));
  const delivered = async (name) => {
    const { fields, rows } = await deliveredTable(bigquery, 'live', name);
    const at = (column) => fields.findIndex((field) => field.name === column);
    assert.equal(at('pin'), -1, `${name}.pin was to be left out`);
    const newest = new Map();
    const place = at('_hakobu_place');
    const sorted = place < 0 ? rows : [...rows].sort((a, b) => (a[place] < b[place] ? -1 : a[place] > b[place] ? 1 : 0));
    for (const row of sorted) {
      if (row[at('_hakobu_type')] === 'delete') newest.delete(Number(row[at('id')]));
      else newest.set(Number(row[at('id')]), `${row[at('id')]}:${row[at('n')]}`);
    }
    return [...newest].sort(([a], [b]) => a - b).map(([, text]) => text);
  };
  const equal = async (name) => {
    const deadline = Date.now() + 60000;
    for (;;) {
      const [is, wanted] = [await delivered(name).catch((error) => [error.message]), await expected(name)];
      if (is.join() === wanted.join()) return;
      assert.ok(stream.alive, stream.output);
      if (Date.now() > deadline) assert.deepEqual(is, wanted, `${name}\n${stream.output}`);
      await sleep(100);
    }
  };

  await t.test('pt-online-schema-change', async () => {
    await waitForLine(stream, /table is whole/, 60000, 4);
    await onlineChange(mysql, 'members', 'ADD COLUMN grade INT NOT NULL DEFAULT 3');
    await onlineChange(mysql, 'visits', 'MODIFY COLUMN n BIGINT');
    await onlineChange(mysql, 'members', 'ADD INDEX by_mail (mail)');
  });

  await t.test('the dance of gh-ost', async () => {
    await admin.query(`USE shop; CREATE TABLE _members_ghc (id BIGINT AUTO_INCREMENT PRIMARY KEY, hint VARCHAR(64) NOT NULL UNIQUE,
        value VARCHAR(4096) NOT NULL) COMMENT='gh-ost changelog'; INSERT INTO _members_ghc VALUES (NULL, 'state', 'x${clear}');
      CREATE TABLE _members_gho LIKE members; ALTER TABLE _members_gho ADD COLUMN extra INT;
      INSERT IGNORE INTO _members_gho (id, mail, pin, n, grade) SELECT id, mail, pin, n, grade FROM members LOCK IN SHARE MODE`);
    writing = false;  // gh-ost applies these itself
    await written;
    await admin.query(`REPLACE INTO _members_gho (id, mail, pin, n, grade) SELECT id, mail, pin, n, grade FROM members;
      DELETE FROM _members_gho WHERE id NOT IN (SELECT id FROM members);
      CREATE TABLE _members_del (id INT PRIMARY KEY) COMMENT='ghost-cut-over-sentry';
      LOCK TABLES members WRITE, _members_del WRITE`);
    const swap = mysql.connect().then(async (other) => {
      await other.query('RENAME TABLE shop.members TO shop._members_del, shop._members_gho TO shop.members');
      await other.end();
    });
    await admin.query('DROP TABLE _members_del');
    await admin.query('UNLOCK TABLES');
    await swap;
    await admin.query(`DROP TABLE _members_ghc; INSERT INTO members (mail, pin, n, extra) VALUES ('after${clear}', 'after${clear}', 1, 2)`);
    await equal('members');
    await equal('visits');
  });

  await t.test("a customer's own table of such a name is delivered, a helper table is not", async () => {
    await admin.query('CREATE TABLE shop._y_new (id INT PRIMARY KEY); INSERT INTO shop._y_new VALUES (1)');
    for (const name of ['_x_old', '_y_new']) {
      const deadline = Date.now() + 30000;
      while ((await deliveredTable(bigquery, 'live', name).catch(() => ({ rows: [] }))).rows.length !== 1) {
        assert.ok(Date.now() < deadline, `${name}\n${stream.output}`);
        await sleep(50);
      }
    }
    const [tables] = await bigquery.dataset('live').getTables();
    assert.deepEqual(tables.map(({ id }) => id).filter((id) => !/^_?hakobu_/.test(id)).sort(), // its own come and go
      ['_x_old', '_y_new', 'members', 'numbers', 'visits']);
    assert.match(stream.output, /"reason":"a helper table of gh-ost for `members`"/);
  });

  await t.test('a table whose new name shows what the old one hid is not delivered', async () => {
    await admin.query(`CREATE TABLE shop.fresh LIKE shop.members; RENAME TABLE shop.members TO shop.members_2026, shop.fresh TO shop.members;
      INSERT INTO shop.members_2026 (mail, pin) VALUES ('late${clear}', 'late${clear}')`);
    await waitForLine(stream, /shop\.members_2026: it was shop\.members: column/);
    await equal('members');
  });

  await stream.stop();
  await watch.end();
});
