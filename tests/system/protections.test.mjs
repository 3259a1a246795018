// What protects a table stays, through every way in which its rows are put in place, and holds at every moment: while they
// are, other identities read in a loop, and never once see a row or a table that is not theirs, nor find the table gone.
import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { bigqueryClient, isHidden, project } from '../harness/clients.mjs';
import { makeJob } from '../harness/delivery.mjs';
import { call, company, owner, startWithIdentities } from '../harness/identities.mjs';
import { run, startMysql } from '../harness/servers.mjs';
import { makeStream, waitForLine } from '../harness/stream.mjs';

const patience = 240000;  // of states that come far sooner on a machine that does nothing else
const logged = ['--server-id=1', '--log-bin=binlog', '--gtid-mode=ON', '--enforce-gtid-consistency=ON'];
const path = (rest = '') => `/bigquery/v2/projects/${project}/datasets/live/tables/members${rest}`;
const tag = { names: ['projects/p/locations/us/taxonomies/1/policyTags/2'] };

// Members of company 1, whom ana may see, and of company 2, whom only the owner may.
const rows = (count, from = 0) => `SELECT n + ${from}, CONCAT('name', n), CONCAT('mail', n), 1 + n % 2 FROM numbers WHERE n < ${count}`;
const create = `CREATE DATABASE shop CHARACTER SET utf8mb4; USE shop; CREATE TABLE numbers (n INT PRIMARY KEY); INSERT INTO numbers SELECT a.n * 50 + b.n FROM
    (SELECT 0 AS n ${Array.from({ length: 19 }, (_, i) => `UNION SELECT ${i + 1}`).join(' ')}) a, (SELECT 0 AS n ${Array.from({ length: 49 }, (_, i) => `UNION SELECT ${i + 1}`).join(' ')}) b;
  CREATE TABLE members (id INT PRIMARY KEY, name VARCHAR(20), mail VARCHAR(20), company INT); INSERT INTO members ${rows(600)}; ANALYZE TABLE members`;

async function place(t, make, more) {
  const server = await startWithIdentities(t);
  const mysql = await startMysql({ options: logged, test: t });
  const admin = await mysql.connect();
  t.after(() => admin.end());
  await admin.query(create);
  const as = (method, rest, body, token = 'owner-token') => call(server, method, rest, { token, body });
  const done = async (...args) => {
    // What DDL has just made may be hidden for a moment.
    const until = Date.now() + patience;
    let answer = await as(...args);
    while (isHidden(answer.status, JSON.stringify(answer.body)) && Date.now() < until) {
      await sleep(100);
      answer = await as(...args);
    }
    assert.ok(answer.status < 300, `${args.slice(0, 2)}: ${answer.status} ${JSON.stringify(answer.body)}`);
    return answer.body;
  };
  const job = make({ mysql, bigquery: server, dataset: 'live', tables: [{ table: 'shop.members', ...more }], test: t,
    extra: { destination: { project, dataset: 'live', rest_address: server.endpoint, grpc_address: `127.0.0.1:${server.grpcPort}`,
      credentials: { type: 'file', file: server.keyFile(owner) } } } });
  const clients = Object.fromEntries(['owner', 'ana', 'bob'].map((name) => [name, bigqueryClient(server, { token: `${name}-token` })]));
  return { server, mysql, admin, job, done, clients,
    ids: async () => (await clients.owner.query('SELECT id FROM live.members ORDER BY id'))[0].map(({ id }) => id),
    wanted: async () => (await admin.query('SELECT id FROM shop.members ORDER BY id'))[0].map(({ id }) => id) };
}

// Policies, tags, grants, words, labels and a view over the table, as the customer's own administrator hangs them on.
async function protect({ done, clients }) {
  const { schema } = await done('GET', path());
  for (const field of schema.fields) if (field.name === 'mail') Object.assign(field, { policyTags: tag, description: 'theirs' });
  await done('PATCH', path(), { schema, description: 'the customer’s own words', labels: { team: 'finance' } });
  for (const [policyId, filterPredicate, grantee] of [['ana', 'company = 1', 'user:ana@example.com'], ['all', 'TRUE', `serviceAccount:${owner}`]]) {
    await done('POST', path('/rowAccessPolicies'), { rowAccessPolicyReference: { projectId: project, datasetId: 'live', tableId: 'members', policyId }, filterPredicate, grantees: [grantee] });
  }
  await done('POST', path(':setIamPolicy'), { policy: { bindings: [{ role: 'roles/bigquery.dataViewer', members: ['user:ana@example.com'] }] } });
  await clients.owner.createDataset('views');
  await clients.owner.query('CREATE VIEW views.names AS SELECT id, name FROM live.members');
}

async function hangsOn({ done }) {
  const { description, labels, creationTime, schema } = await done('GET', path());
  const { rowAccessPolicies } = await done('GET', path('/rowAccessPolicies'));
  const { bindings } = await done('POST', path(':getIamPolicy'), {});
  const view = await done('GET', `/bigquery/v2/projects/${project}/datasets/views/tables/names`);
  return { description, labels, creationTime, bindings, view: view.view.query, viewed: view.creationTime,
    tags: schema.fields.filter((field) => field.policyTags).map((field) => [field.name, field.description, field.policyTags]),
    policies: rowAccessPolicies.map((policy) => [policy.rowAccessPolicyReference.policyId, policy.filterPredicate]).sort() };
}

