// What a table was delivered as is recorded, and whatever differs later has one outcome: the configuration's changes
// between two starts, what somebody does to a target, and what empties or replaces a table at the source. The table in
// BigQuery stays the customer's: the object, what hangs on it, its histories and its deleted rows.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { test } from 'node:test';
import { hakobu, run, startBigquery, startMysql } from '../harness/servers.mjs';
import { change } from '../harness/behaviours.mjs';
import { bigqueryClient, project } from '../harness/clients.mjs';
import { datasetsRest, hang, hangsOn } from '../harness/hangings.mjs';
import { makeStream, waitForLine, waitUntilEqual } from '../harness/stream.mjs';

const options = {
  mysql: ['--server-id=1', '--log-bin=binlog', '--gtid-mode=ON', '--enforce-gtid-consistency=ON'],
  mariadb: ['--server-id=1', '--log-bin=binlog', '--binlog-format=ROW'],
};
const patience = 240000;  // of states that come far sooner on a machine that does nothing else

// Each case has a database and a dataset of its own on the same servers.
async function begin(t, flavor) {
  const mysql = await startMysql({ flavor, options: options[flavor], test: t });
  const server = await startBigquery({ test: t });
  const bigquery = bigqueryClient(server);
  let number = 0;
  const rest = datasetsRest(server);
  return async (sql, tables, { name = `c${++number}`, ...more } = {}) => {
    const admin = await mysql.connect();
    await admin.query(`CREATE DATABASE ${name} CHARACTER SET utf8mb4; USE ${name}; ${sql}`);
    const job = makeStream({ mysql, bigquery: server, dataset: name, tables: tables.map((entry) => ({ ...entry, table: `${name}.${entry.table}` })), ...more });
    const query = async (text) => (await bigquery.query({ query: text, defaultDataset: { datasetId: name } }))[0];
    const one = {
      name, admin, job, server, bigquery, query, rest, table: (table) => rest('GET', `${name}/tables/${table}`),
      equal: (list, more = {}) => waitUntilEqual({ mysql, bigquery, database: name, dataset: name, tables: list, timeoutMs: patience, ...more }),
      caughtUp: async (code = 0, env = {}) => {
        const result = await job.catchUp({ env, timeoutMs: patience });
        assert.equal(result.code, code, result.stderr);
        return result;
      },
      recopy: async (table) => {
        const result = await run(['-c', join(job.folder, 'hakobu.yaml'), 'repair', '--recopy', `${name}.${table}`]);
        assert.equal(result.code, 0, result.stderr);
      },
      hang: (table, column) => hang(rest, name, table, column),
      hangsOn: (table) => hangsOn(rest, name, table),
    };
    return one;
  };
}

Object.assign(process.env, { CONTRACT_SALT_ONE: 'pepper-one-of-sixteen', CONTRACT_SALT_TWO: 'pepper-two-of-sixteen' });
const hash = (salt, text) => createHash('sha256').update(salt + text).digest('hex');

