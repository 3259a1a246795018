// Requests to the local BigQuery with bytes of them changed, over REST, gRPC, the token and the metadata endpoint: it must
// not end, not hang, and not grow. A seed repeats a run's requests.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import grpc from '@grpc/grpc-js';
import { project } from './clients.mjs';
import { call } from './identities.mjs';

const v2 = `/bigquery/v2/projects/${project}`;
const mostMegabytes = 200;
const longestAnswerMs = 20000;  // of a question that anybody may ask, on a machine that does something else

// Numbers from a seed (mulberry32).
export function makeRandom(seed) {
  let state = seed >>> 0;
  const next = () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return (t ^ (t >>> 14)) >>> 0;
  };
  return { next, below: (limit) => next() % limit, pick: (list) => list[next() % list.length] };
}

const nasty = ['\0', '\r\n', '\r\n\r\n', '%00', '%', '\xff\xfe', '"', '\\', '{', '[', '}', '9'.repeat(400), '-1', '1e999', 'null', '../', '${x}', '<!--', "'", '`', ';', 'A'.repeat(5000),
  '[['.repeat(300), '{"a":'.repeat(300), '(', '('.repeat(400), ' UNION ALL SELECT 1', ' OR 1', '\u2028', '\ud800'];

// `bytes` with up to eight changes.
export function mutate(bytes, random) {
  let result = Buffer.from(bytes);
  for (let left = 1 + random.below(8); left > 0; --left) {
    const at = random.below(result.length + 1);
    const more = () => Buffer.from(random.pick(nasty), 'latin1');
    const length = random.below(Math.min(40, result.length - at) + 1);
    const kind = random.below(7);
    if (kind === 0 && at < result.length) result[at] ^= 1 << random.below(8);
    else if (kind === 1 && at < result.length) result[at] = random.below(256);
    else if (kind === 2) result = Buffer.concat([result.subarray(0, at), result.subarray(at + length)]);
    else if (kind === 3) result = Buffer.concat([result.subarray(0, at), more(), result.subarray(at)]);
    else if (kind === 4) result = Buffer.concat([result.subarray(0, at + length), result.subarray(at)]);
    else if (kind === 5) result = result.subarray(0, at);
    else if (result.length > 8) result.writeUInt32BE(random.pick([0, 1, 0x7fffffff, 0xffffffff, 0x00ffffff]), Math.min(at, result.length - 4));
  }
  return result;
}

