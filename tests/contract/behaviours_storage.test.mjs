// What Google's service does to writers by itself: denials after creation, late news of columns, rows that are
// acknowledged and lost.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Connection, changes, idRows } from '../harness/append.mjs';
import { behave, change, eventually, failure } from '../harness/behaviours.mjs';
import { project, readClient, writeClient } from '../harness/clients.mjs';
import { bareOnly, useDataset } from '../harness/contract.mjs';
import { protoRequest, protoRows } from '../harness/proto_rows.mjs';
import { untilWritable } from '../harness/writable.mjs';

let server, bigquery, dataset;
const datasetId = useDataset('behaviours', (made) => ({ server, bigquery, dataset } = made));
const tablePath = (name) => `projects/${project}/datasets/${datasetId}/tables/${name}`;
const streamPath = (name) => `${tablePath(name)}/streams/_default`;

async function makeTable(name, fields = [{ name: 'id', type: 'INTEGER' }], more = {}) {
  await dataset.createTable(name, { schema: { fields }, ...more });
  return tablePath(name);
}
function stubOf(t) {
  const stub = writeClient(server);
  t.after(() => stub.close());
  return stub;
}
function connect(t) {
  const connection = new Connection(server);
  t.after(() => connection.close());
  return connection;
}
const create = async (stub, parent, type) => (await stub.createWriteStream({ parent, writeStream: { type } }))[0];
const query = async (text) => (await bigquery.query(text))[0];
const ids = async (name) => (await query(`SELECT id FROM \`${datasetId}.${name}\` ORDER BY id`)).map((row) => row.id);
const denied = (permission, name) => new RegExp(`Permission '${permission}' denied on resource '${tablePath(name)}' \\(or it may not exist\\)`);

test('writes to a table just made are denied as if it might not exist, twice at the most', bareOnly, async (t) => {
  await behave(t, server, { masked_denials: 'always' }, { delays: 'real' });
  const stub = stubOf(t);
  const table = await makeTable('denied');
  for (let i = 0; i < 2; ++i) {
    const error = await failure(create(stub, table, 'BUFFERED'));
    assert.equal(error.code, 7);
    assert.match(error.message, denied('TABLES_UPDATE_DATA', 'denied'));
  }
  const stream = await create(stub, table, 'BUFFERED');
  for (let i = 0; i < 2; ++i) {
    const error = await failure(connect(t).send(idRows(streamPath('denied'), [1])));
    assert.match(error.message, denied('TABLES_UPDATE_DATA', 'denied'));
  }
  assert.ok((await connect(t).send(idRows(streamPath('denied'), [1]))).appendResult);
  assert.ok((await connect(t).send(idRows(stream.name, [2], 0))).appendResult, 'appends to explicit streams are never denied');
  const flush = () => stub.flushRows({ writeStream: stream.name, offset: { value: 0 } });
  assert.match((await failure(flush())).message, denied('TABLES_UPDATE_DATA', 'denied'), 'it names the table');
  await failure(flush());
  await flush();
  assert.deepEqual(await ids('denied'), [1, 2]);
});

test('a table that is not there denies writes in the same words', bareOnly, async (t) => {
  await behave(t, server, { masked_denials: 'on' });
  const missing = await failure(create(stubOf(t), tablePath('absent'), 'PENDING'));
  assert.equal(missing.code, 7);
  assert.match(missing.message, denied('TABLES_UPDATE_DATA', 'absent'));
  const append = await failure(connect(t).send(idRows(streamPath('absent'), [1])));
  assert.equal(append.code, 7);
  assert.match(append.message, denied('TABLES_GET', 'absent'));
});

test('some tables are denied and most are not, the same each time', bareOnly, async (t) => {
  await behave(t, server, { masked_denials: 'on' }, { delays: 'real' });
  const stub = stubOf(t);
  let denials = 0;
  for (let i = 0; i < 40; ++i) {
    const table = await makeTable(`some_${i}`);
    for (let tries = 0; ; ++tries) {
      const error = await failure(create(stub, table, 'PENDING'));
      if (!error) break;
      assert.ok(tries < 2, 'never more than two in a row');
      ++denials;
    }
  }
  assert.ok(denials > 0 && denials < 40, `${denials} denials`);
});

const named = protoRows([{ name: 'id', type: 'int64' }, { name: 'name', type: 'string' }]);

