// docs/local-bigquery.md: every row of its table names a test that there is; every refusal has its row.
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { answeredSql, answerTitle } from '../harness/answers.mjs';
import { refusalTitle, refusedJobs, refusedSql } from '../harness/refusals.mjs';
import { root } from '../harness/servers.mjs';

const folder = join(root, 'tests/contract');
// Titles as they stand in the sources: of test('…'), test("…") and test(`…`).
const titles = new Set(readdirSync(folder).filter((name) => name.endsWith('.test.mjs')).flatMap((name) =>
  [...readFileSync(join(folder, name), 'utf8').matchAll(/^\s*test\((['"`])((?:\\.|(?!\1).)*)\1/gm)].map((match) => match[2].replaceAll("\\'", "'"))));
const answers = answeredSql.map(([what]) => answerTitle(what));
const refusals = [...refusedSql, ...refusedJobs].map(([what]) => refusalTitle(what));

const rows = readFileSync(join(root, 'docs/local-bigquery.md'), 'utf8').split('\n')
  .slice().filter((line) => /^\| .* \| (yes|no|kept) \| .* \|$/.test(line)).map((line) => {
    const [, what, state, title] = /^\| (.*) \| (yes|no|kept) \| (.*) \|$/.exec(line);
    return { what, state, title };
  });

test('every row of the table of what the local BigQuery supports names a test', () => {
  assert.ok(rows.length > 50, `${rows.length} rows`);
  for (const { what, state, title } of rows) {
    assert.ok(titles.has(title) || refusals.includes(title) || answers.includes(title), `${what}: there is no test '${title}'`);
    if (state === 'no') assert.match(title, /refused by name/, `${what} is said to be unsupported`);
    else assert.ok(!refusals.includes(title), `${what} is said to be supported`);
  }
});

test('every answered part of GoogleSQL has a row in the table', () => {
  for (const title of answers) assert.ok(rows.some((row) => row.title === title && row.state === 'yes'), `no row for '${title}'`);
});

test('every refusal has a row in the table', () => {
  for (const title of refusals) assert.ok(rows.some((row) => row.title === title && row.state === 'no'), `no row for '${title}'`);
});

test('every measured fact names the tests that enact it and cope with it', () => {
  const sources = (place) => readdirSync(join(root, place), { recursive: true }).filter((name) => /\.test\.mjs$|_test\.cc$/.test(name))
    .map((name) => readFileSync(join(root, place, name), 'utf8')).join('\n');
  const everything = sources('tests') + sources('src');
  const facts = readFileSync(join(root, 'docs/bigquery-as-measured.md'), 'utf8').split('\n')
    .map((line) => /^\| (.*) \| (.*) \| (.*) \| ?(.*) \|$/.exec(line)).filter((match) => match && match[1] !== 'fact');
  assert.ok(facts.length > 35, `${facts.length} facts`);
  for (const [, fact, , enacted, coped] of facts) {
    assert.ok(titles.has(enacted), `${fact}: there is no test '${enacted}'`);
    for (const title of coped.split('; ').filter(Boolean)) {
      assert.ok(everything.includes(title.replaceAll("'", "\\'")) || everything.includes(title), `${fact}: there is no test '${title}'`);
    }
  }
});

test('every behaviour has a row in the table of behaviours', () => {
  const header = readFileSync(join(root, 'src/localbq/faults/behaviours.cc'), 'utf8');
  const page = readFileSync(join(root, 'docs/local-bigquery.md'), 'utf8');
  const names = [...header.matchAll(/\{Behaviour::k\w+, "(\w+)"/g)].map((match) => match[1]);
  assert.ok(names.length > 20);
  for (const name of names) assert.ok(page.includes(`| \`${name}\` |`), `no row for ${name}`);
});
