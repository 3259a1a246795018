// Random rows of every type, in several character sets, for tests that compare two sides.
// Numbers in [0, 1), the same for the same seed.
export function generator(state) {
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

// A column of every type, by short names.
export const columns = {
  ti: 'tinyint', tu: 'tinyint unsigned', si: 'smallint', mi: 'mediumint', mu: 'mediumint unsigned', i: 'int',
  bi: 'bigint', bu: 'bigint unsigned', de: 'decimal(38,12)', dz: 'decimal(5,0)', db: 'double', y: 'year', b: 'bit(13)',
  jp: 'varchar(40) character set cp932', eu: 'char(20) character set ujis', sj: 'text character set sjis',
  l1: 'varchar(300) character set latin1', u16: 'varchar(30) character set utf16', tx: 'mediumtext',
  en: "enum('あ','b','c,d')", st: "set('x','y','ず')", bn: 'binary(6)', vb: 'varbinary(20)', bl: 'blob',
  d: 'date', t: 'time', t3: 'time(3)', dt: 'datetime', dt6: 'datetime(6)', ts: 'timestamp(2) null', j: 'json',
};

// A value of that column as mysql2 takes it; `random` is a generator.
export function randomValue(name, random) {
  const pick = (list) => list[Math.floor(random() * list.length)];
  const int = (bits, unsigned) => {
    const edge = unsigned ? [0n, (1n << bits) - 1n] : [-(1n << (bits - 1n)), (1n << (bits - 1n)) - 1n];
    return String(pick([...edge, BigInt(Math.floor(random() * 100))]));
  };
  const digits = (n) => Array.from({ length: n }, () => Math.floor(random() * 10)).join('');
  const two = (n) => String(Math.floor(random() * n)).padStart(2, '0');
  const date = () => `${1000 + Math.floor(random() * 8999)}-${pick(['01', '06', '12'])}-${pick(['01', '28'])}`;
  const clock = () => `${two(24)}:${two(60)}:${two(60)}`;
  const text = () => pick(['', 'abc', 'it\'s', 'a\\b\n', '予約', 'カタカナ', 'x'.repeat(20)]);
  switch (name) {
    case 'ti': return int(8n); case 'tu': return int(8n, true); case 'si': return int(16n);
    case 'mi': return int(24n); case 'mu': return int(24n, true); case 'i': return int(32n);
    case 'bi': return int(64n); case 'bu': return int(64n, true);
    case 'de': return `${pick(['', '-'])}${digits(Math.ceil(random() * 26))}.${digits(12)}`;
    case 'dz': return `${pick(['', '-'])}${digits(5)}`;
    case 'db': return String((random() - 0.5) * 10 ** Math.floor(random() * 40 - 20));
    case 'y': return String(1901 + Math.floor(random() * 254));
    case 'b': return String(Math.floor(random() * 8192));
    case 'l1': return pick(['', 'café', '€uro', 'x'.repeat(290)]);
    case 'u16': return pick(['', '予約', 'A😀B']);
    case 'tx': return pick(['', '😀 絵文字', 'y'.repeat(70000)]);
    case 'en': return pick(['あ', 'b', 'c,d']); case 'st': return pick(['', 'x', 'x,ず', 'x,y,ず']);
    case 'bn': return pick(['a', 'a\0b', 'abcdef']); case 'vb': case 'bl': return pick(['', 'a\0', 'zz']);
    case 'd': return date(); case 'dt': return `${date()} ${clock()}`;
    case 'dt6': return `${date()} ${clock()}.${digits(6)}`;
    case 'ts': return `2024-0${1 + Math.floor(random() * 9)}-15 ${clock()}.${digits(2)}`;
    case 't': return `${pick(['', '-'])}${Math.floor(random() * 838)}:${two(60)}:${two(60)}`;
    case 't3': return `${pick(['', '-'])}${Math.floor(random() * 838)}:${two(60)}:${two(60)}.${digits(3)}`;
    case 'j': return pick(['null', '[]', '{"a": [1, -2.5, "x\\ny", null, true], "é": {"k": 1e30}}', '"予約"',
      '[18446744073709551615, -9223372036854775808, 0.1, 123456.75]', `["${'z'.repeat(70000)}"]`]);
    default: return text();
  }
}
