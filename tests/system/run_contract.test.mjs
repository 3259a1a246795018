// What a table of nightly runs was delivered as is recorded, and whatever differs at a later run has one outcome: followed
// and said, all rows read again and put in place, or refused with a hint that works. Nothing that was left out or masked
// comes in clear, no two forms of one column stand side by side, and nobody's rows are destroyed.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { test } from 'node:test';
import { run, startBigquery, startMysql } from '../harness/servers.mjs';
import { bigqueryClient, project } from '../harness/clients.mjs';
import { datasetsRest, hang, hangsOn } from '../harness/hangings.mjs';
import { makeJob } from '../harness/delivery.mjs';

Object.assign(process.env, { RUN_SALT_ONE: 'pepper-one-of-sixteen', RUN_SALT_TWO: 'pepper-two-of-sixteen' });
const hash = (salt, text) => createHash('sha256').update(salt + text).digest('hex');
const salted = (name) => ({ mask: 'sha256', salt: `\${env:RUN_SALT_${name}}` });

// Each case has a database and a dataset of its own on the same servers.
async function begin(t, flavor) {
  const mysql = await startMysql({ flavor, test: t });
  const server = await startBigquery({ test: t });
  const bigquery = bigqueryClient(server);
  let number = 0;
  const rest = datasetsRest(server);
  return async (sql, tables, more = {}) => {
    const name = `r${++number}`;
    const admin = await mysql.connect();
    await admin.query(`CREATE DATABASE ${name} CHARACTER SET utf8mb4; USE ${name}; ${sql}`);
    const job = makeJob({ mysql, bigquery: server, dataset: name, tables: tables.map((entry) => ({ ...entry, table: `${name}.${entry.table}` })), test: t, ...more });
    const command = async (...args) => {
      job.write();
      return run(['-c', join(job.folder, 'hakobu.yaml'), ...args]);
    };
    const query = async (text) => (await bigquery.query({ query: text, defaultDataset: { datasetId: name } }))[0].map((row) => ({ ...row }));
    const one = {
      name, admin, job, query, rest, command, bigquery, entry: job.config.tables[0], table: (table) => rest('GET', `${name}/tables/${table}`),
      // Runs, and must end with `code`; the report of its first table.
      async delivers(code = 0, env = {}) {
        const result = await job.run({ env });
        assert.equal(result.code, code, result.stderr + result.stdout);
        return { ...result, notes: result.report?.tables?.flatMap((table) => table.notes).join('\n') ?? '', said: result.stderr + result.stdout };
      },
      async refuses(says) {
        const result = await one.delivers(4);
        assert.match(result.said, says);
        return result;
      },
      async recopy(table) {
        const result = await command('repair', '--recopy', `${name}.${table}`);
        assert.equal(result.code, 0, result.stderr);
        return result.stdout;
      },
      async replaceTarget(table, fields, rows) {
        await rest('DELETE', `${name}/tables/${table}`);
        await one.makeTarget(table, fields, rows);
      },
      async makeTarget(table, fields, rows) {
        await rest('POST', `${name}/tables`, { tableReference: { projectId: project, datasetId: name, tableId: table }, schema: { fields } });
        if (rows) await query(`INSERT INTO ${table} ${rows}`);
      },
      hang: (table, column) => hang(rest, name, table, column),
      hangsOn: (table) => hangsOn(rest, name, table),
    };
    return one;
  };
}

// Rows that are older than every window but the first: only a full reading brings them in another form.
const members = `CREATE TABLE members (id INT PRIMARY KEY, email VARCHAR(80), seen DATETIME, note VARCHAR(20), company INT NOT NULL, changed DATETIME(6) NOT NULL, KEY (changed));
  INSERT INTO members VALUES (1, 'a@b.c', '2024-05-06 09:00:00', 'one', 1, '2024-01-01'), (2, 'd@e.f', NULL, 'two', 2, '2024-01-02'), (3, 'g@h.i', '2024-05-07 09:00:00', 'three', 1, '2024-01-03')`;
