// Google's own clients, pointed at the local BigQuery (or, with HAKOBU_TEST_PROJECT set, at the real one).
import { BigQuery } from '@google-cloud/bigquery';
import storage from '@google-cloud/bigquery-storage';
import { PassThroughClient } from 'google-auth-library';
import grpc from '@grpc/grpc-js';

export const project = process.env.HAKOBU_TEST_PROJECT ?? 'hakobu-test';

export function bigqueryClient(server, { projectId = project, token } = {}) {
  if (process.env.HAKOBU_TEST_PROJECT) return new BigQuery({ projectId });
  return new BigQuery({ projectId, apiEndpoint: server.endpoint, authClient: authClient(token) });
}

function authClient(token) {
  const client = new PassThroughClient();
  if (token) client.getRequestHeaders = async () => new Headers({ Authorization: `Bearer ${token}` });
  return client;
}

function grpcOptions(server, projectId) {
  if (process.env.HAKOBU_TEST_PROJECT) return { projectId };
  return { projectId, apiEndpoint: '127.0.0.1', port: server.grpcPort, sslCreds: grpc.credentials.createInsecure(),
    authClient: new PassThroughClient() };
}

// The high-level writer (JSONWriter, adapt …) and the generated clients below it.
export const { adapt, managedwriter } = storage;
export function writerClient(server, { projectId = project } = {}) {
  return new storage.managedwriter.WriterClient(grpcOptions(server, projectId));
}
export function writeClient(server, { projectId = project } = {}) {
  return new storage.v1.BigQueryWriteClient(grpcOptions(server, projectId));
}
export function readClient(server, { projectId = project } = {}) {
  return new storage.v1.BigQueryReadClient(grpcOptions(server, projectId));
}
