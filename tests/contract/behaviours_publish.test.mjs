// What each way of putting new content in a table's place keeps and takes, which layouts it accepts, and what partitions
// allow.
import assert from 'node:assert/strict';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { behave, eventually, failure } from '../harness/behaviours.mjs';
import { project } from '../harness/clients.mjs';
import { bareOnly, useDataset } from '../harness/contract.mjs';
import { privateFolder } from '../harness/servers.mjs';

const folder = privateFolder('publish');
let server, bigquery, dataset;
const datasetId = useDataset('publish', (made) => ({ server, bigquery, dataset } = made));
after(() => rmSync(folder, { recursive: true }));

const query = async (text, options = {}) => (await bigquery.query({ query: text, ...options }))[0];
async function bare(method, path, body) {
  const answer = await fetch(`${server.endpoint}/bigquery/v2/projects/${project}/datasets/${datasetId}${path}`, { method, headers: { 'Content-Type': 'application/json' },
    ...(body ? { body: JSON.stringify(body) } : {}) });
  const text = await answer.text();
  return text ? JSON.parse(text) : undefined;
}
async function finished([job]) {
  const metadata = await eventually(async () => { const [m] = await job.getMetadata(); return m.status.state === 'DONE' && m; });
  if (metadata.status.errorResult) throw new Error(metadata.status.errorResult.message);
  return metadata;
}
const copy = async (from, to, more = {}) => finished(await dataset.table(from).createCopyJob(dataset.table(to), more));
const select = async (text, to, writeDisposition, more = {}) =>
  finished(await bigquery.createQueryJob({ query: text, destination: dataset.table(to), writeDisposition, ...more }));
async function load(to, lines, writeDisposition, more = {}) {
  const path = join(folder, `${to}.json`);
  writeFileSync(path, lines.map((line) => JSON.stringify(line)).join('\n'));
  const [job] = await dataset.table(to).load(path, { sourceFormat: 'NEWLINE_DELIMITED_JSON', writeDisposition, ...more });
  if (job.status.errorResult) throw new Error(job.status.errorResult.message);
}
const columns = [{ name: 'id', type: 'INTEGER' }, { name: 'name', type: 'STRING' }];

