import { expect, it } from 'vitest';
import { BrokerError } from '../../functions/core/words/errors.ts';
import { harness } from '../protocol/harness.ts';
import { proxiedCalls } from '../protocol/proxied-calls.ts';
import { workforceConnection } from '../simulation/connections.ts';

// A caller with a grant, who wants nobody else to be served. The upstream ends the old token with every new one, so that
// a slot has one call at a time.
const ROLE = 'arn:aws:sts::123456789012:assumed-role/greedy';

it.each([
  ['one caller', (n: number) => `${ROLE}/session${n * 0}`],
  ['one role under many session names', (n: number) => `${ROLE}/session-${n}`],
])('twenty slow calls of %s cost another caller one of them', async (_, nameOf) => {
  const { call, startCall, script, answered, time, advance } = proxiedCalls({
    connection: workforceConnection({ tokensOverlap: false }),
  });
  await call();
  await advance({ minutes: 2 });
  const SLOW_MS = 7_000;
  let isOver = false;
  const slowly = () => time.after(SLOW_MS).then(() => answered(200));
  script.push(...Array.from({ length: 500 }, () => slowly));
  /** Calls again and again, whatever comes of it. */
  const insist = async (n: number) => {
    while (!isOver) {
      const error = await startCall({ caller: nameOf(n) }).catch((thrown: unknown) => thrown);
      if (error instanceof BrokerError) await time.after(error.retryAfterMs ?? 100);
    }
  };
  const attack = Promise.all(Array.from({ length: 20 }, (_each, n) => insist(n)));
  await time.advance(1_000);

  const waits: (number | string)[] = [];
  for (let n = 0; n < 6; n += 1) {
    const before = time.now();
    const outcome = await time.settle(startCall({ caller: 'another' }).catch((error: BrokerError) => error.code));
    waits.push(typeof outcome === 'string' ? outcome : time.now() - before - SLOW_MS);
    await time.advance(300);
  }
  isOver = true;
  await time.settle(attack);
  for (const wait of waits) expect(wait).toBeLessThan(SLOW_MS + 1_500);
});

it('asking for the longest lives, all the time, costs no login more and leaves nobody without a token', async () => {
  /** Six hours in which one caller asks, and with `minTtlSeconds` another beside it. */
  const countRenewals = async (minTtlSeconds?: number) => {
    const { broker, advance, upstream } = harness({ connection: workforceConnection() });
    for (let n = 0; n < 6 * 120; n += 1) {
      const longest = { caller: 'greedy', ...(minTtlSeconds !== undefined && { minTtlSeconds }) };
      if (minTtlSeconds !== undefined) await broker.handOut(longest).catch(() => undefined);
      await broker.handOut({ caller: 'another' });
      await advance({ seconds: 30 });
    }
    return [upstream.logins.length, upstream.slides.length];
  };
  const alone = await countRenewals();

  expect(await countRenewals(600)).toEqual(alone);
  expect(await countRenewals(1_190)).toEqual(alone);
});
