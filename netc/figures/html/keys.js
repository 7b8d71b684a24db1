// What keys and buttons do, and the beginning.

const steps = { ArrowDown: 1, ArrowRight: 1, ArrowUp: -1, ArrowLeft: -1 };
// Among elements of which one has the focus: arrows go to others, Enter and the space bar act.
const listen = (around, elements, act) => around.addEventListener('keydown', event => {
  const element = event.target;
  if (!elements().includes(element)) return;
  if (event.key === 'Enter' || event.key === ' ') act(element);
  else if (steps[event.key]) rove(elements(), element, steps[event.key]);
  else return;
  event.preventDefault();
  event.stopPropagation();
});
const written = new Set(made.flatMap(way).map(rowOf)), rows = texts.flat().filter(row => written.has(row));
rows.forEach((row, at) => {
  row.classList.add('drawn');
  row.tabIndex = at ? -1 : 0;
  row.addEventListener('click', () => selectRow(row));
});
listen($('specs'), () => rows, selectRow);
listen(view, () => shown().nodes.map(node => node.element), element => activate(owners.get(element)));
document.querySelectorAll('#view a').forEach(link => link.setAttribute('tabindex', -1));

const actions = {
  in: () => zoomBy(1.25), out: () => zoomBy(0.8), fit: () => fit(true), fold: () => fold(!figures[0].element.hidden),
};
Object.entries(actions).forEach(([id, act]) => $(id)?.addEventListener('click', act));
const recolour = () => {
  outlines.clear();
  drawMap();
};
theme.addEventListener('change', () => {
  setTheme(theme.value);
  remember(theme.value);
  recolour();
});
matchMedia('(prefers-color-scheme:dark)').addEventListener('change', recolour);
// The nearest thing first: the card, an open menu, the selection.
const dismiss = () => {
  if (!card.hidden) hideCard();
  else if (menu.open) menu.open = false;
  else clear();
};
const keys = {
  '+': actions.in, '=': actions.in, '-': actions.out, 0: actions.fit, f: actions.fold,
  '/': () => field.focus(), Escape: dismiss,
  ArrowUp: () => pan(0, 60), ArrowDown: () => pan(0, -60), ArrowLeft: () => pan(60, 0), ArrowRight: () => pan(-60, 0),
};
document.addEventListener('keydown', event => {
  const typing = event.target.closest('input, select') && event.key !== 'Escape';
  if (event.target === field || typing || event.ctrlKey || event.metaKey || event.altKey || !keys[event.key]) return;
  event.preventDefault();
  keys[event.key]();
});
document.documentElement.classList.add('live');
enter();
