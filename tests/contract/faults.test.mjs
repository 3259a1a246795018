// Faults and quotas on demand: Google's clients get over what they should, and raw requests see the rest.
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import http from 'node:http';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { adapt, bigqueryClient, managedwriter, project, readClient, writeClient, writerClient } from '../harness/clients.mjs';
import { privateFolder, run, startBigquery } from '../harness/servers.mjs';
import { eventually, failure } from '../harness/behaviours.mjs';
import { untilWritable } from '../harness/writable.mjs';

const { JSONWriter } = managedwriter;
const fields = [{ name: 'id', type: 'INTEGER', mode: 'REQUIRED' }, { name: 'name', type: 'STRING' }];
const tablePath = (name) => `projects/${project}/datasets/d/tables/${name}`;

async function start(t, tables = [], args = []) {
  const server = await startBigquery({ test: t, args });
  const client = bigqueryClient(server);
  await client.createDataset('d');
  for (const name of tables) await client.dataset('d').createTable(name, { schema: { fields } });
  await untilWritable(server, tables.map(tablePath));
  return { server, client };
}

// A request without a client's retries: { status, headers, body } or an error of the connection.
function request(server, method, path, body) {
  return new Promise((resolve, reject) => {
    const call = http.request(`${server.endpoint}${path}`, { method, agent: false }, (answer) => {
      const parts = [];
      answer.on('data', (part) => parts.push(part));
      answer.on('error', reject);
      answer.on('end', () => {
        const text = Buffer.concat(parts).toString();
        try {
          resolve({ status: answer.statusCode, headers: answer.headers, body: text && JSON.parse(text) });
        } catch (error) {
          reject(error);
        }
      });
    });
    call.on('error', reject);
    call.end(body === undefined ? undefined : typeof body === 'string' ? body : JSON.stringify(body));
  });
}
const faults = async (server, method = 'GET', body, id = '') =>
  (await request(server, method, `/hakobu/v1/faults${id}`, body)).body;
const set = (server, rules, more = {}) => faults(server, 'POST', { rules, ...more });
const fired = async (server) => (await faults(server)).rules.map((rule) => rule.fired);

const descriptorOf = (schema) => adapt.convertStorageSchemaToProto2Descriptor(
  adapt.convertBigQuerySchemaToStorageTableSchema({ fields: schema }), 'root');
async function writerOf(t, server, streamId, schema = fields) {
  const client = writerClient(server);
  t.after(() => client.close());
  const connection = await client.createStreamConnection({ streamId });
  return new JSONWriter({ streamId, connection, protoDescriptor: descriptorOf(schema) });
}
// One AppendRows connection below the clients that retry: send(request) -> next response; `ended`: its status.
function rawConnection(t, server) {
  const client = writeClient(server);
  t.after(() => client.close());
  const stream = client.appendRows();
  const waiting = [];
  const ended = new Promise((resolve) => {
    stream.on('error', (error) => resolve(error));
    stream.on('end', () => resolve(undefined));
  });
  stream.on('data', (answer) => waiting.shift()?.(answer));
  const send = (message) => {
    const answer = new Promise((resolve) => waiting.push(resolve));
    stream.write(message);
    return Promise.race([answer, ended.then((error) => { throw error ?? new Error('ended'); })]);
  };
  return { send, ended, stream };
}
// {id: n} as the descriptor of `id INT64` encodes it.
const idRow = (id) => Buffer.from([8, id]);
const idDescriptor = { name: 'root', field: [{ name: 'id', number: 1, type: 'TYPE_INT64', label: 'LABEL_REQUIRED' }] };
const append = (path, ids) => ({
  writeStream: path,
  protoRows: { writerSchema: { protoDescriptor: idDescriptor }, rows: { serializedRows: ids.map(idRow) } },
});
const idsOf = async (client, table) =>
  (await client.query(`SELECT id FROM d.${table} ORDER BY id`))[0].map((row) => Number(row.id));

