// Compares tern's logits with those of llama.cpp, on the models that random_model_gguf wrote.
//
// Usage: node llama_cpp_agreement.mjs TERN FOLDER
// TERN is the program; FOLDER holds node_modules and the models. Exit status 77: node-llama-cpp is
// not installed or node too old; nothing was compared.
//
// Bits cannot be equal. llama.cpp quantizes the activations of a TQ2_0 product for every block of
// 256 columns, tern for a whole token, as the models were trained; llama.cpp also rounds queries,
// attention weights and the head's input to f16, and sums norms in double. Where any of this moves
// a value over a rounding boundary, an int8 activation moves by one unit, and all that follows sees
// it. So the two differ by the noise of int8 activations: about one percent of the output of every
// linear, and of a two-layer model's logits three to four percent of their spread (the standard
// deviation over the vocabulary). The limits are fractions of the spread:
//   kRms    0.05  root mean square of all differences of log-probabilities: half as much again as
//                 was measured. Another base of the rotary positions gives 0.07, ReLU^2 for SiLU
//                 0.27.
//   kClear  0.15  top-1 tokens must be equal where llama.cpp's margin between its first and second
//                 is larger: three times the noise of a difference of two logits, 0.035 * sqrt(2).
//   kExact  0.003 where a row is one block and attention sees one token, most of this cannot
//                 happen: at first positions of such a model more than half must be this close.

import { execFileSync } from "node:child_process";
import fs from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";
import process from "node:process";
import { pathToFileURL } from "node:url";

const kRms = 0.05;
const kClear = 0.15;
const kExact = 0.003;
const kSkipped = 77;
const kOldestNode = 20;

/** The package, or nothing where it cannot run. It only loads the binary that npm installed. */
async function openLlama(folder) {
  if (Number.parseInt(process.versions.node, 10) < kOldestNode) return undefined;
  let entry;
  try {
    entry = createRequire(path.join(folder, "package.json")).resolve("node-llama-cpp");
  } catch {
    return undefined;
  }
  const { getLlama } = await import(pathToFileURL(entry));
  return getLlama({
    gpu: false, build: "never", skipDownload: true, progressLogs: false, logLevel: "error",
    maxThreads: 1,  // more wait by turning round, on cores that other tests want
  });
}

/** Raw logits of every token of every sequence: rows of numbers. */
async function llamaLogits(llama, file, sequences) {
  const model = await llama.loadModel({ modelPath: file, gpuLayers: 0 });
  const context = await model.createContext({ contextSize: 256, flashAttention: false });
  const sequence = context.getSequence();
  const rows = [];
  for (const ids of sequences) {
    await sequence.clearHistory();
    const input = ids.map((id) => [id, { generateNext: { logits: true } }]);
    for (const output of await sequence.controlledEvaluate(input)) {
      const row = [];
      for (const [id, logit] of output.next.logits) row[id] = logit;
      rows.push(row);
    }
  }
  await context.dispose();
  await model.dispose();
  return rows;
}

/** A file of float32 values, cut into this many rows. */
function readRows(file, count) {
  const bytes = fs.readFileSync(file);
  const width = bytes.length / 4 / count;
  return Array.from({ length: count }, (_, row) =>
    Array.from({ length: width }, (_, i) => bytes.readFloatLE(4 * (row * width + i))));
}

function ternLogits(program, file, sequences, scratch) {
  return sequences.flatMap((ids) => {
    execFileSync(program, ["logits", "--tokens", ids.join(" "), "-o", scratch, "-m", file]);
    return readRows(scratch, ids.length);
  });
}

function logProbabilities(row) {
  const largest = Math.max(...row);
  const sum = row.reduce((total, logit) => total + Math.exp(logit - largest), 0);
  return row.map((logit) => logit - largest - Math.log(sum));
}

const largestOf = (row) => row.indexOf(Math.max(...row));

function margin(row) {
  const [first, second] = [...row].sort((a, b) => b - a);
  return first - second;
}

function deviation(values) {
  const mean = values.reduce((total, value) => total + value, 0) / values.length;
  return Math.sqrt(values.reduce((total, value) => total + (value - mean) ** 2, 0) / values.length);
}

/** The largest and the root mean square of all differences, in units of `spread`. */
function distance(a, b, spread) {
  const differences = a.flatMap((row, i) => row.map((value, j) => Math.abs(value - b[i][j])));
  const squares = differences.reduce((total, d) => total + d * d, 0);
  return {
    largest: differences.reduce((most, d) => Math.max(most, d), 0) / spread,
    rms: Math.sqrt(squares / differences.length) / spread,
  };
}

function readSequences(folder, name) {
  return fs.readFileSync(path.join(folder, `${name}.ids`), "utf8")
    .trim().split("\n").map((line) => line.split(" ").map(Number));
}

/**
 * What tern exports of a model, by way of a tern file, is the same model to both programs: as TQ2_0
 * bit for bit; as F16 to tern too, while llama.cpp then leaves activations as they are, and gives
 * the same tokens where they are clear. Returns what is wrong.
 */
