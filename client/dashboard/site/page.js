import { createAudit } from './audit.js';
import { createConnectionCard } from './connection-card.js';
import { arrange, element, setText } from './element.js';
import { createHistory } from './history.js';
import { eventWords, timeOf } from './words.js';

const LOOK_EVERY_MS = 1000;
const DRAW_EVERY_MS = 1000;
const HISTORY_EVERY_MS = 5000;
const EVENTS_SHOWN = 14;

const at = (id) => document.getElementById(id);
/** Latest state from the server, and its arrival by this page's clock. */
let latest;
const cards = new Map();
const eventNodes = new Map();
const audit = createAudit(act);
const history = createHistory({
  drawn() {
    if (latest) draw(latest.state, serverNow());
  },
  everyMs: () => latest?.state.history_every_ms ?? HISTORY_EVERY_MS,
});

/** Posts a button's action. Rejects with a sentence to show if it was not done. */
async function act(path, body) {
  const answer = await fetch(path, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  const json = await answer.json().catch(() => ({}));
  if (!answer.ok) throw new Error(json.message ?? `The server answered ${answer.status}.`);
  return json;
}

/** Reads the state and draws it. Undefined if the server does not answer, which is then shown at the top. */
async function look() {
  try {
    const answer = await fetch('local/state', { cache: 'no-store' });
    const state = await answer.json();
    if (!answer.ok) throw new Error(state.message ?? `The server answered ${answer.status}.`);
    latest = { state, at: performance.now() };
    draw(state, Date.parse(state.now));
    live(true);
    return state;
  } catch (failure) {
    live(false, failure instanceof TypeError ? 'The broker does not answer. Trying again.' : failure.message);
    return undefined;
  }
}

function live(isLive, trouble = '') {
  const liveness = at('liveness');
  liveness.classList.toggle('on', isLive);
  setText(liveness, isLive ? 'live' : 'not connected');
  at('trouble').hidden = isLive;
  setText(at('trouble'), trouble);
}

function draw(state, now) {
  at('guide').hidden = !state.connections.some(({ demo }) => demo !== undefined);
  at('docs-link').hidden = !state.links?.includes('docs');
  at('note').hidden = !state.note;
  setText(at('note'), state.note ?? '');
  drawTotals(state.connections);
  for (const connection of state.connections) {
    const { name } = connection;
    const card =
      cards.get(name) ?? createConnectionCard({ name, abilities: state.abilities, act, look, askWho: audit.askOf });
    cards.set(name, card);
    card.draw(connection, now, history.current());
  }
  audit.draw(state.connections.map(({ name }) => name));
  arrange(
    at('connections'),
    state.connections.map(({ name }) => cards.get(name).node),
  );
  drawEvents(state.events ?? []);
}

const totals = [
  ['handOuts', 'tokens handed out'],
  ['logins', 'logins'],
  ['slides', 'slides'],
  ['failures', 'failed attempts'],
].map(([name, label]) => ({ name, label, value: element('dd') }));
at('totals').append(...totals.map(({ label, value }) => element('div', {}, element('dt', { text: label }), value)));

function drawTotals(connections) {
  const counted = connections.flatMap(({ counts }) => (counts ? [counts] : []));
  at('totals').hidden = counted.length === 0;
  for (const { name, value } of totals) {
    setText(value, counted.reduce((sum, counts) => sum + counts[name], 0).toLocaleString());
  }
}

function drawEvents(events) {
  at('activity').hidden = events.length === 0;
  const shown = events.slice(0, EVENTS_SHOWN).map((event) => {
    const node = eventNodes.get(event.id) ?? eventRow(event);
    eventNodes.set(event.id, node);
    setText(node.querySelector('time'), timeOf(event.at, Date.now()));
    setText(node.querySelector('.times-over'), event.times > 1 ? `× ${event.times}` : '');
    return node;
  });
  arrange(at('events'), shown);
  const ids = new Set(events.map(({ id }) => id));
  for (const id of [...eventNodes.keys()].filter((known) => !ids.has(known))) eventNodes.delete(id);
}

function eventRow(event) {
  const { kind, connection, subject, token_hash: tokenHash } = event;
  return element(
    'li',
    { class: `event ${kind}` },
    element('time'),
    element('span', { class: 'what', text: eventWords(event) }),
    element('span', { class: 'times-over' }),
    element('span', { class: 'where', text: subject === undefined ? connection : `${connection} / ${subject}` }),
    element('code', { text: tokenHash ?? '' }),
  );
}

/** Estimates the server's time. */
function serverNow() {
  return Date.parse(latest.state.now) + performance.now() - latest.at;
}

async function keepLooking() {
  for (;;) {
    // A hidden page does not poll.
    if (!document.hidden) await look();
    const next = performance.now() + (latest?.state.look_every_ms ?? LOOK_EVERY_MS);
    while (performance.now() < next) {
      await new Promise((resolve) => setTimeout(resolve, Math.min(DRAW_EVERY_MS, next - performance.now())));
      // Redraw between polls, since life runs down.
      if (latest && performance.now() < next) draw(latest.state, serverNow());
    }
  }
}

document.addEventListener('visibilitychange', () => {
  if (!document.hidden) look();
});
keepLooking();
