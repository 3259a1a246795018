// Runs of `hakobu run` in tests: a folder with hakobu.yaml and ledger, and the program's JSON report.
import { existsSync, rmSync, writeFileSync } from 'node:fs';
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { hakobu, privateFolder, run } from './servers.mjs';
import { project } from './clients.mjs';

// `tables` and `defaults` are YAML flow values, written as JSON. `source` overrides keys of `source:`.
export function makeJob({ mysql, bigquery, dataset = 'gym', tables, defaults = {}, source = {}, extra = {}, test }) {
  const folder = privateFolder('job');
  test?.after(() => rmSync(folder, { recursive: true, force: true }));
  const config = {
    source: { host: '127.0.0.1', port: mysql.port, user: 'root', tls: { mode: 'off' }, connections: 2, ...source },
    destination: { project, dataset, rest_address: bigquery.endpoint, grpc_address: `127.0.0.1:${bigquery.grpcPort}` },
    defaults,
    tables,
    ledger: join(folder, 'ledger.db'),
    ...extra,
  };
  const job = {
    folder,
    ledger: config.ledger,
    config,
    write: () => writeFileSync(join(folder, 'hakobu.yaml'), JSON.stringify(config, null, 1)),
    arguments: (args = []) => ['-c', join(folder, 'hakobu.yaml'), '--json', 'run', ...args],
    // Runs to the end: { code, signal, report, stderr }.
    async run({ args = [], env = {}, timeoutMs } = {}) {
      job.write();
      const result = await run(job.arguments(args), { env, timeoutMs });
      return { ...result, report: parseReport(result.stdout) };
    },
    // Starts it and returns the child process; `exited` resolves with { code, signal, stdout, stderr }.
    start({ args = [], env = {} } = {}) {
      job.write();
      const child = spawn(hakobu, job.arguments(args),
        { env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'pipe'] });
      let stdout = '';
      let stderr = '';
      child.stdout.on('data', (data) => (stdout += data));
      child.stderr.on('data', (data) => (stderr += data));
      child.exited = new Promise((resolve) =>
        child.once('exit', (code, signal) => resolve({ code, signal, stdout, stderr, report: parseReport(stdout) })));
      return child;
    },
    hasLedger: () => existsSync(config.ledger),
  };
  return job;
}

function parseReport(stdout) {
  const line = stdout.trim().split('\n').at(-1);
  try {
    return JSON.parse(line);
  } catch {
    try {
      return JSON.parse(stdout);
    } catch {
      return undefined;
    }
  }
}
