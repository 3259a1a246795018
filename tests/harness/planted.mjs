// Secrets that are planted and looked for in everything that hakobu leaves behind or says.
import assert from 'node:assert/strict';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';

// Every file below the folders, with its bytes.
function* files(folder) {
  let entries;
  try { entries = readdirSync(folder, { withFileTypes: true }); } catch { return; }
  for (const entry of entries) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) yield* files(path);
    if (entry.isFile()) {
      let bytes;
      try { bytes = readFileSync(path); } catch { continue; }  // gone meanwhile
      yield { path, bytes };
    }
  }
}

// `secrets`: name to text. Each is looked for as it is, and as JSON, URLs, hex and base64 would have it.
export function makeSearch(secrets) {
  const forms = Object.entries(secrets).flatMap(([name, text]) => {
    const bytes = Buffer.from(text);
    // Base64 of the middle, at each of its three places in a longer text.
    const inBase64 = [0, 1, 2].map((shift) => Buffer.concat([Buffer.alloc(shift), bytes]).toString('base64').slice(shift ? 4 : 0, -4));
    return [...new Set([text, JSON.stringify(text).slice(1, -1), encodeURIComponent(text), bytes.toString('hex'), bytes.toString('hex').toUpperCase(), ...inBase64])]
      .map((form) => ({ name, form: Buffer.from(form) }));
  });
  let looked = 0;
  const search = {
    // Of one text or file.
    in(what, bytes) {
      looked += bytes.length;
      const held = Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes);
      for (const { name, form } of forms) {
        const at = held.indexOf(form);
        if (at < 0) continue;
        const around = held.subarray(Math.max(0, at - 200), at + form.length + 60).toString('latin1').replace(/[^\x20-\x7e]+/g, '·');
        assert.fail(`${name} stands in ${what} at ${at}: …${around}…`);
      }
    },
    // Files that are open to nobody else, and hold none of them. `except`: paths that are meant to hold secrets.
    below(folder, except = []) {
      let count = 0;
      for (const { path, bytes } of files(folder)) {
        if (except.includes(path)) continue;
        ++count;
        search.in(path, bytes);
        assert.equal(statSync(path, { throwIfNoEntry: false })?.mode & 0o077 ?? 0, 0, `${path} is its user's alone`);
      }
      return count;
    },
    // What anybody on the machine may read of a process and of those it starts.
    process(pid) {
      for (const each of [pid, ...descendants(pid)]) {
        for (const file of ['cmdline', 'comm']) {
          try { search.in(`/proc/${each}/${file}`, readFileSync(`/proc/${each}/${file}`)); } catch (error) {
            if (error.code === undefined || error.code === 'ERR_ASSERTION') throw error;
          }
        }
      }
    },
    get looked() { return looked; },
  };
  return search;
}

export function descendants(pid) {
  let children;
  try { children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ').filter(Boolean).map(Number); } catch { return []; }
  return children.flatMap((child) => [child, ...descendants(child)]);
}

// The environment of a process, by name; empty when it has gone.
export function environmentOf(pid) {
  try {
    return Object.fromEntries(readFileSync(`/proc/${pid}/environ`, 'utf8').split('\0').filter(Boolean).map((line) => {
      const at = line.indexOf('=');
      return [line.slice(0, at), line.slice(at + 1)];
    }));
  } catch { return {}; }
}
