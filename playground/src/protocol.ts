/** What the page asks netc and what it is told: the types of `netc/server/browser.py`. Places are UTF-16 offsets. */

export type Range = [start: number, end: number];

export interface Edit {
  start: number;
  end: number;
  text: string;
}

export interface Fix {
  title: string;
  safe: boolean;
  edits: Edit[];
}

export interface Finding {
  code: string;
  severity: "error" | "warning";
  message: string;
  start: number;
  end: number;
  line: number;
  said: string[];
  fix: Fix | null;
}

export interface Figure {
  svg: string;
  style: string;
  /** Of an older version than the text that was asked about. */
  old: boolean;
  /** Why there is no newer one, or none at all. */
  error: string;
  /** Of each object of the figure the places that it comes from: the first is its own, or the innermost one. */
  places: Record<string, Range[]>;
}

/** A `param` with its value as it is written. */
export interface Parameter {
  name: string;
  value: string;
}

/** What stands beside a place; `old` where it is of an older version than the text that was asked about. */
export interface Hint {
  at: number;
  text: string;
  old: boolean;
}

export interface Checked {
  name: string;
  findings: Finding[];
  figure: Figure;
  hints: Hint[];
  parameters: Parameter[];
}

export interface Summary {
  header: string[];
  right: boolean[];
  rows: { cells: string[]; place: Range | null }[];
  totals: [name: string, value: string][];
  old: boolean;
}

/** A range and what there is to say of it, in Markdown. */
export type Hover = Edit;

export interface Option {
  label: string;
  kind: string;
  detail: string;
  insert: string;
  /** The first words of its statement, by which `about` knows it. */
  of: string[];
}

export interface Completion {
  start: number;
  end: number;
  options: Option[];
}

/** Words of one kind, each with what it does in a sentence, empty where its page alone says it. */
export interface Words {
  title: string;
  words: [word: string, gist: string][];
}

export interface Look {
  style: string;
  theme: string;
}

/** Questions by name: what goes in, and what comes out. */
export interface Questions {
  check: {
    takes: { name: string; opened: number; text: string; overrides: Record<string, string> } & Look;
    gives: Checked;
  };
  summary: { takes: object; gives: Summary | null };
  code: { takes: object; gives: { text: string; error: string } };
  hover: { takes: { at: number }; gives: Hover | null };
  complete: { takes: { at: number }; gives: Completion };
  about: { takes: { kind: string; label: string; of: string[] }; gives: { text: string } };
  words: { takes: object; gives: Words[] };
  page: { takes: { word: string }; gives: { text: string } };
  format: { takes: object; gives: { text: string } };
  fix: { takes: object; gives: { text: string } };
}

export type Name = keyof Questions;

/** To the worker. */
export type Order =
  | { kind: "start"; pyodide: string; netc: string; bytes: number }
  | { kind: "ask"; id: number; question: string }
  | { kind: "install"; id: number; archive: ArrayBuffer };

/** From the worker. */
export type Report =
  | { kind: "progress"; share: number }
  | { kind: "ready" }
  | { kind: "answer"; id: number; answer: string }
  | { kind: "broken"; id: number | null; message: string };
