// Storage Read through Google's own Node client: several streams, resuming at an offset, columns, row filters, Avro.
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, test } from 'node:test';
import { tableFromIPC } from 'apache-arrow';
import avro from 'avsc';
import { bigqueryClient, project, readClient } from '../harness/clients.mjs';
import { startBigquery } from '../harness/servers.mjs';

const onRealService = Boolean(process.env.HAKOBU_TEST_PROJECT);
const dataset = `read_${randomUUID().replaceAll('-', '')}`;
const table = `projects/${project}/datasets/${dataset}/tables/t`;
const count = 5000;
let server, bigquery, reader;

before(async () => {
  server = onRealService ? undefined : await startBigquery();
  bigquery = bigqueryClient(server);
  reader = readClient(server);
  await bigquery.createDataset(dataset, { location: 'US' });
  await bigquery.query(`CREATE TABLE \`${dataset}.t\` AS SELECT id, CONCAT('n', CAST(id AS STRING)) AS name, ` +
    `DATE_ADD(DATE '2024-01-01', INTERVAL MOD(id, 10) DAY) AS d, STRUCT(id * 2 AS twice) AS r, ` +
    `CAST(id AS NUMERIC) / 4 AS n FROM UNNEST(GENERATE_ARRAY(0, ${count - 1})) AS id`);
});
after(async () => {
  reader.close();
  await bigquery.dataset(dataset).delete({ force: true });
  await server?.stop();
});

async function open(readOptions = {}, more = {}, dataFormat = 'ARROW') {
  const [session] = await reader.createReadSession({ parent: `projects/${project}`, readSession: { table, dataFormat, readOptions }, ...more });
  return session;
}
function answersOf(name, offset = 0) {
  return new Promise((resolve, reject) => {
    const answers = [];
    reader.readRows({ readStream: name, offset }).on('data', (answer) => answers.push(answer)).on('error', reject).on('end', () => resolve(answers));
  });
}
const rowsIn = (session, answers) => tableFromIPC(Buffer.concat([session.arrowSchema.serializedSchema,
  ...answers.map((answer) => answer.arrowRecordBatch.serializedRecordBatch)])).toArray().map((row) => row.toJSON());
async function idsBy(rowRestriction) {
  const session = await open({ selectedFields: ['id'], rowRestriction });
  const ids = [];
  for (const { name } of session.streams) ids.push(...rowsIn(session, await answersOf(name)).map((row) => Number(row.id)));
  return ids.sort((a, b) => a - b);
}

test('the streams of a session hold every row once between them', async () => {
  const session = await open({ selectedFields: ['id'] }, { maxStreamCount: 4, preferredMinStreamCount: 4 });
  assert.ok(session.streams.length >= 1 && session.streams.length <= 4);
  if (!onRealService) assert.ok(session.streams.length > 1, 'several streams');
  const ids = [];
  for (const { name } of session.streams) ids.push(...rowsIn(session, await answersOf(name)).map((row) => Number(row.id)));
  assert.deepEqual(ids.sort((a, b) => a - b), Array.from({ length: count }, (_, i) => i));
});

test('a stream is read on from an offset, the same rows in the same order', async () => {
  const session = await open({ selectedFields: ['id'] }, { maxStreamCount: 1 });
  const [{ name }] = session.streams;
  const all = rowsIn(session, await answersOf(name)).map((row) => row.id);
  for (const offset of [1, 777, all.length - 1]) {
    const answers = await answersOf(name, offset);
    assert.deepEqual(rowsIn(session, answers).map((row) => row.id), all.slice(offset));
    assert.equal(answers.reduce((sum, answer) => sum + Number(answer.rowCount), 0), all.length - offset);
  }
  await assert.rejects(answersOf(name, all.length + 5), { code: 11 });
});

test('row filters: comparisons, AND, OR, IN, LIKE, IS NULL, dates, fields of a RECORD', async () => {
  assert.deepEqual(await idsBy('id >= 4990 AND id < 4993'), [4990, 4991, 4992]);
  assert.deepEqual(await idsBy("id IN (3, 5) OR name = 'n7'"), [3, 5, 7]);
  assert.deepEqual(await idsBy("name LIKE 'n499_' AND d = DATE '2024-01-02'"), [4991]);
  assert.deepEqual(await idsBy('r.twice = 20'), [10]);
  assert.deepEqual(await idsBy('name IS NULL'), []);
  assert.deepEqual(await idsBy('n = 2.5'), [10]);
  assert.equal((await idsBy("d BETWEEN '2024-01-03' AND '2024-01-04'")).length, count / 5);
});

test('a filter that is none, an unknown column and an unknown table are refused', async () => {
  await assert.rejects(open({ rowRestriction: 'id = = 1' }), { code: 3 });
  await assert.rejects(open({ rowRestriction: 'nothing = 1' }), { code: 3 });
  await assert.rejects(open({ selectedFields: ['nothing'] }), { code: 3 });
  await assert.rejects(reader.createReadSession({ parent: `projects/${project}`,
    readSession: { table: `${table}_missing`, dataFormat: 'ARROW' } }), { code: 5 });
});

test('a view is no table', async () => {
  await bigquery.query(`CREATE VIEW \`${dataset}.v\` AS SELECT 1 AS a`);
  await assert.rejects(reader.createReadSession({ parent: `projects/${project}`,
    readSession: { table: `projects/${project}/datasets/${dataset}/tables/v`, dataFormat: 'ARROW' } }));
});

test('Avro: the schema with its logical types, rows back to back, resumed at an offset', async () => {
  const session = await open({ selectedFields: ['id', 'name', 'd', 'r'], rowRestriction: 'id < 10' }, { maxStreamCount: 1 }, 'AVRO');
  const schema = JSON.parse(session.avroSchema.schema);
  assert.equal(schema.fields.find((field) => field.name === 'd').type[1].logicalType, 'date');
  const type = avro.Type.forSchema(schema, { wrapUnions: false });
  const read = async (offset) => {
    const ids = [];
    for (const answer of await answersOf(session.streams[0].name, offset)) {
      const bytes = Buffer.from(answer.avroRows.serializedBinaryRows);
      for (let at = 0; at < bytes.length;) {
        const decoded = type.decode(bytes, at);
        ids.push(decoded.value.id);
        assert.equal(decoded.value.r.twice, decoded.value.id * 2);
        at = decoded.offset;
      }
    }
    return ids;
  };
  const all = await read(0);
  assert.deepEqual(all.toSorted((a, b) => a - b), Array.from({ length: 10 }, (_, i) => i));
  assert.deepEqual(await read(4), all.slice(4));
});
