/** Small things that all parts of the page use. */

/** The element of a selector, and of a class where that matters. */
export function one(selector: string): HTMLElement;
export function one<E extends HTMLElement>(selector: string, type: new () => E): E;
export function one(selector: string, type: new () => HTMLElement = HTMLElement): HTMLElement {
  const found = document.querySelector(selector);
  if (!(found instanceof type)) throw new Error(`the page has no ${selector}`);
  return found;
}

type Attributes = Record<string, string | boolean | ((event: Event) => void)>;

/** An element with its attributes, listeners and children. Texts are texts. */
export function make(tag: string, attributes: Attributes = {}, ...children: (Node | string)[]): HTMLElement {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === "function") element.addEventListener(name, value);
    else if (value === true) element.setAttribute(name, "");
    else if (value !== false) element.setAttribute(name, value);
  }
  element.append(...children);
  return element;
}

/** A message with what stands in backticks as code. */
export function ticked(text: string): (Node | string)[] {
  return text.split("`").map((part, at) => (at % 2 ? make("code", {}, part) : part));
}

/** Nothing at first, then at most every so many ms, with the last state of things. */
export function later(act: () => void, wait: number): () => void {
  let timer = 0;
  return () => {
    window.clearTimeout(timer);
    timer = window.setTimeout(act, wait);
  };
}

/** What was kept, in a browser that keeps something. */
export function recall(key: string): string | null {
  try {
    return localStorage.getItem(`netc.${key}`);
  } catch {
    return null;
  }
}

export function remember(key: string, value: string): void {
  try {
    localStorage.setItem(`netc.${key}`, value);
  } catch {
    // then it is for this time alone
  }
}
