// What `cmake --install` and CPack make: a tree that runs where it is put, with pages, completions and units that
// their own programs accept.
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { root } from '../harness/servers.mjs';

const build = join(root, 'build/debug');
let stage;
before(() => {
  stage = mkdtempSync(join(tmpdir(), 'hakobu-install-'));
  execFileSync('cmake', ['--install', build, '--prefix', join(stage, 'anywhere'), '--component', 'hakobu'],
    { stdio: ['ignore', 'ignore', 'inherit'] });
});
after(() => rmSync(stage, { recursive: true, force: true }));

const installed = (path) => join(stage, 'anywhere', path);
const commandsOf = (help) => [...help.split('Subcommands:')[1].split('\n\n')[0].matchAll(/^ {2}([a-z-]+) /gm)].map((m) => m[1]);

test('the installed program runs from any folder and knows no path into the tree', () => {
  const program = installed('bin/hakobu');
  const { stdout, status } = spawnSync(program, ['--version'], { cwd: '/', encoding: 'utf8', env: {} });
  assert.equal(status, 0);
  assert.match(stdout, /^hakobu \d+\.\d+\.\d+$/m);
  const dynamic = execFileSync('readelf', ['-d', program], { encoding: 'utf8' });
  const paths = [...dynamic.matchAll(/\((?:RUNPATH|RPATH)\).*\[(.*)\]/g)].map((match) => match[1]);
  assert.ok(paths.length > 0);
  for (const path of paths.flatMap((each) => each.split(':'))) assert.match(path, /^\$ORIGIN\//, dynamic);
});

test('there is a manual page for every command, and man reads them without a warning', () => {
  const help = execFileSync(installed('bin/hakobu'), ['--help'], { encoding: 'utf8' });
  const commands = commandsOf(help);
  assert.ok(commands.includes('run') && commands.includes('stream'));
  const folder = readdirSync(installed('share/man/man1'));
  assert.deepEqual(folder.sort(), ['hakobu.1', ...commands.map((name) => `hakobu-${name}.1`)].sort());
  for (const page of folder) {
    const { stdout, stderr, status } = spawnSync('man', ['--warnings', '-l', installed(`share/man/man1/${page}`)],
      { encoding: 'utf8', env: { ...process.env, MANPAGER: 'cat', MANWIDTH: '100', LC_ALL: 'C.UTF-8' } });
    assert.equal(status, 0, stderr);
    assert.equal(stderr, '', page);
    assert.match(stdout, /NAME\n/);
  }
  const run = spawnSync('man', ['-l', installed('share/man/man1/hakobu-run.1')],
    { encoding: 'utf8', env: { ...process.env, MANPAGER: 'cat', LC_ALL: 'C.UTF-8' } }).stdout;
  assert.match(run, /--fresh/);
  assert.match(run, /hakobu run/);
});

test('completions are those of the program, and fish completes commands, options and tables', (t) => {
  for (const [shell, path] of [['bash', 'share/bash-completion/completions/hakobu'],
    ['zsh', 'share/zsh/vendor-completions/_hakobu'], ['fish', 'share/fish/vendor_completions.d/hakobu.fish']]) {
    const printed = execFileSync(installed('bin/hakobu'), ['completion', shell], { encoding: 'utf8' });
    assert.equal(readFileSync(installed(path), 'utf8'), printed);
  }
  const folder = mkdtempSync(join(tmpdir(), 'hakobu-fish-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  writeFileSync(join(folder, 'hakobu.yaml'), 'tables:\n  - table: shop.members\n  - {table: "shop.予約"}\n');
  const complete = (line) => execFileSync('fish', ['--no-config', '-c',
    `source ${installed('share/fish/vendor_completions.d/hakobu.fish')}; complete -C ${JSON.stringify(line)}`],
  { encoding: 'utf8', cwd: folder, env: { ...process.env, HOME: folder } })
    .split('\n').filter(Boolean).map((each) => each.split('\t')[0]);
  assert.ok(complete('hakobu ').includes('stream'));
  assert.ok(complete('hakobu status --').includes('--runs'));
  assert.deepEqual(complete('hakobu --log-format ').sort(), ['json', 'plain']);
  assert.deepEqual(complete('hakobu run shop.').sort(), ['shop.members', 'shop.予約'].sort());
});

test('systemd accepts the units, and rates what they leave open below 3', (t) => {
  const units = join(stage, 'anywhere/lib/systemd/system');
  // The units name /usr/bin/hakobu, where the package puts it.
  const folder = mkdtempSync(join(tmpdir(), 'hakobu-units-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const names = readdirSync(units);
  assert.deepEqual(names.sort(), ['hakobu-run@.service', 'hakobu-run@.timer', 'hakobu-stream@.service']);
  for (const name of names) {
    const text = readFileSync(join(units, name), 'utf8').replaceAll('/usr/bin/hakobu', installed('bin/hakobu'));
    assert.doesNotMatch(text, /@[A-Z]+@/);
    writeFileSync(join(folder, name.replace('@.', '@gyms.')), text);
  }
  for (const service of ['hakobu-run@gyms.service', 'hakobu-stream@gyms.service']) {
    const verify = spawnSync('systemd-analyze', ['verify', '--man=no', join(folder, service)], { encoding: 'utf8' });
    assert.equal(verify.stderr.split('\n').filter((line) => line.includes('hakobu')).join('\n'), '');
    const rated = spawnSync('systemd-analyze', ['security', '--offline=yes', '--no-pager', join(folder, service)],
      { encoding: 'utf8' });
    const level = rated.stdout.match(/Overall exposure level for .*: ([\d.]+)/);
    assert.ok(level, rated.stdout + rated.stderr);
    assert.ok(Number(level[1]) < 3, level[0]);
  }
  const timer = spawnSync('systemd-analyze', ['verify', '--man=no', join(folder, 'hakobu-run@gyms.timer')], { encoding: 'utf8' });
  assert.equal(timer.stderr.split('\n').filter((line) => line.includes('hakobu')).join('\n'), '');
});
