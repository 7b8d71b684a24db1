/** What the extension, `netc lsp` (docs/editor.md, "For clients that show figures") and the page say to each other. */

export interface Position {
  line: number;
  character: number;
}

export interface Range {
  start: Position;
  end: Position;
}

export interface Figure {
  svg: string;
  style: string;
  /** Of an older version than the text. */
  old: boolean;
  /** Why there is no newer one, or none at all. */
  error: string;
  /** Where the error stands in the text. */
  line: number | null;
  /** The nodes that each object of the figure is drawn for, by its id. */
  objects: Record<string, string[]>;
}

export interface Place {
  uri: string;
  range: Range;
  what: string;
}

/** Requests by name: what they take besides the text, and what they give. */
export interface Requests {
  "netc/figure": { takes: { style: string; theme: string }; gives: Figure };
  "netc/nodesAt": { takes: { position: Position }; gives: { nodes: string[]; old: boolean } };
  "netc/placesOf": { takes: { node: string }; gives: Place[] };
  "netc/summary": { takes: { format: "text" | "json" | "csv" | "md" }; gives: { text: string; old: boolean; error: string } };
  "netc/compile": { takes: object; gives: { code: string; error: string } };
}

/** Ask the server about a text. */
export type Ask = <N extends keyof Requests>(name: N, uri: string, more: Requests[N]["takes"]) => Promise<Requests[N]["gives"]>;

/** To the page of the figure. */
export type ToPage =
  | { kind: "figure"; svg: string; old: boolean; error: string; objects: string[] }
  | { kind: "mark"; objects: string[] };

/** From the page: it is there; an object was clicked; the message of the error was. */
export type FromPage = { kind: "ready" } | { kind: "picked"; object: string } | { kind: "wrong" };
