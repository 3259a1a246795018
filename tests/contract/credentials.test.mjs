// How tokens are asked for, judged by others: Node's crypto verifies RS256, npm's aws4 signs again, and the token
// endpoints are servers of this test.
import assert from 'node:assert/strict';
import { createVerify, generateKeyPairSync } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { test } from 'node:test';
import aws4 from 'aws4';
import { privateFolder, root, run } from '../harness/servers.mjs';

const probe = process.env.HAKOBU_TOKEN_PROBE ?? join(root, 'build/debug/tests/contract/token_probe');
const scopes = ['https://www.googleapis.com/auth/bigquery', 'https://www.googleapis.com/auth/cloud-platform'];
const folder = privateFolder('credentials');
const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
const pem = privateKey.export({ type: 'pkcs8', format: 'pem' });
const audience = '//iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/pool/providers/aws';

// A server whose routes are { 'METHOD /path': (request) => answer }; every request is kept in `seen`.
async function serve(test, routes) {
  const seen = [];
  const server = createServer((incoming, outgoing) => {
    let body = '';
    incoming.on('data', (data) => (body += data));
    incoming.on('end', () => {
      const url = new URL(incoming.url, 'http://x');
      const request = { method: incoming.method, url: incoming.url, path: url.pathname, query: url.searchParams,
        headers: incoming.headers, body, form: new URLSearchParams(body) };
      seen.push(request);
      const route = routes[`${incoming.method} ${url.pathname}`];
      const answer = route ? route(request) : { status: 404, body: 'no such route' };
      outgoing.writeHead(answer.status ?? 200, { 'content-type': 'application/json', ...answer.headers });
      outgoing.end(typeof answer.body === 'string' ? answer.body : JSON.stringify(answer.body ?? answer));
    });
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  test.after(() => server.close());
  return { seen, port: server.address().port, url: `http://127.0.0.1:${server.address().port}` };
}

let files = 0;
function file(content) {
  const path = join(folder, `credentials-${files++}.json`);
  writeFileSync(path, typeof content === 'string' ? content : JSON.stringify(content));
  return path;
}

// Only what a test sets: neither this machine's credentials nor its AWS role may leak in.
async function token(args, env = {}) {
  const clean = Object.fromEntries(Object.keys(process.env)
    .filter((name) => /^(AWS|GOOGLE|GCE|CLOUDSDK)_/.test(name)).map((name) => [name, '']));
  const result = await run(args, { command: probe, env: { ...clean, HOME: folder, ...env }, timeoutMs: 60000 });
  assert.doesNotMatch(result.stderr, /PRIVATE KEY|the-secret/);
  return { ...result, ...(result.code === 0 ? JSON.parse(result.stdout) : {}) };
}

const serviceAccount = (endpoint, extra = {}) => ({ type: 'service_account', project_id: 'p',
  private_key_id: 'key-1', private_key: pem, client_email: 'loader@p.iam.gserviceaccount.com',
  token_uri: `${endpoint}/token`, ...extra });
const ok = (value, seconds = 3600) => () => ({ body: { access_token: value, expires_in: seconds, token_type: 'Bearer' } });

test('service account: a JWT that Node verifies', async (t) => {
  const google = await serve(t, { 'POST /token': ok('token-sa') });
  const result = await token(['--file', file(serviceAccount(google.url)), '--times', '3']);
  assert.equal(result.token, 'token-sa', result.stderr);
  assert.equal(result.describe, 'service account loader@p.iam.gserviceaccount.com');
  assert.equal(google.seen.length, 1, 'the token is kept');
  const { form } = google.seen[0];
  assert.equal(form.get('grant_type'), 'urn:ietf:params:oauth:grant-type:jwt-bearer');
  const [header, claims, signature] = form.get('assertion').split('.');
  assert.ok(createVerify('RSA-SHA256').update(`${header}.${claims}`).verify(publicKey, signature, 'base64url'));
  assert.deepEqual(JSON.parse(Buffer.from(header, 'base64url')), { alg: 'RS256', typ: 'JWT', kid: 'key-1' });
  const parsed = JSON.parse(Buffer.from(claims, 'base64url'));
  assert.equal(parsed.iss, 'loader@p.iam.gserviceaccount.com');
  assert.equal(parsed.aud, `${google.url}/token`);
  assert.equal(parsed.scope, scopes.join(' '));
  assert.ok(Math.abs(parsed.iat - Date.now() / 1000) < 30);
  assert.equal(parsed.exp - parsed.iat, 3600);
});

test('a 503 of the token endpoint is tried again', async (t) => {
  let calls = 0;
  const google = await serve(t, { 'POST /token': () => (calls++ === 0
    ? { status: 503, body: 'busy' } : { body: { access_token: `t${calls}`, expires_in: 3600 } }) });
  const result = await token(['--file', file(serviceAccount(google.url))]);
  assert.equal(result.token, 't2', result.stderr);
});

test('refusals say what to do, and hold no secret', async (t) => {
  const google = await serve(t, { 'POST /token': () => ({ status: 400,
    body: { error: 'invalid_grant', error_description: 'Invalid JWT Signature.' } }) });
  const gone = await token(['--file', file(serviceAccount(google.url))]);
  assert.equal(gone.code, 1);
  assert.match(gone.stderr, /service account loader@p/);
  assert.match(gone.stderr, /HTTP 400 \(invalid_grant\): Invalid JWT Signature\..*hint: the key may be deleted/);
  assert.equal(google.seen.length, 1, 'not tried again');

  const skewed = await serve(t, { 'POST /token': () => ({ status: 400,
    headers: { date: new Date(Date.now() - 7200e3).toUTCString() },
    body: { error: 'invalid_grant', error_description: 'Token must be a short-lived token' } }) });
  const late = await token(['--file', file(serviceAccount(skewed.url))]);
  assert.match(late.stderr, /clock is 7\d\d\d s ahead of the server's/);
});

test('authorized user, with its quota project', async (t) => {
  const google = await serve(t, { 'POST /token': ok('token-user') });
  const user = { type: 'authorized_user', client_id: 'id', client_secret: 'the-secret', refresh_token: 'refresh',
    quota_project_id: 'payer', token_uri: `${google.url}/token` };
  // As Application Default Credentials, by both ways.
  for (const env of [{ GOOGLE_APPLICATION_CREDENTIALS: file(user) }, { CLOUDSDK_CONFIG: folder }]) {
    writeFileSync(join(folder, 'application_default_credentials.json'), JSON.stringify(user));
    const result = await token([], env);
    assert.equal(result.token, 'token-user', result.stderr);
    assert.equal(result.quotaProject, 'payer');
  }
  assert.deepEqual(Object.fromEntries(google.seen[0].form), { grant_type: 'refresh_token', client_id: 'id',
    client_secret: 'the-secret', refresh_token: 'refresh' });
});

test('metadata server', async (t) => {
  const path = '/computeMetadata/v1/instance/service-accounts/default/token';
  const metadata = await serve(t, { [`GET ${path}`]: () => ({ headers: { 'metadata-flavor': 'Google' },
    body: { access_token: 'token-vm', expires_in: 3000 } }) });
  const env = { GCE_METADATA_HOST: `127.0.0.1:${metadata.port}`, CLOUDSDK_CONFIG: '/nonexistent' };
  const result = await token([], env);
  assert.equal(result.token, 'token-vm', result.stderr);
  assert.equal(metadata.seen[0].headers['metadata-flavor'], 'Google');
  assert.equal(metadata.seen[0].query.get('scopes'), scopes.join(','));
  const nothing = await token([], { GCE_METADATA_HOST: '127.0.0.1:1', CLOUDSDK_CONFIG: '/nonexistent' });
  assert.match(nothing.stderr, /hint: no credentials file was found/);
});

const generate = (value) => () => ({ body: { accessToken: value,
  expireTime: new Date(Date.now() + 3600e3).toISOString().replace(/\.\d+Z/, 'Z') } });
const impersonationPath = '/v1/projects/-/serviceAccounts/target@p.iam.gserviceaccount.com:generateAccessToken';

test('impersonated service account', async (t) => {
  const google = await serve(t, { 'POST /token': ok('token-base'), [`POST ${impersonationPath}`]: generate('token-target') });
  const result = await token(['--file', file({ type: 'impersonated_service_account', delegates: ['d1'],
    service_account_impersonation_url: google.url + impersonationPath,
    source_credentials: serviceAccount(google.url) })]);
  assert.equal(result.token, 'token-target', result.stderr);
  const [base, target] = google.seen;
  const claims = JSON.parse(Buffer.from(base.form.get('assertion').split('.')[1], 'base64url'));
  assert.equal(claims.scope, 'https://www.googleapis.com/auth/cloud-platform');
  assert.equal(target.headers.authorization, 'Bearer token-base');
  assert.deepEqual(JSON.parse(target.body), { scope: scopes, lifetime: '3600s', delegates: ['d1'] });
});

test('a service account that the configuration says to act as', async (t) => {
  const google = await serve(t, { 'POST /token': ok('token-base'), [`POST ${impersonationPath}`]: generate('token-target') });
  const result = await token(['--file', file(serviceAccount(google.url)),
    '--impersonate', 'target@p.iam.gserviceaccount.com', '--iam-endpoint', google.url]);
  assert.equal(result.token, 'token-target', result.stderr);
  const [base, target] = google.seen;
  const claims = JSON.parse(Buffer.from(base.form.get('assertion').split('.')[1], 'base64url'));
  assert.equal(claims.scope, 'https://www.googleapis.com/auth/cloud-platform');
  assert.equal(target.headers.authorization, 'Bearer token-base');
  assert.deepEqual(JSON.parse(target.body), { scope: scopes, lifetime: '3600s' });
  assert.match(result.describe, /^service account target@.*, impersonated by service account loader@/);
});

const external = (endpoint, source, extra = {}) => ({ type: 'external_account', audience,
  subject_token_type: 'urn:ietf:params:oauth:token-type:jwt', token_url: `${endpoint}/v1/token`,
  credential_source: source, ...extra });

test('external account: tokens from files and addresses', async (t) => {
  const google = await serve(t, { 'POST /v1/token': ok('token-sts'),
    'GET /subject': ({ headers }) => ({ body: { value: `from-url-${headers['x-own']}` } }) });
  const plain = file('subject-text\n');
  const json = file({ token: 'subject-json' });
  const cases = [
    [{ file: plain }, 'subject-text'],
    [{ file: json, format: { type: 'json', subject_token_field_name: 'token' } }, 'subject-json'],
    [{ url: `${google.url}/subject`, headers: { 'X-Own': '1' },
      format: { type: 'json', subject_token_field_name: 'value' } }, 'from-url-1'],
  ];
  for (const [source, subject] of cases) {
    const result = await token(['--file', file(external(google.url, source))]);
    assert.equal(result.token, 'token-sts', result.stderr);
    assert.deepEqual(Object.fromEntries(google.seen.at(-1).form), {
      grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange', audience, scope: scopes.join(' '),
      requested_token_type: 'urn:ietf:params:oauth:token-type:access_token', subject_token: subject,
      subject_token_type: 'urn:ietf:params:oauth:token-type:jwt' });
  }
});

// Signs what the subject token says again, with aws4, and compares.
function checkAwsSubject(form, keys, region) {
  const subject = JSON.parse(decodeURIComponent(form.get('subject_token')));
  const headers = Object.fromEntries(subject.headers.map(({ key, value }) => [key.toLowerCase(), value]));
  const url = new URL(subject.url);
  assert.equal(subject.method, 'POST');
  assert.equal(url.host, `sts.${region}.amazonaws.com`);
  assert.equal(headers.host, url.host);
  assert.equal(headers['x-goog-cloud-target-resource'], audience);
  assert.equal(headers['x-amz-security-token'], keys.sessionToken);
  const signed = aws4.sign({ method: 'POST', host: url.host, path: url.pathname + url.search, service: 'sts', region,
    headers: { 'x-amz-date': headers['x-amz-date'], 'x-goog-cloud-target-resource': audience } },
  { ...keys });
  assert.equal(headers.authorization, signed.headers.Authorization);
  assert.equal(form.get('scope'), 'https://www.googleapis.com/auth/cloud-platform');
  assert.equal(form.get('subject_token_type'), 'urn:ietf:params:aws:token-type:aws4_request');
}

const awsSource = (imds) => ({ environment_id: 'aws1',
  region_url: `${imds}/latest/meta-data/placement/availability-zone`,
  url: `${imds}/latest/meta-data/iam/security-credentials`,
  imdsv2_session_token_url: `${imds}/latest/api/token`,
  regional_cred_verification_url: 'https://sts.{region}.amazonaws.com?Action=GetCallerIdentity&Version=2011-06-15' });
const keys = { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'the-secret/with+odd=characters', sessionToken: 'sess/ion+token==' };
const keysAnswer = { AccessKeyId: keys.accessKeyId, SecretAccessKey: keys.secretAccessKey, Token: keys.sessionToken,
  Expiration: '2099-01-01T00:00:00Z' };

test('AWS: keys from the environment, ECS and Fargate, EKS pods, and EC2', async (t) => {
  const server = await serve(t, {
    'POST /v1/token': ok('token-sts'), [`POST ${impersonationPath}`]: generate('token-target'),
    'GET /v2/credentials/task-1': ({ headers }) => (headers.authorization === undefined
      ? { body: keysAnswer } : { status: 400, body: 'no token expected' }),
    'GET /full': ({ headers }) => (headers.authorization === 'pod-token'
      ? { body: keysAnswer } : { status: 401, body: 'who are you' }),
    'PUT /latest/api/token': ({ headers }) => (headers['x-aws-ec2-metadata-token-ttl-seconds'] === '300'
      ? { body: 'imds-session' } : { status: 400, body: 'no ttl' }),
    'GET /latest/meta-data/placement/availability-zone': () => ({ body: 'ap-northeast-1c' }),
    'GET /latest/meta-data/iam/security-credentials': ({ headers }) => (
      headers['x-aws-ec2-metadata-token'] === 'imds-session' ? { body: 'the-role' } : { status: 401, body: '' }),
    'GET /latest/meta-data/iam/security-credentials/the-role': ({ headers }) => (
      headers['x-aws-ec2-metadata-token'] === 'imds-session' ? { body: keysAnswer } : { status: 401, body: '' }),
  });
  const credentials = file(external(server.url, awsSource(server.url), {
    subject_token_type: 'urn:ietf:params:aws:token-type:aws4_request',
    service_account_impersonation_url: server.url + impersonationPath,
    service_account_impersonation: { token_lifetime_seconds: 1800 } }));
  const tokenFile = file('pod-token\n');
  const longLived = { accessKeyId: keys.accessKeyId, secretAccessKey: keys.secretAccessKey };
  const cases = {
    environment: [{ AWS_ACCESS_KEY_ID: keys.accessKeyId, AWS_SECRET_ACCESS_KEY: keys.secretAccessKey,
      AWS_SESSION_TOKEN: keys.sessionToken, AWS_REGION: 'us-east-2' }, keys, 'us-east-2'],
    'environment without a session': [{ AWS_ACCESS_KEY_ID: keys.accessKeyId,
      AWS_SECRET_ACCESS_KEY: keys.secretAccessKey, AWS_DEFAULT_REGION: 'eu-west-1' }, longLived, 'eu-west-1'],
    'ECS and Fargate': [{ AWS_CONTAINER_CREDENTIALS_RELATIVE_URI: '/v2/credentials/task-1',
      AWS_REGION: 'ap-northeast-1' }, keys, 'ap-northeast-1'],
    'EKS pod identity': [{ AWS_CONTAINER_CREDENTIALS_FULL_URI: `${server.url}/full`,
      AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE: tokenFile, AWS_REGION: 'us-west-2' }, keys, 'us-west-2'],
    'full URI with a token': [{ AWS_CONTAINER_CREDENTIALS_FULL_URI: `${server.url}/full`,
      AWS_CONTAINER_AUTHORIZATION_TOKEN: 'pod-token', AWS_REGION: 'us-west-2' }, keys, 'us-west-2'],
    EC2: [{}, keys, 'ap-northeast-1'],
  };
  for (const [name, [env, expectedKeys, region]] of Object.entries(cases)) {
    const result = await token(['--file', credentials, '--container-endpoint', server.url], env);
    assert.equal(result.token, 'token-target', `${name}: ${result.stderr}`);
    assert.match(result.describe, /target@p.*impersonated by workload identity: an AWS role/);
    const exchange = server.seen.findLast(({ path }) => path === '/v1/token');
    checkAwsSubject(exchange.form, expectedKeys, region);
    const impersonation = server.seen.at(-1);
    assert.equal(impersonation.headers.authorization, 'Bearer token-sts');
    assert.equal(JSON.parse(impersonation.body).lifetime, '1800s');
  }
  const abroad = await token(['--file', credentials],
    { AWS_CONTAINER_CREDENTIALS_FULL_URI: 'http://example.com/keys', AWS_REGION: 'us-west-2' });
  assert.match(abroad.stderr, /AWS_CONTAINER_CREDENTIALS_FULL_URI: expected an https address/);
});

test('bad files are refused with what was expected', async () => {
  const cases = [
    ['{"type":"service_account","private_key":"-----BEGIN PRIVATE KEY', /expected a JSON object.*hint:/],
    [{ type: 'gdch_service_account' }, /unknown type 'gdch_service_account'; hint: expected service_account/],
    [{ type: 'service_account', client_email: 'a@b' }, /expected a text 'private_key', found none/],
    [{ type: 'service_account', client_email: 'a@b', private_key: 'the-secret' }, /expected an RSA key in PEM form/],
    [serviceAccount('http://example.com'), /expected an https address, found http:\/\/example.com;/],
    [external('https://sts.googleapis.com', {}), /credential_source: expected file, url or environment_id/],
    [external('https://sts.googleapis.com', { environment_id: 'aws2' }), /environment_id: expected aws1, found 'aws2'/],
    [external('https://sts.googleapis.com', { file: 'f', format: { type: 'json' } }), /expected a text 'subject_token_field_name'/],
    [{ type: 'impersonated_service_account' }, /expected a text 'service_account_impersonation_url'/],
  ];
  for (const [content, expected] of cases) {
    const result = await token(['--file', file(content)]);
    assert.equal(result.code, 1);
    assert.match(result.stderr, expected);
  }
  const missing = await token(['--file', '/nonexistent/key.json']);
  assert.match(missing.stderr, /read credentials \/nonexistent\/key.json: No such file/);
});
