// Thousands of random rows of every type, written in every way and read back in every way: all equal.
// HAKOBU_RANDOM_SEEDS="7 8 9" chooses seeds, HAKOBU_RANDOM_ROWS how many rows each way of writing takes.
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { adapt, bigqueryClient, managedwriter, project, readClient, writerClient } from '../harness/clients.mjs';
import { columnsOf, daysOf, floatText, intervalText, mapRow, Random, randomRows, rangeEnds, restSchema, scalarTypes }
  from '../harness/random_rows.mjs';
import { arrowMessages, avroFile, csv, jsonRow, ndjson, parquetFile } from '../harness/row_files.mjs';
import { arrowRows, asTheClientSays, avroRows, listedRows, queriedRows } from '../harness/row_readers.mjs';
import { privateFolder, startBigquery } from '../harness/servers.mjs';
import { untilWritable } from '../harness/writable.mjs';

const onRealService = Boolean(process.env.HAKOBU_TEST_PROJECT);
const seeds = process.env.HAKOBU_RANDOM_SEEDS?.split(' ').map(Number) ?? [1, 2, Math.floor(Math.random() * 2 ** 31)];
const count = Number(process.env.HAKOBU_RANDOM_ROWS ?? 150);
const dataset = `random_${randomUUID().replaceAll('-', '')}`;
const folder = privateFolder('random');
let server, bigquery, writer, reader;

before(async () => {
  server = onRealService ? undefined : await startBigquery();
  bigquery = bigqueryClient(server);
  [writer, reader] = [writerClient(server), readClient(server)];
  await bigquery.createDataset(dataset, { location: 'US' });
});
after(async () => {
  await bigquery.dataset(dataset).delete({ force: true });
  writer.close();
  reader.close();
  await server?.stop();
  rmSync(folder, { recursive: true });
});

const tableName = (name) => `projects/${project}/datasets/${dataset}/tables/${name}`;
const without = (...types) => scalarTypes.filter((type) => !types.includes(type));

// ---- ways of writing: { columns, options of the generator, write(table, rows) }

function protoCell(value, { type }) {
  switch (type) {
    case 'FLOAT64': return Number(value);
    case 'BOOL': return value === 'true';
    case 'BYTES': return Buffer.from(value, 'base64');
    case 'DATE': return daysOf(value);
    case 'INTERVAL': return intervalText(value);
    case 'RANGE': {
      const [start, end] = rangeEnds(value);
      return { ...(start === null ? {} : { start }), ...(end === null ? {} : { end }) };
    }
    default: return value;
  }
}
// The client has no proto type for INTERVAL; the service takes a string.
const storageFields = (columns) => columns.map((column) => ({
  ...column,
  type: { INTERVAL: 'STRING', RECORD: 'STRUCT', FLOAT64: 'DOUBLE' }[column.type] ?? column.type,
  ...(column.type === 'RANGE' ? { rangeElementType: { type: 'DATE' } } : {}),
  ...(column.fields ? { fields: storageFields(column.fields) } : {}) }));

async function append(send) {
  const answer = await send.getResult();
  assert.ok(!answer.error, JSON.stringify([answer.error?.message, answer.rowErrors?.slice(0, 3)]));
}

const protobuf = { columns: columnsOf(), write: async (table, rows, columns) => {
  await untilWritable(server, tableName(table));
  const streamId = `${tableName(table)}/streams/_default`;
  const connection = await writer.createStreamConnection({ streamId });
  const json = new managedwriter.JSONWriter({ streamId, connection,
    protoDescriptor: adapt.convertStorageSchemaToProto2Descriptor({ fields: storageFields(columns) }, 'root') });
  for (let at = 0; at < rows.length; at += 64) {
    await append(json.appendRows(rows.slice(at, at + 64).map((row) => mapRow(columns, row, protoCell))));
  }
  connection.close();
} };

const arrowAppend = { columns: columnsOf(), write: async (table, rows, columns) => {
  await untilWritable(server, tableName(table));
  const streamId = await writer.createWriteStream({ streamType: 'COMMITTED', destinationTable: tableName(table) });
  const connection = await writer.createStreamConnection({ streamId });
  for (let at = 0; at < rows.length; at += 64) {
    const { serializedSchema, serializedRecordBatch } = arrowMessages(columns, rows.slice(at, at + 64));
    await append(connection.write({ writeStream: streamId, offset: { value: at },
      arrowRows: { writerSchema: { serializedSchema }, rows: { serializedRecordBatch } } }));
  }
  connection.close();
} };

async function load(table, extension, bytes, options) {
  const path = join(folder, `${table}.${extension}`);
  writeFileSync(path, bytes);
  const [job] = await bigquery.dataset(dataset).table(table).load(path, { writeDisposition: 'WRITE_APPEND',
    createDisposition: 'CREATE_NEVER', ...options });
  assert.equal(job.status.state, 'DONE');
}

