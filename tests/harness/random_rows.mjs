// Random rows of every BigQuery type, from a seed. A value is held as one canonical text whatever way it travels
// (INT64 "-1", NUMERIC "1.5", TIMESTAMP "1709218799123456" microseconds, INTERVAL "months days micros", BYTES base64),
// a REPEATED column as an array of them, a RECORD as an object; NULL is null.
export class Random {
  constructor(seed) { this.state = seed >>> 0; }
  next() {  // mulberry32, in [0, 1)
    this.state = (this.state + 0x6d2b79f5) >>> 0;
    let t = this.state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  }
  below(n) { return Math.floor(this.next() * n); }
  pick(list) { return list[this.below(list.length)]; }
  chance(p) { return this.next() < p; }
  digits(n) { return Array.from({ length: n }, () => this.below(10)).join(''); }
  // Uniform over [low, high], with the ends and small numbers more often.
  bigint(low, high) {
    if (this.chance(0.1)) return low;
    if (this.chance(0.1)) return high;
    const span = high - low + 1n;
    if (this.chance(0.2) && low <= 0n && high >= 1000n) return BigInt(this.below(1000)) - (low < -1000n ? 500n : 0n);
    let wide = 0n;
    for (let i = 0; i < 5; ++i) wide = (wide << 32n) | BigInt(Math.floor(this.next() * 4294967296));
    return low + (wide % span);
  }
}

// Text of an integer divided by 10^scale, without trailing zeros; and back.
export function decimalText(unscaled, scale) {
  const digits = (unscaled < 0n ? -unscaled : unscaled).toString().padStart(scale + 1, '0');
  const text = `${digits.slice(0, digits.length - scale)}.${digits.slice(digits.length - scale)}`.replace(/\.?0+$/, '');
  return unscaled < 0n ? `-${text}` : text;
}
export function unscaled(text, scale) {
  const [, sign, whole, fraction = ''] = /^(-?)(\d*)(?:\.(\d*))?$/.exec(text);
  const value = BigInt(whole + fraction.padEnd(scale, '0').slice(0, scale));
  return sign ? -value : value;
}

const pad = (value, n) => String(value).padStart(n, '0');
export function dateText(days) {
  const date = new Date(Number(days) * 86400000);
  return `${pad(date.getUTCFullYear(), 4)}-${pad(date.getUTCMonth() + 1, 2)}-${pad(date.getUTCDate(), 2)}`;
}
export const daysOf = (text) => {
  const [year, month, day] = text.split('-').map(Number);
  const date = new Date(0);
  date.setUTCFullYear(year, month - 1, day);
  return Math.round(date.getTime() / 86400000);
};
export function timeText(micros) {
  const seconds = micros / 1000000n;
  return `${pad(seconds / 3600n, 2)}:${pad((seconds / 60n) % 60n, 2)}:${pad(seconds % 60n, 2)}.${pad(micros % 1000000n, 6)}`;
}
const dayMicros = 86400000000n;
const floorDivide = (a, b) => (a - (((a % b) + b) % b)) / b;
export function datetimeText(micros) {
  const days = floorDivide(micros, dayMicros);
  return `${dateText(days)}T${timeText(micros - days * dayMicros)}`;
}
export function microsOfTime(text) {
  const [, hour, minute, second, fraction = ''] = /^(\d+):(\d+):(\d+)(?:\.(\d*))?$/.exec(text);
  return (BigInt(hour) * 3600n + BigInt(minute) * 60n + BigInt(second)) * 1000000n + BigInt(fraction.padEnd(6, '0').slice(0, 6));
}
// "2024-02-29T01:02:03.4", with ' ' for T, and with or without Z.
export function microsOfDatetime(text) {
  const [date, time] = text.replace(/Z$/, '').split(/[T ]/);
  return BigInt(daysOf(date)) * dayMicros + microsOfTime(time);
}

// "Y-M D H:M:S.F" to the canonical "months days micros", and back.
export function intervalOf(text) {
  const [, sign, years, months, days, timeSign, hours, minutes, seconds, fraction = ''] =
    /^(-?)(\d+)-(\d+) (-?\d+) (-?)(\d+):(\d+):(\d+)(?:\.(\d+))?$/.exec(text);
  const all = Number(years) * 12 + Number(months);
  const micros = microsOfTime(`${hours}:${minutes}:${seconds}.${fraction}`);
  return `${sign && all ? '-' : ''}${all} ${Number(days)} ${timeSign ? -micros : micros}`;
}
export function intervalText(canonical) {
  const [months, days, micros] = canonical.split(' ').map(BigInt);
  const size = (n) => (n < 0n ? -n : n);
  const time = size(micros);
  const seconds = time / 1000000n;
  return `${months < 0n ? '-' : ''}${size(months) / 12n}-${size(months) % 12n} ${days} ${micros < 0n ? '-' : ''}` +
    `${seconds / 3600n}:${(seconds / 60n) % 60n}:${seconds % 60n}.${pad(time % 1000000n, 6)}`;
}

