// init, check and plan against a real server: what they write, what they find, and that they change nothing.
import { test } from 'node:test';
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { bigqueryClient, project } from '../harness/clients.mjs';
import { run, startBigquery, startMysql } from '../harness/servers.mjs';

const schema = `CREATE DATABASE shop; USE shop;
  CREATE TABLE members (id INT UNSIGNED PRIMARY KEY, name VARCHAR(50), email VARCHAR(100), birthday DATE,
    created_at DATETIME, updated_at DATETIME) COMMENT='会員';
  CREATE TABLE plans (id INT PRIMARY KEY, name VARCHAR(50), price DECIMAL(10,2));
  CREATE TABLE nokey (a INT, b TEXT);
  CREATE TABLE \`予約 履歴\` (id INT PRIMARY KEY, \`電話\` VARCHAR(20));
  INSERT INTO plans VALUES (1, 'Gold', 1000);
  CREATE USER reader@'%' IDENTIFIED BY 'swordfish'; GRANT SELECT ON shop.* TO reader@'%';
  CREATE USER nobody@'%' IDENTIFIED BY 'swordfish'; GRANT SELECT ON shop.plans TO nobody@'%';`;

test('init, check and plan', async (t) => {
  const server = await startMysql({ test: t });
  const connection = await server.connect();
  await connection.query(schema);
  await connection.end();
  const folder = mkdtempSync(join(tmpdir(), 'hakobu-preflight-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const options = { cwd: folder, env: { MYSQL_PASSWORD: 'swordfish', HAKOBU_SALT: 'salt of many letters' } };

  await t.test('init writes a file that is accepted, and never over another', async () => {
    const first = await run(['init', '--socket', server.socketPath, '--user', 'reader', '--database', 'shop', '--location', 'asia-northeast1'], options);
    assert.equal(first.code, 0, first.stderr);
    assert.match(first.stdout, /^Wrote hakobu\.yaml: 4 tables, 4 columns marked for masking\./);
    const text = readFileSync(join(folder, 'hakobu.yaml'), 'utf8');
    assert.match(text, /password: \$\{env:MYSQL_PASSWORD\}/);
    assert.ok(!text.includes('swordfish'));
    assert.match(text, /email: \{mask: sha256, salt: "\$\{env:HAKOBU_SALT\}"\}/);
    assert.match(text, /birthday: \{mask: null\}/);
    assert.match(text, /- table: "shop\.予約 履歴"/);
    const status = await run(['status'], options);
    assert.equal(status.code, 0, status.stderr);
    const second = await run(['init', '--socket', server.socketPath, '--user', 'reader'], options);
    assert.equal(second.code, 2);
    assert.match(second.stderr, /hakobu\.yaml is there already; hint: --force/);
    assert.equal(readFileSync(join(folder, 'hakobu.yaml'), 'utf8'), text);
  });

  await t.test('init says what is wrong with a password, and does not repeat it', async () => {
    const wrong = await run(['init', '--socket', server.socketPath, '--user', 'reader', '--location', 'US', '--force'],
      { cwd: folder, env: { MYSQL_PASSWORD: 'halibut' } });
    assert.equal(wrong.code, 1);
    assert.match(wrong.stderr, /reader/);
    assert.ok(!wrong.stderr.includes('halibut'));
    const dsn = await run(['init', 'mysql://reader:halibut@127.0.0.1/shop', '--force'], { cwd: folder });
    assert.equal(dsn.code, 2);
    assert.ok(!dsn.stderr.includes('halibut'));
  });

  const configuration = (user, tables) => `source: {socket: ${server.socketPath}, user: ${user}, password: "\${env:MYSQL_PASSWORD}"}
destination: {project: example, dataset: shop, rest_address: "http://127.0.0.1:1", grpc_address: "127.0.0.1:2"}
tables:
${tables}`;

  await t.test('check says everything at once', async () => {
    writeFileSync(join(folder, 'hakobu.yaml'), configuration('nobody', `
  - table: shop.plans
    partition: {by: day, column: price}
    cluster: [colour]
    columns: {nam: {mask: null}, price: {as: GEOGRAPHY}}
  - table: shop.members
  - table: shop.nothing*`));
    const { code, stdout, stderr } = await run(['check', '--json'], options);
    assert.equal(code, 1, stderr);
    const { ok, findings } = JSON.parse(stdout);
    assert.equal(ok, false);
    const problems = findings.filter((finding) => finding.level === 'problem').map((finding) => finding.text);
    for (const expected of [/`shop\.nothing\*` matches no table/, /`shop\.members` matches no table/, /GEOGRAPHY/,
      /no column `nam`/, /127\.0\.0\.1:1/]) {
      assert.ok(problems.some((text) => expected.test(text)), `${expected} in\n${problems.join('\n')}`);
    }
    const text = await run(['check'], options);
    assert.equal(text.code, 1);
    assert.match(text.stdout, /PROBLEM/);
    assert.match(text.stdout, /hint: /);
  });

  await t.test('helper tables, misspelt names and shared targets are named', async () => {
    const admin = await server.connect();
    await admin.query(`USE shop; CREATE TABLE _plans_gho LIKE plans; CREATE TABLE _plans_old LIKE plans; CREATE TABLE _own_old LIKE plans;
      CREATE TABLE Plans LIKE plans; CREATE DATABASE osaka; CREATE VIEW v AS SELECT 1`);
    writeFileSync(join(folder, 'hakobu.yaml'), `source: {socket: ${server.socketPath}, user: root}
destination: {project: example, dataset: shop, rest_address: "http://127.0.0.1:1", grpc_address: "127.0.0.1:2"}
defaults: {columns: {"*fax*": {mask: null}, emial: {mask: null}, email: {mask: null}}}
tables: [{table: shop.*, except: [shop.nokye]}, {table: shop.member}, {table: shop.members, columns: {emali: {mask: null}}}]`);
    const { stdout } = await run(['check', '--json'], { cwd: folder });
    const { findings } = JSON.parse(stdout);
    const said = (level, subject, text, hint = /^/) => assert.ok(findings.some((finding) => finding.level === level &&
      finding.subject === subject && text.test(finding.text) && hint.test(finding.hint)), `${level} ${subject} ${text} in\n${JSON.stringify(findings, null, 1)}`);
    said('note', 'shop._plans_gho', /left out: a helper table of gh-ost for `plans`/);
    said('note', 'shop._plans_old', /left out: a helper table of pt-online-schema-change or Spirit for `plans`/);
    said('problem', 'shop.member', /matches no table/, /did you mean `shop\.members`/);
    said('problem', 'shop.members', /has no column `emali`/, /did you mean `email`/);
    said('problem', 'shop.Plans', /where shop\.plans goes too/);
    said('problem', 'shop.plans', /where shop\.Plans goes too/);
    said('warning', 'shop.*', /except: there is no table `shop\.nokye`/, /shop\.nokey/);
    said('warning', 'defaults', /columns: there is no column `emial`/, /`email`/);
    said('note', 'defaults', /columns: `\*fax\*` means no column yet/);
    assert.ok(!findings.some(({ subject, level }) => subject === 'shop._own_old' && level === 'problem'));
    assert.ok(!findings.some(({ subject }) => subject === 'shop._own_old' && /left out/.test(JSON.stringify(findings.filter((f) => f.subject === subject)))));
    await admin.query('USE shop; DROP TABLE _plans_gho, _plans_old, _own_old, Plans; DROP VIEW v');
    await admin.end();
  });

  await t.test('check warns of an account that may write', async () => {
    writeFileSync(join(folder, 'hakobu.yaml'), `source: {socket: ${server.socketPath}, user: root}
destination: {project: example, dataset: shop, rest_address: "http://127.0.0.1:1", grpc_address: "127.0.0.1:2"}
tables: [{table: shop.*}]`);
    const { stdout } = await run(['check', '--json'], { cwd: folder });
    const { findings } = JSON.parse(stdout);
    assert.ok(findings.some((finding) => finding.level === 'warning' && /more than reading/.test(finding.text)));
  });

  await t.test('plan names what does not match, and leaves nothing behind', async () => {
    rmSync(join(folder, '.hakobu'), { recursive: true, force: true });
    const { code, stderr } = await run(['plan', 'nosuch'], { cwd: folder });
    assert.notEqual(code, 0);
    assert.match(stderr, /`nosuch` matches none/);
    assert.deepEqual(readdirSync(folder), ['hakobu.yaml']);
  });
});

test('check: partition and cluster columns', async (t) => {
  const [mysql, bigquery] = await Promise.all([startMysql({ test: t }), startBigquery({ test: t })]);
  const source = await mysql.connect();
  await source.query(`CREATE DATABASE shop; USE shop;
    CREATE TABLE visits (id INT PRIMARY KEY, day DATE, at DATETIME, stamp TIMESTAMP NULL, weight DOUBLE, photo BLOB, opens TIME,
      extra JSON, name VARCHAR(50), fee DECIMAL(10,2), state ENUM('open','done'), note TEXT)`);
  await source.end();
  const client = bigqueryClient(bigquery);
  const folder = mkdtempSync(join(tmpdir(), 'hakobu-layout-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const command = async (name, table) => {
    writeFileSync(join(folder, 'hakobu.yaml'), `source: {socket: ${mysql.socketPath}, user: root}
destination: {project: ${project}, dataset: shop, rest_address: "${bigquery.endpoint}", grpc_address: "127.0.0.1:${bigquery.grpcPort}"}
tables: [{table: shop.visits, ${table}}]`);
    return run([name, '--json'], { cwd: folder });
  };
  const problems = async (table, code) => {
    const result = await command('check', table);
    assert.equal(result.code, code, `${table}: ${result.stdout}\n${result.stderr}`);
    return JSON.parse(result.stdout).findings.filter((finding) => finding.level === 'problem').map(({ text }) => text);
  };
  const temporal = 'DATE, DATETIME or TIMESTAMP';
  const clustered = 'BOOL, INT64, NUMERIC, BIGNUMERIC, STRING, DATE, DATETIME, TIMESTAMP or GEOGRAPHY';
  for (const [layout, expected] of [
    ['partition: {by: day, column: created}', [`partition: column \`created\` must be ${temporal}, found no such column`]],
    ['partition: {by: month, column: name}', [`partition: column \`name\` must be ${temporal}, found STRING`]],
    ['partition: {by: day, column: opens}, columns: {opens: {as: TIME}}', [`partition: column \`opens\` must be ${temporal}, found TIME`]],
    ['partition: {by: hour, column: day}', ['partition: column `day` must be DATETIME or TIMESTAMP, for `by: hour`, found DATE']],
    ['partition: {by: range, column: at, start: 0, end: 10, interval: 1}', ['partition: column `at` must be INT64, found DATETIME']],
    ['partition: {by: day, column: at}, exclude: [at]', [`partition: column \`at\` must be ${temporal}, found no such column`]],
    ['cluster: [shop_id]', ['cluster: no column `shop_id` is delivered']],
    ['cluster: [name, weight, photo]', [`cluster: column \`weight\` must be ${clustered}, found FLOAT64`,
      `cluster: column \`photo\` must be ${clustered}, found BYTES`]],
    ['cluster: [opens, extra], columns: {opens: {as: TIME}}', [`cluster: column \`opens\` must be ${clustered}, found TIME`,
      `cluster: column \`extra\` must be ${clustered}, found JSON`]],
    ['partition: {by: day, column: nosuch}, cluster: [nosuch]', [`partition: column \`nosuch\` must be ${temporal}, found no such column`,
      'cluster: no column `nosuch` is delivered']],
    ['partition: {by: hour, column: stamp}, cluster: [name, state, fee, at]', []],
    ['partition: {by: year, column: day}, cluster: [NAME]', []],
    ['partition: {by: range, column: id, start: 0, end: 100, interval: 10}', []],
  ]) {
    assert.deepEqual(await problems(layout, expected.length > 0 ? 2 : 0), expected, layout);
  }
  const five = await command('check', 'cluster: [id, day, at, name, fee]');
  assert.equal(five.code, 2);
  assert.match(five.stderr, /tables\[0\]\.cluster: expected at most 4 columns, found 5/);

  await t.test('a target that is partitioned otherwise is refused, by check and by run, and stays', async () => {
    await client.createDataset('shop');
    await client.dataset('shop').createTable('visits', { schema: [{ name: 'id', type: 'INTEGER' }, { name: 'at', type: 'DATETIME' }],
      timePartitioning: { type: 'DAY', field: 'at' } });
    for (const [layout, wanted] of [['partition: {by: month, column: at}', 'MONTH of at'], ['partition: {by: day, column: stamp}', 'DAY of stamp'],
      ['partition: {by: range, column: id, start: 0, end: 100, interval: 10}', '0..100 by 10 of id'], ['mode: replace', 'none']]) {
      assert.deepEqual(await problems(layout, 4), [`${project}.shop.visits is partitioned by: DAY of at; the configuration says: ${wanted}`]);
      const refused = await command('run', layout);
      assert.equal(refused.code, 4, `${refused.stdout}\n${refused.stderr}`);
    }
    assert.equal((await client.dataset('shop').table('visits').getMetadata())[0].schema.fields.length, 2);
    assert.deepEqual(await problems('partition: {by: day, column: at}, cluster: [name]', 0), []);
  });

  await t.test('what a run or a stream would be refused, check is refused', async () => {
    const admin = await mysql.connect();
    await admin.query(`USE shop; CREATE TABLE f (w DOUBLE PRIMARY KEY, j JSON); CREATE TABLE \`x+y\` (id INT PRIMARY KEY)`);
    await admin.end();
    await client.dataset('shop').createTable('seen', { view: { query: 'SELECT 1 AS a', useLegacySql: false } });
    const list = async (tables) => {
      writeFileSync(join(folder, 'hakobu.yaml'), `source: {socket: ${mysql.socketPath}, user: root}
destination: {project: ${project}, dataset: shop, rest_address: "${bigquery.endpoint}", grpc_address: "127.0.0.1:${bigquery.grpcPort}"}
tables: ${tables}`);
      const check = await run(['check', '--json'], { cwd: folder });
      return { code: check.code, texts: JSON.parse(check.stdout).findings.filter(({ level }) => level === 'problem').map(({ subject, text }) => `${subject}: ${text}`) };
    };
    for (const [tables, code, expected, command] of [
      ['[{table: shop.visits, target: new, where: "nope = 1"}]', 2, /^shop\.visits: where: the server refuses it: .*nope/, 'run'],
      ['[{table: shop.visits, target: new, where: "id = 1 ORDER BY id"}]', 2, /^shop\.visits: where: the server refuses it/, 'run'],
      ['[{table: shop.visits, target: seen}]', 4, /^shop\.visits: .*\.shop\.seen is a view/, 'run'],
      ['[{table: "shop.x+y"}]', 2, /^shop\.x\+y: BigQuery takes no table of the name `x\+y`/, 'run'],
      ['[{table: shop.f, mode: stream}]', 2, /^shop\.f: key column `w` would be FLOAT64/, 'stream'],
      ['[{table: shop.f, mode: incremental, cursor: w, columns: {w: {as: FLOAT64}}}]', 0, undefined, undefined],
      ['[{table: shop.visits, target: same}, {table: shop.f, mode: stream, history: true, target: SAME}]', 2,
        /^tables\[1\]/, undefined],
    ]) {
      if (expected?.source.startsWith('^tables')) {
        writeFileSync(join(folder, 'hakobu.yaml'), `source: {socket: ${mysql.socketPath}, user: root}
destination: {project: ${project}, dataset: shop, rest_address: "${bigquery.endpoint}", grpc_address: "127.0.0.1:${bigquery.grpcPort}"}
tables: ${tables}`);
        const refused = await run(['check'], { cwd: folder });
        assert.equal(refused.code, 2);
        assert.match(refused.stderr, /tables\[1\]\.target: expected each table of BigQuery once, whatever the case/);
        continue;
      }
      const found = await list(tables);
      assert.equal(found.code, code, `${tables}: ${found.texts}`);
      if (expected === undefined) continue;
      assert.ok(found.texts.some((text) => expected.test(text)), `${expected} in ${found.texts}`);
      const refused = await run([command, ...(command === 'stream' ? ['--until-caught-up'] : [])], { cwd: folder });
      assert.notEqual(refused.code, 0, `${tables}: ${refused.stdout}`);
    }
    assert.equal((await client.dataset('shop').table('seen').getMetadata())[0].type, 'VIEW');
  });
});
