// A local BigQuery that asks who is calling, and a small company of people and programs.
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { privateFolder, startBigquery } from './servers.mjs';
import { project } from './clients.mjs';

export const owner = `owner@${project}.iam.gserviceaccount.com`;
export const loader = `loader@${project}.iam.gserviceaccount.com`;
export const cloudPlatform = 'https://www.googleapis.com/auth/cloud-platform';
// Ana and Bob may run queries and read sessions, and nothing more: what they may read, datasets say.
export const company = {
  service_accounts: {
    [owner]: { tokens: ['owner-token'] },
    [loader]: { tokens: ['loader-token'], token_creators: ['user:ana@example.com'] },
  },
  users: {
    'ana@example.com': { tokens: ['ana-token'], refresh_tokens: ['ana-refresh'] },
    'bob@other.com': { tokens: ['bob-token'] },
  },
  groups: { 'analysts@example.com': ['user:ana@example.com'], 'everyone@example.com': ['group:analysts@example.com'] },
  projects: {
    [project]: {
      'roles/owner': [`serviceAccount:${owner}`],
      'roles/bigquery.user': [`serviceAccount:${loader}`],
      'roles/bigquery.jobUser': ['user:ana@example.com', 'user:bob@other.com'],
      'roles/bigquery.readSessionUser': ['user:ana@example.com', 'user:bob@other.com'],
    },
  },
  metadata: { account: loader, project },
};

// `server.keys`: the folder with a credential file for each, named by e-mail.
export async function startWithIdentities(t, identities = company, { args = [], ...options } = {}) {
  const folder = privateFolder('identities');
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const file = join(folder, 'identities.json');
  writeFileSync(file, JSON.stringify(identities, null, 2));
  const keys = join(folder, 'keys');
  const server = await startBigquery({ test: t, args: ['--auth', file, '--auth-keys', keys, ...args], ...options });
  return Object.assign(server, { keys, keyFile: (email) => join(keys, `${email}.json`) });
}

// A request without any client: { status, headers, body }.
export async function call(server, method, path, { token, body, form, headers = {} } = {}) {
  const response = await fetch(server.endpoint + path, {
    method,
    headers: { ...(token ? { authorization: `Bearer ${token}` } : {}), ...(body ? { 'content-type': 'application/json' } : {}), ...headers },
    body: form ? new URLSearchParams(form) : body && JSON.stringify(body),
  });
  const text = await response.text();
  let parsed = text;
  try { parsed = JSON.parse(text); } catch { /* plain text */ }
  return { status: response.status, headers: response.headers, body: parsed };
}