export const floatText = (value) => (Object.is(value, -0) ? '-0' : String(value));
const sorted = (value) =>
  Array.isArray(value) ? value.map(sorted)
    : value && typeof value === 'object'
      ? Object.fromEntries(Object.keys(value).sort().map((key) => [key, sorted(value[key])])) : value;
export const jsonText = (text) => JSON.stringify(sorted(JSON.parse(text)));

const alphabets = [
  'abcXYZ 019', ',;"\'\\\n\r\t|{}[]', 'äßéñ¿', '日本語漢字かな', '😀🏳️‍🌈𝔘𐍈', '\u0001\u001f\u007f\u0080\u2028\ufeff\ufffd',
];
function randomString(random, { nul = true } = {}) {
  const length = random.chance(0.1) ? 0 : random.chance(0.05) ? 500 : random.below(20);
  let text = '';
  for (let i = 0; i < length; ++i) text += random.pick([...random.pick(alphabets)]);
  if (nul && random.chance(0.03)) text += '\u0000x';
  return random.chance(0.03) ? random.pick(['NULL', 'null', '\\N', 'NaN', ' ', '""', '0', 'true']) : text;
}

function randomJson(random, depth = 0) {
  const kind = random.below(depth > 2 ? 5 : 8);
  if (kind === 0) return depth === 0 ? 7 : null;
  if (kind === 1) return random.chance(0.5);
  if (kind === 2) return random.below(2 ** 31) - 2 ** 30;
  if (kind === 3) return random.pick([0.5, -1.25e-7, 1e300, 0.1, 123456789.125]);
  if (kind === 4) return randomString(random, { nul: false });
  if (kind === 5) return Array.from({ length: random.below(4) }, () => randomJson(random, depth + 1));
  return Object.fromEntries(Array.from({ length: random.below(4) }, (_, i) =>
    [random.pick(['a', 'b c', 'ключ', '"', '']) + i, randomJson(random, depth + 1)]));
}

const floats = [0, -0, NaN, Infinity, -Infinity, 5e-324, -1.7976931348623157e308, 1.7976931348623157e308, 0.1, 1e16,
  123456789.987654321, 2 ** 53 + 2, 1e-7];
export const limits = {
  int64: [-(2n ** 63n), 2n ** 63n - 1n],
  numeric: 10n ** 38n - 1n,
  bignumeric: [-(2n ** 255n), 2n ** 255n - 1n],
  date: [-719162n, 2932896n],
  datetime: [-719162n * dayMicros, 2932897n * dayMicros - 1n],
  interval: { months: 120000n, days: 3660000n, micros: 9223372036854775n },
};

function randomRange(random, bound) {
  const ends = [bound(), bound()].sort((a, b) => (BigInt(a) < BigInt(b) ? -1 : 1));
  if (ends[0] === ends[1] || random.chance(0.2)) ends[1] = '';
  if (random.chance(0.2)) ends[0] = '';
  return ends.join('~');
}

