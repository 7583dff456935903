import { describe, expect, it } from 'vitest';
import { createLeaseTaking } from '../../../../functions/core/mint/begin.ts';
import type { MintRequest } from '../../../../functions/core/slot/mint-message.ts';
import type { SlotRecord } from '../../../../functions/core/slot/record.ts';
import { harness } from '../../../protocol/harness.ts';
import { helpdeskConnection } from '../../../simulation/connections.ts';
import { intercept } from '../../../simulation/memory-store.ts';

/** A world, and the way into an attempt by itself. Reads that are not consistent find nothing. */
function leaseTaking(settings: Parameters<typeof helpdeskConnection>[0] = {}) {
  const made = harness({ connection: helpdeskConnection(settings) });
  const { operators, connection, slot, time, table, record } = made;
  const { store } = operators;
  const read = store.read.bind(store);
  store.read = async (which, options) => (options.consistent ? read(which, options) : undefined);
  const takeLease = createLeaseTaking(operators);
  return {
    ...made,
    store,
    take: (request: Pick<MintRequest, 'trigger' | 'lease'>) =>
      time.settle(takeLease({ ...slot(), ...request }, connection, slot())),
    /** Puts the slot into a state of its own. */
    put: (changed: Partial<SlotRecord>) => table.set('spoil', slot(), { ...record(), ...changed }),
  };
}

/** The same with a token just issued and handed out. */
async function withToken(settings: Parameters<typeof helpdeskConnection>[0] = {}) {
  const made = leaseTaking(settings);
  const { token } = await made.broker.handOut();
  return { ...made, token, before: made.writes.length };
}

describe('beginning under a lease that the invoker took', () => {
  const T = helpdeskConnection().timeoutSeconds * 1_000;

  it('is done with a second and a half left of its window', async () => {
    const { take, put, time, record } = leaseTaking();
    put({ lease: { id: 'mine', until: time.now() + 1_000 } });
    const takenAt = time.now() - (T + 6_000) + 1_500;

    expect(await take({ trigger: 'caller', lease: { id: 'mine', takenAt } })).toMatchObject({
      leaseId: 'mine',
      takenAt,
      record: { lease: { id: 'mine', begunBy: expect.any(String) } },
    });
    expect(record().lease?.begunBy).toBeDefined();
  });

  it('is `busy` with less, and writes nothing', async () => {
    const { take, put, time, record } = leaseTaking();
    put({ lease: { id: 'mine', until: time.now() + 1_000 } });
    const takenAt = time.now() - (T + 6_000) + 1_499;

    expect(await take({ trigger: 'caller', lease: { id: 'mine', takenAt } })).toEqual({ outcome: 'busy' });
    expect(record().lease).not.toHaveProperty('begunBy');
  });

  it('is `busy` where another invocation has begun', async () => {
    const { take, put, time } = leaseTaking();
    put({ lease: { id: 'mine', until: time.now() + 17_000, begunBy: 'another' } });

    expect(await take({ trigger: 'caller', lease: { id: 'mine', takenAt: time.now() } })).toEqual({ outcome: 'busy' });
  });

  it('is `busy` where the lease is another’s, gone, or gone with its item', async () => {
    const { take, put, time, table, slot } = leaseTaking();
    const lease = { id: 'mine', takenAt: time.now() };
    expect(await take({ trigger: 'caller', lease })).toEqual({ outcome: 'busy' });
    put({});
    expect(await take({ trigger: 'caller', lease })).toEqual({ outcome: 'busy' });
    put({ lease: { id: 'another', until: time.now() + 17_000 } });
    expect(await take({ trigger: 'caller', lease })).toEqual({ outcome: 'busy' });
    expect(table.get(slot())?.lease).not.toHaveProperty('begunBy');
  });

  it('knows its own beginning where the SDK sent the write twice', async () => {
    const { take, put, time, store } = leaseTaking();
    put({ lease: { id: 'mine', until: time.now() + 17_000 } });
    store.failNext('begin', 'sent_twice');

    expect(await take({ trigger: 'caller', lease: { id: 'mine', takenAt: time.now() } })).toMatchObject({
      leaseId: 'mine',
    });
  });
});

