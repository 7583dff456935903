import { describe, expect, it } from 'vitest';
import { BrokerError } from '../../functions/core/words/errors.ts';
import { harness } from './harness.ts';

describe('a purge', () => {
  it('drops the token, so that the next hand-out logs in', async () => {
    const { broker, upstream, advance } = harness();
    await broker.handOut();
    await broker.purge();
    await advance({ seconds: 31 });

    expect(await broker.handOut()).toMatchObject({ source: 'login', token: { generation: 3 } });
    expect(upstream.logins).toHaveLength(2);
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

  it('in mid-flight has the new token discarded, and the caller start again', async () => {
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

  it('in mid-flight ends in `refresh_in_progress` where too little time is left to start again', async () => {
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

  it('of a slot whose holder crashed leaves the lease to lapse', async () => {
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
});

describe('a rotation event', () => {
  it('ends the back-off of the connection, and keeps good tokens', async () => {
    const { broker, upstream, record, advance } = harness();
    const { token } = await broker.handOut();
    await broker.handOut({ subject: '88' });
    await advance({ hours: 20 });
    upstream.planned.push('broken', 'broken');
    await broker.sweep();
    expect(record('88').notBefore).toBeGreaterThan(0);
    await broker.rotationEvent();

    expect([record().notBefore, record('88').notBefore]).toEqual([0, 0]);
    expect((await broker.handOut()).token.hash).toBe(token.hash);
    await broker.sweep();
    expect([record().generation, record('88').generation]).toEqual([2, 2]);
  });

  it('leaves slots that are not in use off the schedule', async () => {
    const { broker, upstream, record, advance } = harness();
    upstream.rules.accepted.clear();
    await broker.refusal();
    await advance({ hours: 48 });
    await broker.rotationEvent();

    expect(record()).toMatchObject({ notBefore: 0 });
    expect(record().dueAt).toBeUndefined();
  });

  it('causes no login of a slot with a good token that is not due', async () => {
    const { broker, upstream } = harness();
    await broker.handOut();
    broker.rotateSecret('other');
    upstream.rules.accepted.add('other');
    await broker.rotationEvent();
    await broker.sweep();

    expect(upstream.logins).toHaveLength(1);
  });
});

describe('a secret rotated in mid-flight', () => {
  it('is used at the latest 5 s after it was rotated, for a slot of another version', async () => {
    const { broker, upstream, advance } = harness();
    await broker.handOut({ subject: '1' });
    broker.rotateSecret('newer');
    upstream.rules.accepted.add('newer');
    await advance({ seconds: 6 });
    await broker.handOut({ subject: '2' });

    expect(upstream.logins[1]?.credential).toBe('newer');
  });

  it('is not read again within a minute for a slot that the kept version has served', async () => {
    const { broker, weather, advance, upstream } = harness();
    await broker.handOut();
    await advance({ seconds: 50 });
    await broker.purge();
    const { token } = await broker.handOut({ subject: '1' });
    weather.secrets.down = 1;
    await advance({ seconds: 59 });
    expect((await broker.refusal({ subject: '2' })).code).toBe('secret_unavailable');
    const again = await broker.handOut({ subject: '1', rejected: token.hash }).catch((error: unknown) => error);
    expect(again).toMatchObject({ code: 'renewal_throttled' });
    expect(upstream.logins).toHaveLength(2);
  });
});
