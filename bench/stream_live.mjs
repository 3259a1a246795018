#!/usr/bin/env node
// A stream from MySQL to the local BigQuery, all on this machine: how long a committed change takes until a query sees it, how
// fast a stream that was off catches up, and the most memory it takes, also while BigQuery stands still for a minute.
//   bench/stream_live.mjs [SECONDS [ROWS [STALLED]]]      default 20 s at each rate, 500,000 rows to catch up with, each changed
//   twice, and 60 s of standing still
// Prints a Markdown table. Builds the release preset, or the one that HAKOBU_BENCH_PRESET names.
import { execFileSync } from 'node:child_process';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { loadavg } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

const root = new URL('..', import.meta.url).pathname;
const live = process.argv[1].endsWith('stream_live.mjs') ? process.argv.slice(2) : [];
const [seconds, rows] = [Number(live[0] ?? 20), Number(live[1] ?? 500000)];
const stalledSeconds = Number(live[2] ?? 60);
const preset = process.env.HAKOBU_BENCH_PRESET ?? 'release';
execFileSync(join(root, 'scripts/setup'), { stdio: 'inherit' });
execFileSync(join(root, 'scripts/build'), [preset, 'hakobu'], { stdio: ['ignore', 'ignore', 'inherit'] });
process.env.HAKOBU = join(root, 'build', preset, 'hakobu');
const { privateFolder, startBigquery, startMysql } = await import('../tests/harness/servers.mjs');
const { bigqueryClient } = await import('../tests/harness/clients.mjs');
const { makeStream, waitForLine } = await import('../tests/harness/stream.mjs');

const folders = [privateFolder('bench'), privateFolder('bench')];
const mysql = await startMysql({ folder: folders[0], options: ['--server-id=1', '--innodb-buffer-pool-size=512M', '--sync-binlog=0',
  '--innodb-flush-log-at-trx-commit=0', '--max-binlog-size=1G'] });
const bigquery = await startBigquery({ folder: folders[1] });
const client = bigqueryClient(bigquery);
const admin = await mysql.connect();
execFileSync(join(root, 'bench/load_bench_table'), [mysql.socketPath, String(rows)], { stdio: ['ignore', 'ignore', 'inherit'] });
await admin.query('CREATE TABLE bench.live LIKE bench.bench; CREATE TABLE bench.bulk LIKE bench.bench; CREATE TABLE bench.probe (id INT PRIMARY KEY)');
const job = makeStream({ mysql, bigquery, dataset: 'live', tables: [{ table: 'bench.live' }, { table: 'bench.bulk' }, { table: 'bench.probe' }] });
folders.push(job.folder);

// The most that the process held since the call before: the kernel's own account.
let peak = 0;
const look = (pid) => {
  try { peak = Math.max(peak, Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))[1]) / 1024); } catch { /* it has ended */ }
};
const forget = (pid) => { writeFileSync(`/proc/${pid}/clear_refs`, '5'); peak = 0; };

// Probe rows: when each was committed, and when a query first saw it.
const committed = [];
const latencies = [];
let seen = 0;
let polling = true;
async function poll() {
  while (polling) {
    const [[{ newest }]] = await client.query({ query: 'SELECT MAX(id) AS newest FROM live.probe' });
    const now = performance.now();
    for (; seen < Number(newest ?? 0); ++seen) latencies.push(now - committed[seen]);
    await sleep(5);
  }
}

