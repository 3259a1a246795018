// How jobs end before their time: jobs.cancel, SIGTERM and kill -9.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { eventually } from '../harness/behaviours.mjs';
import { bigqueryClient, project } from '../harness/clients.mjs';
import { startBigquery } from '../harness/servers.mjs';

// Minutes of work for any machine; `soon` is far from it on the busiest one.
const long = 'SELECT COUNT(*) AS n FROM UNNEST(GENERATE_ARRAY(1, 1000000)) a, UNNEST(GENERATE_ARRAY(1, 1000000)) b WHERE MOD(a * b, 1000003) = 7';
const soon = 15000;
const path = `/bigquery/v2/projects/${project}/jobs`;

async function call(server, method, at, body) {
  const answer = await fetch(`${server.endpoint}${at}`, { method, headers: body && { 'content-type': 'application/json' }, body: body && JSON.stringify(body) });
  return { status: answer.status, body: await answer.json() };
}
const start = (server, jobId, query, more = {}) => call(server, 'POST', path,
  { jobReference: { projectId: project, jobId }, configuration: { query: { query, useLegacySql: false, ...more } } });
const get = (server, jobId) => call(server, 'GET', `${path}/${jobId}`);
async function running(server, jobId) {
  for (;;) {
    const { body } = await get(server, jobId);
    if (body.status.state === 'RUNNING') return;
    assert.notEqual(body.status.state, 'DONE', JSON.stringify(body.status));
    await sleep(5);
  }
}

for (const [what, query] of [['a query', long], ['DML', `INSERT INTO d.t (id) ${long}`],
  ['CREATE TABLE AS SELECT', `CREATE TABLE d.made AS ${long}`],
  ['MERGE', `MERGE d.t USING (${long}) s ON t.id = s.n WHEN NOT MATCHED THEN INSERT (id) VALUES (s.n)`]]) {
  test(`${what} that computes is cancelled at once, and leaves nothing`, async (t) => {
    const server = await startBigquery({ test: t });
    const client = bigqueryClient(server);
    await client.createDataset('d');
    await client.query('CREATE TABLE d.t (id INT64)');
    await start(server, 'long', query);
    await running(server, 'long');
    await sleep(100);
    const began = Date.now();
    const { body } = await call(server, 'POST', `${path}/long/cancel`);
    assert.ok(Date.now() - began < soon, `cancelled after ${Date.now() - began} ms`);
    assert.equal(body.kind, 'bigquery#jobCancelResponse');
    while (Date.now() - began < soon && (await get(server, 'long')).body.status.state !== 'DONE') await sleep(10);
    const { status } = (await get(server, 'long')).body;
    assert.equal(status.state, 'DONE');
    assert.equal(status.errorResult.reason, 'stopped');
    assert.deepEqual((await client.query('SELECT COUNT(*) AS n FROM d.t'))[0], [{ n: 0 }]);
    assert.deepEqual(await client.dataset('d').table('made').exists(), [false]);
  });
}

test('SIGTERM does not wait for a query, nor for the one who waits for its rows', async (t) => {
  const server = await startBigquery({ test: t });
  await start(server, 'long', long);
  await running(server, 'long');
  const waiting = call(server, 'GET', `/bigquery/v2/projects/${project}/queries/long?timeoutMs=60000`).catch(() => undefined);
  await sleep(100);
  const began = Date.now();
  const { code } = await server.stop();
  assert.equal(code, 0, server.output);
  assert.ok(Date.now() - began < soon, `stopped after ${Date.now() - began} ms`);
  await waiting;
});

const statements = [
  ['INSERT', 'INSERT INTO d.t (id, n) VALUES (3, 3)', {}, '1'],
  ['UPDATE', 'UPDATE d.t SET n = n + 1 WHERE TRUE', {}, '2'],
  ['MERGE', 'MERGE d.t USING (SELECT 2 AS id UNION ALL SELECT 9) s ON t.id = s.id WHEN MATCHED THEN UPDATE SET n = n + 1 WHEN NOT MATCHED THEN INSERT (id, n) VALUES (s.id, 1)', {}, '2'],
  ['destination', 'SELECT 5 AS id, 5 AS n', { destinationTable: { projectId: project, datasetId: 'd', tableId: 't' }, writeDisposition: 'WRITE_APPEND' }, undefined],
];
const rowsOf = async (server) =>
  (await bigqueryClient(server).query('SELECT id, n FROM d.t ORDER BY id'))[0].map((row) => `${row.id}:${row.n}`).join(' ');

for (const [what, query, more, affected] of statements) {
  test(`kill -9 around the commit of ${what}: the job's id is known exactly when its rows are there`, async (t) => {
    const made = await startBigquery({ test: t });
    const client = bigqueryClient(made);
    await client.createDataset('d');
    await client.query('CREATE TABLE d.t (id INT64, n INT64); INSERT INTO d.t (id, n) VALUES (1, 1), (2, 2)');
    const before = await rowsOf(made);
    await made.stop();
    const killed = async (point, jobId) => {
      const server = await startBigquery({ folder: made.folder, env: { HAKOBU_CRASH_AT: point }, test: t });
      await assert.rejects(start(server, jobId, query, more).then(() => sleep(2000)).then(() => server.alive ? undefined : Promise.reject(new Error('gone'))));
      await server.exited;
    };
    await killed('query.before_commit', 'job');
    await killed('query.before_commit', 'job');
    let server = await startBigquery({ folder: made.folder, test: t });
    assert.equal(await rowsOf(server), before);
    assert.equal((await get(server, 'job')).status, 404, 'the id is free');
    await server.stop();

    await killed('query.after_commit', 'job');
    server = await startBigquery({ folder: made.folder, test: t });
    const after = await rowsOf(server);
    assert.notEqual(after, before);
    const again = await start(server, 'job', query, more);
    assert.equal(again.status, 409);
    assert.equal(again.body.error.errors[0].reason, 'duplicate');
    const { body } = await eventually(async () => { const found = await get(server, 'job'); return found.status === 200 && found; });
    assert.equal(body.status.state, 'DONE');
    assert.equal(body.status.errorResult, undefined);
    assert.equal(body.statistics.query.numDmlAffectedRows, affected);
    assert.equal(await rowsOf(server), after, 'once');
  });
}
