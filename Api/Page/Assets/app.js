import { barChart } from './chart.js';
import { byId, bytes, clock, command, count, day, moment, quote, setRows, setText } from './dom.js';
import { reconciliationParts, showArchive, showFinal } from './reconciliation.js';
import { ask, askForKey, keyOption, needsKey } from './key.js';

const EVERY = 1000;        // ms between rounds
const SLOWEST = 8000;      // ms between attempts while they fail
const DAYS_EVERY = 30000;  // ms: the long sum costs the server more, and a day moves slowly
const PATIENCE = 8000;     // ms for one answer

const minutes = barChart(byId('minutes'), {
  label: 'Clicks per minute, last 20 minutes',
  name: start => `${clock(start)} UTC`,
  tick: clock,
  every: 5,
  hint: 'The pale bar is the minute that is still running.',
});
const days = barChart(byId('days'), {
  label: 'Clicks per day, last 30 days',
  name: day,
  tick: day,
  every: 10,
  hint: 'The pale bar is today, still running.',
});

async function get(path) {
  const answer = await ask(path, { headers: { Accept: 'application/json' }, cache: 'no-store', signal: AbortSignal.timeout(PATIENCE) });
  if (answer.ok) return answer.json();
  const problem = await answer.json().catch(() => ({}));
  throw Object.assign(new Error(problem.detail ?? problem.title ?? answer.statusText), { status: answer.status, code: problem.code });
}

function showMinutes(total) {
  setText(byId('clicks-20m'), count(total.clicks));
  setText(byId('until'), moment(total.counted_until));
  setText(byId('lag'), typeof total.lag_seconds === 'number' ? `${count(total.lag_seconds)}\u00a0s` : '–');
  minutes.show(total.points ?? []);
}

function showDays(total) {
  const points = total.points ?? [];
  setText(byId('clicks-30d'), count(total.clicks));
  setText(byId('clicks-today'), count(points.at(-1)?.clicks));
  days.show(points);
  showFinal(total);
}

function showTop(top) {
  const items = top.items ?? [];
  byId('top-table').hidden = items.length === 0;
  byId('top-empty').hidden = items.length > 0;
  setRows(byId('top'), items.map(item => [
    { text: item.rank, number: true }, { text: item.id, className: 'id' }, { text: count(item.clicks), number: true }]));
  setText(byId('top-note'), items.length === 0 || top.exact !== false ? '' : `Not proven complete: an ad that is not listed may have up to ${count(top.error_bound)} clicks.`);
}

function showStatus(status) {
  byId('demo').hidden = status.demo !== true;
  showArchive(status);
  const partitions = status.partitions ?? [];
  byId('partitions-table').hidden = partitions.length === 0;
  byId('partitions-empty').hidden = partitions.length > 0;
  setRows(byId('partitions'), partitions.map(p => [
    { text: p.partition, number: true }, { text: p.state, className: 'state' }, { text: count(p.next), number: true },
    { text: count(p.end), number: true }, { text: count(p.lag), number: true, className: p.lag > 0 ? 'some' : '' }, p.detail ?? '']));
  setText(byId('log-bytes'), typeof status.log_bytes === 'number' ? `The click log holds ${bytes(status.log_bytes)}.` : '');
  const sources = status.sources ?? [];
  byId('sources-card').hidden = sources.length === 0;
  setRows(byId('sources'), sources.map(s => [
    { text: s.source, className: 'id' }, { text: s.state, className: 'state' },
    { text: typeof s.position === 'number' ? count(s.position) : s.position, number: true },
    { text: bytes(s.bytes_behind), number: true }, { text: count(s.seconds_behind), number: true }, moment(s.last_seen)]));
}

const parts = [
  { path: '/v1/clicks/total?last=20m&granularity=minute', show: showMinutes, every: 0 },
  { path: '/v1/ads/top?limit=10&last=20m', show: showTop, every: 0 },
  { path: '/v1/status', show: showStatus, every: 0 },
  { path: '/v1/clicks/total?last=30d&granularity=day', show: showDays, every: DAYS_EVERY },
  ...reconciliationParts,
].map(part => ({ ...part, next: 0, fault: null, failed: 0 }));

async function refresh(part) {
  try {
    const path = typeof part.path === 'function' ? part.path() : part.path;
    if (path !== null) part.show(await get(path)); // null: nothing to ask for yet
    part.fault = null;
    part.failed = 0;
    part.next = performance.now() + part.every;
  } catch (fault) {
    part.fault = fault;
    part.failed++;
    part.next = performance.now() + Math.min(EVERY * 2 ** (part.failed - 1) - EVERY, SLOWEST);
  }
}

function explain(fault) {
  if (fault.status !== undefined) return `The server cannot answer all of this now (${fault.code ?? fault.status}); trying again.`;
  if (fault instanceof SyntaxError) return 'The server sent something that cannot be read; trying again.';
  return 'Cannot reach the server; trying again.';
}

function showNotice() {
  // no answer at all says more than a part's refusal
  const faults = parts.map(part => part.fault).filter(fault => fault !== null);
  const refused = faults.find(fault => needsKey(fault.status));
  if (refused !== undefined) {
    waiting = true;
    askForKey(refused.status, start);
  }
  const worst = faults.find(fault => fault.status === undefined) ?? faults[0];
  const said = worst !== undefined && !waiting; // the form says the rest
  const notice = byId('notice');
  setText(notice, said ? explain(worst) : '');
  notice.classList.toggle('shown', said);
  document.body.classList.toggle('stale', worst !== undefined);
}

let timer = 0;
let running = false;
let waiting = false; // for a key

async function round() {
  clearTimeout(timer);
  if (running || waiting || document.hidden) return; // nobody looks: ask nothing; the next look starts again
  running = true;
  const now = performance.now();
  await Promise.all(parts.filter(part => part.next <= now).map(refresh));
  showNotice();
  running = false;
  timer = setTimeout(round, EVERY);
}

function start() {
  waiting = false;
  for (const part of parts) Object.assign(part, { next: 0, fault: null, failed: 0 });
  byId('send').replaceChildren(command(
    `curl -X POST ${quote(`${location.origin}/v1/clicks`)} -H 'Content-Type: application/json'${keyOption()} -d '{"ad_id":"a-42","country":"US","device":"mobile"}'`,
    'the command that sends a click'));
  byId('read').replaceChildren(command(`curl ${quote(`${location.origin}/v1/ads/a-42/clicks`)}${keyOption()}`, 'the command that reads the clicks of an ad'));
  round();
}

document.addEventListener('visibilitychange', round);
start();
