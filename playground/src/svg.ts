/** A figure as elements of the page: what netc draws, and nothing that could act. */

const SVG = "http://www.w3.org/2000/svg";
const ELEMENTS = new Set(
  ("circle clipPath defs desc ellipse g line linearGradient marker path pattern polygon polyline rect stop svg text " +
    "title tspan use").split(" "),
);

/** The element of a figure. Raises an error for a text that is no figure of netc. */
export function figureOf(text: string): SVGSVGElement {
  const parsed = new DOMParser().parseFromString(text, "image/svg+xml").documentElement;
  for (const element of [parsed, ...parsed.querySelectorAll("*")]) {
    if (element.namespaceURI !== SVG || !ELEMENTS.has(element.localName)) {
      throw new Error(`a figure holds no <${element.localName}>`);
    }
    for (const { localName, value } of [...element.attributes]) {
      const refers = localName === "href" && !value.startsWith("#");
      if (localName.startsWith("on") || localName === "style" || refers) {
        throw new Error(`a figure holds no ${localName}=${value}`);
      }
    }
  }
  return document.adoptNode(parsed) as unknown as SVGSVGElement;
}
