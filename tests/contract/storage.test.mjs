// The Storage APIs through Google's own Node clients.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { tableFromIPC } from 'apache-arrow';
import { adapt, bigqueryClient, managedwriter, project, readClient, writeClient, writerClient } from '../harness/clients.mjs';
import { startBigquery } from '../harness/servers.mjs';
import { untilWritable } from '../harness/writable.mjs';

const { JSONWriter, Writer } = managedwriter;
// Every test starts a server of its own, and some kill it.
const localOnly = { skip: process.env.HAKOBU_TEST_PROJECT ? 'is about a server of its own' : false };
const fields = [
  { name: 'id', type: 'INTEGER', mode: 'REQUIRED' },
  { name: 'name', type: 'STRING' },
];

async function makeTable(server, name, options = {}) {
  const client = bigqueryClient(server);
  const dataset = client.dataset('storage');
  if (!(await dataset.exists())[0]) await dataset.create();
  await dataset.createTable(name, { schema: { fields }, ...options });
  const path = `projects/${project}/datasets/storage/tables/${name}`;
  await untilWritable(server, path);
  return path;
}

async function rowsOf(server, name) {
  const [rows] = await bigqueryClient(server).query(`SELECT id, name FROM storage.${name} ORDER BY id, name`);
  return rows.map((row) => `${row.id} ${row.name}`);
}

async function jsonWriter(client, streamId, schema, descriptor) {
  const connection = await client.createStreamConnection({ streamId });
  return new JSONWriter({ streamId, connection, protoDescriptor: descriptor });
}

const describe = (schema) => {
  const storageSchema = adapt.convertBigQuerySchemaToStorageTableSchema({ fields: schema });
  return adapt.convertStorageSchemaToProto2Descriptor(storageSchema, 'root');
};

test('a PENDING stream appears with its commit, and offsets are taken once', localOnly, async (t) => {
  const server = await startBigquery({ test: t });
  const table = await makeTable(server, 'pending');
  const client = writerClient(server);
  t.after(() => client.close());
  const stream = await client.createWriteStream({ streamType: 'PENDING', destinationTable: table });
  const writer = await jsonWriter(client, stream, fields, describe(fields));
  const first = await writer.appendRows([{ id: 1, name: 'a' }, { id: 2, name: 'b' }], 0).getResult();
  assert.equal(Number(first.appendResult.offset.value), 0);
  const again = await writer.appendRows([{ id: 1, name: 'a' }, { id: 2, name: 'b' }], 0).getResult();
  assert.equal(again.error.code, 6);
  assert.match(again.error.message, /The offset is within stream, expected offset 2, received 0/);
  assert.deepEqual(await rowsOf(server, 'pending'), []);
  const { rowCount } = await client.finalizeWriteStream({ name: stream });
  assert.equal(Number(rowCount), 2);
  const answer = await client.batchCommitWriteStream({ parent: table, writeStreams: [stream] });
  assert.deepEqual(answer.streamErrors ?? [], []);
  assert.deepEqual(await rowsOf(server, 'pending'), ['1 a', '2 b']);
});

test('acknowledged rows outlive kill -9, and a stream goes on at its offset', localOnly, async (t) => {
  const server = await startBigquery({ test: t });
  const table = await makeTable(server, 'survivor');
  let client = writerClient(server);
  const stream = await client.createWriteStream({ streamType: 'COMMITTED', destinationTable: table });
  let writer = await jsonWriter(client, stream, fields, describe(fields));
  await writer.appendRows([{ id: 1, name: 'a' }], 0).getResult();
  await server.kill9();
  client.close();
  const second = await startBigquery({ folder: server.folder, test: t });
  client = writerClient(second);
  t.after(() => client.close());
  writer = await jsonWriter(client, stream, fields, describe(fields));
  const known = await writer.appendRows([{ id: 1, name: 'a' }], 0).getResult();
  assert.equal(known.error.code, 6);
  const next = await writer.appendRows([{ id: 2, name: 'b' }], 1).getResult();
  assert.equal(Number(next.appendResult.offset.value), 1);
  assert.deepEqual(await rowsOf(second, 'survivor'), ['1 a', '2 b']);
});