test('appends that send a new column are refused for a while, longer on open connections', bareOnly, async (t) => {
  await behave(t, server, { write_schema_lag: 'on' }, { delays: 'real' });
  await makeTable('late_column');
  const connection = connect(t);
  await connection.send(idRows(streamPath('late_column'), [1]));
  await query(`ALTER TABLE \`${datasetId}.late_column\` ADD COLUMN name STRING`);
  const send = () => connection.send(protoRequest(streamPath('late_column'), named, [{ id: 2, name: 'n' }]));
  const refused = await send();
  assert.equal(refused.error.code, 3);
  assert.match(refused.error.message, /Input schema has more fields than BigQuery schema/);
  assert.ok((await connection.send(idRows(streamPath('late_column'), [3]))).appendResult, 'what it knew goes on');
  await change(server, { advance_seconds: 2 });
  assert.ok((await connect(t).send(protoRequest(streamPath('late_column'), named, [{ id: 4, name: 'n' }]))).appendResult, 'a new connection knows it');
  assert.ok((await send()).error, 'the open one does not yet');
  await change(server, { advance_seconds: 10 });
  assert.ok((await send()).appendResult);
});

test('a read session does not know a new column for a while', bareOnly, async (t) => {
  await behave(t, server, { read_schema_lag: 'on' }, { delays: 'real' });
  const table = await makeTable('read_late');
  await query(`INSERT INTO \`${datasetId}.read_late\` (id) VALUES (1)`);
  await query(`ALTER TABLE \`${datasetId}.read_late\` ADD COLUMN more STRING`);
  const reader = readClient(server);
  t.after(() => reader.close());
  const open = () => reader.createReadSession({ parent: `projects/${project}`, maxStreamCount: 1,
    readSession: { table, dataFormat: 'ARROW', readOptions: { selectedFields: ['id', 'more'] } } });
  const error = await failure(open());
  assert.equal(error.code, 3);
  assert.match(error.message, /The following selected fields do not exist in the table schema: more/);
  await change(server, { advance_seconds: 31 });
  await open();
});

test('an open connection goes on refusing NULL after REQUIRED was relaxed, a new one takes it', bareOnly, async (t) => {
  await behave(t, server, { relaxation_lag: 'on' }, { delays: 'real' });
  await makeTable('relaxed', [{ name: 'id', type: 'INTEGER' }, { name: 'name', type: 'STRING', mode: 'REQUIRED' }]);
  const open = connect(t);
  const row = (value) => protoRequest(streamPath('relaxed'), named, [value]);
  assert.ok((await open.send(row({ id: 1, name: 'a' }))).appendResult);
  await query(`ALTER TABLE \`${datasetId}.relaxed\` ALTER COLUMN name DROP NOT NULL`);
  assert.equal((await open.send(row({ id: 2 }))).error.code, 3);
  await change(server, { advance_seconds: 12 });
  assert.ok((await connect(t).send(row({ id: 2 }))).appendResult);
  assert.equal((await open.send(row({ id: 3 }))).error.code, 3, 'the open one still refuses');
});

test('values for a dropped column are acknowledged and lost for a while, then refused', bareOnly, async (t) => {
  await behave(t, server, { dropped_columns: 'on' }, { delays: 'real' });
  await makeTable('dropped', [{ name: 'id', type: 'INTEGER' }, { name: 'name', type: 'STRING' }]);
  const connection = connect(t);
  const send = (id) => connection.send(protoRequest(streamPath('dropped'), named, [{ id, name: 'n' }]));
  await send(1);
  await query(`ALTER TABLE \`${datasetId}.dropped\` DROP COLUMN name`);
  assert.ok((await send(2)).appendResult, 'acknowledged');
  await change(server, { advance_seconds: 10 });
  const refused = (await send(3)).error;
  assert.match(refused.message, /Input schema has more fields than BigQuery schema/);
  const fresh = await connect(t).send(protoRequest(streamPath('dropped'), named, [{ id: 4, name: 'n' }]));
  assert.equal(fresh.error.code, 3);
  assert.ok((await ids('dropped')).includes(2), 'the row is there, its value is not');
});

const replacements = {
  'made anew by CREATE OR REPLACE': [(name) => query(`CREATE OR REPLACE TABLE \`${datasetId}.${name}\` (id INT64)`), /is re-created/],
  'dropped and made again': [async (name) => { await dataset.table(name).delete(); await makeTable(name); }, /is re-created/],
  'truncated by a query job': [async (name) => {
    const [job] = await bigquery.createQueryJob({ query: 'SELECT 100 AS id', destination: dataset.table(name), writeDisposition: 'WRITE_TRUNCATE' });
    await job.getQueryResults();
  }, /is truncated/],
};
for (const [how, [replace, words]] of Object.entries(replacements)) {
  test(`rows for a table that was ${how} are acknowledged and lost, then the connection ends`, bareOnly, async (t) => {
    await behave(t, server, { replaced_tables: 'always' }, { delays: 'real' });
    const name = `replaced_${how.length}`;
    await makeTable(name);
    const connection = connect(t);
    await connection.send(idRows(streamPath(name), [1]));
    await replace(name);
    assert.ok((await connection.send(idRows(streamPath(name), [2]))).appendResult, 'acknowledged');
    const fresh = await failure(connect(t).send(idRows(streamPath(name), [3])));
    assert.equal(fresh.code, 5);
    assert.match(fresh.message, words);
    await change(server, { delays: 'short' });
    const ended = await eventually(() => failure(connection.send(idRows(streamPath(name), [4]))));
    assert.equal(ended.code, 4);
    await eventually(async () => !(await failure(connect(t).send(idRows(streamPath(name), [5])))));
    const found = await ids(name);
    assert.ok(found.includes(5) && ![1, 2, 4].some((id) => found.includes(id)), `${found}`);
  });
}