test('the configuration changes between two starts', async (t) => {
  const start = await begin(t, 'mysql');

  await t.test('rows that are there come in the new form, in the table that is there', async () => {
    const one = await start(`CREATE TABLE members (id INT PRIMARY KEY, email VARCHAR(80), at DATETIME, badge BINARY(2), phone VARCHAR(20), note VARCHAR(20));
      INSERT INTO members VALUES (1, 'a@b.c', '2024-05-06 09:00:00', 0x0aff, '090-1', 'one'), (2, 'd@e.f', NULL, 0x0b00, '090-2', 'two')`,
      [{ table: 'members', exclude: ['note'], columns: { email: { mask: 'sha256', salt: '${env:CONTRACT_SALT_ONE}' }, at: { as: 'TIMESTAMP(Asia/Tokyo)' }, badge: { as: 'STRING(HEX)' } } }]);
    await one.caughtUp();
    await one.admin.query("INSERT INTO members VALUES (3, 'g@h.i', '2024-05-06 09:00:00', 0x0c00, '090-3', 'three'); UPDATE members SET phone = '080' WHERE id = 1");
    await one.caughtUp();
    await one.hang('members', 'badge');
    const before = await one.hangsOn('members');
    one.job.rewrite((config) => {
      config.tables[0].exclude = [];
      config.tables[0].columns = { email: { mask: 'sha256', salt: '${env:CONTRACT_SALT_TWO}' }, at: { as: 'TIMESTAMP(UTC)' }, badge: { as: 'STRING(BASE64)' }, phone: { mask: 'null' } };
    });
    one.job.write();
    const plan = await run(['-c', join(one.job.folder, 'hakobu.yaml'), '--json', 'plan']);
    assert.equal(plan.code, 0, plan.stderr);
    assert.equal(JSON.parse(plan.stdout).stream[0].contract.action, 'put in place anew');
    assert.deepEqual((await one.query('SELECT DISTINCT phone FROM members ORDER BY phone')).map(({ phone }) => phone), ['080', '090-2', '090-3'], '`plan` touches nothing');
    const again = await one.caughtUp();
    assert.match(again.stderr, /put in place anew/);
    for (const column of ['email', 'at', 'badge', 'phone', 'note']) assert.match(again.stderr, new RegExp(`column \`${column}\``));
    const rows = await one.query('SELECT id, email, CAST(`at` AS STRING) AS moment, badge, phone, note FROM members ORDER BY id');
    assert.deepEqual(rows.map((row) => ({ ...row })), [
      { id: 1, email: hash('pepper-two-of-sixteen', 'a@b.c'), moment: '2024-05-06 09:00:00+00', badge: 'Cv8=', phone: null, note: 'one' },
      { id: 2, email: hash('pepper-two-of-sixteen', 'd@e.f'), moment: null, badge: 'CwA=', phone: null, note: 'two' },
      { id: 3, email: hash('pepper-two-of-sixteen', 'g@h.i'), moment: '2024-05-06 09:00:00+00', badge: 'DAA=', phone: null, note: 'three' }]);
    assert.deepEqual(await one.hangsOn('members'), before, 'the object and what hangs on it stay');
    const quiet = await one.caughtUp();
    assert.doesNotMatch(quiet.stderr, /put in place anew|difference/);
    await one.admin.end();
  });

  await t.test('what would destroy a history or deleted rows is refused, and nothing is touched', async () => {
    const one = await start(`CREATE TABLE story (id INT PRIMARY KEY, name VARCHAR(20)); CREATE TABLE soft (id INT PRIMARY KEY, name VARCHAR(20));
      INSERT INTO story VALUES (1, 'one'); INSERT INTO soft VALUES (1, 'one'), (2, 'two')`,
      [{ table: 'story', history: true }, { table: 'soft', deletes: 'soft' }]);
    await one.caughtUp();
    await one.admin.query("UPDATE story SET name = 'uno'; DELETE FROM story; DELETE FROM soft WHERE id = 2");
    await one.caughtUp();
    const kept = async () => [await one.query('SELECT _hakobu_type AS type, name FROM story ORDER BY _hakobu_place'),
      await one.query('SELECT id, name, _hakobu_deleted AS gone FROM soft ORDER BY id')];
    const before = await kept();
    assert.equal(before[0].length, 3);
    assert.equal(before[1].length, 2);
    const changes = [
      [(tables) => { delete tables[0].history; }, /story: it was delivered as history and is to be delivered as upsert: the history that is there would be lost/],
      [(tables) => { delete tables[1].deletes; }, /soft: it was delivered as soft and is to be delivered as upsert: the deleted rows/],
      [(tables) => { tables[0].columns = { name: { mask: 'null' } }; tables[1].columns = { name: { mask: 'null' } }; }, /soft: column `name`[^]*story: column `name`/],
      [(tables) => { tables[1].history = true; delete tables[1].deletes; }, /soft: it was delivered as soft and is to be delivered as history/],
    ];
    for (const [change, says] of changes) {
      const whole = structuredClone(one.job.config.tables);
      one.job.rewrite((config) => change(config.tables));
      const refused = await one.job.catchUp({ timeoutMs: patience });
      assert.equal(refused.code, 4, refused.stderr);
      assert.match(refused.stderr, says);
      assert.deepEqual(await kept(), before);
      one.job.rewrite((config) => { config.tables = whole; });
    }
    await one.admin.query("INSERT INTO story VALUES (2, 'on')");
    await one.caughtUp();
    assert.equal((await kept())[0].length, 4, 'as it was again, it goes on');
    await one.admin.end();
  });

  await t.test('two tables never share a target', async () => {
    const one = await start('CREATE TABLE a (id INT PRIMARY KEY); CREATE TABLE b (id INT PRIMARY KEY); INSERT INTO a VALUES (1); INSERT INTO b VALUES (2)',
      [{ table: 'a', target: 'same' }, { table: 'b', target: 'same' }]);
    const both = await one.job.catchUp({ timeoutMs: patience });
    assert.equal(both.code, 2, both.stderr);
    assert.match(both.stderr, /same/);
    // One after the other: the second would take the first one's rows away.
    one.job.rewrite((config) => { config.tables.pop(); });
    await one.caughtUp();
    one.job.rewrite((config) => { config.tables = [{ table: `${one.name}.b`, target: 'same' }]; });
    const other = await one.caughtUp(3);
    assert.match(other.stderr, /are those of another table; expected c\d+\.a, found c\d+\.b/);
    assert.deepEqual((await one.query('SELECT id FROM same')).map(({ id }) => id), [1]);
    await one.admin.end();
  });
});

