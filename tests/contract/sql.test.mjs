// GoogleSQL through Google's Node client: types, parameters, DML and its statistics, DDL, INFORMATION_SCHEMA, errors.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { answeredSql, answerTitle } from '../harness/answers.mjs';
import { bigqueryClient, project } from '../harness/clients.mjs';
import { startBigquery } from '../harness/servers.mjs';

let server;
let client;
const dataset = `sql_${process.pid}_${Date.now()}`;
const d = `\`${project}.${dataset}\``;
const name = (table) => `\`${project}.${dataset}.${table}\``;

before(async () => {
  if (!process.env.HAKOBU_TEST_PROJECT) server = await startBigquery();
  client = bigqueryClient(server);
  await client.createDataset(dataset, { location: 'US' });
});

after(async () => {
  await client?.dataset(dataset).delete({ force: true });
  await server?.stop();
});

async function rows(query, options = {}) {
  const [answer] = await client.query({ query, location: 'US', ...options });
  return JSON.parse(JSON.stringify(answer));
}

async function metadata(query) {
  const [job] = await client.createQueryJob({ query, location: 'US' });
  await job.getQueryResults();
  const [resource] = await job.getMetadata();
  return resource;
}

async function refusal(query, options = {}) {
  const error = await client.query({ query, location: 'US', ...options }).then(() => undefined, (failure) => failure);
  assert.ok(error, `accepted: ${query}`);
  return error;
}

test('scalar types come back as the client decodes them', async () => {
  const [row] = await rows(`SELECT 1 AS i, 1.5 AS f, TRUE AS b, 'é' AS s, b'\\x00\\xff' AS y, NUMERIC '1.5' AS n,
    BIGNUMERIC '12345678901234567890123456789012345678.12345678901234567890123456789012345678' AS g,
    DATE '2024-02-29' AS d, DATETIME '2024-01-02 03:04:05.678' AS t, TIME '01:02:03' AS m,
    TIMESTAMP '2024-01-02 03:04:05.678901+09:00' AS z, JSON '{"a": [1, 2]}' AS j, NULL AS nothing,
    [1, 2] AS l, STRUCT(1 AS x, ['p', 'q'] AS y) AS r`);
  assert.equal(row.i, 1);
  assert.equal(row.f, 1.5);
  assert.equal(row.b, true);
  assert.equal(row.s, 'é');
  assert.deepEqual(row.y, { type: 'Buffer', data: [0, 255] });
  assert.equal(String(row.n), '1.5');
  assert.equal(row.d.value, '2024-02-29');
  assert.match(row.t.value, /^2024-01-02T03:04:05\.678(000)?$/);
  assert.equal(row.m.value, '01:02:03');
  assert.match(row.z.value, /^2024-01-01T18:04:05\.678901(000)?Z$/);
  assert.equal(row.nothing, null);
  assert.deepEqual(row.l, [1, 2]);
  assert.deepEqual(row.r, { x: 1, y: ['p', 'q'] });
});

test('BIGNUMERIC keeps all 76 digits', async () => {
  const digits = '12345678901234567890123456789012345678.12345678901234567890123456789012345678';
  const [row] = await rows(`SELECT CAST(BIGNUMERIC '${digits}' AS STRING) AS text,
    CAST(BIGNUMERIC '${digits}' + BIGNUMERIC '0.00000000000000000000000000000000000001' AS STRING) AS more`);
  assert.equal(row.text, digits);
  assert.equal(row.more, digits.slice(0, -1) + '9');
});

test('named, positional, array and struct parameters', async () => {
  assert.deepEqual(await rows('SELECT @a + 1 AS a, @s AS s, @d AS d', {
    params: { a: 41, s: "it's; --", d: client.date('2024-02-29') } }), [{ a: 42, s: "it's; --", d: { value: '2024-02-29' } }]);
  assert.deepEqual(await rows('SELECT ? AS a, ? AS b', { params: ['x', 2] }), [{ a: 'x', b: 2 }]);
  assert.deepEqual(await rows('SELECT x FROM UNNEST(@list) AS x WHERE x IN UNNEST(@keep) ORDER BY x', {
    params: { list: [3, 1, 2], keep: [1, 3] } }), [{ x: 1 }, { x: 3 }]);
  assert.deepEqual(await rows('SELECT @p.name AS name, @p.n AS n', { params: { p: { name: 'a', n: 7 } } }),
    [{ name: 'a', n: 7 }]);
  assert.deepEqual(await rows('SELECT @n IS NULL AS missing', { params: { n: null }, types: { n: 'STRING' } }),
    [{ missing: true }]);
});

