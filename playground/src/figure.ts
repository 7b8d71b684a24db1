/** The figure in its window: pan, zoom, fit, marks, and which of its objects is pointed at or clicked. */
import type { Figure, Range } from "./protocol";
import { make, one } from "./page";
import { figureOf } from "./svg";

const LARGEST = 8; // zoom
const SMALLEST = 0.03;
const STEP = 60; // px that a key moves
const SLACK = 4; // px that a click may be off

interface Place {
  x: number;
  y: number;
  zoom: number;
}

export class FigureView {
  private readonly view = one("#view");
  private readonly sheet = make("div", { class: "sheet" });
  private svg: SVGSVGElement | null = null;
  private size = { width: 0, height: 0 };
  private at: Place = { x: 0, y: 0, zoom: 1 };
  /** Whether it was fitted, and goes on being so when the window changes. */
  private fitted: "width" | "whole" | null = "width";
  private objects = new Map<SVGGElement, string>();
  private drawn = "";
  places: Record<string, Range[]> = {};

  constructor(private readonly pick: (id: string) => void) {
    this.view.append(this.sheet);
    this.listen();
    new ResizeObserver(() => this.fit(this.fitted)).observe(this.view);
  }

  /** The text of the figure that is shown; empty where none is. */
  get text(): string {
    return this.drawn;
  }

  show(figure: Figure): void {
    this.places = figure.places;
    if (figure.svg === this.drawn) return;
    const svg = figureOf(figure.svg);
    const focused = this.focused;
    const [width, height] = [svg.width.baseVal.value, svg.height.baseVal.value];
    const same = Math.abs(width - this.size.width) < 1;
    [this.svg, this.size, this.drawn] = [svg, { width, height }, figure.svg];
    this.objects = new Map();
    for (const group of svg.querySelectorAll<SVGGElement>("g[id]")) {
      if (group.closest("defs") || !(group.id in figure.places)) continue;
      group.setAttribute("tabindex", this.objects.size ? "-1" : "0");
      this.objects.set(group, group.id);
    }
    this.sheet.replaceChildren(svg);
    if (this.fitted || !same) this.fit(this.fitted ?? "width");
    else this.move(this.at);
    if (focused) [...this.objects].find(([, id]) => id === focused)?.[0].focus({ preventScroll: true });
  }

  clear(): void {
    this.sheet.replaceChildren();
    [this.svg, this.drawn, this.places] = [null, "", {}];
    this.objects.clear();
  }

  /** Mark objects; the first of them comes into view. */
  mark(ids: ReadonlySet<string>): void {
    let first: SVGGElement | null = null;
    for (const [group, id] of this.objects) {
      const on = ids.has(id);
      group.classList.toggle("on", on);
      if (on) first ??= group;
    }
    if (first) this.reveal(first);
  }

  zoom(factor: number, x = this.view.clientWidth / 2, y = this.view.clientHeight / 2): void {
    const zoom = Math.min(LARGEST, Math.max(SMALLEST, this.at.zoom * factor));
    const grown = zoom / this.at.zoom;
    this.fitted = null;
    this.move({ x: x - (x - this.at.x) * grown, y: y - (y - this.at.y) * grown, zoom });
  }

  /** The whole figure or its whole width, never larger than it is drawn. */
  fit(what: "width" | "whole" | null): void {
    const { clientWidth, clientHeight } = this.view;
    if (!what || !this.svg || !clientWidth) return;
    const { width, height } = this.size;
    const zoom = Math.min(clientWidth / width, what === "whole" ? clientHeight / height : 1, 1);
    const middle = (room: number, length: number): number => Math.max(0, (room - length * zoom) / 2);
    this.fitted = what;
    this.move({ x: middle(clientWidth, width), y: middle(clientHeight, height), zoom });
  }

  private move(place: Place): void {
    // Some of the figure stays in sight.
    const keep = (at: number, length: number, room: number): number => Math.min(room - 40, Math.max(40 - length, at));
    const x = keep(place.x, this.size.width * place.zoom, this.view.clientWidth);
    const y = keep(place.y, this.size.height * place.zoom, this.view.clientHeight);
    this.at = { x, y, zoom: place.zoom };
    this.sheet.style.transform = `translate(${x}px, ${y}px) scale(${place.zoom})`;
  }

  private pan(dx: number, dy: number): void {
    this.fitted = null;
    this.move({ ...this.at, x: this.at.x + dx, y: this.at.y + dy });
  }

