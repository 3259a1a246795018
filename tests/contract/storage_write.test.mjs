// Storage Write through Google's own Node client, request by request: stream kinds, schemas, types, errors, limits.
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, test } from 'node:test';
import { adapt, bigqueryClient, managedwriter, project, writeClient, writerClient } from '../harness/clients.mjs';
import { protoRequest, protoRows } from '../harness/proto_rows.mjs';
import { startBigquery } from '../harness/servers.mjs';
import { untilWritable } from '../harness/writable.mjs';

const onRealService = Boolean(process.env.HAKOBU_TEST_PROJECT);
const dataset = `write_${randomUUID().replaceAll('-', '')}`;
const plain = [{ name: 'id', type: 'int64' }, { name: 'name', type: 'string' }];
const plainColumns = [{ name: 'id', type: 'INTEGER' }, { name: 'name', type: 'STRING' }];
let server, bigquery, client, stub;

before(async () => {
  server = onRealService ? undefined : await startBigquery();
  bigquery = bigqueryClient(server);
  [client, stub] = [writerClient(server), writeClient(server)];
  await bigquery.createDataset(dataset, { location: 'US' });
});
after(async () => {
  client.close();
  stub.close();
  await bigquery.dataset(dataset).delete({ force: true });
  await server?.stop();
});

async function makeTable(name, fields = plainColumns, more = {}) {
  await bigquery.dataset(dataset).createTable(name, { schema: { fields }, ...more });
  const path = `projects/${project}/datasets/${dataset}/tables/${name}`;
  await untilWritable(server, path);
  return path;
}
async function rowsOf(name, columns = 'id, name') {
  const [rows] = await bigquery.query(`SELECT ${columns} FROM \`${dataset}.${name}\` ORDER BY 1`);
  return rows;
}
// Appends in one connection; write(request) answers { appendResult } or { error }.
async function connect(t, streamId) {
  const connection = await client.createStreamConnection({ streamId });
  connection.onConnectionError(() => {});  // the answer tells it too
  t.after(() => connection.close());
  return (request) => connection.write(request).getResult();
}
const storageErrors = (answer) => (answer.error.details ?? []).map((detail) => detail);
const rows = protoRows(plain);

test('the default stream goes by both of its names', async (t) => {
  const table = await makeTable('spelled');
  for (const [i, name] of [`${table}/streams/_default`, `${table}/_default`].entries()) {
    const write = await connect(t, name);
    const answer = await write(protoRequest(name, rows, [{ id: i, name: 'x' }]));
    assert.ok(answer.appendResult, answer.error?.message);
    assert.equal(answer.appendResult.offset, null);
  }
  assert.deepEqual((await rowsOf('spelled')).map((row) => row.id), [0, 1]);
  const info = await client.getWriteStream({ streamId: `${table}/streams/_default`, view: 'FULL' });
  assert.deepEqual(info.tableSchema.fields.map((field) => field.name), ['id', 'name']);
});

test('an offset on the default stream is refused', async (t) => {
  const table = await makeTable('no_offset');
  const stream = `${table}/streams/_default`;
  const write = await connect(t, stream);
  const answer = await write(protoRequest(stream, rows, [{ id: 1 }], { offset: { value: 0 } }));
  assert.equal(answer.error.code, 3);
});

test('a COMMITTED stream shows rows at once, tells gaps and repeats, and ends when finalized', async (t) => {
  const table = await makeTable('committed');
  const stream = await client.createWriteStream({ streamType: 'COMMITTED', destinationTable: table });
  const write = await connect(t, stream);
  const send = (id, offset) => write(protoRequest(stream, rows, [{ id, name: 'c' }], { offset: { value: offset } }));
  assert.equal(Number((await send(0, 0)).appendResult.offset.value), 0);
  assert.deepEqual((await rowsOf('committed')).map((row) => row.id), [0]);
  const again = await send(0, 0);
  assert.equal(again.error.code, 6);
  assert.match(again.error.message, /The offset is within stream, expected offset 1, received 0/);
  const gap = await send(5, 5);
  assert.equal(gap.error.code, 11);
  assert.match(gap.error.message, /The offset is beyond stream, expected offset 1, received 5/);
  assert.ok((await send(1, 1)).appendResult, 'the connection stays open after errors');
  const finalized = await client.finalizeWriteStream({ name: stream });
  assert.equal(Number(finalized.rowCount ?? finalized), 2);
  const late = await send(2, 2);
  assert.ok(late.error, 'a finalized stream takes no rows');
});

