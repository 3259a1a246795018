// What of REST v2 the other files leave: prefixes, projects, PUT, paging of every list, job deletion, row access policies,
// policy tags, labels, schema update options. By Google's Node client; where it has no method, by its request().
import { after, test } from 'node:test';
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { BigQuery } from '@google-cloud/bigquery';
import { PassThroughClient } from 'google-auth-library';
import { privateFolder } from '../harness/servers.mjs';
import { project } from '../harness/clients.mjs';
import { bareOnly, onRealService, useDataset } from '../harness/contract.mjs';

const folder = privateFolder('surface');
let server, bigquery, dataset;
const datasetId = useDataset('surface', (made) => ({ server, bigquery, dataset } = made));
after(() => rmSync(folder, { recursive: true }));

const call = (method, uri, { json, qs } = {}) => new Promise((resolve, reject) =>
  bigquery.request({ method, uri, json, qs }, (error, body) => (error ? reject(error) : resolve(body))));
const fields = [{ name: 'id', type: 'INTEGER' }, { name: 'name', type: 'STRING' }];
async function loadJson(table, rows, options) {
  const path = join(folder, `${randomUUID()}.json`);
  writeFileSync(path, rows.map((row) => `${JSON.stringify(row)}\n`).join(''));
  const [job] = await dataset.table(table).load(path, { sourceFormat: 'NEWLINE_DELIMITED_JSON', ...options });
  return job;
}
// All pages of a list: [ids, pages].
async function paged(uri, items, id, qs) {
  const ids = [];
  let pages = 0, pageToken;
  do {
    const answer = await call('GET', uri, { qs: { ...qs, pageToken } });
    ids.push(...(answer[items] ?? []).map(id));
    pageToken = answer.nextPageToken ?? answer.pageToken;
    ++pages;
  } while (pageToken);
  return [ids, pages];
}

test('all three prefixes reach the same service, uploads too', bareOnly, async () => {
  for (const apiEndpoint of [server.endpoint]) {
    for (const emulator of [undefined, apiEndpoint, `${apiEndpoint}/bigquery/v2`]) {
      if (emulator) process.env.BIGQUERY_EMULATOR_HOST = emulator;
      const client = new BigQuery({ projectId: project, apiEndpoint, authClient: new PassThroughClient() });
      const path = join(folder, 'prefix.csv');
      writeFileSync(path, '1,a\n');
      const table = client.dataset(datasetId).table(`prefix_${emulator ? emulator.length : 0}`);
      const [job] = await table.load(path, { schema: { fields }, sourceFormat: 'CSV' });
      delete process.env.BIGQUERY_EMULATOR_HOST;
      assert.equal(job.statistics.load.outputRows, '1');
    }
  }
  const listed = await Promise.all(['/bigquery/v2/projects', '/projects'].map(async (path) => (await fetch(server.endpoint + path)).json()));
  assert.deepEqual(listed[0], listed[1]);
});

test('projects.list names the project', bareOnly, async () => {
  const answer = await (await fetch(`${server.endpoint}/bigquery/v2/projects`)).json();
  assert.equal(answer.kind, 'bigquery#projectList');
  assert.ok(answer.projects.some((entry) => entry.id === project && entry.projectReference.projectId === project));
  assert.equal(answer.totalItems, answer.projects.length);
});

test('tables.update replaces: what it leaves out is gone, columns may be added and not dropped', async () => {
  await dataset.createTable('put', { schema: { fields }, description: 'd', labels: { a: '1' }, friendlyName: 'f' });
  const uri = `/datasets/${datasetId}/tables/put`;
  const more = [...fields, { name: 'more', type: 'STRING' }];
  const put = await call('PUT', uri, { json: { tableReference: { projectId: project, datasetId, tableId: 'put' }, schema: { fields: more }, labels: { b: '2' } } });
  assert.equal(put.description, undefined);
  assert.equal(put.friendlyName, undefined);
  assert.deepEqual(put.labels, { b: '2' });
  assert.deepEqual(put.schema.fields.map((field) => field.name), ['id', 'name', 'more']);
  await assert.rejects(call('PUT', uri, { json: { tableReference: { projectId: project, datasetId, tableId: 'put' }, schema: { fields } } }),
    (error) => error.code === 400);
});

