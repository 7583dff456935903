import { describe, expect, it } from 'vitest';
import { createSweep } from '../../../../functions/core/operate/sweep.ts';
import type { DueSlot } from '../../../../functions/core/slot/store.ts';
import { helpdeskConnection } from '../../../simulation/connections.ts';

/** So many due slots of a connection, one a millisecond from `since` on. */
function dueOf(connection: string, count: number, since: number): DueSlot[] {
  return Array.from({ length: count }, (_, n) => ({
    slot: { connection, subject: String(n + 1), fingerprint: 'f00d' },
    dueAt: since + n,
  }));
}

/** Sweeps once over what is due; mints of `stuck` are refused, so that their slots stay due. */
async function sweepOver(due: readonly DueSlot[], { stuck = '' } = {}) {
  const left = due.toSorted((a, b) => a.dueAt - b.dueAt);
  const limits: number[] = [];
  const begun: Record<string, string[]> = {};
  const backlogs: number[] = [];
  const sweep = createSweep({
    store: {
      due: async ({ limit }) => {
        limits.push(limit);
        return left.slice(0, limit);
      },
    },
    minter: {
      async invoke({ name }, { subject }) {
        begun[name] = [...(begun[name] ?? []), subject];
        if (name === stuck) return { kind: 'refused' };
        left.splice(
          left.findIndex(({ slot }) => slot.connection === name && slot.subject === subject),
          1,
        );
        return { kind: 'reply', reply: { outcome: 'current' } };
      },
      ask: async () => {},
    },
    telemetry: {
      metrics: (_dimensions, { RefreshBacklog }) => {
        if (RefreshBacklog !== undefined) backlogs.push(RefreshBacklog.value);
      },
      warn: () => {},
      info: () => {},
    },
    clock: { now: () => 1_800_000_000_000, monotonic: () => 0, sleep: async () => {} },
    connections: Object.fromEntries(['a', 'b', 'c'].map((name) => [name, helpdeskConnection({ name })])),
  });
  return { sweep, begun, limits, backlogs };
}

describe('a sweep over several connections', () => {
  it('is not taken up by one whose slots stay due however often they are tried', async () => {
    const due = [...dueOf('a', 2_000, 0), ...dueOf('b', 40, 10_000), ...dueOf('c', 3, 20_000)];
    const { sweep, begun } = await sweepOver(due, { stuck: 'a' });
    expect(await sweep()).toMatchObject({ begun: 500 });

    expect([begun['a']?.length, begun['b']?.length, begun['c']?.length]).toEqual([457, 40, 3]);
    expect(await sweep()).toMatchObject({ begun: 500 });
    expect(begun['a']).toHaveLength(957);
  });

  it('shares its 500 slots out evenly, each connection’s longest overdue first', async () => {
    const due = [...dueOf('a', 600, 0), ...dueOf('b', 600, 1_000), ...dueOf('c', 600, 2_000)];
    const { sweep, begun } = await sweepOver(due);
    await sweep();

    expect([begun['a']?.length, begun['b']?.length, begun['c']?.length]).toEqual([167, 167, 166]);
    expect(begun['c']?.toSorted((x, y) => Number(x) - Number(y))).toEqual(
      Array.from({ length: 166 }, (_, n) => String(n + 1)),
    );
  });

  it('reads on only while one that was not seen enough could still be waiting', async () => {
    const { sweep: few, limits: forFew } = await sweepOver(dueOf('a', 500, 0));
    await few();
    expect(forFew).toEqual([501]);
    const { sweep: one, limits: forOne } = await sweepOver(dueOf('a', 900, 0));
    await one();
    expect(forOne).toEqual([501, 1_002]);
    const even = [...dueOf('a', 400, 0), ...dueOf('b', 400, 0), ...dueOf('c', 400, 0)];
    const { sweep: all, limits: forAll } = await sweepOver(even);
    await all();
    expect(forAll).toEqual([501]);
    const { sweep: many, limits: forMany } = await sweepOver(dueOf('a', 20_000, 0));
    await many();
    expect(forMany).toEqual([501, 1_002, 2_004, 4_008, 8_016]);
  });

  it('reports as backlog what it read and did not begin', async () => {
    const { sweep, backlogs } = await sweepOver([...dueOf('a', 900, 0), ...dueOf('b', 10, 1_000)]);
    expect(await sweep()).toMatchObject({ due: 910, begun: 500, backlog: 410 });
    expect(backlogs).toEqual([410]);
  });
});
