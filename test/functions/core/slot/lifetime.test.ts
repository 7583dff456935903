import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { timesOf } from '../../../../functions/core/slot/lifetime.ts';
import { slotFraction, slotOf } from '../../../../functions/core/slot/slot.ts';
import { isUsable } from '../../../../functions/core/slot/token.ts';
import { helpdeskConnection, workforceConnection } from '../../../simulation/connections.ts';

const SENT = 1_800_000_000_000;

const helpdesk = helpdeskConnection();

const wfm = workforceConnection();

describe('timesOf (H13, H14, C17)', () => {
  it.each([
    ['exp and Date agree with our clock', { exp: SENT + 3_600_000, serverDate: SENT }, 3_600_000],
    ['the upstream is ten minutes ahead', { exp: SENT + 4_200_000, serverDate: SENT + 600_000 }, 3_600_000],
    ['the upstream is ten minutes behind', { exp: SENT + 3_000_000, serverDate: SENT - 600_000 }, 3_600_000],
    ['there is no Date', { exp: SENT + 3_600_000 }, 3_600_000],
    ['there is no exp', { serverDate: SENT }, 86_400_000],
    ['there is nothing', {}, 86_400_000],
    ['exp is absurdly far', { exp: SENT * 1_000, serverDate: SENT }, 86_400_000],
    ['exp is past at issue', { exp: SENT - 1_000, serverDate: SENT }, -1_000],
  ])('where %s', (_what, life, expected) => {
    const { issuedAt, expiresAt } = timesOf({ life, requestStartedAt: SENT }, helpdesk, slotOf(helpdesk, 'system'));

    expect(issuedAt).toBe(SENT);
    expect(expiresAt - SENT).toBe(expected);
  });

  it('counts a fixed life from the sending of the request', () => {
    const times = timesOf({ life: { seconds: 1_200 }, requestStartedAt: SENT }, wfm, slotOf(wfm, 'system'));

    expect(times.expiresAt).toBe(SENT + 1_200_000);
  });

  it('spreads refreshes by up to 5 % of the life, ahead of refreshAfter and never behind', () => {
    const shares = Array.from({ length: 300 }, (_, n) => {
      const slot = slotOf(helpdesk, String(n + 1));
      const { refreshAt } = timesOf({ life: { exp: SENT + 10_000_000 }, requestStartedAt: SENT }, helpdesk, slot);
      return (refreshAt - SENT) / 10_000_000;
    });

    expect(Math.max(...shares)).toBeLessThanOrEqual(0.8);
    expect(Math.max(...shares)).toBeGreaterThan(0.795);
    expect(Math.min(...shares)).toBeGreaterThanOrEqual(0.75);
    expect(Math.min(...shares)).toBeLessThan(0.755);
  });

  it('spreads refreshes by half of refreshAfter at the most, where that is little', () => {
    const connection = helpdeskConnection({ refreshAfter: 0.02 });
    const shares = Array.from({ length: 300 }, (_, n) => {
      const slot = slotOf(connection, String(n + 1));
      const { refreshAt } = timesOf({ life: { exp: SENT + 10_000_000 }, requestStartedAt: SENT }, connection, slot);
      return (refreshAt - SENT) / 10_000_000;
    });

    expect(Math.min(...shares)).toBeGreaterThanOrEqual(0.01);
    expect(Math.min(...shares)).toBeLessThan(0.011);
    expect(Math.max(...shares)).toBeLessThanOrEqual(0.02);
  });

  it('is the same for the same slot everywhere', () => {
    expect(slotFraction(slotOf(helpdesk, '88'))).toBe(slotFraction(slotOf(helpdeskConnection(), '88')));
  });

  it('refreshes a token before it stops being usable, and never before it was issued, however short its life', () => {
    fc.assert(
      fc.property(fc.integer({ min: -100, max: 90_000 }), fc.integer({ min: 0, max: 3_600 }), (life, minTtl) => {
        const connection = helpdeskConnection({ minTtlSeconds: minTtl });
        const issued = { life: { exp: SENT + life * 1_000 }, requestStartedAt: SENT };
        const { refreshAt, expiresAt } = timesOf(issued, connection, slotOf(connection, 'system'));

        expect(refreshAt).toBeGreaterThanOrEqual(SENT);
        if (isUsable({ expiresAt }, SENT, minTtl)) expect(isUsable({ expiresAt }, refreshAt, minTtl)).toBe(true);
      }),
    );
  });
});
