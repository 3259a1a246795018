// A random workload on a source, repeatable by seed: what applications do to their tables while they are being copied
// and followed. Several sessions at once; errors that applications meet too (deadlocks, lost connections) are retried.
import { setTimeout as sleep } from 'node:timers/promises';
import { columns, generator, randomValue } from './random_values.mjs';

const names = Object.keys(columns);
export const workloadTables = ['every', 'pair', 'raw', 'counter', 'grow', 'money'];

// The tables, with rows that are there before anything follows the log.
export async function makeWorkload({ mysql, database, seed, rows = 300 }) {
  const connection = await mysql.connect();
  const random = generator(seed);
  await connection.query(`CREATE DATABASE ${database} CHARACTER SET utf8mb4; USE ${database}; SET time_zone = '+00:00';
    CREATE TABLE every (id INT UNSIGNED PRIMARY KEY, ${Object.entries(columns).map((column) => column.join(' ')).join(', ')});
    CREATE TABLE pair (code VARCHAR(20) CHARACTER SET ${mysql.flavor === 'mysql' ? 'utf8mb4 COLLATE utf8mb4_0900_ai_ci' : 'utf8mb4'},
      n INT, text VARCHAR(60) CHARACTER SET cp932, at DATETIME(6), PRIMARY KEY (code, n));
    CREATE TABLE raw (k BINARY(6) PRIMARY KEY, v VARBINARY(400), j JSON);
    CREATE TABLE counter (id BIGINT UNSIGNED AUTO_INCREMENT PRIMARY KEY, n INT NOT NULL, note LONGTEXT, KEY (n));
    CREATE TABLE grow (id INT PRIMARY KEY, a INT, b VARCHAR(20), c DECIMAL(8, 2));
    CREATE TABLE money (k DECIMAL(8, 2) PRIMARY KEY, n INT, at DATETIME(3));
    CREATE DATABASE ${database}_0; CREATE TABLE ${database}_0.own (id INT PRIMARY KEY);
    CREATE DATABASE ${loose(database)}; CREATE TABLE ${loose(database)}.loose (id INT AUTO_INCREMENT PRIMARY KEY) ENGINE=MEMORY`);
  for (let i = 0; i < rows; ++i) {
    await insertEvery(connection, random, i);
    await connection.query('INSERT IGNORE INTO pair VALUES (?, ?, ?, NOW(6))', pairKey(random).concat('予約①'));
  }
  await connection.query(`INSERT INTO counter (n, note) SELECT id, REPEAT('x', id % 50) FROM every;
    INSERT INTO counter (n, note) SELECT a.n, b.note FROM counter a JOIN (SELECT note FROM counter LIMIT 10) b;
    INSERT IGNORE INTO raw SELECT LEFT(SHA2(id, 256), 6), REPEAT(CHAR(id % 256), id % 90), JSON_OBJECT('k', id) FROM every;
    INSERT INTO grow SELECT id, id, CONCAT('b', id), id / 4 FROM every;
    INSERT INTO money SELECT id / 2, id, NOW(3) FROM every`);
  await connection.end();
}

async function insertEvery(connection, random, id, verb = 'INSERT IGNORE') {
  const chosen = names.filter(() => random() < 0.7);
  await connection.query(
    `${verb} INTO every (id${chosen.map((name) => `, ${name}`).join('')}) VALUES (?${chosen.map(() => ', ?').join('')})`,
    [id, ...chosen.map((name) => value(name, random))]);
}

// Beside the workload's own, and followed by nobody.
const loose = (database) => `not_${database}`;

const value = (name, random) => (name === 'b' ? Number(randomValue(name, random)) : randomValue(name, random));
const below = (random, n) => Math.floor(random() * n);
const pairKey = (random) => [['a', 'A', 'é', 'E', '予約', 'ﾖﾔｸ', 'ss', 'ß', ''][below(random, 9)], below(random, 40)];

