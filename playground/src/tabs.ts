/** The tabs below the text, and the parts of the page that a narrow screen shows one at a time. */
import { one, recall, remember } from "./page";

export type Tab = "findings" | "summary" | "code";
const TABS: readonly Tab[] = ["findings", "summary", "code"];

export class Tabs {
  shown: Tab = "findings";
  private readonly main = one("main");
  private readonly views = [...document.querySelectorAll<HTMLButtonElement>("#views button")];

  constructor(private readonly opened: (tab: Tab) => void) {
    for (const tab of TABS) this.button(tab).addEventListener("click", () => this.show(tab));
    one("[role=tablist]").addEventListener("keydown", ({ key }) => {
      const step = { ArrowRight: 1, ArrowLeft: -1 }[key];
      const next = step && TABS[(TABS.indexOf(this.shown) + step + TABS.length) % TABS.length];
      if (!next) return;
      this.show(next);
      this.button(next).focus();
    });
    for (const button of this.views) button.addEventListener("click", () => this.look(button.dataset.view ?? "editor"));
  }

  show(tab: Tab): void {
    this.shown = tab;
    for (const each of TABS) {
      this.button(each).setAttribute("aria-selected", String(each === tab));
      this.button(each).tabIndex = each === tab ? 0 : -1;
      one(`#${each}`).hidden = each !== tab;
    }
    this.opened(tab);
  }

  /** What a narrow screen shows. */
  look(view: string): void {
    this.main.dataset.view = view;
    for (const button of this.views) button.setAttribute("aria-pressed", String(button.dataset.view === view));
    const tab = TABS.find((each) => each === view);
    if (tab) this.show(tab);
  }

  private button(tab: Tab): HTMLElement {
    return one(`#tab-${tab}`);
  }
}

/** A bar between two parts, moved by a pointer or by arrows; `property` is the share of the first one. */
export function splitter(bar: HTMLElement, around: HTMLElement, property: string, usual: number): void {
  const across = bar.getAttribute("aria-orientation") === "vertical";
  const set = (share: number): void => {
    const kept = Math.min(0.85, Math.max(0.15, share));
    around.style.setProperty(property, `${kept * 100}%`);
    bar.setAttribute("aria-valuenow", String(Math.round(kept * 100)));
    remember(property, String(kept));
  };
  const now = (): number => Number(bar.getAttribute("aria-valuenow")) / 100;
  set(Number(recall(property)) || usual);
  bar.addEventListener("pointerdown", (event) => {
    event.preventDefault();
    bar.setPointerCapture(event.pointerId);
  });
  bar.addEventListener("pointermove", (event) => {
    if (!bar.hasPointerCapture(event.pointerId)) return;
    const box = around.getBoundingClientRect();
    set(across ? (event.clientX - box.left) / box.width : (event.clientY - box.top) / box.height);
  });
  bar.addEventListener("dblclick", () => set(usual));
  bar.addEventListener("keydown", (event) => {
    const step = { ArrowLeft: -0.02, ArrowUp: -0.02, ArrowRight: 0.02, ArrowDown: 0.02 }[event.key];
    if (!step) return;
    event.preventDefault();
    set(now() + step);
  });
}