describe('taking the lease for the schedule or a reader', () => {
  it.each(['schedule', 'reader'] as const)('has nothing to do where there is no item: %s', async (trigger) => {
    const { take, writes } = leaseTaking();

    expect(await take({ trigger })).toEqual({ outcome: 'idle' });
    expect(writes).toEqual([]);
  });

  it.each([
    [3_600, 'current'],
    [3_601, 'idle'],
  ] as const)('by the schedule, of a slot handed out %i s ago, of 3600: `%s`', async (ageSeconds, outcome) => {
    const { take, put, time, record } = await withToken({ idleSeconds: 3_600 });
    put({ lastHandedOutAt: time.now() + 2 - ageSeconds * 1_000 });

    expect(await take({ trigger: 'schedule' })).toEqual({ outcome });
    expect('dueAt' in record()).toBe(outcome === 'current');
  });

  it('by a reader minds no idleness: somebody is at it', async () => {
    const { take, put } = await withToken({ idleSeconds: 3_600 });
    put({ lastHandedOutAt: 1, rejectedGeneration: 1 });

    expect(await take({ trigger: 'reader' })).toMatchObject({ leaseId: expect.any(String) });
  });

  it('by the schedule puts a fresh token back to where it is due', async () => {
    const { take, put, record, token, time } = await withToken();
    put({ dueAt: time.now() - 1 });

    expect(await take({ trigger: 'schedule' })).toEqual({ outcome: 'current' });
    expect(record().dueAt).toBe(token.refreshAt);
  });

  it('writes nothing where a fresh token is on the schedule as it should be', async () => {
    const { take, writes, before } = await withToken();

    expect(await take({ trigger: 'schedule' })).toEqual({ outcome: 'current' });
    expect(writes).toHaveLength(before);
  });

  it('by a reader leaves the schedule alone', async () => {
    const { take, put, record } = await withToken();
    put({ dueAt: 7 });

    expect(await take({ trigger: 'reader' })).toEqual({ outcome: 'current' });
    expect(record().dueAt).toBe(7);
  });

  it('is done from refreshAt on, not before', async () => {
    const { take, token, advance, time, table, slot } = await withToken();
    await advance({ ms: token.refreshAt - 3 - time.now() });
    expect(await take({ trigger: 'reader' })).toEqual({ outcome: 'current' });
    await advance({ ms: token.refreshAt - 2 - time.now() });

    expect(await take({ trigger: 'reader' })).toMatchObject({ leaseId: table.get(slot())?.lease?.id });
  });

  it('is done of a token that was reported dead, however fresh', async () => {
    const { take, put } = await withToken();
    put({ rejectedGeneration: 1 });

    expect(await take({ trigger: 'schedule' })).toMatchObject({ leaseId: expect.any(String) });
  });

  it('is left to whoever holds it', async () => {
    const { take, put, time, record, store } = await withToken();
    put({ rejectedGeneration: 1, lease: { id: 'another', until: time.now() + 1_000 } });
    intercept(store, 'acquire', () => Promise.reject(new Error('a claim that cannot succeed is billed all the same')));

    expect(await take({ trigger: 'schedule' })).toEqual({ outcome: 'waiting' });
    expect(record().lease?.id).toBe('another');
  });

  it.each([
    ['schedule', true],
    ['reader', false],
  ] as const)('by the %s waits for the end of a back-off', async (trigger, isPutBack) => {
    const { take, put, time, record } = await withToken();
    const notBefore = time.now() + 60_000;
    put({ rejectedGeneration: 1, notBefore, dueAt: 7 });

    expect(await take({ trigger })).toEqual({ outcome: 'waiting' });
    expect(record().dueAt).toBe(isPutBack ? notBefore : 7);
    expect(record().lease).toBeUndefined();
  });

  it('is left to whoever was quicker', async () => {
    const { take, put, store, time, record } = await withToken();
    put({ rejectedGeneration: 1 });
    intercept(store, 'acquire', (acquire) => {
      put({ fence: 9, lease: { id: 'another', until: time.now() + 17_000 } });
      return acquire();
    });
    expect(await take({ trigger: 'schedule' })).toEqual({ outcome: 'waiting' });
    expect(record().lease?.id).toBe('another');
  });

  it('is given up where the slot was renewed and let go meanwhile, or its item has ended', async () => {
    const { take, put, store, table, slot } = await withToken();
    put({ rejectedGeneration: 1 });
    const meanwhile = [() => put({ fence: 9 }), () => table.set('ttl', slot(), undefined)];
    intercept(store, 'acquire', (acquire) => {
      meanwhile.shift()?.();
      return acquire();
    });
    expect(await take({ trigger: 'schedule' })).toEqual({ outcome: 'waiting' });
    expect(await take({ trigger: 'schedule' })).toEqual({ outcome: 'waiting' });
  });

  it('knows its own claim where the SDK sent the write twice', async () => {
    const { take, put, store, record } = await withToken();
    put({ rejectedGeneration: 1 });
    store.failNext('acquire', 'sent_twice');

    expect(await take({ trigger: 'schedule' })).toMatchObject({ leaseId: record().lease?.id });
  });

  it('gives what the store then holds', async () => {
    const { take, put, record } = await withToken();
    put({ rejectedGeneration: 1, tries: 2, fence: 5 });
    const taken = await take({ trigger: 'schedule' });
    if (!('leaseId' in taken)) throw new Error('no lease was taken');

    expect(taken.record).toEqual(record());
    expect(taken.record).toMatchObject({ tries: 3, fence: 6 });
  });
});

describe('a slot that the configuration no longer has', () => {
  it.each([true, false])('comes off the schedule, by a write only where it is on it: %s', async (isOn) => {
    const { operators, connection, slot, time, table, writes, record } = await withToken();
    const old = { ...slot(), fingerprint: 'before' };
    const { dueAt: _, ...off } = record();
    table.set('spoil', old, isOn ? { ...off, dueAt: 1 } : off);
    const before = writes.length;
    const taking = createLeaseTaking(operators)({ ...old, trigger: 'schedule' }, connection, slot());

    expect(await time.settle(taking)).toEqual({ outcome: 'idle' });
    expect(table.get(old)?.dueAt).toBeUndefined();
    expect(writes).toHaveLength(before + (isOn ? 1 : 0));
  });
});
