'use strict';
(() => {
  const $ = id => document.getElementById(id);
  const view = $('view'), about = $('about'), field = $('search');
  const figures = [...view.children];  // one, or the folded and the unfolded one
  const specs = [...document.querySelectorAll('#specs ol')].map(list => [...list.children]);
  const places = new Map();  // figure -> where it stands, and how `fit` put it there
  const shown = () => figures.find(figure => !figure.hidden);
  const place = () => places.get(shown());
  const within = figure => [...figure.querySelectorAll('g[data-line]')];
  const nodes = () => within(shown());

  // -- pan and zoom ------------------------------------------------------------------------------------------------
  const move = (x, y, zoom = place().zoom, fitted = null) => {
    places.set(shown(), { x, y, zoom, fitted });
    shown().style.transform = `translate(${x}px, ${y}px) scale(${zoom})`;
  };
  const pan = (dx, dy) => move(place().x + dx, place().y + dy);
  const zoomBy = (factor, x = view.clientWidth / 2, y = view.clientHeight / 2) => {
    const at = place(), zoom = Math.min(8, Math.max(0.02, at.zoom * factor)), grown = zoom / at.zoom;
    move(x - (x - at.x) * grown, y - (y - at.y) * grown, zoom);
  };
  // The whole figure, or its whole width; never larger than it is.
  const fit = whole => {
    const { width, height } = shown().querySelector('svg').viewBox.baseVal;
    const across = view.clientWidth / width, along = view.clientHeight / height;
    const zoom = Math.min(across, whole ? along : 1, 1);
    const middle = (room, length) => Math.max(0, (room - length * zoom) / 2);
    move(middle(view.clientWidth, width), middle(view.clientHeight, height), zoom, whole ? 'whole' : 'width');
  };
  const reveal = node => {
    const box = node.getBoundingClientRect(), frame = view.getBoundingClientRect();
    if (box.top >= frame.top && box.bottom <= frame.bottom && box.left >= frame.left && box.right <= frame.right) return;
    pan((frame.left + frame.right - box.left - box.right) / 2, (frame.top + frame.bottom - box.top - box.bottom) / 2);
  };

  // -- focus -------------------------------------------------------------------------------------------------------
  // One row and one node are on the way of the Tab key; arrows lead from there to the others, along the figure.
  const orders = new Map();  // figure -> its nodes
  const arrange = () => {
    const { width, height } = shown().querySelector('svg').viewBox.baseVal;
    const spots = nodes().map(node => ({ node, box: node.getBoundingClientRect() }));
    const down = (a, b) => a.box.top - b.box.top, right = (a, b) => a.box.left - b.box.left;
    spots.sort(width > height ? (a, b) => right(a, b) || down(a, b) : (a, b) => down(a, b) || right(a, b));
    orders.set(shown(), spots.map(({ node }, at) => {
      node.setAttribute('tabindex', at ? -1 : 0);
      return node;
    }));
  };
  const rove = (elements, element, step = 0) => {
    const at = elements.indexOf(element) + step, next = elements[Math.min(elements.length - 1, Math.max(0, at))];
    elements.forEach(each => each.setAttribute('tabindex', each === next ? 0 : -1));
    next.focus({ preventScroll: view.contains(next) });
    if (view.contains(next)) reveal(next);
  };

  // -- selection ---------------------------------------------------------------------------------------------------
  // Which spec a node is of: where there are several, its id says so (`n2_conv1`).
  const owner = node => {
    if (specs.length < 2) return 0;
    const prefix = node.closest('[data-prefix]').dataset.prefix;
    return parseInt(node.id.slice(prefix.length + 1), 10) - 1;
  };
  const rowOf = node => specs[owner(node)][node.dataset.line - 1];
  // The words of its row that made a node: columns from 1, `5-17`, or `5-9:2` where they end in another line.
  const words = node => {
    const text = rowOf(node).querySelector('code').firstChild, [, first, end, below] = /(\d+)-(\d+)(:?)/.exec(node.dataset.span);
    const offset = column => Math.min(text.length, [...text.data].slice(0, column - 1).join('').length);
    const range = new Range();
    range.setStart(text, offset(first));
    range.setEnd(text, below ? text.length : offset(end));
    return range;
  };
  const mark = node => { if (node.dataset.span) CSS.highlights?.set('words', new Highlight(words(node))); };
  const clear = () => {
    CSS.highlights?.delete('words');
    document.querySelectorAll('.on').forEach(element => element.classList.remove('on'));
    about.hidden = true;
  };
  const tell = (text, link) => {
    about.textContent = text;
    about.hidden = false;
    if (!link) return;
    const anchor = document.createElement('a');
    anchor.href = anchor.textContent = link.href.baseVal;
    about.append('\n', anchor);
  };
  const selectNode = node => {
    const row = rowOf(node);
    clear();
    mark(node);
    node.classList.add('on');
    row.classList.add('on');
    tell(node.querySelector('title').textContent, node.closest('a'));
    row.scrollIntoView({ block: 'nearest' });
    reveal(node);
  };
  const selectRow = row => {
    const marked = nodes().filter(node => rowOf(node) === row);
    clear();
    if (!marked.length) return;
    row.classList.add('on');
    marked.forEach(node => node.classList.add('on'));
    tell(marked.map(node => node.querySelector('title').textContent.split('\n')[0]).join('\n'));
    row.scrollIntoView({ block: 'nearest' });
    reveal(marked[0]);
  };

  // -- folding -----------------------------------------------------------------------------------------------------
  const enter = () => {
    fit(false);
    arrange();
  };
  const fold = open => {
    if (figures.length < 2) return;
    figures[0].hidden = open;
    figures[1].hidden = !open;
    $('fold').textContent = open ? 'fold' : 'unfold';
    if (!place()) enter();
    search(0);
  };
  // A click on a frame shows its blocks; on any other node, its line.
  const unfold = frame => {
    const name = frame.id.slice(figures[0].dataset.prefix.length).replace(/-frame$/, '');
    fold(true);
    return $(figures[1].dataset.prefix + name) || nodes().find(node => rowOf(node) === rowOf(frame));
  };
  const activate = node => {
    const folded = node.id.endsWith('-frame') && shown() !== figures[1] && figures.length > 1;
    const target = folded ? unfold(node) : node;
    selectNode(target);
    rove(orders.get(shown()), target);
  };

  // -- search ------------------------------------------------------------------------------------------------------
  let hits = [], current = -1;
  const search = step => {
    const text = field.value.trim().toLowerCase();
    nodes().forEach(node => node.classList.remove('hit'));
    shown().querySelector('svg').classList.toggle('searching', text !== '');
    hits = text ? orders.get(shown()).filter(node => node.textContent.toLowerCase().includes(text)) : [];
    hits.forEach(node => node.classList.add('hit'));
    current = step && hits.length ? (Math.max(current, step < 0 ? 0 : -1) + step + hits.length) % hits.length : -1;
    $('found').textContent = text ? (current < 0 ? '' : `${current + 1} of `) + `${hits.length} found` : '';
    if (current >= 0) selectNode(hits[current]);
    else if (hits.length) reveal(hits[0]);
  };
  field.addEventListener('input', () => search(0));
  field.addEventListener('keydown', event => {
    if (event.key === 'Enter') search(event.shiftKey ? -1 : 1);
    if (event.key !== 'Escape') return;
    field.value = '';
    search(0);
    field.blur();
  });

  // -- mouse and touch ---------------------------------------------------------------------------------------------
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
    const node = pressed.closest('g[data-line]');
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
  window.addEventListener('resize', () => { if (place().fitted) fit(place().fitted === 'whole'); });

  // -- keys --------------------------------------------------------------------------------------------------------
  const steps = { ArrowDown: 1, ArrowRight: 1, ArrowUp: -1, ArrowLeft: -1 };
  const listen = (element, all, act) => element.addEventListener('keydown', event => {
    if (event.key === 'Enter' || event.key === ' ') act(element);
    else if (steps[event.key]) rove(all(), element, steps[event.key]);
    else return;
    event.preventDefault();
    event.stopPropagation();
  });
  const drawn = new Set(figures.flatMap(within).map(rowOf));
  const rows = specs.flat().filter(row => drawn.has(row));
  rows.forEach((row, at) => {
    row.classList.add('drawn');
    row.tabIndex = at ? -1 : 0;
    row.addEventListener('click', () => selectRow(row));
    listen(row, () => rows, selectRow);
  });
  figures.flatMap(within).forEach(node => {
    node.closest('a')?.setAttribute('tabindex', -1);
    listen(node, () => orders.get(shown()), activate);
  });
  const actions = {
    in: () => zoomBy(1.25), out: () => zoomBy(0.8), fit: () => fit(true), fold: () => fold(!figures[0].hidden),
  };
  Object.entries(actions).forEach(([id, act]) => { if ($(id)) $(id).addEventListener('click', act); });
  const keys = {
    '+': actions.in, '=': actions.in, '-': actions.out, 0: actions.fit, f: actions.fold,
    '/': () => field.focus(), Escape: clear,
    ArrowUp: () => pan(0, 60), ArrowDown: () => pan(0, -60), ArrowLeft: () => pan(60, 0), ArrowRight: () => pan(-60, 0),
  };
  document.addEventListener('keydown', event => {
    if (event.target === field || event.ctrlKey || event.metaKey || event.altKey || !keys[event.key]) return;
    event.preventDefault();
    keys[event.key]();
  });
  enter();
})();
