// What Google's service does by itself to those who ask and change over REST: late counts and tables, copies without the
// rows just streamed, rates, locations, and settings that are accepted and not kept.
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { Connection, changes, idRows } from '../harness/append.mjs';
import { behave, change, describe, eventually, failure } from '../harness/behaviours.mjs';
import { project } from '../harness/clients.mjs';
import { bareOnly, useDataset } from '../harness/contract.mjs';
import { privateFolder, startBigquery } from '../harness/servers.mjs';

let server, bigquery, dataset;
const datasetId = useDataset('behaviours_rest', (made) => ({ server, bigquery, dataset } = made));
const streamPath = (name) => `projects/${project}/datasets/${datasetId}/tables/${name}/streams/_default`;
const query = async (text, options = {}) => (await bigquery.query({ query: text, ...options }))[0];
const makeTable = (name, fields = [{ name: 'id', type: 'INTEGER' }], more = {}) => dataset.createTable(name, { schema: { fields }, ...more });
const ids = async (name) => (await query(`SELECT id FROM \`${datasetId}.${name}\` ORDER BY id`)).map((row) => row.id);

// A request without a client's retries.
async function bare(method, path, body) {
  const answer = await fetch(`${server.endpoint}/bigquery/v2/projects/${project}${path}`, { method, headers: { 'Content-Type': 'application/json' },
    ...(body ? { body: JSON.stringify(body) } : {}) });
  const text = await answer.text();
  return { status: answer.status, body: text ? JSON.parse(text) : undefined };
}
async function append(t, name, values) {
  const connection = new Connection(server);
  t.after(() => connection.close());
  assert.ok((await connection.send(idRows(streamPath(name), values))).appendResult);
}
async function copy(from, to, more = {}) {
  const [job] = await dataset.table(from).createCopyJob(dataset.table(to), more);
  const [metadata] = await eventually(async () => { const [m] = await job.getMetadata(); return m.status.state === 'DONE' && [m]; });
  if (metadata.status.errorResult) throw new Error(metadata.status.errorResult.message);
  return metadata;
}
const metadataOf = async (name) => (await dataset.table(name).getMetadata())[0];

test('a copy lacks the rows that were just streamed, a query has them', bareOnly, async (t) => {
  await behave(t, server, { skipped_copies: 'on' }, { delays: 'real' });
  await makeTable('streamed');
  await query(`INSERT INTO \`${datasetId}.streamed\` (id) VALUES (1), (2)`);
  await append(t, 'streamed', [3, 4, 5]);
  await copy('streamed', 'copied_at_once', { writeDisposition: 'WRITE_TRUNCATE' });
  assert.deepEqual(await ids('streamed'), [1, 2, 3, 4, 5]);
  assert.deepEqual(await ids('copied_at_once'), [1, 2]);
  await append(t, 'streamed', [6]);
  assert.equal((await metadataOf('streamed')).streamingBuffer.estimatedRows > 0, true);
  await change(server, { advance_seconds: 100 });
  assert.equal((await metadataOf('streamed')).streamingBuffer, undefined);
  await copy('streamed', 'copied_later');
  assert.deepEqual(await ids('copied_later'), [1, 2, 3, 4, 5, 6]);
});

test('numRows does not count rows that were just streamed', bareOnly, async (t) => {
  await behave(t, server, { row_count_lag: 'on' }, { delays: 'real' });
  await makeTable('counted');
  await append(t, 'counted', [1, 2]);
  assert.equal((await metadataOf('counted')).numRows, '0');
  assert.deepEqual(await ids('counted'), [1, 2]);
  await change(server, { advance_seconds: 301 });
  assert.equal((await metadataOf('counted')).numRows, '2');
});

test('tables.get may not find a table for a moment after DDL made or altered it', bareOnly, async (t) => {
  await behave(t, server, { hidden_tables: 'always' }, { delays: 'real' });
  const path = `/datasets/${datasetId}/tables/hidden`;
  for (const statement of ['CREATE TABLE', 'ALTER TABLE']) {
    await query(`${statement} \`${datasetId}.hidden\` ${statement === 'CREATE TABLE' ? '(id INT64)' : 'ADD COLUMN more STRING'}`);
    const missing = await bare('GET', path);
    assert.equal(missing.status, 404);
    assert.equal(missing.body.error.message, `Not found: Table ${project}:${datasetId}.hidden was not found in location US`);
    await eventually(async () => (await bare('GET', path)).status === 200);
  }
  await makeTable('inserted');
  assert.equal((await bare('GET', `/datasets/${datasetId}/tables/inserted`)).status, 200, 'tables.insert is seen at once');
});

