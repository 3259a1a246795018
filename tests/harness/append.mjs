// AppendRows below the clients that retry by themselves: a connection, and rows encoded by hand.
import { writeClient } from './clients.mjs';

function varint(value) {
  const bytes = [];
  let rest = BigInt.asUintN(64, BigInt(value));
  do {
    bytes.push(Number(rest & 127n) | (rest > 127n ? 128 : 0));
    rest >>= 7n;
  } while (rest > 0n);
  return Buffer.from(bytes);
}
const text = (value) => { const bytes = Buffer.from(value); return Buffer.concat([varint(bytes.length), bytes]); };

const field = (name, number, type) => ({ name, number, type, label: 'LABEL_OPTIONAL' });
const descriptors = {
  rows: { name: 'root', field: [field('id', 1, 'TYPE_INT64')] },
  changes: { name: 'root', field: [field('id', 1, 'TYPE_INT64'), field('version', 2, 'TYPE_INT64'),
    field('_CHANGE_TYPE', 3, 'TYPE_STRING'), field('_CHANGE_SEQUENCE_NUMBER', 4, 'TYPE_STRING')] },
};
const request = (path, descriptor, serializedRows, offset) => ({
  writeStream: path,
  ...(offset === undefined ? {} : { offset: { value: offset } }),
  protoRows: { writerSchema: { protoDescriptor: descriptor }, rows: { serializedRows } },
});

// Of a table `id INT64`.
export const idRows = (path, ids, offset) =>
  request(path, descriptors.rows, ids.map((id) => Buffer.concat([Buffer.from([8]), varint(id)])), offset);
// Of a table `id INT64, version INT64` with id as its key: {id, version, type}; the version is the sequence number.
export const changes = (path, rows) => request(path, descriptors.changes, rows.map(({ id, version, type = 'UPSERT' }) =>
  Buffer.concat([Buffer.from([8]), varint(id), Buffer.from([16]), varint(version), Buffer.from([26]), text(type),
    Buffer.from([34]), text(version.toString(16))])));

// One connection. send() answers the request's response, and rejects when the connection ends before it.
export class Connection {
  #waiting = [];
  constructor(server) {
    this.client = writeClient(server);
    this.stream = this.client.appendRows();
    this.ended = new Promise((resolve) => {
      const end = (error) => {
        resolve(error);
        for (const { reject } of this.#waiting.splice(0)) reject(error ?? new Error('the connection has ended'));
      };
      this.stream.on('error', end);
      this.stream.on('end', () => end(undefined));
    });
    this.stream.on('data', (answer) => this.#waiting.shift()?.resolve(answer));
  }
  send(message) {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ resolve, reject });
      this.stream.write(message);
    });
  }
  close() {
    this.stream.end();
    return this.client.close();
  }
}
