// `hakobu grants` against the local BigQuery, looked at through Google's own client.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { chmodSync, existsSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { isDeepStrictEqual } from 'node:util';
import { bigqueryClient, project } from '../harness/clients.mjs';
import { privateFolder, run, startBigquery } from '../harness/servers.mjs';

const header = 'dataset,member,role,expires,reason\n';
const owners = { role: 'OWNER', specialGroup: 'projectOwners' };

// A team: its BigQuery, its CSV, its ledger.
async function team(t, datasets = {}) {
  const server = await startBigquery({ test: t });
  const folder = privateFolder('grants');
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const client = bigqueryClient(server);
  for (const [id, access] of Object.entries(datasets)) await client.createDataset(id, { access: [owners, ...access] });
  const path = (name) => join(folder, name);
  return {
    server, client, folder, path,
    csv: (text) => writeFileSync(path('grants.csv'), header + text),
    grants: (args, env = {}, ledger = 'ledger.db') => run(['grants', '--project', project, '--endpoint', server.endpoint, '--ledger', path(ledger),
      ...args], { cwd: folder, env }),
    access: async (id) => (await client.dataset(id).getMetadata())[0].access,
    setAccess: async (id, change) => {  // as a careful console does
      for (;;) {
        const [metadata] = await client.dataset(id).getMetadata();
        try {
          return await client.dataset(id).setMetadata({ access: change(metadata.access), etag: metadata.etag });
        } catch (error) {
          if (error.code !== 412) throw error;
        }
      }
    },
  };
}

const reader = (email) => ({ role: 'READER', userByEmail: email });
const has = (access, email) => access.some((entry) => entry.userByEmail === email);
function ended(result, code) {
  assert.equal(result.code, code, `exit ${result.code} ${result.signal}\n${result.stdout}\n${result.stderr}`);
  return result.stdout;
}

