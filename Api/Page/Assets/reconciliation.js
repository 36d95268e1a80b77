// How far the numbers are proved: the archive, the runs that recount from it, and what they corrected.
import { byId, count, day, moment, setAttribute, setText, setRows } from './dom.js';

const RUNS_EVERY = 3000;   // ms
const SHOWN = 8;           // runs, and corrections

const WHY = { schedule: 'schedule', late: 'late clicks', asked: 'asked for', invalidation: 'clicks taken back', revocation: 'clicks given back' };
const STATE = { done_in_part: 'done in part' };

let corrected = null; // the latest run that corrected something

/** The hour of a day, with the day. */
const hour = text => `${day(text)}, ${String(text ?? '').slice(11, 13) || '–'}h`;

const signed = value => typeof value === 'number' && value > 0 ? `+${count(value)}` : count(value);

/** What a run changed: a click stands once in each rollup, so of all rollups those are told in which most was raised, and lowered. */
function changed(run) {
  const raised = Math.max(0, ...(run.changes ?? []).map(change => change.raised));
  const lowered = Math.max(0, ...(run.changes ?? []).map(change => change.lowered));
  return [raised > 0 ? `+${count(raised)}` : '', lowered > 0 ? `−${count(lowered)}` : ''].filter(part => part !== '').join(' ') || signed(run.clicks_changed);
}

/** How long something takes, in the unit that a person would say. */
function duration(seconds) {
  if (seconds < 90) return `${count(Math.max(1, Math.round(seconds)))}\u00a0s`;
  return seconds < 5400 ? `${count(Math.round(seconds / 60))}\u00a0min` : `${count(Math.round(seconds / 3600))}\u00a0h`;
}

/** Of the sum over the last days: until when it is final. */
export function showFinal(total) {
  setText(byId('final-until'), total.final_until ? moment(total.final_until) : '–');
}

export function showArchive(status) {
  const chains = status.archive ?? [];
  const lag = chains.reduce((all, chain) => all + chain.lag, 0);
  const waiting = chains.filter(chain => chain.lag > 0);
  const times = (waiting.length > 0 ? waiting : chains).map(chain => chain.archived_until).filter(text => text !== null).sort();
  setText(byId('archived-until'), times.length === 0 ? '–' : moment(waiting.length > 0 ? times[0] : times.at(-1)));
  setText(byId('archive-lag'), status.archive ? `${count(lag)} ${lag === 1 ? 'click' : 'clicks'}` : '–');
  setText(byId('open-hours'), count(status.reconciliation?.unreconciled_hours));
  setText(byId('version'), count(status.reconciliation?.version));
  byId('archive-table').hidden = chains.length === 0;
  setRows(byId('archive'), chains.toSorted((one, other) => one.partition - other.partition).map(chain => [
    { text: chain.partition, number: true }, { text: count(chain.upto), number: true }, { text: count(chain.end), number: true },
    { text: count(chain.lag), number: true, className: chain.lag > 0 ? 'some' : '' }, moment(chain.archived_until), chain.detail ?? '']));
}

/** Before its hours are planned, a run may wait for a search through the store. */
function hoursDone(run) {
  return run.state === 'waiting' && run.search
    ? `search: ${count(run.search.parts_done)} of ${count(run.search.parts)}`
    : `${count(run.hours_done)} of ${count(run.hours_planned)}`;
}

function showRuns(list) {
  const runs = list.items ?? [];
  byId('runs-table').hidden = runs.length === 0;
  byId('runs-empty').hidden = runs.length > 0;
  setRows(byId('runs'), runs.map(run => [
    { text: run.id, number: true }, moment(run.asked_at), (WHY[run.reason] ?? run.reason) + (run.dry_run ? ', dry run' : ''),
    { text: STATE[run.state] ?? run.state, className: run.state === 'done_in_part' ? 'state some' : 'state' },
    { text: hoursDone(run), number: true }, { text: count(run.clicks_read), number: true },
    { text: count(run.corrections), number: true, className: run.corrections > 0 ? 'some' : '' }, { text: changed(run), number: true },
    run.waits_for ? `waits: ${run.waits_for}` : run.troubles?.[0] ? `${hour(run.troubles[0].hour)}: ${run.troubles[0].message}` : '']));
  corrected = runs.find(run => run.corrections > 0)?.id ?? null;
  const running = runs.find(run => run.state === 'running');
  byId('run').hidden = running === undefined;
  if (running === undefined) return;
  setAttribute(byId('run-progress'), 'max', Math.max(1, running.hours_planned));
  setAttribute(byId('run-progress'), 'value', running.hours_done);
  setText(byId('run-said'), `Run ${running.id}: ${count(running.hours_done)} of ${count(running.hours_planned)} hours of partitions, ${count(running.clicks_read)} clicks read`
    + (running.seconds_left > 0 ? `, about ${duration(running.seconds_left)} left` : ''));
}

function showCorrections(list) {
  const rows = list.items ?? [];
  byId('corrections-part').hidden = rows.length === 0;
  setText(byId('corrections-title'), `Corrections of run ${corrected}`);
  setRows(byId('corrections'), rows.map(row => [
    hour(row.hour), { text: row.series, className: 'id' }, row.cause.replaceAll('_', ' ') + (row.detail ? ` (${row.detail})` : ''),
    row.state, { text: count(row.before), number: true }, { text: count(row.after), number: true }]));
}

/** What the page asks for it, besides the status. */
export const reconciliationParts = [
  { path: `/v1/reconciliations?limit=${SHOWN}`, show: showRuns, every: RUNS_EVERY },
  { path: () => corrected === null ? null : `/v1/reconciliations/${corrected}/corrections?limit=${SHOWN}`, show: showCorrections, every: RUNS_EVERY },
];
