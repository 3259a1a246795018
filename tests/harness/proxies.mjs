// What goes wrong between hakobu and its two sides: a TCP proxy that cuts, stalls and throttles, and a BigQuery in front of the local
// one that answers some calls with the errors the real one is known for.
import { createServer as createHttpServer, request as httpRequest } from 'node:http';
import { connect, createServer } from 'node:net';
import grpc from '@grpc/grpc-js';
import storage from '@google-cloud/bigquery-storage';

// fault(connectionNumber) -> { afterBytes, action: 'cut' | 'stall' | 'throttle', bytesPerSecond } or undefined: what happens to
// the bytes from `port`. pointTo(port) sends new connections elsewhere and cuts the present ones.
export function startTcpProxy({ port, fault = () => undefined, test }) {
  const sockets = new Set();
  let connections = 0;
  let target = port;
  const server = createServer((client) => {
    const plan = fault(++connections);
    const upstream = connect(target, '127.0.0.1');
    let seen = 0;
    for (const socket of [client, upstream]) {
      sockets.add(socket);
      socket.on('error', () => {});
      socket.on('close', () => { sockets.delete(socket); client.destroy(); upstream.destroy(); });
    }
    client.on('data', (data) => upstream.write(data));
    upstream.on('data', (data) => {
      seen += data.length;
      if (plan && seen > plan.afterBytes) {
        if (plan.action === 'cut') { client.destroy(); return; }
        upstream.pause();
        if (plan.action === 'stall') return;
        client.write(data);
        setTimeout(() => upstream.resume(), data.length * 1000 / plan.bytesPerSecond);
        return;
      }
      if (!client.write(data)) { upstream.pause(); client.once('drain', () => upstream.resume()); }
    });
  });
  test?.after(() => { server.close(); sockets.forEach((socket) => socket.destroy()); });
  return new Promise((resolve) => server.listen(0, '127.0.0.1', () =>
    resolve({ port: server.address().port, connections: () => connections,
      pointTo: (other) => { target = other; sockets.forEach((socket) => socket.destroy()); } })));
}

// rest(method, url, n) -> undefined, or { status, reason, message, after } to answer with an error body (after: the real
// server has done the work, only its answer is lost). n counts the calls with this method and path.
// { change: (resource) => resource } lets the real server answer and changes the JSON it answers with.
// grpcFault(method, n) -> undefined, or { code, message } to end the call, or { inBand: AppendRowsResponse } to answer.
export async function startFaultyBigquery({ bigquery, rest = () => undefined, grpcFault = () => undefined, test }) {
  const http = createHttpServer((incoming, outgoing) => forward(bigquery.restPort, rest, incoming, outgoing));
  await new Promise((resolve) => http.listen(0, '127.0.0.1', resolve));
  const proxy = new grpc.Server({ 'grpc.max_receive_message_length': -1, 'grpc.max_send_message_length': -1 });
  const upstream = new grpc.Client(`127.0.0.1:${bigquery.grpcPort}`, grpc.credentials.createInsecure(),
    { 'grpc.max_receive_message_length': -1, 'grpc.max_send_message_length': -1 });
  proxy.addService(serviceDefinition(), implementation(upstream, grpcFault));
  const grpcPort = await new Promise((resolve, reject) =>
    proxy.bindAsync('127.0.0.1:0', grpc.ServerCredentials.createInsecure(), (error, port) => (error ? reject(error) : resolve(port))));
  test?.after(() => { http.closeAllConnections(); http.close(); proxy.forceShutdown(); upstream.close(); });
  return { endpoint: `http://127.0.0.1:${http.address().port}`, restPort: http.address().port, grpcPort };
}

const counts = new WeakMap();
function count(key, name) {
  const seen = counts.get(key) ?? new Map();
  counts.set(key, seen);
  seen.set(name, (seen.get(name) ?? 0) + 1);
  return seen.get(name);
}

