// Change data capture through Google's own Node client: order by sequence number, ties, deletes that are remembered,
// refusals, and what a table with streamed changes allows.
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, test } from 'node:test';
import { bigqueryClient, project, writerClient } from '../harness/clients.mjs';
import { protoRequest, protoRows } from '../harness/proto_rows.mjs';
import { startBigquery } from '../harness/servers.mjs';
import { untilWritable } from '../harness/writable.mjs';

const onRealService = Boolean(process.env.HAKOBU_TEST_PROJECT);
const dataset = `cdc_${randomUUID().replaceAll('-', '')}`;
let server, bigquery, client;

before(async () => {
  server = onRealService ? undefined : await startBigquery();
  bigquery = bigqueryClient(server);
  client = writerClient(server);
  await bigquery.createDataset(dataset, { location: 'US' });
});
after(async () => {
  client.close();
  await bigquery.dataset(dataset).delete({ force: true });
  await server?.stop();
});

const fields = [{ name: 'id', type: 'INTEGER' }, { name: 'v', type: 'STRING' }];
const changeFields = (names) => protoRows([{ name: 'id', type: 'int64' }, { name: 'v', type: 'string' },
  ...names.map((name, i) => ({ name, type: 'string', number: 990 + i }))]);
const both = changeFields(['_CHANGE_TYPE', '_CHANGE_SEQUENCE_NUMBER']);
const unordered = changeFields(['_CHANGE_TYPE']);

async function makeTable(name, key = ['id'], more = {}) {
  await bigquery.dataset(dataset).createTable(name, { schema: { fields },
    ...(key.length ? { tableConstraints: { primaryKey: { columns: key } } } : {}), ...more });
  const path = `projects/${project}/datasets/${dataset}/tables/${name}`;
  await untilWritable(server, path);
  return `${path}/streams/_default`;
}
async function connect(t, streamId) {
  const connection = await client.createStreamConnection({ streamId });
  connection.onConnectionError(() => {});
  t.after(() => connection.close());
  return (shape, rows) => connection.write(protoRequest(streamId, shape, rows)).getResult();
}
const change = (id, v, type, number) => ({ id, ...(v === undefined ? {} : { v }), _CHANGE_TYPE: type,
  ...(number === undefined ? {} : { _CHANGE_SEQUENCE_NUMBER: number }) });
async function rowsOf(name) {
  const [rows] = await bigquery.query(`SELECT id, v FROM \`${dataset}.${name}\` ORDER BY id`);
  return rows.map((row) => `${row.id} ${row.v}`);
}
async function ok(answer) {
  const { appendResult, error } = await answer;
  assert.ok(appendResult && !error, error?.message);
}

test('sequence numbers are compared section by section, as unsigned hexadecimal numbers', async (t) => {
  const write = await connect(t, await makeTable('sections'));
  const pairs = [['FFF/ABC', 'FFF/B'], ['ABC', 'BA/FFFFFFFF'], ['FFF/ABC', 'ABC'], ['ffffffffffffffff', '1/ffffffffffffffff'],
    ['a/0/0/1', 'a/0/0/0'], ['0010', 'f'], ['1/2', '1/1']];
  await ok(write(both, pairs.flatMap(([larger, smaller], id) => id % 2
    ? [change(id, 'larger', 'UPSERT', larger), change(id, 'smaller', 'UPSERT', smaller)]
    : [change(id, 'smaller', 'UPSERT', smaller), change(id, 'larger', 'UPSERT', larger)])));
  assert.deepEqual(await rowsOf('sections'), pairs.map((_, id) => `${id} larger`));
});

test('of equal sequence numbers the one that came later wins, in one request or another', async (t) => {
  const write = await connect(t, await makeTable('ties'));
  await ok(write(both, [change(1, 'first', 'UPSERT', '5'), change(1, 'second', 'UPSERT', '5'), change(2, 'a', 'UPSERT', '5')]));
  await ok(write(both, [change(2, 'b', 'UPSERT', '5')]));
  assert.deepEqual(await rowsOf('ties'), ['1 second', '2 b']);
});

test('a delete is remembered: an older upsert that comes late stays out, a newer one comes back', async (t) => {
  const write = await connect(t, await makeTable('deletes'));
  await ok(write(both, [change(1, 'x', 'UPSERT', '1'), change(1, undefined, 'DELETE', '9'), change(2, undefined, 'DELETE', '9')]));
  assert.deepEqual(await rowsOf('deletes'), []);
  await ok(write(both, [change(1, 'late', 'UPSERT', '5'), change(2, 'late', 'UPSERT', '8')]));
  assert.deepEqual(await rowsOf('deletes'), []);
  await ok(write(both, [change(1, 'new', 'UPSERT', 'a')]));
  assert.deepEqual(await rowsOf('deletes'), ['1 new']);
});

test('without sequence numbers changes apply as they come', async (t) => {
  const write = await connect(t, await makeTable('unordered'));
  await ok(write(unordered, [change(1, 'a', 'UPSERT'), change(1, 'b', 'UPSERT'), change(2, 'c', 'UPSERT'), change(2, undefined, 'DELETE')]));
  await ok(write(unordered, [change(1, undefined, 'DELETE'), change(1, 'again', 'UPSERT')]));
  assert.deepEqual(await rowsOf('unordered'), ['1 again']);
});

