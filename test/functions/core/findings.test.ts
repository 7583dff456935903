import { describe, expect, it } from 'vitest';
import { workforceConnection } from '../../simulation/connections.ts';
import { harness } from './harness.ts';

describe('the end of an item', () => {
  it('stays a day ahead after an attempt of the schedule failed, so that its back-off is not deleted with it', async () => {
    const { broker, upstream, advance, record, time } = harness();
    await broker.handOut();
    await advance({ hours: 20 });
    upstream.planned.push('lost');
    await broker.sweep();

    expect(record().tries).toBe(1);
    expect(record().ttlSeconds * 1000 - time.now()).toBeGreaterThan(86_000_000);
  });

  it('stays a day ahead after an invocation of mint that was refused', async () => {
    const { broker, fleet, record, time } = harness();
    fleet.planned.push('refused');
    await broker.refusal();

    expect(record().ttlSeconds * 1000 - time.now()).toBeGreaterThan(86_000_000);
  });
});

describe('a store that refuses writes and answers reads', () => {
  it('is not claimed from over and over within one request', async () => {
    const { broker, weather, instance } = harness();
    const { store } = instance(0);
    let claims = 0;
    const acquire = store.acquire.bind(store);
    store.acquire = (claim) => {
      claims += 1;
      return acquire(claim);
    };
    weather.store.writesDown = 1;
    const error = await broker.refusal();

    expect(claims).toBeLessThanOrEqual(3);
    expect(error.code).toBe('store_unavailable');
  });
});

describe('a refused version (invariant 5)', () => {
  it('is not logged in with again after a slide of the old session', async () => {
    const { broker, upstream, advance, record } = harness({ connection: workforceConnection() });
    await broker.handOut();
    await advance({ minutes: 11 });
    broker.rotateSecret('wrong');
    // An answer without a new token (C16) makes the next attempt log in: refused. The session itself lives on.
    upstream.planned.push('no_new_token');
    await broker.sweep();
    await advance({ minutes: 1 });
    await broker.sweep();
    expect(record().refusedVersion).toBeDefined();
    await advance({ minutes: 1 });
    await broker.handOut();
    await advance({ seconds: 5 });
    // The session ends: only a login could bring the next token.
    upstream.revoke();
    await advance({ minutes: 30 });
    await broker.refusal();

    expect(upstream.logins.filter(({ credential }) => credential === 'wrong')).toHaveLength(1);
  });
});
