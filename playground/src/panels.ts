/** What the tabs hold: findings with their fixes, the summary as a table, and Keras code. */
import { pythonLanguage } from "@codemirror/lang-python";
import { classHighlighter, highlightCode } from "@lezer/highlight";
import { make, one, ticked } from "./page";
import type { Finding, Range, Summary } from "./protocol";

export interface Acts {
  go(place: Range): void;
  fix(finding: Finding): void;
  fixAll(): void;
}

/** Errors come before warnings, which may be long; both in the order of the text. */
function isError({ severity }: Finding): number {
  return Number(severity === "error");
}

export function showFindings(findings: readonly Finding[], acts: Acts): void {
  const errors = findings.filter(isError).length;
  const count = findings.length ? String(findings.length) : "";
  for (const badge of document.querySelectorAll("#count, #views b")) {
    badge.textContent = count;
    badge.classList.toggle("errors", errors > 0);
  }
  const safe = findings.filter(({ fix }) => fix?.safe).length;
  const all = safe > 1 ? [make("button", { class: "all", click: () => acts.fixAll() }, `Apply all ${safe} safe fixes`)] : [];
  one("#findings").replaceChildren(
    ...(findings.length ? all : [make("p", { class: "nothing" }, "Nothing to say: no errors and no warnings.")]),
    ...[...findings].sort((one, other) => isError(other) - isError(one)).map((found) => item(found, acts)),
  );
}

function item(found: Finding, acts: Acts): HTMLElement {
  const { severity, code, message, line, said, fix } = found;
  const where = make("button", { class: "where", click: () => acts.go([found.start, found.end]) }, `line ${line}`);
  const title = fix?.safe === false ? "not proved to keep what the network computes" : "";
  return make(
    "article",
    { class: severity },
    make("div", { class: "head" }, make("b", {}, `${severity} ${code}`), where),
    make("p", {}, ...ticked(message)),
    ...said.map((line) => make("p", { class: "said" }, ...ticked(line))),
    ...(fix ? [make("button", { class: "fix", title, click: () => acts.fix(found) }, "Fix: ", ...ticked(fix.title))] : []),
  );
}

export function showSummary(summary: Summary | null, acts: Acts): void {
  if (!summary) {
    one("#summary").replaceChildren(make("p", { class: "nothing" }, "There is no network yet to sum up."));
    return;
  }
  const { header, right, rows, totals, old } = summary;
  const cells = (texts: string[], tag: string): HTMLElement[] =>
    texts.map((text, at) => make(tag, { class: right[at] ? "number" : "" }, text));
  const body = rows.map(({ cells: texts, place }) => {
    const row = make("tr", {}, ...cells(texts, "td"));
    row.children[1]?.setAttribute("title", texts[1] ?? "");
    if (place) row.firstElementChild?.replaceChildren(make("button", { click: () => acts.go(place) }, texts[0] ?? ""));
    return row;
  });
  one("#summary").classList.toggle("old", old);
  one("#summary").replaceChildren(
    make("dl", {}, ...totals.flatMap(([name, value]) => [make("dt", {}, name), make("dd", {}, value)])),
    make("table", {}, make("thead", {}, make("tr", {}, ...cells(header, "th"))), make("tbody", {}, ...body)),
  );
}

/** Keras code in colours, with a button that saves it; or, in `error`, why there is none, or none of this text. */
export function showCode(text: string, error: string, save?: () => void): void {
  const shown = make("pre", { class: "python" });
  const put = (code: string, classes: string): void => shown.append(classes ? make("span", { class: classes }, code) : code);
  highlightCode(text, pythonLanguage.parser.parse(text), classHighlighter, put, () => put("\n", ""));
  const above = error ? [make("p", { class: "nothing" }, error)] : save ? [make("button", { class: "save", click: save }, "Save .py")] : [];
  one("#code").replaceChildren(...above, ...(text ? [shown] : []));
}
