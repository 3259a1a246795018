// The requests that Google's `bq` sends, command by command, as that tool writes them, and the fields that it reads of
// the answers. Seen with bq 2.1.18; it cannot be pinned as a package, so its conversations are replayed.
import assert from 'node:assert/strict';
import http from 'node:http';
import { after, before, test } from 'node:test';
import { startBigquery } from '../harness/servers.mjs';

const options = { skip: process.env.HAKOBU_TEST_PROJECT ? 'replays a tool against a bare endpoint' : false };
let server;
before(async () => { server = options.skip ? undefined : await startBigquery(); });
after(() => server?.stop());

const headers = { accept: 'application/json', 'accept-encoding': 'gzip, deflate', authorization: 'Bearer x',
  'user-agent': 'bq/2.1.18 (gzip)', 'x-goog-user-project': 'p' };

// One request of the tool: { status, headers, body } (parsed JSON).
async function send(method, path, body, more = {}) {
  const url = path.startsWith('http') ? path : `${server.endpoint}${path}`;
  const answer = await fetch(url, { method, redirect: 'manual', body: typeof body === 'object' && !Buffer.isBuffer(body)
    ? JSON.stringify(body) : body, headers: { ...headers, ...(body ? { 'content-type': 'application/json' } : {}), ...more } });
  const text = await answer.text();
  return { status: answer.status, headers: answer.headers, body: text === '' ? undefined : JSON.parse(text) };
}
async function ok(...request) {
  const answer = await send(...request);
  assert.ok(answer.status >= 200 && answer.status < 300, `${request[0]} ${request[1]}: ${answer.status} ${JSON.stringify(answer.body)}`);
  return answer.body;
}
// What the tool's BigqueryError is made of.
function assertError(answer, status, reason) {
  assert.equal(answer.status, status);
  assert.match(answer.headers.get('content-type'), /application\/json/);
  const { error } = answer.body;
  assert.equal(error.code, status);
  assert.equal(error.errors[0].reason, reason);
  assert.ok(error.message && error.errors[0].message);
}
const has = (object, ...names) => names.forEach((name) => assert.ok(object?.[name] !== undefined, `lacks ${name}: ${JSON.stringify(object)}`));

const root = '/bigquery/v2/projects/p';
const jobConfiguration = (configuration, jobId) =>
  ({ configuration, jobReference: { jobId, projectId: 'p' } });

// Polls as the tool does until the job is done.
async function wait(job) {
  has(job, 'id', 'jobReference', 'status', 'configuration', 'statistics');
  const { jobId, location } = job.jobReference;
  for (let i = 0; job.status.state !== 'DONE'; ++i) {
    assert.ok(i < 200);
    await new Promise((resolve) => { setTimeout(resolve, 20); });
    job = await ok('GET', `${root}/jobs/${jobId}?location=${location}&alt=json`);
  }
  return job;
}

test('every command begins with the discovery document, which names what the tool calls', options, async () => {
  const document = await ok('GET', '/$discovery/rest?version=v2');
  has(document, 'kind', 'id', 'name', 'version', 'rootUrl', 'servicePath', 'basePath', 'baseUrl', 'batchPath', 'protocol',
    'parameters', 'resources', 'schemas');
  assert.equal(document.servicePath, 'bigquery/v2/');
  has(document.parameters, 'alt');
  for (const [resource, names] of Object.entries({ projects: ['list'], datasets: ['list', 'insert', 'get', 'patch', 'update', 'delete'],
    tables: ['list', 'insert', 'get', 'patch', 'update', 'delete'], tabledata: ['list', 'insertAll'],
    jobs: ['list', 'insert', 'get', 'cancel', 'delete', 'query', 'getQueryResults'] })) {
    for (const name of names) {
      const method = document.resources[resource].methods[name];
      has(method, 'id', 'path', 'flatPath', 'httpMethod', 'parameters', 'parameterOrder');
      for (const side of ['request', 'response']) {
        if (method[side]) has(document.schemas, method[side].$ref);
      }
      for (const parameter of method.parameterOrder) has(method.parameters, parameter);
    }
  }
  const insert = document.resources.jobs.methods.insert;
  assert.equal(insert.supportsMediaUpload, true);
  has(insert.mediaUpload.protocols, 'simple', 'resumable');
});

