/** The text: CodeMirror with netc's findings, fixes, completion and hover. */
import {
  acceptCompletion,
  autocompletion,
  closeBrackets,
  closeBracketsKeymap,
  completionKeymap,
  selectedCompletion,
  type Completion as Offered,
  type CompletionContext,
  type CompletionResult,
} from "@codemirror/autocomplete";
import { defaultKeymap, history, historyKeymap, indentWithTab } from "@codemirror/commands";
import { bracketMatching, indentOnInput, indentUnit, syntaxHighlighting } from "@codemirror/language";
import { lintGutter, lintKeymap, setDiagnostics, type Diagnostic } from "@codemirror/lint";
import { highlightSelectionMatches, searchKeymap } from "@codemirror/search";
import { ChangeSet, EditorState } from "@codemirror/state";
import {
  drawSelection,
  EditorView,
  highlightActiveLine,
  highlightActiveLineGutter,
  hoverTooltip,
  keymap,
  lineNumbers,
  type Tooltip,
  type ViewUpdate,
} from "@codemirror/view";
import { classHighlighter } from "@lezer/highlight";
import { hints, putHints, showHints } from "./hints";
import { netLanguage, plainCompletion } from "./language";
import { markdown } from "./markdown";
import { make, one, ticked } from "./page";
import type { Completion, Edit, Finding, Hint, Hover, Option, Range } from "./protocol";

/** What the editor asks the page. */
export interface Asked {
  changed(): void;
  moved(): void;
  hover(at: number): Promise<Hover | null>;
  /** Null while Python is not up. */
  complete(at: number): Promise<Completion | null>;
  /** The documentation of what may stand there; empty where there is none. */
  about(option: Option): Promise<string>;
}

/** What was changed since a text, so that places in it are known in what became of it. */
export class Since {
  private changes: ChangeSet;

  constructor(length: number) {
    this.changes = ChangeSet.empty(length);
  }

  add(changes: ChangeSet): void {
    this.changes = this.changes.compose(changes);
  }

  /** Where a place stands now; null where its text is gone. */
  now([start, end]: Range): Range | null {
    const length = this.changes.length;
    if (end > length || start > end) return null;
    const found: Range = [this.changes.mapPos(start, 1), this.changes.mapPos(end, -1)];
    return found[0] < found[1] || start === end ? found : null;
  }
}

/** What an option is in a few words, in one line beside it. */
function details(offered: Offered & { about?: string }): HTMLElement {
  return make("span", { class: "cm-completionDetail" }, ...ticked(offered.about ?? ""));
}

/** Take what is offered; but where all of it is written already, Enter begins a line. */
function acceptUnlessWritten(view: EditorView): boolean {
  const chosen = selectedCompletion(view.state)?.label;
  const { doc, selection } = view.state;
  const { head } = selection.main;
  if (!chosen || doc.sliceString(head - chosen.length, head) === chosen) return false;
  return acceptCompletion(view);
}

const POINTED = "select.figure"; // a selection that the figure asked for

export class Editor {
  private readonly view: EditorView;
  private readonly followed = new Set<Since>();

  constructor(text: string, private readonly asked: Asked, withHints: boolean) {
    const state = EditorState.create({
      doc: text,
      extensions: [
        lineNumbers(),
        highlightActiveLineGutter(),
        highlightActiveLine(),
        history(),
        drawSelection(),
        indentOnInput(),
        bracketMatching(),
        closeBrackets(),
        highlightSelectionMatches(),
        lintGutter(),
        hints(withHints),
        netLanguage,
        syntaxHighlighting(classHighlighter),
        EditorState.tabSize.of(4),
        indentUnit.of(" ".repeat(4)), // as `netc fmt` writes it
        EditorView.lineWrapping,
        EditorView.contentAttributes.of({ "aria-label": "network", spellcheck: "false" }),
        autocompletion({
          override: [(context) => this.complete(context)],
          icons: false,
          defaultKeymap: false,
          addToOptions: [{ render: details, position: 80 }],
        }),
        hoverTooltip((_, at) => this.hover(at), { hoverTime: 250 }),
        keymap.of([
          { key: "Tab", run: acceptCompletion },
          { key: "Enter", run: acceptUnlessWritten },
          ...completionKeymap.filter(({ key }) => key !== "Enter"),
          ...closeBracketsKeymap,
          ...defaultKeymap,
          ...searchKeymap,
          ...historyKeymap,
          ...lintKeymap,
          indentWithTab,
        ]),
        EditorView.updateListener.of((update) => this.updated(update)),
      ],
    });
    this.view = new EditorView({ state, parent: one("#editor") });
  }

