#!/usr/bin/env node
// Tries what scripts/release made, as root, where nothing of it is known: two Debian 12 systems of the smallest kind
// (debootstrap), the package installed with apt in one, the tarball unpacked in the other with only glibc, CA certificates and
// time zones beside it. In each the main job runs: a MySQL server is delivered to a local BigQuery, both served from outside
// over loopback; then `endpoint: local`, which needs DuckDB. Prints what was done; exits 1 at the first thing that is not so.
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { bigqueryClient, project } from '../tests/harness/clients.mjs';
import { root, startBigquery, startMysql } from '../tests/harness/servers.mjs';

const dist = join(root, 'dist');
const made = (ending) => join(dist, readdirSync(dist).filter((name) => name.endsWith(ending)).sort().at(-1));
const deb = made('.deb');
const tarball = made('.tar.gz');
const rows = 5000;

const folder = mkdtempSync(join(tmpdir(), 'hakobu-release-'));
const clean = [() => rmSync(folder, { recursive: true, force: true })];
const mirror = process.env.HAKOBU_DEBIAN ??
  /^URIs: (\S+)/m.exec(readFileSync('/etc/apt/sources.list.d/debian.sources', 'utf8'))[1];

const inside = (system, ...command) => {
  // The dynamic loader asks /proc where the program stands. Mounted for this process alone.
  const result = spawnSync('unshare',
    ['--mount', 'sh', '-c', 'mount -t proc proc "$0/proc" && exec chroot "$0" "$@"', system, ...command],
    { encoding: 'utf8', env: { PATH: '/usr/sbin:/usr/bin:/sbin:/bin', DEBIAN_FRONTEND: 'noninteractive', LC_ALL: 'C.UTF-8' } });
  return { ...result, text: `${result.stdout}${result.stderr}` };
};

// Debian's smallest, made once. HAKOBU_BASE: a folder where debootstrap has made it before.
function base() {
  if (process.env.HAKOBU_BASE) return process.env.HAKOBU_BASE;
  const system = join(folder, 'base');
  if (!existsSync(system)) {
    execFileSync('debootstrap', ['--variant=minbase', '--include=ca-certificates,tzdata', 'bookworm', system, mirror],
      { stdio: ['ignore', 'ignore', 'inherit'] });
  }
  return system;
}

function newSystem(name) {
  const system = join(folder, name);
  execFileSync('cp', ['-a', base(), system]);
  for (const file of ['resolv.conf', 'hosts']) cpSync(`/etc/${file}`, join(system, 'etc', file), { dereference: true });
  return system;
}

async function mainJob(system, program, source, bigquery) {
  mkdirSync(join(system, 'work'));
  cpSync(join(source.folder, 'data/ca.pem'), join(system, 'work/ca.pem'));
  const configure = (destination) => writeFileSync(join(system, 'work/hakobu.yaml'),
    `source: {host: 127.0.0.1, port: ${source.port}, user: carrier, password: "\${env:PW}", tls: {mode: verify_ca, ca: /work/ca.pem}}\n` +
    `destination: {project: ${project}, dataset: ${basename(system)}, ${destination}}\ntables: [{table: shop.members}]\n` +
    'ledger: /work/ledger.db\n');
  const hakobu = (...args) => inside(system, 'env', 'PW=carries', program, '-c', '/work/hakobu.yaml', ...args);
  configure(`rest_address: "${bigquery.endpoint}", grpc_address: "127.0.0.1:${bigquery.grpcPort}"`);
  const ran = hakobu('run', '--json', '--quiet');
  assert.equal(ran.status, 0, ran.text);
  assert.equal(JSON.parse(ran.stdout).tables[0].rows, rows);
  const [found] = await bigqueryClient(bigquery)
    .query(`SELECT COUNT(*) AS n, SUM(id) AS total FROM ${basename(system)}.members`);
  assert.deepEqual([Number(found[0].n), Number(found[0].total)], [rows, (rows * (rows + 1)) / 2]);
  rmSync(join(system, 'work/ledger.db'));
  configure('endpoint: local');
  const local = hakobu('run', '--json', '--quiet');
  assert.equal(local.status, 0, local.text);
  assert.equal(JSON.parse(local.stdout).tables[0].rows, rows);
  console.log(`  ${rows} rows to a local BigQuery outside, and to one of its own`);
}

try {
  const source = await startMysql();
  clean.unshift(() => source.stop());
  const bigquery = await startBigquery();
  clean.unshift(() => bigquery.stop());
  const connection = await source.connect();
  await connection.query('CREATE DATABASE shop; CREATE TABLE shop.members (id INT PRIMARY KEY, name VARCHAR(40));' +
    "CREATE USER carrier@'%' IDENTIFIED WITH caching_sha2_password BY 'carries'; GRANT SELECT ON shop.* TO carrier@'%';" +
    `SET SESSION cte_max_recursion_depth = ${rows + 1};` +
    `INSERT INTO shop.members WITH RECURSIVE n AS (SELECT 1 AS id UNION ALL SELECT id + 1 FROM n WHERE id < ${rows})` +
    " SELECT id, CONCAT('会員', id) FROM n");
  await connection.end();

  console.log(`${basename(deb)}: apt install in a new system`);
  const packaged = newSystem('packaged');
  cpSync(deb, join(packaged, 'hakobu.deb'));
  const installed = inside(packaged, 'apt-get', '-q', '-y', 'install', '--no-install-recommends', '/hakobu.deb');
  assert.equal(installed.status, 0, installed.text);
  assert.match(inside(packaged, 'hakobu', '--version').text, /^hakobu \d/);
  await mainJob(packaged, 'hakobu', source, bigquery);
  const removed = inside(packaged, 'apt-get', '-q', '-y', 'purge', 'hakobu');
  assert.equal(removed.status, 0, removed.text);
  assert.equal(inside(packaged, 'ls', '/usr/lib/hakobu').status, 2, 'purge leaves nothing');

  console.log(`${basename(tarball)}: unpacked in a new system`);
  const unpacked = newSystem('unpacked');
  mkdirSync(join(unpacked, 'opt/some where'), { recursive: true });
  execFileSync('tar', ['-xzf', tarball, '-C', join(unpacked, 'opt/some where')]);
  const program = `/opt/some where/${basename(tarball, '.tar.gz')}/bin/hakobu`;
  assert.match(inside(unpacked, program, '--version').text, /^hakobu \d/);
  await mainJob(unpacked, program, source, bigquery);
  console.log('All of it ran.');
} finally {
  for (const step of clean) await step();
}
