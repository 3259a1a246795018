// Exactly the documented privileges are enough, on both sides; with each single one less it is said which one is missing,
// and nothing was touched.
import assert from 'node:assert/strict';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { project } from '../harness/clients.mjs';
import { makeJob } from '../harness/delivery.mjs';
import { call, company, owner, startWithIdentities } from '../harness/identities.mjs';
import { privateFolder, run, startBigquery, startMysql } from '../harness/servers.mjs';
import { makeStream } from '../harness/stream.mjs';

const rows = `CREATE DATABASE shop; USE shop; CREATE TABLE members (id INT PRIMARY KEY, name VARCHAR(20), at DATETIME(6), KEY (at));
  INSERT INTO members VALUES (1, 'a', NOW(6) - INTERVAL 1 HOUR), (2, 'b', NOW(6) - INTERVAL 1 HOUR); CREATE TABLE visits LIKE members; INSERT INTO visits SELECT * FROM members;
  CREATE TABLE added LIKE members; INSERT INTO added SELECT * FROM members`;
const datasets = `/bigquery/v2/projects/${project}/datasets`;

// What `hakobu init --roles` prints: use -> place (jobs, staging, target) -> permissions.
async function printedRoles() {
  const { stdout, code, stderr } = await run(['-c', '/nonexistent.yaml', 'init', '--roles', 'gcloud']);
  assert.equal(code, 0, stderr);
  const roles = {};
  for (const [, use, place, permissions] of stdout.matchAll(/^gcloud iam roles create hakobu(Nightly|Stream|Grants)(Jobs|Staging|Target) .*--permissions=(\S+)$/gm)) {
    (roles[use.toLowerCase()] ??= {})[place.toLowerCase()] = permissions.split(',');
  }
  assert.deepEqual(Object.keys(roles), ['nightly', 'stream', 'grants']);
  return roles;
}

// A BigQuery with an account for the whole of each use's roles, and one for each permission left out. `apart`: staging tables
// have a dataset of their own; else both roles are for one, and what is left out is left out of both.
async function withAccounts(t) {
  const roles = await printedRoles();
  const identities = structuredClone(company);
  identities.roles = {};
  const accounts = [];
  const access = { shop: [{ role: 'OWNER', userByEmail: owner }], staging: [{ role: 'OWNER', userByEmail: owner }] };
  const add = (use, { apart = false, place, missing } = {}) => {
    const name = `${use}${accounts.length}`;
    const email = `${name}@${project}.iam.gserviceaccount.com`;
    identities.service_accounts[email] = {};
    for (const [each, permissions] of Object.entries(roles[use])) {
      const role = `projects/${project}/roles/${name}${each}`;
      const left = permissions.filter((permission) => permission !== missing || (apart && each !== place));
      identities.roles[role] = left;
      if (each === 'jobs') identities.projects[project][role] = [`serviceAccount:${email}`];
      else if (left.length > 0) access[each === 'staging' && apart ? 'staging' : 'shop'].push({ role, userByEmail: email });
    }
    accounts.push({ use, apart, place, missing, email });
  };
  for (const use of Object.keys(roles)) {
    add(use);
    for (const permission of new Set(Object.values(roles[use]).flat())) add(use, { missing: permission });
  }
  add('nightly', { apart: true });
  for (const permission of roles.nightly.staging) add('nightly', { apart: true, place: 'staging', missing: permission });
  const bigquery = await startWithIdentities(t, identities);
  for (const [datasetId, list] of Object.entries(access)) {
    const made = await call(bigquery, 'POST', datasets, { token: 'owner-token', body: { datasetReference: { datasetId }, location: 'US', access: list } });
    assert.equal(made.status, 200, JSON.stringify(made.body));
  }
  // What a trial leaves where it may not be removed goes by itself within the hour.
  const tables = async (dataset) => ((await call(bigquery, 'GET', `${datasets}/${dataset}/tables`, { token: 'owner-token' })).body.tables ?? [])
    .map(({ tableReference }) => tableReference.tableId).filter((name) => !name.startsWith('_hakobu_check_'));
  return { bigquery, accounts, tables };
}

