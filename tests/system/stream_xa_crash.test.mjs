// MariaDB writes XA PREPARE and XA COMMIT to its log before it does them (MDEV-21469). Killed between the two, the log has a
// commit that the tables have not, and the application may yet roll it back; or something prepared that will never end.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { bigqueryClient } from '../harness/clients.mjs';
import { startBigquery, startMysql } from '../harness/servers.mjs';
import { makeStream, waitForLine, waitUntilEqual } from '../harness/stream.mjs';

const sessions = [1, 2, 3, 4];
const options = ['--server-id=1', '--log-bin=binlog', '--binlog-format=ROW', '--sync-binlog=1'];

test('MariaDB: what the log says of XA transactions, and the server lost in a crash', async (t) => {
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

  // What the log of the server before the crash says was prepared, and what committed: in hexadecimal.
  const inLog = async (admin) => {
    const found = { PREPARE: new Set(), COMMIT: new Set() };
    const [files] = await admin.query('SHOW BINARY LOGS');
    const [events] = await admin.query(`SHOW BINLOG EVENTS IN '${files.at(-2).Log_name}'`);
    for (const { Info } of events) {
      const [, verb, xid] = /^XA (PREPARE|COMMIT) X'([0-9a-f]+)'/.exec(Info) ?? [];
      if (verb) found[verb].add(xid);
    }
    return found;
  };
  let [rolledBack, lost] = [0, 0];
  for (let round = 0; rolledBack === 0 || lost === 0; ++round) {
    assert.ok(round < 60, 'no crash came between the log and the tables');
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
    const { PREPARE: prepared, COMMIT: committed } = await inLog(admin);
    const known = (await admin.query('XA RECOVER'))[0].map(({ data }) => Buffer.from(data).toString('hex'));
    lost += [...prepared].filter((xid) => !committed.has(xid) && !known.includes(xid)).length;
    for (const xid of known) {
      if (committed.has(xid)) ++rolledBack;
      await admin.query(`XA ROLLBACK X'${xid}'`);
    }
    await admin.end();
  }
  await equal();
  await waitForLine(stream, /rows changed without events in the log: the source crashed between XA COMMIT and its tables/);
  assert.ok(!/table begins anew.*bank\.other/.test(stream.output), 'the table that it did not touch goes on');
  const { code } = await stream.stop();
  assert.equal(code, 0);
  // The stored place is not held back by what will never end.
  const caughtUp = await job.catchUp();
  assert.equal(caughtUp.code, 0, caughtUp.stderr);
  assert.match(stream.output + caughtUp.stderr, /a crash took it, and it will never end/);
  await equal();
});
