import { describe, expect, it } from 'vitest';
import { EMPTY_RECORD, isBackingOff, isRejected, liveLease } from '../../../../functions/core/slot/record.ts';

describe('a record', () => {
  const NOW = 1_800_000_000_000;

  it('has no lease any more at the moment when it ends, and no back-off', () => {
    const lease = { id: 'some-lease', until: NOW };
    expect(liveLease({ ...EMPTY_RECORD, lease }, NOW)).toBeUndefined();
    expect(liveLease({ ...EMPTY_RECORD, lease }, NOW - 1)).toEqual(lease);
    expect(isBackingOff({ ...EMPTY_RECORD, notBefore: NOW }, NOW)).toBe(false);
    expect(isBackingOff({ ...EMPTY_RECORD, notBefore: NOW }, NOW - 1)).toBe(true);
  });

  it('of nothing is not one of a token reported dead', () => {
    expect(isRejected(EMPTY_RECORD)).toBe(false);
  });
});
