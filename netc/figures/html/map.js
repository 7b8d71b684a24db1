// A miniature of a figure that does not fit its window, with the part that is seen. A long one is squeezed.

const map = $('map'), picture = map.querySelector('canvas'), seen = map.querySelector('i');
const LEAST = 36;  // pixels of a side

const outlines = new Map();  // of each kind of node, in this theme

const drawMap = () => {
  const { width, height, nodes } = shown(), largest = [view.clientWidth / 5, view.clientHeight / 3];
  const scale = Math.min(Math.min(150, largest[0]) / width, Math.min(200, largest[1]) / height);
  const sides = [width, height].map(side => Math.max(LEAST, Math.round(side * scale)));
  const [across, down] = [sides[0] / width, sides[1] / height], context = picture.getContext('2d');
  [picture.width, picture.height] = sides.map(side => side * devicePixelRatio);
  [picture.style.width, picture.style.height] = sides.map(side => `${side}px`);
  context.scale(across * devicePixelRatio, down * devicePixelRatio);
  const faint = shown().svg.classList.contains('dim');
  nodes.forEach(({ element, box, isFrame }) => {
    if (isFrame) return;
    const shape = element.querySelector('rect, path, circle, ellipse, use');
    const kind = shape?.href?.baseVal ?? shape?.getAttribute('class');
    if (!outlines.has(kind)) outlines.set(kind, outline(shape));
    context.globalAlpha = faint && !element.classList.contains('lit') ? 0.25 : 1;
    context.fillStyle = outlines.get(kind);
    context.fillRect(box.left, box.top, Math.max(box.width, 1 / across), Math.max(box.height, 1 / down));
  });
  drawFrame();
};
// The colour of a shape's outline: those of fills may be close to the paper.
const outline = shape => {
  const source = shape?.href ? $(shape.href.baseVal.slice(1)) : shape;
  const painted = source?.querySelector('[stroke], [fill]') ?? source ?? document.body;
  const { stroke, fill, color } = getComputedStyle(painted);
  return [stroke, fill].find(paint => paint.startsWith('rgb')) ?? color;
};
const drawFrame = () => {
  const { width, height } = shown(), { x, y, zoom } = place();
  const fits = (at, length, room) => at >= 0 && at + length * zoom <= room + 1;
  map.hidden = fits(x, width, view.clientWidth) && fits(y, height, view.clientHeight);
  const share = (at, length, room, side) => {
    const [first, last] = [-at, room - at].map(end => Math.min(Math.max(end / zoom / length, 0), 1) * side);
    return [first, Math.max(last - first, 5)].map(value => `${value}px`);
  };
  [seen.style.left, seen.style.width] = share(x, width, view.clientWidth, picture.clientWidth);
  [seen.style.top, seen.style.height] = share(y, height, view.clientHeight, picture.clientHeight);
};
// The middle of what is seen goes where the pointer is; the frame is taken where the pointer holds it.
let grip = [0, 0];
const lead = event => {
  const box = picture.getBoundingClientRect(), { width, height } = shown(), { zoom } = place();
  const x = (event.clientX - grip[0] - box.left) / box.width * width;
  const y = (event.clientY - grip[1] - box.top) / box.height * height;
  move(view.clientWidth / 2 - x * zoom, view.clientHeight / 2 - y * zoom);
};
map.addEventListener('pointerdown', event => {
  const box = seen.getBoundingClientRect(), held = event.target === seen;
  grip = held ? [event.clientX - (box.left + box.right) / 2, event.clientY - (box.top + box.bottom) / 2] : [0, 0];
  event.preventDefault();
  map.setPointerCapture(event.pointerId);
  lead(event);
});
map.addEventListener('pointermove', event => { if (map.hasPointerCapture(event.pointerId)) lead(event); });
