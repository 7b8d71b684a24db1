/** The page of the figure: it shows what it is sent and tells what is clicked. */
import { FigureView } from "../../../../playground/src/figure";
import { one } from "../../../../playground/src/page";
import type { FromPage, ToPage } from "../messages";

declare function acquireVsCodeApi(): { postMessage(message: FromPage): void };

const extension = acquireVsCodeApi();
const notice = one("#notice");
const figure = new FigureView((object) => extension.postMessage({ kind: "picked", object }));

function show({ svg, old, error, objects }: Extract<ToPage, { kind: "figure" }>): void {
  let said = error;
  try {
    const places = Object.fromEntries(objects.map((id) => [id, []]));
    if (svg) figure.show({ svg, style: "", old, error, places });
    else figure.clear();
  } catch (refused) {
    figure.clear();
    said = String(refused);
  }
  [notice.textContent, notice.hidden] = [said, !said];
  one("#view").classList.toggle("old", old);
  one("#empty").textContent = figure.text ? "" : "The figure appears here when the network has no errors.";
}

window.addEventListener("message", ({ data }: MessageEvent<ToPage>) => {
  if (data.kind === "figure") show(data);
  else figure.mark(new Set(data.objects));
});
notice.addEventListener("click", () => extension.postMessage({ kind: "wrong" }));
one("#in").addEventListener("click", () => figure.zoom(1.25));
one("#out").addEventListener("click", () => figure.zoom(0.8));
one("#fit").addEventListener("click", () => figure.fit("whole"));
extension.postMessage({ kind: "ready" });
