import { byId, command, h, quote, setText } from './dom.js';
import { ask, askForKey, keyOption, needsKey } from './key.js';

const VERBS = ['get', 'post', 'put', 'patch', 'delete'];
const EXAMPLES = { ad_id: 'a-42', id: 'a-42', kind: 'ad', country: 'US', device: 'mobile', last: '20m', limit: '10' };

// What to try as a body where the description gives no example.
const BODIES = [
  [/\/clicks$/, { ad_id: 'a-42', country: 'US', device: 'mobile' }],
  [/\/query$/, { ids: ['a-42', 'a-43'], last: '20m' }],
];

/** All calls of an OpenAPI document, in its order. */
function callsOf(api) {
  const calls = [];
  for (const [path, item] of Object.entries(api.paths ?? {})) {
    for (const verb of VERBS) {
      const call = item[verb];
      if (!call) continue;
      const parameters = [...(item.parameters ?? []), ...(call.parameters ?? [])].map(parameter => resolve(api, parameter));
      calls.push({ path, verb: verb.toUpperCase(), call, parameters, group: groupOf(path), anchor: `${verb}${path}`.replace(/[^A-Za-z0-9]+/g, '-').replace(/-$/, '') });
    }
  }
  return calls;
}

function resolve(api, node) {
  const name = node?.$ref;
  if (typeof name !== 'string') return node ?? {};
  return name.replace(/^#\//, '').split('/').reduce((at, key) => at?.[key.replaceAll('~1', '/').replaceAll('~0', '~')], api) ?? {};
}

function groupOf(path) {
  const words = path.split('/').filter(word => word !== '' && !word.startsWith('{'));
  const first = words[0] === 'v1' ? words[1] : words[0];
  return { r: 'Redirect', status: 'Server', health: 'Server', clicks: 'Clicks' }[first] ?? (first ? first[0].toUpperCase() + first.slice(1) : 'Other');
}

function typeOf(api, schema = {}) {
  const own = resolve(api, schema);
  const type = [].concat(own.type ?? schema.$ref?.split('/').at(-1) ?? 'any').filter(name => name !== 'null').join(' or ');
  const values = Array.isArray(own.enum) ? `: ${own.enum.join(', ')}` : '';
  return (own.format ? `${type} (${own.format})` : type) + values;
}

const exampleOf = parameter => String(parameter.example ?? parameter.schema?.default ?? EXAMPLES[parameter.name] ?? (/_id$/.test(parameter.name) ? 'x-1' : '1'));

/** What the key of a call has to have; nothing where none is needed. */
const scopeOf = call => Object.values(call.security?.[0] ?? {}).flat().join(', ');

function curlOf({ path, verb, call, parameters }) {
  const at = path.replace(/\{([^}:?]+)[^}]*\}/g, (_, name) =>
    encodeURIComponent(exampleOf(parameters.find(parameter => parameter.in === 'path' && parameter.name === name) ?? { name })));
  const query = parameters.filter(parameter => parameter.in === 'query' && parameter.required)
    .map(parameter => `${encodeURIComponent(parameter.name)}=${encodeURIComponent(exampleOf(parameter))}`).join('&');
  const words = ['curl'];
  if (verb !== 'GET') words.push('-X', verb);
  words.push(quote(location.origin + at + (query ? `?${query}` : '')));
  if (call.requestBody || BODIES.some(([pattern]) => verb === 'POST' && pattern.test(path))) {
    const content = call.requestBody?.content?.['application/json'];
    const body = content?.example ?? BODIES.find(([pattern]) => pattern.test(path))?.[1] ?? {};
    words.push('-H', quote('Content-Type: application/json'), '-d', quote(JSON.stringify(body)));
  }
  return words.join(' ') + (scopeOf(call) === '' ? '' : keyOption());
}

function show(api, each) {
  const { call, parameters } = each;
  const section = h('section', { class: 'call', id: each.anchor, 'aria-labelledby': `${each.anchor}-title` },
    h('h3', { id: `${each.anchor}-title` }, h('span', { class: 'verb' }, each.verb), h('span', {}, each.path)));
  for (const text of [call.summary, call.description]) {
    if (text) section.append(h('p', {}, text));
  }
  if (scopeOf(call) !== '') section.append(h('p', {}, 'Where keys are in use, needs the scope ', h('code', {}, scopeOf(call)), '.'));
  if (parameters.length > 0) {
    section.append(h('div', { class: 'scroll' }, h('table', {},
      h('thead', {}, h('tr', {}, ...['Parameter', 'In', 'Type', 'Meaning'].map(name => h('th', { scope: 'col' }, name)))),
      h('tbody', {}, ...parameters.map(p => h('tr', {},
        h('td', {}, h('code', {}, p.name ?? '')), h('td', {}, p.in ?? ''), h('td', {}, typeOf(api, p.schema)),
        h('td', {}, [p.required ? 'Required.' : '', p.description ?? ''].join(' ').trim())))))));
  }
  const bodies = Object.keys(resolve(api, call.requestBody).content ?? {});
  if (bodies.length > 0) section.append(h('p', {}, 'Body: ', h('code', {}, bodies.join(', '))));
  section.append(command(curlOf(each), `the command for ${each.verb} ${each.path}`));
  const answers = Object.entries(call.responses ?? {}).map(([status, answer]) => `${status} ${resolve(api, answer).description ?? ''}`.trim());
  if (answers.length > 0) section.append(h('p', { class: 'note' }, `Answers: ${answers.join(' · ')}`));
  return section;
}

function showAll(api) {
  const calls = callsOf(api);
  const groups = Map.groupBy ? Map.groupBy(calls, each => each.group) : group(calls);
  const found = [];
  for (const [name, members] of groups) {
    const list = h('ul');
    const title = h('strong', {}, name);
    const card = h('section', { class: 'card' }, h('h2', {}, name));
    for (const each of members) {
      const line = h('li', {}, h('a', { href: `#${each.anchor}` }, `${each.verb} ${each.path}`));
      const section = show(api, each);
      list.append(line);
      card.append(section);
      found.push({ text: `${each.verb} ${each.path} ${each.call.summary ?? ''}`.toLowerCase(), line, section, card, title });
    }
    byId('contents').append(title, list);
    byId('calls').append(card);
  }
  byId('filter').addEventListener('input', e => {
    const wanted = e.target.value.trim().toLowerCase();
    const full = new Set();
    for (const each of found) {
      each.line.hidden = each.section.hidden = !each.text.includes(wanted);
      if (!each.line.hidden) full.add(each.card);
    }
    for (const each of found) each.card.hidden = each.title.hidden = !full.has(each.card);
  });
  // the place the address names did not exist when the page was opened
  document.getElementById(decodeURIComponent(location.hash.slice(1)))?.scrollIntoView();
}

function group(calls) {
  const groups = new Map();
  for (const each of calls) groups.set(each.group, [...(groups.get(each.group) ?? []), each]);
  return groups;
}

async function load() {
  const notice = byId('notice');
  let api;
  try {
    const answer = await ask('/openapi/v1.json');
    if (needsKey(answer.status)) {
      setText(notice, '');
      notice.classList.remove('shown');
      askForKey(answer.status, load);
      return;
    }
    if (!answer.ok) throw new Error(`status ${answer.status}`);
    api = await answer.json();
  } catch {
    setText(notice, 'Cannot read the list of calls; trying again.');
    notice.classList.add('shown');
    setTimeout(load, 3000);
    return;
  }
  setText(notice, '');
  notice.classList.remove('shown');
  showAll(api);
}

load();