test('the client retries what it should, and the server counts it', async (t) => {
  const { server, client } = await start(t, ['t']);
  await set(server, [
    { fault: 'rateLimitExceeded', method: 'tables.get', times: 1 },
    { fault: 'backendError', method: 'tables.get', times: 1 },
  ]);
  const [metadata] = await client.dataset('d').table('t').getMetadata();
  assert.equal(metadata.tableReference.tableId, 't');
  assert.deepEqual(await fired(server), [1, 1]);
});

test('errors have Google\'s shape, status and reason', async (t) => {
  const { server } = await start(t, ['t']);
  const expected = [['rateLimitExceeded', 403], ['quotaExceeded', 403], ['backendError', 503], ['internalError', 500]];
  await set(server, expected.map(([fault]) => ({ fault, method: 'tables.get', table: 't', times: 1 })));
  const path = `/bigquery/v2/projects/${project}/datasets/d/tables/t`;
  for (const [reason, code] of expected) {
    const { status, body } = await request(server, 'GET', path);
    assert.equal(status, code);
    assert.equal(body.error.code, code);
    assert.equal(body.error.errors[0].reason, reason);
    assert.ok(body.error.message.length > 0);
    assert.equal(body.error.errors[0].domain, 'global');
  }
  assert.equal((await request(server, 'GET', path)).status, 200);
});

test('what is not matched is not touched: other tables, methods and counts', async (t) => {
  const { server } = await start(t, ['t', 'u']);
  await set(server, [{ fault: 'backendError', method: 'tables.*', dataset: 'd', table: 't', after: 1, every: 2 }]);
  const get = async (table) => (await request(server, 'GET', `/bigquery/v2/projects/${project}/datasets/d/tables/${table}`)).status;
  assert.deepEqual([await get('u'), await get('u'), await get('u')], [200, 200, 200]);
  assert.deepEqual([await get('t'), await get('t'), await get('t'), await get('t'), await get('t')], [200, 200, 503, 200, 503]);
  assert.equal((await request(server, 'GET', `/bigquery/v2/projects/${project}/datasets/d`)).status, 200);
});

test('a dropped connection: before the effect, and after it', async (t) => {
  const { server, client } = await start(t);
  const path = `/bigquery/v2/projects/${project}/datasets/d/tables`;
  const table = (tableId) => ({ tableReference: { projectId: project, datasetId: 'd', tableId }, schema: { fields } });
  await set(server, [
    { fault: 'drop', method: 'tables.insert', table: 'before', times: 1 },
    { fault: 'drop', when: 'after', method: 'tables.insert', table: 'after', times: 1 },
  ]);
  await assert.rejects(request(server, 'POST', path, table('before')), /socket hang up|ECONNRESET/);
  await assert.rejects(request(server, 'POST', path, table('after')), /socket hang up|ECONNRESET/);
  assert.deepEqual(await client.dataset('d').table('before').exists(), [false]);
  assert.deepEqual(await client.dataset('d').table('after').exists(), [true]);
  assert.deepEqual(await fired(server), [1, 1]);
});

test('a body that ends early, and an answer that comes late', async (t) => {
  const { server } = await start(t, ['t']);
  const path = `/bigquery/v2/projects/${project}/datasets/d/tables/t`;
  await set(server, [
    { fault: 'truncate', method: 'tables.get', bytes: 10, times: 1 },
    { fault: 'slow', ms: 300, method: 'tables.get', times: 1 },
  ]);
  await assert.rejects(request(server, 'GET', path), /aborted|ECONNRESET|socket hang up/);
  const began = Date.now();
  assert.equal((await request(server, 'GET', path)).status, 200);
  assert.ok(Date.now() - began >= 290);
  assert.equal((await request(server, 'GET', path)).status, 200);
});

test('a lost answer of jobs.insert: the job ran, and its id is taken', async (t) => {
  const { server, client } = await start(t, ['t']);
  await set(server, [{ fault: 'drop', when: 'after', method: 'jobs.insert', times: 1 }]);
  const job = { jobReference: { projectId: project, jobId: 'lost' },
    configuration: { query: { query: 'INSERT INTO d.t (id) VALUES (1)', useLegacySql: false } } };
  const path = `/bigquery/v2/projects/${project}/jobs`;
  await assert.rejects(request(server, 'POST', path, job), /socket hang up|ECONNRESET/);
  const again = await request(server, 'POST', path, job);
  assert.equal(again.status, 409);
  assert.equal(again.body.error.errors[0].reason, 'duplicate');
  assert.deepEqual(await idsOf(client, 't'), [1]);
});

