// Whatever is away while a stream runs is heard: a warning within seconds and again, not ready and why, in the ledger for
// other processes and in the metrics; and nothing is lost. A request to stop is obeyed in every state.
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { createServer } from 'node:net';
import { execFileSync, spawn } from 'node:child_process';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { bigqueryClient } from '../harness/clients.mjs';
import { makeJob } from '../harness/delivery.mjs';
import { startFaultyBigquery } from '../harness/proxies.mjs';
import { hakobu, run, Server, startBigquery, startMysql } from '../harness/servers.mjs';
import { makeStream, waitForLine, waitUntilEqual } from '../harness/stream.mjs';

const logged = ['--server-id=1', '--log-bin=binlog', '--gtid-mode=ON', '--enforce-gtid-consistency=ON'];
const patienceMs = 120000;  // of a machine that does something else as well

async function until(what, probe, output = () => '') {
  for (const deadline = Date.now() + patienceMs; ; await sleep(100)) {
    const found = await probe();
    if (found) return found;
    assert.ok(Date.now() < deadline, `${what}\n${output().slice(-4000)}`);
  }
}

// A stream of shop.members that is whole and ready, and what a second process sees of it.
async function follow(t, { mysql, bigquery, front = bigquery, dataset, ...more }) {
  const job = makeStream({ mysql, bigquery: { ...bigquery, endpoint: front.endpoint, grpcPort: front.grpcPort }, dataset,
    tables: [{ table: 'shop.members' }], stream: { listen: '127.0.0.1:0', ...more.stream }, source: more.source ?? {}, test: t });
  const stream = (more.start ?? ((each) => each.start()))(job);
  t.after(() => stream.kill9());
  await waitForLine(stream, /"address":"127\.0\.0\.1:\d+"/, patienceMs);
  const [, address] = /"address":"(127\.0\.0\.1:\d+)"/.exec(stream.output);
  const get = (path) => fetch(`http://${address}${path}`);
  const output = () => stream.output;
  const followed = {
    job, stream,
    ready: () => until('ready', async () => (await get('/readyz')).status === 200, output),
    unready: (reason) => until(`not ready for ${reason}`, async () => {
      const answer = await get('/readyz');
      return answer.status === 503 && reason.test((await answer.json()).reason ?? '');
    }, output),
    metric: async (name) => Number(new RegExp(`^${name.replace(/[{}]/g, '\\$&')} (\\S+)$`, 'm').exec(await (await get('/metrics')).text())?.[1]),
    alive: async () => (await get('/healthz')).status === 200,
    async status() {
      const { stdout, stderr } = await run(['-c', join(job.folder, 'hakobu.yaml'), '--json', 'status']);
      assert.equal(stderr, '');
      return JSON.parse(stdout);
    },
    outage: (subject, holds) => until(`${subject} in status`, async () =>
      (await followed.status()).outages?.find((each) => each.subject === subject && each.command === 'stream' && holds(each)), output),
    equal: () => waitUntilEqual({ mysql, bigquery: bigqueryClient(bigquery), database: 'shop', dataset, tables: ['members'], server: stream, timeoutMs: patienceMs }),
  };
  await waitForLine(stream, /table is whole/, patienceMs);
  await followed.ready();
  return followed;
}

// Another process that holds the ledger's lock until it is let go.
// Until it is released, or the test has ended.
async function lockLedger(test, ledger) {
  const holder = spawn('sqlite3', ['-cmd', '.timeout 20000', ledger], { stdio: ['pipe', 'pipe', 'inherit'] });
  test.after(() => holder.kill());
  const ended = new Promise((resolve) => holder.once('exit', resolve));
  holder.stdin.write("BEGIN IMMEDIATE; SELECT 'held';\n");
  await new Promise((resolve) => holder.stdout.once('data', resolve));
  return async () => { holder.stdin.end('COMMIT;\n'); await ended; };
}

const spoken = { source: 'the source', bigquery: 'BigQuery', ledger: 'the ledger' };