// What is sent, unchanged: a request of each kind. `token`: one that may do everything.
function requests(token) {
  const json = (method, path, body, more = '') => {
    const text = body === undefined ? '' : typeof body === 'string' ? body : JSON.stringify(body);
    return Buffer.from(`${method} ${path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer ${token}\r\nContent-Type: application/json\r\n${more}Content-Length: ${Buffer.byteLength(text)}\r\nConnection: close\r\n\r\n${text}`);
  };
  const query = (sql, more = {}) => json('POST', `${v2}/queries`, { query: sql, useLegacySql: false, timeoutMs: 500, jobTimeoutMs: 2000, ...more });
  const form = (path, fields) => {
    const text = new URLSearchParams(fields).toString();
    return Buffer.from(`POST ${path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: ${text.length}\r\nConnection: close\r\n\r\n${text}`);
  };
  const schema = { fields: [{ name: 'id', type: 'INTEGER', mode: 'REQUIRED' }, { name: 'r', type: 'RECORD', mode: 'REPEATED', fields: [{ name: 'n', type: 'NUMERIC', precision: 10, scale: 2 }] }, { name: 'j', type: 'JSON' }] };
  const multipart = `--b\r\nContent-Type: application/json\r\n\r\n${JSON.stringify({ configuration: { load: { destinationTable: { projectId: project, datasetId: 'fuzz', tableId: 'loaded' }, sourceFormat: 'NEWLINE_DELIMITED_JSON', autodetect: true, writeDisposition: 'WRITE_TRUNCATE' } } })}\r\n--b\r\nContent-Type: */*\r\n\r\n{"id": 1, "r": [{"n": 1.5}]}\r\n--b--\r\n`;
  return [
    json('GET', `${v2}/datasets?maxResults=3&all=true`), json('GET', `${v2}/datasets/fuzz/tables/t`), json('GET', `${v2}/datasets/fuzz/tables/t/data?startIndex=0&maxResults=10`),
    json('POST', `${v2}/datasets/fuzz/tables`, { tableReference: { projectId: project, datasetId: 'fuzz', tableId: 'made' }, schema, clustering: { fields: ['id'] }, timePartitioning: { type: 'DAY' }, labels: { a: 'b' } }),
    json('PATCH', `${v2}/datasets/fuzz/tables/t`, { schema, description: 'x', expirationTime: '4102444800000' }, 'If-Match: "x"\r\n'),
    json('POST', `${v2}/datasets/fuzz/tables/t/insertAll`, { rows: [{ insertId: 'a', json: { id: 1, r: [{ n: '1.25' }], j: { a: [1, null, { b: 'ж' }] } } }], skipInvalidRows: true }),
    json('POST', `${v2}/jobs`, { jobReference: { projectId: project, jobId: 'fuzzed' }, configuration: { jobTimeoutMs: '2000', query: { query: 'SELECT 1', useLegacySql: false, destinationTable: { projectId: project, datasetId: 'fuzz', tableId: 'answer' }, writeDisposition: 'WRITE_TRUNCATE' } } }),
    json('GET', `${v2}/queries/fuzzed?maxResults=1&location=US`),
    query("SELECT id, ARRAY(SELECT AS STRUCT n FROM UNNEST(r)) a, JSON_VALUE(j, '$.a[0]') v, FORMAT('%t %d', id, id) FROM fuzz.t WHERE id BETWEEN -1 AND 9 ORDER BY 1 LIMIT 5"),
    query("WITH RECURSIVE n AS (SELECT 1 AS i UNION ALL SELECT i + 1 FROM n WHERE i < 10) SELECT SUM(i) OVER (PARTITION BY MOD(i, 2) ORDER BY i ROWS 2 PRECEDING), LPAD(CAST(i AS STRING), 5, '0'), REGEXP_REPLACE('a1', r'[0-9]+', 'x') FROM n"),
    query("SELECT CAST('2024-02-29' AS DATE) + INTERVAL 1 DAY, TIMESTAMP '2024-01-01 00:00:00+09', NUMERIC '1.5' * 3, b'\\x00\\xff', STRUCT(1 AS a, [1, 2] AS b).b[OFFSET(0)], PARSE_JSON('{\"a\": 1}')"),
    query('MERGE fuzz.t t USING (SELECT 1 AS id) s ON t.id = s.id WHEN MATCHED THEN UPDATE SET j = NULL WHEN NOT MATCHED THEN INSERT (id) VALUES (s.id)'),
    query('CREATE OR REPLACE TABLE fuzz.ddl (id INT64 NOT NULL, s STRING(10) OPTIONS (description = "x"), PRIMARY KEY (id) NOT ENFORCED) PARTITION BY RANGE_BUCKET(id, GENERATE_ARRAY(0, 100, 10)) CLUSTER BY s'),
    query('SELECT @p, @q', { parameterMode: 'NAMED', queryParameters: [{ name: 'p', parameterType: { type: 'INT64' }, parameterValue: { value: '1' } }, { name: 'q', parameterType: { type: 'ARRAY', arrayType: { type: 'STRING' } }, parameterValue: { arrayValues: [{ value: 'x' }] } }] }),
    Buffer.from(`POST /upload${v2}/jobs?uploadType=multipart HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer ${token}\r\nContent-Type: multipart/related; boundary=b\r\nContent-Length: ${multipart.length}\r\nConnection: close\r\n\r\n${multipart}`),
    form('/token', { grant_type: 'urn:ietf:params:oauth:grant-type:jwt-bearer', assertion: 'eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiJhIn0.AAAA' }),
    form('/token', { grant_type: 'refresh_token', refresh_token: 'ana-refresh', client_id: 'local-client', client_secret: 'local-secret' }),
    form('/v1/token', { grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange', audience: '//iam.googleapis.com/x', subject_token_type: 'urn:ietf:params:oauth:token-type:jwt', subject_token: 'a.b.c', requested_token_type: 'urn:ietf:params:oauth:token-type:access_token' }),
    Buffer.from('GET /computeMetadata/v1/instance/service-accounts/default/token?scopes=a,b HTTP/1.1\r\nHost: 127.0.0.1\r\nMetadata-Flavor: Google\r\nConnection: close\r\n\r\n'),
    Buffer.from('PUT /latest/api/token HTTP/1.1\r\nHost: 127.0.0.1\r\nX-aws-ec2-metadata-token-ttl-seconds: 300\r\nContent-Length: 0\r\nConnection: close\r\n\r\n'),
    json('POST', '/v1/projects/-/serviceAccounts/loader@hakobu-test.iam.gserviceaccount.com:generateAccessToken', { scope: ['https://www.googleapis.com/auth/cloud-platform'], lifetime: '300s' }),
  ];
}

// Bytes to the REST port on a connection of their own; ends when the server or a second does.
function sendRaw(port, bytes) {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => socket.end(bytes));
    socket.setTimeout(1000, () => socket.destroy());
    socket.on('data', () => {});
    socket.on('error', () => {});
    socket.on('close', resolve);
  });
}