test('a job that answers 409 may not be found for a moment', bareOnly, async (t) => {
  await behave(t, server, { hidden_jobs: 'always' }, { delays: 'real' });
  const job = { jobReference: { jobId: 'twice' }, configuration: { query: { query: 'SELECT 1', useLegacySql: false } } };
  assert.equal((await bare('POST', '/jobs', job)).status, 200);
  assert.equal((await bare('GET', '/jobs/twice')).status, 200);
  const again = await bare('POST', '/jobs', job);
  assert.equal(again.status, 409);
  assert.equal(again.body.error.message, `Already Exists: Job ${project}:US.twice`);
  assert.equal((await bare('GET', '/jobs/twice')).status, 404);
  await change(server, { advance_seconds: 11 });
  assert.equal((await bare('GET', '/jobs/twice')).status, 200);
});

test('a failed job keeps its id for good', bareOnly, async () => {
  const job = { jobReference: { jobId: 'burned' }, configuration: { query: { query: 'SELECT 1/0', useLegacySql: false } } };
  await bare('POST', '/jobs', job);
  await eventually(async () => (await bare('GET', '/jobs/burned')).body?.status?.errorResult);
  assert.equal((await bare('POST', '/jobs', job)).status, 409);
});

// Those that were accepted, and the first that was not.
async function atOnce(count, ask) {
  const answers = await Promise.all(Array.from({ length: count }, (_, i) => ask(i)));
  return { accepted: answers.filter((answer) => answer.status === 200).length, refused: answers.find((answer) => answer.status !== 200) };
}

test('a table takes five DDL statements or eight patches at once, then one after the other', bareOnly, async (t) => {
  await behave(t, server, { update_rates: 'on' }, { delays: 'real' });
  await makeTable('patched');
  const patch = (i) => bare('PATCH', `/datasets/${datasetId}/tables/patched`, { description: `${i}` });
  const patches = await atOnce(24, patch);
  assert.ok(patches.accepted >= 8, `${patches.accepted}`);
  assert.equal(patches.refused.status, 403);
  assert.equal(patches.refused.body.error.errors[0].reason, 'rateLimitExceeded');
  assert.match(patches.refused.body.error.message, /Exceeded rate limits: too many table update operations for this table/);
  await eventually(async () => (await patch(9)).status === 200);
  await makeTable('altered');
  const alters = await atOnce(16, (i) => bare('POST', '/queries', { query: `ALTER TABLE \`${datasetId}.altered\` ADD COLUMN c${i} STRING`, useLegacySql: false }));
  assert.ok(alters.accepted >= 5, `${alters.accepted}`);
  assert.equal(alters.refused.status, 400);
  assert.equal(alters.refused.body.error.errors[0].reason, 'invalidQuery');
  assert.match(alters.refused.body.error.message, /Job exceeded rate limits: Your table exceeded quota for table update operations/);
});

test('many inserts of one table: one makes it, some are duplicates, some too many', bareOnly, async (t) => {
  await behave(t, server, { update_rates: 'on' }, { delays: 'real' });
  const insert = () => bare('POST', `/datasets/${datasetId}/tables`, { tableReference: { tableId: 'contended' } });
  const statuses = (await Promise.all(Array.from({ length: 32 }, insert))).map((answer) => answer.status).sort();
  assert.equal(statuses[0], 200);
  assert.ok(statuses.includes(403) && statuses.includes(409), `${statuses}`);
});

