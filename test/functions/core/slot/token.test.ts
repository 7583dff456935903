import { describe, expect, it } from 'vitest';
import { hashOf, isUsable, remainingSeconds, shortHash } from '../../../../functions/core/slot/token.ts';
import { Secret } from '../../../../functions/core/words/secret.ts';

const NOW = 1_800_000_000_000;

describe('isUsable', () => {
  it.each([
    [65_000, 60, true],
    [64_999, 60, false],
    [5_000, 0, true],
  ])(
    'takes a token that ends in %i ms for one with %i s to go, the skew taken off: %s',
    (endsInMs, minTtl, expected) => {
      expect(isUsable({ expiresAt: NOW + endsInMs }, NOW, minTtl)).toBe(expected);
    },
  );
});

describe('remainingSeconds', () => {
  it('leaves the caller whole seconds, the skew taken off', () => {
    expect(remainingSeconds({ expiresAt: NOW + 100_999 }, NOW)).toBe(95);
  });
});

describe('hashOf', () => {
  it('gives SHA-256 of the token’s UTF-8 bytes in lowercase hex', () => {
    expect(hashOf(new Secret('é'))).toBe('4a99557e4033c3539de2eb65472017cad5f9557f7a0625a09f1c3f6e2ba69c4c');
  });
});

describe('shortHash', () => {
  it('gives the first 12 digits', () => {
    expect(shortHash('0123456789abcdef')).toBe('0123456789ab');
  });
});
