// What hakobu shows to whom on BigQuery's side, and what `check` finds out by trying.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:https';
import { join } from 'node:path';
import { test } from 'node:test';
import { project } from '../harness/clients.mjs';
import { call, loader, company, owner, startWithIdentities } from '../harness/identities.mjs';
import { freePort, privateFolder, run } from '../harness/servers.mjs';

// A configuration whose source nobody serves: only BigQuery's side is looked at.
async function configuration(t, destination, tables = [{ table: 'shop.members' }]) {
  const folder = privateFolder('trust');
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const file = join(folder, 'hakobu.yaml');
  writeFileSync(file, JSON.stringify({
    source: { host: '127.0.0.1', port: await freePort(), user: 'nobody', tls: { mode: 'off' }, connect_timeout: '1s' },
    destination: { project, dataset: 'shop', ...destination }, tables, ledger: join(folder, 'ledger.db'),
  }));
  return file;
}

async function check(file, env = {}) {
  const result = await run(['-c', file, '--json', 'check'], { env });
  const findings = result.stdout.startsWith('{') ? JSON.parse(result.stdout).findings ?? [] : [];
  return { ...result, findings: findings.filter(({ subject }) => subject === 'destination') };
}
const problems = ({ findings }) => findings.filter(({ level }) => level === 'problem');

// Answers every request with 404, behind a certificate that signs itself.
async function httpsServer(t, subjectAltName) {
  const folder = privateFolder('tls');
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const [key, cert] = [join(folder, 'key.pem'), join(folder, 'cert.pem')];
  execFileSync('openssl', ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '30', '-subj', '/CN=own',
    '-addext', `subjectAltName=${subjectAltName}`, '-keyout', key, '-out', cert], { stdio: 'ignore' });
  const seen = [];
  const server = createServer({ key: readFileSync(key), cert: readFileSync(cert) }, (request, response) => {
    seen.push(request.headers.authorization);
    response.writeHead(404, { 'content-type': 'application/json' });
    response.end('{"error":{"code":404,"message":"Not found: Dataset","errors":[{"reason":"notFound"}]}}');
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => server.close());
  return { cert, seen, address: `https://127.0.0.1:${server.address().port}` };
}

test('a server whose certificate is not trusted, or is of another name, is told nothing', async (t) => {
  const own = await httpsServer(t, 'IP:127.0.0.1');
  const other = await httpsServer(t, 'DNS:elsewhere.example');
  const to = ({ address }, ca) => configuration(t, { rest_address: address, grpc_address: address, credentials: { type: 'none' }, ...(ca ? { ca } : {}) });
  for (const [server, ca] of [[own, ''], [own, other.cert], [other, other.cert]]) {
    const refused = await check(await to(server, ca));
    assert.match(JSON.stringify(refused.findings), /certificate/i, refused.stdout + refused.stderr);
    assert.deepEqual(server.seen, []);
  }
  const trusted = await check(await to(own, own.cert));
  assert.match(JSON.stringify(trusted.findings), /dataset hakobu-test\.shop does not exist/, trusted.stdout + trusted.stderr);
  assert.ok(own.seen.length > 0);
});

test('addresses that would carry rows or tokens in the clear are refused before anything is sent', async (t) => {
  for (const [rest_address, grpc_address] of [
    ['http://127.0.0.1:1', 'remote.example:9060'], ['http://127.0.0.1:1', 'http://10.0.0.1:9060'],
    ['http://remote.example:1', '127.0.0.1:1'], ['https://me:secret-word@remote.example', '127.0.0.1:1'],
    ['http://127.0.0.1:1@remote.example', '127.0.0.1:1']]) {
    const result = await check(await configuration(t, { rest_address, grpc_address }));
    assert.equal(result.code, 2, result.stdout + result.stderr);
    assert.match(result.stderr, /destination\.(rest|grpc)_address/);
    assert.doesNotMatch(result.stdout + result.stderr, /secret-word/);
  }
});