test('maxStaleness by REST is accepted and not kept, by DDL it is, and tables.get never tells', bareOnly, async (t) => {
  await behave(t, server, { rest_max_staleness: 'on' });
  const staleness = async () => (await query(
    `SELECT option_value AS v FROM \`${datasetId}.INFORMATION_SCHEMA.TABLE_OPTIONS\` WHERE table_name = 'stale' AND option_name = 'max_staleness'`)).map((row) => row.v);
  await makeTable('stale', undefined, { maxStaleness: '0-0 0 0:10:0', tableConstraints: { primaryKey: { columns: ['id'] } } });
  assert.equal((await metadataOf('stale')).maxStaleness, undefined);
  assert.deepEqual(await staleness(), []);
  await query(`ALTER TABLE \`${datasetId}.stale\` SET OPTIONS (max_staleness = INTERVAL 10 MINUTE)`);
  assert.deepEqual(await staleness(), ['INTERVAL "0-0 0 0:10:0" YEAR TO SECOND']);
  const patched = await bare('PATCH', `/datasets/${datasetId}/tables/stale`, { maxStaleness: '0-0 0 0:30:0', description: 'd' });
  assert.deepEqual([patched.status, patched.body.maxStaleness], [200, undefined]);
  assert.deepEqual(await staleness(), ['INTERVAL "0-0 0 0:10:0" YEAR TO SECOND'], 'a patch leaves it');
  await query(`ALTER TABLE \`${datasetId}.stale\` SET OPTIONS (max_staleness = NULL)`);
  assert.deepEqual(await staleness(), ['INTERVAL "0-0 0 0:0:0" YEAR TO SECOND'], 'off is not the same as never set');
});

test('an etag in a patch\'s body says nothing, If-Match does', bareOnly, async () => {
  await makeTable('etags');
  const path = `/datasets/${datasetId}/tables/etags`;
  const answer = await bare('PATCH', path, { etag: 'stale', description: 'applied' });
  assert.deepEqual([answer.status, answer.body.description], [200, 'applied']);
  const matched = await fetch(`${server.endpoint}/bigquery/v2/projects/${project}${path}`, { method: 'PATCH', headers: { 'If-Match': 'stale', 'Content-Type': 'application/json' },
    body: JSON.stringify({ schema: { fields: [{ name: 'other', type: 'STRING' }] } }) });
  assert.equal(matched.status, 412, 'answered before the schema is looked at');
});

test('a patch neither adds a column with its default nor takes clustering away', bareOnly, async () => {
  await makeTable('patches', undefined, { clustering: { fields: ['id'] } });
  const path = `/datasets/${datasetId}/tables/patches`;
  const fields = [{ name: 'id', type: 'INTEGER' }, { name: 'n', type: 'INTEGER' }];
  assert.equal((await bare('PATCH', path, { schema: { fields: [fields[0], { ...fields[1], defaultValueExpression: '1' }] } })).status, 400);
  assert.equal((await bare('PATCH', path, { schema: { fields } })).status, 200);
  assert.equal((await bare('PATCH', path, { schema: { fields: [fields[0], { ...fields[1], defaultValueExpression: '1' }] } })).status, 200);
  assert.deepEqual((await bare('PATCH', path, { clustering: null })).body.clustering, { fields: ['id'] });
  assert.equal((await bare('PUT', path, { schema: { fields } })).body.clustering, undefined);
});

test('what the server keeps to itself cannot be written, and outlives tables.update', bareOnly, async () => {
  const [table] = await makeTable('internal');
  const bindings = [{ role: 'roles/bigquery.dataViewer', members: ['user:a@example.com'] }];
  await table.setIamPolicy({ bindings });
  const path = `/datasets/${datasetId}/tables/internal`;
  await bare('PATCH', path, { '~iamPolicy': { bindings: [] }, '~rowAccessPolicies': {} });
  await bare('PUT', path, { schema: { fields: [{ name: 'id', type: 'INTEGER' }] } });
  assert.deepEqual((await table.getIamPolicy())[0].bindings, bindings);
  assert.deepEqual(Object.keys((await bare('GET', path)).body).filter((key) => key.startsWith('~')), []);
});

