// Rows over REST: insertAll, tabledata.list and its cells, for every type.
import { test } from 'node:test';
import assert from 'node:assert/strict';
import { project } from '../harness/clients.mjs';
import { bareOnly, useDataset } from '../harness/contract.mjs';

let server, bigquery, dataset;
const datasetId = useDataset('rows', (made) => ({ server, bigquery, dataset } = made));

async function cells(table, query = '') {
  const response = await fetch(
    `${server.endpoint}/bigquery/v2/projects/${project}/datasets/${datasetId}/tables/${table}/data?${query}`);
  return response.json();
}

const cases = [
  ['INT64', '-9223372036854775808', '-9223372036854775808'],
  ['FLOAT64', 0.1, '0.1'],
  ['FLOAT64', 'NaN', 'NaN'],
  ['FLOAT64', '-Infinity', '-Infinity'],
  ['BOOL', true, 'true'],
  ['STRING', 'a "quote",\n日本語', 'a "quote",\n日本語'],
  ['BYTES', Buffer.from([0, 255, 16]).toString('base64'), 'AP8Q'],
  ['NUMERIC', '99999999999999999999999999999.999999999', '99999999999999999999999999999.999999999'],
  ['NUMERIC', '1.500', '1.5'],
  ['NUMERIC', '-0.000000001', '-0.000000001'],
  ['BIGNUMERIC', '578960446186580977117854925043439539266.34992332820282019728792003956564819967',
    '578960446186580977117854925043439539266.34992332820282019728792003956564819967'],
  ['BIGNUMERIC', '-1', '-1'],
  ['DATE', '0001-01-01', '0001-01-01'],
  ['DATE', '2024-02-29', '2024-02-29'],
  ['DATETIME', '2024-02-29 23:59:59.999999', '2024-02-29T23:59:59.999999'],
  ['TIME', '12:34:56.789', '12:34:56.789000'],
  ['TIMESTAMP', '2024-02-29 23:59:59.123456+09:00', '1709218799123456'],
  ['JSON', '{"a": [1, 2.50]}', undefined],
  ['GEOGRAPHY', 'POINT(139 35)', 'POINT(139 35)'],
  ['INTERVAL', '1-2 3 4:5:6.5', '1-2 3 4:5:6.500000'],
];

test('every type is read back as it was written', bareOnly, async () => {
  const schema = cases.map(([type], i) => ({ name: `c${i}`, type }));
  const [table] = await dataset.createTable('types', { schema });
  await table.insert([Object.fromEntries(cases.map(([, value], i) => [`c${i}`, value])), {}], { raw: false });
  const answer = await cells('types', 'formatOptions.useInt64Timestamp=true');
  assert.equal(answer.totalRows, '2');
  cases.forEach(([type, , wanted], i) => {
    const found = answer.rows[0].f[i].v;
    if (type === 'JSON') assert.deepEqual(JSON.parse(found), { a: [1, 2.5] });
    else assert.equal(found, wanted, type);
    assert.equal(answer.rows[1].f[i].v, null, `${type} NULL`);
  });
  const seconds = await cells('types');
  assert.equal(Number(seconds.rows[0].f[16].v), 1709218799.123456);
});

test('the client reads RECORD and REPEATED values', async () => {
  const [table] = await dataset.createTable('shapes', { schema: [
    { name: 'tags', type: 'STRING', mode: 'REPEATED' },
    { name: 'r', type: 'RECORD', fields: [{ name: 'a', type: 'INTEGER' }, { name: 'b', type: 'STRING', mode: 'REPEATED' }] },
    { name: 'rs', type: 'RECORD', mode: 'REPEATED', fields: [{ name: 'x', type: 'INTEGER' }] },
  ] });
  const rows = [
    { tags: ['a', 'b'], r: { a: 1, b: ['x'] }, rs: [{ x: 1 }, { x: 2 }] },
    { tags: [], r: null, rs: [] },
  ];
  await table.insert(rows);
  const [found] = await table.getRows();
  assert.deepEqual(found, rows);
});

test('a wrong row refuses all of them, and says which', async () => {
  const [table] = await dataset.createTable('strict', { schema: [
    { name: 'id', type: 'INTEGER', mode: 'REQUIRED' }, { name: 'd', type: 'DATE' }] });
  await assert.rejects(table.insert([{ id: 1 }, { id: 2, d: 'no date' }, { id: 3, nope: 1 }], { partialRetries: 0 }), (error) => {
    assert.equal(error.name, 'PartialFailureError');
    const reasons = error.response.insertErrors.map((entry) => [entry.index, entry.errors[0].reason]);
    assert.deepEqual(reasons.sort(), [[0, 'stopped'], [1, 'invalid'], [2, 'invalid']]);
    const unknown = error.response.insertErrors.find((entry) => entry.index === 2);
    assert.match(unknown.errors[0].message, /no such field: nope/);
    return true;
  });
  const [none] = await table.getRows();
  assert.equal(none.length, 0);
  await assert.rejects(table.insert([{ id: 1 }, { d: '2024-01-01' }], { skipInvalidRows: true, partialRetries: 0 }));
  await table.insert([{ id: 9, nope: 1 }], { ignoreUnknownValues: true });
  const [some] = await table.getRows();
  assert.deepEqual(some.map((row) => row.id).sort(), [1, 9]);
});

test('a row with an insertId is there once', async () => {
  const [table] = await dataset.createTable('once', { schema: [{ name: 'a', type: 'INTEGER' }] });
  const row = { insertId: 'same', json: { a: 1 } };
  await table.insert([row], { raw: true });
  await table.insert([row, { insertId: 'other', json: { a: 2 } }], { raw: true });
  const [found] = await table.getRows();
  assert.deepEqual(found.map((entry) => entry.a).sort(), [1, 2]);
});

test('rows are listed in pages, from an index and by fields', async () => {
  const [table] = await dataset.createTable('paged', { schema: [{ name: 'a', type: 'INTEGER' }, { name: 'b', type: 'STRING' }] });
  await table.insert(Array.from({ length: 5000 }, (_, a) => ({ a, b: `row ${a}` })));
  const seen = [];
  let query = { maxResults: 1999, autoPaginate: false };
  while (query) {
    const [rows, next] = await table.getRows(query);
    seen.push(...rows.map((row) => row.a));
    query = next;
  }
  assert.deepEqual(seen, Array.from({ length: 5000 }, (_, a) => a));
  const [tail] = await table.getRows({ startIndex: 4998, selectedFields: 'b' });
  assert.deepEqual(tail, [{ b: 'row 4998' }, { b: 'row 4999' }]);
});

test('template tables are refused by name', bareOnly, async () => {
  const response = await fetch(`${server.endpoint}/bigquery/v2/projects/${project}/datasets/${datasetId}/tables/paged/insertAll`,
    { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ templateSuffix: '_x', rows: [{ json: { a: 1 } }] }) });
  const { error } = await response.json();
  assert.equal(response.status, 400);
  assert.match(error.message, /templateSuffix/);
});
