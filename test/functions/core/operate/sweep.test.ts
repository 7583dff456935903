import { describe, expect, it } from 'vitest';
import { createSweep } from '../../../../functions/core/operate/sweep.ts';
import type { MintInvocation, MintInvoker } from '../../../../functions/core/slot/minter.ts';
import type { DueSlot } from '../../../../functions/core/slot/store.ts';
import { harness } from '../../../protocol/harness.ts';
import { helpdeskConnection } from '../../../simulation/connections.ts';
import { createMemoryStore } from '../../../simulation/memory-store.ts';
import { createMemoryTable } from '../../../simulation/memory-table.ts';
import { createSeededRandom } from '../../../simulation/seeded-random.ts';
import { createProcess } from '../../../simulation/simulated-process.ts';
import { createVirtualTime } from '../../../simulation/virtual-time.ts';

describe('a sweep', () => {
  it('refreshes what is due and in use, and costs nothing for the rest', async () => {
    const { broker, advance, upstream } = harness();
    await broker.handOut({ subject: '1' });
    await advance({ hours: 10 });
    await broker.handOut({ subject: '2' });
    expect(await broker.sweep()).toMatchObject({ due: 0, begun: 0 });
    await advance({ hours: 10 });

    expect(await broker.sweep()).toMatchObject({ due: 1, begun: 1, backlog: 0, outcomes: { published: 1 } });
    expect(upstream.logins.map(({ subject }) => subject)).toEqual(['1', '2', '1']);
  });

  it('does nothing twice when it runs twice', async () => {
    const { broker, advance, upstream, world, time } = harness();
    await broker.handOut();
    await advance({ hours: 20 });
    await time.settle(Promise.all([world.sweep(), world.sweep(), world.sweep()]));
    await broker.sweep();

    expect(upstream.logins).toHaveLength(2);
  });

  it('removes an idle slot from the schedule and does nothing else, until a hand-out ends the idleness', async () => {
    const { broker, advance, upstream, record, connection } = harness({
      connection: helpdeskConnection({ idleSeconds: 3_600 }),
    });
    await broker.handOut();
    await advance({ hours: 20 });
    expect(await broker.sweep()).toMatchObject({ outcomes: { idle: 1 } });
    expect(record().dueAt).toBeUndefined();
    expect(await broker.sweep()).toMatchObject({ due: 0 });
    expect(upstream.logins).toHaveLength(1);

    const before = record();
    await broker.handOut();
    expect(record().dueAt).toBe(before.token?.refreshAt);
    expect(connection.idleSeconds).toBe(3_600);
  });

  it('notes use at most once in a tenth of idleSeconds', async () => {
    const { broker, advance, writes } = harness({
      connection: helpdeskConnection({ idleSeconds: 3_600, memorySeconds: 0 }),
    });
    await broker.handOut();
    for (let minute = 0; minute < 60; minute += 1) {
      await advance({ minutes: 1 });
      await broker.handOut();
    }

    const noted = writes.filter(({ operation }) => operation === 'recordUse').length;
    expect(noted).toBeGreaterThanOrEqual(8);
    expect(noted).toBeLessThanOrEqual(10);
  });

  it('puts a slot whose mint failed back for when its back-off is over', async () => {
    const { broker, advance, upstream, record } = harness();
    await broker.handOut();
    await advance({ hours: 20 });
    upstream.planned.push('broken');
    await broker.sweep();
    expect(record().dueAt).toBe(record().notBefore);
    expect(await broker.sweep()).toMatchObject({ due: 0 });
    await advance({ minutes: 2 });

    expect(await broker.sweep()).toMatchObject({ outcomes: { published: 1 } });
  });

  it('passes over slots of connections that are no longer configured', async () => {
    const { broker, advance, table, slot, upstream, record } = harness();
    await broker.handOut();
    for (const n of [1, 2, 3]) table.set('spoil', { ...slot(), connection: `gone-${n}` }, { ...record(), dueAt: n });
    await advance({ hours: 20 });

    expect(await broker.sweep()).toMatchObject({ due: 1, begun: 1 });
    expect(upstream.logins).toHaveLength(2);
  });

  it('takes a slot of another fingerprint off the schedule', async () => {
    const { broker, advance, table, slot, upstream, record } = harness();
    await broker.handOut();
    const old = { ...slot(), fingerprint: 'before' };
    table.set('spoil', old, { ...record(), dueAt: 1 });
    await advance({ hours: 1 });

    expect(await broker.sweep()).toMatchObject({ outcomes: { idle: 1 } });
    expect(table.get(old)?.dueAt).toBeUndefined();
    expect(upstream.logins).toHaveLength(1);
  });
});

