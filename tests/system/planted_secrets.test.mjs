// Secrets of every kind are planted, everything is run, also what fails, and then each is looked for in every file, line,
// page and list of arguments that hakobu leaves or shows. Found nowhere; the warehouse has the masked form alone.
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { chmodSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { bigqueryClient, project } from '../harness/clients.mjs';
import { company, loader, owner, startWithIdentities } from '../harness/identities.mjs';
import { descendants, environmentOf, makeSearch } from '../harness/planted.mjs';
import { freePort, hakobu, privateFolder, Server, startMysql } from '../harness/servers.mjs';

const word = (name) => `${name}${randomBytes(9).toString('hex')}`;
// Where a value has to be in many rows, each holds the word.
const planted = {
  passwordFromEnvironment: word('pe'), passwordFromFile: word('pf'), passwordFromCommand: word('pc'), wrongPassword: word('pw'),
  salt: word('salt'), maskedKey: word('mk'), maskedValue: word('mv'), hiddenValue: word('hv'), maskedCursor: word('mc'),
  filter: word('fi'), accessToken: word('at'), refreshToken: word('rt'),
};

const quoted = (text) => `'${text}'`;
const schema = `CREATE DATABASE shop CHARACTER SET utf8mb4; USE shop;
  CREATE TABLE members (email VARCHAR(80) PRIMARY KEY, note TEXT, secret VARCHAR(80), tenant VARCHAR(60), born DATE, rank_no INT);
  CREATE TABLE followed (email VARCHAR(80) PRIMARY KEY, note TEXT, secret VARCHAR(80), born DATE, rank_no INT);
  CREATE TABLE changes (id INT PRIMARY KEY, at DATETIME(6), note TEXT, KEY (at));
  SET SESSION cte_max_recursion_depth = 10000, sql_mode = '';
  INSERT INTO members WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 4000)
    SELECT CONCAT(${quoted(planted.maskedKey)}, LPAD(i, 6, '0'), '@example.com'), CONCAT(${quoted(planted.maskedValue)}, i),
      CONCAT(${quoted(planted.hiddenValue)}, i), ${quoted(planted.filter)}, IF(i = 7, '0000-00-00', '2000-01-01'), i FROM n;
  INSERT INTO followed SELECT email, note, secret, born, rank_no FROM members;
  INSERT INTO changes SELECT rank_no, NOW(6) - INTERVAL 1 HOUR, note FROM members LIMIT 100`;
const masks = {
  email: { mask: 'sha256', salt: '${env:PLANTED_SALT}' }, note: { mask: 'sha256', salt: '${env:PLANTED_SALT}' }, secret: { mask: 'null' },
};

async function begin(t) {
  const identities = structuredClone(company);
  identities.service_accounts[owner].tokens = [planted.accessToken];
  identities.users['ana@example.com'].refresh_tokens = [planted.refreshToken];
  identities.projects[project]['roles/bigquery.user'].push('user:ana@example.com');
  const [mysql, bigquery] = await Promise.all([startMysql({ options: ['--server-id=1'], test: t }), startWithIdentities(t, identities)]);
  const admin = await mysql.connect();
  t.after(() => admin.end().catch(() => {}));
  await admin.query(schema);
  for (const [user, password] of [['by_env', planted.passwordFromEnvironment], ['by_file', planted.passwordFromFile], ['by_command', planted.passwordFromCommand]]) {
    await admin.query(`CREATE USER ${user}@'%' IDENTIFIED BY '${password}'; GRANT SELECT, PROCESS, REPLICATION SLAVE, REPLICATION CLIENT ON *.* TO ${user}@'%'`);
  }
  const key = JSON.parse(readFileSync(bigquery.keyFile(loader), 'utf8')).private_key;
  const search = makeSearch({ ...planted, privateKey: key.split('\n')[3], privateKeyToo: key.split('\n')[9] });
  const folder = privateFolder('planted');
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  chmodSync(folder, 0o700);
  const given = join(folder, 'given');  // the user's own files
  const made = join(folder, 'made');    // hakobu's
  for (const each of [given, made]) mkdirSync(each);
  writeFileSync(join(given, 'password'), `${planted.passwordFromFile}\n`, { mode: 0o600 });
  writeFileSync(join(given, 'command'), `#!/bin/sh\nsleep 0.2\necho ${planted.passwordFromCommand}\n`, { mode: 0o700 });
  const env = { ...process.env, PLANTED_PASSWORD: planted.passwordFromEnvironment, PLANTED_WRONG: planted.wrongPassword, PLANTED_SALT: planted.salt,
    PLANTED_FILTER: planted.filter };
  const passwords = { by_env: '${env:PLANTED_PASSWORD}', by_file: '${file:password}', by_command: `\${command:${join(given, 'command')}}`, wrong: '${env:PLANTED_WRONG}' };
  let number = 0;
  // A configuration of its own for each command; all share a ledger.
  const configure = ({ user = 'by_env', tables, source = {}, destination = {}, stream = {}, ledger = 'ledger.db', log = { format: 'json', level: 'debug' } }) => {
    const path = join(given, `hakobu-${++number}.yaml`);
    writeFileSync(path, JSON.stringify({
      source: { host: '127.0.0.1', port: mysql.port, user: user === 'wrong' ? 'by_env' : user, password: passwords[user], tls: { mode: 'require' }, connections: 2, ...source },
      destination: { project, dataset: 'shop', rest_address: bigquery.endpoint, grpc_address: `127.0.0.1:${bigquery.grpcPort}`,
        credentials: { type: 'file', file: bigquery.keyFile(loader) }, ...destination },
      tables, ledger: join(made, ledger), log, stream: { heartbeat: '500ms', listen: '127.0.0.1:0', spool: { folder: join(made, 'spool') }, ...stream },
    }));
    return path;
  };
  // The program with a look at what the machine shows of it meanwhile.
  const start = (config, args, more = {}) => {
    const child = new Server(hakobu, ['-c', config, ...args], { env: { ...env, ...more }, cwd: made });
    child.watched = (async () => {
      while (child.alive) {
        search.process(child.pid);
        for (const each of descendants(child.pid)) {
          for (const [name, value] of Object.entries(environmentOf(each))) {
            if ({ ...env, ...more }[name] !== value) search.in(`the environment of a process that hakobu started: ${name}`, value);
          }
        }
        await sleep(20);
      }
    })();
    child.watched.catch(() => {});
    return child;
  };
  const look = (child, what) => {
    search.in(`the output of ${what}`, child.output);
    search.below(made);
  };
  const go = async (what, config, args, { code, more } = {}) => {
    const child = start(config, args, more);
    const end = await child.exited;
    await child.watched;
    look(child, what);
    if (code !== undefined) assert.equal(end.code, code, `${what}\n${child.output}`);
    return { ...end, output: child.output };
  };
  return { mysql, bigquery, admin, search, made, given, configure, start, go, look };
}

const members = (more = {}) => ({ table: 'shop.members', columns: masks, exclude: ['tenant'], where: "tenant = '${env:PLANTED_FILTER}'", chunk_rows: 300, ...more });

test('nightly: whole, killed half-way, and everything that can fail', async (t) => {
  const all = await begin(t);
  const { configure, go, bigquery, search, made } = all;
  const changes = { table: 'shop.changes', mode: 'incremental', cursor: 'at', columns: { note: masks.note, at: { mask: 'first', keep: 4 } } };
  const config = configure({ tables: [members()] });
  await go('check', config, ['check'], { code: 0 });
  await go('check, as JSON', config, ['--json', 'check'], { code: 0 });
  const plan = await go('plan', config, ['--json', 'plan'], { code: 0 });
  assert.ok(JSON.parse(plan.output.slice(plan.output.indexOf('{\n'))) ?? true);
  // Killed with chunks that are done and chunks that are not; the ledger is searched; then it goes on.
  const killed = await go('a killed run', config, ['run'], { more: { HAKOBU_CRASH_AT: 'chunk.checkpointed:3' } });
  assert.ok(killed.signal !== null || killed.code !== 0, killed.output);
  const whole = await go('a run that goes on', config, ['--json', 'run'], { code: 3 });  // one date is none
  assert.match(whole.output, /"resumedRun"|continu/i);
  await go('a run by a file\'s password', configure({ user: 'by_file', tables: [members({ write: 'storage' })] }), ['run'], { code: 3 });
  await go('a run by a command\'s password', configure({ user: 'by_command', tables: [changes] }), ['run'], { code: 0 });
  await go('the next run of a cursor', configure({ user: 'by_command', tables: [changes] }), ['--json', 'run'], { code: 0 });
  for (const args of [['status'], ['--json', 'status'], ['gaps'], ['config', 'show'], ['schema']]) await go(args.join(' '), config, args);

  // What fails must fail, and must not tell.
  const refused = async (what, settings, args, pattern) => {
    const { code, output } = await go(what, configure({ ledger: 'failed.db', ...settings }), args);
    assert.notEqual(code, 0, `${what}\n${output}`);
    assert.match(output, pattern, what);
  };
  await refused('a wrong password', { user: 'wrong', tables: [members()] }, ['run'], /Access denied/);
  await refused('a server that is not there', { tables: [members()], source: { port: await freePort(), connect_timeout: '1s' } }, ['run'], /connect/i);
  for (const where of ["AND tenant = '${env:PLANTED_FILTER}'", "tenant = DATE '${env:PLANTED_FILTER}'", "nope = '${env:PLANTED_FILTER}'", "`${env:PLANTED_FILTER}` = 1",
    "tenant = CAST('${env:PLANTED_FILTER}' AS JSON) AND", "tenant = ${env:PLANTED_FILTER}", "MATCH (tenant) AGAINST ('${env:PLANTED_FILTER}')"]) {
    for (const args of [['check'], ['run'], ['--json', 'plan']]) await refused(`where: ${where}`, { tables: [members({ where })] }, args, /where|error|refuses/i);
  }
  await refused('a BigQuery that is not there', { tables: [members()], destination: { rest_address: `http://127.0.0.1:${await freePort()}` } }, ['check'], /connect|refused/i);
  await refused('a refresh token of somebody without rights', { tables: [members()], destination: { credentials: { type: 'file', file: bigquery.keyFile('ana@example.com') } } }, ['check'], /Access Denied|denied/i);
  const broken = JSON.parse(readFileSync(bigquery.keyFile(loader), 'utf8'));
  const brokenFile = join(all.given, 'broken.json');
  for (const [what, change, pattern] of [['a token endpoint that is not there', { token_uri: `http://127.0.0.1:${await freePort()}/token` }, /token/i],
    ['a token endpoint of strangers', { token_uri: 'http://example.com/token' }, /token_uri|TLS|https/i],
    ['a key that is cut short', { private_key: broken.private_key.slice(0, 700) }, /key/i]]) {
    writeFileSync(brokenFile, JSON.stringify({ ...broken, ...change }), { mode: 0o600 });
    await refused(what, { tables: [members()], destination: { credentials: { type: 'file', file: brokenFile } } }, ['check'], pattern);
  }
  const grants = join(all.given, 'grants.csv');
  writeFileSync(grants, 'dataset,member,role,expires,reason\nshop,user:ana@example.com,reader,,sees it\n');
  for (const args of [['plan', '--out', join(made, 'plan.json')], ['apply', '--yes', '--reason', 'planted'], ['import', '--out', join(made, 'imported.csv')], ['log'], ['who', 'shop']]) {
    await go(`grants ${args[0]}`, config, ['grants', '--csv', grants, ...args], { more: { GOOGLE_OAUTH_ACCESS_TOKEN: planted.accessToken } });
  }
  await go('endpoint: local', configure({ tables: [members()], ledger: 'own.db', destination: { endpoint: 'local', rest_address: undefined, grpc_address: undefined, credentials: undefined } }), ['run']);

  // What was delivered is all there, in the masked form alone.
  const client = bigqueryClient(bigquery, { token: planted.accessToken });
  const [[row]] = await client.query('SELECT COUNT(*) n, COUNT(DISTINCT email) emails, MIN(LENGTH(email)) short, COUNT(secret) secrets FROM shop.members');
  assert.deepEqual({ ...row }, { n: 4000, emails: 4000, short: 64, secrets: 0 });
  search.in('the output of the local BigQuery', bigquery.output);
  search.below(bigquery.folder);
  assert.ok(search.looked > 1e6, `${search.looked} bytes were searched`);
});

test('a stream: a killed copy, its spool in an outage, a gap, its repair, and its pages', async (t) => {
  const all = await begin(t);
  const { configure, start, go, look, admin, bigquery, search, made } = all;
  const config = configure({ tables: [{ table: 'shop.followed', mode: 'stream', columns: masks, chunk_rows: 300 }] });
  const line = async (child, pattern) => {
    for (const deadline = Date.now() + 240000; !pattern.test(child.output); await sleep(50)) {
      assert.ok(child.alive && Date.now() < deadline, `no ${pattern} in:\n${child.output}`);
    }
  };
  const client = bigqueryClient(bigquery, { token: planted.accessToken });
  const delivered = async (count) => {
    for (const deadline = Date.now() + 240000; ; await sleep(100)) {
      const [[{ n }]] = await client.query('SELECT COUNT(*) n FROM shop.followed').catch(() => [[{ n: -1 }]]);
      if (n === count) return;
      assert.ok(Date.now() < deadline, `${n} rows of ${count}`);
    }
  };
  await go('check of a stream', config, ['check'], { code: 0 });
  await go('a copy that is killed', config, ['stream'], { more: { HAKOBU_CRASH_AT: 'stream.chunk_done:2' } });
  const stream = start(config, ['stream']);
  await line(stream, /"address":"127\.0\.0\.1:\d+"/);
  await delivered(4000);
  const insert = (from, count) => admin.query(`INSERT INTO shop.followed WITH RECURSIVE n (i) AS (SELECT ${from} UNION ALL SELECT i + 1 FROM n WHERE i < ${from + count - 1})
    SELECT CONCAT('${planted.maskedKey}', LPAD(i, 6, '0'), '@example.org'), CONCAT('${planted.maskedValue}', i), '${planted.hiddenValue}', '2000-01-01', i FROM n`);
  await insert(5000, 500);
  await delivered(4500);
  const [, address] = /"address":"(127\.0\.0\.1:\d+)"/.exec(stream.output);
  for (const page of ['/', '/metrics', '/healthz', '/readyz', '/nothing']) {
    const response = await fetch(`http://${address}${page}`);
    search.in(`the page ${page}`, (await response.text()) + JSON.stringify([...response.headers]));
  }
  // BigQuery does not answer: what is read lies in the spool.
  bigquery.child.kill('SIGSTOP');
  await insert(6000, 3000);
  for (const until = Date.now() + 5000; Date.now() < until; await sleep(500)) search.below(made);
  await stream.kill9();
  look(stream, 'a stream that is killed in an outage');
  bigquery.child.kill('SIGCONT');

  // A gap: what was written meanwhile is purged.
  await admin.query('FLUSH BINARY LOGS');
  await insert(20000, 5);
  await admin.query('FLUSH BINARY LOGS');
  for (;;) {
    const [logs] = await admin.query('SHOW BINARY LOGS');
    if (logs.length === 1) break;
    await admin.query(`PURGE BINARY LOGS TO '${logs.at(-1).Log_name}'`);
  }
  await go('a stream over a gap', config, ['--json', 'stream', '--until-caught-up']);
  const gaps = await go('gaps', config, ['--json', 'gaps'], { code: 3 });
  assert.match(gaps.output, /purged/);
  await go('gaps, for customers', config, ['gaps', '--language', 'both']);
  await go('verify', config, ['--json', 'verify'], { code: 3 });
  await go('a repair that is killed', config, ['repair', '--all'], { more: { HAKOBU_CRASH_AT: 'repair.begun' } });
  await go('repair', config, ['--json', 'repair', '--all'], { code: 0 });
  await go('verify again', config, ['verify'], { code: 0 });
  await go('status', config, ['--json', 'status']);
  await go('a stream with another password', configure({ user: 'wrong', tables: [{ table: 'shop.followed', mode: 'stream', columns: masks }] }), ['stream', '--until-caught-up'], { code: 1 });
  await delivered(4000 + 500 + 3000 + 5);
  search.in('the output of the local BigQuery', bigquery.output);
  search.below(bigquery.folder);
});

test('the search finds what is there, in every form', () => {
  const search = makeSearch({ secret: 'swordfish "1"' });
  for (const text of ['a swordfish "1"', JSON.stringify({ a: 'swordfish "1"' }), 'x=swordfish%20%221%22', Buffer.from('swordfish "1"').toString('hex'),
    ...[0, 1, 2].map((shift) => Buffer.from(`${'x'.repeat(shift)}swordfish "1" and more`).toString('base64'))]) {
    assert.throws(() => search.in('a text', text), /secret stands in a text/, text);
  }
  search.in('a text', 'sword and fish');
});