test('mk --dataset: the dataset must be missing, then it is made', options, async () => {
  assertError(await send('GET', `${root}/datasets/d?accessPolicyVersion=3&alt=json`), 404, 'notFound');
  const made = await ok('POST', `${root}/datasets?accessPolicyVersion=3&alt=json`, { datasetReference: { datasetId: 'd', projectId: 'p' } });
  has(made, 'id', 'etag', 'selfLink', 'datasetReference');
  assert.equal(made.kind, 'bigquery#dataset');
  assertError(await send('POST', `${root}/datasets?accessPolicyVersion=3&alt=json`,
    { datasetReference: { datasetId: 'd', projectId: 'p' } }), 409, 'duplicate');
});

test('ls: projects and datasets', options, async () => {
  const projects = await ok('GET', '/bigquery/v2/projects?alt=json&maxResults=50');
  assert.equal(projects.kind, 'bigquery#projectList');
  has(projects.projects[0], 'id', 'projectReference', 'friendlyName');
  const { datasets } = await ok('GET', `${root}/datasets?alt=json&maxResults=50`);
  assert.equal(datasets[0].kind, 'bigquery#dataset');
  assert.deepEqual(datasets[0].datasetReference, { datasetId: 'd', projectId: 'p' });
});

test('mk --table: the table must be missing, then it is made with its schema', options, async () => {
  assertError(await send('GET', `${root}/datasets/d/tables/t?alt=json`), 404, 'notFound');
  const made = await ok('POST', `${root}/datasets/d/tables?alt=json`, { tableReference: { projectId: 'p', datasetId: 'd', tableId: 't' },
    schema: { fields: [{ name: 'id', type: 'INTEGER' }, { name: 'name', type: 'STRING' }] } });
  has(made, 'id', 'etag', 'selfLink', 'tableReference', 'schema');
});

test('show: the fields of a dataset and of a table', options, async () => {
  const dataset = await ok('GET', `${root}/datasets/d?accessPolicyVersion=3&alt=json`);
  has(dataset, 'id', 'lastModifiedTime', 'creationTime', 'access', 'datasetReference', 'location', 'etag');
  assert.ok(dataset.access.every((entry) => entry.role && Object.keys(entry).length >= 2));
  const table = await ok('GET', `${root}/datasets/d/tables/t?alt=json`);
  has(table, 'id', 'lastModifiedTime', 'creationTime', 'schema', 'numRows', 'numBytes', 'numLongTermBytes', 'type', 'tableReference', 'location');
  assert.equal(table.type, 'TABLE');
  assert.match(table.numRows, /^\d+$/);
});

test('ls of a dataset: tables with their type', options, async () => {
  const answer = await ok('GET', `${root}/datasets/d/tables?alt=json&maxResults=50`);
  has(answer, 'tables', 'totalItems');
  has(answer.tables[0], 'id', 'kind', 'tableReference', 'type', 'creationTime');
});

const load = { load: { destinationTable: { projectId: 'p', datasetId: 'd', tableId: 't' }, sourceFormat: 'CSV',
  writeDisposition: 'WRITE_APPEND', createDisposition: 'CREATE_IF_NEEDED' } };

test('load of a file: a resumable upload in one part', options, async () => {
  const file = Buffer.from(Array.from({ length: 1000 }, (_, i) => `${i},name ${i}\n`).join(''));
  const begun = await send('POST', '/upload/bigquery/v2/projects/p/jobs?alt=json&uploadType=resumable', jobConfiguration(load, 'load_1'),
    { 'X-Upload-Content-Type': 'application/octet-stream', 'X-Upload-Content-Length': String(file.length) });
  assert.equal(begun.status, 200);
  const location = begun.headers.get('location');
  const done = await send('PUT', location, file, { 'content-type': 'application/octet-stream',
    'Content-Range': `bytes 0-${file.length - 1}/${file.length}` });
  assert.equal(done.status, 200);
  const job = await wait(done.body);
  assert.equal(job.status.errorResult, undefined);
  assert.equal(job.statistics.load.outputRows, '1000');
  has(job.statistics.load, 'inputFiles', 'inputFileBytes', 'outputBytes');
  has(job.statistics, 'creationTime', 'startTime', 'endTime');
});

