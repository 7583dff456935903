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

describe('what a caller is told while there is no token', () => {
  it('does not call a credential refused that has been mended, when it is the upstream that is down', async () => {
    const { broker, upstream, advance } = harness();
    broker.rotateSecret('wrong');
    expect((await broker.refusal()).code).toBe('upstream_credential_rejected');
    broker.rotateSecret('mended');
    upstream.rules.accepted.add('mended');
    upstream.goDown();
    await advance({ seconds: 30 });
    expect((await broker.refusal()).code).toBe('upstream_unreachable');

    const { code, detail } = await broker.refusal();

    // The code is that of a slot whose refused version is still on record.
    expect(code).toBe('upstream_credential_rejected');
    expect(detail).toContain('upstream_unreachable');
    expect(detail).not.toContain('No login is tried');
  });

  it('says when to ask again after a token that could not be stored', async () => {
    const { broker, weather, record, time } = harness();
    weather.upstream.answerMs = { least: 2_000, most: 2_000 };
    const asked = broker.start().catch((error: unknown) => error);
    await time.advance(1_000);
    weather.store.writesDown = 1;
    const error = await time.settle(asked);
    if (!(error instanceof BrokerError)) throw new Error('a token was handed out');
    const { code, retryAfterMs } = error;

    expect(code).toBe('store_unavailable');
    expect(retryAfterMs).toBeGreaterThan(0);
    expect(time.now() + (retryAfterMs ?? 0)).toBeGreaterThanOrEqual(record().notBefore - 10);
  });
});

describe('a caller that waits for another’s login', () => {
  it('looks again within a quarter of a second at first, and within half a second later', async () => {
    const { instance, connection, slot, weather, time, table } = harness({ instances: 2 });
    weather.upstream.answerMs = { least: 4_000, most: 4_000 };
    const ask = (on: number) =>
      instance(on).handOut({ connection, slot: slot(), caller: 'caller', requestId: `request-${on}` });
    const first = ask(0);
    await time.advance(100);
    const looks: number[] = [];
    const { get } = table;
    Object.assign(table, {
      get(...given: Parameters<typeof get>) {
        looks.push(time.now());
        return get(...given);
      },
    });
    const second = ask(1);
    await time.settle(Promise.all([first, second]));

    const gaps = looks.slice(1).map((at, index) => at - (looks[index] ?? at));
    const early = gaps.filter((_, index) => (looks[index] ?? 0) - (looks[0] ?? 0) < 200);
    expect(Math.max(...early)).toBeLessThan(300);
    expect(Math.max(...gaps)).toBeLessThan(560);
    expect(Math.max(...gaps)).toBeGreaterThan(250);
  });
});
