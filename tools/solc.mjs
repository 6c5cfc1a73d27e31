// The Solidity compiler's command line over its WebAssembly build (npm package `solc`): as much of it as solcx, Ape, forge and
// slither use. The native compiler cannot be fetched from package registries; this one yields the same bytecode everywhere.
// `tools/link.sh` writes the launcher `.solcx/solc-v<version>` that starts it.
import { readFileSync, realpathSync } from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";
import { fileURLToPath } from "node:url";

import { compile } from "./parts.mjs";

const solc = createRequire(import.meta.url)("solc");

const HELP = `solc, the Solidity commandline compiler.

Usage: solc [options] [input_file...] [context:prefix=target...]

  --version                    Show version and exit.
  --help                       Show this text and exit.
  --standard-json              Read a JSON description from stdin (or a file), write JSON to stdout.
  --parts n                    With --standard-json: compile in so many processes; as many as pay where it is missing.
  --combined-json abi,asm,ast,bin,bin-runtime,devdoc,function-debug,function-debug-runtime,generated-sources,generated-sources-runtime,hashes,metadata,opcodes,srcmap,srcmap-runtime,storage-layout,userdoc
                               Output a single JSON document with the given contract outputs.
  --base-path path             Root of the source tree for imports.
  --include-path path          Further root for imports; may be repeated.
  --allow-paths path(s)        Accepted; imports resolve inside the roots above and next to remapping targets.
  --optimize                   Enable the optimizer.
  --optimize-runs n            Estimated number of calls of a deployed contract.
  --via-ir                     Compile through the IR.
  --evm-version version        EVM version to compile for.
  --metadata-hash method       ipfs, none or swarm.
  --no-cbor-metadata           Leave the metadata out of the bytecode.
  -                            Read a source from stdin.
`;

// Names of --combined-json and where standard JSON keeps the same thing.
const OUTPUTS = {
  abi: ["abi", (c) => c.abi],
  asm: ["evm.legacyAssembly", (c) => c.evm.legacyAssembly],
  bin: ["evm.bytecode.object", (c) => c.evm.bytecode.object],
  "bin-runtime": ["evm.deployedBytecode.object", (c) => c.evm.deployedBytecode.object],
  devdoc: ["devdoc", (c) => c.devdoc],
  "function-debug": ["evm.bytecode.functionDebugData", (c) => c.evm.bytecode.functionDebugData],
  "function-debug-runtime": ["evm.deployedBytecode.functionDebugData", (c) => c.evm.deployedBytecode.functionDebugData],
  "generated-sources": ["evm.bytecode.generatedSources", (c) => c.evm.bytecode.generatedSources],
  "generated-sources-runtime": ["evm.deployedBytecode.generatedSources", (c) => c.evm.deployedBytecode.generatedSources],
  hashes: ["evm.methodIdentifiers", (c) => c.evm.methodIdentifiers],
  metadata: ["metadata", (c) => c.metadata],
  opcodes: ["evm.bytecode.opcodes", (c) => c.evm.bytecode.opcodes],
  srcmap: ["evm.bytecode.sourceMap", (c) => c.evm.bytecode.sourceMap],
  "srcmap-runtime": ["evm.deployedBytecode.sourceMap", (c) => c.evm.deployedBytecode.sourceMap],
  "storage-layout": ["storageLayout", (c) => c.storageLayout],
  "transient-storage-layout": ["transientStorageLayout", (c) => c.transientStorageLayout],
  userdoc: ["userdoc", (c) => c.userdoc],
};

/** Stop with the compiler's exit code for a bad call. */
function fail(message) {
  process.stderr.write(`Error: ${message}\n`);
  process.exit(1);
}

/** The options of one call; unknown ones stop it, since silently ignoring a setting would change the bytecode. */
function parse(argv) {
  const options = { roots: [], files: [], remappings: [], settings: { optimizer: { enabled: false } } };
  const args = argv.flatMap((arg) => (/^--[a-z-]+=/.test(arg) ? [arg.slice(0, arg.indexOf("=")), arg.slice(arg.indexOf("=") + 1)] : [arg]));
  const value = () => args.shift() ?? fail("a value is missing at the end of the command line");
  while (args.length > 0) {
    const arg = args.shift();
    if (arg === "--standard-json") options.standardJson = true;
    else if (arg === "--parts") options.parts = Number(value());
    else if (arg === "--version" || arg === "--help") options[arg.slice(2)] = true;
    else if (arg === "--combined-json") options.combined = value().split(",");
    else if (arg === "--base-path") options.roots.unshift(value());
    else if (arg === "--include-path" || arg === "-I") options.roots.push(value());
    else if (arg === "--allow-paths") value();
    else if (arg === "--optimize") options.settings.optimizer.enabled = true;
    else if (arg === "--optimize-runs") options.settings.optimizer.runs = Number(value());
    else if (arg === "--via-ir") options.settings.viaIR = true;
    else if (arg === "--evm-version") options.settings.evmVersion = value();
    else if (arg === "--metadata-hash") (options.settings.metadata ??= {}).bytecodeHash = value();
    else if (arg === "--no-cbor-metadata") (options.settings.metadata ??= {}).appendCBOR = false;
    else if (arg === "-") options.stdin = true;
    else if (arg.startsWith("-")) fail(`unrecognised option '${arg}'`);
    else if (arg.includes("=")) options.remappings.push(arg);
    else options.files.push(arg);
  }
  if (options.roots.length === 0) options.roots.push("");
  return options;
}

