import { describe, expect, it } from 'vitest';
import { BrokerError } from '../../functions/core/words/errors.ts';
import { helpdeskConnection, workforceConnection } from '../simulation/connections.ts';
import { harness, UNKNOWN_HASH } from './harness.ts';

async function withTokenOfAge(minutes: number, instances = 1) {
  const made = harness({ instances });
  const { token } = await made.broker.handOut();
  await made.advance({ minutes });
  return { ...made, dead: token.hash };
}

describe('a report that a token is dead (H17, invariant 16)', () => {
  it('has one login made, however many report it from however many instances', async () => {
    const { broker, upstream, dead } = await withTokenOfAge(5, 4);
    const results = await broker.together(Array.from({ length: 200 }, (_, n) => ({ rejected: dead, on: n % 4 })));

    expect(upstream.logins).toHaveLength(2);
    const generations = results.map((result) =>
      result instanceof BrokerError ? result.code : result.token.generation,
    );
    expect(new Set(generations)).toEqual(new Set([2]));
  });

  it('causes nothing when it comes late', async () => {
    const { broker, upstream, dead, advance } = await withTokenOfAge(5);
    await broker.handOut({ rejected: dead });
    await advance({ minutes: 5 });
    const late = await broker.handOut({ rejected: dead });

    expect(late).toMatchObject({ source: 'cache', token: { generation: 2 } });
    expect(upstream.logins).toHaveLength(2);
  });

  it('causes nothing when the hash is of no token', async () => {
    const { broker, upstream, record } = await withTokenOfAge(5);

    expect((await broker.handOut({ rejected: UNKNOWN_HASH })).token.generation).toBe(1);
    expect(record().rejectedGeneration).toBe(0);
    expect(upstream.logins).toHaveLength(1);
  });

  it('is answered as GET where the slot is empty', async () => {
    const { broker, upstream } = harness();

    expect((await broker.handOut({ rejected: UNKNOWN_HASH })).source).toBe('login');
    expect(upstream.logins).toHaveLength(1);
  });

  it('looks at the store and never at memory', async () => {
    const { broker, upstream, dead } = await withTokenOfAge(5, 2);
    await broker.handOut({ on: 1 });
    await broker.handOut({ rejected: dead, on: 0 });

    expect((await broker.handOut({ on: 1 })).token.hash).toBe(dead);
    expect((await broker.handOut({ rejected: dead, on: 1 })).token.generation).toBe(2);
    expect(upstream.logins).toHaveLength(2);
  });

  it('is answered by no token from memory in an outage of the store', async () => {
    const { broker, dead, storeDown } = await withTokenOfAge(5);
    storeDown();

    expect((await broker.refusal({ rejected: dead })).code).toBe('store_unavailable');
    expect((await broker.handOut()).token.hash).toBe(dead);
  });

  it('is throttled while the token is younger than renewalCooldownSeconds, and says until when', async () => {
    const { broker, upstream, dead, advance, record } = await withTokenOfAge(0);
    await advance({ seconds: 20 });
    const error = await broker.refusal({ rejected: dead });

    expect(error).toMatchObject({ code: 'renewal_throttled', detail: expect.stringMatching(/helpdesk .* 60 s/) });
    expect(error.retryAfterMs).toBeGreaterThan(39_000);
    expect(error.retryAfterMs).toBeLessThanOrEqual(40_000);
    expect(record().rejectedGeneration).toBe(0);
    expect(upstream.logins).toHaveLength(1);

    await advance({ ms: error.retryAfterMs ?? 0 });
    expect((await broker.handOut({ rejected: dead })).token.generation).toBe(2);
  });

  it('is taken at once where renewalCooldownSeconds is 0', async () => {
    const { broker, upstream } = harness({ connection: helpdeskConnection({ renewalCooldownSeconds: 0 }) });
    const { token } = await broker.handOut();
    await broker.handOut({ rejected: token.hash });

    expect(upstream.logins).toHaveLength(2);
  });

  it('lets others have the old token until the new one is there', async () => {
    const { broker, dead, weather, time } = await withTokenOfAge(5, 2);
    weather.upstream.answerMs = { least: 3_000, most: 3_000 };
    const reported = broker.start({ rejected: dead });
    await time.advance(1_000);
    const before = time.now();

    expect((await broker.handOut({ on: 1 })).token.hash).toBe(dead);
    expect(time.now() - before).toBeLessThan(100);
    expect((await time.settle(reported)).token.generation).toBe(2);
  });

  it('is answered by a failed mint’s error, then by `cooldown`, while others get the old token', async () => {
    const { broker, upstream, dead, advance } = await withTokenOfAge(5);
    upstream.planned.push('lost');
    expect((await broker.refusal({ rejected: dead })).code).toBe('upstream_timeout');
    const again = await broker.refusal({ rejected: dead });

    expect(again).toMatchObject({ code: 'cooldown', causeCode: 'upstream_timeout' });
    expect(again.retryAfterMs).toBeGreaterThan(0);
    expect((await broker.handOut()).token.hash).toBe(dead);
    expect(upstream.logins).toHaveLength(2);

    await advance({ ms: again.retryAfterMs ?? 0 });
    expect((await broker.handOut({ rejected: dead })).token.generation).toBe(2);
  });

  it('is kept in mind by the schedule, which logs in where the reporter could not', async () => {
    const { broker, upstream, dead, advance, record } = await withTokenOfAge(5);
    upstream.planned.push('unreachable');
    await broker.refusal({ rejected: dead });
    await advance({ minutes: 1 });
    await broker.sweep();

    expect(upstream.logins).toHaveLength(3);
    expect(record()).toMatchObject({ generation: 2, rejectedGeneration: 1 });
  });

  it('is remembered of the fifty callers who came last', async () => {
    const { broker, dead, put, record, time } = await withTokenOfAge(5);
    const others = Array.from({ length: 60 }, (_, n) => `caller-${n}:1`);
    put({ reports: others.join(' '), reportedAt: time.now() });
    await broker.handOut({ rejected: dead });

    const reports = record().reports?.split(' ');
    expect(reports).toHaveLength(50);
    expect(reports?.slice(0, -1)).toEqual(others.slice(11));
  });

  it('has the slot minted again where a purge came between', async () => {
    const { broker, upstream, dead, time, weather } = await withTokenOfAge(5);
    weather.upstream.answerMs = { least: 2_000, most: 2_000 };
    const reported = broker.start({ rejected: dead });
    await time.advance(1_000);
    await broker.purge();

    expect((await time.settle(reported)).token.generation).toBe(3);
    expect(upstream.logins).toHaveLength(3);
  });

  it('keeps the schedule from sliding the session, also while it takes the lease', async () => {
    const { broker, upstream, advance, beforeNext, put, record } = harness({ connection: workforceConnection() });
    await broker.handOut();
    await advance({ minutes: 11 });
    beforeNext('acquire', () => put({ rejectedGeneration: 1 }));
    await broker.sweep();
    expect(upstream.slides).toHaveLength(0);
    expect(record().rejectedGeneration).toBe(1);
    await broker.sweep();

    expect([upstream.slides.length, upstream.logins.length]).toEqual([0, 2]);
  });
});

describe('an upstream that issues the same token again', () => {
  function reissuing(renewalCooldownSeconds: number) {
    const made = harness({ connection: helpdeskConnection({ renewalCooldownSeconds }) });
    made.upstream.rules.reissues = true;
    return made;
  }

  it('is asked once for one report of a dead token, and that is handed out (invariants 4, 16)', async () => {
    const { broker, upstream, advance } = reissuing(0);
    const { token } = await broker.handOut();
    await advance({ minutes: 2 });

    const after = await broker.handOut({ rejected: token.hash });

    expect(upstream.logins).toHaveLength(2);
    expect(after).toMatchObject({ source: 'login', token: { hash: token.hash, generation: 2 } });
  });

  it('is asked once for a hundred such reports, and then not before the cooldown is over', async () => {
    const { broker, upstream, advance } = reissuing(60);
    const { token } = await broker.handOut();
    await advance({ minutes: 2 });

    await broker.together(Array.from({ length: 100 }, () => ({ rejected: token.hash })));
    const again = await broker.refusal({ rejected: token.hash });

    expect(upstream.logins).toHaveLength(2);
    expect(again.code).toBe('renewal_throttled');
  });
});
