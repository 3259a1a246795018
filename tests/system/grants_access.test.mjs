// `hakobu grants` where BigQuery asks who is calling: a line lets a member read, and its removal ends that; seen by Google's
// own client as two identities. And what the real server, or one between, makes of the rest of its promises.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { test } from 'node:test';
import { tableFromIPC } from 'apache-arrow';
import { bigqueryClient, project, readClient } from '../harness/clients.mjs';
import { company, loader, owner, startWithIdentities } from '../harness/identities.mjs';
import { hakobu, privateFolder, root, run, startBigquery } from '../harness/servers.mjs';

const header = 'dataset,member,role,expires,reason\n';
const projectOwners = { role: 'OWNER', specialGroup: 'projectOwners' };
function ended(result, code) {
  assert.equal(result.code, code, `exit ${result.code} ${result.signal}\n${result.stdout}\n${result.stderr}`);
  return result.stdout;
}

function workplace(t, server) {
  const folder = privateFolder('grants-access');
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const path = (name) => join(folder, name);
  return { folder, path, csv: (text) => writeFileSync(path('grants.csv'), header + text),
    grants: (args, { token, endpoint = server.endpoint, env = {} } = {}) =>
      run(['grants', '--project', project, '--endpoint', endpoint, '--ledger', path('ledger.db'), ...args],
        { cwd: folder, env: { ...env, ...(token ? { GOOGLE_OAUTH_ACCESS_TOKEN: token } : {}) } }) };
}

async function doors(server, client, token) {
  const table = client.dataset('sales').table('orders');
  const read = readClient(server, { token });
  const storage = async () => {
    const [session] = await read.createReadSession({ parent: `projects/${project}`,
      readSession: { table: `projects/${project}/datasets/sales/tables/orders`, dataFormat: 'ARROW' } });
    const parts = [session.arrowSchema.serializedSchema];
    for await (const response of read.readRows({ readStream: session.streams[0].name })) parts.push(response.arrowRecordBatch.serializedRecordBatch);
    return [...tableFromIPC(Buffer.concat(parts))].map((row) => Number(row.id)).sort();
  };
  const outcome = (promise, code) => promise.then((ids) => ids, (error) => { assert.equal(error.code, code, error.message); return 'denied'; });
  try {
    return [await outcome(client.query('SELECT id FROM sales.orders ORDER BY id').then(([rows]) => rows.map((row) => row.id)), 403),
      await outcome(table.getRows().then(([rows]) => rows.map((row) => row.id).sort()), 403), await outcome(storage(), 7)];
  } finally {
    await read.close();
  }
}
const shut = ['denied', 'denied', 'denied'];
const open = [[1, 2], [1, 2], [1, 2]];

test('a member cannot read; the line is applied: it can; the line is removed: it cannot', async (t) => {
  const server = await startWithIdentities(t);
  const boss = bigqueryClient(server, { token: 'owner-token' });
  await boss.createDataset('sales');
  const [table] = await boss.dataset('sales').createTable('orders', { schema: [{ name: 'id', type: 'INTEGER' }] });
  await table.insert([{ id: 1 }, { id: 2 }]);
  const ana = bigqueryClient(server, { token: 'ana-token' }), bob = bigqueryClient(server, { token: 'bob-token' });
  const it = workplace(t, server);
  // As a service account, with its key file, as a job of a company would.
  writeFileSync(it.path('hakobu.yaml'), JSON.stringify({ source: { host: 'h', user: 'u' }, tables: [{ table: 'a.b' }],
    destination: { project, dataset: 'sales', rest_address: server.endpoint, grpc_address: `127.0.0.1:${server.grpcPort}`,
      credentials: { type: 'file', file: server.keyFile(owner) } }, ledger: it.path('ledger.db') }));
  const apply = async (lines) => {
    it.csv(lines);
    ended(await run(['-c', it.path('hakobu.yaml'), 'grants', 'apply', '--yes', '--reason', 'asked'], { cwd: it.folder }), 0);
  };
  assert.deepEqual(await doors(server, ana, 'ana-token'), shut);
  await apply('sales,user:ana@example.com,reader,,monthly report\n');
  assert.deepEqual(await doors(server, ana, 'ana-token'), open);
  assert.deepEqual(await doors(server, bob, 'bob-token'), shut);
  await apply('');
  assert.deepEqual(await doors(server, ana, 'ana-token'), shut);
  await apply('sales.orders,group:everyone@example.com,reader,,\n');
  assert.deepEqual(await doors(server, ana, 'ana-token'), open);
  await apply(`sales,user:ana@example.com,reader,${new Date(Date.now() + 2000).toISOString().slice(0, 19)}Z,two seconds\n`);
  assert.deepEqual((await doors(server, ana, 'ana-token'))[0], [1, 2]);
  await new Promise((resolve) => setTimeout(resolve, 3000));
  assert.deepEqual(await doors(server, ana, 'ana-token'), shut);
  const log = JSON.parse(ended(await it.grants(['log', '--json'], { token: 'owner-token' }), 0)).applies;
  assert.deepEqual([...new Set(log.map((one) => one.caller))], [`serviceAccount:${owner}`]);
});

