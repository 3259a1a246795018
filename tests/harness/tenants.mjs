// Runs for many tenants: a source with rows of several, a job over it, and what must be in each dataset.
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { makeJob } from './delivery.mjs';
import { run } from './servers.mjs';

// A database with two shared tables. Rows of `members` are [id, company, name].
export async function makeShared(admin, database, rows, { companyType = 'VARCHAR(40)' } = {}) {
  await admin.query(`CREATE DATABASE ${database} CHARACTER SET utf8mb4; USE ${database};
    CREATE TABLE members (id INT PRIMARY KEY, company ${companyType}, name VARCHAR(80), KEY (company));
    CREATE TABLE visits (company ${companyType}, id INT PRIMARY KEY, minutes INT)`);
  for (let first = 0; first < rows.length; first += 1000) {
    const some = rows.slice(first, first + 1000);
    await admin.query('INSERT INTO members VALUES ?', [some]);
    await admin.query('INSERT INTO visits VALUES ?', [some.map(([id, company]) => [company, id, id % 90])]);
  }
  await admin.query('ANALYZE TABLE members, visits');
}

// `list`: tenants as in the file; each gets the dataset `<database>_<id>` unless it says otherwise.
export function tenantsJob({ mysql, bigquery, database, list, test, tenants = {}, extra = {}, tables, ...more }) {
  const job = makeJob({ mysql, bigquery, dataset: `${database}_{tenant}`, test, ...more,
    tables: tables ?? [{ table: `${database}.members`, chunk_rows: 100 }, { table: `${database}.visits`, chunk_rows: 100 }],
    extra: { ...extra, tenants: { column: 'company', create_datasets: true, list, ...tenants } } });
  job.config.tenants.spool ??= join(job.folder, 'spool');
  job.command = async (...args) => {
    job.write();
    return run(['-c', join(job.folder, 'hakobu.yaml'), ...args]);
  };
  job.tenantOf = (report, id) => report.tenants.find(({ tenant }) => tenant === id);
  return job;
}

// The ids of `table` in the dataset, in order.
export async function idsIn(client, dataset, table) {
  const [rows] = await client.query({ query: `SELECT id FROM ${dataset}.${table} ORDER BY id` });
  return rows.map(({ id }) => Number(id));
}

// Each tenant's dataset holds its rows and no other's. `rows` as of makeShared; `values`: by tenant.
export async function assertPartitioned(client, { database, rows, values, without = [] }) {
  for (const [tenant, own] of Object.entries(values)) {
    if (without.includes(tenant)) continue;
    const expected = rows.filter(([, company]) => own.includes(company)).map(([id]) => id).sort((a, b) => a - b);
    for (const table of ['members', 'visits']) {
      assert.deepEqual(await idsIn(client, `${database}_${tenant}`, table), expected, `${table} of ${tenant}`);
    }
  }
}
