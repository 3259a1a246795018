// What reading may cost: a run beside a real server obeys its budget, a flag, a person, and the balance that CloudWatch
// tells; and says where the time went.
import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import aws4 from 'aws4';
import { makeJob } from '../harness/delivery.mjs';
import { run, startBigquery, startMysql } from '../harness/servers.mjs';

const rows = 12000;

async function table(server) {
  const admin = await server.connect();
  await admin.query('CREATE DATABASE shop');
  await admin.query('CREATE TABLE shop.members (id INT PRIMARY KEY, note VARCHAR(500) NOT NULL)');
  await admin.query(`INSERT INTO shop.members WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ${rows})
    SELECT /*+ SET_VAR(cte_max_recursion_depth = 1000000) */ i, REPEAT('x', 400) FROM n`);
  await admin.query('ANALYZE TABLE shop.members');
  return admin;
}

const options = { tables: [{ table: 'shop.members' }], defaults: { chunk_rows: 2000, write: 'storage' } };
const sum = (pace) => Object.values(pace.secondsByReason).reduce((all, seconds) => all + seconds, 0);

async function until(what, condition) {
  for (let tries = 0; tries < 1200; ++tries) {
    if (await condition()) return;
    await sleep(100);
  }
  assert.fail(`it did not happen within two minutes: ${what}`);
}

