// Kits of the examples are the golden files (HAKOBU_UPDATE_GOLDEN=1 writes them anew), and each platform's own rules take them.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { chmodSync, cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { hakobu, privateFolder, root, run } from '../harness/servers.mjs';

const golden = join(root, 'tests/golden/kit');
const updating = process.env.HAKOBU_UPDATE_GOLDEN !== undefined;
const kits = ['nightly', 'live'].flatMap((example) => ['systemd', 'kubernetes', 'ecs', 'terraform'].map((platform) => ({ example, platform })));
// A checkout from before the package was pinned.
const unless = (name) => ({ skip: existsSync(join(root, 'node_modules', name)) ? false : `scripts/setup has not installed ${name} yet` });
const textsOf = (folder) => Object.fromEntries(readdirSync(folder).sort().map((name) => [name, readFileSync(join(folder, name), 'utf8')]));

// Validates by the kind's schema, which takes keys that it does not know; they are those that it never looks at.
function unknownTo(Model, object) {
  const unread = new Set();
  const watched = (value, path) => {
    if (value === null || typeof value !== 'object') return value;
    const copy = Array.isArray(value) ? [] : {};
    for (const [key, child] of Object.entries(value)) {
      const place = path === '' ? key : `${path}.${key}`;
      unread.add(place);
      const inner = watched(child, place);
      Object.defineProperty(copy, key, { enumerable: true, get: () => { unread.delete(place); return inner; } });
    }
    return copy;
  };
  const { apiVersion, kind, ...rest } = object;
  const model = new Model({ apiVersion, kind });
  for (const [key, value] of Object.entries(rest)) Object.defineProperty(model, key, { enumerable: true, configurable: true, value: watched(value, key) });
  model.validate();
  return [...unread].sort();
}

async function makeKit(example, platform, out, ...more) {
  const made = await run(['-c', join(root, 'examples', `${example}.yaml`), 'kit', platform, '--out', out, ...more],
    { env: { MYSQL_PASSWORD: 'swordfish', HAKOBU_SALT: 'swordfish-swordfish', PING_URL: 'https://swordfish' } });
  assert.equal(made.code, 0, made.stderr);
  return textsOf(out);
}

for (const { example, platform } of kits) {
  test(`${platform} for examples/${example}.yaml is as the golden files`, async (t) => {
    const out = privateFolder('kit');
    t.after(() => rmSync(out, { recursive: true, force: true }));
    const texts = await makeKit(example, platform, out);
    const kept = join(golden, example, platform);
    if (updating) {
      rmSync(kept, { recursive: true, force: true });
      mkdirSync(kept, { recursive: true });
      for (const [name, text] of Object.entries(texts)) writeFileSync(join(kept, name), text);
    }
    assert.deepEqual(texts, textsOf(kept));
    for (const [name, text] of Object.entries(texts)) {
      assert.ok(!text.includes('swordfish'), `a secret is in ${name}`);
      assert.equal(statSync(join(out, name)).mode & 0o777, name.endsWith('.sh') ? 0o755 : 0o644);
    }
    const again = await run(['-c', join(root, 'examples', `${example}.yaml`), 'kit', platform, '--out', out]);
    assert.equal(again.code, 2);
    assert.match(again.stderr, /is there already; hint: --force/);
  });
}