// From its begin to its end, and that all is well again.
async function hear(followed, { subject, begin, end, word = 'away', reason, changes, log }) {
  const { stream } = followed;
  const name = spoken[subject];
  const lines = () => stream.output.split('\n').filter((line) => line.startsWith('{"')).map((line) => JSON.parse(line));
  const begun = Date.now();
  await begin();
  const changing = setInterval(() => { changes?.().catch(() => undefined); }, 500);
  try {
    const pattern = new RegExp(`^${name} (is ${word}|${word})$`);
    const warned = await until('a warning', () => lines().find((line) => pattern.test(line.message)), () => stream.output);
    const heardMs = Date.now() - begun;
    assert.equal(warned.severity, 'WARNING');
    assert.match(warned.error, reason);
    assert.ok(warned.meanwhile.length > 10 && warned.work.length > 5 && Date.parse(warned.since) > 0, JSON.stringify(warned));
    await followed.unready(reason);
    assert.ok(await followed.alive(), 'waiting is no reason to be restarted');
    await until('the metric', async () => await followed.metric(`hakobu_stream_outage{subject="${subject}"}`) === 1
      && await followed.metric(`hakobu_stream_outage_seconds{subject="${subject}"}`) >= 1, () => stream.output);
    if (subject !== 'ledger') {
      const kept = await followed.outage(subject, (each) => each.ended === null);
      assert.match(kept.error, reason);
      assert.ok(Math.abs(Date.parse(kept.since) - Date.parse(warned.since)) < 2000);
    }
    await until('a second warning', () => lines().find((line) => line.message.startsWith(`${name} `) && / still /.test(line.message)), () => stream.output);
    // Where nobody sees the beginning, as with a disk that fills up: from the first failure that the stream met.
    const heardMsAfterSince = Date.parse(warned.time) - Date.parse(warned.since);
    log.push({ heardMs, heardMsAfterSince, message: warned.message, error: warned.error });
  } finally {
    clearInterval(changing);
    await end();
  }
  await waitForLine(stream, new RegExp(`"${name} is back"`), patienceMs);
  await followed.ready();
  await followed.equal();
  await until('the metric', async () => await followed.metric(`hakobu_stream_outage{subject="${subject}"}`) === 0, () => stream.output);
  await followed.outage(subject, (each) => each.ended !== null);
}

const signal = (server, name) => process.kill(server.pid, name);

test('what is away is heard', { timeout: 900000 }, async (t) => {
  const mysql = await startMysql({ options: logged, test: t });
  let bigquery = await startBigquery({ test: t });
  const admin = await mysql.connect();
  t.after(() => admin.destroy());
  await admin.query("CREATE DATABASE shop; CREATE TABLE shop.members (id INT PRIMARY KEY AUTO_INCREMENT, v TEXT); INSERT INTO shop.members (v) VALUES ('first')");
  const changes = () => admin.query("INSERT INTO shop.members (v) VALUES (REPEAT('x', 1000))");
  const log = [];
  const measured = async (name, body) => t.test(name, async (part) => { await body(part); part.diagnostic(JSON.stringify(log.at(-1))); });

  await measured('BigQuery is killed', async (part) => {
    const followed = await follow(part, { mysql, bigquery, dataset: 'killed' });
    const { folder, restPort, grpcPort } = bigquery;
    await hear(followed, { subject: 'bigquery', reason: /connect|refused|closed|unavailable/i, changes, log, begin: () => bigquery.kill9(),
      end: async () => { bigquery = await startBigquery({ folder, restPort, grpcPort }); t.after(() => bigquery.stop()); } });
    assert.equal((await followed.stream.stop()).code, 0);
  });
  await measured('BigQuery hangs', async (part) => {
    const followed = await follow(part, { mysql, bigquery, dataset: 'hung' });
    await hear(followed, { subject: 'bigquery', reason: /no answer for \d+ s/, changes, log, begin: () => signal(bigquery, 'SIGSTOP'), end: () => signal(bigquery, 'SIGCONT') });
    assert.equal((await followed.stream.stop()).code, 0);
  });
  for (const { kind, word, status, code } of [{ kind: '503', word: 'away', status: 503, code: 14 }, { kind: '403', word: 'refuses', status: 403, code: 7 }]) {
    await measured(`BigQuery answers ${kind}`, async (part) => {
      let refusing = false;
      const front = await startFaultyBigquery({ bigquery, test: part,
        rest: () => (refusing ? { status, reason: status === 403 ? 'accessDenied' : 'backendError', message: `said ${kind}` } : undefined),
        grpcFault: () => (refusing ? { code, message: `said ${kind}` } : undefined) });
      const followed = await follow(part, { mysql, bigquery, front, dataset: `answers${kind}` });
      await hear(followed, { subject: 'bigquery', word, reason: new RegExp(`said ${kind}`), changes, log,
        begin: () => (refusing = true), end: () => (refusing = false) });
      assert.equal((await followed.stream.stop()).code, 0);
    });
  }
  await measured('the source hangs', async (part) => {
    const followed = await follow(part, { mysql, bigquery, dataset: 'silent' });
    await hear(followed, { subject: 'source', reason: /no answer|greeting|nothing for/, log, begin: () => signal(mysql, 'SIGSTOP'), end: () => signal(mysql, 'SIGCONT') });
    assert.equal((await followed.stream.stop()).code, 0);
  });
  await measured('the ledger is locked by another process, for longer than anybody waits for a lock', async (part) => {
    const followed = await follow(part, { mysql, bigquery, dataset: 'locked' });
    const locked = Date.now();
    let release;
    await hear(followed, { subject: 'ledger', reason: /another process holds the file locked/, changes, log,
      begin: async () => { release = await lockLedger(part, followed.job.ledger); },
      end: async () => { await sleep(Math.max(0, locked + 12000 - Date.now())); await release(); } });
    assert.equal((await followed.stream.stop()).code, 0);
  });
  await measured('the disk under the ledger is full', async (part) => {
    // Writes beyond the limit fail (EFBIG), as they do on a full disk; the signal is ignored.
    const start = (job) => { job.write(); return new Server('bash', ['-c', `trap '' XFSZ; ulimit -S -f 300; exec "$0" "$@"`, hakobu, '-c', join(job.folder, 'hakobu.yaml'), '--log-format', 'json', 'stream']); };
    const followed = await follow(part, { mysql, bigquery, dataset: 'full', start });
    await hear(followed, { subject: 'ledger', word: 'refuses', reason: /disk under the ledger is full/, changes, log, begin: () => undefined,
      end: () => execFileSync('prlimit', ['--pid', String(followed.stream.pid), '--fsize=unlimited:unlimited']) });
    assert.equal((await followed.stream.stop()).code, 0);
  });
  await measured('the source is killed', async (part) => {
    const followed = await follow(part, { mysql, bigquery, dataset: 'dead' });
    let again;
    await hear(followed, { subject: 'source', reason: /refused|connect/, log, begin: () => mysql.kill9(),
      end: async () => { again = await startMysql({ folder: mysql.folder, port: mysql.port, options: logged }); t.after(() => again.stop()); } });
    assert.equal((await followed.stream.stop()).code, 0);
  });
});

