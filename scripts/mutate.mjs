// scripts/mutate: each entry of tests/mutations.json has `file`, `text` (once in it), `replacement`, `target` (a unit-test
// program of CMake's) and `test` (a filter of GoogleTest's): the test that must fail when the one stands for the other.
import { execFileSync, spawnSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { parseArgs } from 'node:util';

const LEAST_NOTICED = 0.95;
const LONGEST_TEST_MS = 120_000; // a test that hangs has noticed
const tree = 'build/mutate/tree';
const build = 'build/mutate/build';

const { values: options } = parseArgs({
  options: { seed: { type: 'string' }, count: { type: 'string' }, only: { type: 'string' } },
});

// mulberry32: the same order from the same seed, everywhere.
function randomFrom(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

function chosen() {
  let mutations = JSON.parse(readFileSync('tests/mutations.json', 'utf8'));
  const { only } = options;
  if (only) mutations = mutations.filter((each) => [each.file, each.text, each.target, each.test].some((part) => part.includes(only)));
  if (options.seed) {
    const random = randomFrom(Number(options.seed));
    mutations = mutations.map((each) => [random(), each]).sort((a, b) => a[0] - b[0]).map(([, each]) => each);
  }
  return options.count ? mutations.slice(0, Number(options.count)) : mutations;
}

// A file that is as it was keeps its time, so that only what changed is built again.
function copyTree() {
  const files = execFileSync('git', ['ls-files', '-z', '--cached', '--others', '--exclude-standard']).toString();
  for (const file of files.split('\0').filter((each) => each && existsSync(each))) {
    const to = join(tree, file);
    if (existsSync(to) && readFileSync(to).equals(readFileSync(file))) continue;
    mkdirSync(dirname(to), { recursive: true });
    copyFileSync(file, to);
  }
  if (!existsSync(join(tree, 'node_modules'))) symlinkSync(join(process.cwd(), 'node_modules'), join(tree, 'node_modules'));
}

function compile(targets) {
  const run = spawnSync('cmake', ['--build', build, '--target', ...targets, '--', '-j2'], { encoding: 'utf8' });
  return { ok: run.status === 0, output: run.stdout + run.stderr };
}

function program(target) {
  return execFileSync('find', [build, '-type', 'f', '-name', target, '-executable']).toString().split('\n')[0];
}

function passes({ target, test }) {
  const run = spawnSync(join(process.cwd(), program(target)), [`--gtest_filter=${test}`, '--gtest_brief=1', '--gtest_fail_fast'],
    { cwd: tree, encoding: 'utf8', timeout: LONGEST_TEST_MS });
  if (/Running 0 tests/.test(run.stdout) || run.stdout.includes('[==========] 0 tests')) {
    throw new Error(`${target} has no test ${test}`);
  }
  return run.status === 0;
}

function tryOne(mutation) {
  const path = join(tree, mutation.file);
  const original = readFileSync(path, 'utf8');
  if (original.split(mutation.text).length !== 2) return 'its text is not once in the file';
  try {
    writeFileSync(path, original.replace(mutation.text, () => mutation.replacement));
    const built = compile([mutation.target]);
    if (!built.ok) return `does not compile:\n${built.output.split('\n').filter((line) => line.includes('error')).slice(0, 3).join('\n')}`;
    return passes(mutation) ? 'not noticed' : 'noticed';
  } finally {
    writeFileSync(path, original);
  }
}

const mutations = chosen();
if (mutations.length === 0) throw new Error('no entry of tests/mutations.json is meant');
copyTree();
execFileSync('cmake', ['-S', tree, '-B', build, '-G', 'Ninja', '-DCMAKE_BUILD_TYPE=Debug', '-DHAKOBU_UNITY=OFF'], { stdio: 'pipe' });
const targets = [...new Set(mutations.map(({ target }) => target))];
const built = compile(targets);
if (!built.ok) throw new Error(`the tree itself does not build:\n${built.output.slice(-2000)}`);
const tests = new Map(mutations.map((each) => [`${each.target} ${each.test}`, each]));
for (const [name, each] of tests) {
  if (!passes(each)) throw new Error(`${name} fails without a change`);
}

let noticed = 0;
const rest = [];
mutations.forEach((mutation, index) => {
  const verdict = tryOne(mutation);
  if (verdict === 'noticed') ++noticed;
  else rest.push([mutation, verdict]);
  console.log(`${index + 1}/${mutations.length} ${verdict}: ${mutation.file}: ${mutation.text.trim()} -> ${mutation.replacement.trim()}`);
});
compile(targets); // what is built is of the tree as it is
for (const [{ file, text, replacement, target, test }, verdict] of rest) {
  console.log(`\n${file}: ${verdict}\n  ${text}\n  ${replacement}\n  ${target} ${test}`);
}
console.log(`\n${noticed} of ${mutations.length} noticed${options.seed ? `, seed ${options.seed}` : ''}`);
process.exitCode = noticed >= LEAST_NOTICED * mutations.length ? 0 : 1;
