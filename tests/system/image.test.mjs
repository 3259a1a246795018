// The image that scripts/oci-layout lays out: every name in it is the digest of what it names, the same system gives the same
// image, and it says of itself what packaging/Containerfile says.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, readdirSync, rmSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { privateFolder, root } from '../harness/servers.mjs';

const sha256 = (bytes) => `sha256:${createHash('sha256').update(bytes).digest('hex')}`;

function makeSystem(folder, order) {
  mkdirSync(join(folder, 'usr/bin'), { recursive: true });
  mkdirSync(join(folder, 'var/lib/hakobu'), { recursive: true });
  for (const name of order) writeFileSync(join(folder, 'usr/bin', name), `#!/bin/sh\necho ${name}\n`, { mode: 0o755 });
  symlinkSync('hakobu', join(folder, 'usr/bin/運ぶ'));
}

test('an OCI layout is what its digests say, and the same each time', (t) => {
  const folder = privateFolder('image');
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const layOut = (name, order) => {
    const system = join(folder, `${name}-system`);
    makeSystem(system, order);
    utimesSync(join(system, 'usr/bin/hakobu'), order.length, order.length);
    const out = join(folder, name);
    execFileSync('node', [join(root, 'scripts/oci-layout.mjs'), system, out, '1.2.3']);
    return out;
  };
  const out = layOut('one', ['hakobu', 'sh']);
  const blob = (descriptor) => {
    const bytes = readFileSync(join(out, 'blobs', descriptor.digest.replace(':', '/')));
    assert.equal(sha256(bytes), descriptor.digest);
    assert.equal(bytes.length, descriptor.size);
    return bytes;
  };
  assert.deepEqual(JSON.parse(readFileSync(join(out, 'oci-layout'), 'utf8')), { imageLayoutVersion: '1.0.0' });
  const index = JSON.parse(readFileSync(join(out, 'index.json'), 'utf8'));
  const manifest = JSON.parse(blob(index.manifests[0]));
  assert.equal(index.manifests[0].annotations['org.opencontainers.image.ref.name'], '1.2.3');
  const image = JSON.parse(blob(manifest.config));
  const layer = gunzipSync(blob(manifest.layers[0]));
  assert.deepEqual(image.rootfs.diff_ids, [sha256(layer)]);
  assert.equal(readdirSync(join(out, 'blobs/sha256')).length, 3);
  const listed = execFileSync('tar', ['-tf', '-'], { input: layer, encoding: 'utf8', env: { ...process.env, LC_ALL: 'C.UTF-8' } }).trim().split('\n');
  for (const name of ['./usr/bin/hakobu', './var/lib/hakobu/']) assert.ok(listed.includes(name), listed.join());
  assert.equal(readFileSync(join(layOut('two', ['sh', 'hakobu']), 'index.json'), 'utf8'), readFileSync(join(out, 'index.json'), 'utf8'));

  const said = Object.fromEntries([...readFileSync(join(root, 'packaging/Containerfile'), 'utf8').matchAll(/^([A-Z]+) (.*)$/gm)].map(([, word, value]) => [word, value]));
  assert.equal(image.config.User, said.USER);
  assert.equal(image.config.WorkingDir, said.WORKDIR);
  assert.deepEqual(image.config.Entrypoint, JSON.parse(said.ENTRYPOINT));
  assert.deepEqual(image.config.Cmd, JSON.parse(said.CMD));
  assert.deepEqual(Object.keys(image.config.Volumes), JSON.parse(said.VOLUME));
  assert.equal(image.config.StopSignal, said.STOPSIGNAL);
});