test('WRITE_TRUNCATE_DATA leaves open connections as they are', bareOnly, async (t) => {
  await behave(t, server, { replaced_tables: 'always' });
  await makeTable('data_only');
  const connection = connect(t);
  await connection.send(idRows(streamPath('data_only'), [1]));
  const [job] = await bigquery.createQueryJob({ query: 'SELECT 100 AS id', destination: dataset.table('data_only'), writeDisposition: 'WRITE_TRUNCATE_DATA' });
  await job.getQueryResults();
  assert.ok((await connection.send(idRows(streamPath('data_only'), [2]))).appendResult);
  assert.deepEqual(await ids('data_only'), [2, 100]);
});

test('a COMMITTED stream is gone after three days without traffic, one that is used is not', bareOnly, async (t) => {
  await behave(t, server, { expiring_streams: 'on' });
  const stub = stubOf(t);
  const table = await makeTable('expiring');
  const [idle, used] = [await create(stub, table, 'COMMITTED'), await create(stub, table, 'COMMITTED')];
  await connect(t).send(idRows(used.name, [1], 0));
  await change(server, { advance_seconds: 2 * 86400 });
  await connect(t).send(idRows(used.name, [2], 1));
  await change(server, { advance_seconds: 2 * 86400 });
  assert.equal((await failure(connect(t).send(idRows(idle.name, [3], 0)))).code, 5);
  assert.ok((await connect(t).send(idRows(used.name, [4], 2))).appendResult);
});

test('what is finalized waits four hours for its commit, what is not finalized longer', bareOnly, async (t) => {
  await behave(t, server, { expiring_streams: 'on' });
  const stub = stubOf(t);
  const table = await makeTable('lapsing');
  const [finalized, open] = [await create(stub, table, 'PENDING'), await create(stub, table, 'PENDING')];
  for (const [{ name }, id] of [[finalized, 1], [open, 2]]) await connect(t).send(idRows(name, [id], 0));
  await stub.finalizeWriteStream({ name: finalized.name });
  await change(server, { advance_seconds: 5 * 3600 });
  const commit = async (name) => (await stub.batchCommitWriteStreams({ parent: table, writeStreams: [name] }))[0];
  assert.equal((await commit(finalized.name)).streamErrors[0].code, 'STREAM_NOT_FOUND');
  assert.equal((await failure(stub.getWriteStream({ name: finalized.name }))).code, 5);
  await stub.finalizeWriteStream({ name: open.name });
  assert.deepEqual((await commit(open.name)).streamErrors, []);
  assert.deepEqual(await ids('lapsing'), [2]);
});

test('streams take dates from ten years ago to a year ahead', bareOnly, async (t) => {
  await behave(t, server, { partition_limits: 'on' });
  await makeTable('dated', [{ name: 'id', type: 'INTEGER' }, { name: 'day', type: 'DATE' }], { timePartitioning: { type: 'DAY', field: 'day' } });
  const shape = protoRows([{ name: 'id', type: 'int64' }, { name: 'day', type: 'string' }]);
  const send = (day) => connect(t).send(protoRequest(streamPath('dated'), shape, [{ id: 1, day }]));
  const day = (days) => new Date(Date.now() + days * 86_400_000).toISOString().slice(0, 10);
  for (const good of [day(0), day(-3640), day(360)]) assert.ok((await send(good)).appendResult, good);
  for (const bad of [day(-3660), day(370), '9999-12-31', '1971-01-01']) {
    const answer = await send(bad);
    assert.equal(answer.error.code, 3);
    assert.match(answer.rowErrors[0].message, /outside the allowed bounds\. You can only stream to date range within 3650 days in the past and 366 days in the future/);
  }
  assert.ok((await connect(t).send(protoRequest(streamPath('dated'), shape, [{ id: 2 }]))).appendResult, 'NULL is a partition of its own');
});

