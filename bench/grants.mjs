// What permissions as code costs at the size of a thousand tenants: node bench/grants.mjs [DATASETS [ENTRIES]]
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { run, startBigquery } from '../tests/harness/servers.mjs';

const [datasets = 1000, entries = 50] = process.argv.slice(2).map(Number);
const folder = mkdtempSync(join(tmpdir(), 'hakobu-bench-grants-'));
const server = await startBigquery({ folder: join(folder, 'bigquery') });
const project = 'hakobu-bench';
const name = (at) => `tenant_${String(at).padStart(5, '0')}`;

async function create(at) {
  const access = [{ role: 'OWNER', specialGroup: 'projectOwners' }];
  for (let entry = 0; entry < entries; ++entry) access.push({ role: 'READER', userByEmail: `u${entry}@t${at}.example` });
  const response = await fetch(`${server.endpoint}/bigquery/v2/projects/${project}/datasets`, { method: 'POST',
    headers: { 'Content-Type': 'application/json' }, body: JSON.stringify({ datasetReference: { projectId: project, datasetId: name(at) }, access }) });
  if (!response.ok) throw new Error(await response.text());
}
let next = 0;
await Promise.all(Array.from({ length: 8 }, async () => { while (next < datasets) await create(next++); }));

const grants = async (what, args, expected) => {
  const start = performance.now();
  const result = await run(['grants', '--project', project, '--endpoint', server.endpoint, '--ledger', join(folder, 'ledger.db'), ...args],
    { cwd: folder, timeoutMs: 900000 });
  if (result.code !== expected) throw new Error(`${what}: exit ${result.code}\n${result.stderr.slice(-2000)}`);
  console.log(`${what.padEnd(44)} ${((performance.now() - start) / 1000).toFixed(1)} s  ${result.stdout.trim().split('\n').at(-1)}`);
};
try {
  console.log(`${datasets} datasets with ${entries} grants each`);
  await grants('import', ['import', '--out', 'grants.csv'], 0);
  await grants('plan, nothing to do', ['plan'], 0);
  writeFileSync(join(folder, 'more.csv'), 'dataset,member,role\ntenant_*,group:new@x.com,reader\n');
  await grants('plan, one addition in each', ['--csv', 'grants.csv', '--csv', 'more.csv', 'plan', '--out', 'plan.json'], 2);
  await grants('apply of that plan', ['--csv', 'grants.csv', '--csv', 'more.csv', 'apply', 'plan.json'], 0);
  await grants('plan after it', ['--csv', 'grants.csv', '--csv', 'more.csv', 'plan'], 0);
  console.log(`Terraform's additive resources read each grant by itself: ${datasets * (entries + 1)} reads a plan, against ${datasets + 1} here.`);
} finally {
  await server.stop();
  rmSync(folder, { recursive: true, force: true });
}
