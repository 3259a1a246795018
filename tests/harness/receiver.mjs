// Somebody who is told: an HTTP server that keeps what it is sent, and answers as a test wants.
import { createHmac } from 'node:crypto';
import { createServer } from 'node:http';

// `answer(request, response)`: null for 200. `closed`: whether the port is let go for now.
export async function startReceiver({ port = 0, test } = {}) {
  const received = [];
  let answer = null;
  const open = (at) => new Promise((resolve, reject) => {
    const server = createServer((request, response) => {
      let body = '';
      request.setEncoding('utf8');
      request.on('data', (data) => (body += data));
      request.on('end', () => {
        const seen = { path: request.url, method: request.method, headers: request.headers, body };
        received.push(seen);
        if (answer) answer(seen, response);
        else response.writeHead(200).end('ok');
      });
    });
    server.once('error', reject);
    server.listen(at, '127.0.0.1', () => resolve(server));
  });
  let server = await open(port);
  const place = server.address().port;
  const close = () => new Promise((resolve) => { server.closeAllConnections(); server.close(resolve); });
  const receiver = {
    port: place,
    url: `http://127.0.0.1:${place}`,
    received,
    // Of a path, as JSON, with what was sent twice under one id counted once.
    messages: (path) => {
      const all = received.filter((seen) => seen.path.startsWith(path) && seen.accepted !== false).map((seen) => ({ ...JSON.parse(seen.body), seen }));
      return all.filter((message, i) => message.id === undefined || all.findIndex((other) => other.id === message.id) === i);
    },
    answerWith: (how) => { answer = how; },
    refuse: close,
    listenAgain: async () => { server = await open(place); },
  };
  test?.after(close);
  return receiver;
}

// As a receiver proves who sent it.
export function signatureOf(secret, seen) {
  return `v1=${createHmac('sha256', secret).update(`${seen.headers['hakobu-timestamp']}.${seen.body}`).digest('hex')}`;
}
