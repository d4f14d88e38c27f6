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

// Grammars: of rules and of schemas, greedy and drawn, from the beginning with every prompt.
const ways = [{}, {temperature: 0.8, seed: 3}, {temperature: 5, seed: 4}];
const answer = model.grammar('root ::= "yes" | "no"');
for (const way of ways) assert.match(tell({grammar: answer, ...way}), /^(yes|no)$/);
assert(answer.mayEnd && answer.isFinished);
const asked = model.session();
asked.evaluate(ids);
assert.deepEqual([...asked.generate('', {grammar: answer})], []);
answer.reset();
assert.match([...asked.generate('', {grammar: answer})].join(''), /^(yes|no)$/);
const anything = model.grammar('root ::= .*');
assert.equal(tell({grammar: anything, maxTokens: 40}), story);
const schema = {
  type: 'object',
  properties: {name: {type: 'string', maxLength: 12}, age: {type: 'integer', minimum: 3, maximum: 99}},
  required: ['name', 'age'],
  additionalProperties: false,
};
for (const given of [schema, JSON.stringify(schema)]) {
  const person = model.jsonSchema(given);
  for (const way of ways) {
    const made = JSON.parse(tell({grammar: person, maxTokens: 400, ...way}));
    assert.deepEqual(Object.keys(made), ['name', 'age']);
    assert(made.age >= 3 && made.age <= 99);
  }
  person.free();
}

// The same by hand, with masks; a fork goes its own way.
const rules = model.grammar('root ::= [a-d ]{20} [0-9]');
const drawn = {temperature: 1, seed: 2};
const expected = tell({grammar: rules, ...drawn});
rules.reset();
const byHand = model.session();
byHand.evaluate(ids);
const tokens = [];
while (!rules.isFinished) {
  const mask = rules.mask();
  const token = byHand.sample({mask, ...drawn});
  assert.equal(mask[token >> 5] >>> (token & 31) & 1, 1);
  const before = rules.fork();
  rules.accept(token);
  assert(!before.isFinished);
  before.free();
  tokens.push(token);
  byHand.setMask(rules.mask());
  byHand.evaluate([token]);
}
assert.equal(new TextDecoder().decode(model.detokenize(tokens, {continues: true})), expected);

// A session's own mask is kept by what narrows it, and goes with a reset.
const letters = ['a', 'b'].map((letter) => [...Array(300).keys()].find((token) =>
    new TextDecoder().decode(model.detokenize([token], {continues: true})) === letter));
const masked = model.session();
masked.setMask(letters);
const few = model.grammar('root ::= [b-d]*');
assert.match([...masked.generate(prompt, {maxTokens: 8, grammar: few})].join(''), /^b*$/);
masked.truncate(ids.length - 1);
masked.evaluate(ids.slice(-1));
assert.equal(masked.logits.filter((logit) => logit > -1e30).length, 2);
const sibling = masked.fork();
assert(letters.includes(sibling.sample({temperature: 9})));
masked.reset();
masked.evaluate(ids);
assert.deepEqual(masked.logits, fork.logits);
assert.equal(masked.sample({mask: letters.slice(0, 1)}), letters[0]);
assert.throws(() => masked.setMask([-1]), RangeError);

// Scores and features.
const scored = model.session();
const scores = scored.score(ids);
assert(Number.isNaN(scores[0]));
assert(scores.slice(1).every((score) => score < 0));
assert.deepEqual(scored.logits, fork.logits);
assert.deepEqual(scored.features, fork.features);
assert(scored.features.length > 0);

// What a grammar is refused for; what is in use outlives what it came from.
assert.throws(() => model.grammar('root ::= "yes'), {name: 'malformed', where: 13});
assert.throws(() => model.jsonSchema({pattern: 'a'}), {name: 'unsupported', message: /^pattern: /});
answer.reset();
assert.throws(() => answer.accept(letters[0]), {name: 'invalid_argument'});
const brief = tern.model(bytes);
const outlives = brief.grammar('root ::= "a" | "b"');
brief.free();
assert(outlives.mask().some((word) => word !== 0));
for (const used of [answer, anything, rules, few, outlives, asked, byHand, masked, sibling, scored]) used.free();

// Errors have a status and a place.
assert.throws(() => plain.evaluate([1, 1 << 30]), {name: 'token_out_of_range', where: 1});
assert.throws(() => tern.model(bytes.subarray(0, 100)), {name: 'truncated'});
assert.throws(() => tern.model(bytes, {isa: 'none'}), {name: 'isa_unknown'});

// What is freed is there for others.
const size = tern.entries.memory.buffer.byteLength;
for (let i = 0; i < 20; ++i) {
  const other = tern.model(bytes);
  other.session().free();
  other.grammar('root ::= "x"').free();
  other.free();
}
assert(tern.entries.memory.buffer.byteLength < size + 4 * bytes.length + (64 << 20));
console.log('ok');
