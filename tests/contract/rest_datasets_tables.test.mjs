// Datasets and tables over REST: by Google's Node client, and bare where it cannot reach (etags, PATCH's nulls).
import { test } from 'node:test';
import assert from 'node:assert/strict';
import { project } from '../harness/clients.mjs';
import { bareOnly, useDataset } from '../harness/contract.mjs';

let server, bigquery, dataset;
const datasetId = useDataset('rest', (made) => ({ server, bigquery, dataset } = made));

async function bare(method, path, { body, headers = {} } = {}) {
  const response = await fetch(`${server.endpoint}/bigquery/v2/projects/${project}${path}`, {
    method, headers: { 'Content-Type': 'application/json', ...headers }, body: body && JSON.stringify(body) });
  const text = await response.text();
  return { status: response.status, headers: response.headers, body: text ? JSON.parse(text) : undefined };
}

test('a dataset has default access entries and is listed', async () => {
  const [metadata] = await dataset.getMetadata();
  assert.equal(metadata.id, `${project}:${datasetId}`);
  const groups = metadata.access.map((entry) => entry.specialGroup).filter(Boolean).sort();
  assert.deepEqual(groups, ['projectOwners', 'projectReaders', 'projectWriters']);
  const [datasets] = await bigquery.getDatasets();
  assert.ok(datasets.some((found) => found.id === datasetId));
});

test('creating a dataset again is a duplicate', async () => {
  await assert.rejects(bigquery.createDataset(datasetId),
    (error) => error.code === 409 && error.errors[0].reason === 'duplicate' &&
      error.message.includes(`Already Exists: Dataset ${project}:${datasetId}`));
});

test('a table keeps every property it was made with', async () => {
  const schema = { fields: [
    { name: 'id', type: 'INTEGER', mode: 'REQUIRED', description: 'the key' },
    { name: 'name', type: 'STRING', maxLength: '40' },
    { name: 'price', type: 'NUMERIC', precision: '10', scale: '2' },
    { name: 'day', type: 'DATE' },
    { name: 'tags', type: 'STRING', mode: 'REPEATED' },
    { name: 'address', type: 'RECORD', fields: [{ name: 'street', type: 'STRING' }, { name: 'no', type: 'INTEGER' }] },
  ] };
  const [table] = await dataset.createTable('properties', { schema,
    timePartitioning: { type: 'DAY', field: 'day', expirationMs: '86400000000' }, clustering: { fields: ['id'] },
    tableConstraints: { primaryKey: { columns: ['id'] } }, description: 'all of it', friendlyName: 'Properties',
    labels: { team: 'data' } });
  const [metadata] = await table.getMetadata();
  assert.equal(metadata.type, 'TABLE');
  assert.deepEqual(metadata.schema.fields.map((field) => [field.name, field.type, field.mode ?? 'NULLABLE']), [
    ['id', 'INTEGER', 'REQUIRED'], ['name', 'STRING', 'NULLABLE'], ['price', 'NUMERIC', 'NULLABLE'],
    ['day', 'DATE', 'NULLABLE'], ['tags', 'STRING', 'REPEATED'], ['address', 'RECORD', 'NULLABLE']]);
  assert.equal(metadata.schema.fields[0].description, 'the key');
  assert.equal(metadata.schema.fields[1].maxLength, '40');
  assert.equal(metadata.schema.fields[2].scale, '2');
  assert.equal(metadata.schema.fields[5].fields[1].name, 'no');
  assert.deepEqual(metadata.timePartitioning, { type: 'DAY', field: 'day', expirationMs: '86400000000' });
  assert.deepEqual(metadata.clustering, { fields: ['id'] });
  assert.deepEqual(metadata.tableConstraints, { primaryKey: { columns: ['id'] } });
  assert.deepEqual(metadata.labels, { team: 'data' });
  assert.equal(metadata.numRows, '0');
});

test('names that differ only in case are two tables', async () => {
  const schema = [{ name: 'a', type: 'INT64' }];
  await dataset.createTable('Cased', { schema });
  await dataset.createTable('cased', { schema });
  await dataset.table('Cased').insert([{ a: 1 }]);
  const [[upper], [lower]] = await Promise.all([dataset.table('Cased').getRows(), dataset.table('cased').getRows()]);
  assert.equal(upper.length, 1);
  assert.equal(lower.length, 0);
});

test('a missing table is told in Google\'s words', async () => {
  await assert.rejects(dataset.table('nowhere').getMetadata(),
    (error) => error.code === 404 && error.errors[0].reason === 'notFound' &&
      error.message.includes(`Not found: Table ${project}:${datasetId}.nowhere`));
});

test('a patch adds nullable columns and relaxes, and refuses anything else', async () => {
  const [table] = await dataset.createTable('evolving', { schema: [{ name: 'a', type: 'INTEGER', mode: 'REQUIRED' }] });
  await table.insert([{ a: 1 }]);
  await table.setMetadata({ schema: [{ name: 'a', type: 'INTEGER' }, { name: 'b', type: 'STRING' }] });
  const [rows] = await table.getRows();
  assert.deepEqual(rows, [{ a: 1, b: null }]);
  for (const [fields, words] of [
    [[{ name: 'a', type: 'INTEGER' }], 'Field b is missing in new schema'],
    [[{ name: 'a', type: 'STRING' }, { name: 'b', type: 'STRING' }], 'Field a has changed type from INTEGER to STRING'],
    [[{ name: 'a', type: 'INTEGER' }, { name: 'b', type: 'STRING' }, { name: 'c', type: 'STRING', mode: 'REQUIRED' }],
      'Cannot add required fields'],
  ]) {
    await assert.rejects(table.setMetadata({ schema: fields }),
      (error) => error.code === 400 && error.message.includes(words), words);
  }
});