// gRPC calls whose messages are any bytes.
const passed = { requestSerialize: (bytes) => bytes, requestDeserialize: (bytes) => bytes, responseSerialize: (bytes) => bytes, responseDeserialize: (bytes) => bytes };
const method = (service, name, requestStream = false, responseStream = false) =>
  ({ [name]: { path: `/google.cloud.bigquery.storage.v1.${service}/${name}`, requestStream, responseStream, ...passed } });
const StorageClient = grpc.makeGenericClientConstructor({
  ...method('BigQueryWrite', 'CreateWriteStream'), ...method('BigQueryWrite', 'AppendRows', true, true), ...method('BigQueryWrite', 'GetWriteStream'),
  ...method('BigQueryWrite', 'FinalizeWriteStream'), ...method('BigQueryWrite', 'BatchCommitWriteStreams'), ...method('BigQueryWrite', 'FlushRows'),
  ...method('BigQueryRead', 'CreateReadSession'), ...method('BigQueryRead', 'ReadRows', false, true), ...method('BigQueryRead', 'SplitReadStream') }, 'storage');

// Protobuf by hand: fields of a number and bytes.
const field = (number, bytes) => Buffer.concat([Buffer.from([number << 3 | 2, ...varint(bytes.length)]), Buffer.from(bytes)]);
function varint(value) {
  const bytes = [];
  for (; value > 127; value = Math.floor(value / 128)) bytes.push(value % 128 | 128);
  return [...bytes, value];
}
const parent = `projects/${project}/datasets/fuzz/tables/t`;
const descriptor = Buffer.concat([field(1, 'Row'), field(2, Buffer.concat([field(1, 'id'), Buffer.from([0x18, 1, 0x20, 1, 0x28, 3])])), field(2, Buffer.concat([field(1, 'j'), Buffer.from([0x18, 2, 0x20, 1, 0x28, 9])]))]);
const row = Buffer.concat([Buffer.from([8, 7]), field(2, '{"a": 1}')]);
const messages = {
  CreateWriteStream: [Buffer.concat([field(1, parent), field(2, Buffer.from([0x10, 2]))])],
  GetWriteStream: [field(1, `${parent}/streams/_default`)],
  FinalizeWriteStream: [field(1, `${parent}/streams/x`)],
  BatchCommitWriteStreams: [Buffer.concat([field(1, parent), field(2, `${parent}/streams/x`)])],
  FlushRows: [Buffer.concat([field(1, `${parent}/streams/x`), field(2, Buffer.from([8, 1]))])],
  CreateReadSession: [Buffer.concat([field(1, `projects/${project}`), field(2, Buffer.concat([Buffer.from([0x18, 2]), field(6, parent)])), Buffer.from([0x18, 1])])],
  ReadRows: [field(1, `projects/${project}/locations/us/sessions/x/streams/y`)],
  SplitReadStream: [field(1, `projects/${project}/locations/us/sessions/x/streams/y`)],
  AppendRows: [Buffer.concat([field(1, `${parent}/streams/_default`), field(4, Buffer.concat([field(1, field(1, descriptor)), field(2, Buffer.concat([field(1, row), field(1, row)]))]))])],
};

