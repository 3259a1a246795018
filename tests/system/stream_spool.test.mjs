// The spool over restarts: what a process leaves behind is never believed.
import assert from 'node:assert/strict';
import { readFileSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { bigqueryClient } from '../harness/clients.mjs';
import { privateFolder, startBigquery, startMysql } from '../harness/servers.mjs';
import { makeStream, waitForLine, waitUntilEqual } from '../harness/stream.mjs';

test('what a killed stream left in its spool is thrown away, and the source is read again', async (t) => {
  const mysql = await startMysql({ options: ['--server-id=1'], test: t });
  const bigquery = await startBigquery({ test: t });
  const admin = await mysql.connect();
  t.after(() => admin.end().catch(() => {}));
  await admin.query('CREATE DATABASE shop; CREATE TABLE shop.notes (id INT AUTO_INCREMENT PRIMARY KEY, text TEXT); INSERT INTO shop.notes (text) VALUES (REPEAT(\'a\', 1000))');
  const parent = privateFolder('spool');
  t.after(() => rmSync(parent, { recursive: true }));
  const folder = join(parent, 'spool');
  const job = makeStream({ mysql, bigquery, dataset: 'live', tables: [{ table: 'shop.*' }], stream: { memory: '4MB', spool: { folder } }, test: t });
  const equal = (server) => waitUntilEqual({ mysql, bigquery: bigqueryClient(bigquery), database: 'shop', tables: ['notes'], dataset: 'live', server });
  const segments = () => readdirSync(folder).filter((name) => name.endsWith('.spool'));
  const held = () => segments().reduce((sum, name) => sum + statSync(join(folder, name)).size, 0);
  // Without compression's help: text that does not repeat.
  const write = () => admin.query('INSERT INTO shop.notes (text) SELECT HEX(RANDOM_BYTES(1000)) FROM information_schema.columns LIMIT 500');
  // 'keep': as it was left. 'damage': bytes in its middle are others. 'cut': its end is torn off.
  for (const what of ['keep', 'damage', 'cut']) {
    const stream = job.start();
    await waitForLine(stream, /stream following/);
    await equal(stream);
    bigquery.child.kill('SIGSTOP');
    for (const deadline = Date.now() + 60000; held() < 5e6;) {
      assert.ok(Date.now() < deadline, `${what}: the spool holds ${held()} bytes\n${stream.output.slice(-2000)}`);
      await write();
    }
    await stream.kill9();
    const last = join(folder, segments().sort().at(-1));
    const bytes = readFileSync(last);
    if (what === 'damage') writeFileSync(last, bytes.fill(7, bytes.length >> 1, (bytes.length >> 1) + 1000));
    if (what === 'cut') writeFileSync(last, bytes.subarray(0, bytes.length - 100));
    bigquery.child.kill('SIGCONT');
  }
  // The next start begins with an empty spool and lacks nothing.
  const frames = () => Object.fromEntries(segments().map((name) => [name, readFileSync(join(folder, name)).subarray(1000, 5000).toString('hex')]));
  const left = frames();
  const stream = job.start();
  t.after(() => stream.stop());
  await waitForLine(stream, /stream following/);
  await equal(stream);
  assert.ok(Object.values(left).some((bytes) => bytes.length > 1000));
  for (const [name, bytes] of Object.entries(frames())) assert.notEqual(bytes, left[name], 'what was left is gone');
  await admin.query("UPDATE shop.notes SET text = 'last' WHERE id = 1");
  await equal(stream);
});
