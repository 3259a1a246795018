// A night of many customers against the local BigQuery with Google's quotas on: `mode: replace`, one dataset each, then the
// same after a night in which nothing changed: node bench/nightly.mjs [DATASETS [TABLES [ROWS]]]
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { run, startBigquery, startMysql } from '../tests/harness/servers.mjs';

const [datasets = 300, tables = 20, rows = 100] = process.argv.slice(2).map(Number);
const project = 'hakobu-bench';
const folder = mkdtempSync(join(tmpdir(), 'hakobu-bench-nightly-'));
const faults = join(folder, 'quotas.yaml');
writeFileSync(faults, 'quotas: real\n');
const [mysql, bigquery] = await Promise.all([
  startMysql({ folder: join(folder, 'mysql'), options: ['--innodb-flush-log-at-trx-commit=0', '--skip-log-bin'] }),
  startBigquery({ folder: join(folder, 'bigquery'), args: ['--faults', faults] })]);
const name = (at) => `tenant_${String(at).padStart(3, '0')}`;

async function fill() {
  const admin = await mysql.connect();
  const values = Array.from({ length: rows }, (_, i) => `(${i}, 'row ${i}', ${i} * 1.5)`).join(', ');
  for (let at = 0; at < datasets; ++at) {
    const made = Array.from({ length: tables }, (_, t) => `CREATE TABLE t${t} (id INT PRIMARY KEY, name VARCHAR(40), amount DECIMAL(12, 2)); INSERT INTO t${t} VALUES ${values}`);
    await admin.query(`CREATE DATABASE ${name(at)}; USE ${name(at)}; ${made.join('; ')}`);
    writeFileSync(join(folder, `${name(at)}.yaml`), JSON.stringify({
      source: { host: '127.0.0.1', port: mysql.port, user: 'root', tls: { mode: 'off' }, connections: 2 },
      destination: { project, dataset: name(at), rest_address: bigquery.endpoint, grpc_address: `127.0.0.1:${bigquery.grpcPort}` },
      tables: [{ table: `${name(at)}.*` }], ledger: join(folder, `${name(at)}.db`) }));
  }
  await admin.end();
}

// Jobs that the project has run, by kind; a refused one is not among them.
async function jobs() {
  const found = {};
  for (let token = ''; token !== undefined;) {
    const answer = await fetch(`${bigquery.endpoint}/bigquery/v2/projects/${project}/jobs?projection=full&maxResults=1000${token && `&pageToken=${token}`}`);
    const page = await answer.json();
    for (const { configuration } of page.jobs ?? []) found[configuration.jobType] = (found[configuration.jobType] ?? 0) + 1;
    token = page.nextPageToken;
  }
  return found;
}

async function night(what) {
  const before = await jobs();
  const start = performance.now();
  const ends = { delivered: 0, unchanged: 0, retries: 0, refused: 0 };
  for (let at = 0; at < datasets; ++at) {
    const result = await run(['-c', join(folder, `${name(at)}.yaml`), '--json', 'run', '--quiet'], { timeoutMs: 900_000 });
    if (result.code !== 0) throw new Error(`${name(at)}: exit ${result.code}\n${result.stderr.slice(-2000)}${result.stdout.slice(-2000)}`);
    const report = JSON.parse(result.stdout.trim().split('\n').at(-1));
    if (report.tables.length !== tables) throw new Error(`${name(at)}: ${report.tables.length} tables`);
    for (const table of report.tables) {
      if (table.rows !== rows) throw new Error(`${table.source}: ${table.rows} rows`);
      ends[table.unchanged ? 'unchanged' : 'delivered'] += 1;
      ends.retries += table.chunkRetries;
    }
    ends.refused += (result.stderr.match(/rateLimitExceeded|quotaExceeded/g) ?? []).length;
  }
  const after = await jobs();
  const used = Object.keys(after).map((kind) => `${after[kind] - (before[kind] ?? 0)} ${kind}`).join(', ');
  console.log(`${what}: ${((performance.now() - start) / 1000).toFixed(0)} s; tables delivered ${ends.delivered}, unchanged ${ends.unchanged}; ` +
    `jobs ${used || 'none'}; chunks tried again ${ends.retries}, words of quotas in logs ${ends.refused}`);
}

try {
  await fill();
  console.log(`${datasets} datasets of ${tables} tables of ${rows} rows, Google's quotas`);
  await night('first night');
  await night('a night without changes');
} finally {
  await Promise.all([mysql.stop(), bigquery.stop()]);
  rmSync(folder, { recursive: true, force: true });
}
