// Many tenants: one scan of a shared table, each tenant's rows in its own dataset and nowhere else, whatever its column
// holds, whoever is broken, and wherever the run is killed.
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { readFileSync } from 'node:fs';
import { privateFolder, root, run, startBigquery, startMysql } from '../harness/servers.mjs';
import { bigqueryClient } from '../harness/clients.mjs';
import { assertPartitioned, idsIn, makeShared, tenantsJob } from '../harness/tenants.mjs';

describe('tenants', { concurrency: false }, () => {
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
  const datasets = async () => (await client.getDatasets())[0].map(({ id }) => id);
  const tableOf = async (dataset, table) => (await client.dataset(dataset).table(table).getMetadata())[0];

  test('each row goes where the rule says: letter by letter, or to nobody', async (t) => {
    const planted = ['acme', 'ACME', 'Acme', 'acme ', ' acme', 'acmé', null, '', '7', '07', '7.0', ' 7', '７', 'NULL', 'gone', 'bold', '12'];
    const rows = Array.from({ length: 680 }, (_, i) => [i + 1, planted[i % planted.length], `member ${i}`]);
    await makeShared(admin, 'planted', rows);
    const job = tenantsJob({ mysql, bigquery, database: 'planted', test: t,
      list: [{ id: 'acme', value: 'acme' }, { id: 'seven', values: [7, 12] }, { id: 'bold', value: 'bold' }, { id: 'empty', value: 'nobody-yet' }] });
    const { code, report, stderr } = await job.run();
    assert.equal(code, 0, stderr);
    const values = { acme: ['acme'], seven: ['7', '12'], bold: ['bold'], empty: [] };
    await assertPartitioned(client, { database: 'planted', rows, values });
    for (const scan of report.scans) {
      assert.deepEqual([scan.scanned, scan.handedOut, scan.nullRows, scan.unknownRows, scan.elsewhere], [680, 160, 40, 480, 0], scan.source);
      assert.deepEqual(Object.keys(scan.unknownValues).sort(), ['', ' 7', ' acme', '07', '7.0', 'ACME', 'Acme', 'NULL', 'acme ', 'acmé', 'gone', '７'].sort());
      assert.ok(Object.values(scan.unknownValues).every((count) => count === 40));
    }
    assert.equal(report.scans.length, 2, 'one scan a table');
    const alone = tenantsJob({ mysql, bigquery, database: 'planted', test: t, list: [{ id: 'alone', value: 'acme' }] });
    const one = await alone.run();
    assert.equal(one.code, 0, one.stderr);
    // Half of one table's rows: the server's own tables of tables are read too, and not always the same number of them.
    assert.ok(Math.abs(report.rowsExamined - one.report.rowsExamined) < 340, `${report.rowsExamined} for four, ${one.report.rowsExamined} for one`);
    const text = await job.command('run');
    assert.match(text.stdout, /members: no tenant has company .*'ACME' 40/);
    assert.match(text.stdout, /4 of 4 tenants have everything/);
  });

  test('numbers are compared as their digits', async (t) => {
    const rows = Array.from({ length: 60 }, (_, i) => [i + 1, [7, 70, -7, null, 0, 12][i % 6], 'x']);
    await makeShared(admin, 'numbers', rows, { companyType: 'INT' });
    const job = tenantsJob({ mysql, bigquery, database: 'numbers', test: t, list: [{ id: 'seven', value: 7 }, { id: 'zero', value: 0 }, { id: 'padded', value: '012' }] });
    const { code, report, stderr } = await job.run();
    assert.equal(code, 0, stderr);
    await assertPartitioned(client, { database: 'numbers', rows, values: { seven: [7], zero: [0], padded: [] } });
    assert.deepEqual(report.scans[0].unknownValues, { '-7': 10, 12: 10, 70: 10 });
  });

  test('a tenant that is broken is parked with its reason, and delivered when it is well; the unchanged cost no job', async (t) => {
    const rows = Array.from({ length: 300 }, (_, i) => [i + 1, `t${i % 3}`, `member ${i}`]);
    await makeShared(admin, 'parked', rows);
    for (const name of ['parked_t0', 'parked_t2']) await client.createDataset(name, { location: 'US' });
    const values = { t0: ['t0'], t1: ['t1'], t2: ['t2'] };
    const job = tenantsJob({ mysql, bigquery, database: 'parked', test: t, tenants: { create_datasets: false }, list: Object.keys(values).map((id) => ({ id, value: id })) });
    const textfile = join(job.folder, 'hakobu.prom');
    job.config.metrics = { textfile };
    const first = await job.run();
    assert.equal(first.code, 1, first.stderr);
    assert.equal(job.tenantOf(first.report, 't1').parked, true);
    assert.match(job.tenantOf(first.report, 't1').reason, /dataset hakobu-test\.parked_t1 does not exist.*create_datasets/);
    assert.deepEqual(first.report.tenants.map(({ run: { state } }) => state), ['done', 'failed', 'done']);
    await assertPartitioned(client, { database: 'parked', rows, values, without: ['t1'] });
    assert.ok(!(await datasets()).includes('parked_t1'));
    const status = JSON.parse((await job.command('--json', 'status')).stdout);
    assert.deepEqual(status.tenants.map(({ tenant, state }) => [tenant, state]), [['t0', 'delivered'], ['t1', 'parked'], ['t2', 'delivered']]);
    assert.equal((await job.command('status', '--max-age', '1h')).code, 3);
    assert.deepEqual(status.alerts.map(({ cause }) => cause), ['run:table:t1']);
    assert.match(readFileSync(textfile, 'utf8'), /table="t0: parked\.members"/);

    const before = await tableOf('parked_t0', 'members');
    await client.createDataset('parked_t1', { location: 'US' });
    const changed = await admin.query("UPDATE parked.members SET name = 'another' WHERE id = 3");
    assert.ok(changed);
    const second = await job.run();
    assert.equal(second.code, 0, second.stderr);
    await assertPartitioned(client, { database: 'parked', rows, values });
    const unchanged = (id) => job.tenantOf(second.report, id).run.tables.map((table) => [table.source, table.unchanged]);
    assert.deepEqual(unchanged('t0'), [['parked.members', true], ['parked.visits', true]]);
    assert.deepEqual(unchanged('t2'), [['parked.members', false], ['parked.visits', true]]);
    assert.equal((await tableOf('parked_t0', 'members')).lastModifiedTime, before.lastModifiedTime, 'nothing was done to it');
    assert.equal((await job.command('status', '--max-age', '1h')).code, 0);
    assert.deepEqual(JSON.parse((await job.command('--json', 'status')).stdout).alerts, [], 'over with its cause');
  });

  test('tiers and tenants narrow, mask and leave out; a tenant with a filter of its own has a scan of its own', async (t) => {
    const rows = Array.from({ length: 90 }, (_, i) => [i + 1, `t${i % 3}`, `member ${i}`]);
    await makeShared(admin, 'layers', rows);
    const job = tenantsJob({ mysql, bigquery, database: 'layers', test: t, defaults: { where: 'id <= 80', labels: { by: 'hakobu' } },
      extra: { tiers: { trial: { columns: { name: { mask: 'null' } }, labels: { tier: 'trial' } } } },
      list: [{ id: 't0', value: 't0' }, { id: 't1', value: 't1', tier: 'trial' }, { id: 't2', value: 't2', where: 'id > 50', exclude: ['name'] }],
      tables: [{ table: 'layers.members', chunk_rows: 100 }] });
    const { code, report, stderr } = await job.run();
    assert.equal(code, 0, stderr);
    const mine = (company, from = 0) => rows.filter(([id, of]) => of === company && id <= 80 && id > from).map(([id]) => id);
    assert.deepEqual(await idsIn(client, 'layers_t0', 'members'), mine('t0'));
    assert.deepEqual(await idsIn(client, 'layers_t1', 'members'), mine('t1'));
    assert.deepEqual(await idsIn(client, 'layers_t2', 'members'), mine('t2', 50));
    assert.deepEqual(report.scans.map(({ scanned, tenants, elsewhere }) => [scanned, tenants, elsewhere]).sort(), [[30, 1, 20], [80, 2, 26]]);
    const [masked] = await client.query('SELECT COUNT(name) AS names FROM layers_t1.members');
    assert.equal(masked[0].names, 0);
    const fields = async (dataset) => (await tableOf(dataset, 'members')).schema.fields.map(({ name }) => name);
    assert.deepEqual(await fields('layers_t0'), ['id', 'company', 'name']);
    assert.deepEqual(await fields('layers_t2'), ['id', 'company']);
    assert.deepEqual((await tableOf('layers_t1', 'members')).labels, { by: 'hakobu', tier: 'trial' });
    const explained = await job.command('config', 'explain', 't1', 'layers.members', 'columns.name.mask');
    assert.match(explained.stdout, /columns\.name\.mask\s+null\s+\+ tier trial\s+\S+hakobu\.yaml:\d+/);
  });

  test("settings of one tenant that do not fit a table are its own trouble, and some tables are not the whole", async (t) => {
    const rows = Array.from({ length: 40 }, (_, i) => [i + 1, `t${i % 2}`, `member ${i}`]);
    await makeShared(admin, 'misfit', rows);
    const job = tenantsJob({ mysql, bigquery, database: 'misfit', test: t,
      list: [{ id: 't0', value: 't0', exclude: ['*'] }, { id: 't1', value: 't1' }] });
    const { code, report, stdout } = await job.run();
    assert.equal(code, 1);
    assert.deepEqual(await idsIn(client, 'misfit_t1', 'members'), rows.filter(([, of]) => of === 't1').map(([id]) => id));
    assert.ok(!(await datasets()).includes('misfit_t0'));
    const of = (id) => report.tenants.find(({ tenant }) => tenant === id);
    assert.doesNotMatch(JSON.stringify(of('t1')), /failed/, stdout);
    assert.match(JSON.stringify(of('t0')), /column/, stdout);
    const part = tenantsJob({ mysql, bigquery, database: 'misfit', test: t, list: [{ id: 'part', value: 't1' }] });
    assert.equal((await part.run({ args: ['members'] })).code, 0);
    const state = async () => JSON.parse((await part.command('--json', 'tenant', 'list')).stdout)[0].state;
    assert.notEqual(await state(), 'delivered');
    assert.equal((await part.run()).code, 0);
    assert.equal(await state(), 'delivered');
  });

  test('databases of their own and shared tables in one configuration, and only those that are asked for', async (t) => {
    const rows = Array.from({ length: 40 }, (_, i) => [i + 1, `t${i % 2}`, `member ${i}`]);
    await makeShared(admin, 'mixed', rows);
    await admin.query("CREATE DATABASE mixed_own; CREATE TABLE mixed_own.members (id INT PRIMARY KEY, name VARCHAR(20)); INSERT INTO mixed_own.members VALUES (1001, 'own')");
    const job = tenantsJob({ mysql, bigquery, database: 'mixed', test: t,
      list: [{ id: 't0', value: 't0' }, { id: 't1', value: 't1' }, { id: 'own', database: 'mixed_own' }],
      tables: [{ table: 'mixed.members' }, { table: '{tenant_database}.*' }] });
    const one = await job.run({ args: ['--tenants', 't0'] });
    assert.equal(one.code, 0, one.stderr);
    assert.deepEqual(one.report.tenants.map(({ tenant }) => tenant), ['t0']);
    assert.ok(!(await datasets()).includes('mixed_t1'));
    const all = await job.run();
    assert.equal(all.code, 0, all.stderr);
    assert.deepEqual(await idsIn(client, 'mixed_own', 'members'), [1001]);
    assert.deepEqual(await idsIn(client, 'mixed_t1', 'members'), rows.filter(([, of]) => of === 't1').map(([id]) => id));
    const listed = JSON.parse((await job.command('--json', 'tenant', 'list')).stdout);
    assert.deepEqual(listed.map(({ tenant, state, dataset }) => [tenant, state, dataset]),
      [['t0', 'delivered', 'hakobu-test.mixed_t0'], ['t1', 'delivered', 'hakobu-test.mixed_t1'], ['own', 'delivered', 'hakobu-test.mixed_own']]);
    assert.match((await job.command('run', '--tenants', 'nobody')).stderr, /expected the id of a tenant, or tier:NAME, found "nobody"/);
    const check = await job.command('tenant', 'check');
    assert.equal(check.code, 0, check.stdout + check.stderr);
    assert.match(check.stdout, /mixed\.members\n\s+ok\s+shared by 2 tenants, 1 scan/);
  });

  test('other commands do not take a configuration of many for one of one', async (t) => {
    const job = tenantsJob({ mysql, bigquery, database: 'planted', test: t, list: [{ id: 'acme', value: 'acme' }] });
    for (const command of [['plan'], ['stream'], ['check'], ['verify'], ['repair', '--all']]) {
      const { code, stderr } = await job.command(...command);
      assert.equal(code, 2, command.join(' '));
      assert.match(stderr, /tenants: expected a command that knows tenants/);
    }
  });

  const points = ['run.table_added', 'tenants.scanned', 'tenant.run_started', 'tenant.run_started:2', 'chunk.sealed', 'chunk.sealed:3', 'chunk.load_started',
    'chunk.loaded:2', 'chunk.checkpointed:4', 'publish.begun', 'publish.contract_recorded:3', 'run.table_done', 'run.table_done:5', 'run.finishing'];
  test('killed at any step, and its source changed meanwhile: the next run has every row at its tenant and at no other', async (t) => {
    const companies = ['t0', 't1', 't2', null, 'unknown'];
    const rows = Array.from({ length: 500 }, (_, i) => [i + 1, companies[i % 5], `member ${i}`]);
    await makeShared(admin, 'killed', rows);
    const values = { t0: ['t0'], t1: ['t1'], t2: ['t2'] };
    const job = tenantsJob({ mysql, bigquery, database: 'killed', test: t, list: Object.keys(values).map((id) => ({ id, value: id })) });
    let moved = 0;
    for (const point of points) {
      // Every table of every tenant is another one now: nothing is left out as unchanged.
      await admin.query('UPDATE killed.members SET name = CONCAT(id, ?); UPDATE killed.visits SET minutes = minutes + 1', [point]);
      const { signal, stderr } = await job.run({ env: { HAKOBU_CRASH_AT: point } });
      assert.equal(signal, 'SIGKILL', `${point} was not reached: ${stderr}`);
      // A customer's rows move to another between the two runs.
      for (let i = 0; i < 3; ++i) {
        const row = rows[(moved += 7) % rows.length];
        row[1] = companies[(companies.indexOf(row[1]) + 1) % 5];
        await admin.query('UPDATE killed.members SET company = ? WHERE id = ?', [row[1], row[0]]);
        await admin.query('UPDATE killed.visits SET company = ? WHERE id = ?', [row[1], row[0]]);
      }
      const again = await job.run();
      assert.equal(again.code, 0, `${point}: ${again.stderr}`);
      await assertPartitioned(client, { database: 'killed', rows, values });
      for (const id of Object.keys(values)) {
        const [tables] = await client.dataset(`killed_${id}`).getTables();
        assert.deepEqual(tables.map((table) => table.id).sort(), ['members', 'visits'], `${point}: nothing is left behind`);
      }
    }
  });

  test('the example: twelve chains of gyms, one scan, twelve datasets, one of them missing', async (t) => {
    const demo = bigqueryClient(bigquery, { projectId: 'demo' });
    await admin.query(`CREATE USER IF NOT EXISTS hakobu@localhost; CREATE DATABASE chains; GRANT SELECT ON chains.* TO hakobu@localhost; USE chains;
      CREATE TABLE members (id INT PRIMARY KEY, company_id INT, email VARCHAR(80), KEY (company_id));
      CREATE TABLE visits (id INT PRIMARY KEY, company_id INT, minutes INT)`);
    const member = (i) => [i, i % 41 === 0 ? null : i % 14 + 1, `m${i}@example.jp`];
    await admin.query('INSERT INTO members VALUES ?', [Array.from({ length: 1400 }, (_, i) => member(i))]);
    await admin.query('INSERT INTO visits SELECT id, company_id, id % 60 FROM members; ANALYZE TABLE members, visits');
    const chains = readFileSync(join(root, 'examples/gym-chains.csv'), 'utf8').split('\n').filter((line) => /^[a-z]+,\d/.test(line))
      .map((line) => line.split(',')).map(([id, values, tier, dataset]) => ({ id, values: values.split('|').map(Number), tier, dataset: dataset || `chain_${id}` }));
    assert.equal(chains.length, 12);
    for (const { id, dataset } of chains) if (id !== 'kyoto') await demo.createDataset(dataset, { location: 'asia-northeast1' });
    const folder = privateFolder('chains');
    const env = { CHAINS_SOCKET: mysql.socketPath, CHAINS_REST: bigquery.endpoint, CHAINS_GRPC: `127.0.0.1:${bigquery.grpcPort}`, CHAINS_FOLDER: folder };
    const { code, stdout, stderr } = await run(['-c', join(root, 'examples/gym-chains.yaml'), '--json', 'run'], { env });
    assert.equal(code, 1, stderr);
    const report = JSON.parse(stdout);
    assert.deepEqual(report.tenants.filter(({ parked }) => parked).map(({ tenant }) => tenant), ['kyoto']);
    for (const { id, values, tier, dataset } of chains) {
      if (id === 'kyoto') continue;
      const expected = Array.from({ length: 1400 }, (_, i) => member(i)).filter(([, company]) => values.includes(company)).map(([one]) => one);
      const [rows] = await demo.query(`SELECT id, email FROM ${dataset}.members ORDER BY id`);
      assert.deepEqual(rows.map((row) => Number(row.id)), expected, id);
      assert.equal(rows.every(({ email }) => email === null), tier === 'trial', id);
    }
    assert.equal(report.scans.length, 2);
    for (const scan of report.scans) assert.equal(scan.scanned, scan.handedOut + scan.nullRows + scan.unknownRows);
    t.diagnostic(`${report.scans[0].unknownRows} rows of companies that no tenant has`);
  });
});