// One action each: [weight, name, async (connection, random, state)].
const actions = [
  [8, 'insert', (c, r) => insertEvery(c, r, below(r, 2000))],
  [8, 'update', (c, r) => {
    const name = names[below(r, names.length)];
    return c.query(`UPDATE IGNORE every SET ${name} = ? WHERE id = ?`, [value(name, r), below(r, 400)]);
  }],
  [4, 'delete', (c, r) => c.query('DELETE FROM every WHERE id = ?', [below(r, 2000)])],
  [4, 'replace', (c, r) => insertEvery(c, r, below(r, 400), 'REPLACE')],
  [4, 'change a key', (c, r) => c.query('UPDATE IGNORE every SET id = ? WHERE id = ?', [below(r, 2000), below(r, 2000)])],
  [6, 'pairs', (c, r) => c.query('INSERT INTO pair VALUES (?, ?, ?, NOW(6)) ON DUPLICATE KEY UPDATE text = VALUES(text), at = NOW(6)',
    [...pairKey(r), ['表示', 'ｶﾅ', '~\\', ''][below(r, 4)]])],
  [4, 'change a pair', (c, r) => c.query('UPDATE IGNORE pair SET code = ?, n = ? WHERE code = ? AND n = ?', [...pairKey(r), ...pairKey(r)])],
  [2, 'delete pairs', (c, r) => c.query('DELETE FROM pair WHERE n = ?', [below(r, 40)])],
  [4, 'raw', (c, r) => c.query('REPLACE INTO raw VALUES (?, ?, ?)', [Buffer.from(String(below(r, 999999)).slice(0, 6)),
    Buffer.alloc(below(r, 400), below(r, 256)), JSON.stringify({ n: r(), list: Array(below(r, 20)).fill('予') })])],
  [2, 'part of a document', (c, r) => c.query("UPDATE raw SET j = JSON_SET(j, '$.n', ?, '$.deep', JSON_OBJECT('x', ?)) LIMIT 5",
    [below(r, 1e9), String(r())])],
  [4, 'several tables', (c, r) => transaction(c, r, async () => {
    await c.query('UPDATE counter SET n = n + 1 WHERE id % 37 = ?', [below(r, 37)]);
    await c.query('INSERT INTO counter (n, note) VALUES (?, ?)', [below(r, 1000), 'y'.repeat(below(r, 3000))]);
    await insertEvery(c, r, below(r, 2000));
    await c.query('DELETE FROM pair WHERE n = ? LIMIT 3', [below(r, 40)]);
  })],
  [4, 'money', (c, r) => c.query(['REPLACE INTO money VALUES (? / 2, ?, NOW(3))', 'UPDATE money SET n = n + 1 WHERE k = ? / 2 OR n = ?',
    'DELETE FROM money WHERE k = ? / 2 AND n <> ?'][below(r, 3)], [below(r, 700), below(r, 700)])],
  [2, 'a savepoint', (c, r, state) => transaction(c, r, async () => {
    await c.query('UPDATE counter SET n = n + 1000 WHERE id = ?', [below(r, 300)]);
    await c.query('SAVEPOINT half');
    await c.query('UPDATE counter SET n = -1 WHERE id < 50');
    await c.query('DELETE FROM every WHERE id < 20');
    // MariaDB then writes into its log what is undone, and that it is.
    if (state.flavor === 'mariadb' && r() < 0.7) await c.query(`INSERT INTO ${loose(state.database)}.loose () VALUES ()`);
    await c.query('SAVEPOINT more');
    await insertEvery(c, r, below(r, 2000));
    await c.query(r() < 0.3 ? 'ROLLBACK TO SAVEPOINT more' : 'ROLLBACK TO SAVEPOINT half');
    if (r() < 0.5) await c.query('ROLLBACK TO SAVEPOINT half');
    await c.query('UPDATE counter SET n = n + 7 WHERE id = ?', [below(r, 300)]);
  })],
  [1, 'a large transaction', (c, r) => c.query('UPDATE counter SET n = n + 1, note = CONCAT(LEFT(COALESCE(note, ""), 200), ?)', [String(r())])],
  [1, 'many rows', (c, r) => c.query('INSERT INTO counter (n, note) SELECT n, NULL FROM counter WHERE id % 11 = ? LIMIT 500', [below(r, 11)])],
  [1, 'many deletes', (c, r) => c.query('DELETE FROM counter WHERE id > 400 AND id % 3 = ?', [below(r, 3)])],
  [2, 'XA', async (c, r, state) => {
    const id = `'${state.database}-${state.session}-${++state.xa}'`;
    await c.query(`XA START ${id}`);
    await c.query('UPDATE grow SET a = ? WHERE id = ?', [below(r, 1e6), 100 + state.session]);
    await c.query(`XA END ${id}`);
    await c.query(`XA PREPARE ${id}`);
    await c.query(r() < 0.6 ? `XA COMMIT ${id}` : `XA ROLLBACK ${id}`);
  }],
  [6, 'growing rows', (c, r) => c.query(['UPDATE grow SET a = a + 1 WHERE id % 7 = ?', 'DELETE FROM grow WHERE id = ?',
    'REPLACE INTO grow (id, a, b) VALUES (?, 1, "new")'][below(r, 3)], [below(r, 300)])],
  [2, 'a change of the table', (c, r, state) => changeTable(c, r, state)],
  [1, 'a database of its own', async (c, r, state) => {
    const name = `${state.database}_${state.session}_${++state.databases}`;
    await c.query(`CREATE DATABASE ${name} CHARACTER SET latin1; CREATE TABLE ${name}.own (id INT PRIMARY KEY, v VARCHAR(40))`);
    await c.query(`INSERT INTO ${name}.own VALUES (1, 'é'), (?, ?); UPDATE ${name}.own SET v = 'later' WHERE id = 1`, [2 + below(r, 9), String(r())]);
  }],
];

async function transaction(connection, random, work) {
  await connection.query('START TRANSACTION');
  await work();
  await connection.query(random() < 0.8 ? 'COMMIT' : 'ROLLBACK');
}

