// No regular expressions here: an operator's text never decides how long a comparison takes.

const SEPARATORS = new Set([':', '/']);

/** Reports whether a text is a glob that takes more than one text. */
export function isGlob(text: string): boolean {
  return text.includes('*');
}

/**
 * Reports whether a glob takes the whole of a text. `*` stands for any characters but `:` and `/`, `**` for any at all,
 * none included. Everything else stands for itself. Time grows with the product of both lengths.
 */
export function matchesGlob(glob: string, text: string): boolean {
  const parts = glob.split(/(\*+)/).filter((part) => part !== '');
  let ends = new Set([0]);
  for (const part of parts) {
    ends = part.startsWith('*') ? widen(ends, text, part.length > 1) : advance(ends, text, part);
    if (ends.size === 0) return false;
  }
  return ends.has(text.length);
}

function advance(starts: ReadonlySet<number>, text: string, literal: string): Set<number> {
  return new Set([...starts].filter((at) => text.startsWith(literal, at)).map((at) => at + literal.length));
}

function widen(starts: ReadonlySet<number>, text: string, crosses: boolean): Set<number> {
  const ends = new Set<number>();
  let isOpen = false;
  for (let at = 0; at <= text.length; at += 1) {
    isOpen ||= starts.has(at);
    if (isOpen) ends.add(at);
    if (!crosses && SEPARATORS.has(text[at] ?? '')) isOpen = false;
  }
  return ends;
}
