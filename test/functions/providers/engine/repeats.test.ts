import fc from 'fast-check';
import { expect, it } from 'vitest';
import { repeats } from '../../../../functions/providers/engine/repeats.ts';
import { settingsOf, timeoutOf } from '../../../fuzz/runs.ts';

const TOKEN = 'ab+c/d="<&>\\e';

it.each([
  TOKEN,
  encodeURIComponent(TOKEN),
  encodeURIComponent(TOKEN).toLowerCase(),
  JSON.stringify(TOKEN),
  JSON.stringify(TOKEN).replaceAll('/', '\\/'),
  'ab\\u002bc\\u002Fd\\u003d\\u0022\\u003C\\u0026\\u003E\\u005Ce',
  'ab&#43;c&#x2F;d&#0061;&quot;&lt;&amp;&gt;&#92;e',
  'ab+c%2fd=&quot;<&amp;>\\e',
])('finds a token written %s', (text) => {
  expect(repeats([Buffer.from(`x${text}y`)], TOKEN)).toBe(true);
  expect(repeats(['other', `x${text}y`], TOKEN)).toBe(true);
});

it.each(['ab c/d="<&>\\e', 'AB+C/D="<&>\\E', 'ab%2Bc', 'ab&#44;c/d="<&>\\e', ''])('does not find it in %s', (text) => {
  expect(repeats([Buffer.from(text), text], TOKEN)).toBe(false);
});

it('looks for a secret that is not ASCII as it is alone', () => {
  expect(repeats([Buffer.from('x pä€s y')], 'pä€s')).toBe(true);
  expect(repeats([Buffer.from('x p%C3%A4%E2%82%ACs y')], 'pä€s')).toBe(false);
});

it('takes little time over the largest answer, full of marks', () => {
  const answer = Buffer.from('%2Ba&#000'.repeat(500_000));
  const startedAt = performance.now();
  expect(repeats([answer], `${'+'.repeat(40)}a`)).toBe(false);
  expect(performance.now() - startedAt).toBeLessThan(2_000);
});

const RUNS = 300;
const hex = (character: string) => character.charCodeAt(0).toString(16).padStart(2, '0');
const WAYS: readonly ((character: string) => string)[] = [
  (character) => character,
  (character) => `%${hex(character).toUpperCase()}`,
  (character) => `\\u00${hex(character)}`,
  (character) => `&#${character.charCodeAt(0)};`,
  (character) => `&#x${hex(character)};`,
];

it(
  'finds every token, whichever way each of its odd characters is written',
  () => {
    const token = fc.string({
      unit: fc.constantFrom(...'aZ09+/=.,:;!~-_|@$*(){}[]^%&"<>\\'),
      minLength: 16,
      maxLength: 40,
    });
    fc.assert(
      fc.property(
        token,
        fc.array(fc.nat({ max: WAYS.length - 1 }), { minLength: 1, maxLength: 40 }),
        (secret, ways) => {
          const written = [...secret].map((character, at) =>
            /[\w.~-]/.test(character) ? character : WAYS[ways[at % ways.length] ?? 0]?.(character),
          );
          expect(repeats([Buffer.from(`<${written.join('')}>`)], secret)).toBe(true);
        },
      ),
      settingsOf(RUNS),
    );
  },
  timeoutOf(RUNS),
);
