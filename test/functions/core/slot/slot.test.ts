import { describe, expect, it } from 'vitest';
import { createTokenMemory } from '../../../../functions/core/hand-out/memory.ts';
import { createSlotListing } from '../../../../functions/core/operate/status.ts';
import {
  isServed,
  isStaffSubject,
  SUBJECT_PATTERN,
  slotFor,
  slotId,
  slotOf,
} from '../../../../functions/core/slot/slot.ts';
import type { Token } from '../../../../functions/core/slot/token.ts';
import { BrokerError, isBrokerErrorCode, statusByCode } from '../../../../functions/core/words/errors.ts';
import { isJsonObject } from '../../../../functions/core/words/json.ts';
import { Secret } from '../../../../functions/core/words/secret.ts';
import { createSingleFlight } from '../../../../functions/core/words/single-flight.ts';
import { harness } from '../../../protocol/harness.ts';
import { helpdeskConnection, workforceConnection } from '../../../simulation/connections.ts';

describe('subjects (H8, H9)', () => {
  const helpdesk = helpdeskConnection();

  it.each(['0', '01', '-1', '1.0', ' 1', '1 ', '2147483648', '99999999999', '', 'System', 'SYSTEM', '１', '__proto__'])(
    'takes %j for no subject at all',
    (subject) => {
      expect(isStaffSubject(subject)).toBe(false);
      expect(() => slotFor(helpdesk, subject)).toThrow(expect.objectContaining({ code: 'invalid_subject' }));
    },
  );

  it.each(['1', '88', '2147483647'])('takes %j for a staff PKID', (subject) => {
    expect(slotFor(helpdesk, subject)).toEqual({ connection: 'helpdesk', subject, fingerprint: helpdesk.fingerprint });
  });

  it('refuses a kind of subject that the connection does not serve', () => {
    const staffOnly = helpdeskConnection({ subjects: { system: false, staff: true } });

    expect(() => slotFor(workforceConnection(), '88')).toThrow(
      expect.objectContaining({ code: 'subject_not_supported' }),
    );
    expect(() => slotFor(staffOnly, 'system')).toThrow(expect.objectContaining({ code: 'subject_not_supported' }));
  });

  it('refuses staff outside the list, and knows who is served', () => {
    const listed = helpdeskConnection({ subjects: { system: true, staff: ['88'] } });

    expect(slotFor(listed, '88').subject).toBe('88');
    expect(() => slotFor(listed, '89')).toThrow(expect.objectContaining({ code: 'forbidden' }));
    expect(isServed(listed, slotOf(listed, '88'))).toBe(true);
    expect(isServed(listed, slotOf(listed, '89'))).toBe(false);
    expect(slotFor(listed, 'system').subject).toBe('system');
  });

  it.each([
    ['system', true],
    ['88', true],
    ['2147483647', true],
    ['systems', false],
    ['a system', false],
    ['088', false],
    ['88x', false],
    ['', false],
  ])('are written as the pattern says: %j: %s', (subject, isOne) => {
    expect(SUBJECT_PATTERN.test(subject)).toBe(isOne);
  });

  it('names slots apart by connection, subject and fingerprint (invariant 8)', () => {
    const slot = slotOf(helpdesk, '88');
    const others = [
      { ...slot, connection: 'x' },
      { ...slot, subject: '8' },
      { ...slot, fingerprint: 'f' },
    ];

    expect(new Set([slot, ...others].map(slotId)).size).toBe(4);
  });
});

describe('error codes', () => {
  it('have a status each, and nothing else is a code', () => {
    for (const [code, status] of Object.entries(statusByCode)) {
      expect(isBrokerErrorCode(code)).toBe(true);
      expect(status).toBeGreaterThanOrEqual(400);
    }
    for (const other of ['', 'toString', '__proto__', 'constructor']) expect(isBrokerErrorCode(other)).toBe(false);
    expect(new BrokerError('cooldown', 'later').status).toBe(503);
  });

  it('are what an error shows of itself, before its detail', () => {
    expect(String(new BrokerError('cooldown', 'Later.'))).toBe('BrokerError: cooldown: Later.');
  });
});

describe('createSingleFlight', () => {
  it('does one piece of work for all who overlap under a key, and tells who began it', async () => {
    const once = createSingleFlight<number>();
    let works = 0;
    const work = async () => {
      works += 1;
      return works;
    };
    const together = await Promise.all([once('one', work), once('one', work), once('other', work)]);

    expect(together).toEqual([
      { value: 1, shared: false },
      { value: 1, shared: true },
      { value: 2, shared: false },
    ]);
    expect(await once('one', work)).toEqual({ value: 3, shared: false });
  });

  it('keeps nothing of work that failed', async () => {
    const once = createSingleFlight<number>();
    const failing = () => Promise.reject(new Error('no'));
    await Promise.allSettled([once('key', failing), once('key', failing)]);

    expect(await once('key', async () => 7)).toEqual({ value: 7, shared: false });
  });
});

describe('createTokenMemory', () => {
  const token = (generation: number): Token => ({
    value: new Secret('token'),
    attributes: {},
    generation,
    hash: 'hash',
    secretVersion: 'version',
    issuedAt: 0,
    expiresAt: 0,
    refreshAt: 0,
  });
  const slot = (subject: string) => ({ connection: 'helpdesk', subject, fingerprint: 'f00d' });

  it('forgets the slot read longest ago once it is full', () => {
    const memory = createTokenMemory(2);
    for (const [n, subject] of ['1', '2', '1', '3'].entries()) memory.remember(slot(subject), token(n), n);

    expect(['1', '2', '3'].map((subject) => memory.last(slot(subject))?.generation)).toEqual([2, undefined, 3]);
  });

  it('is recent for as long as asked, and not when the clock has gone back', () => {
    const memory = createTokenMemory();
    memory.remember(slot('1'), token(1), 100_000);

    expect(memory.recent(slot('1'), 129_999, 30)?.generation).toBe(1);
    expect(memory.recent(slot('1'), 130_000, 30)).toBeUndefined();
    expect(memory.recent(slot('1'), 94_000, 30)).toBeUndefined();
  });

  it.each([
    ['that was begun a moment before the other', 99_999, 2],
    ['that was begun nearly half a minute before', 70_001, 2],
    ['of a clock that has gone back half a minute', 70_000, 1],
    ['that was begun at the same moment and ended later', 100_000, 1],
    ['that was begun later', 100_001, 1],
  ])('keeps the one begun later: one %s', (_which, readAt, kept) => {
    const memory = createTokenMemory();
    memory.remember(slot('1'), token(2), 100_000);
    memory.remember(slot('1'), token(1), readAt);

    expect(memory.last(slot('1'))?.generation).toBe(kept);
  });

  it('takes a clock that has gone back by no more than the skew for the same', () => {
    const memory = createTokenMemory();
    memory.remember(slot('1'), token(1), 100_000);

    expect(memory.recent(slot('1'), 95_000, 30)?.generation).toBe(1);
    expect(memory.recent(slot('1'), 94_999, 30)).toBeUndefined();
  });
});

describe('isJsonObject', () => {
  it.each([
    [{}, true],
    [{ a: 1 }, true],
    [[], false],
    [null, false],
    ['text', false],
    [7, false],
    [true, false],
    [undefined, false],
  ])('of %j is %s', (value, isOne) => {
    expect(isJsonObject(value)).toBe(isOne);
  });
});

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
