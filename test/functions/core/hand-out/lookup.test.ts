import { describe, expect, it } from 'vitest';
import { createLookup, type LookupRequest } from '../../../../functions/core/hand-out/lookup.ts';
import type { Connection } from '../../../../functions/core/slot/connection.ts';
import type { MintInvocation, MintInvoker } from '../../../../functions/core/slot/minter.ts';
import { BrokerError } from '../../../../functions/core/words/errors.ts';
import { harness } from '../../../protocol/harness.ts';
import { helpdeskConnection } from '../../../simulation/connections.ts';

/** A lookup by itself, with a way to hear and to falsify what becomes of its invocations of `mint`. */
function lookup(connection: Connection = helpdeskConnection()) {
  const made = harness({ connection });
  const { operators, fleet, slot, time } = made;
  const { clock, store } = operators;
  const real = fleet.invokerFor(operators.process);
  const timeouts: number[] = [];
  const reads: boolean[] = [];
  let becomes: (invocation: MintInvocation) => MintInvocation = (invocation) => invocation;
  const minter: MintInvoker = {
    async invoke(to, request, timeoutMs) {
      timeouts.push(timeoutMs);
      return becomes(await real.invoke(to, request, timeoutMs));
    },
    ask: real.ask,
  };
  const read = store.read.bind(store);
  store.read = (which, options) => {
    reads.push(options.consistent);
    return read(which, options);
  };
  const { find, hasTimeToMint } = createLookup({ ...operators, minter });
  const start = ({ leftMs = 23_000, ...asked }: Partial<LookupRequest> & { readonly leftMs?: number } = {}) =>
    find({ connection, slot: slot(), minTtlSeconds: 60, deadline: clock.monotonic() + leftMs, ...asked });
  return {
    ...made,
    store,
    timeouts,
    reads,
    hasTimeToMint,
    start,
    find: (asked?: Parameters<typeof start>[0]) => time.settle(start(asked)),
    /** Looks, and gives the error that comes of it. */
    async failure(asked?: Parameters<typeof start>[0]): Promise<BrokerError> {
      const error = await time.settle(start(asked).catch((thrown: unknown) => thrown));
      if (!(error instanceof BrokerError)) throw new Error('a token was found');
      return error;
    },
    /** Changes what invocations of `mint` are said to have come to. */
    whatBecomes(said: typeof becomes) {
      becomes = said;
    },
    /** From now on reads that are not consistent find nothing at all. */
    lag() {
      const now = store.read;
      store.read = async (which, options) => (options.consistent ? now(which, options) : undefined);
    },
  };
}

describe('the reads of a lookup', () => {
  it('are one, at half the price, where there is a good token', async () => {
    const { find, reads } = lookup();
    await find();
    reads.length = 0;
    await find();

    expect(reads).toEqual([false]);
  });

  it('are a cheap one before an attempt and a consistent one after it', async () => {
    const { find, reads } = lookup();
    await find();

    expect(reads).toEqual([false, true]);
  });

  it('are consistent for a token reported dead, and need no second look to believe a back-off', async () => {
    const { find, failure, reads, upstream, advance } = lookup();
    const { token } = await find();
    await advance({ minutes: 5 });
    upstream.planned.push('lost');
    expect((await failure({ rejectedHash: token.hash })).code).toBe('upstream_timeout');
    reads.length = 0;
    expect((await failure({ rejectedHash: token.hash })).code).toBe('cooldown');

    expect(reads).toEqual([true]);
  });

  it('find the token of a slot though those that are not consistent find nothing', async () => {
    const { find, upstream, lag, advance } = lookup();
    const { token } = await find();
    lag();
    expect(await find()).toMatchObject({ source: 'cache', token: { hash: token.hash } });
    await advance({ minutes: 5 });
    expect(await find({ rejectedHash: token.hash })).toMatchObject({ source: 'login', token: { generation: 2 } });

    expect(upstream.logins).toHaveLength(2);
  });

  it('find what a failing mint function has published all the same', async () => {
    const { find, whatBecomes, lag, upstream } = lookup();
    lag();
    whatBecomes(() => ({ kind: 'function_error' }));

    expect((await find()).token.generation).toBe(1);
    expect(upstream.logins).toHaveLength(1);
  });
});

