/** The colours of a `.net` text. Its words come from netc's own lists (`tools/playground.py`). */
import { LanguageSupport, StreamLanguage, type StringStream } from "@codemirror/language";
import { completeFromList } from "@codemirror/autocomplete";
import words from "../made/words.json";

interface State {
  /** What may stand next: a statement, the name of a definition, or arguments. */
  place: "statement" | "name" | "arguments";
  /** Open parentheses, in which names are those of values. */
  depth: number;
  /** Open braces. */
  blocks: number;
}

const [keywords, constants, statements, settings, operations, blocks, values, sizes] = [
  words.keywords,
  words.constants,
  words.statements,
  words.settings,
  words.operations,
  words.blocks,
  words.words,
  words.sizes,
].map((list) => new Set(list)) as [
  Set<string>,
  Set<string>,
  Set<string>,
  Set<string>,
  Set<string>,
  Set<string>,
  Set<string>,
  Set<string>,
];

const SIZE = /^(?:\?|[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][-+]?[0-9]+)?(?:[x/](?:\?|[0-9]+))*/;
const WORD = /^[A-Za-z_][A-Za-z0-9_]*/;

function token(stream: StringStream, state: State): string | null {
  if (stream.eatSpace()) return null;
  if (stream.match(/^#.*/)) return "comment";
  if (stream.match(/^"(?:[^"\\]|\\.)*"?/)) return "string";
  if (stream.match(SIZE)) return "number";
  const word = stream.match(WORD) as RegExpMatchArray | null;
  if (word) return named(word[0], stream, state);
  const char = stream.next() ?? "";
  if (char === "(") state.depth++;
  else if (char === ")") state.depth = Math.max(0, state.depth - 1);
  else if (/[;{}|]/.test(char)) state.place = "statement";
  if (char === "{") state.blocks++;
  else if (char === "}") state.blocks = Math.max(0, state.blocks - 1);
  return /[-+*/%<>=!]/.test(char) ? "operator" : /[(){}|;]/.test(char) ? "punctuation" : null;
}

function named(word: string, stream: StringStream, state: State): string {
  const place = state.place;
  if (constants.has(word)) return "bool";
  if (keywords.has(word)) {
    if (!state.depth) state.place = NEXT[word] ?? "arguments";
    return "keyword";
  }
  if (state.depth) return sizes.has(word) ? "variableName.special" : "variableName";
  if (place === "name") {
    state.place = "arguments";
    return "variableName.definition";
  }
  if (stream.match(/^\s*=(?!=)/, false)) return "propertyName";
  if (place === "arguments") return values.has(word) ? "typeName" : "variableName";
  if (stream.match(/^\s*:/, false)) return "labelName";
  state.place = "arguments";
  if (statements.has(word)) return "keyword";
  return operations.has(word) || blocks.has(word) || settings.has(word) ? "typeName" : "variableName.function";
}

/** What stands after a word of the grammar, where that is not a value. */
const NEXT: Record<string, State["place"]> = { def: "name", param: "name", shared: "statement", else: "statement" };

const net = StreamLanguage.define<State>({
  name: "net",
  startState: () => ({ place: "statement", depth: 0, blocks: 0 }),
  copyState: (state) => ({ ...state }),
  token(stream, state) {
    if (stream.sol() && !state.depth) state.place = "statement";
    return token(stream, state);
  },
  indent: ({ depth, blocks }, after, { unit }) =>
    depth ? null : Math.max(0, blocks - (after.trimStart().startsWith("}") ? 1 : 0)) * unit,
  languageData: { commentTokens: { line: "#" }, indentOnInput: /^\s*\}$/, closeBrackets: { brackets: ["(", "{", '"'] } },
});

/** Words to complete with until Python is up. */
const plain = completeFromList(
  [...words.statements, ...words.operations, ...words.blocks].map((label) => ({ label, type: "keyword" })),
);

export const netLanguage = new LanguageSupport(net);
export { plain as plainCompletion };
