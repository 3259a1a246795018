// What a request may make large, deep or endless in the local BigQuery: each is refused by name, soon, and the server goes on.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { project } from '../harness/clients.mjs';
import { startBigquery } from '../harness/servers.mjs';
import { residentMegabytes } from '../harness/wire_fuzz.mjs';

let server;
before(async () => { server = await startBigquery(); });
after(async () => { await server?.stop(); });

const soonMs = 60000;  // some hundred milliseconds on a machine that does nothing else
async function call(method, path, body) {
  const response = await fetch(`${server.endpoint}/bigquery/v2/projects/${project}${path}`, { method, headers: { 'content-type': 'application/json' }, body: body && JSON.stringify(body) });
  return { status: response.status, body: await response.json() };
}
async function query(sql, more = {}) {
  const begun = Date.now();
  const answer = await call('POST', '/queries', { query: sql, useLegacySql: false, timeoutMs: soonMs, ...more });
  assert.ok(server.alive, `it ended: ${sql.slice(0, 200)}\n${server.output.slice(-2000)}`);
  assert.ok(Date.now() - begun < soonMs, `${Date.now() - begun} ms: ${sql.slice(0, 200)}`);
  return answer;
}
const refused = async (sql, pattern) => {
  const { status, body } = await query(sql);
  assert.equal(status, 400, `${sql.slice(0, 200)}: ${JSON.stringify(body).slice(0, 500)}`);
  assert.match(body.error.message, pattern, sql.slice(0, 200));
};
const value = async (sql) => {
  const { status, body } = await query(sql);
  assert.equal(status, 200, `${sql.slice(0, 200)}: ${JSON.stringify(body).slice(0, 500)}`);
  return body.rows[0].f[0].v;
};
const times = (count, piece, between = '') => Array.from({ length: count }, (unused, at) => (typeof piece === 'function' ? piece(at) : piece)).join(between);

test('texts that are made longer than a megabyte are refused', async () => {
  for (const [sql, name] of [["REPEAT('abc', 1000000000)", 'REPEAT'], ["REPEAT('a', 1048577)", 'REPEAT'], ["REPEAT(REPEAT('a', 1000000), 1000000)", 'REPEAT'], ["LPAD('a', 1000000000, 'x')", 'LPAD'],
    ["RPAD('a', 1000000000)", 'RPAD'], ["LPAD('a', 1000000, '漢')", 'LPAD'], ["REPLACE(REPEAT('a', 1000000), 'a', REPEAT('b', 1000000))", 'REPLACE']]) {
    await refused(`SELECT LENGTH(${sql})`, new RegExp(`Output of ${name} exceeds max allowed output size of 1MB`));
  }
  assert.equal(await value("SELECT LENGTH(REPEAT('a', 1048576))"), '1048576');
  assert.equal(await value("SELECT CONCAT(LPAD('é', 4, '漢字'), '|', RPAD('abc', 2), '|', LPAD('abc', 0), '|', REPEAT('ab', 0), '|', REPEAT('', 1000000000), '|', REPLACE('aXbX', 'X', 'yy'))"),
    '漢字漢é|ab||||ayybyy');
  await refused("SELECT LPAD('a', -15)", /cannot be negative/);
  await refused("SELECT RPAD('a', 5, '')", /cannot be empty/);
  await refused("SELECT REPEAT('a', -1)", /cannot be negative/);
});

test('deep and long statements are answered or refused, and nothing ends', async () => {
  assert.equal(await value(`SELECT COUNT(*) FROM (${times(1500, 'SELECT 1', ' UNION ALL ')})`), '1500');
  assert.equal(await value(`SELECT COUNT(*) FROM (${times(1000, (at) => `SELECT ${at % 7}`, ' UNION DISTINCT ')})`), '7');
  await refused(times(5000, 'SELECT 1', ' UNION ALL '), /too complex/);
  assert.equal(await value(`SELECT ${times(4000, 'TRUE', ' AND ')}`), 'true');
  assert.equal(await value(`SELECT ${times(4000, (at) => `1 = ${at + 2}`, ' OR ')}`), 'false');
  assert.equal(await value(`SELECT ${times(300, '1', ' + ')}`), '300');
  for (const operator of ['+', '-', '*', '||', '<<', '|', '/']) await refused(`SELECT ${times(4000, operator === '||' ? "'a'" : '1', ` ${operator} `)}`, /too complex/);
  for (const [open, core, close] of [['(', '1', ')'], ['(SELECT ', '1', ')'], ['ABS(', '1', ')'], ['-(', '1', ')'], ['NOT ', 'TRUE', ''], ['[', '1', ']'], ['STRUCT(', '1', ')'], ['CASE WHEN TRUE THEN ', '1', ' END'],
    ['IF(TRUE, ', '1', ', 2)'], ['CAST(', '1', ' AS INT64)'], ['EXISTS(SELECT ', '1', ')']]) {
    await refused(`SELECT ${open.repeat(5000)}${core}${close.repeat(5000)}`, /nest|complex|too/i);
  }
  await refused(`SELECT 1 FROM ${'('.repeat(3000)}SELECT 1${')'.repeat(3000)}`, /nest|complex/i);
  await refused(`SELECT x${'.a'.repeat(5000)} FROM (SELECT 1 AS x)`, /complex|Cannot access/);
  await refused(`SELECT x IS NULL${' IS NULL'.repeat(5000)} FROM (SELECT 1 AS x)`, /complex/);
  await refused(`SELECT 1 FROM ${times(3000, (at) => `(SELECT 1 AS a) t${at}`, ' CROSS JOIN ')}`, /complex/);
  await refused(`CREATE TABLE d.t (x ${'STRUCT<a '.repeat(3000)}INT64${'>'.repeat(3000)})`, /nest|complex/i);
  await refused(`SELECT CAST(NULL AS ${'ARRAY<STRUCT<a '.repeat(3000)}INT64${'>>'.repeat(3000)})`, /nest|complex/i);
  // Values of JSON that are deep.
  for (const sql of [`SELECT PARSE_JSON('${'['.repeat(100000)}${']'.repeat(100000)}')`, `SELECT PARSE_JSON(CONCAT(REPEAT('{"a":', 100000), '1', REPEAT('}', 100000)))`,
    `SELECT JSON_VALUE(CONCAT(REPEAT('[', 200000), REPEAT(']', 200000)), '$')`, `SELECT TO_JSON_STRING(PARSE_JSON(CONCAT(REPEAT('[', 100000), REPEAT(']', 100000))))`]) {
    const { status } = await query(sql);
    assert.ok([200, 400].includes(status), `${status}`);
  }
  assert.equal(await value('SELECT 1'), '1');
});