test('BigQuery: the printed roles are enough, and each permission less is named', async (t) => {
  const [mysql, { bigquery, accounts, tables }] = await Promise.all([startMysql({ options: ['--server-id=1'], test: t }), withAccounts(t)]);
  const admin = await mysql.connect();
  await admin.query(rows);
  await admin.end();
  const nightly = [{ table: 'shop.members' }, { table: 'shop.visits', write: 'storage', mode: 'incremental', cursor: 'at' }, { table: 'shop.added', mode: 'append' }];
  const as = ({ email, apart }) => ({ extra: { destination: { project, dataset: 'shop', ...(apart ? { staging_dataset: 'staging' } : {}), rest_address: bigquery.endpoint,
    grpc_address: `127.0.0.1:${bigquery.grpcPort}`, credentials: { type: 'file', file: bigquery.keyFile(email) } } } });
  const all = (use) => accounts.filter((account) => account.use === use);
  // `missing` with the role that has it.
  const named = (output, missing) => {
    assert.ok(output.includes(missing), `${missing} is not named in:\n${output}`);
    assert.match(output, /BigQuery (Data Editor|Job User|Data Owner)|roles\/bigquery\.\w+/, output);
  };
  // Without these a run does more than it would have to; the first is warned of.
  const warnedOf = ['bigquery.rowAccessPolicies.list', 'bigquery.tables.getIamPolicy'];

  await t.test('nightly runs', async () => {
    for (const account of all('nightly')) {
      const before = await tables('shop');
      const job = makeJob({ mysql, bigquery, tables: nightly, test: t, ...as(account) });
      job.write();
      const check = await run(['-c', join(job.folder, 'hakobu.yaml'), 'check']);
      const output = check.stdout + check.stderr;
      const what = `${account.missing ?? 'nothing'} missing, staging ${account.apart ? 'apart' : 'beside'}\n${output}`;
      if (account.missing === undefined || warnedOf.includes(account.missing)) {
        assert.equal(check.code, 0, what);
        if (account.missing === warnedOf[0]) assert.match(output, /rowAccessPolicies\.list is missing/);
        for (const time of ['first', 'second']) {
          const { code, stderr, stdout } = await job.run();
          assert.equal(code, 0, `${time} run\n${stderr}${stdout}`);
        }
      } else {
        assert.equal(check.code, 1, what);
        named(output, account.missing);
        assert.deepEqual(await tables('shop'), before, what);
      }
    }
  });

  await t.test('streams', async () => {
    for (const account of all('stream')) {
      const before = await tables('shop');
      const job = makeStream({ mysql, bigquery, tables: [{ table: 'shop.members', target: 'live' }, { table: 'shop.added', target: 'live_added', history: true }], test: t,
        extra: as(account).extra });
      job.write();
      const check = await run(['-c', join(job.folder, 'hakobu.yaml'), 'check']);
      const what = `${account.missing ?? 'nothing'} missing\n${check.stdout}${check.stderr}`;
      if (account.missing === undefined) {
        assert.equal(check.code, 0, what);
        const stream = await job.catchUp();
        assert.equal(stream.code, 0, stream.stderr + stream.stdout);
        for (const args of [['verify'], ['repair', '--all']]) {
          const done = await run(['-c', join(job.folder, 'hakobu.yaml'), ...args]);
          assert.equal(done.code, 0, `${args}: ${done.stdout}${done.stderr}`);
        }
      } else {
        assert.equal(check.code, 1, what);
        named(check.stdout + check.stderr, account.missing);
        assert.deepEqual(await tables('shop'), before, what);
      }
    }
  });

  await t.test('grants', async () => {
    for (const account of all('grants')) {
      const folder = privateFolder('grants');
      t.after(() => rmSync(folder, { recursive: true, force: true }));
      const file = join(folder, 'hakobu.yaml');
      writeFileSync(file, JSON.stringify({ source: { host: 'localhost', user: 'nobody' }, tables: [{ table: 'shop.members' }], ledger: join(folder, 'ledger.db'), ...as(account).extra }));
      writeFileSync(join(folder, 'grants.csv'), 'dataset,member,role,expires,reason\nshop,user:ana@example.com,reader,,sees it\nshop.members,user:bob@other.com,reader,,one table\n');
      const grants = (...args) => run(['-c', file, 'grants', '--csv', join(folder, 'grants.csv'), ...args, '--only-add'], { cwd: folder });
      const plan = await grants('plan');
      const what = `${account.missing ?? 'nothing'} missing\n${plan.stdout}${plan.stderr}`;
      if (account.missing === undefined) {
        assert.equal(plan.code, 2, what);
        const applied = await grants('apply', '--yes', '--reason', 'test');
        assert.equal(applied.code, 0, applied.stdout + applied.stderr);
      } else if (account.missing === 'bigquery.datasets.get' || account.missing === 'bigquery.tables.getIamPolicy') {
        assert.equal(plan.code, 1, what);
        assert.ok((plan.stdout + plan.stderr).includes(account.missing), what);
        assert.doesNotMatch(JSON.stringify((await call(bigquery, 'GET', `${datasets}/shop`, { token: 'owner-token' })).body.access), /eve@/);
      }
    }
  });
});

