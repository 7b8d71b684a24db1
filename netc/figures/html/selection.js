// What is selected, in the figure and in the texts; what leads to it and where it leads; folding.

const about = $('about');
let selected = [], pointed = null;  // nodes, and the node at the pointer or with the focus

// -- marks ---------------------------------------------------------------------------------------------------------

const highlight = (name, found) => {
  CSS.highlights?.delete(name);
  if (found.length) CSS.highlights?.set(name, new Highlight(...found.map(range)));
};
const unmark = () => {
  [selected, pointed] = [[], null];
  highlight('words', []);
  highlight('calls', []);
  document.querySelectorAll('.on, .call').forEach(element => element.classList.remove('on', 'call'));
  about.hidden = true;
};
const clear = () => {
  unmark();
  light();
};
const tell = (...said) => {
  about.replaceChildren(...said);
  about.hidden = false;
};
const marked = (kind, textContent, className = '') =>
  Object.assign(document.createElement(kind), { textContent, className });
// What a node is: its title, the name in bold.
const describe = ({ title, element }) => {
  const [, name, rest] = /^([^:\n]*)(.*)$/s.exec(title), link = element.closest('a')?.href.baseVal;
  return [marked('strong', name), rest, ...link ? ['\n', Object.assign(marked('a', link), { href: link })] : []];
};
const bring = row => row.scrollIntoView({ block: 'nearest' });

// A node marks the words that made it, and the calls that led there.
const selectNode = node => {
  const calls = [...new Set(node.places.flatMap(place => way(callOf(place))))];
  unmark();
  selected = [node];
  node.element.classList.add('on');
  highlight('words', node.places);
  highlight('calls', calls);
  calls.map(rowOf).forEach(row => row.classList.add('call'));
  node.places.map(rowOf).forEach(row => row.classList.add('on'));
  tell(...describe(node));
  [...calls, ...node.places.toReversed()].map(rowOf).forEach(bring);
  light();
  reveal(node);
};
// A row marks the nodes that it made, and those that were made where it leads.
const selectRow = row => {
  const nodes = shown().nodes.filter(node => node.places.some(place => way(place).some(at => rowOf(at) === row)));
  if (!nodes.length) return;
  unmark();
  selected = nodes;
  row.classList.add('on');
  nodes.forEach(node => node.element.classList.add('on'));
  tell(nodes.map(node => node.title.split('\n')[0]).join('\n'));
  light();
  bring(row);
  reveal(nodes[0]);
};

// -- what is lit: the way through the node that is pointed at or selected, or what a search found ------------------

const light = () => {
  const node = pointed ?? (hits ? null : selected.length === 1 ? selected[0] : null);
  const lit = new Set(node && [...node.layers, ...before(node.layers), ...after(node.layers)]);
  const [own, up, down] = [layer => layer, sources, readersOf].map(next => new Set(node?.layers.flatMap(next)));
  shown().nodes.forEach(each => {
    const has = layers => each.layers.some(layer => layers.has(layer)), { classList } = each.element;
    classList.toggle('lit', node ? has(lit) : Boolean(hits?.has(each)));
    classList.toggle('up', !has(own) && has(up));
    classList.toggle('down', !has(own) && has(down));
  });
  const dark = shown().nodes.some(({ element, isFrame }) => !isFrame && !element.classList.contains('lit'));
  shown().svg.classList.toggle('dim', dark && Boolean(node ?? hits));
  if (shown().place) drawMap();
};

// -- focus ---------------------------------------------------------------------------------------------------------

// One row and one node are on the way of the Tab key; arrows lead from there to the others, along the figure.
const rove = (elements, element, step = 0) => {
  const at = elements.indexOf(element) + step, next = elements[Math.min(elements.length - 1, Math.max(0, at))];
  elements.forEach(each => each.setAttribute('tabindex', each === next ? 0 : -1));
  next.focus({ preventScroll: view.contains(next) });
  if (owners.has(next)) reveal(owners.get(next));
};

// -- folding -------------------------------------------------------------------------------------------------------

// Shows the other figure; what is drawn there for a layer is selected.
const fold = (open, layer = selected[0]?.layers[0]) => {
  if (figures.length < 2) return;
  clear();
  figures[0].element.hidden = open;
  figures[1].element.hidden = !open;
  $('fold').textContent = open ? 'fold' : 'unfold';
  if (!place()) enter();
  search(0);
  const node = drawnFor(layer);
  if (node) selectNode(node);
};
const drawnFor = layer => {
  const nodes = shown().nodes.filter(node => node.layers.includes(layer));
  return nodes.find(node => !node.isFrame) ?? nodes[0];
};
// A click on a frame shows its blocks, the first of them selected; on any other node, its line.
const activate = node => {
  const inside = node.isFrame && shown() !== figures[1] && figures.length > 1;
  if (inside) fold(true, node.layers[0]);
  else selectNode(node);
  hideCard();
  rove(shown().nodes.map(each => each.element), selected[0].element);
};
