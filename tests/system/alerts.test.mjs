// What wakes a person: one message for each cause, and one when it is over; none lost while receivers are away or hakobu is
// killed, none twice for who looks at its id; known values are no news; every attempt leaves a trace.
import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { makeJob } from '../harness/delivery.mjs';
import { signatureOf, startReceiver } from '../harness/receiver.mjs';
import { run, startBigquery, startMysql } from '../harness/servers.mjs';
import { makeStream, waitForLine } from '../harness/stream.mjs';

const patienceMs = 180000;  // of a machine that does something else as well
const secrets = { HOOK_SECRET: 'a-secret-of-the-webhook', ROUTING_KEY: 'the-routing-key-of-the-pager', SLACK_PATH: 'T0/B0/slack-secret' };

async function until(what, probe) {
  for (const deadline = Date.now() + patienceMs; ; await sleep(200)) {
    const found = await probe();
    if (found) return found;
    assert.ok(Date.now() < deadline, what);
  }
}

// A job with one channel of each kind, all towards one receiver.
function watchedJob({ mysql, bigquery, dataset, tables, receiver, extra = {}, notify = {}, test: t }) {
  const job = makeJob({ mysql, bigquery, dataset, tables, test: t, extra: {
    notify: { channels: {
      hook: { type: 'webhook', url: '${env:HOOK_URL}', secret: '${env:HOOK_SECRET}' },
      chat: { type: 'slack', url: '${env:SLACK_URL}' },
      pager: { type: 'pagerduty', url: '${env:PAGER_URL}', routing_key: '${env:ROUTING_KEY}', least: 'critical' },
    }, ...notify }, ...extra } });
  const env = { ...secrets, HOOK_URL: `${receiver.url}/hook?token=url-secret`, SLACK_URL: `${receiver.url}/${secrets.SLACK_PATH}`,
    PAGER_URL: `${receiver.url}/pager`, PING_URL: `${receiver.url}/ping` };
  const file = join(job.folder, 'hakobu.yaml');
  return { ...job, env, file,
    run: (more = {}) => job.run({ env: { ...env, ...more.env }, args: more.args }),
    command: (...args) => run(['-c', file, ...args], { env }),
    json: async (...args) => JSON.parse((await run(['-c', file, '--json', ...args], { env })).stdout),
    sendAll: () => until('all messages are sent', async () => (await run(['-c', file, 'notify', 'send'], { env })).code === 0) };
}

const events = (receiver) => receiver.messages('/hook').map((message) => `${message.event} ${message.cause}`);

