import { describe, expect, it } from 'vitest';
import { harness } from '../../../protocol/harness.ts';

describe('createRequestMint', () => {
  it.each([
    [23_000, 13_000],
    [12_500, 12_500],
  ])('waits for the answer as long as a lease lasts and the caller has: of %i ms, %i', async (leftMs, mostMs) => {
    const { broker, fleet } = harness();
    await broker.handOut({ leftMs });

    expect(fleet.timeoutsMs[0]).toBeLessThanOrEqual(mostMs);
    expect(fleet.timeoutsMs[0]).toBeGreaterThan(mostMs - 20);
  });

  it('invokes mint with timeoutSeconds and 6 s left, after a read of 2 ms, and not with less', async () => {
    const { broker, fleet } = harness();
    expect((await broker.refusal({ leftMs: 12_001 })).code).toBe('refresh_in_progress');
    expect(fleet.timeoutsMs).toEqual([]);

    expect((await broker.handOut({ leftMs: 12_002 })).source).toBe('login');
  });

  it.each([undefined, 'down'] as const)(
    'waits for another who took the lease first, where its own write was: %s',
    async (fault) => {
      const { broker, beforeNext, heldByAnother, fleet, time } = harness();
      beforeNext('acquire', () => heldByAnother(3_000), fault);
      const began = time.now();

      expect((await broker.handOut()).source).toBe('login');
      expect(time.now() - began).toBeGreaterThanOrEqual(3_000);
      expect(fleet.timeoutsMs).toHaveLength(1);
    },
  );

  it.each([0, 1])('invokes nothing where the store takes no claim on a slot of generation %i', async (generation) => {
    const { broker, failNext, fleet, advance } = harness();
    if (generation === 1) await broker.handOut();
    await advance({ hours: 25 });
    failNext('acquire', 'down');

    expect((await broker.refusal()).code).toBe('store_unavailable');
    expect(fleet.timeoutsMs).toHaveLength(generation);
  });

  it('claims once where that shows a fault of the broker', async () => {
    const { broker, beforeNext, callsOf } = harness();
    const claims = callsOf('acquire');
    beforeNext('acquire', () => {
      throw new TypeError('a fault of ours');
    });

    await expect(broker.handOut()).rejects.toThrow('a fault of ours');
    expect(claims()).toHaveLength(1);
  });

  it('goes on where its claim took effect and the reply was lost', async () => {
    const { broker, upstream, failNext } = harness();
    failNext('acquire', 'reply_lost');

    expect((await broker.handOut()).source).toBe('login');
    expect(upstream.logins).toHaveLength(1);
  });

  it.each([0, 1])('knows its own claim where it was sent twice for generation %i', async (generation) => {
    const { broker, failNext, advance, record } = harness();
    if (generation === 1) await broker.handOut();
    await advance({ hours: 25 });
    failNext('acquire', 'sent_twice');

    expect((await broker.handOut()).source).toBe('login');
    expect(record().fence).toBe(generation + 1);
  });

  it('gives the lease back where mint cannot be invoked, and waits for longer each time', async () => {
    const { broker, fleet, record, time, advance, upstream } = harness();
    for (const most of [1_000, 2_000, 4_000, 8_000]) {
      fleet.planned.push('refused');
      const { code, detail, retryAfterMs = 0 } = await broker.refusal();
      expect(code).toBe('mint_unavailable');
      for (const said of ['helpdesk', 'concurrency', 'permissions']) expect(detail).toContain(said);
      expect(retryAfterMs).toBeGreaterThanOrEqual(most / 2);
      expect(retryAfterMs).toBeLessThanOrEqual(most);
      expect(record()).toMatchObject({ failure: { code: 'mint_unavailable' }, dueAt: record().notBefore });
      expect(record().lease).toBeUndefined();
      expect(Math.abs(record().notBefore - time.now() - retryAfterMs)).toBeLessThan(10);
      await advance({ ms: retryAfterMs });
    }

    expect((await broker.handOut()).source).toBe('login');
    expect(upstream.logins).toHaveLength(1);
  });

  it('waits out a lost answer by reading', async () => {
    const { broker, fleet, upstream } = harness();
    fleet.planned.push('reply_lost');

    expect((await broker.handOut()).token.generation).toBe(1);
    expect(upstream.logins).toHaveLength(1);
  });

  it('finds what a failing mint function has published all the same, however far others lag', async () => {
    const { broker, fleet, lag, upstream } = harness();
    lag();
    fleet.planned.push('fails_after');

    expect((await broker.handOut()).token.generation).toBe(1);
    expect(upstream.logins).toHaveLength(1);
  });

  it('answers a crash of mint with an unknown outcome, and leaves the back-off of the lease', async () => {
    const { broker, fleet, upstream, weather, advance, record, time } = harness();
    weather.invoker.crashWithinSteps = 0;
    fleet.planned.push('crash');
    const error = await broker.refusal();

    expect(error.code).toBe('upstream_outcome_unknown');
    expect(error.detail).toContain('helpdesk');
    expect(Math.abs((error.retryAfterMs ?? 0) - (record().notBefore - time.now()))).toBeLessThan(10);
    expect(record()).toMatchObject({ tries: 1, lease: expect.anything() });
    expect(await broker.refusal()).toMatchObject({ code: 'refresh_in_progress' });
    await advance({ seconds: 5 });
    expect(await broker.refusal()).toMatchObject({ code: 'cooldown', causeCode: 'upstream_outcome_unknown' });
    await advance({ seconds: 20 });
    expect((await broker.handOut()).source).toBe('login');
    expect(upstream.logins).toHaveLength(1);
  });
});

