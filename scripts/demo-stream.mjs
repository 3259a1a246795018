// The demo's last part: `hakobu stream` follows the log while changes are made, and each is timed until a query sees it.
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

const root = new URL('..', import.meta.url).pathname;

async function until(what, probe, timeoutMs = 120000) {
  const deadline = Date.now() + timeoutMs;
  while (!(await probe())) {
    if (Date.now() > deadline) throw new Error(`${what}: not after ${timeoutMs} ms`);
    await sleep(10);
  }
}

// [what is said, the statements at the source, what a query then answers with 1]
const changes = [
  ['a member enters', `INSERT INTO check_ins VALUES (4000000001, 7, 3, NOW(6), NULL, 'A001', 36.5)`,
    'SELECT COUNT(*) AS n FROM gyms_live.check_ins WHERE id = 4000000001'],
  ['and leaves', `UPDATE check_ins SET stayed = '01:23:45' WHERE id = 4000000001`,
    `SELECT COUNT(*) AS n FROM gyms_live.check_ins WHERE id = 4000000001 AND stayed IS NOT NULL`],
  ['a thousand enter in one transaction', `START TRANSACTION; INSERT INTO check_ins SELECT 4000000001 + id, member_id, shop_id,
    NOW(6), NULL, gate, temperature FROM check_ins WHERE id BETWEEN 1 AND 1000; COMMIT`,
    'SELECT CAST(COUNT(*) = 1001 AS INT64) AS n FROM gyms_live.check_ins WHERE id > 4000000000'],
  ['a locker is scrapped (soft delete)', `DELETE FROM lockers ORDER BY shop_id, code LIMIT 1`,
    'SELECT COUNT(*) AS n FROM gyms_live.lockers WHERE _hakobu_deleted'],
  ['a column is added, and filled', `ALTER TABLE check_ins ADD COLUMN towel TINYINT(1); UPDATE check_ins SET towel = 1 WHERE id = 4000000001`,
    'SELECT COUNT(*) AS n FROM gyms_live.check_ins WHERE towel IS NOT NULL'],
  ['the visitors are forgotten again', 'DELETE FROM check_ins WHERE id > 4000000000; ALTER TABLE check_ins DROP COLUMN towel',
    'SELECT CAST(COUNT(*) = 0 AS INT64) AS n FROM gyms_live.check_ins WHERE id > 4000000000'],
];

// `start` runs hakobu with arguments and answers a Server.
export async function showStream({ mysql, client, start, say }) {
  for (const suffix of ['', '-wal', '-shm']) rmSync(join(root, `build/demo/live.db${suffix}`), { force: true });
  await client.dataset('gyms_live').delete({ force: true }).catch(() => undefined);
  say('hakobu -c examples/gyms-live.yaml stream');
  const stream = start(['-c', join(root, 'examples/gyms-live.yaml'), '--log-format', 'plain', 'stream']);
  const admin = await mysql.connect();
  try {
    await until('the first copies', () => {
      if (!stream.alive) throw new Error(stream.output);
      return (stream.output.match(/table is whole/g) ?? []).length === 3;
    });
    console.log('  first copies are whole; changes are made at the source, and a query asks until it sees them:');
    await admin.query('USE gyms');
    for (const [what, statements, question] of changes) {
      const begun = Date.now();
      await admin.query(statements);
      const committed = Date.now();
      await until(what, async () => {
        if (!stream.alive) throw new Error(stream.output);
        const [[row]] = await client.query(question).catch(() => [[{ n: 0 }]]);
        return Number(row.n) === 1;
      });
      console.log(`  ${what.padEnd(40)} committed in ${String(committed - begun).padStart(4)} ms, seen ${String(Date.now() - committed).padStart(4)} ms later`);
    }
    const { code } = await stream.stop();
    if (code !== 0) throw new Error(`hakobu stream ended with ${code}:\n${stream.output}`);
    console.log('  stopped: everything read was delivered, and its place is in the ledger');
  } finally {
    await admin.end();
    if (stream.alive) await stream.stop();
  }
}