// The privileges of README.md and docs/streaming.md, as the servers spell them.
for (const flavor of ['mysql', 'mariadb']) test(`${flavor}: exactly the documented privileges are enough, and each one less is named`, async (t) => {
  const [mysql, bigquery] = await Promise.all([
    startMysql({ flavor, options: ['--server-id=1', '--log-bin=binlog', ...(flavor === 'mariadb' ? ['--binlog-format=ROW'] : [])], test: t }), startBigquery({ test: t })]);
  const admin = await mysql.connect();
  t.after(() => admin.end().catch(() => {}));
  await admin.query(rows);
  const client = flavor === 'mysql' ? 'REPLICATION CLIENT' : 'BINLOG MONITOR';
  let number = 0;
  const userWith = async (...grants) => {
    const user = `reader${++number}`;
    await admin.query(`CREATE USER ${user}@localhost, ${user}@'127.0.0.1'`);
    for (const grant of grants) for (const host of ['localhost', '127.0.0.1']) await admin.query(`GRANT ${grant} TO ${user}@'${host}'`);
    return { user, socket: mysql.socketPath, host: undefined, port: undefined };
  };
  const made = async () => (await (await fetch(`${bigquery.endpoint}${datasets}`)).json()).datasets?.map(({ datasetReference }) => datasetReference.datasetId) ?? [];
  const hakobu = (job, ...args) => { job.write(); return run(['-c', join(job.folder, 'hakobu.yaml'), ...args]); };
  const nightly = (source, tables = [{ table: 'shop.members' }]) => makeJob({ mysql, bigquery, dataset: `nightly${number}`, tables, source, test: t });
  const stream = (source) => makeStream({ mysql, bigquery, dataset: `stream${number}`, tables: [{ table: 'shop.members' }], source, test: t });
  const select = 'SELECT ON shop.*', slave = 'REPLICATION SLAVE ON *.*', log = `${client} ON *.*`;

  const enough = nightly(await userWith(select));
  assert.equal((await hakobu(enough, 'check')).code, 0, (await hakobu(enough, 'check')).stdout);
  const done = await enough.run();
  assert.equal(done.code, 0, done.stderr);

  // PROCESS is named where it is of use: transactions that are open while a cursor's window is read.
  const incremental = [{ table: 'shop.visits', mode: 'incremental', cursor: 'at' }];
  for (const [grants, pattern] of [[[select], true], [[select, 'PROCESS ON *.*'], false]]) {
    const job = nightly(await userWith(...grants), incremental);
    const { code, stderr, stdout } = await job.run();
    assert.equal(code, 0, stderr);
    assert.equal(/without the PROCESS privilege/.test(stdout + stderr), pattern, stdout);
  }

  const streamed = stream(await userWith(select, slave, log));
  assert.equal((await hakobu(streamed, 'check')).code, 0, (await hakobu(streamed, 'check')).stdout);
  const followed = await streamed.catchUp();
  assert.equal(followed.code, 0, followed.stderr);

  // One less. `missing` is in what is said, and there is no dataset afterwards.
  for (const [make, grants, missing, commands] of [
    [nightly, [], /SELECT/, [['check'], ['run']]],
    [nightly, ['SELECT ON shop.visits'], /SELECT/, [['check'], ['run']]],
    [stream, [slave, log], /SELECT/, [['check'], ['stream', '--until-caught-up']]],
    [stream, [select, log], /REPLICATION SLAVE/, [['check'], ['stream', '--until-caught-up']]],
    [stream, [select, slave], /REPLICATION CLIENT|BINLOG MONITOR/, [['check'], ['stream', '--until-caught-up']]],
  ]) {
    const job = make(await userWith(...grants));
    for (const command of commands) {
      const { code, stdout, stderr } = await hakobu(job, ...command);
      const what = `${grants.join(', ') || 'nothing'}: ${command}\n${stdout}${stderr}`;
      assert.ok([1, 2].includes(code), `${code} ${what}`);
      assert.match(stdout + stderr, missing, what);
      assert.ok(!(await made()).includes(job.config.destination.dataset), `touched: ${what}`);
    }
  }
});
