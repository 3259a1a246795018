// A run against a BigQuery that fails at random: five seeds, each a list of faults. The run ends well, and the target is
// the source.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { privateFolder, startBigquery, startMysql } from '../harness/servers.mjs';
import { bigqueryClient } from '../harness/clients.mjs';
import { assertDelivered } from '../harness/compare.mjs';
import { makeJob } from '../harness/delivery.mjs';

const seeds = (process.env.HAKOBU_FAULT_SEEDS ?? '1,2,3,4,5').split(',').map(Number);
let mysql, bigquery, client, admin;

before(async () => {
  mysql = await startMysql({ folder: privateFolder('injected') });
  bigquery = await startBigquery();
  client = bigqueryClient(bigquery);
  admin = await mysql.connect();
  await admin.query(`CREATE DATABASE shop; USE shop;
    CREATE TABLE big (id INT PRIMARY KEY, text VARCHAR(200)); CREATE TABLE loaded (id INT PRIMARY KEY, price DECIMAL(9,2))`);
  const rows = Array.from({ length: 12000 }, (_, i) => `(${i}, '${'行'.repeat(30)}${i}')`);
  for (let i = 0; i < rows.length; i += 4000) await admin.query(`INSERT INTO big VALUES ${rows.slice(i, i + 4000)}`);
  await admin.query('INSERT INTO loaded SELECT id, id / 7 FROM big WHERE id < 3000; ANALYZE TABLE big, loaded');
});
after(async () => {
  await admin?.end().catch(() => {});
  await mysql?.stop();
  await bigquery?.stop();
});

function random(seed) {
  let state = seed * 2654435761;
  const next = () => {
    state = (Math.imul(state ^ (state >>> 15), 2246822519) + 0x9e3779b9) | 0;
    return (state >>> 0) / 4294967296;
  };
  return { pick: (list) => list[Math.floor(next() * list.length)], below: (most) => Math.floor(next() * most) };
}

const rest = ['tables.get', 'tables.insert', 'tables.patch', 'tables.delete', 'datasets.get', 'jobs.insert', 'jobs.get', 'jobs.query', 'tables.*', 'jobs.*'];
const storage = ['CreateWriteStream', 'FinalizeWriteStream', 'BatchCommitWriteStreams', 'GetWriteStream'];
function randomRules(seed) {
  const { pick, below } = random(seed);
  const kinds = [
    () => ({ fault: pick(['rateLimitExceeded', 'backendError', 'internalError']), method: pick(rest) }),
    () => ({ fault: 'drop', when: pick(['before', 'after']), method: pick(rest) }),
    () => ({ fault: pick(['slow', 'slow']), ms: 50 + below(300), method: pick([...rest, ...storage, 'AppendRows']) }),
    () => ({ fault: pick(['ABORTED', 'UNAVAILABLE', 'INTERNAL']), method: 'AppendRows' }),
    () => ({ fault: pick(['RESOURCE_EXHAUSTED', 'ABORTED']), in_band: true, method: 'AppendRows' }),
    () => ({ fault: 'drop', when: pick(['before', 'after']), method: 'AppendRows' }),
    () => ({ fault: 'UNAVAILABLE', when: pick(['before', 'after']), method: pick(storage) }),
    () => ({ fault: pick(['backendError', 'jobBackendError', 'jobInternalError', 'jobRateLimitExceeded']), method: pick(['job.load', 'job.copy']) }),
    () => ({ fault: 'truncate', method: pick(rest) }),
  ];
  return Array.from({ length: 8 }, () => ({ ...pick(kinds)(), after: below(4), times: 1 + below(2) }));
}

describe('random faults', { concurrency: false }, () => {
  for (const seed of seeds) {
    test(`seed ${seed}`, async (t) => {
      const dataset = `seed_${seed}`;
      const admins = (method, body) => fetch(`${bigquery.endpoint}/hakobu/v1/faults`, { method, headers: body && { 'content-type': 'application/json' }, body: body && JSON.stringify(body) }).then((answer) => answer.json());
      const rules = randomRules(seed);
      await admins('DELETE');
      const job = makeJob({ mysql, bigquery, dataset, test: t, defaults: { chunk_rows: 1000 },
        tables: [{ table: 'shop.big', write: 'storage' }, { table: 'shop.loaded' }] });
      await admins('POST', { seed, rules });
      const result = await job.run();
      const told = await admins('GET');
      await admins('DELETE');
      const fired = told.rules.map((rule) => `${rule.fault} ${rule.method} ${rule.when ?? ''}: ${rule.fired}`);
      assert.equal(result.code, 0, `${fired.join('\n')}\n${result.stderr}\n${result.stdout}`);
      assert.ok(told.rules.some((rule) => rule.fired > 0), 'no fault came');
      t.diagnostic(fired.join('; '));
      await assertDelivered({ mysql, bigquery: client, dataset, database: 'shop', tables: ['big', 'loaded'] });
    });
  }
});
