// Each method of the local BigQuery asks for its own permission: who has all others is denied and changes nothing, who has
// it is let in. Over REST, SQL and gRPC, and taken away in the middle of an append.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { bigqueryClient, project, readClient, writeClient } from '../harness/clients.mjs';
import { untilWritable } from '../harness/writable.mjs';
import { call, company, owner, startWithIdentities } from '../harness/identities.mjs';

const everything = ['datasets.create', 'datasets.get', 'datasets.update', 'datasets.delete', 'datasets.setIamPolicy', 'tables.list', 'tables.create', 'tables.get', 'tables.update', 'tables.delete',
  'tables.getData', 'tables.updateData', 'tables.getIamPolicy', 'tables.setIamPolicy', 'rowAccessPolicies.list', 'rowAccessPolicies.create', 'rowAccessPolicies.get', 'rowAccessPolicies.update',
  'rowAccessPolicies.delete', 'jobs.list', 'jobs.listAll', 'jobs.create', 'jobs.get', 'jobs.update', 'jobs.delete', 'readsessions.create', 'readsessions.getData'].map((name) => `bigquery.${name}`);
const datasets = `/bigquery/v2/projects/${project}/datasets`;
const jobs = `/bigquery/v2/projects/${project}/jobs`;
const schema = { fields: [{ name: 'id', type: 'INTEGER' }] };
const named = (datasetId, tableId) => ({ tableReference: { projectId: project, datasetId, tableId }, schema });
const policy = (policyId) => ({ rowAccessPolicyReference: { projectId: project, datasetId: 'd', tableId: 't', policyId }, filterPredicate: 'TRUE', grantees: [`serviceAccount:${owner}`] });

async function begin(t) {
  const identities = structuredClone(company);
  identities.roles = {};
  const account = (permission) => `lacks${everything.indexOf(permission)}@${project}.iam.gserviceaccount.com`;
  for (const permission of everything) {
    const role = `projects/${project}/roles/lacks${everything.indexOf(permission)}`;
    identities.roles[role] = everything.filter((each) => each !== permission);
    identities.service_accounts[account(permission)] = { tokens: [`lacks ${permission}`.replaceAll(' ', '-')] };
    identities.projects[project][role] = [`serviceAccount:${account(permission)}`];
  }
  identities.roles[`projects/${project}/roles/all`] = everything;
  identities.service_accounts[`all@${project}.iam.gserviceaccount.com`] = { tokens: ['has-all'] };
  identities.projects[project][`projects/${project}/roles/all`] = [`serviceAccount:all@${project}.iam.gserviceaccount.com`];
  const server = await startWithIdentities(t, identities);
  const by = (token) => async (method, path, body) => call(server, method, path, { token, body });
  return { server, account, asOwner: by('owner-token'), asAll: by('has-all'), lacking: (permission) => by(`lacks-${permission}`), tokenLacking: (permission) => `lacks-${permission}` };
}

