// kill -9 at every named crash point and at random moments. After each: the published tables are wholly old or wholly
// new; the next run finishes; source and target are equal; at most one unfinished chunk per connection is read again.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { startBigquery, startMysql } from '../harness/servers.mjs';
import { bigqueryClient } from '../harness/clients.mjs';
import { crashJob, crashOnce, crashPoints, guard, killAtRandom, makeSource, randomFrom } from '../harness/crash.mjs';

const seeds = Number(process.env.HAKOBU_CRASH_SEEDS ?? 20);
const firstSeed = Number(process.env.HAKOBU_CRASH_FIRST_SEED ?? Date.now() % 1000000);

describe('crashes', { concurrency: false }, () => {
  let mysql, bigquery, client, admin, job, assertGuarded;
  const database = 'crash';
  const dataset = 'crash';
  let version = 1;
  let typicalMs = 1000;

  before(async () => {
    mysql = await startMysql();
    bigquery = await startBigquery();
    client = bigqueryClient(bigquery);
    admin = await mysql.connect();
    await makeSource(admin, database);
    job = crashJob({ mysql, bigquery, database, dataset });
    const started = Date.now();
    const first = await job.run();
    assert.equal(first.code, 0, first.stderr + first.stdout);
    typicalMs = Date.now() - started;
    assertGuarded = await guard({ bigquery, dataset });
  });
  after(async () => {
    await admin?.end();
    await mysql?.stop();
    await bigquery?.stop();
  });

  const once = async (crash, absent) => {
    await crashOnce({ job, client, admin, dataset, database, flavor: 'mysql', version: ++version, crash, absent });
    await assertGuarded();
  };

  // Each way of publishing passes the same points, in no fixed order: a later time is another table's.
  const later = ['publish.job_recorded:3', 'publish.job_done:3', 'publish.published:2', 'chunk.sealed:4', 'chunk.loaded:5'];
  for (const point of [...crashPoints(), ...later]) {
    test(`at ${point}`, async () => {
      if (point === 'leftovers.removed') {
        // Leftovers exist after a crash whose run cannot be continued: the schema has changed since.
        await job.run({ env: { HAKOBU_CRASH_AT: 'chunk.read' } });
        await admin.query(`ALTER TABLE ${database}.keyless ADD COLUMN extra${version} INT`);
      }
      // Only a target that is not there yet is made.
      const absent = point === 'publish.target_created' ? ['big'] : [];
      for (const table of absent) await client.dataset(dataset).table(table).delete();
      await once(async () => {
        const { signal, stderr } = await job.run({ env: { HAKOBU_CRASH_AT: point } });
        assert.equal(signal, 'SIGKILL', `${point} was not reached: ${stderr}`);
        return true;
      }, absent);
    });
  }

  test(`at ${seeds} random moments`, async (t) => {
    for (let seed = firstSeed; seed < firstSeed + seeds; ++seed) {
      t.diagnostic(`HAKOBU_CRASH_FIRST_SEED=${seed}`);
      const random = randomFrom(seed);
      try {
        await once(() => killAtRandom(job, random, typicalMs));
      } catch (error) {
        error.message = `HAKOBU_CRASH_FIRST_SEED=${seed} HAKOBU_CRASH_SEEDS=1: ${error.message}`;
        throw error;
      }
    }
  });
});
