// The local BigQuery among strangers: a page in a browser, half a request, a request that is all header, a body without an end.
import assert from 'node:assert/strict';
import { createSign } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { test } from 'node:test';
import { bigqueryClient, project } from '../harness/clients.mjs';
import { call, loader, owner, startWithIdentities } from '../harness/identities.mjs';
import { startBigquery } from '../harness/servers.mjs';

const datasets = `/bigquery/v2/projects/${project}/datasets`;

// Sends text on a connection of its own; what is answered until the server ends it, or `until` matches.
function raw(server, text, { until } = {}) {
  const { hostname, port } = new URL(server.endpoint);
  return new Promise((resolve) => {
    const socket = connect(Number(port), hostname, () => socket.write(text));
    let answer = '';
    socket.on('data', (piece) => {
      answer += piece;
      if (until?.test(answer)) socket.destroy();
    });
    socket.on('error', () => {});
    socket.on('close', () => resolve(answer));
  });
}
const isAlive = async (server, token) => assert.equal((await call(server, 'GET', datasets, { token })).status, 200);

test('without --auth only this machine is answered: Host, Origin and content type are checked', async (t) => {
  const server = await startBigquery({ test: t });
  const port = new URL(server.endpoint).port;
  const body = JSON.stringify({ datasetReference: { datasetId: 'stolen' } });
  const post = (headers) => raw(server,
    `POST ${datasets} HTTP/1.1\r\n${headers.join('\r\n')}\r\nContent-Length: ${body.length}\r\nConnection: close\r\n\r\n${body}`);
  const json = 'Content-Type: application/json';
  for (const host of ['evil.com', `evil.com:${port}`, `127.0.0.1.evil.com:${port}`, '10.0.0.1', 'localhost.evil.com']) {
    assert.match(await post([`Host: ${host}`, json]), /^HTTP\/1\.1 403 /, host);
  }
  for (const origin of ['https://evil.com', 'null', 'http://127.0.0.1.evil.com', 'http://127.0.0.1@evil.com']) {
    assert.match(await post([`Host: 127.0.0.1:${port}`, json, `Origin: ${origin}`]), /^HTTP\/1\.1 403 /, origin);
  }
  for (const type of ['text/plain', 'text/plain;charset=UTF-8', 'TEXT/PLAIN', 'multipart/form-data; boundary=x', 'application/x-www-form-urlencoded']) {
    assert.match(await post([`Host: 127.0.0.1:${port}`, `Content-Type: ${type}`]), /^HTTP\/1\.1 415 /, type);
  }
  assert.match(await raw(server, `POST /hakobu/v1/faults HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: text/plain\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}`), /^HTTP\/1\.1 415 /);
  assert.deepEqual((await bigqueryClient(server).getDatasets())[0].map(({ id }) => id), []);
  for (const host of [`localhost:${port}`, `[::1]:${port}`, '127.0.0.1']) {
    assert.match(await post([`Host: ${host}`, json, `Origin: http://localhost:${port}`]), /^HTTP\/1\.1 (200|409) /, host);
  }
});

test('requests that are too long, too deep or no HTTP are refused, and the server goes on', async (t) => {
  const server = await startBigquery({ test: t });
  const head = (more) => `GET ${datasets} HTTP/1.1\r\nHost: localhost\r\n${more}\r\n\r\n`;
  assert.match(await raw(server, head(`X-Long: ${'a'.repeat(1_000_000)}`)), /^HTTP\/1\.1 431 /);
  assert.match(await raw(server, head(Array.from({ length: 20_000 }, (unused, at) => `X-${at}: 1`).join('\r\n'))), /^HTTP\/1\.1 431 /);
  assert.match(await raw(server, '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n'), /^HTTP\/1\.1 400 /);
  const sized = (length) => `POST ${datasets} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: ${length}\r\n\r\n`;
  assert.match(await raw(server, sized(17_179_869_184)), /^HTTP\/1\.1 413 /);
  const deep = (open, close) => `{"a":${open.repeat(100_000)}${close.repeat(100_000)}}`;
  for (const body of [deep('[', ']'), deep('{"a":', '}'), '['.repeat(100_000)]) {
    const refused = await fetch(server.endpoint + datasets, { method: 'POST', headers: { 'content-type': 'application/json' }, body });
    assert.equal(refused.status, 400);
    assert.match((await refused.json()).error.message, /nested too deep/);
  }
  await isAlive(server);
});

