// scripts/fuzz-wire's half for the local BigQuery: fuzz-wire.mjs SECONDS SEED. A new server each minute, as a run must be
// repeatable from its seed.
import { rmSync } from 'node:fs';
import { startWithIdentities } from '../tests/harness/identities.mjs';
import { fuzzLocalBigquery } from '../tests/harness/wire_fuzz.mjs';

const [seconds, firstSeed] = process.argv.slice(2).map(Number);
const until = Date.now() + seconds * 1000;
for (let seed = firstSeed; Date.now() < until; ++seed) {
  const cleanups = [];
  const server = await startWithIdentities({ after: (cleanup) => cleanups.push(cleanup) });
  try {
    const { sent, megabytes, peak } = await fuzzLocalBigquery(server, { seed, seconds: Math.min(60, (until - Date.now()) / 1000) });
    console.log(`seed ${seed}: ${sent} requests, ${megabytes.toFixed(0)} MB, at most ${peak.toFixed(0)} MB`);
  } finally {
    for (const cleanup of cleanups.reverse()) await cleanup();
    rmSync(server.folder, { recursive: true, force: true });
  }
}
