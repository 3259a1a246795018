// Seeded nights of many tenants: they come, go and change their configuration, rows move between them, runs are killed at
// random moments. No row is ever found in a dataset whose tenant it never was, and after a whole run every dataset is equal.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { startBigquery, startMysql } from '../harness/servers.mjs';
import { bigqueryClient } from '../harness/clients.mjs';
import { killAtRandom, randomFrom } from '../harness/crash.mjs';
import { idsIn, makeShared, tenantsJob } from '../harness/tenants.mjs';

const seeds = Number(process.env.HAKOBU_TENANT_SEEDS ?? 3);
const firstSeed = Number(process.env.HAKOBU_TENANT_FIRST_SEED ?? Date.now() % 1000000);
const nights = 5;
const companies = ['t0', 't1', 't2', 't3', 't4', 'T0', 't1 ', null, 'unknown', '01'];

describe('tenants at random', { concurrency: false }, () => {
  let mysql, bigquery, client, admin;
  before(async () => {
    mysql = await startMysql();
    bigquery = await startBigquery();
    client = bigqueryClient(bigquery);
    admin = await mysql.connect();
  });
  after(async () => {
    await admin?.end();
    await mysql?.stop();
    await bigquery?.stop();
  });

  async function oneSeed(seed, t) {
    const random = randomFrom(seed);
    const below = (n) => Math.floor(random() * n);
    const database = `seed${seed}`;
    const rows = Array.from({ length: 300 + below(600) }, (_, i) => [i + 1, companies[below(companies.length)], `member ${i}`]);
    await makeShared(admin, database, rows);
    const job = tenantsJob({ mysql, bigquery, database, test: t, list: [], extra: { limits: { memory: '4MB' } } });
    // [id, company] pairs that have been, before or after any change.
    const ever = new Set(rows.map(([id, company]) => `${id} ${company}`));
    const delivered = new Set();  // tenants that may have a dataset
    let typicalMs = 1500;
    for (let night = 0; night < nights; ++night) {
      job.config.tenants.list = companies.slice(0, 5).filter(() => random() < 0.7).map((id) => ({ id, value: id,
        ...(random() < 0.3 ? { where: `id > ${below(200)}` } : {}), ...(random() < 0.3 ? { exclude: ['name'] } : {}) }));
      if (job.config.tenants.list.length === 0) job.config.tenants.list = [{ id: 't0', value: 't0' }];
      for (const { id } of job.config.tenants.list) delivered.add(id);
      for (let i = below(20); i > 0; --i) {
        const row = rows[below(rows.length)];
        row[1] = companies[below(companies.length)];
        ever.add(`${row[0]} ${row[1]}`);
        await admin.query(`UPDATE ${database}.members SET company = ? WHERE id = ?`, [row[1], row[0]]);
        await admin.query(`UPDATE ${database}.visits SET company = ? WHERE id = ?`, [row[1], row[0]]);
      }
      const killed = night < nights - 1 && await killAtRandom(job, random, typicalMs);
      await assertNobodyElses(database, delivered, ever);
      if (killed) continue;
      const started = Date.now();
      const { code, stderr, report } = await job.run();
      typicalMs = Date.now() - started;
      assert.equal(code, 0, stderr);
      for (const scan of report.scans) assert.equal(scan.scanned, scan.handedOut + scan.nullRows + scan.unknownRows + scan.elsewhere);
      await assertNobodyElses(database, delivered, ever);
      for (const { id, where } of job.config.tenants.list) {
        const from = where ? Number(where.split('> ')[1]) : 0;
        const expected = rows.filter(([row, company]) => company === id && row > from).map(([row]) => row);
        for (const table of ['members', 'visits']) assert.deepEqual(await idsIn(client, `${database}_${id}`, table), expected, `${table} of ${id}`);
      }
    }
  }

  async function assertNobodyElses(database, delivered, ever) {
    const [all] = await client.getDatasets();
    for (const id of delivered) {
      const dataset = all.find((one) => one.id === `${database}_${id}`);
      if (!dataset) continue;
      const [tables] = await dataset.getTables();
      for (const table of tables) {
        const [found] = await client.query(`SELECT id, company FROM ${dataset.id}.\`${table.id}\``);
        for (const row of found) {
          assert.equal(row.company, id, `row ${row.id} in ${dataset.id}.${table.id}`);
          assert.ok(ever.has(`${row.id} ${row.company}`), `row ${row.id} of ${row.company} never was`);
        }
      }
    }
  }

  test(`${seeds} seeds`, async (t) => {
    for (let seed = firstSeed; seed < firstSeed + seeds; ++seed) {
      t.diagnostic(`HAKOBU_TENANT_FIRST_SEED=${seed}`);
      try {
        await oneSeed(seed, t);
      } catch (error) {
        error.message = `HAKOBU_TENANT_FIRST_SEED=${seed} HAKOBU_TENANT_SEEDS=1: ${error.message}`;
        throw error;
      }
    }
  });
});