test('half requests and idle connections hold nobody up', async (t) => {
  const server = await startBigquery({ test: t });
  const { hostname, port } = new URL(server.endpoint);
  const half = [];
  t.after(() => half.forEach((socket) => socket.destroy()));
  for (let at = 0; at < 400; ++at) {
    const socket = connect(Number(port), hostname);
    socket.on('error', () => {});
    await new Promise((resolve) => socket.once('connect', resolve));
    if (at % 2) socket.write(`POST ${datasets} HTTP/1.1\r\nHost: localhost\r\nContent-Le`);
    half.push(socket);
  }
  for (let at = 0; at < 20; ++at) await isAlive(server);
});

test('with --auth nobody is asked for a body before he has shown who he is', async (t) => {
  const server = await startWithIdentities(t);
  for (const path of [datasets, `/upload/bigquery/v2/projects/${project}/jobs?uploadType=resumable`, '/hakobu/v1/faults']) {
    const headers = `POST ${path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 1000000\r\n`;
    assert.match(await raw(server, `${headers}\r\n`, { until: /Login Required|authError/ }), /^HTTP\/1\.1 401 /, path);
    assert.match(await raw(server, `${headers}Expect: 100-continue\r\n\r\n`, { until: /\r\n\r\n/ }), /^HTTP\/1\.1 401 /, path);
  }
  const bomb = `{"a":${'['.repeat(200_000)}`;
  const response = await fetch(server.endpoint + datasets, { method: 'POST', headers: { 'content-type': 'application/json' }, body: bomb });
  assert.equal(response.status, 401);
  await isAlive(server, 'owner-token');
});

test('the faults endpoint asks for a token that may change things', async (t) => {
  const server = await startWithIdentities(t);
  assert.equal((await call(server, 'GET', '/hakobu/v1/faults')).status, 401);
  assert.equal((await call(server, 'POST', '/hakobu/v1/faults', { body: { quotas: 'real' } })).status, 401);
  assert.equal((await call(server, 'DELETE', '/hakobu/v1/faults', { token: 'nonsense' })).status, 401);
  assert.equal((await call(server, 'GET', '/hakobu/v1/faults', { token: 'owner-token' })).status, 200);
});

test('policies are not reachable through a table\'s resource, and PUT keeps them', async (t) => {
  const server = await startWithIdentities(t);
  const token = 'owner-token', path = `${datasets}/d/tables/t`;
  const made = async (...step) => { const done = await call(server, ...step); assert.ok(done.status < 300, JSON.stringify(done.body)); return done.body; };
  await made('POST', datasets, { token, body: { datasetReference: { datasetId: 'd' } } });
  const schema = { fields: [{ name: 'id', type: 'INTEGER' }] };
  await made('POST', `${datasets}/d/tables`, { token, body: { tableReference: { tableId: 't' }, schema, '~iamPolicy': { bindings: [{ role: 'roles/owner', members: ['user:bob@other.com'] }] } } });
  assert.equal((await call(server, 'GET', path, { token: 'bob-token' })).status, 403, 'a policy within an insert counts for nothing');
  await made('POST', `${path}/rowAccessPolicies`, { token, body: { rowAccessPolicyReference: { policyId: 'p' }, filterPredicate: 'id = 1', grantees: ['user:ana@example.com'] } });
  await made('POST', `${path}:setIamPolicy`, { token, body: { policy: { bindings: [{ role: 'roles/bigquery.dataViewer', members: ['user:ana@example.com'] }] } } });
  const policies = async () => [
    (await made('GET', `${path}/rowAccessPolicies`, { token })).rowAccessPolicies?.map((one) => one.filterPredicate),
    (await made('POST', `${path}:getIamPolicy`, { token, body: {} })).bindings];
  const before = await policies();
  assert.deepEqual(before[0], ['id = 1']);
  for (const body of [{ '~rowAccessPolicies': [] }, { '~iamPolicy': null }, { '~rowAccessPolicies': null, description: 'x' }]) {
    await made('PATCH', path, { token, body });
    assert.deepEqual(await policies(), before, `PATCH ${JSON.stringify(body)}`);
    await made('PUT', path, { token, body: { ...body, tableReference: { projectId: project, datasetId: 'd', tableId: 't' }, schema } });
    assert.deepEqual(await policies(), before, `PUT ${JSON.stringify(body)}`);
  }
});

