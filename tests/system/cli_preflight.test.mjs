// init, check and plan against a real server: what they write, what they find, and that they change nothing.
import { test } from 'node:test';
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { run, startMysql } from '../harness/servers.mjs';

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
  const options = { cwd: folder, env: { MYSQL_PASSWORD: 'swordfish', HAKOBU_SALT: 'salt' } };

  await t.test('init writes a file that is accepted, and never over another', async () => {
    const first = await run(['init', '--socket', server.socketPath, '--user', 'reader', '--database', 'shop'], options);
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
    const wrong = await run(['init', '--socket', server.socketPath, '--user', 'reader', '--force'],
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
