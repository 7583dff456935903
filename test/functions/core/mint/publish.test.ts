import { describe, expect, it } from 'vitest';
import { changes } from '../../../../functions/core/slot/changes.ts';
import type { Store } from '../../../../functions/core/slot/store.ts';
import { BrokerError } from '../../../../functions/core/words/errors.ts';
import { harness } from '../../../protocol/harness.ts';
import { workforceConnection } from '../../../simulation/connections.ts';
import { intercept } from '../../../simulation/memory-store.ts';

/** A slot whose token has ended, and the store of the one instance of `mint` there is. */
async function ended(settings: Parameters<typeof harness>[0] = {}) {
  const made = harness(settings);
  await made.broker.handOut();
  await made.advance({ hours: 25 });
  const store = made.fleet.instances[0]?.store;
  if (store === undefined) throw new Error('no instance of mint has run');
  return { ...made, mintStore: store };
}

/** Refuses every publication by `error`; gives when that was. */
function refusePublications(store: Store, now: () => number, error: Error): number[] {
  const tries: number[] = [];
  intercept(store, 'publish', () => {
    tries.push(now());
    return Promise.reject(error);
  });
  return tries;
}

describe('publishing to a store that is down', () => {
  it('is tried every 50 to 250 ms, up to the end of the window and not beyond', async () => {
    const { broker, mintStore, time, writes } = await ended();
    const tries = refusePublications(mintStore, time.now, new BrokerError('store_unavailable', 'It is down.'));
    const { retryAfterMs } = await broker.refusal();
    expect(retryAfterMs).toBeGreaterThan(10_000);
    expect(retryAfterMs).toBeLessThanOrEqual(30_000);
    const takenAt = writes.findLast(({ operation }) => operation === 'acquire')?.at ?? 0;
    const gaps = tries.slice(1).map((at, n) => at - (tries[n] ?? 0));

    expect(Math.min(...gaps)).toBeGreaterThanOrEqual(50);
    expect(Math.max(...gaps)).toBeLessThanOrEqual(250);
    expect(Math.max(...gaps)).toBeGreaterThan(150);
    expect(new Set(gaps).size).toBeGreaterThan(10);
    expect(tries.at(-1)).toBeLessThan(takenAt + 12_000);
    expect(tries.at(-1)).toBeGreaterThan(takenAt + 11_500);
  });

  it('is not tried again where it was the broker’s own fault', async () => {
    const { broker, mintStore, time } = await ended();
    const tries = refusePublications(mintStore, time.now, new TypeError('a fault of ours'));

    expect((await broker.refusal()).code).toBe('upstream_outcome_unknown');
    expect(tries).toHaveLength(1);
  });

  it('finds its own publication by a consistent read, however far others lag', async () => {
    const { broker, mintStore, upstream } = await ended();
    const read = mintStore.read.bind(mintStore);
    mintStore.read = async (slot, options) => (options.consistent ? read(slot, options) : undefined);
    mintStore.failNext('publish', 'sent_twice');

    expect((await broker.handOut()).source).toBe('login');
    expect(upstream.logins).toHaveLength(2);
  });
});

describe('a token that came too late for its slot', () => {
  it.each(['purged', 'gone'] as const)('is discarded where the slot was %s, and the lease let go', async (what) => {
    const { world, broker, mintStore, time, weather, record, table, slot, upstream } = await ended();
    weather.upstream.answerMs = { least: 2_000, most: 2_000 };
    intercept(mintStore, 'publish', (publish) => {
      if (what === 'purged') table.write(slot(), changes.purge(record()));
      else table.set('ttl', slot(), undefined);
      return publish();
    });
    await broker.rotationEvent();
    table.set('spoil', slot(), { ...record(), dueAt: 1, lastHandedOutAt: time.now() });
    const { outcomes } = await time.settle(world.sweep());

    expect(outcomes).toEqual({ superseded: 1 });
    expect(upstream.logins).toHaveLength(2);
    expect(record().token).toBeUndefined();
    expect(record().lease).toBeUndefined();
  });

  it('leaves the lease to lapse where it cannot be let go', async () => {
    const { world, mintStore, time, record, table, slot } = await ended();
    mintStore.failNext('release', 'down');
    intercept(mintStore, 'publish', (publish) => {
      table.write(slot(), changes.purge(record()));
      return publish();
    });
    table.set('spoil', slot(), { ...record(), dueAt: 1, lastHandedOutAt: time.now() });

    expect((await time.settle(world.sweep())).outcomes).toEqual({ superseded: 1 });
    expect(record().lease).toBeDefined();
  });
});

describe('what a publication leaves in the item', () => {
  it('counts as a use where a caller waits for it, and not where the schedule had it made', async () => {
    const { broker, advance, record, time } = harness();
    await broker.handOut();
    const usedAt = record().lastHandedOutAt;
    expect(time.now() - usedAt).toBeLessThan(100);
    await advance({ hours: 20 });
    await broker.sweep();

    expect(record()).toMatchObject({ generation: 2, lastHandedOutAt: usedAt });
  });

  it('keeps it, after a slide, for as long as a refusal is to be remembered (invariant 5)', async () => {
    const { broker, advance, record, table, slot } = harness({ connection: workforceConnection() });
    await broker.handOut();
    const kept = record().ttlSeconds + 2_000_000;
    await advance({ minutes: 11 });
    table.set('spoil', slot(), { ...record(), refusedVersion: 'version-0', ttlSeconds: kept });
    await broker.sweep();

    expect(record()).toMatchObject({ generation: 2, refusedVersion: 'version-0', ttlSeconds: kept });
  });

  it('is a failed try where the token was over at issue, since it may have counted as a login', async () => {
    const { broker, upstream, record, advance } = harness();
    upstream.rules.lifeSeconds = 30;
    expect((await broker.refusal()).retryAfterMs).toBe(30_000);
    expect(record().tries).toBe(1);
    await advance({ seconds: 31 });

    expect((await broker.refusal()).retryAfterMs).toBe(60_000);
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
