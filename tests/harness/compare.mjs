// What the source's own client reads and what Google's client reads back, brought to one form and compared value by
// value. Knows nothing of hakobu's code: expected values come from the server and from docs/formats/types.md (exact).
import assert from 'node:assert/strict';

const identifier = (name) => '`' + name.replaceAll('`', '``') + '`';

// The source's columns as information_schema has them, in order.
export async function sourceColumns(connection, database, table) {
  const [rows] = await connection.query(
    `SELECT COLUMN_NAME AS name, DATA_TYPE AS type, COLUMN_TYPE AS declared, COLUMN_KEY AS \`key\`,
       NUMERIC_PRECISION AS digits, NUMERIC_SCALE AS scale
     FROM information_schema.COLUMNS WHERE TABLE_SCHEMA = ? AND TABLE_NAME = ? ORDER BY ORDINAL_POSITION`,
    [database, table]);
  return rows;
}

function selection(column, flavor) {
  const name = identifier(column.name);
  if (column.type === 'float') return `CAST(${name} AS DOUBLE)`;
  if (column.type === 'json') return `CAST(${name} AS CHAR)`;
  if (spatial.has(column.type)) {
    return flavor === 'mysql' ? `ST_AsText(${name}, 'axis-order=long-lat')` : `ST_AsText(${name})`;
  }
  return name;
}

const spatial = new Set(['geometry', 'point', 'linestring', 'polygon', 'multipoint', 'multilinestring', 'multipolygon',
  'geomcollection', 'geometrycollection']);
const binary = new Set(['binary', 'varbinary', 'tinyblob', 'blob', 'mediumblob', 'longblob']);

// Rows of one table as arrays of normal forms, read by mysql2.
export async function sourceRows(connection, database, table, { flavor = 'mysql', columns, where } = {}) {
  columns ??= await sourceColumns(connection, database, table);
  await connection.query("SET time_zone = '+00:00'");
  const list = columns.map((column) => selection(column, flavor)).join(', ');
  const [rows] = await connection.query({
    sql: `SELECT ${list} FROM ${identifier(database)}.${identifier(table)}${where ? ` WHERE ${where}` : ''}`,
    rowsAsArray: true,
    typeCast: (field) => field.buffer(),
  });
  // BigQuery has no NULL array.
  const nothing = (column) => (column.type === 'vector' ? '[]' : null);
  return rows.map((row) => row.map((value, i) => (value === null ? nothing(columns[i]) : sourceValue(columns[i], value))));
}

function sourceValue(column, buffer) {
  const text = buffer.toString('utf8');
  const type = column.type;
  if (type === 'vector') return JSON.stringify(Array.from({ length: buffer.length / 4 }, (_, i) => real(String(exact(buffer.readFloatLE(4 * i))))));
  if (type === 'bit') return buffer.reduce((value, byte) => value * 256n + BigInt(byte), 0n).toString();
  if (binary.has(type)) return column.key === 'PRI' ? buffer.toString('hex') : buffer.toString('base64');
  if (type === 'float' || type === 'double') return real(text);
  if (type === 'decimal') return text.includes('.') || text === '-0' ? decimal(text) : text;
  if (type === 'date') return badDate(text) ? null : text;
  if (type === 'datetime') return badDate(text) ? null : civil(text);
  if (type === 'timestamp') return text.startsWith('0000') ? null : micros(text);
  if (type === 'time') return fraction(text);
  if (column.declared.includes('zerofill') && type !== 'decimal') return BigInt(text).toString();
  if (type === 'year') return String(Number(text));
  if (type === 'json') return json(text);
  if (spatial.has(type)) return wkt(text);
  return text;
}

// The cell as REST's tabledata gives it, by the field's type.
export function deliveredValue(field, value) {
  if (field.mode === 'REPEATED') return JSON.stringify(value.map((item) => deliveredValue({ type: field.type }, item.v)));
  if (value === null) return null;
  switch (field.type) {
    case 'NUMERIC': case 'BIGNUMERIC': return decimal(value);
    case 'FLOAT': case 'FLOAT64': return real(value);
    case 'DATETIME': return civil(value);
    case 'JSON': return json(value);
    case 'GEOGRAPHY': return wkt(value);
    default: return /^-?\d+:\d\d:\d\d\.\d+$/.test(value) ? fraction(value) : value;
  }
}

