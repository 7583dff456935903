import { describe, expect, it } from 'vitest';
import { BrokerError } from '../../functions/core/words/errors.ts';
import { helpdeskConnection } from '../simulation/connections.ts';
import { harness } from './harness.ts';

const staff = (count: number) => Array.from({ length: count }, (_, n) => String(n + 1));
const asksOf = (count: number) => staff(count).map((subject, n) => ({ subject, on: n % 4 }));

function withWrongCredential() {
  const made = harness({ instances: 4 });
  made.upstream.rules.accepted.clear();
  return made;
}

/** Staff with tokens that a good version brought, all of them due, before a version that the upstream does not take. */
async function dueBeforeAWrongVersion(count: number) {
  const made = harness({ instances: 4 });
  await made.broker.together(asksOf(count));
  await made.advance({ hours: 20 });
  made.broker.rotateSecret('wrong');
  const before = made.upstream.logins.length;
  return { ...made, loginsSince: () => made.upstream.logins.slice(before) };
}

describe('a version that has brought no token (invariants 21, 22, 24)', () => {
  it.each([40, 150])('is refused to one of %i users who ask at once, and stops there', async (count) => {
    const { broker, upstream } = withWrongCredential();
    const outcomes = await broker.together(asksOf(count));

    expect(upstream.logins).toHaveLength(1);
    const codes = outcomes.map((each) => (each instanceof BrokerError ? each.code : 'token'));
    expect(new Set(codes)).toEqual(new Set(['upstream_credential_rejected']));
  });

  it('may be refused to another user five minutes later, to `system` at any time, and to nobody after that', async () => {
    const { broker, upstream, advance } = withWrongCredential();
    const asked = ['1', '2', '2', '3', '4', 'system', 'system', '5', '1'];
    for (const [minute, subject] of asked.entries()) {
      expect((await broker.refusal({ subject })).code).toBe('upstream_credential_rejected');
      await advance({ minutes: minute < 6 ? 2 : 40 });
    }

    expect(upstream.logins.map(({ subject }) => subject)).toEqual(['1', '3', 'system']);
  });

  it('is refused to two users at once where the connection has no `system`', async () => {
    const connection = helpdeskConnection({ subjects: { system: false, users: true } });
    const { broker, upstream } = harness({ connection });
    upstream.rules.accepted.clear();
    await broker.together(staff(40).map((subject) => ({ subject })));

    expect(upstream.logins).toHaveLength(2);
  });

  it('serves users again once it has brought `system` a token, although it was refused to one', async () => {
    const { broker, upstream } = harness();
    upstream.rules.unknown.add('404');
    await broker.refusal({ subject: '404' });
    await broker.handOut();

    expect((await broker.handOut({ subject: '1' })).source).toBe('login');
  });

  it('leaves a login to the next version, which is tried at once', async () => {
    const { broker, upstream, advance } = withWrongCredential();
    await broker.together(asksOf(40));
    await broker.refusal();
    upstream.rules.accepted.add('mended');
    broker.rotateSecret('mended');
    await advance({ seconds: 10 });

    expect((await broker.handOut({ subject: '41' })).source).toBe('login');
    expect(upstream.logins).toHaveLength(3);
  });

  it('is refused to `system` alone where that asks first', async () => {
    const { broker, upstream, advance } = withWrongCredential();
    await broker.refusal();
    await advance({ seconds: 11 });
    await broker.together(asksOf(40));

    expect(upstream.logins).toHaveLength(1);
  });

  it.each([40, 150])('is refused to two of %i slots that the schedule finds due, sweep after sweep', async (count) => {
    const { broker, loginsSince, advance } = await dueBeforeAWrongVersion(count);
    for (let minute = 0; minute < 90; minute += 1) {
      await broker.sweep();
      await advance({ seconds: 60 });
    }

    expect(loginsSince()).toHaveLength(2);
  });

  it('leaves the tokens alone that an earlier version brought', async () => {
    const { broker } = await dueBeforeAWrongVersion(40);
    await broker.sweep();

    const outcomes = await broker.together(asksOf(40));
    expect(outcomes.filter((each) => each instanceof BrokerError)).toEqual([]);
  });

  it.each([40, 150])('serves %i users who ask at once, after one login of one of them', async (count) => {
    const { broker, upstream, time, weather } = harness({ instances: 4 });
    weather.upstream.answerMs = { least: 3_000, most: 3_000 };
    const began = time.now();
    const outcomes = await broker.together(asksOf(count));

    expect(outcomes.filter((each) => each instanceof BrokerError)).toEqual([]);
    expect(upstream.logins).toHaveLength(count);
    const [first, second] = upstream.logins.map(({ at }) => at);
    expect((second ?? 0) - (first ?? 0)).toBeGreaterThanOrEqual(3_000);
    // One login to prove it, one of their own, and ten seconds.
    expect(time.now() - began).toBeLessThan(3_000 + 3_000 + 10_000);
  });

  it('is tried by one of 40 slots that the schedule finds due, and serves the others by the next sweep', async () => {
    const { broker, upstream, advance, weather } = harness({ instances: 4 });
    await broker.together(asksOf(40));
    await advance({ hours: 20 });
    upstream.rules.accepted.add('newer');
    broker.rotateSecret('newer');
    weather.upstream.answerMs = { least: 3_000, most: 3_000 };
    const before = upstream.logins.length;
    await broker.sweep();
    await advance({ seconds: 60 });
    await broker.sweep();

    const logins = upstream.logins.slice(before);
    expect(new Set(logins.map(({ credential, subject }) => `${credential} ${subject}`)).size).toBe(40);
    expect(logins).toHaveLength(40);
    const [first, second] = logins.map(({ at }) => at);
    expect((second ?? 0) - (first ?? 0)).toBeGreaterThanOrEqual(3_000);
  });

  it('keeps a user who waits for it no longer where the clock of `mint` is ahead by s', async () => {
    const skewOf = (process: string) => (process.startsWith('mint') ? 5_000 : 0);
    const { broker, time } = harness({ connection: helpdeskConnection({ timeoutSeconds: 12 }), skewOf });
    const began = time.now();
    const outcomes = await broker.together(asksOf(4).map(({ subject }) => ({ subject })));

    expect(outcomes.filter((each) => each instanceof BrokerError)).toEqual([]);
    expect(time.now() - began).toBeLessThan(3_000);
  });

  it('is tried one login at a time while outcomes are unknown: four in half an hour, the last by `system`', async () => {
    const { broker, upstream, advance } = harness();
    upstream.planned.push('lost', 'lost', 'lost', 'lost', 'lost');
    for (const subject of ['1', '2', '3', '4', 'system', '5', 'system']) {
      await broker.refusal({ subject });
      await advance({ minutes: 3 });
    }
    expect(upstream.logins.map(({ subject }) => subject)).toEqual(['1', '2', '3', 'system']);

    await advance({ minutes: 30 });
    upstream.planned.splice(0);
    expect((await broker.handOut({ subject: '5' })).source).toBe('login');
  });

  it('tells callers when failed logins keep them waiting', async () => {
    const { broker, upstream, advance } = harness();
    upstream.planned.push('lost', 'lost', 'lost');
    for (const subject of ['1', '2', '3']) {
      await broker.refusal({ subject });
      await advance({ minutes: 3 });
    }
    const error = await broker.refusal({ subject: '4' });

    expect(error).toMatchObject({ code: 'cooldown', detail: expect.stringMatching(/helpdesk .* lock its account/) });
    expect(error.retryAfterMs).toBeGreaterThan(20 * 60_000);
    expect(error.retryAfterMs).toBeLessThan(31 * 60_000);
  });

  it('waits for half an hour after three refusals, whatever versions they were of, and DELETE changes nothing', async () => {
    const { broker, upstream, advance } = harness();
    upstream.rules.accepted.clear();
    for (const value of ['wrong', 'wrong as well', 'right at last']) {
      await broker.refusal();
      await broker.purge();
      broker.rotateSecret(value);
      await advance({ seconds: 10 });
    }
    upstream.rules.accepted.add('right at last');
    expect((await broker.refusal()).code).toBe('cooldown');
    await advance({ minutes: 29 });
    await broker.purge();
    expect((await broker.refusal()).code).toBe('cooldown');
    await advance({ minutes: 2 });

    expect((await broker.handOut()).source).toBe('login');
    expect(upstream.logins).toHaveLength(4);
  });

  it('takes a refusal that could not be written down for one, and waits after three', async () => {
    const { broker, upstream, advance, beforeNext, failNext } = withWrongCredential();
    beforeNext('changeLogins', () => {});
    failNext('changeLogins', 'down');
    for (const subject of ['1', '2', 'system']) {
      expect((await broker.refusal({ subject })).code).toBe('upstream_credential_rejected');
      await advance({ minutes: 6 });
    }
    broker.rotateSecret('wrong as well');
    expect((await broker.refusal()).code).toBe('cooldown');

    expect(upstream.logins).toHaveLength(3);
  });

  it('lets the next try it where the one that tried never came back', async () => {
    const { broker, upstream, advance, fleet, beforeNext } = harness();
    beforeNext('changeLogins', () => {});
    beforeNext('changeLogins', () => fleet.instances[0]?.process.crashAfter(0));
    expect((await broker.refusal({ subject: '1' })).code).toBe('upstream_outcome_unknown');
    await advance({ seconds: 20 });

    expect((await broker.handOut({ subject: '2' })).source).toBe('login');
    expect(upstream.logins).toHaveLength(2);
  });

  it('costs two writes more than one that is proven, and that one no operation more', async () => {
    const { broker, callsOf } = harness();
    const [reads, writes] = [callsOf('logins'), callsOf('changeLogins')];
    await broker.handOut({ subject: '1' });
    expect([reads().length, writes().length]).toEqual([1, 2]);
    for (const subject of staff(10)) await broker.handOut({ subject });

    expect([reads().length, writes().length]).toEqual([10, 2]);
  });
});

