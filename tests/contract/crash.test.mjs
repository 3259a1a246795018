// kill -9 of the local BigQuery under writers of every kind at once: what was acknowledged is there, exactly once, and
// what was not committed is not. HAKOBU_CRASH_SEEDS says how many rounds (default 15); HAKOBU_CRASH_FIRST the first.
import assert from 'node:assert/strict';
import { rmSync } from 'node:fs';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { bigqueryClient, project, writeClient } from '../harness/clients.mjs';
import { privateFolder, startBigquery } from '../harness/servers.mjs';
import { changes, Connection, idRows } from '../harness/append.mjs';
import { untilWritable } from '../harness/writable.mjs';

const rounds = Number(process.env.HAKOBU_CRASH_SEEDS ?? 15);
const first = Number(process.env.HAKOBU_CRASH_FIRST ?? 1);
const id = { name: 'id', type: 'INTEGER' };

// Mulberry32: the same numbers for the same seed.
function randomOf(seed) {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}

async function call(server, method, path, body, type = 'application/json') {
  const answer = await fetch(`${server.endpoint}${path}`,
    { method, body: typeof body === 'string' ? body : JSON.stringify(body), headers: { 'Content-Type': type } });
  return { status: answer.status, body: await answer.json() };
}
const jobsPath = `/bigquery/v2/projects/${project}/jobs`;
async function jobEnd(server, jobId) {
  const deadline = Date.now() + 60_000;
  for (;;) {
    const { status, body } = await call(server, 'GET', `${jobsPath}/${jobId}`);
    // A job that was answered with 409 may not be found for a moment.
    assert.ok(status === 200 || (status === 404 && Date.now() < deadline), JSON.stringify(body));
    if (status === 200 && body.status.state === 'DONE') return body.status.errorResult;
    await sleep(5);
  }
}
function load(server, jobId, dataset, ids) {
  const job = { jobReference: { projectId: project, jobId }, configuration: { load: {
    destinationTable: { projectId: project, datasetId: dataset, tableId: 'loaded' }, sourceFormat: 'NEWLINE_DELIMITED_JSON' } } };
  const body = `--b\r\nContent-Type: application/json\r\n\r\n${JSON.stringify(job)}\r\n--b\r\nContent-Type: */*\r\n\r\n` +
    `${ids.map((n) => `{"id":${n}}\n`).join('')}\r\n--b--\r\n`;
  return call(server, 'POST', `/upload${jobsPath}?uploadType=multipart`, body, 'multipart/related; boundary=b');
}
const insert = (server, jobId, dataset, ids) => call(server, 'POST', jobsPath, {
  jobReference: { projectId: project, jobId },
  configuration: { query: { query: `INSERT INTO ${dataset}.dml (id) SELECT * FROM UNNEST([${ids}])`, useLegacySql: false } } });

// What one round wrote, and what it was told. Each writer goes on until the server is gone.
class Round {
  constructor(server, seed) {
    this.server = server;
    this.random = randomOf(seed);
    this.dataset = `seed_${seed}`;
    this.path = (table) => `projects/${project}/datasets/${this.dataset}/tables/${table}`;
    this.batch = () => 1 + Math.floor(this.random() * 40);
    this.storage = writeClient(server);
    this.connections = [];
  }
  async prepare() {
    const [dataset] = await bigqueryClient(this.server).createDataset(this.dataset);
    const names = ['def', 'com', 'pen', 'buf', 'loaded', 'dml'];
    await Promise.all(names.map((name) => dataset.createTable(name, { schema: { fields: [id] } })));
    await dataset.createTable('cdc', { schema: { fields: [id, { name: 'version', type: 'INTEGER' }] },
      tableConstraints: { primaryKey: { columns: ['id'] } } });
    await untilWritable(this.server, [...names, 'cdc'].map(this.path));
  }
  connect() {
    const connection = new Connection(this.server);
    this.connections.push(connection);
    return connection;
  }
  async create(table, type) {
    const [stream] = await this.storage.createWriteStream({ parent: this.path(table), writeStream: { type } }, { retry: null });
    return stream.name;
  }
  range(from, count) { return Array.from({ length: count }, (_, i) => from + i); }