function answerChanged(answer, change, outgoing) {
  let text = '';
  answer.setEncoding('utf8');
  answer.on('data', (part) => (text += part));
  answer.on('end', () => {
    const body = Buffer.from(answer.statusCode === 200 ? JSON.stringify(change(JSON.parse(text))) : text);
    outgoing.writeHead(answer.statusCode, { 'Content-Type': 'application/json; charset=UTF-8', 'Content-Length': body.length });
    outgoing.end(body);
  });
}

function forward(port, rest, incoming, outgoing) {
  const chunks = [];
  incoming.on('data', (chunk) => chunks.push(chunk));
  incoming.on('end', () => {
    const path = incoming.url.split('?')[0];
    const fault = rest(incoming.method, incoming.url, count(rest, `${incoming.method} ${path}`));
    const answerFault = () => {
      const body = JSON.stringify({ error: { code: fault.status, message: fault.message ?? fault.reason, status: 'X',
        errors: [{ domain: 'global', reason: fault.reason, message: fault.message ?? fault.reason }] } });
      outgoing.writeHead(fault.status, { 'Content-Type': 'application/json; charset=UTF-8' });
      outgoing.end(body);
    };
    if (fault && !fault.after && !fault.change) return answerFault();
    const request = httpRequest({ port, host: '127.0.0.1', method: incoming.method, path: incoming.url,
      headers: { ...incoming.headers } }, (answer) => {
      if (fault?.change) return answerChanged(answer, fault.change, outgoing);
      if (fault) { answer.resume(); answer.on('end', answerFault); return; }
      outgoing.writeHead(answer.statusCode, answer.headers);
      answer.pipe(outgoing);
    });
    request.on('error', () => outgoing.destroy());
    request.end(Buffer.concat(chunks));
  });
}

const prefix = '/google.cloud.bigquery.storage.v1.BigQueryWrite/';
const unary = ['CreateWriteStream', 'GetWriteStream', 'FinalizeWriteStream', 'BatchCommitWriteStreams', 'FlushRows'];
const same = (bytes) => bytes;

function serviceDefinition() {
  const method = (name, stream) => ({ path: prefix + name, requestStream: stream, responseStream: stream,
    requestSerialize: same, requestDeserialize: same, responseSerialize: same, responseDeserialize: same });
  return Object.fromEntries([...unary.map((name) => [name, method(name, false)]), ['AppendRows', method('AppendRows', true)]]);
}

function implementation(upstream, grpcFault) {
  const calls = Object.fromEntries(unary.map((name) => [name, (call, answer) => {
    const fault = grpcFault(name, count(grpcFault, name));
    if (fault && !fault.after) return answer(fault);
    upstream.makeUnaryRequest(prefix + name, same, same, call.request, call.metadata, (error, response) =>
      answer(fault ?? error, response));
  }]));
  calls.AppendRows = (call) => {
    const real = upstream.makeBidiStreamRequest(prefix + 'AppendRows', same, same, call.metadata);
    let ended = false;
    const end = (status) => { if (!ended) { ended = true; call.emit('error', status); real.cancel(); } };
    call.on('data', (request) => {
      if (ended) return;
      const fault = grpcFault('AppendRows', count(grpcFault, 'AppendRows'));
      if (fault?.inBand) {
        const { AppendRowsResponse } = storage.protos.google.cloud.bigquery.storage.v1;
        call.write(Buffer.from(AppendRowsResponse.encode(AppendRowsResponse.fromObject(fault.inBand)).finish()));
      } else if (fault?.after) {
        real.write(request);   // written, but its answer is lost
        real.once('data', () => end(fault));
      } else if (fault) {
        end(fault);
      } else {
        real.write(request);
      }
    });
    call.on('end', () => real.end());
    call.on('cancelled', () => real.cancel());
    real.on('data', (response) => { if (!ended) call.write(response); });
    real.on('error', (error) => { if (!ended) { ended = true; call.emit('error', error); } });
    real.on('end', () => { if (!ended) { ended = true; call.end(); } });
  };
  return calls;
}
