// A short run of scripts/fuzz-wire, which goes on for minutes: always the same requests.
import { test } from 'node:test';
import { startWithIdentities } from '../harness/identities.mjs';
import { fuzzLocalBigquery } from '../harness/wire_fuzz.mjs';

for (const seed of [1, 2]) test(`changed bytes over REST, gRPC, token and metadata endpoints, seed ${seed}`, async (t) => {
  const server = await startWithIdentities(t);
  await fuzzLocalBigquery(server, { seed, count: 256 });
});
