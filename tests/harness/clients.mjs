// Google's own clients, pointed at the local BigQuery (or, with HAKOBU_TEST_PROJECT set, at the real one).
import { readFileSync } from 'node:fs';
import { BigQuery } from '@google-cloud/bigquery';
import storage from '@google-cloud/bigquery-storage';
import { Gaxios } from 'gaxios';
import { JWT, PassThroughClient } from 'google-auth-library';
import grpc from '@grpc/grpc-js';

export const project = process.env.HAKOBU_TEST_PROJECT ?? 'hakobu-test';

export function bigqueryClient(server, { projectId = project, token } = {}) {
  if (process.env.HAKOBU_TEST_PROJECT) return asksAgain(new BigQuery({ projectId }));
  return asksAgain(new BigQuery({ projectId, apiEndpoint: server.endpoint, authClient: authClient(token) }));
}

// tables.get may not find a table for a moment after DDL, which Google's client takes for an answer.
export const isHidden = (status, text) => status === 404 && /Table \S+ was not found in location/.test(text);
const hiddenForMs = 15_000;
function asksAgain(client) {
  const request = client.request.bind(client);
  client.request = (options, callback) => {
    const deadline = Date.now() + hiddenForMs;
    const isGet = (options.method ?? 'GET') === 'GET' && /\/tables\/[^/]+$/.test(options.uri);
    const ask = () => request(options, (error, ...rest) => {
      if (isGet && error && isHidden(error.code, error.message) && Date.now() < deadline) return void setTimeout(ask, 50);
      return callback(error, ...rest);
    });
    return ask();
  };
  const query = client.query.bind(client);
  client.query = async (...given) => {
    const deadline = Date.now() + hiddenForMs;
    for (;;) {
      try {
        return await query(...given);
      } catch (error) {
        if (!isTooMany(error.message) || Date.now() > deadline) throw error;
        await new Promise((resolve) => { setTimeout(resolve, 100); });
      }
    }
  };
  return client;
}
// One table takes so many statements and patches at once, and then one after the other.
const isTooMany = (text) => /exceeded quota for table update operations|too many table update operations/.test(text);
// fetch for whoever reads and alters tables without a client.
export async function fetchSeen(url, options) {
  const deadline = Date.now() + hiddenForMs;
  for (;;) {
    const answer = await fetch(url, options);
    const text = answer.ok ? '' : await answer.clone().text();
    if ((!isHidden(answer.status, text) && !isTooMany(text)) || Date.now() > deadline) return answer;
    await new Promise((resolve) => { setTimeout(resolve, 50); });
  }
}

// Google's own client with a key file. The library knows one token endpoint only, so what it sends there is
// sent to the server instead.
export function keyFileClient(server, keyFile, { projectId = project } = {}) {
  const transporter = new Gaxios();
  transporter.interceptors.request.add({ resolved: async (request) => {
    const url = new URL(request.url);
    if (url.hostname === 'oauth2.googleapis.com') request.url = new URL(server.endpoint + url.pathname);
    return request;
  } });
  const authClient = new JWT({ scopes: ['https://www.googleapis.com/auth/bigquery'], transporter });
  authClient.fromJSON(JSON.parse(readFileSync(keyFile, 'utf8')));
  return new BigQuery({ projectId, apiEndpoint: server.endpoint, authClient });
}

function authClient(token) {
  const client = new PassThroughClient();
  if (token) client.getRequestHeaders = async () => new Headers({ Authorization: `Bearer ${token}` });
  return client;
}

// The gRPC clients send a token over TLS only, so in plain text it is put into each call.
function grpcOptions(server, projectId, token) {
  if (process.env.HAKOBU_TEST_PROJECT) return { projectId };
  const options = { projectId, apiEndpoint: '127.0.0.1', port: server.grpcPort,
    sslCreds: grpc.credentials.createInsecure(), authClient: new PassThroughClient() };
  if (token) {
    options['grpc.callInvocationTransformer'] = (call) => {
      call.metadata.set('authorization', `Bearer ${token}`);
      return call;
    };
  }
  return options;
}

// The high-level writer (JSONWriter, adapt …) and the generated clients below it.
export const { adapt, managedwriter } = storage;
export function writerClient(server, { projectId = project, token } = {}) {
  return new storage.managedwriter.WriterClient(grpcOptions(server, projectId, token));
}
export function writeClient(server, { projectId = project, token } = {}) {
  return new storage.v1.BigQueryWriteClient(grpcOptions(server, projectId, token));
}
export function readClient(server, { projectId = project, token } = {}) {
  return new storage.v1.BigQueryReadClient(grpcOptions(server, projectId, token));
}
