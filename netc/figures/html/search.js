// Search: each word must be found in a layer. A size is met as a whole (`3x3`, `56x56`, `64` of `56x56x64`), a line as
// `:12`, `line 12` or `resnet.net:12`, all else as a part of a name, of what the layer is called, or of its card.

const field = $('search');
let hits = null, current = -1;  // the nodes that were found, null where nothing is searched for

// Of each layer: its name and words; those of them that may be sizes; the lines that made it, and called what made it.
const index = names.map((name, layer) => {
  const said = words[kinds[layer]], sizes = said.split(' ').filter(word => /\d/.test(word));
  return { text: `${name.toLowerCase()} ${said}`, sizes, place: made[layer] };
});
// Whether a place is in a line: of the spec, or of the file that is named.
const isIn = (place, file, line) => {
  const { dataset, classList } = rowOf(place).parentElement;
  if (file ? !dataset.file.toLowerCase().includes(file) : !classList.contains('spec')) return false;
  return Number(dataset.first) + places[place][1] === line;
};
// What somebody typed, as conditions on an entry of the index.
const plainly = text => text.toLowerCase().replaceAll('×', 'x');
const terms = text => plainly(text)
  .replace(/(\d) *x *(?=\d)/g, '$1x').replace(/\bline +(?=\d)/g, ':').replace(/\bstride +(?=\d)/g, '/')
  .split(/[\s,]+/).filter(Boolean).map(term => {
    const [, file, line] = /^([^:]*):(\d+)$/.exec(term) ?? [];
    if (line) return ({ place }) => way(place).some(at => isIn(at, file, Number(line)));
    if (!/^[\d?][\d.x?]*$/.test(term)) return ({ text }) => text.includes(term);
    const begins = size => term.includes('x') && size.startsWith(`${term}x`);
    return ({ sizes }) => sizes.some(size => size === term || size.endsWith(`x${term}`) || begins(size));
  });
// A node meets each condition with one of its layers, or its card; a frame all with one that is drawn nowhere else.
const finder = figure => {
  const drawnAlone = new Set(figure.nodes.filter(node => !node.isFrame).flatMap(node => node.layers));
  const cards = new Map(figure.nodes.map(node => [node, { text: plainly(node.title), sizes: [], place: -1 }]));
  return wanted => figure.nodes.filter(node => node.isFrame
    ? node.layers.some(layer => !drawnAlone.has(layer) && wanted.every(meets => meets(index[layer])))
    : wanted.every(meets => node.layers.some(layer => meets(index[layer])) || meets(cards.get(node))));
};

const search = step => {
  const wanted = terms(field.value), figure = shown();
  figure.find ??= finder(figure);
  const found = wanted.length ? figure.find(wanted) : [];
  hits = wanted.length ? new Set(found) : null;
  current = step && hits?.size ? (Math.max(current, step < 0 ? 0 : -1) + step + found.length) % found.length : -1;
  $('found').textContent = hits ? (current < 0 ? '' : `${current + 1} of `) + `${hits.size} found` : '';
  markHits(wanted);
  light();
  if (current >= 0) selectNode(found[current]);
  else if (hits?.size) reveal(found[0]);
};
// In the texts: the words of the layer of a node that meets all conditions, or of those that meet them together.
const markHits = wanted => {
  const meeting = ({ layers }) => {
    const all = layers.filter(layer => wanted.every(meets => meets(index[layer])));
    return all.length ? all : layers.filter(layer => wanted.some(meets => meets(index[layer])));
  };
  const found = [...new Set([...hits ?? []].flatMap(meeting).map(layer => made[layer]))].filter(place => place >= 0);
  const rows = new Set(found.map(rowOf));
  document.querySelectorAll('li.hit').forEach(row => row.classList.toggle('hit', rows.has(row)));
  rows.forEach(row => row.classList.add('hit'));
  highlight('hits', found);
};
field.addEventListener('input', () => search(0));
field.addEventListener('keydown', event => {
  if (event.key === 'Enter') search(event.shiftKey ? -1 : 1);
  if (event.key !== 'Escape') return;
  field.value = '';
  search(0);
  field.blur();
});
