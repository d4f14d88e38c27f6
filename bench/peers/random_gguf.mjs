// Writes a random ternary model of a given shape as GGUF, in types that llama.cpp runs: TQ2_0
// linear layers, an F16 embedding that is also the head, a byte-level vocabulary.
//
// The weights are one random mebibyte over and over: speed does not depend on them, and a file of a
// gigabyte is written in seconds.

import fs from "node:fs";

const kAlignment = 32;
const kTypes = { f32: [0, 1, 4], f16: [1, 1, 2], tq2_0: [35, 256, 66] };
const kValue = { u32: 4, i32: 5, f32: 6, string: 8, array: 9 };

/** The shapes that both programs run; dimensions as published. */
export const kShapes = {
  "bitnet-2b-4t": { architecture: "bitnet", width: 2560, layers: 30, heads: 20, kvHeads: 5,
    headDim: 128, ffn: 6912, vocab: 128256, ropeBase: 500000, context: 4096 },
  "bitnet-large": { architecture: "bitnet", width: 1536, layers: 24, heads: 16, kvHeads: 16,
    headDim: 96, ffn: 4096, vocab: 32002, ropeBase: 10000, context: 2048 },
};

const u32 = (value) => { const b = Buffer.alloc(4); b.writeUInt32LE(value); return b; };
const u64 = (value) => { const b = Buffer.alloc(8); b.writeBigUInt64LE(BigInt(value)); return b; };
const f32 = (value) => { const b = Buffer.alloc(4); b.writeFloatLE(value); return b; };
const text = (value) => {
  const bytes = Buffer.from(value, "utf8");
  return Buffer.concat([u64(bytes.length), bytes]);
};
const encoders = { u32, f32, string: text, i32: (v) => u32(v >>> 0) };

const pair = (key, type, value) =>
  Buffer.concat([text(key), u32(kValue[type]), encoders[type](value)]);
const list = (key, type, values) => Buffer.concat([
  text(key), u32(kValue.array), u32(kValue[type]), u64(values.length),
  ...values.map(encoders[type])]);

/** A small fast generator (xorshift32); the file is the same on every machine. */
function randomBytes(n) {
  const out = Buffer.alloc(n);
  let state = 0x9E3779B9;
  for (let i = 0; i < n; ++i) {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    out[i] = (state >>> 0) % 251;
  }
  return out;
}

/** Printable stand-ins of all bytes, as byte-level vocabularies spell them. */
function byteSpellings() {
  const plain = (b) => (b >= 33 && b <= 126) || (b >= 161 && b <= 172) || (b >= 174 && b <= 255);
  let next = 256;
  return Array.from({ length: 256 }, (_, b) => String.fromCodePoint(plain(b) ? b : next++));
}

function metadata(name, s) {
  const a = `${s.architecture}.`;
  const tokens = byteSpellings();
  while (tokens.length < s.vocab) tokens.push(`<${tokens.length}>`);
  const end = s.vocab - 1;
  return [
    pair("general.architecture", "string", s.architecture),
    pair("general.name", "string", name),
    pair("general.file_type", "u32", 37),
    pair("general.quantization_version", "u32", 2),
    pair(`${a}vocab_size`, "u32", s.vocab),
    pair(`${a}context_length`, "u32", s.context),
    pair(`${a}embedding_length`, "u32", s.width),
    pair(`${a}block_count`, "u32", s.layers),
    pair(`${a}feed_forward_length`, "u32", s.ffn),
    pair(`${a}attention.head_count`, "u32", s.heads),
    pair(`${a}attention.head_count_kv`, "u32", s.kvHeads),
    pair(`${a}attention.key_length`, "u32", s.headDim),
    pair(`${a}attention.value_length`, "u32", s.headDim),
    pair(`${a}attention.layer_norm_rms_epsilon`, "f32", 1e-5),
    pair(`${a}rope.dimension_count`, "u32", s.headDim),
    pair(`${a}rope.freq_base`, "f32", s.ropeBase),
    pair("tokenizer.ggml.model", "string", "gpt2"),
    pair("tokenizer.ggml.pre", "string", "gpt-2"),
    list("tokenizer.ggml.tokens", "string", tokens),
    list("tokenizer.ggml.token_type", "i32", tokens.map((_, i) => (i < 256 ? 1 : i === end ? 3 : 4))),
    list("tokenizer.ggml.merges", "string", ["t h"]),
    pair("tokenizer.ggml.bos_token_id", "u32", end),
    pair("tokenizer.ggml.eos_token_id", "u32", end),
  ];
}

