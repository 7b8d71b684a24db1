/** The figure beside the text, between a server and a page that answer as they are told to. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { Live, marked } from "../src/live";
import type { Ask, Figure, Place, Range, ToPage } from "../src/messages";

const TEXT = "file:///nets/a.net";
const OBJECTS = { conv1: ["conv1", "bn1"], frame: ["conv1", "bn1", "add1", "conv2", "bn2", "add2"], add1: ["add1"], fc1: ["fc1"], "fc1-output": ["fc1"] };

function figure(more: Partial<Figure> = {}): Figure {
  return { svg: "<svg/>", style: "graph", old: false, error: "", line: null, objects: OBJECTS, ...more };
}

function place(line: number, uri = TEXT): Place {
  return { uri, range: at(line), what: "" };
}

function at(line: number): Range {
  return { start: { line, character: 0 }, end: { line, character: 4 } };
}

/** A figure beside a text, with answers of a server; what was asked, sent and shown. */
function beside(answers: Record<string, (given: Record<string, string>) => unknown>) {
  const [asked, sent, shown]: [string[], ToPage[], [string, Range][]] = [[], [], []];
  const ask: Ask = async (name, uri, more) => {
    asked.push(`${name} ${uri}`);
    await Promise.resolve();
    const answer = answers[name]?.({ uri, ...(more as Record<string, string>) });
    if (answer instanceof Error) throw answer;
    return answer as never;
  };
  const live = new Live(ask, {
    post: (message) => sent.push(message),
    reveal: (uri, range) => shown.push([uri, range]),
    look: () => ({ style: "auto", theme: "dark" }),
  });
  return { live, asked, sent, shown };
}

describe("the figure", () => {
  test("is that of the text that is followed, in the colours that are asked for", async () => {
    const { live, sent } = beside({ "netc/figure": ({ uri, theme }) => figure({ svg: `${uri} ${theme}` }) });
    await live.follow(TEXT);
    assert.deepEqual(sent.at(-2), { kind: "figure", svg: `${TEXT} dark`, old: false, error: "", objects: Object.keys(OBJECTS) });
  });

  test("stays, as an old one, while the text is broken and while the server is away", async () => {
    let answer: unknown = figure();
    const { live, sent } = beside({ "netc/figure": () => answer });
    await live.follow(TEXT);
    for (const [next, error] of [
      [figure({ old: true, error: "NET201: no `foo`", line: 3 }), "NET201: no `foo`"],
      [figure({ svg: "", objects: {}, error: "more than 5,000 layers" }), "more than 5,000 layers"],
      [new Error("netc lsp does not run"), "netc lsp does not run"],
    ] as const) {
      answer = next;
      await live.refresh();
      assert.deepEqual(sent.at(-2), { kind: "figure", svg: "<svg/>", old: true, error, objects: Object.keys(OBJECTS) });
    }
    answer = figure({ svg: "<svg>newer</svg>" });
    await live.refresh();
    assert.deepEqual(sent.at(-2), { kind: "figure", svg: "<svg>newer</svg>", old: false, error: "", objects: Object.keys(OBJECTS) });
  });

  test("of one text is never shown for another", async () => {
    const { live, sent } = beside({
      "netc/figure": ({ uri }) => (uri === TEXT ? figure() : figure({ svg: "", objects: {}, error: "definitions only" })),
    });
    await live.follow(TEXT);
    await live.follow("file:///nets/b.net");
    assert.equal((sent.at(-2) as { svg: string }).svg, "");
    const both = beside({ "netc/figure": ({ uri }) => figure({ svg: uri ?? "" }) });
    await Promise.all([both.live.follow(TEXT), both.live.follow("file:///nets/b.net")]);
    const svgs = both.sent.flatMap((message) => (message.kind === "figure" && message.svg ? [message.svg] : []));
    assert.deepEqual(svgs, ["file:///nets/b.net"]);
  });

  test("is asked for once more, not once for each key, while one is drawn", async () => {
    const { live, asked } = beside({ "netc/figure": () => figure() });
    const first = live.follow(TEXT);
    for (let key = 0; key < 50; key++) void live.refresh();
    await first;
    assert.equal(asked.length, 2);
  });

  test("is sent again to a page that was loaded again", async () => {
    const { live, sent } = beside({ "netc/figure": () => figure() });
    await live.follow(TEXT);
    const before = sent.at(-2);
    await live.received({ kind: "ready" });
    assert.equal(sent.length, 6);
    assert.deepEqual(sent.at(-2), before);
  });
});

