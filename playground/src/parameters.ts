/** The values that stand in place of those of the text's `param`s, as `-D NAME=VALUE` gives them to a command. */
import { make, one } from "./page";
import type { Parameter } from "./protocol";

export class Parameters {
  private readonly bar = one("#parameters");
  private given = new Map<string, string>();
  private fields = new Map<string, HTMLInputElement>();
  private shown = "";

  constructor(private readonly changed: () => void) {}

  /** Of those that are set. */
  get values(): Record<string, string> {
    return Object.fromEntries(this.given);
  }

  /** Those of another text, whose `param`s are not known yet. */
  open(values: Record<string, string>): void {
    this.given = new Map(Object.entries(values));
    this.fields.clear();
    this.shown = "";
    this.bar.replaceChildren();
    this.bar.hidden = true;
  }

  /** A field for each `param`, and for what is set though there is no `param` of that name, which netc says. */
  show(parameters: readonly Parameter[]): void {
    const usual = new Map(parameters.map(({ name, value }) => [name, value]));
    for (const name of this.given.keys()) if (!usual.has(name)) usual.set(name, "");
    const now = JSON.stringify([...usual]);
    if (now === this.shown) return; // what is written in a field stays as it is
    this.shown = now;
    const old = this.fields;
    this.fields = new Map([...usual].map(([name, value]) => [name, this.field(name, value, old.get(name))]));
    const labels = [...this.fields].map(([name, field]) => make("label", {}, name, field));
    const focused = document.activeElement as HTMLElement | null;
    this.bar.replaceChildren(...labels);
    this.bar.hidden = !labels.length;
    if (focused && this.bar.contains(focused)) focused.focus();
  }

  private field(name: string, usual: string, old?: HTMLInputElement): HTMLInputElement {
    const field = old ?? (make("input", { spellcheck: "false", autocomplete: "off", autocapitalize: "off" }) as HTMLInputElement);
    if (!old) field.addEventListener("input", () => this.set(name, field.value.trim()));
    field.value = this.given.get(name) ?? "";
    field.placeholder = usual;
    field.size = Math.min(16, Math.max(4, usual.length));
    field.title = usual ? `\`param ${name} = ${usual}\`; another value here, as by \`-D ${name}=...\`` : `there is no \`param ${name}\``;
    field.classList.toggle("unknown", !usual);
    return field;
  }

  private set(name: string, value: string): void {
    if (value) this.given.set(name, value);
    else this.given.delete(name);
    this.changed();
  }
}