test('a key of several columns, and rows that a load put there are replaced', async (t) => {
  const stream = await makeTable('compound', ['v', 'id']);
  await bigquery.query(`INSERT \`${dataset}.compound\` (id, v) VALUES (1, 'a'), (2, 'a')`);
  const write = await connect(t, stream);
  await ok(write(both, [change(1, 'a', 'UPSERT', '1'), change(1, 'b', 'UPSERT', '1'), change(2, 'a', 'DELETE', '1')]));
  assert.deepEqual((await rowsOf('compound')).sort(), ['1 a', '1 b']);
});

test('random changes in random order end as their sequence numbers say', async (t) => {
  const write = await connect(t, await makeTable('random'));
  const seed = Number(process.env.HAKOBU_RANDOM_SEEDS?.split(' ')[0] ?? Math.floor(Math.random() * 1e9));
  let state = seed;
  const below = (n) => { state = (Math.imul(state, 1103515245) + 12345) >>> 0; return (state >>> 8) % n; };
  const wanted = new Map();
  for (let batch = 0; batch < 20; ++batch) {
    const rows = Array.from({ length: 40 }, (_, i) => {
      const [id, sections, deletes] = [below(30), [below(3), below(40)], below(4) === 0];
      const number = sections.map((section) => section.toString(16)).join('/');
      const rank = sections[0] * 1000 + sections[1];
      if (rank >= (wanted.get(id)?.rank ?? -1)) wanted.set(id, { rank, v: deletes ? null : `${batch}:${i}` });
      return change(id, deletes ? undefined : `${batch}:${i}`, deletes ? 'DELETE' : 'UPSERT', number);
    });
    await ok(write(both, rows));
  }
  const expected = [...wanted].filter(([, { v }]) => v !== null).sort(([a], [b]) => a - b).map(([id, { v }]) => `${id} ${v}`);
  assert.deepEqual(await rowsOf('random'), expected, `seed ${seed}`);
});

test('changes need a primary key', async (t) => {
  const write = await connect(t, await makeTable('keyless', []));
  const answer = await write(both, [change(1, 'a', 'UPSERT', '1')]);
  assert.equal(answer.error.code, 3);
  assert.match(JSON.stringify([answer.error.message, answer.rowErrors]), /not a valid CHANGE_TYPE in insert mode: UPSERT|primary key/i);
  assert.deepEqual(await rowsOf('keyless'), []);
});

test('change types and sequence numbers that are none are refused, row by row or whole', async (t) => {
  const write = await connect(t, await makeTable('invalid'));
  for (const bad of [change(1, 'a', 'INSERT', '1'), change(1, 'a', 'upsrt', '1'), change(1, 'a', 'UPSERT', 'g'),
    change(1, 'a', 'UPSERT', '1/2/3/4/5'), change(1, 'a', 'UPSERT', '12345678901234567'), change(1, 'a', 'UPSERT', '')]) {
    const answer = await write(both, [bad]);
    assert.equal(answer.error?.code, 3, JSON.stringify(bad));
  }
  await ok(write(both, [change(2, 'good', 'UPSERT', '1')]));
  assert.deepEqual(await rowsOf('invalid'), ['2 good']);
});

test('changes are for the default stream only', async (t) => {
  await makeTable('streams');
  const streamId = await client.createWriteStream({ streamType: 'COMMITTED',
    destinationTable: `projects/${project}/datasets/${dataset}/tables/streams` });
  const write = await connect(t, streamId);
  const answer = await write(both, [change(1, 'a', 'UPSERT', '1')]);
  assert.ok(answer.error, 'accepted');
  assert.deepEqual(await rowsOf('streams'), []);
});

test('max_staleness is set by DDL', async () => {
  await makeTable('stale');
  const literals = { 'INTERVAL 15 MINUTE': '0-0 0 0:15:0', "INTERVAL '0-0 0 0:20:0' YEAR TO SECOND": '0-0 0 0:20:0', 'INTERVAL "0:30:0" HOUR TO SECOND': '0-0 0 0:30:0',
    "INTERVAL '1 2' DAY TO HOUR": '0-0 1 2:0:0', 'INTERVAL 1 DAY': '0-0 1 0:0:0' };
  for (const [literal, shown] of Object.entries(literals)) {
    await bigquery.query(`ALTER TABLE \`${dataset}.stale\` SET OPTIONS (max_staleness = ${literal})`);
    const [options] = await bigquery.query(
      `SELECT option_value FROM \`${dataset}\`.INFORMATION_SCHEMA.TABLE_OPTIONS WHERE table_name = 'stale' AND option_name = 'max_staleness'`);
    assert.equal(options[0].option_value, `INTERVAL "${shown}" YEAR TO SECOND`, literal);
  }
  await assert.rejects(bigquery.query(`ALTER TABLE \`${dataset}.stale\` SET OPTIONS (max_staleness = INTERVAL 'soon' YEAR TO SECOND)`), /Invalid INTERVAL literal/);
});
