// Writes 5,000 lines of mixed script, emoji, code and special tokens, and the token ids that
// @lenml/tokenizers gives them, for tests/model/tokenizer_cases_test.cpp to compare with:
// NAME.lines (one a line; \n, \r and \\ escaped) and NAME.ids.
//
// Usage: node npm_agreement.mjs FOLDER
// FOLDER holds node_modules; the files go there too.

import fs from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";
import process from "node:process";
import { VOCABULARIES, readModelFile } from "./npm_packages.mjs";
import { mixedScriptLines } from "./mixed_script_lines.mjs";

const LINES = 5000;
const folder = path.resolve(process.argv[2]);
const { TokenizerLoader } = createRequire(path.join(folder, "package.json"))("@lenml/tokenizers");

const escape = (line) =>
  line.replaceAll("\\", "\\\\").replaceAll("\n", "\\n").replaceAll("\r", "\\r");

for (const vocabulary of VOCABULARIES) {
  const tokenizerJSON = readModelFile(folder, vocabulary, "tokenizer.json");
  const tokenizerConfig = readModelFile(folder, vocabulary, "tokenizer_config.json");
  const tokenizer = TokenizerLoader.fromPreTrained({ tokenizerJSON, tokenizerConfig });
  const lines = mixedScriptLines(LINES, vocabulary.specials);
  const ids = lines.map((line) => tokenizer.encode(line, { add_special_tokens: false }).join(" "));
  const write = (name, rows) =>
    fs.writeFileSync(path.join(folder, name), rows.map((row) => row + "\n").join(""));
  write(`${vocabulary.name}.lines`, lines.map(escape));
  write(`${vocabulary.name}.ids`, ids);
  console.log(`${vocabulary.name}: ${LINES} lines`);
}
