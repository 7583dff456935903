import { describe, expect, it } from 'vitest';
import { returnPermit, takePermit } from '../../functions/core/slot/permit.ts';
import { BrokerError } from '../../functions/core/words/errors.ts';
import { helpdeskConnection } from '../simulation/connections.ts';
import { createExecutions, LOAD, quantile } from './executions.ts';
import { harness } from './harness.ts';

/** A connection whose secret is proven, and whose upstream answers no login from now on. */
async function hanging() {
  const made = harness();
  await made.broker.handOut();
  const { weather, upstream, connection } = made;
  weather.upstream.hangs = connection.name;
  const before = upstream.logins.length;
  return {
    ...made,
    loginsSince: () => upstream.logins.slice(before),
    answerAgain() {
      weather.upstream.hangs = undefined;
    },
  };
}

describe('logins that time out', () => {
  it('of two subjects hold back all others, who learn why, and nothing is sent for half a minute', async () => {
    const { broker, loginsSince, said, advance } = await hanging();
    for (const answer of await broker.together([{ subject: '1' }, { subject: '2' }]))
      expect(answer).toMatchObject({ code: 'upstream_timeout' });
    const held = await broker.refusal({ subject: '3' });

    expect(held).toMatchObject({ code: 'cooldown', causeCode: 'upstream_timeout' });
    expect(held.detail).toContain('have timed out for more than one subject');
    expect(held.retryAfterMs).toBeGreaterThan(29_000);
    expect(await broker.refusal({ subject: '3' })).toMatchObject({ code: 'cooldown', causeCode: 'upstream_timeout' });
    await advance({ seconds: 29 });
    expect(await broker.refusal({ subject: '4' })).toMatchObject({ code: 'cooldown' });
    expect(loginsSince()).toHaveLength(2);
    expect(said.warnings.filter((line) => line.includes('one is sent at a time'))).toHaveLength(1);
  });

  it('of one subject hold back nobody else', async () => {
    const { broker, loginsSince, answerAgain, advance } = await hanging();
    await broker.refusal({ subject: '1' });
    await advance({ seconds: 31 });
    await broker.refusal({ subject: '1' });
    answerAgain();

    expect((await broker.handOut({ subject: '2' })).source).toBe('login');
    expect(loginsSince()).toHaveLength(3);
  });

  it('are forgotten once another login was answered', async () => {
    const { broker, weather, connection, loginsSince, answerAgain } = await hanging();
    await broker.refusal({ subject: '1' });
    answerAgain();
    await broker.handOut({ subject: '2' });
    weather.upstream.hangs = connection.name;

    expect(await broker.refusal({ subject: '3' })).toMatchObject({ code: 'upstream_timeout' });
    answerAgain();
    expect((await broker.handOut({ subject: '4' })).source).toBe('login');
    expect(loginsSince()).toHaveLength(4);
  });

  it('are tried again one at a time, and everybody is served after the first that is answered', async () => {
    const { broker, loginsSince, answerAgain, advance } = await hanging();
    await broker.together([{ subject: '1' }, { subject: '2' }]);
    await advance({ seconds: 30 });
    const crowd = ['3', '4', '5', '6'].map((subject) => ({ subject }));
    await broker.together(crowd);
    expect(loginsSince()).toHaveLength(3);

    await advance({ seconds: 31 });
    answerAgain();
    const answers = await broker.together(crowd);
    expect(answers.filter((answer) => answer instanceof BrokerError)).toEqual([]);
    expect((await broker.handOut({ subject: '7' })).source).toBe('login');
  });

  it('hold back no renewal, and no token that is good', async () => {
    const { broker } = await hanging();
    await broker.together([{ subject: '1' }, { subject: '2' }]);
    expect((await broker.handOut()).source).toBe('cache');
  });

  it('are forgotten at an operator’s word, and hold back his try until then', async () => {
    const { broker, answerAgain } = await hanging();
    await broker.together([{ subject: '1' }, { subject: '2' }]);
    answerAgain();
    expect(await broker.tryLogin('3')).toMatchObject({ code: 'cooldown', causeCode: 'upstream_timeout' });
    await broker.purge('3');
    expect(await broker.tryLogin('3')).toMatchObject({ outcome: { outcome: 'published' } });
  });

  it('cost a healthy connection no write', async () => {
    const { broker, callsOf } = harness();
    await broker.handOut();
    const writes = callsOf('changeLogins');
    await broker.together([{ subject: '1' }, { subject: '2' }, { subject: '3' }]);
    expect(writes()).toEqual([]);
  });
});