test('jobs end with the error they are told to, and can be tried under another id', async (t) => {
  const { server, client } = await start(t, ['t']);
  await set(server, [
    { fault: 'backendError', method: 'job.load', times: 1 },
    { fault: 'jobRateLimitExceeded', method: 'job.copy', table: 'copied', times: 1 },
    { fault: 'resourcesExceeded', method: 'job.query', times: 1 },
  ]);
  const file = join(privateFolder('faults'), 'rows.json');
  writeFileSync(file, '{"id":1}\n');
  const load = () => client.dataset('d').table('t').load(file, { sourceFormat: 'NEWLINE_DELIMITED_JSON' });
  await assert.rejects(load(), (error) => error.errors?.[0]?.reason === 'backendError' || /Retrying may solve/.test(error.message));
  await load();
  const copy = async (jobId) => {
    const path = `/bigquery/v2/projects/${project}/jobs`;
    const reference = (tableId) => ({ projectId: project, datasetId: 'd', tableId });
    await request(server, 'POST', path, { jobReference: { projectId: project, jobId },
      configuration: { copy: { sourceTable: reference('t'), destinationTable: reference('copied') } } });
    for (;;) {
      const { body } = await request(server, 'GET', `${path}/${jobId}`);
      if (body.status.state === 'DONE') return body.status.errorResult?.reason;
      await sleep(10);
    }
  };
  assert.equal(await copy('c1'), 'jobRateLimitExceeded');
  assert.equal(await copy('c2'), undefined);
  await assert.rejects(client.query('SELECT 1'), /Resources exceeded during query execution/);
  assert.deepEqual(await client.query('SELECT 1 AS one').then(([rows]) => rows), [{ one: 1 }]);
  assert.deepEqual(await idsOf(client, 'copied'), [1]);
});

test('AppendRows: ABORTED after so many appends; the rows before it are there, and the writer goes on', async (t) => {
  const { server, client } = await start(t, ['t']);
  await set(server, [{ fault: 'ABORTED', method: 'AppendRows', after: 2, times: 1 }]);
  const path = `${tablePath('t')}/streams/_default`;
  const { send, ended } = rawConnection(t, server);
  assert.ok((await send(append(path, [1]))).appendResult);
  assert.ok((await send(append(path, [2]))).appendResult);
  await assert.rejects(send(append(path, [3])), (error) => error.code === 10 && /server is restarted.*Entity: /.test(error.message));
  assert.equal((await ended).code, 10);
  assert.deepEqual(await idsOf(client, 't'), [1, 2]);
  const second = rawConnection(t, server);
  assert.ok((await second.send(append(path, [3]))).appendResult);
  assert.deepEqual(await idsOf(client, 't'), [1, 2, 3]);
});

test('AppendRows: an error in the response keeps the connection; a slow append is only late', async (t) => {
  const { server, client } = await start(t, ['t']);
  await set(server, [
    { fault: 'RESOURCE_EXHAUSTED', method: 'AppendRows', in_band: true, times: 1 },
    { fault: 'slow', ms: 300, method: 'AppendRows', times: 1 },
  ]);
  const path = `${tablePath('t')}/streams/_default`;
  const { send } = rawConnection(t, server);
  const refused = await send(append(path, [1]));
  assert.equal(refused.error.code, 8);
  assert.match(refused.error.message, /^Exceeds 'AppendRows throughput' quota/);
  const began = Date.now();
  assert.ok((await send(append(path, [2]))).appendResult);
  assert.ok(Date.now() - began >= 290);
  assert.deepEqual(await idsOf(client, 't'), [2]);
});

