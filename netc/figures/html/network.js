'use strict';
// The networks behind the figures, as netc/figures/html/network.py wrote them, and what stands for them in this page.

const $ = id => document.getElementById(id);
const { names, reads, words, kinds, places, made, drawn } = JSON.parse($('network').textContent);
const texts = [...document.querySelectorAll('#specs ol')].map(list => [...list.children]);

// -- layers, by number -------------------------------------------------------------------------------------------

const readers = names.map(() => []);
reads.forEach((steps, layer) => steps.forEach(step => readers[layer - step].push(layer)));
const sources = layer => reads[layer].map(step => layer - step);
const readersOf = layer => readers[layer];

const reach = (layers, next) => {
  const found = new Set(layers), waiting = [...layers];
  while (waiting.length) {
    next(waiting.pop()).filter(layer => !found.has(layer)).forEach(layer => {
      found.add(layer);
      waiting.push(layer);
    });
  }
  layers.forEach(layer => found.delete(layer));
  return found;
};
const before = layers => reach(layers, sources);  // all that lead to some layers
const after = layers => reach(layers, readersOf);  // all that these lead to

// -- places, by number -------------------------------------------------------------------------------------------

const rowOf = place => texts[places[place][0]][places[place][1]];
const callOf = place => places[place][5];
// A place and those it was called from, outwards.
const way = place => place < 0 ? [] : [place, ...way(callOf(place))];
// The words at a place; of several lines, those of the first.
const range = place => {
  const text = rowOf(place).querySelector('code').firstChild, [, , first, more, end] = places[place];
  const offset = column => Math.min(text.length, [...text.data].slice(0, column - 1).join('').length);
  const found = new Range();
  found.setStart(text, offset(first));
  found.setEnd(text, more ? text.length : offset(end));
  return found;
};

// -- figures -----------------------------------------------------------------------------------------------------

// One, or the folded and the unfolded one. What a figure draws for layers is a node; a frame knows the call it is of.
const figures = [...$('view').children].map((element, at) => {
  const svg = element.querySelector('svg');
  const nodes = Object.entries(drawn[at]).map(([id, [layers, frame]]) => {
    const group = $(element.dataset.prefix + id);
    const own = frame === undefined || frame < 0 ? [...new Set(layers.map(layer => made[layer]))] : [frame];
    return {
      element: group,
      layers,
      isFrame: frame !== undefined,
      places: own.filter(place => place >= 0),
      title: group.querySelector('title')?.textContent ?? '',
    };
  });
  const { value: width } = svg.width.baseVal, { value: height } = svg.height.baseVal;
  return { element, svg, nodes, width, height, place: null };
});
const owners = new Map(figures.flatMap(({ nodes }) => nodes.map(node => [node.element, node])));
const shown = () => figures.find(figure => !figure.element.hidden);
const nodeAt = target => owners.get(target.closest('g[data-line]')) ?? null;
