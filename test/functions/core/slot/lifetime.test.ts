import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { findClockWarning, timesOf } from '../../../../functions/core/slot/lifetime.ts';
import { slotOf } from '../../../../functions/core/slot/slot.ts';
import { isUsable } from '../../../../functions/core/slot/token.ts';
import { settingsOf } from '../../../fuzz/runs.ts';
import { helpdeskConnection, workforceConnection } from '../../../simulation/connections.ts';

const SENT = 1_800_000_000_000;

const helpdesk = helpdeskConnection();

const wfm = workforceConnection();

describe('timesOf (H13, H14, C17)', () => {
  it.each([
    ['exp and Date agree with our clock', { exp: SENT + 3_600_000, serverDate: SENT }, 3_600_000],
    ['the upstream is ten minutes ahead', { exp: SENT + 4_200_000, serverDate: SENT + 600_000 }, 3_600_000],
    ['the upstream is ten minutes behind', { exp: SENT + 3_000_000, serverDate: SENT - 600_000 }, 3_000_000],
    ['Date alone is 8 h ahead', { exp: SENT + 3_600_000, serverDate: SENT + 28_800_000 }, 3_600_000],
    ['Date alone is 8 h behind', { exp: SENT + 3_600_000, serverDate: SENT - 28_800_000 }, 3_600_000],
    ['Date alone is of 1970', { exp: SENT + 3_600_000, serverDate: 0 }, 3_600_000],
    ['the upstream is 8 h ahead', { exp: SENT + 32_400_000, serverDate: SENT + 28_800_000 }, 3_600_000],
    ['the upstream is 8 h behind', { exp: SENT - 25_200_000, serverDate: SENT - 28_800_000 }, 3_600_000],
    ['the upstream is behind by a life', { exp: SENT + 3_000, serverDate: SENT - 3_597_000 }, 3_600_000],
    [
      'the upstream is behind by a life, less what a login may take',
      { exp: SENT + 75_000, serverDate: SENT - 3_525_000 },
      3_600_000,
    ],
    ['it can be handed out by every clock, just so', { exp: SENT + 76_000, serverDate: SENT - 3_524_000 }, 76_000],
    ['Date alone is ahead by a life', { exp: SENT + 3_600_000, serverDate: SENT + 3_590_000 }, 3_600_000],
    ['exp is too soon by both clocks', { exp: SENT + 30_000, serverDate: SENT + 1_000 }, 29_000],
    ['there is no Date', { exp: SENT + 3_600_000 }, 3_600_000],
    ['there is no exp', { serverDate: SENT }, 86_400_000],
    ['there is nothing', {}, 86_400_000],
    ['exp is absurdly far', { exp: SENT * 1_000, serverDate: SENT }, 86_400_000],
    ['exp is past at issue', { exp: SENT - 1_000, serverDate: SENT }, -1_000],
  ])('gives the life of a token where %s', (_what, life, expected) => {
    const { issuedAt, expiresAt } = timesOf({ life, requestStartedAt: SENT }, helpdesk, slotOf(helpdesk, 'system'));

    expect(issuedAt).toBe(SENT);
    expect(expiresAt - SENT).toBe(expected);
  });

  it.each([
    [{ exp: SENT + 3_600_000, serverDate: SENT + 28_800_000 }, '28800 s ahead of'],
    [{ exp: SENT - 25_200_000, serverDate: SENT - 28_800_000 }, '28800 s behind'],
    [{ exp: SENT + 3_000_000, serverDate: SENT - 600_000 }, undefined],
    [{ exp: SENT - 1_000, serverDate: SENT }, undefined],
    [{ exp: SENT + 3_600_000 }, undefined],
    [{ seconds: 1, serverDate: 0 }, undefined],
  ])('warns where one clock alone gives a token of %j its life', (life, off) => {
    const warning = findClockWarning({ life, requestStartedAt: SENT }, helpdesk);

    if (off === undefined) expect(warning).toBeUndefined();
    else expect(warning).toContain(off);
  });

  it('counts a fixed life from the sending of the request', () => {
    const times = timesOf({ life: { seconds: 1_200 }, requestStartedAt: SENT }, wfm, slotOf(wfm, 'system'));

    expect(times.expiresAt).toBe(SENT + 1_200_000);
  });

  it.each([
    ['5 % of the life', 0.8, 0.75, 0.755, 0.795],
    ['half of refreshAfter where that is little', 0.02, 0.01, 0.011, 0.019],
  ])('spreads refreshes ahead of refreshAfter by up to %s', (_what, refreshAfter, least, low, high) => {
    const connection = helpdeskConnection({ refreshAfter });
    const shares = Array.from({ length: 300 }, (_, n) => {
      const slot = slotOf(connection, String(n + 1));
      const { refreshAt } = timesOf({ life: { exp: SENT + 10_000_000 }, requestStartedAt: SENT }, connection, slot);
      return (refreshAt - SENT) / 10_000_000;
    });

    expect(Math.min(...shares)).toBeGreaterThanOrEqual(least);
    expect(Math.min(...shares)).toBeLessThan(low);
    expect(Math.max(...shares)).toBeGreaterThan(high);
    expect(Math.max(...shares)).toBeLessThanOrEqual(refreshAfter);
  });

  it('refreshes a token while it is usable, and not before its issue, however short its life', () => {
    fc.assert(
      fc.property(fc.integer({ min: -100, max: 90_000 }), fc.integer({ min: 0, max: 3_600 }), (life, minTtl) => {
        const connection = helpdeskConnection({ minTtlSeconds: minTtl });
        const issued = { life: { exp: SENT + life * 1_000 }, requestStartedAt: SENT };
        const { refreshAt, expiresAt } = timesOf(issued, connection, slotOf(connection, 'system'));

        expect(refreshAt).toBeGreaterThanOrEqual(SENT);
        if (isUsable({ expiresAt }, SENT, minTtl)) expect(isUsable({ expiresAt }, refreshAt, minTtl)).toBe(true);
      }),
      settingsOf(100),
    );
  });
});
