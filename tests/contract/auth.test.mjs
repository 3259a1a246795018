// --auth: tokens from Google's own credential flows, and access enforced, seen by two identities through Google's clients.
import assert from 'node:assert/strict';
import { createSign, generateKeyPairSync } from 'node:crypto';
import { readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { BigQuery } from '@google-cloud/bigquery';
import { tableFromIPC } from 'apache-arrow';
import { ExternalAccountClient } from 'google-auth-library';
import { adapt, bigqueryClient, keyFileClient, managedwriter, project, readClient, writerClient } from '../harness/clients.mjs';
import { call, cloudPlatform, company, loader, owner, startWithIdentities } from '../harness/identities.mjs';
import { privateFolder, run } from '../harness/servers.mjs';
import { untilWritable } from '../harness/writable.mjs';

const fields = [{ name: 'id', type: 'INTEGER' }, { name: 'country', type: 'STRING' }];
const jwtGrant = 'urn:ietf:params:oauth:grant-type:jwt-bearer';
const denied = (permission) => (error) => {
  assert.equal(error.code, 403, error.message);
  assert.equal(error.errors[0].reason, 'accessDenied');
  assert.match(error.message, new RegExp(permission));
  return true;
};
// The client keeps the answer beside a message of its own.
const refusedWith = (code, words) => (error) => {
  const told = `${error.message} ${JSON.stringify(error.response?.data ?? {})} ${error.cause?.message ?? ''}`;
  assert.match(told, new RegExp(code));
  assert.match(told, new RegExp(words));
  return true;
};
const mayNotQuery = denied('User does not have permission to query table');

// Dataset sales with orders (1 jp, 2 fr, 3 jp), made by the owner.
async function shop(t, { access } = {}) {
  const server = await startWithIdentities(t);
  const as = (token) => bigqueryClient(server, { token });
  const boss = as('owner-token');
  await boss.createDataset('sales');
  const [table] = await boss.dataset('sales').createTable('orders', { schema: { fields } });
  await untilWritable(server, `projects/${project}/datasets/sales/tables/orders`, { token: 'owner-token' });
  await table.insert([{ id: 1, country: 'jp' }, { id: 2, country: 'fr' }, { id: 3, country: 'jp' }]);
  const grant = async (...entries) => {
    const [metadata] = await boss.dataset('sales').getMetadata();
    await boss.dataset('sales').setMetadata({ access: [...metadata.access, ...entries], etag: metadata.etag });
  };
  const ungrant = async (keep) => {
    const [metadata] = await boss.dataset('sales').getMetadata();
    await boss.dataset('sales').setMetadata({ access: metadata.access.filter(keep), etag: metadata.etag });
  };
  if (access) await grant(...access);
  return { server, boss, ana: as('ana-token'), bob: as('bob-token'), loader: as('loader-token'), grant, ungrant };
}

const ids = async (client, sql = 'SELECT id FROM sales.orders ORDER BY id') => (await client.query(sql))[0].map((row) => row.id);
const listed = async (client, table = 'orders') => (await client.dataset('sales').table(table).getRows())[0].map((row) => row.id).sort();

async function storageRead(server, token, table = 'orders') {
  const client = readClient(server, { token });
  try {
    const [session] = await client.createReadSession({ parent: `projects/${project}`,
      readSession: { table: `projects/${project}/datasets/sales/tables/${table}`, dataFormat: 'ARROW' } });
    const found = [];
    for (const stream of session.streams) {
      const parts = [session.arrowSchema.serializedSchema];
      for await (const response of client.readRows({ readStream: stream.name })) parts.push(response.arrowRecordBatch.serializedRecordBatch);
      for (const row of tableFromIPC(Buffer.concat(parts))) found.push(Number(row.id));
    }
    return found.sort();
  } finally {
    await client.close();
  }
}

async function append(server, token, rows) {
  const client = writerClient(server, { token });
  try {
    const streamId = `projects/${project}/datasets/sales/tables/orders/streams/_default`;
    const connection = await client.createStreamConnection({ streamId });
    connection.onConnectionError(() => {});  // the append's promise says it too
    const protoDescriptor = adapt.convertStorageSchemaToProto2Descriptor(adapt.convertBigQuerySchemaToStorageTableSchema({ fields }), 'root');
    const writer = new managedwriter.JSONWriter({ streamId, connection, protoDescriptor });
    return await writer.appendRows(rows).getResult();
  } finally {
    client.close();
  }
}

test('nobody and unknown tokens are turned away as Google does, over REST and gRPC', async (t) => {
  const server = await startWithIdentities(t);
  const path = `/bigquery/v2/projects/${project}/datasets`;
  const nobody = await call(server, 'GET', path);
  assert.equal(nobody.status, 401);
  assert.match(nobody.headers.get('www-authenticate'), /^Bearer realm="https:\/\/accounts.google.com\/"$/);
  assert.match(nobody.body.error.message, /^Request is missing required authentication credential\. Expected OAuth 2 access token/);
  assert.equal(nobody.body.error.status, 'UNAUTHENTICATED');
  assert.deepEqual(nobody.body.error.errors[0], { message: 'Login Required.', domain: 'global', reason: 'required', location: 'Authorization', locationType: 'header' });
  const wrong = await call(server, 'GET', path, { token: 'guessed' });
  assert.equal(wrong.status, 401);
  assert.match(wrong.headers.get('www-authenticate'), /error="invalid_token"/);
  assert.equal(wrong.body.error.errors[0].reason, 'authError');
  await assert.rejects(storageRead(server, undefined), (error) => error.code === 16 && /missing required authentication credential/.test(error.message));
  await assert.rejects(storageRead(server, 'guessed'), (error) => error.code === 16 && /invalid authentication credentials/.test(error.message));
  assert.equal((await call(server, 'GET', '/$discovery/rest?version=v2')).status, 200);
});

test("a service account's key file works in Google's client; forged, late and misdirected JWTs do not", async (t) => {
  const server = await startWithIdentities(t);
  const key = JSON.parse(readFileSync(server.keyFile(owner), 'utf8'));
  assert.equal(key.token_uri, `${server.endpoint}/token`);
  assert.equal(statSync(server.keyFile(owner)).mode & 0o777, 0o600);
  const client = keyFileClient(server, server.keyFile(owner));
  await client.createDataset('mine');
  const [who] = await client.query('SELECT SESSION_USER() AS who');
  assert.deepEqual(who, [{ who: owner }]);
  assert.ok((await client.dataset('mine').getMetadata())[0].access.some((entry) => entry.role === 'OWNER' && entry.userByEmail === owner));

  const part = (value) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const now = Math.floor(Date.now() / 1000);
  const good = { iss: owner, scope: cloudPlatform, aud: key.token_uri, iat: now, exp: now + 3600 };
  const ask = async (claims, privateKey = key.private_key, kid = key.private_key_id) => {
    const text = `${part({ alg: 'RS256', typ: 'JWT', kid })}.${part({ ...good, ...claims })}`;
    const assertion = `${text}.${createSign('RSA-SHA256').update(text).sign(privateKey, 'base64url')}`;
    const { status, body } = await call(server, 'POST', '/token', { form: { grant_type: jwtGrant, assertion } });
    return status === 200 ? [body.token_type, body.expires_in, body.access_token.startsWith('ya29.')] : [status, body.error, body.error_description];
  };
  assert.deepEqual(await ask({}), ['Bearer', 3599, true]);
  assert.deepEqual(await ask({ aud: 'https://oauth2.googleapis.com/token' }), ['Bearer', 3599, true]);
  const other = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey.export({ type: 'pkcs8', format: 'pem' });
  assert.deepEqual(await ask({}, other), [400, 'invalid_grant', 'Invalid JWT Signature.']);
  assert.deepEqual(await ask({}, key.private_key, 'another-key'), [400, 'invalid_grant', 'Invalid JWT Signature.']);
  assert.deepEqual(await ask({ iss: `nobody@${project}.iam.gserviceaccount.com` }), [400, 'invalid_grant', 'Invalid grant: account not found']);
  const late = /^Invalid JWT: Token must be a short-lived token \(60 minutes\) and in a reasonable timeframe/;
  for (const times of [{ iat: now - 7200, exp: now - 3600 }, { exp: now + 90000 }, { iat: now + 3600, exp: now + 7000 }, { iat: undefined }]) {
    const [status, error, description] = await ask(times);
    assert.deepEqual([status, error], [400, 'invalid_grant']);
    assert.match(description, late);
  }
  assert.match((await ask({ aud: 'https://elsewhere.example.com/token' }))[2], /audience/);
  assert.equal((await ask({ scope: '' }))[1], 'invalid_scope');
  assert.equal((await call(server, 'POST', '/token', { form: { grant_type: 'password' } })).body.error, 'unsupported_grant_type');
});

test('a token ends when its time is over, and so do the scopes it was given for', async (t) => {
  const server = await startWithIdentities(t, { ...company, token_lifetime_seconds: 1, metadata: { account: owner, project } });
  const flavor = { headers: { 'Metadata-Flavor': 'Google' } };
  const base = '/computeMetadata/v1/instance/service-accounts/default/token';
  const token = async (scopes) => (await call(server, 'GET', `${base}?scopes=${scopes}`, flavor)).body.access_token;
  const path = `/bigquery/v2/projects/${project}/datasets`;
  const ends = await token(cloudPlatform);
  assert.equal((await call(server, 'GET', path, { token: ends })).status, 200);
  const readonly = await token('https://www.googleapis.com/auth/bigquery.readonly');
  assert.equal((await call(server, 'GET', path, { token: readonly })).status, 200);
  const made = await call(server, 'POST', path, { token: readonly, body: { datasetReference: { datasetId: 'x' } } });
  assert.equal(made.status, 403);
  assert.equal(made.body.error.errors[0].reason, 'insufficientPermissions');
  assert.equal(made.body.error.details[0].reason, 'ACCESS_TOKEN_SCOPE_INSUFFICIENT');
  await new Promise((resolve) => setTimeout(resolve, 1100));
  assert.equal((await call(server, 'GET', path, { token: ends })).status, 401);
});

test('the metadata server, refresh tokens and impersonation answer as Google does', async (t) => {
  const server = await startWithIdentities(t);
  const flavor = { headers: { 'Metadata-Flavor': 'Google' } };
  const metadata = '/computeMetadata/v1/instance/service-accounts/default';
  const bare = await call(server, 'GET', `${metadata}/token`);
  assert.equal(bare.status, 403);
  assert.equal(bare.headers.get('metadata-flavor'), 'Google');
  const email = await call(server, 'GET', `${metadata}/email`, flavor);
  assert.deepEqual([email.body, email.headers.get('metadata-flavor')], [loader, 'Google']);
  assert.equal((await call(server, 'GET', '/computeMetadata/v1/project/project-id', flavor)).body, project);
  const own = (await call(server, 'GET', `${metadata}/token`, flavor)).body;
  assert.equal(own.token_type, 'Bearer');
  const who = async (token) => (await bigqueryClient(server, { token }).query('SELECT SESSION_USER() AS who'))[0][0].who;
  assert.equal(await who(own.access_token), loader);

  const file = JSON.parse(readFileSync(server.keyFile('ana@example.com'), 'utf8'));
  assert.equal(file.type, 'authorized_user');
  const form = { grant_type: 'refresh_token', client_id: file.client_id, client_secret: file.client_secret, refresh_token: file.refresh_token };
  const ana = (await call(server, 'POST', '/token', { form })).body;
  assert.equal(await who(ana.access_token), 'ana@example.com');
  const revoked = await call(server, 'POST', '/token', { form: { ...form, refresh_token: 'old' } });
  assert.deepEqual([revoked.status, revoked.body.error], [400, 'invalid_grant']);
  assert.deepEqual((await call(server, 'POST', '/token', { form: { ...form, client_secret: 'x' } })).body.error, 'invalid_client');

  const generate = (token, account, body = { scope: [cloudPlatform], lifetime: '600s' }) =>
    call(server, 'POST', `/v1/projects/-/serviceAccounts/${account}:generateAccessToken`, { token, body });
  const acted = await generate(ana.access_token, loader);
  assert.equal(await who(acted.body.accessToken), loader);
  assert.ok(Math.abs(Date.parse(acted.body.expireTime) - Date.now() - 600_000) < 10_000, acted.body.expireTime);
  const refused = await generate('bob-token', loader);
  assert.equal(refused.status, 403);
  assert.equal(refused.body.error.status, 'PERMISSION_DENIED');
  assert.match(refused.body.error.message, /^Permission 'iam\.serviceAccounts\.getAccessToken' denied on resource/);
  assert.equal((await generate('guessed', loader)).status, 401);
  assert.equal((await generate(ana.access_token, loader, { scope: [cloudPlatform], lifetime: '7200s' })).status, 400);
});

test('who may read: users, groups, domains, everybody signed in, and nobody else', async (t) => {
  const { server, ana, bob, grant, ungrant } = await shop(t);
  await assert.rejects(ids(ana), mayNotQuery);
  await assert.rejects(listed(ana), denied('bigquery.tables.getData denied'));
  await assert.rejects(storageRead(server, 'ana-token'), (error) => error.code === 7);
  await assert.rejects(ana.dataset('sales').getMetadata(), denied('Permission bigquery.datasets.get denied on dataset'));
  await assert.rejects(ana.query('SELECT * FROM sales.INFORMATION_SCHEMA.TABLES'), mayNotQuery);
  await assert.rejects(ids(ana, 'SELECT id FROM sales.nothing'), mayNotQuery);
  assert.deepEqual((await ana.getDatasets())[0].map((dataset) => dataset.id), []);
  const entries = [{ role: 'READER', userByEmail: 'ANA@example.com' }, { role: 'READER', groupByEmail: 'everyone@example.com' },
    { role: 'roles/bigquery.dataViewer', domain: 'example.com' }, { role: 'READER', iamMember: 'user:ana@example.com' },
    { role: 'READER', specialGroup: 'allAuthenticatedUsers' }];
  for (const entry of entries) {
    await grant(entry);
    assert.deepEqual(await ids(ana), [1, 2, 3], JSON.stringify(entry));
    assert.deepEqual(await listed(ana), [1, 2, 3]);
    assert.deepEqual(await storageRead(server, 'ana-token'), [1, 2, 3]);
    assert.deepEqual((await ana.getDatasets())[0].map((dataset) => dataset.id), ['sales']);
    if (!entry.specialGroup) await assert.rejects(ids(bob), mayNotQuery);
    await ungrant((one) => one.specialGroup !== 'allAuthenticatedUsers' && !one.domain && !one.groupByEmail && !/ana@/i.test(one.userByEmail ?? one.iamMember ?? ''));
    await assert.rejects(ids(ana), mayNotQuery);
  }
  const at = (time) => ({ role: 'READER', userByEmail: 'ana@example.com', condition: { title: 't', expression: `request.time < timestamp("${time}")` } });
  await grant(at('2020-01-01T00:00:00Z'));
  await assert.rejects(ids(ana), mayNotQuery);
  await grant(at('2099-01-01T00:00:00Z'));
  assert.deepEqual(await ids(ana), [1, 2, 3]);
});

test('a table that is not there is not found by who may read its dataset, and not told of to others', async (t) => {
  const { ana, bob, boss, grant } = await shop(t);
  await grant({ role: 'READER', userByEmail: 'ana@example.com' });
  const failed = (reason, words) => (error) => {
    assert.equal(error.errors[0].reason, reason, error.message);
    assert.ok(error.message.includes(words), error.message);
    return true;
  };
  const missing = `${project}:sales.missing`;
  for (const client of [ana, boss]) await assert.rejects(client.query('SELECT * FROM sales.missing'), failed('notFound', `Not found: Table ${missing} was not found in location US`));
  await assert.rejects(bob.query('SELECT * FROM sales.missing'), failed('accessDenied', `Access Denied: Table ${missing}: User does not have permission to query table ${missing}, or perhaps it does not exist`));
  await assert.rejects(boss.query('SELECT * FROM nowhere.missing'), failed('notFound', `Not found: Dataset ${project}:nowhere was not found in location US`));
  for (const sql of ['DELETE FROM sales.missing WHERE TRUE', 'INSERT INTO sales.missing (id) VALUES (1)']) {
    for (const client of [ana, boss]) await assert.rejects(client.query(sql), failed('notFound', `Not found: Table ${missing} was not found in location US`));
    await assert.rejects(bob.query(sql), failed('accessDenied', `User does not have permission to query table ${missing}, or perhaps it does not exist`));
  }
  await assert.rejects(ana.dataset('sales').table('missing').getRows(), failed('notFound', `Not found: Table ${missing}`));
  await assert.rejects(bob.dataset('sales').table('missing').getRows(), failed('accessDenied', 'or it may not exist'));
});

test('READER reads, WRITER writes, OWNER shares; jobs need their permission', async (t) => {
  const { server, ana, bob, loader: program, boss, grant } = await shop(t);
  await grant({ role: 'READER', userByEmail: 'ana@example.com' }, { role: 'WRITER', userByEmail: loader });
  await assert.rejects(ana.dataset('sales').table('orders').insert([{ id: 9 }]), denied('bigquery.tables.updateData'));
  await assert.rejects(ana.query('DELETE FROM sales.orders WHERE TRUE'), denied('bigquery.tables.updateData'));
  await assert.rejects(ana.query('CREATE TABLE sales.mine (id INT64)'), denied('bigquery.tables.create'));
  await assert.rejects(ana.query('DROP TABLE sales.orders'), denied('bigquery.tables.delete'));
  await assert.rejects(ana.dataset('sales').createTable('mine', { schema: { fields } }), denied('bigquery.tables.create'));
  await assert.rejects(append(server, 'ana-token', [{ id: 9, country: 'x' }]), (error) =>
    error.code === 7 && /^.*Permission 'TABLES_UPDATE_DATA' denied on resource 'projects\/.*\/datasets\/sales\/tables\/orders' \(or it may not exist\)/.test(error.message));
  const appended = await append(server, 'loader-token', [{ id: 4, country: 'de' }]);
  assert.ok(!appended.error, appended.error?.message);
  assert.deepEqual(await ids(ana), [1, 2, 3, 4]);
  await program.dataset('sales').table('orders').copy(program.dataset('sales').table('copy'));
  await assert.rejects(program.dataset('sales').setMetadata({ access: [] }), denied('bigquery.datasets.update'));
  await assert.rejects(program.dataset('sales').delete({ force: true }), denied('bigquery.datasets.delete'));
  await assert.rejects(ana.createDataset('anas'), denied('bigquery.datasets.create permission in project'));
  const folder = privateFolder('rows');
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const file = join(folder, 'rows.json');
  writeFileSync(file, '{"id":5,"country":"it"}\n');
  await assert.rejects(ana.dataset('sales').table('orders').load(file, { sourceFormat: 'NEWLINE_DELIMITED_JSON' }), /updateData denied/);
  await program.dataset('sales').table('orders').load(file, { sourceFormat: 'NEWLINE_DELIMITED_JSON' });
  assert.deepEqual(await ids(ana), [1, 2, 3, 4, 5]);

  const idle = bigqueryClient(server, { token: (await call(server, 'POST', `/v1/projects/-/serviceAccounts/${loader}:generateAccessToken`, { token: 'ana-token', body: { scope: [cloudPlatform] } })).body.accessToken, projectId: 'elsewhere' });
  await assert.rejects(idle.query('SELECT 1'), denied('bigquery.jobs.create permission in project elsewhere'));
  await boss.query('SELECT 1');
  const [job] = await ana.createQueryJob('SELECT 1 AS one');
  await assert.rejects(bob.job(job.id).getMetadata(), denied('bigquery.jobs.get'));
  await assert.rejects(bob.job(job.id).getQueryResults(), denied('bigquery.jobs.get'));
  assert.equal((await boss.job(job.id).getMetadata())[0].user_email, 'ana@example.com');
  const jobsOf = async (options) => new Set((await boss.getJobs(options))[0].map((one) => one.metadata.user_email));
  assert.deepEqual(await jobsOf({}), new Set([owner]));
  assert.ok((await jobsOf({ allUsers: true })).has('ana@example.com'));
});

test('table policies and testIamPermissions tell and decide the same', async (t) => {
  const { server, ana, boss } = await shop(t);
  const table = boss.dataset('sales').table('orders');
  const asked = ['bigquery.tables.getData', 'bigquery.tables.updateData', 'bigquery.tables.setIamPolicy'];
  const may = async (client) => (await client.dataset('sales').table('orders').testIamPermissions(asked))[0].permissions ?? [];
  assert.deepEqual(await may(ana), []);
  await assert.rejects(ana.dataset('sales').table('orders').getIamPolicy(), denied('bigquery.tables.getIamPolicy'));
  await table.setIamPolicy({ bindings: [{ role: 'roles/bigquery.dataEditor', members: ['group:analysts@example.com'] }] });
  assert.deepEqual(await may(ana), asked.slice(0, 2));
  assert.deepEqual(await may(boss), asked);
  assert.deepEqual(await ids(ana), [1, 2, 3]);
  await ana.dataset('sales').table('orders').insert([{ id: 4, country: 'jp' }]);
  assert.deepEqual(await storageRead(server, 'ana-token'), [1, 2, 3, 4]);
  await assert.rejects(ana.dataset('sales').table('orders').setIamPolicy({ bindings: [] }), denied('bigquery.tables.setIamPolicy'));
  await assert.rejects(ana.dataset('sales').getTables(), denied('bigquery.tables.list'));
});

test('authorised views and datasets let their readers through, and only through them', async (t) => {
  const { ana, boss, grant, ungrant } = await shop(t);
  await boss.createDataset('views');
  await boss.query('CREATE VIEW views.jp AS SELECT id FROM sales.orders WHERE country = "jp"');
  const [metadata] = await boss.dataset('views').getMetadata();
  await boss.dataset('views').setMetadata({ access: [...metadata.access, { role: 'READER', userByEmail: 'ana@example.com' }] });
  const sql = 'SELECT id FROM views.jp ORDER BY id';
  await assert.rejects(ids(ana, sql), mayNotQuery);
  await grant({ view: { projectId: project, datasetId: 'views', tableId: 'jp' } });
  assert.deepEqual(await ids(ana, sql), [1, 3]);
  await assert.rejects(ids(ana), mayNotQuery);
  await assert.rejects(ids(ana, 'SELECT v.id FROM views.jp v JOIN sales.orders o USING (id)'), mayNotQuery);
  await ungrant((entry) => !entry.view);
  await assert.rejects(ids(ana, sql), mayNotQuery);
  await grant({ dataset: { dataset: { projectId: project, datasetId: 'views' }, targetTypes: ['VIEWS'] } });
  assert.deepEqual(await ids(ana, sql), [1, 3]);
});

test('row access policies: queries and Storage Read see the granted rows, other doors need all of them', async (t) => {
  const { server, ana, bob, boss } = await shop(t, { access: [{ role: 'READER', userByEmail: 'ana@example.com' }, { role: 'READER', userByEmail: 'bob@other.com' }] });
  const path = `/bigquery/v2/projects/${project}/datasets/sales/tables/orders/rowAccessPolicies`;
  const policy = (policyId, filterPredicate, grantees) => call(server, 'POST', path,
    { token: 'owner-token', body: { rowAccessPolicyReference: { policyId }, filterPredicate, grantees } });
  assert.equal((await policy('jp', "country = 'jp'", ['group:analysts@example.com'])).status, 200);
  assert.deepEqual(await ids(ana), [1, 3]);
  assert.deepEqual(await ids(ana, 'SELECT o.id FROM sales.orders o WHERE id > 1'), [3]);
  assert.deepEqual(await storageRead(server, 'ana-token'), [1, 3]);
  assert.deepEqual(await ids(bob), []);
  assert.deepEqual(await storageRead(server, 'bob-token'), []);
  assert.deepEqual(await ids(boss), []);
  await assert.rejects(listed(ana), denied('TRUE filter'));
  await assert.rejects(boss.query('DELETE FROM sales.orders WHERE TRUE'), denied('TRUE filter'));
  assert.equal((await policy('mine', "country = 'fr' AND SESSION_USER() = 'ana@example.com'", ['user:ana@example.com'])).status, 200);
  assert.deepEqual(await ids(ana), [1, 2, 3]);
  assert.equal((await policy('all', 'TRUE', [`serviceAccount:${owner}`])).status, 200);
  assert.deepEqual(await listed(boss), [1, 2, 3]);
  assert.equal((await call(server, 'POST', path, { token: 'ana-token', body: {} })).status, 403);
});

test('a wrong identity file is refused with every problem and its place', async (t) => {
  const folder = privateFolder('wrong');
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const file = join(folder, 'identities.yaml');
  writeFileSync(file, `service_accounts:
  loader: {}
  a@p.iam.gserviceaccount.com:
    public_key: none
    colour: red
users:
  ana@example.com:
    tokens: [one, one]
groups:
  g@example.com: [ana]
projects:
  demo:
    roles/bigquery.reader: [user:ana@example.com]
metadata: {account: gone@p.iam.gserviceaccount.com}
token_lifetime_seconds: soon
`);
  const result = await run(['bigquery', '--data', join(folder, 'data'), '--auth', file]);
  assert.equal(result.code, 2, result.stderr);
  for (const line of [/:2:\d+: service_accounts\.loader: expected an e-mail address as the key, found loader/,
    /:4:\d+: .*public_key: expected an RSA key or certificate in PEM form/, /:5:\d+: .*colour: expected one of public_key/,
    /:8:\d+: .*tokens: expected every token once/, /:10:\d+: groups.g@example.com: expected members as user:/,
    /:13:\d+: .*expected a role of BigQuery.*found roles\/bigquery.reader/, /:14:\d+: metadata.account: expected one of service_accounts/,
    /:15:\d+: token_lifetime_seconds: expected 1 to 43200 seconds/]) assert.match(result.stderr, line);
});

test("workload identity: an AWS role and another issuer's token, by Google's own clients", async (t) => {
  const pool = '//iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/pool';
  const arn = 'arn:aws:sts::123456789012:assumed-role/hakobu/task';
  const issued = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const federation = {
    [`${pool}/providers/aws`]: { aws: { access_key_id: 'AKIDEXAMPLE', secret_access_key: 'secret', session_token: 'session', arn } },
    [`${pool}/providers/ci`]: { issuer: 'https://ci.example.com', public_key: issued.publicKey.export({ type: 'spki', format: 'pem' }) },
  };
  const principal = (subject) => `principal:${pool}/subject/${subject}`;
  const server = await startWithIdentities(t, { ...company, federation,
    service_accounts: { ...company.service_accounts, [loader]: { token_creators: [principal(arn)] } },
    projects: { [project]: { ...company.projects[project], 'roles/bigquery.jobUser': [`principalSet:${pool}/*`] } } });
  const folder = privateFolder('federation');
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const who = async (authClient) => (await new BigQuery({ projectId: project, apiEndpoint: server.endpoint, authClient })
    .query('SELECT SESSION_USER() AS who'))[0][0].who;
  const common = { type: 'external_account', token_url: `${server.endpoint}/v1/token` };
  const client = (options) => {
    const made = ExternalAccountClient.fromJSON({ ...common, ...options });
    made.scopes = [cloudPlatform];
    return made;
  };

  const aws = (extra = {}) => client({ audience: `${pool}/providers/aws`, subject_token_type: 'urn:ietf:params:aws:token-type:aws4_request',
    credential_source: { environment_id: 'aws1', regional_cred_verification_url: 'https://sts.{region}.amazonaws.com?Action=GetCallerIdentity&Version=2011-06-15' }, ...extra });
  const environment = { AWS_ACCESS_KEY_ID: 'AKIDEXAMPLE', AWS_SECRET_ACCESS_KEY: 'secret', AWS_SESSION_TOKEN: 'session', AWS_REGION: 'eu-west-1' };
  Object.assign(process.env, environment);
  t.after(() => Object.keys(environment).forEach((name) => delete process.env[name]));
  assert.equal(await who(aws()), principal(arn));
  const impersonation = `${server.endpoint}/v1/projects/-/serviceAccounts/${loader}:generateAccessToken`;
  assert.equal(await who(aws({ service_account_impersonation_url: impersonation })), loader);
  process.env.AWS_SECRET_ACCESS_KEY = 'forged';
  await assert.rejects(who(aws()), refusedWith('invalid_grant', 'the signature does not match'));

  const now = Math.floor(Date.now() / 1000);
  const file = join(folder, 'token');
  const ci = async (claims, audience = `${pool}/providers/ci`) => {
    const part = (value) => Buffer.from(JSON.stringify(value)).toString('base64url');
    const text = `${part({ alg: 'RS256' })}.${part({ iss: 'https://ci.example.com', sub: 'repo:main', aud: `https:${pool}/providers/ci`, iat: now, exp: now + 600, ...claims })}`;
    writeFileSync(file, `${text}.${createSign('RSA-SHA256').update(text).sign(issued.privateKey, 'base64url')}`);
    return who(client({ audience, subject_token_type: 'urn:ietf:params:oauth:token-type:jwt', credential_source: { file } }));
  };
  assert.equal(await ci({}), principal('repo:main'));
  await assert.rejects(ci({ iss: 'https://evil.example.com' }), refusedWith('invalid_grant', 'issuer'));
  await assert.rejects(ci({ exp: now - 1 }), refusedWith('invalid_grant', 'stale'));
  await assert.rejects(ci({ aud: 'elsewhere' }), refusedWith('invalid_grant', 'audience'));
  await assert.rejects(ci({}, `${pool}/providers/gone`), refusedWith('invalid_target', 'audience'));
});