const incremental = { table: 'members', mode: 'incremental', cursor: 'changed', overlap: '1s' };

for (const flavor of ['mysql', 'mariadb']) test(`incremental, ${flavor}`, async (t) => {
  const start = await begin(t, flavor);
  const newest = (one) => one.admin.query("INSERT INTO members VALUES (9, 'new', NULL, 'nine', 1, '2024-03-01') ON DUPLICATE KEY UPDATE changed = changed + INTERVAL 1 DAY");

  await t.test('each change of the configuration brings all rows in the new form, in the table that is there', async () => {
    const one = await start(members, [{ ...incremental, exclude: ['note'], columns: { email: salted('ONE'), seen: { as: 'TIMESTAMP(Asia/Tokyo)' } } }]);
    await one.delivers();
    await one.hang('members', 'email');
    const before = await one.hangsOn('members');
    const rows = (columns) => one.query(`SELECT ${columns} FROM members WHERE id < 9 ORDER BY id`);
    const steps = [
      ['another salt', () => { one.entry.columns.email = salted('TWO'); }, 'email',
        [hash('pepper-two-of-sixteen', 'a@b.c'), hash('pepper-two-of-sixteen', 'd@e.f'), hash('pepper-two-of-sixteen', 'g@h.i')], /column `email`.*with salt/],
      ['another mask', () => { one.entry.columns.email = { mask: 'first', keep: 1 }; }, 'SUBSTR(email, 1, 1)', ['a', 'd', 'g'], /column `email`.*first_n/],
      ['another zone', () => { one.entry.columns.seen = { as: 'TIMESTAMP(UTC)' }; }, 'CAST(seen AS STRING)', ['2024-05-06 09:00:00+00', null, '2024-05-07 09:00:00+00'], /column `seen`.*Asia\/Tokyo.*UTC/],
      ['an exclusion goes', () => { one.entry.exclude = []; }, 'note', ['one', 'two', 'three'], /column `note` was left out so far/],
      ['another cursor', () => { one.entry.cursor = 'id'; one.entry.overlap_values = 0; }, 'note', ['uno', 'two', 'three'], /`cursor` is another/,
        "UPDATE members SET note = 'uno' WHERE id = 1"],
    ];
    for (const [name, change, columns, expected, says, meanwhile] of steps) {
      if (meanwhile) await one.admin.query(meanwhile); else await newest(one);
      change();
      const planned = await one.command('--json', 'plan');
      assert.equal(planned.code, 0, `${name}: ${planned.stderr}${planned.stdout}`);
      const plan = JSON.parse(planned.stdout);
      assert.match(plan.tables[0].notes.join('\n'), says, name);
      assert.match(plan.tables[0].notes.join('\n'), /put in place anew/, name);
      assert.match((await one.delivers()).notes, says, name);
      assert.deepEqual((await rows(`${columns} AS v`)).map(({ v }) => v), expected, name);
      assert.deepEqual(await one.hangsOn('members'), before, `${name}: the object and what hangs on it stay`);
      assert.doesNotMatch((await one.delivers()).notes, /anew|another|left out/, `${name}: once`);
    }
    await one.admin.end();
  });

  await t.test('rows that the source has no more are not taken away unasked, and never stay in a form that was left', async () => {
    const one = await start(members, [incremental]);
    await one.delivers();
    await one.admin.query('DELETE FROM members WHERE id = 2');
    await newest(one);
    await one.delivers();
    const before = await one.query('SELECT * FROM members ORDER BY id');
    assert.equal(before.length, 4, 'deletes are not seen');
    const changes = [['a mask', () => { one.entry.columns = { email: { mask: 'null' } }; }], ['a filter', () => { delete one.entry.columns; one.entry.where = 'company = 1'; }]];
    for (const [name, change] of changes) {
      change();
      await one.refuses(/members has 1 rows whose keys the source has not[^]*--recopy/);
      assert.deepEqual(await one.query('SELECT * FROM members ORDER BY id'), before, `${name}: nothing is touched`);
    }
    delete one.entry.where;
    assert.doesNotMatch((await one.delivers()).notes, /anew/, 'as it was again, it goes on');
    one.entry.columns = { email: { mask: 'null' } };
    await one.refuses(/members has/);
    assert.match(await one.recopy('members'), /what the source has not goes/);
    await one.delivers();
    assert.deepEqual((await one.query('SELECT id, email FROM members ORDER BY id')).map(({ id, email }) => [id, email]), [[1, null], [3, null], [9, null]]);
    // A filter alone: what it chooses not is not at the source either.
    one.entry.where = 'company = 1 AND id <> 3';
    await one.refuses(/members has 1 rows whose keys/);
    await one.recopy('members');
    await one.delivers();
    assert.deepEqual((await one.query('SELECT id FROM members ORDER BY id')).map(({ id }) => id), [1, 9]);
    await one.admin.end();
  });

  await t.test('a killed change of form is known by the next run, whatever it wants', async () => {
    for (const at of ['publish.published', 'publish.recorded']) {
      const one = await start(members, [incremental]);
      await one.delivers();
      one.entry.columns = { email: { mask: 'null' } };
      const killed = await one.job.run({ env: { HAKOBU_CRASH_AT: at } });
      assert.notEqual(killed.code, 0, `${at} was not reached`);
      assert.deepEqual((await one.query('SELECT DISTINCT email FROM members')).map(({ email }) => email), [null]);
      delete one.entry.columns;
      assert.match((await one.delivers()).notes, /put in place anew when a run ended/);
      assert.deepEqual((await one.query('SELECT email FROM members ORDER BY id')).map(({ email }) => email), ['a@b.c', 'd@e.f', 'g@h.i'], at);
      await one.admin.end();
    }
  });

  await t.test('another key: no row stands twice', async () => {
    const one = await start(members, [incremental]);
    await one.delivers();
    await one.admin.query("ALTER TABLE members DROP PRIMARY KEY, ADD PRIMARY KEY (company, email); UPDATE members SET id = id + 10, changed = '2024-04-01'");
    assert.match((await one.delivers()).notes, /the key is another/);
    assert.deepEqual((await one.query('SELECT id, note FROM members ORDER BY id')).map(({ id, note }) => [id, note]), [[11, 'one'], [12, 'two'], [13, 'three']]);
    await one.admin.end();
  });

  await t.test('what somebody does to the target', async () => {
    const one = await start(members, [incremental]);
    await one.delivers();
    const whole = async (rows) => assert.deepEqual((await one.query('SELECT id, email FROM members ORDER BY id')).map(({ id, email }) => [id, email]),
      rows ?? [[1, 'a@b.c'], [2, 'd@e.f'], [3, 'g@h.i']]);
    const fields = (await one.table('members')).schema.fields;
    await one.query('TRUNCATE TABLE members');
    assert.match((await one.delivers()).notes, /was emptied by somebody else/);
    await whole();
    await one.query('DELETE FROM members WHERE TRUE');
    await one.delivers();
    await whole();
    await one.query('ALTER TABLE members DROP COLUMN email');
    assert.match((await one.delivers()).notes, /`email` was dropped from .* by somebody else/);
    await whole();
    await one.replaceTarget('members', fields);
    assert.match((await one.delivers()).notes, /made again by somebody else and is empty/);
    await whole();
    await one.query('DROP TABLE members');
    assert.match((await one.delivers()).notes, /gone from BigQuery, and is made again/);
    await whole();
    await one.replaceTarget('members', fields, "(id, email) VALUES (77, 'theirs')");
    await one.refuses(/made again by somebody else; expected the table made at/);
    await whole([[77, 'theirs']]);
    await one.recopy('members');
    await one.delivers();
    await whole();
    await one.rest('DELETE', `${one.name}/tables/members`);
    await one.rest('POST', `${one.name}/tables`, { tableReference: { projectId: project, datasetId: one.name, tableId: 'members' }, view: { query: 'SELECT 1 AS id', useLegacySql: false } });
    await one.refuses(/is no table; expected TABLE, found VIEW/);
    assert.equal((await one.table('members')).type, 'VIEW');
    await one.admin.end();
  });

  await t.test('an empty source is no emptied target, and another table never takes the target', async () => {
    const one = await start(`${members}; DELETE FROM members; CREATE TABLE other LIKE members; INSERT INTO other VALUES (5, 'x', NULL, 'five', 1, '2024-01-01')`, [incremental]);
    await one.delivers();
    assert.doesNotMatch((await one.delivers()).notes, /emptied|anew/);
    await one.admin.query("INSERT INTO members VALUES (1, 'a@b.c', NULL, 'one', 1, '2024-01-01')");
    await one.delivers();
    one.job.config.tables = [{ ...incremental, table: `${one.name}.other`, target: 'members' }];
    await one.refuses(/are those of another table; expected r\d+\.members, found r\d+\.other/);
    assert.deepEqual((await one.query('SELECT id FROM members')).map(({ id }) => id), [1]);
    await one.admin.end();
  });
});

