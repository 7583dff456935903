import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseJsonText } from '../../../functions/configuration/json-text.ts';
import { settingsOf } from '../../fuzz/runs.ts';

describe('parseJsonText', () => {
  it.each([
    ['{"a": x}', 1, 7],
    ['{"a":1,}', 1, 8],
    ['{"a" 1}', 1, 6],
    ['{"a":1\n,\n  b}', 3, 3],
    ['[1 2]', 1, 4],
    ['{} x', 1, 4],
    ['trux', 1, 4],
    ['01', 1, 2],
    ['1.{', 1, 3],
    ['"\\u12zz"', 1, 6],
    ['{"at position 999": x}', 1, 21],
    ['', 1, 1],
    ['{\n"a":"abc', 2, 9],
  ])('points at the fault in %j', (text, line, column) => {
    expect(parseJsonText(text)).toEqual({ breaksAt: `line ${line}, column ${column}` });
  });

  it('points at a stray character wherever between two values it stands', () => {
    fc.assert(
      fc.property(
        fc.array(fc.jsonValue({ maxDepth: 2 }), { maxLength: 5 }),
        fc.array(fc.jsonValue(), { maxLength: 5 }),
        (before, after) => {
          const head = `[${before.map((value) => `${JSON.stringify(value)},`).join('\n')}`;
          const lines = head.split('\n');

          expect(parseJsonText(`${head}@${JSON.stringify(after)}]`)).toEqual({
            breaksAt: `line ${lines.length}, column ${(lines.at(-1)?.length ?? 0) + 1}`,
          });
        },
      ),
      settingsOf(100),
    );
  });
});
