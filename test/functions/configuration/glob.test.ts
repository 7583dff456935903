import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isGlob, matchesGlob } from '../../../functions/configuration/glob.ts';
import { settingsOf } from '../../fuzz/runs.ts';

describe('a glob', () => {
  it.each([
    ['repo:acme/*:ref:main', 'repo:acme/api:ref:main', true],
    ['repo:acme/*:ref:main', 'repo:acme/:ref:main', true],
    ['repo:acme/*:ref:main', 'repo:acme/a/b:ref:main', false],
    ['repo:acme/*:ref:main', 'repo:acme/api:x:ref:main', false],
    ['repo:acme/*', 'repo:acme/api:ref:main', false],
    ['repo:acme/**', 'repo:acme/api:ref:main', true],
    ['a*b*c', 'a-b-b-c', true],
    ['*', '', true],
    ['', '', true],
    ['', 'a', false],
    ['a.c', 'abc', false],
    ['(a+)+b', 'aab', false],
    ['***', 'a/b', true],
    ['a*', 'a\nb', true],
    ['A', 'a', false],
  ])('%j takes %j: %s', (glob, text, isTaken) => {
    expect(matchesGlob(glob, text)).toBe(isTaken);
  });

  it('is known by its star', () => {
    expect([isGlob('a*'), isGlob('a')]).toEqual([true, false]);
  });

  it('takes what a regular expression for the same takes', () => {
    const piece = fc.constantFrom('a', 'b', ':', '/', '*', '**');
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 7 }), fc.stringMatching(/^[ab:/]{0,8}$/), (pieces, text) => {
        const glob = pieces.join('');
        const pattern = glob.replace(/\*+/g, (stars) => (stars.length > 1 ? '.*' : '[^:/]*'));
        expect(matchesGlob(glob, text)).toBe(new RegExp(`^${pattern}$`, 's').test(text));
      }),
      settingsOf(500),
    );
  });

  it('costs no time that its text decides', () => {
    const startedAt = performance.now();
    expect(matchesGlob('*a'.repeat(255), `${'a'.repeat(1_023)}b`)).toBe(false);
    expect(performance.now() - startedAt).toBeLessThan(500);
  });
});
