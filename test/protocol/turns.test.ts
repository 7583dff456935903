import { describe, expect, it } from 'vitest';
import { BrokerError } from '../../functions/core/words/errors.ts';
import { workforceConnection } from '../simulation/connections.ts';
import { proxiedCalls } from './proxied-calls.ts';

/** An upstream that ends the old token with every new one (C18), with a token that is two minutes old. */
async function withToken() {
  const made = proxiedCalls({ connection: workforceConnection({ tokensOverlap: false }) });
  await made.call();
  await made.advance({ minutes: 2 });
  return made;
}

describe('a call that waits for its turn (C18)', () => {
  it('waits outside while another call of its caller is in line, and is told to come again where that takes long', async () => {
    const { startCall, script, answered, time, forwarded, record } = await withToken();
    const slowly = () => time.after(7_000).then(() => answered(200));
    script.push(slowly, slowly, slowly);
    const calls = [1, 2, 3, 4].map(() => startCall().then(({ status }) => status));
    const refused = startCall().catch((error: unknown) => error);
    await time.advance(3_000);
    expect(record().turns?.split(' ')).toHaveLength(2);
    const outcomes = await time.settle(Promise.allSettled([...calls, refused]));

    const said = outcomes.map((outcome) => (outcome.status === 'fulfilled' ? outcome.value : outcome.reason));
    const errors = said.filter((each) => each instanceof BrokerError);
    expect(errors).toHaveLength(2);
    for (const each of errors) expect(each).toMatchObject({ code: 'refresh_in_progress', retryAfterMs: 1_000 });
    expect(forwarded).toHaveLength(1 + 3);
  });

  it('goes out in the order of its coming', async () => {
    const { startCall, script, answered, time, record } = await withToken();
    const ended: string[] = [];
    const slowly = () => time.after(500).then(() => answered(200));
    script.push(slowly, slowly, slowly, slowly, slowly, slowly);
    const calls: Promise<unknown>[] = [];
    for (const caller of ['a', 'b', 'c', 'd', 'e', 'f']) {
      calls.push(startCall({ caller }).then(() => ended.push(caller)));
      await time.advance(20);
    }
    await time.settle(Promise.all(calls));

    expect(ended.join('')).toBe('abcdef');
    expect(record().turns).toMatch(/^[0-9a-f]{16}$/);
  });

  it('keeps its place where others join at the same moment, and each has one', async () => {
    const { startCall, time, heldByAnother, record } = await withToken();
    heldByAnother(2_000);
    const calls = ['a', 'b', 'c', 'd', 'e'].map((caller) => startCall({ caller }));
    await time.advance(1_000);
    expect(record().turns?.split(' ')).toHaveLength(6);

    expect((await time.settle(Promise.all(calls))).map(({ status }) => status)).toEqual([200, 200, 200, 200, 200]);
  });

  it('leaves the line if it fails, so that nobody waits for it', async () => {
    const { refusedCall, failNext, heldByAnother, beforeNext, record } = await withToken();
    heldByAnother(6_000);
    beforeNext('changeTurns', () => failNext('read', 'down'));

    expect((await refusedCall()).code).toBe('store_unavailable');
    expect(record().turns?.split(' ')).toHaveLength(1);
  });

  it('waits for one that died in line no longer than that one would have', async () => {
    const { call, put, time } = await withToken();
    put({ turns: ` ${time.now() + 9_000}/0123456789abcdef/dead` });
    const before = time.now();

    expect(await call()).toBe(200);
    expect(time.now() - before).toBeGreaterThanOrEqual(9_000);
    expect(time.now() - before).toBeLessThan(9_600);
  });
});