test('datasets.update and its labels, expirations and description', async () => {
  const [own] = await bigquery.createDataset(`${datasetId}_put`, { location: 'US', labels: { a: '1' }, description: 'd' });
  const [before] = await own.getMetadata();
  const put = await call('PUT', `/datasets/${own.id}`, { json: { datasetReference: before.datasetReference, access: before.access,
    defaultTableExpirationMs: '7200000', labels: { b: '2' } } });
  assert.deepEqual(put.labels, { b: '2' });
  assert.equal(put.description, undefined);
  assert.equal(put.defaultTableExpirationMs, '7200000');
  const [table] = await own.createTable('t', { schema: { fields } });
  const [made] = await table.getMetadata();
  assert.ok(Math.abs(Number(made.expirationTime) - Number(made.creationTime) - 7200000) < 60000);
  const [listed] = await bigquery.getDatasets({ filter: 'labels.b:2' });
  assert.deepEqual(listed.map((entry) => entry.id), [own.id]);
  await own.delete({ force: true });
});

test('every list comes in pages: datasets, tables, rows, jobs, results', async () => {
  const others = [];
  for (let i = 0; i < 3; ++i) others.push((await bigquery.createDataset(`${datasetId}_p${i}`, { location: 'US', labels: { paged: datasetId.slice(0, 60) } }))[0]);
  const [datasets, datasetPages] = await paged('/datasets', 'datasets', (entry) => entry.datasetReference.datasetId,
    { maxResults: 2, filter: `labels.paged:${datasetId.slice(0, 60)}` });
  assert.deepEqual(datasets.sort(), others.map((entry) => entry.id).sort());
  assert.equal(datasetPages, 2);
  await Promise.all(others.map((entry) => entry.delete()));

  for (let i = 0; i < 5; ++i) await dataset.createTable(`page${i}`, { schema: { fields } });
  const [tables, tablePages] = await paged(`/datasets/${datasetId}/tables`, 'tables', (entry) => entry.tableReference.tableId, { maxResults: 2 });
  assert.equal(new Set(tables).size, tables.length);
  assert.ok(tables.filter((name) => /^page\d$/.test(name)).length === 5 && tablePages >= 3);

  await loadJson('rows', Array.from({ length: 25 }, (_, id) => ({ id, name: 'x' })), { schema: { fields } });
  const [ids, rowPages] = await paged(`/datasets/${datasetId}/tables/rows/data`, 'rows', (row) => Number(row.f[0].v), { maxResults: 10 });
  assert.deepEqual(ids.sort((a, b) => a - b), Array.from({ length: 25 }, (_, i) => i));
  assert.equal(rowPages, 3);

  const [job] = await bigquery.createQueryJob({ query: `SELECT id FROM \`${datasetId}.rows\` ORDER BY id`, location: 'US' });
  await job.getQueryResults();
  const [results, resultPages] = await paged(`/queries/${job.id}`, 'rows', (row) => Number(row.f[0].v), { maxResults: 7, location: 'US' });
  assert.deepEqual(results, Array.from({ length: 25 }, (_, i) => i));
  assert.equal(resultPages, 4);

  const first = await call('GET', '/jobs', { qs: { maxResults: 1, projection: 'full' } });
  assert.equal(first.jobs.length, 1);
  assert.ok(first.nextPageToken);
  const second = await call('GET', '/jobs', { qs: { maxResults: 1, projection: 'full', pageToken: first.nextPageToken } });
  assert.notEqual(second.jobs[0].id, first.jobs[0].id);
  await assert.rejects(call('GET', `/datasets/${datasetId}/tables/rows/data`, { qs: { pageToken: 'nonsense' } }), (error) => error.code === 400);
});