const badDate = (text) => text.slice(0, 4) === '0000' || text.slice(5, 7) === '00' || text.slice(8, 10) === '00';
const exact = (number) => (Object.is(number, -0) ? '-0' : number);
const real = (text) => { const number = Number(text); return Object.is(number, -0) ? '-0' : String(number); };
const fraction = (text) => (text.includes('.') ? text.replace(/\.?0+$/, '') : text);
const civil = (text) => fraction(text.replace(' ', 'T'));
function decimal(text) {
  const plain = text.includes('.') ? text.replace(/\.?0+$/, '') : text;
  return plain === '-0' || plain === '' ? '0' : plain;
}
function micros(text) {
  const [date, time] = text.split(' ');
  const [clock, digits = ''] = time.split('.');
  return (BigInt(Date.parse(`${date}T${clock}Z`)) * 1000n + BigInt(digits.padEnd(6, '0'))).toString();
}
// JSON by value; integers keep all their digits, which JSON.parse would round.
export function json(text) {
  const marked = text.replace(/"(?:[^"\\]|\\.)*"|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/g, (token) => {
    if (token[0] === '"') return token;
    return /^-?\d+$/.test(token) ? `"#${token}"` : `"#${Number(token)}"`;
  });
  const sorted = (value) => {
    if (Array.isArray(value)) return value.map(sorted);
    if (value === null || typeof value !== 'object') return value;
    return Object.fromEntries(Object.keys(value).sort().map((key) => [key, sorted(value[key])]));
  };
  return JSON.stringify(sorted(JSON.parse(marked)));
}
const wkt = (text) => text.toUpperCase().replace(/\s*([(),])\s*/g, '$1').replace(/-?\d+(\.\d+)?(E[+-]?\d+)?/g,
  (number) => String(Number(number)));

// Schema and rows of a table, read by Google's Node client (its authenticated request, so that cells come as BigQuery
// writes them and no client-side conversion hides a digit).
export async function deliveredTable(bigquery, dataset, table) {
  const [{ schema }] = await bigquery.dataset(dataset).table(table).getMetadata();
  const rows = [];
  for (let pageToken; ;) {
    const page = await request(bigquery.dataset(dataset).table(table),
      { uri: '/data', qs: { maxResults: 50000, pageToken, 'formatOptions.useInt64Timestamp': true } });
    for (const row of page.rows ?? []) {
      rows.push(row.f.map((cell, i) => deliveredValue(schema.fields[i], cell.v)));
    }
    pageToken = page.pageToken;
    if (!pageToken) return { fields: schema.fields, rows };
  }
}

function request(table, options) {
  return new Promise((resolve, reject) =>
    table.request(options, (error, body) => (error ? reject(error) : resolve(body))));
}

const asText = (rows) => rows.map((row) => JSON.stringify(row)).sort();

// Fails at the first rows that differ, naming them.
export function assertSameRows(delivered, expected, what) {
  const left = asText(delivered);
  const right = asText(expected);
  if (left.length === right.length && left.every((row, i) => row === right[i])) return;
  const inSource = new Set(right);
  const inTarget = new Set(left);
  const extra = left.filter((row) => !inSource.has(row)).slice(0, 3);
  const missing = right.filter((row) => !inTarget.has(row)).slice(0, 3);
  assert.fail(`${what}: ${left.length} rows delivered, ${right.length} expected\n` +
    `delivered but not in the source:\n  ${extra.join('\n  ')}\nin the source but not delivered:\n  ${missing.join('\n  ')}`);
}

// All tables of `database` against the tables of the same names in `dataset`.
export async function assertDelivered({ mysql, bigquery, dataset, database, tables }) {
  const connection = await mysql.connect();
  try {
    for (const table of tables) {
      const delivered = await deliveredTable(bigquery, dataset, table);
      const columns = await sourceColumns(connection, database, table);
      for (const column of columns) {
        // MariaDB's JSON is a LONGTEXT with a check.
        const field = delivered.fields.find((candidate) => candidate.name === column.name);
        if (column.type === 'longtext' && field?.type === 'JSON') column.type = 'json';
      }
      const expected = await sourceRows(connection, database, table, { flavor: mysql.flavor, columns });
      assertSameRows(delivered.rows, expected, `${database}.${table}`);
    }
  } finally {
    await connection.end();
  }
}