test('somebody changes the targets', async (t) => {
  const start = await begin(t, 'mysql');
  const fields = [{ name: 'id', type: 'INTEGER' }, { name: 'name', type: 'STRING' }, { name: 'price', type: 'NUMERIC' }];
  const keyed = { schema: { fields }, tableConstraints: { primaryKey: { columns: ['id'] } } };
  const create = `CREATE TABLE goods (id INT PRIMARY KEY, name VARCHAR(20), price DECIMAL(10,2)); CREATE TABLE other (id INT PRIMARY KEY, n INT);
    INSERT INTO goods VALUES (1, 'one', 0.01), (2, 'two', 20.5); INSERT INTO other VALUES (1, 1)`;
  const both = [{ table: 'goods' }, { table: 'other' }];
  // Between two starts, with changes meanwhile; the other table always goes on.
  const between = async (what, code, says) => {
    const one = await start(create, both);
    await one.caughtUp();
    await what(one);
    await one.admin.query("INSERT INTO goods VALUES (3, 'three', 3); UPDATE other SET n = n + 1");
    const result = await one.caughtUp(code);
    assert.match(result.stderr, says);
    await one.equal(['other']);
    return one;
  };
  const replaced = (body, rows) => async (one) => {
    await one.rest('DELETE', `${one.name}/tables/goods`);
    await one.rest('POST', `${one.name}/tables`, { tableReference: { projectId: project, datasetId: one.name, tableId: 'goods' }, ...body });
    if (rows) await one.query("INSERT INTO goods (id, name) VALUES (77, 'theirs')");
  };

  await t.test('emptied: its rows come again', async () => {
    const one = await between((each) => each.query('TRUNCATE TABLE goods'), 0, /emptied by somebody else/);
    await one.equal(['goods']);
    await one.admin.end();
  });
  await t.test('a column dropped: it and its values come again', async () => {
    const one = await between((each) => each.query('ALTER TABLE goods DROP COLUMN name'), 0, /`name` was dropped from .* by somebody else/);
    await one.equal(['goods']);
    await one.admin.end();
  });
  await t.test('a column widened: it is delivered as that', async () => {
    const widen = async (each) => {
      for (const until = Date.now() + patience; ; await sleep(100)) {
        const refused = await each.query('ALTER TABLE goods ALTER COLUMN price SET DATA TYPE BIGNUMERIC').then(() => undefined, (error) => error);
        if (!refused) return;
        // A table that was streamed to a moment ago is not altered yet.
        if (!/was streamed to recently/.test(refused.message) || Date.now() > until) throw refused;
      }
    };
    const one = await between(widen, 0,
      /`price` was widened in BigQuery by somebody else: it is delivered as that/);
    const prices = async () => (await one.query('SELECT CAST(price AS STRING) AS price FROM goods ORDER BY id')).map(({ price }) => price);
    assert.deepEqual(await prices(), ['0.01', '20.5', '3']);
    await one.admin.query('UPDATE goods SET price = 0.07 WHERE id = 1');
    await one.caughtUp();
    assert.deepEqual(await prices(), ['0.07', '20.5', '3'], 'and stays so');
    await one.admin.end();
  });
  await t.test('made again, empty: it is filled', async () => {
    const one = await between(replaced(keyed), 0, /made again by somebody else and is empty/);
    await one.equal(['goods']);
    await one.admin.end();
  });
  await t.test('made again, with rows: the table stops, and they stay until somebody asks', async () => {
    const one = await between(replaced(keyed, true), 3, /made again by somebody else; expected the table made at .*, found one made at/);
    assert.deepEqual((await one.query('SELECT id FROM goods')).map(({ id }) => id), [77]);
    await one.recopy('goods');
    await one.caughtUp();
    await one.equal(['goods', 'other']);
    await one.admin.end();
  });
  await t.test('gone: the table stops, and comes again when somebody asks', async () => {
    const one = await between((each) => each.rest('DELETE', `${each.name}/tables/goods`), 3, /gone from BigQuery, and hakobu has not removed it/);
    await one.recopy('goods');
    await one.caughtUp();
    await one.equal(['goods', 'other']);
    await one.admin.end();
  });
  await t.test('a view in its place: the table stops, and the view stays', async () => {
    const view = { view: { query: 'SELECT 1 AS id', useLegacySql: false } };
    const one = await between(replaced(view), 3, /is no table; expected TABLE, found VIEW/);
    await one.recopy('goods');
    await one.caughtUp(3);
    assert.equal((await one.table('goods')).type, 'VIEW');
    await one.admin.end();
  });
  await t.test('a name that somebody has already: views and rows are refused, an empty table is filled', async () => {
    const one = await start(create, both);
    await one.bigquery.createDataset(one.name);
    const make = (body) => one.rest('POST', `${one.name}/tables`, { tableReference: { projectId: project, datasetId: one.name, tableId: 'goods' }, ...body });
    for (const [body, insert, says] of [[{ view: { query: 'SELECT 1 AS id', useLegacySql: false } }, false, /found VIEW/],
      [keyed, true, /is there already, has rows, and was not delivered with this ledger/]]) {
      await make(body);
      if (insert) await one.query("INSERT INTO goods (id) VALUES (77)");
      const refused = await one.job.catchUp({ timeoutMs: patience });
      assert.equal(refused.code, 4, refused.stderr);
      assert.match(refused.stderr, says);
      await one.table('goods');
      if (insert) assert.equal((await one.query('SELECT id FROM goods')).length, 1);
      await one.rest('DELETE', `${one.name}/tables/goods`);
    }
    const { creationTime } = await make({ ...keyed, description: 'made by the customer' });
    await one.caughtUp();
    await one.equal(['goods', 'other']);
    const { description, creationTime: now } = await one.table('goods');
    assert.deepEqual([description, now], ['made by the customer', creationTime]);
    await one.admin.end();
  });
  await t.test('while rows are written: the table stops within moments, the others go on', async () => {
    const one = await start(create, both);
    const stream = one.job.start();
    await one.equal(['goods', 'other'], { server: stream });
    await waitForLine(stream, /table is whole/, patience, 2);
    await replaced(keyed)(one);
    await waitForLine(stream, /made again by somebody else/, patience);
    await one.admin.query('INSERT INTO other VALUES (9, 9)');
    await one.equal(['other'], { server: stream });
    assert.equal((await stream.stop()).code, 3, stream.output);
    await one.admin.end();
  });
  await t.test('emptied while the stream runs: the table stops; an empty source is none', async () => {
    const one = await start(`${create}; CREATE TABLE queue (id INT PRIMARY KEY); INSERT INTO queue VALUES (1)`, [...both, { table: 'queue' }]);
    const stream = one.job.start();
    await one.equal(['goods', 'other', 'queue'], { server: stream });
    await waitForLine(stream, /table is whole/, patience, 3);
    await one.admin.query('DELETE FROM queue');
    await one.equal(['queue'], { server: stream });
    await one.query('TRUNCATE TABLE goods');
    await waitForLine(stream, /goods: .*was emptied by somebody else/, patience);
    await one.admin.query('INSERT INTO other VALUES (9, 9); INSERT INTO queue VALUES (2)');
    await one.equal(['other', 'queue'], { server: stream });
    assert.equal((await stream.stop()).code, 3, stream.output);
    assert.doesNotMatch(stream.output, /queue: .*emptied/);
    await one.recopy('goods');
    await one.caughtUp();
    await one.equal(['goods']);
    await one.admin.end();
  });
});

