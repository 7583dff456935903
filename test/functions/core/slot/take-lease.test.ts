import { describe, expect, it } from 'vitest';
import * as changes from '../../../../functions/core/slot/changes.ts';
import { createClaim } from '../../../../functions/core/slot/claim.ts';
import { takeLease } from '../../../../functions/core/slot/take-lease.ts';
import { harness } from '../../../protocol/harness.ts';

/** A slot with a token whose lease can be claimed, as `seen` or as it now is. */
async function claiming() {
  const made = harness();
  await made.broker.handOut();
  const { operators, connection, slot, record, time, random } = made;
  return {
    ...made,
    claims: made.callsOf('acquire'),
    take(seen = record()) {
      const claim = createClaim(connection, seen, { now: time.now(), random });
      return time.settle(takeLease(operators.store, slot(), claim, changes.acquire(claim)));
    },
  };
}

describe('takeLease', () => {
  it('gives the record under the lease, as the store has it', async () => {
    const { take, record } = await claiming();

    expect(await take()).toEqual({ isOurs: true, record: record() });
    expect(record().lease).toBeDefined();
  });

  it('writes nothing while the lease that was seen is live: a failed condition is billed', async () => {
    const { take, heldByAnother, claims, record } = await claiming();
    heldByAnother(17_000);

    expect(await take()).toEqual({ isOurs: false, record: record(), error: undefined });
    expect(claims()).toEqual([]);
  });

  it('takes over a lease that has lapsed', async () => {
    const { take, heldByAnother, record } = await claiming();
    heldByAnother(-1);

    expect((await take()).isOurs).toBe(true);
    expect(record().lease?.id).not.toBe('another');
  });

  it.each(['sent_twice', 'reply_lost'] as const)('knows its own lease where the write was: %s', async (fault) => {
    const { take, failNext, record } = await claiming();
    failNext('acquire', fault);

    expect(await take()).toEqual({ isOurs: true, record: record() });
    expect(record()).toMatchObject({ tries: 1, fence: 2 });
  });

  it('gives what the slot holds instead where another was quicker', async () => {
    const { take, heldByAnother, record } = await claiming();
    const seen = record();
    heldByAnother(17_000);

    expect(await take(seen)).toEqual({ isOurs: false, record: record(), error: undefined });
    expect(record().lease?.id).toBe('another');
  });

  it('gives the error of a write that was not made', async () => {
    const { take, failNext, record } = await claiming();
    failNext('acquire', 'down');

    expect(await take()).toMatchObject({ isOurs: false, record: record(), error: { code: 'store_unavailable' } });
  });

  it.each([
    ['acquire', ['down', 'down']],
    ['read', ['sent_twice', 'down']],
  ] as const)(
    'gives the error of the first call that failed where the slot cannot be read: %s',
    async (first, faults) => {
      const { take, failNext } = await claiming();
      failNext('acquire', faults[0]);
      failNext('read', faults[1]);

      const detail = expect.stringContaining(`(${first})`);
      expect(await take()).toMatchObject({ isOurs: false, record: undefined, error: { detail } });
    },
  );

  it('passes on a fault of the broker', async () => {
    const { take, beforeNext } = await claiming();
    beforeNext('acquire', () => {
      throw new TypeError('a fault of ours');
    });

    await expect(take()).rejects.toThrow('a fault of ours');
  });
});