test('a run says what it waits for', { timeout: 600000 }, async (t) => {
  const mysql = await startMysql({ flavor: 'mariadb', test: t });
  const bigquery = await startBigquery({ test: t });
  const admin = await mysql.connect();
  await admin.query("CREATE DATABASE shop; CREATE TABLE shop.members (id INT PRIMARY KEY); INSERT INTO shop.members VALUES (1), (2)");
  await admin.end();
  const parts = {
    'for BigQuery': { begin: () => signal(bigquery, 'SIGSTOP'), end: () => signal(bigquery, 'SIGCONT'), said: /BigQuery is away/ },
    'for the source': { begin: () => signal(mysql, 'SIGSTOP'), end: () => signal(mysql, 'SIGCONT'), said: /the source is away/ },
  };
  for (const [name, { begin, end, said }] of Object.entries(parts)) {
    await t.test(name, async (part) => {
      const job = makeJob({ mysql, bigquery, dataset: 'nightly', tables: [{ table: 'shop.members' }], source: { connect_timeout: '60s' }, test: part });
      begin();
      let child;
      try {
        child = job.start();
        let heard = '';
        child.stderr.on('data', (data) => (heard += data));
        await until(String(said), () => said.test(heard), () => heard);
      } finally {
        end();
      }
      const { code, stderr } = await child.exited;
      assert.equal(code, 0, stderr);
      assert.match(stderr, /is back/);
    });
  }
  await t.test('for the ledger', async (part) => {
    const job = makeJob({ mysql, bigquery, dataset: 'nightly', tables: [{ table: 'shop.members' }], test: part });
    assert.equal((await job.run()).code, 0);
    const release = await lockLedger(part, job.ledger);
    const child = job.start();
    let heard = '';
    child.stderr.on('data', (data) => (heard += data));
    await until('a warning', () => /the ledger is away.*another process holds the file locked/.test(heard), () => heard);
    await sleep(11000);  // longer than a lock was waited for
    assert.equal(child.exitCode, null, heard);
    await release();
    const { code, stderr } = await child.exited;
    assert.equal(code, 0, stderr);
  });
});

