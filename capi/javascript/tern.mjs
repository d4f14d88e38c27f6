// tern: ternary language models in JavaScript, on the C ABI of tern compiled to WebAssembly.
//
//     import {Tern} from './tern.mjs';
//
//     const tern = await Tern.load(bytesOfTernWasm);
//     const model = tern.model(bytesOfModel);
//     const session = model.session();
//     for (const text of session.generate('Once upon a time', {maxTokens: 100})) show(text);
//     session.free();
//     model.free();
//
// One file, no dependency; runs in browsers, workers and node. The module asks for nothing but a clock.
// Models, sessions and the bytes of models lie in the module's memory until free(). Not for several
// threads: a worker has a module of its own.

const OK = 0;
const BUFFER_TOO_SMALL = 12;
const ADD_SPECIAL = 1;
const PARSE_SPECIAL = 2;
const CONTINUES = 2;
const NOWHERE = 0xffffffffffffffffn;
const BAD_DESCRIPTOR = 8;  // of WASI: there are no files
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
  /** read(address, size) of what a function of tern.h points to. */
  pointed(read, name, ...args) {
    return this.scoped((allocate) => {
      const out = allocate(8);
      this.call(name, ...args, out, out + 4);
      return read(this.word(out), this.word(out + 4));
    });
  }
}

/** A model: immutable. */
class Model {
  constructor(tern, bytes, {isa}) {
    this.tern = tern;
    const {entries} = tern;
    this.file = entries.malloc(bytes.length) >>> 0;
    this.users = 1;  // this object and its sessions: all read the bytes
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

  /** Sessions of the model may live on; the last one to be freed frees the bytes. */
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

  /** A new session. Options: context, batch, kv (0 f16, 1 int8). */
  session(options = {}) { return new Session(this, options); }
}

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

/** One text in progress. */
class Session extends User {
  constructor(model, {context, batch, kv}, at) {
    super(model, 'session', at ?? model.tern.scoped((allocate) => {
      const fields = [[4, 'u32', context], [8, 'u32', batch], [24, 'u32', kv]];
      return model.tern.result('session_create', model.at, model.tern.putOptions(allocate, 32, fields));
    }));
  }

  get position() { return this.tern.entries.tern_session_position(this.at); }
  get capacity() { return this.tern.entries.tern_session_capacity(this.at); }

  fork() {
    return new Session(this.model, {}, this.tern.result('session_fork', this.at));
  }
  truncate(position) { this.call('truncate', position); }
  reset() { this.call('reset'); }

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

  /** A copy of the logits of the last token. */
  get logits() {
    return this.floats('session_logits');
  }
  floats(name) {
    const {memory} = this.tern.entries;
    return this.tern.pointed((at, size) => new Float32Array(memory.buffer, at, size).slice(), name, this.at);
  }

  /** The next token. Options: temperature, topK, topP, minP, repeatPenalty, seed. */
  sample({temperature, topK, topP, minP, repeatPenalty, seed} = {}) {
    return this.tern.scoped((allocate) => {
      const fields = [
        [4, 'f32', temperature], [8, 'u32', topK], [12, 'f32', topP], [16, 'f32', minP],
        [20, 'f32', repeatPenalty], [24, 'u64', seed],
      ];
      return this.tern.result('session_sample', this.at, this.tern.putOptions(allocate, 48, fields));
    });
  }

  /** The continuation of a prompt, in pieces of whole characters. Leave the loop to stop early: the
   * session then holds all tokens but the last one that came. */
  * generate(prompt, {maxTokens = 128, ...sampler} = {}) {
    if (prompt) this.evaluate(typeof prompt === 'string' ? this.model.tokenize(prompt) : prompt);
    const decoder = new TextDecoder();
    for (let n = 0; n < maxTokens; ++n) {
      const token = this.sample(sampler);
      if (this.model.endsText(token)) break;
      const text = decoder.decode(this.model.detokenize([token], {continues: true}), {stream: true});
      if (text) yield text;
      if (this.position === this.capacity) break;
      this.evaluate([token]);
    }
    const rest = decoder.decode();
    if (rest) yield rest;
  }
}