async function compareExports(llama, program, folder, name) {
  const exported = path.join(folder, "exported");
  fs.mkdirSync(exported, { recursive: true });
  const source = path.join(folder, `${name}.gguf`);
  const packed = path.join(exported, "model.tern");
  const scratch = path.join(exported, "tern.f32");
  const sequences = readSequences(folder, name);
  execFileSync(program, ["convert", source, packed]);
  const ownRows = ternLogits(program, source, sequences, scratch);
  const peerRows = await llamaLogits(llama, source, sequences);
  const faults = [];
  for (const type of ["tq2_0", "tq1_0", "f16"]) {
    const file = path.join(exported, `${type}.gguf`);
    execFileSync(program, ["convert", packed, file, "--weights", type]);
    const own = ternLogits(program, file, sequences, scratch);
    if (JSON.stringify(own) !== JSON.stringify(ownRows)) {
      faults.push(`tern has other logits of its export as ${type}`);
    }
    const peer = await llamaLogits(llama, file, sequences);
    if (type === "tq2_0" && JSON.stringify(peer) !== JSON.stringify(peerRows)) {
      faults.push("llama.cpp has other logits of the export as tq2_0");
    }
    const spread = peer.reduce((total, row) => total + deviation(row), 0) / peer.length;
    const clear = peer.map((row) => margin(row) / spread > kClear);
    const wrong = clear.flatMap((isClear, i) =>
      isClear && largestOf(peer[i]) !== largestOf(own[i]) ? [i] : []);
    const clearCount = clear.filter(Boolean).length;
    const { largest, rms } = distance(peer.map(logProbabilities), own.map(logProbabilities), spread);
    console.log(`  exported as ${type}: llama.cpp to tern at most ${largest.toFixed(4)} of the ` +
      `spread, rms ${rms.toFixed(4)}; top-1: ${clearCount} clear, ${wrong.length} of them differ`);
    if (clearCount * 2 < peer.length) faults.push(`${type}: fewer than half of it is clear`);
    if (wrong.length > 0) faults.push(`${type}: another top-1 token at ${wrong.join(", ")}`);
    fs.rmSync(file);
  }
  fs.rmSync(packed);
  return faults.map((fault) => `${name}: ${fault}`);
}

/** Compares one model and prints what it found; returns what is wrong. */
async function compare(llama, program, folder, name) {
  const file = path.join(folder, `${name}.gguf`);
  const sequences = readSequences(folder, name);
  const count = sequences.reduce((total, ids) => total + ids.length, 0);

  const peerLogits = await llamaLogits(llama, file, sequences);
  const spread = peerLogits.reduce((total, row) => total + deviation(row), 0) / count;
  const peer = peerLogits.map(logProbabilities);
  const tern = ternLogits(program, file, sequences, path.join(folder, "tern.f32"))
    .map(logProbabilities);
  const reference = readRows(path.join(folder, `${name}.reference.f32`), count)
    .map(logProbabilities);

  const margins = peer.map((row) => margin(row) / spread);
  const clear = margins.map((value) => value > kClear);
  const differs = peer.map((row, i) => largestOf(row) !== largestOf(tern[i]));
  const clearCount = clear.filter(Boolean).length;
  const differing = margins.filter((_, i) => differs[i]);
  const wrong = clear.flatMap((isClear, i) => isClear && differs[i] ? [i] : []);
  const firsts = sequences.map((_, i) => i * sequences[0].length);
  const exactFirsts = firsts.filter((i) =>
    distance([peer[i]], [tern[i]], spread).largest < kExact).length;

  const show = (what, { largest, rms }) => console.log(
    `  ${what}: at most ${largest.toFixed(4)} of the spread (${(largest * spread).toFixed(3)}), ` +
    `rms ${rms.toFixed(4)}`);
  const peerToTern = distance(peer, tern, spread);
  console.log(`${name}: ${count} positions, spread ${spread.toFixed(2)}`);
  show("llama.cpp to tern", peerToTern);
  show("llama.cpp to the reference", distance(peer, reference, spread));
  show("tern to the reference", distance(tern, reference, spread));
  console.log(`  top-1: ${clearCount} clear, ${wrong.length} of them differ; ` +
    `${differing.length} differ in all, ` +
    `at margins up to ${Math.max(0, ...differing).toFixed(3)}; ` +
    `${exactFirsts} of ${firsts.length} first positions within ${kExact}`);

  const faults = [];
  if (!(peerToTern.rms < kRms)) faults.push(`rms difference is not below ${kRms}`);
  if (clearCount * 2 < count) faults.push("fewer than half of the positions are clear");
  if (wrong.length > 0) faults.push(`another top-1 token at clear positions ${wrong.join(", ")}`);
  if (name.endsWith("_one_block") && exactFirsts * 2 <= firsts.length) {
    faults.push(`first positions differ by ${kExact} and more`);
  }
  return faults.map((fault) => `${name}: ${fault}`);
}

const [program, folderName] = process.argv.slice(2);
if (folderName === undefined) {
  console.error("usage: node llama_cpp_agreement.mjs TERN FOLDER");
  process.exit(2);
}
const folder = path.resolve(folderName);
const llama = await openLlama(folder);
if (llama === undefined) {
  console.log(`skipped: node-llama-cpp is not installed in ${folder}, or node is older than ` +
    `${kOldestNode}`);
  process.exit(kSkipped);
}
const names = fs.readdirSync(folder).filter((name) => name.endsWith(".gguf"))
  .map((name) => path.basename(name, ".gguf"));
const faults = names.length > 0 ? [] : ["there are no models"];
for (const name of names) {
  faults.push(...await compare(llama, program, folder, name));
  faults.push(...await compareExports(llama, program, folder, name));
}
for (const fault of faults) console.error(`llama_cpp_agreement: ${fault}`);
await llama.dispose();
process.exit(faults.length > 0 ? 1 : 0);
