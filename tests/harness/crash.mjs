// A job that is killed and must still end with the target equal to the source: shared by the crash tests and the soak.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from './servers.mjs';
import { project } from './clients.mjs';
import { makeJob } from './delivery.mjs';
import { assertSameRows, deliveredTable, sourceRows } from './compare.mjs';

export const connections = 2;
const whole = ['big', 'loaded', 'changing', 'keyless', 'guarded'];  // the last: with a row access policy; and `grown`, appended

// Every name that the delivery can be killed at, from its source: a new one is tested as soon as it is written.
export function crashPoints() {
  const names = new Set();
  for (const folder of ['src/delivery', 'src/delivery/move', 'src/ledger']) {
    for (const file of readdirSync(join(root, folder)).filter((name) => name.endsWith('.cc'))) {
      for (const match of readFileSync(join(root, folder, file), 'utf8').matchAll(/CrashPoint\("([^"]+)"\)/g)) {
        names.add(match[1]);
      }
    }
  }
  return [...names].sort();
}

// A database with one table for each way of writing. The server notes every statement from now on. All rows carry the version they belong to.
export async function makeSource(admin, database) {
  await admin.query(`DROP DATABASE IF EXISTS ${database}; CREATE DATABASE ${database}; USE ${database};
    CREATE TABLE big (id INT PRIMARY KEY, version INT NOT NULL, text VARCHAR(100));
    CREATE TABLE loaded (a VARCHAR(20), b INT, version INT NOT NULL, PRIMARY KEY (a, b));
    CREATE TABLE changing (id INT PRIMARY KEY, version INT NOT NULL,
      updated_at TIMESTAMP(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6) ON UPDATE CURRENT_TIMESTAMP(6), KEY (updated_at));
    CREATE TABLE keyless (version INT NOT NULL, n INT);
    CREATE TABLE guarded (id INT PRIMARY KEY, version INT NOT NULL);
    CREATE TABLE grown (id INT PRIMARY KEY, version INT NOT NULL);`);
  await admin.query('CREATE TABLE n (i INT PRIMARY KEY)');
  const numbers = Array.from({ length: 2500 }, (_, i) => `(${i})`).join(',');
  await admin.query(`INSERT INTO n VALUES ${numbers}`);
  await admin.query(`INSERT INTO big SELECT i, 1, REPEAT('文字', i % 20) FROM n;
    INSERT INTO loaded SELECT CONCAT('k', i % 50), i, 1 FROM n WHERE i < 1200;
    INSERT INTO changing (id, version) SELECT i, 1 FROM n WHERE i < 600;
    INSERT INTO keyless SELECT 1, i FROM n WHERE i < 300;
    INSERT INTO guarded SELECT i, 1 FROM n WHERE i < 100; INSERT INTO grown SELECT i, 1 FROM n WHERE i < 100;
    DROP TABLE n; ANALYZE TABLE big, loaded, changing, keyless, guarded, grown`);
  await admin.query("SET GLOBAL log_output = 'TABLE'; SET GLOBAL general_log = ON");
}

export function crashJob({ mysql, bigquery, database, dataset }) {
  return makeJob({ mysql, bigquery, dataset, source: { connections }, defaults: { chunk_rows: 250 }, tables: [
    { table: `${database}.big`, write: 'storage' },
    { table: `${database}.loaded` },
    { table: `${database}.changing`, mode: 'incremental', cursor: 'updated_at', overlap: '1s', deletes: 'compare' },
    { table: `${database}.keyless` },
    { table: `${database}.guarded` },
    { table: `${database}.grown`, mode: 'append' },
  ] });
}

// From now on `guarded` can only be replaced by a MERGE. What hangs on it is looked at after every crash.
export async function guard({ bigquery, dataset }) {
  const url = `${bigquery.endpoint}/bigquery/v2/projects/${project}/datasets/${dataset}/tables/guarded/rowAccessPolicies`;
  const answer = await fetch(url, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({
    rowAccessPolicyReference: { policyId: 'own' }, filterPredicate: 'TRUE', grantees: ['allUsers'] }) });
  assert.ok(answer.ok, await answer.text());
  return async () => assert.equal((await (await fetch(url)).json()).rowAccessPolicies?.length, 1, 'the row access policy is gone');
}

export async function nextVersion(admin, database, version) {
  await admin.query(`USE ${database};
    UPDATE big SET version = ${version}; DELETE FROM big WHERE id = ${version};
    UPDATE loaded SET version = ${version}; UPDATE changing SET version = ${version}, updated_at = NOW(6);
    UPDATE guarded SET version = ${version}; UPDATE keyless SET version = ${version}; INSERT INTO keyless (version, n) VALUES (${version}, -1);
    UPDATE grown SET version = ${version}; ALTER TABLE grown ADD COLUMN c${version} INT DEFAULT ${version}`);
}