// Reads all the time, until it is told to stop; then says what it saw.
function watch({ clients, done }) {
  const seen = { reads: 0, wrong: [] };
  let going = true;
  const note = (what) => { if (seen.wrong.length < 10) seen.wrong.push(what); };
  const loops = [
    async () => {
      const [companies] = await clients.ana.query('SELECT company, COUNT(*) AS n FROM live.members GROUP BY company');
      if (companies.some(({ company: one }) => one !== 1)) note(`ana sees ${JSON.stringify(companies)}`);
    },
    async () => {  // page by page a table with policies is open to nobody who may not see all of it
      const outcome = await clients.ana.dataset('live').table('members').getRows({ maxResults: 50 }).then(([page]) => page.length, (error) => error.code);
      if (outcome !== 403) note(`ana reads page by page: ${outcome}`);
    },
    async () => {
      const outcome = await clients.bob.query('SELECT COUNT(*) FROM live.members').then(() => 'read', (error) => error.code);
      if (outcome !== 403) note(`bob: ${outcome}`);
    },
    async () => {
      const { schema } = await done('GET', path());
      if (!schema.fields.some((field) => field.name === 'mail' && field.policyTags)) note('mail has no tag');
    },
    async () => { await clients.owner.query('SELECT COUNT(*) FROM views.names'); },
  ];
  const running = loops.map(async (look) => {
    while (going) {
      try { await look(); } catch (error) { note(String(error.message ?? error)); }
      ++seen.reads;
      await sleep(5);
    }
  });
  return async () => {
    going = false;
    await Promise.all(running);
    assert.deepEqual(seen.wrong, []);
    assert.ok(seen.reads >= loops.length, `${seen.reads} reads`);
  };
}

for (const [kind, more] of [['one load', {}], ['many loads', { chunk_rows: 200 }], ['streams', { write: 'storage', chunk_rows: 200 }]]) {
  test(`nightly replace, ${kind}`, async (t) => {
    const it = await place(t, makeJob, more);
    const deliver = async () => {
      const result = await it.job.run();
      assert.equal(result.code, 0, result.stderr + result.stdout);
      assert.deepEqual(await it.ids(), await it.wanted());
    };
    await deliver();
    await protect(it);
    const before = await hangsOn(it);
    const stop = watch(it);
    const changes = [
      `UPDATE members SET name = 'new' WHERE id % 3 = 0; DELETE FROM members WHERE id % 5 = 0`,
      `ALTER TABLE members ADD COLUMN extra INT DEFAULT 7; UPDATE members SET company = 3 - company`,
      `TRUNCATE members; INSERT INTO members (id, name, mail, company) ${rows(300, 5000)}`,
      `RENAME TABLE members TO old; CREATE TABLE members LIKE old; INSERT INTO members SELECT * FROM old WHERE id % 2`,
      `TRUNCATE members`,
    ];
    for (const sql of changes) {
      await it.admin.query(sql);
      await deliver();
      assert.deepEqual(await hangsOn(it), before, sql);
    }
    await stop();
  });
}

test('an incremental table that is read anew', async (t) => {
  const it = await place(t, makeJob, { mode: 'incremental', cursor: 'id' });
  assert.equal((await it.job.run()).code, 0);
  await protect(it);
  const before = await hangsOn(it);
  const stop = watch(it);
  it.job.config.tables[0].columns = { name: { mask: 'null' } };
  const result = await it.job.run();
  assert.equal(result.code, 0, result.stderr + result.stdout);
  await stop();
  assert.deepEqual(await it.ids(), await it.wanted());
  assert.deepEqual((await it.clients.owner.query('SELECT DISTINCT name FROM live.members'))[0].map(({ name }) => name), [null]);
  assert.deepEqual(await hangsOn(it), before);
});

test('a streamed table: TRUNCATE, a swap, a schema change, --recopy', async (t) => {
  const it = await place(t, makeStream, { chunk_rows: 200 });
  const equal = async () => {
    const wanted = JSON.stringify(await it.wanted());
    for (const until = Date.now() + patience; ; await sleep(100)) {
      const found = JSON.stringify(await it.ids());
      if (found === wanted) return;
      assert.ok(Date.now() < until, `expected ${wanted.length} bytes of ids, found ${found.length}`);
    }
  };
  let stream = it.job.start();
  await waitForLine(stream, /table is whole/, patience);
  await equal();
  await protect(it);
  const before = await hangsOn(it);
  const stop = watch(it);
  const changes = [
    `TRUNCATE members; INSERT INTO members ${rows(300, 5000)}`,
    `CREATE TABLE fresh LIKE members; INSERT INTO fresh SELECT id + 1, name, mail, company FROM members; RENAME TABLE members TO old, fresh TO members; INSERT INTO members VALUES (1, 'late', 'late', 2)`,
    `ALTER TABLE members ADD COLUMN extra INT DEFAULT 7; INSERT INTO members VALUES (2, 'later', 'later', 2, 1)`,
    `DELETE FROM members WHERE company = 1`,
    `UPDATE members SET company = 1 WHERE id % 2`,
  ];
  for (const sql of changes) {
    await it.admin.query(sql);
    await equal();
    assert.deepEqual(await hangsOn(it), before, sql);
  }
  assert.equal((await stream.stop()).code, 0, stream.output);
  const recopy = await run(['-c', join(it.job.folder, 'hakobu.yaml'), 'repair', '--recopy', 'members']);
  assert.equal(recopy.code, 0, recopy.stderr);
  await it.admin.query("SET sql_log_bin = 0; DELETE FROM members WHERE id % 3 = 0; SET sql_log_bin = 1");
  stream = it.job.start();
  await equal();
  assert.equal((await stream.stop()).code, 0, stream.output);
  await stop();
  assert.deepEqual(await hangsOn(it), before);
});