test('DML and its statistics', async () => {
  await rows(`CREATE TABLE ${name('dml')} (id INT64 NOT NULL, v STRING, PRIMARY KEY (id) NOT ENFORCED)`);
  const insert = await metadata(`INSERT INTO ${name('dml')} (id, v) VALUES (1, 'a'), (2, 'b'), (3, NULL)`);
  assert.equal(insert.statistics.query.statementType, 'INSERT');
  assert.equal(insert.statistics.query.numDmlAffectedRows, '3');
  assert.equal(insert.statistics.query.dmlStats.insertedRowCount, '3');
  const update = await metadata(`UPDATE ${name('dml')} SET v = UPPER(v) WHERE id < 3`);
  assert.equal(update.statistics.query.dmlStats.updatedRowCount, '2');
  const merge = await metadata(`MERGE ${name('dml')} AS target
    USING (SELECT 1 AS id, 'one' AS v UNION ALL SELECT 9, 'nine') AS staged ON target.id = staged.id
    WHEN MATCHED THEN UPDATE SET v = staged.v
    WHEN NOT MATCHED THEN INSERT (id, v) VALUES (staged.id, staged.v)
    WHEN NOT MATCHED BY SOURCE AND target.v IS NULL THEN DELETE`);
  assert.equal(merge.statistics.query.statementType, 'MERGE');
  assert.deepEqual({ ...merge.statistics.query.dmlStats },
    { insertedRowCount: '1', updatedRowCount: '1', deletedRowCount: '1' });
  assert.deepEqual(await rows(`SELECT * FROM ${name('dml')} ORDER BY id`),
    [{ id: 1, v: 'one' }, { id: 2, v: 'B' }, { id: 9, v: 'nine' }]);
  const error = await refusal(`MERGE ${name('dml')} t USING (SELECT 1 AS id UNION ALL SELECT 1) s ON t.id = s.id
    WHEN MATCHED THEN DELETE`);
  assert.match(error.message, /must match at most one source row for each target row/);
  assert.match((await refusal(`DELETE FROM ${name('dml')}`)).message, /DELETE must have a WHERE clause/);
  const remove = await metadata(`DELETE FROM ${name('dml')} WHERE TRUE`);
  assert.equal(remove.statistics.query.dmlStats.deletedRowCount, '3');
});

test('DDL shows in tables.get', async () => {
  await rows(`CREATE TABLE ${name('ddl')} (id INT64 NOT NULL, at_time TIMESTAMP OPTIONS (description = 'when'),
    amount NUMERIC(10, 2), tags ARRAY<STRING>, PRIMARY KEY (id) NOT ENFORCED)
    PARTITION BY DATE(at_time) CLUSTER BY id
    OPTIONS (description = 'things', max_staleness = INTERVAL 10 MINUTE, labels = [('env', 'test')])`);
  const [table] = await client.dataset(dataset).table('ddl').get();
  const resource = table.metadata;
  assert.deepEqual(resource.tableConstraints.primaryKey.columns, ['id']);
  assert.equal(resource.timePartitioning.field, 'at_time');
  assert.deepEqual(resource.clustering.fields, ['id']);
  assert.equal(resource.description, 'things');
  assert.deepEqual(resource.labels, { env: 'test' });
  assert.equal(resource.schema.fields[1].description, 'when');
  await rows(`ALTER TABLE ${name('ddl')} ADD COLUMN extra STRING, ADD COLUMN more INT64`);
  await rows(`ALTER TABLE ${name('ddl')} RENAME COLUMN extra TO note`);
  await rows(`ALTER TABLE ${name('ddl')} DROP COLUMN more`);
  await rows(`ALTER TABLE ${name('ddl')} ALTER COLUMN amount SET DATA TYPE NUMERIC(12, 2)`);
  const [again] = await client.dataset(dataset).table('ddl').get();
  assert.deepEqual(again.metadata.schema.fields.map((field) => field.name), ['id', 'at_time', 'amount', 'tags', 'note']);
  await rows(`CREATE OR REPLACE VIEW ${name('seen')} AS SELECT id, note FROM ${name('ddl')}`);
  assert.deepEqual(await rows(`SELECT * FROM ${name('seen')}`), []);
  await rows(`CREATE TABLE ${name('copied')} AS SELECT 1 AS a, 'x' AS b`);
  assert.deepEqual(await rows(`SELECT * FROM ${name('copied')}`), [{ a: 1, b: 'x' }]);
  const error = await refusal(`CREATE TABLE ${name('copied')} (a INT64)`);
  assert.match(error.message, /Already Exists: Table/);
  await rows(`DROP TABLE ${name('copied')}`);
  await rows(`DROP TABLE IF EXISTS ${name('copied')}`);
});

