// A running `hakobu stream` in tests: its configuration, its process, and waiting until BigQuery equals the source.
import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { join } from 'node:path';
import { writeFileSync } from 'node:fs';
import { makeJob } from './delivery.mjs';
import { hakobu, Server, run } from './servers.mjs';
import { assertSameRows, deliveredTable, sourceColumns, sourceRows } from './compare.mjs';

// As makeJob; every table has mode: stream unless it says otherwise.
export function makeStream({ defaults = {}, stream = {}, extra = {}, ...options }) {
  const job = makeJob({ ...options, defaults: { mode: 'stream', ...defaults },
    extra: { stream: { heartbeat: '500ms', ...stream }, ...extra } });
  const args = (more) => ['-c', join(job.folder, 'hakobu.yaml'), '--json', '--log-format', 'json', 'stream', ...more];
  return {
    ...job,
    // A Server (stop, kill9, exited, output) that runs until it is stopped.
    start({ args: more = [], env = {} } = {}) {
      job.write();
      const server = new Server(hakobu, args(more), { env: { ...process.env, ...env } });
      // A test that fails in between leaves nothing behind that would be waited for.
      options.test?.after(() => server.stop());
      return server;
    },
    // Runs until everything that is in the log now is delivered: { code, signal, stdout, stderr, status }.
    async catchUp({ env = {}, timeoutMs = 60000 } = {}) {
      job.write();
      const result = await run(args(['--until-caught-up']), { env, timeoutMs });
      let status;
      try { status = JSON.parse(result.stdout); } catch { status = undefined; }
      return { ...result, status };
    },
    rewrite: (change) => { change(job.config); writeFileSync(join(job.folder, 'hakobu.yaml'), JSON.stringify(job.config, null, 1)); },
  };
}

// The table's own columns and rows on both sides, once, or the difference as an error. `only`: a predicate over
// delivered rows given as objects (soft deletes).
export async function compareTable({ connection, flavor, bigquery, database, table, dataset, target = table, only }) {
  const columns = await sourceColumns(connection, database, table);
  const delivered = await deliveredTable(bigquery, dataset, target);
  const places = columns.map((column) => {
    const place = delivered.fields.findIndex((field) => field.name === column.name);
    assert.notEqual(place, -1, `${table}.${column.name} is not in BigQuery`);
    if (column.type === 'longtext' && delivered.fields[place].type === 'JSON') column.type = 'json';
    return place;
  });
  const rows = only === undefined ? delivered.rows : delivered.rows.filter((row) =>
    only(Object.fromEntries(delivered.fields.map((field, i) => [field.name, row[i]]))));
  const expected = await sourceRows(connection, database, table, { flavor, columns });
  assertSameRows(rows.map((row) => places.map((place) => row[place])), expected, `${database}.${table}`);
}

// Waits until every table is equal; the last difference is the error. `server`: the stream, which must live on.
export async function waitUntilEqual({ mysql, bigquery, database, tables, dataset, server, timeoutMs = 30000, ...rest }) {
  const connection = await mysql.connect();
  const deadline = Date.now() + timeoutMs;
  try {
    for (const table of tables) {
      for (;;) {
        try {
          await compareTable({ connection, flavor: mysql.flavor, bigquery, database, table, dataset, ...rest });
          break;
        } catch (error) {
          if (server && !server.alive) throw new Error(`hakobu stream has ended:\n${server.output}\n${error.message}`);
          if (Date.now() > deadline) throw new Error(`${error.message}\n${server?.output ?? ''}`);
          await sleep(50);
        }
      }
    }
  } finally {
    await connection.end();
  }
}

// `times`: so many matches of a pattern.
export async function waitForLine(server, pattern, timeoutMs = 30000, times = 1) {
  const deadline = Date.now() + timeoutMs;
  const all = new RegExp(pattern, 'g');
  while ((server.output.match(all) ?? []).length < times) {
    if (!server.alive) throw new Error(`ended before ${pattern}:\n${server.output}`);
    if (Date.now() > deadline) throw new Error(`no ${pattern} in:\n${server.output}`);
    await sleep(20);
  }
}
