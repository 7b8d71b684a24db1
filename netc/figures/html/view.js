// Where the figure stands in the window: pan, zoom, fit, by mouse, wheel and fingers.

const view = $('view');
const place = () => shown().place;

const move = (x, y, zoom = place().zoom, fitted = null) => {
  shown().place = { x, y, zoom, fitted };
  shown().element.style.transform = `translate(${x}px, ${y}px) scale(${zoom})`;
  drawFrame();
  hideCard();
};
const pan = (dx, dy) => move(place().x + dx, place().y + dy);
const zoomBy = (factor, x = view.clientWidth / 2, y = view.clientHeight / 2) => {
  const at = place(), zoom = Math.min(8, Math.max(0.02, at.zoom * factor)), grown = zoom / at.zoom;
  move(x - (x - at.x) * grown, y - (y - at.y) * grown, zoom);
};
// The whole figure, or its whole width; never larger than it is.
const fit = whole => {
  const { width, height } = shown();
  const zoom = Math.min(view.clientWidth / width, whole ? view.clientHeight / height : 1, 1);
  const middle = (room, length) => Math.max(0, (room - length * zoom) / 2);
  move(middle(view.clientWidth, width), middle(view.clientHeight, height), zoom, whole ? 'whole' : 'width');
};
const reveal = ({ box }) => {
  const { x, y, zoom } = place(), room = [view.clientWidth, view.clientHeight];
  const spans = [[x + box.left * zoom, box.width * zoom], [y + box.top * zoom, box.height * zoom]];
  const shift = spans.map(([first, length], at) =>
    first >= 0 && first + length <= room[at] ? 0 : (room[at] - length) / 2 - first);
  if (shift.some(Boolean)) pan(...shift);
};
// Nodes get their box, in pixels of the figure, and their order along it, by how far they (not its header) reach.
const arrange = () => {
  const { nodes } = shown(), { x, y, zoom } = place(), frame = view.getBoundingClientRect();
  nodes.forEach(node => {
    const box = node.element.getBoundingClientRect();
    node.box = {
      left: (box.left - frame.left - x) / zoom, top: (box.top - frame.top - y) / zoom,
      width: box.width / zoom, height: box.height / zoom,
    };
  });
  const down = (a, b) => a.box.top - b.box.top, right = (a, b) => a.box.left - b.box.left;
  const reach = (start, length) =>
    Math.max(...nodes.map(({ box }) => box[start] + box[length])) - Math.min(...nodes.map(({ box }) => box[start]));
  const across = reach('left', 'width') > reach('top', 'height');
  nodes.sort(across ? (a, b) => right(a, b) || down(a, b) : (a, b) => down(a, b) || right(a, b));
  nodes.forEach((node, at) => node.element.setAttribute('tabindex', at ? -1 : 0));
};
const enter = () => {
  fit(false);
  arrange();
  drawMap();
};

const pointers = new Map();
let pressed = null, moved = false;
const spread = () => {
  const [one, other] = [...pointers.values()], box = view.getBoundingClientRect();
  const x = (one.x + other.x) / 2 - box.left, y = (one.y + other.y) / 2 - box.top;
  return { x, y, length: Math.hypot(one.x - other.x, one.y - other.y) };
};
view.addEventListener('pointerdown', event => {
  if (event.button) return;
  if (event.isPrimary) {
    pointers.clear();  // one that ended outside the window
    [pressed, moved] = [event.target, false];
  }
  pointers.set(event.pointerId, { x: event.clientX, y: event.clientY });
});
view.addEventListener('pointermove', event => {
  const last = pointers.get(event.pointerId);
  if (!last) return;
  const dx = event.clientX - last.x, dy = event.clientY - last.y;
  if (!moved && Math.hypot(dx, dy) < 4) return;
  if (!moved) view.setPointerCapture(event.pointerId);
  moved = true;
  view.classList.add('dragging');
  const before = pointers.size === 2 && spread();
  pointers.set(event.pointerId, { x: event.clientX, y: event.clientY });
  if (!before) return pan(dx, dy);
  const after = spread();
  pan(after.x - before.x, after.y - before.y);
  zoomBy(after.length / before.length, after.x, after.y);
});
const release = event => {
  const known = pointers.delete(event.pointerId);
  if (!known || pointers.size) return;
  view.classList.remove('dragging');
  if (moved || event.type !== 'pointerup') return;
  const node = nodeAt(pressed);
  if (node) activate(node);
  else clear();
};
view.addEventListener('click', event => { if (!event.ctrlKey && !event.metaKey) event.preventDefault(); });  // links
view.addEventListener('mousedown', event => {
  event.preventDefault();  // a node gets the focus when it is clicked, not when it is dragged
  document.activeElement.blur();
});
view.addEventListener('pointerup', release);
view.addEventListener('pointercancel', release);
view.addEventListener('wheel', event => {
  const box = view.getBoundingClientRect();
  event.preventDefault();
  if (!event.ctrlKey && !event.metaKey) return pan(-event.deltaX, -event.deltaY);
  zoomBy(Math.exp(-event.deltaY / 200), event.clientX - box.left, event.clientY - box.top);
}, { passive: false });
window.addEventListener('resize', () => {
  if (place().fitted) fit(place().fitted === 'whole');
  else drawFrame();
});
