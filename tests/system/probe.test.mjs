// `hakobu probe`: what the service is found to do is printed, kept and gone by; the scratch dataset is removed whatever
// happens, and nothing else is touched. Every answer that is open on Google's side is had in both ways.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { after, before, describe, test } from 'node:test';
import { behave, change, eventually } from '../harness/behaviours.mjs';
import { bigqueryClient, project } from '../harness/clients.mjs';
import { makeJob } from '../harness/delivery.mjs';
import { hakobu, run, startBigquery, startMysql } from '../harness/servers.mjs';

const nobody = { port: 1 };  // the source: it is never asked

describe('probe', { concurrency: false }, () => {
  let bigquery, client;
  before(async () => {
    bigquery = await startBigquery();
    client = bigqueryClient(bigquery);
    await client.createDataset('theirs');
    await client.dataset('theirs').createTable('t', { schema: [{ name: 'id', type: 'INT64' }] });
  });
  after(() => bigquery?.stop());

  const jobFor = (test, more = {}) => { const job = makeJob({ mysql: nobody, bigquery, dataset: 'theirs', tables: [{ table: 'shop.*' }], test, ...more }); job.write(); return job; };
  const probe = (job, args = [], options = {}) => run(['-c', `${job.folder}/hakobu.yaml`, '--json', 'probe', ...args], options);
  const answersOf = (result) => Object.fromEntries(JSON.parse(result.stdout).answers.map((each) => [each.question, each]));
  const scratch = async () => (await client.getDatasets())[0].map((dataset) => dataset.id).filter((id) => id.startsWith('hakobu_probe_'));
  const theirs = async () => { const [{ etag, lastModifiedTime }] = await client.dataset('theirs').table('t').getMetadata(); const [dataset] = await client.dataset('theirs').getMetadata(); return { etag, lastModifiedTime, dataset: dataset.etag }; };

  test('every experiment is answered, nothing is left, and nothing else is touched', async (t) => {
    // As long as on the service, so that no busy machine outlasts them; but for what takes minutes to be seen.
    await behave(t, bigquery, {}, { behaviours: 'on' });
    await change(bigquery, { behaviours: { truncate_data_policies: 'off', replaced_tables: 'off', masked_denials: 'always' }, delays: 'real' });
    const before = await theirs();
    const result = await probe(jobFor(t), ['--watch', '10s', '--stream-age', '1s', '--members', 'a@example.com,b@example.com']);
    assert.equal(result.code, 0, result.stderr);
    const answers = answersOf(result);
    const words = Object.fromEntries(Object.entries(answers).map(([question, { answer }]) => [question, answer]));
    assert.deepEqual(words, {
      fresh_copies: 'short_with_buffer', policies_by_load: 'kept', policies_by_query: 'kept',
      writers_and_load_data: 'keeps', writers_and_load: 'keeps', writers_and_copy: 'keeps', writers_and_merge: 'keeps',
      load_then_changes: 'replaced', stale_dataset_etag: '412', stale_table_etag: '412',
      avro_interval: 'accepted', avro_range: 'accepted', avro_time: 'accepted', avro_geography: 'accepted',
      old_committed_stream: 'alive', old_finalised_stream: 'kept', lost_upload: 'found',
      overwritten_day_whole: 'refused', overwritten_day_data: 'refused',
      overwritten_table_whole: 'gone', overwritten_table_data: 'gone', dropped_key: 'refused', access_entries: 'accepted',
      create_after_insert: 'denied', finalize_after_insert: 'never', commit_after_insert: 'never', hidden_access: 'shown',
    });
    for (const each of Object.values(answers)) assert.ok(each.seen && each.meaning && each.taken, JSON.stringify(each));
    assert.deepEqual(await scratch(), []);
    assert.deepEqual(await theirs(), before);
  });

  test('what is open is had in both ways, and runs go by what was found', async (t) => {
    const mysql = await startMysql({ test: t });
    const admin = await mysql.connect();
    t.after(() => admin.end());
    await admin.query('CREATE DATABASE shop; CREATE TABLE shop.kept (id INT PRIMARY KEY); INSERT INTO shop.kept VALUES (1), (2)');
    const job = makeJob({ mysql, bigquery, dataset: 'policed', tables: [{ table: 'shop.kept' }], test: t });
    assert.equal((await job.run()).code, 0);
    const path = `${bigquery.endpoint}/bigquery/v2/projects/${project}/datasets/policed/tables/kept/rowAccessPolicies`;
    const policy = { rowAccessPolicyReference: { policyId: 'own' }, filterPredicate: 'TRUE', grantees: ['allUsers'] };
    assert.ok((await fetch(path, { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(policy) })).ok);
    const deliver = async (id) => {
      await admin.query(`INSERT INTO shop.kept VALUES (${id})`);
      const { code, report, stderr } = await job.run();
      assert.equal(code, 0, stderr);
      assert.equal((await (await fetch(path)).json()).rowAccessPolicies.length, 1, 'the policy is there still');
      return report.tables[0].publish;
    };
    assert.equal(await deliver(3), 'merge', 'before anything is known');
    await behave(t, bigquery, { truncate_data_policies: 'off' });
    assert.equal(answersOf(await probe(job, ['truncate_data'])).policies_by_load.answer, 'kept');
    assert.equal(await deliver(4), 'load');
    await change(bigquery, { behaviours: { truncate_data_policies: 'on' } });
    const lost = answersOf(await probe(job, ['truncate_data']));
    assert.deepEqual([lost.policies_by_load.answer, lost.policies_by_query.answer], ['lost', 'lost']);
    assert.match(lost.policies_by_load.seen, /lost: row access policies$/);
    assert.equal(await deliver(5), 'merge');
    assert.deepEqual((await client.query('SELECT id FROM policed.kept ORDER BY id'))[0].map((row) => row.id), [1, 2, 3, 4, 5]);
  });

  test('streams that were left alone for days are found gone', async (t) => {
    await behave(t, bigquery, { expiring_streams: 'on' });
    const asked = probe(jobFor(t), ['old_streams', '--stream-age', '5s']);
    await eventually(async () => {
      const [dataset] = await scratch();
      return dataset && (await client.query(`SELECT COUNT(*) AS n FROM ${dataset}.old_streams`).then(([[{ n }]]) => n === 1, () => false));
    });
    await change(bigquery, { advance_seconds: 4 * 86400 });
    const { old_committed_stream: found } = answersOf(await asked);
    assert.equal(found.answer, 'gone', found.seen);
    assert.deepEqual(await scratch(), []);
  });

  test('a signal ends it, and the dataset is removed', async (t) => {
    await behave(t, bigquery, { row_count_lag: 'on' }, { delays: 'real' });
    const job = jobFor(t);
    for (const signal of ['SIGTERM', 'SIGINT']) {
      const child = spawn(hakobu, ['-c', `${job.folder}/hakobu.yaml`, 'probe', 'fresh_copies', '--watch', '1h'], { stdio: 'ignore' });
      t.after(() => child.kill('SIGKILL'));
      const ended = new Promise((resolve) => child.once('exit', (code, killed) => resolve({ code, killed })));
      await eventually(async () => { const [dataset] = await scratch(); return dataset && (await client.dataset(dataset).table('fresh_copy').exists())[0]; });
      child.kill(signal);
      assert.deepEqual(await ended, { code: 1, killed: null }, signal);
      assert.deepEqual(await scratch(), [], signal);
    }
  });

  test('what a call is refused with is an answer, and the dataset is removed', async (t) => {
    await behave(t, bigquery, {}, { rules: [{ fault: 'accessDenied', method: 'jobs.insert' }] });
    const job = jobFor(t);
    const answers = answersOf(await probe(job, ['truncate_data', 'hidden_access']));
    assert.equal(answers.truncate_data.answer, 'open');
    assert.match(answers.truncate_data.seen, /PERMISSION_DENIED/);
    assert.equal(answers.hidden_access.answer, 'shown');
    assert.deepEqual(await scratch(), []);
  });

  test('what a killed probe or a failed removal leaves is removed by the next one', async (t) => {
    const job = jobFor(t);
    for (const [point, left] of [['probe.scratch_known', 0], ['probe.scratch_made', 1], ['probe.answered', 1]]) {
      const killed = await probe(job, ['preconditions'], { env: { HAKOBU_CRASH_AT: point } });
      assert.equal(killed.signal, 'SIGKILL', point);
      assert.equal((await scratch()).length, left, point);
      assert.equal((await probe(job, ['preconditions'])).code, 0, point);
      assert.deepEqual(await scratch(), [], point);
    }
    await behave(t, bigquery, {}, { rules: [{ fault: 'accessDenied', method: 'datasets.delete', times: 1 }] });
    const failed = await probe(job, ['preconditions']);
    assert.equal(failed.code, 1);
    assert.match(failed.stderr, /remove the scratch dataset \S+ \(the next `hakobu probe` with this ledger tries again\)/);
    assert.equal(answersOf(failed).stale_table_etag.answer, '412', 'what was answered is printed');
    assert.equal((await probe(job, ['preconditions'])).code, 0);
    assert.deepEqual(await scratch(), []);
  });

  test('an experiment or a duration that is none is wrong usage, and makes nothing', async (t) => {
    const job = jobFor(t);
    for (const args of [['copies'], ['preconditions', '--watch', 'long'], ['old_streams', '--stream-age', '-5s']]) {
      assert.equal((await probe(job, args)).code, 2, args.join(' '));
    }
    assert.deepEqual(await scratch(), []);
  });
});
