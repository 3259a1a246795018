// Rows of a table in the canonical form of random_rows.mjs, by each way that Google's clients read: raw cells of
// tabledata.list, the Node client's decoding of a query, Storage Read as Arrow and as Avro.
import { BigQuery } from '@google-cloud/bigquery';
import { PreciseDate } from '@google-cloud/precise-date';
import * as arrow from 'apache-arrow';
import avro from 'avsc';
import { dateText, datetimeText, decimalText, floatText, intervalOf, jsonText, mapRow, microsOfDatetime, rangeOfText,
  timeText } from './random_rows.mjs';
import { avroOptions } from './row_files.mjs';

const byId = (rows) => rows.sort((a, b) => Number(a.id) - Number(b.id));
const clipped = (text, zeros = '.000000') => (text.includes('.') ? text.replace(/(\.\d{6})\d*$/, '$1').replace(/\.\d{1,5}$/, (f) => f.padEnd(7, '0')) : text + zeros);
const plainDecimal = (text) => (text.includes('.') ? text.replace(/\.?0+$/, '') : text);

// ---- tabledata.list

function restCell(value, { type }) {
  switch (type) {
    case 'FLOAT64': return floatText(Number(value));
    case 'NUMERIC': case 'BIGNUMERIC': return plainDecimal(value);
    case 'DATETIME': case 'TIME': return clipped(value);
    case 'JSON': return jsonText(value);
    case 'INTERVAL': return intervalOf(value);
    case 'RANGE': return rangeOfText(value);
    default: return value;
  }
}
function restRow(columns, { f }) {
  const element = (column, v) => (v === null ? null : column.type === 'RECORD' ? restRow(column.fields, v) : restCell(v, column));
  return Object.fromEntries(columns.map((column, i) => {
    const { v } = f[i];
    return [column.name, column.mode === 'REPEATED' ? v.map((item) => element(column, item.v)) : element(column, v)];
  }));
}
export async function listedRows(bigquery, dataset, table, columns) {
  const rows = [];
  let pageToken;
  do {
    const answer = await new Promise((resolve, reject) => bigquery.request(
      { uri: `/datasets/${dataset}/tables/${table}/data`, qs: { maxResults: 97, 'formatOptions.useInt64Timestamp': true, pageToken } },
      (error, body) => (error ? reject(error) : resolve(body))));
    rows.push(...(answer.rows ?? []).map((row) => restRow(columns, row)));
    pageToken = answer.pageToken;
  } while (pageToken);
  return byId(rows);
}

// ---- a query, decoded by the client

function clientCell(value, { type }) {
  switch (type) {
    case 'INT64': return String(value.value ?? value);
    case 'FLOAT64': return floatText(value);
    case 'BOOL': return String(value);
    case 'BYTES': return value.toString('base64');
    case 'NUMERIC': case 'BIGNUMERIC': return plainDecimal(value.toFixed());
    case 'DATE': return value.value;
    case 'DATETIME': case 'TIME': return clipped(value.value);
    case 'TIMESTAMP': return microsOfDatetime(value.value).toString();
    case 'JSON': return jsonText(value);
    case 'GEOGRAPHY': return value.value;
    case 'INTERVAL': return intervalOf(value.value ?? value);
    case 'RANGE': return rangeOfText(value.apiValue);
    default: return value;
  }
}
// What the client makes of the right microseconds: its PreciseDate is a second off before 1970, where a fraction of a
// second rounds over a millisecond.
export const asTheClientSays = (columns, row) => mapRow(columns, row, (value, { type }) => {
  if (type !== 'TIMESTAMP') return value;
  const date = new PreciseDate();
  date.setFullTime(PreciseDate.parseFull(BigInt(value) * 1000n));
  return microsOfDatetime(BigQuery.timestamp(date).value).toString();
});

export async function queriedRows(bigquery, dataset, table, columns) {
  const [rows] = await bigquery.query({ query: `SELECT * FROM \`${dataset}.${table}\` ORDER BY id`, wrapIntegers: true });
  return rows.map((row) => mapRow(columns, row, clientCell));
}

// ---- Storage Read

async function readAll(reader, project, dataset, table, dataFormat) {
  const [session] = await reader.createReadSession({ parent: `projects/${project}`, maxStreamCount: 3,
    readSession: { table: `projects/${project}/datasets/${dataset}/tables/${table}`, dataFormat } });
  const answers = [];
  for (const { name } of session.streams) {
    await new Promise((resolve, reject) => {
      reader.readRows({ readStream: name }).on('data', (answer) => answers.push(answer)).on('error', reject).on('end', resolve);
    });
  }
  return { session, answers };
}

