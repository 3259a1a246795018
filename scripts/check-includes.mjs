#!/usr/bin/env node
// The arrows of ARCHITECTURE.md, held by the build: which folder of src/ may include which.
// Also holds that no source file outgrows its bounds. Prints every violation; exits 1 on any.
import { readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';

const arrows = {
  base: [],
  governor: ['base'],
  row: ['base'],
  log: ['base'],
  config: ['row', 'base'],
  source: ['log', 'row', 'base'],
  decode: ['row', 'base'],
  encode: ['row', 'base'],
  destination: ['row', 'base'],
  localbq: ['base'],
  ledger: ['log', 'base'],
  notify: ['destination', 'ledger', 'config', 'base', 'row'],
  kit: ['destination', 'config', 'base', 'row'],
  grants: ['destination', 'ledger', 'config', 'base', 'row'],
  delivery: ['governor', 'log', 'source', 'decode', 'encode', 'destination', 'ledger', 'config', 'row', 'base'],
  app: ['delivery', 'governor', 'log', 'grants', 'notify', 'kit', 'localbq', 'config', 'ledger', 'destination', 'source', 'decode', 'encode', 'row', 'base'],
};
const root = new URL('..', import.meta.url).pathname;
const violations = [];

function* files(folder) {
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) yield* files(path);
    else if (/\.(h|cc)$/.test(entry.name)) yield path;
  }
}

for (const path of files(join(root, 'src'))) {
  const name = relative(join(root, 'src'), path);
  const folder = name.split('/')[0];
  const allowed = arrows[folder];
  if (!allowed) {
    violations.push(`${name}: folder ${folder} is not in the arrows`);
    continue;
  }
  readFileSync(path, 'utf8').split('\n').forEach((line, index) => {
    const target = /^#include "([a-z_]+)\//.exec(line)?.[1];
    if (!target || !(target in arrows) || target === folder || allowed.includes(target)) return;
    violations.push(`${name}:${index + 1}: ${folder}/ may not include ${target}/ (allowed: ${allowed.join(', ') || 'nothing'})`);
  });
}
violations.forEach((violation) => console.error(violation));
if (violations.length > 0) process.exit(1);
