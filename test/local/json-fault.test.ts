import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { findJsonFault } from '../../local/json-fault.ts';

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

describe('findJsonFault', () => {
  it('finds a fault in exactly the texts that JSON.parse refuses', () => {
    const scraps = [
      '{',
      '}',
      '[',
      ']',
      ',',
      ':',
      '"a"',
      '"',
      '\\',
      '\\u00e9',
      '1',
      '-',
      '0',
      '.5',
      'e3',
      'true',
      'nul',
      ' ',
      '\n',
      '\u0001',
    ];
    const jsonLike = fc.array(fc.constantFrom(...scraps), { maxLength: 12 }).map((parts) => parts.join(''));
    fc.assert(
      fc.property(fc.oneof(jsonLike, fc.string(), fc.json()), (text) => {
        expect(findJsonFault(text) === undefined).toBe(isJson(text));
      }),
      { numRuns: 3_000 },
    );
  });

  it.each([
    ['{"a": }', 1, 7],
    ['{\n  "a": "b"\n  "c": "d"\n}', 3, 3],
    ['{"a": "b",}', 1, 11],
    ['{"a": "b"', 1, 10],
    ['', 1, 1],
    ['{"a": \'b\'}', 1, 7],
    ['{} x', 1, 4],
  ])('names the place in %j', (text, line, column) => {
    expect(findJsonFault(text)).toEqual({ line, column });
  });

  it('copes with a long string that never ends', () => {
    expect(findJsonFault(`["${'\\\\a'.repeat(300_000)}`)).toEqual({ line: 1, column: 2 });
  });
});
