/**
 * Puts the playground together in dist/, a folder that any server of static files can serve, under any path:
 * `npm ci && npm run build`.
 */
import { createHash } from "node:crypto";
import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { basename, extname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const here = fileURLToPath(new URL(".", import.meta.url));
const [made, dist] = [join(here, "made"), join(here, "dist")];
const PYODIDE = ["pyodide.mjs", "pyodide.asm.mjs", "pyodide.asm.wasm", "python_stdlib.zip", "pyodide-lock.json"];
const COUNTED = ["pyodide.asm.wasm", "python_stdlib.zip", "pyodide-lock.json"]; // what the worker fetches by itself

/** Put a file into dist under a name that says its content; the path in dist. */
function put(folder, name, content) {
  const hash = createHash("sha256").update(content).digest("hex").slice(0, 10);
  const path = join(folder, `${basename(name, extname(name))}-${hash}${extname(name)}`);
  mkdirSync(join(dist, folder), { recursive: true });
  writeFileSync(join(dist, path), content);
  return path;
}

async function bundle(options) {
  const common = { bundle: true, minify: true, format: "esm", target: "es2022", legalComments: "none", logLevel: "warning" };
  const result = await build({ ...common, write: false, outdir: dist, ...options });
  return result.outputFiles[0].contents;
}

function filled(template, values) {
  return template.replace(/\{(\w+)\}/g, (whole, key) => values[key] ?? whole);
}

rmSync(dist, { recursive: true, force: true });

const version = JSON.parse(readFileSync(join(here, "node_modules/pyodide/package.json"), "utf8")).version;
const pyodide = `pyodide-${version}`;
mkdirSync(join(dist, pyodide), { recursive: true });
for (const file of PYODIDE) cpSync(join(here, "node_modules/pyodide", file), join(dist, pyodide, file));
const netc = put("netc", "netc.zip", readFileSync(join(made, "netc.zip")));
const emission = put("netc", "emission.zip", readFileSync(join(made, "emission.zip")));
const examples = {};
for (const file of readdirSync(join(made, "examples")).sort()) {
  examples[basename(file, ".json")] = put("examples", file, readFileSync(join(made, "examples", file)));
}
const about = JSON.parse(readFileSync(join(made, "about.json"), "utf8"));
const worker = put("", "worker.js", await bundle({ entryPoints: [join(here, "src/workers/python.ts")] }));
const style = put("", "style.css", await bundle({ entryPoints: [join(here, "src/style.css")] }));
const main = put("", "main.js", await bundle({ entryPoints: [join(here, "src/main.ts")] }));
const sizes = [...COUNTED.map((file) => join(pyodide, file)), netc].map((file) => statSync(join(dist, file)).size);

const assets = {
  worker,
  pyodide: `./${pyodide}/`,
  netc,
  emission,
  bytes: sizes.reduce((sum, size) => sum + size),
  examples,
  offline: "offline.js",
  first: about.first,
  styles: about.styles,
};
const first = examples[about.first];
const values = { style, main, first, assets: JSON.stringify(assets).replace(/</g, "\\u003c") };
const page = filled(readFileSync(join(here, "src/index.html"), "utf8"), values);
writeFileSync(join(dist, "index.html"), page);

const kept = ["./", style, main, worker, netc, first, ...PYODIDE.map((file) => join(pyodide, file))];
const define = { KEPT: JSON.stringify(kept), VERSION: JSON.stringify(createHash("sha256").update(page).digest("hex").slice(0, 10)) };
writeFileSync(join(dist, "offline.js"), await bundle({ entryPoints: [join(here, "src/workers/offline.ts")], define }));
console.log(`the playground is in ${dist}`);
