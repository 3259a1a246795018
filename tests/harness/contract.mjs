// What contract tests share: they run against the local BigQuery, or the real one that HAKOBU_TEST_PROJECT names.
import { randomUUID } from 'node:crypto';
import { after, before } from 'node:test';
import { bigqueryClient } from './clients.mjs';
import { startBigquery } from './servers.mjs';

export const onRealService = Boolean(process.env.HAKOBU_TEST_PROJECT);
export const bareOnly = { skip: onRealService ? 'needs a bare endpoint' : false };

// A server (undefined on the real service) and a dataset of a random name, before the file's first test and until after
// its last. `made` is called with { server, bigquery, dataset } once they are there. Returns the dataset's id.
export function useDataset(prefix, made) {
  const datasetId = `${prefix}_${randomUUID().replaceAll('-', '')}`;
  let server, dataset;
  before(async () => {
    server = onRealService ? undefined : await startBigquery();
    const bigquery = bigqueryClient(server);
    [dataset] = await bigquery.createDataset(datasetId, { location: 'US' });
    await made({ server, bigquery, dataset });
  });
  after(async () => {
    await dataset?.delete({ force: true });
    await server?.stop();
  });
  return datasetId;
}