test('a token for reading reads, whatever the statement', async (t) => {
  const server = await startWithIdentities(t);
  const minted = await call(server, 'POST', `/v1/projects/-/serviceAccounts/${loader}:generateAccessToken`, {
    token: 'ana-token', body: { scope: ['https://www.googleapis.com/auth/bigquery.readonly'] } });
  const mine = await call(server, 'POST', `/v1/projects/-/serviceAccounts/${owner}:generateAccessToken`, {
    token: 'owner-token', body: { scope: ['https://www.googleapis.com/auth/bigquery.readonly'] } });
  const token = (mine.status === 200 ? mine : minted).body.accessToken;
  assert.ok(token);
  const boss = { token: 'owner-token' };
  await call(server, 'POST', datasets, { ...boss, body: { datasetReference: { datasetId: 'd' } } });
  await call(server, 'POST', `${datasets}/d/tables`, { ...boss, body: { tableReference: { tableId: 't' }, schema: { fields: [{ name: 'id', type: 'INTEGER' }] } } });
  const query = (sql, as) => call(server, 'POST', `/bigquery/v2/projects/${project}/queries`, { token: as, body: { query: sql, useLegacySql: false } });
  for (const sql of ['DROP TABLE d.t', 'CREATE TABLE d.u (id INT64)', 'INSERT INTO d.t (id) VALUES (1)', 'DELETE FROM d.t WHERE TRUE',
    'CREATE SCHEMA e', 'TRUNCATE TABLE d.t', 'ALTER TABLE d.t ADD COLUMN x INT64']) {
    const refused = await query(sql, token);
    assert.equal(refused.status, 403, `${sql}: ${JSON.stringify(refused.body)}`);
  }
  assert.equal((await query('SELECT 1', token)).status, 200);
  assert.equal((await query('DROP TABLE d.t', 'owner-token')).status, 200);
});

test('a signed token is for exactly this service', async (t) => {
  const server = await startWithIdentities(t);
  const key = JSON.parse(readFileSync(server.keyFile(owner), 'utf8'));
  const part = (value) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const now = Math.floor(Date.now() / 1000);
  const signed = (aud) => {
    const text = `${part({ alg: 'RS256', typ: 'JWT', kid: key.private_key_id })}.${part({ iss: owner, sub: owner, aud, iat: now, exp: now + 600 })}`;
    return `${text}.${createSign('RSA-SHA256').update(text).sign(key.private_key, 'base64url')}`;
  };
  for (const aud of ['https://bigquery.googleapis.com/', 'https://bigquerystorage.googleapis.com/google.cloud.bigquery.storage.v1.BigQueryWrite', `${server.endpoint}/`]) {
    assert.equal((await call(server, 'GET', datasets, { token: signed(aud) })).status, 200, aud);
  }
  for (const aud of ['https://bigquery.googleapis.com.evil.com/', 'http://127.0.0.1.evil.com/', 'https://bigquery.googleapis.com@evil.com/', 'http://localhostage/', 'https://storage.googleapis.com/', '']) {
    assert.equal((await call(server, 'GET', datasets, { token: signed(aud) })).status, 401, aud);
  }
});
