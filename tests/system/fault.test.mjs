// Faults of both sides in the middle of a run: each ends in success, or in a clear error with nothing lost.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { hakobu, privateFolder, run, startBigquery, startMysql } from '../harness/servers.mjs';
import { bigqueryClient } from '../harness/clients.mjs';
import { makeJob } from '../harness/delivery.mjs';
import { startFaultyBigquery, startTcpProxy } from '../harness/proxies.mjs';
import { assertDelivered } from '../harness/compare.mjs';

const folder = privateFolder('fault');
let mysql, bigquery, client, admin;

before(async () => {
  mysql = await startMysql({ folder });
  bigquery = await startBigquery();
  client = bigqueryClient(bigquery);
  admin = await mysql.connect();
  const rows = Array.from({ length: 12000 }, (_, i) => `(${i}, '${'行'.repeat(30)}${i}')`);
  await admin.query('CREATE DATABASE shop; USE shop; CREATE TABLE big (id INT PRIMARY KEY, text VARCHAR(200))');
  for (let i = 0; i < rows.length; i += 4000) await admin.query(`INSERT INTO big VALUES ${rows.slice(i, i + 4000)}`);
  await admin.query("CREATE TABLE small (id INT PRIMARY KEY, text VARCHAR(9)); INSERT INTO small VALUES (1, 'a'); ANALYZE TABLE big, small");
});
after(async () => {
  await admin?.end().catch(() => {});
  await mysql?.stop();
  await bigquery?.stop();
});

const big = [{ table: 'shop.big', write: 'storage' }];
const whole = (dataset, tables = ['big']) =>
  assertDelivered({ mysql, bigquery: client, dataset, database: 'shop', tables });

async function chunksDone(job, at_least) {
  for (let i = 0; i < 600; ++i) {
    await sleep(20);
    if (!job.hasLedger()) continue;
    try {
      const text = execFileSync('sqlite3', [job.ledger, "SELECT COUNT(*) FROM chunks WHERE state = 'done'"], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
      if (Number(text) >= at_least) return;
    } catch { /* the ledger is being made */ }
  }
  throw new Error('no chunk was finished');
}

describe('the source', { concurrency: false }, () => {
  test('connections cut again and again', async (t) => {
    const proxy = await startTcpProxy({ port: mysql.port, test: t,
      fault: (n) => (n >= 2 && n <= 6 ? { afterBytes: 60000, action: 'cut' } : undefined) });
    const job = makeJob({ mysql: { port: proxy.port }, bigquery, dataset: 'cut', tables: big, defaults: { chunk_rows: 1000 }, test: t });
    const result = await job.run();
    assert.equal(result.code, 0, result.stderr + result.stdout);
    assert.ok(result.report.tables[0].chunkRetries >= 1);
    await whole('cut');
  });

  test('both readers stall, for longer than the time-out', async (t) => {
    const proxy = await startTcpProxy({ port: mysql.port, test: t,
      fault: (n) => (n === 2 || n === 3 ? { afterBytes: 60000, action: 'stall' } : undefined) });
    const job = makeJob({ mysql: { port: proxy.port }, bigquery, dataset: 'stalled', tables: big,
      source: { read_timeout: '3s', statement_timeout: '2s' }, defaults: { chunk_rows: 1000 }, test: t });
    const result = await job.run();
    assert.equal(result.code, 0, result.stderr + result.stdout);
    assert.ok(result.report.tables[0].chunkRetries >= 2, `${result.report.tables[0].chunkRetries} retries`);
    await whole('stalled');
  });

  test('a server that takes the connection and says nothing', async (t) => {
    const proxy = await startTcpProxy({ port: mysql.port, test: t, fault: () => ({ afterBytes: 0, action: 'stall' }) });
    const job = makeJob({ mysql: { port: proxy.port }, bigquery, dataset: 'silent', tables: big,
      source: { connect_timeout: '1s' }, test: t });
    const result = await job.run({ timeoutMs: 120000 });
    assert.equal(result.code, 1, result.stderr + result.stdout);
    assert.match(result.stderr, /connect|timed out|handshake|Lost connection/i);
  });

  test('wrong password', async (t) => {
    await admin.query("CREATE USER IF NOT EXISTS reader@'%' IDENTIFIED BY 'right'; GRANT SELECT ON shop.* TO reader@'%'");
    process.env.HAKOBU_TEST_PASSWORD = 'wrong-secret';
    const job = makeJob({ mysql, bigquery, dataset: 'none', tables: big, test: t,
      source: { user: 'reader', password: '${env:HAKOBU_TEST_PASSWORD}', tls: { mode: 'require' } } });
    const result = await job.run();
    assert.equal(result.code, 1, result.stderr);
    assert.match(result.stderr, /Access denied/i);
    assert.doesNotMatch(result.stderr + result.stdout, /wrong-secret/);
  });

  test('TLS with the wrong authority, and with the right one', async (t) => {
    const other = join(folder, 'other.pem');
    execFileSync('openssl', ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-keyout', join(folder, 'other.key'), '-out', other,
      '-days', '2', '-subj', '/CN=other'], { stdio: 'ignore' });
    const job = (ca) => makeJob({ mysql, bigquery, dataset: 'tls', tables: [{ table: 'shop.small' }], test: t,
      source: { tls: { mode: 'verify_ca', ca } } });
    const wrong = await job(other).run();
    assert.equal(wrong.code, 1, wrong.stderr);
    assert.match(wrong.stderr, /certificate|TLS|SSL/i);
    const right = await job(join(folder, 'data/ca.pem')).run();
    assert.equal(right.code, 0, right.stderr);
  });

  test('a table is dropped in the middle of the run', async (t) => {
    await admin.query('CREATE TABLE shop.doomed LIKE shop.small; INSERT INTO shop.doomed SELECT * FROM shop.small');
    const job = makeJob({ mysql, bigquery, dataset: 'dropped', test: t, source: { connections: 1 },
      tables: [...big, { table: 'shop.doomed' }], defaults: { chunk_rows: 300 } });
    const child = job.start();
    await chunksDone(job, 1);
    await admin.query('DROP TABLE shop.doomed');
    const result = await child.exited;
    assert.equal(result.code, 1, result.stderr + result.stdout);
    const [done, doomed] = ['shop.big', 'shop.doomed'].map((name) => result.report.tables.find((table) => table.source === name));
    assert.equal(done.state, 'done');
    assert.equal(doomed.state, 'failed');
    assert.match(doomed.error, /doomed/);
    await whole('dropped');
  });

  test('restarted in the middle of the run', async (t) => {
    const job = makeJob({ mysql, bigquery, dataset: 'restarted', tables: big, defaults: { chunk_rows: 300 }, test: t });
    const child = job.start();
    await chunksDone(job, 2);
    await admin.end();
    const { port } = mysql;
    await mysql.stop();
    await sleep(500);
    mysql = await startMysql({ folder, port });
    admin = await mysql.connect();
    const result = await child.exited;
    assert.equal(result.code, 0, result.stderr + result.stdout);
    await whole('restarted');
  });
});

