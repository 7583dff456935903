import { describe, expect, it } from 'vitest';
import { BrokerError } from '../../../../functions/core/words/errors.ts';
import { harness } from '../../../protocol/harness.ts';
import { helpdeskConnection } from '../../../simulation/connections.ts';

describe('createPurge', () => {
  it('drops the token, so that the next hand-out logs in', async () => {
    const { broker, upstream, advance } = harness();
    await broker.handOut();
    await broker.purge();
    await advance({ seconds: 31 });

    expect(await broker.handOut()).toMatchObject({ source: 'login', token: { generation: 3 } });
    expect(upstream.logins).toHaveLength(2);
  });

  it('keeps the item a day, however soon its token would have ended', async () => {
    const { broker, record, time } = harness({ connection: helpdeskConnection({ maxTokenAgeSeconds: 3_600 }) });
    await broker.handOut();
    await broker.purge();

    expect(record().ttlSeconds).toBeGreaterThanOrEqual(Math.floor(time.now() / 1_000) + 86_400);
  });

  it('writes nothing where there is nothing', async () => {
    const { broker, writes } = harness();
    await broker.purge();

    expect(writes).toEqual([]);
  });

  it('ends a back-off', async () => {
    const { broker, upstream } = harness();
    upstream.planned.push('broken');
    await broker.refusal();
    await broker.purge();

    expect((await broker.handOut()).source).toBe('login');
  });

  it('does not reach the memory of an instance while the store is down', async () => {
    const { broker, storeDown, advance } = harness();
    const { token } = await broker.handOut();
    await broker.purge();
    storeDown();
    await advance({ minutes: 5 });

    expect((await broker.handOut()).token.hash).toBe(token.hash);
  });

  it('has a login in mid-flight discarded, and its caller start again', async () => {
    const { broker, upstream, weather, time, record } = harness();
    weather.upstream.answerMs = { least: 3_000, most: 3_000 };
    const asked = broker.start();
    await time.advance(1_000);
    const { lease } = record();
    await broker.purge();
    expect(record()).toMatchObject({ generation: 1, lease, notBefore: 0, tries: 0 });
    const { token } = await time.settle(asked);

    expect(upstream.logins).toHaveLength(2);
    expect(token.generation).toBe(2);
    expect(upstream.issued[1]?.hash).toBe(token.hash);
  });

  it('answers `refresh_in_progress` to a caller in mid-flight without time to start again', async () => {
    const { broker, upstream, weather, time, record } = harness();
    weather.upstream.answerMs = { least: 5_900, most: 5_900 };
    const asked = broker.start().catch((error: unknown) => error);
    // The first attempt ends at about 5.9 s of 23, the second at 11.8; a third would need 12 more.
    for (const ms of [1_000, 6_000]) {
      await time.advance(ms);
      await broker.purge();
    }
    const error = await time.settle(asked);

    expect(error).toBeInstanceOf(BrokerError);
    expect(error).toMatchObject({ code: 'refresh_in_progress' });
    expect(upstream.logins).toHaveLength(2);
    expect(record().lease).toBeUndefined();
    expect((await broker.handOut()).source).toBe('login');
  });

  it('leaves the lease of a holder that crashed to lapse', async () => {
    const { broker, fleet, weather, record, advance, upstream } = harness();
    weather.invoker.crashWithinSteps = 0;
    fleet.planned.push('crash');
    await broker.refusal();
    const { lease } = record();
    await broker.purge();
    expect(record().lease).toEqual(lease);
    await advance({ seconds: 17 });

    expect((await broker.handOut()).source).toBe('login');
    expect(upstream.logins).toHaveLength(1);
  });

  it('finds the slot by a consistent read, however far others lag', async () => {
    const { broker, lag, record } = harness();
    await broker.handOut();
    lag();
    await broker.purge();

    expect(record().token).toBeUndefined();
  });

  it('forgets refusals of the connection, by a write only where there are any', async () => {
    const { broker, loginsWrites, upstream } = harness({ connection: helpdeskConnection({ memorySeconds: 0 }) });
    await broker.handOut();
    await broker.purge();
    expect(loginsWrites.map(({ after }) => after.standing)).toEqual(['unproven', 'proven']);
    upstream.rules.accepted.clear();
    await broker.refusal();
    await broker.purge();

    expect(loginsWrites.slice(2).map(({ after }) => after.standing)).toEqual(['refused', 'unproven']);
  });
});
