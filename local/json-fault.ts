/** A place in a text: both count from 1. */
export interface TextPlace {
  readonly line: number;
  readonly column: number;
}

const SPACE = /[ \t\n\r]*/y;
const TOKEN =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: JSON forbids them within strings
  /"[^"\\\u0000-\u001f]*(?:\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})[^"\\\u0000-\u001f]*)*"|-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null|[{}[\],:]/y;

type Expected = 'value' | 'value-or-]' | 'key' | 'key-or-}' | ':' | 'next' | 'end';

/**
 * Finds where a text stops being JSON (RFC 8259), or gives `undefined` where it is JSON to its end.
 *
 * For messages about files that hold secrets: what `JSON.parse` throws quotes the text.
 */
export function findJsonFault(text: string): TextPlace | undefined {
  const open: string[] = [];
  let expected: Expected = 'value';
  let index = skipSpace(text, 0);

  while (index < text.length) {
    TOKEN.lastIndex = index;
    const token = TOKEN.exec(text)?.[0];
    const after: Expected | undefined = token === undefined ? undefined : step(token, expected, open);
    if (token === undefined || after === undefined) return placeOf(text, index);
    expected = after;
    index = skipSpace(text, index + token.length);
  }
  return expected === 'end' ? undefined : placeOf(text, index);
}

/** Says what may follow `token`, or `undefined` where `token` may not stand here; keeps `open` up to date. */
function step(token: string, expected: Expected, open: string[]): Expected | undefined {
  switch (expected) {
    case 'value':
      return startValue(token, open);
    case 'value-or-]':
      return token === ']' ? endValue(open) : startValue(token, open);
    case 'key':
      return token.startsWith('"') ? ':' : undefined;
    case 'key-or-}':
      if (token === '}') return endValue(open);
      return token.startsWith('"') ? ':' : undefined;
    case ':':
      return token === ':' ? 'value' : undefined;
    case 'next': {
      const bracket = open.at(-1);
      if (token === ',') return bracket === '{' ? 'key' : 'value';
      return token === (bracket === '{' ? '}' : ']') ? endValue(open) : undefined;
    }
    case 'end':
      return undefined;
  }
}

function startValue(token: string, open: string[]): Expected | undefined {
  if (token === '{' || token === '[') {
    open.push(token);
    return token === '{' ? 'key-or-}' : 'value-or-]';
  }
  if (token === '}' || token === ']' || token === ',' || token === ':') return undefined;
  return open.length === 0 ? 'end' : 'next';
}

function endValue(open: string[]): Expected {
  open.pop();
  return open.length === 0 ? 'end' : 'next';
}

function skipSpace(text: string, index: number): number {
  SPACE.lastIndex = index;
  return index + (SPACE.exec(text)?.[0].length ?? 0);
}

function placeOf(text: string, index: number): TextPlace {
  const before = text.slice(0, index);
  const lineStart = before.lastIndexOf('\n') + 1;
  return { line: before.split('\n').length, column: index - lineStart + 1 };
}
