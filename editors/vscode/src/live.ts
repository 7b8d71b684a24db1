/** The figure beside the text: which text it is of, when it is asked for anew, what is marked, and where clicks lead. */
import type { Ask, Figure, FromPage, Place, Position, Range, ToPage } from "./messages";

/** What shows the figure and the texts. */
export interface Host {
  post(message: ToPage): void;
  reveal(uri: string, range: Range): void;
  /** How figures are to look now. */
  look(): { style: string; theme: string };
}

const NOTHING: Figure = { svg: "", style: "", old: false, error: "", line: null, objects: {} };

export class Live {
  /** The text whose figure is shown. */
  uri = "";
  private shown = NOTHING;
  private nodes: string[] = [];
  private asking = false;
  private stale = false;
  private cursors = 0;
  /** A text that a click has led to: the figure stays that of the one the click was for. */
  private led = "";
  private last = { object: "", times: 0 };

  constructor(
    private readonly ask: Ask,
    private readonly host: Host,
  ) {}

  /** Show the figure of another text: of the one that is written now, unless a click has led there, or of the one that
   * was asked for. */
  async follow(uri: string, asked = false): Promise<void> {
    if (uri === this.led && !asked) return;
    this.led = "";
    if (uri === this.uri) return;
    [this.uri, this.shown, this.nodes] = [uri, NOTHING, []];
    this.show();
    await this.refresh();
  }

  /** The figure may be another now. Of several times while one is drawn, the last counts. */
  async refresh(): Promise<void> {
    this.stale = true;
    if (this.asking) return;
    this.asking = true;
    while (this.stale && this.uri) {
      this.stale = false;
      const uri = this.uri;
      const figure = await this.ask("netc/figure", uri, this.host.look()).catch((error: unknown) => ({
        ...NOTHING,
        error: error instanceof Error ? error.message : String(error),
      }));
      if (uri === this.uri) this.draw(figure);
      else this.stale = true;
    }
    this.asking = false;
  }

  /** Mark what the cursor stands in. */
  async cursor(uri: string, position: Position): Promise<void> {
    if (uri !== this.uri) return;
    const number = ++this.cursors;
    const { nodes } = await this.ask("netc/nodesAt", uri, { position }).catch(() => ({ nodes: [] }));
    if (number !== this.cursors || uri !== this.uri) return;
    this.nodes = nodes;
    this.mark();
  }

  async received(message: FromPage): Promise<void> {
    if (message.kind === "ready") this.show();
    else if (message.kind === "picked") await this.picked(message.object);
    else if (this.shown.line !== null) {
      const start = { line: this.shown.line, character: 0 };
      this.host.reveal(this.uri, { start, end: start });
    }
  }

  private draw(figure: Figure): void {
    // What was drawn before stays in sight where there is nothing newer.
    const { svg, objects } = this.shown;
    this.shown = figure.svg ? figure : { ...figure, svg, objects, old: true };
    this.show();
  }

  private show(): void {
    const { svg, old, error, objects } = this.shown;
    this.host.post({ kind: "figure", svg, old, error, objects: Object.keys(objects) });
    this.mark();
  }

  private mark(): void {
    this.host.post({ kind: "mark", objects: marked(this.shown.objects, this.nodes) });
  }

  /** A click leads to the innermost words in the text itself; further ones on the same object to those that it comes
   * from in other files and further out. */
  private async picked(object: string): Promise<void> {
    const uri = this.uri;
    const places = await this.placesOf(object).catch((): Place[] => []);
    if (!places.length || uri !== this.uri) return;
    this.last = { object, times: object === this.last.object ? this.last.times + 1 : 0 };
    const here = places.findIndex((place) => place.uri === uri);
    if (here > 0) places.unshift(...places.splice(here, 1));
    const place = places[this.last.times % places.length];
    if (!place) return;
    if (place.uri !== uri) this.led = place.uri;
    this.host.reveal(place.uri, place.range);
  }

  /** Where an object comes from: that of a layer from the layer, a frame from what all that is in it has in common. */
  private async placesOf(object: string): Promise<Place[]> {
    const nodes = this.shown.objects[object] ?? [];
    const [first, last] = [nodes[0], nodes.at(-1)];
    if (first === undefined || last === undefined) return [];
    const own = object.replace(/-output$/, "");
    if (nodes.includes(own)) return this.ask("netc/placesOf", this.uri, { node: own });
    const [some, others] = await Promise.all([first, last].map((node) => this.ask("netc/placesOf", this.uri, { node })));
    const known = new Set(others?.map(key));
    return some?.filter((place) => known.has(key(place))) ?? [];
  }
}

function key({ uri, range }: Place): string {
  return JSON.stringify([uri, range]);
}

/** The objects that show some nodes: those that show nothing else, and of the others the innermost ones. */
export function marked(objects: Record<string, string[]>, nodes: string[]): string[] {
  const wanted = new Set(nodes);
  const touched = Object.entries(objects).filter(([, held]) => held.some((node) => wanted.has(node)));
  const innermost = (held: string[]): boolean => {
    const around = new Set(held);
    return !touched.some(([, other]) => other.length < held.length && other.every((node) => around.has(node)));
  };
  return touched.filter(([, held]) => held.every((node) => wanted.has(node)) || innermost(held)).map(([id]) => id);
}
