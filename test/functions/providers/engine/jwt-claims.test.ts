import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readClaims, readExpiry } from '../../../../functions/providers/engine/jwt-claims.ts';
import { settingsOf } from '../../../fuzz/runs.ts';

describe('the claims of a token', () => {
  const jwtOf = (payload: string | Uint8Array) => `e30.${Buffer.from(payload).toString('base64url')}.sig`;

  it.each<[unknown, number | undefined]>([
    [1_622_548_647, 1_622_548_647_000],
    ['1622548647', 1_622_548_647_000],
    [1_622_548_647.5, 1_622_548_647_500],
    ['1622548647.25', 1_622_548_647_250],
    [1_622_548_647_000, 1_622_548_647_000],
    [1_000_000_000_000, 1_000_000_000_000],
    [253_402_300_799, 253_402_300_799_000],
    [1_622_548_647_000_000, 1_622_548_647_000],
    [1_622_548_647_000_000_000, 1_622_548_647_000],
    ['1622548647000000000', 1_622_548_647_000],
    [' 1622548647 ', 1_622_548_647_000],
    ['2021-06-01T11:57:27Z', 1_622_548_647_000],
    [' 2021-06-01T11:57:27.000+00:00', 1_622_548_647_000],
    [0, undefined],
    [-1, undefined],
    ['0', undefined],
    ['', undefined],
    ['soon', undefined],
    ['0x10', undefined],
    [null, undefined],
    [true, undefined],
    [[1], undefined],
  ])('H12, H13: exp %j ends at %s', (exp, expected) => {
    expect(readExpiry(readClaims(jwtOf(JSON.stringify({ exp }))))).toBe(expected);
  });

  const payload = Buffer.from('{"exp":1}').toString('base64url');

  it.each([
    '',
    'opaque',
    'a.b',
    'a.b.c',
    `e30.${payload}`,
    `e30.${payload}.c.d.e`,
    jwtOf('[]'),
    jwtOf('null'),
    jwtOf('{"exp":'),
    '..',
  ])('H13: %j has none', (token) => {
    expect(readClaims(token)).toBeUndefined();
  });

  it('H13: an exp beyond all numbers says nothing', () => {
    expect(readExpiry(readClaims(jwtOf('{"exp":1e999}')))).toBeUndefined();
  });

  it('never throw', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.uint8Array().map(jwtOf), fc.json().map(jwtOf)), (token) => {
        const exp = readExpiry(readClaims(token));
        expect(exp === undefined || Number.isFinite(exp)).toBe(true);
      }),
      settingsOf(100),
    );
  });
});
