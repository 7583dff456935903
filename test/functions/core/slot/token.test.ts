import { describe, expect, it } from 'vitest';
import { hasUsableToken } from '../../../../functions/core/slot/record.ts';
import { hashOf, isUsable, remainingSeconds, shortHash } from '../../../../functions/core/slot/token.ts';
import { Secret } from '../../../../functions/core/words/secret.ts';

const SENT = 1_800_000_000_000;

describe('usable', () => {
  it('is a token until the skew of clocks and what was asked for are all that is left', () => {
    expect(isUsable({ expiresAt: SENT + 65_000 }, SENT, 60)).toBe(true);
    expect(isUsable({ expiresAt: SENT + 64_999 }, SENT, 60)).toBe(false);
    expect(isUsable({ expiresAt: SENT + 5_000 }, SENT, 0)).toBe(true);
  });

  it('is no record without a token', () => {
    const record = { generation: 1, fence: 0, notBefore: 0, tries: 0, rejectedGeneration: 0 };
    expect(hasUsableToken({ ...record, lastHandedOutAt: 0, refreshAskedAt: 0, ttlSeconds: 0 }, SENT, 0)).toBe(false);
  });

  it('leaves the caller whole seconds, the skew taken off', () => {
    expect(remainingSeconds({ expiresAt: SENT + 100_999 }, SENT)).toBe(95);
  });
});

describe('the hash of a token', () => {
  it('is SHA-256 of its UTF-8 bytes in lowercase hex', () => {
    expect(hashOf(new Secret('é'))).toBe('4a99557e4033c3539de2eb65472017cad5f9557f7a0625a09f1c3f6e2ba69c4c');
  });

  it('is known to logs by 12 digits', () => {
    expect(shortHash('0123456789abcdef')).toBe('0123456789ab');
  });
});
