import { describe, expect, it } from 'vitest';
import { createCanarySearch } from './canary-forms.ts';

const VALUE = 'pässword "with" & every+thing%/€ in it';
const search = createCanarySearch([{ name: 'password', value: VALUE }]);

describe('the search for canaries', () => {
  it.each<readonly [string, string]>([
    ['plain', VALUE],
    ['percent', encodeURIComponent(VALUE)],
    ['percent, in lower case', encodeURIComponent(VALUE).toLowerCase()],
    ['form', new URLSearchParams({ l: `user|${VALUE}` }).toString()],
    ['base64', Buffer.from(VALUE).toString('base64')],
    ['base64 in the middle of something', Buffer.from(`x${VALUE}y`).toString('base64')],
    ['base64 of user:password', Buffer.from(`me:${VALUE}`).toString('base64')],
    ['base64url', Buffer.from(`{"a":"${VALUE}"}`).toString('base64url')],
    ['hex', Buffer.from(VALUE).toString('hex')],
    ['hex in capitals', Buffer.from(VALUE).toString('hex').toUpperCase()],
    ['JSON', JSON.stringify({ message: VALUE })],
    ['JSON within JSON', JSON.stringify({ message: JSON.stringify({ VALUE }) })],
    ['a piece of 20 characters', `…${VALUE.slice(7, 27)}…`],
  ])('finds a text as %s', (_form, leak) => {
    expect(search(`before ${leak} after`)).not.toEqual([]);
  });

  it('finds nothing where there is nothing', () => {
    expect(search('before after '.repeat(100))).toEqual([]);
    expect(search(VALUE.slice(0, 19))).toEqual([]);
  });
});