test('from import to a reviewed apply, and back out again', async (t) => {
  const view = { view: { projectId: project, datasetId: 'views', tableId: 'v' } };
  const theirs = { role: 'roles/bigquery.dataViewer', groupByEmail: 'g@x.com', condition: { title: 'office', expression: 'true' } };
  const it = await team(t, { sales: [reader('ann@x.com'), view, theirs], other: [] });
  ended(await it.grants(['import', '--out', 'grants.csv']), 0);
  assert.match(readFileSync(it.path('grants.csv'), 'utf8'), /^sales,user:ann@x.com,reader,,$/m);
  assert.match(ended(await it.grants(['plan']), 0), /^0 to add, 0 to remove in 0 of 2/m);
  ended(await it.grants(['apply', '--yes', '--reason', 'first']), 0);

  it.csv('sales,user:ann@x.com,reader,,\nsales,user:bob@x.com,writer,,"a, reason"\nsales,user:end@x.com,reader,2099-01-01,\n');
  const markdown = ended(await it.grants(['plan', '--format', 'markdown', '--out', 'plan.json']), 2);
  assert.match(markdown, /\+ writer user:bob@x.com {2}# grants.csv:3: a, reason/);
  ended(await it.grants(['apply', 'plan.json']), 0);
  let access = await it.access('sales');
  assert.ok(access.some((entry) => entry.userByEmail === 'bob@x.com' && entry.role === 'WRITER'));
  const end = access.find((entry) => entry.userByEmail === 'end@x.com');
  assert.equal(end.condition.expression, 'request.time < timestamp("2099-01-02T00:00:00Z")');
  for (const kept of [view, theirs, owners]) assert.ok(access.some((entry) => isDeepStrictEqual(entry, kept)), JSON.stringify([kept, access]));
  assert.match(ended(await it.grants(['plan']), 0), /^0 to add/m);

  it.csv('sales,user:bob@x.com,reader,2020-01-01,\n');
  assert.match(ended(await it.grants(['plan']), 2), /warning: expired on 2020-01-01/);
  ended(await it.grants(['apply', '--yes']), 0);
  access = await it.access('sales');
  assert.ok(!has(access, 'ann@x.com') && !has(access, 'bob@x.com') && !has(access, 'end@x.com'), JSON.stringify(access));
  assert.equal(access.length, 3);
  const history = JSON.parse(ended(await it.grants(['log', '--json']), 0)).applies;
  assert.deepEqual(history.map((apply) => [apply.apply, apply.state, apply.reason]), [[3, 'done', ''], [2, 'done', ''], [1, 'done', 'first']]);
  assert.notEqual(history[1].targets[0].etag_before, history[1].targets[0].etag_after);
  assert.match(ended(await it.grants(['log']), 0), /sales applied .*\n(?: {4}.*\n)* {4}\+ writer user:bob@x.com/, 'the log says who gained what');
});

test('a reviewed plan is refused when the dataset changed since; wrong lines end plan with 1', async (t) => {
  const it = await team(t, { sales: [] });
  it.csv('sales,user:a@x.com,reader,,\n');
  ended(await it.grants(['plan', '--out', 'plan.json']), 2);
  for (const more of [['--only-add'], ['--prune'], ['--was', 'grants.csv']]) {
    const other = await it.grants(['apply', 'plan.json', ...more]);
    ended(other, 2);
    assert.match(other.stderr, new RegExp(`${more[0]}: a plan's file is applied as it was reviewed; hint: give ${more[0]} to`));
  }
  await it.setAccess('sales', (access) => [...access, reader('console@x.com')]);
  const refused = await it.grants(['apply', 'plan.json']);
  ended(refused, 1);
  assert.match(refused.stderr, /changed since the plan was made: sales; hint: plan again, and review it/);
  assert.ok(!has(await it.access('sales'), 'a@x.com'));
  it.csv('slaes,user:a@x.com,readr,,\nproject,user:a@x.com,reader,,\n');
  const wrong = await it.grants(['plan']);
  ended(wrong, 1);
  assert.match(wrong.stderr, /grants.csv:2:20: error: expected reader.*\n.*grants.csv:3:1: error: .*nothing is granted at project level/);
});

test('what hakobu writes is its user\'s alone, also where an earlier version left it open', async (t) => {
  const it = await team(t, { sales: [] });
  it.csv('sales,user:a@x.com,reader,,\n');
  ended(await it.grants(['plan', '--out', 'plan.json']), 2);
  const mode = (name) => (statSync(it.path(name)).mode & 0o777).toString(8);
  assert.equal(mode('plan.json'), '600');
  assert.equal(mode('ledger.db'), '600');
  chmodSync(it.path('ledger.db'), 0o644);
  ended(await it.grants(['plan']), 2);
  for (const name of ['ledger.db', 'ledger.db-wal', 'ledger.db-shm']) {
    if (existsSync(it.path(name))) assert.equal(mode(name), '600', name);
  }
});

test('an edited plan is refused before anything is asked of BigQuery', async (t) => {
  const it = await team(t, { sales: [] });
  it.csv('sales,user:a@x.com,reader,,\n');
  ended(await it.grants(['plan', '--out', 'plan.json']), 2);
  const plan = readFileSync(it.path('plan.json'), 'utf8');
  const edits = {
    'expected the entry of reader user:a@x.com, found that of owner user:eve@x.com': (file) => {
      file.targets[0].changes[0].entry = JSON.stringify({ role: 'OWNER', userByEmail: 'eve@x.com' });
    },
    'public access is never granted': (file) => {
      Object.assign(file.targets[0].changes[0], { member: 'allUsers', entry: JSON.stringify({ role: 'READER', specialGroup: 'allUsers' }) });
    },
    'the plan adds what no line states:\\n  sales: reader user:b@x.com': (file) => {
      Object.assign(file.targets[0].changes[0], { member: 'user:b@x.com', entry: JSON.stringify({ role: 'READER', userByEmail: 'b@x.com' }) });
    },
  };
  for (const [expected, edit] of Object.entries(edits)) {
    const file = JSON.parse(plan);
    edit(file);
    writeFileSync(it.path('edited.json'), JSON.stringify(file));
    const refused = await it.grants(['apply', 'edited.json', '--yes']);
    ended(refused, 2);
    assert.match(refused.stderr, new RegExp(expected));
  }
  assert.deepEqual((await it.access('sales')).map((entry) => entry.userByEmail ?? entry.specialGroup), ['projectOwners']);
  const applied = await it.grants(['apply', 'plan.json']);
  ended(applied, 0);
  assert.match(applied.stderr, /^  \+ reader user:a@x.com/m, 'what is applied is shown');
});

test('unmanaged grants stay, prune takes them, and the guards hold', async (t) => {
  const it = await team(t, { sales: [reader('old@x.com')] });
  await it.client.createDataset('alone', { access: [{ role: 'OWNER', userByEmail: 'boss@x.com' }] });
  const many = Array.from({ length: 60 }, (unused, at) => reader(`u${at}@x.com`));
  await it.client.createDataset('many', { access: [owners, ...many] });
  it.csv('sales,user:me@x.com,owner,,\n');
  assert.match(ended(await it.grants(['plan']), 2), /\? reader user:old@x.com {2}# unmanaged/);
  ended(await it.grants(['apply', '--yes']), 0);
  assert.ok(has(await it.access('sales'), 'old@x.com'));

  const unasked = await it.grants(['apply', '--prune', '--max-removals', '100', '--max-removed-share', '1']);
  ended(unasked, 2);
  assert.match(unasked.stderr, /nobody is there to confirm; hint: give --yes/);
  const tooMany = await it.grants(['apply', '--prune', '--yes']);
  ended(tooMany, 4);
  assert.match(tooMany.stderr, /the plan removes 61 grants, allowed are 50/);
  assert.equal((await it.access('many')).length, 61);

  it.csv('');
  const args = ['--caller', 'user:me@x.com', 'apply', '--prune', '--yes', '--max-removals', '100', '--max-removed-share', '1'];
  ended(await it.grants(args), 0);
  assert.ok(!has(await it.access('sales'), 'old@x.com'));
  assert.ok(has(await it.access('sales'), 'me@x.com'), "the caller's own access");
  assert.ok(has(await it.access('alone'), 'boss@x.com'), 'the last owner');
  assert.equal((await it.access('many')).length, 1);
  assert.match(ended(await it.grants(['--caller', 'user:me@x.com', 'plan', '--prune']), 0),
    /! keep owner user:boss@x.com: nobody would own the dataset/);
});

test('members that no longer exist are reported and cleaned; --only-add removes nothing, not even those', async (t) => {
  const gone = { role: 'READER', iamMember: 'deleted:user:gone@x.com?uid=17' };
  const it = await team(t, { sales: [gone, reader('left@x.com')] });
  it.csv('sales,user:left@x.com,reader,,\n');
  ended(await it.grants(['apply', '--only-add', '--yes']), 0);
  it.csv('sales,user:new@x.com,reader,,\n');
  ended(await it.grants(['apply', '--only-add', '--yes']), 0);
  let access = await it.access('sales');
  assert.ok(has(access, 'left@x.com') && has(access, 'new@x.com') && access.some((entry) => entry.iamMember === gone.iamMember), JSON.stringify(access));
  assert.match(ended(await it.grants(['plan']), 2), /- reader deleted:user:gone@x\.com\S* {2}# the account was deleted/);
  ended(await it.grants(['apply', '--yes']), 0);
  access = await it.access('sales');
  assert.ok(!access.some((entry) => entry.iamMember) && !has(access, 'left@x.com') && has(access, 'new@x.com'), JSON.stringify(access));
});

test('with `expiry: remove` the grant has no condition, and the apply after its end takes it', async (t) => {
  const it = await team(t, { sales: [] });
  writeFileSync(it.path('grants.yaml'), 'expiry: remove\n');
  const end = new Date(Date.now() + 3000);
  it.csv(`sales,user:a@x.com,reader,${end.toISOString().slice(0, 19)}Z,\n`);
  ended(await it.grants(['apply', '--yes']), 0);
  assert.deepEqual((await it.access('sales')).find((entry) => entry.userByEmail === 'a@x.com'), reader('a@x.com'));
  await new Promise((resolve) => setTimeout(resolve, end - Date.now() + 100));
  assert.match(ended(await it.grants(['plan']), 2), /- reader user:a@x\.com {2}# \S*grants\.csv:2 has expired/);
  ended(await it.grants(['apply', '--yes']), 0);
  assert.ok(!has(await it.access('sales'), 'a@x.com'));
});

test('a share too large is refused; a caller with access until a time keeps it; import writes over nothing', async (t) => {
  const it = await team(t, { sales: Array.from({ length: 10 }, (unused, at) => reader(`u${at}@x.com`)) });
  it.csv('sales,user:me@x.com,writer,2099-01-01,\n');
  ended(await it.grants(['apply', '--yes']), 0);
  it.csv('');
  const share = await it.grants(['apply', '--prune', '--yes', '--max-removals', '100']);
  ended(share, 4);
  assert.match(share.stderr, /the plan removes \d+ % of all grants \(11 of 12\), allowed are 30 %; hint: look at the plan/);
  assert.match(ended(await it.grants(['--caller', 'user:me@x.com', 'plan']), 0), /! keep writer user:me@x\.com until 2099-01-02T00:00:00Z: it is the caller's own access/);
  const twice = await it.grants(['import', '--out', 'grants.csv']);
  ended(twice, 2);
  assert.match(twice.stderr, /grants\.csv is there already; hint: --force writes over it/);
  ended(await it.grants(['import', '--out', 'grants.csv', '--force']), 0);
  assert.match(readFileSync(it.path('grants.csv'), 'utf8'), /u9@x\.com/);
});

test('a dataset that is gone is named, and log has commit and plan', async (t) => {
  const it = await team(t, { one: [], two: [], three: [] });
  const git = (...args) => execFileSync('git', ['-c', 'user.name=t', '-c', 'user.email=t@x.com', ...args], { cwd: it.folder, encoding: 'utf8' }).trim();
  it.csv('*,user:a@x.com,reader,,\n');
  git('init', '-q');
  git('add', 'grants.csv');
  git('commit', '-qm', 'lines');
  ended(await it.grants(['plan', '--out', 'plan.json']), 2);
  await it.client.dataset('two').delete({ force: true });
  const gone = await it.grants(['apply', 'plan.json']);
  ended(gone, 1);
  assert.match(gone.stderr, /two: .*[Nn]ot found.*; hint: plan again, and review it/);
  ended(await it.grants(['apply', '--yes']), 0);
  const [last] = JSON.parse(ended(await it.grants(['log', '--json']), 0)).applies;
  assert.equal(last.commit, git('rev-parse', 'HEAD'));
  assert.deepEqual(last.plan.targets.map((target) => [target.target, target.changes.length]), [['one', 1], ['three', 1]]);
  // A worktree of the repository is at a commit too.
  git('worktree', 'add', '-q', '-b', 'other', it.path('tree'));
  writeFileSync(it.path('tree/grants.csv'), `${header}one,user:b@x.com,reader,,\n`);
  const plan = JSON.parse(ended(await it.grants(['--csv', 'tree/grants.csv', 'plan', '--only-add', '--format', 'json']), 2));
  assert.equal(plan.commit, last.commit);
});

test('killed at each step, the next plan is right', async (t) => {
  for (const step of ['grants.before_write', 'grants.after_write', 'grants.after_record', 'grants.after_write:2', 'grants.after_record:2']) {
    const it = await team(t, { one: [], two: [], three: [] });
    it.csv('*,user:a@x.com,reader,,\n');
    const killed = await it.grants(['--parallel', '1', 'apply', '--yes'], { HAKOBU_CRASH_AT: step });
    assert.equal(killed.signal, 'SIGKILL', `${step}: ${killed.stderr}`);
    const states = await Promise.all(['one', 'two', 'three'].map(it.access));
    const missing = states.filter((access) => !has(access, 'a@x.com')).length;
    const plan = JSON.parse(ended(await it.grants(['plan', '--format', 'json']), missing > 0 ? 2 : 0));
    assert.equal(plan.additions, missing, step);
    it.csv('');  // what the killed apply made is hakobu's to remove
    assert.equal(JSON.parse((await it.grants(['plan', '--format', 'json'])).stdout).removals, 3 - missing, step);
    ended(await it.grants(['apply', '--yes']), 0);
    for (const id of ['one', 'two', 'three']) assert.ok(!has(await it.access(id), 'a@x.com'), `${step} ${id}`);
  }
});

test('drift is shown, adopted and revoked; who, what, explain and export answer', async (t) => {
  const it = await team(t, { sales: [], tenant_a: [{ role: 'READER', specialGroup: 'projectReaders' }] });
  it.csv('sales,user:ann@x.com,reader,,monthly report\ntenant_*,group:team@x.com,reader,,\n');
  ended(await it.grants(['apply', '--yes']), 0);
  assert.equal(ended(await it.grants(['drift']), 0), 'no drift\n');
  await it.setAccess('sales', (access) => [...access.filter((entry) => entry.userByEmail !== 'ann@x.com'), reader('eve@x.com'), reader('bob@x.com')]);
  writeFileSync(it.path('audit.json'), JSON.stringify([{ timestamp: '2099-01-01T00:00:00Z', protoPayload: {
    authenticationInfo: { principalEmail: 'root@x.com' }, resourceName: `projects/${project}/datasets/sales`,
    metadata: { datasetChange: { bindingDeltas: [{ action: 'ADD', member: 'user:eve@x.com', role: 'roles/bigquery.dataViewer' }] } } } }]));
  const drift = ended(await it.grants(['--audit-log', 'audit.json', 'drift']), 2);
  assert.match(drift, /^sales \(since apply 1 of /m);
  assert.match(drift, /- reader user:ann@x.com/);
  assert.match(drift, /\+ reader user:eve@x.com {2}# root@x.com at 2099-01-01T00:00:00Z/);
  assert.match(ended(await it.grants(['--audit-log', 'audit.json', 'who', 'sales']), 0), /reader user:eve@x.com {2}# outside of hakobu, by root@x.com at 2099-01-01T00:00:00Z/);
  ended(await it.grants(['revoke', 'sales', 'user:eve@x.com', '--yes']), 0);
  assert.ok(!has(await it.access('sales'), 'eve@x.com'));
  assert.ok(!has(await it.access('sales'), 'ann@x.com'), 'revoking one line undoes no other');

  const who = ended(await it.grants(['who', 'tenant_a']), 0);
  assert.match(who, /tenant_a {2}reader group:team@x.com \(its members\) {2}# grants.csv:3/);
  assert.match(who, /projectReaders \(its members\) {2}# everybody with roles\/viewer on the project/);
  const what = ended(await it.grants(['what', 'user:bob@x.com', '--group', 'group:team@x.com']), 0);
  assert.match(what, /sales {2}reader user:bob@x.com {2}# outside of hakobu/);
  assert.match(what, /tenant_a {2}reader group:team@x.com {2}# grants.csv:3/);
  assert.match(what, /tenant_a {2}reader projectReaders \(its members\) {2}# everybody with roles\/viewer on the project/);
  assert.match(ended(await it.grants(['explain']), 0), /--role=roles\/bigquery.jobUser --member=group:team@x.com/);
  const terraform = JSON.parse(ended(await it.grants(['export', '--terraform']), 0));
  const resources = Object.values(terraform.resource.google_bigquery_dataset_iam_member);
  assert.deepEqual(resources.map(({ dataset_id, role, member }) => [dataset_id, role, member]).sort(),
    [['sales', 'roles/bigquery.dataViewer', 'user:ann@x.com'], ['tenant_a', 'roles/bigquery.dataViewer', 'group:team@x.com']]);
  assert.deepEqual(terraform.import.map(({ id }) => id), [`projects/${project}/datasets/tenant_a roles/bigquery.dataViewer group:team@x.com`]);
});

test('drift adopted becomes a line, or takes one away', async (t) => {
  const it = await team(t, { sales: [] });
  it.csv('sales,user:ann@x.com,reader,,\n');
  ended(await it.grants(['apply', '--yes']), 0);
  await it.setAccess('sales', () => [owners, reader('bob@x.com')]);
  ended(await it.grants(['adopt', 'sales', 'user:bob@x.com', '--reason', 'asked for it']), 0);
  ended(await it.grants(['adopt', 'sales', 'user:ann@x.com']), 0);
  assert.equal(readFileSync(it.path('grants.csv'), 'utf8'), `${header}sales,user:bob@x.com,reader,,asked for it\n`);
  ended(await it.grants(['plan']), 0);
  ended(await it.grants(['apply', '--yes']), 0);
  assert.equal(ended(await it.grants(['drift']), 0), 'no drift\n');
});

test('a table has lines of its own', async (t) => {
  const it = await team(t, { sales: [] });
  await it.client.dataset('sales').createTable('orders', { schema: [{ name: 'id', type: 'INTEGER' }] });
  it.csv('sales.orders,user:a@x.com,reader,,\n');
  ended(await it.grants(['apply', '--yes']), 0);
  const policy = async () => (await it.client.dataset('sales').table('orders').getIamPolicy())[0].bindings ?? [];
  assert.deepEqual(await policy(), [{ role: 'roles/bigquery.dataViewer', members: ['user:a@x.com'] }]);
  it.csv('');
  ended(await it.grants(['apply', '--yes']), 0);
  assert.deepEqual(await policy(), []);
});

test('two applies and a console race; nobody loses a change', async (t) => {
  const it = await team(t);
  const seeds = Number(process.env.HAKOBU_GRANTS_SEEDS ?? 100);
  let conflicts = 0;
  for (let seed = 1; seed <= seeds; ++seed) {
    const ids = [`s${seed}_one`, `s${seed}_two`];
    for (const id of ids) await it.client.createDataset(id, { access: [owners, reader('taken@x.com')] });
    for (const who of ['a', 'b']) {
      writeFileSync(it.path(`${who}.yaml`), `files: [${who}.csv]\ndatasets: [s${seed}_*]\n`);
      writeFileSync(it.path(`${who}.csv`), `${header}s${seed}_*,user:${who}@x.com,reader,,\ns${seed}_*,user:both@x.com,writer,,\n`);
    }
    const apply = (who) => it.grants(['--settings', `${who}.yaml`, 'apply', '--yes'], {}, `${who}.db`);
    const console_ = async () => {
      for (let step = 0; step < 4; ++step) {
        const id = ids[(seed + step) % 2];
        await it.setAccess(id, (access) => [...access.filter((entry) => entry.userByEmail !== 'taken@x.com'), reader(`c${step}@x.com`)]);
      }
    };
    const [a, b] = await Promise.all([apply('a'), apply('b'), console_()]);
    for (const result of [a, b]) {
      ended(result, 0);
      conflicts += (result.stdout.match(/planned again/g) ?? []).length;
    }
    for (const [at, id] of ids.entries()) {
      const steps = [0, 1, 2, 3].filter((step) => (seed + step) % 2 === at);
      const expected = ['a@x.com', 'b@x.com', 'both@x.com', ...steps.map((step) => `c${step}@x.com`)].sort();
      const access = await it.access(id);
      assert.deepEqual(access.flatMap((entry) => entry.userByEmail ?? []).sort(), expected, `seed ${seed} ${id}`);
      assert.deepEqual(access[0], owners);
    }
  }
  t.diagnostic(`${seeds} seeds, ${conflicts} datasets planned again`);
});