test('a BUFFERED stream shows rows up to what was flushed', async (t) => {
  const table = await makeTable('buffered');
  const stream = await client.createWriteStream({ streamType: 'BUFFERED', destinationTable: table });
  const write = await connect(t, stream);
  await write(protoRequest(stream, rows, [0, 1, 2, 3].map((id) => ({ id })), { offset: { value: 0 } }));
  assert.deepEqual(await rowsOf('buffered'), []);
  const [flushed] = await stub.flushRows({ writeStream: stream, offset: { value: 1 } });
  assert.equal(Number(flushed.offset), 1);
  assert.deepEqual((await rowsOf('buffered')).map((row) => row.id), [0, 1]);
  await stub.flushRows({ writeStream: stream, offset: { value: 3 } });
  assert.deepEqual((await rowsOf('buffered')).map((row) => row.id), [0, 1, 2, 3]);
  await assert.rejects(stub.flushRows({ writeStream: stream, offset: { value: 9 } }));
});

test('PENDING streams are committed together or not at all', async (t) => {
  const table = await makeTable('pending');
  const streams = [];
  for (let i = 0; i < 2; ++i) {
    const stream = await client.createWriteStream({ streamType: 'PENDING', destinationTable: table });
    const write = await connect(t, stream);
    await write(protoRequest(stream, rows, [{ id: i }], { offset: { value: 0 } }));
    streams.push(stream);
  }
  await client.finalizeWriteStream({ name: streams[0] });
  const [refused] = await stub.batchCommitWriteStreams({ parent: table, writeStreams: streams });
  assert.equal(refused.commitTime, null);
  assert.equal(refused.streamErrors.length, 1);
  assert.equal(refused.streamErrors[0].entity, streams[1]);
  assert.deepEqual(await rowsOf('pending'), []);
  await client.finalizeWriteStream({ name: streams[1] });
  const [committed] = await stub.batchCommitWriteStreams({ parent: table, writeStreams: streams });
  assert.ok(committed.commitTime);
  assert.deepEqual((await rowsOf('pending')).map((row) => row.id), [0, 1]);
  const [again] = await stub.batchCommitWriteStreams({ parent: table, writeStreams: streams });
  assert.ok(again.streamErrors.length > 0, 'a stream is committed once');
});

test('one connection serves several tables, their streams and schemas changing request by request', async (t) => {
  const tables = [await makeTable('multi_a'), await makeTable('multi_b', [{ name: 'k', type: 'STRING' }, { name: 'v', type: 'FLOAT' }])];
  const streams = tables.map((table) => `${table}/streams/_default`);
  const other = protoRows([{ name: 'v', type: 'double' }, { name: 'k', type: 'string' }]);
  const write = await connect(t, streams[0]);
  for (let i = 0; i < 3; ++i) {
    assert.ok((await write(protoRequest(streams[0], rows, [{ id: i, name: 'a' }]))).appendResult);
    assert.ok((await write(protoRequest(streams[1], other, [{ k: `k${i}`, v: i / 2 }]))).appendResult);
  }
  assert.deepEqual((await rowsOf('multi_a')).map((row) => row.id), [0, 1, 2]);
  assert.deepEqual(await rowsOf('multi_b', 'k, v'), [{ k: 'k0', v: 0 }, { k: 'k1', v: 0.5 }, { k: 'k2', v: 1 }]);
});

test('a connection keeps its stream and schema, takes them again, and takes another schema', async (t) => {
  const table = await makeTable('schemas');
  const stream = `${table}/streams/_default`;
  const write = await connect(t, stream);
  assert.ok((await write(protoRequest(stream, rows, [{ id: 1, name: 'a' }]))).appendResult);
  assert.ok((await write({ protoRows: { rows: { serializedRows: [rows.encode({ id: 2, name: 'b' })] } } })).appendResult);
  assert.ok((await write(protoRequest(stream, rows, [{ id: 3, name: 'c' }]))).appendResult);
  const turned = protoRows([{ name: 'NAME', type: 'string' }, { name: 'ID', type: 'int32' }], 'Turned');
  assert.ok((await write(protoRequest(stream, turned, [{ NAME: 'd', ID: 4 }]))).appendResult, 'column names regard no case');
  assert.deepEqual(await rowsOf('schemas'), [1, 2, 3, 4].map((id) => ({ id, name: 'abcd'[id - 1] })));
});

