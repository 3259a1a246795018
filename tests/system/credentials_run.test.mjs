// hakobu itself before a BigQuery that asks who is calling: a key file is enough for check and run, and another's is not.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { bigqueryClient } from '../harness/clients.mjs';
import { makeJob } from '../harness/delivery.mjs';
import { loader, startWithIdentities } from '../harness/identities.mjs';
import { run, startMysql } from '../harness/servers.mjs';

test('check and run as a service account; who may read what it delivered is for the dataset to say', async (t) => {
  const [mysql, bigquery] = await Promise.all([startMysql({ flavor: 'mariadb', test: t }), startWithIdentities(t)]);
  const connection = await mysql.connect();
  await connection.query('CREATE DATABASE gym; CREATE TABLE gym.members (id INT PRIMARY KEY, name VARCHAR(20)); INSERT INTO gym.members VALUES (1, "a"), (2, "b")');
  await connection.end();
  const job = makeJob({ mysql, bigquery, tables: [{ table: 'gym.members' }], test: t });
  const as = (file) => { job.config.destination.credentials = { type: 'file', file }; job.write(); };
  const check = () => run(['-c', `${job.folder}/hakobu.yaml`, 'check']);

  as(bigquery.keyFile('bob@other.com'));
  const refused = await job.run();
  assert.equal(refused.code, 1, refused.stderr);
  assert.match(refused.stderr + JSON.stringify(refused.report), /Access Denied/);

  as(bigquery.keyFile(loader));
  const checked = await check();
  assert.equal(checked.code, 0, checked.stdout + checked.stderr);
  assert.match(checked.stdout, /jobs may be run in project/);
  const done = await job.run();
  assert.equal(done.code, 0, done.stderr);
  const sql = 'SELECT id, name FROM gym.members ORDER BY id';
  assert.deepEqual((await bigqueryClient(bigquery, { token: 'owner-token' }).query(sql))[0], [{ id: 1, name: 'a' }, { id: 2, name: 'b' }]);
  await assert.rejects(bigqueryClient(bigquery, { token: 'ana-token' }).query(sql), /User does not have permission to query table/);

  as(bigquery.keyFile('bob@other.com'));
  const lost = await check();
  assert.equal(lost.code, 1, lost.stdout);
  assert.match(lost.stdout, /Permission bigquery\.datasets\.get denied/);
});
