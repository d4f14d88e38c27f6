// tern: ternary language models in JavaScript, on the C ABI of tern compiled to WebAssembly.
//
//     import {Tern} from './tern.mjs';
//
//     const tern = await Tern.load(bytesOfTernWasm);
//     const model = tern.model(bytesOfModel);
//     const session = model.session();
//     for (const text of session.generate('Once upon a time', {maxTokens: 100})) show(text);
//     const answer = model.grammar('root ::= "yes" | "no"');
//     for (const text of session.generate(' Was it a dog? ', {grammar: answer})) show(text);
//     for (const used of [session, answer, model]) used.free();
//
// One file, no dependency; runs in browsers, workers and node. The module asks for nothing but a clock.
// Models, sessions, grammars and the bytes of models lie in the module's memory until free(). Not for
// several threads: a worker has a module of its own.

const OK = 0;
const BUFFER_TOO_SMALL = 12;
const ADD_SPECIAL = 1;
const PARSE_SPECIAL = 2;
const CONTINUES = 2;
const NOWHERE = 0xffffffffffffffffn;
const BAD_DESCRIPTOR = 8;  // of WASI: there are no files
const GBNF = 0;
const JSON_SCHEMA = 1;
const ROLES = {system: 0, user: 1, assistant: 2};

/** What a call of tern failed with: a status, its name, one line, and where. */
export class TernError extends Error {
  constructor(tern, status) {
    super(tern.textAt(tern.entries.tern_last_error_message()));
    this.status = status;
    this.name = tern.textAt(tern.entries.tern_status_name(status));
    const where = BigInt.asUintN(64, tern.entries.tern_last_error_where());
    this.where = where === NOWHERE ? undefined : Number(where);
  }
}

/** The module. */
export class Tern {
  /** @param wasm the bytes of tern.wasm, or a compiled WebAssembly.Module */
  static async load(wasm) {
    const module = wasm instanceof WebAssembly.Module ? wasm : await WebAssembly.compile(wasm);
    const tern = new Tern();
    const system = {
      clock_time_get: (id, precision, out) => {
        const now = BigInt(Math.round(performance.now() * 1e6));
        new DataView(tern.entries.memory.buffer).setBigUint64(out, now, true);
        return OK;
      },
    };
    // The runtime library names more calls than tern makes: they are there, and refuse.
    const imports = {};
    for (const {module: from, name} of WebAssembly.Module.imports(module)) {
      imports[from] ??= {};
      imports[from][name] = system[name] ?? (() => BAD_DESCRIPTOR);
    }
    const instance = await WebAssembly.instantiate(module, imports);
    tern.entries = instance.exports;
    tern.entries._initialize();
    return tern;
  }

  get version() { return this.textAt(this.entries.tern_version_string()); }

  /** A model from the bytes of a GGUF or tern file, which are copied into the module. */
  model(bytes, options = {}) { return new Model(this, bytes, options); }

  // What follows is for the classes below.

  check(status) {
    if (status !== OK) throw new TernError(this, status);
  }
  /** Calls a function of tern.h; a failure becomes an error. */
  call(name, ...args) {
    this.check(this.entries[`tern_${name}`](...args));
  }

  /** body(allocate): what it allocates is freed when it ends. */
  scoped(body) {
    const blocks = [];
    const allocate = (size) => {
      const at = this.entries.malloc(Math.max(size, 1)) >>> 0;
      if (at === 0) throw new RangeError('the memory of the module is exhausted');
      blocks.push(at);
      return at;
    };
    try {
      return body(allocate);
    } finally {
      for (const at of blocks) this.entries.free(at);
    }
  }

  // Views are made anew: they end when the memory grows.
  bytes(at, size) { return new Uint8Array(this.entries.memory.buffer, at, size); }
  view() { return new DataView(this.entries.memory.buffer); }
  word(at) { return this.view().getUint32(at, true); }

