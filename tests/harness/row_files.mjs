// Random rows (random_rows.mjs) as files to load and as Arrow messages: each format's own form of every type.
import { crc32, deflateRawSync } from 'node:zlib';
import * as arrow from 'apache-arrow';
import avro from 'avsc';
import { parquetWriteBuffer } from 'hyparquet-writer';
import { snappyCompress } from '../../node_modules/hyparquet-writer/src/snappy.js';
import { dateText, datetimeText, daysOf, intervalText, mapRow, microsOfDatetime, microsOfTime, rangeEnds, rangeText,
  unscaled } from './random_rows.mjs';

// ---- text: JSON for NDJSON and insertAll, CSV

function jsonCell(value, { type }, { streamed }) {
  switch (type) {
    case 'FLOAT64': return value === '-0' ? '-0.0' : value.endsWith('Infinity') || value === 'NaN' ? value : Number(value);
    case 'BOOL': return value === 'true';
    case 'TIMESTAMP': return `${datetimeText(BigInt(value)).replace('T', ' ')}+00:00`;
    case 'JSON': return streamed ? value : JSON.parse(value);
    case 'INTERVAL': return intervalText(value);
    case 'RANGE': {
      const [start, end] = rangeEnds(value).map((days) => (days === null ? null : dateText(days)));
      return { start, end };
    }
    default: return value;
  }
}
export const jsonRow = (columns, row, { streamed = false } = {}) =>
  mapRow(columns, row, (value, column) => jsonCell(value, column, { streamed }));
export const ndjson = (columns, rows) => rows.map((row) => `${JSON.stringify(jsonRow(columns, row))}\n`).join('');

// NULL is \N; a text is always quoted.
export function csv(columns, rows) {
  const cell = (column, value) => {
    if (value === null) return '\\N';
    if (column.type === 'RANGE') return `"${rangeText(value)}"`;
    const text = column.type === 'JSON' ? value : String(jsonCell(value, column, { streamed: true }));
    return ['STRING', 'JSON', 'GEOGRAPHY'].includes(column.type) ? `"${text.replaceAll('"', '""')}"` : text;
  };
  return rows.map((row) => `${columns.map((column) => cell(column, row[column.name])).join(',')}\n`).join('');
}

// ---- Avro

const bigEndian = (value) => {
  const bytes = [];
  for (let rest = value; ;) {
    bytes.unshift(Number(BigInt.asUintN(8, rest)));
    rest >>= 8n;
    if ((rest === 0n || rest === -1n) && (bytes[0] >= 128) === (value < 0n)) break;
  }
  return Buffer.from(bytes);
};
const avroTypes = {
  INT64: 'long', FLOAT64: 'double', BOOL: 'boolean', STRING: 'string', BYTES: 'bytes',
  NUMERIC: { type: 'bytes', logicalType: 'decimal', precision: 38, scale: 9 },
  BIGNUMERIC: { type: 'bytes', logicalType: 'decimal', precision: 76, scale: 38 },
  DATE: { type: 'int', logicalType: 'date' }, TIME: { type: 'long', logicalType: 'time-micros' },
  TIMESTAMP: { type: 'long', logicalType: 'timestamp-micros' }, DATETIME: { type: 'string', logicalType: 'datetime' },
  JSON: { type: 'string', sqlType: 'JSON' }, GEOGRAPHY: { type: 'string', sqlType: 'GEOGRAPHY' },
  INTERVAL: { type: 'string', sqlType: 'INTERVAL' },
};
function avroCell(value, { type }) {
  switch (type) {
    case 'INT64': case 'TIMESTAMP': return BigInt(value);
    case 'FLOAT64': return Number(value);
    case 'BOOL': return value === 'true';
    case 'BYTES': return Buffer.from(value, 'base64');
    case 'NUMERIC': return bigEndian(unscaled(value, 9));
    case 'BIGNUMERIC': return bigEndian(unscaled(value, 38));
    case 'DATE': return daysOf(value);
    case 'TIME': return microsOfTime(value);
    case 'INTERVAL': return intervalText(value);
    default: return value;
  }
}
// avsc's own long loses digits beyond 2^53.
const longType = avro.types.LongType.__with({
  fromBuffer: (buffer) => buffer.readBigInt64LE(),
  toBuffer: (value) => { const buffer = Buffer.alloc(8); buffer.writeBigInt64LE(value); return buffer; },
  fromJSON: BigInt, toJSON: String, isValid: (value) => typeof value === 'bigint',
  compare: (a, b) => (a < b ? -1 : a > b ? 1 : 0),
});
export const avroOptions = () => ({ wrapUnions: false,
  typeHook: (schema) => (schema === 'long' || schema.type === 'long' ? longType : undefined) });