test('keys are neither renamed nor retyped, nor is anything while a table is streamed to', bareOnly, async (t) => {
  await behave(t, server, { streaming_alters: 'on' }, { delays: 'real' });
  await makeTable('keyed', [{ name: 'id', type: 'INTEGER' }, { name: 'version', type: 'INTEGER' }], { tableConstraints: { primaryKey: { columns: ['id'] } } });
  const alter = (what) => failure(query(`ALTER TABLE \`${datasetId}.keyed\` ${what}`));
  for (const what of ['RENAME COLUMN id TO k', 'ALTER COLUMN id SET DATA TYPE NUMERIC', 'RENAME TO keyed_2']) {
    assert.match((await alter(what)).message, /is not supported on (column|table) .* because it (is part of|has) (the|a) primary key/, what);
  }
  const connection = new Connection(server);
  t.after(() => connection.close());
  await connection.send(changes(streamPath('keyed'), [{ id: 1, version: 1 }]));
  for (const what of ['RENAME COLUMN version TO v', 'ALTER COLUMN version SET DATA TYPE NUMERIC']) {
    assert.match((await alter(what)).message, /was streamed to recently/, what);
  }
  assert.equal(await alter('ADD COLUMN more STRING'), undefined, 'columns may be added');
  await change(server, { advance_seconds: 6 * 3600 });
  assert.equal(await alter('RENAME COLUMN version TO v'), undefined);
});

test('keys: BYTES may be one, FLOAT64, TIME, JSON and GEOGRAPHY may not', async () => {
  for (const [type, may] of [['BYTES', true], ['FLOAT64', false], ['TIME', false], ['JSON', false], ['GEOGRAPHY', false], ['INTERVAL', false]]) {
    const byRest = await failure(makeTable(`key_${type}`, [{ name: 'k', type }], { tableConstraints: { primaryKey: { columns: ['k'] } } }));
    const byDdl = await failure(query(`CREATE TABLE \`${datasetId}.ddl_key_${type}\` (k ${type}, PRIMARY KEY (k) NOT ENFORCED)`));
    assert.deepEqual([!byRest, !byDdl], [may, may], type);
  }
});

test('a job runs where its datasets are, and is found there', bareOnly, async (t) => {
  await behave(t, server, { locations: 'on' });
  const [tokyo] = await bigquery.createDataset(`${datasetId}_tokyo`, { location: 'asia-northeast1' });
  t.after(() => tokyo.delete({ force: true }));
  await tokyo.createTable('t', { schema: [{ name: 'id', type: 'INT64' }] });
  const job = (more, location) => bare('POST', '/jobs', { jobReference: location ? { location } : {}, configuration: { query: { useLegacySql: false, ...more } } });
  const elsewhere = await job({ query: `SELECT id FROM \`${tokyo.id}.t\`` }, 'US');
  assert.equal(elsewhere.body.status.errorResult.message, `Not found: Dataset ${project}:${tokyo.id} was not found in location US`);
  const there = await job({ query: `SELECT id FROM \`${tokyo.id}.t\`` });
  assert.equal(there.body.jobReference.location, 'asia-northeast1');
  const { jobId } = there.body.jobReference;
  assert.equal((await bare('GET', `/jobs/${jobId}`)).status, 404, 'without a location, only the US are looked at');
  assert.equal((await bare('GET', `/jobs/${jobId}?location=asia-northeast1`)).status, 200);
  const path = join(privateFolder('locations'), 'rows.csv');
  writeFileSync(path, '1\n');
  const [loaded] = await tokyo.table('t').load(path, { schema: { fields: [{ name: 'id', type: 'INT64' }] } });
  assert.equal(loaded.jobReference.location, 'asia-northeast1');
});

test('a server has all of it by default, but for what is open', bareOnly, async (t) => {
  const unkind = await startBigquery({ test: t });
  const { behaviours, delays } = await describe(unkind);
  const off = Object.keys(behaviours).filter((name) => behaviours[name] === 'off');
  assert.deepEqual(off, ['truncate_data_policies']);
  assert.equal(Object.values(behaviours).filter((setting) => setting === 'on').length, Object.keys(behaviours).length - off.length);
  assert.equal(delays, 'short');
});

test('without behaviours nothing of it happens, with real delays it lasts longer', bareOnly, async (t) => {
  const lenient = await startBigquery({ test: t, args: ['--lenient', '--delays', 'real'] });
  const plan = await describe(lenient);
  assert.ok(Object.keys(plan.behaviours).length > 20);
  assert.deepEqual([...new Set(Object.values(plan.behaviours))], ['off']);
  assert.equal(plan.delays, 'real');
  const wrong = await fetch(`${server.endpoint}/hakobu/v1/faults`, { method: 'POST', headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({ behaviours: { masked: 'on' }, delays: 'long' }) });
  assert.equal(wrong.status, 400);
  assert.match(await wrong.text(), /behaviours\.masked: there is no such key, there are masked_denials.*delays: expected short or real, found 'long'/);
});