test('who the caller is comes from the token, and that access is kept', async (t) => {
  const server = await startWithIdentities(t, { ...company, projects: { [project]: { ...company.projects[project],
    'roles/bigquery.admin': ['user:ana@example.com'] } } });
  const boss = bigqueryClient(server, { token: 'owner-token' });
  await boss.createDataset('sales', { access: [projectOwners, { role: 'OWNER', userByEmail: owner }, { role: 'WRITER', userByEmail: 'ana@example.com' },
    { role: 'READER', userByEmail: 'bob@other.com' }] });
  const it = workplace(t, server);
  it.csv('');
  const prune = ['apply', '--prune', '--yes', '--max-removals', '100', '--max-removed-share', '1'];
  const typed = await it.grants(['--caller', 'user:somebody@example.com', ...prune], { token: 'ana-token' });
  ended(typed, 2);
  assert.match(typed.stderr, /--caller: expected user:ana@example.com, whose credentials these are, found user:somebody@example.com/);
  const done = await it.grants(prune, { token: 'ana-token' });
  assert.match(done.stderr, /! keep writer user:ana@example.com: it is the caller's own access/);
  const emails = (await boss.dataset('sales').getMetadata())[0].access.flatMap((entry) => entry.userByEmail ?? []);
  assert.deepEqual(emails, ['ana@example.com']);
  await it.grants(prune, { token: 'owner-token' });
  assert.deepEqual((await boss.dataset('sales').getMetadata())[0].access, [projectOwners]);
  const refused = await it.grants(['plan'], { token: 'nobody' });
  ended(refused, 1);
  assert.match(refused.stderr, /invalid authentication credentials/);
});

test('an identity that does not own the dataset changes nothing', async (t) => {
  const server = await startWithIdentities(t);
  const boss = bigqueryClient(server, { token: 'owner-token' });
  await boss.createDataset('sales', { access: [projectOwners, { role: 'WRITER', userByEmail: loader }] });
  const [before] = await boss.dataset('sales').getMetadata();
  const it = workplace(t, server);
  it.csv('sales,user:ana@example.com,reader,,\n');
  ended(await it.grants(['plan'], { token: 'loader-token' }), 2);
  const refused = await it.grants(['apply', '--yes'], { token: 'loader-token' });
  ended(refused, 1);
  assert.match(refused.stdout + refused.stderr, /Permission bigquery\.datasets\.update denied on dataset/);
  assert.equal((await boss.dataset('sales').getMetadata())[0].etag, before.etag);
});

// A server between, which may change what passes: `answer(text, request)` and `ask(text, request)`, and a refusal.
async function between(t, server, { answer = (text) => text, ask = (text) => text, refuse = () => undefined }) {
  const proxy = createServer(async (request, response) => {
    let body = '';
    request.setEncoding('utf8');
    for await (const chunk of request) body += chunk;
    const refusal = refuse(request, body);
    if (refusal) return response.writeHead(refusal.code, { 'content-type': 'application/json' }).end(JSON.stringify({ error: refusal }));
    const headers = { ...request.headers };
    for (const name of ['host', 'connection', 'content-length', 'accept-encoding']) delete headers[name];
    const result = await fetch(server.endpoint + request.url, { method: request.method, headers, ...(body ? { body: ask(body, request) } : {}) });
    const text = answer(await result.text(), request);
    response.writeHead(result.status, { 'content-type': 'application/json', etag: result.headers.get('etag') ?? '' }).end(text);
  });
  await new Promise((resolve) => proxy.listen(0, '127.0.0.1', resolve));
  t.after(() => { proxy.closeAllConnections(); proxy.close(); });
  return `http://127.0.0.1:${proxy.address().port}`;
}

test('entries of kinds that do not exist yet, and fields nobody knows, survive byte for byte', async (t) => {
  const server = await startBigquery({ test: t });
  const client = bigqueryClient(server);
  const known = { role: 'READER', userByEmail: 'theirs@x.com', reviewedBy: { ticket: 17, at: 1.5 } };
  const routine = { routine: { projectId: project, datasetId: 'fns', routineId: 'f' } };
  const shared = { dataset: { dataset: { projectId: project, datasetId: 'views' }, targetTypes: ['VIEWS'] } };
  await client.createDataset('sales', { access: [projectOwners, known, routine, shared] });
  // As a BigQuery of some later year writes it: number, escape and blanks that a parser would not give back.
  const future = '{ "agent":{"id":1.50e2,"name":"\\u00e9\\/x"} ,"role":"roles/of.tomorrow","since" : "2031" }';
  const sent = [];
  const endpoint = await between(t, server, {
    answer: (text, request) => request.method === 'GET' && request.url.includes('/datasets/sales') ? text.replace('"access":[', `"access":[${future},`) : text,
    ask: (body, request) => {
      if (request.method !== 'PATCH') return body;
      sent.push(body);
      assert.ok(body.includes(future), body);
      return body.replace(`${future},`, '').replace(`,${future}`, '');
    } });
  const it = workplace(t, server);
  for (const lines of ['sales,user:a@x.com,reader,,\n', 'sales,user:b@x.com,writer,,\n', '']) {
    it.csv(lines);
    ended(await it.grants(['apply', '--prune', '--yes', '--max-removals', '9', '--max-removed-share', '1'], { endpoint }), 0);
  }
  assert.equal(sent.length, 3);
  for (const entry of [known, routine, shared]) {
    for (const body of sent) assert.ok(JSON.parse(body).access.some((one) => JSON.stringify(one) === JSON.stringify(sorted(entry))), `${JSON.stringify(entry)} in ${body}`);
  }
  const [metadata] = await client.dataset('sales').getMetadata();
  assert.deepEqual(metadata.access, [projectOwners, known, routine, shared]);
});

// The local server writes an object's keys in this order.
function sorted(value) {
  if (Array.isArray(value)) return value.map(sorted);
  if (value === null || typeof value !== 'object') return value;
  return Object.fromEntries(Object.keys(value).sort().map((key) => [key, sorted(value[key])]));
}

test('no dataset is written more than 5 times in 10 seconds, whatever happens', async (t) => {
  const server = await startBigquery({ test: t });
  await bigqueryClient(server).createDataset('sales', { access: [projectOwners] });
  await fetch(`${server.endpoint}/hakobu/v1/faults`, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ quotas: 'real' }) });
  const writes = [];
  const endpoint = await between(t, server, { refuse: (request) => {
    if (request.method !== 'PATCH') return undefined;
    writes.push(Date.now());
    if (writes.length > 7) return undefined;
    return { code: 412, message: 'Precondition check failed.', status: 'FAILED_PRECONDITION', errors: [{ reason: 'conditionNotMet', message: 'Precondition check failed.' }] };
  } });
  const it = workplace(t, server);
  it.csv('sales,user:a@x.com,reader,,\n');
  ended(await it.grants(['apply', '--yes'], { endpoint }), 0);
  assert.equal(writes.length, 8);
  for (const at of writes) {
    const within = writes.filter((other) => other >= at && other < at + 9900).length;
    assert.ok(within <= 5, `${within} writes in 10 s: ${writes.map((one) => one - writes[0])}`);
  }
  // Six programs after another know nothing of each other: the server refuses, and they wait for it.
  for (let line = 0; line < 6; ++line) {
    it.csv(Array.from({ length: line + 1 }, (unused, who) => `sales,user:u${who}@x.com,reader,,\n`).join(''));
    ended(await it.grants(['apply', '--yes']), 0);
  }
  const faults = await (await fetch(`${server.endpoint}/hakobu/v1/faults`)).json();
  t.diagnostic(JSON.stringify(faults.quotas));
  assert.equal((await bigqueryClient(server).dataset('sales').getMetadata())[0].access.filter((entry) => entry.userByEmail).length, 6);
});