describe('an invocation of mint', () => {
  it.each([
    [23_000, 13_000],
    [12_500, 12_500],
  ])('is waited for as long as a lease lasts and the caller has: of %i ms, %i', async (leftMs, mostMs) => {
    const { find, timeouts } = lookup();
    await find({ leftMs });

    expect(timeouts[0]).toBeLessThanOrEqual(mostMs);
    expect(timeouts[0]).toBeGreaterThan(mostMs - 20);
  });

  it('is made with T + 6 s left, and not with less', async () => {
    const { clock } = harness().operators;
    const connection = helpdeskConnection();
    const { hasTimeToMint } = lookup();

    expect(hasTimeToMint({ connection, deadline: clock.monotonic() + 12_000 })).toBe(true);
    expect(hasTimeToMint({ connection, deadline: clock.monotonic() + 11_999 })).toBe(false);
  });

  it('is not made without a lease: where another took it first, the wait is for that one', async () => {
    const { find, store, table, slot, record, timeouts, time, broker } = lookup();
    const acquire = store.acquire.bind(store);
    store.acquire = async (claim) => {
      table.set('spoil', slot(), { ...record(), lease: { id: 'another', until: time.now() + 3_000 } });
      store.acquire = acquire;
      return acquire(claim);
    };
    const before = time.now();
    await find();

    expect(timeouts).toHaveLength(1);
    expect(time.now() - before).toBeGreaterThanOrEqual(3_000);
    expect((await broker.handOut()).token.generation).toBe(1);
  });

  it('is not made, nor the outage answered, where the lease turned out to be another’s', async () => {
    const { find, store, table, slot, record, timeouts, time } = lookup();
    const acquire = store.acquire.bind(store);
    store.acquire = async () => {
      table.set('spoil', slot(), { ...record(), lease: { id: 'another', until: time.now() + 3_000 } });
      store.acquire = acquire;
      throw new BrokerError('store_unavailable', 'The answer was lost.');
    };

    expect((await find()).source).toBe('login');
    expect(timeouts).toHaveLength(1);
  });

  it('is not made where the lease could not be had because of the store', async () => {
    const { failure, store, timeouts } = lookup();
    store.failNext('acquire', 'down');

    expect((await failure()).code).toBe('store_unavailable');
    expect(timeouts).toEqual([]);
  });

  it('is not made either where the item is there and the store takes no claim', async () => {
    const { find, failure, store, timeouts, advance } = lookup();
    await find();
    await advance({ hours: 25 });
    store.failNext('acquire', 'down');

    expect((await failure()).code).toBe('store_unavailable');
    expect(timeouts).toHaveLength(1);
  });

  it('is not tried over and over where claiming shows a fault of the broker', async () => {
    const { start, store, time } = lookup();
    let claims = 0;
    store.acquire = () => {
      claims += 1;
      return Promise.reject(new TypeError('a fault of ours'));
    };

    await expect(time.settle(start())).rejects.toThrow('a fault of ours');
    expect(claims).toBe(1);
  });

  it('that is refused again and again is left for longer each time, which the item says', async () => {
    const { failure, fleet, record, time, advance } = lookup();
    const waits: number[] = [];
    for (let time_ = 0; time_ < 4; time_ += 1) {
      fleet.planned.push('refused');
      const { retryAfterMs = 0 } = await failure();
      waits.push(retryAfterMs);
      expect(record()).toMatchObject({ failure: { code: 'mint_unavailable' }, dueAt: record().notBefore });
      expect(Math.abs(record().notBefore - time.now() - retryAfterMs)).toBeLessThan(10);
      await advance({ ms: retryAfterMs });
    }

    for (const [n, most] of [1_000, 2_000, 4_000, 8_000].entries()) {
      expect(waits[n]).toBeGreaterThanOrEqual(most / 2);
      expect(waits[n]).toBeLessThanOrEqual(most);
    }
  });
});