  // Sends batches, some at a time; `onSent` and `onTold` hear of each.
  async pump(connection, make, onTold) {
    const inFlight = new Set();
    let failure;
    while (!failure) {
      const { message, note } = make();
      const sent = connection.send(message).then((answer) => {
        assert.ok(!answer.error, answer.error?.message);
        onTold(note);
      }).catch((error) => { failure = error; }).finally(() => inFlight.delete(sent));
      inFlight.add(sent);
      if (inFlight.size >= 3) await Promise.race(inFlight);
    }
    await Promise.all(inFlight);
    if (failure instanceof assert.AssertionError) throw failure;
  }
  async default_() {
    this.def = { told: [], sent: 0 };
    const path = `${this.path('def')}/streams/_default`;
    await this.pump(this.connect(), () => {
      const ids = this.range(this.def.sent, this.batch());
      this.def.sent += ids.length;
      return { message: idRows(path, ids), note: ids };
    }, (ids) => this.def.told.push(...ids));
  }
  async committed() {
    this.com = { told: 0, sent: 0, stream: await this.create('com', 'COMMITTED') };
    await this.pump(this.connect(), () => {
      const ids = this.range(this.com.sent, this.batch());
      const offset = this.com.sent;
      this.com.sent += ids.length;
      return { message: idRows(this.com.stream, ids, offset), note: this.com.sent };
    }, (sent) => { this.com.told = sent; });
  }
  async buffered() {
    this.buf = { told: 0, flushed: 0, tried: 0, stream: await this.create('buf', 'BUFFERED') };
    const connection = this.connect();
    for (let sent = 0;;) {
      const ids = this.range(sent, this.batch());
      const answer = await connection.send(idRows(this.buf.stream, ids, sent));
      assert.ok(!answer.error, answer.error?.message);
      sent += ids.length;
      this.buf.told = sent;
      if (this.random() < 0.5) continue;
      this.buf.tried = sent;
      await this.storage.flushRows({ writeStream: this.buf.stream, offset: { value: sent - 1 } }, { retry: null });
      this.buf.flushed = sent;
    }
  }
  // Streams of a few batches each; some are left uncommitted.
  async pending() {
    this.pen = [];
    for (let next = 0;;) {
      const stream = { ids: [], state: 'open' };
      this.pen.push(stream);
      const name = await this.create('pen', 'PENDING');
      const connection = this.connect();
      for (let i = 0; i < 3; ++i) {
        const ids = this.range(next, this.batch());
        const answer = await connection.send(idRows(name, ids, stream.ids.length));
        assert.ok(!answer.error, answer.error?.message);
        next += ids.length;
        stream.ids.push(...ids);
      }
      await this.storage.finalizeWriteStream({ name }, { retry: null });
      if (this.random() < 0.3) continue;
      stream.state = 'committing';
      const [answer] = await this.storage.batchCommitWriteStreams({ parent: this.path('pen'), writeStreams: [name] }, { retry: null });
      assert.deepEqual(answer.streamErrors ?? [], []);
      stream.state = 'committed';
    }
  }
  async changes() {
    this.cdc = new Map();  // key -> [told, sent]: versions; odd ones are deletes
    let version = 0;
    await this.pump(this.connect(), () => {
      const rows = Array.from({ length: this.batch() }, () => {
        const key = Math.floor(this.random() * 50);
        ++version;
        const entry = this.cdc.get(key) ?? { told: 0, sent: [] };
        this.cdc.set(key, entry);
        entry.sent.push(version);
        return { id: key, version, type: version % 5 === 0 ? 'DELETE' : 'UPSERT' };
      });
      return { message: changes(`${this.path('cdc')}/streams/_default`, rows), note: rows };
    }, (rows) => rows.forEach((row) => { const entry = this.cdc.get(row.id); entry.told = Math.max(entry.told, row.version); }));
  }
  async jobs(kind, start) {
    this[kind] = [];
    for (let next = 0;;) {
      const job = { jobId: `${this.dataset}_${kind}_${this[kind].length}`, ids: this.range(next, this.batch()), isTold: false };
      next += job.ids.length;
      this[kind].push(job);
      const { status, body } = await start(this.server, job.jobId, this.dataset, job.ids);
      assert.equal(status, 200, JSON.stringify(body));
      assert.equal(await jobEnd(this.server, job.jobId), undefined);
      job.isTold = true;
    }
  }
  run() {
    return Promise.all([this.default_(), this.committed(), this.buffered(), this.pending(), this.changes(),
      this.jobs('loaded', load), this.jobs('dml', insert)].map((writer) => writer.catch((error) => {
      if (error instanceof assert.AssertionError) throw error;  // the server's end is expected, a wrong answer is not
    })));
  }
  async close() {
    await Promise.all([...this.connections, this.storage].map(async (one) => one.close()).map((end) => end.catch(() => {})));
  }