// A table on which everything hangs that can.
async function makeTarget(name) {
  const [table] = await dataset.createTable(name, { description: 'about it', labels: { team: 'a' }, clustering: { fields: ['id'] },
    schema: { fields: [columns[0], { ...columns[1], description: 'who', policyTags: { names: ['projects/p/locations/us/taxonomies/1/policyTags/2'] } }] },
    tableConstraints: { primaryKey: { columns: ['id'] } }, encryptionConfiguration: { kmsKeyName: 'projects/p/locations/us/keyRings/r/cryptoKeys/k' } });
  await table.setIamPolicy({ bindings: [{ role: 'roles/bigquery.dataViewer', members: ['user:a@example.com'] }] });
  await bare('POST', `/tables/${name}/rowAccessPolicies`, { rowAccessPolicyReference: { policyId: 'some' }, filterPredicate: 'id > 0', grantees: ['user:a@example.com'] });
}
async function hangsOn(name) {
  const table = await bare('GET', `/tables/${name}`);
  const policies = await bare('GET', `/tables/${name}/rowAccessPolicies`);
  const [policy] = await dataset.table(name).getIamPolicy();
  const found = { description: table.description, labels: table.labels?.team, clustering: table.clustering?.fields[0], key: table.tableConstraints?.primaryKey.columns[0],
    column: table.schema.fields[1].description, tag: table.schema.fields[1].policyTags && 'tag', cmek: table.encryptionConfiguration && 'cmek',
    rows: policies.rowAccessPolicies && 'policy', iam: policy.bindings && 'iam', created: table.creationTime };
  return found;
}
const keptBy = {
  'a copy with WRITE_TRUNCATE': [async (name) => {
    await dataset.createTable(`${name}_new`, { schema: { fields: columns }, clustering: { fields: ['id'] } });
    await copy(`${name}_new`, name, { writeDisposition: 'WRITE_TRUNCATE' });
  }, ['description', 'labels', 'clustering', 'iam', 'created']],
  'a load with WRITE_TRUNCATE': [(name) => load(name, [{ id: 1, name: 'x' }], 'WRITE_TRUNCATE', { schema: { fields: columns } }),
    ['description', 'labels', 'clustering', 'iam', 'created']],
  'a query with WRITE_TRUNCATE': [(name) => select("SELECT 1 AS id, 'x' AS name", name, 'WRITE_TRUNCATE'), ['description', 'labels', 'clustering', 'iam', 'created']],
  'a load with WRITE_TRUNCATE_DATA': [(name) => load(name, [{ id: 1, name: 'x' }], 'WRITE_TRUNCATE_DATA'),
    ['description', 'labels', 'clustering', 'key', 'column', 'tag', 'cmek', 'rows', 'iam', 'created']],
  'a query with WRITE_TRUNCATE_DATA': [(name) => select("SELECT 1 AS id, 'x' AS name", name, 'WRITE_TRUNCATE_DATA'),
    ['description', 'labels', 'clustering', 'key', 'column', 'tag', 'cmek', 'rows', 'iam', 'created']],
  'a MERGE ON FALSE': [(name) => query(`MERGE \`${datasetId}.${name}\` t USING (SELECT 1 AS id, 'x' AS name) s ON FALSE WHEN NOT MATCHED THEN INSERT (id, name) VALUES (id, name) WHEN NOT MATCHED BY SOURCE THEN DELETE`),
    ['description', 'labels', 'clustering', 'key', 'column', 'tag', 'cmek', 'rows', 'iam', 'created']],
  'CREATE OR REPLACE': [(name) => query(`CREATE OR REPLACE TABLE \`${datasetId}.${name}\` CLUSTER BY id AS SELECT 1 AS id, 'x' AS name`), ['clustering', 'iam']],
};
for (const [how, [publish, kept]] of Object.entries(keptBy)) {
  test(`what ${how} keeps of what hangs on its target`, bareOnly, async (t) => {
    await behave(t, server, { publish_losses: 'on' });
    const name = `target_${Object.keys(keptBy).indexOf(how)}`;
    await makeTarget(name);
    const before = await hangsOn(name);
    assert.ok(Object.values(before).every(Boolean), JSON.stringify(before));
    await publish(name);
    const after = await hangsOn(name);
    const stays = Object.keys(before).filter((key) => after[key] === before[key]);
    assert.deepEqual(stays.sort(), [...kept].sort());
  });
}

test('a copy brings the policies, tags and key of its source', bareOnly, async (t) => {
  await behave(t, server, { publish_losses: 'on' });
  await makeTarget('source');
  await dataset.createTable('plain', { schema: { fields: columns }, clustering: { fields: ['id'] } });
  await copy('source', 'plain', { writeDisposition: 'WRITE_TRUNCATE' });
  const found = await hangsOn('plain');
  assert.deepEqual([found.rows, found.tag, found.key, found.description, found.iam, found.cmek], ['policy', 'tag', 'id', undefined, undefined, undefined]);
});

test('where it is open whether WRITE_TRUNCATE_DATA keeps row access policies, both can be had', bareOnly, async (t) => {
  await behave(t, server, { publish_losses: 'on', truncate_data_policies: 'on' });
  await makeTarget('open_load');
  await load('open_load', [{ id: 1, name: 'x' }], 'WRITE_TRUNCATE_DATA');
  assert.equal((await hangsOn('open_load')).rows, undefined);
  await makeTarget('open_query');
  await select("SELECT 1 AS id, 'x' AS name", 'open_query', 'WRITE_TRUNCATE_DATA');
  const found = await hangsOn('open_query');
  assert.deepEqual([found.rows, found.key], [undefined, 'id']);
});

const day = [{ name: 'ts', type: 'TIMESTAMP' }, { name: 'region', type: 'STRING' }];
test('a load does not give a table another layout', bareOnly, async (t) => {
  await behave(t, server, { layouts: 'on' });
  await dataset.createTable('flat', { schema: { fields: day } });
  const layout = { timePartitioning: { type: 'DAY', field: 'ts' }, clustering: { fields: ['region'] } };
  for (const disposition of ['WRITE_APPEND', 'WRITE_TRUNCATE']) {
    const error = await failure(load('flat', [{ ts: '2026-01-01T00:00:00Z', region: 'x' }], disposition, { schema: { fields: day }, ...layout }));
    assert.match(error.message, /Incompatible table partitioning specification\. Expects partitioning specification none, but input partitioning specification is interval\(type:day,field:ts\) clustering\(region\)/);
  }
  await dataset.createTable('laid_out', { schema: { fields: day }, ...layout });
  await load('laid_out', [{ ts: '2026-01-01T00:00:00Z', region: 'x' }], 'WRITE_TRUNCATE', { schema: { fields: day }, ...layout });
});

