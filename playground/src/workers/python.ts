/**
 * netc in Pyodide, in a thread of its own that can be ended at any time. It answers one question after the other, and
 * once it has started nothing in it can reach the network.
 */
import type { PyodideInterface } from "pyodide";
import type { Order, Questions, Report } from "../protocol";

const scope = self as DedicatedWorkerGlobalScope;
const HOME = "/lib/netc-playground";
const FIRST: Questions["check"]["takes"] = {
  name: "",
  opened: 0,
  text: "input 8x8x1; conv 4x3; fc 2",
  overrides: {},
  style: "graph",
  theme: "light",
};
let answer: ((question: string) => string) | null = null;
let python: PyodideInterface | null = null;

const report = (said: Report): void => scope.postMessage(said);
const words = (error: unknown): string => (error instanceof Error ? error.message : String(error));

/** `fetch` that tells how much of all that is to come is here. */
function counting(fetched: typeof fetch, bytes: number): typeof fetch {
  let got = 0;
  return async (...request) => {
    const response = await fetched(...request);
    if (!response.ok || !response.body) throw new Error(`${response.url}: ${response.status} ${response.statusText}`);
    const counter = new TransformStream<Uint8Array, Uint8Array>({
      transform(chunk, into) {
        got += chunk.byteLength;
        report({ kind: "progress", share: Math.min(1, got / bytes) });
        into.enqueue(chunk);
      },
    });
    const { status, headers } = response;
    return new Response(response.body.pipeThrough(counter), { status, headers });
  };
}

async function start(order: Extract<Order, { kind: "start" }>): Promise<void> {
  scope.fetch = counting(scope.fetch.bind(scope), order.bytes);
  const archive = scope.fetch(order.netc).then((response) => response.arrayBuffer());
  const { loadPyodide } = (await import(`${order.pyodide}pyodide.mjs`)) as typeof import("pyodide");
  python = await loadPyodide({ indexURL: order.pyodide });
  install(python, await archive);
  python.runPython(`import sys\nsys.path.insert(0, "${HOME}")`);
  const { answer: given } = python.pyimport("netc.server.browser") as { answer: (question: string) => string };
  given(JSON.stringify({ ask: "check", ...FIRST })); // with all that is imported when it is first used
  answer = given;
  for (const way of ["fetch", "XMLHttpRequest", "WebSocket", "WebTransport", "EventSource", "importScripts"]) {
    Object.defineProperty(scope, way, { value: undefined });
  }
  report({ kind: "ready" });
}

function install(into: PyodideInterface, archive: ArrayBuffer): void {
  into.unpackArchive(new Uint8Array(archive), "zip", { extractDir: HOME });
}

scope.onmessage = ({ data }: MessageEvent<Order>): void => {
  if (data.kind === "start") {
    start(data).catch((error: unknown) => report({ kind: "broken", id: null, message: words(error) }));
    return;
  }
  try {
    if (!python || !answer) throw new Error("Python has not started");
    if (data.kind === "install") install(python, data.archive);
    report({ kind: "answer", id: data.id, answer: data.kind === "ask" ? answer(data.question) : "null" });
  } catch (error) {
    report({ kind: "broken", id: data.id, message: words(error) });
  }
};