for (const flavor of ['mysql', 'mariadb']) test(`append, ${flavor}`, async (t) => {
  const start = await begin(t, flavor);
  const log = "CREATE TABLE log (id INT PRIMARY KEY, email VARCHAR(80), at DATETIME); INSERT INTO log VALUES (1, 'secret', '2024-05-06 09:00:00')";

  await t.test('another form is refused, until somebody has decided', async () => {
    const one = await start(log, [{ table: 'log', mode: 'append', columns: { email: salted('ONE') } }]);
    await one.delivers();
    const before = await one.query('SELECT * FROM log');
    const whole = structuredClone(one.entry.columns);
    const changes = [() => { one.entry.columns = { email: salted('TWO') }; }, () => { one.entry.columns = {}; },
      () => { one.entry.columns = { ...whole, at: { as: 'STRING' } }; }, () => { one.entry.columns = { ...whole, email: { mask: 'null' } }; }];
    for (const change of changes) {
      change();
      await one.refuses(/column `(email|at)`/);
      assert.deepEqual(await one.query('SELECT * FROM log'), before);
    }
    assert.match(await one.recopy('log'), /appends to what is in BigQuery, as it is/);
    await one.delivers();
    assert.deepEqual((await one.query('SELECT email FROM log ORDER BY email')).map(({ email }) => email), [null, hash('pepper-one-of-sixteen', 'secret')]);
    await one.delivers();
    await one.admin.end();
  });

  await t.test('a filter may be another every day; what it leaves out so far is said', async () => {
    const one = await start(log, [{ table: 'log', mode: 'append', where: 'id = 1', exclude: ['email'] }]);
    await one.delivers();
    one.entry.where = 'id = 2';
    assert.match((await one.delivers()).notes, /`where` is another/);
    one.entry.exclude = [];
    one.entry.where = 'id = 1';
    assert.match((await one.delivers()).notes, /column `email` was left out so far: rows that are there have no value/);
    assert.deepEqual((await one.query('SELECT email FROM log ORDER BY email')).map(({ email }) => email), [null, 'secret']);
    await one.admin.end();
  });

  await t.test('a target that lacks what earlier runs appended is refused, until somebody has decided', async () => {
    const one = await start(log, [{ table: 'log', mode: 'append' }]);
    await one.delivers();
    const fields = (await one.table('log')).schema.fields;
    const steps = [
      [() => one.query('TRUNCATE TABLE log'), /was emptied by somebody else/],
      [() => one.replaceTarget('log', fields), /made again by somebody else/],
      [() => one.query('DROP TABLE log'), /is gone from BigQuery, and hakobu has not removed it/],
      [() => one.query('ALTER TABLE log DROP COLUMN email'), /`email` was dropped from/],
    ];
    for (const [what, says] of steps) {
      await what();
      await one.refuses(says);
      assert.match((await one.command('plan')).stderr, says, '`plan` says it as well');
      await one.refuses(says);
      await one.recopy('log');
      await one.delivers();
      assert.equal((await one.query('SELECT * FROM log')).length, says.source.includes('dropped') ? 2 : 1);
    }
    await one.admin.end();
  });
});

