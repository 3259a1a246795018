// The command line before any server is asked: help, wrong usage, exit codes, completion, wrong configurations.
import { test } from 'node:test';
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { root, run } from '../harness/servers.mjs';

function folder(t) {
  const path = mkdtempSync(join(tmpdir(), 'hakobu-cli-'));
  t.after(() => rmSync(path, { recursive: true, force: true }));
  return path;
}

function commandsOf(help) {
  return help.split('Subcommands:\n')[1].split('\n\n')[0].split('\n')
    .map((line) => /^ {2}([a-z-]+)/.exec(line)?.[1]).filter(Boolean);
}

test('help names every command, and every command has help with an example', async () => {
  const { code, stdout } = await run(['--help']);
  assert.equal(code, 0);
  const commands = commandsOf(stdout);
  for (const name of ['init', 'check', 'plan', 'run', 'status', 'schema', 'completion']) {
    assert.ok(commands.includes(name), `${name} is missing in --help`);
  }
  for (const name of commands) {
    const help = await run([name, '--help']);
    assert.equal(help.code, 0, name);
    assert.match(help.stdout, /hakobu /, `${name} --help shows no example`);
  }
});

test('--version', async () => {
  const { code, stdout } = await run(['--version']);
  assert.equal(code, 0);
  assert.match(stdout, /^hakobu \d+\.\d+\.\d+\n$/);
});

test('wrong usage ends with 2 and says where help is', async () => {
  for (const args of [[], ['nonsense'], ['status', '--nonsense'], ['completion', 'tcsh'], ['status', '--runs', 'many'],
    ['--log-format', 'xml', 'status'], ['completion']]) {
    const { code, stdout, stderr } = await run(args);
    assert.equal(code, 2, args.join(' '));
    assert.equal(stdout, '');
    assert.match(stderr, /^hakobu: .+\nRun `hakobu( [a-z]+)? --help` for what it takes\.\n$/);
  }
});

test('a misspelt command is named', async () => {
  assert.equal((await run(['runn'])).stderr, 'hakobu: there is no command `runn`; did you mean `run`?\nRun `hakobu --help` for what it takes.\n');
  assert.match((await run(['grants', 'plna'])).stderr, /^hakobu: there is no command `plna`; did you mean `plan`\?\n/);
});

test('init without a password says which variable is not set', async (t) => {
  const { code, stderr } = await run(['init', '--port', '1', '--user', 'hakobu', '--password-env', 'NOT_SET_HERE', '--location', 'US'], { cwd: folder(t) });
  assert.equal(code, 1);
  assert.match(stderr, /^hakobu: without a password \(\$NOT_SET_HERE is not set\): connect to 127\.0\.0\.1:1 as hakobu: /);
});

test('what reads the ledger alone wants no secrets', async (t) => {
  const path = folder(t);
  const command = 'command:touch fetched; echo secret';
  writeFileSync(join(path, 'hakobu.yaml'), `source: {host: h, user: u, password: "\${env:NOT_SET_HERE}"}
destination: {project: p-1, dataset: d}
tables: [{table: a.b, columns: {c: {mask: sha256, salt: "\${${command}}"}}}]`);
  for (const name of ['status', 'gaps']) {
    const { code, stderr } = await run([name], { cwd: path });
    assert.equal(code, 0, `${name}: ${stderr}`);
  }
  assert.equal(spawnSync('ls', ['-A', path], { encoding: 'utf8' }).stdout, 'hakobu.yaml\n');
  const needs = await run(['run'], { cwd: path });
  assert.equal(needs.code, 2);
  assert.match(needs.stderr, /source\.password: expected the environment variable NOT_SET_HERE, found it not set/);
});

test('a missing or wrong configuration ends with 2 and says everything at once', async (t) => {
  const path = folder(t);
  for (const command of ['check', 'plan', 'run', 'status']) {
    const missing = await run([command], { cwd: path });
    assert.equal(missing.code, 2, command);
    assert.match(missing.stderr, /hakobu\.yaml: expected a configuration, found no readable file; hint: /);
  }
  writeFileSync(join(path, 'hakobu.yaml'), readFileSync(join(root, 'tests/golden/config/many-at-once.yaml')));
  const wrong = await run(['run'], { cwd: path });
  assert.equal(wrong.code, 2);
  const expected = readFileSync(join(root, 'tests/golden/config/many-at-once.expected'), 'utf8');
  assert.equal(wrong.stderr.replace('hakobu: ', '').replaceAll('hakobu.yaml:', 'many-at-once.yaml:'), expected);
});

