import { describe, expect, it } from 'vitest';
import { isJsonObject } from '../../../../functions/core/words/json.ts';

describe('isJsonObject', () => {
  it.each([
    [{}, true],
    [{ a: 1 }, true],
    [[], false],
    [null, false],
    ['text', false],
    [7, false],
    [true, false],
    [undefined, false],
  ])('takes %j for an object: %s', (value, isOne) => {
    expect(isJsonObject(value)).toBe(isOne);
  });
});
