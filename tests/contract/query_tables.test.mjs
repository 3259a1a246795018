// Query results as tables: what dataframe libraries do, a query job and then Storage Read on the table it names.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { tableFromIPC } from 'apache-arrow';
import { bigqueryClient, project, readClient } from '../harness/clients.mjs';
import { startBigquery } from '../harness/servers.mjs';

async function readAll(t, server, { projectId, datasetId, tableId }) {
  const reader = readClient(server);
  t.after(() => reader.close());
  const [session] = await reader.createReadSession({ parent: `projects/${project}`, maxStreamCount: 1,
    readSession: { table: `projects/${projectId}/datasets/${datasetId}/tables/${tableId}`, dataFormat: 'ARROW' } });
  const parts = [session.arrowSchema.serializedSchema];
  for (const { name } of session.streams) {
    await new Promise((resolve, reject) => reader.readRows({ readStream: name })
      .on('data', (answer) => parts.push(answer.arrowRecordBatch.serializedRecordBatch)).on('error', reject).on('end', resolve));
  }
  return tableFromIPC(Buffer.concat(parts)).toArray().map((row) => row.toJSON());
}

test('the rows of a query are a table that every door reads, until the job is deleted', async (t) => {
  const server = await startBigquery({ test: t });
  const client = bigqueryClient(server);
  const [job] = await client.createQueryJob(`SELECT n, CONCAT('row ', CAST(n AS STRING)) AS text, [n, n + 1] AS list,
    STRUCT(n AS a, NUMERIC '1.5' AS b) AS record FROM UNNEST(GENERATE_ARRAY(1, 5000)) AS n`);
  await job.getQueryResults({ maxResults: 1 });
  const [metadata] = await job.getMetadata();
  const reference = metadata.configuration.query.destinationTable;
  assert.match(reference.datasetId, /^_[0-9a-f]{40}$/);
  assert.match(reference.tableId, /^anon[0-9a-f]{64}$/);
  const rows = (await readAll(t, server, reference)).sort((a, b) => Number(a.n - b.n));
  assert.equal(rows.length, 5000);
  assert.equal(rows[41].text, 'row 42');
  const table = client.dataset(reference.datasetId).table(reference.tableId);
  const [{ numRows, expirationTime, schema }] = await table.getMetadata();
  assert.equal(numRows, '5000');
  assert.ok(Number(expirationTime) > Date.now() + 23 * 3600e3 && Number(expirationTime) <= Date.now() + 24 * 3600e3);
  assert.deepEqual(schema.fields.map((field) => field.name), ['n', 'text', 'list', 'record']);
  assert.equal((await table.getRows({ maxResults: 10, autoPaginate: false }))[0].length, 10);
  const [counted] = await client.query(`SELECT SUM(n) AS total FROM ${reference.datasetId}.${reference.tableId}`);
  assert.deepEqual(counted, [{ total: 12502500 }]);
  assert.deepEqual((await client.getDatasets())[0].map((dataset) => dataset.id), [], 'the dataset is hidden');
  await job.delete();
  assert.deepEqual(await table.exists(), [false]);
});

test('DML and queries with a destination name no other table; unknown names are not found', async (t) => {
  const server = await startBigquery({ test: t });
  const client = bigqueryClient(server);
  await client.createDataset('d');
  const [created] = await client.createQueryJob('CREATE TABLE d.t (id INT64)');
  await created.getQueryResults();
  assert.equal((await created.getMetadata())[0].configuration.query.destinationTable, undefined);
  const [into] = await client.createQueryJob({ query: 'SELECT 1 AS id', destination: client.dataset('d').table('kept') });
  await into.getQueryResults();
  assert.equal((await into.getMetadata())[0].configuration.query.destinationTable.tableId, 'kept');
  const [exists] = await client.dataset(`_${'0'.repeat(40)}`).table(`anon${'0'.repeat(64)}`).exists();
  assert.equal(exists, false);
});