test('one dataset that refuses its write stops no other, and the account says which and why', async (t) => {
  const server = await startBigquery({ test: t });
  const client = bigqueryClient(server);
  for (const id of ['one', 'three', 'two']) await client.createDataset(id, { access: [projectOwners] });
  const endpoint = await between(t, server, { refuse: (request) => request.method === 'PATCH' && request.url.includes('/datasets/three')
    ? { code: 400, message: 'IAM setPolicy failed for Dataset three: User gone@x.com does not exist.', status: 'INVALID_ARGUMENT',
      errors: [{ reason: 'invalid', message: 'IAM setPolicy failed for Dataset three: User gone@x.com does not exist.' }] } : undefined });
  const it = workplace(t, server);
  it.csv('*,user:a@x.com,reader,,\n');
  const result = await it.grants(['--parallel', '1', 'apply', '--yes'], { endpoint });
  ended(result, 1);
  assert.match(result.stdout, /one: applied, 1 added, 0 removed\n[^]*three: failed.*User gone@x\.com does not exist[^]*apply 1: 2 applied, 0 unchanged, 0 refused, 1 failed/);
  const readers = async (id) => (await client.dataset(id).getMetadata())[0].access.filter((entry) => entry.userByEmail).length;
  assert.deepEqual(await Promise.all(['one', 'three', 'two'].map(readers)), [1, 0, 1]);
  const [apply] = JSON.parse(ended(await it.grants(['log', '--json']), 0)).applies;
  assert.equal(apply.state, 'failed');
  assert.match(apply.targets.find((target) => target.target === 'three').error, /does not exist/);
  assert.equal(JSON.parse(ended(await it.grants(['plan', '--format', 'json']), 2)).additions, 1);
});

