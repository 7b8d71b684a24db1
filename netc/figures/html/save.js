// The figure as a file, in the theme that it is shown in: whole, or the part that is seen. The file is made here.

const SHARP = 2, WIDEST = 16384, LARGEST = 2 ** 27;  // pixels of a PNG for one of the figure; what browsers can paint

// What the theme says of each class of the figure: pairs of a property and a colour.
const paints = () => {
  const rules = sheets.filter(sheet => matchMedia(sheet.media).matches).flatMap(({ sheet }) => [...sheet.cssRules]);
  const pairs = style => [...style].map(property => [property, asWritten(style.getPropertyValue(property))]);
  return new Map(rules.map(({ selectorText, style }) => [selectorText.slice(1), pairs(style)]));
};
// A colour or a reference as the figure writes it.
const asWritten = paint => paint.replace(/"/g, '').replace(/^rgb\((\d+), (\d+), (\d+)\)$/, (_, ...parts) =>
  `#${parts.slice(0, 3).map(part => Number(part).toString(16).padStart(2, '0')).join('')}`);

// The figure as it would be drawn in this theme, with no trace of the page.
const plain = () => {
  unsilence();
  const { svg, element } = shown(), copy = svg.cloneNode(true), known = paints();
  const textures = [...document.querySelectorAll('#textures pattern')].map(pattern => pattern.cloneNode(true));
  const define = pattern => {
    const definitions = copy.querySelector('defs') ?? document.createElementNS(svg.namespaceURI, 'defs');
    definitions.prepend(pattern);
    if (!definitions.parentElement) copy.querySelector('desc').after(definitions);
  };
  const all = [copy, ...copy.querySelectorAll('*')];
  all.forEach(each => {
    each.classList.forEach(name => known.get(name)?.forEach(([property, value]) => each.setAttribute(property, value)));
    ['class', 'tabindex', 'aria-label'].forEach(name => each.removeAttribute(name));
  });
  const isUsed = ({ id }) => all.some(each => each.getAttribute('fill') === `url(#${id})`);
  copy.querySelectorAll('linearGradient').forEach(gradient => { if (!isUsed(gradient)) gradient.remove(); });
  textures.reverse().filter(isUsed).forEach(define);
  const own = [element.dataset.prefix, 'print-'], leads = { id: '', href: '#', fill: 'url(#' };
  copy.querySelectorAll('*').forEach(each => Object.entries(leads).forEach(([name, lead]) => {
    const value = each.getAttribute(name), prefix = own.find(start => value?.startsWith(lead + start));
    if (prefix) each.setAttribute(name, lead + value.slice((lead + prefix).length));
  }));
  const patterns = new Set([...copy.querySelectorAll('pattern')].map(({ id }) => id));
  copy.querySelectorAll('linearGradient').forEach(each => patterns.has(each.id) && each.remove());  // a texture stands for it
  return copy;
};
const crop = copy => {
  const { width, height } = shown(), { x, y, zoom } = place(), { viewBox } = copy, unit = viewBox.baseVal.width / width;
  const left = Math.max(0, -x / zoom), right = Math.min(width, (view.clientWidth - x) / zoom);
  const top = Math.max(0, -y / zoom), bottom = Math.min(height, (view.clientHeight - y) / zoom);
  const sides = [right - left, bottom - top].map(side => Math.max(side, 1));
  const round = value => Math.round(value * 10) / 10;
  copy.setAttribute('viewBox', [left, top, ...sides].map(value => round(value * unit)).join(' '));
  ['width', 'height'].forEach((name, at) => copy.setAttribute(name, round(sides[at])));
};
const download = (content, suffix) => {
  const link = document.createElement('a');
  link.href = URL.createObjectURL(content);
  link.download = `${document.title.slice(0, 80) || 'figure'}.${suffix}`;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
};
const paint = async (text, width, height) => {
  const scale = Math.min(SHARP, WIDEST / width, WIDEST / height, Math.sqrt(LARGEST / (width * height)));
  if (scale < 1) {
    const size = [width, height].map(Math.round).join(' × ');
    return tell(`A PNG of ${size} pixels is more than a browser paints: save the SVG, or the visible part.`);
  }
  const image = new Image(), canvas = document.createElement('canvas');
  image.src = `data:image/svg+xml,${encodeURIComponent(text)}`;
  await image.decode();
  [canvas.width, canvas.height] = [width * scale, height * scale].map(Math.round);
  canvas.getContext('2d').drawImage(image, 0, 0, canvas.width, canvas.height);
  canvas.toBlob(blob => download(blob, 'png'));
};
const save = (format, visible) => {
  const copy = plain(), { width, height } = copy;
  if (visible) crop(copy);
  const serialised = new XMLSerializer().serializeToString(copy);
  const text = `${serialised.replace(/&#(10|xA);/g, '\n')}\n`;  // lines of a path each on its own, as they are drawn
  if (format === 'svg') download(new Blob([text], { type: 'image/svg+xml' }), 'svg');
  else paint(text, width.baseVal.value, height.baseVal.value);
};
const menu = $('save');
menu.addEventListener('click', ({ target: { dataset: { format, visible } } }) => {
  if (!format) return;
  menu.open = false;
  save(format, visible !== undefined);
});
menu.addEventListener('focusout', event => { if (!menu.contains(event.relatedTarget)) menu.open = false; });