test('systemd takes the units with what the kit adds', async (t) => {
  const folder = privateFolder('units');
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const bindir = join(folder, 'bin');
  mkdirSync(bindir);
  writeFileSync(join(bindir, 'hakobu'), '#!/bin/sh\n');
  chmodSync(join(bindir, 'hakobu'), 0o755);
  const hardening = readFileSync(join(root, 'packaging/systemd/hardening.conf'), 'utf8');
  const units = join(folder, 'units');
  mkdirSync(units);
  for (const name of readdirSync(join(root, 'packaging/systemd')).filter((each) => each.includes('@'))) {
    writeFileSync(join(units, name), readFileSync(join(root, 'packaging/systemd', name), 'utf8').replaceAll('@BINDIR@', bindir).replace('@HARDENING@', hardening));
  }
  const add = (unit, example, file) => {
    mkdirSync(join(units, `${unit}.d`));
    cpSync(join(golden, example, 'systemd', file), join(units, `${unit}.d`, 'kit.conf'));
  };
  add('hakobu-run@nightly.service', 'nightly', 'service.conf');
  add('hakobu-run@nightly.timer', 'nightly', 'timer.conf');
  add('hakobu-stream@live.service', 'live', 'service.conf');
  for (const unit of ['hakobu-run@nightly.service', 'hakobu-run@nightly.timer', 'hakobu-stream@live.service']) {
    const said = execFileSync('systemd-analyze', ['verify', '--man=no', '--recursive-errors=no', join(units, unit)],
      { env: { ...process.env, SYSTEMD_UNIT_PATH: `${units}:` }, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
    assert.equal(said, '', unit);
  }
  for (const example of ['nightly', 'live']) execFileSync('sh', ['-n', join(golden, example, 'systemd/install.sh')]);
});

test('Kubernetes\' own schemas take every object', unless('kubernetes-models'), async () => {
  const { parseAllDocuments } = await import('yaml');
  const models = { v1: await import('kubernetes-models/v1'), 'apps/v1': await import('kubernetes-models/apps/v1'), 'batch/v1': await import('kubernetes-models/batch/v1') };
  const kinds = {};
  for (const example of ['nightly', 'live']) {
    for (const document of parseAllDocuments(readFileSync(join(golden, example, 'kubernetes/hakobu.yaml'), 'utf8'))) {
      assert.deepEqual(document.errors, []);
      const object = document.toJS();
      const Model = models[object.apiVersion][object.kind];
      assert.deepEqual(unknownTo(Model, object), [], object.kind);
      kinds[object.kind] = (kinds[object.kind] ?? 0) + 1;
      if (object.kind === 'ConfigMap') {
        assert.equal(object.data['hakobu.yaml'].trimEnd(), readFileSync(join(root, 'examples', `${example}.yaml`), 'utf8').trimEnd());
      }
      assert.deepEqual(unknownTo(Model, { ...object, metadata: { ...object.metadata, nmae: 'x' } }), ['metadata.nmae']);
    }
  }
  assert.deepEqual(kinds, { ConfigMap: 2, PersistentVolumeClaim: 2, ServiceAccount: 2, CronJob: 1, Deployment: 1 });
});

test('HashiCorp\'s parser takes the Terraform files', unless('@cdktf/hcl2json'), async () => {
  const { parse } = await import('@cdktf/hcl2json');
  const resources = {};
  for (const example of ['nightly', 'live']) {
    const folder = join(golden, example, 'terraform');
    for (const name of readdirSync(folder).filter((each) => each.endsWith('.tf'))) {
      const tree = await parse(name, readFileSync(join(folder, name), 'utf8'));
      for (const [type, named] of Object.entries(tree.resource ?? {})) for (const id of Object.keys(named)) (resources[type] ??= []).push(`${example}.${id}`);
      if (tree.resource?.google_bigquery_dataset) {
        for (const [dataset] of Object.values(tree.resource.google_bigquery_dataset)) assert.equal(dataset.access, undefined, '`hakobu grants` owns it');
      }
      if (tree.resource?.aws_secretsmanager_secret_version) assert.fail('a kit holds no secret');
    }
    // Each reference between resources is to one that there is.
    const all = readdirSync(folder).filter((each) => each.endsWith('.tf')).map((name) => readFileSync(join(folder, name), 'utf8')).join('\n');
    for (const [, type, id] of all.matchAll(/\b((?:aws|google)_[a-z_0-9]+)\.([a-zA-Z_]\w*)/g)) {
      assert.ok(new RegExp(`(resource|data) "${type}" "${id}"`).test(all), `${type}.${id} is not there`);
    }
    for (const [, name] of all.matchAll(/\bvar\.(\w+)/g)) assert.ok(all.includes(`variable "${name}"`), `var.${name} is not there`);
    await assert.rejects(parse('broken.tf', all.replace('"aws_iam_role" "task" {', '"aws_iam_role" "task" {{')));
  }
  assert.deepEqual(resources.aws_scheduler_schedule, ['nightly.run']);
  assert.deepEqual(resources.aws_ecs_service, ['live.stream']);
});

test('the files for ECS are what its API takes', () => {
  for (const [example, command] of [['nightly', 'run'], ['live', 'stream']]) {
    const task = JSON.parse(readFileSync(join(golden, example, 'ecs', `task-${command}.json`), 'utf8'));
    const [container] = task.containerDefinitions;
    assert.equal(container.stopTimeout, 120);
    assert.equal(container.readonlyRootFilesystem, true);
    assert.deepEqual(container.mountPoints.map((mount) => mount.sourceVolume).filter((name) => !task.volumes.some((volume) => volume.name === name)), []);
    assert.equal(container.command.at(-1), command);
    for (const secret of container.secrets) assert.match(secret.valueFrom, /^arn:aws:secretsmanager:/);
    assert.ok(existsSync(join(golden, example, 'ecs/Containerfile')));
  }
});

test('a name that no platform takes and an hour that is none are refused', async (t) => {
  const out = privateFolder('kit');
  t.after(() => rmSync(out, { recursive: true, force: true }));
  const example = join(root, 'examples/nightly.yaml');
  for (const [more, expected] of [[['--name', 'Über'], /lower-case letters/], [['--start', '25:00 Asia/Tokyo'], /--start: expected an hour/], [['--start', '02:00 Mars'], /--start/]]) {
    const refused = await run(['-c', example, 'kit', 'systemd', '--out', out, ...more]);
    assert.equal(refused.code, 2);
    assert.match(refused.stderr, expected);
  }
  assert.equal((await run(['-c', example, 'kit', 'heroku', '--out', out])).code, 2);
  assert.ok(existsSync(hakobu));
  const kit = await makeKit('nightly', 'systemd', join(out, 'kit'), '--start', '23:30 Asia/Tokyo');
  assert.match(kit['timer.conf'], /^OnCalendar=\*-\*-\* 23:30:00 Asia\/Tokyo$/m);
});
