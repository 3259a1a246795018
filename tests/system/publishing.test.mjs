// How tables get into place, and what stays: what hung on a target hangs on it after every run, by whatever way the rows
// came; what has not changed is not sent; and one table's trouble is that table's.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { run, startBigquery, startMysql } from '../harness/servers.mjs';
import { bigqueryClient, fetchSeen, project } from '../harness/clients.mjs';
import { makeJob } from '../harness/delivery.mjs';
import { assertDelivered, deliveredTable } from '../harness/compare.mjs';

describe('publishing', { concurrency: false }, () => {
  let mysql, bigquery, client, admin;
  before(async () => {
    [mysql, bigquery] = await Promise.all([startMysql(), startBigquery()]);
    client = bigqueryClient(bigquery);
    admin = await mysql.connect();
    await admin.query(`CREATE DATABASE shop; USE shop; CREATE TABLE n (i INT PRIMARY KEY);
      INSERT INTO n VALUES ${Array.from({ length: 900 }, (_, i) => `(${i})`)}`);
  });
  after(async () => {
    await admin?.end();
    await mysql?.stop();
    await bigquery?.stop();
  });

  const rest = async (method, path, body) => {
    const answer = await fetchSeen(`${bigquery.endpoint}/bigquery/v2/projects/${project}/${path}`,
      { method, headers: { 'content-type': 'application/json' }, body: body && JSON.stringify(body) });
    assert.ok(answer.ok, `${method} ${path}: ${answer.status} ${await answer.clone().text()}`);
    return answer.status === 204 ? {} : answer.json();
  };
  const makeTable = (name) => admin.query(`CREATE TABLE shop.${name} (id INT PRIMARY KEY, name VARCHAR(20), mail VARCHAR(40), day DATE);
    INSERT INTO shop.${name} SELECT i, CONCAT('row', i), CONCAT(i, '@x.com'), '2026-01-01' + INTERVAL i DAY FROM shop.n; ANALYZE TABLE shop.${name}`);
  const table = (report, name) => report.tables.find((one) => one.source === `shop.${name}`);

  // What somebody hung on a target.
  const hang = {
    nothing: async () => {},
    words: (path) => rest('PATCH', path, { description: 'theirs', labels: { team: 'theirs' } }),
    tags: async (path) => {
      const { schema } = await rest('GET', path);
      schema.fields[2].policyTags = { names: ['projects/p/locations/us/taxonomies/1/policyTags/2'] };
      schema.fields[1].description = 'their word';
      await rest('PATCH', path, { schema });
    },
    grants: (path) => rest('POST', `${path}:setIamPolicy`,
      { policy: { bindings: [{ role: 'roles/bigquery.dataViewer', members: ['user:reader@x.com'] }] } }),
    policies: (path) => rest('POST', `${path}/rowAccessPolicies`,
      { rowAccessPolicyReference: { policyId: 'own' }, filterPredicate: 'TRUE', grantees: ['allUsers'] }),
  };
  const hanging = async (path) => {
    const { description, labels, schema, clustering, timePartitioning, requirePartitionFilter, creationTime } = await rest('GET', path);
    const { bindings } = await rest('POST', `${path}:getIamPolicy`, {});
    const { rowAccessPolicies } = await rest('GET', `${path}/rowAccessPolicies`);
    return { description, labels, clustering, timePartitioning, requirePartitionFilter, creationTime, bindings,
      fields: schema.fields.map(({ name, description: words, policyTags }) => ({ name, words, policyTags })),
      policies: rowAccessPolicies?.map(({ filterPredicate }) => filterPredicate) };
  };

  for (const [what, ways] of Object.entries({ nothing: ['load', 'copy', 'query'], words: ['load', 'copy', 'query'], tags: ['load', 'query', 'query'],
    grants: ['load', 'query', 'query'], policies: ['merge', 'merge', 'merge'] })) {
    for (const [i, [kind, more]] of [['one load', {}], ['many loads', { chunk_rows: 300 }], ['streams', { write: 'storage', chunk_rows: 300 }]].entries()) {
      test(`what hangs on a target stays: ${what}, ${kind}`, async (t) => {
        const name = `${what}_${i}`;
        await makeTable(name);
        const job = makeJob({ mysql, bigquery, dataset: 'kept', tables: [{ table: `shop.${name}`, ...more }], test: t });
        const first = await job.run();
        assert.equal(first.code, 0, first.stderr + first.stdout);
        const path = `datasets/kept/tables/${name}`;
        await hang[what](path);
        const expected = await hanging(path);
        await admin.query(`UPDATE shop.${name} SET name = 'new' WHERE id % 3 = 0; DELETE FROM shop.${name} WHERE id % 5 = 0`);
        const plan = JSON.parse((await run(['-c', `${job.folder}/hakobu.yaml`, '--json', 'plan'])).stdout).tables[0];
        const second = await job.run();
        assert.equal(second.code, 0, second.stderr + second.stdout);
        assert.equal(second.report.tables[0].publish, ways[i]);
        assert.equal(plan.publish, ways[i]);
        assert.equal(plan.billed_bytes > 0, ['query', 'merge'].includes(ways[i]));
        assert.deepEqual(await hanging(path), expected);
        await assertDelivered({ mysql, bigquery: client, dataset: 'kept', database: 'shop', tables: [name] });
        // A new column comes without taking anything away.
        await admin.query(`ALTER TABLE shop.${name} ADD COLUMN extra INT DEFAULT 7`);
        const third = await job.run();
        assert.equal(third.code, 0, third.stderr + third.stdout);
        const now = await hanging(path);
        assert.deepEqual(now, { ...expected, fields: [...expected.fields, { name: 'extra', words: undefined, policyTags: undefined }] });
        await assertDelivered({ mysql, bigquery: client, dataset: 'kept', database: 'shop', tables: [name] });
      });
    }
  }

  test('columns that go or get another name leave the others what hangs on them', async (t) => {
    await makeTable('renamed');
    const job = makeJob({ mysql, bigquery, dataset: 'kept', tables: [{ table: 'shop.renamed' }], test: t });
    assert.equal((await job.run()).code, 0);
    const path = 'datasets/kept/tables/renamed';
    await hang.tags(path);
    await hang.grants(path);
    const before = await hanging(path);
    await admin.query('ALTER TABLE shop.renamed RENAME COLUMN mail TO email, DROP COLUMN day');
    const second = await job.run();
    assert.equal(second.code, 0, second.stderr + second.stdout);
    const after = await hanging(path);
    assert.deepEqual(after.fields.map(({ name }) => name), ['id', 'name', 'email']);
    assert.deepEqual(after.fields[2].policyTags, before.fields[2].policyTags);
    assert.deepEqual(after.bindings, before.bindings);
    assert.equal(after.creationTime, before.creationTime);
    await assertDelivered({ mysql, bigquery: client, dataset: 'kept', database: 'shop', tables: ['renamed'] });
    // What BigQuery cannot do in place is refused, and the rows that are there stay.
    await admin.query('ALTER TABLE shop.renamed MODIFY name INT NULL, ALGORITHM=COPY').catch(() =>
      admin.query('UPDATE shop.renamed SET name = NULL; ALTER TABLE shop.renamed MODIFY name INT'));
    const third = await job.run();
    assert.equal(third.code, 4, third.stderr + third.stdout);
    assert.match(third.stdout + third.stderr, /BigQuery cannot do in place/);
    assert.deepEqual(await hanging(path), after);
  });

  test('what has not changed is not sent, unless somebody touched the target', async (t) => {
    await makeTable('still');
    await admin.query('CREATE TABLE shop.empty (id INT PRIMARY KEY); CREATE TABLE shop.wide LIKE shop.still; INSERT INTO shop.wide SELECT * FROM shop.still; ANALYZE TABLE shop.wide');
    const job = makeJob({ mysql, bigquery, dataset: 'still', test: t,
      tables: [{ table: 'shop.still' }, { table: 'shop.empty' }, { table: 'shop.wide', chunk_rows: 300 }] });
    const names = ['still', 'empty', 'wide'];
    const stamps = () => Promise.all(names.map(async (name) => (await rest('GET', `datasets/still/tables/${name}`)).lastModifiedTime));
    const unchanged = (report) => names.filter((name) => table(report, name).unchanged);
    const first = await job.run();
    assert.equal(first.code, 0, first.stderr + first.stdout);
    assert.deepEqual(unchanged(first.report), []);
    // A table that a copy has made is described after it: whether somebody else wrote meanwhile cannot be told, so it is
    // sent once more.
    const again = await job.run();
    assert.deepEqual(unchanged(again.report), ['still', 'empty']);
    const before = await stamps();
    const second = await job.run();
    assert.equal(second.code, 0, second.stderr);
    assert.deepEqual(unchanged(second.report), names);
    assert.equal(table(second.report, 'still').rows, 900);
    assert.deepEqual(await stamps(), before);
    await client.query("DELETE FROM still.still WHERE id = 3; UPDATE still.wide SET name = 'x' WHERE id = 3");
    await client.query('INSERT INTO still.empty (id) VALUES (1)');
    const third = await job.run();
    assert.equal(third.code, 0, third.stderr);
    assert.deepEqual(unchanged(third.report), []);
    await assertDelivered({ mysql, bigquery: client, dataset: 'still', database: 'shop', tables: names });
    // The same number of rows, and another value: sent. And a table that was made anew.
    await admin.query("UPDATE shop.still SET name = 'other' WHERE id = 7");
    await client.dataset('still').table('wide').delete();
    const fourth = await job.run();
    assert.equal(fourth.code, 0, fourth.stderr);
    assert.ok(!unchanged(fourth.report).includes('still') && !unchanged(fourth.report).includes('wide'));
    await assertDelivered({ mysql, bigquery: client, dataset: 'still', database: 'shop', tables: names });
  });

  test('a table that was emptied is empty there', async (t) => {
    await makeTable('emptied');
    const job = makeJob({ mysql, bigquery, dataset: 'emptied', tables: [{ table: 'shop.emptied' }], test: t });
    assert.equal((await job.run()).code, 0);
    await admin.query('DELETE FROM shop.emptied');
    const second = await job.run();
    assert.equal(second.code, 0, second.stderr);
    assert.equal(second.report.tables[0].publish, 'load');
    assert.deepEqual((await deliveredTable(client, 'emptied', 'emptied')).rows, []);
  });

  test('a filter over partitions that the customer demands is met and left on', async (t) => {
    for (const [name, more] of [['parted', { write: 'storage' }], ['parted_merge', {}], ['parted_inc', { mode: 'incremental', cursor: 'id' }]]) {
      await makeTable(name);
      const job = makeJob({ mysql, bigquery, dataset: 'kept', tables: [{ table: `shop.${name}`, partition: { by: 'day', column: 'day' }, ...more }], test: t });
      assert.equal((await job.run()).code, 0);
      const path = `datasets/kept/tables/${name}`;
      await rest('PATCH', path, { requirePartitionFilter: true });
      if (name === 'parted_merge') await hang.policies(path);
      const before = await hanging(path);
      await admin.query(`INSERT INTO shop.${name} VALUES (5000, 'more', NULL, NULL)`);
      const second = await job.run();
      assert.equal(second.code, 0, second.stderr + second.stdout);
      assert.deepEqual(await hanging(path), before);
      assert.equal(before.requirePartitionFilter, true);
      const [rows] = await client.query(`SELECT COUNT(*) AS n FROM kept.${name} WHERE day IS NULL OR day IS NOT NULL`);
      assert.equal(rows[0].n, 901);
    }
  });

  test("one table's trouble is that table's, and the next run delivers all anew", async (t) => {
    for (const name of ['good', 'doomed', 'odd', 'viewed']) await makeTable(name);
    await admin.query('CREATE TABLE shop.twice (a INT, A2 INT)');
    const job = makeJob({ mysql, bigquery, dataset: 'apart', test: t, tables: [{ table: 'shop.good' }, { table: 'shop.doomed' },
      { table: 'shop.odd', columns: { name: { as: 'STRING' } } }, { table: 'shop.viewed' }] });
    assert.equal((await job.run()).code, 0);
    await client.dataset('apart').table('viewed').delete();
    await client.query(`CREATE VIEW apart.viewed AS SELECT 1 AS one`);
    await admin.query("DROP TABLE shop.doomed; ALTER TABLE shop.odd RENAME COLUMN name TO called; UPDATE shop.good SET name = 'two'");
    const second = await job.run();
    assert.equal(second.code, 4, second.stderr + second.stdout);  // the view is refused
    const states = (report) => Object.fromEntries(report.tables.map((one) => [one.source, one.state]));
    const expected = { 'shop.good': 'done', 'shop.doomed': 'failed', 'shop.odd': 'failed', 'shop.viewed': 'failed' };
    assert.deepEqual(states(second.report), expected);
    assert.match(table(second.report, 'doomed').error, /matches no table/);
    assert.match(table(second.report, 'odd').error, /no column `name`/);
    assert.match(table(second.report, 'viewed').error, /is no table; expected TABLE, found VIEW/);
    await assertDelivered({ mysql, bigquery: client, dataset: 'apart', database: 'shop', tables: ['good'] });
    const plan = await run(['-c', `${job.folder}/hakobu.yaml`, 'plan']);
    assert.equal(plan.code, 4, plan.stdout);
    assert.match(plan.stdout, /Cannot be delivered[^]*shop\.doomed/);
    const status = JSON.parse((await run(['-c', `${job.folder}/hakobu.yaml`, '--json', 'status'])).stdout).runs[0];
    assert.equal(status.state, 'failed');
    assert.deepEqual(status.tables.map((one) => one.state).sort(), ['done', 'failed', 'failed', 'failed']);
    // Not continued: what was delivered is read again.
    await admin.query("UPDATE shop.good SET name = 'three'");
    const text = await run(['-c', `${job.folder}/hakobu.yaml`, 'run']);
    assert.equal(text.code, 4, text.stderr);
    assert.match(text.stdout.trim().split('\n').at(-1), /^3 of 4 tables failed: shop\.\w+, shop\.\w+, shop\.\w+\. The others were delivered\.$/);
    await assertDelivered({ mysql, bigquery: client, dataset: 'apart', database: 'shop', tables: ['good'] });
    assert.equal((await rest('GET', 'datasets/apart/tables/viewed')).type, 'VIEW');
  });
});
