import { describe, expect, it } from 'vitest';
import { harness } from './harness.ts';

describe('a holder of the lease that was frozen', () => {
  it('does not send when it thaws after its deadline', async () => {
    const { broker, fleet, upstream, advance, weather, time } = harness();
    await broker.handOut();
    await advance({ hours: 25 });
    const instance = fleet.instances[0];
    weather.latency.least = 300;
    weather.latency.most = 300;
    const asked = broker.start().catch(() => 'gone');
    await advance({ ms: 2_000 });
    instance?.process.freeze();
    await advance({ seconds: 60 });
    instance?.process.thaw();
    await time.settle(asked);
    await advance({ seconds: 5 });

    expect(upstream.logins).toHaveLength(1);
    await advance({ seconds: 60 });
    expect((await broker.handOut()).source).toBe('login');
  });

  it('does not publish over the token of its successor (invariant 7)', async () => {
    const { broker, fleet, upstream, advance, weather, time, record } = harness();
    await broker.handOut();
    await advance({ hours: 25 });
    weather.upstream.answerMs = { least: 1_000, most: 1_000 };
    const first = broker.start().catch(() => 'gone');
    await advance({ ms: 500 });
    expect(upstream.logins).toHaveLength(2);
    fleet.instances[0]?.process.freeze();
    await advance({ seconds: 60 });
    const { token } = await broker.handOut();
    fleet.instances[0]?.process.thaw();
    await time.settle(first);
    await advance({ seconds: 30 });

    expect(upstream.logins).toHaveLength(3);
    expect(record().token?.hash).toBe(token.hash);
    expect(record().generation).toBe(2);
  });
});

describe('waiting for another holder', () => {
  it('reads 50 to 500 ms apart, at most T + 7 s, then says `refresh_in_progress`', async () => {
    const { broker, fleet, time, upstream } = harness({ instances: 2 });
    fleet.planned.push('lost');
    const holder = broker.start({ on: 0 }).catch(() => 'gone');
    await time.advance(100);
    const before = time.now();
    const error = await broker.refusal({ on: 1 });

    expect(error.code).toBe('refresh_in_progress');
    expect(error.retryAfterMs).toBeGreaterThan(0);
    expect(time.now() - before).toBeGreaterThanOrEqual(13_000);
    expect(time.now() - before).toBeLessThan(13_100);
    await time.settle(holder);
    expect(upstream.logins).toHaveLength(0);
  });

  it('ends with the token as soon as it is there', async () => {
    const { broker, time, weather, upstream } = harness({ instances: 2 });
    weather.upstream.answerMs = { least: 3_000, most: 3_000 };
    const holder = broker.start({ on: 0 });
    await time.advance(100);
    const before = time.now();

    expect((await broker.handOut({ on: 1 })).source).toBe('cache');
    expect(time.now() - before).toBeLessThan(3_700);
    await time.settle(holder);
    expect(upstream.logins).toHaveLength(1);
  });
});

describe('acquiring', () => {
  it('goes on where the write took effect and its reply was lost', async () => {
    const { broker, upstream, instance } = harness();
    instance(0).store.failNext('acquire', 'reply_lost');

    expect((await broker.handOut()).source).toBe('login');
    expect(upstream.logins).toHaveLength(1);
  });

  it('recognises its own lease where the SDK sent the write twice', async () => {
    const { broker, upstream, instance, advance, record } = harness();
    instance(0).store.failNext('acquire', 'sent_twice');
    expect((await broker.handOut()).source).toBe('login');
    await advance({ hours: 25 });
    instance(0).store.failNext('acquire', 'sent_twice');

    expect((await broker.handOut()).source).toBe('login');
    expect(upstream.logins).toHaveLength(2);
    expect(record().fence).toBe(2);
  });

  it('writes the back-off before the login', async () => {
    const { broker, writes, ledger } = harness();
    await broker.handOut();
    const acquired = writes.find(({ operation }) => operation === 'acquire');

    expect(acquired?.at).toBeLessThan(ledger[0]?.at ?? 0);
    expect(acquired?.after).toMatchObject({ tries: 1, fence: 1 });
    expect((acquired?.after?.notBefore ?? 0) - (acquired?.at ?? 0)).toBeGreaterThanOrEqual(29_990);
    const { lease, ttlSeconds } = acquired?.after ?? {};
    expect((lease?.until ?? 0) - (acquired?.at ?? 0)).toBeLessThanOrEqual(17_000);
    expect((ttlSeconds ?? 0) * 1000).toBeGreaterThanOrEqual((acquired?.at ?? 0) + 86_400_000 - 1_000);
  });

  it('does not write where it has just read that the lease is live or the back-off on', async () => {
    const { broker, writes, upstream, advance } = harness();
    upstream.planned.push('broken');
    await broker.refusal();
    await advance({ seconds: 10 });
    const before = writes.length;
    await broker.refusal();

    expect(writes).toHaveLength(before);
  });

  it('believes no back-off of a read that may be stale', async () => {
    const { broker, upstream, instance, advance, record } = harness();
    upstream.planned.push('broken');
    await broker.refusal();
    const stale = record();
    await advance({ minutes: 1 });
    await broker.handOut();
    const { store } = instance(0);
    const read = store.read.bind(store);
    store.read = (slot, options) =>
      options.consistent ? read(slot, options) : Promise.resolve({ ...stale, notBefore: stale.notBefore + 600_000 });
    await advance({ minutes: 1 });

    expect((await broker.handOut()).token.generation).toBe(1);
    expect(upstream.logins).toHaveLength(2);
  });
});