test('load of a large file: 308 and its range after every part but the last, and an upload asked how far it is', options, async () => {
  const part = 256 * 1024;
  const file = Buffer.alloc(2 * part + 100, '7,x\n');
  const begun = await send('POST', '/upload/bigquery/v2/projects/p/jobs?alt=json&uploadType=resumable', jobConfiguration(load, 'load_2'),
    { 'X-Upload-Content-Type': 'application/octet-stream', 'X-Upload-Content-Length': String(file.length) });
  const location = begun.headers.get('location');
  const put = (from, to) => send('PUT', location, file.subarray(from, to), { 'content-type': 'application/octet-stream',
    'Content-Range': `bytes ${from}-${to - 1}/${file.length}` });
  const first = await put(0, part);
  assert.equal(first.status, 308);
  assert.equal(first.headers.get('range'), `bytes=0-${part - 1}`);
  const asked = await send('PUT', location, undefined, { 'Content-Range': `bytes */${file.length}`, 'content-length': '0' });
  assert.equal(asked.status, 308);
  assert.equal(asked.headers.get('range'), `bytes=0-${part - 1}`);
  assert.equal((await put(part, 2 * part)).status, 308);
  const last = await put(2 * part, file.length);
  assert.equal(last.status, 200);
  assert.equal((await wait(last.body)).statistics.load.outputRows, String(file.length / 4));
});

test('load --enable_resumable_uploads=false: multipart with a quoted boundary and bare line feeds', options, async () => {
  const boundary = '===============7330845974216740156==';
  const body = `--${boundary}\nContent-Type: application/json\nMIME-Version: 1.0\n\n${JSON.stringify(jobConfiguration(load, 'load_3'))}\n` +
    `--${boundary}\nContent-Type: application/octet-stream\nMIME-Version: 1.0\nContent-Transfer-Encoding: binary\n\n5001,multi\n5002,part\n` +
    `\n--${boundary}--`;
  const job = await wait(await ok('POST', '/upload/bigquery/v2/projects/p/jobs?alt=json&uploadType=multipart', body,
    { 'content-type': `multipart/related; boundary="${boundary}"` }));
  assert.equal(job.status.errorResult, undefined);
  assert.equal(job.statistics.load.outputRows, '2');
});

test('load as Node\'s client sends it: chunked multipart, the boundary unquoted', options, async () => {
  const boundary = '0b9c5b9e-5a9d-4d51-8c1c-1f0d2d3a8b11';
  const answer = await new Promise((resolve, reject) => {
    const request = http.request(`${server.endpoint}/upload/bigquery/v2/projects/p/jobs?uploadType=multipart&prettyPrint=false`, { method: 'POST',
      headers: { 'content-type': `multipart/related; boundary=${boundary}`, 'transfer-encoding': 'chunked' } }, (response) => {
      let text = '';
      response.on('data', (data) => { text += data; }).on('end', () => resolve(JSON.parse(text)));
    });
    request.on('error', reject);
    request.write(`--${boundary}\r\nContent-Type: application/json\r\n\r\n`);
    request.write(JSON.stringify(jobConfiguration(load, 'load_4')));
    request.write(`\r\n--${boundary}\r\nContent-Type: application/octet-stream\r\n\r\n`);
    request.write('6001,chunk');
    request.write('ed\n6002,too\n');
    request.end(`\r\n--${boundary}--`);
  });
  assert.equal((await wait(answer)).statistics.load.outputRows, '2');
});

test('a failed load tells every error, and the job keeps them', options, async () => {
  const boundary = '===b==';
  const body = `--${boundary}\nContent-Type: application/json\n\n${JSON.stringify(jobConfiguration(load, 'load_bad'))}\n` +
    `--${boundary}\nContent-Type: application/octet-stream\n\nnot a number,x\n\n--${boundary}--`;
  const job = await wait(await ok('POST', '/upload/bigquery/v2/projects/p/jobs?alt=json&uploadType=multipart', body,
    { 'content-type': `multipart/related; boundary="${boundary}"` }));
  assert.equal(job.status.errorResult.reason, 'invalid');
  has(job.status.errors[0], 'reason', 'message');
});