const query = (sql) => ['POST', `/bigquery/v2/projects/${project}/queries`, { query: sql, useLegacySql: false }];
const table = `${datasets}/d/tables/plain`, policed = `${datasets}/d/tables/t`;
// permission, what is called, and what it leaves behind that must not be there for who was denied.
const calls = [
  ['datasets.create', ['POST', datasets, { datasetReference: { datasetId: 'made' } }]],
  ['datasets.get', ['GET', `${datasets}/d`]],
  ['datasets.update', ['PATCH', `${datasets}/d`, { description: 'changed' }]],
  ['datasets.update', ['PUT', `${datasets}/d`, { datasetReference: { datasetId: 'd' }, description: 'changed' }]],
  ['datasets.setIamPolicy', ['PATCH', `${datasets}/d`, { access: [{ role: 'OWNER', userByEmail: 'eve@example.com' }] }]],
  ['tables.list', ['GET', `${datasets}/d/tables`]],
  ['tables.create', ['POST', `${datasets}/d/tables`, named('d', 'made')]],
  ['tables.get', ['GET', table]],
  ['tables.update', ['PATCH', table, { description: 'changed' }]],
  ['tables.update', ['PUT', table, { ...named('d', 'plain'), description: 'changed' }]],
  ['tables.getData', ['GET', `${table}/data`]],
  ['tables.updateData', ['POST', `${table}/insertAll`, { rows: [{ json: { id: 2 } }] }]],
  ['tables.getIamPolicy', ['POST', `${table}:getIamPolicy`, {}]],
  ['tables.setIamPolicy', ['POST', `${table}:setIamPolicy`, { policy: { bindings: [] } }]],
  ['rowAccessPolicies.create', ['POST', `${policed}/rowAccessPolicies`, policy('made')]],
  ['rowAccessPolicies.list', ['GET', `${policed}/rowAccessPolicies`]],
  ['rowAccessPolicies.get', ['GET', `${policed}/rowAccessPolicies/kept`]],
  ['rowAccessPolicies.update', ['PUT', `${policed}/rowAccessPolicies/kept`, { ...policy('kept'), filterPredicate: 'id = 1' }]],
  ['rowAccessPolicies.delete', ['DELETE', `${policed}/rowAccessPolicies/kept`]],
  ['rowAccessPolicies.delete', ['POST', `${policed}/rowAccessPolicies:batchDelete`, { policyIds: ['kept'], force: true }]],
  ['jobs.list', ['GET', jobs]],
  ['jobs.create', ['POST', jobs, { configuration: { query: { query: 'SELECT 1', useLegacySql: false } } }]],
  ['jobs.create', query('SELECT 1')],
  ['tables.delete', ['DELETE', `${datasets}/d/tables/going`]],
  ['datasets.delete', ['DELETE', `${datasets}/going`]],
];
// By a statement's or a job's own need, beside jobs.create.
const statements = [
  ['tables.getData', 'SELECT * FROM d.plain'],
  ['tables.updateData', 'INSERT INTO d.plain VALUES (9)'],
  ['tables.updateData', 'UPDATE d.plain SET id = 9 WHERE TRUE'],
  ['tables.updateData', 'DELETE FROM d.plain WHERE TRUE'],
  ['tables.updateData', 'MERGE d.plain t USING (SELECT 9 AS id) s ON FALSE WHEN NOT MATCHED THEN INSERT ROW'],
  ['tables.updateData', 'TRUNCATE TABLE d.plain'],
  ['tables.create', 'CREATE TABLE d.made (id INT64)'],
  ['tables.create', 'CREATE TABLE d.made AS SELECT 1 AS id'],
  ['tables.update', "ALTER TABLE d.plain SET OPTIONS (description = 'changed')"],
  ['tables.update', 'ALTER TABLE d.plain ADD COLUMN more INT64'],
  ['tables.delete', 'DROP TABLE d.plain'],
  ['datasets.create', 'CREATE SCHEMA made'],
  ['datasets.update', "ALTER SCHEMA d SET OPTIONS (description = 'changed')"],
  ['datasets.delete', 'DROP SCHEMA going'],
];

test('each method and each statement is denied to who has all but its permission', async (t) => {
  const { server, asOwner, asAll, lacking } = await begin(t);
  const ok = async (answer) => { const { status, body } = await answer; assert.ok(status >= 200 && status < 300, `${status} ${JSON.stringify(body)}`); return body; };
  const reset = async () => {
    for (const dataset of ['d', 'going', 'made']) await asOwner('DELETE', `${datasets}/${dataset}?deleteContents=true`);
    for (const datasetId of ['d', 'going']) await ok(asOwner('POST', datasets, { datasetReference: { datasetId }, access: [{ role: 'OWNER', userByEmail: owner }] }));
    for (const name of ['t', 'going', 'plain']) await ok(asOwner('POST', `${datasets}/d/tables`, named('d', name)));
    await ok(asOwner('POST', `${policed}/rowAccessPolicies`, policy('kept')));
  };
  // All that a denied call could have changed.
  const state = async () => {
    const answers = await Promise.all([...['d', 'going', 'made'].map((dataset) => asOwner('GET', `${datasets}/${dataset}`)),
      ...['t', 'plain', 'made', 'going'].map((name) => asOwner('GET', `${datasets}/d/tables/${name}`)), asOwner('GET', `${policed}/rowAccessPolicies`),
      asOwner('POST', `${table}:getIamPolicy`, {}), asOwner('GET', `${datasets}/d/tables/plain/data`)]);
    return JSON.stringify(answers.map(({ body }) => body));
  };
  await reset();
  const before = await state();
  const everyCall = [...calls, ...statements.map(([permission, sql]) => [permission, query(sql)])];
  for (const [name, request] of everyCall) {
    const { status, body } = await lacking(`bigquery.${name}`)(...request);
    const what = `${name}: ${request[0]} ${request[1]} ${JSON.stringify(request[2] ?? '')}`;
    assert.equal(status, 403, `${what}\n${status} ${JSON.stringify(body)}`);
    assert.equal(body.error.errors[0].reason, 'accessDenied', what);
    assert.equal(await state(), before, what);
  }
  for (const [name, request] of everyCall) {
    const { status, body } = await asAll(...request);
    assert.ok(status >= 200 && status < 300, `${name}: ${request[0]} ${request[1]} ${JSON.stringify(request[2] ?? '')}\n${status} ${JSON.stringify(body)}`);
    await reset();
  }
  assert.ok(server.alive);
});

