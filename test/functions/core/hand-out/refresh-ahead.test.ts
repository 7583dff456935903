import { describe, expect, it } from 'vitest';
import { noteUse } from '../../../../functions/core/hand-out/refresh-ahead.ts';
import { BrokerError } from '../../../../functions/core/words/errors.ts';
import { harness } from '../../../protocol/harness.ts';
import { helpdeskConnection, workforceConnection } from '../../../simulation/connections.ts';

/** A slot with a token, and what a hand-out of it from the store leaves behind. */
async function handedOut(connection = helpdeskConnection({ idleSeconds: 3_600 })) {
  const made = harness({ connection });
  await made.broker.handOut();
  const { operators, fleet, slot, time, record } = made;
  const minter = fleet.invokerFor(operators.process);
  return {
    ...made,
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

describe('noteUse', () => {
  it('notes a use once in a tenth of idleSeconds', async () => {
    const { note, put, record, callsOf } = await handedOut();
    const refreshAt = record().token?.refreshAt ?? 0;
    const notes = callsOf('recordUse');
    put({ lastHandedOutAt: refreshAt - 1 - 360_000 + 1 });
    await note();
    expect(notes()).toEqual([]);
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
    const { note, record, put } = await handedOut();
    const due = (record().token?.refreshAt ?? 0) + afterRefreshMs;
    put({ dueAt: undefined, lastHandedOutAt: 1, notBefore: afterRefreshMs === 0 ? 0 : due });
    await note();

    expect(record().dueAt).toBe(due);
  });

  it('keeps a refused slot off the schedule (invariant 5)', async () => {
    const { note, record, put } = await handedOut();
    put({ dueAt: undefined, lastHandedOutAt: 1, refusedVersion: 'version-1' });
    const usedAt = await note();

    expect(record().lastHandedOutAt).toBe(usedAt);
    expect(record().dueAt).toBeUndefined();
  });

  it.each([
    [-1, 0],
    [0, 1],
  ])('asks for a refresh from refreshAt on: %i ms after it, %i times', async (fromRefreshMs, times) => {
    const { note, fleet } = await handedOut();
    await note({ fromRefreshMs });

    expect(fleet.asked).toHaveLength(times);
  });

  it.each([
    [29_999, 0],
    [30_001, 1],
  ])('asks again %i ms after the last time: %i times', async (agoMs, times) => {
    const { note, fleet, put, record } = await handedOut();
    put({ refreshAskedAt: (record().token?.refreshAt ?? 0) + 100_000 - agoMs });
    await note({ fromRefreshMs: 100_000 });

    expect(fleet.asked).toHaveLength(times);
  });

  it('asks once however many callers of however many instances see that it is time', async () => {
    const { broker, advance, fleet, upstream } = harness({ instances: 4 });
    await broker.handOut();
    await advance({ hours: 20 });
    upstream.goDown();
    const results = await broker.together(Array.from({ length: 100 }, (_, n) => ({ on: n % 4 })));

    expect(results.filter((result) => result instanceof BrokerError)).toEqual([]);
    expect(fleet.asked).toMatchObject([{ trigger: 'reader', subject: 'system' }]);
  });

  it.each([
    ['somebody holds the lease', (at: number) => ({ lease: { id: 'another', until: at + 2 } })],
    ['a back-off is on', (at: number) => ({ notBefore: at + 2 })],
    ['somebody asked a moment ago', (at: number) => ({ refreshAskedAt: at })],
  ])('neither asks nor writes where %s', async (_why, state) => {
    const { note, fleet, put, record, callsOf } = await handedOut();
    put(state(record().token?.refreshAt ?? 0));
    const asks = callsOf('askRefresh');
    await note({ fromRefreshMs: 1 });

    expect(fleet.asked).toEqual([]);
    expect(asks()).toEqual([]);
  });

  const [sliding, other] = [workforceConnection(), helpdeskConnection()];

  it.each([
    ['waits half a minute for a proxied call, whose answer may renew the token', sliding, 'proxy', 29_999, 0],
    ['waits no longer than that', sliding, 'proxy', 30_000, 1],
    ['does not wait for a hand-out', sliding, undefined, 0, 1],
    ['does not wait for a proxied call where nothing renews tokens', other, 'proxy', 0, 1],
  ] as const)('%s', async (_how, connection, via, fromRefreshMs, times) => {
    const { note, fleet } = await handedOut(connection);
    await note({ fromRefreshMs, ...(via === undefined ? {} : { via }) });

    expect(fleet.asked).toHaveLength(times);
  });

  it('fails no hand-out where the store does, not even where memory is cold (invariant 12)', async () => {
    const { broker, advance, failNext, upstream } = harness({ instances: 2 });
    const { token } = await broker.handOut();
    await advance({ hours: 20 });
    for (const operation of ['recordUse', 'askRefresh'] as const) failNext(operation, 'down');

    expect((await broker.handOut({ on: 1 })).token.hash).toBe(token.hash);
    expect(upstream.logins).toHaveLength(1);
  });

  it.each([new TypeError('a fault of ours'), new BrokerError('internal', 'a fault of ours')])(
    'does not pass over a fault of the broker: %s',
    async (fault) => {
      const { broker, advance, beforeNext } = harness({ instances: 2 });
      await broker.handOut();
      await advance({ hours: 20 });
      beforeNext('recordUse', () => Promise.reject(fault));

      await expect(broker.handOut({ on: 1 })).rejects.toThrow('a fault of ours');
    },
  );
});