test('a nested column is added inside a RECORD that has rows', async () => {
  const inner = { name: 'x', type: 'INTEGER' };
  const [table] = await dataset.createTable('nested', { schema: [{ name: 'r', type: 'RECORD', fields: [inner] }] });
  await table.insert([{ r: { x: 1 } }]);
  await table.setMetadata({ schema: [{ name: 'r', type: 'RECORD', fields: [inner, { name: 'y', type: 'STRING' }] }] });
  const [rows] = await table.getRows();
  assert.deepEqual(rows, [{ r: { x: 1, y: null } }]);
});

test('etags: If-Match is 412, If-None-Match is 304', bareOnly, async () => {
  const made = await bare('POST', `/datasets/${datasetId}/tables`,
    { body: { tableReference: { projectId: project, datasetId, tableId: 'tagged' }, schema: { fields: [{ name: 'a', type: 'INT64' }] } } });
  assert.equal(made.status, 200);
  const path = `/datasets/${datasetId}/tables/tagged`;
  const unchanged = await bare('GET', path, { headers: { 'If-None-Match': made.body.etag } });
  assert.equal(unchanged.status, 304);
  const patched = await bare('PATCH', path, { body: { description: 'new' }, headers: { 'If-Match': made.body.etag } });
  assert.equal(patched.status, 200);
  assert.notEqual(patched.body.etag, made.body.etag);
  const stale = await bare('PATCH', path, { body: { description: 'lost' }, headers: { 'If-Match': made.body.etag } });
  assert.equal(stale.status, 412);
  assert.match(stale.body.error.message, /Precondition check failed/);
  const forced = await bare('PATCH', path, { body: { description: 'forced' }, headers: { 'If-Match': '*' } });
  assert.equal(forced.body.description, 'forced');
});

test('PATCH: null takes away, a null schema stays, a null label goes', bareOnly, async () => {
  const path = `/datasets/${datasetId}/tables/nulls`;
  await bare('POST', `/datasets/${datasetId}/tables`, { body: { tableReference: { tableId: 'nulls' },
    schema: { fields: [{ name: 'a', type: 'INT64' }] }, description: 'd', labels: { keep: '1', drop: '2' } } });
  const patched = await bare('PATCH', path, { body: { schema: null, description: null, labels: { drop: null } } });
  assert.equal(patched.body.description, undefined);
  assert.equal(patched.body.schema.fields.length, 1);
  assert.deepEqual(patched.body.labels, { keep: '1' });
});

test('a dataset patch replaces the whole access list, under If-Match', async () => {
  const [metadata] = await dataset.getMetadata();
  const access = [...metadata.access, { role: 'READER', specialGroup: 'allAuthenticatedUsers' }];
  await dataset.setMetadata({ access, etag: metadata.etag });
  const [changed] = await dataset.getMetadata();
  assert.equal(changed.access.length, metadata.access.length + 1);
  await assert.rejects(dataset.setMetadata({ access: metadata.access, etag: metadata.etag }),
    (error) => error.code === 412);
});

test('a dataset with tables is in use', async () => {
  await assert.rejects(dataset.delete(), (error) => error.code === 400 && error.errors[0].reason === 'resourceInUse');
});

test('tables are listed in pages', async () => {
  const [paged] = await bigquery.createDataset(`${datasetId}_paged`, { location: 'US' });
  for (let i = 0; i < 5; ++i) await paged.createTable(`t${i}`, { schema: [{ name: 'a', type: 'INT64' }] });
  const names = [];
  let query = { maxResults: 2, autoPaginate: false };
  while (query) {
    const [tables, next] = await paged.getTables(query);
    assert.ok(tables.length <= 2);
    names.push(...tables.map((table) => table.id));
    query = next;
  }
  assert.deepEqual(names, ['t0', 't1', 't2', 't3', 't4']);
  await paged.delete({ force: true });
});

test('table IAM policies are read back, and a stale one is refused', async () => {
  const [table] = await dataset.createTable('guarded', { schema: [{ name: 'a', type: 'INT64' }] });
  const [policy] = await table.getIamPolicy();
  const bindings = [{ role: 'roles/bigquery.dataViewer', members: ['user:a@example.com'] }];
  const [set] = await table.setIamPolicy({ ...policy, bindings });
  assert.deepEqual(set.bindings, bindings);
  const [again] = await table.getIamPolicy();
  assert.deepEqual(again.bindings, bindings);
});

test('a label that is not there is taken away for nothing', bareOnly, async () => {
  const path = `${server.endpoint}/bigquery/v2/projects/${project}/datasets`;
  const send = async (method, at, body) => (await fetch(`${path}${at}`,
    { method, headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) })).status;
  assert.equal(await send('POST', '', { datasetReference: { datasetId: 'unlabelled' } }), 200);
  assert.equal(await send('POST', '/unlabelled/tables', { tableReference: { tableId: 't' } }), 200);
  assert.equal(await send('PATCH', '/unlabelled', { labels: { gone: null } }), 200);
  assert.equal(await send('PATCH', '/unlabelled/tables/t', { labels: { gone: null } }), 200);
});