// Rows of an open writer are acknowledged and lost then; a history has no key whose absence would tell.
test('a table whose rows somebody replaces while the stream writes stops', async (t) => {
  const start = await begin(t, 'mysql');
  const create = `CREATE TABLE goods (id INT PRIMARY KEY, name VARCHAR(20), price DECIMAL(10,2)); CREATE TABLE other (id INT PRIMARY KEY, n INT);
    INSERT INTO goods VALUES (1, 'one', 0.01), (2, 'two', 20.5); INSERT INTO other VALUES (1, 1)`;
  const both = [{ table: 'goods' }, { table: 'other' }];
  const one = await start(`${create}; CREATE TABLE story (id INT PRIMARY KEY)`, [{ table: 'story', history: true }, ...both]);
  await change(one.server, { behaviours: { replaced_tables: 'always' } });
  const stream = one.job.start();
  await one.equal(['goods', 'other'], { server: stream });
  await waitForLine(stream, /table is whole/, patience, 3);
  let id = 0;
  const until = async (done) => {
    for (const deadline = Date.now() + 60_000; !(await done()); await sleep(50)) {
      assert.ok(Date.now() < deadline, stream.output);
      await one.admin.query(`INSERT INTO story VALUES (${++id}); UPDATE goods SET price = ${id} WHERE id = 1`);
    }
  };
  await until(async () => (await one.query('SELECT id FROM story LIMIT 1')).length > 0);
  for (const table of ['story', 'goods']) {
    const [job] = await one.bigquery.createQueryJob({ query: `SELECT * FROM \`${one.name}.${table}\``,
      destination: one.bigquery.dataset(one.name).table(table), writeDisposition: 'WRITE_TRUNCATE' });
    await job.getQueryResults();
  }
  await until(async () => /table stopped[^\n]*story[^\n]*(may be lost|were acknowledged)/.test(stream.output));
  await until(async () => /table stopped[^\n]*goods[^\n]*(may be lost|the key of)/.test(stream.output));
  await one.admin.query('INSERT INTO other VALUES (9, 9)');
  await one.equal(['other'], { server: stream });
  assert.equal((await stream.stop()).code, 3, stream.output);
  await change(one.server, { behaviours: { replaced_tables: 'on' } });
  await one.recopy('goods');
  await one.recopy('story');
  await one.caughtUp();
  await one.equal(['goods', 'other']);
  assert.equal((await one.query('SELECT DISTINCT id FROM story')).length, id);
  await one.admin.end();
});

