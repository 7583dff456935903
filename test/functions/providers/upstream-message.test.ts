import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { forwardable, saysLocked } from '../../../functions/providers/upstream-message.ts';

const password = 'p|w&d=+ %#é€ "x"';
const texts = ['svc.api', password, `svc.api|${password}`];

const encodings: Readonly<Record<string, (text: string) => string>> = {
  plain: (text) => text,
  'upper case': (text) => text.toUpperCase(),
  percent: encodeURIComponent,
  'percent in lower case': (text) => encodeURIComponent(text).toLowerCase(),
  'percent twice': (text) => encodeURIComponent(encodeURIComponent(text)),
  'every byte percent-encoded': (text) => Buffer.from(text).toString('hex').replace(/../g, '%$&'),
  form: (text) => new URLSearchParams({ l: text }).toString().slice(2),
  base64: (text) => Buffer.from(text).toString('base64'),
  'base64, shifted by one': (text) => Buffer.from(`x${text}`).toString('base64'),
  'base64, shifted by two': (text) => Buffer.from(`xy${text}`).toString('base64'),
  base64url: (text) => Buffer.from(text).toString('base64url'),
  hex: (text) => Buffer.from(text).toString('hex'),
  HTML: (text) =>
    text.replaceAll('&', '&amp;').replaceAll('"', '&quot;').replaceAll('<', '&lt;').replaceAll('>', '&gt;'),
  'HTML by number': (text) => [...text].map((sign) => `&#${sign.codePointAt(0)};`).join(''),
  'HTML by hex number': (text) => [...text].map((sign) => `&#x${sign.codePointAt(0)?.toString(16)};`).join(''),
  JSON: (text) => JSON.stringify(text).slice(1, -1),
  'JSON by number': (text) =>
    [...text].map((sign) => `\\u${sign.charCodeAt(0).toString(16).padStart(4, '0')}`).join(''),
  'broken by control characters': (text) => [...text].join('\u0001'),
  'broken over lines': (text) => [...text].join('\r\n'),
};

describe("an upstream's message", () => {
  it('is passed on as one line', () => {
    expect(forwardable('  Not\r\n\tvalid.\u0000 ', texts)).toBe('Not valid.');
    expect(forwardable('x '.repeat(100), texts)).toHaveLength(199);
  });

  it.each([
    ['too long', 'x '.repeat(101)],
    ['empty', ' \r\n'],
    ['like a token', `Bad token ${'aB3-'.repeat(12)}`],
    ['an object', { Message: 'no' }],
    ['a number', 7],
    ['null', null],
    ['absent', undefined],
  ])('is left out where it is %s', (_, message) => {
    expect(forwardable(message, texts)).toBeUndefined();
  });

  it.each(Object.entries(encodings))('C12: is left out where it quotes the credential: %s', (_, encode) => {
    for (const text of texts) {
      expect(forwardable(`login ${encode(text)} failed`, texts)).toBeUndefined();
    }
  });

  it('C12: is left out where it quotes a part of the credential', () => {
    expect(forwardable('user svc.api|p not found', texts)).toBeUndefined();
    expect(forwardable('bad: w&d=+ %#é', texts)).toBeUndefined();
    expect(forwardable('bad: correct-horse', ['correct-horse-battery-staple'])).toBeUndefined();
  });

  it('C12: no credential passes in any encoding', () => {
    const credential = fc
      .string({ minLength: 1, maxLength: 24, unit: 'grapheme' })
      .filter((text) => text.trim() !== '' && !/\p{C}/u.test(text));
    const encoded = fc.constantFrom(...Object.keys(encodings).filter((name) => name !== 'JSON by number'));
    fc.assert(
      fc.property(credential, encoded, fc.string({ maxLength: 20 }), (text, name, before) => {
        const encode = encodings[name] ?? String;
        fc.pre(name !== 'upper case' || text.toUpperCase().toLowerCase() === text.toLowerCase());
        // The base64 of fewer than three bytes holds too little of them to be known again.
        fc.pre(!name.startsWith('base64') || Buffer.byteLength(text) > 2);
        expect(forwardable(`${before} ${encode(text)}`, [text])).toBeUndefined();
      }),
      { numRuns: 500 },
    );
  });

  it('says that an account is locked, or does not', () => {
    for (const message of ['Account locked', 'You are LOCKED OUT.', 'lockout in effect', 'The API key is locked.']) {
      expect(saysLocked(message)).toBe(true);
    }
    for (const message of ['Unlocked', 'blocked by policy', 'Invalid password', undefined, 7, null]) {
      expect(saysLocked(message)).toBe(false);
    }
  });
});
