/** Puts what VS Code loads together in out/: the extension, the page of the figure, and the tests of both. */
import { cpSync, readdirSync, rmSync } from "node:fs";
import { build } from "esbuild";

process.chdir(new URL(".", import.meta.url).pathname);
const common = { bundle: true, target: "es2022", legalComments: "none", logLevel: "warning" };
const tests = readdirSync("test").filter((name) => name.endsWith(".test.ts"));

rmSync("out", { recursive: true, force: true });
await build({ ...common, entryPoints: ["src/extension.ts"], outdir: "out", platform: "node", format: "cjs", minify: true, external: ["vscode"] });
await build({ ...common, entryPoints: ["src/webview/figure.ts", "src/webview/figure.css"], outdir: "out", format: "iife", minify: true });
cpSync("src/webview/figure.html", "out/figure.html");
await build({
  ...common, entryPoints: tests.map((name) => `test/${name}`), outdir: "out/test", platform: "node", format: "cjs",
});
cpSync("../../LICENSE", "LICENSE"); // the package has its own
