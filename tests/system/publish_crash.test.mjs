// kill -9 in each way of publishing, by seed: at a named step or at a random moment. After it readers see the old rows or
// the new ones, never half of either; the next run makes it the new ones, once; and what hung on the target hangs on it.
// HAKOBU_PUBLISH_SEEDS: seeds, and kills, for each way (scripts/soak-publish has many).
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { startBigquery, startMysql } from '../harness/servers.mjs';
import { bigqueryClient } from '../harness/clients.mjs';
import { crashPoints, killAtRandom, newestRun, randomFrom } from '../harness/crash.mjs';
import { makeJob } from '../harness/delivery.mjs';
import { datasetsRest, hang, hangsOn, hangWords } from '../harness/hangings.mjs';

const seeds = Number(process.env.HAKOBU_PUBLISH_SEEDS ?? 3);
const firstSeed = Number(process.env.HAKOBU_PUBLISH_FIRST_SEED ?? Date.now() % 1000000);
const only = process.env.HAKOBU_PUBLISH_AT;  // a step, "publish.committed:2", in place of what the seeds draw
const rows = 400;
const chunked = { chunk_rows: 100 };

// What hangs on the target decides how it is replaced.
const ways = {
  load: { entry: {}, hang: hangWords },
  copy: { entry: {}, defaults: chunked, hang: hangWords },
  query: { entry: {}, defaults: chunked, hang: (...target) => hang(...target, { policy: false }) },
  merge: { entry: {}, defaults: chunked, hang },
  streams: { entry: { mode: 'append' }, defaults: chunked, hang },
  upsert: { entry: { mode: 'incremental', cursor: 'at', overlap: '1s' }, defaults: chunked, hang },
};

describe('killed while it publishes', { concurrency: false }, () => {
  let mysql, bigquery, client, admin, rest;
  before(async () => {
    [mysql, bigquery] = await Promise.all([startMysql(), startBigquery()]);
    client = bigqueryClient(bigquery);
    rest = datasetsRest(bigquery);
    admin = await mysql.connect();
    await admin.query(`CREATE DATABASE shop; USE shop; CREATE TABLE n (i INT PRIMARY KEY);
      INSERT INTO n VALUES ${Array.from({ length: rows }, (_, i) => `(${i})`)}`);
  });
  after(async () => {
    await admin?.end();
    await mysql?.stop();
    await bigquery?.stop();
  });

  // The rows that readers see, by version.
  const seen = async (dataset) => {
    const [found] = await client.query(`SELECT version, COUNT(*) AS n, COUNT(DISTINCT id) AS ids FROM \`${dataset}.t\` GROUP BY version ORDER BY version`);
    return Object.fromEntries(found.map(({ version, n, ids }) => {
      assert.equal(n, ids, `version ${version}: rows that come twice`);
      return [version, n];
    }));
  };
  const wholeOf = (way, version) => way === 'streams' ? Object.fromEntries(Array.from({ length: version }, (_, i) => [i + 1, rows])) : { [version]: rows };

  for (const [way, { entry, defaults, hang: hangIt }] of Object.entries(ways)) {
    test(`${way}: ${seeds} seeds`, async (t) => {
      const dataset = `killed_${way}`;
      await admin.query(`DROP TABLE IF EXISTS t; CREATE TABLE t (id INT PRIMARY KEY, version INT NOT NULL, name VARCHAR(20),
        at TIMESTAMP(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6), KEY (at)); INSERT INTO t (id, version, name) SELECT i, 1, i FROM n; ANALYZE TABLE t`);
      const job = makeJob({ mysql, bigquery, dataset, tables: [{ table: 'shop.t', ...entry }], defaults, test: t });
      const run = async () => {
        const result = await job.run();
        assert.equal(result.code, 0, result.stderr + result.stdout);
        return result.report.tables[0];
      };
      let version = 1;
      const next = () => admin.query(`UPDATE t SET version = ${++version}, at = NOW(6)`);
      await run();
      await hangIt(rest, dataset, 't', 'name');
      const hangs = await hangsOn(rest, dataset, 't');
      await next();
      const started = Date.now();
      assert.equal((await run()).publish, way);
      const typicalMs = Date.now() - started;
      // How often each step is reached at the most, as far as it is known: this way does not pass all of them.
      const points = new Map(crashPoints().map((name) => [name, 1]));
      let killed = 0;
      for (let seed = firstSeed, random = randomFrom(seed), tries = 1; seed < firstSeed + seeds; ++tries) {
        const [name, most] = [...points][Math.floor(random() * points.size)];
        const point = only ?? (random() < 0.6 ? `${name}:${1 + Math.floor(random() * most)}` : undefined);
        const which = `${way}, seed ${seed}, ${point ? `HAKOBU_PUBLISH_AT=${point}` : 'at a random moment'}`;
        await next();
        const before = newestRun(job.ledger);
        const died = point ? (await job.run({ env: { HAKOBU_CRASH_AT: point } })).signal === 'SIGKILL' : await killAtRandom(job, random, typicalMs);
        if (point && !only) {
          const [reached, time] = point.split(':');
          if (died) points.set(reached, Math.max(points.get(reached), Number(time) + 1));
          else if (Number(time) > 1) points.set(reached, Number(time) - 1);
          else points.delete(reached);
        }
        const now = await seen(dataset);
        const wholes = [wholeOf(way, version - 1), wholeOf(way, version)].map((whole) => JSON.stringify(whole));
        assert.ok(wholes.includes(JSON.stringify(now)), `${which}: ${JSON.stringify(now)} is neither old nor new`);
        // A kill after the run's last step leaves nothing to go on with: one more run would append again.
        const after = newestRun(job.ledger);
        if (died && (after.id === before.id || after.state !== 'done')) await run();
        assert.deepEqual(await seen(dataset), wholeOf(way, version), which);
        assert.deepEqual(await hangsOn(rest, dataset, 't'), hangs, which);
        // A run that came to its end before it could be killed is no seed.
        if (!died && tries < 200) continue;
        killed += died ? 1 : 0;
        random = randomFrom(++seed);
        tries = 0;
      }
      t.diagnostic(`${killed} killed; ${points.size} steps`);
      assert.equal(killed, seeds);
    });
  }
});
