// Runs one WASI program under node: node run_wasi.mjs PROGRAM.wasm [argument...]
//
// The program sees the current folder, its own folder, the checkout and the fixtures beside it under
// their real paths, so a test's absolute paths mean the same as in a native build. Environment
// variables that start with TERN_ are passed on, nothing else.
import {existsSync, readFileSync} from 'node:fs';
import {dirname, resolve} from 'node:path';
import {fileURLToPath} from 'node:url';
import {setFlagsFromString} from 'node:v8';
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
// In node 20 WASI calls that are compiled as fast API calls corrupt the heap of JavaScript: it crashes once
// the program ends.
setFlagsFromString('--no-turbo-fast-api-calls');

const bytes = readFileSync(program);
// node 20 has relaxed SIMD behind a flag that later ones do not know, and its baseline compiler adds a
// relaxed dot product to itself, not to the sum: there the optimizing one compiles everything.
if (!WebAssembly.validate(bytes)) {
  setFlagsFromString('--experimental-wasm-relaxed-simd');
  setFlagsFromString('--no-liftoff');
}
const module = await WebAssembly.compile(bytes);
const instance = await WebAssembly.instantiate(module, wasi.getImportObject());
try {
  process.exitCode = wasi.start(instance);
} catch (trap) {
  console.error(`run_wasi: ${program}: ${trap.stack}`);
  process.exitCode = 134;
}
