// Compiles standard JSON in several processes. A compiler uses one core, and code generation by way of the IR takes minutes where
// there are many contracts. Every process gets all sources, so that it sees the same program and yields the same bytecode; each
// is asked for the contracts of a part of the files.
import { spawn } from "node:child_process";
import { availableParallelism } from "node:os";
import path from "node:path";

/** More processes than these gain little: each parses and checks all sources, and takes half a gigabyte. */
const MOST = 4;

/** Characters of source, imports included, below which a further process takes longer than it saves. */
const WORTH = 400_000;

/** About how much there is to compile for a file: its text and all that it imports, if it has a contract that can be deployed. */
function weigh(file, sources) {
  if (!/^contract\s/m.test(sources[file].content)) return 0;
  const seen = new Set([file]);
  for (const each of seen) {
    for (const [, name] of (sources[each]?.content ?? "").matchAll(/^\s*(?:import|\})[^;"']*["'](\.[^"']+)["']/gm)) {
      seen.add(path.posix.join(path.posix.dirname(each), name));
    }
  }
  return [...seen].reduce((sum, each) => sum + (sources[each]?.content.length ?? 0), 0);
}

/** Groups of the files that are asked for, of about the same weight; each is a part's. `parts` is how many, else as many as pay. */
function share(input, selection, parts) {
  const files = Object.keys(input.sources).filter((file) => file in selection);
  const weights = files.map((file) => [file, weigh(file, input.sources)]);
  const total = weights.reduce((sum, [, weight]) => sum + weight, 0);
  const count = parts ?? Math.max(1, Math.min(MOST, availableParallelism(), Math.floor(total / WORTH)));
  const groups = Array.from({ length: count }, () => ({ files: [], weight: 0 }));
  for (const [file, weight] of weights.sort(([, a], [, b]) => b - a)) {
    const lightest = groups.reduce((least, group) => (group.weight < least.weight ? group : least));
    lightest.files.push(file);
    lightest.weight += weight;
  }
  return groups.map(({ files }) => files);
}

/** One part's output, from this program in a process of its own. */
function run(input, argv) {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [...process.execArgv, ...argv, "--parts", "1"], { stdio: ["pipe", "pipe", "inherit"] });
    const chunks = [];
    child.stdout.on("data", (chunk) => chunks.push(chunk));
    child.on("error", reject);
    child.on("close", (code) => (code === 0 ? resolve(JSON.parse(Buffer.concat(chunks))) : reject(new Error(`solc ended with ${code}`))));
    // One that ends early says why by its exit code.
    child.stdin.on("error", () => {});
    child.stdin.end(JSON.stringify(input));
  });
}

/**
 * What one compilation of `input` would give, put together of several: `parts`, or as many as pay. `argv` is this program and
 * its options, `alone` compiles in this process.
 */
export async function compile(input, parts, argv, alone) {
  const selection = input.settings?.outputSelection ?? {};
  // Where not every file that matters is named, those which imports bring have outputs too.
  const groups = "*" in selection ? [[]] : share(input, selection, parts);
  if (groups.length === 1) return alone(input);
  const outputs = await Promise.all(
    groups.map((files) => {
      const outputSelection = Object.fromEntries(files.map((file) => [file, selection[file]]));
      return run({ ...input, settings: { ...input.settings, outputSelection } }, argv);
    }),
  );
  const result = { ...outputs[0], contracts: {}, sources: Object.assign({}, ...outputs.map(({ sources }) => sources)) };
  // All of them find the same fault in a source; only one warns of the code that it has made.
  const errors = new Map(outputs.flatMap(({ errors = [] }) => errors.map((error) => [error.formattedMessage, error])));
  if (errors.size > 0) result.errors = [...errors.values()];
  const partOf = new Map(groups.flatMap((files, index) => files.map((file) => [file, outputs[index]])));
  // In the compiler's order: of two contracts with one name, ours and the one of a package that it wraps, Ape takes the first.
  for (const file of [...partOf.keys()].sort()) {
    const { contracts = {}, sources = {} } = partOf.get(file);
    if (contracts[file]) result.contracts[file] = contracts[file];
    if (sources[file]) result.sources[file] = sources[file];
  }
  return result;
}
