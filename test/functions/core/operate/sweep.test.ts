import { describe, expect, it } from 'vitest';
import { createSweep } from '../../../../functions/core/operate/sweep.ts';
import type { Connection } from '../../../../functions/core/slot/connection.ts';
import type { MintInvocation } from '../../../../functions/core/slot/minter.ts';
import { slotOf } from '../../../../functions/core/slot/slot.ts';
import type { DueSlot } from '../../../../functions/core/slot/store.ts';
import { harness } from '../../../protocol/harness.ts';
import { booksConnection, helpdeskConnection } from '../../../simulation/connections.ts';
import { createVirtualTime } from '../../../simulation/virtual-time.ts';

/** Makes `count` due slots of a connection, one a millisecond from `since` on. */
function dueOf(connection: string, count: number, since = 0): DueSlot[] {
  return Array.from({ length: count }, (_, n) => ({
    slot: { connection, subject: String(n + 1), fingerprint: 'f00d' },
    dueAt: since + n,
  }));
}

/** A sweep over what is due, and what it did; a slot whose mint is refused stays due. */
function sweepOver(
  due: readonly DueSlot[],
  {
    connections = ['helpdesk'],
    mintMs = 1,
    becomes = () => ({ kind: 'reply', reply: { outcome: 'current' } }),
  }: {
    readonly connections?: readonly string[];
    readonly mintMs?: number;
    readonly becomes?: (connection: string, invocation: number) => MintInvocation;
  } = {},
) {
  const time = createVirtualTime(1_800_000_000_000);
  const began = time.now();
  const left = due.toSorted((a, b) => a.dueAt - b.dueAt);
  const did = {
    limits: [] as number[],
    timeouts: new Set<number>(),
    backlogs: [] as number[],
    most: 0,
    lastBegunMs: 0,
  };
  const begun = new Map(connections.map((name): [string, string[]] => [name, []]));
  const running = new Map<string, number>();
  let invocations = 0;
  const sweep = createSweep({
    store: {
      async due({ limit }) {
        did.limits.push(limit);
        return left.slice(0, limit);
      },
    },
    minter: {
      async invoke({ name }, { subject }, timeoutMs) {
        begun.get(name)?.push(subject);
        running.set(name, (running.get(name) ?? 0) + 1);
        did.timeouts.add(timeoutMs);
        did.most = Math.max(did.most, running.get(name) ?? 0);
        did.lastBegunMs = time.now() - began;
        await time.after(mintMs);
        running.set(name, (running.get(name) ?? 0) - 1);
        invocations += 1;
        const became = becomes(name, invocations);
        const isThis = ({ slot }: DueSlot) => slot.connection === name && slot.subject === subject;
        if (became.kind !== 'refused') left.splice(left.findIndex(isThis), 1);
        return became;
      },
      ask: async () => true,
    },
    telemetry: {
      metrics: (_dimensions, { RefreshBacklog }) => {
        if (RefreshBacklog !== undefined) did.backlogs.push(RefreshBacklog.value);
      },
      warn: () => {},
      info: () => {},
    },
    clock: { now: time.now, monotonic: time.now, sleep: time.after },
    connections: Object.fromEntries(connections.map((name) => [name, helpdeskConnection({ name })])),
  });
  return { did, begun, sweep: () => time.settle(sweep()) };
}

