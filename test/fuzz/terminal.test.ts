import fc from 'fast-check';
import { expect, it } from 'vitest';
import { printable } from '../../client/printable.ts';
import { settingsOf, timeoutOf } from './runs.ts';

const RUNS = 1_000;
const ESC = '\u001b';
/** Parts of which orders to a terminal are made; strings of random characters would hardly ever be one. */
const text = fc
  .array(
    fc.oneof(
      fc.constantFrom(ESC, '[', ']', '0', '1', '31', ';', 'm', 'J', '\u0007', '\u009b', '\u009d', '\u0090', '\u009c'),
      fc.constantFrom(
        `${ESC}[1m`,
        `${ESC}[39m`,
        `${ESC}[8m`,
        '\r',
        '\n',
        '\r\n',
        '\t',
        '\b',
        '\u202e',
        '\u2028',
        '\\u001b',
      ),
      fc.string({ unit: 'binary', maxLength: 3 }),
    ),
    { maxLength: 8 },
  )
  .map((parts) => parts.join(''));
const COLOURS = ['1', '2', '22', '31', '32', '33', '36', '39'].map((code) => `${ESC}[${code}m`);

it(
  'what is printed has no order but line breaks, tabs and colours, and JSON is the same JSON',
  () => {
    fc.assert(
      fc.property(text, (given) => {
        const left = COLOURS.reduce((rest, colour) => rest.replaceAll(colour, ' '), printable(given));
        expect(left).not.toMatch(/(?!\n|\t|\r\n)\p{Cc}|[\p{Bidi_Control}\p{Zl}\p{Zp}]/u);
        expect(JSON.parse(printable(JSON.stringify({ [given]: given })))).toEqual({ [given]: given });
      }),
      settingsOf(RUNS),
    );
  },
  timeoutOf(RUNS),
);
