import { describe, expect, it } from 'vitest';
import { createBeginAttempt } from '../../../../functions/core/mint/begin.ts';
import type { MintRequest } from '../../../../functions/core/slot/mint-message.ts';
import type { SlotRecord } from '../../../../functions/core/slot/record.ts';
import { harness } from '../../../protocol/harness.ts';
import { helpdeskConnection } from '../../../simulation/connections.ts';
import { createMemorySecrets } from '../../../simulation/memory-secrets.ts';

/** A world, and the way into an attempt by itself. Reads that are not consistent find nothing. */
function leaseTaking(settings: Parameters<typeof helpdeskConnection>[0] = {}) {
  const made = harness({ connection: helpdeskConnection(settings) });
  const { operators, connection, slot, time } = made;
  made.lag();
  const secrets = createMemorySecrets({
    vault: made.vault,
    process: operators.process,
    random: made.random,
    weather: made.weather.secrets,
  });
  const beginAttempt = createBeginAttempt({ ...operators, secrets });
  return {
    ...made,
    take: (request: Pick<MintRequest, 'trigger' | 'lease' | 'candidate'>, fingerprint = slot().fingerprint) =>
      time.settle(beginAttempt({ ...slot(), ...request, fingerprint }, connection, slot())),
  };
}

/** The same with a token just issued and handed out; `now` is when what is taken next is decided. */
async function withToken(settings: Parameters<typeof helpdeskConnection>[0] = {}) {
  const made = leaseTaking(settings);
  const { token } = await made.broker.handOut();
  return { ...made, token, before: made.writes.length, now: made.time.now() + 2 };
}

describe('createBeginAttempt, under a lease that the invoker took', () => {
  const WINDOW_MS = 12_000;
  const lease = { id: 'mine', until: 1_800_000_100_000 };

  it.each(['sent once', 'sent twice'])(
    'begins with a second and a half left of its window, by a write %s',
    async (how) => {
      const { take, put, time, record, failNext } = leaseTaking();
      put({ lease });
      if (how === 'sent twice') failNext('begin', 'sent_twice');
      const takenAt = time.now() - WINDOW_MS + 1_500;

      expect(await take({ trigger: 'caller', lease: { id: 'mine', takenAt } })).toMatchObject({
        leaseId: 'mine',
        takenAt,
        record: { lease: { ...lease, begunBy: expect.any(String) } },
      });
      expect(record().lease?.begunBy).toBeDefined();
    },
  );

  it.each<[string, Partial<SlotRecord> | undefined, number]>([
    ['less than a second and a half of its window is left', { lease }, 1_499],
    ['another invocation has begun', { lease: { ...lease, begunBy: 'another' } }, WINDOW_MS],
    ['the lease is another’s', { lease: { ...lease, id: 'another' } }, WINDOW_MS],
    ['the lease is gone', {}, WINDOW_MS],
    ['the lease is gone with its item', undefined, WINDOW_MS],
  ])('is `busy` and writes nothing where %s', async (_why, held, leftMs) => {
    const { take, put, time, writes } = leaseTaking();
    if (held !== undefined) put(held);
    const before = writes.length;
    const takenAt = time.now() - WINDOW_MS + leftMs;

    expect(await take({ trigger: 'caller', lease: { id: 'mine', takenAt } })).toEqual({ outcome: 'busy' });
    expect(writes).toHaveLength(before);
  });

  describe('where the store fails it', () => {
    const failing = (rounds: number, fault: 'throttled_before' | 'reply_lost') => {
      const made = leaseTaking();
      made.put({ lease, notBefore: made.time.now() + 30_000, tries: 1 });
      made.failNext('begin', fault === 'reply_lost' ? 'reply_lost' : 'down');
      for (let n = 0; n < rounds; n += 1) made.failNext('fail', 'down');
      const asked = made.take({ trigger: 'caller', lease: { id: 'mine', takenAt: made.time.now() } });
      return { ...made, asked: asked.catch((error: unknown) => error) };
    };

    it.each(['throttled_before', 'reply_lost'] as const)('ends the lease as one not sent: %s', async (fault) => {
      const { asked, record, time } = failing(0, fault);

      expect(await asked).toMatchObject({ code: 'store_unavailable', retryAfterMs: expect.any(Number) });
      expect(record().lease).toBeUndefined();
      expect(record().notBefore).toBeLessThanOrEqual(time.now() + 1_000);
      expect(record()).toMatchObject({ failure: { code: 'store_unavailable' } });
    });

    it('tries to end it a few times, then lets it lapse', async () => {
      const mended = failing(3, 'throttled_before');
      expect(await mended.asked).toMatchObject({ retryAfterMs: expect.any(Number) });
      expect(mended.record().lease).toBeUndefined();
      const down = failing(4, 'throttled_before');
      expect(await down.asked).toMatchObject({ code: 'store_unavailable', retryAfterMs: undefined });
      expect(down.record().lease).toEqual(lease);
    });

    it('lets a lease that is borrowed lapse, and the slot keeps its back-off', async () => {
      const made = leaseTaking();
      const notBefore = made.time.now() + 900_000;
      made.put({ lease, notBefore, tries: 11 });
      made.failNext('begin', 'down');
      const borrowed = { id: 'mine', takenAt: made.time.now() };
      const asked = made.take({ trigger: 'operator', lease: borrowed, candidate: true });

      await expect(asked).rejects.toMatchObject({ code: 'store_unavailable' });
      expect(made.record()).toMatchObject({ lease, notBefore, tries: 11 });
    });

    it('leaves the lease to another invocation that has begun', async () => {
      const made = leaseTaking();
      made.put({ lease });
      made.beforeNext('begin', () => made.put({ lease: { ...lease, begunBy: 'another' } }), 'down');
      const asked = made.take({ trigger: 'caller', lease: { id: 'mine', takenAt: made.time.now() } });

      await expect(asked).rejects.toMatchObject({ code: 'store_unavailable' });
      expect(made.record().lease).toEqual({ ...lease, begunBy: 'another' });
    });
  });
});