/** Answers an import of the compiler from the roots, then as a plain path, as solc's own file reader does. */
function reader(roots) {
  return (name) => {
    const file = name.replace(/^file:\/\//, "");
    for (const root of [...roots, ""]) {
      try {
        return { contents: readFileSync(path.resolve(root, file), "utf8") };
      } catch (error) {
        if (error.code !== "ENOENT" && error.code !== "ENOTDIR") return { error: String(error) };
      }
    }
    return { error: `File not found: ${name}` };
  };
}

/** Sources given by `urls` (as Ape and forge may do) become contents: the WebAssembly build reads no files by itself. */
function inline(input, read) {
  for (const [name, source] of Object.entries(input.sources ?? {})) {
    if (source.content !== undefined || !source.urls) continue;
    const found = source.urls.map(read).find((result) => result.contents !== undefined);
    if (!found) fail(`no readable url for source ${name}: ${source.urls.join(", ")}`);
    input.sources[name] = { ...source, content: found.contents };
    delete input.sources[name].urls;
  }
  return input;
}

/** The unit name solc gives a file on the command line: relative to the first root that contains it. */
function unitName(file, roots) {
  const real = realpathSync(file);
  for (const root of roots) {
    const relative = path.relative(realpathSync(root || "."), real);
    if (relative && !relative.startsWith("..") && !path.isAbsolute(relative)) return relative;
  }
  return file;
}

/** `--combined-json`, by way of standard JSON. */
function combined(options, read) {
  const sources = {};
  if (options.stdin || options.files.length === 0) sources["<stdin>"] = { content: readFileSync(0, "utf8") };
  for (const file of options.files) sources[unitName(file, options.roots)] = { content: readFileSync(file, "utf8") };
  const wanted = options.combined.filter((name) => name !== "ast");
  const unknown = wanted.find((name) => !(name in OUTPUTS));
  if (unknown) fail(`Invalid option to --combined-json: ${unknown}`);

  const perContract = [...wanted.map((name) => OUTPUTS[name][0]), "abi"];
  const outputSelection = { "*": { "*": perContract, "": ["ast"] } };
  const input = { language: "Solidity", sources, settings: { ...options.settings, remappings: options.remappings, outputSelection } };
  const output = JSON.parse(solc.compile(JSON.stringify(input), { import: read }));
  for (const { formattedMessage } of output.errors ?? []) process.stderr.write(`${formattedMessage}\n`);
  if ((output.errors ?? []).some(({ severity }) => severity === "error")) process.exit(1);

  const result = { contracts: {}, sourceList: [], sources: {}, version: solc.version().replace(/\.Emscripten.*$/, "") };
  for (const [file, contracts] of Object.entries(output.contracts ?? {})) {
    for (const [name, contract] of Object.entries(contracts)) {
      result.contracts[`${file}:${name}`] = Object.fromEntries(wanted.map((key) => [key, OUTPUTS[key][1](contract)]));
    }
  }
  for (const [file, { ast, id }] of Object.entries(output.sources ?? {})) {
    result.sourceList[id] = file;
    result.sources[file] = { AST: ast, id };
  }
  return JSON.stringify(result);
}

const options = parse(process.argv.slice(2));
const read = reader(options.roots);
if (options.version) {
  process.stdout.write(`solc, the solidity compiler commandline interface\nVersion: ${solc.version()}\n`);
} else if (options.help) {
  process.stdout.write(HELP);
} else if (options.standardJson) {
  const input = inline(JSON.parse(readFileSync(options.files[0] ?? 0, "utf8")), read);
  const alone = (whole) => JSON.parse(solc.compile(JSON.stringify(whole), { import: read }));
  const argv = [fileURLToPath(import.meta.url), "--standard-json", ...options.roots.flatMap((root) => (root ? ["--include-path", root] : []))];
  const output = await compile(input, options.parts, argv, alone);
  process.stdout.write(JSON.stringify(output));
} else if (options.combined) {
  process.stdout.write(combined(options, read));
} else {
  fail("give --standard-json, --combined-json, --version or --help");
}