const avroLoad = (codec) => ({ columns: columnsOf(without('RANGE')), write: async (table, rows, columns) =>
  load(table, 'avro', await avroFile(columns, rows, codec),
    { sourceFormat: 'AVRO', useAvroLogicalTypes: true, decimalTargetTypes: ['NUMERIC', 'BIGNUMERIC'] }) });
const parquetLoad = (codec) => ({ columns: columnsOf(without('RANGE', 'INTERVAL')), options: { digits38: true },
  write: (table, rows, columns) => load(table, 'parquet', parquetFile(columns, rows, { codec }),
    { sourceFormat: 'PARQUET', parquetOptions: { enableListInference: true } }) });

const ways = {
  protobuf, arrow: arrowAppend,
  'avro null': avroLoad('null'), 'avro deflate': avroLoad('deflate'), 'avro snappy': avroLoad('snappy'),
  'avro zstandard': avroLoad('zstandard'),
  ndjson: { columns: columnsOf(), write: (table, rows, columns) =>
    load(table, 'json', ndjson(columns, rows), { sourceFormat: 'NEWLINE_DELIMITED_JSON' }) },
  csv: { columns: columnsOf(scalarTypes, { nested: false }), options: { nul: false }, write: (table, rows, columns) =>
    load(table, 'csv', csv(columns, rows), { sourceFormat: 'CSV', nullMarker: '\\N', allowQuotedNewlines: true,
      preserveAsciiControlCharacters: true }) },
  'parquet snappy': parquetLoad('SNAPPY'), 'parquet uncompressed': parquetLoad('UNCOMPRESSED'),
  insertAll: { columns: columnsOf(), write: async (table, rows, columns) => {
    for (let at = 0; at < rows.length; at += 50) {
      await bigquery.dataset(dataset).table(table).insert(rows.slice(at, at + 50).map((row, i) =>
        ({ insertId: `${table}${at + i}`, json: jsonRow(columns, row, { streamed: true }) })), { raw: true });
    }
  } },
};

const readers = {
  'tabledata.list': (table, columns) => listedRows(bigquery, dataset, table, columns),
  query: (table, columns) => queriedRows(bigquery, dataset, table, columns),
  'Storage Read, Arrow': (table, columns) => arrowRows(reader, project, dataset, table, columns),
  'Storage Read, Avro': (table, columns) => avroRows(reader, project, dataset, table, columns),
};

// The first values that differ, by path, instead of two trees of thousands of lines.
function differences(wanted, found, path = '', all = []) {
  if (all.length >= 5) return all;
  if (wanted && found && typeof wanted === 'object' && typeof found === 'object') {
    for (const key of new Set([...Object.keys(wanted), ...Object.keys(found)])) differences(wanted[key], found[key], `${path}.${key}`, all);
  } else if (wanted !== found) {
    all.push(`${path}: wrote ${JSON.stringify(wanted)}, read ${JSON.stringify(found)}`);
  }
  return all;
}

for (const seed of seeds) {
  for (const [way, { columns, options, write }] of Object.entries(ways)) {
    test(`random rows written by ${way}, seed ${seed}`, async () => {
      const table = `${way.replaceAll(' ', '_')}_${seed}`;
      await bigquery.dataset(dataset).createTable(table, { schema: { fields: restSchema(columns) } });
      const rows = randomRows(columns, count, new Random(seed), options);
      await write(table, rows, columns);
      for (const [name, read] of Object.entries(readers)) {
        const found = await read(table, columns);
        assert.equal(found.length, rows.length, `${name}: rows`);
        const wanted = name === 'query' ? rows.map((row) => asTheClientSays(columns, row)) : rows;
        assert.deepEqual(differences(wanted, found), [], `${name}, seed ${seed}`);
      }
    });
  }
}

test('Parquet decimals of more than 38 digits are refused by name', {
  skip: onRealService ? 'the real service takes them' : false }, async () => {
  const columns = [{ name: 'id', type: 'INT64', mode: 'REQUIRED' }];
  const wide = { name: 'wide', type: 'FIXED_LEN_BYTE_ARRAY', type_length: 32, converted_type: 'DECIMAL', precision: 60, scale: 20 };
  const bytes = parquetFile([...columns, { name: 'wide', type: 'BIGNUMERIC', mode: 'NULLABLE' }], [{ id: '1', wide: '1.5' }],
    { schema: [{ name: 'root', num_children: 2 }, { name: 'id', type: 'INT64' }, wide] });
  const schema = { fields: restSchema([...columns, { name: 'wide', type: 'BIGNUMERIC', mode: 'NULLABLE' }]) };
  await bigquery.dataset(dataset).createTable('wide', { schema });
  await assert.rejects(load('wide', 'parquet', bytes, { sourceFormat: 'PARQUET' }), /decimals of more than 38 digits/);
});
