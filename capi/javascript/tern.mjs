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

  get version() {
    return this.textAt(this.entries.tern_version_string());
  }

  /** A model from the bytes of a GGUF or tern file, which are copied into the module. */
  model(bytes, options = {}) {
    return new Model(this, bytes, options);
  }

  // What follows is for the classes below.

  check(status) {
    if (status !== OK) throw new TernError(this, status);
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
  bytes(at, size) {
    return new Uint8Array(this.entries.memory.buffer, at, size);
  }
  view() {
    return new DataView(this.entries.memory.buffer);
  }
  word(at) {
    return this.view().getUint32(at, true);
  }

  put(allocate, bytes) {
    const at = allocate(bytes.length);
    this.bytes(at, bytes.length).set(bytes);
    return at;
  }
  putIds(allocate, ids) {
    const at = allocate(4 * ids.length);
    new Int32Array(this.entries.memory.buffer, at, ids.length).set(ids);
    return at;
  }
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

  /** The ids that call(array, capacity, size) gives, called again if there was too little room. */
  ids(capacity, call) {
    for (;;) {
      const result = this.scoped((allocate) => {
        const array = allocate(4 * capacity);
        const size = allocate(4);
        const status = call(array, capacity, size);
        const n = this.word(size);
        if (status === BUFFER_TOO_SMALL && n > capacity) return n;
        this.check(status);
        return [...new Int32Array(this.entries.memory.buffer, array, n)];
      });
      if (Array.isArray(result)) return result;
      capacity = result;
    }
  }

  /** The handle that call(out) gives. */
  handle(call) {
    return this.scoped((allocate) => {
      const out = allocate(4);
      this.check(call(out));
      return this.word(out);
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
        const options = tern.putOptions(allocate, 56, [
          [8, 'u32', tern.put(allocate, name)],
          [12, 'u32', name.length],
        ]);
        return tern.handle((out) => entries.tern_model_load_memory(this.file, bytes.length, options, out));
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

  get name() {
    return this.tern.textAt(this.tern.entries.tern_model_name(this.at, 0));
  }
  get architecture() {
    return this.tern.textAt(this.tern.entries.tern_model_architecture(this.at, 0));
  }
  get isa() {
    return this.tern.textAt(this.tern.entries.tern_model_isa(this.at, 0));
  }
  get context() {
    return this.tern.entries.tern_model_context(this.at);
  }
  get vocabSize() {
    return this.tern.entries.tern_model_vocab_size(this.at);
  }

  /** Token ids of a text. */
  tokenize(text, {special = true, parseSpecial = false} = {}) {
    const {tern} = this;
    const bytes = new TextEncoder().encode(text);
    const flags = (special ? ADD_SPECIAL : 0) | (parseSpecial ? PARSE_SPECIAL : 0);
    return tern.scoped((allocate) => {
      const at = tern.put(allocate, bytes);
      return tern.ids(bytes.length + 8, (array, capacity, size) =>
          tern.entries.tern_model_tokenize(this.at, at, bytes.length, flags, array, capacity, size));
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
      const guess = contents.reduce((sum, bytes) => sum + bytes.length + 64, 64);
      return tern.ids(guess, (array, capacity, size) => tern.entries.tern_model_tokenize_chat(
          this.at, at, messages.length, 0, array, capacity, size));
    });
  }

  /** The bytes of tokens; of a text in progress, they may end inside a character. */
  detokenize(tokens, {continues = false} = {}) {
    const {tern} = this;
    return tern.scoped((allocate) => {
      const ids = tern.putIds(allocate, tokens);
      const size = allocate(4);
      const call = (text, capacity) => tern.entries.tern_model_detokenize(
          this.at, ids, tokens.length, continues ? CONTINUES : 0, text, capacity, size);
      const status = call(0, 0);
      if (status !== BUFFER_TOO_SMALL) {
        tern.check(status);
        return new Uint8Array();
      }
      const capacity = tern.word(size);
      const text = allocate(capacity);
      tern.check(call(text, capacity));
      return tern.bytes(text, tern.word(size)).slice();
    });
  }

  endsText(token) {
    return this.tern.entries.tern_model_is_end_of_generation(this.at, token) !== 0;
  }

  /** A new session. Options: context, batch, kv (0 f16, 1 int8). */
  session(options = {}) {
    return new Session(this, options);
  }
}

/** One text in progress. */
class Session {
  constructor(model, {context, batch, kv}, at) {
    this.model = model;
    this.tern = model.tern;
    this.at = at ?? this.tern.scoped((allocate) => {
      const options = this.tern.putOptions(allocate, 32, [
        [4, 'u32', context],
        [8, 'u32', batch],
        [24, 'u32', kv],
      ]);
      return this.tern.handle((out) => this.tern.entries.tern_session_create(model.at, options, out));
    });
    ++model.users;
  }

  free() {
    this.tern.entries.tern_session_free(this.at);
    this.at = 0;
    this.model.release();
  }

  get position() {
    return this.tern.entries.tern_session_position(this.at);
  }
  get capacity() {
    return this.tern.entries.tern_session_capacity(this.at);
  }

  fork() {
    const at = this.tern.handle((out) => this.tern.entries.tern_session_fork(this.at, out));
    return new Session(this.model, {}, at);
  }
  truncate(position) {
    this.tern.check(this.tern.entries.tern_session_truncate(this.at, position));
  }
  reset() {
    this.tern.check(this.tern.entries.tern_session_reset(this.at));
  }

  evaluate(tokens) {
    this.tern.scoped((allocate) => {
      const ids = this.tern.putIds(allocate, tokens);
      this.tern.check(this.tern.entries.tern_session_evaluate(this.at, ids, tokens.length, 0, 0));
    });
  }

  /** An evaluation in slices: begin, then step(milliseconds) until it gives true. */
  begin(tokens) {
    this.tern.scoped((allocate) => {
      const ids = this.tern.putIds(allocate, tokens);
      this.tern.check(this.tern.entries.tern_session_begin(this.at, ids, tokens.length));
    });
  }
  step(milliseconds) {
    return this.tern.scoped((allocate) => {
      const done = allocate(4);
      const budget = BigInt(Math.max(0, Math.round(milliseconds * 1000)));
      this.tern.check(this.tern.entries.tern_session_step(this.at, budget, done));
      return this.tern.word(done) !== 0;
    });
  }

  /** A copy of the logits of the last token. */
  get logits() {
    return this.tern.scoped((allocate) => {
      const out = allocate(8);
      this.tern.check(this.tern.entries.tern_session_logits(this.at, out, out + 4));
      return new Float32Array(this.tern.entries.memory.buffer, this.tern.word(out), this.tern.word(out + 4))
          .slice();
    });
  }

  /** The next token. Options: temperature, topK, topP, minP, repeatPenalty, seed. */
  sample({temperature, topK, topP, minP, repeatPenalty, seed} = {}) {
    return this.tern.scoped((allocate) => {
      const options = this.tern.putOptions(allocate, 48, [
        [4, 'f32', temperature],
        [8, 'u32', topK],
        [12, 'f32', topP],
        [16, 'f32', minP],
        [20, 'f32', repeatPenalty],
        [24, 'u64', seed],
      ]);
      const token = allocate(4);
      this.tern.check(this.tern.entries.tern_session_sample(this.at, options, token));
      return this.tern.view().getInt32(token, true);
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
