/** Shapes beside statements, as the language server gives them to editors: no part of the text. */
import { Compartment, StateEffect, StateField, type Extension } from "@codemirror/state";
import { Decoration, EditorView, WidgetType, type DecorationSet } from "@codemirror/view";
import { make } from "./page";
import type { Hint } from "./protocol";

class Shape extends WidgetType {
  constructor(private readonly hint: Hint) {
    super();
  }

  override eq(other: Shape): boolean {
    return this.hint.text === other.hint.text && this.hint.old === other.hint.old;
  }

  override toDOM(): HTMLElement {
    const { text, old } = this.hint;
    const title = old ? "of the text as it last worked" : "";
    return make("span", { class: old ? "hint old" : "hint", "data-text": text, title, "aria-hidden": "true" });
  }

  override ignoreEvent(): boolean {
    return false; // a click beside a statement puts the cursor there
  }
}

const place = StateEffect.define<readonly Hint[]>();

const shapes = StateField.define<DecorationSet>({
  create: () => Decoration.none,
  update(old, { changes, effects }) {
    let now = old.map(changes);
    for (const effect of effects) if (effect.is(place)) now = decorated(effect.value);
    return now;
  },
});

function decorated(hints: readonly Hint[]): DecorationSet {
  return Decoration.set(hints.map((hint) => Decoration.widget({ widget: new Shape(hint), side: 1 }).range(hint.at)), true);
}

const shown = EditorView.decorations.compute([shapes], (state) => state.field(shapes));
const whether = new Compartment();

export function hints(isShown: boolean): Extension {
  return [shapes, whether.of(isShown ? shown : [])];
}

/** Other hints in place of those that are there. */
export function putHints(view: EditorView, given: readonly Hint[]): void {
  view.dispatch({ effects: place.of(given) });
}

/** Show them or not; they are kept. */
export function showHints(view: EditorView, isShown: boolean): void {
  view.dispatch({ effects: whether.reconfigure(isShown ? shown : []) });
}
