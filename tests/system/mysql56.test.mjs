// MySQL 5.6, the oldest kind of source: no GTIDs, no row metadata, the old names of everything. A run, a stream over
// restarts and the checks, as on the newest.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { run, startBigquery, startMysql } from '../harness/servers.mjs';
import { bigqueryClient } from '../harness/clients.mjs';
import { makeJob } from '../harness/delivery.mjs';
import { makeStream, waitUntilEqual } from '../harness/stream.mjs';

test('mysql 5.6: check, run, stream, restart, repair', async (t) => {
  let mysql = await startMysql({ flavor: 'mysql56', test: t });
  const server = await startBigquery({ test: t });
  const bigquery = bigqueryClient(server);
  let admin = await mysql.connect();
  t.after(() => admin.end());
  await admin.query(`CREATE DATABASE shop CHARACTER SET utf8mb4; USE shop;
    CREATE TABLE members (id INT PRIMARY KEY, name VARCHAR(50), at TIMESTAMP(3) NULL, born DATE, points DECIMAL(10,2), bits BIT(9),
      kind ENUM('a','b'), data BLOB, note TEXT CHARACTER SET sjis);
    INSERT INTO members VALUES (1, '佐藤', '2024-01-02 03:04:05.678', '2000-02-29', 10.5, b'100000001', 'b', X'00FF', '表'),
      (2, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL);
    GRANT SELECT, REPLICATION SLAVE, REPLICATION CLIENT, PROCESS ON *.* TO reader@'%' IDENTIFIED BY 'swordfish'`);
  const source = { user: 'reader', password: '${env:MYSQL_PASSWORD}' };
  const env = { MYSQL_PASSWORD: 'swordfish' };
  const equal = (dataset) => waitUntilEqual({ mysql, bigquery, database: 'shop', tables: ['members'], dataset });

  const job = makeJob({ mysql, bigquery: server, dataset: 'nightly', tables: [{ table: 'shop.*' }], source, test: t });
  const delivered = await job.run({ env });
  assert.equal(delivered.code, 0, delivered.stderr);
  await equal('nightly');

  const stream = makeStream({ mysql, bigquery: server, dataset: 'live', tables: [{ table: 'shop.*' }], source, test: t });
  const first = await stream.catchUp({ env });
  assert.equal(first.code, 0, first.stderr + first.stdout);  // no gap: nothing was before
  const check = await run(['-c', join(stream.folder, 'hakobu.yaml'), 'check'], { env });
  assert.equal(check.code, 0, check.stderr + check.stdout);
  await admin.query(`UPDATE shop.members SET name = 'changed' WHERE id = 2; DELETE FROM shop.members WHERE id = 1;
    INSERT INTO shop.members VALUES (3, 'new', '2024-05-06 07:08:09.123', NULL, 1, NULL, 'a', NULL, '能')`);
  const second = await stream.catchUp({ env });
  assert.equal(second.code, 0, second.stderr + second.stdout);
  await equal('live');

  // Another server_uuid over the same files, as after a restore of the volume: the files prove that nothing is missing.
  await admin.end();
  await mysql.stop();
  rmSync(join(mysql.folder, 'data', 'auto.cnf'));
  mysql = await startMysql({ flavor: 'mysql56', folder: mysql.folder, port: mysql.port, test: t });
  admin = await mysql.connect();
  await admin.query(`INSERT INTO shop.members (id, name) VALUES (4, 'under another identity')`);
  const third = await stream.catchUp({ env });
  assert.equal(third.code, 0, third.stderr + third.stdout);
  await equal('live');
  const gaps = await run(['-c', join(stream.folder, 'hakobu.yaml'), '--json', 'gaps'], { env });
  assert.deepEqual(JSON.parse(gaps.stdout).gaps ?? [], [], gaps.stdout);
});
