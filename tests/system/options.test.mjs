// What the configuration of a table and of a run says, as it is found in BigQuery and in the report.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { bigqueryClient } from '../harness/clients.mjs';
import { makeJob } from '../harness/delivery.mjs';
import { startBigquery, startMysql } from '../harness/servers.mjs';

const schema = `CREATE DATABASE shop CHARACTER SET utf8mb4; USE shop;
  CREATE TABLE visits (id INT PRIMARY KEY, day DATE, at DATETIME NOT NULL, stamp TIMESTAMP NULL, shop_id INT NOT NULL COMMENT 'どの店', phone VARCHAR(20),
    email VARCHAR(50), born DATE, memo TEXT, secret_memo TEXT, fee DECIMAL(10,2), deleted_at DATETIME) COMMENT '来店';
  INSERT INTO visits VALUES (1, '2026-01-01', '2026-01-01 10:00:00', '2026-01-01 01:00:00', 7, '09012345678', 'a@x.com', '1990-01-01', 'm', 's', 10.5, NULL),
    (2, '2026-02-01', '2026-02-01 11:00:00', '2026-02-01 02:00:00', 8, '電話なし', NULL, NULL, NULL, 's', 7, NULL),
    (3, '2026-03-01', '2026-03-01 12:00:00', NULL, 9, NULL, 'c@x.com', '1991-02-02', 'gone', 's', NULL, '2026-03-02 00:00:00');`;

test('options of tables and runs', async (t) => {
  const [mysql, bigquery] = await Promise.all([startMysql({ test: t }), startBigquery({ test: t })]);
  const admin = await mysql.connect();
  t.after(() => admin.end());
  await admin.query(schema);
  const client = bigqueryClient(bigquery);
  const deliver = async (t, dataset, table, more = {}) => {
    const job = makeJob({ mysql, bigquery, dataset, tables: [{ table: 'shop.visits', ...table }], test: t, ...more });
    const result = await job.run(more.run);
    const [metadata] = await client.dataset(dataset).table(table.target ?? 'visits').getMetadata();
    return { ...result, metadata };
  };

  for (const write of ['storage', 'load']) {
    await t.test(`rows, columns, masks, names and types, write: ${write}`, async (t) => {
      const { code, metadata, stderr } = await deliver(t, `options_${write}`, { write, target: '来店_2026', where: 'deleted_at IS NULL', exclude: ['*_memo', 'deleted_at'],
        labels: { team: 'data' }, columns: { email: { mask: 'sha256', salt: '${env:SALT}' }, phone: { mask: 'first', keep: 3 }, born: { mask: null }, fee: { as: 'FLOAT64' } } },
      { defaults: { labels: { from: 'defaults', team: 'none' } }, run: { env: { SALT: 'pepper of many letters' } } });
      assert.equal(code, 0, stderr);
      assert.deepEqual(metadata.schema.fields.map(({ name, type }) => [name, type]), [['id', 'INTEGER'], ['day', 'DATE'], ['at', 'DATETIME'], ['stamp', 'TIMESTAMP'],
        ['shop_id', 'INTEGER'], ['phone', 'STRING'], ['email', 'STRING'], ['born', 'DATE'], ['memo', 'STRING'], ['fee', 'FLOAT']]);
      assert.equal(metadata.description, '来店');
      assert.equal(metadata.schema.fields[4].description, 'どの店');
      assert.deepEqual(metadata.labels, { from: 'defaults', team: 'data' });
      const [rows] = await client.query(`SELECT id, phone, email, born, fee FROM \`options_${write}.来店_2026\` ORDER BY id`);
      const hash = createHash('sha256').update('pepper of many lettersa@x.com').digest('hex');
      assert.deepEqual(rows, [{ id: 1, phone: '090', email: hash, born: null, fee: 10.5 }, { id: 2, phone: '電話な', email: null, born: null, fee: 7 }]);
    });
  }

  const time = (type, field, more = {}) => ({ timePartitioning: { type, field, ...more } });
  for (const [name, table, expected] of [
    ['by_hour', { partition: { by: 'hour', column: 'at' } }, time('HOUR', 'at')],
    ['by_day', { partition: { by: 'day', column: 'stamp', expire_after: '400d', require_filter: true } },
      { ...time('DAY', 'stamp', { expirationMs: String(400 * 86400000) }), requirePartitionFilter: true }],
    ['by_month', { partition: { by: 'month', column: 'day' }, cluster: ['shop_id', 'phone'] }, { ...time('MONTH', 'day'), clustering: { fields: ['shop_id', 'phone'] } }],
    ['by_year', { partition: { by: 'year', column: 'day' } }, time('YEAR', 'day')],
    ['by_range', { partition: { by: 'range', column: 'shop_id', start: 0, end: 100, interval: 10 } },
      { rangePartitioning: { field: 'shop_id', range: { start: '0', end: '100', interval: '10' } } }],
    ['clustered', { cluster: ['id', 'email', 'day', 'fee'] }, { clustering: { fields: ['id', 'email', 'day', 'fee'] } }],
  ]) {
    await t.test(`partitions and clusters: ${name}`, async (t) => {
      for (const round of ['made', 'replaced']) {
        const { code, metadata, stderr } = await deliver(t, name, table);
        assert.equal(code, 0, stderr);
        const { timePartitioning, rangePartitioning, clustering, requirePartitionFilter } = metadata;
        if (timePartitioning) delete timePartitioning.requirePartitionFilter;  // the older place of the same
        const found = Object.fromEntries(Object.entries({ timePartitioning, rangePartitioning, clustering, requirePartitionFilter }).filter(([, value]) => value));
        assert.deepEqual(found, expected, round);
        assert.equal(metadata.numRows, '3');
      }
    });
  }

  await t.test('finish_within: late, but everything is delivered', async (t) => {
    const { code, report, metadata } = await deliver(t, 'late', {}, { extra: { limits: { finish_within: '1ms' } } });
    assert.equal(code, 3);
    assert.equal(report.late, true);
    assert.equal(report.state, 'done');
    assert.equal(metadata.numRows, '3');
    const slow = await deliver(t, 'in_time', {}, { extra: { limits: { finish_within: '10m' } } });
    assert.deepEqual([slow.code, slow.report.late], [0, false]);
  });

  await t.test('JSON log lines, by the flag and by the file', async (t) => {
    for (const more of [{ run: { args: ['--log-format', 'json'] } }, { extra: { log: { format: 'json' } } }]) {
      const { code, stderr } = await deliver(t, 'logged', {}, more);
      assert.equal(code, 0, stderr);
      const lines = stderr.trim().split('\n').map((line) => JSON.parse(line));
      assert.ok(lines.length > 0);
      for (const line of lines) {
        assert.match(line.severity, /^(DEBUG|INFO|WARNING|ERROR)$/);
        assert.ok(Math.abs(Date.parse(line.time) - Date.now()) < 600000, line.time);
        assert.equal(typeof line.message, 'string');
      }
      assert.ok(lines.some((line) => /shop\.visits: done, 3 rows/.test(line.message)), stderr);
    }
  });
});
