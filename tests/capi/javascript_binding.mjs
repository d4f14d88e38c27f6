// The JavaScript binding on the WASM module: javascript_binding.mjs BINDING MODULE MODEL.
import assert from 'node:assert/strict';
import {readFileSync} from 'node:fs';
import {pathToFileURL} from 'node:url';
import {setFlagsFromString} from 'node:v8';

const [binding, module, path] = process.argv.slice(2);
const {Tern} = await import(pathToFileURL(binding));
const wasm = readFileSync(module);
if (!WebAssembly.validate(wasm)) {
  setFlagsFromString('--experimental-wasm-relaxed-simd');
  setFlagsFromString('--no-liftoff');
}
const tern = await Tern.load(wasm);
assert.equal(tern.version, '0.1.0');
const bytes = readFileSync(path);
const model = tern.model(bytes);
assert.match(model.architecture, /^bitnet/);

// Load, stream a story, stop early.
const prompt = 'Once upon a time';
const tell = (options, sessionOptions) => {
  const session = model.session(sessionOptions);
  const story = [...session.generate(prompt, options)].join('');
  session.free();
  return story;
};
const story = tell({maxTokens: 40});
assert(story.length > 20, story);
assert.equal(tell({maxTokens: 40}, {batch: 3}), story);
const pieces = [];
const early = model.session();
for (const text of early.generate(prompt, {maxTokens: 40})) {
  pieces.push(text);
  if (pieces.length === 3) break;
}
assert(story.startsWith(pieces.join('')));
const seeded = {maxTokens: 20, temperature: 1, topK: 40, seed: 5};
assert.equal(tell(seeded), tell(seeded));

for (const text of ['Hello, world', '\u00e9\u{1f600}\n\t', '']) {
  const ids = model.tokenize(text, {special: false});
  assert.equal(new TextDecoder().decode(model.detokenize(ids)), text);
}

// Steps, forks and logits.
const ids = model.tokenize(prompt);
const plain = model.session();
plain.evaluate(ids);
const stepped = model.session();
stepped.begin(ids);
assert.throws(() => stepped.evaluate(ids), {name: 'busy'});
while (!stepped.step(0.5)) {
  // a frame goes by
}
assert.deepEqual(stepped.logits, plain.logits);
const fork = plain.fork();
assert.deepEqual(fork.logits, plain.logits);
plain.truncate(1);
assert.equal(plain.position, 1);
assert.equal(fork.position, ids.length);

// Errors have a status and a place.
assert.throws(() => plain.evaluate([1, 1 << 30]), {name: 'token_out_of_range', where: 1});
assert.throws(() => tern.model(bytes.subarray(0, 100)), {name: 'truncated'});
assert.throws(() => tern.model(bytes, {isa: 'none'}), {name: 'isa_unknown'});

// What is freed is there for others.
const size = tern.entries.memory.buffer.byteLength;
for (let i = 0; i < 20; ++i) {
  const other = tern.model(bytes);
  other.session().free();
  other.free();
}
assert(tern.entries.memory.buffer.byteLength < size + 4 * bytes.length + (64 << 20));
console.log('ok');