test('another\'s job is for who has the permission for it', async (t) => {
  const { asOwner, asAll, lacking } = await begin(t);
  const job = async () => (await asOwner('POST', jobs, { configuration: { query: { query: 'SELECT 1', useLegacySql: false } } })).body.jobReference.jobId;
  for (const [name, method, path] of [['jobs.get', 'GET', ''], ['jobs.update', 'POST', '/cancel'], ['jobs.delete', 'DELETE', '/delete']]) {
    const id = await job();
    assert.equal((await lacking(`bigquery.${name}`)(method, `${jobs}/${id}${path}?location=US`)).status, 403, name);
    assert.equal((await asOwner('GET', `${jobs}/${id}?location=US`)).status, 200, name);
    const { status, body } = await asAll(method, `${jobs}/${id}${path}?location=US`);
    assert.ok(status >= 200 && status < 300, `${name} ${status} ${JSON.stringify(body)}`);
  }
});

test('Storage Write and Storage Read: denied without the permission, and when it is taken away in the middle of an append', async (t) => {
  const { server, account, asOwner, tokenLacking } = await begin(t);
  await asOwner('POST', datasets, { datasetReference: { datasetId: 'd' } });
  await asOwner('POST', `${datasets}/d/tables`, named('d', 't'));
  const parent = `projects/${project}/datasets/d/tables/t`;
  await untilWritable(server, parent, { token: 'owner-token' });  // the denials below are not those of a table just made
  const denied = (error) => error.code === 7;
  for (const name of ['tables.updateData']) {
    const client = writeClient(server, { token: tokenLacking(`bigquery.${name}`) });
    await assert.rejects(client.createWriteStream({ parent, writeStream: { type: 'PENDING' } }), denied);
    await assert.rejects(client.getWriteStream({ name: `${parent}/streams/_default` }), denied);
    await client.close();
  }
  for (const name of ['readsessions.create', 'tables.getData']) {
    const client = readClient(server, { token: tokenLacking(`bigquery.${name}`) });
    await assert.rejects(client.createReadSession({ parent: `projects/${project}`, readSession: { table: parent, dataFormat: 'ARROW' } }), denied, name);
    await client.close();
  }
  // Somebody who may append by the dataset's list alone, until he may not.
  const email = account('bigquery.tables.updateData');
  const list = (more) => asOwner('PATCH', `${datasets}/d`, { access: [{ role: 'OWNER', userByEmail: owner }, ...more] });
  assert.equal((await list([{ role: 'WRITER', userByEmail: email }])).status, 200);
  const client = writeClient(server, { token: tokenLacking('bigquery.tables.updateData') });
  t.after(() => client.close());
  const stream = client.appendRows();
  const answers = [];
  const ended = new Promise((resolve) => stream.on('error', resolve).on('end', resolve));
  stream.on('data', (answer) => answers.push(answer));
  const descriptor = { name: 'Row', field: [{ name: 'id', number: 1, label: 'LABEL_OPTIONAL', type: 'TYPE_INT64' }] };
  const append = (id, first) => stream.write({ ...(first ? { writeStream: `${parent}/streams/_default` } : {}),
    protoRows: { ...(first ? { writerSchema: { protoDescriptor: descriptor } } : {}), rows: { serializedRows: [Buffer.from([8, id])] } } });
  append(1, true);
  for (const deadline = Date.now() + 60000; answers.length < 1; await new Promise((resolve) => { setTimeout(resolve, 20); })) assert.ok(Date.now() < deadline);
  assert.ok(answers[0].appendResult, JSON.stringify(answers[0]));
  assert.equal((await list([])).status, 200);
  append(2, false);
  const end = await Promise.race([ended, new Promise((resolve) => { setTimeout(resolve, 60000, 'nothing').unref(); })]);
  assert.ok(end?.code === 7 || answers.slice(1).some((answer) => answer.error?.code === 7), `${end} ${JSON.stringify(answers)}`);
  const [rows] = await bigqueryClient(server, { token: 'owner-token' }).query('SELECT id FROM d.t');
  assert.deepEqual(rows.map(({ id }) => id), [1]);
});
