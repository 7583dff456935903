import { describe, expect, it } from 'vitest';
import { createSlotListing } from '../../../../functions/core/operate/status.ts';
import type { SlotRecord } from '../../../../functions/core/slot/record.ts';
import type { Slot } from '../../../../functions/core/slot/slot.ts';
import { harness } from '../../../protocol/harness.ts';

describe('the states of slots', () => {
  async function states(made: ReturnType<typeof harness>) {
    const { operators, connection, time } = made;
    const { slots } = await time.settle(createSlotListing(operators)(connection));
    return Object.fromEntries(slots.map(({ subject, state }) => [subject, state]));
  }

  it('are refreshing, cooldown, fresh and empty, in that order of precedence', async () => {
    const made = harness();
    const { broker, upstream, fleet, weather, advance } = made;
    await broker.handOut({ subject: '1' });
    upstream.planned.push('broken');
    await broker.refusal({ subject: '2' });
    await broker.handOut({ subject: '3' });
    await broker.purge('3');
    weather.invoker.crashWithinSteps = 0;
    fleet.planned.push('crash');
    await broker.refusal({ subject: '4' });

    expect(await states(made)).toEqual({ '1': 'fresh', '2': 'cooldown', '3': 'empty', '4': 'refreshing' });
    await advance({ seconds: 18 });
    expect(await states(made)).toMatchObject({ '4': 'cooldown' });
    await advance({ hours: 25 });
    expect(await states(made)).toMatchObject({ '1': 'empty' });
  });

  it('show a refused credential beside a good token as cooldown, with the last error', async () => {
    const made = harness();
    const { broker, upstream, advance, operators, connection, time } = made;
    await broker.handOut();
    upstream.rules.accepted.clear();
    await advance({ hours: 20 });
    await broker.sweep();
    await advance({ minutes: 5 });
    const { slots } = await time.settle(createSlotListing(operators)(connection));

    expect(slots[0]).toMatchObject({ state: 'cooldown', lastError: { code: 'upstream_credential_rejected' } });
  });

  it('leave out slots of another fingerprint', async () => {
    const made = harness();
    await made.broker.handOut();
    made.table.set('spoil', { ...made.slot('7'), fingerprint: 'before' }, made.record());

    expect(Object.keys(await states(made))).toEqual(['system']);
  });
});

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