describe('a version that has brought a token (invariants 5, 25)', () => {
  const STRANGERS = ['404', '405', '406', '407'];

  function withStrangers() {
    const made = harness();
    for (const each of STRANGERS) made.upstream.rules.unknown.add(each);
    return made;
  }

  it('goes on serving everybody, however many the upstream does not know', async () => {
    const { broker, upstream } = withStrangers();
    await broker.handOut();
    for (const subject of STRANGERS) expect((await broker.refusal({ subject })).code).toBe('upstream_subject_rejected');

    for (const subject of ['1', '2', '3']) expect((await broker.handOut({ subject })).source).toBe('login');
    expect(upstream.logins).toHaveLength(8);
  });

  it('is tried again for a stranger after back-offs of its own, from 30 s to 15 minutes', async () => {
    const { broker, upstream, advance, record } = withStrangers();
    await broker.handOut();
    const waits: number[] = [];
    for (let tries = 0; tries < 7; tries += 1) {
      const { retryAfterMs = 0 } = await broker.refusal({ subject: '404' });
      waits.push(Math.round(retryAfterMs / 1000));
      await advance({ ms: retryAfterMs + 1 });
    }

    expect(waits).toEqual([30, 60, 120, 240, 480, 900, 900]);
    expect(record('404').refusedVersion).toBeUndefined();
    expect(upstream.logins).toHaveLength(8);
  });

  it('serves whom it was refused for before another had a token with it', async () => {
    const { broker, upstream, advance } = withStrangers();
    upstream.rules.unknown.add('1');
    await broker.refusal({ subject: '1' });
    await broker.handOut();
    upstream.rules.unknown.delete('1');
    await advance({ seconds: 11 });

    expect((await broker.handOut({ subject: '1' })).source).toBe('login');
    expect(upstream.logins).toHaveLength(3);
  });

  it.each([
    ['`system`', 'system'],
    ['somebody whom it has served', '1'],
  ])('stops the connection once it is refused to %s', async (_, subject) => {
    const { broker, upstream, advance } = harness();
    for (const each of ['1', 'system']) await broker.handOut({ subject: each });
    upstream.rules.accepted.clear();
    const { token } = await broker.handOut({ subject });
    await advance({ minutes: 2 });
    expect((await broker.refusal({ subject, rejected: token.hash })).code).toBe('upstream_credential_rejected');

    for (const each of ['2', '3', '4'])
      expect((await broker.refusal({ subject: each })).code).toBe('upstream_credential_rejected');
    expect(upstream.logins).toHaveLength(3);
  });
});