function avroSchema(columns, name = 'root') {
  const element = (column) =>
    (column.type === 'RECORD' ? avroSchema(column.fields, `${name}_${column.name}`) : avroTypes[column.type]);
  return { type: 'record', name, fields: columns.map((column) => ({ name: column.name,
    type: column.mode === 'REPEATED' ? { type: 'array', items: element(column) }
      : column.mode === 'REQUIRED' ? element(column) : ['null', element(column)] })) };
}
// A frame of raw blocks: what a compressor makes of bytes it cannot compress.
function zstdFrame(bytes) {
  const parts = [Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0x00, 0x58])];
  for (let at = 0; at < bytes.length || at === 0; at += 65536) {
    const block = bytes.subarray(at, at + 65536);
    const header = Buffer.alloc(3);
    header.writeUIntLE((block.length << 3) | (at + 65536 >= bytes.length ? 1 : 0), 0, 3);
    parts.push(header, block);
  }
  return Buffer.concat(parts);
}
const compressors = {
  null: (bytes) => bytes,
  deflate: (bytes) => deflateRawSync(bytes),
  snappy: (bytes) => {
    const sum = Buffer.alloc(4);
    sum.writeUInt32BE(crc32(bytes));
    return Buffer.concat([snappyCompress(bytes), sum]);
  },
  zstandard: zstdFrame,
};
const zigzag = (value) => {
  const bytes = [];
  let rest = value * 2;
  for (; rest >= 128; rest = Math.floor(rest / 128)) bytes.push((rest % 128) + 128);
  return Buffer.from([...bytes, rest]);
};
const counted = (bytes) => Buffer.concat([zigzag(bytes.length), bytes]);

// A container file; codec: null, deflate, snappy or zstandard. By hand: avsc's encoder leaves logical types out of the
// header when a type has hooks.
export function avroFile(columns, rows, codec) {
  const schema = avroSchema(columns);
  const type = avro.Type.forSchema(schema, avroOptions());
  const sync = Buffer.from('0123456789abcdef');
  const parts = [Buffer.from('Obj\u0001'), zigzag(2), counted(Buffer.from('avro.schema')),
    counted(Buffer.from(JSON.stringify(schema))), counted(Buffer.from('avro.codec')), counted(Buffer.from(codec)),
    zigzag(0), sync];
  for (let at = 0; at < rows.length; at += 40) {
    const block = rows.slice(at, at + 40).map((row) => type.toBuffer(mapRow(columns, row, avroCell)));
    parts.push(zigzag(block.length), counted(compressors[codec](Buffer.concat(block))), sync);
  }
  return Buffer.concat(parts);
}

// ---- Parquet. BIGNUMERIC is decimal(38, 20) here.

