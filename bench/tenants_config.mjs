// 1,000 tenants and 100 tables: how long `hakobu config check` takes, which reads and checks everything and asks no server.
//   HAKOBU=build/release/hakobu node bench/tenants_config.mjs
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const hakobu = process.env.HAKOBU ?? new URL('../build/release/hakobu', import.meta.url).pathname;
const folder = mkdtempSync(join(tmpdir(), 'hakobu-bench-'));
const numbers = (count) => Array.from({ length: count }, (_, i) => i);
const config = (tenants) => `source: {user: hakobu, socket: /run/mysqld/mysqld.sock}
destination: {project: vendor, dataset: "gym_{tenant}"}
defaults: {labels: {by: hakobu}}
tiers:
  gold: {columns: {"*mail*": {mask: "null"}}, labels: {tier: gold}}
tenants:
  column: company_id
${tenants}tables:
${numbers(100).map((i) => `  - {table: gym.table_${i}, cluster: [id]}\n`).join('')}`;
const list = numbers(1000).map((i) => `    - id: t${i}\n      value: ${i}\n      tier: gold\n      destination: {project: p${i}, dataset: gym}\n      labels: {number: "${i}"}\n`).join('');
writeFileSync(join(folder, 'list.yaml'), config(`  list:\n${list}`));
writeFileSync(join(folder, 'tenants.csv'), `id,value,tier,project,dataset,label.number\n${numbers(1000).map((i) => `t${i},${i},gold,p${i},gym,${i}\n`).join('')}`);
writeFileSync(join(folder, 'csv.yaml'), config('  csv: tenants.csv\n'));
try {
  for (const file of ['list.yaml', 'csv.yaml']) {
    const times = numbers(5).map(() => {
      const started = process.hrtime.bigint();
      execFileSync(hakobu, ['-c', join(folder, file), 'config', 'check']);
      return Number(process.hrtime.bigint() - started) / 1e6;
    }).sort((a, b) => a - b);
    console.log(`${file}: ${times[2].toFixed(0)} ms (of 5: ${times.map((ms) => ms.toFixed(0)).join(', ')})`);
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}
