import { describe, expect, it } from 'vitest';
import { lifetimeSecondsOf } from '../../../functions/core/slot/connection.ts';
import { connectionOf, helpdesk, problemsOf, wfm } from './declared.ts';

describe('a fixed life under the cap of a token’s age (C17, H13)', () => {
  it('is refused where no token could ever have minTtlSeconds left, naming the key to raise', () => {
    expect(problemsOf({ ...wfm, maxTokenAgeSeconds: 30, minTtlSeconds: 60 })).toEqual([
      {
        path: 'minTtlSeconds',
        message: expect.stringMatching(/30 × \(1 − 0\.75\) = 7\.5\. Lower .* or raise maxTokenAgeSeconds$/),
      },
    ]);
    expect(problemsOf({ ...wfm, lifetimeSeconds: 200, maxTokenAgeSeconds: 30 })[0]?.message).toContain(
      'maxTokenAgeSeconds',
    );
  });

  it('names lifetimeSeconds where that is the lower of the two', () => {
    expect(problemsOf({ ...wfm, lifetimeSeconds: 200, maxTokenAgeSeconds: 900 })[0]?.message).toMatch(
      /200 × .* or raise lifetimeSeconds$/,
    );
  });

  it('is judged by its lower bound to the second', () => {
    // 400 × (1 − 0.75) = 100.
    expect(connectionOf({ ...wfm, maxTokenAgeSeconds: 400, minTtlSeconds: 94 }).minTtlSeconds).toBe(94);
    expect(problemsOf({ ...wfm, maxTokenAgeSeconds: 400, minTtlSeconds: 95 })).toHaveLength(1);
  });

  it('is what a connection says of its tokens, and how long a slot counts as used', () => {
    const capped = connectionOf({ ...wfm, lifetimeSeconds: 20_000, maxTokenAgeSeconds: 7_200 });
    expect(lifetimeSecondsOf(capped)).toBe(7_200);
    expect(capped.idleSeconds).toBe(7_200);
    expect(lifetimeSecondsOf(connectionOf(wfm))).toBe(1_200);
    expect(connectionOf({ ...wfm, lifetimeSeconds: 5_000 }).idleSeconds).toBe(5_000);
    expect(lifetimeSecondsOf(connectionOf(helpdesk))).toBe(86_400);
    expect(connectionOf(helpdesk).idleSeconds).toBe(86_400);
  });
});
