// MariaDB writes XA COMMIT to its log before it commits (MDEV-21469): killed between the two, the log has a commit that the
// tables have not, and the application may yet roll it back.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { bigqueryClient } from '../harness/clients.mjs';
import { startBigquery, startMysql } from '../harness/servers.mjs';
import { makeStream, waitForLine, waitUntilEqual } from '../harness/stream.mjs';

const sessions = [1, 2, 3, 4];
const options = ['--server-id=1', '--log-bin=binlog', '--binlog-format=ROW', '--sync-binlog=1'];

test('MariaDB: a transaction that the log says was committed is rolled back after a crash', async (t) => {
  let mysql = await startMysql({ flavor: 'mariadb', options, test: t });
  const bigquery = await startBigquery({ test: t });
  const admin = await mysql.connect();
  await admin.query(`CREATE DATABASE bank; CREATE TABLE bank.accounts (id INT PRIMARY KEY, n INT); CREATE TABLE bank.other (id INT PRIMARY KEY);
    INSERT INTO bank.accounts VALUES ${sessions.map((id) => `(${id}, 0)`).join()}; INSERT INTO bank.other VALUES (1)`);
  await admin.end();
  const job = makeStream({ mysql, bigquery, dataset: 'live', tables: [{ table: 'bank.*' }], test: t });
  const stream = job.start();
  t.after(() => stream.kill9());
  const client = bigqueryClient(bigquery);
  const equal = () => waitUntilEqual({ mysql, bigquery: client, database: 'bank', dataset: 'live', tables: ['accounts', 'other'], server: stream });
  await equal();

  // Whether the log says of a transaction that it was committed.
  const committed = async (admin, xid) => {
    const [files] = await admin.query('SHOW BINARY LOGS');
    for (const { Log_name: name } of files.slice(-2)) {
      const [events] = await admin.query(`SHOW BINLOG EVENTS IN '${name}'`);
      if (events.some(({ Info }) => Info.includes(`XA COMMIT X'${xid.toString('hex')}'`))) return true;
    }
    return false;
  };
  let rolledBack = 0;
  for (let round = 0; rolledBack === 0; ++round) {
    assert.ok(round < 40, 'no crash came between the log and the tables');
    const work = sessions.map(async (id) => {
      const connection = await mysql.connect();
      connection.on('error', () => {});
      try {
        for (let n = 1; ; ++n) {
          const xid = `'${round}-${id}-${n}'`;
          await connection.query(`XA START ${xid}; UPDATE bank.accounts SET n = ${round * 100000 + n} WHERE id = ${id}; XA END ${xid}; XA PREPARE ${xid}`);
          await connection.query(`XA COMMIT ${xid}`);
        }
      } catch { /* killed */ }
    });
    await sleep(150 + Math.random() * 100);
    const { folder, port } = mysql;
    await mysql.kill9();
    await Promise.all(work);
    mysql = await startMysql({ flavor: 'mariadb', options, folder, port, test: t });
    const admin = await mysql.connect();
    for (const { data } of (await admin.query('XA RECOVER'))[0]) {
      if (await committed(admin, Buffer.from(data))) ++rolledBack;
      await admin.query(`XA ROLLBACK '${data}'`);
    }
    await admin.end();
  }
  await equal();
  await waitForLine(stream, /rows changed without events in the log: the source crashed between XA COMMIT and its tables/);
  assert.ok(!/table begins anew.*bank\.other/.test(stream.output), 'the table that it did not touch goes on');
  const { code } = await stream.stop();
  assert.equal(code, 0);
});
