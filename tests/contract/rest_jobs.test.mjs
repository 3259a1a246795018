// Jobs over REST: loads of every format, copies, dispositions, ids, resumable uploads, queries with paging.
import { after, test } from 'node:test';
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { writeFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import avro from 'avsc';
import { eventually } from '../harness/behaviours.mjs';
import { privateFolder, startBigquery } from '../harness/servers.mjs';
import { bigqueryClient, project } from '../harness/clients.mjs';
import { bareOnly, useDataset } from '../harness/contract.mjs';

const folder = privateFolder('loads');
let server, bigquery, dataset;
const datasetId = useDataset('jobs', (made) => ({ server, bigquery, dataset } = made));
after(() => rmSync(folder, { recursive: true }));

function file(name, content) {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
}
const rowsOf = async (table) => (await dataset.table(table).getRows())[0];

// A container file in memory, with avsc's own encoder.
function avroFile(schema, rows, codec = 'null') {
  return new Promise((resolve, reject) => {
    const encoder = new avro.streams.BlockEncoder(schema, { codec });
    const parts = [];
    encoder.on('data', (part) => parts.push(part)).on('end', () => resolve(Buffer.concat(parts))).on('error', reject);
    rows.forEach((row) => encoder.write(row));
    encoder.end();
  });
}

const people = { type: 'record', name: 'person', fields: [
  { name: 'id', type: 'long' },
  { name: 'name', type: ['null', 'string'], default: null },
  { name: 'born', type: { type: 'int', logicalType: 'date' } },
  { name: 'seen', type: { type: 'long', logicalType: 'timestamp-micros' } },
  { name: 'local', type: { type: 'long', logicalType: 'local-timestamp-micros' } },
  { name: 'price', type: { type: 'bytes', logicalType: 'decimal', precision: 10, scale: 2 } },
  { name: 'big', type: { type: 'bytes', logicalType: 'decimal', precision: 60, scale: 30 } },
  { name: 'tags', type: { type: 'array', items: 'string' } },
  { name: 'state', type: { type: 'enum', name: 'state', symbols: ['on', 'off'] } },
] };
const person = (id) => ({ id, name: id % 2 ? `name ${id}` : null, born: 19782, seen: 1709218799123456,
  local: 1709218799000000, price: Buffer.from([0xff, 0x85]), big: Buffer.from([1]), tags: ['a', 'b'], state: 'off' });

for (const codec of ['null', 'deflate']) {
  test(`Avro with codec ${codec} makes a table of its own schema`, async () => {
    const path = file(`${codec}.avro`, await avroFile(people, Array.from({ length: 3000 }, (_, i) => person(i)), codec));
    const [job] = await dataset.table(`avro_${codec}`).load(path, { sourceFormat: 'AVRO', useAvroLogicalTypes: true,
      decimalTargetTypes: ['NUMERIC', 'BIGNUMERIC', 'STRING'] });
    assert.equal(job.statistics.load.outputRows, '3000');
    const [metadata] = await dataset.table(`avro_${codec}`).getMetadata();
    assert.deepEqual(metadata.schema.fields.map((field) => field.type), ['INTEGER', 'STRING', 'DATE', 'TIMESTAMP',
      'DATETIME', 'NUMERIC', 'BIGNUMERIC', 'STRING', 'STRING']);
    const rows = await rowsOf(`avro_${codec}`);
    assert.equal(rows.length, 3000);
    const row = rows.find((found) => found.id === 1);
    assert.equal(row.name, 'name 1');
    assert.equal(row.born.value, '2024-02-29');
    assert.equal(row.seen.value, '2024-02-29T14:59:59.123456000Z');
    assert.equal(row.price.toString(), '-1.23');
    assert.equal(row.big.toFixed(), '0.000000000000000000000000000001');
    assert.deepEqual(row.tags, ['a', 'b']);
    assert.equal(row.state, 'off');
  });
}

test('CSV: quotes, line breaks, NULL and the empty string, gzip', async () => {
  const schema = 'id:INTEGER,text:STRING,day:DATE,amount:NUMERIC';
  const csv = 'id,text,day,amount\n1,"a ""b""\nc",2024-02-29,1.50\n2,,,\n3,"",2024-01-01,-0.000000001\n';
  const path = file('plain.csv', csv);
  const options = { sourceFormat: 'CSV', schema: { fields: schema.split(',').map((column) => {
    const [name, type] = column.split(':');
    return { name, type };
  }) }, skipLeadingRows: 1, allowQuotedNewlines: true };
  await dataset.table('csv').load(path, options);
  await dataset.table('csv').load(file('packed.csv', gzipSync(csv)), { ...options, writeDisposition: 'WRITE_APPEND' });
  const rows = await rowsOf('csv');
  assert.equal(rows.length, 6);
  assert.equal(rows[0].text, 'a "b"\nc');
  assert.equal(rows[1].text, null);
  assert.equal(rows[1].amount, null);
  assert.equal(rows[2].text, '');
  assert.equal(rows[2].amount.toFixed(), '-0.000000001');
});

test('a bad CSV row fails the job, or is counted within maxBadRecords', async () => {
  const path = file('bad.csv', '1\nx\n2\n');
  const schema = { fields: [{ name: 'a', type: 'INTEGER' }] };
  await assert.rejects(dataset.table('bad').load(path, { sourceFormat: 'CSV', schema }),
    (error) => /Error while reading data/.test(error.message ?? error.errors?.[0]?.message));
  await dataset.table('bad').load(path, { sourceFormat: 'CSV', schema, maxBadRecords: 1 });
  assert.deepEqual((await rowsOf('bad')).map((row) => row.a), [1, 2]);
});

test('NDJSON keeps the digits of its numbers, and autodetects', async () => {
  const path = file('rows.ndjson', '{"n": 12345678901234567890.123456789, "j": {"a": 1}}\n{"n": 1}\n');
  await dataset.table('ndjson').load(path, { sourceFormat: 'NEWLINE_DELIMITED_JSON',
    schema: { fields: [{ name: 'n', type: 'NUMERIC' }, { name: 'j', type: 'JSON' }] } });
  const rows = await rowsOf('ndjson');
  assert.equal(rows[0].n.toFixed(), '12345678901234567890.123456789');
  const detected = file('detect.ndjson', '{"i": 1, "f": 1.5, "s": "x", "r": {"b": true}, "l": [1, 2]}\n');
  await dataset.table('detected').load(detected, { sourceFormat: 'NEWLINE_DELIMITED_JSON', autodetect: true });
  const [metadata] = await dataset.table('detected').getMetadata();
  assert.deepEqual(metadata.schema.fields.map((field) => [field.name, field.type, field.mode]), [
    ['i', 'INTEGER', 'NULLABLE'], ['f', 'FLOAT', 'NULLABLE'], ['s', 'STRING', 'NULLABLE'],
    ['r', 'RECORD', 'NULLABLE'], ['l', 'INTEGER', 'REPEATED']]);
});

test('WRITE_TRUNCATE drops the constraints, WRITE_TRUNCATE_DATA keeps them, WRITE_EMPTY refuses', async () => {
  const schema = { fields: [{ name: 'id', type: 'INTEGER' }] };
  const path = file('ids.ndjson', '{"id": 1}\n');
  const load = (writeDisposition) => dataset.table('keyed').load(path,
    { sourceFormat: 'NEWLINE_DELIMITED_JSON', schema, writeDisposition });
  const key = async () => (await dataset.table('keyed').getMetadata())[0].tableConstraints?.primaryKey.columns;
  await dataset.createTable('keyed', { schema, tableConstraints: { primaryKey: { columns: ['id'] } } });
  await load('WRITE_APPEND');
  await load('WRITE_TRUNCATE_DATA');
  assert.deepEqual(await key(), ['id']);
  assert.equal((await rowsOf('keyed')).length, 1);
  await assert.rejects(load('WRITE_EMPTY'), /Already Exists/);
  await load('WRITE_TRUNCATE');
  assert.equal(await key(), undefined);
  assert.equal((await rowsOf('keyed')).length, 1);
});

test('a load adds columns only with ALLOW_FIELD_ADDITION', async () => {
  await dataset.createTable('growing', { schema: [{ name: 'a', type: 'INTEGER' }] });
  const path = file('more.ndjson', '{"a": 1, "b": "x"}\n');
  const options = { sourceFormat: 'NEWLINE_DELIMITED_JSON', writeDisposition: 'WRITE_APPEND',
    schema: { fields: [{ name: 'a', type: 'INTEGER' }, { name: 'b', type: 'STRING' }] } };
  await assert.rejects(dataset.table('growing').load(path, options), /Provided Schema does not match Table/);
  await dataset.table('growing').load(path, { ...options, schemaUpdateOptions: ['ALLOW_FIELD_ADDITION'] });
  assert.deepEqual(await rowsOf('growing'), [{ a: 1, b: 'x' }]);
});

test('a copy takes the source\'s rows, schema and constraints', async () => {
  const [source] = await dataset.createTable('source', { schema: [{ name: 'id', type: 'INTEGER' }],
    tableConstraints: { primaryKey: { columns: ['id'] } } });
  await source.insert([{ id: 1 }, { id: 2 }]);
  await source.copy(dataset.table('target'));
  const [metadata] = await dataset.table('target').getMetadata();
  assert.deepEqual(metadata.tableConstraints, { primaryKey: { columns: ['id'] } });
  assert.deepEqual((await rowsOf('target')).map((row) => row.id).sort(), [1, 2]);
  await assert.rejects(source.copy(dataset.table('target')), /Already Exists/);
  await source.copy(dataset.table('target'), { writeDisposition: 'WRITE_APPEND' });
  assert.equal((await rowsOf('target')).length, 4);
  await source.copy(dataset.table('target'), { writeDisposition: 'WRITE_TRUNCATE' });
  assert.equal((await rowsOf('target')).length, 2);
  await assert.rejects(dataset.table('nowhere').copy(dataset.table('target')), /Not found: Table/);
});

test('a job id is used once', async () => {
  const jobId = `once_${randomUUID()}`;
  await bigquery.createQueryJob({ query: 'SELECT 1', jobId });
  await assert.rejects(bigquery.createQueryJob({ query: 'SELECT 1', jobId }),
    (error) => error.code === 409 && error.errors[0].reason === 'duplicate');
  // After a 409 a job may not be found for a moment.
  const job = await eventually(() => bigquery.job(jobId).get().then(([found]) => found, (error) => { if (error.code !== 404) throw error; }));
  assert.equal(job.metadata.status.state, 'DONE');
});

test('extract is refused by name', async () => {
  await assert.rejects(bigquery.createJob({ configuration: { extract: { destinationUri: 'gs://b/o' } } }), /Extract/);
});

test('a query pages through its rows', async () => {
  const query = 'SELECT n, CAST(n AS NUMERIC) / 4 AS q FROM UNNEST(GENERATE_ARRAY(1, 5000)) AS n ORDER BY n';
  const [job] = await bigquery.createQueryJob({ query });
  const seen = [];
  let options = { maxResults: 1999, autoPaginate: false };
  while (options) {
    const [rows, next] = await job.getQueryResults(options);
    seen.push(...rows.map((row) => row.n));
    options = next;
  }
  assert.deepEqual(seen, Array.from({ length: 5000 }, (_, i) => i + 1));
});

test('queries: count, parameters, a destination table, wrong SQL', async () => {
  await dataset.createTable('counted', { schema: [{ name: 'a', type: 'INTEGER' }] });
  await dataset.table('counted').insert([{ a: 1 }, { a: 2 }]);
  const [[counted]] = await bigquery.query(`SELECT count(*) AS n FROM \`${project}.${datasetId}.counted\``);
  assert.equal(counted.n, 2);
  const [[named]] = await bigquery.query({ query: 'SELECT @x + 1 AS y', params: { x: 41 } });
  assert.equal(named.y, 42);
  const [job] = await bigquery.createQueryJob({ query: `SELECT a * 10 AS b FROM ${datasetId}.counted`,
    destination: dataset.table('tens'), writeDisposition: 'WRITE_TRUNCATE' });
  await job.getQueryResults();
  assert.deepEqual((await rowsOf('tens')).map((row) => row.b).sort(), [10, 20]);
  await assert.rejects(bigquery.query('SELEKT 1'),
    (error) => error.code === 400 && error.errors[0].reason === 'invalidQuery');
  await assert.rejects(bigquery.query(`SELECT * FROM ${datasetId}.nowhere`), (error) => error.code === 404);
});

test('a resumable upload is resumed where it stopped, also after a crash of the server', bareOnly, async () => {
  const own = await startBigquery();
  let local = own;
  const client = () => bigqueryClient(local);
  await client().createDataset('d');
  const jobId = `resumed_${randomUUID()}`;
  const begin = await fetch(`${local.endpoint}/upload/bigquery/v2/projects/${project}/jobs?uploadType=resumable`, {
    method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify({
      jobReference: { projectId: project, jobId }, configuration: { load: { sourceFormat: 'NEWLINE_DELIMITED_JSON',
        destinationTable: { projectId: project, datasetId: 'd', tableId: 't' },
        schema: { fields: [{ name: 'a', type: 'INTEGER' }] } } } }) });
  let session = begin.headers.get('location');
  const line = Buffer.from('{"a": 1}\n');
  const data = Buffer.concat(Array.from({ length: 60000 }, () => line));
  const chunk = 256 * 1024;
  const put = (from, to, total) => fetch(session, { method: 'PUT', body: data.subarray(from, to),
    headers: { 'Content-Range': `bytes ${from}-${to - 1}/${total}` } });
  const first = await put(0, chunk, '*');
  assert.equal(first.status, 308);
  assert.equal(first.headers.get('range'), `bytes=0-${chunk - 1}`);
  await local.kill9();
  local = await startBigquery({ folder: own.folder });
  session = session.replace(/^http:\/\/[^/]+/, local.endpoint);
  const state = await fetch(session, { method: 'PUT', headers: { 'Content-Range': `bytes */${data.length}` } });
  assert.equal(state.status, 308);
  assert.equal(state.headers.get('range'), `bytes=0-${chunk - 1}`);
  const last = await put(chunk, data.length, data.length);
  assert.equal(last.status, 200);
  const job = await last.json();
  assert.equal(job.jobReference.jobId, jobId);
  await eventually(async () => (await client().job(jobId).get())[0].metadata.status.state === 'DONE');
  const [rows] = await client().query(`SELECT count(*) AS n, sum(a) AS s FROM d.t`);
  assert.deepEqual(rows, [{ n: 60000, s: 60000 }]);
  // What was loaded is known by its id after a crash, too.
  await local.kill9();
  local = await startBigquery({ folder: own.folder });
  const [known] = await client().job(jobId).get();
  assert.equal(known.metadata.status.state, 'DONE');
  const again = await fetch(`${local.endpoint}/upload/bigquery/v2/projects/${project}/jobs?uploadType=resumable`, {
    method: 'POST', headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({ jobReference: { projectId: project, jobId }, configuration: { load: {} } }) });
  assert.equal(again.status, 409);
  await local.stop();
  rmSync(own.folder, { recursive: true });
});
