// What is the local BigQuery's own: that it stops at once and keeps what it acknowledged, and what it shows of itself.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { adapt, bigqueryClient, managedwriter, project, writerClient } from '../harness/clients.mjs';
import { startBigquery } from '../harness/servers.mjs';
import { untilWritable } from '../harness/writable.mjs';

// Every test starts a server of its own, and some kill it.
const localOnly = { skip: process.env.HAKOBU_TEST_PROJECT ? 'is about a server of its own' : false };
const fields = [
  { name: 'id', type: 'INTEGER', mode: 'REQUIRED' },
  { name: 'name', type: 'STRING' },
];

async function stopMs(server) {
  const begin = Date.now();
  const { code, signal } = await server.stop();
  assert.equal(signal, null, server.output);
  assert.equal(code, 0, server.output);
  return Date.now() - begin;
}

async function changeWriter(t, server, name) {
  const storageSchema = adapt.convertBigQuerySchemaToStorageTableSchema({ fields });
  const protoDescriptor = adapt.convertStorageSchemaToProto2Descriptor(
    storageSchema, 'root', adapt.withChangeType(), adapt.withChangeSequenceNumber());
  const client = writerClient(server);
  t.after(() => client.close());
  const streamId = `projects/${project}/datasets/own/tables/${name}/streams/_default`;
  const connection = await client.createStreamConnection({ streamId });
  const writer = new managedwriter.JSONWriter({ streamId, connection, protoDescriptor });
  return async (rows) => {
    const { error } = await writer.appendRows(rows).getResult();
    assert.ok(!error, error?.message);
  };
}

async function changedTable(t, server, name) {
  const client = bigqueryClient(server);
  const dataset = client.dataset('own');
  if (!(await dataset.exists())[0]) await dataset.create();
  await dataset.createTable(name, { schema: { fields }, tableConstraints: { primaryKey: { columns: ['id'] } } });
  await untilWritable(server, `projects/${project}/datasets/own/tables/${name}`);
  const write = await changeWriter(t, server, name);
  await write([
    { id: 1, name: 'old', _CHANGE_TYPE: 'UPSERT', _CHANGE_SEQUENCE_NUMBER: '1' },
    { id: 2, name: 'b', _CHANGE_TYPE: 'UPSERT', _CHANGE_SEQUENCE_NUMBER: '1' },
    { id: 1, name: 'new', _CHANGE_TYPE: 'UPSERT', _CHANGE_SEQUENCE_NUMBER: '2' },
  ]);
  return client;
}

test('SIGTERM stops it within a second while clients are connected, and acknowledged rows stay', localOnly, async (t) => {
  const server = await startBigquery({ test: t });
  await changedTable(t, server, 'kept');
  await fetch(`http://127.0.0.1:${server.restPort}/bigquery/v2/projects/${project}/datasets`).then((r) => r.json());
  const idle = await stopMs(server);
  assert.ok(idle < 1000, `stopped after ${idle} ms with idle connections`);
  const second = await startBigquery({ folder: server.folder, test: t });
  const [rows] = await bigqueryClient(second).query('SELECT id, name FROM own.kept ORDER BY id');
  assert.deepEqual(rows, [{ id: 1, name: 'new' }, { id: 2, name: 'b' }]);
});

test('a table with streamed changes refuses DML, tells its watermark, and is copied whole', localOnly, async (t) => {
  const server = await startBigquery({ test: t });
  const client = await changedTable(t, server, 'changes');
  await client.dataset('own').createTable('plain', { schema: { fields } });
  for (const dml of ["UPDATE own.changes SET name = 'x' WHERE id = 1", 'DELETE FROM own.changes WHERE id = 1',
    'MERGE own.changes t USING own.plain s ON t.id = s.id WHEN MATCHED THEN DELETE']) {
    await assert.rejects(client.query(dml), /would affect rows in the streaming buffer, which is not supported/);
  }
  const [copied] = await client.dataset('own').table('changes').copy(client.dataset('own').table('copied'));
  assert.equal(copied.status.errorResult, undefined);
  const [rows] = await client.query('SELECT id, name FROM own.copied ORDER BY id');
  assert.deepEqual(rows, [{ id: 1, name: 'new' }, { id: 2, name: 'b' }]);
  await client.query("UPDATE own.copied SET name = 'mine' WHERE id = 1");
  const [tables] = await client.query(
    'SELECT table_name, upsert_stream_apply_watermark AS watermark FROM own.INFORMATION_SCHEMA.TABLES ' +
    'ORDER BY table_name');
  const watermarks = Object.fromEntries(tables.map((row) => [row.table_name, row.watermark?.value ?? null]));
  assert.deepEqual([watermarks.copied, watermarks.plain], [null, null]);
  assert.ok(Math.abs(Date.now() - Date.parse(watermarks.changes)) < 60000, watermarks.changes);
});

test('its own DuckDB schemas are nowhere among the datasets', localOnly, async (t) => {
  const server = await startBigquery({ test: t });
  const client = await changedTable(t, server, 'changes');
  const [datasets] = await client.getDatasets({ all: true });
  assert.deepEqual(datasets.map((dataset) => dataset.id), ['own']);
  const [schemata] = await client.query('SELECT schema_name FROM `region-us`.INFORMATION_SCHEMA.SCHEMATA');
  assert.deepEqual(schemata, [{ schema_name: 'own' }]);
});