  async ids(server, table) {
    const [rows] = await bigqueryClient(server).query(`SELECT id FROM ${this.dataset}.${table} ORDER BY id`);
    return rows.map((row) => Number(row.id));
  }
  // On the server that came after: sends again what was not acknowledged, as a writer would, and looks.
  async check(server) {
    const unique = (ids) => assert.equal(new Set(ids).size, ids.length, 'a row is there twice');
    const def = await this.ids(server, 'def');
    unique(def);
    const there = new Set(def);
    assert.ok(this.def.told.every((n) => there.has(n)), 'an acknowledged row of _default is lost');

    if (this.com) {
      const connection = new Connection(server);
      const before = await this.ids(server, 'com');
      assert.ok(before.length >= this.com.told, `COMMITTED: ${before.length} of ${this.com.told} acknowledged rows`);
      assert.deepEqual(before, this.range(0, before.length));
      const again = await connection.send(idRows(this.com.stream, [before.length + 1], before.length + 1));
      assert.equal(again.error?.code, 11, 'an offset beyond the end is refused');
      assert.equal((await connection.send(idRows(this.com.stream, [0], 0))).error?.code ?? (before.length ? 0 : 6), 6);
      await connection.send(idRows(this.com.stream, [before.length], before.length));
      await connection.close();
      this.com.told = before.length + (before.length ? 1 : 0);
    }
    if (this.buf) {
      const buf = await this.ids(server, 'buf');
      assert.deepEqual(buf, this.range(0, buf.length));
      assert.ok(buf.length === this.buf.flushed || buf.length === this.buf.tried,
        `BUFFERED: ${buf.length} rows, ${this.buf.flushed} flushed, ${this.buf.tried} tried`);
    }
    const pen = await this.ids(server, 'pen');
    unique(pen);
    const pending = new Set(pen);
    let expected = 0;
    for (const stream of this.pen ?? []) {
      const found = stream.ids.filter((n) => pending.has(n)).length;
      expected += found;
      if (stream.state === 'open') assert.equal(found, 0, 'a row of an uncommitted stream is there');
      if (stream.state === 'committed') assert.equal(found, stream.ids.length, 'a committed row is lost');
      assert.ok(found === 0 || found === stream.ids.length, 'half a commit');
    }
    assert.equal(pen.length, expected);

    const [rows] = await bigqueryClient(server).query(`SELECT id, version FROM ${this.dataset}.cdc`);
    unique(rows.map((row) => Number(row.id)));
    const versions = new Map(rows.map((row) => [Number(row.id), Number(row.version)]));
    for (const [key, { told, sent }] of this.cdc) {
      // The state after some version from the acknowledged one on; 0: none yet.
      const possible = [...new Set([told, ...sent.filter((version) => version > told)])];
      const seen = versions.get(key);
      assert.ok(possible.some((version) => (version % 5 === 0 ? seen === undefined : seen === version)),
        `key ${key}: version ${seen}, acknowledged ${told}, sent ${sent.slice(-5)}`);
    }
    for (const [kind, start] of [['loaded', load], ['dml', insert]]) {
      for (const job of this[kind]) {
        const { status } = await start(server, job.jobId, this.dataset, job.ids);
        if (job.isTold) assert.equal(status, 409, `${job.jobId} ended, and its id is free`);
        assert.ok(status === 200 || status === 409);
        assert.equal(await jobEnd(server, job.jobId), undefined);
      }
      assert.deepEqual(await this.ids(server, kind), this[kind].flatMap((job) => job.ids), `${kind}: exactly once`);
    }
    return { def: def.length, com: this.com?.told ?? 0, pen: pen.length, buf: this.buf?.flushed ?? 0,
      cdc: rows.length, loaded: this.loaded.length, dml: this.dml.length };
  }
}

test(`acknowledged is present, exactly once, over kill -9: seeds ${first} to ${first + rounds - 1}`, async (t) => {
  const folder = privateFolder('crash');
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  let server = await startBigquery({ folder, test: t });
  const done = { def: 0, com: 0, pen: 0, buf: 0, cdc: 0, loaded: 0, dml: 0 };
  for (let seed = first; seed < first + rounds; ++seed) {
    const round = new Round(server, seed);
    const began = Date.now();
    await round.prepare();
    // A busy machine gets as far as an idle one: preparing takes that about 150 ms.
    const slowness = Math.min(3, Math.max(1, (Date.now() - began) / 150));
    const writers = round.run();
    await Promise.race([sleep((150 + round.random() * 450) * slowness), writers]);
    await server.kill9();
    await writers;
    await round.close();
    server = await startBigquery({ folder, test: t });
    try {
      const counts = await round.check(server);
      for (const key of Object.keys(done)) done[key] += counts[key];
    } catch (error) {
      error.message = `seed ${seed}: ${error.message}`;
      throw error;
    }
  }
  t.diagnostic(`rows and jobs seen: ${JSON.stringify(done)}`);
  for (const [kind, count] of Object.entries(done)) assert.ok(count > 0, `${kind}: nothing was written in any round`);
});