// What BigQuery can follow. One session does them, so that a name is not taken twice.
async function changeTable(connection, random, state) {
  if (state.session !== 0) return;
  const n = ++state.columns;
  await addC(connection, state);  // the connection may have been lost in between
  const change = [`ADD COLUMN new${n} INT`, `ADD COLUMN new${n} VARCHAR(30) AFTER a`, `ADD COLUMN new${n} DATETIME(3) FIRST`,
    `ADD COLUMN new${n} BIGINT NOT NULL DEFAULT ${n}`, 'MODIFY a BIGINT', 'MODIFY b VARCHAR(200)', 'MODIFY c DECIMAL(14, 2)',
    `ADD INDEX i${n} (id)`, `COMMENT = 'version ${n} /* quoted; */'`, 'ENGINE = InnoDB', 'MODIFY b TEXT FIRST',
    // Values change without events: rounded, written in another character set, gone with a name that comes back.
    'MODIFY c DECIMAL(14, 1)', 'MODIFY b VARCHAR(200) CHARACTER SET latin1', 'MODIFY b VARCHAR(200) CHARACTER SET ascii',
    'DROP COLUMN c, ADD COLUMN c DECIMAL(14, 2)', 'DROP COLUMN c', 'DROP COLUMN a, ADD COLUMN a BIGINT FIRST'][below(random, 17)];
  state.lacksC = change === 'DROP COLUMN c';
  await connection.query(`ALTER /* a comment */ TABLE \`grow\` ${change} -- done`);
  await addC(connection, state);
  // And keys' values.
  if (random() < 0.4) await connection.query(`ALTER TABLE money MODIFY k DECIMAL(${['8, 2', '8, 1', '10, 3'][below(random, 3)]})`);
  if (random() < 0.2) await connection.query('ALTER TABLE money MODIFY at DATETIME');
}

async function addC(connection, state) {
  if (!state.lacksC) return;
  await connection.query('ALTER TABLE grow ADD COLUMN c DECIMAL(14, 2)').catch((error) => {
    if (error.code !== 'ER_DUP_FIELDNAME') throw error;
  });
  state.lacksC = false;
}

const transient = new Set(['ER_LOCK_DEADLOCK', 'ER_LOCK_WAIT_TIMEOUT', 'PROTOCOL_CONNECTION_LOST', 'ECONNRESET', 'ECONNREFUSED',
  'ER_XA_RBDEADLOCK', 'ER_XA_RBROLLBACK', 'ER_SERVER_SHUTDOWN', 'EPIPE', 'ER_CHECKREAD', 'ER_XAER_RMFAIL',
  'ER_CON_COUNT_ERROR', 'ER_AUTOINC_READ_FAILED']);

// `sessions` sessions do `steps` actions each, with pauses of up to `pauseMs`. Resolves with how often each was done, and
// in `databases` with the names of those that were made, which all have a table `own`.
// `hold`: a promise-returning function that is awaited before each action (a server that is being restarted).
export async function runWorkload({ mysql, database, seed, sessions = 3, steps = 80, pauseMs = 20, hold = async () => {}, ddl = true }) {
  const done = {};
  const databases = [];
  Object.defineProperty(done, 'databases', { value: databases });
  const total = actions.reduce((sum, [weight]) => sum + weight, 0);
  await Promise.all(Array.from({ length: sessions }, async (_, session) => {
    const random = generator(seed * 31 + session);
    const state = { flavor: mysql.flavor, database, session, xa: 0, columns: 0, databases: 0 };
    let connection;
    for (let step = 0; step < steps; ++step) {
      let at = random() * total;
      const [, name, act] = actions.find(([weight]) => (at -= weight) < 0);
      if (!ddl && name === 'a change of the table') continue;
      await hold();
      try {
        connection ??= await open(mysql, database);
        await act(connection, random, state);
        if (name === 'a database of its own') databases.push(`${database}_${session}_${state.databases}`);
        done[name] = (done[name] ?? 0) + 1;
      } catch (error) {
        if (!transient.has(error.code) && !/closed state/.test(error.message)) throw Object.assign(error, { message: `${name}: ${error.message}` });
        await connection?.destroy();  // what it had begun is rolled back by the server
        connection = undefined;
        await sleep(50);
      }
      if (pauseMs > 0) await sleep(random() * pauseMs);
    }
    await connection?.end();
  }));
  for (let tries = 0; ; ++tries) {
    await hold();
    try {
      await endPrepared(mysql);
      return done;
    } catch (error) {  // the server may be killed just now
      if (!transient.has(error.code) || tries === 20) throw error;
      await sleep(200);
    }
  }
}

async function open(mysql, database) {
  const connection = await mysql.connect();
  connection.on?.('error', () => {});
  await connection.query(`USE ${database}; SET time_zone = '+00:00'; SET innodb_lock_wait_timeout = 5`);
  return connection;
}

// XA transactions whose session died between PREPARE and its end.
async function endPrepared(mysql) {
  const connection = await mysql.connect();
  connection.on('error', () => {});
  const [prepared] = await connection.query('XA RECOVER');
  for (const { data } of prepared) await connection.query(`XA ROLLBACK '${data}'`).catch(() => {});
  await connection.end();
}