// Protocol::HandshakeV10 with CLIENT_SSL of a server that then says nothing: the handshake of TLS never ends.
const greeting = Buffer.concat([Buffer.from([0x0a]), Buffer.from('9.7.0\0'), Buffer.from([1, 0, 0, 0]), Buffer.from('abcdefgh\0'),
  Buffer.from([0x09, 0xaa, 0x2d, 2, 0, 0x0f, 0, 0x15]), Buffer.alloc(10), Buffer.from('ijklmnopqrst\0mysql_native_password\0')]);

async function stops(stream) {
  const asked = Date.now();
  stream.child.kill('SIGTERM');
  const { code, signal: by } = await stream.exited;
  // 8 s are the limit; a busy machine may add to them.
  assert.ok(Date.now() - asked < 15000, `${Date.now() - asked} ms\n${stream.output}`);
  assert.equal(by, null);
  assert.equal(code, 0, stream.output);
}

test('a request to stop is obeyed', { timeout: 600000 }, async (t) => {
  const mysql = await startMysql({ options: logged, test: t });
  const bigquery = await startBigquery({ test: t });
  const admin = await mysql.connect();
  t.after(() => admin.end());
  await admin.query("CREATE DATABASE shop; CREATE TABLE shop.members (id INT PRIMARY KEY AUTO_INCREMENT, v LONGTEXT); INSERT INTO shop.members (v) VALUES ('first')");
  const begin = (part, options) => {
    const job = makeStream({ mysql, bigquery, tables: [{ table: 'shop.members' }], test: part, ...options });
    const stream = job.start();
    part.after(() => stream.kill9());
    return { job, stream };
  };

  await t.test('in a TLS handshake with the source', async (part) => {
    const sockets = new Set();
    let begun;
    const asked = new Promise((resolve) => (begun = resolve));
    const listener = createServer((socket) => {
      sockets.add(socket);
      socket.on('error', () => undefined);
      let bytes = 0;
      socket.on('data', (data) => { bytes += data.length; if (bytes > 36) begun(); });  // SSLRequest, and the ClientHello behind it
      socket.write(Buffer.concat([Buffer.from([greeting.length, 0, 0, 0]), greeting]));
    });
    await new Promise((resolve) => listener.listen(0, '127.0.0.1', resolve));
    part.after(() => { sockets.forEach((socket) => socket.destroy()); listener.close(); });
    const { stream } = begin(part, { mysql: { port: listener.address().port }, dataset: 'handshake',
      source: { tls: { mode: 'require' }, connect_timeout: '300s', read_timeout: '300s' } });
    await Promise.race([asked, stream.exited.then(() => assert.fail(stream.output))]);
    await waitForLine(stream, /the source is away/, patienceMs);
    await stops(stream);
  });
  await t.test('before BigQuery has ever answered', async (part) => {
    signal(bigquery, 'SIGSTOP');
    part.after(() => signal(bigquery, 'SIGCONT'));
    const { stream } = begin(part, { dataset: 'never' });
    await waitForLine(stream, /BigQuery is away/, patienceMs);
    await stops(stream);
  });
  await t.test('with a full buffer that BigQuery does not take', async (part) => {
    const { job, stream } = begin(part, { dataset: 'full', stream: { memory: '16MiB' } });
    await waitForLine(stream, /table is whole/, patienceMs);
    signal(bigquery, 'SIGSTOP');
    try {
      for (let i = 0; i < 12; ++i) await admin.query("INSERT INTO shop.members (v) VALUES (REPEAT('y', 3000000))");
      await waitForLine(stream, /BigQuery is away/, patienceMs);
      await stops(stream);
    } finally {
      signal(bigquery, 'SIGCONT');
    }
    const { code, stderr } = await job.catchUp({ timeoutMs: patienceMs });
    assert.equal(code, 0, stderr);
    await waitUntilEqual({ mysql, bigquery: bigqueryClient(bigquery), database: 'shop', dataset: 'full', tables: ['members'] });
  });
  await t.test('with a ledger that is locked', async (part) => {
    const { job, stream } = begin(part, { dataset: 'locked' });
    await waitForLine(stream, /table is whole/, patienceMs);
    const release = await lockLedger(part, job.ledger);
    await admin.query("INSERT INTO shop.members (v) VALUES ('while it is locked')");
    await waitForLine(stream, /the ledger is away/, patienceMs);
    await stops(stream);
    await release();
    assert.equal((await job.catchUp({ timeoutMs: patienceMs })).code, 0);
    await waitUntilEqual({ mysql, bigquery: bigqueryClient(bigquery), database: 'shop', dataset: 'locked', tables: ['members'] });
  });
});
