'use strict';
(() => {
  const $ = id => document.getElementById(id);
  const view = $('view'), layers = [...view.children];
  const rows = [...document.querySelectorAll('#spec li')];
  const place = new Map(layers.map(layer => [layer, { x: 0, y: 0, zoom: 1 }]));
  const shown = () => layers.find(layer => !layer.hidden);
  const nodes = () => [...shown().querySelectorAll('g[data-line]')];

  const apply = () => {
    const { x, y, zoom } = place.get(shown());
    shown().style.transform = `translate(${x}px, ${y}px) scale(${zoom})`;
  };
  const zoomBy = (factor, x = view.clientWidth / 2, y = view.clientHeight / 2) => {
    const at = place.get(shown()), zoom = Math.min(8, Math.max(0.02, at.zoom * factor));
    at.x = x - (x - at.x) * zoom / at.zoom;
    at.y = y - (y - at.y) * zoom / at.zoom;
    at.zoom = zoom;
    apply();
  };
  const fit = whole => {
    const svg = shown().querySelector('svg'), width = svg.width.baseVal.value, height = svg.height.baseVal.value;
    const across = view.clientWidth / width, along = view.clientHeight / height;
    const zoom = whole ? Math.min(across, along, 1) : Math.min(1, across);
    place.set(shown(), { x: Math.max(0, (view.clientWidth - width * zoom) / 2), y: 0, zoom });
    apply();
  };
  const reveal = node => {
    const box = node.getBoundingClientRect(), frame = view.getBoundingClientRect(), at = place.get(shown());
    if (box.top >= frame.top && box.bottom <= frame.bottom && box.left >= frame.left && box.right <= frame.right) return;
    at.x += frame.left + frame.width / 2 - (box.left + box.width / 2);
    at.y += frame.top + frame.height / 2 - (box.top + box.height / 2);
    apply();
  };

  const select = (line, node) => {
    document.querySelectorAll('.on').forEach(element => element.classList.remove('on'));
    const row = rows[line - 1];
    if (row) row.classList.add('on');
    const marked = node ? [node] : nodes().filter(each => each.dataset.line === String(line));
    marked.forEach(each => each.classList.add('on'));
    if (node && row) row.scrollIntoView({ block: 'nearest' });
    if (!node && marked.length) reveal(marked[0]);
  };
  rows.forEach((row, index) => {
    row.tabIndex = 0;
    row.addEventListener('click', () => select(index + 1));
    row.addEventListener('keydown', event => { if (event.key === 'Enter') select(index + 1); });
  });

  const fold = open => {
    if (layers.length < 2) return;
    layers[0].hidden = open;
    layers[1].hidden = !open;
    $('fold').textContent = open ? 'fold' : 'unfold';
    if (place.get(shown()).fresh !== false) { fit(false); place.get(shown()).fresh = false; }
    search(false);
  };

  let hits = [], current = -1;
  const search = step => {
    const text = $('search').value.trim().toLowerCase(), svg = shown().querySelector('svg');
    nodes().forEach(node => node.classList.remove('hit'));
    svg.classList.toggle('searching', text !== '');
    hits = text ? nodes().filter(node => node.textContent.toLowerCase().includes(text)) : [];
    hits.forEach(node => node.classList.add('hit'));
    current = step && hits.length ? (current + 1) % hits.length : -1;
    $('found').textContent = text ? (step ? `${current + 1} of ` : '') + `${hits.length} found` : '';
    if (hits.length) reveal(hits[Math.max(current, 0)]);
  };
  $('search').addEventListener('input', () => search(false));
  $('search').addEventListener('keydown', event => {
    if (event.key === 'Enter') search(true);
    if (event.key === 'Escape') { $('search').value = ''; search(false); $('search').blur(); }
  });

  let drag = null;
  view.addEventListener('pointerdown', event => {
    if (event.button) return;
    const at = place.get(shown());
    drag = { x: event.clientX, y: event.clientY, left: at.x, top: at.y, moved: false, target: event.target };
  });
  view.addEventListener('pointermove', event => {
    if (!drag) return;
    const dx = event.clientX - drag.x, dy = event.clientY - drag.y, at = place.get(shown());
    if (!drag.moved && Math.hypot(dx, dy) < 4) return;
    if (!drag.moved) view.setPointerCapture(event.pointerId);
    drag.moved = true;
    view.classList.add('dragging');
    at.x = drag.left + dx;
    at.y = drag.top + dy;
    apply();
  });
  const release = event => {
    view.classList.remove('dragging');
    const ended = drag;
    drag = null;
    if (!ended || ended.moved || event.type !== 'pointerup') return;
    const node = ended.target.closest('g[data-line]');
    if (!node) return select(0);
    select(Number(node.dataset.line), node);
    if (node.id.endsWith('-frame') && layers.length > 1) unfold(node.id);
  };
  const unfold = id => {
    fold(true);
    const first = $(id.replace(/^(.*)folded-(.*)-frame$/, '$1unfolded-$2')) || nodes()[0];
    select(Number(first.dataset.line), first);
    reveal(first);
  };
  view.addEventListener('pointerup', release);
  view.addEventListener('pointercancel', release);
  view.addEventListener('wheel', event => {
    event.preventDefault();
    const box = view.getBoundingClientRect(), at = place.get(shown());
    if (event.ctrlKey || event.metaKey) {
      zoomBy(Math.exp(-event.deltaY / 200), event.clientX - box.left, event.clientY - box.top);
    } else {
      at.x -= event.deltaX;
      at.y -= event.deltaY;
      apply();
    }
  }, { passive: false });

  const actions = { in: () => zoomBy(1.25), out: () => zoomBy(0.8), fit: () => fit(true), fold: () => fold(!layers[0].hidden) };
  Object.entries(actions).forEach(([id, act]) => { if ($(id)) $(id).addEventListener('click', act); });
  const keys = { '+': 'in', '=': 'in', '-': 'out', 0: 'fit', f: 'fold' };
  document.addEventListener('keydown', event => {
    if (event.target.tagName === 'INPUT' || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === '/') { event.preventDefault(); $('search').focus(); }
    else if (keys[event.key] && actions[keys[event.key]]) actions[keys[event.key]]();
  });
  fit(false);
})();