test('query: the job, its state, its results from an index', options, async () => {
  const job = await wait(await ok('POST', `${root}/jobs?alt=json`, jobConfiguration({ query: { query: 'SELECT id, name FROM d.t WHERE id >= 5001 ORDER BY id',
    useLegacySql: false, allowLargeResults: false } }, 'bqjob_r1_1')));
  has(job.configuration.query, 'query');
  has(job.statistics.query, 'totalBytesProcessed', 'statementType', 'cacheHit');
  const { location } = job.jobReference;
  const results = await ok('GET', `${root}/queries/bqjob_r1_1?location=${location}&maxResults=100&timeoutMs=0&startIndex=0&alt=json`);
  assert.equal(results.jobComplete, true);
  has(results, 'schema', 'totalRows', 'jobReference', 'rows');
  assert.deepEqual(results.rows.map(({ f }) => f.map(({ v }) => v)), [['5001', 'multi'], ['5002', 'part'], ['6001', 'chunked'], ['6002', 'too']]);
  const legacy = await send('POST', `${root}/jobs?alt=json`, jobConfiguration({ query: { query: 'SELECT 1', useLegacySql: true } }, 'bqjob_r1_2'));
  assert.match(JSON.stringify(legacy.body), /[Ll]egacy SQL/);
});

test('query of DML and of wrong SQL', options, async () => {
  const job = await wait(await ok('POST', `${root}/jobs?alt=json`, jobConfiguration({ query: { query: 'DELETE FROM d.t WHERE id = 6002', useLegacySql: false } }, 'bqjob_r2_1')));
  assert.equal(job.statistics.query.numDmlAffectedRows, '1');
  assert.equal(job.statistics.query.statementType, 'DELETE');
  const results = await ok('GET', `${root}/queries/bqjob_r2_1?location=${job.jobReference.location}&maxResults=100&timeoutMs=0&startIndex=0&alt=json`);
  assert.equal(results.jobComplete, true);
  const wrong = await send('POST', `${root}/jobs?alt=json`, jobConfiguration({ query: { query: 'SELEC', useLegacySql: false } }, 'bqjob_r2_2'));
  if (wrong.status === 200) assert.equal((await wait(wrong.body)).status.errorResult.reason, 'invalidQuery');
  else assertError(wrong, 400, 'invalidQuery');
});

test('query --dry_run: bytes, and nothing runs', options, async () => {
  const job = await ok('POST', `${root}/jobs?alt=json`, { configuration: { dryRun: true, query: { query: 'SELECT id FROM d.t', useLegacySql: false } },
    jobReference: { projectId: 'p' } });
  assert.match(job.statistics.query.totalBytesProcessed, /^\d+$/);
  has(job.statistics.query, 'schema', 'statementType', 'referencedTables');
  assert.equal(job.status.state, 'DONE');
});

test('head: the first rows, then the schema', options, async () => {
  const answer = await ok('GET', `${root}/datasets/d/tables/t/data?alt=json&maxResults=5&startIndex=0`);
  assert.equal(answer.rows.length, 5);
  has(answer, 'totalRows', 'kind', 'etag');
  has((await ok('GET', `${root}/datasets/d/tables/t?alt=json`)).schema, 'fields');
});

test('insert: nulls for its options, no insertId', options, async () => {
  const answer = await ok('POST', `${root}/datasets/d/tables/t/insertAll?alt=json`, { skipInvalidRows: null, ignoreUnknownValues: null,
    templateSuffix: null, rows: [{ json: { id: 7001, name: 'inserted' } }] });
  assert.equal(answer.kind, 'bigquery#tableDataInsertAllResponse');
  assert.equal(answer.insertErrors, undefined);
  const bad = await ok('POST', `${root}/datasets/d/tables/t/insertAll?alt=json`, { skipInvalidRows: null, ignoreUnknownValues: null,
    templateSuffix: null, rows: [{ json: { id: 'x' } }] });
  has(bad.insertErrors[0], 'index', 'errors');
  has(bad.insertErrors[0].errors[0], 'reason', 'message', 'location');
});