function wide(data, index, words) {  // little-endian two's complement of 32-bit words
  let value = 0n;
  for (let i = words - 1; i >= 0; --i) value = (value << 32n) | BigInt(data.values[index * words + i] >>> 0);
  return BigInt.asIntN(words * 32, value);
}
function arrowCell(data, index, { type }) {
  const text = () => Buffer.from(data.values.subarray(data.valueOffsets[index], data.valueOffsets[index + 1]));
  switch (type) {
    case 'INT64': case 'TIMESTAMP': return data.values[index].toString();
    case 'FLOAT64': return floatText(data.values[index]);
    case 'BOOL': { const bit = data.offset + index; return String((data.values[bit >> 3] & (1 << (bit & 7))) !== 0); }
    case 'BYTES': return text().toString('base64');
    case 'NUMERIC': return decimalText(wide(data, index, 4), 9);
    case 'BIGNUMERIC': return decimalText(wide(data, index, 8), 38);
    case 'DATE': return dateText(data.values[index]);
    case 'DATETIME': return datetimeText(data.values[index]);
    case 'TIME': return timeText(data.values[index]);
    case 'INTERVAL': {
      const words = data.values.subarray(index * 4, index * 4 + 4);
      const nanos = BigInt.asIntN(64, (BigInt(words[3] >>> 0) << 32n) | BigInt(words[2] >>> 0));
      return `${words[0]} ${words[1]} ${nanos / 1000n}`;
    }
    case 'RANGE': return data.children.map((child) => (child.getValid(index) ? String(child.values[index]) : '')).join('~');
    case 'JSON': return jsonText(text().toString());
    default: return text().toString();
  }
}
function arrowValue(column, data, index) {
  if (column.mode === 'REPEATED') {
    const [from, to] = [data.valueOffsets[index], data.valueOffsets[index + 1]];
    return Array.from({ length: to - from }, (_, i) => arrowValue({ ...column, mode: 'NULLABLE' }, data.children[0], from + i));
  }
  if (!data.getValid(index)) return null;
  if (column.type !== 'RECORD') return arrowCell(data, index, column);
  return Object.fromEntries(column.fields.map((field, i) => [field.name, arrowValue(field, data.children[i], index)]));
}
export async function arrowRows(reader, project, dataset, table, columns) {
  const { session, answers } = await readAll(reader, project, dataset, table, 'ARROW');
  const rows = [];
  for (const answer of answers) {
    const source = Buffer.concat([session.arrowSchema.serializedSchema, answer.arrowRecordBatch.serializedRecordBatch]);
    for (const batch of arrow.RecordBatchReader.from(source)) {
      for (let i = 0; i < batch.numRows; ++i) {
        rows.push(Object.fromEntries(columns.map((column, c) => [column.name, arrowValue(column, batch.data.children[c], i)])));
      }
    }
  }
  return byId(rows);
}

function avroCell(value, { type }) {
  const big = (bytes) => BigInt.asIntN(bytes.length * 8, BigInt(`0x${bytes.toString('hex') || '0'}`));
  switch (type) {
    case 'INT64': case 'TIMESTAMP': return value.toString();
    case 'FLOAT64': return floatText(value);
    case 'BOOL': return String(value);
    case 'BYTES': return value.toString('base64');
    case 'NUMERIC': return decimalText(big(value), 9);
    case 'BIGNUMERIC': return decimalText(big(value), 38);
    case 'DATE': return dateText(value);
    case 'DATETIME': return clipped(value);
    case 'TIME': return timeText(value);
    case 'JSON': return jsonText(value);
    case 'INTERVAL': return intervalOf(value);
    case 'RANGE': return [value.start, value.end].map((days) => (days === null ? '' : String(days))).join('~');
    default: return value;
  }
}
export async function avroRows(reader, project, dataset, table, columns) {
  const { session, answers } = await readAll(reader, project, dataset, table, 'AVRO');
  const type = avro.Type.forSchema(JSON.parse(session.avroSchema.schema), avroOptions());
  const rows = [];
  for (const answer of answers) {
    const bytes = Buffer.from(answer.avroRows.serializedBinaryRows);
    for (let at = 0; at < bytes.length;) {
      const { value, offset } = type.decode(bytes, at);
      rows.push(mapRow(columns, value, avroCell));
      at = offset;
    }
  }
  return byId(rows);
}