test('a lost acknowledgement: the rows are stored, and their offset says so to the one who asks again', async (t) => {
  const { server, client } = await start(t, ['t']);
  const write = writeClient(server);
  t.after(() => write.close());
  const [stream] = await write.createWriteStream({ parent: tablePath('t'), writeStream: { type: 'COMMITTED' } });
  await set(server, [{ fault: 'drop', when: 'after', method: 'AppendRows', after: 1, times: 1 }]);
  const first = rawConnection(t, server);
  const at = (offset, ids) => ({ ...append(stream.name, ids), offset: { value: offset } });
  assert.ok((await first.send(at(0, [1]))).appendResult);
  await assert.rejects(first.send(at(1, [2])), (error) => error.code === 14);
  const second = rawConnection(t, server);
  const again = await second.send(at(1, [2]));
  assert.equal(again.error.code, 6);
  assert.match(again.error.message, /expected offset 2, received 1/);
  assert.deepEqual(await idsOf(client, 't'), [1, 2]);
});

test('Google\'s writer gets over cut connections by itself', async (t) => {
  const { server, client } = await start(t, ['t']);
  await set(server, [{ fault: 'UNAVAILABLE', method: 'AppendRows', after: 1, every: 3, times: 3 }]);
  const write = writerClient(server);
  t.after(() => write.close());
  write.enableWriteRetries?.(true);
  const streamId = `${tablePath('t')}/streams/_default`;
  const connection = await write.createStreamConnection({ streamId });
  const writer = new JSONWriter({ connection, protoDescriptor: descriptorOf(fields) });
  for (let id = 1; id <= 12; ++id) assert.ok((await writer.appendRows([{ id, name: 'x' }]).getResult()).appendResult);
  assert.deepEqual(await idsOf(client, 't'), Array.from({ length: 12 }, (_, i) => i + 1));
  assert.deepEqual(await fired(server), [3]);
});

test('an idle connection is closed with Google\'s words', async (t) => {
  const { server } = await start(t, ['t']);
  await set(server, [{ fault: 'idle_close', seconds: 1, table: 't' }]);
  const { send, ended } = rawConnection(t, server);
  await send(append(`${tablePath('t')}/streams/_default`, [1]));
  const error = await ended;
  assert.equal(error.code, 10);
  assert.match(error.message, /Closing the stream because it has been inactive for 1 seconds\. Entity: .*_default/);
  assert.deepEqual(await fired(server), [1]);
});

test('after ALTER TABLE the new column is unknown for a while, and updated_schema comes late', async (t) => {
  const { server, client } = await start(t, ['t']);
  const wide = [...fields, { name: 'extra', type: 'STRING' }];
  const streamId = `${tablePath('t')}/streams/_default`;
  const narrow = await writerOf(t, server, streamId);
  await narrow.appendRows([{ id: 1, name: 'a' }]).getResult();
  await set(server, [{ fault: 'stale_schema', seconds: 1.5 }]);
  const altered = Date.now();
  await client.query('ALTER TABLE d.t ADD COLUMN extra STRING');
  const old = await narrow.appendRows([{ id: 2, name: 'b' }]).getResult();
  assert.ok(old.appendResult && !old.updatedSchema);
  const first = await (await writerOf(t, server, streamId, wide)).appendRows([{ id: 3, name: 'c', extra: 'x' }]).getResult();
  assert.equal(first.error?.code, 3, JSON.stringify(first));
  assert.match(first.error.message, /extra fields: 'extra'/);
  await sleep(Math.max(0, altered + 1700 - Date.now()));
  const late = await narrow.appendRows([{ id: 4, name: 'd' }]).getResult();
  assert.ok(late.updatedSchema?.fields?.some((field) => field.name === 'extra'));
  const second = await (await writerOf(t, server, streamId, wide)).appendRows([{ id: 3, name: 'c', extra: 'x' }]).getResult();
  assert.ok(second.appendResult, JSON.stringify(second.error));
  assert.deepEqual(await idsOf(client, 't'), [1, 2, 3, 4]);
});

