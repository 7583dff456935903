import { describe, expect, it } from 'vitest';
import { BrokerError } from '../../functions/core/words/errors.ts';
import { harness } from './harness.ts';

describe('what a caller is told while there is no token', () => {
  it('does not call a credential refused that has been mended, when it is the upstream that is down', async () => {
    const { broker, upstream, advance } = harness();
    broker.rotateSecret('wrong');
    expect((await broker.refusal()).code).toBe('upstream_credential_rejected');
    broker.rotateSecret('mended');
    upstream.rules.accepted.add('mended');
    upstream.goDown();
    await advance({ seconds: 30 });
    expect((await broker.refusal()).code).toBe('upstream_unreachable');

    const { code, detail } = await broker.refusal();

    // The code is that of a slot whose refused version is still on record.
    expect(code).toBe('upstream_credential_rejected');
    expect(detail).toContain('upstream_unreachable');
    expect(detail).not.toContain('No login is tried');
  });

  it('says when to ask again after a token that could not be stored', async () => {
    const { broker, weather, record, time } = harness();
    weather.upstream.answerMs = { least: 2_000, most: 2_000 };
    const asked = broker.start().catch((error: unknown) => error);
    await time.advance(1_000);
    weather.store.writesDown = 1;
    const error = await time.settle(asked);
    if (!(error instanceof BrokerError)) throw new Error('a token was handed out');
    const { code, retryAfterMs } = error;

    expect(code).toBe('store_unavailable');
    expect(retryAfterMs).toBeGreaterThan(0);
    expect(time.now() + (retryAfterMs ?? 0)).toBeGreaterThanOrEqual(record().notBefore - 10);
  });
});

describe('a caller that waits for another’s login', () => {
  it('looks again within a quarter of a second at first, and within half a second later', async () => {
    const { instance, connection, slot, weather, time, table } = harness({ instances: 2 });
    weather.upstream.answerMs = { least: 4_000, most: 4_000 };
    const ask = (on: number) =>
      instance(on).handOut({ connection, slot: slot(), caller: 'caller', requestId: `request-${on}` });
    const first = ask(0);
    await time.advance(100);
    const looks: number[] = [];
    const { get } = table;
    Object.assign(table, {
      get(...given: Parameters<typeof get>) {
        looks.push(time.now());
        return get(...given);
      },
    });
    const second = ask(1);
    await time.settle(Promise.all([first, second]));

    const gaps = looks.slice(1).map((at, index) => at - (looks[index] ?? at));
    const early = gaps.filter((_, index) => (looks[index] ?? 0) - (looks[0] ?? 0) < 200);
    expect(Math.max(...early)).toBeLessThan(300);
    expect(Math.max(...gaps)).toBeLessThan(560);
    expect(Math.max(...gaps)).toBeGreaterThan(250);
  });
});
