// Real servers for tests: each on loopback, a free port, in a private folder, stopped by its own process id.
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, readFileSync, existsSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import mysql from 'mysql2/promise';

export const root = new URL('../..', import.meta.url).pathname;
// The program under test; HAKOBU names another build.
export const hakobu = process.env.HAKOBU ?? join(root, 'build/debug/hakobu');

export function freePort() {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once('error', reject);
    probe.listen(0, '127.0.0.1', () => {
      const { port } = probe.address();
      probe.close(() => resolve(port));
    });
  });
}

export function privateFolder(name) {
  return mkdtempSync(join(tmpdir(), `hakobu-${name}-`));
}

const running = new Set();
process.on('exit', () => running.forEach((child) => child.kill('SIGKILL')));

// A child process with its output collected. stop() asks politely, then kills; kill9() is a crash.
export class Server {
  constructor(command, args, options = {}) {
    this.output = '';
    this.child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'], ...options });
    running.add(this.child);
    this.child.stdout.setEncoding('utf8');
    this.child.stderr.setEncoding('utf8');
    this.child.stdout.on('data', (data) => (this.output += data));
    this.child.stderr.on('data', (data) => (this.output += data));
    this.exited = new Promise((resolve) =>
      this.child.once('exit', (code, signal) => {
        running.delete(this.child);
        resolve({ code, signal });
      }));
  }
  get pid() { return this.child.pid; }
  get alive() { return this.child.exitCode === null && this.child.signalCode === null; }
  async stop() {
    if (this.alive) this.child.kill('SIGTERM');
    const timer = setTimeout(() => this.child.kill('SIGKILL'), 20000);
    const result = await this.exited;
    clearTimeout(timer);
    return result;
  }
  async kill9() {
    this.child.kill('SIGKILL');
    return this.exited;
  }
}

async function waitFor(what, server, probe, timeoutMs = 240000) {
  const deadline = Date.now() + timeoutMs;
  for (;;) {
    const result = await probe().catch(() => undefined);
    if (result !== undefined) return result;
    if (server && !server.alive) throw new Error(`${what} ended early:\n${server.output}`);
    if (Date.now() > deadline) throw new Error(`${what} is not ready after ${timeoutMs} ms:\n${server?.output}`);
    await sleep(50);
  }
}

// A running MySQL 9.7 ('mysql'), 5.6 ('mysql56', whose `flavor` is 'mysql' for those who compare) or MariaDB 10.11
// ('mariadb'). With `test` (node:test's context) it is stopped and its
// folder removed at the end of the test.
export async function startMysql({ flavor = 'mysql', folder, port, options = [], test } = {}) {
  const own = folder === undefined;
  folder ??= privateFolder(flavor);
  port ??= await freePort();
  const server = new Server(join(root, 'scripts/mysql-server'), [flavor, folder, String(port), ...options]);
  const socketPath = join(folder, 'mysql.sock');
  const connect = (extra = {}) =>
    mysql.createConnection({ socketPath, user: 'root', supportBigNumbers: true, bigNumberStrings: true,
      dateStrings: true, multipleStatements: true, charset: 'utf8mb4', ...extra });
  try {
    await waitFor(flavor, server, async () => { const c = await connect(); await c.end(); return true; });
  } catch (error) {
    const log = join(folder, 'error.log');
    throw new Error(`${error.message}\n${existsSync(log) ? readFileSync(log, 'utf8').slice(-3000) : ''}`);
  }
  const instance = Object.assign(server, { flavor: flavor === 'mysql56' ? 'mysql' : flavor, folder, port, socketPath, host: '127.0.0.1', connect });
  test?.after(async () => {
    await instance.stop();
    if (own) rmSync(folder, { recursive: true, force: true });
  });
  return instance;
}

// A running local BigQuery (`hakobu bigquery`). Free ports are chosen by the server, which prints them. HAKOBU_BIGQUERY_ARGS
// are more arguments for all of them (`--faults FILE`).
export async function startBigquery({ folder, args = [], env = {}, restPort = 0, grpcPort = 0, test } = {}) {
  const own = folder === undefined;
  const moreArgs = args.includes('--faults') ? [] : (process.env.HAKOBU_BIGQUERY_ARGS ?? '').split(' ').filter(Boolean);
  folder ??= privateFolder('bigquery');
  const server = new Server(hakobu,
    ['bigquery', '--data', folder, '--rest-port', String(restPort), '--grpc-port', String(grpcPort), ...moreArgs, ...args],
    { env: { ...process.env, ...env } });
  const ports = await waitFor('hakobu bigquery', server, async () => {
    const rest = /REST on http:\/\/127\.0\.0\.1:(\d+)/.exec(server.output);
    const grpc = /gRPC on 127\.0\.0\.1:(\d+)/.exec(server.output);
    return rest && grpc ? { restPort: Number(rest[1]), grpcPort: Number(grpc[1]) } : undefined;
  });
  const instance = Object.assign(server, { folder, ...ports, endpoint: `http://127.0.0.1:${ports.restPort}` });
  test?.after(async () => {
    await instance.stop();
    if (own) rmSync(folder, { recursive: true, force: true });
  });
  return instance;
}

// Runs the program to its end: { code, signal, stdout, stderr }.
export function run(args, { env = {}, cwd, timeoutMs = 300000, command = hakobu } = {}) {
  return new Promise((resolve) => {
    const child = spawn(command, args, { cwd, env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'pipe'] });
    running.add(child);
    let stdout = '';
    let stderr = '';
    child.stdout.setEncoding('utf8');  // a character may be cut between two chunks
    child.stderr.setEncoding('utf8');
    child.stdout.on('data', (data) => (stdout += data));
    child.stderr.on('data', (data) => (stderr += data));
    const timer = setTimeout(() => child.kill('SIGKILL'), timeoutMs);
    child.once('exit', (code, signal) => {
      clearTimeout(timer);
      running.delete(child);
      resolve({ code, signal, stdout, stderr });
    });
  });
}