test('a run within its budget', { timeout: 900000 }, async (t) => {
  const server = await startMysql({ test: t });
  const bigquery = await startBigquery({ test: t });
  const admin = await table(server);
  t.after(() => admin.end());

  await t.test('without one: nothing is held back, and the time adds up', async (t) => {
    const job = makeJob({ mysql: server, bigquery, dataset: 'free', test: t, ...options });
    const { code, report, stderr } = await job.run({ timeoutMs: 600000 });
    assert.equal(code, 0, stderr);
    assert.equal(report.tables[0].rows, rows);
    assert.ok(sum(report.pace) <= report.seconds + 0.1, JSON.stringify(report));
    for (const reason of ['iops', 'credits', 'person', 'check']) assert.equal(report.pace.secondsByReason[reason], undefined);
    assert.ok(report.pace.pages > 200, `${report.pace.pages} pages`);
    assert.equal(report.pace.promise, null);
  });

  await t.test('reads_per_second holds between chunks', async (t) => {
    const job = makeJob({ mysql: server, bigquery, dataset: 'slow', test: t, ...options,
      source: { connections: 1, budget: { reads_per_second: 4 } } });
    const { code, report, stderr } = await job.run({ timeoutMs: 600000 });
    assert.equal(code, 0, stderr);
    assert.equal(report.tables[0].rows, rows);
    // The last chunk is not waited for.
    const chunks = report.tables[0].chunks;
    const least = report.pace.pages * (chunks - 1) / chunks / 4 - 10;
    assert.ok(report.seconds > least, `${report.pace.pages} pages in ${report.seconds} s`);
    assert.ok(report.pace.secondsByReason.iops > 0, JSON.stringify(report.pace));
    assert.match(stderr, /held back.*iops/);
  });

  await t.test('a pause file, and a person, stop it at the next chunk and let it go on', async (t) => {
    const job = makeJob({ mysql: server, bigquery, dataset: 'paused', test: t, ...options, source: { connections: 1 } });
    const flag = join(job.folder, 'pause');
    job.config.source.budget = { pause_file: flag };
    writeFileSync(flag, '');
    job.write();
    const person = (...args) => run(['-c', join(job.folder, 'hakobu.yaml'), ...args]);
    const child = job.start();
    let stderr = '';
    child.stderr.on('data', (data) => (stderr += data));
    await until('it is held back by the file', () => /held back.*check/.test(stderr));
    assert.equal((await person('pause')).code, 0);
    rmSync(flag);
    await until('it is held back by the person', () => /held back.*person/.test(stderr));
    const resumed = await person('resume');
    assert.match(resumed.stdout, /as fast as source\.budget allows/);
    const { code, report } = await child.exited;
    assert.equal(code, 0, stderr);
    assert.equal(report.tables[0].rows, rows);
    assert.ok(report.pace.secondsByReason.check > 0 && report.pace.secondsByReason.person > 0, JSON.stringify(report.pace));
    assert.ok(sum(report.pace) <= report.seconds + 0.1);
  });

  await t.test('credits: the balance of CloudWatch is asked for, signed, and its floor holds', async (t) => {
    const asked = [];
    let balance = 90;
    const cloudwatch = createServer((request, response) => {
      let body = '';
      request.on('data', (data) => (body += data));
      request.on('end', () => {
        asked.push({ headers: request.headers, body: JSON.parse(body), text: body });
        const now = Math.floor(Date.now() / 60000) * 60;
        response.end(JSON.stringify({ MetricDataResults: [{ Id: 'm1', StatusCode: 'Complete',
          Timestamps: [now - 120, now - 180], Values: [balance, balance] }] }));
      });
    });
    await new Promise((resolve) => cloudwatch.listen(0, '127.0.0.1', resolve));
    t.after(() => cloudwatch.close());
    const source = { connections: 1, storage: { type: 'gp2', size: '20GiB' },
      cloudwatch: { instance: 'db1', region: 'eu-west-1', endpoint: `http://127.0.0.1:${cloudwatch.address().port}` },
      budget: { burst_balance: 20 } };
    const env = { AWS_ACCESS_KEY_ID: 'AKIDEXAMPLE', AWS_SECRET_ACCESS_KEY: 'a secret of many letters' };
    const full = makeJob({ mysql: server, bigquery, dataset: 'full', test: t, ...options, source });
    const first = await full.run({ env, timeoutMs: 600000 });
    assert.equal(first.code, 0, first.stderr);
    assert.ok(first.report.pace.creditsStart > 0.89 && first.report.pace.creditsStart < 0.95, JSON.stringify(first.report.pace));
    const { headers, body, text } = asked[0];
    assert.deepEqual(body.MetricDataQueries[0].MetricStat, { Metric: { Namespace: 'AWS/RDS', MetricName: 'BurstBalance',
      Dimensions: [{ Name: 'DBInstanceIdentifier', Value: 'db1' }] }, Period: 60, Stat: 'Minimum' });
    // AWS's signature, made again by another hand.
    const again = aws4.sign({ host: headers.host, method: 'POST', path: '/', service: 'monitoring', region: 'eu-west-1',
      body: text, extraHeadersToIgnore: { 'content-length': true }, headers: { Host: headers.host,
        'Content-Type': headers['content-type'], 'X-Amz-Target': headers['x-amz-target'], 'X-Amz-Date': headers['x-amz-date'] } },
    { accessKeyId: env.AWS_ACCESS_KEY_ID, secretAccessKey: env.AWS_SECRET_ACCESS_KEY });
    assert.equal(headers.authorization, again.headers.Authorization);
    assert.doesNotMatch(JSON.stringify(headers), /a secret of many letters/);
    // Below its floor nothing is read, until it is told to be above.
    balance = 10;
    const empty = makeJob({ mysql: server, bigquery, dataset: 'empty', test: t, ...options, source });
    const child = empty.start({ env });
    let stderr = '';
    child.stderr.on('data', (data) => (stderr += data));
    await until('it is held back by the credits', () => /held back.*credits/.test(stderr));
    balance = 90;
    const second = await child.exited;
    assert.equal(second.code, 0, stderr);
    assert.equal(second.report.tables[0].rows, rows);
    assert.ok(second.report.pace.secondsByReason.credits > 0, JSON.stringify(second.report.pace));
    assert.ok(second.report.pace.creditsLowest < 0.15, JSON.stringify(second.report.pace));
    const why = await run(['-c', join(empty.folder, 'hakobu.yaml'), '--json', 'explain-run']);
    assert.equal(why.code, 0, why.stderr);
    assert.equal(JSON.parse(why.stdout).causes[0].reason, 'credits', why.stdout);
    const forecast = await run(['-c', join(empty.folder, 'hakobu.yaml'), '--json', 'forecast']);
    assert.equal(forecast.code, 2, 'without a promise there is none to miss');
  });

  await t.test('a promise that has passed names what is late, with exit code 3', async (t) => {
    const job = makeJob({ mysql: server, bigquery, dataset: 'late', test: t, ...options, source: { connections: 1 } });
    const flag = join(job.folder, 'pause');
    job.config.source.budget = { pause_file: flag };
    // The next minute, by UTC: the file holds the run beyond it.
    job.config.promise = `${new Date(Date.now() + 60000).toISOString().slice(11, 16)} UTC`;
    writeFileSync(flag, '');
    const child = job.start();
    const promise = Math.floor((Date.now() + 60000) / 60000) * 60000;
    while (Date.now() < promise + 2000) await sleep(200);
    rmSync(flag);
    const { code, report, stderr } = await child.exited;
    assert.equal(code, 3, stderr);
    assert.equal(report.late, true);
    assert.deepEqual(report.pace.lateTables, ['shop.members']);
    assert.equal(report.tables[0].rows, rows);
  });
});