// As the provider's documentation has the two resources (terraform-provider-google, bigquery_dataset_iam and
// bigquery_table_iam): required and known arguments, and what an import id is made of.
const resources = {
  google_bigquery_dataset_iam_member: { required: ['dataset_id', 'member', 'role'], optional: ['project', 'condition'],
    id: (r) => `projects/${r.project}/datasets/${r.dataset_id} ${r.role} ${r.member}` },
  google_bigquery_table_iam_member: { required: ['dataset_id', 'table_id', 'member', 'role'], optional: ['project', 'condition'],
    id: (r) => `projects/${r.project}/datasets/${r.dataset_id}/tables/${r.table_id} ${r.role} ${r.member}` },
};

test('the Terraform export is made of resources that the provider documents', async (t) => {
  const server = await startBigquery({ test: t });
  const client = bigqueryClient(server);
  await client.createDataset('sales', { access: [projectOwners] });
  await client.dataset('sales').createTable('orders', { schema: [{ name: 'id', type: 'INTEGER' }] });
  const it = workplace(t, server);
  it.csv('sales,user:a@x.com,reader,,\nsales,group:g@x.com,writer,,\nsales,serviceAccount:s@p.iam.gserviceaccount.com,owner,,\n' +
    'sales,domain:x.com,roles/bigquery.metadataViewer,,\nsales,user:late@x.com,reader,2099-01-01,\n' +
    'sales,principal://iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/p/subject/s,reader,,\nsales.orders,user:t@x.com,reader,,\n');
  ended(await it.grants(['apply', '--yes']), 0);
  it.csv(readFileSync(it.path('grants.csv'), 'utf8').slice(header.length) + 'sales,user:new@x.com,reader,,\n');
  const document = JSON.parse(ended(await it.grants(['export', '--terraform']), 0));
  assert.deepEqual(Object.keys(document).sort(), ['import', 'resource']);
  const addresses = new Map();
  for (const [type, instances] of Object.entries(document.resource)) {
    const schema = resources[type];
    assert.ok(schema, `unknown resource type ${type}`);
    for (const [name, instance] of Object.entries(instances)) {
      assert.match(name, /^[A-Za-z_][A-Za-z0-9_-]*$/);
      for (const key of schema.required) assert.equal(typeof instance[key], 'string', `${type}.${name}.${key}`);
      for (const key of Object.keys(instance)) assert.ok([...schema.required, ...schema.optional].includes(key), `${type}.${name} has ${key}`);
      assert.match(instance.role, /^roles\/bigquery\.[A-Za-z]+$/);
      assert.match(instance.member, /^(user:|group:|serviceAccount:|domain:|principal:\/\/|principalSet:\/\/)\S+$/);
      if (instance.condition) {
        assert.deepEqual(Object.keys(instance.condition).filter((key) => !['title', 'expression', 'description'].includes(key)), []);
        assert.ok(instance.condition.title && instance.condition.expression);
      }
      addresses.set(`${type}.${name}`, schema.id(instance) + (instance.condition ? ` ${instance.condition.title}` : ''));
    }
  }
  assert.equal(addresses.size, 8);
  assert.equal(document.import.length, 7, 'what is there already is imported, what is new is not');
  for (const block of document.import) {
    assert.deepEqual(Object.keys(block).sort(), ['id', 'to']);
    assert.equal(block.id, addresses.get(block.to), block.to);
  }
  assert.ok(!document.import.some(({ id }) => id.includes('new@x.com')));
});

