import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseDate } from '../../../../functions/providers/engine/dates.ts';
import { settingsOf } from '../../../fuzz/runs.ts';

describe('a date', () => {
  const at = Date.UTC(2026, 0, 2, 3, 4, 5);

  it.each([
    ['2026-01-02T03:04:05Z', at],
    ['2026-01-02t03:04:05z', at],
    ['2026-01-02T03:04:05.678Z', at + 678],
    ['2026-01-02T03:04:05.6789012Z', at + 678],
    ['2026-01-02T04:34:05+01:30', at],
    ['2026-01-02T03:04:05+0000', at],
    ['2026-01-02T03:04Z', at - 5_000],
    ['2026-01-02 03:04:05 UTC', at],
    ['2026-01-02T03:04:05 GMT', at],
    ['2026-01-02 04:04:05 +01:00', at],
    ['2026-01-02 03:04:05+00', at],
    ['2026-01-02 04:04:05.678+01', at + 678],
    ['2026-01-02T03:04:05Z[UTC]', at],
    ['2026-01-02T04:04:05+01:00[Europe/Berlin]', at],
  ])('in ISO 8601 is read: %s', (text, expected) => {
    expect(parseDate(text)).toBe(expected);
  });

  it.each(['2026-01-02T03:04:05', '2026-01-02 03:04:05', '2026-01-02T03:04:05.000'])(
    'without a zone is taken as UTC: %s',
    (text) => {
      expect(parseDate(text)).toBe(at);
    },
  );

  it.each(['Sun, 06 Nov 1994 08:49:37 GMT', 'Sunday, 06-Nov-94 08:49:37 GMT', 'Sun Nov  6 08:49:37 1994'])(
    'in a form of RFC 9110 §5.6.7 is read: %s',
    (text) => {
      expect(parseDate(text)).toBe(784_111_777_000);
    },
  );

  it.each([
    'soon',
    'soon 2026',
    'valid until 5',
    'Sun, 06 Nov 1994 08:49:37 PST',
    '06 Nov 1994 08:49:37 GMT',
    '1800000000',
    '2026-13-02T03:04:05Z',
    '2026-01-02T03:04 or later',
    '2026-01-02',
    '',
    `2026-01-02T03:04:05${' '.repeat(64)}Z`,
  ])('in no such form is none: %s', (text) => {
    expect(parseDate(text)).toBeUndefined();
  });

  it('never throws', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        const read = parseDate(text);
        expect(read === undefined || Number.isFinite(read)).toBe(true);
      }),
      settingsOf(100),
    );
  });
});
