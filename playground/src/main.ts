/** The page: what is typed goes to netc, and what netc says of it is shown. */
import { Editor, type Since } from "./editor";
import { BOUND, Engine, Stopped, type Assets, type State } from "./engine";
import { FigureView } from "./figure";
import { later, make, one, recall, remember, ticked } from "./page";
import { Parameters } from "./parameters";
import { showCode, showFindings, showSummary } from "./panels";
import { Reference } from "./reference";
import type { Checked, Figure, Finding, Name, Questions, Range, Summary } from "./protocol";
import { decode, encode, type Shared } from "./share";
import { splitter, Tabs, type Tab } from "./tabs";

interface Example {
  name: string;
  text: string;
  checked: Checked;
  summary: Summary;
  dark: string;
}

interface Built extends Assets {
  first: string;
  offline: string;
  styles: string[];
  examples: Record<string, string>;
}

const built = JSON.parse(one("#assets").textContent) as Built;
const dark = matchMedia("(prefers-color-scheme: dark)");
const [exampleList, styleList, paperList, themeList] = ["#example", "#style", "#paper", "#theme"].map((each) =>
  one(each, HTMLSelectElement),
) as [HTMLSelectElement, HTMLSelectElement, HTMLSelectElement, HTMLSelectElement];

const [OWN, LINK] = ["", "#"]; // what the list of examples says of other texts

let origin = { key: OWN, name: "net.net", text: "" }; // what was opened, and what the list says of it while it is unchanged
let own = recall("own") ?? ""; // the text that was written last, as a link holds it
let findings: Finding[] = [];
let checkedAt: Since | null = null; // since the text that the findings are about
let figureAt: Since | null = null; // since the text that the figure is of
let isAsking = false;
let isLate = false; // something has changed since the question that is being answered
let halted = false; // the last text was stopped, and waits for a change
let opened = 0; // how many texts there were: an answer about one before is of no use
let isOpening = false;

// -- what is shown --------------------------------------------------------------------------------------------------

const acts = {
  go: (place: Range): void => {
    const now = checkedAt?.now(place);
    if (now) show(now);
  },
  fix: (found: Finding): void => {
    if (found.fix && checkedAt) editor.apply(found.fix.edits, checkedAt);
  },
  fixAll: (): void => void told(async () => editor.replace((await engine.ask("fix", {})).text)),
};

function show(place: Range): void {
  tabs.look("editor");
  editor.select(place);
}

/** The theme that figures are drawn in: their own, or the page's. */
function paper(): string {
  if (paperList.value !== "page") return paperList.value;
  if (themeList.value !== "auto") return themeList.value;
  return dark.matches ? "dark" : "light";
}

/** Say something above the figure: about the text, or about the link that should have held one, until the next change. */
function notice(text: string, more: HTMLElement | null = null, about: "text" | "link" = "text"): void {
  one("#notice").dataset.about = text ? about : "";
  one("#notice").hidden = !text;
  one("#notice").replaceChildren(...ticked(text), ...(more ? [" ", more] : []));
}

function drawn(shown: Figure, at: Since): void {
  const { svg, error, old } = shown;
  const isNew = Boolean(svg) && !old;
  one("#style option").textContent = shown.style ? `auto: ${shown.style}` : "auto";
  if (isNew) {
    figure.show(shown);
    editor.forget(figureAt);
    figureAt = at;
    one("#empty").textContent = "";
  } else if (!figure.text) {
    one("#empty").textContent = "The figure appears here when the network has no errors.";
  }
  one("#view").classList.toggle("old", !isNew);
  const first = findings.find(({ severity }) => severity === "error");
  const jump = first && make("button", { click: () => acts.go([first.start, first.end]) }, `line ${first.line}`);
  if (one("#notice").dataset.about !== "link") notice(isNew ? "" : error, jump ?? null);
  mark();
}

/** Nothing is left of the text that the figure is of: what stands there now is another one. */
function isReplaced(): boolean {
  if (!editor.text.trim()) return true;
  const places = Object.values(figure.places).flat();
  return places.length > 0 && !places.some((place) => figureAt?.now(place));
}

function begin(): void {
  opened++;
  halted = false;
  figure.clear();
  if (figureAt !== checkedAt) editor.forget(figureAt);
  figureAt = null;
  for (const about of ["#summary", "#code"]) one(about).replaceChildren();
}

