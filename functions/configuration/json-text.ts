import type { JsonValue } from '../core/words/json.ts';

/** The value of a JSON text, or the place where it stops being JSON, such as `line 2, column 27`. */
export type JsonText = { readonly value: JsonValue } | { readonly breaksAt: string };

/** Parses the text of a file. Never gives the parser's own message: it quotes the text, which may hold a credential. */
export function parseJsonText(text: string): JsonText {
  // Editors on Windows put a byte order mark in front, which RFC 8259 §8.1 lets a reader ignore.
  const json = text.replace(/^\ufeff/, '');
  try {
    return { value: JSON.parse(json) };
  } catch {
    const before = json.slice(0, findBreak(json)).split('\n');
    return { breaksAt: `line ${before.length}, column ${(before.at(-1) ?? '').length + 1}` };
  }
}

/** Finds the fault by halving: every text that ends before it can still become JSON, and none beyond it can. */
function findBreak(text: string): number {
  let sound = 0;
  let broken = text.length + 1;
  while (broken - sound > 1) {
    const middle = Math.floor((sound + broken) / 2);
    if (isBeginningOfJson(text.slice(0, middle))) sound = middle;
    else broken = middle;
  }
  return sound;
}

/** Reports whether a text is JSON or the beginning of it: the parser then finds its fault at the very end. */
function isBeginningOfJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch (error) {
    const message = error instanceof Error ? error.message : '';
    const [, position] = / at position (\d+) \(line \d+ column \d+\)$/.exec(message) ?? [];
    return message === 'Unexpected end of JSON input' || Number(position) >= text.length;
  }
}
