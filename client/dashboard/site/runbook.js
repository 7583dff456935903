import { element, setText } from './element.js';

/**
 * Makes the place of a runbook: closed, and read when it is opened first. `draw(name)` shows the runbook of that name,
 * for this connection and subject; undefined hides it.
 */
export function createRunbook({ connection, subject }) {
  const summary = element('summary');
  const text = element('div', { class: 'runbook-text' });
  const node = element('details', { class: 'runbook', hidden: true }, summary, text);
  let shown;

  node.addEventListener('toggle', async () => {
    if (!node.open || text.childElementCount > 0) return;
    const name = shown;
    try {
      const answer = await fetch(`local/runbooks/${name}`);
      const { blocks } = await answer.json();
      if (name === shown) text.replaceChildren(...blocks.map((block) => blockOf(block, { connection, subject })));
    } catch {
      text.replaceChildren(element('p', { text: `It could not be read. It is docs/runbooks/${name}.md.` }));
    }
  });

  return {
    node,
    draw(name) {
      node.hidden = name === undefined;
      if (name === shown) return;
      shown = name;
      node.open = false;
      text.replaceChildren();
      setText(summary, name === undefined ? '' : `What to do: ${name.replaceAll('-', ' ')}`);
    },
  };
}

function blockOf({ kind, spans, items, first, rows }, slot) {
  if (kind === 'heading') return element('h5', {}, ...spansOf(spans, slot));
  if (kind === 'paragraph') return element('p', {}, ...spansOf(spans, slot));
  if (kind === 'table') return tableOf(rows, slot);
  const points = items.map((item) => element('li', {}, ...spansOf(item, slot)));
  return kind === 'steps' ? element('ol', { start: first }, ...points) : element('ul', {}, ...points);
}

function tableOf([head, ...rows], slot) {
  const row = (cells, tag, properties) =>
    element('tr', {}, ...cells.map((cell) => element(tag, properties, ...spansOf(cell, slot))));
  return element(
    'table',
    {},
    element('thead', {}, row(head, 'th', { scope: 'col' })),
    element('tbody', {}, ...rows.map((cells) => row(cells, 'td', {}))),
  );
}

const spanTags = { code: 'code', strong: 'strong', text: 'span' };

/** Draws the pieces of a sentence, with the slot's own names in place of NAME and SUBJECT. */
function spansOf(spans, { connection, subject }) {
  return spans.map(({ kind, text }) =>
    element(spanTags[kind], { text: text.replaceAll(/\bNAME\b/g, connection).replaceAll(/\bSUBJECT\b/g, subject) }),
  );
}