test('labels, words and clustering that change in the configuration alone', async (t) => {
  const start = await begin(t, 'mysql');
  const one = await start("CREATE TABLE s (id INT PRIMARY KEY, name VARCHAR(20), n INT); INSERT INTO s VALUES (1, 'one', 1)", [{ table: 's', labels: { team: 'one' }, cluster: ['name'] }]);
  await one.caughtUp();
  await one.rest('PATCH', `${one.name}/tables/s`, { labels: { theirs: 'kept' } });
  const { creationTime } = await one.table('s');
  one.job.rewrite((config) => {
    Object.assign(config.tables[0], { labels: { team: 'two' }, cluster: ['n'], description: 'ours' });
  });
  const followed = await one.caughtUp();
  assert.match(followed.stderr, /settings follow the configuration/);
  const now = await one.table('s');
  assert.deepEqual([now.labels, now.clustering, now.description, now.creationTime], [{ team: 'two', theirs: 'kept' }, { fields: ['n'] }, 'ours', creationTime]);
  const quiet = await one.caughtUp();
  assert.doesNotMatch(quiet.stderr, /settings follow|difference/);
  await one.admin.end();
});

test('max_staleness that is set, and then changes alone, to another and to none', async (t) => {
  const start = await begin(t, 'mysql');
  const one = await start("CREATE TABLE s (id INT PRIMARY KEY); INSERT INTO s VALUES (1); CREATE TABLE plain (id INT PRIMARY KEY); INSERT INTO plain VALUES (1)",
    [{ table: 's', max_staleness: '15m' }, { table: 'plain' }]);
  const staleness = async () => Object.fromEntries((await one.query(
    "SELECT table_name, option_value FROM INFORMATION_SCHEMA.TABLE_OPTIONS WHERE option_name = 'max_staleness'")).map((row) => [row.table_name, row.option_value]));
  const shown = (text) => ({ s: `INTERVAL "${text}" YEAR TO SECOND` });
  await one.caughtUp();
  assert.deepEqual(await staleness(), shown('0-0 0 0:15:0'));
  const { creationTime } = await one.table('s');
  for (const [value, text] of [['90m', '0-0 0 1:30:0'], ['1d', '0-0 0 24:0:0'], ['0s', '0-0 0 0:0:0'], ['45s', '0-0 0 0:0:45']]) {
    one.job.rewrite((config) => Object.assign(config.tables[0], { max_staleness: value }));
    const followed = await one.caughtUp();
    assert.match(followed.stderr, /max_staleness/, value);
    assert.deepEqual(await staleness(), shown(text), value);
    assert.doesNotMatch((await one.caughtUp()).stderr, /max_staleness/, `${value}, once`);
  }
  assert.equal((await one.table('s')).creationTime, creationTime);
  await one.admin.end();
});

