// check, plan, run and status against a real source and a local BigQuery, as a person at a terminal meets them.
import { test } from 'node:test';
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { hakobu, run, startBigquery, startMysql } from '../harness/servers.mjs';
import { bigqueryClient, project } from '../harness/clients.mjs';

const rows = 40000;
const schema = (flavor) => `CREATE DATABASE shop CHARACTER SET utf8mb4; USE shop;
  SET SESSION ${flavor === 'mysql' ? 'cte_max_recursion_depth' : 'max_recursive_iterations'} = 1000000;
  CREATE TABLE members (id INT UNSIGNED PRIMARY KEY AUTO_INCREMENT, name VARCHAR(50), shop_id INT NOT NULL,
    updated_at DATETIME NOT NULL, KEY (updated_at));
  INSERT INTO members (name, shop_id, updated_at)
    WITH RECURSIVE n AS (SELECT 1 AS i UNION ALL SELECT i + 1 FROM n WHERE i < ${rows})
    SELECT CONCAT('会員', i), i % 10, '2026-01-01' + INTERVAL i SECOND FROM n;
  CREATE TABLE plans (id INT PRIMARY KEY, price INT);
  INSERT INTO plans VALUES (1, 1000), (2, 500);
  CREATE TABLE nokey (a INT);
  INSERT INTO nokey VALUES (1), (1);
  CREATE TABLE \`予約 履歴\` (id INT PRIMARY KEY, \`電話\` VARCHAR(20));
  INSERT INTO \`予約 履歴\` VALUES (1, '090');
  ANALYZE TABLE members;`;

function folder(t) {
  const path = mkdtempSync(join(tmpdir(), 'hakobu-cli-'));
  t.after(() => rmSync(path, { recursive: true, force: true }));
  return path;
}

// What `script` shows of the program on a terminal of its own.
async function onTerminal(args, cwd) {
  return run(['-qec', [hakobu, ...args].map((word) => `'${word}'`).join(' '), '/dev/null'], { command: 'script', cwd });
}

// Starts it, interrupts it once rows have been read, and waits for its end.
async function interrupted(args, cwd) {
  const child = spawn(hakobu, args, { cwd, stdio: ['ignore', 'pipe', 'pipe'] });
  let stdout = '';
  let stderr = '';
  child.stdout.on('data', (data) => (stdout += data));
  child.stderr.on('data', (data) => (stderr += data));
  const exited = new Promise((resolve) => child.once('exit', (code, signal) => resolve({ code, signal })));
  while (!stderr.includes('members: reading') && child.exitCode === null) await sleep(5);
  await sleep(300);
  child.kill('SIGINT');
  return { ...await exited, stdout, stderr };
}

