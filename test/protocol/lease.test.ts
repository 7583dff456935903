import { describe, expect, it } from 'vitest';
import { harness } from './harness.ts';

/** A slot whose token has ended, with the instance of mint that made it. */
async function ended() {
  const made = harness();
  await made.broker.handOut();
  await made.advance({ hours: 25 });
  const [instance] = made.fleet.instances;
  if (instance === undefined) throw new Error('no instance of mint has run');
  return { ...made, process: instance.process };
}

describe('the lease of a slot', () => {
  it('is written with the back-off of its try before the login is sent', async () => {
    const { broker, writes, ledger } = harness();
    await broker.handOut();
    const { at = 0, after } = writes.find(({ operation }) => operation === 'acquire') ?? {};

    expect(at).toBeLessThan(ledger[0]?.at ?? 0);
    expect(after).toMatchObject({ tries: 1, fence: 1 });
    expect((after?.notBefore ?? 0) - at).toBeGreaterThanOrEqual(29_990);
    expect((after?.lease?.until ?? 0) - at).toBeLessThanOrEqual(17_000);
    expect((after?.ttlSeconds ?? 0) * 1000).toBeGreaterThanOrEqual(at + 86_400_000 - 1_000);
  });

  it('holds others off until the back-off is over where its invocation of mint never arrives', async () => {
    const { broker, fleet, upstream, advance } = harness();
    fleet.planned.push('lost');
    expect((await broker.refusal()).code).toMatch(/^(refresh_in_progress|cooldown)$/);
    expect(upstream.logins).toHaveLength(0);
    await advance({ seconds: 30 });

    expect((await broker.handOut()).source).toBe('login');
  });

  it.each([1, 5, 50, 5_000])('covers one login where mint is invoked a second time %i ms later', async (delayMs) => {
    const { broker, fleet, upstream, advance, weather } = harness();
    weather.invoker.delayLeastMs = delayMs;
    weather.invoker.delayMostMs = delayMs;
    weather.upstream.answerMs = { least: 1_000, most: 1_000 };
    fleet.planned.push('duplicated');
    expect((await broker.handOut()).token.generation).toBe(1);
    await advance({ seconds: 10 });

    expect(upstream.logins).toHaveLength(1);
  });

  it('covers no login of an invocation that comes late', async () => {
    const { broker, fleet, upstream, advance, weather } = harness();
    weather.invoker.delayLeastMs = 12_000;
    fleet.planned.push('delayed');
    await broker.refusal();
    await advance({ minutes: 2 });

    expect(fleet.instances).toHaveLength(1);
    expect(upstream.logins).toHaveLength(0);
  });

  it('covers no login of a holder that was frozen and thaws after its deadline', async () => {
    const { broker, process, upstream, advance, weather, time } = await ended();
    weather.latency.least = 300;
    weather.latency.most = 300;
    const asked = broker.start().catch(() => 'gone');
    await advance({ ms: 2_000 });
    process.freeze();
    await advance({ seconds: 60 });
    process.thaw();
    await time.settle(asked);
    await advance({ seconds: 5 });

    expect(upstream.logins).toHaveLength(1);
    await advance({ seconds: 60 });
    expect((await broker.handOut()).source).toBe('login');
  });

  it('keeps a holder that was frozen from publishing over its successor’s token (invariant 7)', async () => {
    const { broker, process, upstream, advance, weather, time, record } = await ended();
    weather.upstream.answerMs = { least: 1_000, most: 1_000 };
    const first = broker.start().catch(() => 'gone');
    await advance({ ms: 500 });
    expect(upstream.logins).toHaveLength(2);
    process.freeze();
    await advance({ seconds: 60 });
    const { token } = await broker.handOut();
    process.thaw();
    await time.settle(first);
    await advance({ seconds: 30 });

    expect(upstream.logins).toHaveLength(3);
    expect(record()).toMatchObject({ generation: 2, token: { hash: token.hash } });
  });
});
