// The local BigQuery's behaviours (src/localbq/faults/behaviours.h), turned on and off by a test.
import { setTimeout as sleep } from 'node:timers/promises';

async function call(server, method, body) {
  const answer = await fetch(`${server.endpoint}/hakobu/v1/faults`, { method, headers: { 'Content-Type': 'application/json' },
    ...(body ? { body: JSON.stringify(body) } : {}) });
  const text = await answer.text();
  if (!answer.ok) throw new Error(text);
  return JSON.parse(text);
}

// Only `settings` ({ name: 'on' | 'always' | 'off' }) hold until the end of the test, which begins from none.
export async function behave(t, server, settings, more = {}) {
  t.after(() => call(server, 'DELETE'));
  await call(server, 'POST', { behaviours: 'off' });
  return call(server, 'POST', { behaviours: settings, ...more });
}
export const describe = (server) => call(server, 'GET');
export const change = (server, plan) => call(server, 'POST', plan);

// Asks until it is answered with something true; what lasts tenths of a second here may last minutes on the service.
export async function eventually(ask, timeoutMs = 30_000) {
  const deadline = Date.now() + timeoutMs;
  for (;;) {
    const answer = await ask();
    if (answer) return answer;
    if (Date.now() > deadline) throw new Error(`not within ${timeoutMs} ms`);
    await sleep(20);
  }
}
// The error that a promise ends with; undefined: none.
export const failure = (promise) => promise.then(() => undefined, (error) => error);