for (const flavor of ['mysql', 'mariadb']) test(`rows that go or are replaced at the source, ${flavor}`, async (t) => {
  const start = await begin(t, flavor);

  await t.test('TRUNCATE, a swap, DROP and CREATE, a changed key value and --recopy leave the table and what hangs on it', async () => {
    const one = await start(`CREATE TABLE t (id INT PRIMARY KEY, v VARCHAR(20)); CREATE TABLE d (id DECIMAL(6,2) PRIMARY KEY, v INT);
      INSERT INTO t SELECT n, 'first' FROM (SELECT a.n * 50 + b.n AS n FROM
        (SELECT 0 AS n ${Array.from({ length: 19 }, (_, i) => `UNION SELECT ${i + 1}`).join(' ')}) a,
        (SELECT 0 AS n ${Array.from({ length: 49 }, (_, i) => `UNION SELECT ${i + 1}`).join(' ')}) b) all_rows;
      INSERT INTO d VALUES (1.25, 1), (2.5, 2)`, [{ table: 't' }, { table: 'd' }], { defaults: { chunk_rows: 200 } });
    let stream = one.job.start();
    await one.equal(['t', 'd'], { server: stream });
    await one.hang('t', 'v');
    await one.hang('d', 'v');
    const before = [await one.hangsOn('t'), await one.hangsOn('d')];
    // A reader that must never find the table gone, nor (but for TRUNCATE, where the source itself is empty) half of it.
    let reading = true;
    let least = 1000;
    const reader = (async () => {
      while (reading) {
        const [{ n }] = await one.query('SELECT COUNT(*) AS n FROM t');
        least = Math.min(least, n);
        await sleep(5);
      }
    })();
    await one.admin.query(`CREATE TABLE _t_new (id INT PRIMARY KEY, v VARCHAR(20), w INT); INSERT INTO _t_new SELECT id + 10, 'second', 7 FROM t;
      RENAME TABLE t TO _t_old, _t_new TO t; INSERT INTO t VALUES (5000, 'new', 1)`);
    await one.equal(['t'], { server: stream });
    await one.admin.query(`CREATE TABLE t_kept AS SELECT * FROM t; DROP TABLE t; CREATE TABLE t (id INT PRIMARY KEY, v VARCHAR(20), w INT) AS SELECT * FROM t_kept WHERE id <> 20`);
    await one.equal(['t'], { server: stream });
    assert.ok(least >= 1000, `a reader saw ${least} rows`);
    await one.admin.query('ALTER TABLE d MODIFY id DECIMAL(6,1)');
    await one.equal(['d'], { server: stream });
    reading = false;
    await reader;
    await one.admin.query("TRUNCATE TABLE t; INSERT INTO t VALUES (1, 'after', NULL)");
    await one.equal(['t'], { server: stream });
    assert.equal((await stream.stop()).code, 0, stream.output);
    await one.admin.query("SET sql_log_bin = 0; DELETE FROM t; INSERT INTO t VALUES (2, 'unseen', 2); SET sql_log_bin = 1");
    await one.recopy('t');
    await one.caughtUp();
    await one.equal(['t', 'd']);
    assert.deepEqual([await one.hangsOn('t'), await one.hangsOn('d')], before);
    const left = (await one.bigquery.dataset(one.name).getTables())[0].map(({ id }) => id);
    assert.deepEqual(left.filter((id) => id.startsWith('_hakobu')), [], 'nothing is left beside');
    await one.admin.end();
  });

  await t.test('histories and deleted rows are kept', async () => {
    const one = await start(`CREATE TABLE story (id INT PRIMARY KEY, v VARCHAR(20)); CREATE TABLE soft (id INT PRIMARY KEY, v VARCHAR(20)); CREATE TABLE keyless (a INT);
      INSERT INTO story VALUES (1, 'one'), (2, 'two'); INSERT INTO soft VALUES (1, 'one'), (2, 'two'), (3, 'three'); INSERT INTO keyless VALUES (1), (1)`,
      [{ table: 'story', history: true }, { table: 'soft', deletes: 'soft' }, { table: 'keyless' }]);
    await one.caughtUp();
    await one.admin.query(`DELETE FROM soft WHERE id = 3;
      CREATE TABLE n (id INT PRIMARY KEY, v VARCHAR(20)); INSERT INTO n VALUES (2, 'zwei'), (4, 'vier'); RENAME TABLE story TO story_old, n TO story;
      DROP TABLE soft; CREATE TABLE soft (id INT PRIMARY KEY, v VARCHAR(20)); INSERT INTO soft VALUES (1, 'uno');
      CREATE TABLE k (a INT); INSERT INTO k VALUES (7); RENAME TABLE keyless TO keyless_old, k TO keyless`);
    const result = await one.caughtUp();
    await one.admin.query('ALTER TABLE keyless ADD COLUMN id INT AUTO_INCREMENT PRIMARY KEY; INSERT INTO keyless (a) VALUES (8)');
    await one.caughtUp();
    const story = await one.query('SELECT _hakobu_type AS type, id, v FROM story ORDER BY _hakobu_place, id');
    assert.deepEqual(story.map(({ type, id, v }) => [type, id, v]),
      [['snapshot', 1, 'one'], ['snapshot', 2, 'two'], ['delete', 1, 'one'], ['snapshot', 2, 'zwei'], ['snapshot', 4, 'vier']], result.stderr);
    const soft = await one.query('SELECT id, v, _hakobu_deleted AS gone FROM soft ORDER BY id');
    assert.deepEqual(soft.map(({ id, v, gone }) => [id, v, gone]), [[1, 'uno', false], [2, 'two', true], [3, 'three', true]]);
    const keyless = await one.query('SELECT _hakobu_type AS type, a FROM keyless ORDER BY _hakobu_place');
    assert.deepEqual(keyless.map(({ type, a }) => [type, a]),
      [['snapshot', 1], ['snapshot', 1], ['truncate', null], ['snapshot', 7], ['insert', 8]], 'a history that gains a key stays one');
    await one.admin.query('INSERT INTO keyless (a) VALUES (9)');
    await one.caughtUp();
    assert.equal((await one.query('SELECT * FROM keyless')).length, 6);
    await one.admin.end();
  });

  await t.test('a key that changes is followed where nothing hangs on the table, and stops it where something does', async () => {
    const one = await start(`CREATE TABLE plain (id INT PRIMARY KEY, other INT NOT NULL); CREATE TABLE held (id INT PRIMARY KEY, other INT NOT NULL);
      CREATE TABLE soft (id INT PRIMARY KEY, other INT NOT NULL); INSERT INTO plain VALUES (1, 10); INSERT INTO held VALUES (1, 10); INSERT INTO soft VALUES (1, 10)`,
      [{ table: 'plain' }, { table: 'held' }, { table: 'soft', deletes: 'soft' }]);
    await one.caughtUp();
    await one.hang('held', 'other');
    const before = await one.hangsOn('held');
    for (const table of ['plain', 'held', 'soft']) await one.admin.query(`ALTER TABLE ${table} DROP PRIMARY KEY, ADD PRIMARY KEY (other); INSERT INTO ${table} VALUES (1, 11)`);
    const result = await one.caughtUp(3);
    assert.match(result.stderr, /held: the key changes.*row access policies; grants on the table/);
    assert.match(result.stderr, /soft: the key changes.*the deleted rows that are kept would be lost/);
    await one.equal(['plain']);
    assert.deepEqual(await one.hangsOn('held'), before);
    assert.equal((await one.query('SELECT * FROM soft')).length, 1);
    await one.admin.end();
  });

  await t.test('what was left out or masked never comes in clear under another name', async () => {
    const one = await start(`CREATE TABLE a (id INT PRIMARY KEY, email VARCHAR(80)); CREATE TABLE b (id INT PRIMARY KEY, email VARCHAR(80)); CREATE TABLE c (id INT PRIMARY KEY, email VARCHAR(80));
      CREATE TABLE e (id INT PRIMARY KEY, email VARCHAR(80), n INT); INSERT INTO a VALUES (1, 'secret'); INSERT INTO b VALUES (1, 'secret'); INSERT INTO c VALUES (1, 'secret'); INSERT INTO e VALUES (1, 'secret', 1)`,
      [{ table: 'a', exclude: ['email'] }, { table: 'b', columns: { '*email': { mask: 'sha256', salt: '${env:CONTRACT_SALT_ONE}' } } }, { table: 'c', exclude: ['email'] }, { table: 'e', exclude: ['email', 'mail'] }]);
    await one.caughtUp();
    await one.admin.query(`ALTER TABLE a RENAME COLUMN email TO mail; INSERT INTO a VALUES (2, 'secret');
      ALTER TABLE b CHANGE email mail VARCHAR(100); INSERT INTO b VALUES (2, 'secret');
      CREATE TABLE c_new (id INT PRIMARY KEY, mail VARCHAR(80)); INSERT INTO c_new SELECT * FROM c; RENAME TABLE c TO c_old, c_new TO c; INSERT INTO c VALUES (2, 'secret');
      ALTER TABLE e RENAME COLUMN email TO mail; INSERT INTO e VALUES (2, 'secret', 2)`);
    const result = await one.caughtUp(3);
    for (const table of ['a', 'b', 'c']) {
      assert.match(result.stderr, new RegExp(`${table}: column \`email\` of the source is \`mail\` now`));
      assert.doesNotMatch(JSON.stringify(await one.query(`SELECT * FROM ${table}`)), /secret/);
    }
    assert.deepEqual((await one.query('SELECT * FROM e ORDER BY id')).map((row) => ({ ...row })), [{ id: 1, n: 1 }, { id: 2, n: 2 }], 'what the configuration leaves out goes on');
    // The hint: another start does not help, leaving it out does.
    await one.recopy('a');
    await one.caughtUp(3);
    one.job.rewrite((config) => { config.tables[0].exclude = ['mail']; });
    await one.recopy('a');
    await one.caughtUp(3);  // b and c stay stopped
    assert.deepEqual((await one.query('SELECT id FROM a ORDER BY id')).map(({ id }) => id), [1, 2]);
    assert.doesNotMatch(JSON.stringify(await one.query('SELECT * FROM a')), /secret/);
    await one.admin.end();
  });

  await t.test('stopped, dropped and made again; names that change places', async () => {
    const one = await start(`CREATE TABLE a (id INT PRIMARY KEY, v VARCHAR(20)); CREATE TABLE b (id INT PRIMARY KEY, v VARCHAR(20)); CREATE TABLE s (id INT PRIMARY KEY, x INT);
      INSERT INTO a VALUES (1, 'a'); INSERT INTO b VALUES (2, 'b'); INSERT INTO s VALUES (1, 1)`, [{ table: '*' }]);
    await one.caughtUp();
    await one.admin.query("RENAME TABLE a TO tmp, b TO a, tmp TO b; ALTER TABLE s MODIFY x VARCHAR(9); INSERT INTO s VALUES (2, 'x')");
    await one.caughtUp(3);
    await one.equal(['a', 'b']);
    assert.ok(!(await one.bigquery.dataset(one.name).getTables())[0].some(({ id }) => id === 'tmp'), 'a name in between is not delivered');
    await one.admin.query('DROP TABLE s; CREATE TABLE s (id INT PRIMARY KEY, x INT); INSERT INTO s VALUES (3, 3); INSERT INTO b VALUES (9, \'on\')');
    await one.caughtUp();
    await one.equal(['a', 'b', 's']);
    await one.admin.end();
  });

  await t.test('killed at each step of a table that comes anew', async () => {
    for (const at of ['stream.table_beginning', 'stream.keys_begun', 'stream.copy_planned', 'stream.chunk_done', 'stream.swept', 'stream.copy_done']) {
      const one = await start(`CREATE TABLE t (id INT PRIMARY KEY, v INT); INSERT INTO t VALUES (1, 1), (2, 2), (3, 3)`, [{ table: 't' }]);
      await one.caughtUp();
      await one.hang('t', 'v');
      const before = await one.hangsOn('t');
      await one.admin.query('TRUNCATE TABLE t; INSERT INTO t VALUES (3, 30), (4, 4)');
      const killed = await one.job.catchUp({ env: { HAKOBU_CRASH_AT: at }, timeoutMs: patience });
      assert.notEqual(killed.code, 0, `${at} was not reached:\n${killed.stderr}`);
      await one.admin.query('INSERT INTO t VALUES (5, 5)');
      await one.caughtUp();
      await one.equal(['t']);
      assert.deepEqual(await one.hangsOn('t'), before, at);
      await one.admin.end();
    }
  });
});
