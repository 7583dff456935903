import { describe, expect, it } from 'vitest';
import { createHandOut } from '../../../../functions/core/hand-out/hand-out.ts';
import { createLookup, type LookupRequest } from '../../../../functions/core/hand-out/lookup.ts';
import { createTokenMemory } from '../../../../functions/core/hand-out/memory.ts';
import type { Connection } from '../../../../functions/core/slot/connection.ts';
import type { MintInvocation, MintInvoker } from '../../../../functions/core/slot/minter.ts';
import { SYSTEM } from '../../../../functions/core/slot/slot.ts';
import { BrokerError } from '../../../../functions/core/words/errors.ts';
import { harness } from '../../../protocol/harness.ts';
import { helpdeskConnection } from '../../../simulation/connections.ts';
import { intercept } from '../../../simulation/memory-store.ts';

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
    let claims = 0;
    intercept(store, 'acquire', (acquire) => {
      claims += 1;
      if (claims === 1)
        table.set('spoil', slot(), { ...record(), lease: { id: 'another', until: time.now() + 3_000 } });
      return acquire();
    });
    const before = time.now();
    await find();

    expect(timeouts).toHaveLength(1);
    expect(time.now() - before).toBeGreaterThanOrEqual(3_000);
    expect((await broker.handOut()).token.generation).toBe(1);
  });

  it('is not made, nor the outage answered, where the lease turned out to be another’s', async () => {
    const { find, store, table, slot, record, timeouts, time } = lookup();
    let claims = 0;
    intercept(store, 'acquire', async (acquire) => {
      claims += 1;
      if (claims > 1) return acquire();
      table.set('spoil', slot(), { ...record(), lease: { id: 'another', until: time.now() + 3_000 } });
      throw new BrokerError('store_unavailable', 'The answer was lost.');
    });

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
    intercept(store, 'acquire', () => {
      claims += 1;
      return Promise.reject(new TypeError('a fault of ours'));
    });

    await expect(time.settle(start())).rejects.toThrow('a fault of ours');
    expect(claims).toBe(1);
  });

  it('that is refused again and again is left for longer each time, which the item says', async () => {
    const { failure, fleet, record, time, advance } = lookup();
    const waits: number[] = [];
    for (let attempt = 0; attempt < 4; attempt += 1) {
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

describe('a function that cannot open what mint publishes', () => {
  /** As in the middle of a deployment that renames the broker. */
  function misnamed() {
    const made = harness();
    const { operators, fleet, connection, slot } = made;
    const handOut = createHandOut({
      ...operators,
      broker: 'of-another-name',
      memory: createTokenMemory(),
      minter: fleet.invokerFor(operators.process),
      audit: { handOut: async () => undefined },
    });
    const refusal = async () => {
      const deadline = operators.clock.monotonic() + 23_000;
      const asked = handOut({ connection, slot: slot(SYSTEM), caller: 'caller', requestId: 'request', deadline });
      return made.time.settle(asked.catch((error: unknown) => error));
    };
    return { ...made, refusal };
  }

  it('causes one login and a back-off, says what is wrong, and leaves the token to those who can open it', async () => {
    const { refusal, upstream, broker, record } = misnamed();

    expect(await refusal()).toMatchObject({ code: 'kms_unavailable', retryAfterMs: expect.any(Number) });
    expect(upstream.logins).toHaveLength(1);
    expect(record().lease).toBeUndefined();
    const { token } = await broker.handOut();
    expect(token.generation).toBe(1);
  });

  it('causes no more than a login each back-off, however often it is asked', async () => {
    const { refusal, upstream, advance } = misnamed();
    await refusal();
    for (let request = 0; request < 100; request += 1) {
      await advance({ ms: 100 });
      expect(await refusal()).toMatchObject({ code: 'cooldown', detail: expect.stringContaining('kms_unavailable') });
    }

    expect(upstream.logins).toHaveLength(1);
  });
});