for (const flavor of ['mysql', 'mariadb']) test(`what was left out or masked never comes in clear under another name, ${flavor}`, async (t) => {
  const start = await begin(t, flavor);
  const create = (name) => `CREATE TABLE ${name} (id INT PRIMARY KEY, note VARCHAR(80), email VARCHAR(80), n INT, changed DATETIME NOT NULL); INSERT INTO ${name} VALUES (1, 'open', 'secret', 1, '2024-01-01');`;
  const change = (name, to) => `${name} CHANGE email mail ${to}`;
  const cases = {
    renamed: change('renamed', 'VARCHAR(80)'),
    retyped: change('retyped', 'VARCHAR(300)'),
    text: change('text', 'TEXT'),
    bytes: change('bytes', 'VARBINARY(80)'),
    moved: `${change('moved', 'VARCHAR(90)')} FIRST`,
    instead: `instead DROP note, CHANGE email mail VARCHAR(80)`,
    behind: `behind DROP note, CHANGE email mail TEXT AFTER n`,
    swapped: `swapped CHANGE email note VARCHAR(80), CHANGE note email VARCHAR(80)`,
  };
  for (const mode of ['replace', 'append', 'incremental']) for (const hidden of ['left out', 'masked']) {
    await t.test(`${mode}, ${hidden}`, async () => {
      const more = mode === 'incremental' ? { mode, cursor: 'changed' } : { mode };
      const hide = hidden === 'masked' ? { columns: { '*email': salted('ONE') } } : { exclude: ['*email'] };
      const one = await start(Object.keys(cases).concat('quiet').map(create).join('\n'), [{ table: '*', ...more, ...hide }]);
      await one.delivers();
      for (const sql of Object.values(cases)) await one.admin.query(`ALTER TABLE ${sql}`);
      for (const name of Object.keys(cases)) await one.admin.query(`UPDATE ${name} SET changed = '2024-02-01'`);
      const refused = await one.delivers(4);
      for (const name of Object.keys(cases)) {
        assert.match(refused.said, new RegExp(`r\\d+\\.${name}: column \`email\` of the source is \`(mail|note)\` now`), name);
        assert.doesNotMatch(JSON.stringify(await one.query(`SELECT * FROM ${name}`)), /secret/, name);
      }
      const quiet = refused.report.tables.find((table) => table.source.endsWith('.quiet'));
      assert.equal(quiet.state, 'done', 'one table’s trouble is that table’s');
      // The hint.
      Object.assign(one.entry, { exclude: ['*email', 'mail'] });
      if (hidden === 'masked') one.entry.exclude = ['mail'];
      const after = await one.delivers(4);  // the one whose names changed places stays refused
      assert.doesNotMatch(after.said, /column `email` of the source is `mail`/);
      one.entry.exclude = one.entry.exclude.concat('note');
      await one.delivers();
      for (const name of Object.keys(cases)) assert.doesNotMatch(JSON.stringify(await one.query(`SELECT * FROM ${name}`)), /secret/, name);
      await one.admin.end();
    });
  }

  await t.test('what is named is delivered; what is dropped and what is new of another kind is not taken for it', async () => {
    const one = await start(create('a') + create('b') + create('c'), [{ table: 'a', exclude: ['email'] }, { table: 'b', exclude: ['email'] }, { table: 'c', exclude: ['email'] }]);
    await one.delivers();
    await one.admin.query(`ALTER TABLE a CHANGE email mail VARCHAR(80); ALTER TABLE b DROP email, ADD COLUMN points INT; ALTER TABLE c MODIFY n INT AFTER id`);
    one.entry.columns = { mail: { description: 'theirs' } };
    await one.delivers();
    assert.deepEqual(await one.query('SELECT mail FROM a'), [{ mail: 'secret' }]);
    assert.deepEqual(await one.query('SELECT id, points FROM b'), [{ id: 1, points: null }]);
    await one.admin.end();
  });
});

