import { describe, expect, it } from 'vitest';
import { noteUse } from '../../../../functions/core/hand-out/refresh-ahead.ts';
import type { SlotRecord } from '../../../../functions/core/slot/record.ts';
import { BrokerError } from '../../../../functions/core/words/errors.ts';
import { harness } from '../../../protocol/harness.ts';
import { helpdeskConnection, workforceConnection } from '../../../simulation/connections.ts';
import { intercept } from '../../../simulation/memory-store.ts';

/** A slot with a token, and what a hand-out of it from the store leaves behind. */
async function handedOut(connection = helpdeskConnection({ idleSeconds: 3_600 })) {
  const made = harness({ connection });
  await made.broker.handOut();
  const { operators, fleet, slot, time, table, record, writes } = made;
  const minter = fleet.invokerFor(operators.process);
  return {
    ...made,
    before: writes.length,
    put: (changed: Partial<SlotRecord>) => table.set('spoil', slot(), { ...record(), ...changed }),
    /** Notes a use of what the slot holds, `fromRefreshMs` after its token's refreshAt. */
    async note({ fromRefreshMs = -1, via }: { readonly fromRefreshMs?: number; readonly via?: 'proxy' } = {}) {
      const seen = record();
      const { token } = seen;
      if (token === undefined) throw new Error('there is no token');
      const now = token.refreshAt + fromRefreshMs;
      await time.settle(
        noteUse({ ...operators, minter }, { connection, slot: slot(), record: { ...seen, token }, now, via }),
      );
      return now;
    },
  };
}

describe('noting that a slot is in use', () => {
  it('is done once in a tenth of idleSeconds', async () => {
    const { note, put, record, operators } = await handedOut();
    const refreshAt = record().token?.refreshAt ?? 0;
    let tries = 0;
    intercept(operators.store, 'recordUse', (recordUse) => {
      tries += 1;
      return recordUse();
    });
    put({ lastHandedOutAt: refreshAt - 1 - 360_000 + 1 });
    await note();
    expect(tries).toBe(0);

    put({ lastHandedOutAt: refreshAt - 1 - 360_000 - 1 });
    const usedAt = await note();
    expect(record().lastHandedOutAt).toBe(usedAt);
  });

  it('leaves a slot where it is on the schedule', async () => {
    const { note, put, record } = await handedOut();
    put({ dueAt: 1, lastHandedOutAt: 1 });
    const usedAt = await note();

    expect(record()).toMatchObject({ dueAt: 1, lastHandedOutAt: usedAt });
  });

  it.each([
    ['when its token is', 0],
    ['when its back-off is over, if that is later', 600_000],
  ])('puts a slot that is off the schedule on it, due %s', async (_when, afterRefreshMs) => {
    const { note, record, table, slot } = await handedOut();
    const { dueAt: _, ...off } = record();
    const due = (off.token?.refreshAt ?? 0) + afterRefreshMs;
    table.set('spoil', slot(), { ...off, lastHandedOutAt: 1, notBefore: afterRefreshMs === 0 ? 0 : due });
    await note();

    expect(record().dueAt).toBe(due);
  });

  it('keeps a refused slot off the schedule (invariant 5)', async () => {
    const { note, record, table, slot } = await handedOut();
    const { dueAt: _, ...off } = record();
    table.set('spoil', slot(), { ...off, lastHandedOutAt: 1, refusedVersion: 'version-1' });
    const usedAt = await note();

    expect(record().lastHandedOutAt).toBe(usedAt);
    expect(record().dueAt).toBeUndefined();
  });
});

describe('asking for a refresh', () => {
  it.each([
    [-1, 0],
    [0, 1],
  ])('is done from refreshAt on: %i ms after it, %i times', async (fromRefreshMs, times) => {
    const { note, fleet } = await handedOut();
    await note({ fromRefreshMs });

    expect(fleet.asked).toHaveLength(times);
  });

  it.each([
    [29_999, 0],
    [30_001, 1],
  ])('is done again %i ms after the last time: %i times', async (agoMs, times) => {
    const { note, fleet, put, record } = await handedOut();
    put({ refreshAskedAt: (record().token?.refreshAt ?? 0) + 100_000 - agoMs });
    await note({ fromRefreshMs: 100_000 });

    expect(fleet.asked).toHaveLength(times);
  });

  it('is not done, nor written, while somebody holds the lease', async () => {
    const { note, fleet, put, record, writes } = await handedOut();
    put({
      lease: { id: 'another', until: (record().token?.refreshAt ?? 0) + 1_000 },
      lastHandedOutAt: record().token?.refreshAt ?? 0,
    });
    const before = writes.length;
    await note({ fromRefreshMs: 1 });

    expect(fleet.asked).toEqual([]);
    expect(writes).toHaveLength(before);
  });

  it('is not written where somebody asked a moment ago', async () => {
    const { note, put, record, writes, operators } = await handedOut();
    const refreshAt = record().token?.refreshAt ?? 0;
    put({ refreshAskedAt: refreshAt, lastHandedOutAt: refreshAt });
    let asks = 0;
    intercept(operators.store, 'askRefresh', async () => {
      asks += 1;
      return false;
    });
    const before = writes.length;
    await note({ fromRefreshMs: 1 });

    expect([asks, writes.length]).toEqual([0, before]);
  });

  it.each([
    [
      'a proxied call, whose answer may renew the token itself, waits half a minute',
      workforceConnection(),
      'proxy',
      29_999,
      0,
    ],
    ['and no longer', workforceConnection(), 'proxy', 30_000, 1],
    ['a hand-out does not wait', workforceConnection(), undefined, 0, 1],
    ['nor does a proxied call where nothing renews tokens', helpdeskConnection(), 'proxy', 0, 1],
  ] as const)('by %s', async (_who, connection, via, fromRefreshMs, times) => {
    const { note, fleet } = await handedOut(connection);
    await note({ fromRefreshMs, ...(via === undefined ? {} : { via }) });

    expect(fleet.asked).toHaveLength(times);
  });
});

describe('trouble on the way', () => {
  it('with the store fails no hand-out, not even where memory is cold (invariant 12)', async () => {
    const { broker, advance, instance, upstream } = harness({ instances: 2 });
    const { token } = await broker.handOut();
    await advance({ hours: 20 });
    for (const operation of ['recordUse', 'askRefresh'] as const) instance(1).store.failNext(operation, 'down');

    expect((await broker.handOut({ on: 1 })).token.hash).toBe(token.hash);
    expect(upstream.logins).toHaveLength(1);
  });

  it.each([new TypeError('a fault of ours'), new BrokerError('internal', 'a fault of ours')])(
    'with the broker itself is not passed over: %s',
    async (fault) => {
      const { broker, advance, instance } = harness({ instances: 2 });
      await broker.handOut();
      await advance({ hours: 20 });
      intercept(instance(1).store, 'recordUse', () => Promise.reject(fault));

      await expect(broker.handOut({ on: 1 })).rejects.toThrow('a fault of ours');
    },
  );
});