test('jobs are filtered by state and time, cancelled, deleted and then gone', async () => {
  const since = Date.now();
  const [job] = await bigquery.createQueryJob({ query: 'SELECT 1 AS a', location: 'US' });
  await job.getQueryResults();
  const done = await call('GET', '/jobs', { qs: { stateFilter: 'done', minCreationTime: String(since - 1000), maxResults: 50 } });
  assert.ok(done.jobs.some((entry) => entry.jobReference.jobId === job.id));
  const running = await call('GET', '/jobs', { qs: { stateFilter: 'running', minCreationTime: String(since), maxResults: 50 } });
  assert.ok(!(running.jobs ?? []).some((entry) => entry.jobReference.jobId === job.id));
  const [cancelled] = await job.cancel();
  assert.equal(cancelled.job.jobReference.jobId, job.id);
  await call('DELETE', `/jobs/${job.id}/delete`, { qs: { location: 'US' } });
  await assert.rejects(call('GET', `/jobs/${job.id}`, { qs: { location: 'US' } }), (error) => error.code === 404);
});

test('row access policies are made, read, replaced, listed and deleted', async () => {
  await dataset.createTable('policies', { schema: { fields } });
  const uri = `/datasets/${datasetId}/tables/policies/rowAccessPolicies`;
  const reference = { projectId: project, datasetId, tableId: 'policies', policyId: 'mine' };
  const policy = { rowAccessPolicyReference: reference, filterPredicate: 'id = 1' };
  const made = await call('POST', uri, { json: policy });
  assert.equal(made.filterPredicate, 'id = 1');
  assert.ok(made.etag && made.creationTime && made.lastModifiedTime);
  await assert.rejects(call('POST', uri, { json: policy }), (error) => error.code === 409);
  const changed = await call('PUT', `${uri}/mine`, { json: { ...policy, filterPredicate: 'id = 2' } });
  assert.equal(changed.filterPredicate, 'id = 2');
  const { rowAccessPolicies } = await call('GET', uri);
  assert.deepEqual(rowAccessPolicies.map((entry) => entry.rowAccessPolicyReference.policyId), ['mine']);
  await call('DELETE', `${uri}/mine`);
  await assert.rejects(call('GET', `${uri}/mine`), (error) => error.code === 404);
});

test('policy tags of columns, labels and constraints are kept and shown', async () => {
  const schema = { fields: [{ name: 'id', type: 'INTEGER', mode: 'REQUIRED', description: 'key' },
    { name: 'secret', type: 'STRING', ...(onRealService ? {} : { policyTags: { names: [`projects/${project}/locations/us/taxonomies/1/policyTags/2`] } }) }] };
  const [table] = await dataset.createTable('kept', { schema, labels: { team: 'a' },
    tableConstraints: { primaryKey: { columns: ['id'] } }, clustering: { fields: ['id'] } });
  const [found] = await table.getMetadata();
  if (!onRealService) assert.deepEqual(found.schema.fields[1].policyTags, schema.fields[1].policyTags);
  assert.deepEqual(found.labels, { team: 'a' });
  assert.deepEqual(found.tableConstraints.primaryKey.columns, ['id']);
  assert.deepEqual(found.clustering.fields, ['id']);
  assert.equal(found.schema.fields[0].description, 'key');
});

test('schemaUpdateOptions: a load and a query add columns and relax only when told to', async () => {
  await dataset.createTable('updated', { schema: { fields: [{ name: 'id', type: 'INTEGER', mode: 'REQUIRED' }] } });
  const more = { schema: { fields: [{ name: 'id', type: 'INTEGER' }, { name: 'extra', type: 'STRING' }] }, writeDisposition: 'WRITE_APPEND' };
  await assert.rejects(loadJson('updated', [{ id: 1, extra: 'x' }], more));
  await assert.rejects(loadJson('updated', [{ id: 1, extra: 'x' }], { ...more, schemaUpdateOptions: ['ALLOW_FIELD_ADDITION'] }), 'REQUIRED stays');
  await loadJson('updated', [{ id: 1, extra: 'x' }], { ...more, schemaUpdateOptions: ['ALLOW_FIELD_ADDITION', 'ALLOW_FIELD_RELAXATION'] });
  const [metadata] = await dataset.table('updated').getMetadata();
  assert.deepEqual(metadata.schema.fields.map((field) => [field.name, field.mode ?? 'NULLABLE']), [['id', 'NULLABLE'], ['extra', 'NULLABLE']]);
  const query = { query: "SELECT 2 AS id, 'y' AS extra, TRUE AS flag", destination: dataset.table('updated'), writeDisposition: 'WRITE_APPEND', location: 'US' };
  const failure = async (options) => {
    const [job] = await bigquery.createQueryJob(options).catch((error) => [{ error }]);
    return job.error ?? job.getQueryResults().then(() => undefined, (error) => error);
  };
  assert.ok(await failure(query), 'a new column without ALLOW_FIELD_ADDITION');
  assert.equal(await failure({ ...query, schemaUpdateOptions: ['ALLOW_FIELD_ADDITION'] }), undefined);
  const [after] = await dataset.table('updated').getMetadata();
  assert.deepEqual(after.schema.fields.map((field) => field.name), ['id', 'extra', 'flag']);
});

