import { describe, expect, it } from 'vitest';
import { changes } from '../../../../functions/core/slot/changes.ts';
import { claimOn } from '../../../../functions/core/slot/lease.ts';
import { takeLease } from '../../../../functions/core/slot/take-lease.ts';
import { BrokerError } from '../../../../functions/core/words/errors.ts';
import { harness } from '../../../protocol/harness.ts';
import { intercept } from '../../../simulation/memory-store.ts';

/** A slot with a token whose lease can be claimed, as `seen` or as it now is. */
async function claiming() {
  const { broker, operators, connection, slot, record, table, time, random } = harness();
  await broker.handOut();
  const { store } = operators;
  return {
    store,
    record,
    holdBy(id: string, until = time.now() + 17_000) {
      table.set('spoil', slot(), { ...record(), lease: { id, until } });
    },
    take(seen = record()) {
      const claim = claimOn(connection, seen, { now: time.now(), random });
      return time.settle(takeLease(store, slot(), claim, changes.acquire(claim)));
    },
  };
}

describe('taking a lease', () => {
  it('gives the record under it, as the store has it', async () => {
    const { take, record } = await claiming();

    expect(await take()).toEqual({ isOurs: true, record: record() });
    expect(record().lease).toBeDefined();
  });

  it('writes nothing while the lease that was seen is live: a failed condition is billed', async () => {
    const { take, holdBy, store, record } = await claiming();
    holdBy('another');
    intercept(store, 'acquire', () => Promise.reject(new Error('this write cannot succeed')));

    expect(await take()).toEqual({ isOurs: false, record: record(), error: undefined });
  });

  it('takes over a lease that has lapsed', async () => {
    const { take, holdBy, record } = await claiming();
    holdBy('another', 1);

    expect((await take()).isOurs).toBe(true);
    expect(record().lease?.id).not.toBe('another');
  });

  it.each(['sent_twice', 'reply_lost'] as const)('knows its own where the write was: %s', async (fault) => {
    const { take, store, record } = await claiming();
    store.failNext('acquire', fault);

    expect(await take()).toEqual({ isOurs: true, record: record() });
    expect(record()).toMatchObject({ tries: 1, fence: 2 });
  });

  it('gives what the slot holds instead where another was quicker', async () => {
    const { take, holdBy, record } = await claiming();
    const seen = record();
    holdBy('another');

    expect(await take(seen)).toEqual({ isOurs: false, record: record(), error: undefined });
    expect(record().lease?.id).toBe('another');
  });

  it('gives the error of a write that was not made', async () => {
    const { take, store, record } = await claiming();
    store.failNext('acquire', 'down');

    expect(await take()).toMatchObject({ isOurs: false, record: record(), error: { code: 'store_unavailable' } });
  });

  it('passes on a fault of the broker, and the error of a store that cannot be read either', async () => {
    const { take, store } = await claiming();
    store.failNext('acquire', 'down');
    store.failNext('read', 'down');
    await expect(take()).rejects.toBeInstanceOf(BrokerError);
    intercept(store, 'acquire', () => Promise.reject(new TypeError('a fault of ours')));

    await expect(take()).rejects.toThrow('a fault of ours');
  });
});
