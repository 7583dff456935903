import { describe, expect, it } from 'vitest';
import { harness } from '../../../protocol/harness.ts';
import { helpdeskConnection } from '../../../simulation/connections.ts';

/** A world whose every hand-out looks at the store. */
function looking(settings: Parameters<typeof helpdeskConnection>[0] = {}, instances = 1) {
  const made = harness({ connection: helpdeskConnection({ memorySeconds: 0, ...settings }), instances });
  const reads = made.callsOf('read');
  return { ...made, reads, consistencyOf: (calls: ReturnType<typeof reads>) => calls.map((read) => read.isConsistent) };
}

describe('createLookup', () => {
  it('reads a good token once, at half the price', async () => {
    const { broker, callsOf, consistencyOf } = looking();
    await broker.handOut();
    const reads = callsOf('read');
    await broker.handOut();

    expect(consistencyOf(reads())).toEqual([false]);
  });

  it('reads cheaply before an attempt and consistently after it', async () => {
    const { broker, reads, consistencyOf } = looking();
    await broker.handOut();

    expect(consistencyOf(reads())).toEqual([false, true]);
  });

  it('reads consistently for a token reported dead, and believes a back-off at once', async () => {
    const { broker, callsOf, consistencyOf, upstream, advance } = looking();
    const { token } = await broker.handOut();
    await advance({ minutes: 5 });
    upstream.planned.push('lost');
    expect((await broker.refusal({ rejected: token.hash })).code).toBe('upstream_timeout');
    const reads = callsOf('read');
    expect((await broker.refusal({ rejected: token.hash })).code).toBe('cooldown');

    expect(consistencyOf(reads())).toEqual([true]);
  });

  it('finds the token of a slot though reads that are not consistent find nothing', async () => {
    const { broker, upstream, lag, advance } = looking();
    const { token } = await broker.handOut();
    lag();
    expect(await broker.handOut()).toMatchObject({ source: 'cache', token: { hash: token.hash } });
    await advance({ minutes: 5 });

    expect(await broker.handOut({ rejected: token.hash })).toMatchObject({ source: 'login', token: { generation: 2 } });
    expect(upstream.logins).toHaveLength(2);
  });

  it('believes no back-off that may be one of old', async () => {
    const { broker, upstream, lag, advance, record } = looking();
    upstream.planned.push('broken');
    await broker.refusal();
    const stale = record();
    await advance({ minutes: 1 });
    await broker.handOut();
    lag({ ...stale, notBefore: stale.notBefore + 600_000 });

    expect((await broker.handOut()).token.generation).toBe(1);
    expect(upstream.logins).toHaveLength(2);
  });

  it('looks every 50 to 500 ms while another holds the lease, at first within 300 ms', async () => {
    const { broker, heldByAnother, reads } = looking();
    heldByAnother(60_000);
    await broker.refusal();
    const looks = reads().map(({ at }) => at);
    const gaps = looks.slice(1, -1).map((at, n) => at - (looks[n] ?? 0));
    const early = gaps.filter((_, n) => (looks[n] ?? 0) - (looks[0] ?? 0) < 200);

    expect(Math.min(...gaps)).toBeGreaterThanOrEqual(50);
    expect(Math.max(...gaps)).toBeGreaterThan(250);
    expect(Math.max(...gaps)).toBeLessThanOrEqual(510);
    expect(Math.max(...early)).toBeLessThan(300);
    expect(new Set(gaps).size).toBeGreaterThan(10);
  });

  it('ends its wait for another holder with the token as soon as it is there', async () => {
    const { broker, time, weather, upstream } = looking({}, 2);
    weather.upstream.answerMs = { least: 3_000, most: 3_000 };
    const holder = broker.start({ on: 0 });
    await time.advance(100);
    const before = time.now();

    expect((await broker.handOut({ on: 1 })).source).toBe('cache');
    expect(time.now() - before).toBeLessThan(3_700);
    await time.settle(holder);
    expect(upstream.logins).toHaveLength(1);
  });

  it.each([
    [23_000, 8_000],
    [2_000, 2_000],
  ])(
    'ends its wait after timeoutSeconds and 7 s, or with the caller’s time: of %i ms, %i',
    async (leftMs, waitedMs) => {
      const { broker, heldByAnother, time } = looking({ timeoutSeconds: 1 });
      heldByAnother(60_000);
      const before = time.now();

      expect((await broker.refusal({ leftMs })).code).toBe('refresh_in_progress');
      expect(time.now() - before).toBeGreaterThanOrEqual(waitedMs);
      expect(time.now() - before).toBeLessThan(waitedMs + 20);
    },
  );

  it('writes down once that a token was reported dead', async () => {
    const { broker, upstream, advance, writes } = looking();
    const { token } = await broker.handOut();
    await advance({ minutes: 5 });
    upstream.planned.push('lost');
    for (let report = 0; report < 3; report += 1) await broker.refusal({ rejected: token.hash });

    expect(writes.filter(({ operation }) => operation === 'markRejected')).toHaveLength(1);
  });
});