const parquetTypes = {
  INT64: { type: 'INT64' }, FLOAT64: { type: 'DOUBLE' }, BOOL: { type: 'BOOLEAN' },
  STRING: { type: 'BYTE_ARRAY', converted_type: 'UTF8' }, BYTES: { type: 'BYTE_ARRAY' },
  NUMERIC: { type: 'FIXED_LEN_BYTE_ARRAY', type_length: 16, converted_type: 'DECIMAL', precision: 38, scale: 9 },
  BIGNUMERIC: { type: 'FIXED_LEN_BYTE_ARRAY', type_length: 16, converted_type: 'DECIMAL', precision: 38, scale: 20 },
  DATE: { type: 'INT32', converted_type: 'DATE' },
  TIME: { type: 'INT64', logical_type: { type: 'TIME', isAdjustedToUTC: false, unit: 'MICROS' } },
  TIMESTAMP: { type: 'INT64', logical_type: { type: 'TIMESTAMP', isAdjustedToUTC: true, unit: 'MICROS' } },
  DATETIME: { type: 'INT64', logical_type: { type: 'TIMESTAMP', isAdjustedToUTC: false, unit: 'MICROS' } },
  JSON: { type: 'BYTE_ARRAY', converted_type: 'UTF8' }, GEOGRAPHY: { type: 'BYTE_ARRAY', converted_type: 'UTF8' },
};
function parquetCell(value, { type }) {
  switch (type) {
    case 'INT64': case 'TIMESTAMP': return BigInt(value);
    case 'FLOAT64': return Number(value);
    case 'BOOL': return value === 'true';
    case 'BYTES': return new Uint8Array(Buffer.from(value, 'base64'));
    case 'NUMERIC': return unscaled(value, 9);
    case 'BIGNUMERIC': return unscaled(value, 20);
    case 'DATE': return daysOf(value);
    case 'TIME': return microsOfTime(value);
    case 'DATETIME': return microsOfDatetime(value);
    default: return value;
  }
}
function parquetElements(columns) {
  return columns.flatMap((column) => {
    const repetition = column.mode === 'REQUIRED' ? 'REQUIRED' : 'OPTIONAL';
    const element = (name, repetition_type) => (column.type === 'RECORD'
      ? [{ name, repetition_type, num_children: column.fields.length }, ...parquetElements(column.fields)]
      : [{ name, repetition_type, ...parquetTypes[column.type] }]);
    if (column.mode !== 'REPEATED') return element(column.name, repetition);
    return [{ name: column.name, repetition_type: 'OPTIONAL', converted_type: 'LIST', num_children: 1 },
      { name: 'list', repetition_type: 'REPEATED', num_children: 1 }, ...element('element', 'OPTIONAL')];
  });
}
export function parquetFile(columns, rows, { codec = 'SNAPPY', schema } = {}) {
  const cells = rows.map((row) => mapRow(columns, row, parquetCell));
  return Buffer.from(parquetWriteBuffer({ codec, rowGroupSize: 150,
    schema: schema ?? [{ name: 'root', num_children: columns.length }, ...parquetElements(columns)],
    columnData: columns.map((column) => ({ name: column.name, data: cells.map((row) => row[column.name]) })) }));
}

// ---- Arrow

const littleEndian = (value, size) => {
  const bytes = Buffer.alloc(size);
  for (let i = 0; i < size / 8; ++i) bytes.writeBigUInt64LE(BigInt.asUintN(64, value >> BigInt(64 * i)), i * 8);
  return bytes;
};
const arrowTypes = {
  INT64: new arrow.Int64(), FLOAT64: new arrow.Float64(), BOOL: new arrow.Bool(), STRING: new arrow.Utf8(),
  BYTES: new arrow.Binary(), NUMERIC: new arrow.Decimal(9, 38, 128), BIGNUMERIC: new arrow.Decimal(38, 76, 256),
  DATE: new arrow.DateDay(), TIME: new arrow.TimeMicrosecond(), DATETIME: new arrow.TimestampMicrosecond(),
  TIMESTAMP: new arrow.TimestampMicrosecond('UTC'), JSON: new arrow.Utf8(), GEOGRAPHY: new arrow.Utf8(),
  INTERVAL: new arrow.Utf8(),
};
function arrowType(column) {
  if (column.type === 'RANGE') {
    return new arrow.Struct(['start', 'end'].map((name) => new arrow.Field(name, new arrow.DateDay(), true)));
  }
  return column.type === 'RECORD' ? new arrow.Struct(arrowFields(column.fields)) : arrowTypes[column.type];
}
function arrowFields(columns) {
  return columns.map((column) => new arrow.Field(column.name, column.mode === 'REPEATED'
    ? new arrow.List(new arrow.Field('item', arrowType(column), true)) : arrowType(column), column.mode !== 'REQUIRED'));
}
function bitmap(flags) {
  const bytes = new Uint8Array(Math.ceil(flags.length / 64) * 8);
  flags.forEach((flag, i) => { if (flag) bytes[i >> 3] |= 1 << (i & 7); });
  return bytes;
}
// The words of one value of fixed width.
function arrowBytes(value, type) {
  switch (type) {
    case 'INT64': case 'TIMESTAMP': return littleEndian(BigInt(value), 8);
    case 'FLOAT64': { const bytes = Buffer.alloc(8); bytes.writeDoubleLE(Number(value)); return bytes; }
    case 'NUMERIC': return littleEndian(unscaled(value, 9), 16);
    case 'BIGNUMERIC': return littleEndian(unscaled(value, 38), 32);
    case 'DATE': { const bytes = Buffer.alloc(4); bytes.writeInt32LE(daysOf(value)); return bytes; }
    case 'TIME': return littleEndian(microsOfTime(value), 8);
    case 'DATETIME': return littleEndian(microsOfDatetime(value), 8);
    default: throw new Error(type);
  }
}
const widths = { INT64: 8, TIMESTAMP: 8, FLOAT64: 8, NUMERIC: 16, BIGNUMERIC: 32, DATE: 4, TIME: 8, DATETIME: 8 };
const typedArrays = { 4: Int32Array, 8: BigInt64Array, 16: Uint32Array, 32: Uint32Array };

