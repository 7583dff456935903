import { describe, expect, it } from 'vitest';
import { EMPTY_RECORD, hasUsableToken, isRejected, liveLease } from '../../../../functions/core/slot/record.ts';

const NOW = 1_800_000_000_000;

describe('liveLease', () => {
  it('is none from the moment on when the lease ends', () => {
    const lease = { id: 'some-lease', until: NOW };

    expect(liveLease({ ...EMPTY_RECORD, lease }, NOW - 1)).toEqual(lease);
    expect(liveLease({ ...EMPTY_RECORD, lease }, NOW)).toBeUndefined();
  });
});

describe('hasUsableToken', () => {
  it('is false of a record without a token', () => {
    expect(hasUsableToken(EMPTY_RECORD, NOW, 0)).toBe(false);
  });
});

describe('isRejected', () => {
  it('is false of a record without a token, though its generation is the one reported', () => {
    expect(isRejected(EMPTY_RECORD)).toBe(false);
  });
});