describe('BigQuery', { concurrency: false }, () => {
  const deliver = async (t, dataset, faults, defaults = {}) => {
    const faulty = await startFaultyBigquery({ bigquery, ...faults, test: t });
    const job = makeJob({ mysql, bigquery: faulty, dataset, tables: defaults.write ? [{ table: 'shop.big' }] : big, defaults: { chunk_rows: 2000, ...defaults }, test: t });
    return job.run();
  };
  const succeeds = (name, dataset, faults, defaults) => test(name, async (t) => {
    const result = await deliver(t, dataset, faults, defaults);
    assert.equal(result.code, 0, result.stderr + result.stdout);
    await whole(dataset);
  });

  succeeds('403 rateLimitExceeded and 503 on every method the first time', 'limited', {
    rest: (method, url, n) => (n === 1 ? (method === 'POST' ? { status: 403, reason: 'rateLimitExceeded' } : { status: 503, reason: 'backendError' }) : undefined) });
  succeeds('the answers to inserted jobs are lost', 'lost_jobs', {
    rest: (method, url, n) => (method === 'POST' && url.includes('/jobs') && n <= 2 ? { status: 503, reason: 'backendError', after: true } : undefined) });
  succeeds('the same, with load jobs', 'lost_loads', {
    rest: (method, url, n) => (method === 'POST' && url.includes('/jobs') && n <= 2 ? { status: 503, reason: 'backendError', after: true } : undefined) }, { write: 'load' });
  succeeds('UNAVAILABLE on the first unary calls', 'unavailable', {
    grpcFault: (method, n) => (method !== 'AppendRows' && n <= 2 ? { code: 14, message: 'try again' } : undefined) });
  succeeds('the answer to BatchCommit is lost', 'lost_commit', {
    grpcFault: (method, n) => (method === 'BatchCommitWriteStreams' && n === 1 ? { code: 14, message: 'lost', after: true } : undefined) });
  succeeds('ABORTED in the middle of appends', 'aborted', {
    grpcFault: (method, n) => (method === 'AppendRows' && [2, 4].includes(n) ? { code: 10, message: 'Closing the stream because server is restarted' } : undefined) });
  succeeds('appends written, but their answers lost: ALREADY_EXISTS when sent again', 'exists', {
    grpcFault: (method, n) => (method === 'AppendRows' && [1, 3].includes(n) ? { code: 14, message: 'lost', after: true } : undefined) });
  succeeds('OUT_OF_RANGE: a gap is sent again', 'range', {
    grpcFault: (method, n) => (method === 'AppendRows' && n === 2 ? { code: 11, message: 'The offset is beyond stream, expected offset 0, received 2000' } : undefined) });

  // Every REST call of a whole run, found by looking at one, fails with 503: before it is done, and after.
  test('503 at each REST call of a run, one after the other', async (t) => {
    const calls = [];
    let failing;
    let seen = 0;
    const name = (method, url) => `${method} ${url.split('?')[0].replace(/hakobu_\w+/g, 'ID').replace(/_hakobu_[^/]+/g, 'STAGING')}`;
    const faulty = await startFaultyBigquery({ bigquery, test: t, rest: (method, url) => {
      const call = name(method, url);
      if (!failing) { calls.push(call); return undefined; }
      if (call !== failing.call || seen > 0) return undefined;
      ++seen;
      return { status: 503, reason: 'backendError', after: failing.after };
    } });
    for (const write of ['storage', 'load']) {
      const deliverOnce = () => makeJob({ mysql, bigquery: faulty, dataset: 'steps', tables: [{ table: 'shop.small' }],
        defaults: { write, keep_previous: true }, test: t }).run();
      failing = undefined;
      assert.equal((await deliverOnce()).code, 0);
      calls.length = 0; // without the dataset that the first run makes: with a version before
      assert.equal((await deliverOnce()).code, 0);
      const steps = [...new Set(calls)];
      assert.ok(steps.length >= 6, steps.join(', '));
      for (const call of steps) {
        for (const after of [false, true]) {
          failing = { call, after };
          seen = 0;
          const result = await deliverOnce();
          assert.equal(result.code, 0, `${write}, ${call}, after: ${after}: ${result.stderr}${result.stdout}`);
          assert.equal(seen, 1, `${call} was not called`);
        }
      }
      t.diagnostic(`${write}: ${steps.join(', ')}`);
      await whole('steps', ['small']);
      const [left] = await client.dataset('steps').getTables();
      assert.deepEqual(left.map((table) => table.id).sort(), ['small', 'small_previous']);
    }
  });

  test('rows that were streamed are published by a query, which sees them in the streaming buffer: nothing waits', async (t) => {
    const result = await deliver(t, 'buffered', { rest: (method, url) => (method === 'GET' && url.includes('/tables/_hakobu')
      ? { change: (table) => ({ ...table, numRows: '0', streamingBuffer: { estimatedRows: '5', estimatedBytes: '100', oldestEntryTime: '0' } }) } : undefined) });
    assert.equal(result.code, 0, result.stderr + result.stdout);
    assert.equal(result.report.tables[0].publish, 'query');
    await whole('buffered');
  });

  test('rows that BigQuery refuses end in an error that names their keys', async (t) => {
    const refusal = { inBand: { error: { code: 3, message: 'Errors found while processing rows.' }, rowErrors: [{ index: 3, code: 1, message: 'field text is bad' }] } };
    const result = await deliver(t, 'refused', { grpcFault: (method) => (method === 'AppendRows' ? refusal : undefined) });
    assert.equal(result.code, 1, result.stderr + result.stdout);
    assert.match(result.report.tables[0].error, /refused.*key \d+: .*field text is bad/);
    await assert.rejects(client.dataset('refused').table('big').getMetadata(), /not found/i);
  });

  test('permission denied is an error at once', async (t) => {
    const started = Date.now();
    const result = await deliver(t, 'denied', { rest: (method, url) => (method === 'POST' ? { status: 403, reason: 'accessDenied', message: 'Access Denied: Dataset x' } : undefined) });
    assert.equal(result.code, 1, result.stderr);
    assert.match(result.stderr, /Access Denied/);
    assert.ok(Date.now() - started < 10000);
  });
});