describe("marks", () => {
  test("are the innermost objects that show a node, and all that show nothing else", () => {
    assert.deepEqual(marked(OBJECTS, ["bn1", "bn2"]), ["conv1"]);
    assert.deepEqual(marked(OBJECTS, ["bn2"]), ["frame"]);
    assert.deepEqual(marked(OBJECTS, OBJECTS.frame), ["conv1", "frame", "add1"]);
    assert.deepEqual(marked(OBJECTS, ["fc1"]), ["fc1", "fc1-output"]);
    assert.deepEqual(marked(OBJECTS, []), []);
  });

  test("follow the cursor, and are there again after a new figure", async () => {
    const { live, sent } = beside({ "netc/figure": () => figure(), "netc/nodesAt": () => ({ nodes: ["fc1"], old: false }) });
    await live.follow(TEXT);
    await live.cursor(TEXT, { line: 4, character: 1 });
    assert.deepEqual(sent.at(-1), { kind: "mark", objects: ["fc1", "fc1-output"] });
    await live.refresh();
    assert.deepEqual(sent.at(-1), { kind: "mark", objects: ["fc1", "fc1-output"] });
    const count = sent.length;
    await live.cursor("file:///nets/b.net", { line: 0, character: 0 });
    assert.equal(sent.length, count);
  });
});

describe("a click", () => {
  const block = "file:///nets/block.net";
  const chains: Record<string, Place[]> = {
    conv1: [place(7, block), place(1), place(2)],
    add2: [place(8, block), place(1), place(3)],
    fc1: [place(9)],
  };
  const answers = { "netc/figure": () => figure(), "netc/placesOf": ({ node }: Record<string, string>) => chains[node ?? ""] ?? [] };

  test("leads to the words in the text itself, a further one to the block's and outwards", async () => {
    const { live, shown } = beside(answers);
    await live.follow(TEXT);
    for (let times = 0; times < 4; times++) await live.received({ kind: "picked", object: "conv1" });
    assert.deepEqual(shown, [[TEXT, at(1)], [block, at(7)], [TEXT, at(2)], [TEXT, at(1)]]);
    await live.received({ kind: "picked", object: "fc1-output" });
    assert.deepEqual(shown.at(-1), [TEXT, at(9)]);
  });

  test("on a frame leads to what all that is in it comes from", async () => {
    const { live, shown } = beside({ ...answers, "netc/figure": () => figure({ objects: { frame: ["conv1", "bn1", "add2"] } }) });
    await live.follow(TEXT);
    await live.received({ kind: "picked", object: "frame" });
    assert.deepEqual(shown, [[TEXT, at(1)]]);
  });

  test("that leads to another file leaves the figure as it is, until that is asked for", async () => {
    const { live } = beside(answers);
    await live.follow(TEXT);
    for (let times = 0; times < 2; times++) await live.received({ kind: "picked", object: "conv1" });
    await live.follow(block);
    assert.equal(live.uri, TEXT);
    await live.follow(block, true);
    assert.equal(live.uri, block);
  });

  test("on the error leads to its line, where it has one", async () => {
    let line: number | null = 3;
    const { live, shown } = beside({ "netc/figure": () => figure({ old: true, error: "NET201", line }) });
    await live.follow(TEXT);
    await live.received({ kind: "wrong" });
    assert.deepEqual(shown, [[TEXT, { start: { line: 3, character: 0 }, end: { line: 3, character: 0 } }]]);
    line = null;
    await live.refresh();
    await live.received({ kind: "wrong" });
    assert.equal(shown.length, 1);
  });

  test("on an object that there is no place for does nothing", async () => {
    const { live, shown } = beside({ "netc/figure": () => figure(), "netc/placesOf": () => new Error("no") });
    await live.follow(TEXT);
    await live.received({ kind: "picked", object: "conv1" });
    await live.received({ kind: "picked", object: "no such object" });
    assert.deepEqual(shown, []);
  });
});
