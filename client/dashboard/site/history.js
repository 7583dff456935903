import { setText } from './element.js';
import { historyWords } from './history-chart.js';

const at = (id) => document.getElementById(id);

/**
 * Looks at the history of the span that is chosen, at once and again after `everyMs()` while the page is in sight.
 * `current()` returns the latest one; undefined while there is none.
 */
export function createHistory({ drawn, everyMs }) {
  let latest;
  /** Number of the latest question, so that a slow answer to an older one is not drawn. */
  let asked = 0;

  async function look() {
    asked += 1;
    const number = asked;
    const span = document.querySelector('input[name=span]:checked').value;
    try {
      const answer = await fetch(`local/history?span=${span}`, { cache: 'no-store' });
      const json = await answer.json();
      if (number !== asked) return;
      latest = answer.ok ? json : undefined;
      const words = answer.ok ? `${historyWords(json)} ${json.note}` : `There is no history. ${json.message}`;
      setText(at('history-note'), words);
    } catch {
      if (number !== asked) return;
      latest = undefined;
      setText(at('history-note'), 'There is no history: the server does not answer.');
    }
    drawn();
  }

  async function keepLooking() {
    for (;;) {
      if (!document.hidden) await look();
      await new Promise((resolve) => setTimeout(resolve, everyMs()));
    }
  }

  for (const choice of document.querySelectorAll('input[name=span]')) choice.addEventListener('change', look);
  keepLooking();
  return { current: () => latest };
}
