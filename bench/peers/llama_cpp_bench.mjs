// Times tern and llama.cpp side by side on the same random model, in turn, and prints one table.
//
// Usage: node llama_cpp_bench.mjs TERN FOLDER [--shape bitnet-2b-4t] [-t 1,2] [-p 512] [-n 64]
//                                             [--rounds 3] [--batch 512]
// TERN is the program; FOLDER keeps the npm packages and the model between runs. llama.cpp comes
// compiled from the npm registry (node-llama-cpp, the version of tests/peers/package.json). Each
// round times every program once, so that what else the machine does hits all of them; the table
// has medians. llama.cpp's time includes what its node binding adds to a token, well below one
// percent at these sizes.

import { execFileSync } from "node:child_process";
import fs from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";
import process from "node:process";
import { pathToFileURL } from "node:url";

import { kShapes, writeRandomGguf } from "./random_gguf.mjs";

const kPeers = path.join(import.meta.dirname, "../../tests/peers");

function parseArguments(argv) {
  const options = { "--shape": "bitnet-2b-4t", "-t": "1,2", "-p": "512", "-n": "64",
    "--rounds": "3", "--batch": "512" };
  const places = [];
  for (let i = 0; i < argv.length; ++i) {
    if (!argv[i].startsWith("-")) {
      places.push(argv[i]);
    } else if (argv[i] in options && i + 1 < argv.length) {
      options[argv[i]] = argv[++i];
    } else {
      return undefined;
    }
  }
  if (places.length !== 2 || !(options["--shape"] in kShapes)) return undefined;
  return { program: places[0], folder: path.resolve(places[1]), shape: options["--shape"],
    threads: options["-t"].split(",").map(Number), prompt: Number(options["-p"]),
    gen: Number(options["-n"]), rounds: Number(options["--rounds"]),
    batch: Number(options["--batch"]) };
}

/** Installs the peer where it is not yet, without running any of its scripts. */
function install(folder) {
  fs.mkdirSync(folder, { recursive: true });
  for (const name of ["package.json", "package-lock.json"]) {
    fs.copyFileSync(path.join(kPeers, name), path.join(folder, name));
  }
  if (fs.existsSync(path.join(folder, "node_modules/node-llama-cpp"))) return;
  execFileSync("npm", ["install", "--no-audit", "--no-fund", "--ignore-scripts", "--omit=optional"],
    { cwd: folder, stdio: "inherit" });
}

async function openLlama(folder, threads) {
  const entry = createRequire(path.join(folder, "package.json")).resolve("node-llama-cpp");
  const { getLlama } = await import(pathToFileURL(entry));
  return getLlama({ gpu: false, build: "never", skipDownload: true, progressLogs: false,
    logLevel: "error", maxThreads: threads });
}

const seconds = (start) => Number(process.hrtime.bigint() - start) * 1e-9;

/** Tokens a second of prefill and of decoding, each from an empty context. */
async function timeLlama(folder, file, threads, plan) {
  const llama = await openLlama(folder, threads);
  const model = await llama.loadModel({ modelPath: file, gpuLayers: 0 });
  const context = await model.createContext({ contextSize: plan.prompt + plan.gen + 16,
    batchSize: plan.batch, threads, flashAttention: true });
  const sequence = context.getSequence();
  const ids = Array.from({ length: Math.max(plan.prompt, plan.gen) },
    (_, i) => (i * 7919) % kShapes[plan.shape].vocab);
  await sequence.evaluateWithoutGeneratingNewTokens(ids.slice(0, 1));
  await sequence.clearHistory();
  let start = process.hrtime.bigint();
  await sequence.evaluateWithoutGeneratingNewTokens(ids.slice(0, plan.prompt));
  const prefill = plan.prompt / seconds(start);
  await sequence.clearHistory();
  start = process.hrtime.bigint();
  let made = 0;
  for await (const _ of sequence.evaluate([ids[0]], { temperature: 0, yieldEogToken: true })) {
    if (++made === plan.gen) break;
  }
  const decode = made / seconds(start);
  await llama.dispose();
  return { prefill, decode };
}

function timeTern(program, model, threads, plan, extra) {
  const [line] = JSON.parse(execFileSync(program, ["bench", ...model, "-t", String(threads), "-p",
    String(plan.prompt), "-n", String(plan.gen), "--repeat", "1", "--format", "json", ...extra]));
  return { prefill: line.prefill_tok_s, decode: line.decode_tok_s };
}

function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

const plan = parseArguments(process.argv.slice(2));
if (plan === undefined) {
  console.error("usage: node llama_cpp_bench.mjs TERN FOLDER [--shape NAME] [-t LIST] [-p N] [-n N] " +
    "[--rounds N] [--batch N]");
  process.exit(2);
}
install(plan.folder);
const file = path.join(plan.folder, `${plan.shape}.gguf`);
if (!fs.existsSync(file)) writeRandomGguf(file, plan.shape);

const runners = {
  "llama.cpp, TQ2_0, F16 head": (threads) => timeLlama(plan.folder, file, threads, plan),
  "tern, the same file": (threads) => timeTern(plan.program, ["-m", file], threads, plan, []),
  "tern, the same file, --head q6":
    (threads) => timeTern(plan.program, ["-m", file], threads, plan, ["--head", "q6"]),
  // llama.cpp runs the architecture with SiLU; the model's own activation leaves zeros to skip.
  "tern, --shape: Q6_K head, the model's own activation":
    (threads) => timeTern(plan.program, ["--shape", plan.shape], threads, plan, []),
};
const rates = {};
for (let round = 0; round < plan.rounds; ++round) {
  for (const threads of plan.threads) {
    for (const [name, run] of Object.entries(runners)) {
      const rate = await run(threads);
      ((rates[name] ??= {})[threads] ??= []).push(rate);
      console.error(`round ${round + 1}, ${threads} threads, ${name}: ` +
        `prefill ${rate.prefill.toFixed(1)}, decode ${rate.decode.toFixed(1)}`);
    }
  }
}

const [peer] = Object.keys(runners);
console.log(`${plan.shape}: tokens a second, prefill of ${plan.prompt}, decode of ${plan.gen}, ` +
  `medians of ${plan.rounds} rounds; in brackets times llama.cpp\n`);
console.log("| program | threads | prefill | decode |\n|---|---|---|---|");
for (const threads of plan.threads) {
  const of = (name, what) => median(rates[name][threads].map((rate) => rate[what]));
  for (const name of Object.keys(runners)) {
    const show = (what) => `${of(name, what).toFixed(1)} ` +
      `(${(of(name, what) / of(peer, what)).toFixed(2)})`;
    console.log(`| ${name} | ${threads} | ${show("prefill")} | ${show("decode")} |`);
  }
}
process.exit(0);