describe('createBeginAttempt, for the schedule or a reader', () => {
  it.each(['schedule', 'reader'] as const)('has nothing to do where there is no item: %s', async (trigger) => {
    const { take, writes } = leaseTaking();

    expect(await take({ trigger })).toEqual({ outcome: 'idle' });
    expect(writes).toEqual([]);
  });

  it.each([
    [3_600, 'current'],
    [3_601, 'idle'],
  ] as const)('takes a slot handed out %i s ago for `%s`, with an idleSeconds of 3600', async (ageSeconds, outcome) => {
    const { take, put, now, record } = await withToken({ idleSeconds: 3_600 });
    put({ lastHandedOutAt: now - ageSeconds * 1_000 });

    expect(await take({ trigger: 'schedule' })).toEqual({ outcome });
    expect(record().dueAt !== undefined).toBe(outcome === 'current');
  });

  it('ignores idleness if a reader asks: the slot is in use', async () => {
    const { take, put } = await withToken({ idleSeconds: 3_600 });
    put({ lastHandedOutAt: 1, rejectedGeneration: 1 });

    expect(await take({ trigger: 'reader' })).toMatchObject({ leaseId: expect.any(String) });
  });

  it('puts a fresh token back to where it is due, for the schedule alone', async () => {
    const { take, put, record, token } = await withToken();
    put({ dueAt: 7 });
    expect(await take({ trigger: 'reader' })).toEqual({ outcome: 'current' });
    expect(record().dueAt).toBe(7);

    expect(await take({ trigger: 'schedule' })).toEqual({ outcome: 'current' });
    expect(record().dueAt).toBe(token.refreshAt);
  });

  it('writes nothing where a fresh token is on the schedule as it should be', async () => {
    const { take, writes, before } = await withToken();

    expect(await take({ trigger: 'schedule' })).toEqual({ outcome: 'current' });
    expect(writes).toHaveLength(before);
  });

  it.each([
    [-1, false],
    [0, true],
  ])('takes the lease from refreshAt on: %i ms after it, %s', async (afterMs, isTaken) => {
    const { take, token, advance, time } = await withToken();
    // The read that decides is answered 2 ms later.
    await advance({ ms: token.refreshAt + afterMs - 2 - time.now() });

    expect('leaseId' in (await take({ trigger: 'reader' }))).toBe(isTaken);
  });

  it('takes the lease where a token was reported dead, and gives what the store then holds', async () => {
    const { take, put, record } = await withToken();
    put({ rejectedGeneration: 1, tries: 2, fence: 5 });
    const taken = await take({ trigger: 'schedule' });

    expect(taken).toMatchObject({ leaseId: record().lease?.id, record: record() });
    expect(record()).toMatchObject({ tries: 3, fence: 6, lease: expect.anything() });
  });

  it('leaves the lease to whoever holds it, and tries no claim that could not succeed', async () => {
    const { take, put, heldByAnother, callsOf } = await withToken();
    put({ rejectedGeneration: 1 });
    heldByAnother(1_000);
    const [claims, reads] = [callsOf('acquire'), callsOf('read')];

    expect(await take({ trigger: 'schedule' })).toEqual({ outcome: 'waiting' });
    expect([claims().length, reads().length]).toEqual([0, 1]);
  });

  it.each([
    ['schedule', true],
    ['reader', false],
  ] as const)(
    'waits for the end of a back-off; %s, which puts the slot back until then: %s',
    async (trigger, isPutBack) => {
      const { take, put, time, record } = await withToken();
      const notBefore = time.now() + 60_000;
      put({ rejectedGeneration: 1, notBefore, dueAt: 7 });

      expect(await take({ trigger })).toEqual({ outcome: 'waiting' });
      expect(record().dueAt).toBe(isPutBack ? notBefore : 7);
      expect(record().lease).toBeUndefined();
    },
  );

  it('throws the outage of a store that takes no claim', async () => {
    const { take, put, failNext } = await withToken();
    put({ rejectedGeneration: 1 });
    failNext('acquire', 'down');

    await expect(take({ trigger: 'schedule' })).rejects.toMatchObject({ code: 'store_unavailable' });
  });

  it.each<[string, (made: ReturnType<typeof harness>) => unknown]>([
    ['held by another', ({ heldByAnother }) => heldByAnother(17_000)],
    ['taken and let go again', ({ put }) => put({ fence: 9 })],
    ['gone with its item', ({ removeItem }) => removeItem()],
  ])('is `waiting` where the slot was %s in the meantime', async (_what, meanwhile) => {
    const made = await withToken();
    made.put({ rejectedGeneration: 1 });
    made.beforeNext('acquire', () => meanwhile(made));

    expect(await made.take({ trigger: 'schedule' })).toEqual({ outcome: 'waiting' });
  });
});

describe('createBeginAttempt, for a slot that the configuration no longer has', () => {
  it.each<[string, Partial<SlotRecord> | undefined, number]>([
    ['is on it', { dueAt: 1 }, 1],
    ['is not', {}, 0],
    ['has no item', undefined, 0],
  ])('takes it off the schedule where it %s', async (_what, held, writesMade) => {
    const { take, slot, putOutdated, table, writes } = await withToken();
    const outdated = held === undefined ? { ...slot(), fingerprint: 'none' } : putOutdated(held);
    const before = writes.length;

    expect(await take({ trigger: 'schedule' }, outdated.fingerprint)).toEqual({ outcome: 'idle' });
    expect(table.get(outdated)?.dueAt).toBeUndefined();
    expect(writes).toHaveLength(before + writesMade);
  });

  it('is `busy` under an invoker’s lease', async () => {
    const { take, time } = leaseTaking();
    const lease = { id: 'mine', takenAt: time.now() };

    expect(await take({ trigger: 'caller', lease }, 'before')).toEqual({ outcome: 'busy' });
  });
});