test('a table that is made again under its name is "re-created" for a while', async (t) => {
  const { server, client } = await start(t, ['t']);
  const path = `${tablePath('t')}/streams/_default`;
  await set(server, [{ fault: 'recreated', seconds: 5 }]);
  await client.dataset('d').table('t').delete();
  await client.dataset('d').createTable('t', { schema: { fields } });
  const write = () => rawConnection(t, server).send(append(path, [1]));
  const refused = await eventually(async () => { const error = await failure(write()); return error?.code !== 7 && error; });
  assert.equal(refused.code, 5);
  assert.match(refused.message, /Table .*:d\.t is re-created\. Entity: /);
  await eventually(async () => (await write().catch(() => ({}))).appendResult);
});

test('the Storage APIs\' other calls fail before and after their effect', async (t) => {
  const { server, client } = await start(t, ['t']);
  const write = writeClient(server);
  t.after(() => write.close());
  const [stream] = await write.createWriteStream({ parent: tablePath('t'), writeStream: { type: 'PENDING' } });
  await rawConnection(t, server).send(append(stream.name, [1]));
  await set(server, [
    { fault: 'INTERNAL', method: 'FinalizeWriteStream', times: 1 },
    { fault: 'drop', when: 'after', method: 'BatchCommitWriteStreams', times: 1 },
    { fault: 'UNAVAILABLE', method: 'ReadRows', times: 1 },
  ]);
  const once = { retry: null };
  await assert.rejects(write.finalizeWriteStream({ name: stream.name }, once), (error) => error.code === 13);
  await write.finalizeWriteStream({ name: stream.name }, once);
  const commit = () => write.batchCommitWriteStreams({ parent: tablePath('t'), writeStreams: [stream.name] }, once);
  await assert.rejects(commit(), (error) => error.code === 14);
  const [again] = await commit();
  assert.equal(again.streamErrors[0].code, 'STREAM_ALREADY_COMMITTED');
  assert.deepEqual(await idsOf(client, 't'), [1]);
  const reader = readClient(server);
  t.after(() => reader.close());
  const [session] = await reader.createReadSession({ parent: `projects/${project}`,
    readSession: { table: tablePath('t'), dataFormat: 'AVRO' }, maxStreamCount: 1 });
  const read = () => new Promise((resolve, reject) => {
    let rows = 0;
    reader.readRows({ readStream: session.streams[0].name }, { retryRequestOptions: { retries: 0 }, retry: null })
      .on('data', (answer) => (rows += Number(answer.rowCount))).on('error', reject).on('end', () => resolve(rows));
  });
  const counts = [];
  for (let i = 0; i < 2; ++i) counts.push(await read().catch((error) => `error ${error.code}`));
  assert.equal(counts.at(-1), 1);
  assert.deepEqual(await fired(server), [1, 1, 1]);
});

test('quotas as published: table updates, requests; scaled so that a test need not wait', async (t) => {
  const { server } = await start(t, ['t']);
  await faults(server, 'POST', { quotas: { windows: 0.3 } });  // 5 in 3 s
  const path = `/bigquery/v2/projects/${project}/datasets/d/tables/t`;
  const patch = (description) => request(server, 'PATCH', path, { description });
  const answers = [];
  for (let i = 0; i < 6; ++i) answers.push(await patch(`n${i}`));
  assert.deepEqual(answers.map(({ status }) => status), [200, 200, 200, 200, 200, 403]);
  const { error } = answers[5].body;
  assert.equal(error.errors[0].reason, 'rateLimitExceeded');
  assert.match(error.message, /^Exceeded rate limits: too many table update operations for this table\./);
  let later = 403;
  for (const end = Date.now() + 20000; later === 403 && Date.now() < end; await sleep(100)) later = (await patch('later')).status;
  assert.equal(later, 200);
  await faults(server, 'POST', { quotas: { scale: 0.03, windows: 20 } });  // 3 in 20 s for tables.get
  const gets = await Promise.all(Array.from({ length: 5 }, () => request(server, 'GET', path)));
  const refused = gets.filter(({ status }) => status === 403);
  assert.equal(refused.length, 2);
  assert.match(refused[0].body.error.message, /too many api requests per user per method/);
  await faults(server, 'DELETE');
  const free = await Promise.all(Array.from({ length: 20 }, () => request(server, 'GET', path)));
  assert.ok(free.every(({ status }) => status === 200));
});

