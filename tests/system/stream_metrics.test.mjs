// What a running stream shows over HTTP: ready when it follows, its freshness, and that it is stalled when it is.
import assert from 'node:assert/strict';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { privateFolder, run, startBigquery, startMysql } from '../harness/servers.mjs';
import { bigqueryClient } from '../harness/clients.mjs';
import { makeStream, waitForLine, waitUntilEqual } from '../harness/stream.mjs';

// Every sample by its name and labels; each name must have been introduced by HELP and TYPE.
function parse(text) {
  const samples = new Map();
  let metric;
  for (const line of text.trim().split('\n')) {
    if (line.startsWith('# HELP ')) continue;
    if (line.startsWith('# TYPE ')) { [, , metric] = line.split(' '); continue; }
    const [, name, labels, value] = /^([a-z_]+)(\{.*\})? (\S+)$/.exec(line) ?? assert.fail(line);
    assert.equal(name, metric, line);
    samples.set(`${name}${labels ?? ''}`, value === '+Inf' ? Infinity : Number(value));
  }
  return samples;
}

for (const spooled of [false, true]) test(`health, readiness and metrics${spooled ? ', the log going through a spool' : ''}`, async (t) => {
  const mysql = await startMysql({ options: ['--server-id=1'], test: t });
  const bigquery = await startBigquery({ test: t });
  const admin = await mysql.connect();
  await admin.query("CREATE DATABASE shop; CREATE TABLE shop.members (id INT PRIMARY KEY, name VARCHAR(50)); INSERT INTO shop.members VALUES (1, 'a')");
  const folder = privateFolder('spool');
  t.after(() => rmSync(folder, { recursive: true }));
  const job = makeStream({ mysql, bigquery, dataset: 'live', tables: [{ table: 'shop.*' }], stream: { listen: '127.0.0.1:0', ...(spooled ? { spool: { folder: join(folder, 'spool') } } : {}) }, test: t });
  const stream = job.start();
  t.after(() => stream.stop());
  await waitForLine(stream, /"address":"127\.0\.0\.1:\d+"/);
  const [, address] = /"address":"(127\.0\.0\.1:\d+)"/.exec(stream.output);
  const get = (path) => fetch(`http://${address}${path}`);
  const until = async (what, probe) => {
    for (const deadline = Date.now() + 30000; ; await sleep(100)) {
      if (await probe()) return;
      assert.ok(Date.now() < deadline, `${what}\n${stream.output.slice(-2000)}`);
    }
  };
  await until('ready', async () => (await get('/readyz')).status === 200);
  assert.equal((await get('/healthz')).status, 200);
  await admin.query("INSERT INTO shop.members VALUES (2, 'b'); UPDATE shop.members SET name = 'c'");
  const table = `{table="shop.members",target="${job.config.destination.project}.live.members"}`;
  const metrics = async () => parse(await (await get('/metrics')).text());
  await until('changes are counted', async () => (await metrics()).get(`hakobu_table_changes_total${table}`) >= 3);
  // An idle source is proven to be idle by its heartbeats.
  await sleep(2000);
  await until('fresh', async () => (await metrics()).get('hakobu_stream_freshness_seconds') < 3);
  const fresh = await metrics();
  assert.ok(fresh.get(`hakobu_table_freshness_seconds${table}`) < 5);
  assert.equal(fresh.get('hakobu_stream_state{state="streaming"}'), 1);
  assert.equal(fresh.get('hakobu_stream_open_gaps'), 0);

  // A source that is gone makes nothing fresh: it is not ready, still alive, and its age grows.
  await admin.end();
  await mysql.kill9();
  await until('not ready', async () => (await get('/readyz')).status === 503);
  assert.equal((await get('/healthz')).status, 200);
  const [before] = [(await metrics()).get('hakobu_stream_freshness_seconds')];
  await sleep(1500);
  assert.ok((await metrics()).get('hakobu_stream_freshness_seconds') >= before + 1.2);
});

test('a stream that falls behind says when the source will purge what it still needs', async (t) => {
  const mysql = await startMysql({ options: ['--server-id=1', '--binlog-expire-logs-seconds=30'], test: t });
  const bigquery = await startBigquery({ test: t });
  const admin = await mysql.connect();
  t.after(() => admin.end().catch(() => {}));
  await admin.query('CREATE DATABASE shop; CREATE TABLE shop.notes (id INT AUTO_INCREMENT PRIMARY KEY, text TEXT)');
  const job = makeStream({ mysql, bigquery, dataset: 'live', tables: [{ table: 'shop.*' }], stream: { listen: '127.0.0.1:0' }, test: t });
  const stream = job.start();
  t.after(() => stream.stop());
  await waitForLine(stream, /"address":"127\.0\.0\.1:\d+"/);
  const [, address] = /"address":"(127\.0\.0\.1:\d+)"/.exec(stream.output);
  const metrics = async () => parse(await (await fetch(`http://${address}/metrics`)).text());
  const status = async () => JSON.parse((await run(['-c', join(job.folder, 'hakobu.yaml'), '--json', 'status'])).stdout).stream.log;
  const until = async (what, probe) => {
    for (const deadline = Date.now() + 60000; ; await sleep(200)) {
      if (await probe()) return;
      assert.ok(Date.now() < deadline, `${what}\n${stream.output.slice(-2000)}`);
    }
  };
  await until('ready', async () => (await fetch(`http://${address}/readyz`)).status === 200);
  await until('nothing is behind', async () => (await metrics()).get('hakobu_stream_lag_bytes') === 0);
  assert.equal((await metrics()).get('hakobu_stream_retention_headroom_seconds'), Infinity);
  assert.equal((await status()).lag_bytes, 0);

  bigquery.child.kill('SIGSTOP');
  t.after(() => bigquery.child.kill('SIGCONT'));
  const write = () => admin.query("INSERT INTO shop.notes (text) VALUES (REPEAT('x', 60000)), (REPEAT('y', 60000))");
  await until('lag is told', async () => { await write(); return (await metrics()).get('hakobu_stream_lag_bytes') > 1e5; });
  await until('the warning', async () => { await write(); return /purges what is still needed in \d+ s at this rate/.test(stream.output); });
  // Half of the 30 s at the most. The page is made anew every second.
  await until('the metrics say it', async () => {
    await write();
    const shown = await metrics();
    return shown.get('hakobu_stream_retention_headroom_seconds') <= 15 && shown.get('hakobu_stream_stalled_headroom_seconds') <= 15;
  });
  const kept = await status();
  assert.ok(kept.lag_bytes > 1e5 && kept.lag_seconds > 5 && kept.headroom_seconds <= 15, JSON.stringify(kept));
  assert.match(kept.headroom, /purges what is still needed in/);
  const text = (await run(['-c', join(job.folder, 'hakobu.yaml'), 'status'])).stdout;
  assert.match(text, /\d+ bytes of log behind, \d+ s behind \(fresh until .*the source purges what is still needed in/);

  bigquery.child.kill('SIGCONT');
  await until('enough again', async () => (await metrics()).get('hakobu_stream_lag_bytes') === 0);
  assert.match(stream.output, /keeps its log long enough again/);
  await waitUntilEqual({ mysql, bigquery: bigqueryClient(bigquery), database: 'shop', tables: ['notes'], dataset: 'live', server: stream });
});