  get text(): string {
    return this.view.state.doc.toString();
  }

  get cursor(): number {
    return this.view.state.selection.main.head;
  }

  /** Follow the changes from now on, until `forget`. */
  follow(): Since {
    const since = new Since(this.view.state.doc.length);
    this.followed.add(since);
    return since;
  }

  forget(since: Since | null): void {
    if (since) this.followed.delete(since);
  }

  /** Another text in its place, as one change that can be undone; what both begin and end with stays. */
  replace(text: string): void {
    const old = this.text;
    let from = 0;
    while (from < old.length && from < text.length && old[from] === text[from]) from++;
    let [end, to] = [old.length, text.length];
    while (end > from && to > from && old[end - 1] === text[to - 1]) [end, to] = [end - 1, to - 1];
    if (old !== text) this.view.dispatch({ changes: { from, to: end, insert: text.slice(from, to) } });
  }

  /** A text of which nothing is known yet. */
  open(text: string): void {
    const changes = { from: 0, to: this.view.state.doc.length, insert: text };
    this.view.dispatch({ changes, selection: { anchor: 0 }, scrollIntoView: true });
    putHints(this.view, []);
  }

  /** Select a range, and show it. */
  select([anchor, head]: Range): void {
    const effects = EditorView.scrollIntoView(anchor, { y: "center" });
    this.view.dispatch({ selection: { anchor, head }, effects, userEvent: POINTED });
    this.view.focus();
  }

  diagnose(findings: readonly Finding[], since: Since): void {
    const shown = findings.flatMap((found): Diagnostic[] => {
      const place = since.now([found.start, found.end]);
      if (!place) return [];
      const { severity, fix } = found;
      const actions = fix ? [{ name: fix.title, apply: () => this.apply(fix.edits, since) }] : [];
      const message = [`${found.code}: ${found.message}`, ...found.said].join("\n");
      return [{ from: place[0], to: place[1], severity, message, actions }];
    });
    this.view.dispatch(setDiagnostics(this.view.state, shown));
  }

  /** Put shapes beside statements; they go with their places from then on. */
  hint(given: readonly Hint[], since: Since): void {
    const placed = given.flatMap((hint) => {
      const now = since.now([hint.at, hint.at]);
      return now ? [{ ...hint, at: now[0] }] : [];
    });
    putHints(this.view, placed);
  }

  showHints(isShown: boolean): void {
    showHints(this.view, isShown);
  }

  /** Make the edits of a fix, where their places are still there. */
  apply(edits: readonly Edit[], since: Since): void {
    const changes = edits.flatMap(({ start, end, text }) => {
      const place = since.now([start, end]);
      return place ? [{ from: place[0], to: place[1], insert: text }] : [];
    });
    if (changes.length === edits.length) this.view.dispatch({ changes, userEvent: "input.fix" });
    this.view.focus();
  }

  private updated(update: ViewUpdate): void {
    if (update.docChanged) {
      this.followed.forEach((since) => since.add(update.changes));
      this.asked.changed();
    }
    if (update.selectionSet && !update.transactions.some((made) => made.isUserEvent(POINTED))) this.asked.moved();
  }

  private async complete(context: CompletionContext): Promise<CompletionResult | null> {
    if (!context.explicit && !context.matchBefore(/(?:(?<!\w)[A-Za-z_]\w*|=)$/)) return null;
    const found = await this.asked.complete(context.pos);
    if (!found) return plainCompletion(context);
    const isWhole = (written: string): boolean => {
      const fitting = found.options.filter(({ label }) => label.startsWith(written));
      return fitting.length === 1 && fitting[0]?.label === written;
    };
    if (!context.explicit && isWhole(context.state.sliceDoc(found.start, context.pos))) return null;
    return {
      from: found.start,
      options: found.options.map((option, at) => ({
        label: option.label,
        sortText: String(at).padStart(4, "0"), // of those that fit as well as each other, as netc lists them
        type: option.kind,
        about: option.detail,
        apply: option.insert,
        info: async () => {
          const text = await this.asked.about(option);
          return text ? markdown(text) : null;
        },
      })),
      validFor: (written) => /^\w*$/.test(written) && !isWhole(written),
    };
  }

  private async hover(at: number): Promise<Tooltip | null> {
    const found = await this.asked.hover(at);
    if (!found) return null;
    const { start, end, text } = found;
    return { pos: start, end, above: true, create: () => ({ dom: make("div", { class: "told" }, markdown(text)) }) };
  }
}
