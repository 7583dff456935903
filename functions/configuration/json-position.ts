/** Line and column, both from 1, as editors count them. */
export interface TextPosition {
  readonly line: number;
  readonly column: number;
}

/**
 * Says where `text`, which is not JSON, stops being JSON: the first character that nothing could follow up to valid
 * JSON, or the end where the text is cut short. The parser's own message quotes the text, which may hold a credential.
 */
export function whereJsonBreaks(text: string): TextPosition {
  // Every prefix before the fault can still become JSON and none after it can, so the border is found by halving.
  let viable = 0;
  let broken = text.length + 1;
  while (broken - viable > 1) {
    const middle = Math.floor((viable + broken) / 2);
    if (canBecomeJson(text.slice(0, middle))) {
      viable = middle;
    } else {
      broken = middle;
    }
  }
  const before = text.slice(0, viable).split('\n');
  return { line: before.length, column: (before.at(-1) ?? '').length + 1 };
}

/** The parser complains about the very end of a prefix that is merely unfinished, and about an earlier place otherwise. */
function canBecomeJson(prefix: string): boolean {
  try {
    JSON.parse(prefix);
    return true;
  } catch (error) {
    const message = error instanceof Error ? error.message : '';
    if (message.endsWith('is not valid JSON')) {
      return false;
    }
    const position = /at position (\d+)/.exec(message)?.[1];
    return (
      message.startsWith('Unexpected end') || Number(position) >= prefix.length || message.startsWith('Unterminated')
    );
  }
}