describe('this machine', { concurrency: false }, () => {
  test('the disk under the ledger is full', async (t) => {
    const job = makeJob({ mysql, bigquery, dataset: 'full', tables: big, defaults: { chunk_rows: 100 }, test: t });
    job.write();
    // Writes beyond the limit fail (EFBIG), as they do on a full disk; the signal is ignored.
    const limited = await run(['-c', `trap '' XFSZ; ulimit -f 350; exec "$0" "$@"`, hakobu, ...job.arguments()], { command: 'bash' });
    assert.equal(limited.code, 1, limited.stderr + limited.stdout);
    assert.match(limited.stderr + limited.stdout, /disk under the ledger is full/);
    const result = await job.run();
    assert.equal(result.code, 0, result.stderr + result.stdout);
    assert.ok(result.report.tables[0].chunksResumed > 0, 'continues');
    await whole('full');
  });

  test('a second run with the same ledger is refused', async (t) => {
    const job = makeJob({ mysql, bigquery, dataset: 'locked', tables: big, defaults: { chunk_rows: 300 }, test: t });
    const first = job.start();
    await chunksDone(job, 1);
    const second = await job.run();
    assert.equal(second.code, 1, second.stderr);
    assert.match(second.stderr, new RegExp(`pid ${first.pid}`));
    assert.equal((await first.exited).code, 0);
  });

  test('an interrupted run ends cleanly and is continued', async (t) => {
    const job = makeJob({ mysql, bigquery, dataset: 'interrupted', tables: big, defaults: { chunk_rows: 300 }, test: t });
    const first = job.start();
    await chunksDone(job, 2);
    first.kill('SIGINT');
    const ended = await first.exited;
    assert.equal(ended.signal, null);
    assert.notEqual(ended.code, 0);
    const second = await job.run();
    assert.equal(second.code, 0, second.stderr);
    assert.ok(second.report.tables[0].chunksResumed >= 2);
    await whole('interrupted');
  });
});
