// What is not supported is refused by name, never answered wrongly.
import assert from 'node:assert/strict';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { bigqueryClient, project } from '../harness/clients.mjs';
import { refusalTitle, refusedJobs, refusedSql } from '../harness/refusals.mjs';
import { privateFolder, startBigquery } from '../harness/servers.mjs';

const options = { skip: process.env.HAKOBU_TEST_PROJECT ? 'the real service has what the local one refuses' : false };
let server, bigquery;

before(async () => {
  if (options.skip) return;
  server = await startBigquery();
  bigquery = bigqueryClient(server);
  const [dataset] = await bigquery.createDataset('refusals');
  await dataset.createTable('t', { schema: { fields: [{ name: 'a', type: 'INTEGER' }] } });
});
after(() => server?.stop());

const rows = async () => (await bigquery.query('SELECT COUNT(*) AS n FROM refusals.t'))[0][0].n;

// A load of a file, as the client uploads it: what it says.
async function upload(sourceFormat) {
  const folder = privateFolder('refusals');
  const path = join(folder, 'file');
  writeFileSync(path, 'x');
  const said = await bigquery.dataset('refusals').table('t').load(path, { sourceFormat }).then(() => 'accepted', (error) => error.message);
  rmSync(folder, { recursive: true });
  return said;
}

for (const [what, query, words] of refusedSql) {
  test(refusalTitle(what), options, async () => {
    const error = await bigquery.query(query).then(() => undefined, (failure) => failure);
    assert.ok(error, 'accepted');
    assert.equal(error.code ?? 400, 400);
    assert.match(error.message, words);
    await assert.rejects(bigquery.createQueryJob({ query, dryRun: true }), words);
  });
}

for (const [what, configuration, words] of refusedJobs) {
  test(refusalTitle(what), options, async () => {
    const json = JSON.parse(JSON.stringify({ configuration, jobReference: { projectId: 'P' } }).replaceAll('"P"', `"${project}"`));
    const uploaded = json.configuration.load && !json.configuration.load.sourceUris;
    const said = uploaded ? await upload(json.configuration.load.sourceFormat) : await new Promise((resolve) => bigquery.request({ method: 'POST', uri: '/jobs', json },
      (error, body) => resolve(error ? error.message : JSON.stringify(body.status.errorResult ?? 'accepted'))));
    assert.match(said, words);
    assert.equal(await rows(), 0);
  });
}