test('changes are merged by key and sequence number, in whatever order they come', localOnly, async (t) => {
  const server = await startBigquery({ test: t });
  const table = await makeTable(server, 'changes', { tableConstraints: { primaryKey: { columns: ['id'] } } });
  const client = writerClient(server);
  t.after(() => client.close());
  let descriptor = describe([{ name: 'id', type: 'INTEGER' }, { name: 'name', type: 'STRING' }]);
  const schema = adapt.convertBigQuerySchemaToStorageTableSchema({ fields });
  descriptor = adapt.convertStorageSchemaToProto2Descriptor(
    schema, 'root', adapt.withChangeType(), adapt.withChangeSequenceNumber());
  const writer = await jsonWriter(client, `${table}/streams/_default`, fields, descriptor);
  const result = await writer.appendRows([
    { id: 1, name: 'new', _CHANGE_TYPE: 'UPSERT', _CHANGE_SEQUENCE_NUMBER: 'FFF/ABC' },
    { id: 1, name: 'old', _CHANGE_TYPE: 'UPSERT', _CHANGE_SEQUENCE_NUMBER: 'FFF/B' },
    { id: 2, name: 'b', _CHANGE_TYPE: 'UPSERT', _CHANGE_SEQUENCE_NUMBER: '1' },
    { id: 2, _CHANGE_TYPE: 'DELETE', _CHANGE_SEQUENCE_NUMBER: '3' },
    { id: 2, name: 'late', _CHANGE_TYPE: 'UPSERT', _CHANGE_SEQUENCE_NUMBER: '2' },
  ]).getResult();
  assert.ok(!result.error, result.error?.message);
  assert.deepEqual(await rowsOf(server, 'changes'), ['1 new']);
});

test('an unknown column is refused by StorageError, and the connection goes on', localOnly, async (t) => {
  const server = await startBigquery({ test: t });
  const table = await makeTable(server, 'strict');
  const client = writerClient(server);
  t.after(() => client.close());
  const connection = await client.createStreamConnection({ streamId: `${table}/streams/_default` });
  const send = async (schema, row) => {
    const writer = new JSONWriter({ connection, protoDescriptor: describe(schema) });
    return writer.appendRows([row]).getResult();
  };
  const refused = await send([...fields, { name: 'extra', type: 'STRING' }], { id: 1, name: 'a', extra: 'x' });
  assert.match(refused.error.message, /extra fields: 'extra'/);
  const good = await send(fields, { id: 1, name: 'a' });
  assert.ok(good.appendResult);
  assert.deepEqual(await rowsOf(server, 'strict'), ['1 a']);
});

test('a table is read as Arrow, with chosen columns and rows', localOnly, async (t) => {
  const server = await startBigquery({ test: t });
  const table = await makeTable(server, 'read');
  const client = writerClient(server);
  t.after(() => client.close());
  const writer = await jsonWriter(client, `${table}/streams/_default`, fields, describe(fields));
  await writer.appendRows(Array.from({ length: 1000 }, (_, id) => ({ id, name: `n${id}` }))).getResult();
  const reader = readClient(server);
  t.after(() => reader.close());
  const [session] = await reader.createReadSession({
    parent: `projects/${project}`,
    readSession: { table, dataFormat: 'ARROW', readOptions: { selectedFields: ['name'], rowRestriction: 'id >= 990' } },
    maxStreamCount: 1,
  });
  const parts = [session.arrowSchema.serializedSchema];
  await new Promise((resolve, reject) => {
    reader.readRows({ readStream: session.streams[0].name })
      .on('data', (answer) => parts.push(answer.arrowRecordBatch.serializedRecordBatch))
      .on('error', reject).on('end', resolve);
  });
  const names = tableFromIPC(Buffer.concat(parts)).toArray().map((row) => row.name);
  assert.deepEqual(names, Array.from({ length: 10 }, (_, i) => `n${990 + i}`));
});
