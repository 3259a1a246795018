// The main job end to end, on both servers: what hakobu delivers, read back by Google's client, equals what the server's
// own client reads.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { run, startBigquery, startMysql } from '../harness/servers.mjs';
import { change } from '../harness/behaviours.mjs';
import { bigqueryClient } from '../harness/clients.mjs';
import { loadGyms, rowCounts } from '../harness/dataset.mjs';
import { makeJob } from '../harness/delivery.mjs';
import { assertDelivered, assertSameRows, deliveredTable } from '../harness/compare.mjs';

const scale = 0.01;
const gymTables = Object.keys(rowCounts());

for (const flavor of ['mysql', 'mariadb']) {
  describe(flavor, { concurrency: false }, () => {
    let mysql, bigquery, client, admin;
    test('servers', async () => {
      mysql = await startMysql({ flavor });
      bigquery = await startBigquery();
      client = bigqueryClient(bigquery);
      admin = await mysql.connect();
      await loadGyms(admin, { flavor, scale });
    });

    test('replace: every table, every value', async (t) => {
      const job = makeJob({ mysql, bigquery, dataset: 'gyms', tables: [{ table: 'gyms.*' }],
        defaults: { chunk_rows: 500, write: 'storage' }, test: t });
      const first = await job.run();
      assert.equal(first.code, 3, first.stderr + first.stdout); // zero dates are quarantined, and said
      assert.equal(first.report.consistency, 'chunk');
      assert.match(first.report.logPositionBefore, /^binlog\.\d+:\d+/);
      const report = Object.fromEntries(first.report.tables.map((table) => [table.source, table]));
      for (const [table, rows] of Object.entries(rowCounts(scale))) assert.equal(report[`gyms.${table}`].rows, rows, table);
      assert.ok(report['gyms.reservations'].chunks > 3);
      assert.deepEqual(report['gyms.companies'].quarantined.map((column) => column.column), ['founded']);
      assert.match(report['gyms.audit_log'].notes.join(), /one streamed pass/);
      assert.ok(first.report.sourceLoad.statements > 0 && first.report.sourceLoad.rowsExamined >= 10000 * scale);
      // MariaDB answers from information_schema through temporary tables on disk, for the schema alone.
      if (flavor === 'mysql') assert.equal(first.report.sourceLoad.createdTmpDiskTables, 0);
      await assertDelivered({ mysql, bigquery: client, dataset: 'gyms', database: 'gyms', tables: gymTables });
      // A second run replaces; nothing is left over.
      await admin.query("UPDATE gyms.staff SET name = 'にゅー', wage = NULL WHERE id % 2; DELETE FROM gyms.staff WHERE id > 20");
      const second = await job.run();
      assert.equal(second.code, 3, second.stderr);
      await assertDelivered({ mysql, bigquery: client, dataset: 'gyms', database: 'gyms', tables: ['staff'] });
      const [tables] = await client.dataset('gyms').getTables();
      assert.deepEqual(tables.map((table) => table.id).sort(), [...gymTables].sort());
    });

    test('replace by load jobs: the same values', async (t) => {
      const job = makeJob({ mysql, bigquery, dataset: 'loaded', tables: [{ table: 'gyms.*' }],
        defaults: { chunk_rows: 2000 }, test: t });
      const result = await job.run();
      assert.equal(result.code, 3, result.stderr + result.stdout);
      await assertDelivered({ mysql, bigquery: client, dataset: 'loaded', database: 'gyms', tables: gymTables });
    });

    test('keep_previous, descriptions, labels and policy tags', async (t) => {
      const job = makeJob({ mysql, bigquery, dataset: 'kept', tables: [{ table: 'gyms.plans', labels: { team: 'data' } }],
        defaults: { keep_previous: true }, test: t });
      assert.equal((await job.run()).code, 0);
      const table = client.dataset('kept').table('plans');
      const [metadata] = await table.getMetadata();
      assert.equal(metadata.description, '料金プラン');
      assert.deepEqual(metadata.labels, { team: 'data' });
      const fields = metadata.schema.fields;
      fields[0].description = 'written by hand';
      fields[2].policyTags = { names: ['projects/p/locations/us/taxonomies/1/policyTags/2'] };
      await table.setMetadata({ description: 'ours', schema: { fields } });
      await admin.query("UPDATE gyms.plans SET monthly = 1.25 WHERE code = 'P00001'");
      const before = (await deliveredTable(client, 'kept', 'plans')).rows;
      assert.equal((await job.run()).code, 0);
      const [after] = await table.getMetadata();
      assert.equal(after.description, 'ours');
      assert.equal(after.schema.fields[0].description, 'written by hand');
      assert.deepEqual(after.schema.fields[2].policyTags, { names: ['projects/p/locations/us/taxonomies/1/policyTags/2'] });
      assert.equal(after.expirationTime, undefined);
      await assertDelivered({ mysql, bigquery: client, dataset: 'kept', database: 'gyms', tables: ['plans'] });
      assertSameRows((await deliveredTable(client, 'kept', 'plans_previous')).rows, before, 'plans_previous');
    });

    test('append adds each run, and follows added columns', async (t) => {
      await admin.query('CREATE DATABASE IF NOT EXISTS app; CREATE TABLE app.log (id INT PRIMARY KEY, a INT); ' +
        'INSERT INTO app.log VALUES (1, 10), (2, NULL)');
      const job = makeJob({ mysql, bigquery, dataset: 'appended', tables: [{ table: 'app.log', mode: 'append' }], test: t });
      assert.equal((await job.run()).code, 0);
      await admin.query("ALTER TABLE app.log ADD COLUMN b VARCHAR(9) DEFAULT 'x'");
      const second = await job.run();
      assert.equal(second.code, 0, second.stderr);
      assert.deepEqual(second.report.tables[0].schemaChanges.map((change) => [change.change, change.column]), [['added', 'b']]);
      const { rows } = await deliveredTable(client, 'appended', 'log');
      assertSameRows(rows, [['1', '10', null], ['2', null, null], ['1', '10', 'x'], ['2', null, 'x']], 'append');
      // A column of another type that BigQuery cannot change in place is refused, and nothing is written.
      await admin.query('ALTER TABLE app.log MODIFY COLUMN a VARCHAR(20)');
      const third = await job.run();
      assert.equal(third.code, 4, third.stderr + third.stdout);
      assert.match(third.stderr, /`a` is INT64 in BigQuery and would become STRING/);
      assert.equal((await deliveredTable(client, 'appended', 'log')).rows.length, 4);
    });

    test('an append that was killed goes on hours later, and comes once', async (t) => {
      await admin.query('CREATE DATABASE IF NOT EXISTS later; CREATE TABLE later.log (id INT PRIMARY KEY)');
      await admin.query(`INSERT INTO later.log VALUES ${Array.from({ length: 900 }, (_, i) => `(${i})`)}; ANALYZE TABLE later.log`);
      const job = makeJob({ mysql, bigquery, dataset: 'later', tables: [{ table: 'later.log', mode: 'append' }], defaults: { chunk_rows: 100 }, test: t });
      // Finalized streams are let go of by then, others are not: they are read anew, or only what is left is.
      for (const [at, anew] of [['chunk.checkpointed:3', false], ['publish.finalized:4', true]]) {
        const { rows: before } = await deliveredTable(client, 'later', 'log').catch(() => ({ rows: [] }));
        const killed = await job.run({ env: { HAKOBU_CRASH_AT: at } });
        assert.equal(killed.signal, 'SIGKILL', killed.stderr);
        await change(bigquery, { advance_seconds: 5 * 3600 });
        const result = await job.run();
        assert.equal(result.code, 0, result.stderr);
        const [{ notes, chunks }] = result.report.tables;
        assert.ok(chunks > 4, `${chunks} chunks`);
        assert.equal(/no longer had the rows of 4 chunks: read anew/.test(notes.join()), anew, notes.join());
        const { rows } = await deliveredTable(client, 'later', 'log');
        assert.equal(rows.length, before.length + 900);
        assert.equal(new Set(rows.map(([id]) => id)).size, 900);
      }
    });

    test('incremental merges what changed and sees late commits', async (t) => {
      await admin.query('CREATE DATABASE IF NOT EXISTS inc; CREATE TABLE inc.item (id INT PRIMARY KEY, name VARCHAR(20), ' +
        'updated_at TIMESTAMP(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6) ON UPDATE CURRENT_TIMESTAMP(6), KEY (updated_at)); ' +
        "INSERT INTO inc.item (id, name) VALUES (1, 'one'), (2, 'two'), (3, 'three')");
      const job = makeJob({ mysql, bigquery, dataset: 'inc',
        tables: [{ table: 'inc.item', mode: 'incremental', cursor: 'updated_at', overlap: '1s' }], test: t });
      assert.equal((await job.run()).code, 0);
      await assertDelivered({ mysql, bigquery: client, dataset: 'inc', database: 'inc', tables: ['item'] });
      // Written before the next run, committed after it: the window must not pass it by.
      const late = await mysql.connect();
      await late.query('BEGIN');
      await late.query("INSERT INTO inc.item (id, name) VALUES (10, 'late')");
      await admin.query("UPDATE inc.item SET name = 'TWO' WHERE id = 2; INSERT INTO inc.item (id, name) VALUES (4, 'four')");
      await new Promise((resolve) => setTimeout(resolve, 2500));
      await admin.query("INSERT INTO inc.item (id, name) VALUES (5, 'five')");
      const second = await job.run();
      assert.equal(second.code, 0, second.stderr);
      assert.match(second.report.tables[0].notes.join(), /deleted in the source are not seen/);
      await late.query('COMMIT');
      await late.end();
      await new Promise((resolve) => setTimeout(resolve, 50));
      const third = await job.run();
      assert.equal(third.code, 0, third.stderr);
      await assertDelivered({ mysql, bigquery: client, dataset: 'inc', database: 'inc', tables: ['item'] });
    });

    test('incremental: the connections share the window, by its cursor where an index serves', async (t) => {
      await admin.query(`CREATE DATABASE windows; USE windows; CREATE TABLE n (i INT PRIMARY KEY);
        INSERT INTO n VALUES ${Array.from({ length: 20000 }, (_, i) => `(${i})`)}`);
      // ties: changed in one statement, so that most rows of the window have one and the same cursor value.
      for (const [name, index] of [['ties', ', KEY (updated_at)'], ['wide', ', KEY (updated_at, text)'], ['bare', '']]) {
        await admin.query(`CREATE TABLE ${name} (id INT PRIMARY KEY, text VARCHAR(20), updated_at DATETIME${index});
          INSERT INTO ${name} SELECT i, CONCAT('row', i), '2024-01-01' + INTERVAL i SECOND FROM n; ANALYZE TABLE ${name}`);
      }
      const job = makeJob({ mysql, bigquery, dataset: 'windows', defaults: { chunk_rows: 300, mode: 'incremental' }, test: t,
        tables: ['ties', 'wide', 'bare'].map((name) => ({ table: `windows.${name}`, cursor: 'updated_at' })) });
      assert.equal((await job.run()).code, 0);
      await admin.query(`UPDATE ties SET text = 'new', updated_at = '2024-02-01' WHERE id % 10 = 0;
        UPDATE wide SET text = 'new', updated_at = '2024-02-01' + INTERVAL id SECOND WHERE id % 10 = 0;
        UPDATE bare SET text = 'new', updated_at = '2024-02-01' WHERE id < 50; ANALYZE TABLE ties, wide, bare`);
      const byName = (tables) => Object.fromEntries(tables.map((table) => [table.source.split('.')[1], table]));
      const plan = await run(['-c', `${job.folder}/hakobu.yaml`, '--json', 'plan']);
      assert.equal(plan.code, 0, plan.stderr);
      const planned = byName(JSON.parse(plan.stdout).tables);
      for (const name of ['ties', 'wide']) {
        const { estimated_rows: rows, estimated_bytes: bytes, chunks } = planned[name];
        assert.ok(rows >= 1500 && rows <= 3000, `${name}: ${rows} rows`);
        assert.ok(bytes < planned.bare.estimated_bytes / 5, `${name}: ${bytes} bytes`);
        assert.ok(chunks >= 4 && chunks <= 20, `${name}: ${chunks} chunks`);
      }
      assert.match(planned.bare.notes.join(), /no index begins with `updated_at`/);
      assert.ok(planned.bare.chunks > 20);
      const examined = async () => Number((await admin.query("SHOW GLOBAL STATUS LIKE 'Handler_read_next'"))[0][0].Value);
      const before = await examined();
      const one = await job.run({ args: ['ties', 'wide'] });
      assert.equal(one.code, 0, one.stderr);
      const read = (await examined()) - before;
      assert.ok(read < 12000, `${read} rows were read for 4000 that changed`);
      assert.equal(one.report.sourceLoad.sortMergePasses, 0);
      // Killed between two chunks, the next run goes on with the same ranges.
      await admin.query("UPDATE ties SET text = 'newer', updated_at = '2024-03-01' WHERE id % 10 = 0");
      const killed = await job.run({ args: ['ties'], env: { HAKOBU_CRASH_AT: 'chunk.checkpointed' } });
      assert.equal(killed.signal, 'SIGKILL');
      const status = JSON.parse((await run(['-c', `${job.folder}/hakobu.yaml`, '--json', 'status'])).stdout).runs[0];
      assert.equal(status.state, 'interrupted');
      assert.ok(status.tables[0].rows >= 1 && status.tables[0].rows < 2000, `status: ${status.tables[0].rows} rows`);
      assert.ok(status.tables[0].bytes > status.tables[0].rows);
      const text = await run(['-c', `${job.folder}/hakobu.yaml`, 'status']);
      assert.match(text.stdout, /interrupted +1 +[1-9]/);
      const second = await job.run({ args: ['ties'] });
      assert.equal(second.code, 0, second.stderr);
      assert.ok(second.report.tables[0].chunksResumed >= 1);
      assert.equal((await job.run({ args: ['bare'] })).code, 0);
      await assertDelivered({ mysql, bigquery: client, dataset: 'windows', database: 'windows', tables: ['ties', 'wide', 'bare'] });
    });

    test('incremental: a row that moves on within the window is merged once, as it is last', async (t) => {
      await admin.query(`CREATE DATABASE moving; USE moving;
        CREATE TABLE item (id INT PRIMARY KEY, text VARCHAR(20), version INT NOT NULL, KEY (version));
        INSERT INTO item SELECT i, 'old', i FROM windows.n WHERE i < 5000; ANALYZE TABLE item`);
      const job = makeJob({ mysql, bigquery, dataset: 'moving', source: { connections: 1 }, test: t, tables: [
        { table: 'moving.item', mode: 'incremental', cursor: 'version', overlap_values: 0, chunk_rows: 100 }] });
      assert.equal((await job.run()).code, 0);
      await admin.query(`UPDATE item SET version = 5000 + id, text = 'new' WHERE id < 500; ANALYZE TABLE item`);
      // The first chunk is finished, then the run dies; a row of it moves into a later chunk.
      const killed = await job.run({ env: { HAKOBU_CRASH_AT: 'chunk.checkpointed' } });
      assert.equal(killed.signal, 'SIGKILL');
      await admin.query("UPDATE item SET version = 5490, text = 'moved' WHERE id = 1");
      const second = await job.run();
      assert.equal(second.code, 0, second.stderr + second.stdout);
      assert.ok(second.report.tables[0].chunksResumed >= 1 && second.report.tables[0].chunks >= 3);
      await assertDelivered({ mysql, bigquery: client, dataset: 'moving', database: 'moving', tables: ['item'] });
    });

    test('problems on both sides are said all at once, and nothing is begun', async (t) => {
      await admin.query('CREATE DATABASE IF NOT EXISTS bad; CREATE TABLE bad.keyless (a INT, A2 INT)');
      const job = makeJob({ mysql, bigquery, dataset: 'bad', test: t, tables: [
        { table: 'bad.keyless', mode: 'incremental', cursor: 'a' }, { table: 'bad.missing' }, { table: 'nowhere.*' }] });
      const result = await job.run();
      assert.equal(result.code, 2, result.stderr + result.stdout);
      for (const text of [/mode incremental needs a primary or unique/, /bad\.missing/, /nowhere/]) assert.match(result.stderr, text);
    });

    test('servers stop', async () => {
      await admin.end();
      await mysql.stop();
      await bigquery.stop();
    });
  });
}
