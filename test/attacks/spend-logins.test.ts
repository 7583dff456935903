import { expect, it } from 'vitest';
import { BrokerError } from '../../functions/core/words/errors.ts';
import { harness } from '../protocol/harness.ts';

// A caller with a grant, who wants the broker to log in as often as possible: it reports each token as soon as it may.
it('a caller that reports every token costs fewer and fewer logins, and one an hour at most', async () => {
  const { broker, advance, upstream } = harness();
  let { token } = await broker.handOut();
  for (let minute = 0; minute < 12 * 60; minute += 1) {
    await advance({ seconds: 61 });
    const answer = await broker.handOut({ rejected: token.hash }).catch((error: unknown) => error);
    if (answer instanceof BrokerError) expect(answer.code).toBe('renewal_throttled');
    else ({ token } = await broker.handOut());
  }
  // Twelve hours: 1, 2, 4, 8, 16, 32 minutes, then one an hour.
  expect(upstream.logins.length).toBeLessThanOrEqual(1 + 6 + 12);
  expect(upstream.logins.length).toBeGreaterThan(12);
});

// The same caller wants others to be without a token: its reports are to keep theirs from being believed.
it.each([
  ['one caller', () => 'greedy'],
  ['one role under many session names', (n: number) => `arn:aws:sts::123456789012:assumed-role/greedy/${n}`],
])('false reports of %s keep nobody else’s true one waiting', async (_, nameOf) => {
  const { broker, advance, upstream } = harness();
  let { token } = await broker.handOut();
  for (let minute = 0; minute < 6 * 60; minute += 1) {
    await advance({ seconds: 61 });
    await broker.handOut({ rejected: token.hash, caller: nameOf(minute) }).catch(() => undefined);
    ({ token } = await broker.handOut());
  }
  await advance({ seconds: 61 });
  await expect(broker.handOut({ rejected: token.hash, caller: nameOf(0) })).rejects.toThrow('renewal_throttled');

  const { token: next } = await broker.handOut({ rejected: token.hash, caller: 'another' });
  expect(next.hash).not.toBe(token.hash);
  // 1, 2, 4, 8, 16, 32 minutes, then one an hour, and one of the other caller.
  expect(upstream.logins.length).toBeLessThanOrEqual(1 + 6 + 6 + 1);
});

it('callers that take turns with false reports have one cooldown each, which doubles', async () => {
  const { broker, advance, upstream } = harness();
  let { token } = await broker.handOut();
  for (let minute = 0; minute < 12 * 60; minute += 1) {
    await advance({ seconds: 61 });
    await broker.handOut({ rejected: token.hash, caller: minute % 2 === 0 ? 'one' : 'other' }).catch(() => undefined);
    ({ token } = await broker.handOut());
  }
  expect(upstream.logins.length).toBeLessThanOrEqual(1 + 2 * (6 + 12));
});
