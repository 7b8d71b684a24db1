/** The words of the language, with their documentation: for a page that stands alone, and without a network. */
import { markdown } from "./markdown";
import { make, one, ticked } from "./page";
import type { Words } from "./protocol";

export interface Told {
  words(): Promise<Words[]>;
  page(word: string): Promise<string>;
  /** Do something that asks; what goes wrong is told. */
  act(asking: () => Promise<void>): void;
}

export class Reference {
  private readonly dialog = one("#reference", HTMLDialogElement);
  private readonly list = one("#words");
  private isFilled = false;

  constructor(private readonly told: Told) {
    one("#language").addEventListener("click", () => told.act(() => this.open()));
    one("#reference .close").addEventListener("click", () => this.dialog.close());
    this.dialog.addEventListener("click", ({ target }) => {
      if (target === this.dialog) this.dialog.close(); // beside it
    });
  }

  private async open(): Promise<void> {
    this.dialog.showModal();
    if (this.isFilled) return;
    this.list.replaceChildren(make("p", { class: "nothing" }, "This comes with Python, which is not up yet."));
    const kinds = await this.told.words();
    this.isFilled = true;
    this.list.replaceChildren(
      ...kinds.flatMap(({ title, words }) => [
        make("h3", {}, title),
        ...words.map(([word, gist]) => this.entry(word, gist)),
      ]),
    );
  }

  /** A word in a line, and all about it once it is opened. */
  private entry(word: string, gist: string): HTMLElement {
    const entry = make("details", {}, make("summary", {}, make("code", {}, word), make("span", {}, ...ticked(gist))));
    const fill = async (): Promise<void> => {
      const page = markdown(await this.told.page(word));
      if (entry.childElementCount === 1) entry.append(page);
    };
    entry.addEventListener("toggle", () => {
      if (entry.childElementCount === 1) this.told.act(fill);
    });
    return entry;
  }
}