// Transactions at a fixed rate: rows that are new, or that change again once all are there; and a probe row with each.
let next = 0;
async function write(rate, forSeconds) {
  const writer = await mysql.connect();
  const step = Math.max(1, Math.round(rate / 20));
  let count = 0;
  for (const began = performance.now(); performance.now() - began < forSeconds * 1000;) {
    const wait = began + (count / rate) * 1000 - performance.now();
    if (wait > 0) { await sleep(wait); continue; }
    if (next + step > rows) next = 0;
    await writer.query(`BEGIN; INSERT INTO bench.live SELECT * FROM bench.bench b WHERE b.id >= ${next} AND b.id < ${next + step}
      ON DUPLICATE KEY UPDATE amount = live.amount + 1; INSERT INTO bench.probe VALUES (${committed.length + 1})`);
    committed.push(performance.now());
    await writer.query('COMMIT');
    next += step;
    count += step;
  }
  await writer.end();
  return count / forSeconds;
}
async function arrived(what, deadlineMs = 180000) {
  for (const deadline = performance.now() + deadlineMs; seen < committed.length; await sleep(20)) {
    if (performance.now() > deadline) throw new Error(`${what}: ${seen} of ${committed.length} probes after ${deadlineMs} ms\n${stream.output.slice(-2000)}`);
  }
}
const percentile = (list, part) => [...list].sort((a, b) => a - b)[Math.min(list.length - 1, Math.floor(list.length * part))];
const line = (...cells) => console.log(`| ${cells.join(' | ')} |`);

let stream = job.start();
await waitForLine(stream, /stream following/);
for (const table of ['live', 'bulk', 'probe']) await waitForLine(stream, new RegExp(`table is whole.*bench\\.${table}`));
const polled = poll();
let sampler = setInterval(() => look(stream.pid), 100);
console.log(`load average at the start: ${loadavg()[0].toFixed(1)}`);
console.log('| what | changes/s | commit to queryable, p50 ms | p99 ms | peak MB |\n|---|---|---|---|---|');
for (const rate of [1000, 10000]) {
  latencies.length = 0;
  forget(stream.pid);
  const reached = await write(rate, seconds);
  await arrived(`${rate}/s`);
  look(stream.pid);
  line(`${rate.toLocaleString('en')} changes/s for ${seconds} s`, Math.round(reached).toLocaleString('en'), percentile(latencies, 0.5).toFixed(0),
    percentile(latencies, 0.99).toFixed(0), peak.toFixed(0));
}

forget(stream.pid);
bigquery.child.kill('SIGSTOP');
const reached = await write(10000, stalledSeconds);
look(stream.pid);
const stalledPeak = peak;
bigquery.child.kill('SIGCONT');
const resumed = performance.now();
await arrived('after the stall');
look(stream.pid);
line(`BigQuery stands still for ${stalledSeconds} s`, Math.round(reached).toLocaleString('en'), '', '', stalledPeak.toFixed(0));
line('  then catches up', Math.round((reached * stalledSeconds) / ((performance.now() - resumed) / 1000)).toLocaleString('en'), '', '', peak.toFixed(0));

clearInterval(sampler);
polling = false;
await polled;
await stream.stop();
const step = 10000;
for (let from = 0; from < rows; from += step) {
  await admin.query(`INSERT INTO bench.bulk SELECT * FROM bench.bench WHERE id >= ${from} AND id < ${from + step}`);
  await admin.query(`UPDATE bench.bulk SET amount = amount + 1 WHERE id >= ${from} AND id < ${from + step}`);
}
peak = 0;
const began = performance.now();
stream = job.start({ args: ['--until-caught-up'] });
sampler = setInterval(() => look(stream.pid), 50);
const { code } = await stream.exited;
clearInterval(sampler);
if (code !== 0) throw new Error(`the stream ended with ${code}:\n${stream.output.slice(-2000)}`);
line(`${(2 * rows).toLocaleString('en')} changes to catch up with, start and end included`,
  Math.round((2 * rows) / ((performance.now() - began) / 1000)).toLocaleString('en'), '', '', peak.toFixed(0));
const [[{ count, sum }]] = await client.query({ query: 'SELECT COUNT(*) AS count, CAST(SUM(amount) AS STRING) AS sum FROM live.bulk' });
const [[expected]] = await admin.query('SELECT COUNT(*) AS count, SUM(amount) AS sum FROM bench.bulk');
if (Number(count) !== Number(expected.count) || Number(sum) !== Number(expected.sum)) {
  throw new Error(`BigQuery has ${count} rows, sum ${sum}; MySQL ${expected.count}, ${expected.sum}`);
}
console.log(`load average at the end: ${loadavg()[0].toFixed(1)}`);
await admin.end();
await bigquery.stop();
await mysql.stop();
for (const folder of folders) rmSync(folder, { recursive: true, force: true });
process.exit(0);
