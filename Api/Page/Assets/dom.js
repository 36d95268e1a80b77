// The few things both pages need. Data goes into the document as text only: an id of an ad is written by strangers.

const SVG = 'http://www.w3.org/2000/svg'; // a name, not an address: nothing is loaded from there

export const byId = id => document.getElementById(id);

/** An HTML element with attributes and children; a child that is not a node becomes text. */
export function h(name, attributes = {}, ...children) {
  return fill(document.createElement(name), attributes, children);
}

/** The same for SVG. */
export function svg(name, attributes = {}, ...children) {
  return fill(document.createElementNS(SVG, name), attributes, children);
}

function fill(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== undefined && value !== null && value !== false) element.setAttribute(name, value === true ? '' : String(value));
  }
  element.append(...children);
  return element;
}

/** Only a change touches the document: a selection stays, and a screen reader is not told the same twice. */
export function setText(element, text) {
  const value = String(text);
  if (element.textContent !== value) element.textContent = value;
}

export function setAttribute(element, name, value) {
  if (element.getAttribute(name) !== String(value)) element.setAttribute(name, String(value));
}

/** Makes the table body show these rows, cell by cell in place. A cell is a text, or {text, number, className}. */
export function setRows(body, rows) {
  while (body.rows.length > rows.length) body.deleteRow(-1);
  rows.forEach((cells, r) => {
    const row = body.rows[r] ?? body.insertRow();
    cells.forEach((cell, c) => {
      const shown = typeof cell === 'object' && cell !== null ? cell : { text: cell };
      const td = row.cells[c] ?? row.insertCell();
      setText(td, shown.text ?? '–');
      setAttribute(td, 'class', [shown.number ? 'number' : '', shown.className ?? ''].join(' ').trim());
    });
  });
}

const plain = new Intl.NumberFormat('en', { maximumFractionDigits: 1 });
const short = new Intl.NumberFormat('en', { notation: 'compact', maximumFractionDigits: 1 });

/** 1 234 567 with narrow no-break spaces; a dash for what is not a number. */
export function count(value) {
  if (typeof value !== 'number' || !Number.isFinite(value)) return '–';
  return plain.formatToParts(value).map(part => part.type === 'group' ? '\u202f' : part.value).join('');
}

/** 1.2M, for the axis. */
export const brief = value => short.format(value);

const clockForm = new Intl.DateTimeFormat('en-GB', { hour: '2-digit', minute: '2-digit', timeZone: 'UTC' });
const clockSecondsForm = new Intl.DateTimeFormat('en-GB', { hour: '2-digit', minute: '2-digit', second: '2-digit', timeZone: 'UTC' });
const dayForm = new Intl.DateTimeFormat('en-GB', { day: 'numeric', month: 'short', timeZone: 'UTC' });

function format(form, text) {
  const time = new Date(text ?? NaN);
  return Number.isNaN(time.getTime()) ? '–' : form.format(time);
}

export const clock = text => format(clockForm, text);
export const day = text => format(dayForm, text);

/** The time of day, with the day before it unless that is today. */
export function moment(text) {
  const time = format(clockSecondsForm, text);
  return time === '–' || day(text) === day(Date.now()) ? time : `${day(text)}, ${time}`;
}

export function bytes(value) {
  if (typeof value !== 'number' || !Number.isFinite(value)) return '–';
  let size = value;
  let unit = 0;
  while (size >= 1024 && unit < 4) {
    size /= 1024;
    unit++;
  }
  return `${count(size)}\u00a0${['bytes', 'KiB', 'MiB', 'GiB', 'TiB'][unit]}`;
}

/** One word of a POSIX shell. */
export const quote = word => `'${String(word).replaceAll("'", `'\\''`)}'`;

/** A command with a button that copies it. */
export function command(text, what) {
  const code = h('code', {}, text);
  const said = h('span', { class: 'said', role: 'status', 'aria-live': 'polite' });
  const button = h('button', { type: 'button', 'aria-label': `Copy ${what}` }, 'Copy');
  let timer = 0;
  button.addEventListener('click', async () => {
    const done = await copy(text, code);
    setText(said, done ? 'Copied' : 'Selected; copy with the keyboard');
    clearTimeout(timer);
    timer = setTimeout(() => setText(said, ''), 3000);
  });
  return h('div', { class: 'command' }, h('pre', { tabindex: '0' }, code), h('div', { class: 'copy' }, said, button));
}

async function copy(text, code) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    // no clipboard without https or leave: then at least it is selected
    const range = document.createRange();
    range.selectNodeContents(code);
    const selection = getSelection();
    selection.removeAllRanges();
    selection.addRange(range);
    return false;
  }
}