test('columns of any name travel by the column_name option', async (t) => {
  const fields = [{ name: 'id', type: 'INTEGER' }, { name: '名前', type: 'STRING' }, { name: 'a-b c', type: 'STRING' }, { name: '1st', type: 'INTEGER' }];
  const table = await makeTable('flexible', fields);
  const streamId = `${table}/streams/_default`;
  const connection = await client.createStreamConnection({ streamId });
  t.after(() => connection.close());
  const protoDescriptor = adapt.convertStorageSchemaToProto2Descriptor(adapt.convertBigQuerySchemaToStorageTableSchema({ fields }), 'root');
  const writer = new managedwriter.JSONWriter({ streamId, connection, protoDescriptor });
  const answer = await writer.appendRows([{ id: 1, '名前': 'ü', 'a-b c': 'x', '1st': 5 }]).getResult();
  assert.ok(answer.appendResult, answer.error?.message);
  assert.deepEqual(await rowsOf('flexible', '*'), [{ id: 1, '名前': 'ü', 'a-b c': 'x', '1st': 5 }]);
});

// BIGQUERY table, proto type, value, what a query reads.
const accepted = [
  ...['bool', 'int32', 'int64', 'uint32', 'uint64'].map((type) => ['BOOL', type, 1, true]),
  ['BOOL', '.google.protobuf.BoolValue', { value: true }, true],
  ...['int64', 'int32', 'uint32'].map((type) => ['INT64', type, 7, 7]), ['INT64', 'enum', 2, 2],
  ...['Int32Value', 'Int64Value', 'UInt32Value'].map((name) => ['INT64', `.google.protobuf.${name}`, { value: 7 }, 7]),
  ['FLOAT64', 'double', 1.5, 1.5], ['FLOAT64', 'float', 0.25, 0.25],
  ['FLOAT64', '.google.protobuf.DoubleValue', { value: 1.5 }, 1.5], ['FLOAT64', '.google.protobuf.FloatValue', { value: 0.5 }, 0.5],
  ['STRING', 'string', 'é', 'é'], ['STRING', 'enum', 1, 'ONE'], ['STRING', '.google.protobuf.StringValue', { value: 'w' }, 'w'],
  ['BYTES', 'bytes', Buffer.from([0, 255]), 'AP8='], ['BYTES', 'string', 'ab', 'YWI='],
  ['BYTES', '.google.protobuf.BytesValue', { value: Buffer.from('ab') }, 'YWI='],
  ['DATE', 'int32', 19782, '2024-02-29'], ['DATE', 'int64', -719162, '0001-01-01'], ['DATE', 'string', '2024-02-29', '2024-02-29'],
  ['DATETIME', 'string', '2024-02-29 23:59:59.999999', '2024-02-29T23:59:59.999999'],
  ['DATETIME', 'int64', '142439222844801599', '2024-02-29T23:59:59.999999'],
  ['TIME', 'string', '12:34:56.789012', '12:34:56.789012'], ['TIME', 'int64', '53880818196', '12:34:56.789012'],
  ...['int64', 'int32', 'uint32'].map((type) => ['TIMESTAMP', type, 1000000, '1970-01-01T00:00:01.000Z']),
  ['TIMESTAMP', '.google.protobuf.Timestamp', { seconds: 1, nanos: 500000000 }, '1970-01-01T00:00:01.500Z'],
  ...['NUMERIC', 'BIGNUMERIC'].flatMap((column) => [
    ...['int32', 'int64', 'uint32', 'uint64'].map((type) => [column, type, 12, '12']),
    [column, 'double', 1.5, '1.5'], [column, 'float', 0.25, '0.25'], [column, 'string', '-1.25', '-1.25']]),
  ['NUMERIC', 'uint64', '18446744073709551615', '18446744073709551615'],
  ['NUMERIC', 'bytes', Buffer.from('00ca9a3b', 'hex'), '1'], ['NUMERIC', 'bytes', Buffer.from('003665c4', 'hex'), '-1'],
  ['NUMERIC', '.google.protobuf.BytesValue', { value: Buffer.from('ff', 'hex') }, '-1e-9'],
  ['BIGNUMERIC', 'bytes', Buffer.from('0000000040228a097ac4865aa84c3b4b', 'hex'), '1'],
  ['JSON', 'string', '{"a":[1]}', '{"a":[1]}'], ['GEOGRAPHY', 'string', 'POINT(1 2)', 'POINT(1 2)'],
  ['INTERVAL', 'string', '1-2 3 4:5:6', '1-2 3 4:5:6'], ['INTERVAL', '.google.protobuf.Duration', { seconds: 90, nanos: 0 }, '0-0 0 0:1:30'],
];