test('GOOGLE_APPLICATION_CREDENTIALS is shown to a BigQuery of this machine when it comes from there, and only then', async (t) => {
  const bigquery = await startWithIdentities(t);
  await call(bigquery, 'POST', `/bigquery/v2/projects/${project}/datasets`, { token: 'owner-token',
    body: { datasetReference: { datasetId: 'shop' }, location: 'US', access: [{ role: 'OWNER', userByEmail: loader }] } });
  const file = await configuration(t, { rest_address: bigquery.endpoint, grpc_address: `127.0.0.1:${bigquery.grpcPort}` });
  const accepted = await check(file, { GOOGLE_APPLICATION_CREDENTIALS: bigquery.keyFile(loader) });
  assert.deepEqual(problems(accepted), [], accepted.stderr);
  assert.match(JSON.stringify(accepted.findings), /calls succeed on a scratch table/);

  const googles = JSON.parse(readFileSync(bigquery.keyFile(loader), 'utf8'));
  googles.token_uri = 'https://oauth2.googleapis.com/token';
  const folder = privateFolder('key');
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  writeFileSync(join(folder, 'google.json'), JSON.stringify(googles));
  for (const named of [join(folder, 'google.json'), join(folder, 'missing.json')]) {
    const unshown = await check(file, { GOOGLE_APPLICATION_CREDENTIALS: named });
    assert.match(JSON.stringify(problems(unshown)), /401|Unauthenticated|credential/i, named);
  }
});

// Everything that the trial of nightly runs and streams needs, each left out once.
const needed = {
  'bigquery.tables.create': 'dataEditor', 'bigquery.tables.get': 'dataEditor', 'bigquery.tables.getData': 'dataEditor',
  'bigquery.tables.updateData': 'dataEditor', 'bigquery.tables.update': 'dataEditor', 'bigquery.tables.delete': 'dataEditor',
  'bigquery.jobs.create': 'jobUser', 'bigquery.rowAccessPolicies.list': '',
};

test('check tries the calls and names what is missing, one permission at a time', async (t) => {
  const identities = structuredClone(company);
  const role = (name) => `projects/${project}/roles/${name}`;
  const email = (place) => `lacks${place}@${project}.iam.gserviceaccount.com`;
  identities.roles = {};
  const always = ['bigquery.datasets.get', 'bigquery.tables.list', 'bigquery.tables.getIamPolicy'];
  [...Object.keys(needed), 'nothing'].forEach((missing, place) => {
    identities.service_accounts[email(place)] = {};
    identities.roles[role(`lacks${place}`)] = [...always, ...Object.keys(needed).filter((name) => name !== missing)];
    identities.projects[project][role(`lacks${place}`)] = [`serviceAccount:${email(place)}`];
  });
  const bigquery = await startWithIdentities(t, identities);
  await call(bigquery, 'POST', `/bigquery/v2/projects/${project}/datasets`, { token: 'owner-token',
    body: { datasetReference: { datasetId: 'shop' }, location: 'US', access: [{ role: 'OWNER', userByEmail: owner }] } });
  const address = { rest_address: bigquery.endpoint, grpc_address: `127.0.0.1:${bigquery.grpcPort}` };
  const tables = [{ table: 'shop.members', write: 'load' }, { table: 'shop.visits', mode: 'stream' }];
  for (const [place, missing] of [...Object.keys(needed), 'nothing'].entries()) {
    const result = await check(await configuration(t, { ...address, credentials: { type: 'file', file: bigquery.keyFile(email(place)) } }, tables));
    if (missing === 'nothing') {
      assert.deepEqual(problems(result), [], result.stdout);
    } else if (needed[missing] === '') {
      assert.deepEqual(problems(result), [], result.stdout);
      assert.match(JSON.stringify(result.findings.filter(({ level }) => level === 'warning')), new RegExp(missing));
    } else {
      assert.match(JSON.stringify(problems(result)), new RegExp(`${missing} on (dataset|project) .*roles/bigquery\\.${needed[missing]} has it`), missing);
    }
  }
  const left = await call(bigquery, 'GET', `/bigquery/v2/projects/${project}/datasets/shop/tables`, { token: 'owner-token' });
  const names = (left.body.tables ?? []).map(({ tableReference }) => tableReference.tableId);
  // Who may not delete leaves its own two, which expire.
  assert.ok(names.length <= 2 && names.every((name) => name.startsWith('_hakobu_check_')), names.join());
});

test('init --roles prints one table as Terraform and as commands', async () => {
  const both = await run(['-c', '/nonexistent.yaml', 'init', '--roles']);
  assert.equal(both.code, 0, both.stderr);
  for (const use of ['Nightly', 'Stream', 'Grants']) {
    assert.match(both.stdout, new RegExp(`resource "google_project_iam_custom_role" "hakobu${use}Target"`));
    assert.match(both.stdout, new RegExp(`gcloud iam roles create hakobu${use}Target --project=PROJECT .*bigquery\\.tables\\.get`));
  }
  const terraform = await run(['-c', '/nonexistent.yaml', 'init', '--roles', 'terraform', '--member', 'user:me@example.com']);
  assert.match(terraform.stdout, /member {5}= "user:me@example.com"/);
  assert.doesNotMatch(terraform.stdout, /gcloud/);
});
