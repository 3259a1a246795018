// The second half of ./demo: servers, data, `hakobu run`, what BigQuery then holds, and `hakobu stream`.
import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { spawn } from 'node:child_process';
import { join } from 'node:path';

const root = new URL('..', import.meta.url).pathname;
process.env.HAKOBU ??= join(root, 'build/release/hakobu');
const { hakobu, Server, startBigquery, startMysql } = await import('../tests/harness/servers.mjs');
const { bigqueryClient } = await import('../tests/harness/clients.mjs');
const { showStream } = await import('./demo-stream.mjs');
const { loadGyms } = await import('../tests/harness/dataset.mjs');

const folder = join(root, 'build/demo');
mkdirSync(folder, { recursive: true });
const started = Date.now();
const say = (text) => console.log(`\n\x1b[1m${text}\x1b[0m`);

async function mysqlWithGyms() {
  const data = join(folder, 'mysql');
  const loaded = join(data, 'gyms.loaded');
  // A folder that a first demo did not finish is made anew.
  if (!existsSync(loaded)) rmSync(data, { recursive: true, force: true });
  const mysql = await startMysql({ folder: data, options: ['--innodb-flush-log-at-trx-commit=2', '--innodb-buffer-pool-size=512M',
    '--server-id=1', '--log-bin=binlog', '--gtid-mode=ON', '--enforce-gtid-consistency=ON'] });
  say(`MySQL ${existsSync(loaded) ? 'has the gyms already' : 'is being filled with a chain of gyms'} (${mysql.socketPath})`);
  if (!existsSync(loaded)) {
    const admin = await mysql.connect();
    const rows = await loadGyms(admin);
    console.log(`  ${Object.values(rows).reduce((sum, count) => sum + count, 0).toLocaleString('en')} rows in ${Object.keys(rows).length} tables`);
    await admin.query("CREATE USER IF NOT EXISTS hakobu@localhost; GRANT SELECT ON gyms.* TO hakobu@localhost; GRANT REPLICATION CLIENT, PROCESS ON *.* TO hakobu@localhost");
    await admin.end();
    writeFileSync(loaded, '');
  }
  const admin = await mysql.connect();
  await admin.query('GRANT REPLICATION SLAVE ON *.* TO hakobu@localhost');
  await admin.end();
  return mysql;
}

const environmentOf = (mysql, bigquery) => ({ ...process.env, GYMS_SOCKET: mysql.socketPath, GYMS_REST: bigquery.endpoint,
  GYMS_GRPC: `127.0.0.1:${bigquery.grpcPort}`, GYMS_SALT: 'salt of the demonstration' });

function deliver(mysql, bigquery) {
  const environment = environmentOf(mysql, bigquery);
  say('hakobu -c examples/gyms.yaml run');
  const child = spawn(hakobu, ['-c', join(root, 'examples/gyms.yaml'), 'run'], { env: environment, stdio: 'inherit' });
  return new Promise((resolve) => child.once('exit', resolve));
}

async function readBack(bigquery) {
  const client = bigqueryClient(bigquery, { projectId: 'demo' });
  say("Read back from BigQuery with Google's Node client");
  const [tables] = await client.dataset('gyms').getTables();
  for (const table of tables) {
    const [[{ n }]] = await client.query(`SELECT COUNT(*) AS n FROM gyms.\`${table.id}\``);
    console.log(`  ${table.id.padEnd(14)} ${Number(n).toLocaleString('en').padStart(9)} rows`);
  }
  const query = `SELECT s.name, s.closes, COUNT(*) AS visits, COUNT(DISTINCT c.member_id) AS members
FROM gyms.check_ins AS c JOIN gyms.shops AS s ON s.id = c.shop_id
GROUP BY s.name, s.closes ORDER BY visits DESC, s.name LIMIT 5`;
  say('The busiest shops, and when they close');
  console.log(query);
  const [rows] = await client.query(query);
  console.table(rows);
}

const servers = [];
try {
  const mysql = await mysqlWithGyms();
  servers.push(mysql);
  const bigquery = await startBigquery({ folder: join(folder, 'bigquery') });
  servers.push(bigquery);
  const code = await deliver(mysql, bigquery);
  if (code !== 0 && code !== 3) throw new Error(`hakobu run ended with ${code}`);
  if (code === 3) console.log('\nExit code 3: everything is delivered; the values above that BigQuery cannot hold are NULL, and named.');
  await readBack(bigquery);
  await showStream({ mysql, say, client: bigqueryClient(bigquery, { projectId: 'demo' }),
    start: (args) => new Server(hakobu, args, { env: environmentOf(mysql, bigquery) }) });
  say(`Done in ${Math.round((Date.now() - started) / 1000)} s.`);
} catch (error) {
  console.error(`demo: ${error.message}`);
  process.exitCode = 1;
} finally {
  for (const server of servers.reverse()) await server.stop();
}
