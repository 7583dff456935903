import { describe, expect, it } from 'vitest';
import { harness } from '../../../protocol/harness.ts';

describe('createBeginWait', () => {
  it('leaves a slow store to the login: whoever waits looks seldom', async () => {
    const looksAt = async (latencyMs: number) => {
      const { broker, heldByAnother, weather, callsOf } = harness();
      heldByAnother(60_000);
      Object.assign(weather.latency, { least: latencyMs, most: latencyMs });
      const looks = callsOf('read');
      expect((await broker.refusal()).code).toBe('refresh_in_progress');
      return looks().length;
    };

    expect(await looksAt(5)).toBeGreaterThan(30);
    expect(await looksAt(200)).toBeLessThan(15);
    expect(await looksAt(1_000)).toBeLessThan(8);
  });

  it('looks again when the attempt has taken as long as the last', async () => {
    const { broker, weather, advance, callsOf } = harness({ instances: 2 });
    weather.upstream.answerMs = { least: 400, most: 400 };
    await broker.handOut();
    await advance({ hours: 25 });
    const looks = callsOf('read');
    const [own, other] = await broker.together([{ on: 0 }, { on: 1 }]);

    expect([own, other]).toMatchObject([{ source: 'login' }, { source: 'cache' }]);
    // Both read before the attempt, and the other again as it found the lease taken. Then each reads the new token.
    const [, , , after = 0, found = 0, ...more] = looks().map(({ at }) => at);
    expect(more).toEqual([]);
    expect(found - after).toBeLessThanOrEqual(120);
  });
});
