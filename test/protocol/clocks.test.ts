import { describe, expect, it } from 'vitest';
import { helpdeskConnection } from '../simulation/connections.ts';
import { harness } from './harness.ts';

const within = (name: string) => (name.startsWith('mint') ? 5_000 : 0);

describe('a broker whose clocks differ by 5 s', () => {
  it.each([
    ['mint is ahead', within],
    ['mint is behind', (name: string) => (name.startsWith('mint') ? 0 : 5_000)],
  ])('sends one login and hands out no token past its end where %s (invariants 1, 3)', async (_what, skewOf) => {
    const { broker, upstream, advance, time } = harness({
      instances: 2,
      skewOf,
      connection: helpdeskConnection({ minTtlSeconds: 0, memorySeconds: 0 }),
    });
    upstream.rules.lifeSeconds = 600;
    upstream.rules.says = 'exp';
    const { token } = await broker.handOut();
    expect(upstream.logins).toHaveLength(1);
    for (let second = 0; second < 700; second += 1) {
      await advance({ seconds: 1 });
      const result = await broker.handOut({ on: second % 2 }).catch(() => undefined);
      if (result?.token.hash === token.hash) expect(upstream.isAlive(token.hash, time.now())).toBe(true);
    }
  });

  it('has time enough to log in, even with a timeoutSeconds of 1 (invariant 18)', async () => {
    const { broker } = harness({ skewOf: within, connection: helpdeskConnection({ timeoutSeconds: 1 }) });

    expect((await broker.handOut()).source).toBe('login');
  });

  it('lets nobody take a lease from a holder that may still be at work (invariant 3)', async () => {
    const { broker, upstream, time, weather } = harness({
      instances: 2,
      skewOf: (name) => (name === 'token-1' ? 5_000 : 0),
    });
    weather.upstream.answerMs = { least: 5_900, most: 5_900 };
    const first = broker.start({ on: 0 });
    await time.advance(100);
    const second = broker.start({ on: 1 });
    await time.settle(Promise.all([first, second]));

    expect(upstream.logins).toHaveLength(1);
  });
});

describe('a broker with one clock far off', () => {
  it('sends one extra login at worst, and never puts an older token over a newer (invariant 7)', async () => {
    const { broker, upstream, time, weather, record } = harness({
      instances: 2,
      skewOf: (name) => (name === 'token-1' ? 120_000 : 0),
    });
    weather.upstream.answerMs = { least: 3_000, most: 3_000 };
    const first = broker.start({ on: 0 });
    await time.advance(1_000);
    const second = broker.start({ on: 1 });
    await time.settle(Promise.allSettled([first, second]));
    await time.advance(20_000);

    expect(upstream.logins.length).toBeLessThanOrEqual(2);
    const current = upstream.find(record().token?.hash ?? '');
    expect(current).toBe(upstream.issued.at(-1));
  });

  it('does not take memory for old where the clock has gone back', async () => {
    const { broker, upstream, instance, advance } = harness();
    await broker.handOut();
    await advance({ seconds: 10 });
    instance(0).process.skewMs = -3_600_000;

    expect((await broker.handOut()).source).toBe('cache');
    expect(upstream.logins).toHaveLength(1);
  });
});