for (const flavor of ['mysql', 'mariadb']) test(`tables that are renamed or dropped between two runs, ${flavor}`, { timeout: 300000 }, async (t) => {
  const start = await begin(t, flavor);
  const create = (name) => `CREATE TABLE ${name} (id INT PRIMARY KEY, mail VARCHAR(80), note VARCHAR(20), company INT NOT NULL, changed DATETIME(6) NOT NULL, KEY (changed));
    INSERT INTO ${name} VALUES (1, 'secret@x', 'secret', 1, '2024-01-01'), (2, 'secret@y', 'two', 2, '2024-01-02');`;
  const hidings = { masked: { columns: { mail: salted('ONE') } }, 'left out': { exclude: ['mail'] }, filtered: { where: 'company = 2' } };
  for (const mode of ['replace', 'incremental']) for (const [hidden, hide] of Object.entries(hidings)) {
    await t.test(`${mode}, ${hidden}: under a name that only a glob means it is refused`, async () => {
      const more = mode === 'incremental' ? { mode, cursor: 'changed' } : { mode };
      const one = await start(create('members') + create('memo') + create('other'), [{ table: 'mem*', ...more, ...hide }, { table: '*', ...more }]);
      await one.delivers();
      const before = await one.query('SELECT * FROM members ORDER BY id');
      await one.admin.query('RENAME TABLE members TO people; ALTER TABLE people ADD COLUMN since INT');
      const refused = await one.delivers(4);
      assert.match(refused.said, /people may be r\d+\.members under another name, which is gone and had its columns; there (column `mail` was (masked|left out)|its rows were chosen)/);
      assert.equal(refused.report.tables.find((table) => table.source.endsWith('.other')).state, 'done', 'one table’s trouble is that table’s');
      assert.deepEqual(await one.query('SELECT * FROM members ORDER BY id'), before, 'it stays as it was');
      await assert.rejects(one.table('people'), /404|not found/i);
      const plan = await one.command('plan');
      assert.match(plan.stdout + plan.stderr, /may be r\d+\.members under another name/);
      // The hint.
      one.job.config.tables.push({ table: `${one.name}.people`, ...more, ...hide });
      const delivered = await one.delivers();
      assert.match(delivered.said, /members is gone from the source: .*members stays as it was delivered at \d{4}-/);
      assert.equal((await one.query('SELECT * FROM people')).length, before.length);
      await one.admin.end();
    });
  }

  await t.test('what shows nothing more is delivered and said, and so is what is dropped', async () => {
    const one = await start(create('members') + create('gone') + create('kept'), [{ table: '*', mode: 'replace', columns: { mail: salted('ONE') } }]);
    await one.delivers();
    await one.admin.query('RENAME TABLE members TO people; DROP TABLE gone; CREATE TABLE unlike (id INT PRIMARY KEY, price INT)');
    const { said } = await one.delivers();
    assert.match(said, /people may be r\d+\.members under another name, which is gone and had its columns: it is delivered to .*people/);
    assert.match(said, /r\d+\.gone is gone from the source/);
    assert.doesNotMatch(said, /unlike may be|kept is gone/);
    assert.doesNotMatch(JSON.stringify(await one.query('SELECT * FROM people')), /secret@/);
    // Back again: nothing is gone any more.
    await one.admin.query('RENAME TABLE people TO members');
    assert.doesNotMatch((await one.delivers()).said, /members is gone/);
    await one.admin.end();
  });
});