test('names and places that do not exist are told apart: notFound, duplicate, invalid', async () => {
  const reason = (error) => error.errors?.[0]?.reason;
  await assert.rejects(bigquery.dataset('no_such_dataset').getMetadata(), (error) => error.code === 404 && reason(error) === 'notFound');
  await assert.rejects(dataset.table('no_such_table').getMetadata(), (error) => error.code === 404 && reason(error) === 'notFound');
  await assert.rejects(call('GET', '/jobs/no_such_job'), (error) => error.code === 404 && reason(error) === 'notFound');
  await assert.rejects(bigquery.createDataset(datasetId), (error) => error.code === 409 && reason(error) === 'duplicate');
  await assert.rejects(bigquery.createDataset('bad name'), (error) => error.code === 400 && reason(error) === 'invalid');
  await assert.rejects(dataset.createTable('typeless', { schema: { fields: [{ name: 'a', type: 'NOTYPE' }] } }), (error) => error.code === 400 && reason(error) === 'invalid');
});

test('`fields` leaves of an answer what was asked for', async () => {
  await dataset.createTable('partial', { schema: fields, description: 'words' });
  const uri = `/datasets/${datasetId}/tables/partial`;
  assert.deepEqual(await call('GET', uri, { qs: { fields: 'description,schema/fields(name),tableReference/tableId' } }),
    { description: 'words', schema: { fields: [{ name: 'id' }, { name: 'name' }] }, tableReference: { tableId: 'partial' } });
  const { tables, ...others } = await call('GET', `/datasets/${datasetId}/tables`, { qs: { fields: 'tables/tableReference(tableId)' } });
  assert.deepEqual(others, {});
  assert.ok(tables.some((table) => JSON.stringify(table) === '{"tableReference":{"tableId":"partial"}}'));
  await assert.rejects(call('GET', uri, { qs: { fields: 'schema(fields' } }), (error) => error.code === 400);
});

test('a dataset without routines and models has empty lists of them', async () => {
  for (const kind of ['routines', 'models']) {
    assert.equal((await call('GET', `/datasets/${datasetId}/${kind}`))[kind]?.length ?? 0, 0);
    await assert.rejects(call('GET', `/datasets/${datasetId}_missing/${kind}`), (error) => error.code === 404);
  }
});

test('what would be ignored is refused by name: case-insensitive datasets, collations, rounding modes, time zones and formats of loads', bareOnly, async () => {
  const refused = (promise, words) => assert.rejects(promise, (error) => (error.code ?? 400) === 400 && error.message.includes(`${words} is not supported by the local BigQuery`));
  await refused(call('POST', '/datasets', { json: { datasetReference: { datasetId: `${datasetId}_ci` }, isCaseInsensitive: true } }), 'isCaseInsensitive: true');
  await refused(call('PATCH', `/datasets/${datasetId}`, { json: { defaultCollation: 'und:ci' } }), 'defaultCollation: und:ci');
  const column = (more) => dataset.createTable('ignored', { schema: [{ name: 'r', type: 'RECORD', fields: [{ name: 'x', type: 'STRING', ...more }] }] });
  await refused(column({ collation: 'und:ci' }), 'collation: und:ci');
  await refused(column({ roundingMode: 'ROUND_HALF_EVEN' }), 'roundingMode: ROUND_HALF_EVEN');
  for (const [key, value] of [['timeZone', 'Asia/Tokyo'], ['dateFormat', 'DD/MM/YYYY']]) {
    await refused(loadJson('ignored', [{ id: 1 }], { schema: { fields }, [key]: value }), `${key}: ${value}`);
  }
});