test('INFORMATION_SCHEMA', async () => {
  await rows(`CREATE TABLE ${name('info')} (b STRING, a INT64 NOT NULL, PRIMARY KEY (a, b) NOT ENFORCED)`);
  assert.deepEqual(await rows(`SELECT column_name, data_type, is_nullable FROM ${d}.INFORMATION_SCHEMA.COLUMNS
    WHERE table_name = 'info' ORDER BY ordinal_position`), [
    { column_name: 'b', data_type: 'STRING', is_nullable: 'YES' },
    { column_name: 'a', data_type: 'INT64', is_nullable: 'NO' }]);
  assert.deepEqual(await rows(`SELECT column_name FROM ${d}.INFORMATION_SCHEMA.KEY_COLUMN_USAGE
    WHERE table_name = 'info' ORDER BY ordinal_position`), [{ column_name: 'a' }, { column_name: 'b' }]);
  assert.deepEqual(await rows(`SELECT constraint_type, enforced FROM ${d}.INFORMATION_SCHEMA.TABLE_CONSTRAINTS
    WHERE table_name = 'info'`), [{ constraint_type: 'PRIMARY KEY', enforced: 'NO' }]);
  const [table] = await rows(`SELECT table_type, upsert_stream_apply_watermark AS w FROM ${d}.INFORMATION_SCHEMA.TABLES
    WHERE table_name = 'info'`);
  assert.deepEqual(table, { table_type: 'BASE TABLE', w: null });
});

test('errors in Google\'s words, with their reason', async () => {
  for (const [query, message] of [
    ['SELECT nope', /Unrecognized name: nope at \[1:8\]/],
    ['SELEC 1', /Syntax error: Unexpected identifier "SELEC" at \[1:1\]/],
    ['SELECT NO_SUCH_FUNCTION(1)', /Function not found: NO_SUCH_FUNCTION at \[1:8\]/],
    ['SELECT 1 / 0', /division by zero/],
    ["SELECT CAST('x' AS INT64)", /Bad int64 value: x/],
    ["SELECT 1 = 'a'", /No matching signature for operator =/],
  ]) {
    const error = await refusal(query);
    assert.equal(error.code, 400, query);
    assert.equal(error.errors[0].reason, 'invalidQuery', query);
    assert.match(error.message, message);
  }
  const missing = await refusal(`SELECT * FROM ${name('no_such_table')}`);
  assert.equal(missing.code, 404);
  assert.equal(missing.errors[0].reason, 'notFound');
});

test('a dry run tells schema and bytes and changes nothing', async () => {
  await rows(`CREATE TABLE ${name('dry')} AS SELECT x, CAST(x AS STRING) AS s FROM UNNEST(GENERATE_ARRAY(1, 100)) AS x`);
  const [job] = await client.createQueryJob({ query: `SELECT x FROM ${name('dry')}`, location: 'US', dryRun: true });
  const statistics = job.metadata.statistics;
  assert.equal(Number(statistics.totalBytesProcessed ?? statistics.query.totalBytesProcessed), 800);
  assert.deepEqual(statistics.query.schema.fields.map((field) => [field.name, field.type]), [['x', 'INTEGER']]);
  await client.createQueryJob({ query: `DELETE FROM ${name('dry')} WHERE TRUE`, location: 'US', dryRun: true });
  assert.deepEqual(await rows(`SELECT COUNT(*) AS n FROM ${name('dry')}`), [{ n: 100 }]);
});

test('query jobs write their destination by disposition', async () => {
  const destination = client.dataset(dataset).table('target');
  const write = async (query, writeDisposition) => {
    const [job] = await client.createQueryJob({ query, destination, writeDisposition, location: 'US' });
    await job.getQueryResults();
  };
  await write('SELECT 1 AS a', 'WRITE_EMPTY');
  await write('SELECT 2 AS a', 'WRITE_APPEND');
  assert.deepEqual(await rows(`SELECT a FROM ${name('target')} ORDER BY a`), [{ a: 1 }, { a: 2 }]);
  await assert.rejects(write('SELECT 3 AS a', 'WRITE_EMPTY'), /Already Exists/);
  await write("SELECT 'x' AS b", 'WRITE_TRUNCATE');
  assert.deepEqual(await rows(`SELECT * FROM ${name('target')}`), [{ b: 'x' }]);
});

for (const [what, query, expected] of answeredSql) {
  test(answerTitle(what), async () => {
    await rows(`CREATE TABLE IF NOT EXISTS ${name('few')} AS
      SELECT * FROM UNNEST([STRUCT(1 AS id, 'a' AS k, 10 AS v), (2, 'a', 20), (3, 'b', 30), (4, NULL, 40)])`);
    assert.deepEqual(await rows(query.replaceAll('{TABLE}', name('few'))), expected);
  });
}

test('pages of a large result arrive in order', async () => {
  const answer = await rows('SELECT x, REPEAT(\'y\', 100) AS y FROM UNNEST(GENERATE_ARRAY(1, 30000)) AS x ORDER BY x',
    { maxResults: 7000 });
  assert.equal(answer.length, 30000);
  assert.ok(answer.every((row, index) => row.x === index + 1));
});
