// Runs one WASI program under node: node run_wasi.mjs PROGRAM.wasm [argument...]
//
// The program sees the current folder, its own folder, the checkout and the fixtures beside it under
// their real paths, so a test's absolute paths mean the same as in a native build. Environment
// variables that start with TERN_ are passed on, nothing else.
import {existsSync, readFileSync} from 'node:fs';
import {dirname, resolve} from 'node:path';
import {fileURLToPath} from 'node:url';
import {WASI} from 'node:wasi';

const [program, ...args] = process.argv.slice(2);
if (program === undefined) {
  console.error('run_wasi: usage: run_wasi.mjs PROGRAM.wasm [argument...]');
  process.exit(2);
}

const checkout = resolve(dirname(fileURLToPath(import.meta.url)), '../..');
const shared = resolve(checkout, '../shared');
const preopens = {'.': process.cwd()};
for (const folder of [process.cwd(), dirname(resolve(program)), checkout, shared]) {
  if (existsSync(folder)) preopens[folder] = folder;
}
// The build spells the fixtures' folder this way, and WASI compares paths as text.
if (existsSync(shared)) preopens[`${checkout}/../shared`] = shared;
const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => name.startsWith('TERN_')));

const wasi = new WASI({version: 'preview1', args: [program, ...args], env, preopens, returnOnExit: true});
const module = await WebAssembly.compile(readFileSync(program));
const instance = await WebAssembly.instantiate(module, wasi.getImportObject());
try {
  process.exitCode = wasi.start(instance);
} catch (trap) {
  console.error(`run_wasi: ${program}: ${trap.stack}`);
  process.exitCode = 134;
}