  put(allocate, array) {
    const at = allocate(array.byteLength);
    this.bytes(at, array.byteLength).set(new Uint8Array(array.buffer, array.byteOffset, array.byteLength));
    return at;
  }
  putIds(allocate, ids) { return this.put(allocate, Int32Array.from(ids)); }
  /** A struct of options whose first field is its size: [offset, kind, value] of what is not 0. */
  putOptions(allocate, size, fields) {
    const at = allocate(size);
    this.bytes(at, size).fill(0);
    const view = this.view();
    view.setUint32(at, size, true);
    for (const [offset, kind, value] of fields) {
      if (value === undefined) continue;
      if (kind === 'f32') view.setFloat32(at + offset, value, true);
      else if (kind === 'u64') view.setBigUint64(at + offset, BigInt(value), true);
      else view.setUint32(at + offset, value, true);
    }
    return at;
  }

  textAt(address) {
    const at = address >>> 0;  // entries give addresses as signed numbers
    const memory = new Uint8Array(this.entries.memory.buffer);
    return new TextDecoder().decode(memory.slice(at, memory.indexOf(0, at)));
  }

  /** What a function of tern.h puts into a buffer, called again if there was too little room. */
  filled(ArrayOf, capacity, name, ...args) {
    const result = this.scoped((allocate) => {
      const array = allocate(ArrayOf.BYTES_PER_ELEMENT * capacity);
      const size = allocate(4);
      const status = this.entries[`tern_${name}`](...args, array, capacity, size);
      if (status === BUFFER_TOO_SMALL) return this.word(size);
      this.check(status);
      return new ArrayOf(this.entries.memory.buffer, array, this.word(size)).slice();
    });
    return typeof result === 'number' ? this.filled(ArrayOf, result, name, ...args) : result;
  }

  /** The handle or number that a function of tern.h gives through its last parameter. */
  result(name, ...args) {
    return this.scoped((allocate) => {
      const out = allocate(4);
      this.call(name, ...args, out);
      return this.word(out);
    });
  }
  /** A copy of the numbers that a function of tern.h points to, each of so many of the array's. */
  pointed(ArrayOf, scale, name, ...args) {
    return this.scoped((allocate) => {
      const out = allocate(8);
      this.call(name, ...args, out, out + 4);
      return new ArrayOf(this.entries.memory.buffer, this.word(out), scale * this.word(out + 4)).slice();
    });
  }
}

/** A model: immutable. */
class Model {
  constructor(tern, bytes, {isa}) {
    this.tern = tern;
    const {entries} = tern;
    this.file = entries.malloc(bytes.length) >>> 0;
    this.users = 1;  // this object, its sessions and grammars: all read the bytes
    if (this.file === 0) throw new RangeError('the memory of the module is exhausted');
    tern.bytes(this.file, bytes.length).set(bytes);
    try {
      this.at = tern.scoped((allocate) => {
        const name = new TextEncoder().encode(isa ?? '');
        const fields = [[8, 'u32', tern.put(allocate, name)], [12, 'u32', name.length]];
        const options = tern.putOptions(allocate, 56, fields);
        return tern.result('model_load_memory', this.file, bytes.length, options);
      });
    } catch (error) {
      entries.free(this.file);
      throw error;
    }
  }

  /** Sessions and grammars of the model may live on; the last one to be freed frees the bytes. */
  free() {
    this.tern.entries.tern_model_free(this.at);
    this.at = 0;
    this.release();
  }
  release() {
    if (--this.users === 0) this.tern.entries.free(this.file);
  }

  text(what) {
    return this.tern.textAt(this.tern.entries[`tern_model_${what}`](this.at, 0));
  }
  get name() { return this.text('name'); }
  get architecture() { return this.text('architecture'); }
  get isa() { return this.text('isa'); }
  get context() { return this.tern.entries.tern_model_context(this.at); }
  get vocabSize() { return this.tern.entries.tern_model_vocab_size(this.at); }

  /** Token ids of a text. */
  tokenize(text, {special = true, parseSpecial = false} = {}) {
    const {tern} = this;
    const bytes = new TextEncoder().encode(text);
    const flags = (special ? ADD_SPECIAL : 0) | (parseSpecial ? PARSE_SPECIAL : 0);
    return tern.scoped((allocate) => {
      const at = tern.put(allocate, bytes);
      return [...tern.filled(Int32Array, bytes.length + 8, 'model_tokenize', this.at, at, bytes.length, flags)];
    });
  }

