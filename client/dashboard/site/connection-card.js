import { arrange, element, setText } from './element.js';
import { createHistoryChart } from './history-chart.js';
import { createSlotRow } from './slot-row.js';
import { count, roughly } from './words.js';

const MENDED = 'mended';
const END_TOKENS = 'end-tokens';

/** Status of a slot that was never asked for. */
const nothing = {
  state: 'empty',
  issued_at: null,
  expires_at: null,
  refresh_at: null,
  generation: 0,
  last_error: null,
};

/**
 * Makes the card of one connection. `act` and `look` are as for a slot's row; `look()` here returns the whole state.
 */
export function createConnectionCard({ name, abilities, act, look, askWho }) {
  const chart = createHistoryChart(name);
  const rows = new Map();
  const asked = new Set();
  const provider = element('p', { class: 'provider' });
  const counts = element('p', { class: 'counts' });
  const upstream = element('div', { class: 'upstream', hidden: true });
  const warning = element('p', { class: 'notice', hidden: true });
  const list = element('ul', { class: 'slots' });
  const more = element('p', { class: 'times', hidden: true, text: 'Only the first 100 slots are shown.' });
  const form = askForm();
  const node = element(
    'article',
    { class: 'card', 'aria-labelledby': `connection-${name}` },
    element(
      'div',
      { class: 'card-head' },
      element('div', {}, element('h3', { id: `connection-${name}`, text: name }), provider),
      counts,
    ),
    chart.node,
    upstream,
    warning,
    list,
    more,
    form.node,
  );

  function askForm() {
    const input = element('input', {
      id: `ask-${name}`,
      list: `ask-${name}-list`,
      autocomplete: 'off',
      required: true,
    });
    const options = element('datalist', { id: `ask-${name}-list` });
    const box = element(
      'form',
      { class: 'ask', hidden: true },
      element('label', { for: `ask-${name}`, text: 'Another subject' }),
      input,
      options,
      element('button', { type: 'submit', class: 'plain', text: 'Add' }),
    );
    box.addEventListener('submit', (event) => {
      event.preventDefault();
      asked.add(input.value.trim());
      input.value = '';
      look();
    });
    return {
      node: box,
      draw({ subjects, users }) {
        box.hidden = users === null && subjects.length < 2;
        input.pattern = users === null ? '' : `system|${users.pattern}`;
        input.title = users === null ? '' : users.words;
        input.placeholder = users === null ? '' : users.words.split(':')[0];
        if (options.childElementCount !== subjects.length) {
          arrange(
            options,
            subjects.map((subject) => element('option', { value: subject })),
          );
        }
      },
    };
  }

  const faults = { control: undefined };

  function upstreamControl(demo) {
    const select = element('select', { id: `upstream-${name}` });
    for (const { name: fault, label } of demo.faults.filter(({ name: fault }) => fault !== END_TOKENS)) {
      select.append(element('option', { value: fault, text: label }));
    }
    const say = element('span', { class: 'said', role: 'status' });
    const set = async (fault, words) => {
      try {
        await act('local/fault', { connection: name, fault });
        setText(say, words);
      } catch (failure) {
        setText(say, failure.message);
      }
      await look();
    };
    select.addEventListener('change', () =>
      set(select.value, select.value === MENDED ? 'Mended.' : 'Broken. Hand out, or skip to refresh.'),
    );
    const mend = element('button', {
      type: 'button',
      class: 'primary',
      text: 'Mend',
      on: { click: () => set(MENDED, 'Mended.') },
    });
    const end = element('button', {
      type: 'button',
      class: 'plain',
      text: 'End its tokens',
      title: 'The upstream forgets every token that is out, once',
      on: { click: () => set(END_TOKENS, 'Every token that is out is dead now. Call the upstream to see it noticed.') },
    });
    upstream.append(element('label', { for: `upstream-${name}`, text: 'Upstream' }), select, mend, end, say);
    return { select, mend };
  }

  function drawUpstream(demo) {
    upstream.hidden = demo === undefined;
    if (demo === undefined) return;
    faults.control ??= upstreamControl(demo);
    const { select, mend } = faults.control;
    const isBroken = demo.fault !== MENDED;
    upstream.classList.toggle('broken', isBroken);
    // Disable rather than hide: hiding the focused button would lose the focus.
    mend.disabled = !isBroken;
    if (document.activeElement !== select && demo.fault !== null) select.value = demo.fault;
  }

  return {
    node,
    /** Draws the connection as it is at `now`, epoch milliseconds, and its part of a history, if there is one. */
    draw(connection, now, history) {
      chart.draw(history);
      setText(provider, `${connection.provider} · tokens live up to ${roughly(connection.lifetime_seconds * 1000)}`);
      const { counts: counted } = connection;
      setText(counts, counted ? countedWords(counted) : '');
      warning.hidden = !connection.warning;
      setText(warning, connection.warning ?? '');
      drawUpstream(connection.demo);

      const bySubject = new Map(connection.slots.map((slot) => [slot.subject, slot]));
      const offered = connection.subjects.slice(0, 1);
      const subjects = [...new Set([...offered, ...bySubject.keys(), ...asked])];
      const nodes = subjects.map((subject) => {
        const row =
          rows.get(subject) ??
          createSlotRow({
            connection: name,
            subject,
            abilities,
            askWho,
            callLabel: connection.demo?.call,
            act,
            look: async () => {
              const state = await look();
              return state?.connections.find((one) => one.name === name)?.slots.find((one) => one.subject === subject);
            },
          });
        rows.set(subject, row);
        row.draw(bySubject.get(subject) ?? { ...nothing, subject }, now);
        return row.node;
      });
      arrange(list, nodes);
      more.hidden = !connection.more_slots;
      form.draw(connection);
    },
  };
}

function countedWords({ handOuts, logins, slides }) {
  return `${handOuts.toLocaleString()} handed out · ${count(logins, 'login')} · ${count(slides, 'slide')}`;
}