test('replace', async (t) => {
  const start = await begin(t, 'mysql');

  await t.test('what the next version shows otherwise is said, in `plan` and by the run', async () => {
    const one = await start(members, [{ table: 'members', exclude: ['note'], where: 'company = 1', columns: { email: salted('ONE'), seen: { as: 'TIMESTAMP(Asia/Tokyo)' } } }]);
    await one.delivers();
    assert.doesNotMatch((await one.delivers()).notes, /another|left out/);
    delete one.entry.exclude;
    delete one.entry.where;
    one.entry.columns = { seen: { as: 'TIMESTAMP(UTC)' } };
    const says = [/column `email` is delivered in another form .*masked by sha256.*not masked/, /column `seen`.*Asia\/Tokyo.*UTC/, /column `note` was left out so far/, /`where` is another/];
    const plan = JSON.parse((await one.command('--json', 'plan')).stdout).tables[0].notes.join('\n');
    const { notes } = await one.delivers();
    for (const text of says) { assert.match(plan, text); assert.match(notes, text); }
    assert.deepEqual((await one.query('SELECT id, email, note FROM members ORDER BY id')).map(({ email, note }) => [email, note]), [['a@b.c', 'one'], ['d@e.f', 'two'], ['g@h.i', 'three']]);
    await one.admin.end();
  });

  await t.test('rows of other modes are not replaced', async () => {
    const one = await start(members, [{ table: 'members', mode: 'append' }]);
    await one.delivers();
    await one.delivers();
    delete one.entry.mode;
    await one.refuses(/it was delivered as append and is to be delivered as replace: the rows that every run appended would be lost/);
    assert.equal((await one.query('SELECT id FROM members')).length, 6);
    await one.admin.end();
  });

  await t.test('somebody else’s table or view is refused, the others are delivered', async () => {
    const one = await start(`${members}; CREATE TABLE other (id INT PRIMARY KEY, n INT); INSERT INTO other VALUES (1, 1); CREATE TABLE third (id INT PRIMARY KEY)`, [{ table: 'members' }, { table: 'other' }, { table: 'third' }]);
    await one.bigquery.createDataset(one.name);
    const theirs = [{ name: 'id', type: 'INTEGER' }, { name: 'theirs', type: 'STRING' }];
    await one.makeTarget('members', theirs, "VALUES (7, 'kept')");
    await one.makeTarget('other', [{ name: 'id', type: 'INTEGER' }, { name: 'n', type: 'INTEGER' }], 'VALUES (9, 9)');
    await one.rest('POST', `${one.name}/tables`, { tableReference: { projectId: project, datasetId: one.name, tableId: 'third' }, view: { query: 'SELECT 1 AS id', useLegacySql: false } });
    const refused = await one.refuses(/members is somebody else's: .* columns that .* has not; expected no such columns, found theirs/);
    assert.match(refused.said, /third is no table; expected TABLE, found VIEW/);
    assert.deepEqual(await one.query('SELECT * FROM members'), [{ id: 7, theirs: 'kept' }]);
    assert.equal((await one.table('third')).type, 'VIEW');
    // With the columns of the source it may well be what another ledger delivered: taken over, and said.
    assert.deepEqual(await one.query('SELECT * FROM other'), [{ id: 1, n: 1 }]);
    assert.match(refused.notes, /other is there already, has rows, and was not delivered with this ledger/);
    // Made again later.
    await one.query('DROP TABLE members');
    await one.query('DROP VIEW third');
    await one.delivers();
    await one.replaceTarget('other', theirs, "VALUES (7, 'kept')");
    await one.refuses(/other is somebody else's/);
    assert.deepEqual(await one.query('SELECT * FROM other'), [{ id: 7, theirs: 'kept' }]);
    await one.recopy('other');
    await one.delivers();
    assert.deepEqual(await one.query('SELECT * FROM other'), [{ id: 1, n: 1 }]);
    await one.admin.end();
  });
});