test('cp -f: the dataset twice, then a copy job', options, async () => {
  await ok('GET', `${root}/datasets/d?accessPolicyVersion=3&alt=json`);
  await ok('GET', `${root}/datasets/d?accessPolicyVersion=3&alt=json`);
  const job = await wait(await ok('POST', `${root}/jobs?alt=json`, jobConfiguration({ copy: { sourceTables: [{ projectId: 'p', datasetId: 'd', tableId: 't' }],
    destinationTable: { projectId: 'p', datasetId: 'd', tableId: 't2' }, writeDisposition: 'WRITE_TRUNCATE', createDisposition: 'CREATE_IF_NEEDED' } }, 'bqjob_cp')));
  assert.equal(job.status.errorResult, undefined);
  assert.equal((await ok('GET', `${root}/datasets/d/tables/t2?alt=json`)).numRows, (await ok('GET', `${root}/datasets/d/tables/t?alt=json`)).numRows);
});

test('update of a table: a patch whose schema is null changes no schema', options, async () => {
  const table = await ok('PATCH', `${root}/datasets/d/tables/t2?autodetect_schema=false&alt=json`,
    { tableReference: { projectId: 'p', datasetId: 'd', tableId: 't2' }, description: 'copied', schema: null, labels: { team: 'a' } });
  assert.equal(table.description, 'copied');
  assert.equal(table.schema.fields.length, 2);
  assert.deepEqual(table.labels, { team: 'a' });
});

test('update --source of a dataset: read, then patched under If-Match', options, async () => {
  const dataset = await ok('GET', `${root}/datasets/d?accessPolicyVersion=3&alt=json`);
  const access = [...dataset.access, { role: 'READER', userByEmail: 'reader@example.com' }];
  const patched = await ok('PATCH', `${root}/datasets/d?accessPolicyVersion=3&alt=json`, { access, datasetReference: dataset.datasetReference },
    { 'if-match': dataset.etag });
  assert.ok(patched.access.some((entry) => entry.userByEmail === 'reader@example.com'));
  assertError(await send('PATCH', `${root}/datasets/d?accessPolicyVersion=3&alt=json`, { access, datasetReference: dataset.datasetReference },
    { 'if-match': dataset.etag }), 412, 'conditionNotMet');
});

test('get-iam-policy, set-iam-policy: no discovery, straight to the table', options, async () => {
  const policy = await ok('POST', `${root}/datasets/d/tables/t:getIamPolicy?alt=json`, { options: { requestedPolicyVersion: 3 } });
  has(policy, 'etag');
  const set = await ok('POST', `${root}/datasets/d/tables/t:setIamPolicy?alt=json`,
    { policy: { ...policy, bindings: [{ role: 'roles/bigquery.dataViewer', members: ['user:a@example.com'] }] } });
  assert.equal(set.bindings[0].members[0], 'user:a@example.com');
});

test('ls -j: the jobs, newest first, with what the listing prints', options, async () => {
  const { jobs } = await ok('GET', `${root}/jobs?projection=full&maxResults=3&alt=json`);
  assert.equal(jobs.length, 3);
  for (const job of jobs) {
    has(job, 'id', 'kind', 'jobReference', 'state', 'statistics', 'configuration', 'status', 'user_email');
    has(job.statistics, 'creationTime', 'startTime', 'endTime');
    has(job.configuration, 'jobType');
  }
  const times = jobs.map((job) => Number(job.statistics.creationTime));
  assert.deepEqual(times, times.toSorted((a, b) => b - a));
});

test('cancel and show -j', options, async () => {
  const cancelled = await ok('POST', `${root}/jobs/bqjob_cp/cancel?alt=json`);
  has(cancelled.job, 'id', 'status');
  has(await ok('GET', `${root}/jobs/bqjob_cp?alt=json`), 'id', 'jobReference', 'status', 'statistics', 'configuration', 'user_email');
});

test('rm -t and rm -r -d', options, async () => {
  assert.equal((await send('DELETE', `${root}/datasets/d/tables/t2?alt=json`)).status, 204);
  assertError(await send('DELETE', `${root}/datasets/d?deleteContents=false&alt=json`), 400, 'resourceInUse');
  assert.equal((await send('DELETE', `${root}/datasets/d?deleteContents=true&alt=json`)).status, 204);
  assertError(await send('DELETE', `${root}/datasets/d?deleteContents=true&alt=json`), 404, 'notFound');
});
