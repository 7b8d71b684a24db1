/** The figure beside the text with the real server: `NETC='["netc"]' npm test`. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { createMessageConnection, StreamMessageReader, StreamMessageWriter } from "vscode-jsonrpc/node";
import { Live } from "../src/live";
import type { Ask, Range, ToPage } from "../src/messages";
import { Process } from "../src/server";

const COMMAND = process.env.NETC;
const URI = "untitled:a.net";
const TEXT = `def unit(ch) {
    conv (ch)x3 bn relu
    add { | identity | conv (ch)x3 }
}
input 32x32x3
conv 8x3
repeat 3 { unit 8 }
gap; fc 10 softmax
`;

test("what is written, shown and clicked", { skip: COMMAND ? false : "NETC does not say how netc is run" }, async () => {
  const child = await new Process(JSON.parse(COMMAND ?? "[]") as string[]).start();
  const server = createMessageConnection(new StreamMessageReader(child.stdout), new StreamMessageWriter(child.stdin));
  server.listen();
  await server.sendRequest("initialize", { processId: null, rootUri: null, capabilities: {} });
  await server.sendNotification("initialized", {});
  const write = (text: string, version: number): Promise<void> =>
    server.sendNotification("textDocument/didChange", { textDocument: { uri: URI, version }, contentChanges: [{ text }] });
  const [sent, shown]: [ToPage[], Range[]] = [[], []];
  const ask: Ask = (name, uri, more) => server.sendRequest(name, { textDocument: { uri }, ...more });
  const live = new Live(ask, {
    post: (message) => sent.push(message),
    reveal: (_, range) => shown.push(range),
    look: () => ({ style: "auto", theme: "light" }),
  });
  const figure = (): Extract<ToPage, { kind: "figure" }> => {
    const [last] = sent.filter((message) => message.kind === "figure").slice(-1);
    assert.ok(last);
    return last;
  };
  const marks = (): string[] => {
    const last = sent.at(-1);
    assert.ok(last?.kind === "mark");
    return last.objects;
  };
  try {
    await server.sendNotification("textDocument/didOpen", { textDocument: { uri: URI, languageId: "netc", version: 1, text: TEXT } });
    await live.follow(URI);
    const first = figure();
    assert.match(first.svg, /^<svg/);
    assert.equal(first.error, "");
    assert.ok(!first.old && first.objects.includes("conv1"));

    await live.cursor(URI, { line: 5, character: 2 });
    assert.deepEqual(marks(), ["conv1"]);
    await live.cursor(URI, { line: 1, character: 5 }); // inside the block: each copy, of which one is drawn
    const [inside = ""] = marks();
    assert.match(inside, /conv/);
    await live.received({ kind: "picked", object: inside });
    assert.equal(shown.at(-1)?.start.line, 1);
    await live.received({ kind: "picked", object: inside });
    assert.ok(shown.at(-1)?.start.line === 6, "a second click leads to the call");

    await write(TEXT.replace("conv 8x3", "conv 8x3 speed=2"), 2);
    await live.refresh();
    assert.deepEqual({ svg: figure().svg, old: figure().old }, { svg: first.svg, old: true });
    assert.match(figure().error, /^NET\d+: .*speed/);
    await live.received({ kind: "wrong" });
    assert.equal(shown.at(-1)?.start.line, 5);

    await write(`\n${TEXT.replace("fc 10", "fc 11")}`, 3);
    await live.refresh();
    assert.ok(!figure().old && figure().svg !== first.svg);
    await live.received({ kind: "picked", object: "fc1" });
    assert.equal(shown.at(-1)?.start.line, 8);

    const { code } = await ask("netc/compile", URI, {});
    assert.match(code, /import keras|from keras/);
    const { text } = await ask("netc/summary", URI, { format: "text" });
    assert.match(text, /conv1/);
  } finally {
    server.dispose();
    child.kill();
  }
});
