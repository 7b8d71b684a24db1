/**
 * What netc's documentation uses of Markdown, as elements: headings, paragraphs, lists, tables, rules, blocks of code, and
 * `code`, **bold** and links' words in a line. Anything else stays the text that it is.
 */
import { make } from "./page";

const SPANS = /(`+)(.+?)\1|\*\*(.+?)\*\*|\[([^\]]+)\]\([^)]*\)|\\([\\`*_[\]|~<])/g;

function inline(text: string): (Node | string)[] {
  const parts: (Node | string)[] = [];
  let at = 0;
  for (const match of text.matchAll(SPANS)) {
    const [whole, , code, bold, link, escaped] = match;
    parts.push(text.slice(at, match.index));
    if (code !== undefined) parts.push(make("code", {}, code.trim()));
    else if (bold !== undefined) parts.push(make("strong", {}, ...inline(bold)));
    else parts.push(link ?? escaped ?? whole);
    at = match.index + whole.length;
  }
  return [...parts, text.slice(at)];
}

function table(lines: string[]): HTMLElement {
  const cells = (line: string): string[] =>
    line.replace(/^\s*\||\|\s*$/g, "").split(/(?<!\\)\|/).map((cell) => cell.trim());
  const row = (line: string, tag: string): HTMLElement =>
    make("tr", {}, ...cells(line).map((cell) => make(tag, {}, ...inline(cell))));
  const [head = "", , ...rest] = lines;
  return make("table", {}, make("thead", {}, row(head, "th")), make("tbody", {}, ...rest.map((line) => row(line, "td"))));
}

function block(lines: string[]): HTMLElement {
  const [first = ""] = lines;
  if (/^#+ /.test(first)) return make("h3", {}, ...inline(lines.join(" ").replace(/^#+ /, "")));
  if (/^-{3,}$/.test(first) && lines.length === 1) return make("hr");
  if (first.startsWith("|")) return table(lines);
  if (lines.every((line) => line.startsWith("- "))) {
    return make("ul", {}, ...lines.map((line) => make("li", {}, ...inline(line.slice(2)))));
  }
  return make("p", {}, ...inline(lines.join(" ")));
}

export function markdown(text: string): HTMLElement {
  const whole = make("div", { class: "markdown" });
  let lines: string[] = [];
  let fence: string | null = null;
  const flush = (): void => {
    if (lines.length) whole.append(fence === null ? block(lines) : make("pre", {}, lines.join("\n")));
    lines = [];
  };
  for (const line of text.split("\n")) {
    const ticks = /^(`{3,})/.exec(line)?.[1];
    if (fence === null ? ticks : ticks === fence) {
      flush();
      fence = fence === null ? (ticks ?? null) : null;
    } else if (fence === null && !line.trim()) flush();
    else lines.push(line);
  }
  flush();
  return whole;
}