test('what wakes a person', { timeout: 900000 }, async (t) => {
  const mysql = await startMysql({ options: ['--server-id=1', '--log-bin=binlog', '--gtid-mode=ON', '--enforce-gtid-consistency=ON'], test: t });
  let bigquery = await startBigquery({ test: t });
  const admin = await mysql.connect();
  t.after(() => admin.destroy());
  await admin.query("CREATE DATABASE shop; CREATE TABLE shop.members (id INT PRIMARY KEY, v VARCHAR(100)); INSERT INTO shop.members VALUES (1, 'one')");

  await t.test('a table that fails is told once, and once when it is delivered again', async (part) => {
    const receiver = await startReceiver({ test: part });
    const job = watchedJob({ mysql, bigquery, dataset: 'once', tables: [{ table: 'shop.members' }, { table: 'shop.orders' }], receiver, test: part });
    for (let night = 0; night < 3; ++night) assert.equal((await job.run()).code, 1);
    assert.deepEqual(events(receiver), ['raised run:table:shop.orders']);
    const [hook] = receiver.messages('/hook');
    assert.equal(hook.seen.headers['hakobu-signature'], signatureOf(secrets.HOOK_SECRET, hook.seen));
    assert.equal(hook.seen.headers['idempotency-key'], hook.id);
    assert.equal(hook.level, 'critical');
    assert.match(hook.title, /shop\.orders was not delivered/);
    const [chat] = receiver.messages('/T0/');
    assert.match(chat.text, /shop\.orders was not delivered/);
    const status = await job.json('status');
    assert.deepEqual(status.alerts.map((alert) => alert.cause), ['run:table:shop.orders']);
    assert.equal(status.attempts.length, 3);
    await admin.query('CREATE TABLE shop.orders (id INT PRIMARY KEY)');
    const last = await job.run();
    assert.equal(last.code, 0, last.stderr);
    assert.deepEqual(events(receiver), ['raised run:table:shop.orders', 'recovered run:table:shop.orders']);
    const [triggered, resolved, ...more] = receiver.messages('/pager');
    assert.deepEqual([triggered.event_action, resolved.event_action, more.length], ['trigger', 'resolve', 0]);
    assert.equal(triggered.dedup_key, resolved.dedup_key);
    assert.equal(triggered.routing_key, secrets.ROUTING_KEY);
    assert.deepEqual((await job.json('status')).alerts, []);
    // No secret of a channel is in what hakobu keeps or says.
    const said = last.stderr + last.stdout + JSON.stringify(await job.json('notify', 'list'));
    const kept = readdirSync(job.folder).filter((name) => name.startsWith('ledger')).map((name) => readFileSync(join(job.folder, name), 'latin1')).join('');
    for (const secret of [...Object.values(secrets), 'url-secret']) {
      assert.ok(!said.includes(secret) && !kept.includes(secret), secret);
    }
  });

  await t.test('a run that cannot begin is told and leaves a trace', async (part) => {
    const receiver = await startReceiver({ test: part });
    const job = watchedJob({ mysql, bigquery, dataset: 'trace', tables: [{ table: 'shop.members' }], receiver, test: part });
    job.config.source.connections = 'many';
    assert.equal((await job.run()).code, 2);
    assert.deepEqual(events(receiver), ['raised run:start']);
    assert.match(receiver.messages('/hook')[0].detail, /source\.connections: expected a whole number/);
    job.config.source.connections = 2;
    job.config.source.user = 'nobody';
    assert.equal((await job.run()).code, 1);
    assert.deepEqual(events(receiver), ['raised run:start'], 'still the same cause');
    const text = (await job.command('status')).stdout;
    assert.match(text, /Attempts that ended with an error/);
    assert.match(text, /exit code 2/);
    job.config.source.user = 'root';
    assert.equal((await job.run()).code, 0);
    assert.deepEqual(events(receiver), ['raised run:start', 'recovered run:start']);
    const { attempts } = await job.json('status');
    assert.deepEqual(attempts.map((attempt) => attempt.exit_code), [0, 1, 2]);
  });

  await t.test('a receiver that is away, slow or broken gets every message once it is well', async (part) => {
    const receiver = await startReceiver({ test: part });
    const job = watchedJob({ mysql, bigquery, dataset: 'away', tables: [{ table: 'shop.members' }, { table: 'shop.gone' }], receiver, test: part });
    await receiver.refuse();
    const refused = await job.run();
    assert.equal(refused.code, 1);
    assert.match(refused.stderr, /a message is not delivered yet/);
    assert.ok(!refused.stderr.includes('url-secret'));
    assert.equal((await job.json('status')).messages_waiting, 3);
    await receiver.listenAgain();
    // The first is answered by an error that quotes it, the second by nothing.
    let number = 0;
    receiver.answerWith((seen, response) => {
      const how = number++;
      if (how === 1) { seen.accepted = false; return; }  // silence until hakobu gives up
      seen.accepted = how !== 0;
      if (how === 0) response.writeHead(500).end(`cannot take ${seen.body} from ${seen.path}`);
      else response.writeHead(how % 2 ? 200 : 202).end();
    });
    await job.sendAll();
    assert.deepEqual(events(receiver), ['raised run:table:shop.gone']);
    assert.equal(receiver.messages('/pager').length, 1);
    assert.equal(receiver.messages('/T0/').length, 1);
    assert.ok(number >= 5, 'two of them were tried again');
    const kept = JSON.stringify(await job.json('notify', 'list'));
    for (const secret of Object.values(secrets)) assert.ok(!kept.includes(secret), secret);
  });

  for (const [place, most] of [['notices.posted', 1], ['notice.carried', 2], ['notice.settled', 1]]) {
    await t.test(`killed at ${place}: no message is lost`, async (part) => {
      const receiver = await startReceiver({ test: part });
      const job = watchedJob({ mysql, bigquery, dataset: place.replace('.', '_'), tables: [{ table: 'shop.members' }, { table: 'shop.gone' }], receiver, test: part });
      assert.equal((await job.run({ env: { HAKOBU_CRASH_AT: place } })).signal, 'SIGKILL');
      await job.sendAll();
      assert.deepEqual(events(receiver), ['raised run:table:shop.gone']);
      assert.equal(receiver.messages('/pager').length, 1);
      const chats = receiver.messages('/T0/');
      const hooks = receiver.received.filter((seen) => seen.path.startsWith('/hook'));
      assert.ok(chats.length >= 1 && hooks.length >= 1 && hooks.length + chats.length <= 1 + most, 'twice only what the kill cut off');
      assert.equal(new Set(hooks.map((seen) => seen.headers['idempotency-key'])).size, 1);
      assert.equal((await job.run()).code, 1);
      assert.deepEqual(events(receiver), ['raised run:table:shop.gone'], 'the next night it is known');
    });
  }

  await t.test('hakobu notify test tries each channel, commands too', async (part) => {
    const receiver = await startReceiver({ test: part });
    const job = watchedJob({ mysql, bigquery, dataset: 'tried', tables: [{ table: 'shop.members' }], receiver, test: part });
    const page = join(job.folder, 'page');
    job.config.notify.channels.script = { type: 'command', command: `printf '%s\\n' "$HAKOBU_NOTICE" "$HAKOBU_TEXT" > ${page}; cat >> ${page}` };
    job.write();
    const well = await job.command('notify', 'test');
    assert.equal(well.code, 0, well.stdout + well.stderr);
    assert.equal(receiver.received.length, 3);
    const [id, ...lines] = readFileSync(page, 'utf8').trim().split('\n');
    assert.match(id, /^test-/);
    assert.equal(JSON.parse(lines.at(-1)).event, 'test');
    job.config.notify.channels.script.command = 'sleep 0.1; exit 7';
    job.write();
    const broken = await job.command('notify', 'test', 'script');
    assert.equal(broken.code, 1);
    assert.match(broken.stdout, /the command ended with 7/);
    assert.equal((await job.command('notify', 'test', 'nobody')).code, 2);
  });

  await t.test('values that are accepted are no news, and metrics and the ping say that it ran', async (part) => {
    const receiver = await startReceiver({ test: part });
    await admin.query("CREATE TABLE shop.old (id INT PRIMARY KEY, day DATE); SET SESSION sql_mode = ''; INSERT INTO shop.old VALUES (1, '0000-00-00'), (2, '2000-01-01')");
    const job = watchedJob({ mysql, bigquery, dataset: 'known', tables: [{ table: 'shop.old' }], receiver, test: part,
      notify: { ping: { url: '${env:PING_URL}' } } });
    mkdirSync(join(job.folder, 'metrics'));
    const textfile = join(job.folder, 'metrics', 'hakobu.prom');
    job.config.metrics = { textfile };
    const pings = () => receiver.received.filter((seen) => seen.method === 'GET').length;
    assert.equal((await job.run()).code, 3);
    const hooks = () => receiver.received.filter((seen) => seen.method === 'POST' && seen.path.startsWith('/hook')).map((seen) => JSON.parse(seen.body));
    assert.deepEqual(hooks().map((message) => `${message.event} ${message.level} ${message.cause}`), ['raised warning run:values:shop.old.day']);
    assert.equal(receiver.received.filter((seen) => seen.path.startsWith('/pager')).length, 0, 'nobody is woken for it');
    assert.equal(pings(), 1);
    job.config.accept = [{ values: 'shop.*.day', count: 1, why: 'the first import' }];
    const known = await job.run();
    assert.equal(known.code, 0, known.stderr);
    assert.deepEqual(known.report.tables[0].quarantined.map((values) => [values.count, values.accepted]), [[1, true]]);
    assert.deepEqual(hooks().map((message) => message.event), ['raised', 'recovered']);
    await admin.query("INSERT INTO shop.old VALUES (3, '0000-00-00')");
    assert.equal((await job.run()).code, 3, 'one more is news');
    job.config.accept = [{ values: 'shop.old.day', until: '2026-01-01' }];
    assert.equal((await job.run()).code, 3, 'the day is over');
    job.config.accept = [{ values: 'shop.old.day', until: '2999-01-01' }];
    assert.equal((await job.run()).code, 0);
    assert.equal(statSync(textfile).mode & 0o777, 0o644, 'the exporter is another user');
    assert.deepEqual(readdirSync(join(job.folder, 'metrics')), ['hakobu.prom']);
    const metrics = readFileSync(textfile, 'utf8');
    assert.match(metrics, /^hakobu_run_exit_code 0$/m);
    assert.match(metrics, /^hakobu_run_table_rows\{table="shop\.old",target="[^"]+"\} 3$/m);
    assert.match(metrics, /^hakobu_run_quarantined_values\{table="shop\.old",column="day",accepted="true"\} 2$/m);
    assert.match(metrics, /^hakobu_run_success_time_seconds \d+/m);
    job.config.source.user = 'nobody';
    assert.equal((await job.run()).code, 1);
    const failed = readFileSync(textfile, 'utf8');
    assert.match(failed, /^hakobu_run_began 0$/m);
    assert.match(failed, /^hakobu_run_table_as_of_time_seconds\{table="shop\.old"\} \d+/m);
    assert.equal(pings(), 5, 'not after the run that did not begin');
    const { runs } = await job.json('status');
    assert.deepEqual(runs[0].quarantined, [{ source: 'shop.old', column: 'day', count: 2 }]);
  });

  await t.test('a stream tells of an outage and of a table that stops', async (part) => {
    const receiver = await startReceiver({ test: part });
    await admin.query("CREATE TABLE shop.live (id INT PRIMARY KEY, x INT); INSERT INTO shop.live VALUES (1, 1)");
    const job = makeStream({ mysql, bigquery, dataset: 'live', tables: [{ table: 'shop.live' }], test: part, extra: {
      notify: { outage_after: '3s', channels: { hook: { type: 'webhook', url: '${env:HOOK_URL}' } }, ping: { url: '${env:PING_URL}', every: '1s' } } } });
    const stream = job.start({ env: { HOOK_URL: `${receiver.url}/hook`, PING_URL: `${receiver.url}/ping` } });
    await waitForLine(stream, /table is whole/, patienceMs);
    const pings = () => receiver.received.filter((seen) => seen.path === '/ping').length;
    await until('pings', () => pings() >= 2);
    const { folder, restPort, grpcPort } = bigquery;
    await bigquery.kill9();
    await admin.query("INSERT INTO shop.live VALUES (2, 2)");
    await until('a message', () => events(receiver).includes('raised stream:outage:bigquery'));
    const before = pings();
    await sleep(3000);
    assert.equal(pings(), before, 'whoever waits for it is to be worried');
    bigquery = await startBigquery({ folder, restPort, grpcPort });
    t.after(() => bigquery.stop());
    await until('pings again', () => pings() > before);
    await admin.query("ALTER TABLE shop.live MODIFY COLUMN x VARCHAR(30); INSERT INTO shop.live VALUES (3, 'text')");
    await until('a message', () => events(receiver).includes('raised stream:table:shop.live'));
    assert.equal(new Set(events(receiver)).size, events(receiver).length);
    assert.ok(existsSync(job.ledger));
  });
});
