// Another user of the same machine: what he finds open, what he may read, and what he put in the way.
import assert from 'node:assert/strict';
import { chmodSync, readdirSync, readFileSync, readlinkSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { project, readClient } from '../harness/clients.mjs';
import { hakobu, Server, startBigquery, startMysql } from '../harness/servers.mjs';
import { makeJob } from '../harness/delivery.mjs';
import { makeStream, waitForLine } from '../harness/stream.mjs';

// The loopback ports that a process listens on.
function portsOf(pid) {
  const sockets = new Set(readdirSync(`/proc/${pid}/fd`).map((fd) => { try { return readlinkSync(`/proc/${pid}/fd/${fd}`); } catch { return ''; } })
    .flatMap((link) => /^socket:\[(\d+)\]$/.exec(link)?.[1] ?? []));
  return ['tcp', 'tcp6'].flatMap((family) => readFileSync(`/proc/${pid}/net/${family}`, 'utf8').trim().split('\n').slice(1).map((line) => line.trim().split(/\s+/)))
    .filter(([, , , state, , , , , , inode]) => state === '0A' && sockets.has(inode)).map(([, local]) => parseInt(local.split(':').at(-1), 16));
}

async function source(t) {
  const mysql = await startMysql({ flavor: 'mariadb', options: ['--server-id=1', '--log-bin=binlog', '--binlog-format=ROW'], test: t });
  const admin = await mysql.connect();
  t.after(() => admin.end().catch(() => {}));
  await admin.query("CREATE DATABASE shop; CREATE TABLE shop.members (id INT PRIMARY KEY, name VARCHAR(20)); INSERT INTO shop.members VALUES (1, 'tanaka')");
  return mysql;
}

test('endpoint: local answers nobody but its own command, over REST and gRPC', async (t) => {
  const mysql = await source(t);
  const job = makeStream({ mysql, bigquery: { endpoint: 'http://127.0.0.1:1', grpcPort: 1 }, dataset: 'd', tables: [{ table: 'shop.*' }], test: t });
  job.config.destination = { project, dataset: 'd', endpoint: 'local' };
  job.config.stream.listen = '127.0.0.1:0';
  job.write();
  // In its own folder: endpoint: local keeps what it holds where it is started.
  const stream = new Server(hakobu, ['-c', join(job.folder, 'hakobu.yaml'), '--log-format', 'json', 'stream'], { cwd: job.folder });
  t.after(() => stream.stop());
  await waitForLine(stream, /"address":"127\.0\.0\.1:\d+"/, 240000);
  await waitForLine(stream, /copied/, 240000);
  const ports = portsOf(stream.pid);
  assert.ok(ports.length >= 2, `${ports}`);
  let refusals = 0;
  for (const port of ports) {
    for (const path of [`/bigquery/v2/projects/${project}/datasets`, `/bigquery/v2/projects/${project}/datasets/d/tables/members/data`, '/hakobu/v1/faults']) {
      for (const headers of [{}, { authorization: 'Bearer guessed' }]) {
        const answer = await fetch(`http://127.0.0.1:${port}${path}`, { headers }).catch(() => undefined);
        if (answer === undefined) continue;  // gRPC speaks another protocol
        const text = await answer.text();
        assert.notEqual(answer.status, 200, `${port}${path}: ${text}`);
        assert.doesNotMatch(text, /tanaka/);
        if (answer.status === 401) ++refusals;
      }
    }
    const client = readClient({ grpcPort: port }, { token: 'guessed' });
    const asked = client.createReadSession({ parent: `projects/${project}`, readSession: { table: `projects/${project}/datasets/d/tables/members`, dataFormat: 'ARROW' } }, { timeout: 5000, retry: null });
    await assert.rejects(asked, (error) => { if (error.code === 16) ++refusals; return true; });
    await client.close();
  }
  assert.ok(refusals >= 7, `${refusals} were refused for want of a token: REST and gRPC were both found`);
});

test('what an earlier version left open is closed', async (t) => {
  const [mysql, bigquery] = await Promise.all([source(t), startBigquery({ test: t })]);
  const job = makeJob({ mysql, bigquery, dataset: 'd', tables: [{ table: 'shop.*' }], test: t });
  assert.equal((await job.run()).code, 0);
  chmodSync(job.ledger, 0o644);
  chmodSync(join(bigquery.folder, 'warehouse.duckdb'), 0o644);
  assert.equal((await job.run()).code, 0);
  assert.equal(statSync(job.ledger).mode & 0o077, 0);
  await bigquery.stop();
  const again = await startBigquery({ folder: bigquery.folder, test: t });
  assert.equal(statSync(join(bigquery.folder, 'warehouse.duckdb')).mode & 0o077, 0);
  for (const name of readdirSync(bigquery.folder)) assert.equal(statSync(join(bigquery.folder, name)).mode & 0o077, 0, name);
  await again.stop();
});
