// A table that was just made may be denied to writers for a while, as if it did not exist; one that was replaced or made
// again is not found by new ones. Tests that are about something else wait until that is over.
import { setTimeout as sleep } from 'node:timers/promises';
import { idRows } from './append.mjs';
import { writeClient } from './clients.mjs';

const isDenial = (error) => (error?.code === 7 && /or it may not exist/.test(error.message)) ||
  (error?.code === 5 && /is truncated|is re-created/.test(error.message));
const patienceMs = 300_000;

// How a connection's first append ends that has no rows: whatever else it is told, it is not denied any more.
function appendNothing(client, stream) {
  return new Promise((resolve, reject) => {
    const call = client.appendRows();
    call.on('error', reject);
    call.on('data', () => call.end());
    call.on('end', resolve);
    call.write(idRows(stream, []));
  });
}

// `tables`: projects/p/datasets/d/tables/t, or a list of such; `options`: of the client that asks.
export async function untilWritable(server, tables, options = {}) {
  const client = writeClient(server, options);
  const deadline = Date.now() + patienceMs;
  const insist = async (call) => {
    for (;;) {
      const error = await call().then(() => undefined, (failure) => failure);
      if (!isDenial(error)) return;
      if (Date.now() > deadline) throw error;
      await sleep(50);
    }
  };
  try {
    for (const table of [tables].flat()) {
      let stream;
      await insist(async () => { [stream] = await client.createWriteStream({ parent: table, writeStream: { type: 'BUFFERED' } }); });
      // There is nothing to flush: that, too, is no denial.
      if (stream) await insist(() => client.flushRows({ writeStream: stream.name, offset: { value: 0 } }));
      await insist(() => appendNothing(client, `${table}/streams/_default`));
    }
  } finally {
    await client.close();
  }
}