describe('createSweep', () => {
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

  it('takes an idle slot off the schedule, until a hand-out ends the idleness', async () => {
    const { broker, advance, upstream, record } = harness({ connection: helpdeskConnection({ idleSeconds: 3_600 }) });
    await broker.handOut();
    await advance({ hours: 20 });
    expect(await broker.sweep()).toMatchObject({ outcomes: { idle: 1 } });
    expect(record().dueAt).toBeUndefined();
    expect(await broker.sweep()).toMatchObject({ due: 0 });
    expect(upstream.logins).toHaveLength(1);
    const { token } = record();
    await broker.handOut();

    expect(record().dueAt).toBe(token?.refreshAt);
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

  it('begins 500 slots at the most, 10 at once a connection', async () => {
    const { sweep, did } = sweepOver(dueOf('helpdesk', 2_000), { mintMs: 100 });
    const { begun, backlog } = await sweep();

    expect(begun).toBe(500);
    expect(backlog).toBeGreaterThan(0);
    expect(did).toMatchObject({ most: 10, backlogs: [backlog] });
  });

  it('begins no fewer at once for each of two connections', async () => {
    const due = [...dueOf('helpdesk', 250), ...dueOf('other', 250)];
    const { sweep, did } = sweepOver(due, { connections: ['helpdesk', 'other'], mintMs: 1_000 });

    expect(await sweep()).toMatchObject({ begun: 500, backlog: 0 });
    expect(did.most).toBe(10);
    expect(did.lastBegunMs).toBeLessThan(26_000);
  });

  it.each([
    [2_999, 110],
    [3_000, 100],
    [4_000, 80],
  ])('begins nothing from the thirtieth second on: of mints of %i ms %i', async (mintMs, begun) => {
    const { sweep, did } = sweepOver(dueOf('helpdesk', 500), { mintMs });

    expect(await sweep()).toMatchObject({ begun, backlog: 500 - begun });
    expect(did.lastBegunMs).toBeLessThan(30_000);
  });

  it.each([
    [500, 0, 500],
    [501, 1, 500],
    [0, 0, 0],
  ])('leaves of %i due slots a backlog of %i', async (slots, backlog, begun) => {
    const { sweep, did } = sweepOver(dueOf('helpdesk', slots));

    expect(await sweep()).toMatchObject({ due: slots, begun, backlog });
    expect(did.backlogs).toEqual(slots === 0 ? [] : [backlog]);
  });

  it('gives each mint the time that it may take at the most', async () => {
    const { sweep, did } = sweepOver(dueOf('helpdesk', 3));
    await sweep();

    expect([...did.timeouts]).toEqual([22_000]);
  });

  it('counts what became of each, answered or not', async () => {
    const kinds = ['unanswered', 'refused', 'function_error'] as const;
    const { sweep } = sweepOver(dueOf('helpdesk', 7), {
      becomes(_connection, n) {
        const kind = kinds[n % 4];
        return kind === undefined ? { kind: 'reply', reply: { outcome: 'current' } } : { kind };
      },
    });

    expect((await sweep()).outcomes).toEqual({ refused: 2, function_error: 2, current: 2, unanswered: 1 });
  });

  it.each([
    ['helpdesk', 3, 400, 3, [501]],
    ['helpdesk', 3, 1_100, 3, [501, 1_002, 2_004]],
    ['helpdesk', 900, 501, 500, [501, 1_002]],
    ['helpdesk', 3, 20_000, 0, [501, 1_002, 2_004, 4_008, 8_016]],
  ])('reads past slots of connections that are gone: to %s’s %i past %i', async (name, own, gone, begun, limits) => {
    const { sweep, did } = sweepOver([...dueOf('gone', gone), ...dueOf(name, own, gone)]);

    expect((await sweep()).begun).toBe(begun);
    expect(did.limits).toEqual(limits);
  });
});

describe('createSweep, over several connections', () => {
  const connections = ['a', 'b', 'c'];
  const counts = (begun: ReadonlyMap<string, readonly string[]>) => [...begun.values()].map(({ length }) => length);

  it('is not taken up by one whose slots stay due however often they are tried', async () => {
    const due = [...dueOf('a', 2_000), ...dueOf('b', 40, 10_000), ...dueOf('c', 3, 20_000)];
    const { sweep, begun } = sweepOver(due, {
      connections,
      becomes: (name) => (name === 'a' ? { kind: 'refused' } : { kind: 'reply', reply: { outcome: 'current' } }),
    });
    expect(await sweep()).toMatchObject({ begun: 500 });
    expect(counts(begun)).toEqual([457, 40, 3]);
    expect(await sweep()).toMatchObject({ begun: 500 });

    expect(begun.get('a')).toHaveLength(957);
  });

  it('shares its 500 slots out evenly, each connection’s longest overdue first', async () => {
    const due = [...dueOf('a', 600), ...dueOf('b', 600, 1_000), ...dueOf('c', 600, 2_000)];
    const { sweep, begun } = sweepOver(due, { connections });
    await sweep();

    expect(counts(begun)).toEqual([167, 167, 166]);
    expect(begun.get('c')?.toSorted((x, y) => Number(x) - Number(y))).toEqual(
      Array.from({ length: 166 }, (_, n) => String(n + 1)),
    );
  });

  it.each([
    ['500 of one', dueOf('a', 500), [501]],
    ['900 of one', dueOf('a', 900), [501, 1_002]],
    ['400 of each', connections.flatMap((name) => dueOf(name, 400)), [501]],
    ['20,000 of one', dueOf('a', 20_000), [501, 1_002, 2_004, 4_008, 8_016]],
  ])('reads on only while one that was not seen enough could still be waiting: %s', async (_what, due, limits) => {
    const { sweep, did } = sweepOver(due, { connections });
    await sweep();

    expect(did.limits).toEqual(limits);
  });

  it('reports as backlog what it read and did not begin', async () => {
    const { sweep, did } = sweepOver([...dueOf('a', 900), ...dueOf('b', 10, 1_000)], { connections });

    expect(await sweep()).toMatchObject({ due: 910, begun: 500, backlog: 410 });
    expect(did.backlogs).toEqual([410]);
  });
});

describe('a refresh token that lapses unused', () => {
  const books = booksConnection();
  const rotates = { graceSeconds: 0, lapsesAfterSeconds: 86_400 };
  const lapsing = {
    ...books,
    provider: {
      ...books.provider,
      secretFields: { ...books.provider.secretFields, refreshToken: { rotates } },
    },
  };

  /** Sweeps each minute of so many hours; gives the slots that were begun. */
  async function begunIn(hours: number, connection: Connection, due: readonly DueSlot[] = []) {
    const time = createVirtualTime(1_800_000_000_000);
    const begun: string[] = [];
    const sweep = createSweep({
      store: { due: async () => due },
      minter: {
        async invoke({ name }, { subject, trigger }) {
          begun.push(`${name}/${subject} ${trigger}`);
          return { kind: 'reply', reply: { outcome: 'idle' } };
        },
        ask: async () => true,
      },
      telemetry: { metrics() {}, info() {}, warn() {} },
      clock: { now: time.now, monotonic: time.now, sleep: time.after },
      connections: { [connection.name]: connection },
    });
    for (let minute = 0; minute < hours * 60; minute += 1) {
      await time.settle(sweep());
      await time.advance(60_000);
    }
    return begun;
  }

  it('is looked at once an hour, though no slot is due', async () => {
    expect(await begunIn(3, lapsing)).toEqual(Array.from({ length: 3 }, () => 'books/system schedule'));
  });

  it('is begun once where its slot is due by itself, and none that does not lapse is begun', async () => {
    expect(await begunIn(1 / 60, lapsing, [{ slot: slotOf(lapsing, 'system'), dueAt: 0 }])).toHaveLength(1);
    expect(await begunIn(3, books)).toEqual([]);
    expect(await begunIn(3, { ...lapsing, subjects: { system: false, users: false } })).toEqual([]);
  });
});