describe('how long an error says to wait', () => {
  it('is to the end of the back-off after a crash, and in a cooldown', async () => {
    const { failure, fleet, weather, record, time, advance } = lookup();
    weather.invoker.crashWithinSteps = 0;
    fleet.planned.push('crash');
    const crashed = await failure();
    expect(Math.abs((crashed.retryAfterMs ?? 0) - (record().notBefore - time.now()))).toBeLessThan(10);
    await advance({ seconds: 18 });
    const cooling = await failure();

    expect(cooling.code).toBe('cooldown');
    expect(Math.abs((cooling.retryAfterMs ?? 0) - (record().notBefore - time.now()))).toBeLessThan(10);
  });

  it('is to the end of the lease while an attempt goes on', async () => {
    const { failure, table, slot, record, time } = lookup();
    table.set('spoil', slot(), { ...record(), lease: { id: 'another', until: time.now() + 60_000 } });
    const error = await failure({ leftMs: 1_000 });

    expect(error.code).toBe('refresh_in_progress');
    expect(Math.abs((error.retryAfterMs ?? 0) - ((record().lease?.until ?? 0) - time.now()))).toBeLessThan(10);
  });

  it('is to the next look at the secret where the credential was refused', async () => {
    const { failure, upstream } = lookup();
    upstream.rules.accepted.clear();
    await failure();
    const { code, retryAfterMs } = await failure();

    expect(code).toBe('upstream_credential_rejected');
    expect(retryAfterMs).toBeGreaterThan(9_900);
    expect(retryAfterMs).toBeLessThanOrEqual(10_000);
  });
});

describe('a back-off after a refusal is told as one', () => {
  it('though what came after the refusal failed otherwise', async () => {
    const { failure, table, slot, record, time } = lookup();
    const failed = { code: 'upstream_timeout', at: time.now() } as const;
    const notBefore = time.now() + 10_000;
    table.set('spoil', slot(), { ...record(), refusedVersion: 'version-1', failure: failed, notBefore });

    const { code, retryAfterMs } = await failure();
    expect(code).toBe('upstream_credential_rejected');
    expect(retryAfterMs).toBeGreaterThan(9_900);
  });

  it('though it was other slots’ refusals that stopped this one', async () => {
    const { failure, broker, upstream } = lookup();
    upstream.rules.accepted.clear();
    for (const subject of ['1', '2', '3']) await broker.refusal({ subject });
    expect((await failure()).code).toBe('upstream_credential_rejected');

    expect((await failure()).code).toBe('upstream_credential_rejected');
    expect(upstream.logins).toHaveLength(3);
  });
});

describe('a wait for another holder', () => {
  it('looks 50 to 500 ms apart, never at the same pace as the others', async () => {
    const { failure, table, slot, record, time, store } = lookup();
    table.set('spoil', slot(), { ...record(), lease: { id: 'another', until: time.now() + 60_000 } });
    const looks: number[] = [];
    const read = store.read;
    store.read = (...all) => {
      looks.push(time.now());
      return read(...all);
    };
    await failure();
    const gaps = looks.slice(1, -1).map((at, n) => at - (looks[n] ?? 0));

    expect(Math.min(...gaps)).toBeGreaterThanOrEqual(50);
    expect(Math.max(...gaps)).toBeLessThanOrEqual(510);
    expect(new Set(gaps).size).toBeGreaterThan(10);
  });

  it('ends after T + 7 s, and where the caller’s own time does', async () => {
    const { failure, table, slot, record, time } = lookup(helpdeskConnection({ timeoutSeconds: 1 }));
    table.set('spoil', slot(), { ...record(), lease: { id: 'another', until: time.now() + 60_000 } });
    for (const [leftMs, mostMs] of [
      [23_000, 8_000],
      [2_000, 2_000],
    ] as const) {
      const before = time.now();
      expect((await failure({ leftMs })).code).toBe('refresh_in_progress');
      expect(time.now() - before).toBeGreaterThanOrEqual(mostMs);
      expect(time.now() - before).toBeLessThan(mostMs + 20);
    }
  });
});

describe('a min_ttl that no fresh token has', () => {
  it('costs one login, though the new token is due at once', async () => {
    const { failure, upstream } = lookup(helpdeskConnection({ refreshAfter: 0.000001 }));
    upstream.rules.lifeSeconds = 3_600;

    expect((await failure({ minTtlSeconds: 7_200 })).code).toBe('min_ttl_unsatisfiable');
    expect(upstream.logins).toHaveLength(1);
  });
});

describe('reports of a token that is known to be dead', () => {
  it('are written down once', async () => {
    const { find, failure, upstream, advance, writes } = lookup();
    const { token } = await find();
    await advance({ minutes: 5 });
    upstream.planned.push('lost');
    for (let report = 0; report < 3; report += 1) await failure({ rejectedHash: token.hash });

    expect(writes.filter(({ operation }) => operation === 'markRejected')).toHaveLength(1);
  });
});
