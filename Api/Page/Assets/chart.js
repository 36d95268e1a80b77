import { brief, count, h, setAttribute, setRows, setText, svg } from './dom.js';

/**
 * Bars over time. Arrow keys or the pointer choose a bar, the line below says its number, and the same numbers stand
 * in a table for who cannot see bars. Positions are percentages, so the picture needs no measuring when the page is resized.
 * @param host where it is put
 * @param options label: what it shows; name(start): the time in full; tick(start): the time on the axis; every: points
 * between ticks; hint: what the pale last bar is
 */
export function barChart(host, options) {
  let points = [];
  let chosen = null; // the start of the chosen point: the bars move on under the pointer

  const lines = svg('g', { class: 'grid' },
    ...['0%', '50%', '100%'].map(y => svg('line', { x1: '0%', x2: '100%', y1: y, y2: y })));
  const bars = svg('g');
  const plot = svg('svg', { class: 'plot', role: 'img', 'aria-label': options.label }, lines, bars);
  const ticks = svg('svg', { class: 'ticks', 'aria-hidden': 'true' });
  const scale = ['', '', ''].map(() => h('span'));
  const readout = h('p', { class: 'readout', 'aria-live': 'polite' });
  const empty = h('p', { class: 'empty over', hidden: true }, 'No clicks in this time. The command below sends one.');
  const area = h('div', { class: 'area', tabindex: '0', role: 'group', 'aria-label': `${options.label}. The arrow keys go from bar to bar.` }, plot, empty);
  const body = h('tbody');
  const table = h('details', { class: 'numbers' }, h('summary', {}, 'The same as a table'),
    h('div', { class: 'scroll' }, h('table', {},
      h('thead', {}, h('tr', {}, h('th', { scope: 'col' }, 'Time (UTC)'), h('th', { scope: 'col', class: 'number' }, 'Clicks'))), body)));
  host.append(h('div', { class: 'chart' }, h('div', { class: 'scale', 'aria-hidden': 'true' }, ...scale), area, ticks), readout, table);

  const isOpen = i => i === points.length - 1; // a range ends at the next full minute, so its last part is still running
  const choose = i => {
    chosen = i === null ? null : points[i]?.start ?? null;
    mark();
  };

  area.addEventListener('pointermove', e => {
    const box = plot.getBoundingClientRect();
    const i = Math.floor((e.clientX - box.left) / box.width * points.length);
    choose(Math.min(Math.max(i, 0), points.length - 1));
  });
  area.addEventListener('pointerleave', () => choose(null));
  area.addEventListener('blur', () => choose(null));
  area.addEventListener('keydown', e => {
    const last = points.length - 1;
    const now = points.findIndex(point => point.start === chosen);
    const next = {
      ArrowLeft: now < 0 ? last : Math.max(now - 1, 0),
      ArrowRight: now < 0 ? 0 : Math.min(now + 1, last),
      Home: 0,
      End: last,
      Escape: null,
    }[e.key];
    if (next === undefined || last < 0) return;
    e.preventDefault();
    choose(next);
  });
  table.addEventListener('toggle', fillTable);

  function mark() {
    points.forEach((point, i) => bars.children[i]?.classList.toggle('chosen', point.start === chosen));
    const i = points.findIndex(point => point.start === chosen);
    const more = i < 0 ? '' : isOpen(i) ? ', still running' : points[i].final === false ? ', not final yet' : '';
    setText(readout, i < 0 ? (points.length > 0 ? options.hint : '') : `${options.name(points[i].start)}: ${count(points[i].clicks)} clicks${more}`);
  }

  function fillTable() {
    if (table.open) setRows(body, points.map(point => [options.name(point.start), { text: count(point.clicks), number: true }]));
  }

  return {
    show(next) {
      points = next;
      const max = ceiling(Math.max(0, ...points.map(point => point.clicks)));
      const width = 100 / Math.max(points.length, 1);
      if (bars.childElementCount !== points.length) bars.replaceChildren(...points.map(() => svg('rect', { rx: 2 })));
      points.forEach((point, i) => {
        const bar = bars.children[i];
        // one click among a million is still seen
        const height = point.clicks > 0 ? Math.max(point.clicks / max * 100, 1.5) : 0;
        setAttribute(bar, 'x', `${(i + 0.12) * width}%`);
        setAttribute(bar, 'width', `${width * 0.76}%`);
        setAttribute(bar, 'y', `${100 - height}%`);
        setAttribute(bar, 'height', `${height}%`);
        bar.classList.toggle('open', isOpen(i));
      });
      const labels = points.map((point, i) => [point, i]).filter(([, i]) => (points.length - 1 - i) % options.every === 0);
      if (ticks.childElementCount !== labels.length) ticks.replaceChildren(...labels.map(() => svg('text', { y: '13' })));
      labels.forEach(([point, i], n) => {
        const text = ticks.children[n];
        setAttribute(text, 'x', i === points.length - 1 ? '100%' : i === 0 ? '0%' : `${(i + 0.5) * width}%`);
        setAttribute(text, 'text-anchor', i === points.length - 1 ? 'end' : i === 0 ? 'start' : 'middle');
        setText(text, options.tick(point.start));
      });
      [max, max / 2, 0].forEach((value, i) => setText(scale[i], Number.isInteger(value) ? brief(value) : ''));
      const sum = points.reduce((all, point) => all + point.clicks, 0);
      setAttribute(plot, 'aria-label', `${options.label}: ${count(sum)} together, at most ${count(Math.max(0, ...points.map(point => point.clicks)))}`);
      empty.hidden = sum > 0;
      fillTable();
      mark();
    },
  };
}

// The next of 2, 4, 6, 8, 10, 20, 40, …: the axis does not move with every click, and its half is a whole number.
function ceiling(value) {
  let step = 1;
  for (;;) {
    for (const factor of [2, 4, 6, 8, 10]) {
      if (value <= factor * step) return factor * step;
    }
    step *= 10;
  }
}