  /** Token ids of a conversation: [{role: 'user', content: '...'}, ...]. */
  tokenizeChat(messages) {
    const {tern} = this;
    return tern.scoped((allocate) => {
      const contents = messages.map(({content}) => new TextEncoder().encode(content));
      const words = contents.flatMap((bytes, i) =>
          [tern.put(allocate, bytes), bytes.length, ROLES[messages[i].role]]);
      const at = tern.putIds(allocate, words);
      return [...tern.filled(Int32Array, 4096, 'model_tokenize_chat', this.at, at, messages.length, 0)];
    });
  }

  /** The bytes of tokens; of a text in progress, they may end inside a character. */
  detokenize(tokens, {continues = false} = {}) {
    const {tern} = this;
    return tern.scoped((allocate) => {
      const ids = tern.putIds(allocate, tokens);
      const flags = continues ? CONTINUES : 0;
      return tern.filled(Uint8Array, 16 * tokens.length, 'model_detokenize', this.at, ids, tokens.length, flags);
    });
  }

  endsText(token) { return this.tern.entries.tern_model_is_end_of_generation(this.at, token) !== 0; }

  /** A new session. Options: context, batch, kv (0 f16, 1 to 3 int8, int4, int3). */
  session(options = {}) { return new Session(this, options); }

  /** A Grammar from rules, such as: root ::= "yes" | "no". */
  grammar(gbnf) { return new Grammar(this, GBNF, gbnf); }
  /** A Grammar of JSON that is valid against a schema, its text or an object. */
  jsonSchema(schema) {
    return new Grammar(this, JSON_SCHEMA, typeof schema === 'string' ? schema : JSON.stringify(schema));
  }

  /** A mask, 32 tokens a word: of ids (an array) that are allowed, or as Grammar.mask() gives it. */
  mask(allowed) {
    if (allowed === undefined || allowed instanceof Uint32Array) return allowed;
    const words = new Uint32Array(2 * Math.ceil(this.vocabSize / 64));
    for (const token of allowed) {
      if (!(token >= 0 && token < this.vocabSize)) throw new RangeError(`the model has no token ${token}`);
      words[token >> 5] |= 1 << (token & 31);
    }
    return words;
  }
}

/** What two masks allow; undefined is all. */
const both = (mask, other) => mask && other ? mask.map((word, i) => word & other[i]) : mask ?? other;

/** What uses a model: its handle, until free(). */
class User {
  constructor(model, kind, at) {
    Object.assign(this, {model, tern: model.tern, kind, at});
    ++model.users;
  }
  free() {
    this.tern.entries[`tern_${this.kind}_free`](this.at);
    this.at = 0;
    this.model.release();
  }
  call(name, ...args) { this.tern.call(`${this.kind}_${name}`, this.at, ...args); }
}

/** What a text has to be, and how far one is in it. */
class Grammar extends User {
  constructor(model, kind, text, at) {
    super(model, 'grammar', at ?? model.tern.scoped((allocate) => {
      const bytes = new TextEncoder().encode(text);
      return model.tern.result('grammar_create', model.at, kind, model.tern.put(allocate, bytes), bytes.length);
    }));
  }

  fork() { return new Grammar(this.model, GBNF, '', this.tern.result('grammar_fork', this.at)); }
  reset() { this.call('reset'); }
  accept(token) { this.call('accept', token); }
  get mayEnd() { return this.tern.entries.tern_grammar_may_end(this.at) !== 0; }
  get isFinished() { return this.tern.entries.tern_grammar_is_finished(this.at) !== 0; }

  /** The tokens that may come next: token t may if mask()[t >> 5] >>> (t & 31) & 1. */
  mask() { return this.tern.pointed(Uint32Array, 2, 'grammar_mask', this.at); }
}

/** One text in progress. */
class Session extends User {
  constructor(model, {context, batch, kv, allowed}, at) {
    super(model, 'session', at ?? model.tern.scoped((allocate) => {
      const fields = [[4, 'u32', context], [8, 'u32', batch], [24, 'u32', kv]];
      return model.tern.result('session_create', model.at, model.tern.putOptions(allocate, 32, fields));
    }));
    this.allowed = allowed;  // by setMask()
  }