test('a recursion without an end ends, and so does a job whose time is over', async () => {
  await refused('WITH RECURSIVE n AS (SELECT 1 AS i UNION ALL SELECT i + 1 FROM n) SELECT MAX(i) FROM n', /maximum number of iterations: 500/);
  await refused("WITH RECURSIVE n AS (SELECT 1 AS i, 'a' AS s UNION ALL SELECT i, s FROM n WHERE i > 0) SELECT COUNT(*) FROM n", /maximum number of iterations: 500/);
  assert.equal(await value('WITH RECURSIVE n AS (SELECT 1 AS i UNION ALL SELECT i + 1 FROM n WHERE i < 500) SELECT MAX(i) FROM n'), '500');
  assert.equal(await value('WITH RECURSIVE n AS (SELECT 1 AS i UNION ALL SELECT n.i + 1 FROM n JOIN (SELECT 1 AS one) ON TRUE WHERE n.i < 10) SELECT SUM(i) FROM n'), '55');
  // Where rounds cannot be counted.
  await refused('WITH RECURSIVE n AS (SELECT 1 AS i UNION DISTINCT SELECT i + 1 FROM n) SELECT MAX(i) FROM n', /must be one SELECT behind UNION ALL/);
  await refused('WITH RECURSIVE n AS (SELECT 1 AS i UNION ALL (SELECT i + 1 FROM n UNION ALL SELECT 0)) SELECT MAX(i) FROM n', /must be one SELECT behind UNION ALL/);
  await refused('WITH RECURSIVE n AS (SELECT 1 AS i EXCEPT DISTINCT SELECT i + 1 FROM n) SELECT MAX(i) FROM n', /must be one SELECT behind UNION ALL/);
  assert.equal(await value('WITH RECURSIVE n AS (SELECT 1 AS i UNION DISTINCT SELECT 1) SELECT COUNT(*) FROM n'), '1');
  const endless = 'SELECT COUNT(*) FROM UNNEST(GENERATE_ARRAY(1, 1000000)) a CROSS JOIN UNNEST(GENERATE_ARRAY(1, 1000000)) b WHERE MOD(a * b, 7) = 3';
  const begun = Date.now();
  const { status, body } = await query(endless, { jobTimeoutMs: '1500' });
  assert.notEqual(status, 200, JSON.stringify(body));
  assert.match(body.error.message, /Job timed out after 1500 ms/);
  assert.ok(Date.now() - begun >= 1400);
  const inserted = await call('POST', '/jobs', { configuration: { jobTimeoutMs: 1500, query: { query: endless, useLegacySql: false } } });
  assert.equal(inserted.status, 200);
  for (const deadline = Date.now() + soonMs; ;) {
    const { body: job } = await call('GET', `/jobs/${inserted.body.jobReference.jobId}?location=US`);
    if (job.status.state === 'DONE') { assert.equal(job.status.errorResult.reason, 'stopped'); break; }
    assert.ok(Date.now() < deadline);
  }
});

test('what ended long ago takes no room', async () => {
  const ids = [];
  const many = async (count) => {
    for (let at = 0; at < count; at += 50) {
      const answers = await Promise.all(Array.from({ length: 50 }, () => call('POST', '/queries', { query: `SELECT '${'x'.repeat(8000)}'`, useLegacySql: false })));
      for (const { status, body } of answers) { assert.equal(status, 200); ids.push(body.jobReference.jobId); }
    }
  };
  await many(4200);
  const first = await call('GET', `/jobs/${ids[0]}?location=US`);
  assert.equal(first.status, 404, 'the oldest is forgotten');
  assert.equal((await call('GET', `/jobs/${ids.at(-1)}?location=US`)).status, 200);
  const held = residentMegabytes(server.pid);
  await many(1000);
  assert.ok(residentMegabytes(server.pid) < held + 40, `${held} MB, then ${residentMegabytes(server.pid)} MB`);
});
