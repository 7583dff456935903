import { describe, expect, it } from 'vitest';
import type { SlotRecord } from '../../../../functions/core/slot/record.ts';
import type { Slot } from '../../../../functions/core/slot/slot.ts';
import { harness } from '../../../protocol/harness.ts';
import { helpdeskConnection } from '../../../simulation/connections.ts';

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

describe('a rotation event', () => {
  it('ends the back-off of the connection, and keeps good tokens', async () => {
    const { broker, upstream, record, advance } = harness();
    const { token } = await broker.handOut();
    await broker.handOut({ subject: '88' });
    await advance({ hours: 20 });
    upstream.planned.push('broken', 'broken');
    await broker.sweep();
    expect(record('88').notBefore).toBeGreaterThan(0);
    await broker.rotationEvent();

    expect([record().notBefore, record('88').notBefore]).toEqual([0, 0]);
    expect((await broker.handOut()).token.hash).toBe(token.hash);
    await broker.sweep();
    expect([record().generation, record('88').generation]).toEqual([2, 2]);
  });

  it('leaves slots that are not in use off the schedule', async () => {
    const { broker, upstream, record, advance } = harness();
    upstream.rules.accepted.clear();
    await broker.refusal();
    await advance({ hours: 48 });
    await broker.rotationEvent();

    expect(record()).toMatchObject({ notBefore: 0 });
    expect(record().dueAt).toBeUndefined();
  });

  it('causes no login of a slot with a good token that is not due', async () => {
    const { broker, upstream } = harness();
    await broker.handOut();
    broker.rotateSecret('other');
    upstream.rules.accepted.add('other');
    await broker.rotationEvent();
    await broker.sweep();

    expect(upstream.logins).toHaveLength(1);
  });
});
