import { describe, expect, it } from 'vitest';
import { providers } from '../../../../functions/providers/registry.ts';
import { harness } from '../../../protocol/harness.ts';
import { helpdeskConnection } from '../../../simulation/connections.ts';

const FAR_AHEAD = 9_000_000_000_000;

/** A slot that got its token by the first version, before the secret got a second. */
async function rotated(...settings: Parameters<typeof harness>) {
  const made = harness(...settings);
  await made.broker.handOut();
  const version = made.broker.rotateSecret('other');
  return { ...made, version };
}

describe('createRotation, of slots that are held back', () => {
  it('ends the back-off of every slot of the connection, however many', async () => {
    const { broker, put, record, time } = harness();
    const subjects = Array.from({ length: 205 }, (_, n) => String(n + 1_000));
    for (const subject of subjects) put({ notBefore: FAR_AHEAD }, subject);
    await broker.rotationEvent();

    expect(subjects.filter((subject) => record(subject).notBefore > time.now())).toEqual([]);
  });

  it.each([
    ['a back-off', { notBefore: FAR_AHEAD }, true],
    ['a refused version', { refusedVersion: 'version-1', dueAt: undefined }, true],
    ['the refusal of this very version', { refusedVersion: 'version-2', notBefore: FAR_AHEAD }, false],
    ['a lock', { failure: { code: 'upstream_account_locked', at: 1 }, notBefore: FAR_AHEAD }, false],
    ['an attempt under way', { lease: { id: 'another', until: FAR_AHEAD }, notBefore: FAR_AHEAD }, false],
    ['nothing', {}, false],
  ] as const)('ends what holds back a slot, where it is %s', async (_what, held, isEnded) => {
    const { broker, put, record, time } = await rotated();
    await broker.handOut({ subject: '88' });
    broker.rotateSecret('next');
    put(held, '88');
    const before = record('88');
    await broker.rotationEvent('version-2');

    if (isEnded) {
      expect(record('88').notBefore).toBeLessThanOrEqual(time.now());
      // One proves the version; a minute later this one is tried.
      expect(record('88').dueAt).toBeGreaterThan(time.now() + 50_000);
      expect(record('88').dueAt).toBeLessThanOrEqual(time.now() + 60_000);
      expect(record('88').refusedVersion).toBe(before.refusedVersion);
    } else expect(record('88')).toEqual(before);
  });

  it('leaves a slot off the schedule that is held back and idle', async () => {
    const { broker, put, record, time } = harness({ connection: helpdeskConnection({ idleSeconds: 60 }) });
    await broker.handOut();
    put({ dueAt: undefined, refusedVersion: 'version-0', notBefore: FAR_AHEAD, lastHandedOutAt: time.now() - 61_000 });
    await broker.rotationEvent('version-2');

    expect(record().notBefore).toBeLessThanOrEqual(time.now());
    expect(record().dueAt).toBeUndefined();
  });

  it('lengthens no back-off that ends before the reaction takes effect', async () => {
    const { broker, put, record, time } = await rotated();
    await broker.rotationEvent();
    broker.rotateSecret('next');
    const soon = time.now() + 10_000;
    put({ notBefore: soon }, '88');
    put({ notBefore: FAR_AHEAD }, '89');
    await broker.rotationEvent();

    expect(record('88').notBefore).toBe(soon);
    expect(record('89').notBefore).toBeGreaterThan(soon);
    expect(record('89').notBefore).toBeLessThanOrEqual(time.now() + 60_000);
  });

  it('leaves slots alone that the configuration no longer has', async () => {
    const { broker, table, putOutdated } = harness();
    const outdated = putOutdated({ notBefore: FAR_AHEAD });
    await broker.rotationEvent();

    expect(table.get(outdated)?.notBefore).toBe(FAR_AHEAD);
  });

  it('leaves a lock alone that was written after it had looked', async () => {
    const { broker, put, record, beforeNext } = await rotated();
    put({ notBefore: FAR_AHEAD - 1 });
    beforeNext('endBackOff', () => put({ notBefore: FAR_AHEAD }));
    await broker.rotationEvent();

    expect(record().notBefore).toBe(FAR_AHEAD);
  });
});

