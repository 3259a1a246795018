// DEFAULT values of columns: what loads, insertAll, INSERT and appends put where a row says nothing.
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import avro from 'avsc';
import { adapt, bigqueryClient, managedwriter, project, writerClient } from '../harness/clients.mjs';
import { privateFolder, startBigquery } from '../harness/servers.mjs';
import { untilWritable } from '../harness/writable.mjs';

const fields = [
  { name: 'id', type: 'INTEGER', mode: 'REQUIRED' },
  { name: 'state', type: 'STRING', mode: 'REQUIRED', defaultValueExpression: "'a state of more than twelve bytes'" },
  { name: 'n', type: 'INTEGER', defaultValueExpression: '7 * 6' },
  { name: 'price', type: 'NUMERIC', defaultValueExpression: "NUMERIC '12.345678901'" },
  { name: 'big', type: 'BIGNUMERIC', defaultValueExpression: "BIGNUMERIC '-1.5'" },
  { name: 'day', type: 'DATE', defaultValueExpression: "DATE '2024-02-29'" },
  { name: 'made', type: 'TIMESTAMP', defaultValueExpression: 'CURRENT_TIMESTAMP()' },
  { name: 'uuid', type: 'STRING', defaultValueExpression: 'GENERATE_UUID()' },
];
const full = 'a state of more than twelve bytes|42|12.345678901|-1.5|2024-02-29|true|true';
const query = `SELECT id, CONCAT(state, '|', IFNULL(CAST(n AS STRING), 'NULL'), '|', CAST(price AS STRING), '|', CAST(big AS STRING), '|',
  CAST(day AS STRING), '|', CAST(ABS(TIMESTAMP_DIFF(CURRENT_TIMESTAMP(), made, SECOND)) < 300 AS STRING), '|',
  CAST(LENGTH(uuid) = 36 AS STRING)) AS row FROM d.t ORDER BY id`;

async function start(t) {
  const server = await startBigquery({ test: t });
  const client = bigqueryClient(server);
  const [dataset] = await client.createDataset('d');
  await dataset.createTable('t', { schema: { fields } });
  const rows = async () => Object.fromEntries((await client.query(query))[0].map((row) => [row.id, row.row]));
  const uuids = async () => (await client.query('SELECT COUNT(DISTINCT uuid) AS n FROM d.t'))[0][0].n;
  return { server, client, table: dataset.table('t'), rows, uuids };
}

test('the schema tells its defaults', async (t) => {
  const { table, client } = await start(t);
  const [metadata] = await table.getMetadata();
  assert.equal(metadata.schema.fields[2].defaultValueExpression, '7 * 6');
  await client.query("CREATE TABLE d.made (id INT64, s STRING DEFAULT 'x'); INSERT INTO d.made (id) VALUES (1)");
  assert.deepEqual((await client.query('SELECT * FROM d.made'))[0], [{ id: 1, s: 'x' }]);
});

test('INSERT and insertAll: what is missing has its default, what is null is null', async (t) => {
  const { client, table, rows, uuids } = await start(t);
  await client.query('INSERT INTO d.t (id) VALUES (1), (2)');
  await table.insert([{ id: 3 }, { id: 4, n: null }, { id: 5, state: 'given', n: 1 }]);
  assert.deepEqual(await rows(), { 1: full, 2: full, 3: full, 4: full.replace('42', 'NULL'),
    5: full.replace('a state of more than twelve bytes', 'given').replace('42', '1') });
  assert.equal(await uuids(), 5);
  await assert.rejects(table.insert([{ id: 6, state: null }]));
});

test('loads: a column that the file lacks; a key that a JSON row lacks', async (t) => {
  const { table, rows } = await start(t);
  const folder = privateFolder('defaults');
  const file = (name, content) => { const path = join(folder, name); writeFileSync(path, content); return path; };
  await table.load(file('rows.json', '{"id":1}\n{"id":2,"n":null}\n{"id":3,"n":5}\n'), { sourceFormat: 'NEWLINE_DELIMITED_JSON' });
  await table.load(file('rows.csv', '4,\n5,8\n'), { sourceFormat: 'CSV', schema: { fields: [fields[0], { name: 'n', type: 'INTEGER' }] } });
  const encoded = await new Promise((resolve, reject) => {
    const encoder = new avro.streams.BlockEncoder({ type: 'record', name: 'r', fields: [{ name: 'id', type: 'long' }] });
    const parts = [];
    encoder.on('data', (part) => parts.push(part)).on('end', () => resolve(Buffer.concat(parts))).on('error', reject);
    encoder.end({ id: 6 });
  });
  await table.load(file('rows.avro', encoded), { sourceFormat: 'AVRO' });
  const nothing = full.replace('42', 'NULL');
  assert.deepEqual(await rows(), { 1: full, 2: nothing, 3: full.replace('42', '5'), 4: nothing, 5: full.replace('42', '8'), 6: full });
});

test('appends: by the connection\'s setting, by the request\'s map, and NULL without either', async (t) => {
  const { server, rows, uuids } = await start(t);
  await untilWritable(server, `projects/${project}/datasets/d/tables/t`);
  const client = writerClient(server);
  t.after(() => client.close());
  const streamId = `projects/${project}/datasets/d/tables/t/streams/_default`;
  const descriptor = adapt.convertStorageSchemaToProto2Descriptor(adapt.convertBigQuerySchemaToStorageTableSchema(
    { fields: fields.slice(0, 3).map((field) => ({ ...field, mode: field.name === 'id' ? 'REQUIRED' : 'NULLABLE' })) }), 'root');
  const open = async (options) => new managedwriter.JSONWriter({ protoDescriptor: descriptor, ...options,
    connection: await client.createStreamConnection({ streamId }) });
  const plain = await open({});
  const refused = await plain.appendRows([{ id: 1 }]).getResult();
  assert.match(refused.rowErrors?.[0]?.message ?? refused.error?.message, /Missing required field: state/);
  const defaulting = await open({ defaultMissingValueInterpretation: 'DEFAULT_VALUE' });
  assert.ok((await defaulting.appendRows([{ id: 2 }, { id: 3, n: 1 }]).getResult()).appendResult);
  const chosen = await open({ missingValueInterpretations: { state: 'DEFAULT_VALUE', price: 'DEFAULT_VALUE', big: 'DEFAULT_VALUE',
    day: 'DEFAULT_VALUE', made: 'DEFAULT_VALUE', uuid: 'DEFAULT_VALUE' } });
  const result = await chosen.appendRows([{ id: 4 }]).getResult();
  assert.ok(result.appendResult, JSON.stringify(result));
  assert.deepEqual(await rows(), { 2: full, 3: full.replace('42', '1'), 4: full.replace('42', 'NULL') });
  assert.equal(await uuids(), 3);
});
