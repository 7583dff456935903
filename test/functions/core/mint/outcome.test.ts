import { describe, expect, it } from 'vitest';
import { harness } from '../../../protocol/harness.ts';
import { workforceConnection } from '../../../simulation/connections.ts';

describe('writeFailure', () => {
  it('has a secret that cannot be read looked at every 10 s, however often that failed', async () => {
    const { broker, weather, put } = harness();
    weather.secrets.down = 1;
    put({ tries: 12 });

    expect(await broker.refusal()).toMatchObject({ code: 'secret_unavailable', retryAfterMs: 10_000 });
  });

  it('leaves the back-off of the lease where the failure cannot be written', async () => {
    const { broker, upstream, failNext, advance, record } = harness();
    failNext('fail', 'down');
    upstream.planned.push('broken');
    expect((await broker.refusal()).code).toBe('upstream_login_ambiguous');
    expect(record()).toMatchObject({ tries: 1, lease: expect.anything() });
    await advance({ seconds: 20 });
    expect((await broker.refusal()).code).toBe('cooldown');
    await advance({ seconds: 11 });

    expect((await broker.handOut()).source).toBe('login');
  });

  it('has a slot that is purged meanwhile looked at when its login may be made, whatever renewals did', async () => {
    const { broker, upstream, advance, beforeNext, purgeItem, record } = harness({ connection: workforceConnection() });
    await broker.handOut();
    await advance({ minutes: 11 });
    upstream.planned.push('no_new_token', 'broken');
    beforeNext('fail', purgeItem);
    await broker.sweep();

    const { dueAt, notBefore, failure } = record();
    expect(failure?.code).toBe('upstream_login_ambiguous');
    expect(dueAt).toBe(notBefore);
  });

  it('has a slot looked at as soon as it may log in, where a new secret ended its back-off during a renewal', async () => {
    const { broker, upstream, time, advance, beforeNext, put, record } = harness({
      connection: workforceConnection(),
    });
    await broker.handOut();
    await advance({ minutes: 18 });
    put({ notBefore: time.now() + 600_000, lastHandedOutAt: time.now() });
    upstream.planned.push('broken');
    beforeNext('fail', () => put({ notBefore: time.now() }));
    await broker.sweep();

    const { dueAt, notBefore, renewalNotBefore } = record();
    expect(dueAt).toBe(notBefore);
    expect(renewalNotBefore).toBeGreaterThan(notBefore);
  });
});