describe('createRotation, of the slot that proves a version', () => {
  it('makes one slot in use due at once, however many have good tokens', async () => {
    const { broker, table, time } = harness();
    const subjects = Array.from({ length: 12 }, (_, n) => String(n + 1));
    for (const subject of subjects) await broker.handOut({ subject });
    broker.rotateSecret('other');
    const hashes = table.all().map(({ record }) => record.token?.hash);
    await broker.rotationEvent();

    const due = table.all().filter(({ record }) => (record.dueAt ?? Infinity) <= time.now());
    expect(due.map(({ record }) => record.unprovenVersion)).toEqual(['version-2']);
    expect(table.all().map(({ record }) => record.token?.hash)).toEqual(hashes);
  });

  it.each([
    ['`system` before users', ['1', 'system', '2'], 'system'],
    ['of users the one that was used last', ['1', '3', '2'], '2'],
  ])('is %s', async (_what, subjects, expected) => {
    const { broker, table } = harness();
    for (const subject of subjects) await broker.handOut({ subject });
    broker.rotateSecret('other');
    await broker.rotationEvent();

    const asked = table.all().filter(({ record }) => record.unprovenVersion !== undefined);
    expect(asked.map(({ slot }) => slot.subject)).toEqual([expected]);
  });

  it.each([
    ['one that the upstream has served, before one that it never has', { token: undefined }],
    ['one at rest, before one at work', { lease: { id: 'another', until: FAR_AHEAD } }],
    ['none whose account is locked', { failure: { code: 'upstream_account_locked', at: 1 }, notBefore: FAR_AHEAD }],
    ['none that is idle', { lastHandedOutAt: 1 }],
  ] as const)('is %s', async (_what, fields) => {
    const { broker, put, record } = harness();
    for (const subject of ['1', '2']) await broker.handOut({ subject });
    put(fields, '2');
    broker.rotateSecret('other');
    await broker.rotationEvent();

    expect([record('1').unprovenVersion, record('2').unprovenVersion]).toEqual(['version-2', undefined]);
  });

  it('is looked for until the attempt under way has ended, and its token came by the version before', async () => {
    const { broker, upstream, record, advance, time, weather, instance, connection, slot } = harness();
    await broker.handOut();
    await advance({ hours: 20 });
    weather.upstream.answerMs = { least: 4_000, most: 4_000 };
    const asked = instance(0).handOut({
      connection,
      slot: slot(),
      caller: 'c',
      requestId: 'r',
      rejectedHash: record().token?.hash ?? '',
    });
    await time.advance(500);
    broker.rotateSecret('wrong');
    await broker.rotationEvent();
    await asked;
    expect(record()).toMatchObject({ generation: 2, unprovenVersion: 'version-2' });
    await advance({ seconds: 60 });
    await broker.sweep();

    expect(upstream.logins.map(({ credential }) => credential)).toEqual(['right', 'right', 'wrong']);
  });

  it('is none whose good token the login would end', async () => {
    const provider = { ...providers.helpmaster, name: 'helpmaster', limits: { single: true as const } };
    const { record, broker } = await rotated({ connection: { ...helpdeskConnection(), provider } });
    await broker.rotationEvent();

    expect(record().unprovenVersion).toBeUndefined();
  });

  it('is none for a version that somebody has logged in with', async () => {
    const { broker, upstream, record, writes, version, advance } = await rotated();
    await advance({ seconds: 6 });
    upstream.rules.accepted.add('other');
    await broker.handOut({ subject: '88' });
    const before = writes.length;
    await broker.rotationEvent(version);

    expect(record().unprovenVersion).toBeUndefined();
    expect(writes).toHaveLength(before);
  });
});

describe('createRotation, of many versions', () => {
  it('reacts a minute after the last reaction, once for all that came since', async () => {
    const { broker, record, time, advance, table, connection } = await rotated();
    const began = time.now();
    await broker.rotationEvent();
    expect(record().dueAt).toBeLessThan(began + 1_000);
    // It was judged, so that the next needs a proof of its own.
    await broker.sweep();
    for (let n = 0; n < 10; n += 1) {
      broker.rotateSecret(`version ${n}`);
      await broker.rotationEvent();
      await advance({ seconds: 1 });
    }

    expect(record().dueAt).toBeGreaterThan(began + 59_000);
    expect(record().dueAt).toBeLessThan(began + 61_000);
    expect(table.logins(connection.name)?.rotatedAt).toBe(record().dueAt);
  });

  it('puts no slot off that is due before the reaction takes effect', async () => {
    const { broker, put, record, time } = await rotated();
    await broker.rotationEvent();
    await broker.sweep();
    const version = broker.rotateSecret('next');
    const soon = time.now() + 10_000;
    put({ dueAt: soon });
    await broker.rotationEvent();

    expect(record()).toMatchObject({ unprovenVersion: version, dueAt: soon });
  });

  it('waits for no clock that was far ahead', async () => {
    const { broker, record, time, table, connection } = await rotated();
    const { logins } = table;
    const seen = logins(connection.name);
    table.writeLogins(connection.name, { name: 'set', onlyIf: [], set: { rotatedAt: FAR_AHEAD }, add: {} });
    expect(seen).toBeDefined();
    await broker.rotationEvent();

    expect(record().dueAt).toBeLessThanOrEqual(time.now() + 60_000);
  });
});
