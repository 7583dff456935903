import { describe, expect, it } from 'vitest';
import { createTokenMemory } from '../../../../functions/core/hand-out/memory.ts';
import type { Token } from '../../../../functions/core/slot/token.ts';
import { Secret } from '../../../../functions/core/words/secret.ts';
import { harness } from '../../../protocol/harness.ts';
import { helpdeskConnection } from '../../../simulation/connections.ts';

describe('createTokenMemory', () => {
  const token = (generation: number, issuedAt = 0): Token => ({
    ...{ value: new Secret('token'), attributes: {}, values: {}, generation, hash: 'hash', secretVersion: 'version' },
    ...{ issuedAt, expiresAt: 0, refreshAt: 0 },
  });
  const slot = (subject: string) => ({ connection: 'helpdesk', subject, fingerprint: 'f00d' });

  it('forgets the slot read longest ago once it is full', () => {
    const memory = createTokenMemory(2);
    for (const [n, subject] of ['1', '2', '1', '3'].entries()) memory.remember(slot(subject), token(n), n);

    expect(['1', '2', '3'].map((subject) => memory.last(slot(subject))?.generation)).toEqual([2, undefined, 3]);
  });

  it.each([
    [129_999, true],
    [130_000, false],
    [95_000, true],
    [94_999, false],
  ])('calls recent what was read within 30 s, or by a clock within the skew: at %i, %s', (now, isRecent) => {
    const memory = createTokenMemory();
    memory.remember(slot('1'), token(1), 100_000);

    expect(memory.recent(slot('1'), now, 30) !== undefined).toBe(isRecent);
  });

  it.each([
    ['that was begun a moment before the other', 99_999, 2],
    ['that was begun nearly half a minute before', 70_001, 2],
    ['of a clock that has gone back half a minute', 70_000, 1],
    ['that was begun at the same moment and ended later', 100_000, 1],
    ['that was begun later', 100_001, 1],
  ])('keeps the look begun later: one %s', (_which, readAt, kept) => {
    const memory = createTokenMemory();
    memory.remember(slot('1'), token(2), 100_000);
    memory.remember(slot('1'), token(1), readAt);

    expect(memory.last(slot('1'))?.generation).toBe(kept);
  });

  it.each([
    ['begun later, that saw less', 100_001, 5_000, 2],
    ['begun half a minute later, by a clock that was set', 130_000, 5_000, 1],
    ['begun earlier, that saw more', 99_999, 7_000, 1],
  ])('keeps the newer token of two looks: one %s', (_which, readAt, issuedAt, kept) => {
    const memory = createTokenMemory();
    memory.remember(slot('1'), token(2, 6_000), 100_000);
    memory.remember(slot('1'), token(1, issuedAt), readAt);

    expect(memory.last(slot('1'))?.generation).toBe(kept);
  });
});

describe('createHandOut, from memory', () => {
  it('hands out from memory for memorySeconds, then looks at the store', async () => {
    const { broker, advance, callsOf } = harness();
    await broker.handOut();
    const reads = callsOf('read');
    await advance({ seconds: 29 });
    expect((await broker.handOut()).source).toBe('cache');
    expect(reads()).toHaveLength(0);
    await advance({ seconds: 2 });
    await broker.handOut();

    expect(reads()).toHaveLength(1);
  });

  it('hands out nothing from memory where memorySeconds is 0', async () => {
    const { broker, removeItem } = harness({ connection: helpdeskConnection({ memorySeconds: 0 }) });
    const first = await broker.handOut();
    removeItem();

    expect((await broker.handOut()).token.hash).not.toBe(first.token.hash);
  });

  it('hands out nothing from memory from refreshAt on, so that a reader asks for the refresh', async () => {
    const { broker, advance, fleet, time } = harness();
    const { token } = await broker.handOut();
    await advance({ ms: token.refreshAt - time.now() - 1_000 });
    await broker.handOut();
    expect(fleet.asked).toHaveLength(0);
    await advance({ ms: token.refreshAt - time.now() });
    await broker.handOut();

    expect(fleet.asked).toHaveLength(1);
  });

  it('hands out in an outage of the store, until the token is not usable (invariant 11)', async () => {
    const { broker, advance, storeDown, upstream, connection } = harness();
    const { token } = await broker.handOut();
    storeDown();
    const lastUsable = token.expiresAt - 5_000 - connection.minTtlSeconds * 1_000;
    await advance({ ms: lastUsable - token.issuedAt - 1_000 });
    expect(await broker.handOut()).toMatchObject({ source: 'cache', token: { hash: token.hash } });
    expect((await broker.refusal({ minTtlSeconds: 120 })).code).toBe('store_unavailable');
    await advance({ seconds: 2 });

    expect((await broker.refusal()).code).toBe('store_unavailable');
    expect(upstream.logins).toHaveLength(1);
  });

  it('hands out in an outage of the keys (invariant 11)', async () => {
    const { broker, advance, weather } = harness();
    const { token } = await broker.handOut();
    weather.keys.down = 1;
    await advance({ hours: 2 });

    expect((await broker.handOut()).token.hash).toBe(token.hash);
  });

  it('answers an outage with its error where memory is cold', async () => {
    const { broker, storeDown, weather, upstream, advance } = harness({ instances: 2 });
    await broker.handOut();
    weather.keys.down = 1;
    expect((await broker.refusal({ on: 1 })).code).toBe('kms_unavailable');
    weather.keys.down = 0;
    storeDown();
    await advance({ minutes: 1 });

    expect((await broker.refusal({ on: 1 })).code).toBe('store_unavailable');
    expect(upstream.logins).toHaveLength(1);
  });

  it('does not serve from memory if the reason for having no other token is no outage', async () => {
    const { broker, upstream, advance } = harness();
    await broker.handOut();
    await broker.purge();
    upstream.rules.accepted.clear();
    await advance({ seconds: 31 });

    expect((await broker.refusal()).code).toBe('upstream_credential_rejected');
  });

  it('does not hide a fault of the broker behind memory', async () => {
    const { broker, beforeNext, advance } = harness();
    await broker.handOut();
    await advance({ seconds: 31 });
    beforeNext('read', () => Promise.reject(new TypeError('a fault of ours')));

    await expect(broker.handOut()).rejects.toThrow('a fault of ours');
  });

  it('remembers the newest token though the instance’s clock has gone back', async () => {
    const { broker, instance, fleet, advance, storeDown } = harness();
    const { token: dead } = await broker.handOut();
    await advance({ minutes: 9 });
    await broker.handOut();
    await advance({ minutes: 1 });
    for (const { process } of [instance(0), ...fleet.instances]) process.skewMs = -240_000;
    const { token: renewed } = await broker.handOut({ rejected: dead.hash });
    expect(renewed.generation).toBe(2);
    storeDown();

    expect((await broker.handOut()).token.hash).toBe(renewed.hash);
  });

  it('remembers what a wait brought, though another look began later and ended sooner', async () => {
    const { broker, weather, advance, time } = harness({ instances: 2 });
    const { token: dead } = await broker.handOut({ on: 1 });
    await advance({ minutes: 5 });
    weather.upstream.answerMs = { least: 3_000, most: 3_000 };
    const holder = broker.start({ rejected: dead.hash, on: 1 });
    await advance({ ms: 100 });
    const waiting = broker.start({ rejected: dead.hash, on: 0 });
    await advance({ seconds: 1 });
    expect((await broker.handOut({ on: 0 })).token.generation).toBe(1);
    await time.settle(Promise.all([holder, waiting]));

    expect((await broker.handOut({ on: 0 })).token.generation).toBe(2);
  });
});
