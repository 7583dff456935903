import { arrange, element, setText } from './element.js';
import { count, timeOf } from './words.js';

const SVG = 'http://www.w3.org/2000/svg';

const lanes = [
  { kind: 'hand_outs', label: 'Hand-outs' },
  { kind: 'logins', label: 'Logins' },
  { kind: 'slides', label: 'Slides' },
  { kind: 'failures', label: 'Failures' },
];

const stepWords = { 60: 'a minute', 900: 'in 15 minutes', 7200: 'in 2 hours' };

/**
 * Makes the chart of one connection's history: a lane of bars for each kind, each by its own scale, with its total and
 * its peak in words, and the numbers as a table. `draw(history)` takes the whole history; undefined hides the chart.
 */
export function createHistoryChart(name) {
  const rows = lanes.map(({ kind, label }) => {
    const svg = document.createElementNS(SVG, 'svg');
    svg.setAttribute('preserveAspectRatio', 'none');
    svg.setAttribute('aria-hidden', 'true');
    const path = document.createElementNS(SVG, 'path');
    svg.append(path);
    const total = element('span', { class: 'lane-total' });
    const peak = element('span', { class: 'lane-peak' });
    const node = element(
      'div',
      { class: `lane ${kind}` },
      element('span', { class: 'lane-label', text: label }),
      total,
      svg,
      peak,
    );
    return { kind, label, svg, path, total, peak, node };
  });
  const from = element('span');
  const to = element('span');
  const codes = element('p', { class: 'times' });
  const body = element('tbody');
  const table = element(
    'table',
    {},
    element('caption', { text: `${name}: what was counted, the latest first` }),
    element(
      'thead',
      {},
      element(
        'tr',
        {},
        ...['From', ...lanes.map(({ label }) => label)].map((text) => element('th', { scope: 'col', text })),
      ),
    ),
    body,
  );
  const numbers = element(
    'details',
    { class: 'numbers' },
    element('summary', { text: 'The numbers' }),
    element('div', { class: 'scroll', tabindex: '0', role: 'region', 'aria-label': `${name}, the numbers` }, table),
  );
  const node = element(
    'section',
    { class: 'chart', 'aria-label': `${name}, history`, hidden: true },
    ...rows.map((row) => row.node),
    element('p', { class: 'axis' }, from, to),
    codes,
    numbers,
  );
  let drawn;

  return {
    node,
    draw(history) {
      node.hidden = history === undefined;
      if (history === undefined || history === drawn) return;
      drawn = history;
      const counted = history.connections.find((connection) => connection.name === name);
      const step = stepWords[history.step_seconds] ?? 'a step';
      for (const row of rows) {
        const values = counted?.[row.kind] ?? [];
        const sum = values.reduce((all, one) => all + one, 0);
        const most = Math.max(0, ...values);
        setText(row.total, sum.toLocaleString());
        setText(row.peak, most === 0 ? '' : `at most ${most.toLocaleString()} ${step}`);
        row.svg.setAttribute('viewBox', `0 0 ${Math.max(1, values.length)} 1`);
        row.path.setAttribute('d', barsOf(values, most));
      }
      setText(from, timeOf(Date.parse(history.from), Date.now(), 'minutes'));
      setText(to, timeOf(Date.parse(history.to), Date.now(), 'minutes'));
      setText(codes, codesWords(counted?.codes ?? {}));
      arrange(body, tableRows(history, counted));
    },
  };
}

/** Draws bars as one path; a count of one is still seen beside a high peak. */
function barsOf(values, most) {
  const bars = values.map((value, at) => {
    if (value === 0) return '';
    const height = Math.max(0.08, value / most);
    return `M${at + 0.08} 1V${1 - height}H${at + 0.92}V1Z`;
  });
  return bars.join('');
}

function codesWords(codes) {
  const sorted = Object.entries(codes).sort(([, one], [, other]) => other - one);
  return sorted.length === 0 ? '' : `Failed: ${sorted.map(([code, times]) => `${code} × ${times}`).join(', ')}`;
}

function tableRows(history, counted) {
  const begin = Date.parse(history.from);
  const steps = counted?.hand_outs.map((_count, at) => at) ?? [];
  const busy = steps.filter((at) => lanes.some(({ kind }) => counted[kind][at] > 0)).reverse();
  if (busy.length === 0) return [element('tr', {}, element('td', { colspan: '5', text: 'Nothing was counted.' }))];
  return busy.map((at) =>
    element(
      'tr',
      {},
      element('th', {
        scope: 'row',
        text: timeOf(begin + at * history.step_seconds * 1000, Date.now(), 'minutes'),
      }),
      ...lanes.map(({ kind }) => element('td', { text: counted[kind][at].toLocaleString() })),
    ),
  );
}

/** Says in a sentence what a history has, for a reader who does not see the charts. */
export function historyWords(history) {
  const sum = (kind) => history.connections.reduce((all, one) => all + one[kind].reduce((a, b) => a + b, 0), 0);
  return `${count(sum('hand_outs'), 'hand-out')}, ${count(sum('logins'), 'login')}, ${count(sum('slides'), 'slide')}, ${count(sum('failures'), 'failure')}.`;
}