function shownFindings(checked: Checked, at: Since): void {
  findings = checked.findings;
  if (checkedAt !== figureAt) editor.forget(checkedAt);
  checkedAt = at;
  editor.diagnose(findings, at);
  showFindings(findings, acts);
  parameters.show(checked.parameters);
}

/** What the cursor stands in is marked in the figure: the objects made by the smallest place around it. */
function mark(): void {
  const cursor = editor.cursor;
  let least = Infinity;
  let found = new Set<string>();
  for (const [id, places] of Object.entries(figure.places)) {
    for (const place of places) {
      const now = figureAt?.now(place);
      if (!now || cursor < now[0] || cursor > now[1]) continue;
      const length = now[1] - now[0];
      if (length < least) [least, found] = [length, new Set()];
      if (length === least) found.add(id);
    }
  }
  figure.mark(found);
}

function picked(id: string): void {
  const places = (figure.places[id] ?? []).map((place) => figureAt?.now(place));
  const place = places.find((each) => each);
  if (place) show(place);
  figure.mark(new Set([id]));
}

// -- questions ------------------------------------------------------------------------------------------------------

/** Ask something of which the answer is shown elsewhere; what goes wrong is told. */
async function told(act: () => Promise<void>): Promise<void> {
  try {
    await act();
  } catch (error) {
    if (error instanceof Stopped) return;
    console.error(error);
    const last = String(error instanceof Error ? error.message : error).trim().split("\n").at(-1) ?? "";
    notice(`netc has a fault, please report it with this text: ${last}`);
  }
}

/** Ask what is of use at once or not at all. */
async function quick<Q extends Name>(name: Q, takes: Questions[Q]["takes"]): Promise<Questions[Q]["gives"] | null> {
  if (!engine.ready || halted) return null;
  try {
    return await engine.ask(name, takes);
  } catch (error) {
    if (error instanceof Stopped) return null;
    throw error;
  }
}

/** Check the text as it is; one question at a time, and after it the next one if there was a change. */
async function check(): Promise<void> {
  isLate = true;
  if (isAsking) return;
  isAsking = true;
  try {
    while (takeLate()) await checkOnce();
  } finally {
    isAsking = false;
  }
}

function takeLate(): boolean {
  const was = isLate;
  isLate = false;
  return was;
}

async function checkOnce(): Promise<void> {
  const [at, text] = [editor.follow(), opened];
  halted = false;
  try {
    const look = { style: styleList.value, theme: paper() };
    const what = { name: name(), opened, text: editor.text, overrides: parameters.values };
    const checked = await engine.ask("check", { ...what, ...look });
    if (text !== opened) return;
    shownFindings(checked, at);
    drawn(checked.figure, at);
    editor.hint(checked.hints, at);
    refresh(tabs.shown);
  } catch (error) {
    if (!(error instanceof Stopped)) throw error;
    halted = !isLate;
    const why = error.bySomebody ? "Stopped." : `Stopped: netc took longer than ${BOUND / 1000} s for this text.`;
    one("#view").classList.add("old");
    notice(why, make("button", { click: () => void told(check) }, "Try again"));
  } finally {
    if (at !== checkedAt) editor.forget(at);
  }
}

/** Bring a tab up to date. */
function refresh(tab: Tab): void {
  if (halted) return;
  if (tab === "summary" && engine.ready) void told(async () => showSummary(await engine.ask("summary", {}), acts));
  if (tab === "code") void told(code);
}

async function code(): Promise<void> {
  if (!one("#code").childElementCount) showCode("", "Keras code needs a few more files, which are loading.");
  try {
    await engine.prepareEmission();
  } catch (error) {
    if (error instanceof Stopped) throw error;
    showCode("", "What writes Keras code could not be loaded. It is kept once this tab was opened with a network.");
    return;
  }
  const { text, error } = await engine.ask("code", {});
  showCode(text, error, () => saves.py?.());
}

// -- states ---------------------------------------------------------------------------------------------------------

