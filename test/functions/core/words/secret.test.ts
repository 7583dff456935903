import { inspect } from 'node:util';
import { describe, expect, it } from 'vitest';
import { Secret } from '../../../../functions/core/words/secret.ts';

describe('Secret (invariant 9)', () => {
  const secret = new Secret('the credential');

  it.each([
    ['a template', `${secret}`],
    ['string addition', `x${String(secret)}`],
    ['JSON', JSON.stringify({ secret })],
    ['inspect', inspect({ deep: [secret] }, { depth: 9, showHidden: true })],
    ['an error message', new Error(`failed with ${secret}`).message],
    ['keys and entries', JSON.stringify([Object.keys(secret), Object.entries(secret)])],
    ['a copy', JSON.stringify({ ...secret })],
    ['a locale', secret.toLocaleString()],
  ])('does not show what it holds in %s', (_where, shown) => {
    expect(shown).not.toContain('credential');
  });

  it('shows `[secret]` in the place of what it holds', () => {
    expect([`${secret}`, JSON.stringify({ secret }), inspect(secret)]).toEqual([
      '[secret]',
      '{"secret":"[secret]"}',
      '[secret]',
    ]);
  });

  it('reveals what it holds where asked to', () => {
    expect(secret.reveal()).toBe('the credential');
  });
});