  get position() { return this.tern.entries.tern_session_position(this.at); }
  get capacity() { return this.tern.entries.tern_session_capacity(this.at); }

  fork() {
    return new Session(this.model, {allowed: this.allowed}, this.tern.result('session_fork', this.at));
  }
  truncate(position) { this.call('truncate', position); }
  reset() {
    this.call('reset');
    this.allowed = undefined;
  }

  evaluate(tokens) {
    this.tern.scoped((allocate) => {
      this.call('evaluate', this.tern.putIds(allocate, tokens), tokens.length, 0, 0);
    });
  }

  /** An evaluation in slices: begin, then step(milliseconds) until it gives true. */
  begin(tokens) {
    this.tern.scoped((allocate) => {
      this.call('begin', this.tern.putIds(allocate, tokens), tokens.length);
    });
  }
  step(milliseconds) {
    const budget = BigInt(Math.max(0, Math.round(milliseconds * 1000)));
    return this.tern.result('session_step', this.at, budget) !== 0;
  }

  /** Copies of the logits of the last token, and of what the head sees of it. */
  get logits() { return this.tern.pointed(Float32Array, 1, 'session_logits', this.at); }
  get features() { return this.tern.pointed(Float32Array, 1, 'session_features', this.at); }

  /** Evaluates tokens; the log of each one's probability after those before it. */
  score(tokens) {
    return this.tern.scoped((allocate) => {
      const out = allocate(8 * tokens.length);
      this.call('score', this.tern.putIds(allocate, tokens), tokens.length, out);
      return new Float64Array(this.tern.entries.memory.buffer, out, tokens.length).slice();
    });
  }

  /** From here on logits are of these tokens alone: ids, or a Grammar's mask. Nothing: of all. */
  setMask(mask) {
    const allowed = this.model.mask(mask);
    this.tern.scoped((allocate) =>
        this.call('set_mask', allowed ? this.tern.put(allocate, allowed) : 0, (allowed?.length ?? 0) / 2));
    this.allowed = allowed;
  }

  /** The next token. Options: temperature, topK, topP, minP, repeatPenalty, seed, mask. */
  sample({temperature, topK, topP, minP, repeatPenalty, seed, mask} = {}) {
    const allowed = this.model.mask(mask);
    return this.tern.scoped((allocate) => {
      const fields = [
        [4, 'f32', temperature], [8, 'u32', topK], [12, 'f32', topP], [16, 'f32', minP],
        [20, 'f32', repeatPenalty], [24, 'u64', seed],
        [32, 'u32', allowed && this.tern.put(allocate, allowed)],
        [36, 'u32', allowed && allowed.length / 2],
      ];
      return this.tern.result('session_sample', this.at, this.tern.putOptions(allocate, 48, fields));
    });
  }

  /** The continuation of a prompt, in pieces of whole characters. Leave the loop to stop early: the
   * session then holds all tokens but the last one that came. The text is one of the grammar, which a
   * prompt resets; without a prompt it goes on from where it is. Options: those of sample(), too. */
  * generate(prompt, {maxTokens = 128, grammar, mask, ...sampler} = {}) {
    if (prompt) grammar?.reset();
    if (prompt) this.evaluate(typeof prompt === 'string' ? this.model.tokenize(prompt) : prompt);
    const given = both(this.allowed, this.model.mask(mask));
    const decoder = new TextDecoder();
    for (let n = 0; n < maxTokens && !grammar?.isFinished; ++n) {
      const token = this.sample({...sampler, mask: both(given, grammar?.mask())});
      if (this.model.endsText(token)) break;
      grammar?.accept(token);
      const text = decoder.decode(this.model.detokenize([token], {continues: true}), {stream: true});
      if (text) yield text;
      if (this.position === this.capacity) break;
      const kept = this.allowed;
      try {
        this.setMask(both(given, grammar?.mask()));  // the head is read only for what may follow
        this.evaluate([token]);
      } finally {
        this.setMask(kept);
      }
    }
    const rest = decoder.decode();
    if (rest) yield rest;
  }
}