function state(now: State): void {
  const label = one("#state");
  const progress = one("#progress", HTMLProgressElement);
  label.dataset.at = now.at;
  one("#stop").hidden = now.at !== "busy";
  progress.hidden = now.at !== "loading" && now.at !== "starting";
  if (now.at === "loading") progress.value = now.share;
  else progress.removeAttribute("value");
  const texts: Record<State["at"], string> = {
    loading: now.at === "loading" ? `loading Python, ${Math.round(100 * now.share)} %` : "",
    starting: "starting Python",
    ready: "ready",
    busy: "checking",
    failed: "Python did not start",
  };
  label.textContent = texts[now.at];
  if (now.at === "failed") notice(`Python did not start (${now.message}). Reload the page to try again.`);
}

// -- texts ----------------------------------------------------------------------------------------------------------

/** What the list of examples says of the text. */
function listed(): string {
  return editor.text === origin.text ? origin.key : OWN;
}

/** The name of the text as a file: that under which it was opened, and once it is changed its own `net NAME`. */
function name(): string {
  if (editor.text === origin.text) return origin.name;
  const found = /^[ \t]*net[ \t]+([A-Za-z_]\w*)[ \t]*(?:[;#]|$)/m.exec(editor.text)?.[1];
  return `${found ?? "net"}.net`;
}

function entitle(): void {
  exampleList.value = listed();
  document.title = `${name().replace(/\.net$/, "")} · netc playground`;
}

/** Open an example: its figure is there at once, as it was drawn when the page was built. */
async function openExample(key: string): Promise<boolean> {
  const [path, asked] = [built.examples[key], location.hash.slice(1)];
  if (!path) return false;
  const response = await fetch(path, { credentials: "same-origin" });
  if (!response.ok) throw new Error(`${path}: ${response.status}`);
  const found = (await response.json()) as Example;
  if (location.hash.slice(1) !== asked) return true; // somebody went on
  open({ ...found, style: "auto", overrides: {} }, key);
  const at = editor.follow();
  const { checked, summary } = found;
  const svg = paper() === "dark" ? found.dark : checked.figure.svg;
  shownFindings(checked, at);
  drawn({ ...checked.figure, svg }, at);
  editor.hint(checked.hints, at);
  showSummary(summary, acts);
  return true;
}

function open(shared: Shared, key: string): void {
  isOpening = true;
  editor.open(shared.text);
  isOpening = false;
  origin = { key, name: shared.name, text: editor.text };
  findings = [];
  styleList.value = built.styles.includes(shared.style) ? shared.style : "auto";
  parameters.open(shared.overrides);
  entitle();
  begin();
  figure.fit("width");
  notice("");
  one("#empty").textContent = engine.ready ? "" : "The figure appears here as soon as Python is up.";
}

/** Open what the URL says. */
async function openHash(): Promise<void> {
  const hash = location.hash.slice(1);
  try {
    if (hash.startsWith("z=")) {
      const shared = await decode(hash);
      if (location.hash.slice(1) !== hash) return; // somebody went on
      open(shared, hash === own || !shared.text.trim() ? OWN : LINK);
    } else if (!(await openExample(hash || built.first))) {
      await openExample(built.first);
      notice(`There is no example of the name ${hash.slice(0, 40)}.`, null, "link");
    }
  } catch (error) {
    if (!editor.text) await openExample(built.first);
    notice(error instanceof Error ? error.message : String(error), null, "link");
  }
  if (location.hash.slice(1) === hash) written = hash;
}

let written = location.hash.slice(1);

async function hash(): Promise<string> {
  const key = listed();
  const overrides = parameters.values;
  if (key in built.examples && styleList.value === "auto" && !Object.keys(overrides).length) return key;
  return encode({ name: name(), text: editor.text, style: styleList.value, overrides });
}

/** The text goes into the URL, and an own one is kept. */
async function write(): Promise<void> {
  const [isOwn, text] = [listed() === OWN && editor.text.trim() !== "", opened];
  const now = await hash();
  if (isOwn) remember("own", (own = now));
  if (text !== opened || location.hash.slice(1) !== written) return; // another text was opened since, or is being
  written = now;
  history.replaceState(null, "", `#${now}`);
}

const keep = later(() => void write(), 400);

// -- files ----------------------------------------------------------------------------------------------------------

function save(ending: string, text: string, type: string): void {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([text], { type }));
  link.download = name().replace(/\.net$/, "") + ending;
  link.click();
  window.setTimeout(() => URL.revokeObjectURL(link.href), 1000);
}

const saves: Record<string, () => void> = {
  net: () => save(".net", editor.text, "text/plain"),
  svg: () => (figure.text ? save(".svg", figure.text, "image/svg+xml") : notice("There is no figure yet.")),
  py: () =>
    void told(async () => {
      await engine.prepareEmission();
      const { text, error } = await engine.ask("code", {});
      if (error) notice(error);
      else save(".py", text, "text/x-python");
    }),
};

// -- the beginning --------------------------------------------------------------------------------------------------

const editor = new Editor("", {
  changed: () => {
    if (isOpening) return;
    if (one("#notice").dataset.about === "link") notice("");
    entitle();
    if (isReplaced()) begin();
    keep();
    void told(check);
  },
  moved: () => mark(),
  hover: (at) => quick("hover", { at }),
  complete: (at) => quick("complete", { at }),
  about: async ({ kind, label, of }) => (await quick("about", { kind, label, of }))?.text ?? "",
}, recall("hints") !== "off");
const figure = new FigureView(picked);
const engine = new Engine(built, state);
const parameters = new Parameters(() => (keep(), void told(check)));
new Reference({
  words: () => engine.ask("words", {}),
  page: async (word) => (await engine.ask("page", { word })).text,
  act: (asking) => void told(asking),
});
const tabs = new Tabs((tab) => refresh(tab));

for (const key of Object.keys(built.examples)) exampleList.append(make("option", { value: key }, key));
for (const style of built.styles) styleList.append(make("option", { value: style }, style));
themeList.value = recall("theme") ?? "auto";
document.documentElement.dataset.theme = themeList.value;
one("#hints").setAttribute("aria-pressed", String(recall("hints") !== "off"));
one("#language").hidden = !one("#documentation").hidden;
splitter(one("#split-figure"), one("main"), "--left", 0.46);
splitter(one("#split-panel"), one("#left"), "--top", 0.62);

exampleList.addEventListener("change", () => {
  const chosen = exampleList.value;
  void write().then(async () => {
    location.hash = chosen || own || (await encode({ name: "net.net", text: "", style: "auto", overrides: {} }));
  });
});
styleList.addEventListener("change", () => (keep(), void told(check)));
paperList.addEventListener("change", () => void told(check));
dark.addEventListener("change", () => void told(check));
themeList.addEventListener("change", () => {
  remember("theme", themeList.value);
  document.documentElement.dataset.theme = themeList.value;
  void told(check);
});
one("#hints").addEventListener("click", () => {
  const isShown = one("#hints").getAttribute("aria-pressed") !== "true";
  one("#hints").setAttribute("aria-pressed", String(isShown));
  remember("hints", isShown ? "on" : "off");
  editor.showHints(isShown);
});
one("#stop").addEventListener("click", () => engine.stop());
one("#format").addEventListener("click", () => void told(async () => editor.replace((await engine.ask("format", {})).text)));
one("#in").addEventListener("click", () => figure.zoom(1.25));
one("#out").addEventListener("click", () => figure.zoom(0.8));
one("#fit").addEventListener("click", () => figure.fit("whole"));
one("#share").addEventListener("click", () => void share());
one("#save").addEventListener("click", ({ target }) => {
  const kind = (target as HTMLElement).dataset.save;
  if (!kind) return;
  saves[kind]?.();
  one("#save", HTMLDetailsElement).open = false;
});
document.addEventListener("click", ({ target }) => {
  if (!one("#save").contains(target as Node)) one("#save", HTMLDetailsElement).open = false;
});
window.addEventListener("hashchange", () => {
  if (location.hash.slice(1) !== written) void openHash().then(() => told(check));
});

async function share(): Promise<void> {
  await write();
  const button = one("#share");
  try {
    await navigator.clipboard.writeText(location.href);
    button.textContent = "Link copied";
  } catch {
    button.textContent = "Copy the address";
  }
  window.setTimeout(() => (button.textContent = "Share"), 2000);
}

await openHash(); // the first figure is there before anything else is loaded
engine.start();
await told(check);
if ("serviceWorker" in navigator) await navigator.serviceWorker.register(built.offline); // what it keeps is loaded by now
