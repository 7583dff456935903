import { describe, expect, it } from 'vitest';
import { harness } from './harness.ts';

describe('the invocation of mint', () => {
  it('that was refused gives the lease back: `mint_unavailable`, and an attempt soon after', async () => {
    const { broker, fleet, upstream, record, advance } = harness();
    fleet.planned.push('refused');
    const error = await broker.refusal();

    expect(error.code).toBe('mint_unavailable');
    expect(error.retryAfterMs).toBeLessThanOrEqual(1_000);
    expect(record().lease).toBeUndefined();
    expect(upstream.logins).toHaveLength(0);
    await advance({ ms: error.retryAfterMs ?? 0 });
    expect((await broker.handOut()).source).toBe('login');
  });

  it('whose answer is lost is waited out by reading', async () => {
    const { broker, fleet, upstream } = harness();
    fleet.planned.push('reply_lost');

    expect((await broker.handOut()).token.generation).toBe(1);
    expect(upstream.logins).toHaveLength(1);
  });

  it('that never arrives ends in `refresh_in_progress`, and holds others off until the back-off is over', async () => {
    const { broker, fleet, upstream, advance } = harness();
    fleet.planned.push('lost');
    expect((await broker.refusal()).code).toMatch(/^(refresh_in_progress|cooldown)$/);
    expect(upstream.logins).toHaveLength(0);
    await advance({ seconds: 30 });

    expect((await broker.handOut()).source).toBe('login');
  });

  it.each([1, 5, 50, 5_000])('that comes a second time %i ms later logs in once', async (delayMs) => {
    const { broker, fleet, upstream, advance, weather } = harness();
    weather.invoker.delayLeastMs = delayMs;
    weather.invoker.delayMostMs = delayMs;
    weather.upstream.answerMs = { least: 1_000, most: 1_000 };
    fleet.planned.push('duplicated');
    expect((await broker.handOut()).token.generation).toBe(1);
    await advance({ seconds: 10 });

    expect(upstream.logins).toHaveLength(1);
  });

  it('that comes late does not log in', async () => {
    const { broker, fleet, upstream, advance, weather } = harness();
    weather.invoker.delayLeastMs = 12_000;
    fleet.planned.push('delayed');
    await broker.refusal();
    await advance({ minutes: 2 });

    expect(fleet.instances).toHaveLength(1);
    expect(upstream.logins).toHaveLength(0);
  });

  it('that crashed is an unknown outcome with the back-off that was written before', async () => {
    const { broker, fleet, upstream, weather, advance, record } = harness();
    weather.invoker.crashWithinSteps = 0;
    fleet.planned.push('crash');
    const error = await broker.refusal();

    expect(error.code).toBe('upstream_outcome_unknown');
    expect(error.retryAfterMs).toBeGreaterThan(25_000);
    expect(record()).toMatchObject({ tries: 1, lease: expect.anything() });
    expect(await broker.refusal()).toMatchObject({ code: 'refresh_in_progress' });
    await advance({ seconds: 5 });
    expect(await broker.refusal()).toMatchObject({ code: 'cooldown', causeCode: 'upstream_outcome_unknown' });
    await advance({ seconds: 20 });
    expect((await broker.handOut()).source).toBe('login');
    expect(upstream.logins).toHaveLength(1);
  });

  it('that is not one of this configuration does nothing', async () => {
    const { broker, upstream, time, connection, world, slot } = harness();
    await broker.handOut();
    const [instance] = world.fleet.instances;
    const stranger = { ...slot(), fingerprint: 'another', trigger: 'schedule' } as const;
    const invoked = { ...stranger, trigger: 'caller', lease: { id: 'some-lease', takenAt: time.now() } } as const;

    expect(await time.settle(instance?.mint(stranger, connection) ?? Promise.reject())).toEqual({ outcome: 'idle' });
    expect(await time.settle(instance?.mint(invoked, connection) ?? Promise.reject())).toEqual({ outcome: 'busy' });
    expect(upstream.logins).toHaveLength(1);
  });
});

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

describe('publishing', () => {
  it('takes a write whose reply was lost for done', async () => {
    const { broker, fleet, upstream, advance } = harness();
    await broker.handOut();
    await advance({ hours: 25 });
    const store = mintStore(fleet);
    store.failNext('publish', 'reply_lost');

    expect((await broker.handOut()).token.generation).toBe(2);
    expect(upstream.logins).toHaveLength(2);
  });

  it('recognises its own publication where the SDK sent the write twice', async () => {
    const { broker, fleet, upstream, advance } = harness();
    await broker.handOut();
    await advance({ hours: 25 });
    mintStore(fleet).failNext('publish', 'sent_twice');

    expect(await broker.handOut()).toMatchObject({ source: 'login', token: { generation: 2 } });
    expect(upstream.logins).toHaveLength(2);
  });

  it('tries until the deadline, then discards the token: `store_unavailable`', async () => {
    const { broker, weather, upstream, advance, record, time } = harness();
    weather.upstream.answerMs = { least: 1_000, most: 1_000 };
    const asked = broker.start();
    const outcome = asked.then(
      () => undefined,
      (error: unknown) => error,
    );
    await advance({ ms: 500 });
    weather.store.writesDown = 1;
    const error = await time.settle(outcome);

    expect(error).toMatchObject({ code: 'store_unavailable' });
    expect(record().token).toBeUndefined();
    weather.store.writesDown = 0;
    await advance({ seconds: 31 });
    expect((await broker.handOut()).source).toBe('login');
    expect(upstream.logins).toHaveLength(2);
  });

  it('is not lost to a hiccup of the store', async () => {
    const { broker, fleet, upstream, advance } = harness();
    await broker.handOut();
    await advance({ hours: 25 });
    for (let time = 0; time < 5; time += 1) mintStore(fleet).failNext('publish', 'down');

    expect((await broker.handOut()).token.generation).toBe(2);
    expect(upstream.logins).toHaveLength(2);
  });

  function mintStore(fleet: ReturnType<typeof harness>['fleet']) {
    const store = fleet.instances[0]?.store;
    if (store === undefined) throw new Error('no instance of mint has run');
    return store;
  }
});