for (const flavor of ['mysql', 'mariadb']) {
  test(`the command line on ${flavor}`, async (t) => {
    const server = await startMysql({ flavor, test: t });
    const source = await server.connect();
    t.after(() => source.end());
    await source.query(schema(flavor));
    const cwd = folder(t);
    const configure = (destination, tables, more = '') => writeFileSync(join(cwd, 'hakobu.yaml'),
      `source: {socket: ${server.socketPath}, user: root}\ndestination: {project: ${project}, ${destination}}\n` +
      `tables: ${JSON.stringify(tables)}\n${more}\n`);

    await t.test('endpoint: local serves check, plan, run and status', async () => {
      configure('dataset: shop, endpoint: local', [{ table: 'shop.*' }]);
      const check = await run(['check'], { cwd });
      assert.equal(check.code, 0, check.stdout + check.stderr);
      assert.match(check.stdout, /dataset \S+\.shop does not exist: the first run makes it in US/);
      assert.match(check.stdout, /\nNo problem, 1 warning\.\n$/);
      const plan = await run(['plan'], { cwd });
      assert.equal(plan.code, 0, plan.stderr);
      assert.match(plan.stdout, /shop\.members +\S+\.shop\.members +replace +load/);
      assert.match(plan.stdout, /Nothing was written on either side\.\n$/);
      assert.ok(!existsSync(join(cwd, '.hakobu/ledger.db')), 'plan makes no ledger');
      const first = await run(['run'], { cwd });
      assert.equal(first.code, 0, first.stderr);
      assert.match(first.stdout, /shop\.予約 履歴 .* done +1 /);
      assert.match(first.stdout, /Run \S+: done\. 40,005 rows/);
      assert.match(first.stderr, /info shop\.members: done, 40,000 rows/);
      const second = await run(['run', 'plans', '--json', '--quiet'], { cwd });
      assert.equal(second.code, 0, second.stderr);
      assert.equal(second.stderr, '');
      assert.equal(JSON.parse(second.stdout).tables[0].rows, 2);
      const status = JSON.parse((await run(['status', '--json'], { cwd })).stdout);
      assert.deepEqual(status.runs.map((one) => one.state), ['done', 'done']);
      assert.deepEqual(status.runs[1].tables.map((one) => one.rows).sort((a, b) => a - b), [1, 2, 2, rows]);
      const recent = await run(['status', '--max-age', '26h'], { cwd });
      assert.equal(recent.code, 0, recent.stdout + recent.stderr);
      assert.match(recent.stdout, /\nNo table is older than 1d2h\.\n$/);
      const old = await run(['status', '--max-age', '1ms', '--json'], { cwd });
      assert.equal(old.code, 3, old.stdout + old.stderr);
      assert.deepEqual(JSON.parse(old.stdout).late.map((one) => one.table).filter((name) => name === 'shop.members'), ['shop.members']);
      const wrong = await run(['status', '--max-age', '26'], { cwd });
      assert.equal(wrong.code, 2);
      assert.match(wrong.stderr, /--max-age: expected a duration with a unit, such as 26h or 90m, found '26'/);
    });

    await t.test('a run that cannot start says so in JSON where JSON is wanted', async () => {
      writeFileSync(join(cwd, 'broken.yaml'), 'source: {socket: 1\n');
      const args = ['-c', 'broken.yaml', '--log-format', 'json', '--json', 'run'];
      const { code, stdout, stderr } = await run(args, { cwd });
      assert.equal(code, 2);
      const { error } = JSON.parse(stdout);
      assert.equal(error.exit_code, 2);
      const lines = stderr.trimEnd().split('\n').map((line) => JSON.parse(line));
      assert.deepEqual(lines.map((line) => [line.severity, line.message, line.exit_code]), [['ERROR', error.message, '2']]);
      assert.match(error.message, /broken\.yaml/);
    });

    const bigquery = await startBigquery({ test: t });
    const running = `rest_address: "${bigquery.endpoint}", grpc_address: "127.0.0.1:${bigquery.grpcPort}"`;
    const client = bigqueryClient(bigquery);
    rmSync(join(cwd, '.hakobu'), { recursive: true, force: true });

    await t.test('bars on a terminal, and not a sign of them elsewhere', async () => {
      configure(`dataset: bars, ${running}`, [{ table: 'shop.members', chunk_rows: 200, write: 'storage' }]);
      const terminal = await onTerminal(['run'], cwd);
      assert.equal(terminal.code, 0, terminal.stdout);
      assert.match(terminal.stdout, /shop\.members \[[#.]{20}\] +\d+ %  [\d,]+ rows/);
      assert.match(terminal.stdout, /shop\.members: done, 40,000 rows/);
      assert.match(terminal.stdout, /Run \S+: done\./);
      const plain = await run(['run'], { cwd });
      assert.ok(!(plain.stdout + plain.stderr).includes('\x1b'));
    });

    await t.test('an interrupt stops cleanly, and the next run continues', async () => {
      configure(`dataset: stopped, ${running}`, [{ table: 'shop.members', chunk_rows: 200, write: 'storage' }]);
      const stopped = await interrupted(['run'], cwd);
      assert.equal(stopped.code, 1, stopped.stdout + stopped.stderr);
      assert.match(stopped.stderr, /stopping; what is finished is kept and the next run continues/);
      assert.match(stopped.stdout, /Run \S+: cancelled\..*\nThe next `hakobu run` continues it\.\n$/);
      assert.ok(!stopped.stdout.includes('Failed'));
      const status = await run(['status', '--json', '-n', '1'], { cwd });
      assert.equal(JSON.parse(status.stdout).runs[0].state, 'cancelled');
      assert.equal(JSON.parse(status.stdout).runs[0].tables[0].state, 'cancelled');
      const plan = await run(['plan'], { cwd });
      assert.match(plan.stdout, /The interrupted run \S+ would be continued: \d+ chunks are finished/);
      const next = await run(['run', '--json'], { cwd });
      assert.equal(next.code, 0, next.stderr);
      const report = JSON.parse(next.stdout);
      assert.ok(report.resumedRun);
      assert.ok(report.tables[0].chunksResumed > 0, 'finished chunks are kept');
      assert.equal(report.tables[0].rows, rows);
    });

    await t.test('a run that was killed is interrupted, not running', async () => {
      configure(`dataset: killed, ${running}`, [{ table: 'shop.members', chunk_rows: 200, write: 'storage' }]);
      const child = spawn(hakobu, ['run', '--quiet'], { cwd, stdio: 'ignore' });
      const exited = new Promise((resolve) => child.once('exit', resolve));
      const state = async () => JSON.parse((await run(['status', '--json', '-n', '1'], { cwd })).stdout).runs[0];
      for (let i = 0; i < 200 && (await state()).state !== 'running'; ++i) await sleep(20);
      assert.equal((await state()).state, 'running');
      child.kill('SIGKILL');
      await exited;
      assert.equal((await state()).state, 'interrupted');
      assert.match((await run(['status'], { cwd })).stdout, / interrupted /);
    });

    await t.test('exit codes 3 and 4, and what plan and check say first', async () => {
      await source.query('CREATE TABLE awkward (id INT PRIMARY KEY, born DATE); SET SESSION sql_mode = "";' +
        "INSERT INTO awkward VALUES (7, '0000-00-00')");
      configure(`dataset: codes, ${running}`, [{ table: 'shop.awkward' }, { table: 'shop.plans' }]);
      const quarantined = await run(['run'], { cwd });
      assert.equal(quarantined.code, 3, quarantined.stderr);
      assert.match(quarantined.stdout, /Quarantined\n {2}shop\.awkward\.born: 1 value that BigQuery cannot hold; first keys 7; 0000-00-00 is no date/);
      await source.query('ALTER TABLE plans ADD note VARCHAR(10)');
      const plan = await run(['plan', 'plans'], { cwd });
      assert.equal(plan.code, 0, plan.stderr);
      assert.match(plan.stdout, /Schema changes\n {2}shop\.plans: column note added/);
      const json = JSON.parse((await run(['plan', 'plans', '--json'], { cwd })).stdout);
      assert.equal(json.tables[0].schema_changes[0].change, 'added');
      assert.ok(json.tables[0].target_bytes > 0);
      await source.query('ALTER TABLE plans DROP note, MODIFY price VARCHAR(20)');
      configure(`dataset: codes, ${running}`,
        [{ table: 'shop.plans', schema_changes: { retyped: 'refuse' } }]);
      for (const command of ['check', 'plan', 'run']) {
        const refused = await run([command], { cwd });
        assert.equal(refused.code, 4, `${command}: ${refused.stdout}${refused.stderr}`);
        assert.match(refused.stdout + refused.stderr, /price/);
      }
      await source.query('ALTER TABLE plans MODIFY price INT');
    });

    await t.test('check compares with what BigQuery has', async () => {
      await client.createDataset('tokyo', { location: 'asia-northeast1' });
      await client.dataset('tokyo').createTable('members', { schema: 'id:INTEGER,name:STRING,shop_id:INTEGER,updated_at:DATETIME' });
      configure('dataset: tokyo, ' + running, [{ table: 'shop.members' }]);
      const elsewhere = await run(['check'], { cwd });
      assert.equal(elsewhere.code, 2, elsewhere.stdout);
      assert.match(elsewhere.stdout, /dataset tokyo is in asia-northeast1.*\n +hint: set location: asia-northeast1/);
      configure('dataset: tokyo, location: asia-northeast1, ' + running,
        [{ table: 'shop.members', cluster: ['shop_id'], partition: { by: 'day', column: 'updated_at' } }]);
      const partitioned = await run(['check'], { cwd });
      assert.notEqual(partitioned.code, 0, partitioned.stdout);
      assert.match(partitioned.stdout, /PROBLEM .*partition/);
    });

    await t.test('compression: zstd where it is spoken, and said where it is not', async () => {
      writeFileSync(join(cwd, 'hakobu.yaml'), `source: {host: 127.0.0.1, port: ${server.port}, user: root, ` +
        `tls: {mode: off}, compression: zstd}\ndestination: {project: ${project}, dataset: codes, ${running}}\n` +
        'tables: [{table: shop.members}]\n');
      const { stdout } = await run(['check', '--json'], { cwd });
      const finding = JSON.parse(stdout).findings.find((one) => /compress/.test(one.text));
      assert.ok(finding, stdout);
      assert.match(finding.text, flavor === 'mysql' ? /^compressed with zstd/ : /is zstd, and the connection is compressed with zlib/);
      assert.equal(finding.level, flavor === 'mysql' ? 'ok' : 'warning');
      const delivered = await run(['run', '--json'], { cwd });
      assert.equal(delivered.code, 0, delivered.stderr);
    });
  });
}
