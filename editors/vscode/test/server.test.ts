/** The process of the server, in real processes: one that works, and all the ways in which one does not. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { test } from "node:test";
import { filled, INSTALL, Process } from "../src/server";

const NODE = process.execPath;

test("the command of the setting knows the folder, and what is no list of texts is nothing", () => {
  assert.deepEqual(filled(["${workspaceFolder}/.venv/bin/netc"], "/home/me"), ["/home/me/.venv/bin/netc"]);
  assert.deepEqual(filled("rm -rf", "/home/me"), []);
  assert.deepEqual(filled([1, "netc"], undefined), ["netc"]);
});

test("a program that is not there is named, with how to install it", async () => {
  const process = new Process(["no-such-netc"]);
  await assert.rejects(process.start());
  const why = await process.why();
  assert.match(why, /no program `no-such-netc`/);
  assert.ok(why.includes(INSTALL));
  assert.match(why, /netc\.command/);
});

test("an empty command is refused", async () => {
  const process = new Process([]);
  await assert.rejects(process.start());
  assert.match(await process.why(), /netc\.command is empty/);
});

test("what a server says when it refuses is told, here a missing extra", async () => {
  const said = "netc: `netc lsp` needs pygls: pip install 'netc[lsp]'";
  const process = new Process([NODE, "-e", `console.error("a line before"); console.error(${JSON.stringify(said)}); process.exit(2)`]);
  await once(await process.start(), "close");
  assert.equal(await process.why(), `\`${NODE} -e console.error("a line before"); console.error(${JSON.stringify(said)}); process.exit(2) lsp\` ended with 2: ${said}`);
});

test("a program that is another one is said to be so", async () => {
  const process = new Process([NODE, "-e", "process.exit(0)"]);
  await once(await process.start(), "close");
  const why = await process.why();
  assert.match(why, /ended with 0/);
  assert.ok(why.includes(INSTALL));
});

test("a server that runs gets `lsp`, and is run without a shell", async () => {
  const process = new Process([NODE, "-e", "console.log(JSON.stringify(process.argv.slice(1)))", "$(touch x)"]);
  const child = await process.start();
  const chunks: Buffer[] = [];
  for await (const chunk of child.stdout) chunks.push(chunk as Buffer);
  assert.deepEqual(JSON.parse(Buffer.concat(chunks).toString()), ["$(touch x)", "lsp"]);
});