describe('createRequestMint, with a published token that does not open', () => {
  /** Starts an instance of another name, as during a deployment that renames the broker. */
  function misnamed() {
    const made = harness();
    const { world, connection, slot, time } = made;
    const instance = world.startTokenInstance('misnamed', 'of-another-name');
    const asked = () => instance.handOut({ connection, slot: slot(), caller: 'caller', requestId: 'request' });
    return { ...made, refusal: () => time.settle(asked().catch((error: unknown) => error)) };
  }

  it('sends one login, backs off, and leaves the token to those who can open it', async () => {
    const { refusal, upstream, broker, record } = misnamed();

    expect(await refusal()).toMatchObject({ code: 'kms_unavailable', retryAfterMs: expect.any(Number) });
    expect(upstream.logins).toHaveLength(1);
    expect(record().lease).toBeUndefined();
    expect((await broker.handOut()).token.generation).toBe(1);
  });

  it('sends one login each back-off, however often it is asked', async () => {
    const { refusal, upstream, advance } = misnamed();
    await refusal();
    for (let request = 0; request < 100; request += 1) {
      await advance({ ms: 100 });
      expect(await refusal()).toMatchObject({ code: 'cooldown', causeCode: 'kms_unavailable' });
    }

    expect(upstream.logins).toHaveLength(1);
  });
});

describe('createRequestMint, with a published token that has ended by the clock of the asker', () => {
  it('sends one login each back-off, and leaves the token to those who can hand it out', async () => {
    const skewOf = (process: string) => (process === 'token-0' ? 5_000 : 0);
    const { broker, upstream, advance } = harness({ instances: 2, skewOf });
    // Of 67 s, 60 for the caller and 5 for clocks: by the clock of `mint` 2 are left, by this one none.
    upstream.rules.lifeSeconds = 67;

    expect(await broker.refusal()).toMatchObject({ code: 'upstream_token_unusable', retryAfterMs: expect.any(Number) });
    expect((await broker.handOut({ on: 1 })).token.generation).toBe(1);
    for (let request = 0; request < 20; request += 1) {
      await advance({ ms: 100 });
      expect(await broker.refusal()).toMatchObject({ code: 'cooldown', causeCode: 'upstream_token_unusable' });
    }
    expect(upstream.logins).toHaveLength(1);
  });
});
