/** The worker's other end: starts it, asks it, and ends it where it is told to or an answer takes too long. */
import type { Name, Order, Questions, Report } from "./protocol";

export type State =
  | { at: "loading"; share: number }
  | { at: "starting" }
  | { at: "ready" }
  | { at: "busy"; since: number }
  | { at: "failed"; message: string };

/** The worker was ended before it answered. */
export class Stopped extends Error {
  constructor(readonly bySomebody: boolean) {
    super(bySomebody ? "stopped" : `stopped after ${BOUND / 1000} s`);
  }
}

export interface Assets {
  worker: string;
  pyodide: string;
  netc: string;
  emission: string;
  bytes: number;
}

export const BOUND = 20_000; // ms that an answer may take
const SHORTEST = 300; // ms after which somebody may want to stop it

interface Waiting {
  give: (answer: unknown) => void;
  refuse: (reason: Error) => void;
}

export class Engine {
  private worker: Worker | null = null;
  private waiting = new Map<number, Waiting>();
  private queue: Order[] = [];
  private count = 0;
  private timers: number[] = [];
  private isUp = false;
  private emission: Promise<void> | null = null;

  constructor(
    private readonly assets: Assets,
    private readonly tell: (state: State) => void,
  ) {}

  get ready(): boolean {
    return this.isUp;
  }

  start(): void {
    const worker = new Worker(this.assets.worker, { type: "module" });
    this.worker = worker;
    worker.onmessage = ({ data }: MessageEvent<Report>): void => this.hear(data);
    worker.onerror = (event): void => this.fail(event.message || "the worker did not load");
    const { pyodide, netc, bytes } = this.assets;
    worker.postMessage({ kind: "start", pyodide, netc, bytes } satisfies Order);
    this.tell({ at: "loading", share: 0 });
  }

  /** Ask a question; it waits until Python is up. Rejects with `Stopped`, or with an error that tells of a bug. */
  async ask<Q extends Name>(name: Q, takes: Questions[Q]["takes"]): Promise<Questions[Q]["gives"]> {
    const question = JSON.stringify({ ask: name, ...takes });
    return (await this.send((id) => ({ kind: "ask", id, question }))) as Questions[Q]["gives"];
  }

  /** Bring in what writes Keras code, once for each worker. */
  async prepareEmission(): Promise<void> {
    this.emission ??= (async () => {
      const response = await fetch(this.assets.emission);
      if (!response.ok) throw new Error(`${response.status} ${response.statusText}`);
      const archive = await response.arrayBuffer();
      await this.send((id) => ({ kind: "install", id, archive }));
    })();
    const loading = this.emission;
    try {
      await loading;
    } catch (error) {
      if (this.emission === loading) this.emission = null;
      throw error;
    }
  }

  /** End the worker with all that it was asked, and start another. */
  stop(bySomebody = true): void {
    this.worker?.terminate();
    this.clear();
    this.isUp = false;
    this.emission = null;
    this.queue = [];
    const waiting = [...this.waiting.values()];
    this.waiting.clear();
    waiting.forEach(({ refuse }) => refuse(new Stopped(bySomebody)));
    this.start();
  }

  /** Python did not start, and what still comes of it is of no use. */
  private fail(message: string): void {
    this.worker?.terminate();
    this.tell({ at: "failed", message });
  }

  private send(order: (id: number) => Order): Promise<unknown> {
    const id = ++this.count;
    return new Promise((give, refuse) => {
      this.waiting.set(id, { give, refuse });
      if (this.isUp) this.post(order(id));
      else this.queue.push(order(id));
    });
  }

  private post(order: Order): void {
    this.worker?.postMessage(order);
    if (!this.timers.length) this.watch();
  }

  /** Measure the answer to the question that is the next one. */
  private watch(): void {
    const since = Date.now();
    this.timers = [
      window.setTimeout(() => this.tell({ at: "busy", since }), SHORTEST),
      window.setTimeout(() => this.stop(false), BOUND),
    ];
  }

  private clear(): void {
    this.timers.forEach((timer) => window.clearTimeout(timer));
    this.timers = [];
  }

  private hear(said: Report): void {
    switch (said.kind) {
      case "progress":
        return this.tell(said.share < 1 ? { at: "loading", share: said.share } : { at: "starting" });
      case "ready":
        this.isUp = true;
        this.tell({ at: "ready" });
        this.queue.splice(0).forEach((order) => this.post(order));
        return;
      case "broken":
        if (said.id === null) return this.fail(said.message);
        break;
    }
    const id = said.id;
    const waiting = id === null ? undefined : this.waiting.get(id);
    if (id === null || !waiting) return;
    this.waiting.delete(id);
    this.clear();
    if (this.waiting.size) this.watch();
    else this.tell({ at: "ready" });
    if (said.kind === "answer") waiting.give(JSON.parse(said.answer));
    else waiting.refuse(new Error(said.message));
  }
}