// What readers see right after a crash: each table is wholly of one version, the old or the new. `absent`: tables that
// had been taken away before, and may be missing or empty.
export async function assertWhole(client, dataset, older, newer, absent = []) {
  for (const table of whole.filter((name) => !absent.includes(name))) {
    const { fields, rows } = await deliveredTable(client, dataset, table);
    const column = fields.findIndex((field) => field.name === 'version');
    const versions = [...new Set(rows.map((row) => row[column]))];
    assert.equal(versions.length, 1, `${table} is a mixture of ${versions}`);
    assert.ok([String(older), String(newer)].includes(versions[0]), `${table}: version ${versions[0]}`);
  }
}

export async function assertEqual({ client, admin, dataset, database, flavor, version }) {
  for (const table of whole) {
    const expected = await sourceRows(admin, database, table, { flavor });
    assertSameRows((await deliveredTable(client, dataset, table)).rows, expected, table);
  }
  // Appended once for each version, no more and no less.
  const { fields, rows } = await deliveredTable(client, dataset, 'grown');
  const column = fields.findIndex((field) => field.name === 'version');
  for (let v = 1; v <= version; ++v) {
    assert.equal(rows.filter((row) => row[column] === String(v)).length, 100, `grown: rows of version ${v}`);
  }
}

// The newest run in the ledger: chunks that were begun more than once.
export function rereadChunks(ledger) {
  const sql = `SELECT source, number, attempts FROM chunks WHERE attempts > 1 AND
    run_id = (SELECT id FROM runs ORDER BY started_us DESC, rowid DESC LIMIT 1)`;
  const text = execFileSync('sqlite3', ['-json', ledger, sql], { encoding: 'utf8' });
  return text.trim() === '' ? [] : JSON.parse(text);
}

// What the source itself saw since its log was emptied: chunks are the only prepared statements, and each text is one chunk.
async function chunkReads(admin, database) {
  const [rows] = await admin.query(`SELECT CONVERT(argument USING utf8mb4) AS statement, COUNT(*) AS times
    FROM mysql.general_log WHERE command_type = 'Execute' AND argument LIKE '%FROM \`${database}\`.%' GROUP BY statement`);
  // Keys alone are read for what is gone, by each attempt that comes so far.
  return rows.map(({ statement, times }) => ({ statement, times: Number(times) })).filter(({ statement }) => !/^SELECT `id` FROM /.test(statement));
}

export function newestRun(ledger) {
  const sql = 'SELECT id, state FROM runs ORDER BY started_us DESC, rowid DESC LIMIT 1';
  const text = execFileSync('sqlite3', ['-json', ledger, sql], { encoding: 'utf8' });
  return text.trim() === '' ? { id: '', state: '' } : JSON.parse(text)[0];
}

// One crash: version `version` is in the source; `crash(job)` must end with the process killed or the run done. Then
// runs again until it is done and checks everything. Returns the number of chunks that were read again.
export async function crashOnce({ job, client, admin, dataset, database, flavor, version, crash, absent }) {
  await nextVersion(admin, database, version);
  await admin.query('TRUNCATE TABLE mysql.general_log');
  const before = newestRun(job.ledger);
  const crashed = await crash(job);
  await assertWhole(client, dataset, version - 1, version, absent);
  const killed = newestRun(job.ledger);
  // A kill that came after the run's last step left nothing to go on with: one more run would be a new one, which
  // appends again as it should.
  if (killed.id === before.id || killed.state !== 'done') {
    const result = await job.run();
    assert.equal(result.code, 0, `the run after the crash: ${result.stderr}\n${result.stdout}`);
  }
  const again = rereadChunks(job.ledger);
  if (crashed) assert.ok(again.length <= connections, `read again: ${JSON.stringify(again)}`);
  const reads = await chunkReads(admin, database);
  assert.ok(reads.length >= 15, `the source's log has ${reads.length} chunks only`);
  const twice = reads.filter(({ times }) => times > 1);
  const extra = twice.reduce((sum, { times }) => sum + times - 1, 0);
  assert.ok(extra <= (crashed ? connections : 0), `read again, says the source: ${JSON.stringify(twice)}`);
  await assertEqual({ client, admin, dataset, database, flavor, version });
  const [left] = await client.dataset(dataset).getTables();
  assert.deepEqual(left.map((table) => table.id).filter((id) => id.startsWith('_hakobu')), [], 'left over');
  return again.length;
}

// A generator of numbers in [0, 1), the same for the same seed (mulberry32).
export function randomFrom(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

// Kills after a random part of `typicalMs`. Resolves with whether it was killed before it had ended.
export async function killAtRandom(job, random, typicalMs) {
  const child = job.start();
  const timer = setTimeout(() => child.kill('SIGKILL'), 5 + random() * typicalMs);
  const { signal } = await child.exited;
  clearTimeout(timer);
  return signal === 'SIGKILL';
}
