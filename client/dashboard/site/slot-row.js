import { element, setText } from './element.js';
import { createRunbook } from './runbook.js';
import * as words from './words.js';
import { duration, failureWords, roughly, timeOf } from './words.js';

const stateWords = {
  fresh: 'fresh',
  refreshing: 'refreshing',
  cooldown: 'cooldown',
  empty: 'no token',
};

/**
 * Makes the row of one slot: its life, its last error and its buttons. `act(path, body)` posts and returns the answer;
 * `look()` reads the state again and returns this slot's status, or undefined.
 */
export function createSlotRow({ connection, subject, abilities, callLabel, act, look, askWho }) {
  let current;
  const body = { connection, subject };
  const id = `slot-${connection}-${subject}`;

  const chip = element('span', { class: 'chip' });
  const generation = element('span', { class: 'generation' });
  const left = element('span', { class: 'left' });
  const fill = element('div', { class: 'fill' });
  const zone = element('div', { class: 'zone' });
  const mark = element('div', { class: 'mark' });
  const life = element('div', { class: 'life', role: 'img' }, zone, fill, mark);
  const issued = element('span');
  const due = element('span', { class: 'due' });
  const ends = element('span');
  const times = element('p', { class: 'times' }, issued, due, ends);
  const warning = element('p', { class: 'warning', hidden: true });
  const error = element('p', { class: 'error', hidden: true });
  const evidence = element('p', { class: 'evidence', hidden: true });
  const runbook = createRunbook(body);
  const result = element('p', { class: 'result', role: 'status' });

  function button(label, title, run, kind = 'plain') {
    const node = element('button', { type: 'button', class: kind, text: label, title });
    node.addEventListener('click', async () => {
      node.setAttribute('aria-busy', 'true');
      setText(result, '…');
      try {
        const { text, ok } = await run();
        result.className = ok ? 'result good' : 'result bad';
        setText(result, text);
      } catch (failure) {
        result.className = 'result bad';
        setText(result, failure.message);
      } finally {
        node.removeAttribute('aria-busy');
      }
    });
    return node;
  }

  const simple = (path, wordsOf) => async () => {
    const answer = await act(path, body);
    const after = await look();
    return { text: wordsOf(answer, after), ok: answer.ok };
  };
  const refresh = async () => {
    const before = current;
    const { ok } = await act('local/refresh', body);
    const after = await look();
    return { text: words.refreshWords(ok, before, after), ok: ok && after?.generation > before.generation };
  };

  const buttons = [
    button('Hand out', 'Ask for this token as a caller does', simple('local/hand-out', words.handOutWords), 'primary'),
    ...(abilities.includes('herd')
      ? [
          button(
            '200 callers at once',
            'Empty the slot, then ask 200 times at once',
            simple('local/herd', words.herdWords),
          ),
        ]
      : []),
    ...(abilities.includes('refresh')
      ? [button('Skip to refresh', 'Move the refresh point to now and run the schedule', refresh)]
      : []),
    ...(callLabel === undefined
      ? []
      : [button('Call upstream', `${callLabel} through the broker`, simple('local/call', words.callWords))]),
    button(
      'Reject',
      'Say that the upstream answered 401 to the current token',
      simple('local/reject', words.rejectWords),
    ),
    button('Purge', 'Forget the token, refusal and back-off', simple('local/purge', words.purgeWords)),
    element('button', {
      type: 'button',
      class: 'plain',
      text: 'Who had it',
      title: 'Look who got tokens of this slot',
      on: { click: () => askWho(connection, subject) },
    }),
  ];

  const node = element(
    'li',
    { class: 'slot', 'aria-labelledby': id },
    element('div', { class: 'slot-head' }, element('h4', { id, text: subject }), chip, generation, left),
    life,
    times,
    warning,
    error,
    evidence,
    runbook.node,
    element('div', { class: 'buttons', role: 'group', 'aria-label': `${connection}, ${subject}` }, ...buttons),
    result,
  );

  function drawLife(slot, now) {
    const issuedAt = Date.parse(slot.issued_at ?? '');
    const expiresAt = Date.parse(slot.expires_at ?? '');
    const refreshAt = Date.parse(slot.refresh_at ?? '');
    const isAlive = expiresAt > now;
    life.classList.toggle('none', !isAlive);
    if (!isAlive) {
      setText(left, '');
      setText(issued, 'No token is stored. The next caller gets a new one, or what a warm function still remembers.');
      setText(due, '');
      setText(ends, '');
      life.setAttribute('aria-label', 'No token');
      fill.style.setProperty('--left', '0%');
      return;
    }
    const share = (ms) => `${Math.min(100, Math.max(0, (100 * ms) / (expiresAt - issuedAt)))}%`;
    fill.style.setProperty('--left', share(expiresAt - now));
    mark.style.setProperty('--at', share(expiresAt - refreshAt));
    zone.style.setProperty('--at', share(expiresAt - refreshAt));
    setText(left, `${duration(expiresAt - now)} left`);
    const toRefresh = refreshAt > now ? `Refresh in ${duration(refreshAt - now)}` : 'Refresh is due';
    setText(issued, `Issued ${timeOf(issuedAt, now)}`);
    setText(due, toRefresh);
    setText(ends, `Ends ${timeOf(expiresAt, now)}`);
    life.setAttribute(
      'aria-label',
      `${roughly(expiresAt - now)} of ${roughly(expiresAt - issuedAt)} left. ${toRefresh}`,
    );
  }

  return {
    node,
    /** Draws the slot's status as it is at `now`, epoch milliseconds. */
    draw(slot, now) {
      current = slot;
      const isGood = Date.parse(slot.expires_at ?? '') > now;
      chip.className = `chip ${slot.state}`;
      setText(chip, slot.state === 'cooldown' && isGood ? 'cooldown, token still good' : stateWords[slot.state]);
      setText(generation, slot.generation > 0 ? `generation ${slot.generation}` : '');
      drawLife(slot, now);
      warning.hidden = !slot.warning;
      setText(warning, slot.warning ? `Warning: ${slot.warning}` : '');
      const failed = slot.last_error;
      error.hidden = !failed;
      evidence.hidden = !failed?.evidence;
      setText(evidence, failed?.evidence ? `It rests on ${failed.evidence}.` : '');
      runbook.draw(failed?.runbook);
      if (failed) {
        const ago = `${duration(now - Date.parse(failed.at))} ago`;
        setText(error, `Last error, ${ago}: ${failureWords(failed)}`);
      }
    },
  };
}
