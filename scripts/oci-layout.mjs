#!/usr/bin/env node
// A folder with a system in it to an OCI image layout of one layer [opencontainers/image-spec, image-layout.md]:
// scripts/oci-layout.mjs ROOT OUT VERSION. The same system gives the same bytes: names are sorted, times are the epoch's.
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';

const [root, out, version] = process.argv.slice(2);
if (!version) {
  console.error('scripts/oci-layout.mjs ROOT OUT VERSION');
  process.exit(2);
}
const blobs = join(out, 'blobs/sha256');
mkdirSync(blobs, { recursive: true });
const sha256 = (bytes) => createHash('sha256').update(bytes).digest('hex');

function putBlob(bytes, mediaType) {
  const digest = sha256(bytes);
  writeFileSync(join(blobs, digest), bytes);
  return { mediaType, digest: `sha256:${digest}`, size: bytes.length };
}
const putJson = (value, mediaType) => putBlob(Buffer.from(JSON.stringify(value)), mediaType);

const work = mkdtempSync(join(resolve(dirname(out)), '.oci-'));
try {
  const tar = join(work, 'layer.tar');
  execFileSync('tar', ['-C', root, '--sort=name', '--mtime=@0', '--numeric-owner', '--format=posix',
    '--pax-option=exthdr.name=%d/PaxHeaders/%f,delete=atime,delete=ctime', '-cf', tar, '.'], { stdio: 'inherit' });
  const [diffId] = execFileSync('sha256sum', [tar], { encoding: 'utf8' }).split(' ');
  execFileSync('gzip', ['-n', '-6', tar]);
  const layerFile = `${tar}.gz`;
  const [layerDigest] = execFileSync('sha256sum', [layerFile], { encoding: 'utf8' }).split(' ');
  const layer = { mediaType: 'application/vnd.oci.image.layer.v1.tar+gzip', digest: `sha256:${layerDigest}`, size: statSync(layerFile).size };
  renameSync(layerFile, join(blobs, layerDigest));

  const config = putJson({
    architecture: 'amd64',
    os: 'linux',
    config: {
      User: '65532:65532',
      WorkingDir: '/var/lib/hakobu',
      Entrypoint: ['/usr/bin/hakobu'],
      Cmd: ['--help'],
      Env: ['PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'],
      Volumes: { '/var/lib/hakobu': {} },
      StopSignal: 'SIGTERM',
      Labels: { 'org.opencontainers.image.title': 'hakobu', 'org.opencontainers.image.version': version, 'org.opencontainers.image.licenses': 'Apache-2.0' },
    },
    rootfs: { type: 'layers', diff_ids: [`sha256:${diffId}`] },
    history: [{ created_by: 'scripts/oci-layout' }],
  }, 'application/vnd.oci.image.config.v1+json');
  const manifest = putJson({ schemaVersion: 2, mediaType: 'application/vnd.oci.image.manifest.v1+json', config, layers: [layer] },
    'application/vnd.oci.image.manifest.v1+json');
  writeFileSync(join(out, 'index.json'), JSON.stringify({ schemaVersion: 2, mediaType: 'application/vnd.oci.image.index.v1+json',
    manifests: [{ ...manifest, platform: { architecture: 'amd64', os: 'linux' }, annotations: { 'org.opencontainers.image.ref.name': version } }] }));
  writeFileSync(join(out, 'oci-layout'), JSON.stringify({ imageLayoutVersion: '1.0.0' }));
  console.log(`${out}: ${manifest.digest}`);
} finally {
  rmSync(work, { recursive: true, force: true });
}