function arrowData(column, values) {
  const length = values.length;
  const nullBitmap = bitmap(values.map((value) => value !== null && value !== undefined));
  const nullCount = values.filter((value) => value === null || value === undefined).length;
  const base = { type: arrowType(column), length, nullBitmap, nullCount };
  const struct = (fields, pick) => arrow.makeData({ ...base, children: fields.map((field) => arrowColumn(field,
    values.map((value) => (value === null || value === undefined ? (field.mode === 'REPEATED' ? [] : field.mode === 'REQUIRED' ? '0' : null) : pick(value, field))))) });
  if (column.type === 'RECORD') return struct(column.fields, (value, field) => value[field.name]);
  if (column.type === 'RANGE') {
    return struct(['start', 'end'].map((name) => ({ name, type: 'DATE', mode: 'NULLABLE' })), (value, field) => {
      const days = rangeEnds(value)[field.name === 'start' ? 0 : 1];
      return days === null ? null : dateText(days);
    });
  }
  if (column.type === 'BOOL') return arrow.makeData({ ...base, data: bitmap(values.map((value) => value === 'true')) });
  if (widths[column.type]) {
    const width = widths[column.type];
    const bytes = Buffer.concat(values.map((value) => (value === null || value === undefined ? Buffer.alloc(width) : arrowBytes(value, column.type))));
    const copy = new Uint8Array(bytes);
    const Typed = column.type === 'FLOAT64' ? Float64Array : typedArrays[width];
    return arrow.makeData({ ...base, data: new Typed(copy.buffer) });
  }
  const texts = values.map((value) => (value === null || value === undefined ? Buffer.alloc(0) : column.type === 'BYTES'
    ? Buffer.from(value, 'base64') : Buffer.from(column.type === 'INTERVAL' ? intervalText(value) : value)));
  const valueOffsets = new Int32Array(length + 1);
  texts.forEach((text, i) => { valueOffsets[i + 1] = valueOffsets[i] + text.length; });
  return arrow.makeData({ ...base, valueOffsets, data: new Uint8Array(Buffer.concat(texts)) });
}
function arrowColumn(column, values) {
  if (column.mode !== 'REPEATED') return arrowData(column, values);
  const valueOffsets = new Int32Array(values.length + 1);
  values.forEach((list, i) => { valueOffsets[i + 1] = valueOffsets[i] + list.length; });
  return arrow.makeData({ type: arrowFields([column])[0].type, length: values.length, nullCount: 0, valueOffsets,
    child: arrowData({ ...column, mode: 'NULLABLE' }, values.flat()) });
}
// The two messages that AppendRows takes: { serializedSchema, serializedRecordBatch }.
export function arrowMessages(columns, rows) {
  const schema = new arrow.Schema(arrowFields(columns));
  const children = columns.map((column) => arrowColumn(column, rows.map((row) => row[column.name])));
  const batch = new arrow.RecordBatch(schema, arrow.makeData({ type: new arrow.Struct(schema.fields),
    length: rows.length, nullCount: 0, children }));
  const writer = new arrow.RecordBatchStreamWriter();
  writer.write(batch);
  writer.finish();
  const bytes = Buffer.from(writer.toUint8Array(true));
  const schemaEnd = 8 + bytes.readInt32LE(4);
  return { serializedSchema: bytes.subarray(0, schemaEnd), serializedRecordBatch: bytes.subarray(schemaEnd, bytes.length - 8) };
}