describe('the limits of a sweep', () => {
  const reply: MintInvocation = { kind: 'reply', reply: { outcome: 'current' } };

  function sweepOver(
    slots: number,
    mintMs: number,
    connections = ['helpdesk'],
    {
      gone = 0,
      becomes = () => reply,
    }: { readonly gone?: number; readonly becomes?: (n: number) => MintInvocation } = {},
  ) {
    const random = createSeededRandom(1);
    const time = createVirtualTime(1_800_000_000_000);
    const latency = { least: 1, most: 1, slowChance: 0, slowMost: 1 };
    const process = createProcess('refresh', { time, random, latency });
    const { clock } = process;
    const table = createMemoryTable({ now: time.now });
    const weather = { down: 0, writesDown: 0, replyLost: 0, sentTwice: 0, staleMs: 0 };
    const store = createMemoryStore({ table, process, random, weather, now: time.now, onActor: () => {} });
    const found: DueSlot[] = Array.from({ length: gone + slots }, (_, n) => ({
      slot: {
        connection: n < gone ? 'gone' : (connections[n % connections.length] ?? ''),
        subject: String(n + 1),
        fingerprint: 'f00d',
      },
      dueAt: n,
    }));
    const limits: number[] = [];
    store.due = async ({ limit }) => {
      limits.push(limit);
      return found.slice(0, limit);
    };
    const running = new Map<string, number>();
    let most = 0;
    let lastBegunAt = 0;
    let invoked = 0;
    const timeouts = new Set<number>();
    const minter: MintInvoker = {
      async invoke(_connection, request, timeoutMs) {
        timeouts.add(timeoutMs);
        const now = (running.get(request.connection) ?? 0) + 1;
        running.set(request.connection, now);
        most = Math.max(most, now);
        lastBegunAt = time.now();
        await time.after(mintMs);
        running.set(request.connection, (running.get(request.connection) ?? 0) - 1);
        invoked += 1;
        return becomes(invoked);
      },
      ask: async () => {},
    };
    const backlogs: number[] = [];
    const sweep = createSweep({
      store,
      minter,
      clock,
      telemetry: {
        metrics: (_dimensions, { RefreshBacklog }) => {
          if (RefreshBacklog !== undefined) backlogs.push(RefreshBacklog.value);
        },
        warn: () => {},
        info: () => {},
      },
      connections: Object.fromEntries(connections.map((name) => [name, helpdeskConnection({ name })])),
    });
    const began = time.now();
    return time.settle(sweep()).then((result) => ({
      result,
      most,
      lastBegunMs: lastBegunAt - began,
      backlogs,
      limits,
      timeouts: [...timeouts],
    }));
  }

  it('are 500 slots, 10 at once a connection', async () => {
    const { result, most, backlogs } = await sweepOver(2_000, 100);

    expect(result).toMatchObject({ begun: 500 });
    expect(result.backlog).toBeGreaterThan(0);
    expect(backlogs).toEqual([result.backlog]);
    expect(most).toBe(10);
  });

  it('are no fewer at once for the other connections', async () => {
    const { result, most, lastBegunMs } = await sweepOver(500, 1_000, ['helpdesk', 'other']);

    expect(result).toMatchObject({ begun: 500, backlog: 0 });
    expect(most).toBe(10);
    expect(lastBegunMs).toBeLessThan(26_000);
  });

  it('are 30 s to begin in: the rest is the backlog', async () => {
    const { result, lastBegunMs, backlogs } = await sweepOver(500, 4_000);

    expect(lastBegunMs).toBeLessThan(30_000);
    expect(result.begun).toBe(80);
    expect(backlogs).toEqual([420]);
  });

  it('are the moment of the thirtieth second: what would begin then waits for the next', async () => {
    expect((await sweepOver(500, 2_999)).result.begun).toBe(110);
    expect((await sweepOver(500, 3_000)).result.begun).toBe(100);
  });

  it.each([
    [500, 0, 500],
    [501, 1, 500],
    [0, 0, 0],
  ])('leave of %i due slots a backlog of %i', async (slots, backlog, begun) => {
    expect((await sweepOver(slots, 1)).result).toMatchObject({ due: slots, begun, backlog });
  });

  it('give each mint the time that it may take at the most', async () => {
    expect((await sweepOver(3, 1)).timeouts).toEqual([22_000]);
  });

  it('are read past what is due of connections that are gone, and no further than need be', async () => {
    const few = await sweepOver(3, 1, ['helpdesk'], { gone: 400 });
    expect([few.result.begun, few.limits]).toEqual([3, [501]]);
    const many = await sweepOver(3, 1, ['helpdesk'], { gone: 1_100 });
    expect([many.result.begun, many.limits]).toEqual([3, [501, 1_002, 2_004]]);
    const both = await sweepOver(900, 1, ['helpdesk'], { gone: 501 });
    expect([both.result.begun, both.limits]).toEqual([500, [501, 1_002]]);
  });

  it('are read no further than some 8,000 entries', async () => {
    const { result, limits } = await sweepOver(3, 1, ['helpdesk'], { gone: 20_000 });

    expect(result.begun).toBe(0);
    expect(limits).toEqual([501, 1_002, 2_004, 4_008, 8_016]);
  });

  it('count what became of each, answered or not', async () => {
    const kinds: readonly MintInvocation[] = [{ kind: 'unanswered' }, { kind: 'refused' }, { kind: 'function_error' }];
    const { result } = await sweepOver(7, 1, ['helpdesk'], { becomes: (n) => kinds[n % 4] ?? reply });

    expect(result.outcomes).toEqual({ refused: 2, function_error: 2, current: 2, unanswered: 1 });
  });
});