  private reveal(group: SVGGElement): void {
    const box = group.getBoundingClientRect();
    const frame = this.view.getBoundingClientRect();
    const shift = (from: number, to: number, first: number, last: number): number =>
      from >= first && to <= last ? 0 : to - from > last - first ? first - from : (first + last - from - to) / 2;
    const dx = shift(box.left, box.right, frame.left, frame.right);
    const dy = shift(box.top, box.bottom, frame.top, frame.bottom);
    if (frame.width && (dx || dy)) this.pan(dx, dy);
  }

  private get focused(): string | null {
    return (document.activeElement && this.objects.get(document.activeElement as SVGGElement)) ?? null;
  }

  private objectAt(target: EventTarget | null): SVGGElement | null {
    let found = target instanceof Element ? target.closest<SVGGElement>("g[id]") : null;
    while (found && !this.objects.has(found)) found = found.parentElement?.closest<SVGGElement>("g[id]") ?? null;
    return found;
  }

  private choose(group: SVGGElement | null): void {
    const id = group && this.objects.get(group);
    if (id) this.pick(id);
  }

  private listen(): void {
    const pointers = new Map<number, PointerEvent>();
    let start: PointerEvent | null = null;
    let dragged = false;
    this.view.addEventListener("pointerdown", (event) => {
      if (event.button) return;
      if (event.isPrimary) {
        pointers.clear();
        [start, dragged] = [event, false];
      }
      pointers.set(event.pointerId, event);
    });
    this.view.addEventListener("pointermove", (event) => {
      const last = pointers.get(event.pointerId);
      if (!last || !start) return;
      if (!dragged && Math.hypot(event.clientX - start.clientX, event.clientY - start.clientY) < SLACK) return;
      if (!dragged) this.view.setPointerCapture(event.pointerId);
      dragged = true;
      this.view.classList.add("dragging");
      const other = [...pointers.values()].find(({ pointerId }) => pointerId !== event.pointerId);
      pointers.set(event.pointerId, event);
      if (!other) {
        this.pan(event.clientX - last.clientX, event.clientY - last.clientY);
        return;
      }
      const span = (from: PointerEvent): number =>
        Math.hypot(from.clientX - other.clientX, from.clientY - other.clientY);
      const frame = this.view.getBoundingClientRect();
      this.zoom(span(event) / Math.max(1, span(last)), other.clientX - frame.left, other.clientY - frame.top);
    });
    const release = (event: PointerEvent): void => {
      pointers.delete(event.pointerId);
      if (pointers.size) return;
      this.view.classList.remove("dragging");
      if (!dragged && event.type === "pointerup" && start) this.choose(this.objectAt(start.target));
      start = null;
    };
    this.view.addEventListener("pointerup", release);
    this.view.addEventListener("pointercancel", release);
    this.view.addEventListener(
      "wheel",
      (event) => {
        event.preventDefault();
        const frame = this.view.getBoundingClientRect();
        if (!event.ctrlKey && !event.metaKey) this.pan(-event.deltaX, -event.deltaY);
        else this.zoom(Math.exp(-event.deltaY / 200), event.clientX - frame.left, event.clientY - frame.top);
      },
      { passive: false },
    );
    this.view.addEventListener("keydown", (event) => this.press(event));
  }

  private press(event: KeyboardEvent): void {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const group = this.objectAt(event.target);
    const ways: Record<string, [number, number]> = {
      ArrowLeft: [1, 0],
      ArrowRight: [-1, 0],
      ArrowUp: [0, 1],
      ArrowDown: [0, -1],
    };
    const way = ways[event.key];
    if (group && way) this.rove(group, -(way[0] + way[1]));
    else if (way) this.pan(way[0] * STEP, way[1] * STEP);
    else if (group && (event.key === "Enter" || event.key === " ")) this.choose(group);
    else if (event.key === "+" || event.key === "=") this.zoom(1.25);
    else if (event.key === "-") this.zoom(0.8);
    else if (event.key === "0") this.fit("whole");
    else return;
    event.preventDefault();
  }

  /** One object is on the way of the Tab key; arrows lead from it to the others. */
  private rove(from: SVGGElement, step: number): void {
    const groups = [...this.objects.keys()];
    const next = groups[groups.indexOf(from) + step];
    if (!next) return;
    from.setAttribute("tabindex", "-1");
    next.setAttribute("tabindex", "0");
    next.focus({ preventScroll: true });
    this.reveal(next);
  }
}