function tensors(s) {
  const q = s.heads * s.headDim;
  const kv = s.kvHeads * s.headDim;
  const out = [["token_embd.weight", "f16", [s.width, s.vocab]],
    ["output_norm.weight", "f32", [s.width]]];
  const gains = { attn_norm: s.width, attn_sub_norm: q, ffn_norm: s.width, ffn_sub_norm: s.ffn };
  const linears = { attn_q: [s.width, q], attn_k: [s.width, kv], attn_v: [s.width, kv],
    attn_output: [q, s.width], ffn_gate: [s.width, s.ffn], ffn_up: [s.width, s.ffn],
    ffn_down: [s.ffn, s.width] };
  for (let layer = 0; layer < s.layers; ++layer) {
    const add = (name, type, dims) => out.push([`blk.${layer}.${name}.weight`, type, dims]);
    for (const [name, size] of Object.entries(gains)) add(name, "f32", [size]);
    for (const [name, dims] of Object.entries(linears)) add(name, "tq2_0", dims);
  }
  return out;
}

function byteSize([, type, dims]) {
  const [, elements, bytes] = kTypes[type];
  return dims.reduce((product, d) => product * d, 1) / elements * bytes;
}

/** A mebibyte or so of valid data of each type, a whole number of blocks. */
function patterns() {
  const blocks = 16384;
  const random = randomBytes(blocks * 64);
  const trits = Buffer.alloc(blocks * 66);
  for (let b = 0; b < blocks; ++b) {
    for (let i = 0; i < 64; ++i) {
      const v = random[b * 64 + i];
      trits[b * 66 + i] = v % 3 | Math.floor(v / 3) % 3 << 2 | Math.floor(v / 9) % 3 << 4 |
        Math.floor(v / 27) % 3 << 6;
    }
    trits.writeUInt16LE(0x2519, b * 66 + 64);  // 0.02 in binary16
  }
  const halves = Buffer.alloc(1 << 20);
  for (let i = 0; i < halves.length; i += 2) {
    // Magnitudes from 1/64 to 1/16 of either sign, by their bits.
    halves.writeUInt16LE(0x2400 | (random[i] << 3) & 0x7FF | (random[i + 1] & 1) << 15, i);
  }
  const ones = Buffer.alloc(1 << 16);
  for (let i = 0; i < ones.length; i += 4) ones.writeFloatLE(1, i);
  return { tq2_0: trits, f16: halves, f32: ones };
}

/** Writes the model of a shape. Cost: its size on disk, a few seconds a gigabyte. */
export function writeRandomGguf(file, name) {
  const shape = kShapes[name];
  const pairs = metadata(name, shape);
  const all = tensors(shape);
  const padded = (size) => Math.ceil(size / kAlignment) * kAlignment;
  let offset = 0;
  const infos = all.map((tensor) => {
    const [tensorName, type, dims] = tensor;
    const info = Buffer.concat([text(tensorName), u32(dims.length), ...dims.map(u64),
      u32(kTypes[type][0]), u64(offset)]);
    offset += padded(byteSize(tensor));
    return info;
  });
  const header = Buffer.concat([Buffer.from("GGUF"), u32(3), u64(all.length), u64(pairs.length),
    ...pairs, ...infos]);
  const pattern = patterns();
  const out = fs.openSync(file, "w");
  fs.writeSync(out, header);
  fs.writeSync(out, Buffer.alloc(padded(header.length) - header.length));
  for (const tensor of all) {
    const source = pattern[tensor[1]];
    const size = byteSize(tensor);
    for (let done = 0; done < size; done += source.length) {
      fs.writeSync(out, source, 0, Math.min(source.length, size - done));
    }
    fs.writeSync(out, Buffer.alloc(padded(size) - size));
  }
  fs.closeSync(out);
}