test('copies between layouts: from plain to by-arrival alone, clustering must be the same', bareOnly, async (t) => {
  await behave(t, server, { layouts: 'on' });
  const make = (name, more = {}) => dataset.createTable(name, { schema: { fields: day }, ...more });
  const byColumn = { timePartitioning: { type: 'DAY', field: 'ts' } };
  await make('plain_source');
  await make('by_column', byColumn);
  await make('by_column_2', byColumn);
  await make('by_arrival', { timePartitioning: { type: 'DAY' } });
  await make('clustered', { clustering: { fields: ['region'] } });
  for (const writeDisposition of ['WRITE_TRUNCATE', 'WRITE_APPEND']) {
    const to = (name, from = 'plain_source') => failure(copy(from, name, { writeDisposition }));
    assert.match((await to('by_column')).message, /Failed to copy Non partitioned table to Column partitioned table: not supported/);
    assert.match((await to('clustered')).message, /incompatible clustering fields/);
    assert.equal(await to('by_arrival'), undefined);
    assert.equal(await to('by_column', 'by_column_2'), undefined);
  }
  assert.match((await failure(copy('plain_source', 'plain_target', { writeDisposition: 'WRITE_TRUNCATE_DATA' }))).message, /WRITE_TRUNCATE_DATA/);
  assert.match((await failure(query(`CREATE OR REPLACE TABLE \`${datasetId}.by_column\` (ts TIMESTAMP)`))).message, /Cannot replace a table with a different partitioning spec/);
});

test('schemaUpdateOptions do not go with WRITE_TRUNCATE, and never add REQUIRED columns', async () => {
  const words = /Schema update options should only be specified with WRITE_APPEND disposition, or with WRITE_TRUNCATE disposition on a table partition\./;
  await dataset.createTable('updated', { schema: { fields: columns } });
  const more = { schemaUpdateOptions: ['ALLOW_FIELD_ADDITION'] };
  assert.match((await failure(select('SELECT 1 AS id', 'updated', 'WRITE_TRUNCATE', more))).message, words);
  assert.match((await failure(load('updated', [{ id: 1 }], 'WRITE_TRUNCATE', { ...more, schema: { fields: columns } }))).message, words);
  const required = [...columns, { name: 'must', type: 'STRING', mode: 'REQUIRED' }];
  assert.match((await failure(load('updated', [{ id: 1, must: 'x' }], 'WRITE_APPEND', { ...more, schema: { fields: required } }))).message, /Cannot add required fields to an existing schema/);
  await load('updated', [{ id: 1 }], 'WRITE_APPEND', { schema: { fields: [{ ...columns[0], mode: 'REQUIRED' }] } });
});

test('a job writes at most 4,000 partitions', bareOnly, async (t) => {
  await behave(t, server, { partition_limits: 'on' });
  await dataset.createTable('many', { schema: { fields: [{ name: 'day', type: 'DATE' }] }, timePartitioning: { type: 'DAY', field: 'day' } });
  const days = (n) => `SELECT day FROM UNNEST(GENERATE_DATE_ARRAY('2010-01-01', DATE_ADD('2010-01-01', INTERVAL ${n - 1} DAY))) AS day`;
  assert.match((await failure(select(days(4001), 'many', 'WRITE_APPEND'))).message, /Too many partitions produced by query, allowed 4000, query produces at least 4001 partitions/);
  assert.match((await failure(query(`INSERT INTO \`${datasetId}.many\` (day) ${days(4001)}`))).message, /Too many partitions/);
  await select(days(4000), 'many', 'WRITE_TRUNCATE_DATA');
  await query(`INSERT INTO \`${datasetId}.many\` (day) SELECT DATE '1999-01-01'`);
  assert.equal((await query(`SELECT COUNT(*) AS n FROM \`${datasetId}.many\``))[0].n, 4001, 'a table may have more');
});