test('bash completion completes commands, options and values', async (t) => {
  const script = join(folder(t), 'hakobu.bash');
  writeFileSync(script, (await run(['completion', 'bash'])).stdout);
  assert.equal(spawnSync('bash', ['-n', script]).status, 0);
  const complete = (...words) => {
    const line = `source ${script}; COMP_WORDS=(${words.map((w) => `'${w}'`).join(' ')}); ` +
      `COMP_CWORD=${words.length - 1}; _hakobu; printf '%s\\n' "\${COMPREPLY[@]}"`;
    return spawnSync('bash', ['-c', line], { encoding: 'utf8', cwd: root }).stdout.trim().split('\n');
  };
  assert.deepEqual(complete('hakobu', 'pl'), ['plan']);
  assert.deepEqual(complete('hakobu', '--log-format', ''), ['plain', 'json']);
  assert.deepEqual(complete('hakobu', 'run', '--log-format', 'j'), ['json']);
  assert.deepEqual(complete('hakobu', 'status', '--r'), ['--runs']);
  assert.deepEqual(complete('hakobu', 'check', '--config', 'package.j'), ['package.json']);
  assert.deepEqual(complete('hakobu', 'completion', 'z'), ['zsh']);
  const commands = commandsOf((await run(['--help'])).stdout);
  for (const name of commands) assert.ok(complete('hakobu', '').includes(name), name);
  const config = withTables(t);
  assert.deepEqual(complete('hakobu', 'run', '-c', config, 'shop.').sort(), ['shop.members', 'shop.予約', 'shop.res*'].sort());
  assert.deepEqual(complete('hakobu', '-c', config, 'plan', 'shop.m'), ['shop.members']);
  assert.deepEqual(complete('hakobu', 'status', '-c', config, 'shop.'), ['']);
});

// Tables as block and as flow YAML, one of them meant to run a command on whoever completes it.
function withTables(t) {
  const config = join(folder(t), 'tables.yaml');
  writeFileSync(config, 'source: {user: x}\ntables:\n  - table: shop.members\n    mode: append\n  - {table: "shop.予約"}\n' +
    "  - mode: append\n    table: 'shop.res*'  # a glob\n  # - table: shop.never\n  - table: shop.$(touch pwned)\n");
  return config;
}

test('zsh completion completes commands, options, values and tables', async (t) => {
  const path = folder(t);
  writeFileSync(join(path, '_hakobu'), (await run(['completion', 'zsh'])).stdout);
  assert.equal(spawnSync('zsh', ['-n', join(path, '_hakobu')]).status, 0);
  // A real zsh on a terminal of its own: the line is typed, Tab lists what there is.
  const driver = join(path, 'driver.zsh');
  writeFileSync(driver, `zmodload zsh/zpty; zpty z zsh -f -i
zpty -w z "PROMPT='' ; unset RPROMPT; fpath=(${path} \\$fpath); autoload -U compinit; compinit -u -D; unsetopt beep; LISTMAX=10000"
zpty -w z "zstyle ':completion:*' list-colors ''; bindkey '^I' list-choices; stty cols 300 rows 200; echo rea''dy"
zpty -r -m z out '*ready*'
zpty -w -n z "$1"$'\\t'
sleep 4
while zpty -r -t z line; do print -r -- "$line"; done
zpty -d z
`);
  const complete = (typed) => spawnSync('zsh', ['-f', driver, typed], { encoding: 'utf8', cwd: path, timeout: 60000,
    env: { ...process.env, TERM: 'dumb' } }).stdout.replace(/\x1b\[[?\d;]*[a-zA-Z]/g, '');
  const commands = commandsOf((await run(['--help'])).stdout);
  const listed = complete('hakobu ');
  for (const name of commands) assert.match(listed, new RegExp(`^${name} `, 'm'), listed);
  assert.match(complete('hakobu status --'), /--runs/);
  assert.match(complete('hakobu run --log-format '), /json +plain|plain +json/);
  writeFileSync(join(path, 'hakobu.yaml'), readFileSync(withTables(t)));
  assert.match(complete('hakobu run shop.'), /shop\.members/);
});

test('status without a ledger says so and makes none', async (t) => {
  const path = folder(t);
  writeFileSync(join(path, 'hakobu.yaml'), readFileSync(join(root, 'examples/local.yaml')));
  const { code, stdout } = await run(['status'], { cwd: path });
  assert.equal(code, 0);
  assert.equal(stdout, 'No run yet.\n');
  const json = await run(['status', '--json'], { cwd: path });
  assert.deepEqual(JSON.parse(json.stdout), { runs: [], alerts: [], messages_waiting: 0, attempts: [] });
  assert.equal(spawnSync('ls', ['-A', path], { encoding: 'utf8' }).stdout, 'hakobu.yaml\n');
});

test('the published JSON Schema is what the program prints', async () => {
  const { stdout } = await run(['schema']);
  assert.equal(stdout, readFileSync(join(root, 'docs/hakobu.schema.json'), 'utf8'));
});
