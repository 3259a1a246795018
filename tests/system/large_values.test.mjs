// Values of 64 MB: what fits one row of BigQuery's is delivered, what does not is quarantined and named, the other rows
// arrive, and the process stays within a stated bound.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, after, before, test } from 'node:test';
import { startBigquery, startMysql } from '../harness/servers.mjs';
import { bigqueryClient } from '../harness/clients.mjs';
import { makeJob } from '../harness/delivery.mjs';

const megabyte = 1 << 20;
// docs/formats/types.md: twice the largest row for each connection, and the 64 MB of any other run.
const connections = 2;
const mostMegabytes = connections * 2 * 64 + 64;

// Runs the job; the peak of its resident memory in MB is asked for until it ends.
async function runWatched(job) {
  const child = job.start();
  let peak = 0;
  const timer = setInterval(() => {
    try {
      const [, kilobytes] = /VmHWM:\s*(\d+) kB/.exec(readFileSync(`/proc/${child.pid}/status`, 'utf8')) ?? [0, 0];
      peak = Math.max(peak, Number(kilobytes) / 1024);
    } catch { /* it has ended */ }
  }, 10);
  const result = await child.exited;
  clearInterval(timer);
  assert.ok(peak > 10, 'the peak was not seen');
  return { ...result, peak };
}

describe('large values', { concurrency: false }, () => {
  let mysql, bigquery, client, admin;
  before(async () => {
    mysql = await startMysql({ options: ['--max-allowed-packet=256M', '--innodb-redo-log-capacity=1G'] });
    bigquery = await startBigquery();
    client = bigqueryClient(bigquery);
    admin = await mysql.connect();
    await admin.query('CREATE DATABASE big; USE big; CREATE TABLE files (id INT PRIMARY KEY, text LONGTEXT, data LONGBLOB)');
    const size = 64 * megabyte;
    await admin.query("INSERT INTO files VALUES (1, 'small', X'00FF')");
    await admin.query(`INSERT INTO files VALUES (2, REPEAT('長い文字', ${size / 12}), X'01')`);
    await admin.query(`INSERT INTO files VALUES (3, 'beside a large one', REPEAT(X'00FF', ${size / 2}))`);
    await admin.query(`INSERT INTO files VALUES (4, REPEAT('x', 9 * ${megabyte}), REPEAT(X'AB', 5 * 1000000))`);
    await admin.query("INSERT INTO files VALUES (5, 'last', NULL)");
  });
  after(async () => {
    await admin?.end();
    await mysql?.stop();
    await bigquery?.stop();
  });

  for (const write of ['storage', 'load']) {
    test(`64 MB by ${write}`, async (t) => {
      const job = makeJob({ mysql, bigquery, dataset: write, tables: [{ table: 'big.files' }],
        source: { connections }, defaults: { write }, test: t });
      const result = await runWatched(job);
      assert.equal(result.code, 3, result.stderr + result.stdout);
      t.diagnostic(`peak ${Math.round(result.peak)} MB`);
      assert.ok(result.peak <= mostMegabytes, `${result.peak} MB`);
      assert.equal(result.report.tables[0].rows, 5);
      const quarantined = Object.fromEntries(result.report.tables[0].quarantined.map((column) => [column.column, column]));
      assert.deepEqual(quarantined.text.firstKeys, ['2']);
      assert.deepEqual(quarantined.data.firstKeys, ['3']);
      assert.match(quarantined.text.example, /large|bytes/);
      assert.ok(quarantined.text.example.length < 1000, 'the report does not hold the value');
      const [rows] = await client.query(`SELECT id, LENGTH(text) AS text, LENGTH(data) AS data,
        TO_HEX(SHA256(text)) AS digest FROM ${write}.files ORDER BY id`);
      assert.deepEqual(rows.map((row) => [row.id, row.text, row.data]),
        [[1, 5, 2], [2, null, 1], [3, 18, null], [4, 9 * megabyte, 5 * 1000000], [5, 4, null]]);
      const [[{ digest }]] = await admin.query('SELECT SHA2(text, 256) AS digest FROM big.files WHERE id = 4');
      assert.equal(rows[3].digest, digest);
    });

    test(`64 MB by ${write}, invalid: error`, async (t) => {
      const job = makeJob({ mysql, bigquery, dataset: `${write}_strict`, tables: [{ table: 'big.files' }],
        defaults: { write, invalid: 'error' }, test: t });
      const result = await job.run();
      assert.equal(result.code, 4, result.stderr);
      assert.match(result.report.tables[0].error, /big\.files.*key [23]: .* is too large for one row/s);
      assert.ok(result.report.tables[0].error.length < 2000);
      await assert.rejects(client.dataset(`${write}_strict`).table('files').getMetadata(), /not found/i);
    });
  }
});