test('rows of expired partitions vanish on arrival, by the dataset\'s default too', bareOnly, async (t) => {
  await behave(t, server, { partition_expiry: 'on' });
  const [expiring] = await bigquery.createDataset(`${datasetId}_expiring`, { defaultPartitionExpirationMs: String(30 * 86_400_000), defaultTableExpirationMs: String(90 * 86_400_000) });
  t.after(() => expiring.delete({ force: true }));
  const now = new Date().toISOString();
  const layout = { schema: { fields: day }, timePartitioning: { type: 'DAY', field: 'ts' } };
  const lines = [{ ts: '1971-01-01T00:00:00Z' }, { ts: now }, { ts: now }, {}];
  const path = join(folder, 'expiring.json');
  writeFileSync(path, lines.map((line) => JSON.stringify(line)).join('\n'));
  const rows = async (name) => (await query(`SELECT COUNT(*) AS n FROM \`${expiring.id}.${name}\``))[0].n;
  await expiring.table('by_default').load(path, { sourceFormat: 'NEWLINE_DELIMITED_JSON', ...layout });
  assert.equal(await rows('by_default'), 3);
  const [metadata] = await expiring.table('by_default').getMetadata();
  assert.equal(metadata.timePartitioning.expirationMs, String(30 * 86_400_000));
  assert.equal(metadata.expirationTime, undefined, 'a partitioned table has no expiration of its own by default');
  await expiring.createTable('own', { ...layout, timePartitioning: { ...layout.timePartitioning, expirationMs: String(10_000 * 365 * 86_400_000) } });
  await expiring.table('own').load(path, { sourceFormat: 'NEWLINE_DELIMITED_JSON' });
  assert.equal(await rows('own'), 4);
  await expiring.createTable('unpartitioned', { schema: { fields: day } });
  assert.ok((await expiring.table('unpartitioned').getMetadata())[0].expirationTime);
  await finished(await expiring.table('own').createCopyJob(expiring.table('copied')));
  const [copied] = await expiring.table('copied').getMetadata();
  assert.deepEqual([copied.timePartitioning.expirationMs, copied.expirationTime], [String(10_000 * 365 * 86_400_000), undefined]);
});

test('requirePartitionFilter: queries, MERGE and DML need a condition on the column', bareOnly, async (t) => {
  await behave(t, server, { partition_filters: 'on' });
  await dataset.createTable('filtered', { schema: { fields: day }, timePartitioning: { type: 'DAY', field: 'ts' }, requirePartitionFilter: true });
  const table = `\`${datasetId}.filtered\``;
  const words = new RegExp(`Cannot query over table '${project}\\.${datasetId}\\.filtered' without a filter over column\\(s\\) 'ts' that can be used for partition elimination`);
  const merge = (on) => `MERGE ${table} t USING (SELECT TIMESTAMP '2026-01-01' AS ts, 'x' AS region) s ON ${on} WHEN NOT MATCHED THEN INSERT (ts, region) VALUES (ts, region)`;
  for (const bad of [`SELECT * FROM ${table}`, `SELECT region FROM ${table} WHERE region = 'x'`, `UPDATE ${table} SET region = 'y' WHERE region = 'x'`,
    `DELETE FROM ${table} WHERE TRUE`, merge('FALSE'), `SELECT COUNT(*) AS n FROM ${table}`]) {
    assert.match((await failure(query(bad))).message, words, bad);
  }
  for (const good of [merge('FALSE AND (t.ts IS NULL OR t.ts IS NOT NULL)'), `SELECT region FROM ${table} WHERE ts > TIMESTAMP '2020-01-01'`,
    `SELECT * FROM (SELECT * FROM ${table}) WHERE ts IS NOT NULL`, `WITH all_of AS (SELECT * FROM ${table}) SELECT COUNT(*) AS n FROM all_of WHERE DATE(ts) = DATE '2026-01-01'`,
    `UPDATE ${table} SET region = 'y' WHERE ts IS NOT NULL`, `INSERT INTO ${table} (ts, region) VALUES (TIMESTAMP '2026-01-02', 'z')`]) {
    assert.equal(await failure(query(good)), undefined, good);
  }
});

test('a query bills ten megabytes of each table at the least', async () => {
  await dataset.createTable('billed', { schema: { fields: columns } });
  await query(`INSERT INTO \`${datasetId}.billed\` (id, name) VALUES (1, 'x')`);
  const [job] = await bigquery.createQueryJob({ query: `SELECT id FROM \`${datasetId}.billed\``, useQueryCache: false });
  await job.getQueryResults();
  const [metadata] = await job.getMetadata();
  assert.equal(metadata.statistics.query.totalBytesBilled, '10485760');
});
