import { describe, expect, it } from 'vitest';
import { harness } from '../../../protocol/harness.ts';
import { workforceConnection } from '../../../simulation/connections.ts';

/** A slot in use whose token has ended. */
async function ended() {
  const made = harness();
  await made.broker.handOut();
  await made.advance({ hours: 25 });
  return { ...made, publications: made.callsOf('publish') };
}

describe('createPublish', () => {
  it('tries every 50 to 250 ms up to the end of the window, then discards the token', async () => {
    const { broker, publications, beforeNext, weather, time, writes, record, advance, upstream } = await ended();
    beforeNext('publish', () => {
      weather.store.writesDown = 1;
    });
    const { code, detail, retryAfterMs = 0 } = await broker.refusal();
    const takenAt = writes.findLast(({ operation }) => operation === 'acquire')?.at ?? 0;
    const tries = publications().map(({ at }) => at);
    const gaps = tries.slice(1).map((at, n) => at - (tries[n] ?? 0));

    expect(code).toBe('store_unavailable');
    expect(detail).toContain('discarded');
    expect(Math.abs(time.now() + retryAfterMs - record().notBefore)).toBeLessThan(10);
    expect(Math.min(...gaps)).toBeGreaterThanOrEqual(50);
    expect(Math.max(...gaps)).toBeLessThanOrEqual(250);
    expect(Math.max(...gaps)).toBeGreaterThan(150);
    expect(new Set(gaps).size).toBeGreaterThan(10);
    expect(tries.at(-1)).toBeLessThan(takenAt + 12_000);
    expect(tries.at(-1)).toBeGreaterThan(takenAt + 11_500);
    expect(record().generation).toBe(1);
    weather.store.writesDown = 0;
    await advance({ seconds: 31 });
    expect((await broker.handOut()).source).toBe('login');
    expect(upstream.logins).toHaveLength(3);
  });

  it('stores a token despite a brief fault of the store', async () => {
    const { broker, failNext, upstream } = await ended();
    for (let n = 0; n < 5; n += 1) failNext('publish', 'down');

    expect((await broker.handOut()).token.generation).toBe(2);
    expect(upstream.logins).toHaveLength(2);
  });

  it('does not try again after a fault of the broker', async () => {
    const { broker, publications, beforeNext } = await ended();
    beforeNext('publish', () => {
      throw new TypeError('a fault of ours');
    });

    expect((await broker.refusal()).code).toBe('upstream_outcome_unknown');
    expect(publications()).toHaveLength(1);
  });

  it.each(['reply_lost', 'sent_twice'] as const)(
    'knows its own publication, however far other reads lag, where the write was: %s',
    async (fault) => {
      const { broker, lag, failNext, upstream } = await ended();
      lag();
      failNext('publish', fault);

      expect(await broker.handOut()).toMatchObject({ source: 'login', token: { generation: 2 } });
      expect(upstream.logins).toHaveLength(2);
    },
  );

  it.each(['purgeItem', 'removeItem'] as const)(
    'discards a token that comes too late, and lets the lease go: %s',
    async (meanwhile) => {
      const made = await ended();
      const { broker, beforeNext, put, record, time, upstream } = made;
      beforeNext('publish', made[meanwhile]);
      put({ dueAt: 1, lastHandedOutAt: time.now() });

      expect((await broker.sweep()).outcomes).toEqual({ superseded: 1 });
      expect(upstream.logins).toHaveLength(2);
      expect(record().token).toBeUndefined();
      expect(record().lease).toBeUndefined();
    },
  );

  it('leaves the lease to lapse where it cannot be let go', async () => {
    const { broker, beforeNext, purgeItem, failNext, put, record, time } = await ended();
    beforeNext('publish', purgeItem);
    failNext('release', 'down');
    put({ dueAt: 1, lastHandedOutAt: time.now() });

    expect((await broker.sweep()).outcomes).toEqual({ superseded: 1 });
    expect(record().lease).toBeDefined();
  });

  it('notes a use where a caller waits for the token, and none where the schedule had it made', async () => {
    const { broker, advance, record, time, callsOf } = harness();
    const uses = callsOf('recordUse');
    await broker.handOut();
    const usedAt = record().lastHandedOutAt;
    expect(time.now() - usedAt).toBeLessThan(100);
    expect(uses()).toEqual([]);
    await advance({ hours: 20 });
    await broker.sweep();

    expect(record()).toMatchObject({ generation: 2, lastHandedOutAt: usedAt });
  });

  it('keeps the item of a slide for as long as a refusal is to be remembered (invariant 5)', async () => {
    const { broker, advance, record, put } = harness({ connection: workforceConnection() });
    await broker.handOut();
    await advance({ minutes: 11 });
    const kept = { refusedVersion: 'version-0', ttlSeconds: record().ttlSeconds + 2_000_000 };
    put(kept);
    await broker.sweep();

    expect(record()).toMatchObject({ generation: 2, ...kept });
  });

  it('fails where the token is over at issue (H14), a try that may have counted as a login', async () => {
    const { broker, upstream, record, advance } = harness();
    upstream.rules.lifeSeconds = 64;
    const error = await broker.refusal();
    expect(error).toMatchObject({ code: 'upstream_token_unusable', retryAfterMs: 30_000 });
    for (const said of ['helpdesk', '63 s', 'minTtlSeconds (60)', 'clock', 'expiry'])
      expect(error.detail).toContain(said);
    expect(record().tries).toBe(1);
    expect(record().token).toBeUndefined();
    await advance({ seconds: 31 });

    expect((await broker.refusal()).retryAfterMs).toBe(60_000);
  });
});