function callMutated(client, name, bytes, token) {
  return new Promise((resolve) => {
    const metadata = new grpc.Metadata();
    metadata.set('authorization', `Bearer ${token}`);
    const options = { deadline: Date.now() + 2000 };
    const streams = name === 'AppendRows' || name === 'ReadRows';
    if (!streams) return client[name](bytes, metadata, options, () => resolve());
    const stream = name === 'AppendRows' ? client.AppendRows(metadata, options) : client.ReadRows(bytes, metadata, options);
    stream.on('data', () => {});
    stream.on('error', () => {});
    stream.on('status', () => resolve());
    if (name === 'AppendRows') {
      stream.write(bytes);
      stream.end();
    }
  });
}

export function residentMegabytes(pid, key = 'VmRSS') {
  return Number(new RegExp(`^${key}:\\s+(\\d+) kB`, 'm').exec(readFileSync(`/proc/${pid}/status`, 'utf8'))[1]) / 1024;
}

// Sends for `seconds`, or `count` requests: { sent, megabytes }. `server`: startWithIdentities, owner-token may do everything.
export async function fuzzLocalBigquery(server, { seed, seconds = Infinity, count = Infinity, parallel = 4 }) {
  const token = 'owner-token';
  const random = makeRandom(seed);
  await call(server, 'POST', `${v2}/datasets`, { token, body: { datasetReference: { datasetId: 'fuzz' }, location: 'US' } });
  const table = await call(server, 'POST', `${v2}/datasets/fuzz/tables`, { token, body: { tableReference: { projectId: project, datasetId: 'fuzz', tableId: 't' },
    schema: { fields: [{ name: 'id', type: 'INTEGER' }, { name: 'r', type: 'RECORD', mode: 'REPEATED', fields: [{ name: 'n', type: 'NUMERIC' }] }, { name: 'j', type: 'JSON' }] } } });
  assert.ok([200, 409].includes(table.status), JSON.stringify(table.body));
  const corpus = requests(token);
  const client = new StorageClient(`127.0.0.1:${server.grpcPort}`, grpc.credentials.createInsecure());
  const names = Object.keys(messages);
  const until = Date.now() + seconds * 1000;
  let sent = 0, megabytes = 0;
  // A question that anybody may ask is answered: a connection that was kept may be cut once.
  const ask = async () => {
    for (let attempt = 0; ; ++attempt) {
      try { return (await call(server, 'GET', `${v2}/datasets`, { token })).status; } catch (error) {
        await Promise.race([server.exited, sleep(500)]);
        if (attempt === 2 || !server.alive) return `${error.cause ?? error}`;
      }
    }
  };
  const look = async () => {
    const begun = Date.now();
    const status = await Promise.race([ask(), sleep(longestAnswerMs, 'no answer', { ref: false })]);
    assert.ok(server.alive, `seed ${seed}: it ended after ${sent} requests\n${server.output.slice(-3000)}`);
    assert.equal(status, 200, `seed ${seed}: after ${sent} requests and ${Date.now() - begun} ms\n${server.output.slice(-1000)}`);
    megabytes = residentMegabytes(server.pid);
    assert.ok(megabytes < mostMegabytes, `seed ${seed}: ${megabytes} MB after ${sent} requests`);
  };
  try {
    while (sent < count && Date.now() < until) {
      // Of one seed all are the same, whoever is faster.
      const batch = [];
      for (let i = 0; i < parallel * 8; ++i) {
        const kind = random.below(10);
        if (kind < 6) batch.push(sendRaw(server.restPort, mutate(random.pick(corpus), random)));
        else if (kind < 9) {
          const name = random.pick(names);
          batch.push(callMutated(client, name, mutate(messages[name][0], random), token));
        } else {
          // HTTP/2 itself: the preface, SETTINGS, and a HEADERS frame, with changes.
          const frames = Buffer.concat([Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'), Buffer.from([0, 0, 0, 4, 0, 0, 0, 0, 0]), Buffer.from([0, 0, 5, 1, 5, 0, 0, 0, 1, 0x82, 0x86, 0x84, 0x41, 0x8a])]);
          batch.push(sendRaw(server.grpcPort, mutate(frames, random)));
        }
      }
      sent += batch.length;
      await Promise.all(batch);
      await look();
    }
  } finally {
    client.close();
  }
  return { sent, megabytes, peak: residentMegabytes(server.pid, 'VmHWM') };
}