export const generators = {
  INT64: (r) => r.bigint(...limits.int64).toString(),
  FLOAT64: (r) => {
    if (r.chance(0.3)) return floatText(r.pick(floats));
    const bytes = Buffer.from(Array.from({ length: 8 }, () => r.below(256)));
    return floatText(r.chance(0.5) ? bytes.readDoubleLE() : (r.next() - 0.5) * 1000);
  },
  BOOL: (r) => String(r.chance(0.5)),
  STRING: (r, options) => randomString(r, options),
  BYTES: (r) => Buffer.from(Array.from({ length: r.below(24) }, () => r.below(256))).toString('base64'),
  NUMERIC: (r) => decimalText(r.chance(0.3) ? BigInt(r.below(100000)) * 10000000n - 5n : r.bigint(-limits.numeric, limits.numeric), 9),
  BIGNUMERIC: (r, { digits38 } = {}) => {
    if (digits38) return decimalText(r.bigint(-(10n ** 38n) + 1n, 10n ** 38n - 1n), 20);
    if (r.chance(0.2)) return decimalText(r.bigint(...limits.bignumeric), 38);
    return decimalText(BigInt(`${r.chance(0.5) ? '-' : ''}${r.digits(1 + r.below(76))}`), 38);
  },
  DATE: (r) => dateText(r.bigint(...limits.date)),
  DATETIME: (r) => datetimeText(r.bigint(...limits.datetime)),
  TIME: (r) => timeText(r.bigint(0n, dayMicros - 1n)),
  TIMESTAMP: (r) => r.bigint(...limits.datetime).toString(),
  JSON: (r) => jsonText(JSON.stringify(randomJson(r))),
  GEOGRAPHY: (r) => (r.chance(0.5) ? `POINT(${r.below(180)} ${r.below(90)})`
    : `LINESTRING(${r.below(90)} ${r.below(45)}, ${90 + r.below(80)} ${45 + r.below(40)}, -${1 + r.below(80)}.5 -1.25)`),
  INTERVAL: (r) => {
    const { months, days, micros } = limits.interval;
    return [r.bigint(-months, months), r.bigint(-days, days), r.bigint(-micros, micros)].join(' ');
  },
  RANGE: (r) => randomRange(r, () => r.bigint(...limits.date).toString()),
};
export const scalarTypes = Object.keys(generators);

// Every scalar type NULLABLE, REPEATED, inside a RECORD, and inside a REPEATED RECORD with a RECORD in it. A column is
// { name, type, mode, fields }; `types` leaves out what a way of writing cannot hold.
export function columnsOf(types = scalarTypes, { nested = true } = {}) {
  const scalars = types.map((type) => ({ name: `c_${type.toLowerCase()}`, type, mode: 'NULLABLE' }));
  const id = { name: 'id', type: 'INT64', mode: 'REQUIRED' };
  if (!nested) return [id, ...scalars];
  return [id, ...scalars,
    ...types.map((type) => ({ name: `r_${type.toLowerCase()}`, type, mode: 'REPEATED' })),
    { name: 'rec', type: 'RECORD', mode: 'NULLABLE', fields: scalars },
    { name: 'recs', type: 'RECORD', mode: 'REPEATED', fields: [
      { name: 'n', type: 'INT64', mode: 'REQUIRED' },
      { name: 'inner', type: 'RECORD', mode: 'NULLABLE', fields: scalars.slice().reverse() },
      { name: 'tags', type: 'STRING', mode: 'REPEATED' },
    ] },
  ];
}

function randomElement(column, random, options) {
  return column.type === 'RECORD' ? randomRow(column.fields, random, options) : generators[column.type](random, options);
}
function randomValue(column, random, options) {
  if (column.mode === 'REPEATED')
    return Array.from({ length: random.chance(0.3) ? 0 : random.below(4) }, () => randomElement(column, random, options));
  if (column.mode !== 'REQUIRED' && random.chance(0.2)) return null;
  return randomElement(column, random, options);
}
export function randomRow(columns, random, options) {
  return Object.fromEntries(columns.map((column) => [column.name, randomValue(column, random, options)]));
}
export function randomRows(columns, count, random, options) {
  return Array.from({ length: count }, (_, i) => ({ ...randomRow(columns, random, options), id: String(i) }));
}

// Every scalar of a row replaced by convert(text, column); records and arrays keep their shape.
export function mapRow(columns, row, convert) {
  const element = (column, value) =>
    value === null ? null : column.type === 'RECORD' ? mapRow(column.fields, value, convert) : convert(value, column);
  return Object.fromEntries(columns.map((column) => {
    const value = row[column.name];
    return [column.name, column.mode === 'REPEATED' ? value.map((item) => element(column, item)) : element(column, value)];
  }));
}

export function restSchema(columns) {
  return columns.map((column) => ({ name: column.name, type: column.type, mode: column.mode,
    ...(column.type === 'RANGE' ? { rangeElementType: { type: 'DATE' } } : {}),
    ...(column.fields ? { fields: restSchema(column.fields) } : {}) }));
}

export const rangeEnds = (canonical) => canonical.split('~').map((days) => (days === '' ? null : Number(days)));
export const rangeText = (canonical) => {
  const [start, end] = rangeEnds(canonical).map((days) => (days === null ? 'UNBOUNDED' : dateText(days)));
  return `[${start}, ${end})`;
};
export const rangeOfText = (text) => {
  const [, start, end] = /^\[(.*), (.*)\)$/.exec(text);
  return [start, end].map((part) => (part === 'UNBOUNDED' ? '' : String(daysOf(part)))).join('~');
};
