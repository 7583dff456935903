import { describe, expect, it } from 'vitest';
import { harness } from './harness.ts';

describe('the invocation of mint', () => {
  it('that was refused gives the lease back: `mint_unavailable`, and an attempt soon after', async () => {
    const { broker, fleet, upstream, record, advance } = harness();
    fleet.planned.push('refused');
    const error = await broker.refusal();

    expect(error.code).toBe('mint_unavailable');
    expect(error.retryAfterMs).toBeLessThanOrEqual(1_000);
    expect(record().lease).toBeUndefined();
    expect(upstream.logins).toHaveLength(0);
    await advance({ ms: error.retryAfterMs ?? 0 });
    expect((await broker.handOut()).source).toBe('login');
  });

  it('whose answer is lost is waited out by reading', async () => {
    const { broker, fleet, upstream } = harness();
    fleet.planned.push('reply_lost');

    expect((await broker.handOut()).token.generation).toBe(1);
    expect(upstream.logins).toHaveLength(1);
  });

  it('that never arrives ends in `refresh_in_progress`, and holds others off until the back-off is over', async () => {
    const { broker, fleet, upstream, advance } = harness();
    fleet.planned.push('lost');
    expect((await broker.refusal()).code).toMatch(/^(refresh_in_progress|cooldown)$/);
    expect(upstream.logins).toHaveLength(0);
    await advance({ seconds: 30 });

    expect((await broker.handOut()).source).toBe('login');
  });

  it.each([1, 5, 50, 5_000])('that comes a second time %i ms later logs in once', async (delayMs) => {
    const { broker, fleet, upstream, advance, weather } = harness();
    weather.invoker.delayLeastMs = delayMs;
    weather.invoker.delayMostMs = delayMs;
    weather.upstream.answerMs = { least: 1_000, most: 1_000 };
    fleet.planned.push('duplicated');
    expect((await broker.handOut()).token.generation).toBe(1);
    await advance({ seconds: 10 });

    expect(upstream.logins).toHaveLength(1);
  });

  it('that comes late does not log in', async () => {
    const { broker, fleet, upstream, advance, weather } = harness();
    weather.invoker.delayLeastMs = 12_000;
    fleet.planned.push('delayed');
    await broker.refusal();
    await advance({ minutes: 2 });

    expect(fleet.instances).toHaveLength(1);
    expect(upstream.logins).toHaveLength(0);
  });

  it('that crashed is an unknown outcome with the back-off that was written before', async () => {
    const { broker, fleet, upstream, weather, advance, record } = harness();
    weather.invoker.crashWithinSteps = 0;
    fleet.planned.push('crash');
    const error = await broker.refusal();

    expect(error.code).toBe('upstream_outcome_unknown');
    expect(error.retryAfterMs).toBeGreaterThan(25_000);
    expect(record()).toMatchObject({ tries: 1, lease: expect.anything() });
    expect(await broker.refusal()).toMatchObject({ code: 'refresh_in_progress' });
    await advance({ seconds: 5 });
    expect(await broker.refusal()).toMatchObject({ code: 'cooldown', causeCode: 'upstream_outcome_unknown' });
    await advance({ seconds: 20 });
    expect((await broker.handOut()).source).toBe('login');
    expect(upstream.logins).toHaveLength(1);
  });

  it('that is not one of this configuration does nothing', async () => {
    const { broker, upstream, time, connection, world, slot } = harness();
    await broker.handOut();
    const [instance] = world.fleet.instances;
    const stranger = { ...slot(), fingerprint: 'another', trigger: 'schedule' } as const;
    const invoked = { ...stranger, trigger: 'caller', lease: { id: 'some-lease', takenAt: time.now() } } as const;

    expect(await time.settle(instance?.mint(stranger, connection) ?? Promise.reject())).toEqual({ outcome: 'idle' });
    expect(await time.settle(instance?.mint(invoked, connection) ?? Promise.reject())).toEqual({ outcome: 'busy' });
    expect(upstream.logins).toHaveLength(1);
  });
});
