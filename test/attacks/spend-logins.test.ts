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
