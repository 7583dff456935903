import { element, setText } from './element.js';
import { count, timeOf } from './words.js';

const at = (id) => document.getElementById(id);
const field = (name) => at('audit-form').elements.namedItem(name);

/** Makes the form that asks who had which token. `act` posts; `draw(names)` offers the connections. */
export function createAudit(act) {
  async function ask() {
    const said = at('audit-said');
    at('audit-ask').setAttribute('aria-busy', 'true');
    said.className = 'result';
    setText(said, '…');
    try {
      const names = ['span', 'connection', 'subject', 'caller', 'token'];
      const query = Object.fromEntries(names.map((name) => [name, field(name).value.trim()]));
      const { records } = await act('local/audit', query);
      at('records').replaceChildren(...records.map(recordRow));
      at('records').hidden = records.length === 0;
      setText(said, saidOf(records));
    } catch (failure) {
      said.className = 'result bad';
      at('records').hidden = true;
      setText(said, failure.message);
    } finally {
      at('audit-ask').removeAttribute('aria-busy');
    }
  }

  at('audit-form').addEventListener('submit', (event) => {
    event.preventDefault();
    ask();
  });

  return {
    draw(names) {
      const select = field('connection');
      if (select.options.length === names.length + 1) return;
      select.replaceChildren(
        element('option', { value: '', text: 'all' }),
        ...names.map((name) => element('option', { value: name, text: name })),
      );
    },
    /** Asks who had tokens of a slot, and goes to the answer. */
    askOf(connection, subject) {
      for (const name of ['caller', 'token']) field(name).value = '';
      field('connection').value = connection;
      field('subject').value = subject;
      at('audit').scrollIntoView();
      at('audit-title').focus();
      return ask();
    },
  };
}

function saidOf(records) {
  if (records.length === 0) return 'No hand-out fits. Look further back.';
  const callers = new Set(records.map(({ caller }) => caller)).size;
  const tokens = new Set(records.map(({ token }) => token)).size;
  return `${count(records.length, 'hand-out')} of ${count(tokens, 'token')} to ${count(callers, 'caller')}.`;
}

function recordRow({ at: time, caller, connection, subject, token, generation, source, via, requestId }) {
  const how = [
    source === 'cache' ? 'from the cache' : `after a ${source}`,
    ...(via === undefined ? [] : [`by ${via}`]),
  ];
  return element(
    'li',
    { class: 'record' },
    element('time', { datetime: time, text: timeOf(Date.parse(time), Date.now()) }),
    element('span', { class: 'caller', text: caller }),
    element('span', { class: 'where', text: `${connection} / ${subject}` }),
    element('code', { text: token }),
    element('span', { class: 'how', text: `generation ${generation}, ${how.join(', ')}; request ${requestId}` }),
  );
}