test('every proto type that BigQuery takes for a column', async (t) => {
  const table = await makeTable('types', accepted.map(([type], i) => ({ name: `c${i}`, type })));
  const stream = `${table}/streams/_default`;
  const shape = protoRows(accepted.map(([, type], i) => ({ name: `c${i}`, type })));
  const write = await connect(t, stream);
  const answer = await write(protoRequest(stream, shape, [Object.fromEntries(accepted.map(([, , value], i) => [`c${i}`, value])), {}]));
  assert.ok(answer.appendResult, answer.error?.message);
  const [found] = (await rowsOf('types', '*')).filter((row) => row.c0 !== null);
  accepted.forEach(([type, proto, , wanted], i) => {
    const value = found[`c${i}`];
    const read = Buffer.isBuffer(value) ? value.toString('base64') : typeof wanted === 'string' ? String(value?.value ?? value) : value;
    assert.equal(read.replace?.(/\.0+$/, '') ?? read, wanted, `${type} from ${proto}`);
  });
});

for (const [type, proto] of [['INT64', 'uint64'], ['INT64', 'string'], ['FLOAT64', 'int64'], ['STRING', 'int64'], ['TIMESTAMP', 'double'], ['DATE', 'double']]) {
  test(`a proto ${proto} does not fit ${type}`, async (t) => {
    const table = await makeTable(`misfit_${type}_${proto}`, [{ name: 'c', type }]);
    const stream = `${table}/streams/_default`;
    const write = await connect(t, stream);
    // The connection ends with it.
    const answer = await write(protoRequest(stream, protoRows([{ name: 'c', type: proto }]), [{}])).catch((error) => ({ error }));
    assert.equal(answer.error.code, 3);
    assert.match(answer.error.message, /proto field mismatched with BigQuery field at .*c, the proto field type/i);
  });
}

test('messages, repeated fields packed and not, empty arrays', async (t) => {
  const table = await makeTable('nested', [{ name: 'id', type: 'INTEGER' }, { name: 'packed', type: 'INTEGER', mode: 'REPEATED' },
    { name: 'loose', type: 'INTEGER', mode: 'REPEATED' },
    { name: 'r', type: 'RECORD', fields: [{ name: 'a', type: 'STRING' }, { name: 'l', type: 'STRING', mode: 'REPEATED' }] },
    { name: 'rs', type: 'RECORD', mode: 'REPEATED', fields: [{ name: 'x', type: 'INTEGER' }] }]);
  const stream = `${table}/streams/_default`;
  const shape = protoRows([{ name: 'id', type: 'int64' }, { name: 'packed', type: 'int64', repeated: true, packed: true },
    { name: 'loose', type: 'int64', repeated: true }, { name: 'r', type: [{ name: 'a', type: 'string' }, { name: 'l', type: 'string', repeated: true }] },
    { name: 'rs', type: [{ name: 'x', type: 'int64' }], repeated: true }]);
  const write = await connect(t, stream);
  const answer = await write(protoRequest(stream, shape, [
    { id: 1, packed: [1, 2, 300], loose: [4, 5], r: { a: 'p', l: ['q', 'r'] }, rs: [{ x: 1 }, {}] }, { id: 2 }]));
  assert.ok(answer.appendResult, answer.error?.message);
  assert.deepEqual(await rowsOf('nested', '*'), [
    { id: 1, packed: [1, 2, 300], loose: [4, 5], r: { a: 'p', l: ['q', 'r'] }, rs: [{ x: 1 }, { x: null }] },
    { id: 2, packed: [], loose: [], r: null, rs: [] }]);
});