describe('fifty executions, with fifty cold subjects a second of an upstream that hangs', () => {
  /** Longer than a login's time-out, so that the breaker opens in it. */
  const OPENING_MS = 6_500;

  it('serve callers of another connection as if nothing was, before the breaker opens and after (invariant 30)', {
    timeout: 60_000,
  }, async () => {
    const { run, world } = await createExecutions(LOAD);
    const alone = await run(10_000, { isCold: false });
    const before = await run(OPENING_MS, { isCold: true });
    const after = await run(40_000, { isCold: true });

    expect(world.said.warnings.filter((line) => line.includes('one is sent at a time'))).toHaveLength(1);
    for (const seen of [before, after]) {
      expect(seen.healthyFailed).toBe(0);
      expect(quantile(seen.healthyMs, 0.99) / quantile(alone.healthyMs, 0.99)).toBeLessThanOrEqual(1.25);
      expect(seen.mostWaits).toBeLessThanOrEqual(5);
      expect(seen.mostInAll).toBeLessThan(50);
    }
    expect(before.mostWaits).toBe(5);
    // One each half a minute and its time-out.
    expect(after.logins).toBeLessThanOrEqual(2);
  });

  it('would all be held without a limit on waits', { timeout: 60_000 }, async () => {
    const { run } = await createExecutions({ ...LOAD, mostWaits: undefined });
    const before = await run(OPENING_MS, { isCold: true });

    expect(before.mostOfToken).toBe(50);
    expect(before.healthyFailed).toBeGreaterThan(100);
  });
});

describe('waits for a connection', () => {
  it('are refused at once beyond their limit, and one that has a token needs no permit', async () => {
    const { world, run } = await createExecutions({ ...LOAD, coldPerSecond: 200, mostWaits: 1 });
    const from = world.answers.length;
    await run(200, { isCold: true });
    const refused = world.answers.slice(from).filter(({ error }) => error === 'refresh_in_progress');
    expect(refused.length).toBeGreaterThan(10);
    for (const { askedAt, answeredAt, retryAfterMs } of refused) {
      expect(answeredAt - askedAt).toBeLessThan(150);
      expect(retryAfterMs).toBe(1_000);
    }
  });

  it('are refused only after a reading that does not lag, and begin again with the permit', async () => {
    const made = harness({ connection: helpdeskConnection({ memorySeconds: 0 }), mostWaits: 1 });
    const { broker, table, connection, time, lag } = made;
    const { token } = await broker.handOut();
    const now = time.now();
    table.writePermit(connection.name, 0, takePermit({ holder: 'another', now, until: now + 60_000 }));
    lag();

    expect(await broker.handOut()).toMatchObject({ source: 'cache', token: { hash: token.hash } });
    expect(await broker.refusal({ subject: '1' })).toMatchObject({ code: 'refresh_in_progress', retryAfterMs: 1_000 });
    table.writePermit(connection.name, 0, returnPermit({ holder: 'another' }));
    expect((await broker.handOut({ subject: '1' })).source).toBe('login');
  });

  it('give their permit back while KMS opens the token', async () => {
    const { broker, beforeNext } = harness({ mostWaits: 1 });
    let other: unknown;
    beforeNext('decrypt', async () => {
      other = await broker.start({ subject: '1' });
    });

    expect((await broker.handOut()).source).toBe('login');
    expect(other).toMatchObject({ source: 'login' });
  });

  it('are answered only once their permit is back: a function does nothing after its answer', async () => {
    const { broker, beforeNext, world } = harness({ mostWaits: 1 });
    let isBack = false;
    beforeNext('returnPermit', async () => {
      await world.operators.clock.sleep(1_000);
      isBack = true;
    });
    await broker.handOut();

    expect(isBack).toBe(true);
  });

  it('keep their permit by a clock that is seconds ahead too', async () => {
    const made = harness({ instances: 2, mostWaits: 1, skewOf: (process) => (process === 'token-1' ? 4_000 : 0) });
    const { broker, heldByAnother, time } = made;
    heldByAnother(60_000);
    const waiting = Promise.allSettled([broker.start({ leftMs: 3_000 })]);
    await time.advance(1_000);

    expect(await broker.refusal({ subject: '1', on: 1 })).toMatchObject({ retryAfterMs: 1_000 });
    await time.settle(waiting);
    expect((await broker.handOut({ subject: '1', on: 1 })).source).toBe('login');
  });

  it.each([0, 1, 2, 3])('take the one permit of four that is free: %i', async (free) => {
    const { broker, table, connection, time } = harness({ mostWaits: 4 });
    for (const number of [0, 1, 2, 3].filter((each) => each !== free)) {
      const taken = { holder: 'another', now: time.now(), until: time.now() + 60_000 };
      table.writePermit(connection.name, number, takePermit(taken));
    }

    expect((await broker.handOut()).source).toBe('login');
  });
});