test('queries that wait for their turn have a quota too', async (t) => {
  const { server } = await start(t);
  // 20 may wait; 16 jobs run, for longer than this takes. Windows of no length: requests per second are not in the way.
  await set(server, [{ fault: 'slow', method: 'job.query', ms: 60000 }], { quotas: { scale: 0.02, windows: 0 } });
  const jobs = `/bigquery/v2/projects/${project}/jobs`;
  const insert = () => request(server, 'POST', jobs, { configuration: { query: { query: 'SELECT 1', useLegacySql: false } } });
  const stateOf = async ({ jobReference }) => (await request(server, 'GET', `${jobs}/${jobReference.jobId}`)).body.status.state;
  for (let i = 0; i < 16; ++i) {
    const { status, body } = await insert();
    assert.equal(status, 200);
    while (await stateOf(body) === 'PENDING') await sleep(5);
  }
  const waiting = [];
  while (waiting.length < 60 && waiting.at(-1)?.status !== 403) waiting.push(await insert());
  assert.deepEqual(waiting.map(({ status }) => status), [...Array(20).fill(200), 403]);
  const { error } = waiting.at(-1).body;
  assert.equal(error.code, 403);
  assert.equal(error.errors[0].reason, 'quotaExceeded');
  assert.match(error.message, /^Quota exceeded: Your project_and_region exceeded quota for max number of jobs that can be queued per project\./);
  await faults(server, 'DELETE');
  assert.equal((await insert()).status, 200);
});

test('the admin endpoint: listing, removing, and every mistake at once', async (t) => {
  const { server } = await start(t);
  assert.deepEqual((await faults(server)).rules, []);
  const { rules } = await set(server, [{ fault: 'drop', method: 'jobs.get' }, { fault: 'slow', ms: 5 }], { seed: 11 });
  assert.deepEqual(rules.map((rule) => rule.fault), ['drop', 'slow']);
  assert.equal((await faults(server)).seed, 11);
  assert.equal((await faults(server, 'DELETE', undefined, `/${rules[0].id}`)).rules.length, 1);
  assert.equal((await request(server, 'DELETE', '/hakobu/v1/faults/99')).status, 404);
  const bad = await request(server, 'POST', '/hakobu/v1/faults', 'rules:\n- {fault: dorp}\n- {fault: slow}\n');
  assert.equal(bad.status, 400);
  assert.match(bad.body.error.message, /request:2: rules\[0\]\.fault: expected one of .*found 'dorp'\nrequest:3: rules\[1\]\.ms: /s);
  assert.equal((await faults(server)).rules.length, 1, 'a refused request adds nothing');
  assert.deepEqual((await faults(server, 'DELETE')).rules, []);
});

test('a file of faults at the start; a bad one is refused with file, line and key', async (t) => {
  const folder = privateFolder('faults');
  const file = join(folder, 'faults.yaml');
  writeFileSync(file, 'seed: 42\nrules:\n  - fault: backendError\n    method: projects.list\n    probability: 0.5\n');
  const answers = async () => {
    const server = await startBigquery({ test: t, args: ['--faults', file] });
    assert.match(server.output, /Faults: 1 rules, seed 42/);
    const statuses = [];
    for (let i = 0; i < 20; ++i) statuses.push((await request(server, 'GET', '/bigquery/v2/projects')).status);
    return statuses;
  };
  const first = await answers();
  assert.ok(first.includes(200) && first.includes(503));
  assert.deepEqual(await answers(), first, 'the same seed, the same faults');
  writeFileSync(file, 'rules:\n  - fault: nonsense\n    times: 0\n');
  const { code, stderr } = await run(['bigquery', '--data', join(folder, 'data'), '--faults', file]);
  assert.equal(code, 2, stderr);
  assert.match(stderr, /faults\.yaml:2: rules\[0\]\.fault: /);
  assert.match(stderr, /faults\.yaml:3: rules\[0\]\.times: expected a whole number from 1, found '0'/);
});
