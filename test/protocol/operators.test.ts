import { describe, expect, it } from 'vitest';
import { createSlotListing } from '../../functions/core/operate/status.ts';
import type { SlotRecord } from '../../functions/core/slot/record.ts';
import type { Slot } from '../../functions/core/slot/slot.ts';
import { helpdeskConnection } from '../simulation/connections.ts';
import { harness } from './harness.ts';

const subjects = Array.from({ length: 205 }, (_, n) => String(n + 1_000));

/** Slots without a token, of one connection. */
function withSlots(changed: (slot: Slot) => Partial<SlotRecord> = () => ({})) {
  const made = harness();
  for (const subject of subjects) {
    const slot = made.slot(subject);
    made.table.set('spoil', slot, { ...made.record(subject), ...changed(slot) });
  }
  return { ...made, before: made.writes.length };
}

describe('the listing of slots', () => {
  it('goes on page by page to the last slot, each of them once', async () => {
    const { operators, connection, time } = withSlots();
    const list = createSlotListing(operators);
    const listed: string[] = [];
    const sizes: number[] = [];
    let next: string | undefined;
    do {
      const page = await time.settle(list(connection, next));
      listed.push(...page.slots.map(({ subject }) => subject));
      sizes.push(page.slots.length);
      next = page.next;
    } while (next !== undefined);

    expect(listed).toEqual(subjects);
    expect(sizes).toEqual([100, 100, 5]);
  });

  it('says when a token began, ends and is refreshed, and nothing of it where there is none', async () => {
    const { broker, operators, connection, time } = harness();
    const { token } = await broker.handOut({ subject: '1' });
    await broker.handOut({ subject: '2' });
    await broker.purge('2');
    const { slots } = await time.settle(createSlotListing(operators)(connection));
    const { issuedAt, expiresAt, refreshAt } = token;

    expect(slots).toEqual([
      { subject: '1', state: 'fresh', issuedAt, expiresAt, refreshAt, generation: 1, lastError: undefined },
      {
        subject: '2',
        state: 'empty',
        issuedAt: undefined,
        expiresAt: undefined,
        refreshAt: undefined,
        generation: 2,
        lastError: undefined,
      },
    ]);
  });
});

describe('a new version of a secret', () => {
  it('ends the back-off of every slot of the connection, however many', async () => {
    const { broker, table, slot } = withSlots(() => ({ notBefore: 9_000_000_000_000 }));
    await broker.rotationEvent();

    expect(subjects.filter((subject) => table.get(slot(subject))?.notBefore !== 0)).toEqual([]);
  });

  it.each([
    ['a back-off', { notBefore: 9_000_000_000_000 }, true],
    ['a refused version', { refusedVersion: 'version-0' }, true],
    ['a failure', { failure: { code: 'upstream_timeout', at: 1 } }, true],
    ['nothing', {}, false],
  ] as const)('makes a slot that is in use and held back by %s due at once', async (_what, held, isDue) => {
    const { broker, table, slot, record, time, writes } = harness();
    await broker.handOut();
    table.set('spoil', slot(), { ...record(), ...held });
    const { dueAt } = record();
    const before = writes.length;
    const now = time.now();
    await broker.rotationEvent();

    expect(writes).toHaveLength(before + (isDue ? 1 : 0));
    expect((record().dueAt ?? 0) - now <= 10).toBe(isDue);
    if (!isDue) expect(record().dueAt).toBe(dueAt);
  });

  it.each([
    [0, true],
    [1, false],
  ])('makes a slot due that was last handed out idleSeconds ago: %i ms more, %s', async (moreMs, isDue) => {
    const { broker, table, slot, record, time } = harness({ connection: helpdeskConnection({ idleSeconds: 60 }) });
    await broker.handOut();
    const { dueAt: _, ...off } = record();
    // The page of the listing is there 2 ms from now.
    table.set('spoil', slot(), { ...off, notBefore: 1, lastHandedOutAt: time.now() + 2 - 60_000 - moreMs });
    await broker.rotationEvent();

    expect(record().dueAt !== undefined).toBe(isDue);
  });

  it('leaves slots alone that the configuration no longer has', async () => {
    const { broker, table, slot, record } = harness();
    const old = { ...slot(), fingerprint: 'before' };
    const held = { ...record(), notBefore: 9_000_000_000_000 };
    table.set('spoil', old, held);
    await broker.rotationEvent();

    expect(table.get(old)).toEqual(held);
  });
});

describe('a purge by an operator', () => {
  it('finds the slot by a consistent read, however far others lag', async () => {
    const { broker, operators, record } = harness();
    await broker.handOut();
    const read = operators.store.read.bind(operators.store);
    operators.store.read = async (slot, options) => (options.consistent ? read(slot, options) : undefined);
    await broker.purge();

    expect(record().token).toBeUndefined();
  });

  it('clears the count of refused slots only where there is one', async () => {
    const { broker, refusals, upstream } = harness();
    await broker.handOut();
    await broker.purge();
    expect(refusals).toEqual([]);
    upstream.rules.accepted.clear();
    await broker.refusal({ subject: '88' });
    await broker.purge();

    expect(refusals.map(({ after }) => after?.slots)).toEqual([1, undefined]);
  });
});
