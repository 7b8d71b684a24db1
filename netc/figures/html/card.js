// What a node is, beside it, while it is pointed at or has the focus of the keyboard. The pointer goes through the card
// to what is under it; who wants the facts to stay clicks.

const card = $('card');
const SOON = 120, APART = 8;  // ms after the pointer came; px from the node, and from the edge of the window
let timer = 0, silenced = [];

const hideCard = () => {
  clearTimeout(timer);
  card.hidden = true;
};
const point = node => {
  if (pointed === node) return;
  pointed = node;
  light();
};
const showCard = node => {
  if (selected.includes(node)) return hideCard();  // the page tells of it already
  const up = marked('span', `${before(node.layers).size} before`, 'up');
  const down = marked('span', `${after(node.layers).size} after`, 'down');
  card.replaceChildren(...describe(node), '\nlayers: ', up, ', ', down);
  card.hidden = false;
  stand(node.element.getBoundingClientRect(), view.getBoundingClientRect());
};
// Beside a box, where there is room; never out of the window.
const stand = (box, frame) => {
  const { width, height } = card.getBoundingClientRect(), [right, bottom] = [innerWidth - APART, innerHeight - APART];
  const seen = {
    left: Math.max(box.left, frame.left), top: Math.max(box.top, frame.top),
    right: Math.min(box.right, frame.right), bottom: Math.min(box.bottom, frame.bottom),
  };
  const spots = [
    [seen.right + APART, seen.top], [seen.left - APART - width, seen.top],
    [seen.left, seen.bottom + APART], [seen.left, seen.top - APART - height],
  ];
  const fits = ([x, y], at) => at < 2 ? x >= APART && x + width <= right : y >= APART && y + height <= bottom;
  const [x, y] = spots.find(fits) ?? spots[2];
  card.style.left = `${Math.max(APART, Math.min(x, right - width))}px`;
  card.style.top = `${Math.max(APART, Math.min(y, bottom - height))}px`;
};

// The browser would show the titles around the pointer as well: these stand aside as labels meanwhile.
const silence = target => {
  for (let around = target; around && around !== view; around = around.parentElement) {
    const title = around.querySelector(':scope > title');
    if (!title) continue;
    around.setAttribute('aria-label', title.textContent);
    title.remove();
    silenced.push([around, title]);
  }
};
const unsilence = () => {
  silenced.forEach(([element, title]) => {
    element.removeAttribute('aria-label');
    element.prepend(title);
  });
  silenced = [];
};
const pointAt = node => {
  clearTimeout(timer);
  if (node && node === pointed && !card.hidden) return;
  timer = setTimeout(() => {
    point(node);
    if (node) showCard(node);
    else hideCard();
  }, SOON);
};
view.addEventListener('pointerover', event => {
  unsilence();
  if (event.pointerType === 'touch' || event.buttons) return;
  silence(event.target);
  pointAt(nodeAt(event.target));
});
view.addEventListener('pointerleave', () => {
  unsilence();
  pointAt(null);
});
view.addEventListener('pointerdown', hideCard);
view.addEventListener('focusin', event => {
  const node = nodeAt(event.target);
  if (!node || !event.target.matches(':focus-visible')) return;
  point(node);
  showCard(node);
});
view.addEventListener('focusout', () => {
  hideCard();
  point(null);
});