// The steps of the workflow that the page gives: { name, run, if, env }, env as [name, expression].
function stepsOf(workflow) {
  const steps = [];
  for (const part of workflow.split(/^ {6}- /m).slice(1)) {
    const lines = part.split('\n').map((line, at) => (at === 0 ? line : line.slice(8)));
    const field = (name) => lines.find((line) => line.startsWith(`${name}:`))?.slice(name.length + 1).trim();
    let script = field('run');
    if (script === '|') {
      const from = lines.findIndex((line) => line.startsWith('run:')) + 1;
      script = lines.slice(from).filter((line) => line.startsWith('  ')).map((line) => line.slice(2)).join('\n');
    }
    const env = [...part.matchAll(/^ {10}([A-Z_]+): \$\{\{ (.*?) \}\}$/gm)].map(([, name, expression]) => [name, expression]);
    steps.push({ name: field('name'), condition: field('if'), run: script, env });
  }
  return steps;
}

test('the GitHub Actions example plans a pull request and applies it after the merge', async (t) => {
  const page = readFileSync(join(root, 'docs/permissions.md'), 'utf8');
  const [, file] = /\]\(\.\.\/(examples\/grants\/github-actions\.yml)\)/.exec(page);
  const steps = stepsOf(readFileSync(join(root, file), 'utf8')).filter((step) => step.run);
  assert.deepEqual(steps.map((step) => step.name),
    ['The lines as they were', 'Plan', 'Show the plan in the pull request',
      'The lines before the merge', 'Plan what is applied', 'Apply what was planned']);
  // Nothing that an event brings stands in a script, where a shell would read it.
  for (const step of steps) assert.doesNotMatch(step.run, /\$\{\{/);
  const [planJob, applyJob] = readFileSync(join(root, file), 'utf8').split(/^ {2}apply:$/m);
  assert.doesNotMatch(planJob, /APPLIER/, 'a pull request never sees the identity that applies');
  assert.match(planJob, /if: github\.event_name == 'pull_request'/);
  assert.match(applyJob, /if: github\.event_name != 'pull_request' && github\.ref == 'refs\/heads\/main'\n {4}environment: grants/);
  const server = await startWithIdentities(t);
  const boss = bigqueryClient(server, { token: 'owner-token' });
  await boss.createDataset('sales', { access: [projectOwners, { role: 'READER', userByEmail: 'leaves@x.com' }, { role: 'READER', userByEmail: 'console@x.com' }] });
  const folder = privateFolder('workflow');
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const bin = join(folder, 'bin'), repository = join(folder, 'repository');
  mkdirSync(bin);
  mkdirSync(repository);
  const program = (name, text) => { writeFileSync(join(bin, name), `#!/bin/sh\n${text}\n`); chmodSync(join(bin, name), 0o755); };
  program('hakobu', `shift; exec ${hakobu} grants --endpoint ${server.endpoint} "$@"`);
  program('gh', `printf '%s ' "$@" > ${folder}/gh.txt; cat plan.md >> ${folder}/gh.txt`);
  const git = (...args) => execFileSync('git', ['-c', 'user.name=t', '-c', 'user.email=t@x.com', ...args], { cwd: repository, encoding: 'utf8' }).trim();
  const commit = (lines) => { writeFileSync(join(repository, 'grants.csv'), header + lines); git('add', '.'); git('commit', '-qm', 'lines'); return git('rev-parse', 'HEAD'); };
  git('init', '-q');
  const before = commit('sales,user:leaves@x.com,reader,,\n');
  const after = commit('sales,user:comes@x.com,reader,,asked for\n');
  const runStep = async (name, values) => {
    const step = steps.find((one) => one.name === name);
    const env = {};
    for (const [variable, expression] of step.env) {
      const found = expression.split(' || ').map((part) => values[part] ?? /^'(.*)'$/.exec(part)?.[1]).find((value) => value);
      assert.notEqual(found, undefined, `${variable}: ${expression} has no value`);
      env[variable] = found;
    }
    return run(['-eo', 'pipefail', '-c', step.run], { command: 'bash', cwd: repository, env: { PATH: `${bin}:${process.env.PATH}`, ...env,
      GITHUB_STEP_SUMMARY: join(folder, 'summary.md'), GITHUB_OUTPUT: join(folder, 'output.txt') } });
  };
  const values = { 'vars.GRANTS_PROJECT': project, 'vars.GRANTS_APPLIER_ACCOUNT': owner, 'github.token': 'gh-token',
    'steps.auth.outputs.access_token': 'owner-token', 'github.event.number': '17', 'github.sha': after };
  const pull = { ...values, 'github.event.pull_request.base.sha': before };
  ended(await runStep('The lines as they were', pull), 0);
  assert.match(readFileSync(join(repository, 'was.csv'), 'utf8'), /leaves@x.com/);
  ended(await runStep('Plan', pull), 0);
  assert.match(readFileSync(join(folder, 'summary.md'), 'utf8'), /- reader user:leaves@x.com[^]*\+ reader user:comes@x.com/);
  ended(await runStep('Show the plan in the pull request', pull), 0);
  assert.match(readFileSync(join(folder, 'gh.txt'), 'utf8'), /^pr comment 17 --body-file plan\.md [^]*comes@x.com/);
  const emails = async () => (await boss.dataset('sales').getMetadata())[0].access.flatMap((entry) => entry.userByEmail ?? []).sort();
  assert.deepEqual(await emails(), ['console@x.com', 'leaves@x.com'], 'a pull request changes nothing');
  assert.equal(steps[5].condition, "steps.plan.outputs.code == '2'");

  const push = { ...values, 'github.event.before': before };
  ended(await runStep('The lines before the merge', push), 0);
  ended(await runStep('Plan what is applied', push), 0);
  assert.match(readFileSync(join(folder, 'output.txt'), 'utf8'), /^code=2$/m);
  ended(await runStep('Apply what was planned', push), 0);
  assert.deepEqual(await emails(), ['comes@x.com', 'console@x.com']);
  writeFileSync(join(repository, 'grants.csv'), `${header}sales,user:comes,reader,,\n`);
  assert.notEqual((await runStep('Plan what is applied', push)).code, 0, 'a wrong line fails the check');
});