test('bad rows are told one by one, nothing of the request is kept, and the connection stays', async (t) => {
  const table = await makeTable('row_errors', [{ name: 'id', type: 'INTEGER', mode: 'REQUIRED' }, { name: 'd', type: 'DATE' }]);
  const stream = `${table}/streams/_default`;
  const shape = protoRows([{ name: 'id', type: 'int64' }, { name: 'd', type: 'string' }]);
  const write = await connect(t, stream);
  const answer = await write(protoRequest(stream, shape, [{ id: 1, d: '2024-01-01' }, { d: '2024-01-01' }, { id: 3, d: 'never' }]));
  assert.equal(answer.error.code, 3);
  assert.match(answer.error.message, /Errors found while processing rows\. Please refer to the row_errors field for details/);
  assert.deepEqual(answer.rowErrors.map((error) => [Number(error.index), error.code]), [[1, 'FIELDS_ERROR'], [2, 'FIELDS_ERROR']]);
  assert.ok(answer.rowErrors.every((error) => error.message.length > 0));
  assert.ok((await write(protoRequest(stream, shape, [{ id: 4, d: '2024-01-04' }]))).appendResult);
  assert.deepEqual((await rowsOf('row_errors', 'id')).map((row) => row.id), [4]);
});

test('extra fields are refused with StorageError details', async (t) => {
  const table = await makeTable('extra');
  const stream = `${table}/streams/_default`;
  const write = await connect(t, stream);
  const answer = await write(protoRequest(stream, protoRows([...plain, { name: 'more', type: 'string' }]), [{ id: 1, more: 'x' }]));
  assert.equal(answer.error.code, 3);
  assert.match(answer.error.message, /extra fields: 'more'/);
  const [detail] = storageErrors(answer);
  assert.match(detail.type_url ?? detail.typeUrl, /google\.cloud\.bigquery\.storage\.v1\.StorageError$/);
});

test('missing tables are not found, or denied as if they might not exist, and made-up streams are invalid', async () => {
  const missing = `projects/${project}/datasets/${dataset}/tables/missing`;
  await assert.rejects(client.createWriteStream({ streamType: 'PENDING', destinationTable: missing }), (error) => [5, 7].includes(error.code));
  await assert.rejects(stub.getWriteStream({ name: `${await makeTable('streamless')}/streams/nothing` }), { code: 3 });
});

test('after ALTER TABLE the answer to an append brings the new schema', async (t) => {
  const table = await makeTable('altered');
  const stream = `${table}/streams/_default`;
  const connection = await client.createStreamConnection({ streamId: stream });
  t.after(() => connection.close());
  const write = (shape, row) => connection.write(protoRequest(stream, shape, [row])).getResult();
  let schema;
  connection.onSchemaUpdated((updated) => { schema = updated; });
  await write(rows, { id: 1 });
  await bigquery.query(`ALTER TABLE \`${dataset}.altered\` ADD COLUMN more STRING`);
  for (let i = 0; i < 600 && !schema; ++i) {
    assert.ok((await write(rows, { id: 2 })).appendResult);
    await new Promise((resolve) => { setTimeout(resolve, onRealService ? 1000 : 50); });
  }
  assert.deepEqual(schema.fields.map((field) => field.name), ['id', 'name', 'more']);
  assert.ok((await write(protoRows([...plain, { name: 'more', type: 'string' }]), { id: 3, more: 'x' })).appendResult);
  assert.equal((await rowsOf('altered', 'id, more')).at(-1).more, 'x');
});

test('a request above 20 MB is refused, one below is taken', async (t) => {
  const table = await makeTable('large', [{ name: 'id', type: 'INTEGER' }, { name: 'name', type: 'STRING' }]);
  const stream = `${table}/streams/_default`;
  const megabyte = 'x'.repeat(1 << 20);
  const write = await connect(t, stream);
  assert.ok((await write(protoRequest(stream, rows, Array.from({ length: 18 }, (_, id) => ({ id, name: megabyte }))))).appendResult);
  const second = await connect(t, stream);
  const refused = await second(protoRequest(stream, rows, Array.from({ length: 21 }, (_, id) => ({ id, name: megabyte })))).catch((error) => ({ error }));
  assert.equal(refused.error.code, 3, refused.error.message);
  assert.equal((await rowsOf('large', 'id')).length, 18);
});
