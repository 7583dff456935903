import { describe, expect, it } from 'vitest';
import { BrokerError } from '../../functions/core/words/errors.ts';
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