test('JSON takes whole numbers of 64 bits and no wider ones', bareOnly, async (t) => {
  await behave(t, server, { wide_numbers: 'on' });
  await makeTable('numbers', [{ name: 'j', type: 'JSON' }]);
  const shape = protoRows([{ name: 'j', type: 'string' }]);
  const send = (j) => connect(t).send(protoRequest(streamPath('numbers'), shape, [{ j }]));
  for (const good of ['-9223372036854775808', '[18446744073709551615]', '{"a":1.5e300}', '"98765432109876543210"']) {
    assert.ok((await send(good)).appendResult, good);
  }
  for (const bad of ['18446744073709551616', '{"a":[-9223372036854775809]}']) {
    const answer = await send(bad);
    assert.equal(answer.error.code, 3);
    assert.match(answer.rowErrors[0].message, /number overflow/);
  }
});

test('a type clash ends the connection', bareOnly, async (t) => {
  await behave(t, server, { type_clashes: 'on' });
  await makeTable('clash', [{ name: 'id', type: 'STRING' }]);
  const error = await failure(connect(t).send(idRows(streamPath('clash'), [1])));
  assert.equal(error.code, 3);
  assert.match(error.message, /The proto field mismatched with BigQuery field at .*id/);
});

test('the Write API\'s unary methods answer as recorded', async (t) => {
  const stub = stubOf(t);
  const table = await makeTable('recorded');
  await untilWritable(server, table);
  const stream = await eventually(() => create(stub, table, 'COMMITTED').catch(() => undefined));
  assert.equal(stream.location, '');
  assert.equal(stream.writeMode, 'WRITE_MODE_UNSPECIFIED');
  const [seen] = await stub.getWriteStream({ name: stream.name });
  assert.equal(seen.location, 'us');
  const madeUp = await failure(stub.getWriteStream({ name: `${table}/streams/made_up` }));
  assert.equal(madeUp.code, 3);
  assert.match(madeUp.message, /Invalid stream name\. Entity: /);
  const unfinished = await failure(stub.finalizeWriteStream({ name: `${table}/streams/_default` }));
  assert.equal(unfinished.code, 5);
  assert.match(unfinished.message, /Requested entity was not found\. Entity: .*\/streams\/_default/);
  await stub.finalizeWriteStream({ name: stream.name });
  const [committed] = await stub.batchCommitWriteStreams({ parent: table, writeStreams: [stream.name] });
  assert.equal(committed.streamErrors[0].code, 'INVALID_STREAM_TYPE');
  assert.match(committed.streamErrors[0].errorMessage, /Stream must be created in pending mode, actual: WRITE_OPTIMIZED/);
  const buffered = await eventually(() => create(stub, table, 'BUFFERED').catch(() => undefined));
  const beyond = await failure(stub.flushRows({ writeStream: buffered.name, offset: { value: 0 } }));
  assert.equal(beyond.code, 11);
  assert.match(beyond.message, /Offset 0 is beyond the end of the stream Entity: /);
});

test('changes that wait when a column is renamed or widened are there afterwards, keys too', bareOnly, async (t) => {
  await behave(t, server, {});
  await dataset.createTable('followed', { schema: { fields: [{ name: 'id', type: 'INTEGER' }, { name: 'version', type: 'INTEGER' }] },
    tableConstraints: { primaryKey: { columns: ['id'] } } });
  const stream = streamPath('followed');
  await connect(t).send(changes(stream, [{ id: 1, version: 1 }, { id: 2, version: 1 }]));
  await query(`ALTER TABLE \`${datasetId}.followed\` RENAME COLUMN version TO v`);
  await query(`ALTER TABLE \`${datasetId}.followed\` ALTER COLUMN id SET DATA TYPE NUMERIC`);
  assert.deepEqual((await query(`SELECT CAST(id AS STRING) AS id, v FROM \`${datasetId}.followed\` ORDER BY id`)), [{ id: '1', v: 1 }, { id: '2', v: 1 }]);
  const shape = protoRows([{ name: 'id', type: 'int64' }, { name: 'v', type: 'int64' }, { name: '_CHANGE_TYPE', type: 'string' }, { name: '_CHANGE_SEQUENCE_NUMBER', type: 'string' }]);
  await connect(t).send(protoRequest(stream, shape, [{ id: 1, v: 5, _CHANGE_TYPE: 'UPSERT', _CHANGE_SEQUENCE_NUMBER: '5' }, { id: 2, v: 0, _CHANGE_TYPE: 'UPSERT', _CHANGE_SEQUENCE_NUMBER: '0' }]));
  assert.deepEqual((await query(`SELECT CAST(id AS STRING) AS id, v FROM \`${datasetId}.followed\` ORDER BY id`)), [{ id: '1', v: 5 }, { id: '2', v: 1 }],
    'a newer change wins and an older one does not, over the alteration');
});
